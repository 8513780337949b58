//! The independent checker: reads only final files, with ffprobe and not with our own reader, and compares them with what
//! the camera really sent.
//!
//! A sample is recognised by the SHA-256 of its bytes; every mark makes them unique. So a lost, doubled, reordered or
//! altered sample cannot pass for another.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::truth::{TruthLine, read_truth};

/// What the checker found for one stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Pictures in the files.
    pub video: u64,
    /// Frames or packets of sound in the files.
    pub audio: u64,
    /// Pictures sent between the first and the last one recorded that are in no file.
    pub video_lost: u64,
    /// Sound sent between the first and the last recorded that is in no file.
    pub audio_lost: u64,
    /// Samples that are there more than once.
    pub doubled: u64,
    /// Samples that come after a later one.
    pub reordered: u64,
    /// Samples whose bytes the camera never sent.
    pub unknown: u64,
    /// How far sound and picture are apart in the first file, against what the camera sent, milliseconds.
    pub av_offset_first_ms: f64,
    /// The same in the last file.
    pub av_offset_last_ms: f64,
    /// The largest such distance in any file.
    pub av_offset_max_ms: f64,
    /// Largest error of a picture's time within its file, against what the camera sent, milliseconds.
    pub video_time_error_max_ms: f64,
}

impl Verdict {
    /// Everything the camera sent between the first and the last sample is there, once, in order, to the bit.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.video_lost + self.audio_lost + self.doubled + self.reordered + self.unknown == 0
    }
}

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// ffprobe did not read the file.
    #[error("ffprobe does not read {file}: {message}")]
    Probe {
        /// The file.
        file: String,
        /// What it said.
        message: String,
    },
    /// The truth is not readable.
    #[error("no ground truth")]
    Truth(#[from] crate::truth::TruthError),
}

/// A packet as ffprobe tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct Packet {
    /// `video` or `audio`.
    pub codec_type: String,
    /// Presentation time, seconds; absent where a file gives none.
    #[serde(default)]
    pub pts_time: Option<String>,
    /// Decoding time, seconds.
    #[serde(default)]
    pub dts_time: Option<String>,
    /// `SHA256:` and hexadecimal digits.
    pub data_hash: String,
    /// `K` for a key picture, `D` for one that an edit list hides.
    pub flags: String,
}

#[derive(Deserialize)]
struct Packets {
    packets: Vec<Packet>,
}

/// The packets of a file, in its order. Whatever ffprobe warns of is an error.
///
/// # Errors
/// When ffprobe cannot read the file or warns of something in it.
pub fn packets(file: &Path) -> Result<Vec<Packet>, OracleError> {
    let failed = |message: String| OracleError::Probe { file: file.display().to_string(), message };
    let output = Command::new("ffprobe")
        .args(["-v", "warning", "-show_packets", "-show_data_hash", "sha256", "-of", "json"])
        .arg(file)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() || !said.is_empty() {
        return Err(failed(said));
    }
    let parsed: Packets = serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    Ok(parsed.packets)
}

#[derive(Default)]
struct Track {
    /// Hash → number and time in the truth.
    sent: HashMap<String, (u64, i64)>,
    seen: Vec<u64>,
    unknown: u64,
}

impl Track {
    fn find(&mut self, packet: &Packet) -> Option<(u64, i64)> {
        let hash = packet.data_hash.strip_prefix("SHA256:").unwrap_or(&packet.data_hash);
        let found = self.sent.get(hash).copied();
        match found {
            Some((n, _)) => self.seen.push(n),
            None => self.unknown += 1,
        }
        found
    }

    fn lost(&self) -> u64 {
        let (Some(first), Some(last)) = (self.seen.iter().min(), self.seen.iter().max()) else { return 0 };
        let expected = self.sent.values().filter(|(n, _)| (first..=last).contains(&n)).count();
        let mut distinct = self.seen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        expected.saturating_sub(distinct.len()) as u64
    }

    fn doubled(&self) -> u64 {
        let mut sorted = self.seen.clone();
        sorted.sort_unstable();
        sorted.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
    }

    fn reordered(&self) -> u64 {
        self.seen.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64
    }
}

