//! What the tests of storage share: cameras and a server on some disk, the questions asked of them again and again, and
//! the texts of the configuration.

#![allow(dead_code)] // each test program uses its own part of it

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use minhbach_client::{Client, MediaEvent, PlayRequest};
use minhbach_model::{StreamKind, Track, WallTime};
use minhbach_testkit::figures::{Figures, gap_mismatch_s};
use minhbach_testkit::harness::{Cameras, Server, wait_for};
use minhbach_testkit::oracle::{self, Verdict};
use minhbach_testkit::seaweed::{ACCESS_KEY, REGION, SECRET_KEY, SeaweedFs};
use minhbach_testkit::truth::{TruthLine, read_truth, sha256_hex};
use serde_json::Value;

/// Short files, so that a short test crosses many borders.
pub const SHORT: &str = "[recording]\nsegment_secs = 2\n";
/// For anything that has to come about by itself.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until no other test that measures runs on this machine, in this program or another, and keeps them waiting until
/// the answer is dropped: on two cores they would measure each other.
pub fn alone() -> File {
    let path = std::env::temp_dir().join("minhbach-tests-measure.lock");
    let file = File::create(&path).expect("a file in the folder for temporary files");
    file.lock().expect("a lock");
    file
}

/// `[archive]` with a folder.
pub fn folder(path: &Path) -> String {
    format!("[archive]\nkind = \"folder\"\npath = \"{}\"\n", path.display())
}

/// `[archive]` with a bucket; the secret goes into a file in `dir`.
pub fn s3(seaweed: &SeaweedFs, bucket: &str, dir: &Path) -> String {
    s3_at(&seaweed.endpoint(), bucket, dir)
}

/// The same, with what stands before the store in its place.
pub fn s3_at(endpoint: &str, bucket: &str, dir: &Path) -> String {
    let secret = dir.join("s3-secret");
    std::fs::write(&secret, format!("{SECRET_KEY}\n")).expect("written");
    format!(
        "[archive]\nkind = \"s3\"\nendpoint = \"{endpoint}\"\nbucket = \"{bucket}\"\nregion = \"{REGION}\"\n\
         access_key_id = \"{ACCESS_KEY}\"\nsecret_access_key_file = \"{}\"\n",
        secret.display()
    )
}

/// `[database]` with an address.
pub fn database(url: &str) -> String {
    format!("[database]\nurl = \"{url}\"\n")
}

/// `[spool]` with its two watermarks.
pub fn watermarks(alarm_percent: u8, delete_percent: u8) -> String {
    format!("[spool]\nalarm_percent = {alarm_percent}\ndelete_percent = {delete_percent}\n")
}

/// Cameras of H.264 with AAC and a server that records their main streams. The server ends first.
pub struct Rig {
    pub server: Server,
    pub cameras: Cameras,
    pub ids: Vec<String>,
}

/// Whether a line is a file, and not a gap.
pub fn is_segment(line: &Value) -> bool {
    line["type"] == "segment"
}

/// The line about the archive in an answer to `status`.
pub fn archive_of(lines: &[Value]) -> &Value {
    lines.iter().find(|line| line["type"] == "archive").expect("a line about the archive")
}

/// A time in an answer, nanoseconds since the Unix epoch.
pub fn time_ns(text: &str) -> Option<i64> {
    text.parse::<WallTime>().ok().map(|at| at.0)
}

/// Whether every camera in an answer to `camera list` records.
fn all_record(lines: &[Value]) -> bool {
    !lines.is_empty() && lines.iter().all(|line| line["state"] == "recording")
}

impl Rig {
    /// Starts both, with truth in `dir`, and waits until everything records.
    pub fn start(count: u32, dir: &Path, data: &Path, config: &str) -> Self {
        let cameras = Cameras::start(count, &dir.join("truth"), &["--profile", "plain"]).expect("cameras");
        let server = Server::start(data, config).expect("a server");
        let add = |n| server.add_camera(&format!("Quầy {n}"), &cameras.stream(n, "main"), &[]).expect("a camera");
        let ids = (0..count).map(add).collect();
        let rig = Self { server, cameras, ids };
        rig.until_recording();
        rig
    }

