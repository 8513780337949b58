//! The one thread that writes to a disk: appends as they come, one group sync for all files every so often.
//!
//! Its queue is bounded in bytes. When it is full the recorder waits, its place in the feed falls behind, and what the feed
//! drops becomes a gap `recorder_behind`: nobody else notices.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{IoSlice, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;

use crate::{JournalFile, SegmentKey, Space, StoreError};

/// Most buffers handed to one `writev` (POSIX guarantees 16, Linux allows 1024).
const WRITEV_MAX: usize = 512;

/// How a store writes.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Time between group syncs.
    pub sync_interval: Duration,
    /// Bytes that may wait to be written.
    pub queue_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { sync_interval: Duration::from_secs(1), queue_bytes: 64 * 1024 * 1024 }
    }
}

/// State of a file being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Open for appending.
    Open,
    /// Closed and synced.
    Closed,
    /// Given up: what is not told as durable may be lost.
    Failed {
        /// The disk is full.
        disk_full: bool,
        /// What the operating system said.
        message: String,
    },
}

/// What is safe on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durable {
    /// Fragments whose bytes and sidecar lines are synced.
    pub fragments: u64,
    /// The file's state.
    pub state: FileState,
}

struct Append {
    file: u64,
    data: Vec<Bytes>,
    line: Vec<u8>,
    /// Held until written: the bound of the queue.
    _permit: OwnedSemaphorePermit,
}

enum Command {
    Create { file: u64, key: SegmentKey, init: Bytes, line: Vec<u8>, durable: watch::Sender<Durable> },
    Append(Append),
    Close { file: u64 },
    Stop,
}

/// A folder of segments and its writing thread.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    sync_interval: Duration,
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
    queue_kib: u32,
    next_file: std::sync::atomic::AtomicU64,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the folder, making it when it is not there, and starts the writing thread. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn open(root: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let io = |action| move |source| StoreError::Io { action, path: root.to_owned(), source };
        create_private(root).map_err(io("create"))?;
        let probe = root.join(".writable");
        std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(io("write to"))?;
        if let Err(error) = JournalFile::reserve(root) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a disk that is filled to the last byte could not be freed");
        }
        let queue_kib = u32::try_from(options.queue_bytes / 1024).unwrap_or(u32::MAX >> 4).max(1024);
        let (commands, receiver) = mpsc::channel(1024);
        let disk = Disk { root: root.to_owned(), files: HashMap::new(), new_dirs: HashSet::new() };
        let handle = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new()
            .name("disk-0".to_owned())
            .spawn(move || handle.block_on(disk.run(receiver, options.sync_interval)))
            .map_err(io("start the writing thread for"))?;
        Ok(Self {
            root: root.to_owned(),
            sync_interval: options.sync_interval,
            commands,
            room: Arc::new(Semaphore::new(queue_kib as usize)),
            queue_kib,
            next_file: std::sync::atomic::AtomicU64::new(1),
            thread: std::sync::Mutex::new(Some(thread)),
        })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Time between group syncs: what is handed over is told as durable about this much later.
    #[must_use]
    pub fn sync_interval(&self) -> Duration {
        self.sync_interval
    }

    /// Space on its disk.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn space(&self) -> Result<Space, StoreError> {
        let stat = rustix::fs::statvfs(&self.root).map_err(|e| StoreError::Io {
            action: "measure",
            path: self.root.clone(),
            source: e.into(),
        })?;
        Ok(Space {
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }

    /// Starts a segment: its initialisation segment and the first line of its sidecar. Once the answer is dropped, what of it is
    /// still waiting is not written any more.
    ///
    /// # Errors
    /// [`StoreError::Stopped`]; failures of the disk are told through [`SegmentWriter::durable`].
    pub async fn create(&self, key: &SegmentKey, init: Bytes, line: Vec<u8>) -> Result<SegmentWriter, StoreError> {
        let file = self.next_file.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (sender, durable) = watch::channel(Durable { fragments: 0, state: FileState::Open });
        let command = Command::Create { file, key: key.clone(), init, line, durable: sender };
        self.commands.send(command).await.map_err(|_| StoreError::Stopped)?;
        Ok(SegmentWriter {
            file,
            commands: self.commands.clone(),
            room: Arc::clone(&self.room),
            queue_kib: self.queue_kib,
            durable,
            patience: None,
        })
    }

    /// Writes and syncs everything that was handed over, closes all files and ends the thread.
    pub async fn stop(&self) {
        // The thread may have ended by itself; then there is nothing to tell it.
        let _ = self.commands.send(Command::Stop).await;
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the writing thread panicked");
            }
        }
    }
}

