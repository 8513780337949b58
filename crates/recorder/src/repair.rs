//! What a crash left behind: segments whose rows still say `recording`, and files that have no row yet.
//!
//! The sidecar says which bytes belong to the segment. A torn end is cut off at the last whole fragment; a file whose bytes
//! are all there and differ is kept as it is and marked suspect. Nothing is deleted, and a disk that cannot be read
//! changes nothing.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use minhbach_evidence::Sidecar;
use minhbach_index::{IndexError, IndexErrorKind, SegmentProgress};
use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};
use minhbach_store::{SegmentKey, SegmentReader, SpoolDisk, StoreError, read_sidecar};

use crate::RecorderContext;

/// A file without a row starts at most this long before the last one that has one.
const LOOK_BACK_NS: i64 = 600 * 1_000_000_000;

/// A segment left behind by a process that ended without closing it.
#[derive(Debug, Clone)]
pub struct LeftBehind(pub Segment);

/// What its files say.
pub(crate) struct Found {
    pub start: WallTime,
    pub last: SegmentProgress,
    pub state: SegmentState,
}

impl LeftBehind {
    /// Closes the segment with what its files hold. Told in the log; a segment that cannot be read keeps its row.
    pub async fn repair(self, context: &RecorderContext) {
        let spool = context.store.spool().clone();
        let (id, text) = (self.0.id, self.0.key.clone());
        let durable = self.0.bytes;
        let examined = tokio::task::spawn_blocking(move || {
            SegmentKey::parse(&self.0.key)
                .map_or(Ok(None), |key| examine(&spool.root_of(&key), &key, id, Told::Bytes(durable)).map(Some))
        });
        let result = match examined.await {
            Ok(Ok(Some(found))) => context.index.close_segment(&found.last, found.state).await,
            Ok(Ok(None)) => return tracing::error!(%id, key = text, "the row has a storage key that is none"),
            Ok(Err(error)) => {
                return tracing::error!(%id, key = text, error = &error as &dyn std::error::Error, "left segment not readable");
            }
            Err(error) => return tracing::error!(%id, key = text, %error, "repair panicked"),
        };
        match result {
            Ok(()) => tracing::info!(%id, key = text, "segment left behind by a crash closed"),
            Err(error) => {
                tracing::error!(%id, key = text, error = &error as &dyn std::error::Error, "left segment not closed");
            }
        }
    }
}

/// Gives rows to files of a stream that were begun after `since` and have none: a crash can come between the first fragment
/// and its row.
///
/// # Errors
/// When the index does not answer.
pub(crate) async fn adopt(
    context: &RecorderContext,
    camera: CameraId,
    stream: StreamKind,
    since: WallTime,
) -> Result<(), IndexError> {
    let spool = context.store.spool().clone();
    let from = since.offset_ns(-LOOK_BACK_NS);
    let now = context.clock.now();
    let on_any_disk = move || {
        let of_disk = |disk: &Arc<SpoolDisk>| keys_since(disk.root(), camera, stream, from, now);
        let mut keys: Vec<SegmentKey> = spool.present().flat_map(of_disk).collect();
        keys.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        keys.dedup();
        keys
    };
    let keys = tokio::task::spawn_blocking(on_any_disk).await.unwrap_or_default();
    let newest = keys.len().saturating_sub(UNFINISHED);
    for (number, key) in keys.into_iter().enumerate() {
        if context.index.segment_by_key(key.as_str()).await?.is_some() {
            continue;
        }
        let Some(id) = key.segment() else { continue };
        let spool = context.store.spool().clone();
        let file = key.clone();
        let told = if number < newest { Told::All } else { Told::Bytes(0) };
        let found = match tokio::task::spawn_blocking(move || examine(&spool.root_of(&file), &file, id, told)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::error!(%key, error = &error as &dyn std::error::Error, "a file without a row is not readable");
                continue;
            }
            Err(_) => continue,
        };
        // A file with nothing but its start holds no footage; it stays where it is.
        let Some(range) = WallRange::new(found.start, found.last.end) else { continue };
        let segment = Segment {
            id,
            camera,
            stream,
            range,
            key: key.to_string(),
            bytes: found.last.bytes,
            video_samples: found.last.video_samples,
            audio_samples: found.last.audio_samples,
            state: found.state,
            tier: Tier::Spool,
        };
        match context.index.insert_adopted(&segment).await {
            Ok(()) => tracing::info!(%key, "footage without a row adopted"),
            Err(error) if error.kind() == IndexErrorKind::Exists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Media files of a stream that start in a stretch of time, from the folders of its days.
pub(crate) fn keys_since(
    root: &Path,
    camera: CameraId,
    stream: StreamKind,
    from: WallTime,
    to: WallTime,
) -> Vec<SegmentKey> {
    const DAY_NS: i64 = 86_400 * 1_000_000_000;
    let first = SegmentKey::new(camera, stream, from, SegmentId::from_bytes([0; 16]));
    let mut keys = Vec::new();
    let mut day = from;
    while day < to.offset_ns(DAY_NS) {
        let of_day = SegmentKey::new(camera, stream, day, SegmentId::from_bytes([0; 16]));
        let folder = of_day.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let key = name.to_str().and_then(|name| SegmentKey::parse(&format!("{folder}/{name}")).ok());
            // Keys of one stream are in the order of time.
            keys.extend(key.filter(|key| key.as_str() >= first.as_str()));
        }
        day = day.offset_ns(DAY_NS);
    }
    keys.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    keys.dedup();
    keys
}

/// What of a file was told as recorded, and is never cut.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    /// So many bytes: the file may have been written when a crash came.
    Bytes(u64),
    /// All that its sidecar names: other files were begun after it.
    All,
}

