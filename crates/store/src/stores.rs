//! The spool as it is written to: one writing thread a disk, and each new segment on the disk its camera belongs to.
//!
//! A disk that refuses or hangs is left out: what was on its way there is written to another one by whoever records (see
//! `recorder`), and new segments go there, too. After a while it is asked whether it takes a file; when it does, its cameras
//! come back to it with their next segment.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::write::within;
use crate::{DiskState, SegmentKey, SegmentWriter, Space, Spool, SpoolDisk, Store, StoreError, StoreOptions, blocking};

/// Between two looks at the disks.
const LOOK: Duration = Duration::from_secs(5);
/// A disk that refused is asked again after this.
const RETRY: Duration = Duration::from_secs(30);
/// On top of the time between two syncs, before a disk that takes nothing is left out for another one: as long as until
/// it is shown that nothing is recorded.
const PATIENCE: Duration = Duration::from_secs(4);
/// Bytes a disk must take before it is used again: as much as a few cameras write in a second.
const PROBE_BYTES: usize = 4 * 1024 * 1024;
/// Name of the file it is tried with.
const PROBE_NAME: &str = ".tried";

/// A segment being written, and on which disk.
#[derive(Debug)]
pub struct Placed {
    /// Writes it.
    pub writer: SegmentWriter,
    /// Its disk, as a place in [`Spool::disks`].
    pub disk: usize,
}

/// The writing threads of a spool.
#[derive(Debug)]
pub struct Stores {
    spool: Spool,
    /// As the disks of the spool; `None` for one that cannot be written to since the start.
    stores: Vec<Option<Store>>,
    sync_interval: Duration,
}

impl Stores {
    /// Starts a writing thread for each disk that is there. Needs a tokio runtime.
    ///
    /// # Errors
    /// When no disk can be written to.
    pub fn open(spool: Spool, options: StoreOptions) -> Result<Self, StoreError> {
        let mut stores = Vec::with_capacity(spool.disks().len());
        let mut refused = None;
        for disk in spool.disks() {
            if disk.state() == DiskState::Missing {
                stores.push(None);
                continue;
            }
            let store = Store::open(disk.root(), options).map_err(|error| {
                disk.refuse(false, &with_cause(&error));
                refused = Some(error);
            });
            stores.push(store.ok());
        }
        if stores.iter().all(Option::is_none) {
            let none = || StoreError::Options("no disk of the spool is there".to_owned());
            return Err(refused.unwrap_or_else(none));
        }
        Ok(Self { spool, stores, sync_interval: options.sync_interval })
    }

    /// The disks.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The folder of the first disk.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.spool.first_root()
    }

    /// Time between group syncs: what is handed over is told as durable about this much later.
    #[must_use]
    pub fn sync_interval(&self) -> Duration {
        self.sync_interval
    }

    /// Space on all disks that are there, each file system counted once. Blocking.
    ///
    /// # Errors
    /// When the operating system does not tell of any.
    pub fn space(&self) -> Result<Space, StoreError> {
        let mut seen = Vec::new();
        let mut sum: Option<Space> = None;
        let mut failed = None;
        for disk in self.spool.present().filter(|disk| !disk.is_taken_off()) {
            if disk.device().is_some_and(|device| seen.contains(&device)) {
                continue;
            }
            seen.extend(disk.device());
            match disk.space() {
                Ok(space) => {
                    let sum = sum.get_or_insert(Space { free_bytes: 0, total_bytes: 0 });
                    sum.free_bytes = sum.free_bytes.saturating_add(space.free_bytes);
                    sum.total_bytes = sum.total_bytes.saturating_add(space.total_bytes);
                }
                Err(error) => failed = Some(error),
            }
        }
        let none = || StoreError::Options("no disk of the spool is there".to_owned());
        sum.ok_or_else(|| failed.unwrap_or_else(none))
    }

    /// Starts a segment on the disk its camera belongs to, see [`Store::create`].
    ///
    /// # Errors
    /// As [`SegmentWriter::append`].
    pub async fn create(&self, key: &SegmentKey, init: Bytes, line: Vec<u8>) -> Result<Placed, StoreError> {
        let disk = self.spool.place(key);
        let (disk, store) = match self.stores.get(disk) {
            Some(Some(store)) => (disk, store),
            // None can be used, and that one never could: any that has a thread.
            _ => self.any().ok_or(StoreError::Stopped)?,
        };
        let patience = self.patience();
        match within(patience, store.create(key, init, line)).await {
            Ok(writer) => Ok(Placed { writer: writer.with_patience(patience), disk }),
            Err(error) => {
                if matches!(error, StoreError::Slow) {
                    self.refused(disk, false, &error.to_string());
                }
                Err(error)
            }
        }
    }

    fn any(&self) -> Option<(usize, &Store)> {
        self.stores.iter().enumerate().find_map(|(disk, store)| Some((disk, store.as_ref()?)))
    }

    /// How long a disk may take nothing before its footage goes to another one; `None` where there is no other.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.spool.is_spread().then_some(self.sync_interval + PATIENCE)
    }

    /// A disk did not take footage, and why: new segments go to others, where there are some.
    pub fn refused(&self, disk: usize, full: bool, why: &str) {
        if let Some(disk) = self.spool.disks().get(disk).filter(|_| self.spool.is_spread()) {
            disk.refuse(full, why);
        }
    }

    /// Whether there is media of that segment. Told as there when it cannot be found out.
    ///
    /// What is given up while its disk hangs cannot appear later: see [`Store::create`].
    pub async fn has_files(&self, key: &SegmentKey) -> bool {
        let (spool, key) = (self.spool.clone(), key.clone());
        let is_there = |path: std::path::PathBuf| match path.try_exists() {
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => false,
            // A disk that fails may have it.
            there => there.unwrap_or(true),
        };
        let found = blocking(move || Ok(spool.present().any(|disk| is_there(key.media_path(disk.root())))));
        within(self.patience(), found).await.unwrap_or(true)
    }

    /// Tries disks that refused again, and looks whether the others are still there, for ever; where there is one disk only,
    /// nothing is to be done.
    pub async fn watch(&self) {
        if !self.spool.is_spread() {
            return;
        }
        let disks = self.spool.disks().iter().zip(&self.stores).filter(|(_, store)| store.is_some());
        // Each by itself: one that hangs must not keep the others.
        futures::future::join_all(disks.map(|(disk, _)| watch(disk))).await;
    }

    /// Writes and syncs everything that was handed over, closes all files and ends the threads.
    pub async fn stop(&self) {
        futures::future::join_all(self.stores.iter().flatten().map(Store::stop)).await;
    }
}

