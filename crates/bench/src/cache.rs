//! What of some files is in the memory of the machine (its page cache) when a measurement begins, and the room there
//! is in memory and on a disk.
//!
//! What belongs here: loading, forgetting, listing, asking for room. What does not: which files, and what is measured.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::Advice;

use crate::{Outcome, failed};

/// Where the bytes are that a measurement is going to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In memory.
    Warm,
    /// On the disk only, see [`forget`].
    Cold,
}

impl State {
    /// As figures call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
        }
    }
}

/// Media files and sidecars below a folder, with their sizes in bytes, in the order of their names.
pub fn files(root: &Path) -> Outcome<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(failed("footage"))? {
            let entry = entry.map_err(failed("footage"))?;
            let (path, metadata) = (entry.path(), entry.metadata().map_err(failed("footage"))?);
            if metadata.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "mp4" || extension == "jsonl") {
                found.push((path, metadata.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Sum of their sizes, bytes.
pub fn size(files: &[(PathBuf, u64)]) -> u64 {
    files.iter().map(|(_, bytes)| bytes).sum()
}

/// Whether so many bytes of files fit into the memory that nobody uses. A person is told when they do not.
pub fn fits(bytes: u64) -> Outcome<bool> {
    let text = std::fs::read_to_string("/proc/meminfo").map_err(failed("memory"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let available = kib.ok_or("/proc/meminfo does not say MemAvailable")? * 1024;
    if bytes > available {
        let (needed, available) = (gigabytes(bytes), gigabytes(available));
        eprintln!("warm is left out: {needed} would have to stay in memory, and {available} are available");
    }
    Ok(bytes <= available)
}

/// Reads them once, so that they are in memory.
pub fn load(files: &[(PathBuf, u64)]) -> Outcome {
    let mut buffer = vec![0; 1024 * 1024];
    for (path, _) in files {
        let mut file = File::open(path).map_err(failed("footage"))?;
        while file.read(&mut buffer).map_err(failed("footage"))? > 0 {}
    }
    Ok(())
}

/// Lets the kernel forget them (posix_fadvise(2), `POSIX_FADV_DONTNEED`): the next one who reads waits for the disk.
/// Only what is on the disk already is forgotten. Names and inodes stay known, and what a disk or a host keeps in a
/// cache of its own is out of reach.
pub fn forget(files: &[(PathBuf, u64)]) -> Outcome {
    for (path, _) in files {
        let file = File::open(path).map_err(failed("footage"))?;
        rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).map_err(failed("posix_fadvise"))?;
    }
    Ok(())
}

/// Refuses to go on where a disk has less room than is going to be written.
pub fn need_room(folder: &Path, bytes: u64, what: &str) -> Outcome {
    let stat = rustix::fs::statvfs(folder).map_err(failed("free space"))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free >= bytes {
        return Ok(());
    }
    let (needed, free, folder) = (gigabytes(bytes), gigabytes(free), folder.display());
    let advice = "make room, take fewer --cameras or --hours, or name a folder on another disk with --dir";
    Err(format!("{what} needs {needed} in {folder}, and {free} are free: {advice}"))
}

/// For people.
pub fn gigabytes(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // one digit is shown
    let gigabytes = bytes as f64 / 1e9;
    format!("{gigabytes:.1} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footage_is_found_in_every_folder_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let day = dir.path().join("v1/a/main");
        std::fs::create_dir_all(&day).unwrap();
        for (name, len) in [("b.mp4", 5), ("b.mp4.jsonl", 3), ("minhbach.json", 9)] {
            std::fs::write(day.join(name), vec![0; len]).unwrap();
        }
        let found = files(dir.path()).unwrap();
        assert_eq!(found, [(day.join("b.mp4"), 5), (day.join("b.mp4.jsonl"), 3)]);
        assert_eq!(size(&found), 8);
        load(&found).unwrap();
        forget(&found).unwrap();
    }

    #[test]
    fn too_little_room_is_told_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        need_room(dir.path(), 1, "the footage").unwrap();
        let refused = need_room(dir.path(), u64::MAX, "the footage").unwrap_err();
        assert!(refused.starts_with("the footage needs") && refused.contains("--dir"), "{refused}");
    }
}
