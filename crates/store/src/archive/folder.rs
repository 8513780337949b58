//! An archive in a folder: a rename where it is on the spool's file system, a verified copy where it is not. Blocking.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use minhbach_evidence::{Digest, Sidecar};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::Put;
use super::pieces::Pieces;
use crate::{Identity, SegmentKey, SegmentReader, StoreError};

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// A folder can be taken away as empty between its making and its use, not for ever.
const TRIES: usize = 4;

/// A folder and the file system it was opened on.
#[derive(Debug)]
pub(super) struct FolderArchive {
    root: PathBuf,
    device: u64,
    /// Whether a rename was refused because the spool is on another file system: then none is tried again.
    copies: AtomicBool,
}

/// How a file came to where it belongs.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Nothing is left where it was.
    Moved,
    /// It is in both places, the same in both.
    InBoth,
}

impl FolderArchive {
    pub fn open(root: PathBuf) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&root).map_err(StoreError::io("create", &root))?;
        let device = std::fs::metadata(&root).map_err(StoreError::io("look at", &root))?.dev();
        Ok(Self { root, device, copies: AtomicBool::new(false) })
    }

    /// One to which nothing can be renamed.
    #[cfg(test)]
    pub fn copying(root: PathBuf) -> Self {
        Self { copies: AtomicBool::new(true), ..Self::open(root).expect("a folder") }
    }

    /// One whose disk is not there any more.
    #[cfg(test)]
    pub fn unmounted(root: PathBuf) -> Self {
        let opened = Self::open(root).expect("a folder");
        Self { device: opened.device + 1, ..opened }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the folder is still the one that was opened: a disk that is gone must neither look empty nor be filled
    /// up underneath.
    fn present(&self) -> Result<(), StoreError> {
        let metadata = std::fs::metadata(&self.root).map_err(unavailable("look at", &self.root))?;
        if metadata.dev() == self.device {
            return Ok(());
        }
        let source = "its disk is not mounted: another file system is there than at the start".into();
        Err(StoreError::Unavailable { action: "use", what: self.root.display().to_string(), source })
    }

    /// A folder that is its own archive would be freed of the only copy.
    pub fn apart_from(&self, spool: &Path) -> Result<(), StoreError> {
        self.present()?;
        let own = std::fs::metadata(&self.root).map_err(unavailable("look at", &self.root))?;
        let other = std::fs::metadata(spool).map_err(StoreError::io("look at", spool))?;
        if own.dev() == other.dev() && own.ino() == other.ino() {
            return Err(StoreError::Options(format!("{} is spool and archive at once", self.root.display())));
        }
        Ok(())
    }

    /// See [`super::Archive::put`].
    pub fn put(&self, spool: &Path, key: &SegmentKey) -> Result<Put, StoreError> {
        self.apart_from(spool)?;
        // Media must not go alone where no sidecar can follow.
        if lengths(spool, key)?.1.is_none() && self.lengths(key)?.1.is_none() {
            return Err(StoreError::io("find", &key.sidecar_path(spool))(ErrorKind::NotFound.into()));
        }
        let (from, to) = (key.media_path(spool), key.media_path(&self.root));
        // 1. to 3.
        let mut altered = Vec::new();
        let media = self.bring(&from, &to, |media| {
            let sidecar = sidecar_of(spool, &self.root, key)?;
            let hashed = hash_spooled(media, sidecar.as_ref())?;
            altered = hashed.0.altered(&hashed.1);
            Ok(hashed)
        })?;
        // 4. to 6.
        let (from, to_sidecar) = (key.sidecar_path(spool), key.sidecar_path(&self.root));
        let sidecar = self.bring(&from, &to_sidecar, |sidecar| hash_spooled(sidecar, None))?;
        let moved = media == Way::Moved && sidecar == Way::Moved;
        if moved {
            prune(spool, &from);
        }
        let bytes = std::fs::metadata(&to).map_err(unavailable("look at", &to))?.len();
        Ok(Put { bytes, moved, altered })
    }

    /// Brings one file to its place, durably. `hash` reads the one in the spool, and is called only when it must be
    /// read.
    fn bring(
        &self,
        from: &Path,
        to: &Path,
        hash: impl FnOnce(&Path) -> Result<(Pieces, Vec<Digest>), StoreError>,
    ) -> Result<Way, StoreError> {
        let synced = || sync_parent(to).map_err(unavailable("sync the folder of", to));
        let spooled = metadata(from).map_err(StoreError::io("look at", from))?;
        let archived = metadata(to).map_err(unavailable("look at", to))?;
        match (&spooled, &archived) {
            (None, None) => return Err(StoreError::io("find", from)(ErrorKind::NotFound.into())),
            // Moved by an earlier call, which may not have come to the sync.
            (None, Some(_)) => return synced().map(|()| Way::Moved),
            (Some(spooled), Some(archived)) => {
                // A rename of which a crash left both names.
                let one = spooled.dev() == archived.dev() && spooled.ino() == archived.ino();
                if one || verify(to, &hash(from)?)? {
                    return synced().map(|()| Way::InBoth);
                }
                return Err(StoreError::Differs { name: to.display().to_string() });
            }
            (Some(_), None) => {}
        }
        if !self.copies.load(Ordering::Relaxed) {
            match self.rename(from, to) {
                Ok(()) => return synced().map(|()| Way::Moved),
                Err(error) if error.kind() == ErrorKind::CrossesDevices => self.copies.store(true, Ordering::Relaxed),
                Err(error) => return Err(unavailable("move", to)(error)),
            }
        }
        self.copy(from, to, &hash(from)?)?;
        synced().map(|()| Way::InBoth)
    }

    /// Renames without ever replacing, and makes the folders on the way.
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.within_folder(to, || rename_new(from, to))
    }

    /// Does something in the folder of a file, which is made first. A deletion may take it away as empty in between.
    fn within_folder<T>(&self, path: &Path, work: impl Fn() -> std::io::Result<T>) -> std::io::Result<T> {
        for _ in 1..TRIES {
            match self.make_folder_of(path).and_then(|()| work()) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => return other,
            }
        }
        self.make_folder_of(path).and_then(|()| work())
    }

    /// Copies under another name, syncs, reads back what the disk has, and only then gives it its name.
    fn copy(&self, from: &Path, to: &Path, expected: &(Pieces, Vec<Digest>)) -> Result<(), StoreError> {
        let part = part_of(to);
        let mut source = File::open(from).map_err(StoreError::io("open", from))?;
        // One that an earlier call left is written over.
        let mut target = self.within_folder(&part, || File::create(&part)).map_err(unavailable("create", &part))?;
        std::io::copy(&mut source, &mut target).map_err(unavailable("copy to", &part))?;
        target.sync_all().map_err(unavailable("sync", &part))?;
        // What is read back should come from the disk and not from memory. A file system that cannot be told so is read
        // as it can.
        let _ = rustix::fs::fadvise(&target, 0, None, rustix::fs::Advice::DontNeed);
        drop(target);
        if !verify(&part, expected)? {
            let source = "what is read back is not what was written".into();
            return Err(StoreError::Unavailable { action: "verify", what: part.display().to_string(), source });
        }
        self.rename(&part, to).map_err(unavailable("name", to))
    }

    /// Makes the folder of a file, the names of new folders synced.
    fn make_folder_of(&self, path: &Path) -> std::io::Result<()> {
        let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) else { return Ok(()) };
        let within = folder.ancestors().take_while(|a| a.starts_with(&self.root) && *a != self.root);
        let new: Vec<&Path> = within.take_while(|a| !a.is_dir()).collect();
        std::fs::create_dir_all(folder)?;
        for folder in new.iter().rev().filter_map(|folder| folder.parent()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// See [`super::Archive::delete`].
    pub fn delete(&self, key: &SegmentKey) -> Result<(), StoreError> {
        self.present()?;
        for path in [key.sidecar_path(&self.root), key.media_path(&self.root)] {
            // What an interrupted copy left.
            remove(&part_of(&path)).map_err(away)?;
        }
        delete_files(&self.root, key).map_err(away)
    }

    /// See [`super::Archive::list`].
    pub fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<SegmentKey>, StoreError> {
        self.present()?;
        let mut keys = Vec::new();
        walk(&self.root, "v1", after, limit, &mut keys).map_err(away)?;
        Ok(keys)
    }

    /// Lengths of media and sidecar, bytes.
    pub fn lengths(&self, key: &SegmentKey) -> Result<(Option<u64>, Option<u64>), StoreError> {
        self.present()?;
        lengths(&self.root, key).map_err(away)
    }

    /// The sidecar of a segment.
    pub fn sidecar(&self, key: &SegmentKey) -> Result<Sidecar, StoreError> {
        self.truly(crate::read_sidecar(&self.root, key))
    }

    /// The media of a segment, opened.
    pub fn reader(&self, key: &SegmentKey) -> Result<SegmentReader, StoreError> {
        self.truly(SegmentReader::open(&self.root, key))
    }

    /// Nothing is told as missing because the whole disk is.
    fn truly<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.as_ref().is_err_and(StoreError::is_missing) {
            self.present()?;
        }
        result
    }

    pub fn read_identity(&self) -> Result<Option<Identity>, StoreError> {
        self.present()?;
        crate::read_identity(&self.root).map_err(away)
    }

    pub fn write_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        self.present()?;
        crate::write_identity(&self.root, identity).map_err(away)
    }
}