    /// Waits until the disk has confirmed something of every camera since it was connected.
    pub fn until_recording(&self) {
        self.server.until(&["camera", "list"], PATIENCE, all_record).expect("every camera records");
    }

    /// Starts the server again after its end and waits until everything records; how long that took.
    pub fn restart(&mut self, config: &str) -> Duration {
        let begun = Instant::now();
        self.server = Server::start(&self.server.data.clone(), config).expect("a server");
        self.until_recording();
        begun.elapsed()
    }

    /// Ends the server politely.
    pub fn stop(&mut self) {
        let ended = self.server.running.terminate(Duration::from_secs(30)).expect("it ends");
        assert!(ended.success(), "it ended with {ended}");
    }

    /// Files and gaps of a camera, by time.
    pub fn lines(&self, camera: usize) -> Vec<Value> {
        self.server.ask(&self.list(camera)).expect("the list")
    }

    /// The words of the question for [`Self::lines`].
    pub fn list(&self, camera: usize) -> [&str; 8] {
        ["recordings", "list", "--camera", &self.ids[camera], "--from", "-1d", "--to", "now"]
    }

    /// Files of a camera, by time.
    pub fn segments(&self, camera: usize) -> Vec<Value> {
        self.lines(camera).into_iter().filter(is_segment).collect()
    }

    /// Files of all cameras.
    pub fn all_segments(&self) -> Vec<Value> {
        (0..self.ids.len()).flat_map(|camera| self.segments(camera)).collect()
    }

    /// Bytes of footage that are told as safe.
    pub fn footage_bytes(&self) -> u64 {
        self.all_segments().iter().filter_map(|line| line["bytes"].as_u64()).sum()
    }

    /// Waits until each camera has this many closed files.
    pub fn until_closed(&self, count: usize) {
        for camera in 0..self.ids.len() {
            let closed = |lines: &[Value]| lines.iter().filter(|line| line["state"] == "closed").count() >= count;
            self.server.until(&self.list(camera), PATIENCE, closed).expect("files are closed");
        }
    }

    /// Pauses every camera, and waits until its last file is closed.
    pub fn pause(&self) {
        for (camera, id) in self.ids.iter().enumerate() {
            self.server.ask(&["camera", "pause", id]).expect("paused");
            let closed = |lines: &[Value]| lines.iter().filter(|l| is_segment(l)).all(|l| l["state"] != "recording");
            self.server.until(&self.list(camera), PATIENCE, closed).expect("the last file is closed");
        }
    }

    /// Waits until every file is in the archive.
    pub fn until_archived(&self) {
        for camera in 0..self.ids.len() {
            let archived = |lines: &[Value]| lines.iter().filter(|l| is_segment(l)).all(|l| l["tier"] == "archive");
            self.server.until(&self.list(camera), PATIENCE, archived).expect("everything is in the archive");
        }
    }

    /// Waits until no file is in the spool any more.
    pub fn until_spool_is_free(&self) {
        let free = || self.ids.iter().all(|id| self.server.files(id, "main").is_empty());
        wait_for("the spool is free", PATIENCE, free).expect("the spool is free");
    }

    /// Waits until the line about the archive says so.
    pub fn until_archive(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let lines = self.server.until(&["status"], PATIENCE, |lines| is(archive_of(lines))).expect(what);
        archive_of(&lines).clone()
    }

    /// Exports a camera's range into a new file; what the program says of it, and the file.
    pub fn export(&self, camera: usize, from: &str, to: &str) -> (Value, PathBuf) {
        let out = self.cameras.truth.join(format!("export-{camera}.mp4"));
        let file = out.display().to_string();
        let args = ["export", "--camera", &self.ids[camera], "--from", from, "--to", to, "--out", &file, "--force"];
        let mut answer = self.server.ask(&args).expect("exported");
        (answer.remove(0), out)
    }

    /// What the camera really sent.
    pub fn truth(&self, camera: usize) -> PathBuf {
        self.cameras.truth.join(format!("cam{camera}-main.jsonl"))
    }

