//! Retention: what is older than it may be kept goes, and when a disk is full the oldest that is archived and not held.
//!
//! Here it is decided what goes; how it goes is [`crate::deletion`]. Held footage is in no question asked here, and is asked
//! again where it is marked. Footage that is promised for longer goes only when a disk is full, and that is told. Nothing goes
//! by age while the wall clock is ahead of what this server has seen pass ([`crate::seen`]).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use minhbach_index::{DeletionFilter, MAX_PAGE, RecordedSince};
use minhbach_model::{CameraId, DeletionReason, Retention, Segment, Tier, WallRange, WallTime};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::archive::ArchiveContext;
use crate::deletion::{BATCH, Deleter};
use crate::disks::{Oldest, is_away, within_reach};
use crate::interlock::chain;
use crate::policy::Policy;
use crate::status::{CameraDays, Fill, Reminder, SpoolState};

/// Between two looks at the disk.
const LOOK: Duration = Duration::from_secs(5);
/// Between two looks for what is too old.
const EXPIRY: Duration = Duration::from_secs(60);
const DAY_NS: i64 = 86_400 * 1_000_000_000;
/// Oldest segments of each stream looked at, more when none of them may go.
const PAGES: [u32; 3] = [16, 128, MAX_PAGE];

/// A disk with footage on it, and which of the footage may go when it is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// A folder on it.
    pub root: PathBuf,
    /// Footage in this tier may go; `None` when deleting footage that is archived would free nothing here.
    pub victims: Option<Tier>,
    /// What footage may use, bytes; `None` for the whole disk.
    pub quota_bytes: Option<u64>,
}

/// What counts for retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionOptions {
    /// Where nothing is said of a camera, its place, or everything.
    pub fallback: Retention,
    /// From here on there is an alarm, percent.
    pub alarm_percent: u8,
    /// From here on the oldest footage goes, percent.
    pub delete_percent: u8,
    /// The disks: that of the spool, and that of a folder archive on another one.
    pub pools: Vec<Pool>,
}

/// How much of a disk, or of a quota, is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    used_bytes: u64,
    capacity_bytes: u64,
}

impl Usage {
    fn percent(self) -> u8 {
        let percent = u128::from(self.used_bytes) * 100 / u128::from(self.capacity_bytes.max(1));
        u8::try_from(percent).unwrap_or(100).min(100)
    }

    /// Bytes that have to go so that less than this is used.
    fn beyond(self, percent: u8) -> u64 {
        let kept = u128::from(self.capacity_bytes) * u128::from(percent) / 100;
        let excess = u128::from(self.used_bytes).saturating_sub(kept);
        u64::try_from(excess).unwrap_or(u64::MAX)
    }
}

/// Retention's task.
pub struct Keeper {
    context: ArchiveContext,
    deleter: Deleter,
    options: RetentionOptions,
    expired: Option<Instant>,
    reminder: Reminder,
    /// What is oldest on each disk, where the spool has several.
    oldest: Oldest,
}

impl Keeper {
    /// Retention over that index and those files.
    #[must_use]
    pub fn new(context: ArchiveContext, options: RetentionOptions) -> Self {
        let deleter = Deleter::new(context.clone());
        Self { context, deleter, options, expired: None, reminder: Reminder::default(), oldest: Oldest::default() }
    }

