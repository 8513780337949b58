//! The cameras page: table, what is wrong and what to do, the form with its test.

pub mod data;
mod form;
mod ui;

pub use form::{form_dialog, pause_dialog, remove_dialog};
pub use ui::ui;
