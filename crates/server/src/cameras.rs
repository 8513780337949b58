//! The cameras that are running: for each stream a connection, a feed and a recorder, started and stopped together.
//!
//! Cameras are added, changed, paused and removed here while the server runs. One bad camera has tasks of its own and
//! disturbs no other.
//!
//! What is shown of a stream is put together here: the connection says whether pictures come, the recorder whether they
//! reach the disk.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use minhbach_feed::{Feed, Limits, feed};
use minhbach_index::IndexError;
use minhbach_ingest::{IngestOptions, StreamConfig, supervise};
use minhbach_model::{
    Camera, CameraDraft, CameraId, CameraState, CameraStatus, FailureKind, GapCause, Params, Secret, Sound, StreamKind,
    StreamStatus,
};
use minhbach_recorder::{
    HealthTeller, LeftBehind, Mark, RecordedStream, RecorderContext, RecorderHealth, StopWith, StreamRecorder, chain,
};
use minhbach_runtime::{Hurry, Pace, PacedThread, Paces, Why};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// History a feed keeps beyond its current group of pictures.
const MAIN_HISTORY_BYTES: usize = 1536 * 1024;
const SUB_HISTORY_BYTES: usize = 256 * 1024;
/// A recorder has time: in 80 ms a camera sends some 40 kB, and the buffer of its socket holds several times as much. A viewer
/// is not kept waiting for longer than 2 ms.
const INGEST_PACES: Paces =
    Paces { steady: Duration::from_millis(80), exchange: Duration::from_millis(20), live: Duration::from_millis(2) };
/// How long a recorder waits before it asks an index again that did not answer at its start.
const INDEX_RETRY: Duration = Duration::from_secs(1);

/// All cameras.
pub struct Cameras {
    context: RecorderContext,
    options: IngestOptions,
    /// Where connections and recorders are looked after: both of a camera on one thread and in step, so that nobody is woken
    /// for what the other did.
    ingest: Vec<PacedThread>,
    pace: Pace,
    running: RwLock<BTreeMap<CameraId, Running>>,
    /// One change at a time: starting and stopping wait for tasks.
    change: Mutex<()>,
    /// Told of every change of a camera; states of streams change more often and are looked at.
    changed: Notify,
}

struct Running {
    camera: Camera,
    streams: Vec<Stream>,
}

struct Stream {
    kind: StreamKind,
    feed: Feed,
    /// How the connection stands.
    status: watch::Receiver<StreamStatus>,
    /// How the recording stands; closed once its recorder has ended.
    health: watch::Receiver<RecorderHealth>,
    tasks: Option<Tasks>,
}

struct Tasks {
    stop_ingest: CancellationToken,
    ingest: JoinHandle<()>,
    stop_recorder: oneshot::Sender<StopWith>,
    recorder: JoinHandle<()>,
}

