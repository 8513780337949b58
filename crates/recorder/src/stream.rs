//! Records one stream: a task that empties its place in the feed a few times a second.
//!
//! It does not wake for every picture: the ring holds them anyway, and fewer wake-ups are most of what recording saves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_evidence::{ClockState, Digest, FragmentRecord, Hasher, SidecarHeader, SidecarWriter};
use minhbach_feed::{Event, Feed, Lag, StartAt, Subscription};
use minhbach_index::{Index, SegmentProgress};
use minhbach_media::cut::{Cut, Cutter};
use minhbach_media::fragment::Fragment;
use minhbach_media::init;
use minhbach_model::{
    CameraId, FailureKind, Gap, GapCause, MediaFormat, RunId, Segment, SegmentId, SegmentState, StreamKind, Tier,
    WallRange, WallTime,
};
use minhbach_runtime::Clock;
use minhbach_store::{FileState, SegmentKey, SegmentWriter, Store, read_sidecar};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use crate::RecorderError;
use crate::health::{HealthTeller, Mark, confirm_limit};
use crate::ledger::{Entry, Ledger};
use crate::repair::{LeftBehind, adopt};

/// Time between two looks at the feed.
const LOOK: Duration = Duration::from_millis(200);
/// Without a sample for this long, what waits is cut and written.
const IDLE: Duration = Duration::from_millis(1000);
/// A new connection's wall time is still being found for this long (see `ingest::clock`), ticks of 90 kHz.
const SETTLING_TICKS: i64 = 20 * 90_000;
/// Less than this between two segments is none: the end of a segment is the estimated end of its last picture.
const GAP_MIN_NS: i64 = 100_000_000;

/// What all recorders share.
#[derive(Clone)]
pub struct RecorderContext {
    /// Where bytes go.
    pub store: Arc<Store>,
    /// Where questions at the start go.
    pub index: Arc<dyn Index>,
    /// Where rows go.
    pub ledger: Ledger,
    /// The wall clock.
    pub clock: Clock,
    /// A segment closes at the first key picture after this.
    pub segment: Duration,
}

impl RecorderContext {
    /// How long the disk may take to confirm what it was given, see [`confirm_limit`].
    #[must_use]
    pub fn confirm_limit(&self) -> Duration {
        confirm_limit(self.store.sync_interval())
    }
}

/// What is recorded.
#[derive(Debug, Clone, Copy)]
pub struct RecordedStream {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// When its connection was begun: nothing of it can be older.
    pub started: WallTime,
}

/// How a recorder ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopWith {
    /// A gap with this cause begins where the recording ends.
    Gap(GapCause),
    /// The stream is gone: nothing is missing from now on.
    Removed,
}

/// Records one stream.
pub struct StreamRecorder {
    context: RecorderContext,
    camera: CameraId,
    stream: StreamKind,
    cutter: Cutter,
    cuts: Vec<Cut>,
    /// The open file and those that are being closed, oldest first.
    writing: VecDeque<Writing>,
    chain: Digest,
    /// The gap that is open in the index, or will be once the ledger has told it.
    gap: Option<(WallTime, GapCause)>,
    last_end: Option<WallTime>,
    last_run: Option<RunId>,
    clock_state: ClockState,
    health: HealthTeller,
}

struct Writing {
    segment: Segment,
    writer: SegmentWriter,
    sidecar: SidecarWriter,
    /// Totals after each fragment that is not durable yet, and when it was handed over.
    waiting: VecDeque<(Mark, SegmentProgress)>,
    total: SegmentProgress,
    durable: u64,
    /// The index knows it.
    told: bool,
    closing: bool,
    failed: bool,
    /// The camera's stream ended after it: that it becomes durable says nothing of what comes now.
    of_old_run: bool,
    holes: Vec<WallRange>,
}