/// Makes the folder when it is not there: for its owner alone, because footage shows people. One that is there keeps its mode:
/// whoever made it decided.
pub(crate) fn create_private(root: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(root)
}

/// A segment being written.
#[derive(Debug)]
pub struct SegmentWriter {
    file: u64,
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
    queue_kib: u32,
    durable: watch::Receiver<Durable>,
    patience: Option<Duration>,
}

impl SegmentWriter {
    /// The same, that waits for so long at most where its queue is full.
    pub(crate) fn with_patience(self, patience: Option<Duration>) -> Self {
        Self { patience, ..self }
    }

    /// Hands over a fragment and its sidecar line; waits while the queue is full.
    ///
    /// # Errors
    /// [`StoreError::Stopped`], and [`StoreError::Slow`] where there are other disks and this one takes nothing: then the
    /// segment must be given up. Failures of the disk are told through [`Self::durable`].
    pub async fn append(&self, data: Vec<Bytes>, line: Vec<u8>) -> Result<(), StoreError> {
        within(self.patience, self.hand_over(data, line)).await
    }

    async fn hand_over(&self, data: Vec<Bytes>, line: Vec<u8>) -> Result<(), StoreError> {
        let bytes: usize = data.iter().map(Bytes::len).sum();
        // A fragment larger than the whole queue takes all of it rather than never fitting.
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(self.queue_kib);
        let permit = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| StoreError::Stopped)?;
        let append = Append { file: self.file, data, line, _permit: permit };
        self.commands.send(Command::Append(append)).await.map_err(|_| StoreError::Stopped)
    }

    /// Closes the segment; told as [`FileState::Closed`] when it is synced.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn close(&self) -> Result<(), StoreError> {
        let close = Command::Close { file: self.file };
        within(self.patience, async { self.commands.send(close).await.map_err(|_| StoreError::Stopped) }).await
    }

    /// What is safe on disk, as it changes.
    pub fn durable(&mut self) -> &mut watch::Receiver<Durable> {
        &mut self.durable
    }
}

/// Waits for so long at most, if that is limited.
pub(crate) async fn within<T>(
    patience: Option<Duration>,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match patience {
        // It is asked first: the clock is looked at only when it has to wait.
        Some(patience) => tokio::time::timeout(patience, work).await.unwrap_or(Err(StoreError::Slow)),
        None => work.await,
    }
}

struct OpenFile {
    media: File,
    sidecar: File,
    path: PathBuf,
    written: u64,
    dirty: bool,
    closing: bool,
    durable: watch::Sender<Durable>,
}

struct Disk {
    root: PathBuf,
    files: HashMap<u64, OpenFile>,
    /// Directories that got a new entry since the last sync.
    new_dirs: HashSet<PathBuf>,
}

