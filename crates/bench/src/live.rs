//! Live view: how soon a new viewer has a picture, and how long the server holds a picture between the socket and the
//! subscriber.
//!
//! Both ends are on one machine and read the same clock: the server stamps each sample when its last packet arrived, the
//! viewer notes when the message is there. A viewer joins at a random moment of the group of pictures.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use minhbach_client::{Client, MediaEvent};
use minhbach_model::{CameraId, StreamKind, Track};
use minhbach_testkit::harness::Running;

use crate::ingest::{add_camera, start_server};
use crate::meter::percentile;
use crate::{Outcome, failed};

/// Measure live view.
#[derive(Debug, clap::Args)]
pub struct Live {
    /// Cameras being recorded meanwhile.
    #[arg(long, default_value_t = 8)]
    cameras: u32,
    /// New viewers, one after another.
    #[arg(long, default_value_t = 200)]
    viewers: u32,
    /// Seconds for which the delay of each picture is measured.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
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

impl Live {
    pub fn run(self) -> Outcome {
        let this = std::env::current_exe().map_err(failed("own path"))?;
        let mut command = Command::new(this);
        command.args(["replay", "--cameras", &self.cameras.to_string(), "--media-dir"]).arg(&self.media_dir);
        let replay = Running::start(&mut command).map_err(failed("cameras"))?;
        let url = replay.ready.split_whitespace().nth(1).ok_or("the cameras did not say their address")?.to_owned();
        let data = tempfile::tempdir().map_err(failed("folder"))?;
        let (_server, address) = start_server(&self.server, data.path())?;
        let mut ids = Vec::new();
        for camera in 0..self.cameras {
            let main = format!("{url}/cam{camera}/main");
            let id = add_camera(&self.ctl, &address, &format!("Camera {camera}"), &main, None)?;
            ids.push(id.parse::<CameraId>().map_err(failed("camera id"))?);
        }
        std::thread::sleep(Duration::from_secs(5));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(failed("runtime"))?;
        let (mut first, mut added) = runtime.block_on(self.measure(&address, &ids))?;
        let first = [0.5, 0.99, 1.0].map(|share| percentile(&mut first, share));
        let added = [0.5, 0.99, 1.0].map(|share| percentile(&mut added, share));
        println!("{} cameras recording, group of pictures 2 s, {} new viewers", self.cameras, self.viewers);
        println!("first picture ms: p50 {:.1}, p99 {:.1}, largest {:.1}", first[0], first[1], first[2]);
        println!("socket to subscriber ms: p50 {:.2}, p99 {:.2}, largest {:.2}", added[0], added[1], added[2]);
        let line = serde_json::json!({
            "bench": "live", "cameras": self.cameras, "viewers": self.viewers,
            "first_picture_ms_p50_p99_max": first, "added_ms_p50_p99_max": added,
        });
        println!("{line}");
        Ok(())
    }

    async fn measure(&self, address: &str, ids: &[CameraId]) -> Outcome<(Vec<f64>, Vec<f64>)> {
        let mut first = Vec::new();
        for viewer in 0..self.viewers {
            // 37 ms and the time each viewer takes make the moments wander through the group of pictures.
            tokio::time::sleep(Duration::from_millis(37)).await;
            let camera = ids[viewer as usize % ids.len()];
            let started = Instant::now();
            let client = Client::connect(address).await.map_err(failed("connect"))?;
            let mut stream = client.watch_live(camera, StreamKind::Main, true).await.map_err(failed("live"))?;
            loop {
                match stream.next().await.map_err(failed("live"))? {
                    Some(MediaEvent::Samples(samples)) if samples.iter().any(|s| s.track == Track::Video && s.key) => {
                        break;
                    }
                    Some(_) => {}
                    None => return Err("the server ended the stream".to_owned()),
                }
            }
            first.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        let mut added = Vec::new();
        let client = Client::connect(address).await.map_err(failed("connect"))?;
        let mut stream = client.watch_live(ids[0], StreamKind::Main, true).await.map_err(failed("live"))?;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(self.seconds) {
            let Some(event) = stream.next().await.map_err(failed("live"))? else { break };
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(failed("clock"))?;
            // The group of pictures that comes at once at the start is old by intention.
            if let MediaEvent::Samples(samples) = event
                && start.elapsed() > Duration::from_secs(2)
            {
                let now_ns = i64::try_from(now.as_nanos()).map_err(failed("clock"))?;
                #[allow(clippy::cast_precision_loss)] // milliseconds
                added.extend(
                    samples.iter().filter(|s| s.track == Track::Video).map(|s| (now_ns - s.received.0) as f64 / 1e6),
                );
            }
        }
        Ok((first, added))
    }
}
