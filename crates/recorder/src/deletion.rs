//! The order of a deletion, and the only place that erases footage.
//!
//! 1. the interlock is open ([`crate::interlock`]), and for a deletion by age the clock is right ([`crate::seen`]), else
//!    nothing happens;
//! 2. the rows are marked, and the journal in the database is written, in one transaction; a hold that came meanwhile wins;
//! 3. the journal on every disk of the spool is written and synced: it outlives the database, and a disk;
//! 4. the files go, in both tiers;
//! 5. the rows are forgotten.
//!
//! A crash after any step is finished by [`Deleter::finish`], which begins with what is marked.

use futures::stream::{self, StreamExt};
use minhbach_index::DeletionFilter;
use minhbach_model::{Deletion, DeletionReason, Segment, SegmentId, WallTime};
use minhbach_store::{SegmentKey, StoreError};

use crate::RecorderError;
use crate::archive::ArchiveContext;
use crate::claims::Claim;
use crate::disks::within_reach;
use crate::tiers::blocking;

/// Segments deleted at once: inserts wait for one such transaction at most.
pub(crate) const BATCH: u32 = 100;
/// Segments whose files are erased at the same time.
const PARALLEL: usize = 8;

/// Deletes footage.
pub(crate) struct Deleter {
    context: ArchiveContext,
}

impl Deleter {
    pub fn new(context: ArchiveContext) -> Self {
        Self { context }
    }

    /// Steps 1 to 5 for at most [`BATCH`] of the candidates. Returns those that went; none while the interlock is not open, and
    /// none by age while the wall clock is not to be believed.
    pub async fn delete(&self, candidates: &[Segment], reason: DeletionReason) -> Result<Vec<Segment>, RecorderError> {
        let (wall, seen) = (self.context.clock.now(), self.context.interlock.seen());
        let is_doubtful = reason == DeletionReason::Expired && seen.is_ahead(wall);
        if !self.context.interlock.is_open() || is_doubtful {
            return Ok(Vec::new());
        }
        // A hold does not end because the wall clock jumps.
        let at = seen.certain(wall);
        // What is being uploaded is left for the next round.
        let claims: Vec<Claim> = candidates
            .iter()
            .take(BATCH as usize)
            .filter_map(|segment| self.context.claims.claim(&segment.key))
            .collect();
        let keys: Vec<String> = claims.iter().map(|claim| claim.key().to_owned()).collect();
        let marked = self.context.index.mark_for_deletion(&keys, reason, at).await?;
        self.log(&marked, reason, at).await?;
        self.clear(&marked).await?;
        Ok(marked)
    }

    /// Finishes the deletions that a crash or an archive that did not answer left halfway.
    pub async fn finish(&self) -> Result<(), RecorderError> {
        if !self.context.interlock.is_open() {
            return Ok(());
        }
        loop {
            let marked = self.context.index.marked(BATCH).await?;
            // Those on a disk that is away are finished when it is back.
            let marked = within_reach(&self.context.tiers, marked).await?;
            if marked.is_empty() {
                return Ok(());
            }
            let mut entries = Vec::with_capacity(marked.len());
            for segment in &marked {
                entries.extend(self.entry(segment).await?);
            }
            self.append(entries).await?;
            self.clear(&marked).await?;
            tokio::task::yield_now().await;
        }
    }

    /// What the journal in the database says of a marked segment.
    async fn entry(&self, segment: &Segment) -> Result<Option<Deletion>, RecorderError> {
        let filter = DeletionFilter { range: None, camera: Some(segment.camera) };
        let mut before: Option<(WallTime, SegmentId)> = None;
        // The newest are first, and this one was marked just before the process ended.
        loop {
            let page = self.context.index.deletions(&filter, before, minhbach_index::MAX_PAGE).await?;
            if let Some(found) = page.iter().find(|entry| entry.segment == segment.id) {
                return Ok(Some(found.clone()));
            }
            let Some(last) = page.last() else { return Ok(None) };
            before = Some((last.at, last.segment));
        }
    }

    /// Step 3.
    pub async fn log(&self, marked: &[Segment], reason: DeletionReason, at: WallTime) -> Result<(), RecorderError> {
        let entry = |segment: &Segment| Deletion {
            segment: segment.id,
            camera: segment.camera,
            stream: segment.stream,
            range: segment.range,
            key: segment.key.clone(),
            bytes: segment.bytes,
            at,
            reason,
        };
        self.append(marked.iter().map(entry).collect()).await
    }

    async fn append(&self, entries: Vec<Deletion>) -> Result<(), RecorderError> {
        if entries.is_empty() {
            return Ok(());
        }
        let disks = self.context.tiers.disks.clone();
        Ok(blocking(move || disks.append_journal(&entries)).await?)
    }