impl Disk {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>, sync_interval: Duration) {
        let mut next_sync = Instant::now() + sync_interval;
        let mut batch = Vec::new();
        loop {
            let received = tokio::time::timeout_at(next_sync, commands.recv_many(&mut batch, 64)).await;
            let ended = matches!(received, Ok(0));
            let mut stop = ended;
            for command in batch.drain(..) {
                stop |= matches!(command, Command::Stop);
                self.execute(command);
            }
            if stop {
                for file in self.files.values_mut() {
                    file.closing = true;
                }
            }
            if stop || Instant::now() >= next_sync {
                self.sync();
                next_sync = Instant::now() + sync_interval;
            }
            if stop {
                return;
            }
        }
    }

    fn execute(&mut self, command: Command) {
        match command {
            // Given up before this disk came to it: it is on another one.
            Command::Create { durable, .. } if durable.is_closed() => {}
            Command::Create { file, key, init, line, durable } => {
                match self.create(&key, &init, &line) {
                    Ok((media, sidecar, path)) => {
                        let open = OpenFile { media, sidecar, path, written: 0, dirty: true, closing: false, durable };
                        self.files.insert(file, open);
                    }
                    Err(error) => fail(&durable, &key.media_path(&self.root), &error),
                };
            }
            Command::Append(append) => {
                let Some(file) = self.files.get_mut(&append.file) else { return };
                if file.durable.is_closed() {
                    // The same; what is synced stays.
                    self.files.remove(&append.file);
                    return;
                }
                // 1. media bytes, 2. their line: a line never speaks of bytes that were not written.
                let written = write_all_vectored(&mut file.media, &append.data)
                    .and_then(|()| file.sidecar.write_all(&append.line));
                match written {
                    Ok(()) => {
                        file.written += 1;
                        file.dirty = true;
                    }
                    Err(error) => {
                        fail(&file.durable, &file.path, &error);
                        self.files.remove(&append.file);
                    }
                }
            }
            Command::Close { file } => {
                if let Some(file) = self.files.get_mut(&file) {
                    file.closing = true;
                    file.dirty = true;
                }
            }
            Command::Stop => {}
        }
    }

    fn create(&mut self, key: &SegmentKey, init: &[u8], line: &[u8]) -> std::io::Result<(File, File, PathBuf)> {
        let path = key.media_path(&self.root);
        let dir = path.parent().unwrap_or(&self.root).to_owned();
        let mut media = match self.create_in(&dir, &path) {
            // Who frees the spool takes empty directories away, maybe between the making of this one and its use.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.create_in(&dir, &path)?,
            other => other?,
        };
        self.new_dirs.insert(dir);
        let mut sidecar = create_new(&key.sidecar_path(&self.root))?;
        media.write_all(init)?;
        sidecar.write_all(line)?;
        Ok((media, sidecar, path))
    }

    fn create_in(&mut self, dir: &Path, path: &Path) -> std::io::Result<File> {
        if !dir.is_dir() {
            std::fs::create_dir_all(dir)?;
            // Every directory on the way may be new.
            self.new_dirs.extend(dir.ancestors().take_while(|a| a.starts_with(&self.root)).map(Path::to_owned));
        }
        create_new(path)
    }

    /// One group sync: data of every file, then the sidecars, then directories, then everyone is told.
    fn sync(&mut self) {
        let mut failed = Vec::new();
        for (&id, file) in self.files.iter_mut().filter(|(_, file)| file.dirty) {
            if let Err(error) = file.media.sync_data().and_then(|()| file.sidecar.sync_data()) {
                // Never retried: the kernel may have dropped the pages and would call the next sync good.
                fail(&file.durable, &file.path, &error);
                failed.push(id);
            }
        }
        for id in failed {
            self.files.remove(&id);
        }
        for dir in std::mem::take(&mut self.new_dirs) {
            if let Err(error) = File::open(&dir).and_then(|dir| dir.sync_all()) {
                for (_, file) in self.files.extract_if(|_, file| file.path.starts_with(&dir)) {
                    fail(&file.durable, &dir, &error);
                }
            }
        }
        for file in self.files.values_mut().filter(|file| file.dirty) {
            file.dirty = false;
            let state = if file.closing { FileState::Closed } else { FileState::Open };
            file.durable.send_replace(Durable { fragments: file.written, state });
        }
        // Whoever gave a file up because this disk hung asks for it no more.
        self.files.retain(|_, file| !file.closing && !file.durable.is_closed());
    }
}

