//! How far the segments that are being written have come: in memory, written to their rows now and then.
//!
//! Every stream moves on about once a second. As a row each that would be a page of the database a stream and second,
//! as much as a hundredth of the footage itself. The files tell it anyway: after a crash the rows of segments that were being
//! written are made true from them (see `recorder::LeftBehind`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind};

use crate::SegmentProgress;

/// Rows are brought up to date this often.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// The segments in state `Recording`.
#[derive(Debug, Default)]
pub(super) struct Growing(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    segments: HashMap<SegmentId, Grown>,
    written: Option<Instant>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grown {
    camera: CameraId,
    stream: StreamKind,
    /// How far it has come.
    pub progress: SegmentProgress,
    /// What its row says.
    row_bytes: u64,
}

impl Growing {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is one assignment: a panic in between leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row in state `Recording` is there now.
    pub fn begin(&self, segment: &Segment) {
        let progress = SegmentProgress {
            id: segment.id,
            end: segment.range.end,
            bytes: segment.bytes,
            video_samples: segment.video_samples,
            audio_samples: segment.audio_samples,
        };
        let grown = Grown { camera: segment.camera, stream: segment.stream, progress, row_bytes: segment.bytes };
        self.lock().segments.insert(segment.id, grown);
    }

    /// It is not any more.
    pub fn end(&self, id: SegmentId) {
        self.lock().segments.remove(&id);
    }

    /// Takes progress over, never backwards; of how many segments.
    pub fn advance(&self, steps: &[SegmentProgress]) -> u64 {
        let mut inner = self.lock();
        let mut moved = 0;
        for step in steps {
            let Some(grown) = inner.segments.get_mut(&step.id) else { continue };
            let old = grown.progress;
            grown.progress = SegmentProgress {
                id: step.id,
                end: old.end.max(step.end),
                bytes: old.bytes.max(step.bytes),
                video_samples: old.video_samples.max(step.video_samples),
                audio_samples: old.audio_samples.max(step.audio_samples),
            };
            moved += 1;
        }
        moved
    }

    /// What is to be written to the rows, when it is time.
    pub fn due(&self) -> Option<Vec<SegmentProgress>> {
        let is_due = self.lock().written.is_none_or(|written| written.elapsed() >= WRITE_EVERY);
        is_due.then(|| self.all())
    }

    /// What is to be written to the rows.
    pub fn all(&self) -> Vec<SegmentProgress> {
        self.lock().segments.values().map(|grown| grown.progress).collect()
    }

    /// The rows say it now.
    pub fn written(&self, steps: &[SegmentProgress]) {
        let mut inner = self.lock();
        inner.written = Some(Instant::now());
        for step in steps {
            if let Some(grown) = inner.segments.get_mut(&step.id) {
                grown.row_bytes = grown.row_bytes.max(step.bytes);
            }
        }
    }

    /// Bytes that the rows do not know yet.
    pub fn bytes_ahead(&self) -> u64 {
        self.lock().segments.values().map(|grown| grown.progress.bytes.saturating_sub(grown.row_bytes)).sum()
    }

    /// As they are now. Asked for before the rows are read: what is closed in between is in neither otherwise.
    pub fn now(&self) -> Vec<Grown> {
        self.lock().segments.values().copied().collect()
    }

    /// Those of a stream, as [`Self::now`].
    pub fn of(&self, camera: CameraId, stream: StreamKind) -> Vec<Grown> {
        let inner = self.lock();
        inner.segments.values().filter(|grown| (grown.camera, grown.stream) == (camera, stream)).copied().collect()
    }
}

/// A row as it would be if it had been written just now.
pub(super) fn grown(mut segment: Segment, growing: &[Grown]) -> Segment {
    if segment.state == SegmentState::Recording
        && let Some(grown) = growing.iter().find(|grown| grown.progress.id == segment.id)
    {
        segment.range.end = segment.range.end.max(grown.progress.end);
        segment.bytes = segment.bytes.max(grown.progress.bytes);
        segment.video_samples = segment.video_samples.max(grown.progress.video_samples);
        segment.audio_samples = segment.audio_samples.max(grown.progress.audio_samples);
    }
    segment
}
