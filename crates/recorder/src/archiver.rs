//! Brings closed segments from the spool into the archive, oldest first, a few at a time.
//!
//! For one segment:
//!
//! 1. it is claimed, so that nobody deletes it meanwhile;
//! 2. its files are put into the archive and verified there (`store::Archive::put`, which is done when they are there
//!    already);
//! 3. its row is changed to say so, durably;
//! 4. the copy in the spool is freed.
//!
//! A crash after 2 puts again; one after 3 leaves a copy that the sweep at the next start frees. While the archive cannot
//! be used, everything stays in the spool and recording does not notice.
//!
//! What the archive already has otherwise, or what is not there, stays as it is, is told, and is tried again later. What was
//! altered in the spool is archived as it is, and noted as damage.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use minhbach_index::{IndexErrorKind, MAX_PAGE};
use minhbach_model::{Segment, SegmentId, Tier, WallTime};
use minhbach_store::{Archive, SegmentKey, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::archive::ArchiveContext;
use crate::interlock::chain;
use crate::mend::is_left_alone;
use crate::status::Reminder;
use crate::tiers::Tiers;
use crate::verify::{Depth, Pace, note, verify};

/// Between two looks when nothing waits.
const IDLE: Duration = Duration::from_secs(2);
/// Shortest and longest pause after the archive could not be used.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Without anything to bring, the archive is asked this often whether it is there.
const PROBE: Duration = Duration::from_secs(60);
/// A segment that cannot be archived is tried again after this.
const STUCK: Duration = Duration::from_secs(600);
/// Between two counts of what waits when that is more than a page.
const COUNT: Duration = Duration::from_secs(60);
/// Pages counted at most: 200,000 segments.
const COUNT_PAGES: usize = 200;

/// What came of the attempt to bring a segment.
#[derive(Debug)]
enum Moved {
    /// It is in the archive.
    Done,
    /// Somebody else works on it, or it is gone.
    Passed,
    /// There is something wrong with this segment, and not with the archive.
    Stuck(StoreError),
    /// The archive or the index cannot be used.
    Failed(RecorderError),
}

/// The archiver.
pub struct Archiver {
    context: ArchiveContext,
    archive: Arc<Archive>,
    parallel: usize,
    stuck: HashMap<String, Instant>,
    counted: Option<Instant>,
    probed: Option<Instant>,
    reminder: Reminder,
}

impl Archiver {
    /// An archiver that brings so many segments at the same time; `None` when there is no archive.
    #[must_use]
    pub fn new(context: ArchiveContext, parallel: usize) -> Option<Self> {
        let archive = context.tiers.archive.clone()?;
        let stuck = HashMap::new();
        let reminder = Reminder::default();
        Some(Self { context, archive, parallel: parallel.max(1), stuck, counted: None, probed: None, reminder })
    }

    /// Runs until told to stop; then what is under way is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        // Before that the archive may get its first segment before it says to whom it belongs.
        tokio::select! {
            () = stop.cancelled() => return,
            () = self.context.interlock.uploads() => {}
        }
        let mut swept = false;
        let mut backoff = BACKOFF.0;
        while !stop.is_cancelled() {
            if !swept {
                swept = self.sweep(&stop).await;
            }
            let pause = match self.round(&stop).await {
                Ok(true) => {
                    backoff = BACKOFF.0;
                    continue;
                }
                Ok(false) => {
                    backoff = BACKOFF.0;
                    IDLE
                }
                Err(error) => {
                    self.tell_failure(&error);
                    let pause = backoff;
                    backoff = (backoff * 2).min(BACKOFF.1);
                    pause
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn tell_failure(&mut self, error: &RecorderError) {
        if self.reminder.is_due() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "the archive takes nothing; closed segments wait in the spool");
        }
        let message = chain(error);
        let of_archive = matches!(error, RecorderError::Store(_));
        self.context.teller.tell(|status| {
            status.available &= !of_archive;
            status.last_error = Some(message);
        });
    }

    fn tell_success(&mut self) {
        self.reminder.clear();
        self.probed = Some(Instant::now());
        self.context.teller.tell(|status| {
            status.available = true;
            status.last_error = None;
        });
    }

    /// Brings the oldest segments that wait. Returns whether there were any; an error means that nothing can be brought
    /// at the moment.
    async fn round(&mut self, stop: &CancellationToken) -> Result<bool, RecorderError> {
        self.count().await?;
        let batch = self.waiting(self.parallel * 4).await?;
        if batch.is_empty() {
            self.probe().await?;
            return Ok(false);
        }
        let (context, archive) = (&self.context, &self.archive);
        let moves = stream::iter(batch).map(|segment| async move {
            if stop.is_cancelled() {
                return (segment.key, Moved::Passed);
            }
            let moved = bring(context, archive, &segment).await;
            (segment.key, moved)
        });
        let moved: Vec<(String, Moved)> = moves.buffer_unordered(self.parallel).collect().await;
        let mut failure = None;
        let mut done = false;
        for (key, moved) in moved {
            match moved {
                Moved::Done => done = true,
                // It may be back, or be somebody's for long: the others come first.
                Moved::Passed => {
                    self.stuck.insert(key, Instant::now() + IDLE);
                }
                Moved::Stuck(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(key, error, "a segment cannot be archived and stays in the spool");
                    self.stuck.insert(key, Instant::now() + STUCK);
                }
                Moved::Failed(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => {
                if done {
                    self.tell_success();
                }
                Ok(true)
            }
        }
    }

    /// The oldest segments in the spool, without those that are stuck, and those that may just be cut.
    async fn waiting(&mut self, wanted: usize) -> Result<Vec<Segment>, RecorderError> {
        let (now, wall) = (Instant::now(), self.context.clock.now());
        self.stuck.retain(|_, until| *until > now);
        let mut batch = Vec::new();
        let mut after: Option<(WallTime, SegmentId)> = None;
        let limit = u32::try_from(wanted).unwrap_or(MAX_PAGE).min(MAX_PAGE);
        loop {
            let page = self.context.index.spooled(after, limit).await?;
            after = page.last().map(|last| (last.range.end, last.id));
            let ended = page.len() < limit as usize;
            let waits = |segment: &Segment| !self.stuck.contains_key(&segment.key) && !is_left_alone(segment, wall);
            batch.extend(page.into_iter().filter(waits));
            if ended || batch.len() >= wanted {
                batch.truncate(wanted);
                return Ok(batch);
            }
        }
    }

    /// Asks an archive for which there is nothing to do whether it is there.
    async fn probe(&mut self) -> Result<(), RecorderError> {
        if self.probed.is_none_or(|probed| probed.elapsed() >= PROBE) {
            self.probed = Some(Instant::now());
            self.archive.read_identity().await?;
            self.tell_success();
        }
        Ok(())
    }

    /// Tells how much waits. More than a page is counted once a minute.
    async fn count(&mut self) -> Result<(), RecorderError> {
        let mut page = self.context.index.spooled(None, MAX_PAGE).await?;
        let many = page.len() >= MAX_PAGE as usize;
        if many && self.counted.is_some_and(|counted| counted.elapsed() < COUNT) {
            return Ok(());
        }
        self.counted = many.then(Instant::now);
        let since = page.first().map(|segment| segment.range.end);
        let (mut segments, mut bytes) = (0, 0);
        for _ in 0..COUNT_PAGES {
            segments += page.len() as u64;
            bytes += page.iter().map(|segment| segment.bytes).sum::<u64>();
            let Some(last) = page.last().filter(|_| page.len() >= MAX_PAGE as usize) else { break };
            page = self.context.index.spooled(Some((last.range.end, last.id)), MAX_PAGE).await?;
        }
        self.context.teller.tell(|status| {
            status.waiting_segments = segments;
            status.waiting_bytes = bytes;
            status.waiting_since = since;
        });
        Ok(())
    }

    /// Frees the copies in the spool whose rows say that they are in the archive: what a crash after step 3 leaves. Returns
    /// whether it came to the end.
    async fn sweep(&self, stop: &CancellationToken) -> bool {
        let mut keys = Tiers { archive: None, ..self.context.tiers.clone() }.keys();
        loop {
            if stop.is_cancelled() {
                return false;
            }
            let freed = match keys.next().await {
                Ok(Some(stored)) => self.free_copy(&stored.key).await,
                Ok(None) => return true,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = freed {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "copies in the spool are looked for again later");
                return false;
            }
        }
    }

    async fn free_copy(&self, key: &SegmentKey) -> Result<(), RecorderError> {
        let row = self.context.index.segment_by_key(key.as_str()).await?;
        if row.is_none_or(|segment| segment.tier == Tier::Spool) {
            return Ok(());
        }
        let Some(_claim) = self.context.claims.claim(key.as_str()) else { return Ok(()) };
        // Put again and not only looked at: it is freed because the archive is found to have the same.
        let spool = self.context.tiers.spool_of(key).await?;
        match self.archive.put(&spool, key).await {
            Ok(_) => {}
            Err(error) if is_of_segment(&error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(%key, error, "the copy in the spool differs from the archive's and is kept");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        self.archive.remove_spooled(&spool, key).await?;
        tracing::info!(%key, "a copy that a crash left in the spool is freed");
        Ok(())
    }
}

/// Whether the error is about this segment and not about the archive.
fn is_of_segment(error: &StoreError) -> bool {
    // What the archive itself refuses is `Unavailable`: `Io` is of the file in the spool.
    matches!(
        error,
        StoreError::Io { .. } | StoreError::Altered { .. } | StoreError::Sidecar { .. } | StoreError::Differs { .. }
    )
}

/// Steps 1 to 4.
async fn bring(context: &ArchiveContext, archive: &Archive, segment: &Segment) -> Moved {
    let Ok(key) = SegmentKey::parse(&segment.key) else { return Moved::Passed };
    let Some(_claim) = context.claims.claim(&segment.key) else { return Moved::Passed };
    // Asked again under the claim: it may have been deleted since it was listed, and must not come back.
    match context.index.segment_by_key(&segment.key).await {
        Ok(Some(row)) if row.tier == Tier::Spool => {}
        Ok(_) => return Moved::Passed,
        Err(error) => return Moved::Failed(error.into()),
    }
    let spool = match context.tiers.spool_of(&key).await {
        Ok(spool) => spool,
        Err(error) => return Moved::Failed(error.into()),
    };
    let put = match archive.put(&spool, &key).await {
        Ok(put) => put,
        Err(error) if is_of_segment(&error) => return Moved::Stuck(error),
        Err(error) => return Moved::Failed(error.into()),
    };
    // Before the row says that it is archived: a crash in between must not forget what is known of it.
    if !put.altered.is_empty()
        && let Err(error) = note_altered(context, segment).await
    {
        return Moved::Failed(error);
    }
    match context.index.set_archived(&segment.key).await {
        Ok(()) => {}
        Err(error) if error.kind() == IndexErrorKind::NotFound => return Moved::Passed,
        Err(error) => return Moved::Failed(error.into()),
    }
    match archive.remove_spooled(&spool, &key).await {
        Ok(()) => Moved::Done,
        // It is archived; what is left in the spool is found by the next sweep.
        Err(error) => Moved::Failed(error.into()),
    }
}

/// What was altered on the disk before it was archived is archived as it is, and noted: nothing better is anywhere.
async fn note_altered(context: &ArchiveContext, segment: &Segment) -> Result<(), RecorderError> {
    let mut pace = Pace::new(0);
    let wrong = verify(context.index.as_ref(), &context.tiers, segment, Depth::Deep(&mut pace)).await?;
    note(context, segment, &wrong).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Yard;

    fn archiver(yard: &Yard) -> Archiver {
        Archiver::new(yard.context.clone(), 4).expect("there is an archive")
    }

    async fn is_archived_only(yard: &Yard, segment: &Segment) -> bool {
        let key = SegmentKey::parse(&segment.key).unwrap();
        let row = yard.index.segment_by_key(&segment.key).await.unwrap().expect("it has a row");
        let there = yard.tiers.media_len(&key, Tier::Archive).await.unwrap();
        let spooled = key.media_path(&yard.tiers.spool).exists() || key.sidecar_path(&yard.tiers.spool).exists();
        row.tier == Tier::Archive && there == Some(segment.bytes) && !spooled
    }

    #[tokio::test]
    async fn what_waits_is_brought_and_told() {
        let yard = Yard::with_archive().await;
        let segments = [yard.record(0, 2).await, yard.record(10, 3).await];
        let stop = CancellationToken::new();
        let mut archiver = archiver(&yard);
        assert!(archiver.round(&stop).await.expect("it works"));
        {
            let status = yard.status.borrow();
            assert_eq!((status.waiting_segments, status.waiting_since), (2, Some(segments[0].range.end)));
            assert_eq!(status.waiting_bytes, segments[0].bytes + segments[1].bytes);
        }
        assert!(!archiver.round(&stop).await.expect("nothing waits"));
        assert_eq!(yard.status.borrow().waiting_segments, 0);
        for segment in &segments {
            assert!(is_archived_only(&yard, segment).await);
        }
    }

    #[tokio::test]
    async fn a_crash_after_each_step_loses_nothing() {
        for last_step in 1..=4 {
            let mut yard = Yard::with_archive().await;
            let segment = yard.record(0, 2).await;
            let key = SegmentKey::parse(&segment.key).unwrap();
            let archive = yard.tiers.archive.clone().expect("it has one");
            let files = [key.media_path(&yard.tiers.spool), key.sidecar_path(&yard.tiers.spool)];
            let copies: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
            if last_step >= 2 {
                archive.put(&yard.tiers.spool, &key).await.unwrap();
            }
            if last_step >= 3 {
                yard.index.set_archived(&segment.key).await.unwrap();
                // What an archive that copies leaves here; a rename leaves nothing.
                std::fs::create_dir_all(files[0].parent().unwrap()).unwrap();
                for (path, bytes) in files.iter().zip(&copies) {
                    std::fs::write(path, bytes).unwrap();
                }
            }
            if last_step >= 4 {
                archive.remove_spooled(&yard.tiers.spool, &key).await.unwrap();
            }
            yard.reopen().await;
            let stop = CancellationToken::new();
            let mut archiver = archiver(&yard);
            assert!(archiver.sweep(&stop).await);
            archiver.round(&stop).await.expect("it works");
            assert!(is_archived_only(&yard, &segment).await, "after step {last_step}");
        }
    }

    #[tokio::test]
    async fn a_segment_that_the_archive_has_otherwise_stays_and_holds_up_no_other() {
        let yard = Yard::with_archive().await;
        let (bad, good) = (yard.record(0, 2).await, yard.record(10, 2).await);
        let key = SegmentKey::parse(&bad.key).unwrap();
        let archive = yard.tiers.archive.clone().expect("it has one");
        let other = key.media_path(archive.folder().expect("it is a folder"));
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        std::fs::write(&other, b"something else").unwrap();
        let stop = CancellationToken::new();
        let mut archiver = archiver(&yard);
        assert!(archiver.round(&stop).await.expect("it works"));
        assert!(is_archived_only(&yard, &good).await);
        assert_eq!(std::fs::read(&other).unwrap(), b"something else");
        assert!(key.media_path(&yard.tiers.spool).exists() && key.sidecar_path(&yard.tiers.spool).exists());
        assert_eq!(yard.index.segment_by_key(&bad.key).await.unwrap().map(|row| row.tier), Some(Tier::Spool));
        assert!(!archiver.round(&stop).await.expect("it is left for later"));
    }

    #[tokio::test]
    async fn what_was_altered_in_the_spool_is_noted() {
        let yard = Yard::new().await;
        let segment = yard.record(0, 3).await;
        let path = SegmentKey::parse(&segment.key).unwrap().media_path(&yard.tiers.spool);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        note_altered(&yard.context, &segment).await.expect("noted");
        let row = yard.index.segment_by_key(&segment.key).await.unwrap().expect("it has a row");
        assert_eq!(row.state, minhbach_model::SegmentState::Suspect);
        let damages = yard.index.damages_in(segment.camera, segment.stream, segment.range).await.unwrap();
        assert_eq!(damages.len(), 1);
        assert_eq!(damages[0].range.end, segment.range.end);
        assert_eq!(yard.status.borrow().damaged_segments, 1);
    }

    #[tokio::test]
    async fn a_file_that_was_given_up_just_now_is_left_until_it_is_cut() {
        let yard = Yard::with_archive().await;
        let (young, old) = (yard.record(3500, 2).await, yard.record(0, 2).await);
        for segment in [&young, &old] {
            yard.index.set_suspect(&segment.key).await.unwrap();
        }
        let mut archiver = archiver(&yard);
        let stop = CancellationToken::new();
        assert!(archiver.round(&stop).await.expect("it works"));
        assert!(is_archived_only(&yard, &old).await && !is_archived_only(&yard, &young).await);
        assert!(!archiver.round(&stop).await.expect("it waits"));
        yard.index.clear_suspect(&young.key).await.unwrap();
        assert!(archiver.round(&stop).await.expect("it works"));
        assert!(is_archived_only(&yard, &young).await);
    }

    #[tokio::test]
    async fn what_is_being_deleted_is_not_brought_back() {
        let yard = Yard::with_archive().await;
        let segment = yard.record(0, 2).await;
        let reason = minhbach_model::DeletionReason::Expired;
        yard.index.mark_for_deletion(std::slice::from_ref(&segment.key), reason, yard.clock.now()).await.unwrap();
        let archive = yard.tiers.archive.clone().expect("it has one");
        assert!(matches!(bring(&yard.context, &archive, &segment).await, Moved::Passed));
        assert!(archive.list(None, 10).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn nothing_is_brought_before_it_is_known_to_whom_the_archive_belongs() {
        let yard = Yard::with_archive().await;
        yard.record(0, 2).await;
        let stop = CancellationToken::new();
        let task = tokio::spawn(archiver(&yard).run(stop.clone()));
        tokio::task::yield_now().await;
        stop.cancel();
        task.await.expect("it ends");
        assert!(yard.tiers.archive.as_ref().expect("it has one").list(None, 10).await.unwrap().is_empty());
    }
}