impl StreamRecorder {
    /// Finds out where the recording of this stream ended, and notes what was missed since. `health` is told from then
    /// on whether the disk confirms what it is given.
    ///
    /// # Errors
    /// When the index does not answer.
    pub async fn start(
        context: RecorderContext,
        RecordedStream { camera, stream, started: now }: RecordedStream,
        left_behind: Vec<LeftBehind>,
        health: HealthTeller,
    ) -> Result<Self, RecorderError> {
        // A recorder of the same stream may have ended just now; what it told must be in the index first.
        context.ledger.settled().await;
        for segment in left_behind {
            segment.repair(&context).await;
        }
        if let Some(end) = context.index.last_recorded_end(camera, stream).await? {
            adopt(&context, camera, stream, end).await?;
        }
        let last_end = context.index.last_recorded_end(camera, stream).await?;
        let chain = last_chain(&context, camera, stream, last_end).await?;
        let open = context.index.open_gap_of(camera, stream).await?;
        match (open, last_end) {
            (Some(gap), _) => context.ledger.tell(Entry::CloseGap(camera, stream, now.max(gap.start))),
            (None, Some(end)) => {
                // What is accounted for already: gaps noted after the last footage that became durable.
                let noted = match WallRange::new(end, now) {
                    Some(since) => context.index.gaps_in(camera, stream, since).await?,
                    None => Vec::new(),
                };
                let start = noted.iter().filter_map(|gap| gap.end).max().map_or(end, |noted| noted.max(end));
                let (end, cause) = (Some(now.max(start)), GapCause::RecorderDown);
                context.ledger.tell(Entry::InsertGap(Gap { camera, stream, start, end, cause }));
            }
            (None, None) => {}
        }
        let began = last_end.map_or(now, |end| end.max(now));
        context.ledger.tell(Entry::OpenGap(camera, stream, began, GapCause::Starting));
        let cutter = Cutter::new(context.segment);
        Ok(Self {
            context,
            camera,
            stream,
            cutter,
            cuts: Vec::new(),
            writing: VecDeque::new(),
            chain,
            gap: Some((began, GapCause::Starting)),
            last_end: None,
            last_run: None,
            clock_state: ClockState::Settling,
            health,
        })
    }

    /// Records until told to stop or the feed closes; then everything received is written, synced and told.
    pub async fn run(mut self, feed: Feed, mut stop: oneshot::Receiver<StopWith>) {
        let mut subscription = feed.subscribe(StartAt::Oldest).with_lag(Lag::SkipToOldestKey);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut events = Vec::new();
        let mut last_sample = Instant::now();
        self.health.reset();
        let stop_with = loop {
            let stopped = tokio::select! {
                reason = &mut stop => Some(reason.unwrap_or(StopWith::Gap(GapCause::RecorderDown))),
                _ = look.tick() => None,
            };
            let open = self.look(&mut subscription, &mut events, &mut last_sample).await;
            if last_sample.elapsed() >= IDLE {
                self.cutter.flush(&mut self.cuts);
                self.apply().await;
            }
            self.settle();
            self.tell_health();
            match stopped {
                Some(reason) => break reason,
                None if !open => {
                    // Written now and not when the reason comes: that may never be, when the connection's task has died.
                    self.cutter.finish(&mut self.cuts);
                    self.apply().await;
                    break stop.await.unwrap_or(StopWith::Gap(GapCause::RecorderDown));
                }
                None => {}
            }
        };
        self.cutter.finish(&mut self.cuts);
        self.apply().await;
        self.finish(stop_with).await;
    }

    /// Takes what the feed has. Returns false when the feed is closed.
    async fn look(&mut self, feed: &mut Subscription, events: &mut Vec<Event>, last_sample: &mut Instant) -> bool {
        let open = feed.drain(events);
        for event in events.drain(..) {
            match event {
                Event::Sample(sample) => {
                    *last_sample = Instant::now();
                    let settling = sample.format.timescale(sample.track).to_ns(sample.pts)
                        < minhbach_model::Timescale::VIDEO.to_ns(minhbach_model::Ticks(SETTLING_TICKS));
                    self.clock_state = if settling { ClockState::Settling } else { ClockState::Tied };
                    self.cutter.push(sample, &mut self.cuts);
                }
                Event::Interrupted(cause) => {
                    self.cutter.finish(&mut self.cuts);
                    self.apply().await;
                    self.begin_gap(cause);
                    self.health.reset();
                    self.writing.iter_mut().for_each(|w| w.of_old_run = true);
                }
                Event::Skipped(skipped) => {
                    tracing::error!(
                        camera = %self.camera, stream = %self.stream, samples = skipped.samples,
                        "the recorder fell behind and lost samples"
                    );
                    self.cutter.finish(&mut self.cuts);
                    self.apply().await;
                    self.begin_gap(GapCause::RecorderBehind);
                }
            }
            if !self.cuts.is_empty() {
                self.apply().await;
            }
        }
        open
    }

