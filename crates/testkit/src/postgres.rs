//! A real PostgreSQL on a free loopback port: Debian's binaries, data in a folder of its own, no Unix socket.
//!
//! PostgreSQL refuses to run as root; then it runs as the user that Debian's package makes for it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{HarnessError, free_ports, wait_for};

const BINARIES: &str = "/usr/lib/postgresql/15/bin";
/// Debian's package makes this user.
const SYSTEM_USER: &str = "postgres";
/// The role everything is done as, and the database that is there from the start.
const NAME: &str = "minhbach";
/// Recovery after a kill included.
const READY_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How much is done for the data to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As for real data.
    PowerLoss,
    /// Survives a kill of the process only, and is fast.
    Kill,
}

/// A running, or killed, PostgreSQL. Killed when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    data: PathBuf,
    password: String,
    port: u16,
    durability: Durability,
    child: Option<Child>,
    /// Removed with it, after the process has ended.
    _temporary: Option<tempfile::TempDir>,
}

impl Postgres {
    /// Starts one for a test, with an empty database; its data goes when it is dropped.
    ///
    /// # Errors
    /// When it does not take connections in time.
    pub fn start() -> Result<Self, HarnessError> {
        let temporary = tempfile::tempdir().map_err(|error| HarnessError::new(error.to_string()))?;
        let mut postgres = Self::start_in(temporary.path(), "khong-phai-bi-mat", Durability::Kill)?;
        postgres._temporary = Some(temporary);
        Ok(postgres)
    }

    /// Starts one with its data below `dir`, which must be open to PostgreSQL's user; the data stays. The password is set
    /// when there is no data yet.
    ///
    /// # Errors
    /// When it does not take connections in time.
    pub fn start_in(dir: &Path, password: &str, durability: Durability) -> Result<Self, HarnessError> {
        give_away(dir)?;
        let data = dir.join("data");
        if !exists_for_user(&data.join("PG_VERSION")) {
            init(dir, &data, password)?;
        }
        let port = free_ports().next().ok_or_else(|| HarnessError::new("no free port on the loopback"))?;
        let mut postgres =
            Self { data, password: password.to_owned(), port, durability, child: None, _temporary: None };
        postgres.restart()?;
        postgres.create_database(NAME)?;
        Ok(postgres)
    }

    /// `postgres://…` of the database that is there from the start.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(NAME)
    }

    /// `postgres://…` of another database.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{NAME}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Makes an empty database unless there is one of that name, and returns its `postgres://…`.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_database(&self, name: &str) -> Result<String, HarnessError> {
        let there = format!("select 1 from pg_database where datname = '{name}'");
        let options = ["--no-psqlrc", "--tuples-only", "--no-align", "--command", &there, "postgres"];
        if output(self.client("psql").args(options))?.trim() != "1" {
            output(self.client("createdb").arg(name))?;
        }
        Ok(self.url_of(name))
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(format!("{BINARIES}/{program}"));
        command.env("PGPASSWORD", &self.password).args(["--host", "127.0.0.1", "--username", NAME]);
        command.args(["--port", &self.port.to_string()]);
        command
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

    /// Ends it at once; its own children notice and end by themselves.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself already; then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends it politely, without waiting for its clients to go.
    ///
    /// # Errors
    /// When it does not end in time; then it is killed.
    pub fn stop(&mut self) -> Result<(), HarnessError> {
        let Some(pid) = self.pid() else { return Ok(()) };
        // SIGINT is PostgreSQL's fast shutdown. That it has just ended is seen below.
        let _ = Command::new("kill").args(["-INT", &pid.to_string()]).stderr(Stdio::null()).status();
        let ended = wait_for("PostgreSQL ends", STOP_PATIENCE, || self.has_ended());
        self.kill();
        ended
    }

    /// Starts it again on the same port and data after [`Self::kill`] or [`Self::stop`], and waits until it takes
    /// connections.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn restart(&mut self) -> Result<(), HarnessError> {
        self.kill();
        // Once here, so that a program that is missing is told as that.
        let child = self.spawn().map_err(|error| HarnessError::new(format!("cannot start PostgreSQL: {error}")))?;
        self.child = Some(child);
        let port = self.port.to_string();
        wait_for("PostgreSQL takes connections", READY_PATIENCE, || {
            // Those of a killed one may hold its memory for a moment; then the new one gives up and is started again.
            if self.has_ended() {
                self.child = self.spawn().ok();
            }
            let mut ready = Command::new(format!("{BINARIES}/pg_isready"));
            ready.args(["--quiet", "--host", "127.0.0.1", "--port", &port]).stdin(Stdio::null());
            ready.status().is_ok_and(|status| status.success()) && !self.has_ended()
        })
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let mut postgres = as_user(&format!("{BINARIES}/postgres"));
        postgres.arg("-D").arg(&self.data).args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        postgres.args(["-c", &format!("port={}", self.port), "-c", "log_min_messages=fatal"]);
        if self.durability == Durability::Kill {
            // What a killed process has written is with the system all the same.
            postgres.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // In order, so that none of its children writes into a folder that is being removed.
        if let Err(error) = self.stop() {
            eprintln!("{error}");
        }
    }
}

/// Makes the data folder, with one role that has a password.
fn init(dir: &Path, data: &Path, password: &str) -> Result<(), HarnessError> {
    let file = dir.join("initial-password");
    let io = |error: std::io::Error| HarnessError::new(format!("{}: {error}", file.display()));
    std::fs::write(&file, password).map_err(io)?;
    give_away(&file)?;
    let mut initdb = as_user(&format!("{BINARIES}/initdb"));
    initdb.args(["--username", NAME, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]);
    let made = output(initdb.arg("--pwfile").arg(&file).arg("--pgdata").arg(data));
    std::fs::remove_file(&file).map_err(io)?;
    made.map(|_| ())
}

fn output(command: &mut Command) -> Result<String, HarnessError> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| HarnessError::new(format!("cannot start {shown}: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(HarnessError::new(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A program as PostgreSQL's user when this one is root.
fn as_user(program: &str) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        // setpriv becomes the program, so that its process id is the program's.
        command = Command::new("setpriv");
        command.args(["--reuid", SYSTEM_USER, "--regid", SYSTEM_USER, "--init-groups", "--", program]);
    }
    // It may not enter the folder this one is in.
    command.current_dir("/");
    command
}

/// Whether PostgreSQL's user can see a file or folder.
#[must_use]
pub fn exists_for_user(path: &Path) -> bool {
    as_user("test").arg("-e").arg(path).status().is_ok_and(|status| status.success())
}

fn give_away(path: &Path) -> Result<(), HarnessError> {
    if !is_root() {
        return Ok(());
    }
    output(Command::new("chown").arg(format!("{SYSTEM_USER}:{SYSTEM_USER}")).arg(path)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_is_there_after_a_kill() {
        let mut postgres = Postgres::start().expect("it starts");
        postgres.create_database("khac").expect("made");
        let ask = |postgres: &Postgres, statement: &str| {
            let options = ["--no-psqlrc", "--tuples-only", "--no-align", "-c", statement, "khac"];
            output(postgres.client("psql").args(options))
        };
        ask(&postgres, "create table t (n integer); insert into t values (7)").expect("committed");
        postgres.kill();
        assert!(ask(&postgres, "select n from t").is_err() && postgres.has_ended());
        postgres.restart().expect("back");
        assert_eq!(ask(&postgres, "select n from t").expect("there").trim(), "7");
        postgres.stop().expect("ends");
    }
}