/// Compares recorded files, given in the order of time, with a truth file.
///
/// # Errors
/// When a file or the truth is not readable.
pub fn check(files: &[impl AsRef<Path>], truth: &Path) -> Result<Verdict, OracleError> {
    let (mut video, mut audio) = (Track::default(), Track::default());
    for line in read_truth(truth)? {
        match line {
            TruthLine::Video { n, rtp_pts_ns, sha256, .. } => video.sent.insert(sha256, (n, rtp_pts_ns)),
            TruthLine::Audio { n, rtp_pts_ns, sha256, .. } => audio.sent.insert(sha256, (n, rtp_pts_ns)),
            TruthLine::Event { .. } => None,
        };
    }
    let mut verdict = Verdict::default();
    let mut first = true;
    for file in files {
        // How far file time is behind the camera's time, milliseconds, for each track.
        let (mut video_shift, mut audio_shift) = (Vec::new(), Vec::new());
        for packet in packets(file.as_ref())? {
            let (track, shifts) = match packet.codec_type.as_str() {
                "video" => (&mut video, &mut video_shift),
                _ => (&mut audio, &mut audio_shift),
            };
            let pts_ms = packet.pts_time.as_ref().and_then(|t| t.parse::<f64>().ok()).map(|s| s * 1000.0);
            if let (Some((_, sent_ns)), Some(pts_ms)) = (track.find(&packet), pts_ms) {
                #[allow(clippy::cast_precision_loss)] // milliseconds of a test run
                shifts.push(pts_ms - sent_ns as f64 / 1e6);
            }
        }
        let spread = |shifts: &[f64]| {
            let max = shifts.iter().copied().fold(f64::MIN, f64::max);
            let min = shifts.iter().copied().fold(f64::MAX, f64::min);
            if shifts.is_empty() { 0.0 } else { max - min }
        };
        verdict.video_time_error_max_ms = verdict.video_time_error_max_ms.max(spread(&video_shift));
        if let (Some(v), Some(a)) = (median(&mut video_shift), median(&mut audio_shift)) {
            let offset = a - v;
            if std::mem::take(&mut first) {
                verdict.av_offset_first_ms = offset;
            }
            verdict.av_offset_last_ms = offset;
            verdict.av_offset_max_ms = verdict.av_offset_max_ms.max(offset.abs());
        }
    }
    verdict.video = video.seen.len() as u64;
    verdict.audio = audio.seen.len() as u64;
    verdict.video_lost = video.lost();
    verdict.audio_lost = audio.lost();
    verdict.doubled = video.doubled() + audio.doubled();
    verdict.reordered = video.reordered() + audio.reordered();
    verdict.unknown = video.unknown + audio.unknown;
    Ok(verdict)
}

/// When each picture that is in the files was sent, nanoseconds since the Unix epoch, in order. Pictures the camera
/// never sent are passed over here; [`check`] counts them.
///
/// # Errors
/// When a file or the truth is not readable.
pub fn pictures_sent_at(files: &[impl AsRef<Path>], truth: &Path) -> Result<Vec<i64>, OracleError> {
    let mut sent = HashMap::new();
    for line in read_truth(truth)? {
        if let TruthLine::Video { send_wall_ns, sha256, .. } = line {
            sent.insert(sha256, send_wall_ns);
        }
    }
    let mut times = Vec::new();
    for file in files {
        let packets = packets(file.as_ref())?;
        let hashes = packets.iter().map(|packet| packet.data_hash.strip_prefix("SHA256:").unwrap_or(&packet.data_hash));
        times.extend(hashes.filter_map(|hash| sent.get(hash).copied()));
    }
    times.sort_unstable();
    Ok(times)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(sent: &[u64], seen: &[u64]) -> Track {
        Track { sent: sent.iter().map(|&n| (n.to_string(), (n, 0))).collect(), seen: seen.to_vec(), unknown: 0 }
    }

    #[test]
    fn losses_doubles_and_wrong_orders_are_counted() {
        let all: Vec<u64> = (0..10).collect();
        let good = track(&all, &[2, 3, 4, 5]);
        assert_eq!((good.lost(), good.doubled(), good.reordered()), (0, 0, 0));
        let bad = track(&all, &[2, 5, 4, 4, 8]);
        assert_eq!((bad.lost(), bad.doubled(), bad.reordered()), (3, 1, 1));
        // What the camera never sent is not missing.
        assert_eq!(track(&[2, 4], &[2, 4]).lost(), 0);
    }
}
