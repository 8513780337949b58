//! Records one stream: a task that empties its place in the feed ten times a second.
//!
//! A file that the disk refuses to sync is given up, and what of it is still in memory is written again into a new one,
//! once, on another disk where there is one: a disk that refuses that too is a gap.
//!
//! It does not wake for every picture: the ring holds them anyway, and fewer wake-ups are most of what recording saves.

mod hang;

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
use minhbach_store::{FileState, Footage, Placed, SegmentKey, SegmentWriter, StoreError, Stores};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use crate::RecorderError;
use crate::health::{HealthTeller, Mark, confirm_limit};
use crate::ledger::{Entry, Ledger};
use crate::mend::Torn;
use crate::repair::{LeftBehind, adopt};

/// Shortest time between two looks at the feed. On a thread that runs in longer steps, each step.
const LOOK: Duration = Duration::from_millis(50);
/// Without a sample for this long, what waits is cut and written.
const IDLE: Duration = Duration::from_millis(1000);
/// A new connection's wall time is still being found for this long (see `ingest::clock`), ticks of 90 kHz.
const SETTLING_TICKS: i64 = 20 * 90_000;
/// How long the sidecar before may take to be read.
const CHAIN_PATIENCE: Duration = Duration::from_secs(3);
/// Less than this between two segments is none: the end of a segment is the estimated end of its last picture.
pub(crate) const GAP_MIN_NS: i64 = 100_000_000;

/// Shortest time that a recorder is said to have been down.
const DOWN_MIN_NS: i64 = 1_000_000;

/// What all recorders share.
#[derive(Clone)]
pub struct RecorderContext {
    /// Where bytes go.
    pub store: Arc<Stores>,
    /// Where the sidecar before the first new one is read, in the spool or in the archive.
    pub footage: Arc<Footage>,
    /// Where questions at the start go.
    pub index: Arc<dyn Index>,
    /// Where rows go.
    pub ledger: Ledger,
    /// The wall clock.
    pub clock: Clock,
    /// A segment closes at the first key picture after this.
    pub segment: Duration,
    /// When this program began: what has been open for longer was left by one before it.
    pub begun: WallTime,
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
    /// Files that were given up, until they are cut.
    torn: Torn,
}

struct Writing {
    segment: Segment,
    format: Arc<MediaFormat>,
    writer: SegmentWriter,
    /// Its disk, as a place in the spool.
    disk: usize,
    sidecar: SidecarWriter,
    /// What is not durable yet, oldest first. As much as is written between two syncs: the store's queue is bounded.
    waiting: VecDeque<Waiting>,
    total: SegmentProgress,
    durable: u64,
    /// The chain after the last line that is durable.
    durable_chain: Digest,
    /// It holds what another file was given up with, and none of it is durable yet.
    again: bool,
    /// That file, when the index does not know it.
    replaces: Option<Segment>,
    /// The index knows it.
    told: bool,
    closing: bool,
    failed: bool,
    /// Its disk takes nothing, and another one can.
    stuck: bool,
    /// The camera's stream ended after it: that it becomes durable says nothing of what comes now.
    of_old_run: bool,
    holes: Vec<WallRange>,
}

/// A fragment that was handed over and is not durable yet.
struct Waiting {
    fragment: Fragment,
    clock: ClockState,
    handed_over: Mark,
    /// Totals after it.
    progress: SegmentProgress,
    /// The chain after its line.
    chain: Digest,
}

/// A file that was given up.
struct GivenUp {
    segment: Segment,
    told: bool,
    format: Arc<MediaFormat>,
    /// What was handed over and is not durable.
    waiting: VecDeque<Waiting>,
    lost: WallRange,
    chain: Digest,
    closing: bool,
    of_old_run: bool,
    /// Not worth another file: every disk is full, or this was the other file.
    hopeless: bool,
    disk_full: bool,
    message: String,
}

