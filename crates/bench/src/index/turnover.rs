//! What a recorder tells the index of cameras that record: files opened, moved on once a second, and closed.
//!
//! In the order and the portions of the recorder's ledger: openings and closings one by one, progress in batches, one
//! sync a second. The rows are those of the plan.

use std::sync::Arc;
use std::time::Duration;

use minhbach_index::{Index, SegmentProgress};
use minhbach_model::{Segment, SegmentState, Tier, WallRange, WallTime};
use tokio::time::{Instant, sleep_until};

use super::fill::Sums;
use super::plan::{FILE_NS, Plan};
use super::refused;
use crate::Outcome;

/// Progress told at once, as the recorder's ledger does.
const BATCH: usize = 1024;
const MINUTE: usize = 60;
const SECOND_NS: i64 = 1_000_000_000;

/// What it cost the index.
#[derive(Debug, Default)]
pub struct Told {
    /// Files that gave way to the next.
    pub turns: u64,
    /// Time spent in calls of the index.
    pub spent: Duration,
    /// For each turn the time until the index had it, milliseconds: from when it was due where that was real time, else
    /// from when it was asked.
    pub waits_ms: Vec<f64>,
}

/// All streams of a plan, being recorded.
pub struct Turnover {
    index: Arc<dyn Index>,
    plan: Arc<Plan>,
    first_file: u32,
    /// Files begun, of all streams.
    begun: usize,
    /// Seconds recorded since each stream had its first file.
    seconds: usize,
    /// The current file of each stream, in the order of streams: its number, and what it is going to be.
    current: Vec<Option<(u32, Segment)>>,
    closed: Sums,
}

/// Real time: when a turn or a second is due.
struct Pace {
    from: Instant,
    begun: usize,
    seconds: usize,
    streams: usize,
}

impl Pace {
    fn turn(&self, begun: usize) -> Instant {
        let ns = FILE_NS.unsigned_abs() as u128 * (begun - self.begun) as u128 / self.streams as u128;
        self.from + Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    fn second(&self, seconds: usize) -> Instant {
        self.from + Duration::from_secs((seconds - self.seconds) as u64)
    }
}

impl Turnover {
    /// Opens the first file of each stream, of that number.
    pub async fn begin(index: Arc<dyn Index>, plan: Arc<Plan>, first_file: u32) -> Outcome<Self> {
        let current = vec![None; plan.streams.len()];
        let mut turnover = Self { index, plan, first_file, begun: 0, seconds: 0, current, closed: Sums::default() };
        let mut unmeasured = Told::default();
        while turnover.begun < turnover.current.len() {
            turnover.turn(Instant::now(), &mut unmeasured).await?;
        }
        turnover.advance(&mut unmeasured).await?;
        Ok(turnover)
    }

    /// Tells so many minutes of recording as fast as the index takes it: each stream has that many more files.
    pub async fn hurry(&mut self, minutes: u32) -> Outcome<Told> {
        let mut told = Told::default();
        for _ in 0..minutes as usize * MINUTE {
            self.second(None, &mut told).await?;
        }
        Ok(told)
    }

    /// Records in real time, a second at least and for as long as it is told to.
    pub async fn live(&mut self, mut go_on: impl FnMut() -> bool) -> Outcome<Told> {
        let mut told = Told::default();
        let pace = Pace { from: Instant::now(), begun: self.begun, seconds: self.seconds, streams: self.current.len() };
        loop {
            self.second(Some(&pace), &mut told).await?;
            if !go_on() {
                return Ok(told);
            }
        }
    }

    /// Closes every file. Returns what was closed since the beginning.
    pub async fn end(mut self) -> Outcome<Sums> {
        for position in 0..self.current.len() {
            self.close(position).await?;
        }
        self.index.sync().await.map_err(refused("sync"))?;
        Ok(self.closed)
    }

    async fn second(&mut self, pace: Option<&Pace>, told: &mut Told) -> Outcome {
        self.seconds += 1;
        let streams = self.current.len();
        let until = streams + self.seconds * streams / MINUTE;
        while self.begun < until {
            let mut due = pace.map_or_else(Instant::now, |pace| pace.turn(self.begun));
            // At once when the index did not keep up: then the wait is counted from when it was due. A timer wakes up
            // to a millisecond late, which is not the index's.
            if due > Instant::now() {
                sleep_until(due).await;
                due = Instant::now();
            }
            self.turn(due, told).await?;
        }
        if let Some(pace) = pace {
            sleep_until(pace.second(self.seconds)).await;
        }
        self.advance(told).await
    }

    /// The next stream's file gives way to its next one.
    async fn turn(&mut self, due: Instant, cost: &mut Told) -> Outcome {
        let position = self.begun % self.current.len();
        let file = self.first_file + u32::try_from(self.begun / self.current.len()).unwrap_or(u32::MAX);
        let next = self.plan.segment(&self.plan.streams[position], file);
        // As the recorder does: once its first second is on the disk.
        let first = progress(&next, next.range.start.offset_ns(SECOND_NS));
        let opened = Segment {
            range: WallRange { start: next.range.start, end: first.end },
            bytes: first.bytes,
            video_samples: first.video_samples,
            audio_samples: first.audio_samples,
            state: SegmentState::Recording,
            tier: Tier::Spool,
            ..next.clone()
        };
        let asked = Instant::now();
        self.close(position).await?;
        self.index.open_segment(&opened).await.map_err(refused("open a segment"))?;
        cost.spent += asked.elapsed();
        cost.waits_ms.push(due.elapsed().as_secs_f64() * 1000.0);
        cost.turns += 1;
        self.begun += 1;
        self.current[position] = Some((file, next));
        Ok(())
    }

    async fn close(&mut self, position: usize) -> Outcome {
        let Some((file, segment)) = self.current[position].take() else { return Ok(()) };
        let last = progress(&segment, segment.range.end);
        self.index.close_segment(&last, SegmentState::Closed).await.map_err(refused("close a segment"))?;
        self.closed.count(&segment);
        if let Some(gap) = self.plan.gap(&self.plan.streams[position], file) {
            self.index.insert_gap(&gap).await.map_err(refused("insert a gap"))?;
        }
        Ok(())
    }

    async fn advance(&mut self, cost: &mut Told) -> Outcome {
        let now = self.plan.moment(self.first_file + 1, self.seconds);
        let steps: Vec<SegmentProgress> =
            self.current.iter().flatten().map(|(_, segment)| progress(segment, now)).collect();
        let asked = Instant::now();
        for batch in steps.chunks(BATCH) {
            self.index.advance_segments(batch).await.map_err(refused("advance segments"))?;
        }
        self.index.sync().await.map_err(refused("sync"))?;
        cost.spent += asked.elapsed();
        Ok(())
    }
}

/// How far a file has come at that moment: its first second at least, and never beyond its end.
fn progress(whole: &Segment, at: WallTime) -> SegmentProgress {
    let length_ns = whole.range.end.ns_since(whole.range.start);
    let done_ns = at.ns_since(whole.range.start).clamp(SECOND_NS.min(length_ns), length_ns);
    let part = |count: u64| {
        let part = u128::from(count) * u128::from(done_ns.unsigned_abs()) / u128::from(length_ns.unsigned_abs().max(1));
        u64::try_from(part).unwrap_or(count)
    };
    SegmentProgress {
        id: whole.id,
        end: whole.range.start.offset_ns(done_ns),
        bytes: part(whole.bytes),
        video_samples: part(whole.video_samples),
        audio_samples: part(whole.audio_samples),
    }
}
