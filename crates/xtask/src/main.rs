//! `cargo xtask`: everything a newcomer or a CI machine has to run, each by one command.
//!
//! What belongs here: installing what is missing, starting the parts, checking the tree. What does not: anything the
//! product itself does.

mod bench;
mod demo;
mod lint;
mod parts;
mod setup;
mod shell;
mod test;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Minh Bạch workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what is missing: Debian packages by apt-get, Python wheels by name. Run twice, it does nothing twice.
    Setup,
    /// Start a server, simulated cameras and the console: live picture and sound, recording, playback.
    Demo(demo::Demo),
    /// Install what is missing, then run every check and every test.
    Test(test::Test),
    /// Measure what the server costs, beside a floor in the same run.
    Bench(bench::Bench),
    /// Start the database and the object store that a server beyond one machine uses, on this machine.
    Up(up::Up),
    /// What CI runs: the same as `test`.
    Ci,
}

fn main() -> ExitCode {
    let result = match Args::parse().task {
        Task::Setup => setup::run(setup::Scope::Everything),
        Task::Demo(demo) => demo.run(),
        Task::Test(test) => test.run(),
        Task::Bench(bench) => bench.run(),
        Task::Up(up) => up.run(),
        Task::Ci => test::Test::default().run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
