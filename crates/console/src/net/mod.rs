//! The network side: one tokio runtime on named threads; requests go in, results come out, both bounded.
//!
//! What belongs here: calling the server and telling what came of it. Media streams are opened by the players
//! (`video::player`), on this runtime. Nothing here changes the console's state.

mod call;
mod export;
mod watch;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use minhbach_client::{CameraTimeline, Client, ClientError, ClientErrorKind, HoldDraft, IncidentChange, ServerStatus};
use minhbach_decode::RgbaImage;
use minhbach_model::{
    CameraDraft, CameraId, CameraStatus, Hold, HoldId, Incident, IncidentDraft, IncidentId, PlaceTree, Refusal,
    RemovedCamera, WallRange, WallTime,
};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::state::cameras::{NewPlace, TestRow};
use crate::state::export::Measured;

/// Requests that may wait; a person cannot make more at once.
const REQUESTS: usize = 64;
/// Results that may wait for the next frame.
const REPLIES: usize = 256;
/// How long the end of the console waits for the network.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What kind of failure a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection to the server.
    Unreachable,
    /// What was named does not exist.
    NotFound,
    /// The server refuses the request as it is.
    Refused,
    /// Somebody else changed it in between.
    Conflict,
    /// No answer in time.
    TimedOut,
    /// Server or console is wrong.
    Broken,
    /// A file on this workstation.
    Local,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind: the text for a person.
    pub kind: ErrorKind,
    /// The exact failure in English, for a technician.
    pub detail: String,
    /// Why the server refuses, when it says so: the text for a person then comes from here.
    pub refusal: Option<Refusal>,
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let kind = match error.kind() {
            ClientErrorKind::Unreachable => ErrorKind::Unreachable,
            ClientErrorKind::NotFound => ErrorKind::NotFound,
            ClientErrorKind::Refused => ErrorKind::Refused,
            ClientErrorKind::Conflict => ErrorKind::Conflict,
            ClientErrorKind::TimedOut => ErrorKind::TimedOut,
            ClientErrorKind::Broken => ErrorKind::Broken,
        };
        Self { kind, detail: error.to_string(), refusal: error.refusal }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self { kind: ErrorKind::Local, detail: error.to_string(), refusal: None }
    }
}

/// What an incident change is for, so that its answer is shown in the right place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeFrom {
    /// The message after flagging.
    Toast,
    /// The detail editor.
    Editor,
}

/// One file of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportFile {
    /// The camera.
    pub camera: CameraId,
    /// Where it goes.
    pub path: PathBuf,
}

/// Something asked of the network.
#[derive(Debug)]
pub enum Request {
    /// Every place.
    Places,
    /// The cameras that were removed.
    RemovedCameras,
    /// Every incident.
    Incidents,
    /// Every hold.
    Holds,
    /// Place a hold.
    PlaceHold(Box<HoldDraft>),
    /// Release a hold: who, and why.
    ReleaseHold(HoldId, String, String),
    /// What is recorded.
    Timeline(Vec<CameraId>, WallRange),
    /// The first recorded moment of these cameras.
    FirstRecorded(Vec<CameraId>),
    /// Flag an incident.
    Flag(IncidentDraft),
    /// Take a flag back.
    Undo(IncidentId),
    /// Change an incident.
    Change(ChangeFrom, IncidentId, u64, IncidentChange),
    /// Add or change a camera.
    Save(Box<SaveCamera>),
    /// Pause (`true`) or resume a camera.
    Pause(CameraId, bool),
    /// Remove a camera.
    Remove(CameraId),
    /// Try a camera; the number tells the answer apart.
    Test(u64, Option<CameraId>, Box<CameraDraft>),
    /// Ask how large exports will be; the number tells the answer apart.
    Measure(u64, Vec<CameraId>, WallRange, bool),
    /// Write exports; the number is the job's.
    Export(u64, Vec<ExportFile>, WallRange, bool),
    /// Stop a job.
    CancelExport(u64),
    /// Write a file of this workstation: settings, a list.
    Write(FileKind, PathBuf, String),
}

/// A camera to add or change.
#[derive(Debug)]
pub struct SaveCamera {
    /// The camera that is changed; `None` adds one.
    pub id: Option<CameraId>,
    /// What is configured.
    pub draft: CameraDraft,
    /// Keep the password the server has.
    pub keep_password: bool,
    /// A place to add first.
    pub new_place: Option<NewPlace>,
}

/// What a written file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Settings: nothing is said when it worked.
    Settings,
    /// A list for a spreadsheet.
    List,
}