impl Cameras {
    /// No cameras yet.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(context: RecorderContext, options: IngestOptions) -> std::io::Result<Self> {
        let pace = Pace::default();
        // One on two cores; the other cores write, answer and serve viewers.
        let threads = (std::thread::available_parallelism().map_or(1, std::num::NonZero::get) / 2).clamp(1, 16);
        let ingest = (0..threads).map(|n| PacedThread::start(&format!("ingest-{n}"), INGEST_PACES, pace.clone()));
        Ok(Self {
            context,
            options,
            ingest: ingest.collect::<std::io::Result<_>>()?,
            pace,
            running: RwLock::default(),
            change: Mutex::new(()),
            changed: Notify::new(),
        })
    }

    /// Starts every camera the index knows.
    ///
    /// # Errors
    /// When the index does not answer.
    pub async fn load(&self) -> Result<(), IndexError> {
        let mut left: Vec<LeftBehind> =
            self.context.index.recording_segments().await?.into_iter().map(LeftBehind).collect();
        for camera in self.context.index.cameras().await? {
            let runs = |l: &LeftBehind| !camera.paused && camera.source(l.0.stream).is_some();
            let (own, others) = left.into_iter().partition(|l| l.0.camera == camera.id && runs(l));
            left = others;
            self.insert(camera, own);
        }
        // Of cameras that are gone, and of streams that do not run: nobody records there, so it can wait until now.
        for segment in left {
            segment.repair(&self.context).await;
        }
        Ok(())
    }

    /// Somebody watches what cameras send: it is passed on at once until the answer is dropped.
    pub fn hurry(&self) -> Hurry {
        self.pace.hurry(Why::Live)
    }

    /// Time limits towards cameras.
    pub fn options(&self) -> &IngestOptions {
        &self.options
    }

    /// Woken whenever a camera was added, changed or removed.
    pub fn changed(&self) -> &Notify {
        &self.changed
    }

    /// Every camera with the state of its streams, in the order of names.
    pub fn list(&self) -> Vec<CameraStatus> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<CameraStatus> = running.values().map(|r| r.status(&self.context)).collect();
        all.sort_by(|a, b| (&a.camera.draft.name, a.camera.id).cmp(&(&b.camera.draft.name, b.camera.id)));
        all
    }

    /// One camera.
    pub fn get(&self, id: CameraId) -> Option<CameraStatus> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&id).map(|r| r.status(&self.context))
    }

    /// The stored password of a camera, for a test of changed settings.
    pub fn password(&self, id: CameraId) -> Option<Secret> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&id).map(|r| r.camera.draft.password.clone())
    }

    /// The feed of a stream.
    pub fn feed(&self, id: CameraId, kind: StreamKind) -> Option<Feed> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&id)?.streams.iter().find(|s| s.kind == kind).map(|s| s.feed.clone())
    }

    /// Adds a camera and starts it.
    ///
    /// # Errors
    /// When the index refuses; then nothing was started.
    pub async fn add(&self, draft: CameraDraft) -> Result<CameraId, IndexError> {
        let _one = self.change.lock().await;
        let camera = Camera { id: CameraId::generate(), draft, paused: false, created: self.context.clock.now() };
        self.context.index.insert_camera(&camera).await?;
        let id = camera.id;
        tracing::info!(camera = %id, name = camera.draft.name, "camera added");
        self.insert(camera, Vec::new());
        self.changed.notify_waiters();
        Ok(id)
    }

    /// Changes a camera; streams whose settings are the same go on without a break.
    ///
    /// # Errors
    /// When the index refuses; then nothing was changed.
    pub async fn update(&self, id: CameraId, draft: CameraDraft) -> Result<(), IndexError> {
        let _one = self.change.lock().await;
        self.context.index.update_camera(id, &draft).await?;
        tracing::info!(camera = %id, name = draft.name, "camera changed");
        let mut stopped = Vec::new();
        let camera = {
            let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
            let Some(entry) = running.get_mut(&id) else { return Ok(()) };
            let before = std::mem::replace(&mut entry.camera.draft, draft);
            let now = &entry.camera;
            let account_changed = (&before.username, &before.password) != (&now.draft.username, &now.draft.password);
            let old_source = |kind| match kind {
                StreamKind::Main => Some(&before.main),
                StreamKind::Sub => before.sub.as_ref(),
            };
            let is_changed = |s: &mut Stream| account_changed || old_source(s.kind) != now.source(s.kind);
            stopped.extend(entry.streams.extract_if(.., is_changed));
            entry.camera.clone()
        };
        futures::future::join_all(stopped.into_iter().map(|stream| {
            let gone = camera.source(stream.kind).is_none();
            stream.stop(if gone { StopWith::Removed } else { StopWith::Gap(GapCause::Starting) })
        }))
        .await;
        self.start_missing(&camera, Vec::new());
        self.changed.notify_waiters();
        Ok(())
    }

    /// Pauses or resumes the recording of a camera.
    ///
    /// # Errors
    /// When the index refuses; then nothing was changed.
    pub async fn set_paused(&self, id: CameraId, paused: bool) -> Result<(), IndexError> {
        let _one = self.change.lock().await;
        self.context.index.set_camera_paused(id, paused).await?;
        tracing::info!(camera = %id, "{}", if paused { "camera paused" } else { "camera resumed" });
        let (camera, stopped) = {
            let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
            let Some(entry) = running.get_mut(&id) else { return Ok(()) };
            if entry.camera.paused == paused {
                return Ok(());
            }
            entry.camera.paused = paused;
            (entry.camera.clone(), std::mem::take(&mut entry.streams))
        };
        futures::future::join_all(stopped.into_iter().map(|s| s.stop(StopWith::Gap(GapCause::PausedByOperator)))).await;
        self.start_missing(&camera, Vec::new());
        self.changed.notify_waiters();
        Ok(())
    }

    /// Stops a camera and takes it out of the lists. Its footage stays.
    ///
    /// # Errors
    /// When the index refuses; then it goes on.
    pub async fn remove(&self, id: CameraId) -> Result<(), IndexError> {
        let _one = self.change.lock().await;
        self.context.index.remove_camera(id, self.context.clock.now()).await?;
        tracing::info!(camera = %id, "camera removed; its footage stays");
        let removed = self.running.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let streams = removed.map(|r| r.streams).unwrap_or_default();
        futures::future::join_all(streams.into_iter().map(|s| s.stop(StopWith::Removed))).await;
        self.changed.notify_waiters();
        Ok(())
    }

    /// Stops everything: first all connections, then, feeds being closed, all recorders.
    pub async fn stop(&self) {
        let _one = self.change.lock().await;
        let all = std::mem::take(&mut *self.running.write().unwrap_or_else(PoisonError::into_inner));
        let streams: Vec<Stream> = all.into_values().flat_map(|r| r.streams).collect();
        for stream in &streams {
            if let Some(tasks) = &stream.tasks {
                tasks.stop_ingest.cancel();
            }
        }
        futures::future::join_all(streams.into_iter().map(|s| s.stop(StopWith::Gap(GapCause::RecorderDown)))).await;
    }

    /// The thread for what belongs to a camera.
    fn thread_of(&self, id: CameraId) -> &Handle {
        let last = id.as_bytes().last().copied().unwrap_or(0);
        self.ingest[usize::from(last) % self.ingest.len()].handle()
    }

    fn insert(&self, camera: Camera, left: Vec<LeftBehind>) {
        let entry = Running { camera: camera.clone(), streams: Vec::new() };
        self.running.write().unwrap_or_else(PoisonError::into_inner).insert(camera.id, entry);
        self.start_missing(&camera, left);
    }

    /// Starts the streams the camera has and that do not run.
    fn start_missing(&self, camera: &Camera, mut left: Vec<LeftBehind>) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = running.get_mut(&camera.id) else { return };
        for kind in StreamKind::ALL {
            let (own, others) = left.into_iter().partition(|l| l.0.stream == kind);
            left = others;
            if entry.streams.iter().all(|s| s.kind != kind)
                && let Some(source) = camera.source(kind)
            {
                let url = source.url.clone();
                entry.streams.push(self.start(camera, kind, &url, own));
            }
        }
        entry.streams.sort_by_key(|s| s.kind);
    }

    fn start(&self, camera: &Camera, kind: StreamKind, url: &str, left: Vec<LeftBehind>) -> Stream {
        let now = self.context.clock.now();
        let initial = StreamStatus {
            stream: kind,
            state: if camera.paused { CameraState::Paused } else { CameraState::Connecting },
            message: String::new(),
            params: Params::new(),
            since: now,
            retry_at: None,
            video: String::new(),
            audio: String::new(),
            sound: Sound::default(),
            bit_rate_bps: 0,
            frame_rate_milli: 0,
            lost_packets: 0,
            runs: 0,
        };
        let history_bytes = match kind {
            StreamKind::Main => MAIN_HISTORY_BYTES,
            StreamKind::Sub => SUB_HISTORY_BYTES,
        };
        let (publisher, feed) = feed(Limits { history_bytes, ..Limits::default() });
        let (status, status_receiver) = watch::channel(initial);
        let (teller, health) = HealthTeller::new();
        let stopped =
            |tasks| Stream { kind, feed: feed.clone(), status: status_receiver.clone(), health: health.clone(), tasks };
        if camera.paused {
            return stopped(None);
        }
        let url = match StreamConfig::check_url(url) {
            Ok(url) => url,
            Err(error) => {
                // Checked when it was entered; a database from elsewhere may still hold such a one.
                status.send_modify(|status| {
                    status.state = CameraState::Failed(FailureKind::UnknownHost);
                    status.message = error.to_string();
                });
                return stopped(None);
            }
        };
        let config = StreamConfig {
            camera: camera.id,
            stream: kind,
            url,
            username: camera.draft.username.clone(),
            password: camera.draft.password.clone(),
        };
        let stop_ingest = CancellationToken::new();
        let run = (self.pace.clone(), stop_ingest.clone());
        let thread = self.thread_of(camera.id);
        let ingest = supervise(config, self.options, self.context.clock.clone(), publisher, status, run);
        let (stop_recorder, stop) = oneshot::channel();
        let which = RecordedStream { camera: camera.id, stream: kind, started: now };
        let recorder = record(self.context.clone(), which, left, feed.clone(), stop, teller, thread.clone());
        stopped(Some(Tasks {
            stop_ingest,
            ingest: thread.spawn(ingest),
            stop_recorder,
            recorder: tokio::spawn(recorder),
        }))
    }
}

