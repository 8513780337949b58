//! The incidents page: list, filter, search, detail editor.

pub mod data;
mod ui;

pub use data::rows;
pub use ui::ui;
