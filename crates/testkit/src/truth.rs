//! Ground truth: what a simulated camera really sent, as JSON lines, one file for each camera and stream.
//!
//! The recorder's output is judged by it, so it is written where the media is handed over and nowhere else.
//! Comparing a recording with it does not belong here.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::marks::MarkStream;
use crate::nal::{NalKind, VideoCodec};

/// Lines older than this reach the disk.
const FLUSH_AFTER: Duration = Duration::from_millis(900);

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k")]
pub enum TruthLine {
    /// A picture.
    #[serde(rename = "v")]
    Video {
        /// Its frame number.
        n: u64,
        /// Decoding can start here.
        key: bool,
        /// When it was handed over, nanoseconds since the Unix epoch.
        send_wall_ns: i64,
        /// Presentation time within the media, nanoseconds; differences of it are differences of RTP time.
        rtp_pts_ns: i64,
        /// Bytes of the sample as a recorder stores it.
        len: u64,
        /// SHA-256 of the sample as a recorder stores it, hexadecimal.
        sha256: String,
    },
    /// A frame of AAC or a packet of G.711.
    #[serde(rename = "a")]
    Audio {
        /// Its packet number.
        n: u64,
        /// When it was handed over, nanoseconds since the Unix epoch.
        send_wall_ns: i64,
        /// Presentation time within the media, nanoseconds, on the same line as that of the pictures.
        rtp_pts_ns: i64,
        /// Bytes.
        len: u64,
        /// SHA-256 of the bytes, hexadecimal.
        sha256: String,
    },
    /// Something that was done to the camera or happened in it.
    #[serde(rename = "e")]
    Event {
        /// When, nanoseconds since the Unix epoch.
        wall_ns: i64,
        /// The command as it was given, or the name of what happened.
        command: String,
    },
}

/// Failures with a truth file.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// The file could not be read or written.
    #[error("truth file {} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not ours.
    #[error("line {line} of truth file {} is not readable", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// The file of a camera and stream inside a folder: `cam0-main.jsonl`.
#[must_use]
pub fn truth_path(folder: &Path, camera: u16, stream: MarkStream) -> PathBuf {
    folder.join(format!("cam{camera}-{}.jsonl", stream.as_str()))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_hex(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// Length and hash of an access unit as a recorder stores it: without delimiters and parameter sets, each NAL unit
/// behind a four-byte big-endian length.
pub fn sample_digest<'a>(codec: VideoCodec, nals: impl IntoIterator<Item = &'a [u8]>) -> (u64, String) {
    let mut hash = Sha256::new();
    let mut len = 0;
    for nal in nals.into_iter().filter(|nal| NalKind::of(codec, nal).kept_in_samples()) {
        // A NAL unit of 4 GiB does not exist; the cast keeps what a recorder would write.
        hash.update((nal.len() as u32).to_be_bytes());
        hash.update(nal);
        len += 4 + nal.len() as u64;
    }
    (len, hex(&hash.finalize()))
}

/// Writes a truth file; what is older than a second is on its way to the disk, and the rest follows on drop.
#[derive(Debug)]
pub struct TruthWriter {
    path: PathBuf,
    out: BufWriter<File>,
    flushed_at: Instant,
}

impl TruthWriter {
    /// Starts the file anew.
    pub fn create(folder: &Path, camera: u16, stream: MarkStream) -> Result<Self, TruthError> {
        let path = truth_path(folder, camera, stream);
        match File::create(&path) {
            Ok(file) => Ok(Self { path, out: BufWriter::new(file), flushed_at: Instant::now() }),
            Err(source) => Err(TruthError::Io { path, source }),
        }
    }

    /// Adds a line, and flushes if the last flush is long ago.
    pub fn write(&mut self, line: &TruthLine) -> Result<(), TruthError> {
        let written = serde_json::to_writer(&mut self.out, line)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"));
        self.named(written)?;
        self.tick()
    }

    /// Flushes if the last flush is long ago; to be called about once a second when nothing is written.
    pub fn tick(&mut self) -> Result<(), TruthError> {
        if self.flushed_at.elapsed() < FLUSH_AFTER { Ok(()) } else { self.flush() }
    }

    /// Flushes now.
    pub fn flush(&mut self) -> Result<(), TruthError> {
        self.flushed_at = Instant::now();
        let flushed = self.out.flush();
        self.named(flushed)
    }

    fn named(&self, result: io::Result<()>) -> Result<(), TruthError> {
        result.map_err(|source| TruthError::Io { path: self.path.clone(), source })
    }
}

/// Reads a truth file. A last line without its end (the camera may still be writing) is left out.
pub fn read_truth(path: &Path) -> Result<Vec<TruthLine>, TruthError> {
    let io = |source| TruthError::Io { path: path.to_path_buf(), source };
    let mut reader = BufReader::new(File::open(path).map_err(io)?);
    let mut lines = Vec::new();
    let mut text = String::new();
    loop {
        text.clear();
        if reader.read_line(&mut text).map_err(io)? == 0 || !text.ends_with('\n') {
            return Ok(lines);
        }
        let line = serde_json::from_str(&text).map_err(|source| TruthError::Line {
            path: path.to_path_buf(),
            line: lines.len() + 1,
            source,
        })?;
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_a_cut_line_is_left_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lines = [
            TruthLine::Video { n: 7, key: true, send_wall_ns: 5, rtp_pts_ns: -1, len: 3, sha256: "ab".into() },
            TruthLine::Audio { n: 8, send_wall_ns: 6, rtp_pts_ns: 2, len: 4, sha256: "cd".into() },
            TruthLine::Event { wall_ns: 1, command: "freeze".into() },
        ];
        let mut writer = TruthWriter::create(folder.path(), 2, MarkStream::Sub).expect("writer");
        for line in &lines {
            writer.write(line).expect("write");
        }
        drop(writer);
        let path = folder.path().join("cam2-sub.jsonl");
        let mut text = std::fs::read_to_string(&path).expect("read");
        assert!(text.starts_with(r#"{"k":"v","n":7,"key":true,"#), "{text}");
        text.push_str(r#"{"k":"v","n"#);
        std::fs::write(&path, text).expect("write");
        assert_eq!(read_truth(&path).expect("truth"), lines);
    }

    #[test]
    fn the_digest_is_of_the_stored_sample() {
        let (sps, slice) = ([0x67, 1], [0x65, 0x80, 5]);
        let (len, sha) = sample_digest(VideoCodec::H264, [&sps[..], &slice[..]]);
        assert_eq!(len, 7);
        assert_eq!(sha, sha256_hex(&[0, 0, 0, 3, 0x65, 0x80, 5]));
        // NIST's example.
        assert!(sha256_hex(b"abc").starts_with("ba7816bf8f01cfea"));
    }
}
