//! The patrol reads everything that is stored back, round after round, slowly, and compares it with what was recorded.
//!
//! What differs is noted as damage: it is told at once, shown on the timeline, and its hash is checked wherever it is
//! served. The place in the round is kept in the spool, so that a restart does not begin anew: a round over a large archive
//! takes weeks.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use minhbach_model::{Segment, SegmentState};
use minhbach_store::{SegmentKey, StoreError};
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::archive::ArchiveContext;
use crate::interlock::chain;
use crate::status::Reminder;
use crate::tiers::blocking;
use crate::verify::{Depth, FindingKind, Pace, Wrong, note, verify};

/// Name of the file with the place in the round.
const PLACE_NAME: &str = "patrol.txt";
/// Between two rounds: what was recorded in between is looked at in the next.
const REST: Duration = Duration::from_secs(60);
/// Rows asked for at once; the place is kept after each.
const PAGE: u32 = 64;

/// The patrol.
pub struct Patrol {
    context: ArchiveContext,
    pace: Pace,
    reminder: Reminder,
}

impl Patrol {
    /// A patrol that reads so many bytes a second; `None` when it is off (0).
    #[must_use]
    pub fn new(context: ArchiveContext, bytes_per_second: u64) -> Option<Self> {
        let pace = (bytes_per_second > 0).then(|| Pace::new(bytes_per_second))?;
        Some(Self { context, pace, reminder: Reminder::default() })
    }

