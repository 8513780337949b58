//! What lies beside the footage: to which database it belongs, and the journal of what was deleted.
//!
//! Both outlive a database. The note says whether a database may decide what is deleted here; the journal says what was
//! deleted when nothing else remembers. Blocking.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use minhbach_model::Deletion;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{SegmentKey, StoreError};

const NOTE: &str = "minhbach.json";
const JOURNAL: &str = "journal.jsonl";

/// The database that footage belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id.
    pub database_id: Uuid,
    /// How often it had been opened when this was written.
    pub generation: u64,
}

/// An entry of the journal: [`Deletion`] in words that outlive this program. Times are RFC 3339 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Storage key, which names camera, stream and segment.
    pub key: String,
    /// Start of what it held.
    pub start: String,
    /// Its end.
    pub end: String,
    /// Bytes of media.
    pub bytes: u64,
    /// When the deletion was decided.
    pub at: String,
    /// Why: a stable name.
    pub reason: String,
}

impl From<&Deletion> for JournalEntry {
    fn from(deletion: &Deletion) -> Self {
        Self {
            key: deletion.key.clone(),
            start: deletion.range.start.to_string(),
            end: deletion.range.end.to_string(),
            bytes: deletion.bytes,
            at: deletion.at.to_string(),
            reason: deletion.reason.as_str().to_owned(),
        }
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}

/// To which database the footage in the folder belongs; `None` when nothing says so.
///
/// # Errors
/// When the note cannot be read or is none.
pub fn read_identity(root: &Path) -> Result<Option<Identity>, StoreError> {
    let path = root.join(NOTE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("read", &path)(error)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| io("understand", &path)(error.into()))
}

/// Says to which database the footage belongs. Either the old note or the new one is there, whatever happens.
///
/// # Errors
/// When the operating system refuses.
pub fn write_identity(root: &Path, identity: &Identity) -> Result<(), StoreError> {
    let (path, part) = (root.join(NOTE), root.join(format!("{NOTE}.part")));
    let text = serde_json::to_vec(identity).map_err(|error| io("write", &path)(error.into()))?;
    let written = File::create(&part).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
    written.map_err(io("write", &part))?;
    std::fs::rename(&part, &path).map_err(io("rename", &part))?;
    sync_folder(root)
}

/// Adds entries to the journal; they are on the disk when this returns.
///
/// # Errors
/// When the operating system refuses: then nothing of what they speak of may be deleted.
pub fn append_journal(root: &Path, entries: &[JournalEntry]) -> Result<(), StoreError> {
    let path = root.join(JOURNAL);
    let mut text = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut text, entry).map_err(|error| io("write", &path)(error.into()))?;
        text.push(b'\n');
    }
    let new = !path.exists();
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_data())).map_err(io("append to", &path))?;
    if new { sync_folder(root) } else { Ok(()) }
}

/// The journal, oldest first. A torn last line, which a crash can leave, is left out.
///
/// # Errors
/// When it cannot be read or a whole line is none.
pub fn read_journal(root: &Path) -> Result<Vec<JournalEntry>, StoreError> {
    let path = root.join(JOURNAL);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io("read", &path)(error)),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse =
        |line| serde_json::from_str(line).map_err(|error: serde_json::Error| io("understand", &path)(error.into()));
    whole.lines().map(parse).collect()
}

/// Whether the folder holds footage.
///
/// # Errors
/// When the folder cannot be read.
pub fn has_footage(root: &Path) -> Result<bool, StoreError> {
    fn any(folder: &Path, depth: u8) -> std::io::Result<bool> {
        for entry in std::fs::read_dir(folder)? {
            let path: PathBuf = entry?.path();
            let found = if path.is_dir() {
                depth > 0 && any(&path, depth - 1)?
            } else {
                path.extension().is_some_and(|extension| extension == "mp4")
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
    let root = root.join("v1");
    // v1/<camera>/<stream>/<yyyy>/<mm>/<dd>/
    match any(&root, 5) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        answer => answer.map_err(io("read", &root)),
    }
}

/// Takes the files of a segment away; what is gone already is done. The media first: what a crash leaves is a sidecar without
/// footage and never footage without its proof.
///
/// # Errors
/// When the operating system refuses.
pub fn erase(root: &Path, key: &SegmentKey) -> Result<(), StoreError> {
    let (media, sidecar) = (key.media_path(root), key.sidecar_path(root));
    for path in [&media, &sidecar] {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io("delete", path)(error)),
            _ => {}
        }
    }
    match media.parent().filter(|folder| folder.is_dir()) {
        // A row must not be forgotten before its files are gone for good.
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_a_damaged_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_identity(dir.path()).unwrap(), None);
        let identity = Identity { database_id: Uuid::from_bytes([7; 16]), generation: 3 };
        write_identity(dir.path(), &identity).unwrap();
        assert_eq!(read_identity(dir.path()).unwrap(), Some(identity));
        std::fs::write(dir.path().join(NOTE), b"{").unwrap();
        assert!(read_identity(dir.path()).is_err());
    }

    #[test]
    fn a_journal_comes_back_without_its_torn_end() {
        let dir = tempfile::tempdir().unwrap();
        let entry = |key: &str| JournalEntry {
            key: key.to_owned(),
            start: "2026-11-24T07:00:00Z".to_owned(),
            end: "2026-11-24T07:01:00Z".to_owned(),
            bytes: 7,
            at: "2026-12-24T07:00:00Z".to_owned(),
            reason: "expired".to_owned(),
        };
        assert_eq!(read_journal(dir.path()).unwrap(), []);
        append_journal(dir.path(), &[entry("a"), entry("b")]).unwrap();
        append_journal(dir.path(), &[entry("c")]).unwrap();
        let path = dir.path().join(JOURNAL);
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"key\":\"d").unwrap();
        assert_eq!(read_journal(dir.path()).unwrap(), [entry("a"), entry("b"), entry("c")]);
    }

    #[test]
    fn footage_is_found_and_erased_once() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!has_footage(dir.path()).unwrap());
        let key = SegmentKey::new(
            minhbach_model::CameraId::generate(),
            minhbach_model::StreamKind::Main,
            minhbach_model::WallTime::from_secs(1_795_503_600),
            minhbach_model::SegmentId::generate(),
        );
        let media = key.media_path(dir.path());
        std::fs::create_dir_all(media.parent().unwrap()).unwrap();
        std::fs::write(&media, b"x").unwrap();
        std::fs::write(key.sidecar_path(dir.path()), b"x").unwrap();
        assert!(has_footage(dir.path()).unwrap());
        erase(dir.path(), &key).unwrap();
        erase(dir.path(), &key).unwrap();
        assert!(!has_footage(dir.path()).unwrap());
    }
}
