//! The copy of the journal of deletions beside the footage: one JSON line a deletion, only ever appended to.
//!
//! It is synced before files go, and outlives them and the database. Room for what comes next is kept behind its end, so that
//! a disk that somebody filled to the last byte can still be freed. Blocking calls.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use minhbach_model::{CameraId, Deletion, DeletionReason, SegmentId, WallRange, WallTime};
use rustix::fs::FallocateFlags;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Name of the file.
const JOURNAL_NAME: &str = "journal.jsonl";
/// Room kept behind the end of the file, bytes: some three thousand entries.
const RESERVE_BYTES: u64 = 1024 * 1024;
/// Longest accepted line; an entry has about 350 bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024;
/// Read of the end at once, bytes; more than a line.
const TAIL_BYTES: u64 = 64 * 1024;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    segment: SegmentId,
    camera: CameraId,
    stream: String,
    start_wall_ns: i64,
    end_wall_ns: i64,
    key: String,
    bytes: u64,
    at_wall_ns: i64,
    reason: String,
}

impl From<&Deletion> for Line {
    fn from(deletion: &Deletion) -> Self {
        Self {
            segment: deletion.segment,
            camera: deletion.camera,
            stream: deletion.stream.as_str().to_owned(),
            start_wall_ns: deletion.range.start.0,
            end_wall_ns: deletion.range.end.0,
            key: deletion.key.clone(),
            bytes: deletion.bytes,
            at_wall_ns: deletion.at.0,
            reason: deletion.reason.as_str().to_owned(),
        }
    }
}

impl TryFrom<Line> for Deletion {
    type Error = String;

    fn try_from(line: Line) -> Result<Self, String> {
        Ok(Self {
            segment: line.segment,
            camera: line.camera,
            stream: line.stream.parse()?,
            range: WallRange { start: WallTime(line.start_wall_ns), end: WallTime(line.end_wall_ns) },
            key: line.key,
            bytes: line.bytes,
            at: WallTime(line.at_wall_ns),
            reason: DeletionReason::from_name(&line.reason).ok_or_else(|| format!("no reason `{}`", line.reason))?,
        })
    }
}

/// The journal file of a folder of footage. One owner writes it.
#[derive(Debug, Clone, Copy)]
pub struct JournalFile;

impl JournalFile {
    /// Keeps room for entries behind the end of the file in that folder, making it when it is not there. Each
    /// [`append`](Self::append) sees to it again.
    ///
    /// # Errors
    /// When the disk refuses, or its file system keeps no room. Then entries are appended as long as it has room.
    pub fn reserve(root: &Path) -> Result<(), StoreError> {
        let path = root.join(JOURNAL_NAME);
        let file = open(root, &path)?;
        keep_room(&file).map_err(StoreError::io("keep room in", &path))
    }

    /// Appends entries to the file in that folder, which is made by the first one; they are synced when it returns.
    ///
    /// # Errors
    /// When the disk refuses. Then nothing may be deleted: the entries may be there or not, and are appended again next
    /// time.
    pub fn append(root: &Path, deletions: &[Deletion]) -> Result<(), StoreError> {
        let path = root.join(JOURNAL_NAME);
        let mut lines = Vec::new();
        for deletion in deletions {
            serde_json::to_writer(&mut lines, &Line::from(deletion)).map_err(|error| StoreError::Document {
                name: path.display().to_string(),
                problem: error.to_string(),
            })?;
            lines.push(b'\n');
        }
        let mut file = open(root, &path)?;
        if ends_torn(&mut file).map_err(StoreError::io("read", &path))? {
            // What a crash left of the last line must not swallow the next one.
            lines.insert(0, b'\n');
        }
        file.write_all(&lines).and_then(|()| file.sync_data()).map_err(StoreError::io("append to", &path))?;
        match keep_room(&file) {
            // What is written now may have been the last that was kept; it is kept again when files have gone.
            Err(error) if !is_full(&error) => {
                tracing::warn!(path = %path.display(), %error, "no room is kept for the journal of deletions");
            }
            Ok(()) | Err(_) => {}
        }
        Ok(())
    }

    /// The newest entry, read from the end of the file, however long that is; `None` where there is none. Lines that are none
    /// are passed over: a crash leaves them behind.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn last(root: &Path) -> Result<Option<Deletion>, StoreError> {
        let path = root.join(JOURNAL_NAME);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        let mut end = file.metadata().map_err(StoreError::io("measure", &path))?.len();
        let mut bytes: Vec<u8> = Vec::new();
        while end > 0 {
            let start = end.saturating_sub(TAIL_BYTES);
            bytes.resize(usize::try_from(end - start).unwrap_or_default(), 0);
            file.read_exact_at(&mut bytes, start).map_err(StoreError::io("read", &path))?;
            // The first line may have begun before; then it is whole in the next piece.
            let first_end = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |feed| feed + 1);
            let whole = if start == 0 { &bytes[..] } else { &bytes[first_end..] };
            let entry = |text: &[u8]| Deletion::try_from(serde_json::from_slice::<Line>(text).ok()?).ok();
            if let Some(found) = whole.rsplit(|&byte| byte == b'\n').find_map(entry) {
                return Ok(Some(found));
            }
            end = if start == 0 { 0 } else { start + LINE_BYTES_MAX };
        }
        Ok(None)
    }

    /// The entries, oldest first, read as they are taken: years of them can be more than fits into memory.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn entries(root: &Path) -> Result<JournalEntries, StoreError> {
        let path = root.join(JOURNAL_NAME);
        let file = match File::open(&path) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        Ok(JournalEntries { path, file, line: 0 })
    }
}

