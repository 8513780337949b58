//! The parts of a running system: built, then started one after another.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::shell::{Outcome, Part, output, run, target_dir, workspace};

/// Clips are encoded when they are first needed; on two cores that takes a minute or two.
const CAMSIM_PATIENCE: Duration = Duration::from_secs(600);
const SERVER_PATIENCE: Duration = Duration::from_secs(30);

/// Builds packages, all in the same profile.
pub fn build(packages: &[&str]) -> Outcome {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["build", "--locked"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    run(&mut cargo)
}

/// A program that was built.
pub fn program(name: &str) -> PathBuf {
    target_dir().join("debug").join(name)
}

/// Where encoded clips are kept between runs.
pub fn media_dir() -> PathBuf {
    target_dir().join("clips")
}

/// Simulated cameras.
pub struct Cameras {
    _part: Part,
    /// `rtsp://127.0.0.1:PORT`
    pub url: String,
}

/// Starts simulated cameras.
pub fn cameras(count: u32, truth: &Path) -> Outcome<Cameras> {
    let mut command = Command::new(program("minhbach-camsim"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--profile", "demo", "--cameras", &count.to_string()]);
    command.arg("--media-dir").arg(media_dir()).arg("--truth-dir").arg(truth);
    let (part, ready) = Part::start("cameras", &mut command, CAMSIM_PATIENCE)?;
    let url = ready.split_whitespace().nth(1).ok_or("the cameras did not say their address")?.to_owned();
    Ok(Cameras { _part: part, url })
}

/// A server.
pub struct Server {
    pub part: Part,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

/// Starts a server, with a configuration or with none; port 7878 when it is free, so that minhbachctl finds it without
/// being told.
pub fn server(data: &Path, config: Option<&Path>) -> Outcome<Server> {
    let free = TcpListener::bind(("127.0.0.1", 7878)).is_ok();
    let listen = if free { "127.0.0.1:7878" } else { "127.0.0.1:0" };
    let mut command = Command::new(program("minhbach-server"));
    command.args(["run", "--listen", listen, "--data-dir"]).arg(data);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let (part, ready) = Part::start("server", &mut command, SERVER_PATIENCE)?;
    let url = ready.split("grpc=").nth(1).and_then(|rest| rest.split_whitespace().next());
    Ok(Server { part, url: url.ok_or("the server did not say its address")?.to_owned() })
}

/// Asks the server through minhbachctl; each line of the answer is one JSON object.
pub fn ctl(server: &str, args: &[&str]) -> Outcome<Vec<serde_json::Value>> {
    let text = output(Command::new(program("minhbachctl")).args(["--server", server, "--json"]).args(args))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))).collect()
}

/// The id in the first line of an answer.
pub fn id(answer: &[serde_json::Value]) -> Outcome<String> {
    let id = answer.first().and_then(|line| line["id"].as_str());
    id.map(ToOwned::to_owned).ok_or_else(|| "the answer has no id".to_owned())
}
