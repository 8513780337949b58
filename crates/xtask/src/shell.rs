//! Running other programs: what is run is printed, and a failure says which program failed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What every task returns: a message for a person.
pub type Outcome<T = ()> = Result<T, String>;

/// Prints a step.
pub fn say(text: &str) {
    println!("▸ {text}");
}

/// Runs a program to its end; its output goes where ours goes.
pub fn run(command: &mut Command) -> Outcome {
    let shown = describe(command);
    say(&shown);
    let status = command.status().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})")) }
}

/// Runs a program and returns what it printed.
pub fn output(command: &mut Command) -> Outcome<String> {
    let shown = describe(command);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` failed ({})", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{shown}` printed something that is not text"))
}

/// Whether a program can be found.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The workspace's own folder.
pub fn workspace() -> PathBuf {
    // As cargo says now and not as it was when this was compiled: two checkouts that share a target folder share this program.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.ancestors().nth(2).map_or(manifest.clone(), PathBuf::from)
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// A program that runs beside this one and is ended with it.
pub struct Part {
    name: &'static str,
    child: Child,
}

impl Part {
    /// Starts a program and waits for the line that starts with `ready`, which is returned.
    pub fn start(name: &'static str, command: &mut Command, patience: Duration) -> Outcome<(Self, String)> {
        let shown = describe(command);
        say(&shown);
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        let stdout = child.stdout.take().ok_or("no output to read")?;
        let mut part = Self { name, child };
        let (sender, receiver) = std::sync::mpsc::sync_channel(16);
        // Ends when the program closes its output.
        let reader = std::thread::Builder::new().name(format!("{name} output")).spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line.clone()).is_err() {
                    println!("{name}: {line}");
                }
            }
        });
        reader.map_err(|error| error.to_string())?;
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left) {
                Ok(line) if line.starts_with("ready") => return Ok((part, line)),
                Ok(line) => println!("{name}: {line}"),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    return Err(format!("{name} was not ready within {} s", patience.as_secs()));
                }
                Err(_) => {
                    let status = part.child.wait().map_err(|error| error.to_string())?;
                    return Err(format!("{name} ended before it was ready ({status})"));
                }
            }
        }
    }

    /// Starts a program that a person ends, such as a window.
    pub fn open(name: &'static str, command: &mut Command) -> Outcome<Self> {
        let shown = describe(command);
        say(&shown);
        let child = command.spawn().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        Ok(Self { name, child })
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Outcome {
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", self.name)) }
    }

    /// Asks it to end (SIGTERM) and waits; it is killed when it does not listen.
    pub fn stop(&mut self) -> Outcome {
        if self.child.try_wait().map_err(|error| error.to_string())?.is_some() {
            return Ok(());
        }
        let pid = self.child.id().to_string();
        run_quiet(Command::new("kill").args(["-TERM", &pid]))?;
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", self.name)) };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.child.kill().map_err(|error| error.to_string())?;
        Err(format!("{} did not stop within 20 s and was killed", self.name))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(message) = self.stop() {
            eprintln!("xtask: {message}");
        }
    }
}

fn run_quiet(command: &mut Command) -> Outcome {
    let shown = describe(command);
    let status = command.status().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed")) }
}
