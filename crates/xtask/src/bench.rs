//! `cargo xtask bench`: builds for release what is measured, and measures it; see `crates/bench`.

use std::path::PathBuf;
use std::process::Command;

use crate::parts;
use crate::setup::{self, Scope};
use crate::shell::{Outcome, run, target_dir, workspace};
use crate::test;

/// Measure what the server costs, beside a floor in the same run.
#[derive(Debug, clap::Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// CPU seconds a camera-hour of recording.
    Ingest {
        /// Handed on, e.g. --cameras 16,64 --rounds 3 --seconds 60.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// The index of a large installation: timelines, moments, inserts, retention.
    Index {
        /// Handed on, e.g. --cameras 1000 --days 90 --database sqlite --dir /var/tmp.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// First picture and delay of live view.
    Live {
        /// Handed on, e.g. --cameras 8 --viewers 200.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Random seeks into footage, warm and cold.
    Playback {
        /// Handed on, e.g. --cameras 2 --hours 1 --warm 300 --cold 100 --dir /a/folder.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Export of an hour in turn with `cp` of the same files, warm and cold.
    Export {
        /// Handed on, e.g. --rounds 5 --dir /a/folder.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// The long forms of the fault tests: what crashes, power losses, every single step and an object store that is away cost,
    /// against what the cameras really sent. Hours.
    Faults {
        /// Times that servers are killed with SIGKILL.
        #[arg(long, default_value_t = 200, value_name = "N")]
        kills: u32,
        /// Times that a disk loses its power.
        #[arg(long, default_value_t = 20, value_name = "N")]
        power_losses: u32,
        /// Seconds for which the object store is away.
        #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
        store_away: u32,
        /// How many steps are tried: a number, or `all`.
        #[arg(long, default_value = "all", value_name = "N")]
        steps: String,
    },
}

/// How long the long forms are.
struct Long {
    kills: u32,
    power_losses: u32,
    store_away: u32,
    steps: String,
}

impl Bench {
    /// Runs a benchmark.
    pub fn run(self) -> Outcome {
        let (name, options) = match self.what {
            What::Ingest { options } => ("ingest", options),
            What::Index { options } => return index(&options),
            What::Live { options } => ("live", options),
            What::Playback { options } => return footage("playback", &options),
            What::Export { options } => return footage("export", &options),
            What::Faults { kills, power_losses, store_away, steps } => {
                return faults(&Long { kills, power_losses, store_away, steps });
            }
        };
        setup::run(Scope::Demo)?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace()).args(["build", "--locked", "--release", "--package", "minhbach-server"]);
        run(&mut cargo)?;
        parts::build(&["minhbach-ctl", "minhbach-bench"])?;
        let server: PathBuf = target_dir().join("release").join("minhbach-server");
        let mut bench = Command::new(parts::program("minhbach-bench"));
        bench.arg(name).arg("--server").arg(server).arg("--ctl").arg(parts::program("minhbachctl"));
        run(bench.arg("--media-dir").arg(parts::media_dir()).args(options))
    }
}

/// Fills a large index and measures it: in the program of the bench itself.
fn index(options: &[String]) -> Outcome {
    setup::run(Scope::Scale)?;
    release(&["minhbach-bench"])?;
    run(Command::new(target_dir().join("release").join("minhbach-bench")).arg("index").args(options))
}

/// Measures what is done with footage. The client's side is measured too, so all of it is built for release.
fn footage(name: &str, options: &[String]) -> Outcome {
    setup::run(Scope::Demo)?;
    release(&["minhbach-server", "minhbach-ctl"])?;
    // Apart: the server must not be built with what the bench wants of the libraries they share.
    release(&["minhbach-bench"])?;
    let program = |name: &str| target_dir().join("release").join(name);
    let mut bench = Command::new(program("minhbach-bench"));
    bench.arg(name).arg("--server").arg(program("minhbach-server"));
    if name == "export" {
        bench.arg("--ctl").arg(program("minhbachctl"));
    }
    bench.arg("--media-dir").arg(parts::media_dir()).arg("--dir").arg(target_dir().join("bench"));
    run(bench.args(options))
}

/// Builds packages for release, together.
fn release(packages: &[&str]) -> Outcome {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["build", "--locked", "--release"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    run(&mut cargo)
}

/// Runs the tests of faults with more rounds, and prints their figures.
fn faults(long: &Long) -> Outcome {
    setup::run(Scope::Everything)?;
    parts::build(&["minhbach-server", "minhbach-ctl", "minhbach-camsim"])?;
    let figures = target_dir().join("figures-faults.jsonl");
    if figures.exists() {
        std::fs::remove_file(&figures).map_err(|error| format!("cannot clear {}: {error}", figures.display()))?;
    }
    let mut failed = None;
    let tests = [("failures", "killed"), ("disks", "power_loss"), ("steps", ""), ("objects", "object_store")];
    for (program, name) in tests {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace()).args(["test", "--locked", "--package", "minhbach-tests"]);
        cargo.args(["--test", program, name]);
        cargo.env("MINHBACH_KILLS", long.kills.to_string());
        cargo.env("MINHBACH_POWER_LOSSES", long.power_losses.to_string());
        cargo.env("MINHBACH_STORE_AWAY_SECS", long.store_away.to_string()).env("MINHBACH_STEPS", &long.steps);
        cargo.env("MINHBACH_TOOLS", setup::tool("")).env("MINHBACH_FIGURES", &figures);
        // The other one is worth its figures even when this one missed its bar.
        failed = run(&mut cargo).err().or(failed);
    }
    test::show(&figures)?;
    failed.map_or(Ok(()), Err)
}
