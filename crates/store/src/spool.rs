//! The folders that footage is recorded into, as a rule one a disk, and on which of them a camera's footage lies.
//!
//! What belongs here: where new footage of a camera goes (rendezvous hashing over the disks that can be used), where a
//! segment is found (the camera's own disk first, then the others), and which disks are away. What does not: writing
//! footage (see [`crate::Stores`]) and the decision what is deleted. The index knows nothing of disks: keys are the same
//! wherever a segment lies, and a camera's footage may lie on several of them.
//!
//! Calls that look at files block.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use minhbach_model::Deletion;
use tokio::time::Instant;

use crate::identity::{IDENTITY_NAME, replace};
use crate::write::create_private;
use crate::{JournalFile, SegmentKey, Space, StoreError, delete_files};

/// Name of the file that says which folders the spool consists of.
const DISKS_NAME: &str = "spool-disks.json";

/// What is wrong with a disk; several can be at once.
const FULL: u8 = 1;
const FULL_FOR_GOOD: u8 = 2;
const FAILED: u8 = 4;
const MISSING: u8 = 8;

/// How a disk of the spool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskState {
    /// Footage goes there.
    Fine,
    /// It has no room; what is there can be read and deleted.
    Full,
    /// It refused, or does not answer. It is tried again after a while.
    Failed,
    /// It is not mounted, or cannot be used since the start.
    Missing,
}

/// One folder of the spool, and how its disk does.
#[derive(Debug)]
pub struct SpoolDisk {
    root: PathBuf,
    /// Hash of its path: its part in the placement.
    seed: u64,
    /// The file system it was opened on; `None` when it was not there.
    device: Option<u64>,
    flags: AtomicU8,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug, Clone)]
struct Trouble {
    what: String,
    since: Instant,
}

impl SpoolDisk {
    fn new(root: PathBuf, missing: Option<String>) -> Self {
        let device = if missing.is_some() { None } else { device_of(&root) };
        let flags = AtomicU8::new(if missing.is_some() { MISSING } else { 0 });
        let trouble = missing.map(|what| Trouble { what, since: Instant::now() });
        Self { seed: hash(root.as_os_str().as_encoded_bytes()), root, device, flags, trouble: Mutex::new(trouble) }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How it does.
    #[must_use]
    pub fn state(&self) -> DiskState {
        match self.flags.load(Ordering::Relaxed) {
            0 => DiskState::Fine,
            flags if flags & MISSING != 0 => DiskState::Missing,
            flags if flags & FAILED != 0 => DiskState::Failed,
            _ => DiskState::Full,
        }
    }

    /// Whether nothing on it can be counted on, and nothing may be said of what is not found.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self.state(), DiskState::Failed | DiskState::Missing)
    }

    /// What is wrong with it, in English; empty when all is well.
    #[must_use]
    pub fn problem(&self) -> String {
        if self.state() == DiskState::Fine {
            return String::new();
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or_else(|| "it is full".to_owned(), |trouble| trouble.what.clone())
    }

    /// Space on it. Blocking.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn space(&self) -> Result<Space, StoreError> {
        let stat =
            rustix::fs::statvfs(&self.root).map_err(|error| StoreError::io("measure", &self.root)(error.into()))?;
        Ok(Space {
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }

    /// Whether another file system is at its place than at the start, or none: a disk that was taken off looks empty.
    pub(crate) fn is_taken_off(&self) -> bool {
        self.device.is_some() && device_of(&self.root) != self.device
    }

    pub(crate) fn device(&self) -> Option<u64> {
        self.device
    }

    /// It refused. Told in the log the first time; returns whether this was it.
    pub(crate) fn refuse(&self, full: bool, what: &str) -> bool {
        let flag = if full { FULL } else { FAILED };
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.flags.fetch_or(flag, Ordering::Relaxed) & flag == 0;
        // Every refusal counts: it is tried again a while after the last one.
        *trouble = Some(Trouble { what: what.to_owned(), since: Instant::now() });
        if first {
            tracing::error!(disk = %self.root.display(), problem = what, "a disk of the spool is left out");
        }
        first
    }

    /// It takes footage again.
    pub(crate) fn accept(&self) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.flags.fetch_and(!(FULL | FAILED), Ordering::Relaxed);
        if before & (FULL | FAILED) != 0 {
            *trouble = None;
            tracing::info!(disk = %self.root.display(), "a disk of the spool is used again");
        }
    }

    /// How long ago it refused last; `None` when it does not refuse.
    pub(crate) fn refused_since(&self) -> Option<Instant> {
        if self.flags.load(Ordering::Relaxed) & (FULL | FAILED) == 0 {
            return None;
        }
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|trouble| trouble.since)
    }
}