    /// Runs until told to stop; then the deletion under way is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut reminder = Reminder::default();
        loop {
            match self.round(&stop).await {
                Ok(()) => reminder.clear(),
                Err(error) if reminder.is_due() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "retention waits");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn round(&mut self, stop: &CancellationToken) -> Result<(), RecorderError> {
        // Asked once: were it opened in between, what a crash left marked would not be finished and yet count as footage that
        // is there, and more would go than has to.
        let may_delete = self.context.interlock.is_open();
        // One file that cannot be erased must not keep all others.
        let finished = self.deleter.finish().await;
        self.look_at_disks(may_delete, stop).await?;
        if self.expired.is_none_or(|at| at.elapsed() >= EXPIRY) {
            self.expire(stop).await?;
            self.expired = Some(Instant::now());
        }
        finished
    }

    /// Deletes what is older than it may be kept, and tells the days.
    async fn expire(&self, stop: &CancellationToken) -> Result<(), RecorderError> {
        let index = &self.context.index;
        let policy = Policy::load(index.as_ref(), self.options.fallback).await?;
        let streams = if self.is_clock_believed().await? { index.recorded_since().await? } else { Vec::new() };
        for stream in streams {
            let Some(max_days) = policy.of(stream.camera).max_days else { continue };
            let now = self.context.clock.now();
            let before = now.offset_ns(-i64::from(max_days).saturating_mul(DAY_NS));
            while stream.oldest < before && !stop.is_cancelled() {
                let page = index.deletable(stream.camera, stream.stream, before, now, BATCH).await?;
                let page = within_reach(&self.context.tiers, page).await?;
                let gone = self.deleter.delete(&page, DeletionReason::Expired).await?;
                tell_deleted(&gone, DeletionReason::Expired);
                // A batch at a time, so that what is recorded is told in between.
                tokio::task::yield_now().await;
                if gone.len() < BATCH as usize {
                    break;
                }
            }
        }
        self.tell_days(&policy).await
    }

    /// Looks whether anything may go by age, and tells when nothing may although deletion is open.
    async fn is_clock_believed(&self) -> Result<bool, RecorderError> {
        let ArchiveContext { interlock, tiers, clock, teller, .. } = &self.context;
        if !interlock.is_open() {
            return Ok(false);
        }
        let looked = interlock.seen().look(tiers, clock).await;
        let locked = match &looked {
            Ok(judged) => judged.as_ref().err().map(ToString::to_string),
            Err(error) => Some(chain(error)),
        };
        let mut changed = false;
        teller.tell(|status| {
            changed = status.age_locked.is_some() != locked.is_some();
            status.age_locked.clone_from(&locked);
        });
        match &locked {
            Some(reason) if changed => tracing::error!(reason, "deletion by age is locked"),
            None if changed => tracing::info!("the clock is right again: deletion by age is open"),
            _ => {}
        }
        Ok(looked?.is_ok())
    }

    /// Whether footage of the camera went that is promised to be there: a young camera has less, and breaks no promise.
    async fn was_cut_short(&self, days: &CameraDays, now: WallTime) -> Result<bool, RecorderError> {
        let promised_ns = i64::from(days.promised_days).saturating_mul(DAY_NS);
        let Some(promised) = WallRange::new(now.offset_ns(-promised_ns), now) else { return Ok(false) };
        let filter = DeletionFilter { range: Some(promised), camera: Some(days.camera) };
        Ok(!self.context.index.deletions(&filter, None, 1).await?.is_empty())
    }

    async fn tell_days(&self, policy: &Policy) -> Result<(), RecorderError> {
        let recorded = self.context.index.recorded_since().await?;
        let damaged = self.context.index.damaged_segments().await?;
        let now = self.context.clock.now();
        let mut days = days(&recorded, policy, now);
        for days in &mut days {
            days.short = self.was_cut_short(days, now).await?;
        }
        self.context.teller.tell(|status| {
            status.days = days;
            status.damaged_segments = damaged;
        });
        Ok(())
    }

    /// Makes room on disks that are too full, and tells how full they are.
    async fn look_at_disks(&mut self, may_delete: bool, stop: &CancellationToken) -> Result<(), RecorderError> {
        let mut worst: Option<Fill> = None;
        let mut failed = None;
        for pool in self.options.pools.clone() {
            if is_away(&self.context.tiers, &pool.root) {
                continue;
            }
            let fill = match self.look_at(&pool, may_delete, stop).await {
                Ok(fill) => fill,
                // One disk that fails must not keep the others from being freed.
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            self.context.tiers.disks.tell_full(&pool.root, is_full(fill.state));
            let rank = |fill: &Fill| (fill.state != SpoolState::Fine, is_full(fill.state), fill.used_percent);
            worst = worst.into_iter().chain([fill]).max_by_key(rank);
        }
        let Some(fill) = worst else { return failed.map_or(Ok(()), Err) };
        if fill.state == SpoolState::Fine || fill.state == SpoolState::Deleting {
            self.reminder.clear();
        } else if self.reminder.is_due() {
            tell_full(fill);
        }
        self.context.teller.tell(|status| status.spool = fill);
        failed.map_or(Ok(()), Err)
    }

    async fn look_at(
        &mut self,
        pool: &Pool,
        may_delete: bool,
        stop: &CancellationToken,
    ) -> Result<Fill, RecorderError> {
        let (alarm, delete) = (self.options.alarm_percent, self.options.delete_percent);
        let mut deleted = false;
        loop {
            let usages = self.usages(pool).await?;
            let used_percent = usages.iter().map(|usage| usage.percent()).max().unwrap_or(0);
            let excess = usages.iter().map(|usage| usage.beyond(delete)).max().unwrap_or(0);
            let fill = |state| Fill { used_percent, state };
            if excess == 0 {
                let calm = if used_percent >= alarm { SpoolState::Alarm } else { SpoolState::Fine };
                return Ok(fill(if deleted { SpoolState::Deleting } else { calm }));
            }
            if stop.is_cancelled() || !may_delete {
                return Ok(fill(SpoolState::Alarm));
            }
            // A quota counts all disks: what it asks for may go from any.
            let by_disk = usages.first().is_some_and(|disk| disk.beyond(delete) > 0) && self.is_spread(pool);
            let gone = self.make_room(pool, excess, by_disk).await?;
            if gone.is_empty() {
                return Ok(fill(self.why_full(by_disk).await?));
            }
            deleted = true;
            tokio::task::yield_now().await;
        }
    }

    /// Deletes the oldest that may go, at most a batch.
    async fn make_room(&mut self, pool: &Pool, excess: u64, by_disk: bool) -> Result<Vec<Segment>, RecorderError> {
        let Some(victims) = pool.victims else { return Ok(Vec::new()) };
        let oldest = if by_disk {
            let now = self.context.interlock.seen().certain(self.context.clock.now());
            let index = self.context.index.as_ref();
            self.oldest.on(&pool.root, index, now, excess).await?
        } else {
            within_reach(&self.context.tiers, self.oldest(victims, excess).await?).await?
        };
        let gone = self.deleter.delete(&oldest, DeletionReason::DiskFull).await?;
        tell_deleted(&gone, DeletionReason::DiskFull);
        if !gone.is_empty() {
            let policy = Policy::load(self.context.index.as_ref(), self.options.fallback).await?;
            tell_broken_promises(&gone, &policy, self.context.clock.now());
        }
        Ok(gone)
    }

    /// The oldest segments of all streams that may go, until they make up so many bytes.
    async fn oldest(&self, victims: Tier, excess: u64) -> Result<Vec<Segment>, RecorderError> {
        let now = self.context.clock.now();
        let certain = self.context.interlock.seen().certain(now);
        let streams = self.context.index.recorded_since().await?;
        for limit in PAGES {
            let mut found = Vec::new();
            // Beyond it some stream has older segments that were not looked at.
            let mut frontier: Option<WallTime> = None;
            for &RecordedSince { camera, stream, .. } in &streams {
                let page = self.context.index.deletable(camera, stream, now, certain, limit).await?;
                if page.len() >= limit as usize
                    && let Some(last) = page.last()
                {
                    frontier = Some(frontier.map_or(last.range.start, |at| at.min(last.range.start)));
                }
                found.extend(page.into_iter().filter(|segment| segment.tier == victims));
            }
            let all_seen = frontier.is_none();
            found.retain(|segment| frontier.is_none_or(|at| segment.range.start <= at));
            if !found.is_empty() || all_seen {
                return Ok(enough(found, excess));
            }
        }
        Ok(Vec::new())
    }

    /// Whether a pool is one of several disks, which frees its own footage.
    fn is_spread(&self, pool: &Pool) -> bool {
        let disks = &self.context.tiers.disks;
        pool.victims == Some(Tier::Spool) && disks.is_spread() && disks.with_root(&pool.root).is_some()
    }

    /// Why nothing can go although the disk is full.
    async fn why_full(&self, by_disk: bool) -> Result<SpoolState, RecorderError> {
        let now = self.context.clock.now();
        let certain = self.context.interlock.seen().certain(now);
        // What stays on one disk among several is held: there is no archive.
        let streams = if by_disk { Vec::new() } else { self.context.index.recorded_since().await? };
        for RecordedSince { camera, stream, .. } in streams {
            if !self.context.index.deletable(camera, stream, now, certain, 1).await?.is_empty() {
                return Ok(SpoolState::FullOfUnarchived);
            }
        }
        let held = self.context.index.held_bytes(certain).await?;
        // Full of something that is no closed footage: an alarm is all that can be said.
        Ok(if held > 0 { SpoolState::FullOfHeld } else { SpoolState::Alarm })
    }

    async fn usages(&self, pool: &Pool) -> Result<Vec<Usage>, RecorderError> {
        let root = pool.root.clone();
        let disk = crate::tiers::blocking(move || disk_usage(&root)).await?;
        let mut usages = vec![disk];
        if let Some(capacity_bytes) = pool.quota_bytes {
            // In a bucket footage uses no disk here.
            let used_bytes = if pool.victims.is_some() {
                self.context.index.totals().await?.bytes
            } else {
                self.context.teller.waiting_bytes()
            };
            usages.push(Usage { used_bytes, capacity_bytes });
        }
        Ok(usages)
    }
}

fn disk_usage(root: &std::path::Path) -> Result<Usage, minhbach_store::StoreError> {
    let stat = rustix::fs::statvfs(root).map_err(|error| minhbach_store::StoreError::Io {
        action: "measure",
        path: root.to_owned(),
        source: error.into(),
    })?;
    Ok(usage_of(stat.f_blocks, stat.f_bfree, stat.f_bavail, stat.f_frsize))
}

/// As `df` counts: what is reserved for the system is neither used nor there. A file system that keeps much back would else be
/// taken for full while it has room.
fn usage_of(blocks: u64, free: u64, available: u64, block_bytes: u64) -> Usage {
    let used_bytes = blocks.saturating_sub(free).saturating_mul(block_bytes);
    Usage { used_bytes, capacity_bytes: used_bytes.saturating_add(available.saturating_mul(block_bytes)) }
}

/// The oldest of these, until they make up so many bytes; at most a batch.
fn enough(mut found: Vec<Segment>, excess: u64) -> Vec<Segment> {
    found.sort_unstable_by_key(|segment| (segment.range.start, segment.id));
    let mut bytes = 0u64;
    let mut count = 0;
    while let Some(segment) = found.get(count).filter(|_| bytes < excess && count < BATCH as usize) {
        bytes = bytes.saturating_add(segment.bytes);
        count += 1;
    }
    found.truncate(count);
    found
}

fn is_full(state: SpoolState) -> bool {
    matches!(state, SpoolState::FullOfHeld | SpoolState::FullOfUnarchived)
}

/// Promised and actual days of the cameras of which something is recorded.
fn days(recorded: &[RecordedSince], policy: &Policy, now: WallTime) -> Vec<CameraDays> {
    let mut oldest: BTreeMap<CameraId, WallTime> = BTreeMap::new();
    for stream in recorded {
        oldest.entry(stream.camera).and_modify(|at| *at = (*at).min(stream.oldest)).or_insert(stream.oldest);
    }
    let of = |(camera, oldest): (CameraId, WallTime)| CameraDays {
        camera,
        promised_days: policy.of(camera).min_days,
        actual_days: now.saturating_since(oldest).as_secs_f64() / 86_400.0,
        short: false,
    };
    oldest.into_iter().map(of).collect()
}

fn tell_deleted(gone: &[Segment], reason: DeletionReason) {
    if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
        let bytes: u64 = gone.iter().map(|segment| segment.bytes).sum();
        tracing::info!(
            segments = gone.len(), bytes, reason = reason.as_str(), from = %first.range.start, to = %last.range.end,
            "footage deleted"
        );
    }
}

fn tell_broken_promises(gone: &[Segment], policy: &Policy, now: WallTime) {
    let mut broken: BTreeMap<CameraId, u64> = BTreeMap::new();
    for segment in gone {
        let promised_ns = i64::from(policy.of(segment.camera).min_days).saturating_mul(DAY_NS);
        if now.ns_since(segment.range.end) < promised_ns {
            *broken.entry(segment.camera).or_default() += 1;
        }
    }
    for (camera, segments) in broken {
        let promised_days = policy.of(camera).min_days;
        tracing::warn!(%camera, segments, promised_days, "the disk is full: footage went before the promised time");
    }
}

fn tell_full(Fill { used_percent, state }: Fill) {
    match state {
        SpoolState::FullOfHeld => tracing::error!(
            used_percent,
            "the disk is full and everything left is held: release holds or add a disk, or recording stops"
        ),
        SpoolState::FullOfUnarchived => tracing::error!(
            used_percent,
            "the disk is full and what is left is not archived: bring the archive back or add a disk, or recording stops"
        ),
        _ => tracing::warn!(used_percent, "the disk of the spool is filling up"),
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{Hold, HoldId};

    use super::*;
    use crate::testing::{SECOND, Yard, start};

    const FOREVER: Retention = Retention { min_days: 0, max_days: None };

    /// Retention with a quota in bytes; at 100 percent footage goes.
    fn keeper(yard: &Yard, quota_bytes: u64, victims: Option<Tier>, fallback: Retention) -> Keeper {
        let pool = Pool { root: yard.tiers.spool.clone(), victims, quota_bytes: Some(quota_bytes) };
        // The disk of the machine itself is left out of it.
        let options = RetentionOptions { fallback, alarm_percent: 100, delete_percent: 100, pools: vec![pool] };
        Keeper::new(yard.context.clone(), options)
    }

    fn keys(segments: &[Segment]) -> Vec<String> {
        segments.iter().map(|segment| segment.key.clone()).collect()
    }

    #[test]
    fn usage_is_counted_in_percent_and_in_bytes_beyond_a_mark() {
        let usage = Usage { used_bytes: 950, capacity_bytes: 1000 };
        assert_eq!((usage.percent(), usage.beyond(90), usage.beyond(95), usage.beyond(100)), (95, 50, 0, 0));
        assert_eq!(Usage { used_bytes: 5, capacity_bytes: 0 }.percent(), 100);
    }

    #[test]
    fn what_a_file_system_keeps_back_is_neither_used_nor_there() {
        assert_eq!(usage_of(252, 183, 23, 1), Usage { used_bytes: 69, capacity_bytes: 92 });
        assert_eq!(usage_of(100, 0, 0, 4096).percent(), 100);
    }

    #[tokio::test]
    async fn what_is_too_old_goes_and_the_days_are_told() {
        let yard = Yard::new().await;
        yard.context.interlock.decide(true);
        let old = yard.record(0, 2).await;
        let held = yard.record(10, 2).await;
        yard.hold(11, 12).await;
        let young = yard.record(86_400, 2).await;
        yard.clock.set(start().offset_ns(2 * DAY_NS));
        let mut keeper = keeper(&yard, u64::MAX, Some(Tier::Spool), Retention { min_days: 1, max_days: Some(1) });
        keeper.round(&CancellationToken::new()).await.expect("it works");
        assert_eq!(keys(&yard.rows().await), keys(&[held.clone(), young]));
        let deletions = yard.index.deletions(&Default::default(), None, 10).await.unwrap();
        assert_eq!(deletions.len(), 1);
        assert_eq!((deletions[0].segment, deletions[0].reason), (old.id, DeletionReason::Expired));
        let status = yard.status.borrow();
        let days = status.days.first().expect("there is footage");
        assert_eq!((days.camera, days.promised_days), (yard.camera, 1));
        assert!((days.actual_days - 2.0).abs() < 0.001, "{days:?}");
        assert!(!days.short, "what went was older than promised");
    }

    #[tokio::test]
    async fn a_full_disk_takes_the_oldest_that_may_go_and_no_more_than_needed() {
        let yard = Yard::new().await;
        yard.context.interlock.decide(true);
        let mut segments = Vec::new();
        for number in 0..5 {
            segments.push(yard.record(number * 10, 2).await);
        }
        yard.hold(0, 1).await;
        keeper(&yard, u64::MAX, Some(Tier::Spool), Retention::DEFAULT).round(&CancellationToken::new()).await.unwrap();
        assert!(!yard.status.borrow().days[0].short, "a young camera breaks no promise");
        let all: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let mut keeper = keeper(&yard, all - 1, Some(Tier::Spool), FOREVER);
        keeper.round(&CancellationToken::new()).await.expect("it works");
        segments.remove(1);
        assert_eq!(keys(&yard.rows().await), keys(&segments));
        assert_eq!(yard.status.borrow().spool.state, SpoolState::Deleting);
    }

    #[tokio::test]
    async fn what_is_not_archived_or_held_stays_and_that_is_told() {
        let yard = Yard::with_archive().await;
        yard.context.interlock.decide(true);
        let (archived, waiting) = (yard.record(0, 2).await, yard.record(10, 2).await);
        yard.archive(&archived).await;
        let mut keeper = keeper(&yard, 1, Some(Tier::Archive), FOREVER);
        keeper.round(&CancellationToken::new()).await.expect("it works");
        assert_eq!(keys(&yard.rows().await), keys(std::slice::from_ref(&waiting)));
        assert_eq!(yard.status.borrow().spool.state, SpoolState::FullOfUnarchived);
        yard.hold(0, 100).await;
        keeper.round(&CancellationToken::new()).await.expect("it works");
        assert_eq!(keys(&yard.rows().await), keys(&[waiting]));
        assert_eq!(yard.status.borrow().spool.state, SpoolState::FullOfHeld);
    }

    #[tokio::test]
    async fn with_the_interlock_locked_a_full_disk_deletes_nothing() {
        let yard = Yard::new().await;
        yard.context.interlock.decide(false);
        yard.record(0, 2).await;
        let mut keeper = keeper(&yard, 1, Some(Tier::Spool), Retention { min_days: 0, max_days: Some(1) });
        yard.clock.set(start().offset_ns(9 * DAY_NS));
        keeper.round(&CancellationToken::new()).await.expect("it works");
        assert_eq!(yard.rows().await.len(), 1);
        assert_eq!(yard.status.borrow().spool.state, SpoolState::Alarm);
    }

    /// Why nothing goes by age, after another minute's look.
    async fn age_locked(yard: &Yard, keeper: &mut Keeper) -> Option<String> {
        keeper.expired = None;
        keeper.round(&CancellationToken::new()).await.expect("it works");
        yard.status.borrow().age_locked.clone()
    }

    const A_DAY: Retention = Retention { min_days: 0, max_days: Some(1) };

    #[tokio::test]
    async fn a_clock_that_jumps_forward_makes_nothing_old_and_a_disk_that_is_full_still_gets_room() {
        let yard = Yard::new().await;
        yard.context.interlock.decide(true);
        let (first, second) = (yard.record(0, 2).await, yard.record(10, 2).await);
        let mut keeper = keeper(&yard, u64::MAX, Some(Tier::Spool), A_DAY);
        let now = yard.clock.now();
        assert_eq!(age_locked(&yard, &mut keeper).await, None);

        yard.clock.set(now.offset_ns(30 * DAY_NS));
        let reason = age_locked(&yard, &mut keeper).await.expect("a month has not passed");
        assert!(reason.contains("trust-clock"), "{reason}");
        assert_eq!(keys(&yard.rows().await), keys(&[first.clone(), second.clone()]));
        // Not even by who asks for it without looking.
        let deleter = yard.deleter();
        assert_eq!(deleter.delete(std::slice::from_ref(&first), DeletionReason::Expired).await.unwrap(), []);
        // Nor does a hold end that stands for ten days.
        let (range, expires) = (first.range, Some(now.offset_ns(10 * DAY_NS)));
        let hold = Hold { id: HoldId::generate(), range, expires, ..yard.hold(90, 91).await };
        yard.index.insert_hold(&hold).await.unwrap();
        keeper.options.pools[0].quota_bytes = Some(1);
        assert!(age_locked(&yard, &mut keeper).await.is_some());
        let left = keys(&yard.rows().await);
        assert_eq!(left, keys(std::slice::from_ref(&first)), "only for want of room, and not what is held");

        // Set right, and then back by years: nothing is old.
        keeper.options.pools[0].quota_bytes = None;
        for at in [now, now.offset_ns(-900 * DAY_NS)] {
            yard.clock.set(at);
            assert_eq!(age_locked(&yard, &mut keeper).await, None);
            assert_eq!(yard.rows().await.len(), 1);
        }
    }

    #[tokio::test]
    async fn after_a_start_a_week_may_have_passed_and_more_needs_a_person() {
        let mut yard = Yard::new().await;
        let old = yard.record(0, 2).await;
        let now = yard.clock.now();
        let start_at = async |yard: &mut Yard, days: i64| {
            yard.clock.set(now.offset_ns(days * DAY_NS));
            yard.reopen().await;
            yard.context.interlock.decide(true);
            // The newest footage counts where nothing was kept.
            yard.context.interlock.seen().recorded_until(Some(old.range.end));
            let mut keeper = keeper(yard, u64::MAX, Some(Tier::Spool), Retention { min_days: 0, max_days: Some(5) });
            age_locked(yard, &mut keeper).await
        };
        assert!(start_at(&mut yard, 8).await.is_some(), "nothing was kept");
        assert!(start_at(&mut yard, 8).await.is_some(), "starting again is no answer");
        assert_eq!(start_at(&mut yard, 3).await, None, "it was set right");
        assert!(start_at(&mut yard, 11).await.is_some());
        assert_eq!(yard.rows().await.len(), 1);
        // A person says that eleven days have passed.
        let (said, before) = crate::seen::trust_clock(&yard.tiers, &yard.clock).await.unwrap();
        assert_eq!(said, now.offset_ns(11 * DAY_NS));
        assert!(before.is_some_and(|before| before < now.offset_ns(4 * DAY_NS)), "{before:?}");
        assert_eq!(start_at(&mut yard, 11).await, None);
        assert_eq!(yard.rows().await, []);
        // What was kept and cannot be read is no reason to believe the clock.
        yard.record(0, 2).await;
        std::fs::write(yard.tiers.spool.join("clock.json"), b"{").unwrap();
        yard.context.interlock = crate::interlock::Interlock::new();
        yard.context.interlock.decide(true);
        let mut keeper = keeper(&yard, u64::MAX, Some(Tier::Spool), A_DAY);
        assert!(keeper.round(&CancellationToken::new()).await.is_err());
        assert!(yard.status.borrow().age_locked.as_ref().is_some_and(|reason| reason.contains("clock.json")));
        assert_eq!(yard.rows().await.len(), 1);
    }

    /// A generator that gives the same numbers each time (xorshift).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: i64) -> i64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            i64::try_from(self.0 % limit.unsigned_abs()).unwrap_or(0)
        }
    }

