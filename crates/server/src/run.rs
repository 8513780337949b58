//! Start and stop, on one screen: stages are built in the order the data moves and drained in the same order.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use minhbach_recorder::{Ledger, RecorderContext};
use minhbach_runtime::{Clock, Tasks};
use minhbach_store::Stores;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::archive::{ArchiveError, Background, open_index, open_tiers};
use crate::cameras::Cameras;
use crate::config::Config;
use crate::http;
use crate::services::{self, Shared};

/// Open answers to clients get this long to end.
const API_PATIENCE: Duration = Duration::from_secs(3);

/// Why the server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data folder cannot be used.
    #[error("cannot use the data folder {path}")]
    DataDir {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another server uses the same folder.
    #[error("another server uses the data folder {0}: stop it, or give another folder with --data-dir")]
    InUse(PathBuf),
    /// The address is taken or not allowed.
    #[error("cannot listen on {address}: {}", listen_advice(source))]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The index cannot be opened.
    #[error("cannot open the index")]
    Index(#[from] minhbach_index::IndexError),
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[from] minhbach_store::StoreError),
    /// The archive cannot be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What is recorded cannot be looked at.
    #[error("cannot look at what is recorded")]
    Recorder(#[from] minhbach_recorder::RecorderError),
    /// The system gives no thread for the connections to cameras.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signal(#[source] std::io::Error),
    /// The API could not be set up.
    #[error("cannot set up the interface")]
    Api(#[from] tonic_reflection::server::Error),
}

/// Runs until SIGTERM or SIGINT, then lets nothing be lost that was received.
///
/// # Errors
/// When a stage cannot be built.
pub async fn run(config: Config) -> Result<(), RunError> {
    // Signals first: one that comes during the start must not kill the process halfway.
    let stop = signals()?;
    // An address that is taken ends the start before anything is made or touched.
    let grpc = listen(config.listen.grpc).await?;
    let side_door = listen(config.listen.http).await?;
    let _lock = lock(&config)?;
    allow_many_files();
    let clock = Clock::system();
    let started = clock.now();

    // Build: index → store and archive → recorders → cameras → what archives, keeps and patrols → API. What is there is
    // looked at before anything is added: from that it is known whether anything may be deleted.
    let index = open_index(&config, started).await?;
    let tiers = open_tiers(&config)?;
    for disk in tiers.disks.sharing() {
        tracing::warn!(disk = %disk.display(), "two disks of the spool are one file system: they fill up and fail together");
    }
    let store = Arc::new(Stores::open(tiers.disks.clone(), config.store())?);
    let findings = Background::look(&index, &tiers, &clock).await?;
    let (ledger, ledger_writer) = Ledger::new(Arc::clone(&index));
    let ledger_task = tokio::spawn(ledger_writer);
    let (ledger_stats, ledger_end) = (ledger.stats(), ledger.clone());
    let recorder = RecorderContext {
        store: Arc::clone(&store),
        footage: Arc::clone(&tiers.footage),
        index: Arc::clone(&index),
        ledger,
        clock: clock.clone(),
        segment: Duration::from_secs(config.recording.segment_secs.into()),
        begun: started,
    };
    let cameras = Arc::new(Cameras::new(recorder, config.ingest()).map_err(RunError::Thread)?);
    cameras.load().await?;
    let background = Background::start(&config, &index, &tiers, &clock, findings);
    background.watch(&store);
    let addresses = (local(&grpc, config.listen.grpc)?, local(&side_door, config.listen.http)?);
    let api = Tasks::new();
    let shared = Arc::new(Shared {
        cameras: Arc::clone(&cameras),
        index: Arc::clone(&index),
        store: Arc::clone(&store),
        footage: Arc::clone(&tiers.footage),
        ledger: ledger_stats,
        archive: background.status.clone(),
        clock,
        started,
        tasks: api.clone(),
    });
    services::serve(&shared, grpc)?;
    http::serve(&shared, side_door);
    println!("ready grpc=http://{} http=http://{} data={}", addresses.0, addresses.1, config.data_dir.display());

    stop.cancelled().await;
    tracing::info!("stopping");

    // Drain: API → cameras → feeds → recorders (these three inside `Cameras::stop`), and beside them what archives, keeps
    // and patrols → store → ledger → index.
    let left = api.stop(API_PATIENCE).await;
    if left > 0 {
        tracing::warn!(left, "clients did not let go; their answers are cut off");
    }
    tokio::join!(cameras.stop(), background.stop());
    store.stop().await;
    ledger_end.end().await;
    if let Err(error) = ledger_task.await {
        tracing::error!(%error, "the ledger's writer panicked");
    }
    index.close().await?;
    tracing::info!("stopped; everything received is on disk");
    Ok(())
}

/// Cancelled by SIGTERM or SIGINT.
pub(crate) fn signals() -> Result<CancellationToken, RunError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signal)?;
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    // Ends with the runtime; it owns nothing but the two signals.
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancel.cancel();
    });
    Ok(stop)
}

/// A camera takes six descriptors; the usual soft limit of 1,024 is too low for two hundred of them.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%error, current = limit.current, "the limit of open files cannot be raised");
    }
}

/// One server a folder: two would write over each other's rows.
pub(crate) fn lock(config: &Config) -> Result<File, RunError> {
    let data_dir = |source| RunError::DataDir { path: config.data_dir.clone(), source };
    std::fs::create_dir_all(&config.data_dir).map_err(data_dir)?;
    let file = File::create(config.data_dir.join("lock")).map_err(data_dir)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(RunError::InUse(config.data_dir.clone())),
        Err(std::fs::TryLockError::Error(source)) => Err(data_dir(source)),
    }
}

fn listen_advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program uses it, perhaps another minhbach-server; stop that, or give another address with --listen or --http"
        }
        std::io::ErrorKind::PermissionDenied => "ports below 1024 are for the system; give another one",
        _ => "the system refuses",
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })
}

fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, RunError> {
    listener.local_addr().map_err(|source| RunError::Listen { address, source })
}
