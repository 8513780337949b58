//! Checks that need no running part: formatting, clippy, the protos, licences.

use std::process::Command;

use crate::setup::tool;
use crate::shell::{Outcome, has, run, say, workspace};

/// Runs every check whose tool is there; says which one is not.
pub fn run_all() -> Outcome {
    let cargo = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace());
        cargo
    };
    if has("cargo-fmt") {
        run(cargo().args(["fmt", "--all", "--check"]))?;
    } else {
        say("rustfmt is not installed: formatting is not checked (rustup component add rustfmt)");
    }
    if has("cargo-clippy") {
        run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    } else {
        say("clippy is not installed: lints are not checked (rustup component add clippy)");
    }
    run(Command::new(tool("buf")).arg("lint").current_dir(workspace().join("proto")))?;
    if has("cargo-deny") {
        // Advisories need a database from the network; everything else is in the lock file.
        run(cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]))?;
    } else {
        say("cargo-deny is not installed: licences and sources are not checked (cargo install cargo-deny)");
    }
    Ok(())
}
