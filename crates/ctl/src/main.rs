//! `minhbachctl`: the server from the command line, for administrators and scripts.
//!
//! What it prints with `--json`, and its exit status, are a contract that others script against.
//! What belongs here: arguments in, one call or a few, lines out. What does not: anything the server should decide.

mod args;
mod camera;
mod deletions;
mod error;
mod export;
mod hold;
mod incident;
mod kept;
mod live;
mod output;
mod password;
mod place;
mod recordings;
mod retention;
mod status;
mod when;
mod words;

use std::process::ExitCode;

use clap::Parser as _;
use minhbach_client::Client;

use crate::args::{Args, Command};
use crate::error::CtlError;
use crate::output::Output;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("minhbachctl: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut output = Output::new(args.json);
    let subject = args.command.subject();
    let result = runtime.block_on(run(args, &mut output));
    // Flushed also after a failure: what was printed before it explains it.
    let flushed = output.flush();
    match result.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough, as `head` does.
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("minhbachctl: {}", output::printable(&error.to_string()));
            if let Some(advice) = error.advice(subject) {
                eprintln!("  {advice}");
            }
            ExitCode::from(error.exit_status())
        }
    }
}

async fn run(args: Args, output: &mut Output) -> Result<(), CtlError> {
    let client = Client::connect(&args.server).await.map_err(|error| CtlError::Usage(error.message))?;
    match args.command {
        Command::Camera { command } => camera::run(&client, output, command).await,
        Command::Place { command } => place::run(&client, output, command).await,
        Command::Recordings { command } => recordings::run(&client, output, command).await,
        Command::Live(command) => live::run(&client, output, command).await,
        Command::Export(command) => export::run(&client, output, command).await,
        Command::Incident { command } => incident::run(&client, output, command).await,
        Command::Hold { command } => hold::run(&client, output, command).await,
        Command::Retention { command } => retention::run(&client, output, command).await,
        Command::Deletions { command } => deletions::run(&client, output, command).await,
        Command::Status => status::run(&client, output).await,
    }
}
