//! Bytes in, bytes out: fragmented MP4 written and read, samples cut into fragments and segments, plain MP4 export.
//!
//! What belongs here: ISO/IEC 14496-12 boxes, the order and timing of samples in files, the search through NAL units.
//! What does not: IO, clocks, threads, decoding of pictures.
//!
//! In the order the data moves: [`cut`] collects samples into fragments, [`fragment`] lays a fragment out, [`init`] writes
//! what stands before the first one; [`read`] takes all that apart again, and [`export`] puts ranges of it into a plain file.

pub mod boxes;
pub mod cut;
mod entry;
pub mod export;
pub mod fragment;
pub mod init;
pub mod read;
mod reorder;

/// What is wrong with bytes that should be a file of ours, or with samples that should become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// A box ends before its content does.
    #[error("{what} is cut short at byte {offset}")]
    Truncated {
        /// The box or field.
        what: &'static str,
        /// Offset within what was given.
        offset: usize,
    },
    /// A box has a size that cannot be.
    #[error("box {kind} at byte {offset} has the impossible size {size}")]
    BadSize {
        /// The four-character code.
        kind: FourCc,
        /// Offset within what was given.
        offset: usize,
        /// The size it claims.
        size: u64,
    },
    /// A box that must be there is not.
    #[error("box {0} is missing")]
    Missing(FourCc),
    /// A value is outside what this program writes or reads.
    #[error("{what} is {value}, which is not supported")]
    Unsupported {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// The range to export holds no picture.
    #[error("nothing is recorded in the range")]
    EmptyRange,
    /// The range to export changes its codec, which one MP4 track cannot hold.
    #[error("the codec changes within the range; export the parts before and after separately")]
    CodecChanges,
}

/// A four-character code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl std::fmt::Display for FourCc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0 {
            write!(f, "{}", byte.escape_ascii())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for FourCc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
