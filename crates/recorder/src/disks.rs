//! What is on which disk of a spool with several: the oldest footage of one that is full, and what is out of reach.
//!
//! The index does not know disks, and the oldest of all footage may be on another one than the one that is full; so that is
//! asked of the disk itself, whose file names are in the order of time. Nothing here deletes.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use minhbach_index::Index;
use minhbach_model::{Hold, Segment, SegmentState, Tier, WallTime};
use minhbach_store::{DiskState, SegmentKey, StoreError};

use crate::RecorderError;
use crate::deletion::BATCH;
use crate::tiers::{Tiers, blocking, names};

/// Keys taken of each stream at once.
const OF_STREAM: usize = 16;
/// Times a disk is listed for one answer: what is held is passed over, and there may be much of it.
const LISTINGS: usize = 8;

/// Goes through the footage of disks, the oldest first, again and again.
#[derive(Debug, Default)]
pub(crate) struct Oldest(HashMap<PathBuf, Place>);

/// How far it has come on a disk.
#[derive(Debug, Default)]
struct Place {
    /// Listed and not looked at, oldest first.
    listed: VecDeque<SegmentKey>,
    /// When the last one that was listed began, as its key says.
    after: Option<String>,
}

impl Oldest {
    /// The next segments on that disk that may go, oldest first, until they make up so many bytes or a batch. None: there are
    /// none, or none among very many that were looked at; the next call goes on from there, and from the beginning after the
    /// end.
    pub async fn on(
        &mut self,
        root: &Path,
        index: &dyn Index,
        now: WallTime,
        excess: u64,
    ) -> Result<Vec<Segment>, RecorderError> {
        let holds = index.holds(Some(now), None).await?;
        let place = self.0.entry(root.to_owned()).or_default();
        let (mut found, mut bytes) = (Vec::new(), 0u64);
        for _ in 0..LISTINGS {
            while let Some(key) = place.listed.pop_front() {
                let row = index.segment_by_key(key.as_str()).await?;
                let Some(segment) = row.filter(|segment| may_go(segment, &holds)) else { continue };
                bytes = bytes.saturating_add(segment.bytes);
                found.push(segment);
                if bytes >= excess || found.len() >= BATCH as usize {
                    return Ok(found);
                }
            }
            let (root, after) = (root.to_owned(), place.after.take());
            let from_start = after.is_none();
            let listed = blocking(move || oldest_keys(&root, after.as_deref())).await?;
            place.after = listed.last().map(|key| moment(key).to_owned());
            place.listed = listed.into();
            // Nothing is there at all, or what is found goes first.
            if place.listed.is_empty() && (from_start || !found.is_empty()) {
                break;
            }
        }
        Ok(found)
    }
}

/// As where it is marked, which is what counts.
fn may_go(segment: &Segment, holds: &[Hold]) -> bool {
    let held =
        |hold: &Hold| hold.cameras.contains(&segment.camera) && hold.range.intersection(&segment.range).is_some();
    segment.tier == Tier::Spool && segment.state != SegmentState::Recording && !holds.iter().any(held)
}

/// `<yyyy>/<mm>/<dd>/<hhmmss.mmm>-<segment>.mp4`: what orders the segments of a disk.
fn moment(key: &SegmentKey) -> &str {
    // v1/<camera>/<stream>/…
    key.as_str().splitn(4, '/').nth(3).unwrap_or_default()
}

/// The oldest media on a disk after a moment, a few of each stream, in the order of time. None that were left out are older
/// than the last of them. Blocking.
fn oldest_keys(root: &Path, after: Option<&str>) -> Result<Vec<SegmentKey>, StoreError> {
    let mut keys = Vec::new();
    // Of streams with more than are taken: until here all are known.
    let mut frontier: Option<SegmentKey> = None;
    for camera in names(&root.join("v1"))? {
        for stream in names(&root.join("v1").join(&camera))? {
            let own = oldest_of_stream(root, &format!("v1/{camera}/{stream}"), after)?;
            if own.len() >= OF_STREAM
                && let Some(last) = own.last()
                && frontier.as_ref().is_none_or(|frontier| by_moment(last, frontier).is_lt())
            {
                frontier = Some(last.clone());
            }
            keys.extend(own);
        }
    }
    keys.retain(|key| frontier.as_ref().is_none_or(|frontier| by_moment(key, frontier).is_le()));
    keys.sort_unstable_by(by_moment);
    Ok(keys)
}

