//! Files that were given up because the disk refused: once it takes footage again, what was never told as recorded is cut off.
//!
//! 1. All that was told is there: the sidecar vouches for exactly that much, and every hash is right. Otherwise nothing is
//!    changed, and the row stays suspect for somebody to look at.
//! 2. Lines that speak of more go, then the bytes behind: a line never speaks of bytes that are not there.
//! 3. The row becomes closed; it said all the time how much was told. What is cut off is in another file, or in a gap.
//!
//! Recording waits for none of this. What does not belong here: what a crash leaves behind, see [`crate::repair`].

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use minhbach_index::{IndexError, MAX_PAGE};
use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};
use minhbach_store::{SegmentKey, SegmentReader, StoreError, read_sidecar};
use tokio::task::{JoinError, JoinHandle};

use crate::RecorderContext;
use crate::ledger::Entry;
use crate::repair::{cut, cut_lines, sync};

/// Most files of a stream that wait. While a disk stays full each attempt leaves one, with nothing in it after the first.
const WAITING_MAX: usize = 64;
/// A disk that fails again gets so many chances a file, then the next start looks.
const TRIES: u32 = 3;
/// At a start, suspect files are looked for so long before the end of the recording.
const LOOK_BACK_NS: i64 = 3600 * 1_000_000_000;
/// The archiver leaves a suspect file alone for so long after its end; mending is begun in the first half of it.
const LEFT_ALONE_NS: i64 = 600 * 1_000_000_000;
/// How long the last one may take when the recorder ends.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether a file is not to be moved at that moment, because it may just be cut.
pub(crate) fn is_left_alone(segment: &Segment, now: WallTime) -> bool {
    segment.state == SegmentState::Suspect && is_younger(segment.range.end, now, LEFT_ALONE_NS)
}

fn is_younger(end: WallTime, now: WallTime, than_ns: i64) -> bool {
    (0..than_ns).contains(&now.ns_since(end))
}

/// The files of a stream that wait, and the one that is being mended.
#[derive(Debug, Default)]
pub(crate) struct Torn {
    waiting: VecDeque<TornFile>,
    under_way: Option<(TornFile, JoinHandle<Result<bool, StoreError>>)>,
}

#[derive(Debug)]
struct TornFile {
    key: SegmentKey,
    /// Bytes that were told as recorded.
    told: u64,
    end: WallTime,
    has_row: bool,
    tries: u32,
}

impl Torn {
    /// Those that a process before this one left: suspect, in the spool, and not long before the end of the recording.
    ///
    /// # Errors
    /// When the index does not answer.
    pub async fn left_behind(
        context: &RecorderContext,
        camera: CameraId,
        stream: StreamKind,
        end: Option<WallTime>,
    ) -> Result<Self, IndexError> {
        let mut torn = Self::default();
        let range = end.and_then(|end| WallRange::new(end.offset_ns(-LOOK_BACK_NS), end));
        let Some(range) = range else { return Ok(torn) };
        let mut after: Option<(WallTime, SegmentId)> = None;
        loop {
            let page = context.index.segments_in(camera, stream, range, after, MAX_PAGE).await?;
            for segment in &page {
                if segment.state == SegmentState::Suspect && segment.tier == Tier::Spool {
                    torn.add(segment, true);
                }
            }
            let Some(last) = page.last().filter(|_| page.len() >= MAX_PAGE as usize) else { return Ok(torn) };
            after = Some((last.range.start, last.id));
        }
    }

    /// One that the disk refused just now, as far as it was told; the index knows it, or not. Whoever wrote it must have let go
    /// of it: one that a disk hangs with may be written on when that answers.
    pub fn add(&mut self, segment: &Segment, has_row: bool) {
        if self.waiting.len() < WAITING_MAX
            && let Ok(key) = SegmentKey::parse(&segment.key)
        {
            let (told, end) = (segment.bytes, segment.range.end);
            self.waiting.push_back(TornFile { key, told, end, has_row, tries: TRIES });
        }
    }

    /// Goes on with them, one at a time: to be called when the disk has just confirmed footage. Waits for no disk.
    pub async fn go_on(&mut self, context: &RecorderContext) {
        if let Some((file, work)) = self.under_way.take_if(|(_, work)| work.is_finished()) {
            self.ended(context, file, work.await);
        }
        if self.under_way.is_none()
            && let Some(file) = self.next(context)
        {
            let (spool, key, told) = (context.store.spool().clone(), file.key.clone(), file.told);
            let work = tokio::task::spawn_blocking(move || mend(&spool.root_of(&key), &key, told));
            self.under_way = Some((file, work));
        }
    }

    fn next(&mut self, context: &RecorderContext) -> Option<TornFile> {
        let (now, has_archive) = (context.clock.now(), context.footage.archive().is_some());
        loop {
            let file = self.waiting.pop_front()?;
            // An older one may be on its way into the archive, as it is.
            if !has_archive || is_younger(file.end, now, LEFT_ALONE_NS / 2) {
                return Some(file);
            }
        }
    }

