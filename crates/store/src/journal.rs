//! The copy of the journal of deletions beside the footage: one JSON line a deletion, only ever appended to.
//!
//! It is synced before files go, and outlives them and the database. Blocking calls.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use minhbach_model::{CameraId, Deletion, DeletionReason, SegmentId, WallRange, WallTime};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Name of the file.
const JOURNAL_NAME: &str = "journal.jsonl";
/// Longest accepted line; an entry has about 350 bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024;

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
        let is_new = !path.exists();
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = opened.map_err(StoreError::io("open", &path))?;
        if ends_torn(&mut file).map_err(StoreError::io("read", &path))? {
            // What a crash left of the last line must not swallow the next one.
            lines.insert(0, b'\n');
        }
        file.write_all(&lines).and_then(|()| file.sync_data()).map_err(StoreError::io("append to", &path))?;
        if is_new {
            File::open(root).and_then(|dir| dir.sync_all()).map_err(StoreError::io("sync", root))?;
        }
        Ok(())
    }

    /// All entries, oldest first. Lines that are none are passed over and told in the log: a crash leaves them behind.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(root: &Path) -> Result<Vec<Deletion>, StoreError> {
        let mut deletions = Vec::new();
        for entry in Self::entries(root)? {
            match entry {
                Ok(deletion) => deletions.push(deletion),
                Err(error @ StoreError::Document { .. }) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a line of the journal is passed over");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(deletions)
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
        assert!(JournalFile::read(dir.path()).unwrap().is_empty());
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
        assert_eq!(JournalFile::read(dir.path()).unwrap(), entries);
    }
}