fn by_moment(a: &SegmentKey, b: &SegmentKey) -> Ordering {
    moment(a).cmp(moment(b))
}

fn oldest_of_stream(root: &Path, stream: &str, after: Option<&str>) -> Result<Vec<SegmentKey>, StoreError> {
    let mut keys = Vec::new();
    // A year, a month, or a day that ends before that moment is not looked into.
    let is_over = |folder: &str| after.is_some_and(|after| after.get(..folder.len()).is_some_and(|part| folder < part));
    for year in names(&root.join(stream))? {
        for month in names(&root.join(stream).join(&year))? {
            let month = format!("{year}/{month}");
            if is_over(&month) {
                continue;
            }
            for day in names(&root.join(stream).join(&month))? {
                let day = format!("{month}/{day}");
                if is_over(&day) {
                    continue;
                }
                let files = names(&root.join(stream).join(&day))?;
                let of_day = files.iter().filter_map(|file| SegmentKey::parse(&format!("{stream}/{day}/{file}")).ok());
                keys.extend(of_day.filter(|key| after.is_none_or(|after| moment(key) > after)).take(OF_STREAM));
                if keys.len() >= OF_STREAM {
                    keys.truncate(OF_STREAM);
                    return Ok(keys);
                }
            }
        }
    }
    Ok(keys)
}

/// Without the segments that may be on a disk that is away: they could be marked, and not be deleted.
pub(crate) async fn within_reach(tiers: &Tiers, segments: Vec<Segment>) -> Result<Vec<Segment>, RecorderError> {
    if !tiers.disks.is_any_away() {
        return Ok(segments);
    }
    let disks = tiers.disks.clone();
    let is_there = move |segment: &Segment| {
        let key = SegmentKey::parse(&segment.key).ok();
        segment.tier == Tier::Archive
            || key.and_then(|key| disks.find(&key).map(|disk| !disk.is_away())).unwrap_or(false)
    };
    Ok(blocking(move || Ok(segments.into_iter().filter(is_there).collect())).await?)
}

/// Whether nothing can be said of that disk, or deleted from it.
pub(crate) fn is_away(tiers: &Tiers, root: &Path) -> bool {
    let state = tiers.disks.with_root(root).map(|disk| disk.state());
    matches!(state, Some(DiskState::Failed | DiskState::Missing))
}

#[cfg(test)]
mod tests {
    use minhbach_store::Spool;

    use super::*;
    use crate::testing::{Yard, start};

    /// The yard with a second disk; the first `moved` segments are on it.
    async fn spread(count: i64, moved: usize) -> (Yard, Vec<Segment>, PathBuf) {
        let mut yard = Yard::new().await;
        let mut segments = Vec::new();
        for number in 0..count {
            segments.push(yard.record(number * 10, 2).await);
        }
        let first = yard.tiers.spool.clone();
        let second = first.with_file_name("second");
        for segment in &segments[..moved] {
            let key = SegmentKey::parse(&segment.key).unwrap();
            std::fs::create_dir_all(key.media_path(&second).parent().unwrap()).unwrap();
            std::fs::rename(key.media_path(&first), key.media_path(&second)).unwrap();
            std::fs::rename(key.sidecar_path(&first), key.sidecar_path(&second)).unwrap();
        }
        yard.tiers = Tiers::new(Spool::open(&[first, second.clone()]).unwrap(), None);
        yard.context.tiers = yard.tiers.clone();
        (yard, segments, second)
    }

    fn keys(segments: &[Segment]) -> Vec<&str> {
        segments.iter().map(|segment| segment.key.as_str()).collect()
    }

    #[tokio::test]
    async fn the_oldest_of_a_disk_come_first_and_what_is_held_is_passed_over() {
        let (yard, segments, second) = spread(60, 20).await;
        yard.hold(400, 430).await;
        let (first, index, now) = (yard.tiers.spool.clone(), yard.index.as_ref(), yard.clock.now());
        let mut oldest = Oldest::default();
        let on_second = oldest.on(&second, index, now, u64::MAX).await.unwrap();
        assert_eq!(keys(&on_second), keys(&segments[..20]));
        let mut free: Vec<Segment> = segments[20..].to_vec();
        free.retain(|segment| !(40..43).contains(&(segment.range.start.ns_since(start()) / 10_000_000_000)));
        let two = free[0].bytes + 1;
        assert_eq!(keys(&oldest.on(&first, index, now, two).await.unwrap()), keys(&free[..2]));
        assert_eq!(keys(&oldest.on(&first, index, now, two).await.unwrap()), keys(&free[2..4]), "it goes on");
        assert_eq!(keys(&oldest.on(&first, index, now, u64::MAX).await.unwrap()), keys(&free[4..]));
        assert_eq!(keys(&oldest.on(&first, index, now, 1).await.unwrap()), keys(&free[..1]), "from the beginning");
    }

