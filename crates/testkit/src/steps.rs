//! System calls of a program as steps: counted, refused, or made its last, by `strace`.
//!
//! `strace` counts for each thread by itself: the n-th call is the n-th of whichever thread makes so many first. Those that
//! prepare a program's own start, down to the loading of its libraries, count too. Which step belongs to which promise is
//! not known here; a test says which calls it means and looks at what came of it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::faults::NotAvailable;

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program is killed (SIGKILL) where it asks for the step, which is not done.
    Kill,
    /// The step is not done and fails with this error, by its name (errno(3)), e.g. `EIO`. Once: the next one works.
    Refuse(&'static str),
}

/// The n-th call of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Name of the system call, e.g. `fdatasync`.
    pub call: &'static str,
    /// Counted from one, for each thread.
    pub number: u32,
    /// What happens there.
    pub fault: Fault,
}

/// Whether programs can be watched here.
///
/// # Errors
/// [`NotAvailable`] when `strace` is not installed, or the system does not allow it.
pub fn tracing() -> Result<(), NotAvailable> {
    let mut probe = strace(Path::new("/dev/null"), &["fsync"]);
    let output = probe.args(["--", "true"]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| NotAvailable::new(format!("strace: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(NotAvailable::new(format!("strace: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// Follows all threads and writes the calls into a log, with the paths of their files and without what is written.
///
/// The watcher is a process beside the program (`-D`), so that the program itself is the child that is started, waited for
/// and killed.
fn strace(log: &Path, calls: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-y", "-s", "0", "-e", "signal=none", "-e"]);
    command.arg(format!("trace={}", calls.join(","))).arg("-o").arg(log);
    command
}

/// Runs a program whose calls are only written down; its arguments are to be added.
#[must_use]
pub fn counting(program: &Path, calls: &[&str], log: &Path) -> Command {
    let mut command = strace(log, calls);
    command.args(["--seccomp-bpf", "--"]).arg(program);
    command
}

impl Step {
    /// Runs a program with the fault at this step; its arguments are to be added. The log says whether it was refused.
    #[must_use]
    pub fn command(&self, program: &Path, log: &Path) -> Command {
        let mut command = strace(log, &[self.call]);
        let fault = match self.fault {
            // Every call of the program stops: at a stop that seccomp makes, a signal is passed over without a word.
            Fault::Kill => "signal=SIGKILL".to_owned(),
            Fault::Refuse(error) => {
                command.arg("--seccomp-bpf");
                format!("error={error}")
            }
        };
        command.args(["-e", &format!("inject={}:{fault}:when={}", self.call, self.number), "--"]).arg(program);
        command
    }
}

/// For each kind of call the highest number, as [`Step::number`] counts, of one whose line in the log has this part, e.g. a
/// folder: how far the calls that are meant go. Every line has the empty part.
///
/// # Errors
/// When the log cannot be read.
pub fn counted(log: &Path, part: &str) -> io::Result<BTreeMap<String, u32>> {
    let mut threads: HashMap<(String, String), u32> = HashMap::new();
    let mut highest: BTreeMap<String, u32> = BTreeMap::new();
    for line in std::fs::read_to_string(log)?.lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let name = call.trim_start().split('(').next().unwrap_or_default();
        // Ends of calls that were interrupted, and of threads, begin with other signs.
        if call.contains('(') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            let number = threads.entry((thread.to_owned(), name.to_owned())).or_default();
            *number += 1;
            if line.contains(part) {
                let known = highest.entry(name.to_owned()).or_default();
                *known = (*known).max(*number);
            }
        }
    }
    Ok(highest)
}

/// The calls that were refused, as they were asked for, with the paths of their files.
///
/// # Errors
/// When the log cannot be read.
pub fn refused(log: &Path) -> io::Result<Vec<String>> {
    let mut begun: HashMap<String, String> = HashMap::new();
    let mut refused = Vec::new();
    for line in std::fs::read_to_string(log)?.lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let call = call.trim_start();
        if call.ends_with("<unfinished ...>") {
            begun.insert(thread.to_owned(), call.to_owned());
        } else if call.ends_with("(INJECTED)") {
            let resumed = call.starts_with("<... ").then(|| begun.remove(thread)).flatten();
            refused.push(resumed.unwrap_or_else(|| call.to_owned()));
        }
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::available;

    const LOG: &str = "\
7 openat(AT_FDCWD</>, \"/etc/x\", O_RDONLY) = 3</etc/x>
7 fdatasync(3</f/a.mp4>) = 0
8 fdatasync(4</f/b.mp4> <unfinished ...>
7 fdatasync(3</f/a.mp4>) = -1 EIO (Input/output error) (INJECTED)
8 <... fdatasync resumed>) = -1 EIO (Input/output error) (INJECTED)
7 fdatasync(3</f/a.mp4>) = 0
8 +++ exited with 0 +++
";

    #[test]
    fn calls_are_counted_by_thread_and_refused_ones_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("log");
        std::fs::write(&log, LOG).expect("written");
        let of = |part: &str| counted(&log, part).expect("read").into_iter().collect::<Vec<_>>();
        assert_eq!(of(""), [("fdatasync".to_owned(), 3), ("openat".to_owned(), 1)]);
        assert_eq!(of("/f/b.mp4"), [("fdatasync".to_owned(), 1)], "the first of its thread");
        let refused = refused(&log).expect("read");
        assert!(refused[0].contains("/f/a.mp4") && refused[1].contains("/f/b.mp4"), "{refused:?}");
        assert_eq!(refused.len(), 2);
    }

    /// Makes three folders one after another and says how often it was told that it cannot.
    const THREE: &str = "import os,sys
for n in range(3):
    try: os.mkdir(sys.argv[1] + str(n))
    except OSError as error: print(n, error.errno)";

    #[test]
    fn a_step_is_refused_once_or_is_the_last() {
        let Some(()) = available("steps of a program", tracing()) else { return };
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("log");
        let run = |fault, name: &str| {
            let step = Step { call: "mkdir", number: 2, fault };
            let mut command = step.command(Path::new("python3"), &log);
            command.args(["-c", THREE]).arg(dir.path().join(name)).output().expect("it runs")
        };
        let refused_once = run(Fault::Refuse("ENOSPC"), "refused");
        assert_eq!(String::from_utf8_lossy(&refused_once.stdout), "1 28\n");
        assert_eq!(refused(&log).expect("read").len(), 1);
        let killed = run(Fault::Kill, "killed");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed.status), Some(9));
        let there = |name: &str| dir.path().join(name).exists();
        assert!(there("killed0") && !there("killed1"), "the second was not done");
    }
}
