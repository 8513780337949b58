//! Starts the real programs for a test and ends them with it.
//!
//! Programs are taken from where cargo put this test, so a test never runs another build than its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::control::ControlClient;

/// Clips are encoded when they are first needed.
const READY_PATIENCE: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(50);

/// Why a program did not do what a test needs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HarnessError(String);

impl HarnessError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Where a program of this build is.
///
/// # Panics
/// When it is not built: then a test could not say anything.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let path = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps").join(name);
    assert!(path.is_file(), "{} is not built; run the tests by `cargo xtask test`", path.display());
    path
}

/// A program that `cargo xtask setup` installed beside what cargo builds.
///
/// # Panics
/// When it is not there: then a test could not say anything.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    let tools = std::env::var_os("MINHBACH_TOOLS").map_or_else(|| beside_build("tools").join("bin"), PathBuf::from);
    let path = tools.join(name);
    assert!(path.is_file(), "{} is not installed; `cargo xtask setup` does it", path.display());
    path
}

/// A folder beside what cargo builds.
fn beside_build(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(3).expect("a test lies in target/<profile>/deps").join(name)
}

/// Looks again and again until `is` holds.
///
/// # Errors
/// When it does not within `patience`.
pub fn wait_for(what: &str, patience: Duration, mut is: impl FnMut() -> bool) -> Result<(), HarnessError> {
    let deadline = Instant::now() + patience;
    while !is() {
        if Instant::now() >= deadline {
            return Err(HarnessError::new(format!("not within {patience:?}: {what}")));
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Below the ports that Linux gives to outgoing connections (32768 and more): nobody takes one while its owner is killed.
const PORTS_FROM: u16 = 20_000;
const PORTS: u16 = 10_000;

/// Ports that nobody listens on now. Each process starts to look at another place and never gives one out twice.
pub fn free_ports() -> impl Iterator<Item = u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % u32::from(PORTS) * 16;
    (0..PORTS).filter_map(move |_| {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS_FROM + ((first + step) % u32::from(PORTS)) as u16;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(port)
    })
}

/// Sends SIGTERM to a process and waits.
///
/// # Errors
/// When it does not end in time.
pub(crate) fn end_politely(child: &mut Child, patience: Duration) -> Result<ExitStatus, HarnessError> {
    send_signal(child.id(), "TERM");
    let deadline = Instant::now() + patience;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(POLL),
            Ok(None) => return Err(HarnessError::new("it did not end in time")),
            Err(error) => return Err(HarnessError::new(error.to_string())),
        }
    }
}

fn send_signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
}

/// A program that runs until it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// The line it printed when it was ready.
    pub ready: String,
}

impl Running {
    /// Starts a program and waits for its line that starts with `ready`.
    ///
    /// # Errors
    /// When it ends before, or does not say so in ten minutes.
    pub fn start(command: &mut Command) -> Result<Self, HarnessError> {
        let shown = format!("{command:?}");
        let ended = || HarnessError::new(format!("{shown} ended before it was ready"));
        Self::try_start(command)?.ok_or_else(ended)
    }

