//! The control listener: reads a command a line over TCP on the loopback, carries it out, answers.
//!
//! The protocol is in `minhbach-testkit`; what commands do is in `serve`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use minhbach_testkit::control::{MAX_LINE_BYTES, Reply, Request};

/// A client that sends no line for so long is let go: the next one waits.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// The listening thread; it ends on drop.
pub struct ControlListener {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ControlListener {
    /// Listens and hands each request to `carry_out`, one at a time.
    pub fn start(listen: SocketAddr, carry_out: impl Fn(Request) -> Reply + Send + 'static) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "control is for this machine alone: 127.0.0.1 or ::1",
            ));
        }
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = thread::Builder::new().name("control".to_owned()).spawn(move || {
            for client in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let talk = client.and_then(|client| serve(client, &carry_out));
                if let Err(error) = talk {
                    tracing::warn!(%error, "a control client was lost");
                }
            }
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ControlListener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A connection wakes the thread. If none can be made, it is awake and busy, or its socket is gone.
        let woken = TcpStream::connect_timeout(&self.address, WAKE_TIMEOUT);
        drop(woken);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the control thread had panicked");
        }
    }
}

/// Serves one client until it hangs up.
fn serve(client: TcpStream, carry_out: &impl Fn(Request) -> Reply) -> io::Result<()> {
    client.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    client.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut reader = BufReader::new(&client);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(MAX_LINE_BYTES).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let reply = match serde_json::from_str::<Request>(&line) {
            Ok(request) => carry_out(request),
            Err(error) => Reply::failed(format!("not a command: {error}")),
        };
        let mut answer = serde_json::to_vec(&reply)?;
        answer.push(b'\n');
        (&client).write_all(&answer)?;
    }
}

#[cfg(test)]
mod tests {
    use minhbach_testkit::control::{Command, ControlClient, ControlError};

    use super::*;

    #[test]
    fn commands_arrive_and_answers_come_back() {
        let listener = ControlListener::start(([127, 0, 0, 1], 0).into(), |request| {
            if request.camera == 1 && request.command == Command::Freeze {
                Reply::done()
            } else {
                Reply::failed(format!("no camera {}", request.camera))
            }
        })
        .expect("listener");
        let client = ControlClient::new(listener.address());
        client.send(1, Command::Freeze).expect("done");
        let refused = client.send(2, Command::Freeze).expect_err("refused");
        assert!(matches!(refused, ControlError::Refused(why) if why == "no camera 2"));
    }

    #[test]
    fn other_machines_are_kept_out() {
        assert!(ControlListener::start(([0, 0, 0, 0], 0).into(), |_| Reply::done()).is_err());
    }
}
