//! Start and stop, on one screen: stages are built in the order the data moves and drained in the same order.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use minhbach_index::{Index, SqliteIndex};
use minhbach_recorder::{ArchiveTeller, Interlock, Keeper, Ledger, RecorderContext};
use minhbach_runtime::{Clock, Tasks};
use minhbach_store::{Identity, Store, write_identity};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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
    #[error("cannot listen on {address}")]
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
    let _lock = lock(&config)?;
    allow_many_files();
    let clock = Clock::system();
    let started = clock.now();

    // Build: index and store → recorders → cameras → keeper → API.
    let index: Arc<dyn Index> = Arc::new(SqliteIndex::open(&config.data_dir.join("index.sqlite"), started).await?);
    let store = Arc::new(Store::open(&config.data_dir.join("footage"), config.store())?);
    // Before anything is recorded: what is there now tells whether this database is the right one.
    let identity = Identity { database_id: index.database_id(), generation: index.generation() };
    let interlock = Interlock::look(store.root(), &identity)?;
    let (ledger, ledger_writer) = Ledger::new(Arc::clone(&index));
    let ledger_task = tokio::spawn(ledger_writer);
    let (ledger_stats, ledger_end) = (ledger.stats(), ledger.clone());
    let recorder = RecorderContext {
        store: Arc::clone(&store),
        index: Arc::clone(&index),
        ledger,
        clock: clock.clone(),
        segment: Duration::from_secs(config.recording.segment_secs.into()),
    };
    let cameras = Arc::new(Cameras::new(recorder, config.ingest()));
    cameras.load().await?;
    let (teller, archive) = ArchiveTeller::new("none");
    let keeper = Keeper {
        index: Arc::clone(&index),
        store: Arc::clone(&store),
        clock: clock.clone(),
        interlock,
        default: config.retention(),
        watermarks: config.watermarks(),
        teller,
    };
    let stop_keeper = CancellationToken::new();
    let keeper_task = tokio::spawn(keeper.run(stop_keeper.clone()));
    let grpc = listen(config.listen.grpc).await?;
    let side_door = listen(config.listen.http).await?;
    let addresses = (local(&grpc, config.listen.grpc)?, local(&side_door, config.listen.http)?);
    let api = Tasks::new();
    let shared = Arc::new(Shared {
        cameras: Arc::clone(&cameras),
        index: Arc::clone(&index),
        store: Arc::clone(&store),
        ledger: ledger_stats,
        archive,
        clock,
        started,
        tasks: api.clone(),
    });
    services::serve(&shared, grpc)?;
    http::serve(&shared, side_door);
    println!("ready grpc=http://{} http=http://{} data={}", addresses.0, addresses.1, config.data_dir.display());

    stop.cancelled().await;
    tracing::info!("stopping");

    // Drain: API → keeper → cameras → feeds → recorders (these three inside `Cameras::stop`) → store → ledger → index.
    let left = api.stop(API_PATIENCE).await;
    if left > 0 {
        tracing::warn!(left, "clients did not let go; their answers are cut off");
    }
    stop_keeper.cancel();
    if let Err(error) = keeper_task.await {
        tracing::error!(%error, "the keeper panicked");
    }
    cameras.stop().await;
    store.stop().await;
    ledger_end.end().await;
    if let Err(error) = ledger_task.await {
        tracing::error!(%error, "the ledger's writer panicked");
    }
    index.close().await?;
    tracing::info!("stopped; everything received is on disk");
    Ok(())
}

/// Says on purpose that the footage in the folder belongs to the database in it, so that it may delete again.
///
/// # Errors
/// When a server uses the folder, or it cannot be used.
pub async fn trust_database(config: Config) -> Result<(), RunError> {
    // Looked for before anything is made: a mistyped folder must stay untouched.
    let path = config.data_dir.join("footage");
    std::fs::metadata(&path).map_err(|source| RunError::DataDir { path, source })?;
    let _lock = lock(&config)?;
    let index = SqliteIndex::open(&config.data_dir.join("index.sqlite"), Clock::system().now()).await?;
    let identity = Identity { database_id: index.database_id(), generation: index.generation() };
    write_identity(&config.data_dir.join("footage"), &identity)?;
    index.close().await?;
    Ok(())
}

/// Cancelled by SIGTERM or SIGINT.
fn signals() -> Result<CancellationToken, RunError> {
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
fn lock(config: &Config) -> Result<File, RunError> {
    let data_dir = |source| RunError::DataDir { path: config.data_dir.clone(), source };
    std::fs::create_dir_all(&config.data_dir).map_err(data_dir)?;
    let file = File::create(config.data_dir.join("lock")).map_err(data_dir)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(RunError::InUse(config.data_dir.clone())),
        Err(std::fs::TryLockError::Error(source)) => Err(data_dir(source)),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })
}

fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, RunError> {
    listener.local_addr().map_err(|source| RunError::Listen { address, source })
}