    /// The same; `None` when it ends before it is ready.
    ///
    /// # Errors
    /// When it cannot be started, or says nothing in ten minutes.
    pub fn try_start(command: &mut Command) -> Result<Option<Self>, HarnessError> {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| HarnessError::new(format!("cannot start {shown}: {error}")))?;
        let stdout = child.stdout.take().ok_or_else(|| HarnessError::new("no output"))?;
        let (sender, lines) = sync_channel(1024);
        // Ends when the program closes its output, which it does at the latest when it is killed on drop.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut running = Self { child, lines, ready: String::new() };
        let deadline = Instant::now() + READY_PATIENCE;
        loop {
            match running.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with("ready") => {
                    running.ready = line;
                    return Ok(Some(running));
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Err(HarnessError::new(format!("{shown} is not ready"))),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory it holds at the moment, bytes (proc(5), `VmRSS`).
    ///
    /// # Panics
    /// When the process has ended.
    #[must_use]
    pub fn rss_bytes(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }

    /// Sends a signal by its name, e.g. `TERM`.
    pub fn signal(&self, name: &str) {
        send_signal(self.child.id(), name);
    }

    /// Kills it after a while that has nothing to do with what it does meanwhile, and waits for its end. Returns when
    /// it was killed, nanoseconds since the Unix epoch.
    ///
    /// # Panics
    /// When it had ended before.
    pub fn kill_after(&mut self, delay: Duration) -> i64 {
        // A moment that waits for something would always be the moment just after it.
        std::thread::sleep(delay);
        let at = wall_ns();
        self.child.kill().expect("it still runs");
        // Killed: how it ended is known.
        let _ = self.child.wait();
        at
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        // A process that cannot be asked about is none.
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself; when that was, nanoseconds since the Unix epoch, `None` when it does not in time.
    pub fn end_at(&mut self, patience: Duration) -> Option<i64> {
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return None;
            }
            // Losses are measured from this moment.
            std::thread::sleep(Duration::from_millis(2));
        }
        Some(wall_ns())
    }

    /// Sends SIGTERM and waits.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn terminate(&mut self, patience: Duration) -> Result<ExitStatus, HarnessError> {
        end_politely(&mut self.child, patience)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Simulated cameras.
#[derive(Debug)]
pub struct Cameras {
    /// The program.
    pub running: Running,
    /// `rtsp://127.0.0.1:PORT`
    pub url: String,
    /// Takes commands.
    pub control: ControlClient,
    /// Where the truth is written.
    pub truth: PathBuf,
}

impl Cameras {
    /// Starts simulated cameras with small pictures, so that a test machine is not busy with them.
    ///
    /// # Errors
    /// When they do not start.
    pub fn start(count: u32, truth: &Path, extra: &[&str]) -> Result<Self, HarnessError> {
        std::fs::create_dir_all(truth).map_err(|error| HarnessError::new(error.to_string()))?;
        let mut command = Command::new(program("minhbach-camsim"));
        command.args(["serve", "--cameras", &count.to_string(), "--listen", "127.0.0.1:0"]);
        command.args(["--control", "127.0.0.1:0", "--truth-dir"]).arg(truth);
        command.arg("--media-dir").arg(clips_dir()).args(extra);
        let running = Running::start(&mut command)?;
        let mut words = running.ready.split_whitespace().skip(1);
        let url = words.next().unwrap_or_default().to_owned();
        let control = words.find_map(|word| word.strip_prefix("control=")).and_then(|a| a.parse::<SocketAddr>().ok());
        let control = control.ok_or_else(|| HarnessError::new("the cameras did not say their control address"))?;
        Ok(Self { running, url, control: ControlClient::new(control), truth: truth.to_owned() })
    }

    /// Ends the cameras, after which the truth is complete on disk.
    ///
    /// # Errors
    /// When they do not end in time.
    pub fn finish(&mut self) -> Result<(), HarnessError> {
        self.running.terminate(Duration::from_secs(20)).map(|_| ())
    }

    /// Address of a stream.
    #[must_use]
    pub fn stream(&self, camera: u32, stream: &str) -> String {
        format!("{}/cam{camera}/{stream}", self.url)
    }
}

/// Encoded clips are kept beside what cargo builds.
fn clips_dir() -> PathBuf {
    beside_build("clips")
}

/// The time now, nanoseconds since the Unix epoch, on the clock the cameras write their truth by.
#[must_use]
pub fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A server.
#[derive(Debug)]
pub struct Server {
    /// The program.
    pub running: Running,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// Address of the side door, `http://127.0.0.1:PORT`.
    pub http: String,
    /// Its data folder.
    pub data: PathBuf,
}

impl Server {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(data: &Path, config: &str) -> Result<Self, HarnessError> {
        let started = Self::start_by(Command::new(program("minhbach-server")), data, config)?;
        started.ok_or_else(|| HarnessError::new("the server ended before it was ready"))
    }

    /// Starts a server by a command that ends with its program, e.g. one of [`crate::steps`]. `None` when it ended before it
    /// was ready.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_by(mut command: Command, data: &Path, config: &str) -> Result<Option<Self>, HarnessError> {
        let io = |error: std::io::Error| HarnessError::new(error.to_string());
        std::fs::create_dir_all(data).map_err(io)?;
        let file = data.join("server.toml");
        // The disk of the machine may be fuller than a server would leave it; that is not what is tested.
        let room = if config.contains("[spool]") { "" } else { "\n[spool]\nalarm_percent = 99\ndelete_percent = 99\n" };
        std::fs::write(&file, format!("{config}{room}")).map_err(io)?;
        command.args(["run", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).arg("--config").arg(&file);
        // Whoever reads why a test failed wants what went wrong, not the hundred lines of thirty good starts before it.
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "warn");
        }
        let Some(running) = Running::try_start(&mut command)? else { return Ok(None) };
        let word = |key: &str| {
            let found = running.ready.split_whitespace().find_map(|word| word.strip_prefix(key));
            found.map(ToOwned::to_owned).ok_or_else(|| HarnessError::new(format!("the server did not say {key}")))
        };
        let (url, http) = (word("grpc=")?, word("http=")?);
        Ok(Some(Self { running, url, http, data: data.to_owned() }))
    }

    /// Runs minhbachctl against it.
    ///
    /// # Panics
    /// When minhbachctl cannot be started.
    #[must_use]
    pub fn ctl(&self, args: &[&str]) -> Output {
        let mut command = Command::new(program("minhbachctl"));
        command.args(["--server", &self.url, "--json"]).args(args).stdin(Stdio::null());
        command.output().expect("minhbachctl starts")
    }

