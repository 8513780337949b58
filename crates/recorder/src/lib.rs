//! From a feed to durable footage: segments into the store, rows into the index, every missing second a gap with a cause.
//!
//! This crate owns every order across the two stores. For one fragment it is:
//!
//! 1. cut from the feed (`media::cut`), hashed, handed to the store with its sidecar line;
//! 2. synced by the store: data, then sidecar, then directory;
//! 3. only then told to the index: the first time as a new row, then as progress;
//! 4. a closed segment's row becomes `closed` after its last sync.
//!
//! Behind the recorders, each a task of its own that recording never waits for: closed segments go into the archive
//! ([`archiver`]), what is too old or has no room goes ([`retention`], in the order of [`deletion`], never without the
//! [`interlock`], by age only in time that was [`seen`] to pass), and what is stored is read back ([`patrol`]). [`audit`] and [`rebuild`] compare rows with files and make
//! them from files.
//!
//! Recording waits for nobody: the index is told through a bounded queue that never blocks ([`ledger`]), and a store that
//! falls behind makes this crate lose its place in the feed, which becomes a gap `recorder_behind`.
//!
//! Whether the disk confirms what it is given is told by [`health`]: a connection that works is no recording.
//!
//! What does not belong here: connections to cameras, and answering questions about footage.

mod archive;
mod archiver;
mod audit;
mod claims;
mod deletion;
mod disks;
mod health;
mod interlock;
mod ledger;
mod mend;
mod patrol;
mod policy;
mod rebuild;
mod repair;
mod retention;
mod seen;
mod status;
mod stream;
#[cfg(test)]
mod testing;
mod tiers;
mod verify;

pub use archive::ArchiveContext;
pub use archiver::Archiver;
pub use audit::{CheckOptions, Finding, OnProgress, Progress, Report, adopt_all, check};
pub use claims::Claims;
pub use health::{Fault, HealthTeller, Mark, RecorderHealth, confirm_limit};
pub use interlock::{Findings, Interlock, Locked, chain, guard, trust};
pub use ledger::{Ledger, LedgerStats};
pub use patrol::Patrol;
pub use rebuild::{RebuildReport, rebuild};
pub use repair::LeftBehind;
pub use retention::{Keeper, Pool, RetentionOptions};
pub use seen::trust_clock;
pub use status::{ArchiveStatus, ArchiveTeller, CameraDays, Fill, SpoolState};
pub use stream::{RecordedStream, RecorderContext, StopWith, StreamRecorder};
pub use tiers::Tiers;
pub use verify::FindingKind;

/// Why something about footage could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The index did not answer.
    #[error("the index did not answer")]
    Index(#[from] minhbach_index::IndexError),
    /// The store did not.
    #[error("the store did not answer")]
    Store(#[from] minhbach_store::StoreError),
    /// It was told to stop.
    #[error("stopped before the end")]
    Interrupted,
}
