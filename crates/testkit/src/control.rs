//! The control protocol of the simulated cameras: one JSON line in, one JSON line back, over TCP on the loopback.
//!
//! The types of both sides and a blocking client. The listener belongs to the simulator.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// No line of the protocol is longer.
pub const MAX_LINE_BYTES: u64 = 4096;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The first use of an effect waits until its clip is encoded.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

/// What can be done to a camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Back to the plain scene, sound on, no stall, password accepted, on line.
    Normal,
    /// Sends no media for a while; connections stay open.
    Stall {
        /// How long.
        seconds: f64,
    },
    /// Closes all RTSP connections of the camera.
    Drop,
    /// Closes all connections and accepts none for a while.
    Offline {
        /// How long.
        seconds: f64,
    },
    /// The picture stands still.
    Freeze,
    /// The picture is dark.
    Black,
    /// Something hangs before the lens.
    Cover,
    /// Out of focus.
    Blur,
    /// The camera looks elsewhere.
    Shift,
    /// Sound flows but is silent.
    Mute,
    /// Sound as before.
    Unmute,
    /// The other picture size; a second time goes back.
    Resolution,
    /// The other codecs, of picture and sound: H.264 or H.265, AAC or A-law. All connections are closed, and the next ones
    /// find the new description. A second time goes back.
    Codec,
    /// Timestamps jump, sound and picture together.
    Jump {
        /// By how much; negative goes back.
        ms: i64,
    },
    /// New sessions are refused as if the password were wrong; open ones go on.
    RefusePassword,
    /// The password is right again.
    AcceptPassword,
}

/// One line to the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The camera's number.
    pub camera: u16,
    /// What to do.
    #[serde(flatten)]
    pub command: Command,
}

/// The line that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Done, or at work from the next key frame on.
    pub ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Reply {
    /// Done.
    #[must_use]
    pub fn done() -> Self {
        Self { ok: true, error: None }
    }

    /// Not done.
    #[must_use]
    pub fn failed(error: impl Into<String>) -> Self {
        Self { ok: false, error: Some(error.into()) }
    }
}

/// Failures of a command.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No connection, or it broke.
    #[error("no talk with the simulated cameras at {address}")]
    Io {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// What came back is not of the protocol.
    #[error("the simulated cameras answered something unreadable")]
    Answer(#[from] serde_json::Error),
    /// The command was refused.
    #[error("the simulated cameras refused: {0}")]
    Refused(String),
}

/// A blocking client. Each command is a connection of its own, so a client can be shared and never goes stale.
#[derive(Debug, Clone, Copy)]
pub struct ControlClient {
    address: SocketAddr,
}

impl ControlClient {
    /// A client for the address after `control=` in the simulator's line.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Sends a command and waits until it is done.
    pub fn send(&self, camera: u16, command: Command) -> Result<(), ControlError> {
        let line = serde_json::to_string(&Request { camera, command })?;
        let answer = self.exchange(&line).map_err(|source| ControlError::Io { address: self.address, source })?;
        let reply: Reply = serde_json::from_str(&answer)?;
        if reply.ok { Ok(()) } else { Err(ControlError::Refused(reply.error.unwrap_or_default())) }
    }

    fn exchange(&self, line: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream.take(MAX_LINE_BYTES)).read_line(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn lines_are_flat() {
        let request = Request { camera: 2, command: Command::Jump { ms: -1500 } };
        let text = serde_json::to_string(&request).expect("text");
        assert_eq!(text, r#"{"camera":2,"command":"jump","ms":-1500}"#);
        assert_eq!(serde_json::from_str::<Request>(&text).expect("request"), request);
        let plain: Request = serde_json::from_str(r#"{"camera":0,"command":"refuse_password"}"#).expect("request");
        assert_eq!(plain.command, Command::RefusePassword);
        assert_eq!(serde_json::to_string(&Reply::done()).expect("text"), r#"{"ok":true}"#);
    }

    #[test]
    fn a_refusal_reaches_the_caller() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
        let address = listener.local_addr().expect("address");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("client");
            let mut line = String::new();
            BufReader::new(stream.try_clone().expect("clone")).read_line(&mut line).expect("line");
            stream.write_all(b"{\"ok\":false,\"error\":\"no camera 9\"}\n").expect("answer");
            line
        });
        let error = ControlClient::new(address).send(9, Command::Drop).expect_err("refused");
        assert!(matches!(error, ControlError::Refused(text) if text == "no camera 9"));
        assert_eq!(server.join().expect("server"), "{\"camera\":9,\"command\":\"drop\"}\n");
    }
}
