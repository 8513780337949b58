//! What went wrong with a connection, in terms a person can act on.
//!
//! The texts here are for technicians, in English, with the camera's own words; what an operator reads comes from the
//! console's files by [`FailureKind`].

use minhbach_model::{FailureKind, GapCause, Params};

/// Why an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For decisions and for texts.
    pub kind: FailureKind,
    /// The exact failure.
    pub message: String,
    /// What a text about it can tell, see [`FailureKind::params`].
    pub params: Params,
}

impl Failure {
    /// A failure.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), params: Params::new() }
    }

    /// With a value that a text about it tells.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        debug_assert!(self.kind.params().contains(&name), "no text tells `{name}` of {:?}", self.kind);
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// A step that took too long.
    #[must_use]
    pub fn timed_out(step: &str, after: std::time::Duration) -> Self {
        let seconds = after.as_secs();
        Self::new(FailureKind::TimedOut, format!("{step} took longer than {seconds} s")).with("seconds", seconds)
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
        FailureKind::NoVideo
        | FailureKind::UnsupportedCodec
        | FailureKind::AccessUnitTooLarge
        | FailureKind::NoKeyPicture => GapCause::Unsupported,
        FailureKind::Stalled => GapCause::Stalled,
        FailureKind::Closed | FailureKind::Protocol => GapCause::Disconnected,
        FailureKind::ClockJump => GapCause::CameraClock,
        // Not failures of a connection; named here so that the table is whole.
        FailureKind::DiskFull => GapCause::DiskFull,
        FailureKind::DiskError => GapCause::DiskError,
        FailureKind::RecorderBehind => GapCause::RecorderBehind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_took_too_long_says_how_long() {
        let failure = Failure::timed_out("DESCRIBE", std::time::Duration::from_secs(8));
        assert_eq!(failure.message, "DESCRIBE took longer than 8 s");
        assert!(failure.kind.params().iter().all(|name| failure.params.contains_key(*name)), "{failure:?}");
    }
}
