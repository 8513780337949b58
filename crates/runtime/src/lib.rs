//! What every long-running part shares: the clock, and named tasks that all end.
//!
//! What belongs here: reading time, owning tasks, shutting down. What does not: what the tasks do.

mod clock;
mod tasks;

pub use clock::Clock;
pub use tasks::Tasks;
