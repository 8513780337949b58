//! One tile: picture, name, state in words, microphone meter, digital zoom.

pub mod data;
mod ui;

pub use ui::{Tile, stream_key, ui};
