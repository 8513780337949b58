//! Why a command did not do what was asked, what to do about it, and the exit status that says so.

use std::io;
use std::path::PathBuf;

use minhbach_client::{ClientError, ClientErrorKind};

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
    Client(#[from] ClientError),
    /// A file on this machine.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says; part of the message, hence not a source.
        error: io::Error,
    },
    /// Standard output.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

impl CtlError {
    /// 1: refused or failed; 2: wrong usage.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Client(_) | Self::File { .. } | Self::Output(_) => 1,
        }
    }

    /// The reader of the output has gone.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to do, where the message alone does not say it.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Usage(_) => Some("See `minhbachctl help` and `minhbachctl COMMAND --help`."),
            Self::Client(error) => match error.kind() {
                ClientErrorKind::Unreachable => Some(
                    "Check that minhbach-server is running, and that --server (or MINHBACH_SERVER) names its address.",
                ),
                ClientErrorKind::NotFound => Some(
                    "Check the id and the time: `minhbachctl camera list`, `recordings list`, `incident list` and `hold list` show what exists.",
                ),
                ClientErrorKind::Refused => Some("Change what the message names and repeat the command."),
                ClientErrorKind::Conflict => {
                    Some("It was changed by somebody else at the same time: look at it again, then repeat the command.")
                }
                ClientErrorKind::TimedOut => Some("Try again; `minhbachctl status` shows whether the server is well."),
                ClientErrorKind::Broken => Some(
                    "Check that server and minhbachctl are of the same release; if they are, report it with the server's log.",
                ),
            },
            Self::Failed(_) | Self::File { .. } | Self::Output(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_usage_and_failure_have_different_exit_statuses() {
        assert_eq!(CtlError::Usage("x".to_owned()).exit_status(), 2);
        let refused = CtlError::from(ClientError::new(ClientErrorKind::Refused, "no"));
        assert_eq!(refused.exit_status(), 1);
        assert!(refused.advice().is_some());
    }

    #[test]
    fn only_a_closed_pipe_is_no_failure() {
        assert!(CtlError::Output(io::ErrorKind::BrokenPipe.into()).is_closed_pipe());
        assert!(!CtlError::Output(io::ErrorKind::StorageFull.into()).is_closed_pipe());
    }
}
