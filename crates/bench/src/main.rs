//! `minhbach-bench`: what recording, live view, playback and exports cost, measured beside a floor in the same run
//! where there is one; and how the index of a large installation answers, beside bars.
//!
//! Started by `cargo xtask bench`. Absolute figures depend on the machine and on loopback; of what recording costs
//! only ratios to the floor of the same run count. What belongs here: load, floor, meter, report. What does not: tests
//! that pass or fail.

mod cache;
mod export;
mod floor;
mod footage;
mod index;
mod ingest;
mod live;
mod meter;
mod packets;
mod playback;
mod replay;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Benchmarks of the Minh Bạch server.
#[derive(Debug, Parser)]
#[command(name = "minhbach-bench", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// CPU seconds a camera-hour of recording, beside the cost floor.
    Ingest(ingest::Ingest),
    /// The index of 1,000 cameras and 90 days: timelines, moments, inserts, retention.
    Index(index::LargeIndex),
    /// First picture on a new viewer, and what the server adds between socket and subscriber.
    Live(live::Live),
    /// Random seeks into footage, warm and cold: first sample, first picture, wanted picture.
    Playback(playback::Playback),
    /// Export of an hour in turn with `cp` of the same files, warm and cold.
    Export(export::Export),
    /// Compare recorded files with what a simulated camera really sent; prints one JSON line.
    Verify {
        /// The camera's truth file.
        #[arg(long)]
        truth: PathBuf,
        /// Recorded files, in the order of time.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Serve many cheap cameras; used by the others.
    Replay {
        /// Number of cameras.
        #[arg(long)]
        cameras: u32,
        /// Where encoded clips are kept.
        #[arg(long)]
        media_dir: PathBuf,
    },
    /// Read the bytes of many cameras and write them to files as they come; used by the others.
    Floor {
        /// `127.0.0.1:PORT`
        #[arg(long)]
        address: std::net::SocketAddr,
        /// Number of cameras.
        #[arg(long)]
        cameras: u32,
        /// Where the files go.
        #[arg(long)]
        out: PathBuf,
    },
}

/// What every part returns: a message for a person.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Turns an error into a message that says what was tried.
pub(crate) fn failed<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

fn verify(truth: &std::path::Path, files: &[PathBuf]) -> Outcome {
    let verdict = minhbach_testkit::oracle::check(files, truth).map_err(failed("check"))?;
    println!("{}", serde_json::to_string(&verdict).map_err(failed("verdict"))?);
    if verdict.complete() { Ok(()) } else { Err("samples are missing, doubled, out of order or altered".to_owned()) }
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Ingest(ingest) => ingest.run(),
        Command::Index(index) => index.run(),
        Command::Live(live) => live.run(),
        Command::Playback(playback) => playback.run(),
        Command::Export(export) => export.run(),
        Command::Verify { truth, files } => verify(&truth, &files),
        Command::Replay { cameras, media_dir } => replay::run(cameras, &media_dir),
        Command::Floor { address, cameras, out } => floor::run(address, cameras, &out),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("minhbach-bench: {message}");
            ExitCode::FAILURE
        }
    }
}