async fn record(
    context: RecorderContext,
    which: RecordedStream,
    left: Vec<LeftBehind>,
    feed: Feed,
    mut stop: oneshot::Receiver<StopWith>,
    teller: HealthTeller,
    thread: Handle,
) {
    // The connection is being set up meanwhile; the feed keeps what comes.
    loop {
        match StreamRecorder::start(context.clone(), which, left.clone(), teller.clone()).await {
            // Questions to the index are not kept waiting for a step of that thread; what follows is.
            Ok(recorder) => match thread.spawn(recorder.run(feed, stop)).await {
                Ok(()) => return,
                // A panic, already logged with its place; it goes on to who waits for this task.
                Err(error) => return error.try_into_panic().map_or((), |panic| std::panic::resume_unwind(panic)),
            },
            Err(error) => {
                teller.fail(FailureKind::RecorderBehind, chain(&error), context.clock.now());
                tracing::error!(camera = %which.camera, stream = %which.stream, error = &error as &dyn std::error::Error, "cannot start recording; trying on");
            }
        }
        tokio::select! {
            _ = &mut stop => return,
            () = tokio::time::sleep(INDEX_RETRY) => {}
        }
    }
}

impl Running {
    fn status(&self, context: &RecorderContext) -> CameraStatus {
        let mut camera = self.camera.clone();
        // Write-only: what leaves this module says at most that there is one.
        if !camera.draft.password.is_empty() {
            camera.draft.password = Secret::new("set");
        }
        let now = Mark { at: tokio::time::Instant::now(), wall: context.clock.now() };
        let limit = context.confirm_limit();
        CameraStatus { camera, streams: self.streams.iter().map(|s| s.shown(limit, now)).collect() }
    }
}