impl Writing {
    /// Hands a fragment over, behind the others.
    async fn append(&mut self, fragment: Fragment, clock: ClockState, handed_over: Mark) -> Result<(), StoreError> {
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
            // Set by the sidecar, as the offset is.
            prev: Digest([0; 32]),
        };
        let line = match self.sidecar.append(&mut record) {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, "sidecar line");
                return Ok(());
            }
        };
        self.total.end = fragment.range.end;
        self.total.bytes = record.end_offset();
        self.total.video_samples += u64::from(fragment.video_samples);
        self.total.audio_samples += u64::from(fragment.audio_samples);
        self.holes.extend(fragment.holes.iter().copied());
        let mut data = Vec::with_capacity(fragment.payload.len() + 1);
        data.push(fragment.header.clone());
        data.extend(fragment.payload.iter().cloned());
        let (progress, chain) = (self.total, self.sidecar.last());
        self.waiting.push_back(Waiting { fragment, clock, handed_over, progress, chain });
        self.writer.append(data, line).await
    }
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
        let torn = Torn::left_behind(&context, camera, stream, last_end).await?;
        let open = context.index.open_gap_of(camera, stream).await?;
        let mut began = last_end.map_or(now, |end| end.max(now));
        match (open, last_end) {
            // Its settings were changed: still the same start.
            (Some(gap), _) if gap.cause == GapCause::Starting && gap.start >= context.begun => began = gap.start,
            (Some(gap), _) => context.ledger.tell(Entry::CloseGap(camera, stream, now.max(gap.start))),
            (None, Some(end)) => {
                // What is accounted for already: gaps noted after the last footage that became durable.
                let noted = match WallRange::new(end, now) {
                    Some(since) => context.index.gaps_in(camera, stream, since).await?,
                    None => Vec::new(),
                };
                let start = noted.iter().filter_map(|gap| gap.end).max().map_or(end, |noted| noted.max(end));
                // The end of the footage is known less exactly than a quick start takes; that it was down is certain.
                let least_ns = if start == end { DOWN_MIN_NS } else { 0 };
                let up = now.max(start.offset_ns(least_ns));
                began = began.max(up);
                let (end, cause) = (Some(up), GapCause::RecorderDown);
                context.ledger.tell(Entry::InsertGap(Gap { camera, stream, start, end, cause }));
            }
            (None, None) => {}
        }
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
            torn,
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
        // A camera may have failed before there was anybody to be told.
        if let Some(cause) = feed.interrupted() {
            self.begin_gap(cause);
        }
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
            self.settle().await;
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

    /// A gap begins where the recording ended; a gap that is there already gets another cause from now on. Why a camera
    /// does not connect is known at the end of its first attempt only: what began as `starting` was that all along.
    fn begin_gap(&mut self, cause: GapCause) {
        let start = match (self.gap, self.last_end) {
            (Some((_, same)), _) if same == cause => return,
            (Some((start, before)), _) => {
                let was_that_all_along = before == GapCause::Starting && is_of_camera(cause);
                let until = if was_that_all_along { start } else { self.context.clock.now().max(start) };
                self.context.ledger.tell(Entry::CloseGap(self.camera, self.stream, until));
                until
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
        let waiting = self.writing.iter().find_map(|w| w.waiting.front()).map(|waiting| waiting.handed_over);
        self.health.look(self.mark(), waiting);
    }

    /// Nothing can be written: a gap begins where the recording ended, and the next key picture tries again.
    fn give_up(&mut self, disk_full: bool, message: String) {
        // What the cutter still holds belongs to the file that is gone.
        self.cutter.finish(&mut Vec::new());
        self.cuts.clear();
        self.refused(disk_full, message);
    }

    fn refused(&mut self, disk_full: bool, message: String) {
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

    async fn open(&mut self, format: &Arc<MediaFormat>, start: WallTime) {
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
        let Some(writing) = self.begin_file(format, start, self.chain).await else { return };
        // Closed now and not when the first fragment is durable: after a crash in between, the time from here on becomes
        // `recorder_down`, which is what it was.
        if self.gap.take().is_some() {
            self.context.ledger.tell(Entry::CloseGap(self.camera, self.stream, start));
        }
        self.writing.push_back(writing);
    }

    /// A new file whose sidecar continues that chain; `None` when there can be none, which is told.
    async fn begin_file(&mut self, format: &Arc<MediaFormat>, start: WallTime, prev: Digest) -> Option<Writing> {
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
            prev,
        };
        let init_len = init.len() as u64;
        let (sidecar, line) = match SidecarWriter::start(header) {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%error, "sidecar header");
                return None;
            }
        };
        let Placed { writer, disk } = match self.context.store.create(&key, init, line).await {
            Ok(placed) => placed,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no segment can be opened");
                self.give_up(false, error.to_string());
                return None;
            }
        };
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
        Some(Writing {
            segment,
            format: Arc::clone(format),
            writer,
            disk,
            durable_chain: sidecar.last(),
            sidecar,
            waiting: VecDeque::new(),
            total,
            durable: 0,
            again: false,
            replaces: None,
            told: false,
            closing: false,
            failed: false,
            stuck: false,
            of_old_run: false,
            holes: Vec::new(),
        })
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
        let end = fragment.range.end;
        let appended = open.append(fragment, clock, handed_over).await;
        self.chain = open.sidecar.last();
        if matches!(appended, Err(StoreError::Slow)) {
            // It waits with the others of its file, which are written to another disk.
            open.stuck = true;
            return self.settle().await;
        }
        if let Err(error) = appended {
            tracing::error!(error = &error as &dyn std::error::Error, "a fragment is lost");
            open.failed = true;
            self.last_end = Some(open.segment.range.end);
            return self.give_up(false, error.to_string());
        }
        self.last_end = Some(end);
    }

    async fn close(&mut self, end: WallTime) {
        self.last_end = Some(end);
        let Some(open) = self.writing.back_mut().filter(|w| !w.closing) else { return };
        open.closing = true;
        if let Err(error) = open.writer.close().await {
            open.stuck = matches!(error, StoreError::Slow);
            tracing::error!(error = &error as &dyn std::error::Error, "a segment is left open");
        }
    }

    /// Tells the index what has become durable since, and writes again what a file was given up with.
    async fn settle(&mut self) {
        let mut given_up = Vec::new();
        let mut replaced = Vec::new();
        let mut confirmed = false;
        for open in &mut self.writing {
            let durable = open.writer.durable().borrow_and_update().clone();
            let mut newest = None;
            while open.durable < durable.fragments {
                open.durable += 1;
                if let Some(waiting) = open.waiting.pop_front() {
                    newest = Some(waiting.progress);
                    open.durable_chain = waiting.chain;
                    open.again = false;
                    replaced.extend(open.replaces.take());
                }
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
            let has_ended = durable.state != FileState::Open;
            match hang::state_of(open, durable.state, self.context.store.as_ref()) {
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
                    tracing::error!(camera = %self.camera, stream = %self.stream, message, "segment given up");
                    // A disk that hangs may go on with the file; the next start looks at that.
                    if has_ended {
                        self.torn.add(&open.segment, open.told);
                    }
                    self.context.store.refused(open.disk, disk_full, &message);
                    let no_room = disk_full && !self.context.store.spool().has_another(open.disk);
                    given_up.push(GivenUp {
                        segment: open.segment.clone(),
                        told: open.told,
                        format: Arc::clone(&open.format),
                        waiting: std::mem::take(&mut open.waiting),
                        lost: WallRange { start: open.segment.range.end, end: open.total.end },
                        chain: open.durable_chain,
                        closing: open.closing,
                        of_old_run: open.of_old_run,
                        hopeless: no_room || open.again,
                        disk_full,
                        message,
                    });
                }
            }
        }
        let current = self.writing.back().map(|w| w.segment.id);
        self.writing.retain(|w| !w.failed);
        if confirmed {
            self.health.confirm(self.context.clock.now());
        }
        for segment in replaced {
            self.note_replaced(segment).await;
        }
        for file in given_up {
            let is_current = Some(file.segment.id) == current;
            self.make_good(file, is_current).await;
        }
        if confirmed {
            self.torn.go_on(&self.context).await;
        }
    }

    /// Gives a file that was written again a row, so that nobody takes it for footage that a crash left without one.
    async fn note_replaced(&mut self, segment: Segment) {
        let Ok(key) = SegmentKey::parse(&segment.key) else { return };
        // One that could not even be made needs none.
        if self.context.store.has_files(&key).await {
            let (id, end, bytes) = (segment.id, segment.range.end, segment.bytes);
            let last = SegmentProgress { id, end, bytes, video_samples: 0, audio_samples: 0 };
            self.context.ledger.tell(Entry::Open(Box::new(segment)));
            self.context.ledger.tell(Entry::Close(last, SegmentState::Suspect));
        }
    }

    /// Writes what a file was given up with into a new one; what cannot be written is a gap.
    async fn make_good(&mut self, mut file: GivenUp, is_current: bool) {
        if is_current {
            self.last_end = Some(file.lost.start);
        }
        let waiting = std::mem::take(&mut file.waiting);
        let again = if file.hopeless { None } else { self.write_again(&file, waiting).await };
        let Some(again) = again else {
            if is_current {
                // The next file continues what is kept of this one.
                self.chain = file.chain;
                if file.hopeless {
                    self.give_up(file.disk_full, file.message);
                } else {
                    self.cutter.begin_anew(&mut self.cuts);
                    self.refused(file.disk_full, file.message);
                }
            } else {
                // A later file goes on; only the end of this one is missing.
                self.note_lost(file.lost, file.disk_full);
            }
            return;
        };
        self.note_lost(WallRange { start: file.lost.start, end: again.segment.range.start }, file.disk_full);
        if is_current {
            // The next fragments follow in this file; until the disk confirms it, that it refused is shown.
            self.health.fail(FailureKind::DiskError, file.message, self.context.clock.now());
            self.chain = again.sidecar.last();
            self.last_end = Some(again.total.end);
            self.writing.push_back(again);
        } else {
            self.writing.push_front(again);
        }
    }

    fn note_lost(&self, lost: WallRange, disk_full: bool) {
        if lost.start < lost.end {
            let (camera, stream) = (self.camera, self.stream);
            let cause = if disk_full { GapCause::DiskFull } else { GapCause::DiskError };
            let gap = Gap { camera, stream, start: lost.start, end: Some(lost.end), cause };
            self.context.ledger.tell(Entry::InsertGap(gap));
        }
    }

    /// A new file with these fragments, from the first on that can be decoded alone; `None` when there can be none.
    async fn write_again(&mut self, file: &GivenUp, waiting: VecDeque<Waiting>) -> Option<Writing> {
        let mut waiting = waiting.into_iter().skip_while(|waiting| !waiting.fragment.starts_with_key).peekable();
        let start = waiting.peek()?.fragment.range.start;
        let mut again = self.begin_file(&file.format, start, file.chain).await?;
        again.again = true;
        again.replaces = (!file.told).then(|| file.segment.clone());
        again.of_old_run = file.of_old_run;
        for Waiting { fragment, clock, handed_over, .. } in waiting {
            // A store that has ended takes nothing: what follows finds out, too.
            again.append(fragment, clock, handed_over).await.ok()?;
        }
        if file.closing {
            again.closing = true;
            again.writer.close().await.ok()?;
        }
        tracing::warn!(camera = %self.camera, stream = %self.stream, key = again.segment.key, "written again");
        Some(again)
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
            hang::wait_for_end(open, self.context.store.as_ref()).await;
            self.settle().await;
        }
        self.torn.finish(&self.context).await;
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

