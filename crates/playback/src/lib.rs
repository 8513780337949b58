//! Recorded footage for people: samples from any moment on, across files and gaps up to the live edge, and exports.
//!
//! What belongs here: finding the right place, stitching, planning an export. What does not: recording, decoding, and who
//! may see what. Bytes whose hash is wrong are never handed out: they are a gap of their own kind.

mod export;
mod open;
mod play;

pub use export::{ExportJob, export};
pub use play::{Event, PlayRequest, Player};

/// Why footage cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    /// The index did not answer.
    #[error("the index did not answer")]
    Index(#[from] minhbach_index::IndexError),
    /// The store did not, or its bytes are damaged.
    #[error("the footage cannot be read")]
    Store(#[from] minhbach_store::StoreError),
    /// The files are not what they should be, or cannot become what was asked for.
    #[error("the footage cannot be used")]
    Media(#[from] minhbach_media::MediaError),
    /// A row has a storage key that is none.
    #[error("the index names a file that cannot be")]
    Key(#[from] minhbach_store::KeyError),
}