fn create_new(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn fail(durable: &watch::Sender<Durable>, path: &Path, error: &std::io::Error) {
    let disk_full = matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
    tracing::error!(path = %path.display(), %error, disk_full, "file given up");
    durable.send_modify(|durable| durable.state = FileState::Failed { disk_full, message: error.to_string() });
}

fn write_all_vectored(file: &mut File, data: &[Bytes]) -> std::io::Result<()> {
    for group in data.chunks(WRITEV_MAX) {
        let mut slices: Vec<IoSlice<'_>> = group.iter().map(|bytes| IoSlice::new(bytes)).collect();
        let mut rest = slices.as_mut_slice();
        // Empty slices at the front would make a successful write look like none.
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match file.write_vectored(rest) {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use minhbach_evidence::{ClockState, Digest, FragmentRecord, Sidecar, SidecarHeader, SidecarWriter};
    use minhbach_model::{CameraId, SegmentId, StreamKind, WallTime};

    use super::*;
    use crate::{SegmentReader, read_sidecar};

    fn record(data: &[Bytes]) -> FragmentRecord {
        let all: Vec<u8> = data.concat();
        FragmentRecord {
            offset: 0,
            len: all.len() as u64,
            media_start_90k: 0,
            start_wall_ns: 0,
            end_wall_ns: 1,
            video: 1,
            audio: 0,
            lost: 0,
            key: true,
            clock: ClockState::Tied,
            sha256: Digest::of(&all),
            prev: Digest([0; 32]),
        }
    }

    fn begin(init: &[u8], key: &SegmentKey) -> (SidecarWriter, Vec<u8>) {
        SidecarWriter::start(SidecarHeader {
            version: 0,
            camera: String::new(),
            stream: String::new(),
            segment: String::new(),
            key: key.to_string(),
            start: String::new(),
            video: String::new(),
            audio: String::new(),
            init_len: init.len() as u64,
            init_sha256: Digest::of(init),
            prev: Digest([0; 32]),
        })
        .unwrap()
    }

    fn new_key() -> SegmentKey {
        SegmentKey::new(
            CameraId::generate(),
            StreamKind::Main,
            WallTime::from_secs(1_790_000_000),
            SegmentId::generate(),
        )
    }

    #[tokio::test]
    async fn what_is_told_as_durable_reads_back_and_a_flipped_bit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions { sync_interval: Duration::from_millis(20), ..StoreOptions::default() };
        let store = Store::open(dir.path(), options).unwrap();
        let key = new_key();
        let (mut sidecar, line) = begin(b"init", &key);
        let mut writer = store.create(&key, Bytes::from_static(b"init"), line).await.unwrap();
        for part in [&b"first"[..], b"second"] {
            let data = vec![Bytes::new(), Bytes::copy_from_slice(part), Bytes::from_static(b"!")];
            let line = sidecar.append(&mut record(&data)).unwrap();
            writer.append(data, line).await.unwrap();
        }
        writer.durable().wait_for(|d| d.fragments == 2).await.unwrap();
        writer.close().await.unwrap();
        writer.durable().wait_for(|d| d.state == FileState::Closed).await.unwrap();
        store.stop().await;

        let sidecar: Sidecar = read_sidecar(dir.path(), &key).unwrap();
        let reader = SegmentReader::open(dir.path(), &key).unwrap();
        assert_eq!(&reader.init(&sidecar).unwrap()[..], b"init");
        assert_eq!(&reader.fragment(&sidecar.fragments[1]).unwrap()[..], b"second!");

        let path = key.media_path(dir.path());
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(reader.fragment(&sidecar.fragments[0]).is_ok());
        assert!(matches!(reader.fragment(&sidecar.fragments[1]), Err(StoreError::Altered { .. })));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_new_folder_of_footage_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("footage"), StoreOptions::default()).unwrap();
        let mode = std::fs::metadata(store.root()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        store.stop().await;
    }

    #[tokio::test]
    async fn stopping_loses_nothing_that_was_handed_over() {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions { sync_interval: Duration::from_secs(3600), ..StoreOptions::default() };
        let store = Store::open(dir.path(), options).unwrap();
        let key = new_key();
        let (mut sidecar, line) = begin(b"", &key);
        let mut writer = store.create(&key, Bytes::new(), line).await.unwrap();
        let data: Vec<Bytes> = (0..2000u32).map(|n| Bytes::copy_from_slice(&n.to_be_bytes())).collect();
        let line = sidecar.append(&mut record(&data)).unwrap();
        writer.append(data, line).await.unwrap();
        store.stop().await;
        assert_eq!(*writer.durable().borrow(), Durable { fragments: 1, state: FileState::Closed });
        assert!(matches!(writer.append(Vec::new(), Vec::new()).await, Err(StoreError::Stopped)));
        let sidecar = read_sidecar(dir.path(), &key).unwrap();
        let reader = SegmentReader::open(dir.path(), &key).unwrap();
        assert_eq!(reader.fragment(&sidecar.fragments[0]).unwrap().len(), 8000);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_made_is_told_and_disturbs_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions { sync_interval: Duration::from_millis(20), ..StoreOptions::default() };
        let store = Store::open(dir.path(), options).unwrap();
        let (bad, good) = (new_key(), new_key());
        // A file where the camera's folder should be.
        std::fs::create_dir_all(dir.path().join("v1")).unwrap();
        let folder = bad.as_str().split('/').nth(1).unwrap();
        std::fs::write(dir.path().join("v1").join(folder), b"").unwrap();
        let mut failing = store.create(&bad, Bytes::new(), begin(b"", &bad).1).await.unwrap();
        let mut working = store.create(&good, Bytes::new(), begin(b"", &good).1).await.unwrap();
        failing.durable().wait_for(|d| matches!(d.state, FileState::Failed { .. })).await.unwrap();
        working.close().await.unwrap();
        working.durable().wait_for(|d| d.state == FileState::Closed).await.unwrap();
        store.stop().await;
    }
}