/// Something the network has to tell.
pub enum Reply {
    /// The server answers.
    Status(Box<ServerStatus>),
    /// It does not; when it is tried again and the exact failure.
    Down(Instant, String),
    /// Cameras with their state.
    Cameras(Vec<CameraStatus>),
    /// Every place.
    Places(Result<PlaceTree, Problem>),
    /// The cameras that were removed.
    RemovedCameras(Result<Vec<RemovedCamera>, Problem>),
    /// Every incident.
    Incidents(Result<Vec<Incident>, Problem>),
    /// Every hold.
    Holds(Result<Vec<Hold>, Problem>),
    /// A hold that was placed.
    HoldPlaced(Result<Hold, Problem>),
    /// A hold that was released.
    HoldReleased(HoldId, Result<Hold, Problem>),
    /// What is recorded.
    Timeline(Result<Vec<CameraTimeline>, Problem>),
    /// The first recorded moment.
    FirstRecorded(Result<Option<WallTime>, Problem>),
    /// A flagged incident.
    Flagged(Result<Incident, Problem>),
    /// A flag that was taken back.
    Undone(IncidentId, Result<(), Problem>),
    /// A changed incident.
    Changed(ChangeFrom, IncidentId, Result<Incident, Problem>),
    /// A camera that was added (`true`) or changed.
    Saved(bool, Result<CameraStatus, Problem>),
    /// A camera that was paused or resumed.
    Paused(CameraId, bool, Result<(), Problem>),
    /// A camera that was removed.
    Removed(CameraId, Result<(), Problem>),
    /// A camera that was tried.
    Tested(u64, Result<(Vec<TestRow>, Option<RgbaImage>), Problem>),
    /// How large one camera's export will be.
    Measured(u64, CameraId, Result<Measured, Problem>),
    /// Announced and written bytes of a file of a job.
    ExportProgress(u64, usize, u64, u64),
    /// A file of a job has ended.
    ExportEnded(u64, usize, Result<(), Problem>),
    /// A file was written.
    Written(FileKind, PathBuf, Result<(), Problem>),
}

/// The network side. Dropping it stops it.
pub struct Net {
    client: Client,
    requests: Option<mpsc::Sender<Request>>,
    replies: mpsc::Receiver<Reply>,
    dispatcher: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

/// What every task needs.
#[derive(Clone)]
struct Link {
    client: Client,
    replies: mpsc::Sender<Reply>,
    egui: egui::Context,
}

impl Link {
    /// Hands a result to the next frame; waits while too many wait already.
    async fn tell(&self, reply: Reply) {
        // The receiver is gone only when the console ends: then nobody is left to be told.
        let _ = self.replies.send(reply).await;
        self.egui.request_repaint();
    }
}

impl Net {
    /// Starts the runtime and the tasks that watch the server.
    ///
    /// # Errors
    /// [`Problem`] when threads cannot be started or the address is none.
    pub fn start(url: &str, egui: egui::Context) -> Result<Self, Problem> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("console-net")
            .enable_all()
            .build()?;
        let client = runtime.block_on(Client::connect(url))?;
        let (requests, incoming) = mpsc::channel(REQUESTS);
        let (outgoing, replies) = mpsc::channel(REPLIES);
        let link = Link { client: client.clone(), replies: outgoing, egui };
        let dispatcher = runtime.spawn(dispatch(link, incoming));
        Ok(Self { client, requests: Some(requests), replies, dispatcher: Some(dispatcher), runtime: Some(runtime) })
    }

    /// For players.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// For players.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.runtime.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Asks for something; `false` when too much is waiting already.
    pub fn ask(&self, request: Request) -> bool {
        let Some(requests) = &self.requests else { return false };
        match requests.try_send(request) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "too many requests wait");
                false
            }
        }
    }

    /// The next result, if there is one.
    pub fn take(&mut self) -> Option<Reply> {
        self.replies.try_recv().ok()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // Without senders the dispatcher ends, and with it every task it owns.
        self.requests = None;
        // A task that waits to tell something must not hold it up.
        self.replies.close();
        let Some(runtime) = self.runtime.take() else { return };
        if let Some(dispatcher) = self.dispatcher.take() {
            let stopped = runtime.block_on(async { tokio::time::timeout(STOP_LIMIT, dispatcher).await });
            if stopped.is_err() {
                tracing::warn!("the network tasks did not end in time");
            }
        }
        runtime.shutdown_timeout(STOP_LIMIT);
    }
}

/// Owns every task: each request runs in one of its own, so that a slow one holds up no other.
async fn dispatch(link: Link, mut requests: mpsc::Receiver<Request>) {
    let mut tasks = JoinSet::new();
    let mut exports: HashMap<u64, AbortHandle> = HashMap::new();
    tasks.spawn(watch::status(link.clone()));
    tasks.spawn(watch::cameras(link.clone()));
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                None => break,
                Some(Request::CancelExport(job)) => {
                    if let Some(task) = exports.remove(&job) {
                        task.abort();
                    }
                }
                Some(Request::Export(job, files, range, without_audio)) => {
                    let task = tasks.spawn(export::run(link.clone(), job, files, range, without_audio));
                    exports.insert(job, task);
                }
                Some(request) => {
                    tasks.spawn(call::run(link.clone(), request));
                }
            },
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended && !error.is_cancelled() {
                    tracing::error!(%error, "a network task failed");
                }
                exports.retain(|_, task| !task.is_finished());
            }
        }
    }
    tasks.shutdown().await;
}