/// The folders of the spool. Clones are the same ones. There is always one at least.
#[derive(Debug, Clone)]
pub struct Spool {
    disks: Arc<[Arc<SpoolDisk>]>,
    /// Folders that belonged to it when it was last used, and are not among those any more.
    left_out: Arc<[PathBuf]>,
}

impl Spool {
    /// A spool of one folder, which is there.
    #[must_use]
    pub fn of(root: impl Into<PathBuf>) -> Self {
        Self { disks: Arc::new([Arc::new(SpoolDisk::new(root.into(), None))]), left_out: Arc::new([]) }
    }

    /// A spool of these folders. New ones are made; one that belonged to it and is not there, or cannot be used, is told as
    /// missing and left alone, so that a disk that is not mounted is not recorded over. Blocking.
    ///
    /// # Errors
    /// When none of them can be used.
    pub fn open(roots: &[PathBuf]) -> Result<Self, StoreError> {
        let noted: BTreeSet<PathBuf> = roots.iter().flat_map(|root| read_disks(root)).collect();
        let mut disks = Vec::with_capacity(roots.len());
        let mut refused = None;
        for root in roots {
            let missing = if noted.contains(root) && !root.join(IDENTITY_NAME).exists() {
                Some("it is not mounted, or what was on it is gone".to_owned())
            } else {
                create_private(root).err().map(|error| {
                    let problem = format!("it cannot be used: {error}");
                    refused = Some(StoreError::io("create", root)(error));
                    problem
                })
            };
            disks.push(Arc::new(SpoolDisk::new(root.clone(), missing)));
        }
        if disks.iter().all(|disk| disk.is_away()) {
            let none = || StoreError::Options("no disk of the spool is there".to_owned());
            return Err(refused.unwrap_or_else(none));
        }
        let left_out = noted.into_iter().filter(|root| !roots.contains(root)).collect();
        Ok(Self { disks: disks.into(), left_out })
    }

    /// Its disks, in the order they were given.
    #[must_use]
    pub fn disks(&self) -> &[Arc<SpoolDisk>] {
        &self.disks
    }

    /// Whether there are several.
    #[must_use]
    pub fn is_spread(&self) -> bool {
        self.disks.len() > 1
    }

    /// Those that can be looked at: all but the ones that were missing at the start.
    pub fn present(&self) -> impl Iterator<Item = &Arc<SpoolDisk>> {
        self.disks.iter().filter(|disk| disk.state() != DiskState::Missing)
    }

    /// Those that are missing.
    pub fn missing(&self) -> impl Iterator<Item = &Arc<SpoolDisk>> {
        self.disks.iter().filter(|disk| disk.state() == DiskState::Missing)
    }

    /// Whether some footage may not be found because its disk is away.
    #[must_use]
    pub fn is_any_away(&self) -> bool {
        self.disks.iter().any(|disk| disk.is_away())
    }

    /// Folders that belonged to it when it was last used, and that it is not opened with.
    #[must_use]
    pub fn left_out(&self) -> &[PathBuf] {
        &self.left_out
    }