    /// Compares files with what the camera sent, and keeps the figures. The truth may still be growing.
    pub fn judge(&self, camera: usize, files: &[impl AsRef<Path>], figures: &mut Figures) -> Verdict {
        let verdict = oracle::check(files, &self.truth(camera)).expect("files that can be read");
        figures.judge(&verdict);
        verdict
    }

    /// Exports everything of a camera and compares it: all there, once, in order, to the bit, and as many pictures as
    /// the rows count.
    pub fn everything_comes_back(&self, camera: usize, figures: &mut Figures) {
        // What is exported was sent at least a second ago, and the truth is written each second.
        let told: u64 = self.segments(camera).iter().filter_map(|line| line["video_samples"].as_u64()).sum();
        let (answer, file) = self.export(camera, "-1d", "now");
        let written = || {
            let verdict = oracle::check(&[&file], &self.truth(camera)).expect("a file that can be read");
            verdict.unknown == 0
        };
        wait_for("the truth reaches the disk", Duration::from_secs(5), written).expect("every sample is the camera's");
        let verdict = self.judge(camera, &[&file], figures);
        assert!(verdict.complete(), "camera {camera}: {verdict:?}");
        assert_eq!(verdict.video, told, "camera {camera}: {answer}");
        figures.mismatch(gap_mismatch_s(&self.lines(camera), time_ns));
    }

    /// The causes of what is missing of a camera, without what every recording begins with.
    pub fn causes(&self, camera: usize) -> Vec<String> {
        let lines = self.lines(camera);
        let causes = lines.iter().filter_map(|line| line["cause"].as_str()).filter(|&cause| cause != "starting");
        causes.map(ToOwned::to_owned).collect()
    }
}

/// What must be equal of a row after the index was made again, or a step was done again.
pub fn essence(line: &Value) -> Vec<String> {
    let keys = ["key", "start", "end", "bytes", "video_samples", "audio_samples", "state", "tier"];
    keys.iter().map(|key| line[key].to_string()).collect()
}

/// What a program said.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a playback of everything gave.
pub struct Played {
    pub pictures: u64,
    /// Samples of which the camera knows nothing.
    pub unknown: u64,
    /// Codecs of picture and sound.
    pub codecs: BTreeSet<String>,
}

/// Plays everything of a camera.
pub async fn played(rig: &Rig, camera: usize) -> Played {
    let truth = read_truth(&rig.truth(camera)).expect("truth");
    let known: HashSet<String> = truth
        .into_iter()
        .filter_map(|line| match line {
            TruthLine::Video { sha256, .. } | TruthLine::Audio { sha256, .. } => Some(sha256),
            TruthLine::Event { .. } => None,
        })
        .collect();
    let time = |line: &Value, key: &str| line[key].as_str().and_then(|t| t.parse::<WallTime>().ok()).expect("a time");
    let segments = rig.segments(camera);
    let (first, last) = (segments.first().expect("footage"), segments.last().expect("footage"));
    let request = PlayRequest {
        camera: rig.ids[camera].parse().expect("an id"),
        stream: StreamKind::Main,
        from: time(first, "start"),
        to: Some(time(last, "end")),
        audio: true,
        key_frames_only: false,
    };
    let client = Client::connect(&rig.server.url).await.expect("connected");
    let mut stream = client.play(&request).await.expect("it plays");
    let mut played = Played { pictures: 0, unknown: 0, codecs: BTreeSet::new() };
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let event = tokio::time::timeout_at(patience, stream.next()).await.expect("in time").expect("no error");
        match event {
            None | Some(MediaEvent::EndOfRange) => return played,
            Some(MediaEvent::Format(format)) => {
                played.codecs.insert(format.video.codec.to_string());
                played.codecs.extend(format.audio.as_ref().map(|audio| audio.codec.to_string()));
            }
            Some(MediaEvent::Samples(samples)) => {
                played.pictures += samples.iter().filter(|sample| sample.track == Track::Video).count() as u64;
                played.unknown +=
                    samples.iter().filter(|sample| !known.contains(&sha256_hex(&sample.data))).count() as u64;
            }
            Some(_) => {}
        }
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Media files and sidecars among them.
pub fn footage_below(folder: &Path) -> Vec<PathBuf> {
    files_below(&folder.join("v1"))
}
