//! What can go wrong with a call, by what the caller can do about it.

use std::error::Error;
use std::time::Duration;

use minhbach_api::convert::{ConvertError, refusal};
use minhbach_model::Refusal;
use tonic::{Code, Status};

/// A call that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    /// What the caller can do about it.
    pub kind: ClientErrorKind,
    /// What happened, in English, for a technician.
    pub message: String,
    /// Why the server refuses, for a sentence in the user's language; `None` when it gives no reason known here.
    pub refusal: Option<Refusal>,
}

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientErrorKind {
    /// There is no connection to the server: try again later.
    Unreachable,
    /// What was named does not exist.
    NotFound,
    /// The server refuses the request as it is: change it.
    Refused,
    /// Somebody else changed it in between: look again.
    Conflict,
    /// The answer took too long.
    TimedOut,
    /// Server or client is wrong: a report to the makers.
    Broken,
}

impl ClientError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: ClientErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), refusal: None }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ClientErrorKind {
        self.kind
    }

    pub(crate) fn timed_out(url: &str, limit: Duration) -> Self {
        Self::new(ClientErrorKind::TimedOut, format!("the server at {url} did not answer within {} s", limit.as_secs()))
    }

    /// The server's answer is not what the proto promises.
    pub(crate) fn answer(error: ConvertError) -> Self {
        Self::new(ClientErrorKind::Broken, format!("the server's answer cannot be understood: {error}"))
    }

    pub(crate) fn from_status(url: &str, status: &Status) -> Self {
        // The transport attaches what it saw; an answer of the server has no source.
        if let Some(cause) = deepest(status) {
            return Self::new(ClientErrorKind::Unreachable, format!("no connection to the server at {url}: {cause}"));
        }
        let kind = match status.code() {
            Code::NotFound => ClientErrorKind::NotFound,
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::ResourceExhausted => ClientErrorKind::Refused,
            Code::Aborted | Code::AlreadyExists => ClientErrorKind::Conflict,
            Code::DeadlineExceeded => ClientErrorKind::TimedOut,
            // Without a source these two come from a server that is stopping.
            Code::Unavailable | Code::Cancelled => ClientErrorKind::Unreachable,
            // OutOfRange is a message larger than the limit.
            Code::OutOfRange | Code::Unimplemented | Code::Internal | Code::DataLoss | Code::Unknown | Code::Ok => {
                ClientErrorKind::Broken
            }
        };
        let message = match status.message() {
            "" => format!("the server answered: {}", status.code().description()),
            message => message.to_owned(),
        };
        Self { refusal: refusal::of(status), ..Self::new(kind, message) }
    }
}

/// The innermost cause, which names the system's error; the outer ones say "transport error".
fn deepest(status: &Status) -> Option<String> {
    let mut cause = status.source()?;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Some(cause.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use minhbach_model::RefusalReason;

    use super::*;

    #[test]
    fn the_code_decides_what_the_caller_can_do() {
        let kind = |status: Status| ClientError::from_status("http://x", &status).kind();
        assert_eq!(kind(Status::not_found("no such camera")), ClientErrorKind::NotFound);
        assert_eq!(kind(Status::invalid_argument("name")), ClientErrorKind::Refused);
        assert_eq!(kind(Status::failed_precondition("in use")), ClientErrorKind::Refused);
        assert_eq!(kind(Status::aborted("changed")), ClientErrorKind::Conflict);
        assert_eq!(kind(Status::deadline_exceeded("late")), ClientErrorKind::TimedOut);
        assert_eq!(kind(Status::unavailable("stopping")), ClientErrorKind::Unreachable);
        assert_eq!(kind(Status::internal("oops")), ClientErrorKind::Broken);
    }

    #[test]
    fn the_server_is_quoted_and_a_silent_one_is_described() {
        let error = ClientError::from_status("http://x", &Status::not_found("no camera 7"));
        assert_eq!(error.to_string(), "no camera 7");
        let error = ClientError::from_status("http://x", &Status::not_found(""));
        assert!(error.to_string().starts_with("the server answered: "), "{error}");
    }

    #[test]
    fn the_reason_of_the_server_comes_with_the_error() {
        let refused = Refusal::new(RefusalReason::UrlScheme).with("field", "main_url").with("scheme", "http");
        let status = refusal::status(Code::InvalidArgument, "main_url: only rtsp:// is", &refused);
        let error = ClientError::from_status("http://x", &status);
        assert_eq!((error.kind(), error.refusal.as_ref()), (ClientErrorKind::Refused, Some(&refused)));
        assert_eq!(error.to_string(), "main_url: only rtsp:// is");
        assert_eq!(ClientError::from_status("http://x", &Status::invalid_argument("name")).refusal, None);
    }

    #[test]
    fn a_lost_connection_is_told_by_its_innermost_cause() {
        let mut status = Status::unknown("transport error");
        status.set_source(Arc::new(std::io::Error::other("connection reset")));
        let error = ClientError::from_status("http://127.0.0.1:7878", &status);
        assert_eq!(error.kind(), ClientErrorKind::Unreachable);
        assert_eq!(error.to_string(), "no connection to the server at http://127.0.0.1:7878: connection reset");
    }
}