    #[tokio::test]
    async fn whatever_happens_nothing_held_goes() {
        for seed in 1..=6 {
            let mut numbers = Numbers(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15));
            let mut yard = Yard::with_archive().await;
            let mut all: Vec<Segment> = Vec::new();
            let mut now = start();
            for step in 0..40 {
                now = now.offset_ns(DAY_NS / 4);
                yard.clock.set(now);
                // As after a start: a quarter of a day while the server runs would be a step of the clock.
                yard.context.interlock = crate::interlock::Interlock::new();
                yard.context.interlock.decide(true);
                let second = now.ns_since(start()) / SECOND;
                match numbers.below(4) {
                    0 => {
                        let from = numbers.below(second.max(1));
                        yard.hold(from, from + 1 + numbers.below(200_000)).await;
                    }
                    1 if !all.is_empty() => {
                        let row = yard.index.spooled(None, 1).await.unwrap();
                        if let Some(oldest) = row.first() {
                            yard.archive(oldest).await;
                        }
                    }
                    _ => all.push(yard.record(second - 100, 2).await),
                }
                let max_days = u32::try_from(numbers.below(5) + 1).unwrap();
                let retention = Retention { min_days: 0, max_days: Some(max_days) };
                let victims = if numbers.below(2) == 0 { Tier::Spool } else { Tier::Archive };
                let quota = u64::try_from(numbers.below(3000)).unwrap();
                let mut keeper = keeper(&yard, quota, Some(victims), retention);
                keeper.round(&CancellationToken::new()).await.expect("it works");
                let holds = yard.index.holds(Some(now), None).await.unwrap();
                let deleted = yard.index.deletions(&Default::default(), None, 1000).await.unwrap();
                for segment in &all {
                    let held = holds.iter().find(|hold| hold.range.intersection(&segment.range).is_some());
                    let gone = deleted.iter().find(|deletion| deletion.segment == segment.id);
                    if let (Some(_), Some(deletion)) = (held, gone) {
                        // What went in an earlier step went before it was held, or that step would have failed.
                        assert!(deletion.at < now, "seed {seed}, step {step}: {segment:?}");
                    }
                    if gone.is_none() {
                        let key = minhbach_store::SegmentKey::parse(&segment.key).unwrap();
                        let row = yard.index.segment_by_key(&segment.key).await.unwrap().expect("its row stands");
                        assert!(yard.tiers.media_len(&key, row.tier).await.unwrap().is_some());
                    }
                }
            }
        }
    }
}