    #[tokio::test]
    async fn a_disk_on_which_all_is_held_gives_nothing_and_ends() {
        let (yard, ..) = spread(3, 0).await;
        yard.hold(0, 100).await;
        let mut oldest = Oldest::default();
        for _ in 0..2 {
            let found = oldest.on(&yard.tiers.spool, yard.index.as_ref(), yard.clock.now(), 1).await.unwrap();
            assert_eq!(found, []);
        }
    }

    #[tokio::test]
    async fn every_disk_is_walked_read_and_judged_and_one_that_is_away_is_named() {
        let (mut yard, segments, second) = spread(6, 3).await;
        let mut walk = yard.tiers.keys();
        let mut seen = Vec::new();
        while let Some(stored) = walk.next().await.unwrap() {
            assert_eq!(stored.tier(), Tier::Spool);
            seen.push(stored.key.to_string());
        }
        assert_eq!(seen, keys(&segments), "in one order");
        let check = async |yard: &Yard| {
            let options = crate::CheckOptions { deep: true, until: None };
            let stop = tokio_util::sync::CancellationToken::new();
            crate::check(yard.index.as_ref(), &yard.tiers, options, &mut |_| {}, &stop).await.unwrap()
        };
        assert!(check(&yard).await.is_clean());
        let new = yard.another_index().await;
        let stop = tokio_util::sync::CancellationToken::new();
        let report = crate::rebuild(new.as_ref(), &yard.tiers, None, &mut |_| {}, &stop).await.unwrap();
        assert_eq!((report.segments, report.problems.len()), (6, 0));
        assert_eq!(new.segments_by_key(None, 100).await.unwrap(), yard.rows().await);
        crate::trust(yard.index.as_ref(), &yard.tiers).await.expect("signed");

        // Not mounted: its mount point is empty.
        let aside = second.with_file_name("aside");
        std::fs::rename(&second, &aside).unwrap();
        std::fs::create_dir(&second).unwrap();
        yard.reopen().await;
        let roots = [yard.tiers.spool.clone(), second.clone()];
        yard.tiers = Tiers::new(Spool::open(&roots).unwrap(), None);
        let report = check(&yard).await;
        assert_eq!(report.found, 3, "{report:?}");
        assert!(
            report.findings.iter().all(|finding| finding.detail.contains(&second.display().to_string())),
            "{report:?}"
        );
        let reached = within_reach(&yard.tiers, segments.clone()).await.unwrap();
        assert_eq!(keys(&reached), keys(&segments[3..]));
        assert!(is_away(&yard.tiers, &second) && !is_away(&yard.tiers, &roots[0]));

        std::fs::remove_dir(&second).unwrap();
        std::fs::rename(&aside, &second).unwrap();
        yard.tiers = Tiers::new(Spool::open(&roots).unwrap(), None);
        assert!(check(&yard).await.is_clean());
    }

    #[tokio::test]
    async fn a_deletion_is_in_the_journal_of_every_disk_and_its_files_go_from_theirs() {
        let (yard, segments, second) = spread(2, 1).await;
        yard.context.interlock.decide(true);
        let gone = yard.deleter().delete(&segments, minhbach_model::DeletionReason::Expired).await.unwrap();
        assert_eq!(gone.len(), 2);
        assert_eq!(yard.tiers.keys().next().await.unwrap(), None);
        for root in [&yard.tiers.spool, &second] {
            let logged: Vec<_> = minhbach_store::JournalFile::entries(root).unwrap().filter_map(Result::ok).collect();
            assert_eq!(logged.len(), 2, "{}", root.display());
        }
        let new = yard.another_index().await;
        assert_eq!(crate::interlock::import_journal(new.as_ref(), &yard.tiers).await.unwrap(), 2);
        assert_eq!(new.deletions(&Default::default(), None, 10).await.unwrap().len(), 2);
    }
}
