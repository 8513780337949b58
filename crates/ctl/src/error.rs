//! Why a command did not do what was asked, what to do about it, and the exit status that says so.

use std::io;
use std::path::PathBuf;

use minhbach_client::{ClientError, ClientErrorKind};
use minhbach_model::RefusalReason;

/// What a command names by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A camera.
    Camera,
    /// An agency, a site or a contact point.
    Place,
    /// A camera, and the contact point it is to watch.
    CameraOrPlace,
    /// An incident.
    Incident,
    /// A hold.
    Hold,
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
    /// The command was understood, and refused or not completed.
    #[error("{0}")]
    Failed(String),
    /// The server said no, or did not answer.
    #[error(transparent)]
    Client(ClientError),
    /// Something answers at the address, and it is not the server's interface.
    #[error("the address answers, but is not Minh Bạch's gRPC port; the default is 7878 (7879 is for /metrics)")]
    OtherPort,
    /// A file on this machine.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says; part of the message, hence not a source.
        error: io::Error,
    },
    /// A file that was to be written.
    #[error("cannot write {}: {error}", .path.display())]
    Write {
        /// Under the name that was asked for.
        path: PathBuf,
        /// What the system says; part of the message, hence not a source.
        error: io::Error,
    },
    /// Standard output.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

impl From<ClientError> for CtlError {
    fn from(error: ClientError) -> Self {
        if is_other_port(&error) { Self::OtherPort } else { Self::Client(error) }
    }
}

/// Whether a web server answered. The transport has no kind for it: one that speaks HTTP/2 answers without the status of
/// gRPC, and the first bytes of HTTP/1 are a frame of HTTP/2 that is too long.
fn is_other_port(error: &ClientError) -> bool {
    let answers = ["grpc-status header missing", "frame with invalid size"];
    answers.iter().any(|answer| error.message.contains(answer))
}

impl CtlError {
    /// 1: refused or failed; 2: wrong usage.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_)
            | Self::Client(_)
            | Self::OtherPort
            | Self::File { .. }
            | Self::Write { .. }
            | Self::Output(_) => 1,
        }
    }

    /// The reader of the output has gone.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to do, where the message alone does not say it; `subject` is what the command names by its id.
    pub fn advice(&self, subject: Subject) -> Option<&'static str> {
        match self {
            Self::Usage(_) => Some("See `minhbachctl help` and `minhbachctl COMMAND --help`."),
            Self::Client(error) => Some(client_advice(error, subject)),
            Self::OtherPort => Some("Give the address of the gRPC port with --server, or in MINHBACH_SERVER."),
            Self::Write { error, .. } => Some(write_advice(error.kind())),
            Self::Failed(_) | Self::File { .. } | Self::Output(_) => None,
        }
    }
}

fn client_advice(error: &ClientError, subject: Subject) -> &'static str {
    match error.kind() {
        ClientErrorKind::Unreachable => {
            "Check that minhbach-server is running, and that --server (or MINHBACH_SERVER) names its address and port."
        }
        ClientErrorKind::NotFound => match error.refusal.as_ref().map(|refusal| refusal.reason) {
            Some(RefusalReason::NothingRecorded) => {
                "`minhbachctl recordings list` shows what is recorded of a camera, and what is missing and why."
            }
            Some(RefusalReason::StreamUnknown) => "`minhbachctl camera show ID` shows which streams a camera has.",
            _ => lookup(subject),
        },
        ClientErrorKind::Refused => "Change what the message names and repeat the command.",
        ClientErrorKind::Conflict => {
            "It was changed by somebody else at the same time: look at it again, then repeat the command."
        }
        ClientErrorKind::TimedOut => "Try again; `minhbachctl status` shows whether the server is well.",
        ClientErrorKind::Broken => {
            "Check that server and minhbachctl are of the same release; if they are, report it with the server's log."
        }
    }
}

/// Where the ids are that exist.
fn lookup(subject: Subject) -> &'static str {
    match subject {
        Subject::Camera => "Check the id: `minhbachctl camera list` shows the cameras that exist.",
        Subject::Place => "Check the id: `minhbachctl place list` shows the places that exist.",
        Subject::CameraOrPlace => {
            "Check the ids: `minhbachctl camera list` and `minhbachctl place list` show what exists."
        }
        Subject::Incident => "Check the id: `minhbachctl incident list` shows the incidents that exist.",
        Subject::Hold => "Check the id: `minhbachctl hold list` shows the holds that exist.",
    }
}

fn write_advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Name a file with --out in a folder that you may write to."
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Free some room, or name a file with --out on another disk; nothing was left behind."
        }
        _ => "Name another file with --out, or mend what the system says.",
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::Refusal;

    use super::*;

    #[test]
    fn wrong_usage_and_failure_have_different_exit_statuses() {
        assert_eq!(CtlError::Usage("x".to_owned()).exit_status(), 2);
        let refused = CtlError::from(ClientError::new(ClientErrorKind::Refused, "no"));
        assert_eq!(refused.exit_status(), 1);
        assert!(refused.advice(Subject::Camera).is_some());
    }

    #[test]
    fn an_id_that_is_not_known_is_looked_up_where_it_would_be() {
        let advice = |subject| {
            let error = CtlError::from(ClientError::new(ClientErrorKind::NotFound, "there is no such thing"));
            error.advice(subject).unwrap()
        };
        for (subject, list) in [
            (Subject::Camera, "`minhbachctl camera list`"),
            (Subject::Place, "`minhbachctl place list`"),
            (Subject::Incident, "`minhbachctl incident list`"),
            (Subject::Hold, "`minhbachctl hold list`"),
        ] {
            assert!(advice(subject).contains(list), "{}", advice(subject));
        }
        let refusal = Some(Refusal::new(RefusalReason::NothingRecorded));
        let nothing = ClientError { refusal, ..ClientError::new(ClientErrorKind::NotFound, "nothing is recorded") };
        assert!(CtlError::from(nothing).advice(Subject::Camera).unwrap().contains("recordings list"));
    }

    #[test]
    fn an_address_that_is_of_something_else_is_told_as_that() {
        for (kind, message) in [
            (ClientErrorKind::Broken, "grpc-status header missing, mapped from HTTP status code 404"),
            (ClientErrorKind::Unreachable, "no connection to the server at http://h:1: frame with invalid size"),
        ] {
            let error = CtlError::from(ClientError::new(kind, message));
            assert!(error.to_string().contains("7879 is for /metrics"), "{error}");
            assert_eq!(error.exit_status(), 1);
        }
        let refused = CtlError::from(ClientError::new(ClientErrorKind::Unreachable, "connection refused"));
        assert!(matches!(refused, CtlError::Client(_)));
    }

    #[test]
    fn only_a_closed_pipe_is_no_failure() {
        assert!(CtlError::Output(io::ErrorKind::BrokenPipe.into()).is_closed_pipe());
        assert!(!CtlError::Output(io::ErrorKind::StorageFull.into()).is_closed_pipe());
    }
}