/// Deletes the files of a segment below a folder, for good when it returns. What is gone already is done. Blocking.
///
/// The sidecar goes first: media without one is not footage for anybody, so that what a crash leaves is not adopted
/// again.
///
/// # Errors
/// When the disk refuses; then some of it may be gone, and the call is to be repeated.
pub fn delete_files(root: &Path, key: &SegmentKey) -> Result<(), StoreError> {
    for path in [key.sidecar_path(root), key.media_path(root)] {
        remove(&path)?;
        // Also when it was gone: an earlier call may not have come to the sync.
        sync_parent(&path).map_err(StoreError::io("sync the folder of", &path))?;
    }
    prune(root, &key.media_path(root));
    Ok(())
}

/// Frees the files of a segment that is elsewhere too. The media goes first: who looks for what is left to free finds
/// it by its sidecar.
pub(super) fn free(root: &Path, key: &SegmentKey) -> Result<(), StoreError> {
    remove(&key.media_path(root))?;
    remove(&key.sidecar_path(root))?;
    prune(root, &key.media_path(root));
    Ok(())
}

/// Lengths of media and sidecar below a folder, bytes; `None` for what is not there.
pub(super) fn lengths(root: &Path, key: &SegmentKey) -> Result<(Option<u64>, Option<u64>), StoreError> {
    let len = |path: PathBuf| match metadata(&path) {
        Ok(metadata) => Ok(metadata.map(|m| m.len())),
        Err(error) => Err(StoreError::io("look at", &path)(error)),
    };
    Ok((len(key.media_path(root))?, len(key.sidecar_path(root))?))
}

