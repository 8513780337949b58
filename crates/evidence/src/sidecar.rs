//! The sidecar beside each segment: one JSON line a fragment, each holding the SHA-256 of the fragment's bytes and the
//! SHA-256 of the line before it.
//!
//! It is the evidence chain and the seed from which the index can be rebuilt. Text, so that an inspector can follow it with
//! `sha256sum` and his own eyes: the first line is a [`SidecarHeader`], every other a [`FragmentRecord`]; `prev` is the
//! SHA-256 of the previous line without its line feed.

use minhbach_model::WallTime;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// The version this program writes.
const VERSION: u32 = 1;
/// Longest accepted line; a record has about 400 bytes.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// What is wrong with a sidecar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SidecarError {
    /// A line is not the JSON it should be.
    #[error("line {line} is not a record: {problem}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A line does not carry the hash of the line before it.
    #[error("line {line} does not follow from the line before it: the chain is broken")]
    ChainBroken {
        /// Counted from 1.
        line: usize,
    },
    /// A fragment does not start where the one before it ends.
    #[error("line {line} names byte {found} where byte {expected} is expected")]
    OffsetMismatch {
        /// Counted from 1.
        line: usize,
        /// End of the fragment before.
        expected: u64,
        /// What the line says.
        found: u64,
    },
    /// Written by a newer version.
    #[error("the sidecar has version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// No header line.
    #[error("the sidecar is empty")]
    Empty,
}

/// The first line: what the file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidecarHeader {
    /// Version of the format.
    pub version: u32,
    /// Camera id.
    pub camera: String,
    /// `main` or `sub`.
    pub stream: String,
    /// Segment id.
    pub segment: String,
    /// Storage key of the media file.
    pub key: String,
    /// Wall time of the first picture, RFC 3339 UTC.
    pub start: String,
    /// Codec string of the pictures, RFC 6381.
    pub video: String,
    /// Name of the sound's codec, empty when there is none.
    pub audio: String,
    /// Bytes of the initialisation segment at the start of the media file.
    pub init_len: u64,
    /// Its SHA-256.
    pub init_sha256: Digest,
    /// SHA-256 of the last line of the sidecar before this one of the same stream; all zero for the first.
    pub prev: Digest,
}

/// How well the wall time of a fragment is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// The camera's RTP clock, tied to the server's clock.
    Tied,
    /// Just after a new connection: the tie is still being found.
    Settling,
    /// The camera's clock jumped within the last minute; times go on by the server's clock.
    Stepped,
}

/// A line: one fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentRecord {
    /// Where the fragment starts in the media file.
    pub offset: u64,
    /// Its length, bytes.
    pub len: u64,
    /// Presentation time of its first picture, ticks of 90 kHz from the start of the file.
    pub media_start_90k: i64,
    /// Wall time of that picture, nanoseconds since the Unix epoch.
    pub start_wall_ns: i64,
    /// Wall time of the end of its last picture.
    pub end_wall_ns: i64,
    /// Pictures.
    pub video: u32,
    /// Frames or packets of sound.
    pub audio: u32,
    /// RTP packets lost before or within it.
    pub lost: u32,
    /// Its first picture can be decoded alone.
    pub key: bool,
    /// How well the wall time is known.
    pub clock: ClockState,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// SHA-256 of the line before.
    pub prev: Digest,
}

impl FragmentRecord {
    /// Wall time of the file's media time zero.
    #[must_use]
    pub fn media_zero(&self) -> WallTime {
        let start_ns = minhbach_model::Timescale::VIDEO.to_ns(minhbach_model::Ticks(self.media_start_90k));
        WallTime(self.start_wall_ns).offset_ns(-start_ns)
    }

    /// First byte after it.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }
}

/// Makes the lines of one sidecar.
#[derive(Debug)]
pub struct SidecarWriter {
    prev: Digest,
    offset: u64,
}

impl SidecarWriter {
    /// Starts a sidecar; returns its first line, line feed included. The version in `header` is set here.
    ///
    /// # Errors
    /// When serde refuses, which it does not for this type.
    pub fn start(mut header: SidecarHeader) -> Result<(Self, Vec<u8>), serde_json::Error> {
        header.version = VERSION;
        let offset = header.init_len;
        let (line, prev) = line(&header)?;
        Ok((Self { prev, offset }, line))
    }

    /// The line of the next fragment; `offset` and `prev` in `record` are set here.
    ///
    /// # Errors
    /// When serde refuses, which it does not for this type.
    pub fn append(&mut self, record: &mut FragmentRecord) -> Result<Vec<u8>, serde_json::Error> {
        record.offset = self.offset;
        record.prev = self.prev;
        let (line, digest) = line(record)?;
        self.prev = digest;
        self.offset = record.end_offset();
        Ok(line)
    }

