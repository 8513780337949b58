//! Exports: the dialog (cameras, range, folder), sizes known before the start, progress of what runs.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use minhbach_model::{CameraId, WallRange};

use crate::search::fold;
use crate::text::Message;
use crate::when;

/// Size and gaps of one camera's export, as the server announces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Bytes of the file.
    pub bytes: u64,
    /// Stretches without footage inside the range.
    pub gaps: usize,
    /// It carries sound.
    pub sound: bool,
}

/// Why a file cannot be had.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// In the operator's words.
    pub message: Message,
    /// The exact failure in English, for a technician.
    pub detail: String,
}

/// The dialog.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialog {
    /// The range.
    pub range: WallRange,
    /// The cameras that may be chosen.
    pub offered: Vec<CameraId>,
    /// The chosen ones.
    pub cameras: HashSet<CameraId>,
    /// Folder the files go to.
    pub folder: String,
    /// Leave the sound out.
    pub without_audio: bool,
    /// What the server announces: one entry an offered camera that answered.
    pub measured: Vec<(CameraId, Result<Measured, Trouble>)>,
    /// The question it answers; an older answer is ignored.
    pub question: u64,
}

impl Dialog {
    /// Bytes of all chosen files, once every one is known.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        let known = |camera: &CameraId| self.measured.iter().find(|(id, _)| id == camera).map(|(_, answer)| answer);
        self.cameras
            .iter()
            .map(|camera| known(camera).map(|answer| answer.as_ref().map_or(0, |measured| measured.bytes)))
            .sum()
    }
}

/// State of one file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileState {
    /// Its turn has not come.
    Waiting,
    /// Being written.
    Writing,
    /// Complete.
    Done,
    /// Failed, and why.
    Failed(Trouble),
}

/// One file of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The camera.
    pub camera: CameraId,
    /// Where it goes.
    pub path: PathBuf,
    /// Bytes written.
    pub written: u64,
    /// Bytes announced.
    pub total: u64,
    /// Its state.
    pub state: FileState,
}

/// A running or finished job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// When it started.
    pub started: Instant,
    /// When it ended.
    pub ended: Option<Instant>,
    /// Its files.
    pub files: Vec<File>,
}

impl Job {
    /// Bytes written and announced, over all files that have not failed; never more written than announced.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let good = || self.files.iter().filter(|file| !matches!(file.state, FileState::Failed(_)));
        let written = good().map(|file| file.written.min(file.total)).sum();
        (written, good().map(|file| file.total).sum())
    }

    /// Bytes a second since it started.
    #[must_use]
    pub fn speed_bps(&self, now: Instant) -> f64 {
        let secs = self.ended.unwrap_or(now).saturating_duration_since(self.started).as_secs_f64();
        let written: u64 = self.files.iter().map(|file| file.written).sum();
        if secs < 0.2 { 0.0 } else { written as f64 / secs }
    }

    /// Time left at that speed.
    #[must_use]
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let (written, total) = self.bytes();
        let speed = self.speed_bps(now);
        (speed > 0.0 && total > written)
            .then(|| Duration::try_from_secs_f64((total - written) as f64 / speed).ok())
            .flatten()
    }

    /// Whether every file has ended, well or badly.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.files.iter().all(|file| matches!(file.state, FileState::Done | FileState::Failed(_)))
    }
}

/// State of exports.
#[derive(Debug, Default)]
pub struct Exports {
    /// The dialog, when it is open.
    pub dialog: Option<Dialog>,
    /// Jobs, newest last.
    pub jobs: Vec<Job>,
    /// Counts questions and jobs.
    pub next: u64,
}

/// File name of an export: readable everywhere, without marks.
#[must_use]
pub fn file_name(camera: &str, range: &WallRange) -> String {
    let name: String = fold(camera)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let name: String = name.chars().take(60).collect();
    let name = if name.is_empty() { "camera".to_owned() } else { name };
    format!("{name}_{}_{}.mp4", when::file_stamp(range.start), when::file_stamp(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> FileState {
        FileState::Failed(Trouble { message: Message::new("error-local"), detail: "disk full".to_owned() })
    }

    fn range() -> WallRange {
        WallRange { start: "2026-11-24T07:05:09Z".parse().unwrap(), end: "2026-11-24T07:06:00Z".parse().unwrap() }
    }

    #[test]
    fn file_names_are_plain_and_say_what_is_inside() {
        assert_eq!(file_name("Quầy 1 / Đất đai", &range()), "quay-1-dat-dai_20261124-140509_20261124-140600.mp4");
        assert_eq!(file_name("../..", &range()), "camera_20261124-140509_20261124-140600.mp4");
    }

    #[test]
    fn the_size_is_known_only_when_every_chosen_camera_answered() {
        let (a, b) = (CameraId::generate(), CameraId::generate());
        let good = |bytes| Ok(Measured { bytes, gaps: 0, sound: true });
        let mut dialog = Dialog {
            range: range(),
            offered: vec![a, b],
            cameras: [a, b].into(),
            folder: String::new(),
            without_audio: false,
            measured: vec![(a, good(5))],
            question: 0,
        };
        assert_eq!(dialog.total_bytes(), None);
        dialog.measured.push((b, good(7)));
        assert_eq!(dialog.total_bytes(), Some(12));
        dialog.cameras.remove(&a);
        assert_eq!(dialog.total_bytes(), Some(7));
    }

    #[test]
    fn progress_is_never_above_the_whole() {
        let file = |written: u64, state: FileState| File {
            camera: CameraId::generate(),
            path: PathBuf::new(),
            written,
            total: 4_000,
            state,
        };
        let files = vec![file(3_000, failed()), file(4_100, FileState::Writing)];
        let job = Job { id: 1, started: Instant::now(), ended: None, files };
        assert_eq!(job.bytes(), (4_000, 4_000));
    }

    #[test]
    fn speed_and_time_left_follow_from_what_is_written() {
        let started = Instant::now();
        let file = File {
            camera: CameraId::generate(),
            path: PathBuf::new(),
            written: 1_000,
            total: 4_000,
            state: FileState::Writing,
        };
        let mut job = Job { id: 1, started, ended: None, files: vec![file] };
        let now = started + Duration::from_secs(2);
        assert_eq!((job.speed_bps(now), job.left(now)), (500.0, Some(Duration::from_secs(6))));
        assert!(!job.is_over());
        job.files[0].state = failed();
        assert!(job.is_over());
        assert_eq!(job.left(now), None);
    }
}
