//! `cargo xtask bench`: builds the server for release and measures it; see `crates/bench`.

use std::path::PathBuf;
use std::process::Command;

use crate::parts;
use crate::setup::{self, Scope};
use crate::shell::{Outcome, run, target_dir, workspace};

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
    /// First picture and delay of live view.
    Live {
        /// Handed on, e.g. --cameras 8 --viewers 200.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
}

impl Bench {
    /// Runs a benchmark.
    pub fn run(self) -> Outcome {
        setup::run(Scope::Demo)?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace()).args(["build", "--locked", "--release", "--package", "minhbach-server"]);
        run(&mut cargo)?;
        parts::build(&["minhbach-ctl", "minhbach-bench"])?;
        let (name, options) = match self.what {
            What::Ingest { options } => ("ingest", options),
            What::Live { options } => ("live", options),
        };
        let server: PathBuf = target_dir().join("release").join("minhbach-server");
        let mut bench = Command::new(parts::program("minhbach-bench"));
        bench.arg(name).arg("--server").arg(server).arg("--ctl").arg(parts::program("minhbachctl"));
        run(bench.arg("--media-dir").arg(parts::media_dir()).args(options))
    }
}
