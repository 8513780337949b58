//! From a camera to its feed: RTSP sessions, reconnecting, camera time tied to wall time.
//!
//! [`supervisor`] owns back-off and state and never gives up; [`attempt`] is one connection and knows no retry;
//! [`clock`] places samples in time; [`access`] tells where decoding can start; [`failure`] says what went wrong in terms a person can act on.
//!
//! Architecture invariant: nothing outside this crate names retina. Nothing here knows files or the index.

mod access;
mod attempt;
mod clock;
mod failure;
mod meter;
mod probe;
mod source;
mod supervisor;

pub use failure::{Failure, gap_cause};
pub use probe::{ProbeReport, probe};
pub use source::{IngestOptions, SourceError, StreamConfig};
pub use supervisor::supervise;
