//! Cameras: what an administrator configures, and what each stream is doing right now.
//!
//! What a failure *means* to a person is told by the user interface from [`FailureKind`]; here are only the facts.

use std::fmt;

use crate::{CameraId, ContactPointId, WallTime};

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

/// Why a stream does not flow. Each kind has a text of its own in the user interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// The camera's clock jumped.
    ClockJump,
    /// The camera broke the protocol; the message says how.
    Protocol,
}

/// What a stream is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraState {
    /// Setting up the connection.
    Connecting,
    /// Pictures arrive and are recorded.
    Recording,
    /// Not flowing; retried.
    Failed(FailureKind),
    /// Paused by an operator.
    Paused,
}

/// One stream's state with what is known about what it delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// Which stream.
    pub stream: StreamKind,
    /// What it is doing.
    pub state: CameraState,
    /// The exact failure, for a technician; empty when there is none.
    pub message: String,
    /// Since when it is in this state.
    pub since: WallTime,
    /// When the next attempt starts, while failed.
    pub retry_at: Option<WallTime>,
    /// Description of the video, e.g. `H.264 1920×1080`; empty before the first connection.
    pub video: String,
    /// Description of the sound, e.g. `AAC 16 kHz`; empty when there is none.
    pub audio: String,
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
}
