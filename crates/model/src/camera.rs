//! Cameras: what an administrator configures, and what each stream is doing right now.
//!
//! What a failure *means* to a person is told by the user interface from [`FailureKind`]; here are only the facts.

use std::fmt;

use crate::{CameraId, ContactPointId, Params, WallTime};

/// Which of a camera's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Full resolution, with sound: what is kept as evidence.
    Main,
    /// Low resolution, for small tiles.
    Sub,
}

impl StreamKind {
    /// Both, main first.
    pub const ALL: [Self; 2] = [Self::Main, Self::Sub];

    /// As used in storage keys and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for StreamKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "main" => Ok(Self::Main),
            "sub" => Ok(Self::Sub),
            other => Err(format!("`{other}` is not a stream: expected main or sub")),
        }
    }
}

/// A secret that no log, debug print or error shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that must send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A camera that is in no list any more and whose footage may still be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedCamera {
    /// Its id.
    pub id: CameraId,
    /// The name it had; empty for a camera that nothing but its footage tells of, as after the index was made again.
    pub name: String,
    /// Where it stood.
    pub contact_point: Option<ContactPointId>,
    /// When it was removed; `None` when that is not known.
    pub removed: Option<WallTime>,
}

/// Where one stream is fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSource {
    /// `rtsp://host[:port]/path`, without user name and password.
    pub url: String,
}

/// What an administrator says about a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraDraft {
    /// Shown name.
    pub name: String,
    /// The contact point it watches.
    pub contact_point: Option<ContactPointId>,
    /// Full-resolution stream.
    pub main: StreamSource,
    /// Low-resolution stream.
    pub sub: Option<StreamSource>,
    /// Account on the camera; empty for none.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// A camera as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    /// Its id.
    pub id: CameraId,
    /// What is configured.
    pub draft: CameraDraft,
    /// Recording is paused by an operator.
    pub paused: bool,
    /// When it was added.
    pub created: WallTime,
}

impl Camera {
    /// The source of a stream, if the camera has that stream.
    #[must_use]
    pub fn source(&self, stream: StreamKind) -> Option<&StreamSource> {
        match stream {
            StreamKind::Main => Some(&self.draft.main),
            StreamKind::Sub => self.draft.sub.as_ref(),
        }
    }
}

/// Why a stream does not flow, or is not recorded. Each kind has a text of its own in the user interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// The host name does not resolve.
    UnknownHost,
    /// The host answers that nothing listens on the port.
    ConnectionRefused,
    /// No route, or the host does not answer.
    Unreachable,
    /// A step (named in the message) took too long.
    TimedOut,
    /// The camera refuses the user name or password.
    AuthRefused,
    /// The camera does not know the path.
    NotFound,
    /// The camera offers no video.
    NoVideo,
    /// The camera offers video in a codec that is not supported.
    UnsupportedCodec,
    /// An access unit was larger than [`crate::MAX_ACCESS_UNIT_BYTES`].
    AccessUnitTooLarge,
    /// Connected, and no picture came for too long.
    Stalled,
    /// The camera closed the connection.
    Closed,
    /// A clock jumped: the server's was set, or the camera's.
    ClockJump,
    /// The camera broke the protocol; the message says how.
    Protocol,
    /// Pictures come, and none from which decoding can start.
    NoKeyPicture,
    /// The server's disk is full.
    DiskFull,
    /// The server's disk refuses to write; the message says how.
    DiskError,
    /// What comes is not on the server's disk in time, or not at all; the message says what is known.
    RecorderBehind,
}

impl FailureKind {
    /// Every kind, for tests and for tables.
    pub const ALL: [Self; 17] = [
        Self::UnknownHost,
        Self::ConnectionRefused,
        Self::Unreachable,
        Self::TimedOut,
        Self::AuthRefused,
        Self::NotFound,
        Self::NoVideo,
        Self::UnsupportedCodec,
        Self::AccessUnitTooLarge,
        Self::Stalled,
        Self::Closed,
        Self::ClockJump,
        Self::Protocol,
        Self::NoKeyPicture,
        Self::DiskFull,
        Self::DiskError,
        Self::RecorderBehind,
    ];

    /// The parameters with which a text can say exactly what happened; a failure may come without them.
    #[must_use]
    pub fn params(self) -> &'static [&'static str] {
        match self {
            Self::UnknownHost => &["host"],
            Self::TimedOut | Self::Stalled => &["seconds"],
            Self::UnsupportedCodec => &["offered"],
            Self::AccessUnitTooLarge => &["megabytes", "max"],
            Self::ClockJump => &["milliseconds"],
            Self::ConnectionRefused
            | Self::Unreachable
            | Self::AuthRefused
            | Self::NotFound
            | Self::NoVideo
            | Self::Closed
            | Self::Protocol
            | Self::NoKeyPicture
            | Self::DiskFull
            | Self::DiskError
            | Self::RecorderBehind => &[],
        }
    }
}