fn open(root: &Path, path: &Path) -> Result<File, StoreError> {
    let is_new = !path.exists();
    let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
    let file = opened.map_err(StoreError::io("open", path))?;
    if is_new {
        // Before anything is in it: entries that are synced must not be lost with its name.
        File::open(root).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", root))?;
    }
    Ok(file)
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Allocates blocks behind the end of the file when fewer than half of the reserve are left: what is appended is written into
/// them, however full the disk is. The length of the file stays.
fn keep_room(file: &File) -> std::io::Result<()> {
    let metadata = file.metadata()?;
    // `st_blocks` counts 512 bytes each, whatever the file system's are.
    let left = metadata.blocks().saturating_mul(512).saturating_sub(metadata.len());
    if left < RESERVE_BYTES / 2 {
        rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, metadata.len(), RESERVE_BYTES)?;
    }
    Ok(())
}

/// Whether the last byte is no line feed.
fn ends_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The entries of a journal file. A line that is none comes out as [`StoreError::Document`], and the next one after it.
#[derive(Debug)]
pub struct JournalEntries {
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// Lines read, counted from 1.
    line: u64,
}

impl JournalEntries {
    fn entry(&self, text: &[u8]) -> Result<Deletion, StoreError> {
        let parsed = serde_json::from_slice::<Line>(text).map_err(|error| error.to_string());
        parsed.and_then(Deletion::try_from).map_err(|problem| StoreError::Document {
            name: format!("line {} of {}", self.line, self.path.display()),
            problem,
        })
    }
}

impl Iterator for JournalEntries {
    type Item = Result<Deletion, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let file = self.file.as_mut()?;
            let mut text = Vec::new();
            let read = file.take(LINE_BYTES_MAX).read_until(b'\n', &mut text);
            match read {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    self.file = None;
                    return Some(Err(StoreError::io("read", &self.path)(error)));
                }
            }
            self.line += 1;
            let text = text.trim_ascii_end();
            if !text.is_empty() {
                return Some(self.entry(text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::StreamKind;

    use super::*;

    fn deletion(number: u64) -> Deletion {
        Deletion {
            segment: SegmentId::generate(),
            camera: CameraId::generate(),
            stream: StreamKind::Sub,
            range: WallRange { start: WallTime::from_secs(10), end: WallTime::from_secs(70) },
            key: format!("v1/c/sub/2026/11/24/{number}.mp4"),
            bytes: number,
            at: WallTime::from_secs(100),
            reason: DeletionReason::DiskFull,
        }
    }

    #[test]
    fn entries_come_back_in_order_and_a_torn_line_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(JournalFile::entries(dir.path()).unwrap().count(), 0);
        let entries: Vec<Deletion> = (0..3).map(deletion).collect();
        JournalFile::append(dir.path(), &entries[..2]).unwrap();
        // A crash in the middle of a line.
        let path = dir.path().join(JOURNAL_NAME);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"segment\":\"01");
        std::fs::write(&path, bytes).unwrap();
        JournalFile::append(dir.path(), &entries[2..]).unwrap();

        let read: Vec<Result<Deletion, StoreError>> = JournalFile::entries(dir.path()).unwrap().collect();
        assert_eq!(read.len(), 4);
        assert!(matches!(&read[2], Err(StoreError::Document { .. })));
        assert_eq!(read.into_iter().filter_map(Result::ok).collect::<Vec<_>>(), entries);
    }

    #[test]
    fn the_last_entry_is_found_from_the_end_whatever_comes_before_and_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(JOURNAL_NAME);
        assert_eq!(JournalFile::last(dir.path()).unwrap(), None);
        // A front of which reading all would take minutes: a hole.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let entries: Vec<Deletion> = (0..3).map(deletion).collect();
        JournalFile::append(dir.path(), &entries).unwrap();
        assert_eq!(JournalFile::last(dir.path()).unwrap().as_ref(), entries.last());

        // Lines that are none behind it, so that it lies anywhere in a piece, or in none of the first ones.
        let tail = usize::try_from(TAIL_BYTES).unwrap();
        for garbage in (tail - 500..tail + 100).step_by(37).chain([3 * tail, 5 * tail + 11]) {
            std::fs::remove_file(&path).unwrap();
            JournalFile::append(dir.path(), &entries).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.extend(b"none\n{\"torn".iter().cycle().take(garbage));
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(JournalFile::last(dir.path()).unwrap().as_ref(), entries.last(), "{garbage}");
        }
        std::fs::write(&path, vec![b'x'; 2 * tail]).unwrap();
        assert_eq!(JournalFile::last(dir.path()).unwrap(), None);
    }
}