    /// A gap begins where the recording ended; a gap that is there already gets another cause from now on.
    fn begin_gap(&mut self, cause: GapCause) {
        let start = match (self.gap, self.last_end) {
            (Some((_, same)), _) if same == cause => return,
            (Some((start, _)), _) => {
                let now = self.context.clock.now().max(start);
                self.context.ledger.tell(Entry::CloseGap(self.camera, self.stream, now));
                now
            }
            (None, Some(end)) => end,
            (None, None) => self.context.clock.now(),
        };
        self.gap = Some((start, cause));
        self.context.ledger.tell(Entry::OpenGap(self.camera, self.stream, start, cause));
    }

    fn mark(&self) -> Mark {
        Mark { at: Instant::now(), wall: self.context.clock.now() }
    }

    /// Says that this task is alive, and since when the disk owes it an answer.
    fn tell_health(&self) {
        let waiting = self.writing.iter().find_map(|w| w.waiting.front()).map(|(mark, _)| *mark);
        self.health.look(self.mark(), waiting);
    }

    /// Nothing can be written: a gap begins where the recording ended, and the next key picture tries again.
    fn give_up(&mut self, disk_full: bool, message: String) {
        // What the cutter still holds belongs to the file that is gone.
        self.cutter.finish(&mut Vec::new());
        let (kind, cause) = if disk_full {
            (FailureKind::DiskFull, GapCause::DiskFull)
        } else {
            (FailureKind::DiskError, GapCause::DiskError)
        };
        self.health.fail(kind, message, self.context.clock.now());
        self.begin_gap(cause);
    }

    async fn apply(&mut self) {
        for cut in std::mem::take(&mut self.cuts) {
            match cut {
                Cut::Open { format, start } => self.open(&format, start).await,
                Cut::Append(fragment) => self.append(fragment).await,
                Cut::Close { end } => self.close(end).await,
            }
        }
    }

