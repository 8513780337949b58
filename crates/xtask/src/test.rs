//! `cargo xtask test`: installs what is missing, checks, builds every part, and runs every test.

use std::path::Path;
use std::process::Command;

use crate::shell::{Outcome, has, run, say, target_dir, workspace};
use crate::{lint, parts, setup};

/// Install what is missing, then run every check and every test.
#[derive(Debug, Default, clap::Args)]
pub struct Test {
    /// Only tests whose name contains this; no lints.
    filter: Option<String>,
}

impl Test {
    /// Runs the checks and the tests.
    pub fn run(self) -> Outcome {
        setup::run(setup::Scope::Everything)?;
        if self.filter.is_none() {
            lint::run_all()?;
        }
        // The tests in `tests/` start the programs, so these are built first.
        parts::build(&["minhbach-server", "minhbach-ctl", "minhbach-camsim", "minhbach-console"])?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace());
        if has("cargo-nextest") {
            cargo.args(["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]);
            // What failed is told again at the end, where it is looked for.
            cargo.args(["--failure-output", "immediate-final"]);
        } else {
            cargo.args(["test", "--locked", "--workspace", "--no-fail-fast", "--"]);
        }
        cargo.args(self.filter);
        let figures = target_dir().join("figures.jsonl");
        if figures.exists() {
            std::fs::remove_file(&figures).map_err(|error| format!("cannot clear {}: {error}", figures.display()))?;
        }
        cargo.env("MINHBACH_PROGRAMS", parts::program("").as_os_str());
        cargo.env("MINHBACH_CLIPS", parts::media_dir());
        cargo.env("MINHBACH_TOOLS", setup::tool(""));
        cargo.env("MINHBACH_FIGURES", &figures);
        let tested = run(&mut cargo);
        show(&figures)?;
        tested
    }
}

/// Prints the lines of the fault tests, which a test runner swallows.
pub fn show(figures: &Path) -> Outcome {
    if !figures.exists() {
        return Ok(());
    }
    say("figures of the fault tests, from what the cameras really sent");
    let text = std::fs::read_to_string(figures).map_err(|error| format!("{}: {error}", figures.display()))?;
    print!("{text}");
    Ok(())
}