    /// Waits for the one that is being mended, but not long: a disk may hang.
    pub async fn finish(&mut self, context: &RecorderContext) {
        let Some((file, mut work)) = self.under_way.take() else { return };
        match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(done) => self.ended(context, file, done),
            // It can be stopped at any step, and the next start looks again.
            Err(_) => tracing::warn!(key = %file.key, "a file that was given up is not cut: the disk does not answer"),
        }
    }

    fn ended(&mut self, context: &RecorderContext, file: TornFile, done: Result<Result<bool, StoreError>, JoinError>) {
        let key = &file.key;
        match done {
            Ok(Ok(true)) => {
                tracing::info!(%key, "a file that was given up is cut after what was told as recorded");
                if file.has_row {
                    context.ledger.tell(Entry::Whole(key.to_string()));
                }
            }
            Ok(Ok(false)) => tracing::warn!(%key, "a file that was given up is not what was recorded"),
            // It was deleted, or archived; or it never got as far as its first line.
            Ok(Err(error)) if error.is_missing() || !file.has_row => {}
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%key, error, "a file that was given up cannot be cut yet");
                if file.tries > 1 {
                    self.waiting.push_back(TornFile { tries: file.tries - 1, ..file });
                }
            }
            Err(error) => tracing::error!(%key, %error, "mending panicked"),
        }
    }
}

/// Steps 1 and 2: whether the file now is what was told of it. Blocking.
///
/// An error means that it may be cut in part, and can be tried again.
fn mend(root: &Path, key: &SegmentKey, told: u64) -> Result<bool, StoreError> {
    let sidecar = read_sidecar(root, key)?;
    let kept = sidecar.fragments.iter().take_while(|record| record.end_offset() <= told).count();
    let vouched = kept.checked_sub(1).and_then(|last| sidecar.fragments.get(last));
    if vouched.map_or(sidecar.header.init_len, |record| record.end_offset()) != told {
        return Ok(false);
    }
    let reader = SegmentReader::open(root, key)?;
    let read = reader.init(&sidecar).and_then(|_| {
        // One at a time: a whole file need not fit into memory.
        sidecar.fragments[..kept].iter().try_for_each(|record| reader.fragment(record).map(drop))
    });
    match read {
        Ok(()) => {}
        Err(StoreError::Altered { .. }) => return Ok(false),
        Err(error) => return Err(error),
    }
    sync(root, key)?;
    cut_lines(&key.sidecar_path(root), kept + 1)?;
    cut(&key.media_path(root), told)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Yard;

    #[tokio::test]
    async fn only_what_was_never_told_is_cut_and_nothing_of_a_file_that_differs() {
        let yard = Yard::new().await;
        let root = &yard.tiers.spool;
        let (key, at) = yard.key(0);
        let len = yard.write(&key, at, 4);
        let (media, lines) = (key.media_path(root), key.sidecar_path(root));
        let (bytes, text) = (std::fs::read(&media).unwrap(), std::fs::read(&lines).unwrap());
        let fragment = (len - 4) / 4;
        let told = 4 + 2 * fragment;
        let kept: Vec<u8> = text.split_inclusive(|&byte| byte == b'\n').take(3).flatten().copied().collect();
        // Two fragments were not told: there, torn, or with a line that is.
        let cut = usize::try_from(told).unwrap();
        let (all, torn) = ((bytes.len(), text.len()), (bytes.len() - 7, text.len() - 9));
        for (media_len, lines_len) in [all, torn, (cut, kept.len())] {
            std::fs::write(&media, &bytes[..media_len]).unwrap();
            std::fs::write(&lines, &text[..lines_len]).unwrap();
            assert!(mend(root, &key, told).unwrap());
            assert_eq!(std::fs::read(&media).unwrap(), bytes[..cut]);
            assert_eq!(std::fs::read(&lines).unwrap(), kept);
        }
        // Nothing was told: nothing but its start is left.
        assert!(mend(root, &key, 4).unwrap());
        assert_eq!(std::fs::read(&media).unwrap(), b"init");

        let mut flipped = bytes.clone();
        flipped[5] ^= 1;
        for (what, media_bytes, told) in [
            ("a bit of what was told is another", &flipped[..], told),
            ("less is there than was told", &bytes[..10], told),
            ("the sidecar vouches for something else", &bytes[..], told + 1),
        ] {
            std::fs::write(&media, media_bytes).unwrap();
            std::fs::write(&lines, &text).unwrap();
            assert!(!mend(root, &key, told).unwrap(), "{what}");
            assert_eq!(std::fs::read(&media).unwrap(), media_bytes, "{what}");
            assert_eq!(std::fs::read(&lines).unwrap(), text, "{what}");
        }
        std::fs::remove_file(&media).unwrap();
        assert!(mend(root, &key, told).is_err_and(|error| error.is_missing()));
    }
}
