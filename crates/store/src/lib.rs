//! Segments as files that are written once: their keys, the disks they lie on, the one thread that writes to each, the
//! archive they go to, and reading them back from wherever they are.
//!
//! What belongs here: names, appends, syncs, free space, the move into the archive, verified reads. What does not: SQL,
//! codecs, and the decision what is recorded, moved or deleted when (see `recorder`).
//!
//! Orders (asserted in the writer, each step of the others stopped after in a test):
//! 1. *Write*: media bytes → their sidecar line → data synced → sidecar synced → directory synced when new → told as
//!    durable. A failed sync is never retried and called good: the file is given up as suspect, and cut
//!    after what was told as durable once the disk works again (by `recorder`).
//! 2. *Archive*: media in the archive, verified and synced → its sidecar likewise → told as archived → (by the caller:
//!    row) → spool copy of the media gone → spool copy of the sidecar gone. A sidecar in the archive means a whole
//!    segment; a sidecar in the spool means that something is left to do.
//! 3. *Delete*: sidecar gone → media gone. What is half deleted claims nothing and is adopted by nobody.

mod archive;
mod footage;
mod identity;
mod journal;
mod key;
mod read;
mod spool;
mod stores;
#[cfg(test)]
mod testing;
mod write;

use std::path::PathBuf;

pub use archive::{Archive, ArchiveOptions, Put, delete_files};
pub use footage::{Footage, FootageReader};
pub use identity::{
    Identity, KeptClock, Locks, read_clock, read_identity, read_locks, write_clock, write_identity, write_locks,
};
pub use journal::{JournalEntries, JournalFile};
pub use key::{KeyError, SegmentKey};
pub use read::{SegmentReader, read_sidecar};
pub use spool::{DiskState, Spool, SpoolDisk};
pub use stores::{Placed, Stores};
pub use write::{Durable, FileState, SegmentWriter, Store, StoreOptions};

/// Why storing or reading failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused, or the file is not there.
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
    /// The disk takes nothing at the moment, and another one can.
    #[error("the disk does not take what it is given")]
    Slow,
    /// The writing thread has ended, or the program is ending.
    #[error("the store has been stopped")]
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
    /// The archive cannot be used at the moment: the same call may succeed later.
    #[error("the archive cannot be used to {action} {what}")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// With which of its files.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The archive holds something else under the key of a segment: trying again does not help.
    #[error("the archive holds another file under the name {name}")]
    Differs {
        /// Name of the file or object.
        name: String,
    },
    /// The options of an archive are not possible.
    #[error("the archive cannot be set up: {0}")]
    Options(String),
    /// A small file of the program's own is not what it should be.
    #[error("{name} cannot be understood: {problem}")]
    Document {
        /// Its name or path.
        name: String,
        /// What the parser says.
        problem: String,
    },
}

impl StoreError {
    /// Something was refused with a file.
    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Whether it says that a file or object is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}

/// Runs work that waits for a disk where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // A join error is a panic, already logged with its place, or the runtime ending.
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)?
}

/// Space on the disk of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes free for this program.
    pub free_bytes: u64,
    /// Size of the file system, bytes.
    pub total_bytes: u64,
}