/// Whether the camera or the way to it is the cause.
fn is_of_camera(cause: GapCause) -> bool {
    match cause {
        GapCause::CameraUnreachable
        | GapCause::AuthRefused
        | GapCause::Stalled
        | GapCause::Disconnected
        | GapCause::PacketLoss
        | GapCause::Unsupported
        | GapCause::CameraClock => true,
        GapCause::RecorderDown
        | GapCause::RecorderBehind
        | GapCause::DiskFull
        | GapCause::DiskError
        | GapCause::PausedByOperator
        | GapCause::Starting
        | GapCause::Rebuilt => false,
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
    let Ok(key) = SegmentKey::parse(&last.key) else { return Ok(NONE) };
    // It may be in an archive that does not answer, and recording waits for nobody.
    match tokio::time::timeout(CHAIN_PATIENCE, context.footage.sidecar(&key, last.tier)).await {
        Ok(Ok(sidecar)) => {
            // Of a file that was given up only what was told is kept, see `mend`: its row says how much.
            let cut = sidecar.fragments.iter().find(|record| record.end_offset() > last.bytes);
            Ok(cut.map_or(sidecar.last, |record| record.prev))
        }
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(%camera, %stream, "the sidecar before is not readable; a new chain begins");
            Ok(NONE)
        }
    }
}