    /// The folder of the first disk that is there.
    #[must_use]
    pub fn first_root(&self) -> &Path {
        self.present().next().or(self.disks.first()).map_or(Path::new(""), |disk| disk.root())
    }

    /// A spool of that disk alone, which stays the same disk.
    #[must_use]
    pub fn only(&self, disk: &Arc<SpoolDisk>) -> Self {
        Self { disks: Arc::new([Arc::clone(disk)]), left_out: Arc::clone(&self.left_out) }
    }

    /// The disk with that folder.
    #[must_use]
    pub fn with_root(&self, root: &Path) -> Option<&Arc<SpoolDisk>> {
        self.disks.iter().find(|disk| disk.root == root)
    }

    /// Nothing on that disk may be deleted and it has no room, or that is over: until then footage goes to others.
    pub fn tell_full(&self, root: &Path, full: bool) {
        if let Some(disk) = self.with_root(root) {
            let before = if full {
                disk.flags.fetch_or(FULL_FOR_GOOD, Ordering::Relaxed)
            } else {
                disk.flags.fetch_and(!FULL_FOR_GOOD, Ordering::Relaxed)
            };
            if full && self.is_spread() && before & FULL_FOR_GOOD == 0 {
                tracing::error!(disk = %root.display(), "a disk of the spool is full and nothing on it may be deleted");
            }
        }
    }

    /// Where the next segment of that camera goes, as a place in [`Self::disks`]: the same for all its streams, and the same
    /// as long as the same disks can be used. When none can, one that was there at the start, which then says why not.
    #[must_use]
    pub fn place(&self, key: &SegmentKey) -> usize {
        if !self.is_spread() {
            return 0;
        }
        let order = self.in_order(key);
        let usable = order.iter().find(|&&number| self.disks[number].state() == DiskState::Fine);
        let there = || order.iter().find(|&&number| self.disks[number].state() != DiskState::Missing);
        usable.or_else(there).copied().unwrap_or(0)
    }

    /// Whether footage can go to another disk than that one.
    #[must_use]
    pub fn has_another(&self, than: usize) -> bool {
        self.disks.iter().enumerate().any(|(number, disk)| number != than && disk.state() == DiskState::Fine)
    }

    /// The disk with files of that segment. Blocking.
    #[must_use]
    pub fn find(&self, key: &SegmentKey) -> Option<&Arc<SpoolDisk>> {
        let has = |disk: &SpoolDisk| key.media_path(&disk.root).exists() || key.sidecar_path(&disk.root).exists();
        self.nearest(key).find(|disk| has(disk))
    }

    /// The folder with files of that segment; where it would be when it has none. Blocking where there are several.
    #[must_use]
    pub fn root_of(&self, key: &SegmentKey) -> PathBuf {
        let found = if self.is_spread() { self.find(key) } else { None };
        found
            .or_else(|| self.nearest(key).next())
            .map_or_else(|| self.first_root().to_owned(), |disk| disk.root.clone())
    }

    /// What the first folder says that has it; what is missing in one is asked of the next. Blocking.
    ///
    /// # Errors
    /// Those of `ask`; that it is missing only when it is in none.
    pub fn ask<T>(&self, key: &SegmentKey, ask: impl Fn(&Path) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut missing = None;
        for disk in self.nearest(key) {
            match ask(&disk.root) {
                Err(error) if error.is_missing() => missing = missing.or(Some(error)),
                // A disk that fails may not be the one that has it; when no other has, what it says counts.
                Err(error) if disk.is_away() && self.is_spread() => missing = Some(error),
                other => return other,
            }
        }
        let nowhere = || StoreError::io("find", Path::new(key.as_str()))(std::io::ErrorKind::NotFound.into());
        Err(missing.unwrap_or_else(nowhere))
    }