/// Files of a stream, the newest ones, that a crash can find unfinished: one is being written, one is being closed.
pub(crate) const UNFINISHED: usize = 2;

/// Reads the files of a segment and cuts a torn end off. Blocking.
///
/// An error means that nothing was changed.
pub(crate) fn examine(root: &Path, key: &SegmentKey, id: SegmentId, told: Told) -> Result<Found, StoreError> {
    let sidecar = read_sidecar(root, key)?;
    let durable = match told {
        Told::Bytes(bytes) => bytes,
        Told::All => sidecar.fragments.last().map_or(0, |record| record.end_offset()),
    };
    let reader = SegmentReader::open(root, key)?;
    let len = reader.len()?;
    // Torn is what is not there. Only the end can be: earlier fragments were followed by others.
    let there = sidecar.fragments.iter().take_while(|r| r.end_offset() <= len).count();
    let mut whole = there;
    let mut state = SegmentState::Closed;
    while let Some(record) = whole.checked_sub(1).and_then(|last| sidecar.fragments.get(last)) {
        match reader.fragment(record) {
            Ok(_) => break,
            // After a power loss a file may have its length before its bytes; only what was never told may go.
            Err(StoreError::Altered { .. }) if record.end_offset() > durable => whole -= 1,
            Err(StoreError::Altered { .. }) => {
                state = SegmentState::Suspect;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    sync(root, key)?;
    let kept = &sidecar.fragments[..whole];
    let media_len = kept.last().map_or(sidecar.header.init_len, |r| r.end_offset());
    if media_len < durable {
        // Told as durable and not there: kept as it is, for somebody to look at.
        state = SegmentState::Suspect;
    } else {
        cut(&key.media_path(root), media_len)?;
        cut_lines(&key.sidecar_path(root), whole + 1)?;
    }
    let start = start_of(&sidecar);
    let last = SegmentProgress {
        id,
        end: kept.last().map_or(start, |r| WallTime(r.end_wall_ns)),
        bytes: media_len,
        video_samples: kept.iter().map(|r| u64::from(r.video)).sum(),
        audio_samples: kept.iter().map(|r| u64::from(r.audio)).sum(),
    };
    Ok(Found { start, last, state })
}

/// What a killed process wrote may be in memory only; what is told as recorded must not.
pub(crate) fn sync(root: &Path, key: &SegmentKey) -> Result<(), StoreError> {
    let (media, sidecar) = (key.media_path(root), key.sidecar_path(root));
    for path in [media.as_path(), sidecar.as_path(), media.parent().unwrap_or(root)] {
        let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|source| StoreError::Io { action: "sync", path: path.to_owned(), source })?;
    }
    Ok(())
}

fn start_of(sidecar: &Sidecar) -> WallTime {
    let first = sidecar.fragments.first().map(|r| WallTime(r.start_wall_ns));
    first.or_else(|| sidecar.header.start.parse().ok()).unwrap_or_default()
}

/// Makes a file as short as that; it must not be shorter. Synced when it returns.
pub(crate) fn cut(path: &Path, len: u64) -> Result<(), StoreError> {
    let io = |action| move |source| StoreError::Io { action, path: path.to_owned(), source };
    let file = std::fs::OpenOptions::new().write(true).open(path).map_err(io("open"))?;
    let now = file.metadata().map_err(io("measure"))?.len();
    if now < len {
        return Err(io("repair")(ErrorKind::UnexpectedEof.into()));
    }
    if now > len {
        file.set_len(len).map_err(io("cut"))?;
        file.sync_all().map_err(io("sync"))?;
    }
    Ok(())
}

/// Makes a file end after so many lines, as [`cut`] does.
pub(crate) fn cut_lines(path: &Path, lines: usize) -> Result<(), StoreError> {
    let bytes =
        std::fs::read(path).map_err(|source| StoreError::Io { action: "read", path: path.to_owned(), source })?;
    let len: usize = bytes.split_inclusive(|&b| b == b'\n').take(lines).map(<[u8]>::len).sum();
    cut(path, len as u64)
}
