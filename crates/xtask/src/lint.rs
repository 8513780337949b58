//! Checks that need no running part: formatting, clippy, the protos, licences.

use std::path::PathBuf;
use std::process::Command;

use crate::setup::{tool, tools};
use crate::shell::{Outcome, has, run, say, workspace};

const DENY_VERSION: &str = "0.20.2";

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
    let deny = deny()?;
    if let Some(deny) = deny {
        // Advisories need a database from the network; everything else is in the lock file.
        let checks = ["--offline", "--config", ".deny.toml", "check", "bans", "licenses", "sources"];
        run(Command::new(deny).args(checks).current_dir(workspace()))?;
    } else {
        say("cargo-deny is not installed: licences and sources are not checked (cargo install cargo-deny)");
    }
    Ok(())
}

/// cargo-deny, if it is there. In CI it is built once and kept beside what cargo builds: that takes some minutes, which
/// nobody should have to wait for at home.
fn deny() -> Outcome<Option<PathBuf>> {
    let own = tool("cargo-deny");
    if own.exists() {
        return Ok(Some(own));
    }
    if has("cargo-deny") {
        return Ok(Some(PathBuf::from("cargo-deny")));
    }
    if std::env::var_os("CI").is_none() {
        return Ok(None);
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["install", "--quiet", "--locked", "--version", DENY_VERSION, "cargo-deny", "--root"]).arg(tools());
    run(&mut cargo)?;
    Ok(Some(own))
}
