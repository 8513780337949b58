//! Small files beside the footage, kept by who owns it: which database it belongs to, and what time it was for certain.
//!
//! A database that is new, older or another one must delete nothing, nor must a clock that jumped; only the comparisons are
//! made elsewhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use minhbach_model::WallTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::StoreError;

/// Name of the file or object.
pub(crate) const IDENTITY_NAME: &str = "minhbach.json";
const LOCKS_NAME: &str = "deletion-locked.json";
const CLOCK_NAME: &str = "clock.json";

/// The database that was last seen together with this footage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id.
    pub database_id: Uuid,
    /// How often it had been opened.
    pub generation: u64,
    /// In the spool's: an archive belongs to it, too. One that says nothing is then not that one: a disk that is not mounted.
    #[serde(default)]
    pub archive: bool,
}

impl Identity {
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(|error| Self::problem(IDENTITY_NAME, &error))
    }

    pub(crate) fn parse(name: &str, json: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(json).map_err(|error| Self::problem(name, &error))
    }

    fn problem(name: &str, error: &serde_json::Error) -> StoreError {
        StoreError::Document { name: name.to_owned(), problem: error.to_string() }
    }
}

/// The identity kept in a folder; `None` when there is none. Blocking.
///
/// # Errors
/// When it cannot be read, or is none. That is not the same as none being there.
pub fn read_identity(root: &Path) -> Result<Option<Identity>, StoreError> {
    let path = root.join(IDENTITY_NAME);
    match std::fs::read(&path) {
        Ok(json) => Identity::parse(&path.display().to_string(), &json).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// Writes the identity into a folder: wholly or not at all, and synced when it returns. Blocking.
///
/// # Errors
/// When the disk refuses; then the one before still stands.
pub fn write_identity(root: &Path, identity: &Identity) -> Result<(), StoreError> {
    replace(root, IDENTITY_NAME, &identity.to_json()?)
}

/// What is known of the time, whatever the wall clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptClock {
    /// The newest time that has passed for certain.
    pub seen_wall_ns: WallTime,
    /// How far the wall clock was ahead of it when this was written, nanoseconds; 0 while it was believed.
    pub ahead_ns: i64,
}

/// The time kept in a folder; `None` when there is none. Blocking.
///
/// # Errors
/// When the file is there and cannot be read, or is none.
pub fn read_clock(root: &Path) -> Result<Option<KeptClock>, StoreError> {
    let path = root.join(CLOCK_NAME);
    match std::fs::read(&path) {
        Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| Identity::problem(CLOCK_NAME, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// Keeps the time in a folder, as [`write_identity`] does. Blocking.
///
/// # Errors
/// When the disk refuses; then the one before still stands.
pub fn write_clock(root: &Path, kept: &KeptClock) -> Result<(), StoreError> {
    let json = serde_json::to_vec(kept).map_err(|error| Identity::problem(CLOCK_NAME, &error))?;
    replace(root, CLOCK_NAME, &json)
}

/// The databases that were found not to belong to this footage, each with why: they delete nothing, at any later start, until a
/// person decides.
pub type Locks = BTreeMap<Uuid, String>;

/// The locks kept in a folder. Blocking.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_locks(root: &Path) -> Result<Locks, StoreError> {
    let path = root.join(LOCKS_NAME);
    match std::fs::read(&path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| Identity::problem(LOCKS_NAME, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Locks::new()),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

/// Keeps the locks in a folder, as [`write_identity`] does; none leaves no file. Blocking.
///
/// # Errors
/// When the disk refuses; then those before still stand.
pub fn write_locks(root: &Path, locks: &Locks) -> Result<(), StoreError> {
    if locks.is_empty() {
        let path = root.join(LOCKS_NAME);
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", &path)(error)),
            _ => Ok(()),
        };
    }
    let json = serde_json::to_vec(locks).map_err(|error| Identity::problem(LOCKS_NAME, &error))?;
    replace(root, LOCKS_NAME, &json)
}

pub(crate) fn replace(root: &Path, name: &str, json: &[u8]) -> Result<(), StoreError> {
    let path = root.join(name);
    let part = root.join(format!("{name}.part"));
    let mut file = File::create(&part).map_err(StoreError::io("create", &part))?;
    file.write_all(json).and_then(|()| file.sync_all()).map_err(StoreError::io("write", &part))?;
    std::fs::rename(&part, &path).map_err(StoreError::io("replace", &path))?;
    File::open(root).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_kept_and_replaced_and_a_broken_one_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_identity(dir.path()).unwrap(), None);
        let mut identity = Identity { database_id: Uuid::from_u128(7), generation: 1, archive: false };
        write_identity(dir.path(), &identity).unwrap();
        identity.generation = 2;
        write_identity(dir.path(), &identity).unwrap();
        assert_eq!(read_identity(dir.path()).unwrap(), Some(identity));
        assert!(!dir.path().join("minhbach.json.part").exists());
        std::fs::write(dir.path().join(IDENTITY_NAME), b"").unwrap();
        assert!(matches!(read_identity(dir.path()), Err(StoreError::Document { .. })));
    }

    #[test]
    fn a_time_that_was_kept_comes_back_and_a_broken_one_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_clock(dir.path()).unwrap(), None);
        let kept = KeptClock { seen_wall_ns: WallTime::from_secs(1_795_503_600), ahead_ns: 7 };
        write_clock(dir.path(), &kept).unwrap();
        assert_eq!(read_clock(dir.path()).unwrap(), Some(kept));
        std::fs::write(dir.path().join(CLOCK_NAME), b"{").unwrap();
        assert!(matches!(read_clock(dir.path()), Err(StoreError::Document { .. })));
    }
}