    /// Runs until told to stop. It changes nothing halfway, so it is left where it is.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.rounds() => {}
        }
    }

    async fn rounds(&mut self) {
        // Before that what is there may not be what the rows tell of.
        self.context.interlock.opened().await;
        loop {
            match self.round().await {
                Ok(()) => self.reminder.clear(),
                Err(error) if self.reminder.is_due() => {
                    tracing::warn!(error = chain(&error), "the patrol waits");
                }
                Err(_) => {}
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// From where the last one stopped to the end.
    async fn round(&mut self) -> Result<(), RecorderError> {
        let root = self.context.tiers.spool.clone();
        let mut place = blocking(move || Ok(read_place(&root))).await?;
        let total = self.context.index.totals().await?.segments;
        loop {
            let percent = u8::try_from(place.seen.saturating_mul(100) / total.max(1)).unwrap_or(100).min(100);
            self.context.teller.tell(|status| status.patrol_position_percent = Some(percent));
            let page = self.context.index.segments_by_key(place.after.as_deref(), PAGE).await?;
            for segment in &page {
                self.look_at(segment).await?;
            }
            let ended = page.is_empty();
            place = match page.last() {
                Some(last) => Place { seen: place.seen + page.len() as u64, after: Some(last.key.clone()) },
                None => Place::default(),
            };
            let (root, kept) = (self.context.tiers.spool.clone(), place.clone());
            blocking(move || keep_place(&root, &kept)).await?;
            if ended {
                return Ok(());
            }
        }
    }

    async fn look_at(&mut self, segment: &Segment) -> Result<(), RecorderError> {
        // What is being written is looked at in the next round.
        if segment.state == SegmentState::Recording {
            return Ok(());
        }
        let (index, tiers) = (self.context.index.as_ref(), &self.context.tiers);
        let wrong = match verify(index, tiers, segment, Depth::Deep(&mut self.pace)).await {
            Ok(wrong) => wrong,
            // A disk that gives some of it no more; that must not keep the patrol from all others.
            Err(RecorderError::Store(error)) if is_of_the_file(&error) => vec![Wrong::unreadable(segment, &error)],
            Err(error) => return Err(error),
        };
        // What is on a disk that is away is not damaged by that.
        let is_not_there = |wrong: &Wrong| matches!(wrong.what, FindingKind::RowWithoutFile | FindingKind::Unreadable);
        if tiers.disks.is_any_away() && wrong.iter().any(is_not_there) {
            return Ok(());
        }
        note(&self.context, segment, &wrong).await
    }
}

/// Whether the file itself is the trouble, and not this process (too many open files, no right to read).
fn is_of_the_file(error: &StoreError) -> bool {
    let StoreError::Io { source, .. } = error else { return false };
    source.kind() == ErrorKind::NotFound || source.raw_os_error() == Some(EIO)
}

/// Input/output error, errno(3).
const EIO: i32 = 5;

/// The place in the round.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    /// Segments looked at in this round.
    seen: u64,
    /// Storage key of the last one; `None` at the beginning.
    after: Option<String>,
}

/// The place that was kept; the beginning when there is none that can be read. Blocking.
fn read_place(root: &Path) -> Place {
    let text = std::fs::read_to_string(root.join(PLACE_NAME)).unwrap_or_default();
    let parsed = text.trim().split_once(' ').and_then(|(seen, key)| {
        let key = SegmentKey::parse(key).ok()?;
        Some(Place { seen: seen.parse().ok()?, after: Some(key.to_string()) })
    });
    parsed.unwrap_or_default()
}

/// Not synced: after a power loss the patrol looks at a few segments again. Blocking.
fn keep_place(root: &Path, place: &Place) -> Result<(), StoreError> {
    let path = root.join(PLACE_NAME);
    let text = place.after.as_ref().map_or_else(String::new, |key| format!("{} {key}\n", place.seen));
    std::fs::write(&path, text).map_err(|source| StoreError::Io { action: "write", path, source })
}

#[cfg(test)]
mod tests {
    use minhbach_model::DamageKind;

    use super::*;
    use crate::testing::Yard;

    fn patrol(yard: &Yard) -> Patrol {
        Patrol::new(yard.context.clone(), 1 << 30).expect("it is on")
    }

    #[tokio::test]
    async fn a_flipped_bit_is_noted_once_and_told_and_the_rest_stays_good() {
        let yard = Yard::with_archive().await;
        let (good, bad) = (yard.record(0, 3).await, yard.record(10, 3).await);
        yard.archive(&bad).await;
        let archive = yard.tiers.archive.clone().expect("it has one");
        let path = SegmentKey::parse(&bad.key).unwrap().media_path(archive.folder().expect("it is a folder"));
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        for _ in 0..2 {
            patrol(&yard).round().await.expect("it works");
        }
        let damages = yard.index.damages_in(bad.camera, bad.stream, bad.range).await.unwrap();
        assert_eq!(damages.len(), 1);
        assert_eq!((damages[0].segment, damages[0].kind), (bad.id, DamageKind::Altered));
        assert_eq!(damages[0].range.end, bad.range.end);
        assert!(damages[0].range.start > bad.range.start, "only the fragment");
        let state = |key: String| {
            let index = yard.index.clone();
            async move { index.segment_by_key(&key).await.unwrap().map(|row| row.state) }
        };
        assert_eq!(state(bad.key.clone()).await, Some(SegmentState::Suspect));
        assert_eq!(state(good.key.clone()).await, Some(SegmentState::Closed));
        let status = yard.status.borrow();
        assert_eq!((status.damaged_segments, status.patrol_position_percent), (1, Some(100)));
    }

    #[tokio::test]
    async fn a_restart_goes_on_where_it_was_and_the_next_round_begins_anew() {
        let yard = Yard::new().await;
        let (first, second) = (yard.record(0, 1).await, yard.record(10, 1).await);
        for segment in [&first, &second] {
            std::fs::remove_file(SegmentKey::parse(&segment.key).unwrap().media_path(&yard.tiers.spool)).unwrap();
        }
        let place = Place { seen: 1, after: Some(first.key.clone()) };
        keep_place(&yard.tiers.spool, &place).unwrap();
        assert_eq!(read_place(&yard.tiers.spool), place);
        patrol(&yard).round().await.expect("it works");
        assert_eq!(yard.index.damaged_segments().await.unwrap(), 1, "the second only");
        assert_eq!(read_place(&yard.tiers.spool), Place::default());
        patrol(&yard).round().await.expect("it works");
        assert_eq!(yard.index.damaged_segments().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn at_rate_zero_there_is_no_patrol() {
        let yard = Yard::new().await;
        assert!(Patrol::new(yard.context.clone(), 0).is_none());
    }
}