impl Stream {
    /// Its state as people are shown it: recording only while the disk confirms it.
    fn shown(&self, limit: Duration, now: Mark) -> StreamStatus {
        let status = self.status.borrow().clone();
        // Closed once every teller is gone, and with them the recorder.
        let alive = self.health.has_changed().is_ok();
        self.health.borrow().shown(status, alive, limit, now)
    }

    async fn stop(self, with: StopWith) {
        let Some(tasks) = self.tasks else { return };
        // In the order the data moves: when the connection has ended, its publisher is gone and the feed is closed.
        tasks.stop_ingest.cancel();
        if let Err(error) = tasks.ingest.await {
            tracing::error!(%error, "ingest task panicked");
        }
        // A recorder that ended by itself needs no telling.
        let _ = tasks.stop_recorder.send(with);
        if let Err(error) = tasks.recorder.await {
            tracing::error!(%error, "recorder task panicked");
        }
    }
}

/// The first stream whose pictures come and do not reach the disk: what stands for the state of the store.
pub fn not_recorded(cameras: &[CameraStatus]) -> Option<(CameraId, &StreamStatus)> {
    let is = |s: &&StreamStatus| matches!(s.state, CameraState::NotRecording(_));
    cameras.iter().find_map(|c| Some((c.camera.id, c.streams.iter().find(is)?)))
}

/// Whether a password is set, from what [`Cameras::get`] gives out.
pub fn has_password(status: &CameraStatus) -> bool {
    !status.camera.draft.password.is_empty()
}