    /// The hash that continues the chain in the next sidecar.
    #[must_use]
    pub fn last(&self) -> Digest {
        self.prev
    }
}

fn line(value: &impl Serialize) -> Result<(Vec<u8>, Digest), serde_json::Error> {
    let mut line = serde_json::to_vec(value)?;
    let digest = Digest::of(&line);
    line.push(b'\n');
    Ok((line, digest))
}

/// A sidecar read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// Its first line.
    pub header: SidecarHeader,
    /// Its fragments, chain and offsets checked.
    pub fragments: Vec<FragmentRecord>,
    /// The hash that continues the chain in the next sidecar.
    pub last: Digest,
    /// Whether a last line without line feed was left out: what a crash leaves behind.
    pub torn: bool,
}

impl Sidecar {
    /// Reads a sidecar and checks its chain.
    ///
    /// # Errors
    /// What is wrong, with the number of the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, SidecarError> {
        let syntax =
            |line: usize| move |error: serde_json::Error| SidecarError::Syntax { line, problem: error.to_string() };
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let torn = whole < bytes.len();
        let mut lines = bytes[..whole].split(|&b| b == b'\n').filter(|line| !line.is_empty());
        let first = lines.next().ok_or(SidecarError::Empty)?;
        let header: SidecarHeader = serde_json::from_slice(limited(first, 1)?).map_err(syntax(1))?;
        if header.version != VERSION {
            return Err(SidecarError::Version(header.version));
        }
        let mut last = Digest::of(first);
        let mut expected = header.init_len;
        let mut fragments = Vec::new();
        for (index, text) in lines.enumerate() {
            let line = index + 2;
            let record: FragmentRecord = serde_json::from_slice(limited(text, line)?).map_err(syntax(line))?;
            if record.prev != last {
                return Err(SidecarError::ChainBroken { line });
            }
            if record.offset != expected {
                return Err(SidecarError::OffsetMismatch { line, expected, found: record.offset });
            }
            last = Digest::of(text);
            expected = record.end_offset();
            fragments.push(record);
        }
        Ok(Self { header, fragments, last, torn })
    }
}

fn limited(text: &[u8], line: usize) -> Result<&[u8], SidecarError> {
    if text.len() > LINE_BYTES_MAX {
        return Err(SidecarError::Syntax { line, problem: format!("longer than {LINE_BYTES_MAX} bytes") });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let header = SidecarHeader {
            version: 0,
            camera: "c".into(),
            stream: "main".into(),
            segment: "s".into(),
            key: "k".into(),
            start: "2026-11-24T07:00:00.000Z".into(),
            video: "avc1.64002A".into(),
            audio: "AAC".into(),
            init_len: 100,
            init_sha256: Digest::of(b"init"),
            prev: Digest([0; 32]),
        };
        let (mut writer, mut bytes) = SidecarWriter::start(header).unwrap();
        for i in 0..3u32 {
            let mut record = FragmentRecord {
                offset: 0,
                len: 10,
                media_start_90k: i64::from(i) * 90_000,
                start_wall_ns: 5_000_000_000 + i64::from(i) * 1_000_000_000,
                end_wall_ns: 6_000_000_000 + i64::from(i) * 1_000_000_000,
                video: 25,
                audio: 15,
                lost: 0,
                key: i != 1,
                clock: ClockState::Tied,
                sha256: Digest::of(&[u8::try_from(i).unwrap()]),
                prev: Digest([0; 32]),
            };
            bytes.extend(writer.append(&mut record).unwrap());
        }
        bytes
    }

    #[test]
    fn what_is_written_reads_back_with_its_chain() {
        let sidecar = Sidecar::parse(&written()).unwrap();
        assert_eq!(sidecar.fragments.len(), 3);
        assert_eq!(sidecar.fragments[2].offset, 120);
        assert_eq!(sidecar.fragments[1].media_zero(), WallTime(5_000_000_000));
        assert!(!sidecar.torn);
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_said() {
        let bytes = written();
        let sidecar = Sidecar::parse(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!((sidecar.fragments.len(), sidecar.torn), (2, true));
        assert_eq!(Sidecar::parse(b""), Err(SidecarError::Empty));
    }

    #[test]
    fn every_changed_byte_is_noticed_except_in_the_last_line() {
        // The last line is covered by the next sidecar's `prev`, and by the log above it.
        let bytes = written();
        let last_line = bytes[..bytes.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
        for at in 0..last_line {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Sidecar::parse(&changed).is_err(), "a change of byte {at} must be noticed");
        }
    }

    #[test]
    fn a_line_taken_out_is_noticed() {
        let bytes = written();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
        let without_second = [lines[0], lines[2], lines[3]].concat();
        assert_eq!(Sidecar::parse(&without_second), Err(SidecarError::ChainBroken { line: 2 }));
    }
}
