//! The tree of cameras: agency, site, contact point, camera.

pub mod data;
mod ui;

pub use ui::{health_key, ui};