    /// Runs minhbachctl and returns its lines.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn ask(&self, args: &[&str]) -> Result<Vec<serde_json::Value>, HarnessError> {
        let output = self.ctl(args);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(HarnessError::new(format!("minhbachctl {}: {said}", args.join(" "))));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let parse = |line| serde_json::from_str(line).map_err(|e| HarnessError::new(format!("{line}: {e}")));
        text.lines().map(parse).collect()
    }

    /// Adds a camera and returns its id.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn add_camera(&self, name: &str, main: &str, extra: &[&str]) -> Result<String, HarnessError> {
        let mut args = vec!["camera", "add", "--name", name, "--main", main];
        args.extend(extra);
        let answer = self.ask(&args)?;
        let id = answer.first().and_then(|line| line["id"].as_str());
        id.map(ToOwned::to_owned).ok_or_else(|| HarnessError::new("the answer has no id"))
    }

    /// Asks again and again until `is` holds for the answer.
    ///
    /// # Errors
    /// When it does not within `patience`; the last answer is told.
    pub fn until(
        &self,
        args: &[&str],
        patience: Duration,
        is: impl Fn(&[serde_json::Value]) -> bool,
    ) -> Result<Vec<serde_json::Value>, HarnessError> {
        let deadline = Instant::now() + patience;
        loop {
            let answer = self.ask(args)?;
            if is(&answer) {
                return Ok(answer);
            }
            if Instant::now() >= deadline {
                return Err(HarnessError::new(format!("not within {patience:?}: {answer:?}")));
            }
            std::thread::sleep(POLL * 4);
        }
    }

    /// Recorded media files of a camera's stream, in the order of time.
    #[must_use]
    pub fn files(&self, camera: &str, stream: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.data.join("footage/v1").join(camera).join(stream), &mut found);
        found.sort();
        found
    }

    /// The same, with those that are in an archive folder already.
    #[must_use]
    pub fn files_with_archive(&self, archive: &Path, camera: &str, stream: &str) -> Vec<PathBuf> {
        let mut found = self.files(camera, stream);
        collect(&archive.join("v1").join(camera).join(stream), &mut found);
        let key = |path: &PathBuf| path.to_string_lossy().rsplit_once("/v1/").map(|(_, key)| key.to_owned());
        found.sort_by_key(key);
        // While a file is being brought there it may be in both places.
        found.dedup_by_key(|path| key(path));
        found
    }

    /// Runs a command of `minhbach-server` on the same data and configuration, e.g. `check`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn own_command(data: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(program("minhbach-server"));
        command.args(args).arg("--data-dir").arg(data).arg("--config").arg(data.join("server.toml"));
        command.stdin(Stdio::null()).output().expect("minhbach-server starts")
    }

    /// Asks the side door over HTTP; status line, headers and body.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn side_door(&self, path: &str) -> Result<String, HarnessError> {
        let address = self.http.trim_start_matches("http://");
        let ask = || -> std::io::Result<String> {
            let mut socket = TcpStream::connect(address)?;
            write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().map_err(|error| HarnessError::new(format!("{address}{path}: {error}")))
    }
}

fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "mp4") {
            into.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_below_the_outgoing_ones_and_never_given_twice() {
        let first: Vec<u16> = free_ports().take(8).collect();
        let second: Vec<u16> = free_ports().take(8).collect();
        let mut all = [first, second].concat();
        assert!(all.iter().all(|port| (PORTS_FROM..PORTS_FROM + PORTS).contains(port)), "{all:?}");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16);
    }

    #[test]
    fn waiting_ends_with_what_was_waited_for() {
        let mut looks = 0;
        let third = || {
            looks += 1;
            looks == 3
        };
        wait_for("the third look", Duration::from_secs(5), third).expect("it comes");
        let never = wait_for("the moon", Duration::ZERO, || false).expect_err("it does not come");
        assert!(never.to_string().contains("the moon"), "{never}");
    }

    #[test]
    fn a_program_is_killed_when_it_was_said() {
        let mut sleeper = Command::new("sh");
        let mut running = Running::start(sleeper.args(["-c", "echo ready; exec sleep 60"])).expect("it starts");
        let (before, killed) = (wall_ns(), running.kill_after(Duration::ZERO));
        assert!((before..=wall_ns()).contains(&killed));
        assert!(running.child.try_wait().expect("known").is_some(), "it has ended");
    }

    #[test]
    fn a_program_that_ends_by_itself_is_told_from_one_that_runs() {
        let start = |script: &str| Running::try_start(Command::new("sh").args(["-c", script])).expect("it starts");
        assert!(start("exit 0").is_none(), "it was never ready");
        let mut short = start("echo ready").expect("it was ready");
        assert!(short.end_at(Duration::from_secs(20)).is_some_and(|at| at <= wall_ns()));
        let mut long = start("echo ready; exec sleep 60").expect("it is ready");
        assert!(!long.has_ended() && long.end_at(Duration::ZERO).is_none());
    }
}