/// What a stream is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraState {
    /// Setting up the connection, or waiting for its first pictures to be on the disk.
    Connecting,
    /// Pictures arrive and are recorded: the disk has confirmed what came until a moment ago.
    Recording,
    /// Not flowing; retried.
    Failed(FailureKind),
    /// Paused by an operator.
    Paused,
    /// Pictures arrive and can be watched, and are not recorded; goes back to recording by itself.
    NotRecording(FailureKind),
}

impl CameraState {
    /// Whether pictures arrive, recorded or not.
    #[must_use]
    pub fn flows(self) -> bool {
        matches!(self, Self::Recording | Self::NotRecording(_))
    }

    /// What is wrong, if something is.
    #[must_use]
    pub fn failure(self) -> Option<FailureKind> {
        match self {
            Self::Failed(kind) | Self::NotRecording(kind) => Some(kind),
            Self::Connecting | Self::Recording | Self::Paused => None,
        }
    }
}

/// Whether a stream's sound is recorded with its pictures, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SoundState {
    /// Not known: not connected yet.
    #[default]
    Unknown,
    /// It comes.
    Flows,
    /// The camera offers none.
    NotOffered,
    /// The camera offers it in a codec, or with settings, that are not supported; the detail names the codec.
    Unsupported,
    /// The camera offers it and refuses to send it; the detail says how.
    Refused,
    /// The camera agreed to send it and nothing comes, while pictures do.
    Missing,
}

impl SoundState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Flows, Self::NotOffered, Self::Unsupported, Self::Refused, Self::Missing];

    /// Whether pictures are without sound.
    #[must_use]
    pub fn is_lacking(self) -> bool {
        !matches!(self, Self::Unknown | Self::Flows)
    }
}

/// Whether sound comes, with what more there is to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sound {
    /// Whether it comes.
    pub state: SoundState,
    /// The codec offered, or the camera's refusal, in English, for a technician; often empty.
    pub detail: String,
}

impl Sound {
    /// A state without detail.
    #[must_use]
    pub fn new(state: SoundState) -> Self {
        Self { state, detail: String::new() }
    }
}

/// One stream's state with what is known about what it delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// Which stream.
    pub stream: StreamKind,
    /// What it is doing.
    pub state: CameraState,
    /// The exact failure in English, for a technician; empty when there is none.
    pub message: String,
    /// What a text about the failure can tell, see [`FailureKind::params`].
    pub params: Params,
    /// Since when it is in this state.
    pub since: WallTime,
    /// When the next attempt starts, while failed.
    pub retry_at: Option<WallTime>,
    /// Description of the video, e.g. `H.264 1920×1080`; empty before the first connection.
    pub video: String,
    /// Description of the sound, e.g. `AAC 16 kHz`; empty when there is none.
    pub audio: String,
    /// Whether it comes.
    pub sound: Sound,
    /// Received in the last ten seconds, bits a second.
    pub bit_rate_bps: u64,
    /// Pictures in the last ten seconds, thousandths of a picture a second.
    pub frame_rate_milli: u32,
    /// RTP packets lost since the server started.
    pub lost_packets: u64,
    /// Connections made since the server started.
    pub runs: u64,
}

/// A camera with the state of its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraStatus {
    /// The camera; its password is never filled in.
    pub camera: Camera,
    /// One entry a configured stream, main first.
    pub streams: Vec<StreamStatus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn every_failure_is_in_the_table_once() {
        let all: std::collections::BTreeSet<FailureKind> = FailureKind::ALL.into_iter().collect();
        assert_eq!(all.len(), FailureKind::ALL.len());
        // The last one declared: whoever adds a kind behind it is told to add it to the table.
        assert_eq!(FailureKind::RecorderBehind as usize + 1, FailureKind::ALL.len());
    }

    #[test]
    fn pictures_that_are_not_recorded_still_flow_and_are_a_failure() {
        let full = CameraState::NotRecording(FailureKind::DiskFull);
        assert!(full.flows() && !CameraState::Failed(FailureKind::DiskFull).flows());
        assert_eq!((full.failure(), CameraState::Recording.failure()), (Some(FailureKind::DiskFull), None));
    }
}
