//! Segments as files that are written once: their keys, the one thread that writes them, and reading them back.
//!
//! What belongs here: names, appends, syncs, free space, verified reads. What does not: SQL, codecs, and the decision what
//! is recorded when (see `recorder`).
//!
//! Order on disk (asserted in the writer): media bytes → their sidecar line → data synced → sidecar synced → directory
//! synced when new → told as durable. A failed sync is never retried and called good: the file is given up as suspect.

mod key;
mod note;
mod read;
mod write;

use std::path::PathBuf;

pub use key::{KeyError, SegmentKey};
pub use note::{
    Identity, JournalEntry, append_journal, erase, has_footage, read_identity, read_journal, write_identity,
};
pub use read::{SegmentReader, read_sidecar};
pub use write::{Durable, FileState, SegmentWriter, Store, StoreOptions};

/// Why storing or reading failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The writing thread has ended.
    #[error("the writing thread of the store has ended")]
    Stopped,
    /// A sidecar is damaged.
    #[error("the sidecar of {key} is damaged")]
    Sidecar {
        /// Of which segment.
        key: String,
        /// What is wrong.
        #[source]
        source: minhbach_evidence::SidecarError,
    },
    /// Bytes on disk are not those that were recorded.
    #[error("bytes {offset} to {end} of {key} are not those that were recorded")]
    Altered {
        /// Of which segment.
        key: String,
        /// First byte of the fragment.
        offset: u64,
        /// First byte after it.
        end: u64,
    },
}

/// Space on the disk of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes free for this program.
    pub free_bytes: u64,
    /// Size of the file system, bytes.
    pub total_bytes: u64,
}