/// The sidecar of a segment on its way; `None` when it is damaged: then it says nothing of the media, which is kept as
/// it is.
fn sidecar_of(spool: &Path, archive: &Path, key: &SegmentKey) -> Result<Option<Sidecar>, StoreError> {
    let found = match crate::read_sidecar(spool, key) {
        Err(error) if error.is_missing() => crate::read_sidecar(archive, key),
        other => other,
    };
    match found {
        Ok(sidecar) => Ok(Some(sidecar)),
        Err(StoreError::Sidecar { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The hashes of a file in the spool, cut up as its sidecar says.
fn hash_spooled(path: &Path, sidecar: Option<&Sidecar>) -> Result<(Pieces, Vec<Digest>), StoreError> {
    let len = std::fs::metadata(path).map_err(StoreError::io("look at", path))?.len();
    let pieces = Pieces::of(sidecar, len);
    let hashed = hash_file(path, &pieces).map_err(StoreError::io("read", path))?;
    let whole = hashed.ok_or_else(|| StoreError::io("read all of", path)(ErrorKind::UnexpectedEof.into()))?;
    Ok((pieces, whole))
}

fn hash_file(path: &Path, pieces: &Pieces) -> std::io::Result<Option<Vec<Digest>>> {
    let mut file = File::open(path)?;
    let mut hasher = pieces.hasher();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => hasher.update(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether a copy in the archive has the same bytes.
fn verify(copy: &Path, (pieces, digests): &(Pieces, Vec<Digest>)) -> Result<bool, StoreError> {
    let found = hash_file(copy, pieces).map_err(unavailable("read back", copy))?;
    Ok(found.as_ref() == Some(digests))
}

/// The folders below `folder` and the segments in them whose sidecar is there, in the order of keys.
fn walk(
    root: &Path,
    folder: &str,
    after: Option<&str>,
    limit: usize,
    keys: &mut Vec<SegmentKey>,
) -> Result<(), StoreError> {
    let path = root.join(folder);
    let mut names = Vec::new();
    match std::fs::read_dir(&path) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(StoreError::io("list", &path))?;
                // What is not in our alphabet is none of ours.
                let Ok(name) = entry.file_name().into_string() else { continue };
                let is_folder = entry.file_type().map_err(StoreError::io("look at", &entry.path()))?.is_dir();
                names.push(if is_folder { format!("{name}/") } else { name });
            }
        }
        // Taken away as empty meanwhile, or never made.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("list", &path)(error)),
    }
    names.sort_unstable();
    for name in names {
        if keys.len() >= limit {
            return Ok(());
        }
        let full = format!("{folder}/{name}");
        if let Some(deeper) = full.strip_suffix('/') {
            let is_before = after.is_some_and(|after| after > full.as_str() && !after.starts_with(&full));
            // The shape of keys ends here; anything deeper is none of ours.
            if !is_before && deeper.split('/').count() < 7 {
                walk(root, deeper, after, limit, keys)?;
            }
        } else if let Some(Ok(key)) = full.strip_suffix(".jsonl").map(SegmentKey::parse) {
            keys.extend(Some(key).filter(|key| after.is_none_or(|after| key.as_str() > after)));
        }
    }
    Ok(())
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Renames, never over something that is there.
fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems do not know it. One process writes here, so looking first is enough.
        Err(Errno::INVAL | Errno::NOSYS) if !to.exists() => std::fs::rename(from, to),
        other => other.map_err(Into::into),
    }
}

/// Removes a file; one that is gone already is done.
fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io("delete", path)(error)),
    }
}

/// Takes away the folders above a file that have become empty.
fn prune(root: &Path, path: &Path) {
    let within = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root) && *folder != root);
    for folder in within {
        // Refused for one that is not empty, which is most of them; an empty one that stays does no harm.
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

fn metadata(path: &Path) -> std::io::Result<Option<std::fs::Metadata>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        // Taken away as empty: nothing that was in it can come back.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whatever a disk says while the archive is changed: the same may work later, when somebody has seen to it.
fn unavailable(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let what = path.display().to_string();
    move |source| StoreError::Unavailable { action, what, source: source.into() }
}

/// The same of an error that is told otherwise for the spool.
fn away(error: StoreError) -> StoreError {
    match error {
        StoreError::Io { action, path, source } => unavailable(action, &path)(source),
        other => other,
    }
}