    /// Deletes the files of a segment wherever they are, see [`delete_files`]; `elsewhere`: it was in the archive, too.
    /// Blocking.
    ///
    /// # Errors
    /// When a disk refuses, and when it is nowhere and a disk is away that may have it: it is to be repeated.
    pub fn delete(&self, key: &SegmentKey, elsewhere: bool) -> Result<(), StoreError> {
        let (mut found, mut away) = (elsewhere, None);
        for disk in self.in_order(key).into_iter().map(|number| &self.disks[number]) {
            // One that hangs would keep whoever asks.
            if self.is_spread() && disk.is_away() || disk.is_taken_off() {
                away = Some(disk);
                continue;
            }
            found |= key.media_path(&disk.root).exists() || key.sidecar_path(&disk.root).exists();
            delete_files(&disk.root, key)?;
        }
        match away.filter(|_| !found) {
            None => Ok(()),
            Some(disk) => Err(StoreError::Unavailable {
                action: "delete from",
                what: disk.root.display().to_string(),
                source: "its disk is not there".into(),
            }),
        }
    }

    /// Appends entries to the journal of deletions of every disk that works; synced on one at least when it returns.
    /// On all, and not only where the footage was: the journal outlives a disk, too. Blocking.
    ///
    /// # Errors
    /// When no disk takes them. Then nothing may be deleted.
    pub fn append_journal(&self, entries: &[Deletion]) -> Result<(), StoreError> {
        let (mut taken, mut failed) = (false, None);
        let (away, fine): (Vec<_>, Vec<_>) = self.present().partition(|disk| disk.is_away());
        // One that refused or hangs is asked when there is no other only.
        for disk in fine.into_iter().chain(away) {
            if disk.is_away() && taken || disk.is_taken_off() {
                continue;
            }
            match JournalFile::append(&disk.root, entries) {
                Ok(()) => taken = true,
                Err(error) => {
                    let problem = &error as &dyn std::error::Error;
                    tracing::warn!(disk = %disk.root.display(), error = problem, "a disk has no copy of a deletion");
                    failed = Some(error);
                }
            }
        }
        let none = || StoreError::Options("no disk of the spool is there".to_owned());
        if taken { Ok(()) } else { Err(failed.unwrap_or_else(none)) }
    }

    /// Notes on each disk which folders belong together, so that one that is not mounted is known by the others. A spool
    /// that always was one folder needs no note. Blocking.
    ///
    /// # Errors
    /// When a disk refuses.
    pub fn note_disks(&self) -> Result<(), StoreError> {
        let roots: Vec<String> = self.disks.iter().map(|disk| disk.root.to_string_lossy().into_owned()).collect();
        for disk in self.present() {
            let path = disk.root.join(DISKS_NAME);
            // One that refuses footage would refuse this; the others say it.
            if disk.is_away() || !self.is_spread() && !path.exists() {
                continue;
            }
            let json = serde_json::to_vec(&roots).map_err(|error| StoreError::Document {
                name: path.display().to_string(),
                problem: error.to_string(),
            })?;
            replace(&disk.root, DISKS_NAME, &json)?;
        }
        Ok(())
    }

    /// Folders that are on the file system of another one: they fill up together, and fail together.
    #[must_use]
    pub fn sharing(&self) -> Vec<&Path> {
        let mut seen = BTreeSet::new();
        let devices = self.disks.iter().filter_map(|disk| Some((disk, disk.device?)));
        devices.filter(|&(_, device)| !seen.insert(device)).map(|(disk, _)| disk.root()).collect()
    }

    /// Disks that may have the segment, the camera's own first.
    fn nearest(&self, key: &SegmentKey) -> impl Iterator<Item = &Arc<SpoolDisk>> {
        let there = |disk: &&Arc<SpoolDisk>| disk.state() != DiskState::Missing;
        self.in_order(key).into_iter().map(move |number| &self.disks[number]).filter(there)
    }

    /// Places of all disks, by how much a camera belongs there.
    fn in_order(&self, key: &SegmentKey) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.disks.len()).collect();
        if self.is_spread() {
            // v1/<camera>/…
            let camera = hash(key.as_str().split('/').nth(1).unwrap_or_default().as_bytes());
            order.sort_by_key(|&number| std::cmp::Reverse(mix(camera ^ self.disks[number].seed)));
        }
        order
    }
}