/// Looks at a disk for ever.
async fn watch(disk: &Arc<SpoolDisk>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let looked = Arc::clone(disk);
        let due = match disk.refused_since() {
            Some(since) if since.elapsed() < RETRY => continue,
            since => since.is_some(),
        };
        let answer = blocking(move || if due { probe(&looked) } else { look(&looked) }).await;
        match answer {
            Ok(()) if due => disk.accept(),
            Ok(()) => {}
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull => {
                disk.refuse(true, "there is no room on it");
            }
            Err(error) => {
                disk.refuse(false, &with_cause(&error));
            }
        }
    }
}

fn look(disk: &SpoolDisk) -> Result<(), StoreError> {
    if disk.is_taken_off() {
        return Err(StoreError::Options("its disk is not mounted any more".to_owned()));
    }
    Ok(())
}

/// Whether a disk takes a file and confirms it.
fn probe(disk: &SpoolDisk) -> Result<(), StoreError> {
    look(disk)?;
    let path = disk.root().join(PROBE_NAME);
    let tried = std::fs::File::create(&path)
        .and_then(|mut file| file.write_all(&vec![0x5a; PROBE_BYTES]).and_then(|()| file.sync_all()))
        .map_err(StoreError::io("write to", &path));
    // It goes whether it could be written or not; on a disk that is full above all.
    let removed = std::fs::remove_file(&path).map_err(StoreError::io("remove", &path));
    tried.and(removed)
}

fn with_cause(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use minhbach_model::{CameraId, SegmentId, StreamKind, WallTime};

    use super::*;
    use crate::FileState;

    fn new_key() -> SegmentKey {
        let start = WallTime::from_secs(1_795_503_600);
        SegmentKey::new(CameraId::generate(), StreamKind::Main, start, SegmentId::generate())
    }

    fn stores(roots: &[PathBuf]) -> Stores {
        let options = StoreOptions { sync_interval: Duration::from_millis(20), ..StoreOptions::default() };
        Stores::open(Spool::open(roots).unwrap(), options).unwrap()
    }

    #[tokio::test]
    async fn segments_go_to_the_disk_of_their_camera_and_to_another_one_when_it_refused() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().join("a"), dir.path().join("b")];
        let stores = stores(&roots);
        let keys: Vec<SegmentKey> = (0..32).map(|_| new_key()).collect();
        for key in &keys {
            let mut placed = stores.create(key, Bytes::from_static(b"init"), b"{}\n".to_vec()).await.unwrap();
            placed.writer.close().await.unwrap();
            placed.writer.durable().wait_for(|durable| durable.state == FileState::Closed).await.unwrap();
            assert!(key.media_path(&roots[placed.disk]).exists() && placed.disk == stores.spool().place(key));
            assert!(stores.has_files(key).await && !stores.has_files(&new_key()).await);
        }
        assert!(roots.iter().all(|root| keys.iter().any(|key| key.media_path(root).exists())), "both are used");
        stores.refused(0, false, "Input/output error");
        for _ in 0..32 {
            assert_eq!(stores.create(&new_key(), Bytes::new(), Vec::new()).await.unwrap().disk, 1);
        }
        stores.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_refused_is_tried_again_and_one_that_is_alone_is_never_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().join("a"), dir.path().join("b")];
        let both = stores(&roots);
        let state = |stores: &Stores| stores.spool().disks()[0].state();
        both.refused(0, true, "No space left on device");
        assert_eq!(state(&both), DiskState::Full);
        let begun = tokio::time::Instant::now();
        let used_again = async {
            while state(&both) != DiskState::Fine {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = both.watch() => panic!("it watches for ever"),
            () = used_again => {}
        }
        assert!((RETRY..RETRY * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert!(!roots[0].join(PROBE_NAME).exists());
        both.stop().await;

        let one = stores(&roots[..1]);
        one.refused(0, false, "Input/output error");
        assert_eq!((state(&one), one.patience()), (DiskState::Fine, None));
        one.stop().await;
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_written_to_at_the_start_does_not_keep_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().join("a"), dir.path().join("b")];
        // A file where the folder should be.
        std::fs::write(&roots[0], b"").unwrap();
        let stores = stores(&roots);
        assert_eq!(stores.spool().disks()[0].state(), DiskState::Missing);
        for _ in 0..16 {
            assert_eq!(stores.create(&new_key(), Bytes::new(), Vec::new()).await.unwrap().disk, 1);
        }
        assert!(stores.space().unwrap().total_bytes > 0);
        stores.stop().await;
        std::fs::remove_dir_all(&roots[1]).unwrap();
        std::fs::write(&roots[1], b"").unwrap();
        assert!(Spool::open(&roots).is_err());
    }
}
