//! Ctrl+K: every camera, page and command, found without diacritics.

pub mod data;
mod ui;

pub use ui::ui;
