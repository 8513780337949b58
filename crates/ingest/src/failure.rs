//! What went wrong with a connection, in terms a person can act on.
//!
//! The texts here are for technicians, in English, with the camera's own words; what an operator reads comes from the
//! console's files by [`FailureKind`].

use minhbach_model::{FailureKind, GapCause};

/// Why an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For decisions and for texts.
    pub kind: FailureKind,
    /// The exact failure.
    pub message: String,
}

impl Failure {
    /// A failure.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A step that took too long.
    #[must_use]
    pub fn timed_out(step: &str, after: std::time::Duration) -> Self {
        Self::new(FailureKind::TimedOut, format!("{step} took longer than {} s", after.as_secs()))
    }

    /// Classifies what retina reports. Retina keeps its kinds to itself, so the status code and the operating system's
    /// wording decide; a text that is not known stays a protocol failure with its message.
    #[must_use]
    pub fn from_retina(step: &str, error: &retina::Error) -> Self {
        let text = error.to_string();
        // What follows the first blank line are addresses and ports for a packet capture.
        let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let has = |needle: &str| text.contains(needle);
        let kind = match error.status_code() {
            Some(401 | 403) => FailureKind::AuthRefused,
            Some(404 | 454) => FailureKind::NotFound,
            Some(_) => FailureKind::Protocol,
            None if has("Unauthorized") || has("credentials") => FailureKind::AuthRefused,
            None if has("Connection refused") => FailureKind::ConnectionRefused,
            None if has("lookup address") || has("resolve") => FailureKind::UnknownHost,
            None if has("unreachable") || has("No route") => FailureKind::Unreachable,
            None if has("timed out") || has("Timeout") => FailureKind::TimedOut,
            None if has("Connection reset") || has("EOF") || has("Broken pipe") || has("closed") => FailureKind::Closed,
            None => FailureKind::Protocol,
        };
        Self::new(kind, format!("{step}: {first}"))
    }
}

/// What a failure is called where footage is missing because of it.
#[must_use]
pub fn gap_cause(kind: FailureKind) -> GapCause {
    match kind {
        FailureKind::UnknownHost
        | FailureKind::ConnectionRefused
        | FailureKind::Unreachable
        | FailureKind::TimedOut
        | FailureKind::NotFound => GapCause::CameraUnreachable,
        FailureKind::AuthRefused => GapCause::AuthRefused,
        FailureKind::NoVideo | FailureKind::UnsupportedCodec | FailureKind::AccessUnitTooLarge => GapCause::Unsupported,
        FailureKind::Stalled => GapCause::Stalled,
        FailureKind::Closed | FailureKind::Protocol => GapCause::Disconnected,
        FailureKind::ClockJump => GapCause::CameraClock,
    }
}