    /// Steps 4 and 5: what can be erased is erased and forgotten, and the first error is told.
    async fn clear(&self, marked: &[Segment]) -> Result<(), RecorderError> {
        let erased = stream::iter(marked.to_vec()).map(|segment| async move {
            let result = self.erase(&segment).await;
            (segment, result)
        });
        let erased: Vec<_> = erased.buffer_unordered(PARALLEL).collect().await;
        let mut failed = None;
        let mut gone = Vec::with_capacity(marked.len());
        for (segment, result) in erased {
            match result {
                Ok(()) => gone.push(segment),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.forget(&gone).await?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Step 4, for one.
    async fn erase(&self, segment: &Segment) -> Result<(), StoreError> {
        match SegmentKey::parse(&segment.key) {
            Ok(key) => self.context.tiers.erase(&key).await,
            Err(error) => {
                // There can be no such file: the row goes, and the log keeps it.
                tracing::error!(%error, segment = %segment.id, "a row without a storage key is forgotten");
                Ok(())
            }
        }
    }

    /// Step 5.
    pub async fn forget(&self, marked: &[Segment]) -> Result<(), RecorderError> {
        let keys: Vec<String> = marked.iter().map(|segment| segment.key.clone()).collect();
        self.context.index.forget(&keys).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::Tier;
    use minhbach_store::JournalFile;

    use super::*;
    use crate::testing::Yard;

    const EXPIRED: DeletionReason = DeletionReason::Expired;

    async fn is_gone(yard: &Yard, segment: &Segment) -> bool {
        let key = SegmentKey::parse(&segment.key).unwrap();
        let files = yard.tiers.media_len(&key, Tier::Spool).await.unwrap().is_some()
            || yard.tiers.media_len(&key, Tier::Archive).await.unwrap().is_some()
            || key.sidecar_path(&yard.tiers.spool).exists();
        let row = yard.index.segment_by_key(&segment.key).await.unwrap().is_some();
        !files && !row && yard.index.marked(10).await.unwrap().is_empty()
    }

    #[tokio::test]
    async fn while_the_interlock_is_not_open_nothing_goes() {
        let yard = Yard::new().await;
        let segment = yard.record(0, 2).await;
        for decided in [false, true] {
            if decided {
                yard.context.interlock.decide(false);
            }
            assert_eq!(yard.deleter().delete(std::slice::from_ref(&segment), EXPIRED).await.unwrap(), []);
            assert!(!is_gone(&yard, &segment).await);
        }
        yard.context.interlock.decide(true);
        assert_eq!(
            yard.deleter().delete(std::slice::from_ref(&segment), EXPIRED).await.unwrap(),
            std::slice::from_ref(&segment)
        );
        assert!(is_gone(&yard, &segment).await);
    }

    #[tokio::test]
    async fn what_is_being_uploaded_is_left_alone() {
        let yard = Yard::new().await;
        yard.context.interlock.decide(true);
        let segment = yard.record(0, 2).await;
        let claim = yard.context.claims.claim(&segment.key);
        assert_eq!(yard.deleter().delete(std::slice::from_ref(&segment), EXPIRED).await.unwrap(), []);
        assert!(claim.is_some() && !is_gone(&yard, &segment).await);
    }

    #[tokio::test]
    async fn a_crash_after_each_step_is_finished() {
        for last_step in 2..=5 {
            let mut yard = Yard::with_archive().await;
            let (spooled, archived) = (yard.record(0, 2).await, yard.record(10, 2).await);
            yard.archive(&archived).await;
            let at = yard.clock.now();
            let keys = [spooled.key.clone(), archived.key.clone()];
            let marked = yard.index.mark_for_deletion(&keys, EXPIRED, at).await.unwrap();
            assert_eq!(marked.len(), 2);
            let deleter = yard.deleter();
            if last_step >= 3 {
                deleter.log(&marked, EXPIRED, at).await.unwrap();
            }
            if last_step >= 4 {
                for segment in &marked {
                    deleter.erase(segment).await.unwrap();
                }
            }
            if last_step >= 5 {
                deleter.forget(&marked).await.unwrap();
            }
            yard.reopen().await;
            yard.deleter().finish().await.unwrap();
            assert!(!is_gone(&yard, &spooled).await || last_step == 5, "the interlock is not decided yet");
            yard.context.interlock.decide(true);
            yard.deleter().finish().await.unwrap();
            assert!(is_gone(&yard, &spooled).await && is_gone(&yard, &archived).await, "after step {last_step}");
            let journal: Vec<Deletion> =
                JournalFile::entries(&yard.tiers.spool).unwrap().map(|entry| entry.expect("a whole line")).collect();
            for segment in [&spooled, &archived] {
                let entry = journal.iter().find(|entry| entry.segment == segment.id).expect("the journal has it");
                assert_eq!((entry.at, entry.reason, entry.bytes), (at, EXPIRED, segment.bytes));
            }
            let deletions = yard.index.deletions(&DeletionFilter::default(), None, 10).await.unwrap();
            assert_eq!(deletions.len(), 2);
        }
    }
}
