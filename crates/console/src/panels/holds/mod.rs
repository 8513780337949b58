//! Holds: the form that places one, the list of all, and the question why one is released.

pub mod data;
mod ui;

pub use ui::ui;
