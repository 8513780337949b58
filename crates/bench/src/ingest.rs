//! CPU seconds a camera-hour of recording, the floor and the server taken in turn against the same load.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use minhbach_testkit::harness::Running;

use crate::meter::{Cost, measure, spread};
use crate::{Outcome, failed};

/// Measure what recording costs.
#[derive(Debug, clap::Args)]
pub struct Ingest {
    /// Numbers of cameras.
    #[arg(long, value_delimiter = ',', default_value = "16")]
    cameras: Vec<u32>,
    /// Times each is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds measured each time; a segment changes every 60 s.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds before each measurement.
    #[arg(long, default_value_t = 15)]
    warm: u64,
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// minhbachctl.
    #[arg(long)]
    ctl: PathBuf,
    /// Where encoded clips are kept.
    #[arg(long)]
    media_dir: PathBuf,
}

impl Ingest {
    pub fn run(self) -> Outcome {
        println!(
            "CPU seconds a camera-hour (36 = 1 % of a core): minimum / median / maximum of {} rounds",
            self.rounds
        );
        for &cameras in &self.cameras {
            let (mut floors, mut ours, mut ratios, mut rss) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for _ in 0..self.rounds {
                let floor = self.floor(cameras)?.per_camera_hour(cameras);
                let cost = self.server(cameras)?;
                let server = cost.per_camera_hour(cameras);
                floors.push(floor);
                ours.push(server);
                ratios.push(server / floor);
                #[allow(clippy::cast_precision_loss)] // megabytes
                rss.push(cost.rss_bytes as f64 / 1e6);
            }
            let [floors, ours, ratios, rss] = [floors, ours, ratios, rss].map(spread);
            let show = |(min, median, max): (f64, f64, f64)| format!("{min:.2} / {median:.2} / {max:.2}");
            println!(
                "{cameras} cameras: floor {}, server {}, ratio {}, memory {} MB",
                show(floors),
                show(ours),
                show(ratios),
                show(rss)
            );
            let line = serde_json::json!({
                "bench": "ingest", "cameras": cameras, "rounds": self.rounds, "window_secs": self.seconds,
                "floor_cpu_s_per_camera_hour": floors, "server_cpu_s_per_camera_hour": ours, "ratio": ratios, "rss_mb": rss,
            });
            println!("{line}");
        }
        Ok(())
    }

    fn replay(&self, cameras: u32) -> Outcome<(Running, String)> {
        let this = std::env::current_exe().map_err(failed("own path"))?;
        let mut command = Command::new(this);
        command.args(["replay", "--cameras", &cameras.to_string(), "--media-dir"]).arg(&self.media_dir);
        let running = Running::start(&mut command).map_err(failed("cameras"))?;
        let url = running.ready.split_whitespace().nth(1).ok_or("the cameras did not say their address")?.to_owned();
        Ok((running, url))
    }

    fn window(&self, pid: u32) -> Outcome<Cost> {
        std::thread::sleep(Duration::from_secs(self.warm));
        measure(pid, Duration::from_secs(self.seconds))
    }

    fn floor(&self, cameras: u32) -> Outcome<Cost> {
        let (_replay, url) = self.replay(cameras)?;
        let out = tempfile::tempdir().map_err(failed("folder"))?;
        let this = std::env::current_exe().map_err(failed("own path"))?;
        let mut command = Command::new(this);
        let address = url.trim_start_matches("rtsp://");
        command.args(["floor", "--address", address, "--cameras", &cameras.to_string(), "--out"]).arg(out.path());
        let floor = Running::start(&mut command).map_err(failed("floor"))?;
        self.window(floor.pid())
    }

    fn server(&self, cameras: u32) -> Outcome<Cost> {
        let (_replay, url) = self.replay(cameras)?;
        let data = tempfile::tempdir().map_err(failed("folder"))?;
        let (server, address) = start_server(&self.server, data.path())?;
        for camera in 0..cameras {
            let main = format!("{url}/cam{camera}/main");
            add_camera(&self.ctl, &address, &format!("Camera {camera}"), &main, None)?;
        }
        self.window(server.pid())
    }
}

/// Starts a server on a free port; returns its address.
pub fn start_server(program: &Path, data: &Path) -> Outcome<(Running, String)> {
    start_configured(program, data, None)
}

/// The same with a file of configuration.
pub fn start_configured(program: &Path, data: &Path, config: Option<&Path>) -> Outcome<(Running, String)> {
    let mut command = Command::new(program);
    command.args(["run", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).env("RUST_LOG", "warn");
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let running = Running::start(&mut command).map_err(failed("server"))?;
    let address = running.ready.split_whitespace().find_map(|word| word.strip_prefix("grpc="));
    let address = address.ok_or("the server did not say its address")?.to_owned();
    Ok((running, address))
}

/// Adds a camera and returns its id.
pub fn add_camera(ctl: &Path, server: &str, name: &str, main: &str, sub: Option<&str>) -> Outcome<String> {
    let mut command = Command::new(ctl);
    command.args(["--server", server, "--json", "camera", "add", "--name", name, "--main", main]);
    if let Some(sub) = sub {
        command.args(["--sub", sub]);
    }
    let output = command.output().map_err(failed("minhbachctl"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(failed("minhbachctl"))?;
    answer["id"].as_str().map(ToOwned::to_owned).ok_or_else(|| "the answer has no id".to_owned())
}
