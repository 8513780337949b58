//! `cargo xtask demo`: a small city on one machine.
//!
//! Four simulated cameras at the counters of two offices, a server that records them, and the console. `--headless` records
//! for a while without a window and prints what was recorded.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::parts::{self, Cameras, Server, ctl, id};
use crate::setup::{self, Scope};
use crate::shell::{Outcome, Part, say, target_dir};
use crate::up::{self, Scale, Watched};

/// Start a server, simulated cameras and the console.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Open no window; record, print what was recorded, and end.
    #[arg(long)]
    headless: bool,
    /// With --headless: how long to record.
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// On PostgreSQL and SeaweedFS, as beyond one machine; each of the two may be killed meanwhile, and comes back.
    #[arg(long)]
    scale: bool,
    /// Number of simulated cameras.
    #[arg(long, default_value_t = 4, value_name = "N")]
    cameras: u32,
    /// Language of the console: vi or en.
    #[arg(long, default_value = "vi")]
    lang: String,
    /// Without a display: open the console in a virtual one for a few seconds and keep this picture of it.
    #[arg(long, value_name = "FILE.png")]
    screenshot: Option<PathBuf>,
}

/// Where the simulated cameras stand: agency, site, contact points.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("UBND phường Hải Châu", "Bộ phận Một cửa", &["Quầy 1 – Hộ tịch", "Quầy 2 – Đất đai"]),
    ("Sở Xây dựng", "Bộ phận Tiếp nhận và Trả kết quả", &["Quầy 3 – Cấp phép xây dựng", "Phòng tiếp công dân"]),
];

impl Demo {
    /// Runs the demo.
    pub fn run(self) -> Outcome {
        setup::run(if self.scale { Scope::Scale } else { Scope::Demo })?;
        let mut packages = vec!["minhbach-server", "minhbach-ctl", "minhbach-camsim"];
        if !self.headless {
            packages.push("minhbach-console");
        }
        parts::build(&packages)?;
        let data = target_dir().join("demo");
        // Each demo starts with an empty server; footage of the last one is of no use to anybody.
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(|error| format!("cannot clear {}: {error}", data.display()))?;
        }
        // Started before the server and dropped after it.
        let (_watched, config) = if self.scale { scale(&data.join("up"))? } else { (None, None) };
        let cameras = parts::cameras(self.cameras, &data.join("truth"))?;
        let mut server = parts::server(&data.join("server"), config.as_deref())?;
        let ids = furnish(&server, &cameras, self.cameras)?;
        if self.headless {
            record(&server, &ids, Duration::from_secs(self.seconds))?;
            archive(&server)?;
            return server.part.stop();
        }
        self.console(&server)?;
        server.part.stop()
    }

    fn console(&self, server: &Server) -> Outcome {
        let mut command = Command::new(parts::program("minhbach-console"));
        let display = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
        if !display {
            say("no display: the console opens in a virtual one (Xvfb); connect a display to see it");
            command = Command::new("xvfb-run");
            command.args(["--auto-servernum", "--server-args", "-screen 0 1920x1080x24"]);
            command.arg(parts::program("minhbach-console"));
        }
        command.args(["--server", &server.url, "--lang", &self.lang, "--wall", "4"]);
        if let Some(file) = &self.screenshot {
            command.arg("--screenshot").arg(file).args(["--after", "12"]);
        }
        say("close the window, or press Ctrl-C here, to end the demo");
        Part::open("console", &mut command)?.wait()
    }
}

/// Starts an empty database and object store, and says where the lines for the server are.
fn scale(dir: &Path) -> Outcome<(Option<Watched>, Option<PathBuf>)> {
    up::clear(dir)?;
    let scale = Scale::start(dir)?;
    let config = scale.config_file();
    Ok((Some(scale.watched()?), Some(config)))
}

/// Prints how far the archive has come, when there is one.
fn archive(server: &Server) -> Outcome {
    let lines = ctl(&server.url, &["status"])?;
    if let Some(line) = lines.iter().find(|line| line["type"] == "archive" && line["kind"] != "none") {
        let (kind, waiting) = (line["kind"].as_str().unwrap_or("?"), &line["waiting_segments"]);
        let state = if line["available"] == true { "available" } else { "not available" };
        println!("archive: {kind}, {state}, {waiting} files wait for it");
    }
    Ok(())
}

/// Adds places and cameras.
fn furnish(server: &Server, cameras: &Cameras, count: u32) -> Outcome<Vec<(String, String)>> {
    let mut points = Vec::new();
    for (agency, site, names) in PLACES {
        let agency = id(&ctl(&server.url, &["place", "add-agency", "--name", agency])?)?;
        let site = id(&ctl(&server.url, &["place", "add-site", "--name", site, "--agency", &agency])?)?;
        for name in *names {
            let point = ctl(&server.url, &["place", "add-contact-point", "--name", name, "--site", &site])?;
            points.push((id(&point)?, *name));
        }
    }
    let mut added = Vec::new();
    for number in 0..count {
        let (point, place) = &points[number as usize % points.len()];
        let name = format!("Camera {} · {place}", number + 1);
        let (main, sub) = (format!("{}/cam{number}/main", cameras.url), format!("{}/cam{number}/sub", cameras.url));
        let camera = ctl(
            &server.url,
            &["camera", "add", "--name", &name, "--main", &main, "--sub", &sub, "--contact-point", point],
        )?;
        added.push((id(&camera)?, name));
    }
    Ok(added)
}

/// Waits, then prints for each camera what was recorded and what is missing.
fn record(server: &Server, cameras: &[(String, String)], length: Duration) -> Outcome {
    say(&format!("recording for {} s", length.as_secs()));
    let end = Instant::now() + length;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left.min(Duration::from_secs(10)));
        println!("  {} s left", end.saturating_duration_since(Instant::now()).as_secs());
    }
    let mut empty = Vec::new();
    for (camera, name) in cameras {
        let lines = ctl(&server.url, &["recordings", "list", "--camera", camera, "--from", "-1h", "--to", "now"])?;
        let mut seconds = 0.0;
        let (mut frames, mut sounds, mut gaps) = (0, 0, Vec::new());
        for line in &lines {
            let at = |key: &str| line[key].as_str().and_then(seconds_of_day);
            let span = at("end").zip(at("start")).map(|(end, start)| (end - start).rem_euclid(86_400.0));
            if line["type"] == "gap" {
                let cause = line["cause"].as_str().unwrap_or("?");
                gaps.push(span.map_or_else(|| format!("{cause} (goes on)"), |span| format!("{cause} {span:.1} s")));
            } else {
                seconds += span.unwrap_or(0.0);
                frames += line["video_samples"].as_u64().unwrap_or(0);
                sounds += line["audio_samples"].as_u64().unwrap_or(0);
            }
        }
        println!("{name}: {seconds:.1} s recorded, {frames} frames, {sounds} sound packets, gaps: {}", gaps.join(", "));
        if frames == 0 {
            empty.push(name.as_str());
        }
    }
    if empty.is_empty() { Ok(()) } else { Err(format!("nothing was recorded of {}", empty.join(", "))) }
}

/// Seconds since midnight of an RFC 3339 time in UTC.
fn seconds_of_day(text: &str) -> Option<f64> {
    let time = text.split('T').nth(1)?.trim_end_matches('Z');
    let mut parts = time.split(':');
    let mut next = || parts.next()?.parse::<f64>().ok();
    Some(next()? * 3600.0 + next()? * 60.0 + next()?)
}