/// Folders the note in that folder names. A note that cannot be read names none.
fn read_disks(root: &Path) -> Vec<PathBuf> {
    let read = match std::fs::read(root.join(DISKS_NAME)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        read => read.and_then(|json| Ok(serde_json::from_slice(&json)?)),
    };
    read.unwrap_or_else(|error| {
        tracing::warn!(disk = %root.display(), %error, "which disks belong together is not known from this one");
        Vec::new()
    })
}

fn device_of(root: &Path) -> Option<u64> {
    std::fs::metadata(root).map(|metadata| metadata.dev()).ok()
}

/// FNV-1a, 64 bits: the same in every release, because footage lies where it says.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads every bit over all (the last step of SplitMix64).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, SegmentId, StreamKind, WallTime};

    use super::*;
    use crate::{Identity, SegmentReader, write_identity};

    fn key_of(camera: CameraId, stream: StreamKind) -> SegmentKey {
        SegmentKey::new(camera, stream, WallTime::from_secs(1_795_503_600), SegmentId::generate())
    }

    fn keys(count: usize) -> Vec<SegmentKey> {
        (0..count).map(|_| key_of(CameraId::generate(), StreamKind::Main)).collect()
    }

    /// Disks that need not be there.
    fn spool(names: &[&str]) -> Spool {
        let disks = names.iter().map(|name| Arc::new(SpoolDisk::new(PathBuf::from(name), None)));
        Spool { disks: disks.collect(), left_out: Arc::new([]) }
    }

    #[test]
    fn a_thousand_cameras_are_spread_evenly_and_stay_where_they_are() {
        let spool = spool(&["/mnt/a", "/mnt/b", "/mnt/c", "/mnt/d"]);
        let keys = keys(1000);
        let mut counts = [0; 4];
        for key in &keys {
            counts[spool.place(key)] += 1;
            assert_eq!(spool.place(key), spool.place(key));
        }
        // 250 each; six standard deviations (13.7) are 82.
        assert!(counts.iter().all(|count| (168..=332).contains(count)), "{counts:?}");
        let camera = CameraId::generate();
        assert_eq!(spool.place(&key_of(camera, StreamKind::Main)), spool.place(&key_of(camera, StreamKind::Sub)));
    }

    #[test]
    fn a_disk_that_is_added_takes_its_share_and_moves_nothing_else() {
        let (before, after) =
            (spool(&["/mnt/a", "/mnt/b", "/mnt/c"]), spool(&["/mnt/new", "/mnt/a", "/mnt/b", "/mnt/c"]));
        let root = |spool: &Spool, key: &SegmentKey| spool.disks()[spool.place(key)].root().to_owned();
        let keys = keys(1000);
        let moved: Vec<&SegmentKey> = keys.iter().filter(|key| root(&before, key) != root(&after, key)).collect();
        assert!(moved.iter().all(|key| root(&after, key) == Path::new("/mnt/new")), "only to the new one");
        assert!((168..=332).contains(&moved.len()), "{}", moved.len());
    }

    #[test]
    fn a_disk_that_fails_is_left_out_alone_and_gets_its_cameras_back() {
        let spool = spool(&["/mnt/a", "/mnt/b", "/mnt/c"]);
        let keys = keys(300);
        let before: Vec<usize> = keys.iter().map(|key| spool.place(key)).collect();
        for full in [false, true] {
            assert!(spool.disks()[1].refuse(full, "Input/output error") && !spool.disks()[1].refuse(full, "again"));
            let state = if full { DiskState::Full } else { DiskState::Failed };
            assert_eq!((spool.disks()[1].state(), spool.disks()[1].problem()), (state, "again".to_owned()));
            for (key, &before) in keys.iter().zip(&before) {
                let now = spool.place(key);
                assert!(now != 1 && (before == 1 || now == before));
            }
            spool.disks()[1].accept();
            assert_eq!(keys.iter().map(|key| spool.place(key)).collect::<Vec<_>>(), before);
        }
        spool.tell_full(Path::new("/mnt/b"), true);
        assert!(keys.iter().all(|key| spool.place(key) != 1));
        spool.tell_full(Path::new("/mnt/b"), false);
        // When no disk can be used, the camera's own says why.
        for disk in spool.disks() {
            disk.refuse(false, "Input/output error");
        }
        assert_eq!(keys.iter().map(|key| spool.place(key)).collect::<Vec<_>>(), before);
        assert!(!spool.has_another(0));
    }

    #[test]
    fn a_segment_is_found_on_whichever_disk_it_is_and_deleted_there() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().join("a"), dir.path().join("b")];
        let spool = Spool::open(&roots).unwrap();
        for (number, key) in keys(8).iter().enumerate() {
            let root = &roots[number % 2];
            std::fs::create_dir_all(key.media_path(root).parent().unwrap()).unwrap();
            std::fs::write(key.media_path(root), [1]).unwrap();
            assert_eq!(&spool.root_of(key), root);
            let len = spool.ask(key, |root| {
                let path = key.media_path(root);
                std::fs::metadata(&path).map(|metadata| metadata.len()).map_err(StoreError::io("measure", &path))
            });
            assert_eq!(len.unwrap(), 1);
            spool.delete(key, false).unwrap();
            assert!(spool.find(key).is_none());
            assert!(SegmentReader::open(&spool.root_of(key), key).is_err_and(|error| error.is_missing()));
            spool.delete(key, false).unwrap();
        }
    }

    #[test]
    fn a_disk_that_is_not_mounted_is_known_by_the_others_and_a_new_one_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().join("a"), dir.path().join("b")];
        let identity = Identity { database_id: uuid::Uuid::from_u128(7), generation: 1, archive: false };
        let sign = |spool: &Spool| {
            for disk in spool.present() {
                write_identity(disk.root(), &identity).unwrap();
            }
            spool.note_disks().unwrap();
        };
        // One folder alone leaves no note, and another one beside it is new.
        let one = Spool::open(&roots[..1]).unwrap();
        sign(&one);
        assert!(!roots[0].join(DISKS_NAME).exists());
        let spool = Spool::open(&roots).unwrap();
        assert_eq!((spool.missing().count(), spool.left_out().len()), (0, 0));
        sign(&spool);
        assert_eq!(spool.sharing(), [roots[1].as_path()], "both are on one disk here");

        // Its mount point is there, and empty.
        let aside = dir.path().join("aside");
        std::fs::rename(&roots[1], &aside).unwrap();
        for empty in [false, true] {
            if empty {
                std::fs::create_dir(&roots[1]).unwrap();
            }
            let spool = Spool::open(&roots).unwrap();
            let missing: Vec<&Path> = spool.missing().map(|disk| disk.root()).collect();
            assert_eq!(missing, [roots[1].as_path()]);
            assert!(keys(50).iter().all(|key| spool.place(key) == 0));
            assert!(matches!(spool.delete(&keys(1)[0], false), Err(StoreError::Unavailable { .. })));
            assert!(spool.delete(&keys(1)[0], true).is_ok(), "it was in the archive");
            assert_eq!(roots[1].exists(), empty, "nothing is made there");
        }
        assert_eq!(Spool::open(&roots[..1]).unwrap().left_out(), [roots[1].clone()]);
        assert!(Spool::open(&roots[1..]).is_ok_and(|spool| spool.missing().count() == 0), "alone it knows no others");
        std::fs::remove_dir_all(&roots[1]).unwrap();
        std::fs::rename(&aside, &roots[1]).unwrap();
        assert_eq!(Spool::open(&roots).unwrap().missing().count(), 0);
    }
}
