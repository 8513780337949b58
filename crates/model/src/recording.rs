//! What was recorded, and what is missing and why.

use crate::{CameraId, SegmentId, StreamKind, Tier, WallRange, WallTime};

/// How far a segment has come on its way into the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SegmentState {
    /// Still being written; its end is the last durable fragment.
    Recording,
    /// Closed and synced.
    Closed,
    /// Its bytes differ from what was recorded, or it ends with a failed sync; never served as good.
    Suspect,
}

/// One recorded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// From the first picture to the end of the last.
    pub range: WallRange,
    /// Storage key, relative, e.g. `v1/<camera>/main/2026/11/24/<start>-<session>.mp4`.
    pub key: String,
    /// Bytes of media written and synced.
    pub bytes: u64,
    /// Pictures.
    pub video_samples: u64,
    /// Frames or packets of sound.
    pub audio_samples: u64,
    /// Its state.
    pub state: SegmentState,
    /// Where its files are.
    pub tier: Tier,
}

/// Why footage is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapCause {
    /// The camera does not answer, or refuses the connection.
    CameraUnreachable,
    /// The camera refuses the password.
    AuthRefused,
    /// The camera is connected and sends nothing.
    Stalled,
    /// The camera closed the connection.
    Disconnected,
    /// Packets were lost on the way, so that pictures could not be put together.
    PacketLoss,
    /// The camera offers nothing that can be recorded.
    Unsupported,
    /// The server was not running.
    RecorderDown,
    /// The server could not keep up.
    RecorderBehind,
    /// The disk is full.
    DiskFull,
    /// The disk failed.
    DiskError,
    /// An operator paused the recording.
    PausedByOperator,
    /// The camera's clock jumped.
    CameraClock,
    /// The stream was being set up for the first time, or again after a change of its settings.
    Starting,
    /// Not known any more: the index was made again from the footage, which does not tell why something is missing.
    Rebuilt,
}

impl GapCause {
    /// Every cause, for tests and for tables.
    pub const ALL: [Self; 14] = [
        Self::CameraUnreachable,
        Self::AuthRefused,
        Self::Stalled,
        Self::Disconnected,
        Self::PacketLoss,
        Self::Unsupported,
        Self::RecorderDown,
        Self::RecorderBehind,
        Self::DiskFull,
        Self::DiskError,
        Self::PausedByOperator,
        Self::CameraClock,
        Self::Starting,
        Self::Rebuilt,
    ];

    /// The stable name used in the index, in logs, in exports and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CameraUnreachable => "camera_unreachable",
            Self::AuthRefused => "auth_refused",
            Self::Stalled => "stalled",
            Self::Disconnected => "disconnected",
            Self::PacketLoss => "packet_loss",
            Self::Unsupported => "unsupported",
            Self::RecorderDown => "recorder_down",
            Self::RecorderBehind => "recorder_behind",
            Self::DiskFull => "disk_full",
            Self::DiskError => "disk_error",
            Self::PausedByOperator => "paused_by_operator",
            Self::CameraClock => "camera_clock",
            Self::Starting => "starting",
            Self::Rebuilt => "rebuilt",
        }
    }

    /// The cause with that stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// A stretch without footage. `end` is `None` while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// First missing instant.
    pub start: WallTime,
    /// First instant that is recorded again.
    pub end: Option<WallTime>,
    /// Why.
    pub cause: GapCause,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_own_name() {
        for cause in GapCause::ALL {
            assert_eq!(GapCause::from_name(cause.as_str()), Some(cause));
        }
        assert_eq!(GapCause::from_name("unknown"), None);
    }
}