    async fn open(&mut self, format: &MediaFormat, start: WallTime) {
        // Nothing interrupted the feed and still something is missing: the camera sent nothing for a while, or its clock
        // jumped so far that a new run began.
        if self.gap.is_none()
            && let Some(end) = self.last_end
            && start.ns_since(end) > GAP_MIN_NS
        {
            let same_run = self.last_run == Some(format.run);
            self.begin_gap(if same_run { GapCause::Stalled } else { GapCause::CameraClock });
        }
        self.last_run = Some(format.run);
        let id = SegmentId::generate();
        let key = SegmentKey::new(self.camera, self.stream, start, id);
        let init = Bytes::from(init::write(format));
        let header = SidecarHeader {
            version: 0,
            camera: self.camera.to_string(),
            stream: self.stream.to_string(),
            segment: id.to_string(),
            key: key.to_string(),
            start: start.to_string(),
            video: format.video.rfc6381.clone(),
            audio: format.audio.as_ref().map_or_else(String::new, |audio| audio.codec.to_string()),
            init_len: init.len() as u64,
            init_sha256: Digest::of(&init),
            prev: self.chain,
        };
        let init_len = init.len() as u64;
        let (sidecar, line) = match SidecarWriter::start(header) {
            Ok(started) => started,
            Err(error) => return tracing::error!(%error, "sidecar header"),
        };
        let writer = match self.context.store.create(&key, init, line).await {
            Ok(writer) => writer,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no segment can be opened");
                return self.give_up(false, error.to_string());
            }
        };
        // Closed now and not when the first fragment is durable: after a crash in between, the time from here on becomes
        // `recorder_down`, which is what it was.
        if self.gap.take().is_some() {
            self.context.ledger.tell(Entry::CloseGap(self.camera, self.stream, start));
        }
        let segment = Segment {
            id,
            camera: self.camera,
            stream: self.stream,
            range: WallRange { start, end: start },
            key: key.to_string(),
            bytes: init_len,
            video_samples: 0,
            audio_samples: 0,
            state: SegmentState::Recording,
            tier: Tier::Spool,
        };
        let total = SegmentProgress { id, end: start, bytes: init_len, video_samples: 0, audio_samples: 0 };
        self.writing.push_back(Writing {
            segment,
            writer,
            sidecar,
            waiting: VecDeque::new(),
            total,
            durable: 0,
            told: false,
            closing: false,
            failed: false,
            of_old_run: false,
            holes: Vec::new(),
        });
    }

    async fn append(&mut self, fragment: Fragment) {
        let clock = self.clock_state;
        let handed_over = self.mark();
        let Some(open) = self.writing.back_mut().filter(|w| !w.closing && !w.failed) else {
            // A file that could not be opened was told, and has its gap.
            if self.gap.is_none() {
                self.give_up(false, "the file of a fragment is not open".to_owned());
            }
            return;
        };
        let mut hasher = Hasher::default();
        hasher.update(&fragment.header);
        for part in &fragment.payload {
            hasher.update(part);
        }
        let mut record = FragmentRecord {
            offset: 0,
            len: fragment.len(),
            media_start_90k: fragment.media_start.0,
            start_wall_ns: fragment.range.start.0,
            end_wall_ns: fragment.range.end.0,
            video: fragment.video_samples,
            audio: fragment.audio_samples,
            lost: fragment.lost_packets,
            key: fragment.starts_with_key,
            clock,
            sha256: hasher.finish(),
            prev: self.chain,
        };
        let line = match open.sidecar.append(&mut record) {
            Ok(line) => line,
            Err(error) => return tracing::error!(%error, "sidecar line"),
        };
        self.chain = open.sidecar.last();
        open.total.end = fragment.range.end;
        open.total.bytes = record.end_offset();
        open.total.video_samples += u64::from(fragment.video_samples);
        open.total.audio_samples += u64::from(fragment.audio_samples);
        open.waiting.push_back((handed_over, open.total));
        open.holes.extend(fragment.holes);
        let mut data = Vec::with_capacity(fragment.payload.len() + 1);
        data.push(fragment.header);
        data.extend(fragment.payload);
        if let Err(error) = open.writer.append(data, line).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a fragment is lost");
            open.failed = true;
            self.last_end = Some(open.segment.range.end);
            return self.give_up(false, error.to_string());
        }
        self.last_end = Some(fragment.range.end);
    }

    async fn close(&mut self, end: WallTime) {
        self.last_end = Some(end);
        let Some(open) = self.writing.back_mut().filter(|w| !w.closing) else { return };
        open.closing = true;
        if let Err(error) = open.writer.close().await {
            tracing::error!(error = &error as &dyn std::error::Error, "a segment is left open");
        }
    }

    /// Tells the index what has become durable since.
    fn settle(&mut self) {
        let mut given_up = Vec::new();
        let mut confirmed = false;
        for open in &mut self.writing {
            let durable = open.writer.durable().borrow_and_update().clone();
            let mut newest = None;
            while open.durable < durable.fragments {
                open.durable += 1;
                newest = open.waiting.pop_front().map(|(_, progress)| progress).or(newest);
            }
            if let Some(progress) = newest {
                confirmed |= !open.of_old_run;
                if open.told {
                    self.context.ledger.tell(Entry::Progress(progress));
                } else {
                    open.told = true;
                    open.segment.range.end = progress.end;
                    open.segment.bytes = progress.bytes;
                    open.segment.video_samples = progress.video_samples;
                    open.segment.audio_samples = progress.audio_samples;
                    self.context.ledger.tell(Entry::Open(Box::new(open.segment.clone())));
                }
                for hole in std::mem::take(&mut open.holes) {
                    let (camera, stream) = (self.camera, self.stream);
                    let gap = Gap { camera, stream, start: hole.start, end: Some(hole.end), cause: GapCause::Stalled };
                    self.context.ledger.tell(Entry::InsertGap(gap));
                }
                open.segment.range.end = progress.end;
                open.segment.bytes = progress.bytes;
                open.segment.video_samples = progress.video_samples;
                open.segment.audio_samples = progress.audio_samples;
            }
            let last = SegmentProgress {
                id: open.segment.id,
                end: open.segment.range.end,
                bytes: open.segment.bytes,
                video_samples: open.segment.video_samples,
                audio_samples: open.segment.audio_samples,
            };
            match durable.state {
                FileState::Open => {}
                FileState::Closed => {
                    open.failed = true;
                    if open.told {
                        self.context.ledger.tell(Entry::Close(last, SegmentState::Closed));
                    }
                }
                FileState::Failed { disk_full, message } => {
                    open.failed = true;
                    if open.told {
                        self.context.ledger.tell(Entry::Close(last, SegmentState::Suspect));
                    }
                    let lost = WallRange { start: open.segment.range.end, end: open.total.end };
                    tracing::error!(camera = %self.camera, stream = %self.stream, message, "segment given up");
                    given_up.push((lost, disk_full, message, open.segment.id));
                }
            }
        }
        let current = self.writing.back().map(|w| w.segment.id);
        self.writing.retain(|w| !w.failed);
        if confirmed {
            self.health.confirm(self.context.clock.now());
        }
        for (lost, disk_full, message, id) in given_up {
            if Some(id) == current {
                self.last_end = Some(lost.start);
                self.give_up(disk_full, message);
            } else if lost.start < lost.end {
                // A later file goes on; only the end of this one is missing.
                let (camera, stream) = (self.camera, self.stream);
                let cause = if disk_full { GapCause::DiskFull } else { GapCause::DiskError };
                let gap = Gap { camera, stream, start: lost.start, end: Some(lost.end), cause };
                self.context.ledger.tell(Entry::InsertGap(gap));
            }
        }
    }

    /// Waits until everything is synced and told, then notes what begins now.
    async fn finish(mut self, stop_with: StopWith) {
        for open in self.writing.iter_mut().filter(|w| !w.closing) {
            open.closing = true;
            open.failed |= open.writer.close().await.is_err();
        }
        self.writing.retain(|w| !w.failed);
        // The writing thread syncs at least every few seconds, and ends with an answer for every file.
        while let Some(open) = self.writing.front_mut() {
            let done = |d: &minhbach_store::Durable| d.state != FileState::Open;
            if open.writer.durable().wait_for(done).await.is_err() {
                open.failed = true;
            }
            self.settle();
        }
        match stop_with {
            StopWith::Gap(cause) => self.begin_gap(cause),
            StopWith::Removed => {
                if let Some((start, _)) = self.gap.take() {
                    let now = self.context.clock.now().max(start);
                    self.context.ledger.tell(Entry::CloseGap(self.camera, self.stream, now));
                }
            }
        }
    }
}

/// The hash the next sidecar continues; all zero when there is none, or none that can be read.
async fn last_chain(
    context: &RecorderContext,
    camera: CameraId,
    stream: StreamKind,
    last_end: Option<WallTime>,
) -> Result<Digest, RecorderError> {
    const NONE: Digest = Digest([0; 32]);
    let Some(end) = last_end else { return Ok(NONE) };
    let Some(last) = context.index.segment_at_or_after(camera, stream, end.offset_ns(-1)).await? else {
        return Ok(NONE);
    };
    let root = context.store.root().to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let key = SegmentKey::parse(&last.key).ok()?;
        read_sidecar(&root, &key).map(|sidecar| sidecar.last).ok()
    });
    match read.await {
        Ok(Some(digest)) => Ok(digest),
        Ok(None) | Err(_) => {
            tracing::warn!(%camera, %stream, "the sidecar before is not readable; a new chain begins");
            Ok(NONE)
        }
    }
}
