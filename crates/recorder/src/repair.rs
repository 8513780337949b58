//! What a crash left behind: segments whose rows still say `recording`.
//!
//! The sidecar says which bytes were whole. A torn end is cut off at the last whole fragment; nothing else is changed, and
//! nothing is deleted.

use std::path::Path;

use minhbach_index::SegmentProgress;
use minhbach_model::{Segment, SegmentState, WallTime};
use minhbach_store::{SegmentKey, SegmentReader, StoreError, read_sidecar};

/// A segment left behind by a process that ended without closing it.
#[derive(Debug, Clone)]
pub struct LeftBehind(pub Segment);

/// What its files say.
pub(crate) struct Found {
    pub last: SegmentProgress,
    pub state: SegmentState,
}

impl LeftBehind {
    /// Reads the sidecar, drops records whose bytes are not whole at the end of the file, and cuts the files there.
    /// Blocking.
    ///
    /// # Errors
    /// When the files cannot be read; then nothing was changed.
    pub(crate) fn examine(&self, root: &Path) -> Result<Found, StoreError> {
        let segment = &self.0;
        let bad_key = |_| StoreError::Io {
            action: "find",
            path: root.join("?"),
            source: std::io::Error::new(std::io::ErrorKind::InvalidInput, "the row has no storage key"),
        };
        let key = SegmentKey::parse(&segment.key).map_err(bad_key)?;
        let sidecar = read_sidecar(root, &key)?;
        let reader = SegmentReader::open(root, &key)?;
        // Only the end can be torn: earlier fragments were followed by others. The patrol checks the rest.
        let mut whole = sidecar.fragments.len();
        while whole > 0 && reader.fragment(&sidecar.fragments[whole - 1]).is_err() {
            whole -= 1;
        }
        let kept = &sidecar.fragments[..whole];
        let media_len = kept.last().map_or(sidecar.header.init_len, |r| r.end_offset());
        cut(&key.media_path(root), media_len)?;
        cut_lines(&key.sidecar_path(root), whole + 1)?;
        let last = SegmentProgress {
            id: segment.id,
            end: kept.last().map_or(segment.range.start, |r| WallTime(r.end_wall_ns)),
            bytes: media_len,
            video_samples: kept.iter().map(|r| u64::from(r.video)).sum(),
            audio_samples: kept.iter().map(|r| u64::from(r.audio)).sum(),
        };
        Ok(Found { last, state: SegmentState::Closed })
    }
}

fn cut(path: &Path, len: u64) -> Result<(), StoreError> {
    let io = |action| move |source| StoreError::Io { action, path: path.to_owned(), source };
    let file = std::fs::OpenOptions::new().write(true).open(path).map_err(io("open"))?;
    if file.metadata().map_err(io("measure"))?.len() > len {
        file.set_len(len).map_err(io("cut"))?;
        file.sync_all().map_err(io("sync"))?;
    }
    Ok(())
}

fn cut_lines(path: &Path, lines: usize) -> Result<(), StoreError> {
    let bytes =
        std::fs::read(path).map_err(|source| StoreError::Io { action: "read", path: path.to_owned(), source })?;
    let len: usize = bytes.split_inclusive(|&b| b == b'\n').take(lines).map(<[u8]>::len).sum();
    cut(path, len as u64)
}
