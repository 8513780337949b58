//! The timeline: a lane a camera with what is recorded, held and damaged, what is missing and why, and incidents.

pub mod data;
mod ui;

pub use ui::ui;
