//! What every long-running part shares: the clock, named tasks that all end, and a thread whose tasks run in step.
//!
//! What belongs here: reading time, owning tasks, shutting down. What does not: what the tasks do.

mod clock;
mod paced;
mod tasks;

pub use clock::Clock;
pub use paced::{Hurry, Pace, PacedThread, Paces, Why};
pub use tasks::Tasks;
