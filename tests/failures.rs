//! Cameras that fail in every way they can: each its own state and message, and none disturbs another.

#![allow(clippy::unwrap_used)] // nothing here is anything but a test

mod common;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{PATIENCE, Played, Rig, SHORT, time_ns};
use minhbach_testkit::control::Command;
use minhbach_testkit::figures::{Figures, gap_mismatch_s, lost_before};
use minhbach_testkit::harness::{Cameras, Server, wait_for};
use minhbach_testkit::oracle;
use serde_json::Value;

fn stream(lines: &[Value]) -> &Value {
    &lines[0]
}

fn state(server: &Server, id: &str, patience: Duration, reason: &str) -> Value {
    let is = |lines: &[Value]| stream(lines)["state"] == "failed" && stream(lines)["reason"] == reason;
    let lines = server.until(&["camera", "show", id], patience, is).expect(reason);
    stream(&lines).clone()
}

#[test]
fn each_failure_has_its_own_reason_and_one_bad_camera_disturbs_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let account = ["--profile", "plain", "--username", "viewer", "--password", "dung-mat-khau"];
    let cameras = Cameras::start(1, &dir.path().join("truth"), &account).unwrap();
    let server = Server::start(&dir.path().join("data"), "[camera]\nstep_timeout_secs = 4\n").unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (file("right", "dung-mat-khau\n"), file("wrong", "sai\n"));
    let main = cameras.stream(0, "main");
    let good = server.add_camera("tốt", &main, &["--username", "viewer", "--password-file", &right]).unwrap();

    // One that accepts and never answers, and one that answers with rubbish.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let rubbish = TcpListener::bind("127.0.0.1:0").unwrap();
    let rubbish_address = rubbish.local_addr().unwrap();
    let talker = std::thread::spawn(move || {
        for _ in 0..2 {
            if let Ok((mut socket, _)) = rubbish.accept() {
                // The server hangs up as soon as it has read this.
                let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n\r\n");
            }
        }
    });
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let cases = [
        ("sai mật khẩu", main.clone(), "auth_refused", Some(&wrong)),
        ("không có tên", "rtsp://khong-co-may-nay.invalid/x".to_owned(), "unknown_host", None),
        ("cổng đóng", format!("rtsp://{closed}/x"), "connection_refused", None),
        ("im lặng", format!("rtsp://{}/x", deaf.local_addr().unwrap()), "timed_out", None),
        ("sai đường dẫn", format!("{}/cam99/main", cameras.url), "not_found", Some(&right)),
        ("không phải camera", format!("rtsp://{rubbish_address}/x"), "protocol", None),
    ];
    for (name, url, reason, password) in &cases {
        let account = password.map(|file| ["--username", "viewer", "--password-file", file.as_str()]);
        let id = server.add_camera(name, url, account.as_ref().map_or(&[], |a| &a[..])).unwrap();
        let shown = state(&server, &id, Duration::from_secs(20), reason);
        assert!(!shown["message"].as_str().unwrap_or_default().is_empty(), "{name} says nothing: {shown}");
        let text = shown.to_string();
        assert!(!text.contains("dung-mat-khau") && !text.contains("\"sai\""), "a password is shown: {text}");
    }
    // Its first connection was made while the others failed.
    let lines =
        server.until(&["camera", "show", &good], Duration::from_secs(10), |l| stream(l)["state"] == "recording");
    assert_eq!(stream(&lines.unwrap())["streams"][0]["runs"], 1);
    talker.join().unwrap();
}

#[test]
fn a_camera_that_stalls_without_closing_is_noticed_within_ten_seconds_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = Cameras::start(1, &dir.path().join("truth"), &["--profile", "plain"]).unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let id = server.add_camera("Quầy 1", &cameras.stream(0, "main"), &[]).unwrap();
    let recording = |lines: &[Value]| stream(lines)["state"] == "recording";
    server.until(&["camera", "show", &id], Duration::from_secs(30), recording).unwrap();

    cameras.control.send(0, Command::Stall { seconds: 14.0 }).unwrap();
    let stalled = Instant::now();
    state(&server, &id, Duration::from_secs(12), "stalled");
    assert!(stalled.elapsed() <= Duration::from_secs(10), "noticed after {:?}", stalled.elapsed());
    server.until(&["camera", "show", &id], Duration::from_secs(40), recording).unwrap();
    let args = ["recordings", "list", "--camera", &id, "--from", "-1h", "--to", "now"];
    let closed = |lines: &[Value]| lines.iter().any(|l| l["cause"] == "stalled" && l["end"].is_string());
    server.until(&args, Duration::from_secs(20), closed).unwrap();
}

#[test]
fn a_jump_of_the_camera_clock_and_a_new_resolution_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut cameras =
        Cameras::start(1, &dir.path().join("truth"), &["--profile", "plain", "--prepare-effects"]).unwrap();
    let mut server = Server::start(&dir.path().join("data"), "").unwrap();
    let id = server.add_camera("Quầy 1", &cameras.stream(0, "main"), &[]).unwrap();
    let args = ["recordings", "list", "--camera", &id, "--from", "-1h", "--to", "now"];
    let frames = |lines: &[Value]| lines.iter().filter_map(|l| l["video_samples"].as_u64()).sum::<u64>();
    server.until(&args, Duration::from_secs(30), |l| frames(l) > 75).unwrap();
    cameras.control.send(0, Command::Jump { ms: -90_000 }).unwrap();
    server.until(&args, Duration::from_secs(30), |l| frames(l) > 150).unwrap();
    cameras.control.send(0, Command::Jump { ms: 3_600_000 }).unwrap();
    server.until(&args, Duration::from_secs(30), |l| frames(l) > 225).unwrap();
    cameras.control.send(0, Command::Resolution).unwrap();
    server.until(&args, Duration::from_secs(30), |l| frames(l) > 375).unwrap();
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());

    cameras.finish().unwrap();
    let files = server.files(&id, "main");
    assert_eq!(files.len(), 2, "a new resolution needs a new file, a jump of the clock does not: {files:?}");
    let verdict = oracle::check(&files, &cameras.truth.join("cam0-main.jsonl")).unwrap();
    let mut figures = Figures::new("parameter_change");
    figures.faults = 3;
    figures.judge(&verdict);
    figures.print();
    assert!(verdict.complete() && verdict.video > 375, "{verdict:?}");
}

/// Pictures that may be lost when a camera hangs up: those that were on their way.
const ON_THEIR_WAY: u64 = 25;

/// Codecs of picture and sound, as the sidecar of a file says; `None` while it has none yet.
fn codecs(file: &Path) -> Option<(String, String)> {
    let sidecar = std::fs::read_to_string(format!("{}.jsonl", file.display())).ok()?;
    let header: Value = serde_json::from_str(sidecar.lines().next()?).ok()?;
    let video = header["video"].as_str()?.split('.').next()?;
    Some((video.to_owned(), header["audio"].as_str()?.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_codecs_of_a_camera_begin_a_new_file_and_each_side_of_the_change_comes_back() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut rig = tokio::task::block_in_place(|| Rig::start(1, dir.path(), &data, SHORT));
    let mut figures = Figures::new("codec_change");
    figures.faults = 1;
    tokio::task::block_in_place(|| {
        rig.until_closed(2);
        rig.cameras.control.send(0, Command::Codec).unwrap();
        // Files of both kinds are closed.
        let other = || {
            let files = rig.server.files(&rig.ids[0], "main");
            files.iter().filter_map(|file| codecs(file)).filter(|(video, _)| video != "avc1").count() >= 3
        };
        wait_for("the other codecs are recorded", PATIENCE, other).unwrap();
        rig.pause();
        let files = rig.server.files(&rig.ids[0], "main");
        let written = || oracle::check(&files, &rig.truth(0)).is_ok_and(|verdict| verdict.unknown == 0);
        wait_for("the truth reaches the disk", Duration::from_secs(5), written).unwrap();
    });
    let told: u64 = rig.segments(0).iter().filter_map(|line| line["video_samples"].as_u64()).sum();
    let Played { pictures, unknown, codecs: heard } = common::played(&rig, 0).await;
    figures.bad_served += unknown;
    let all = ["AAC", "G.711 A-law", "H.264", "H.265"].map(str::to_owned);
    assert_eq!(heard, BTreeSet::from(all), "playback tells each side of the change what it is");
    assert!(pictures + 1 >= told, "{pictures} of {told} pictures were played");

    tokio::task::block_in_place(|| {
        // One MP4 track cannot hold both: the whole is refused with the reason, each side is exported.
        let out = dir.path().join("whole.mp4").display().to_string();
        let whole = ["export", "--camera", &rig.ids[0], "--from", "-1h", "--to", "now", "--out", &out];
        let refused = rig.server.ask(&whole).unwrap_err().to_string();
        assert!(refused.contains("codec"), "{refused}");
        let segments = rig.segments(0);
        let files = rig.server.files(&rig.ids[0], "main");
        assert_eq!(files.len(), segments.len(), "{files:?} {segments:?}");
        let kinds: Vec<(String, String)> = files.iter().map(|file| codecs(file).unwrap()).collect();
        let change = kinds.iter().position(|kind| *kind != kinds[0]).unwrap();
        assert_eq!(kinds[0], ("avc1".to_owned(), "AAC".to_owned()));
        assert!(kinds[change..].iter().all(|kind| kind.0.starts_with('h') && kind.1 == "G.711 A-law"), "{kinds:?}");
        for side in [&segments[..change], &segments[change..]] {
            let (from, to) = (side[0]["start"].as_str().unwrap(), side[side.len() - 1]["end"].as_str().unwrap());
            let (answer, file) = rig.export(0, from, to);
            let verdict = rig.judge(0, &[file], &mut figures);
            let told: u64 = side.iter().filter_map(|line| line["video_samples"].as_u64()).sum();
            assert!(verdict.complete() && verdict.video.abs_diff(told) <= 1, "{answer}: {verdict:?}");
        }

        let verdict = rig.judge(0, &files, &mut figures);
        #[allow(clippy::cast_precision_loss)] // pictures of one change
        figures.losses(&[verdict.video_lost as f64 / 25.0]);
        figures.mismatch(gap_mismatch_s(&rig.lines(0), time_ns));
        figures.print();
        assert_eq!((verdict.doubled, verdict.reordered, verdict.unknown), (0, 0, 0), "{verdict:?}");
        assert!(verdict.video_lost <= ON_THEIR_WAY, "{verdict:?}");
        assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
        rig.stop();
        let check = Server::own_command(&rig.server.data, &["check", "--deep"]);
        assert!(check.status.success(), "{}", common::said(&check));
    });
}

/// Kills in each of two servers; a longer series is `cargo xtask bench faults`.
const KILLS_EACH: u64 = 15;
/// What a crash of the process may cost (promise P1), seconds.
const CRASH_LOSS_S_MAX: f64 = 1.0;

/// A server that is killed again and again, and the two cameras it records.
struct Victim {
    data: PathBuf,
    cameras: Range<u32>,
    /// Addresses of their main streams.
    streams: Vec<String>,
    /// Seeds the moments of the kills.
    seed: u64,
}

/// What came of it.
struct Aftermath {
    data: PathBuf,
    cameras: Range<u32>,
    ids: Vec<String>,
    /// When each kill was, nanoseconds since the Unix epoch.
    kills: Vec<i64>,
    /// The longest time from the start of the process until everything recorded again.
    recovered: Duration,
}

fn list(id: &str) -> [&str; 8] {
    ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"]
}

impl Victim {
    fn run(self, kills: u64) -> Aftermath {
        let all_record = |lines: &[Value]| lines.len() == 2 && lines.iter().all(|l| l["state"] == "recording");
        let mut server = Server::start(&self.data, SHORT).unwrap();
        let add = |url: &String| server.add_camera(&format!("Camera {url}"), url, &[]).unwrap();
        let ids: Vec<String> = self.streams.iter().map(add).collect();
        server.until(&["camera", "list"], Duration::from_secs(60), all_record).unwrap();
        let mut random = self.seed;
        let (mut at, mut recovered) = (Vec::new(), Duration::ZERO);
        for _ in 0..kills {
            // Knuth's linear congruential generator; its upper bits are good enough for moments.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            at.push(server.running.kill_after(Duration::from_millis((random >> 33) % 1500)));
            let begun = Instant::now();
            server = Server::start(&self.data, SHORT).unwrap();
            server.until(&["camera", "list"], Duration::from_secs(60), all_record).unwrap();
            recovered = recovered.max(begun.elapsed());
        }
        for id in &ids {
            let all_told = |lines: &[Value]| {
                let downs = lines.iter().filter(|l| l["cause"] == "recorder_down").count() as u64;
                downs >= kills && lines.last().is_some_and(|l| l["type"] == "segment")
            };
            server.until(&list(id), Duration::from_secs(30), all_told).unwrap();
        }
        assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());
        Aftermath { data: self.data, cameras: self.cameras, ids, kills: at, recovered }
    }
}

impl Aftermath {
    fn judge(&self, cameras: &Cameras, figures: &mut Figures, lost: &mut Vec<f64>) {
        let server = Server::start(&self.data, SHORT).unwrap();
        for (n, id) in self.cameras.clone().zip(&self.ids) {
            let files = server.files(id, "main");
            let lines = server.ask(&list(id)).unwrap();
            let segments = lines.iter().filter(|l| l["type"] == "segment" && l["video_samples"] != 0).count();
            // What is there is whole and in order; only what was in memory at each kill is missing.
            let whole: Vec<_> = files.iter().filter(|f| std::fs::metadata(f).unwrap().len() > 4096).collect();
            assert_eq!(segments, whole.len(), "each file with footage has its row: {files:?} {lines:?}");
            assert!(lines.iter().all(|l| l["state"] != "suspect" && l["state"] != "recording"), "{lines:?}");
            let truth = cameras.truth.join(format!("cam{n}-main.jsonl"));
            let verdict = oracle::check(&whole, &truth).unwrap();
            figures.judge(&verdict);
            assert_eq!((verdict.doubled, verdict.reordered, verdict.unknown), (0, 0, 0), "{verdict:?}");
            let sent = oracle::pictures_sent_at(&whole, &truth).unwrap();
            lost.extend(self.kills.iter().map(|&at| lost_before(&sent, at).expect("something was recorded before")));
            figures.mismatch(gap_mismatch_s(&lines, time_ns));
        }
        figures.faults += self.kills.len() as u64;
        figures.recovered(self.recovered);
    }
}

#[test]
fn a_server_that_is_killed_loses_a_second_at_most_and_says_what_is_missing() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let kills = std::env::var("MINHBACH_KILLS").ok().and_then(|text| text.parse::<u64>().ok());
    let each = kills.map_or(KILLS_EACH, |all| all.div_ceil(2));
    let mut cameras = Cameras::start(4, &dir.path().join("truth"), &["--profile", "mixed"]).unwrap();
    let seed = minhbach_testkit::harness::wall_ns().unsigned_abs();
    println!("seed {seed}");
    let victim = |n: u32| Victim {
        data: dir.path().join(format!("data{n}")),
        cameras: 2 * n..2 * n + 2,
        streams: (2 * n..2 * n + 2).map(|n| cameras.stream(n, "main")).collect(),
        seed: seed ^ u64::from(n),
    };
    // Two at once: most of the time a server is killed and started, the machine waits for cameras.
    let victims = [victim(0), victim(1)];
    let after = std::thread::scope(|scope| {
        let running = victims.map(|victim| scope.spawn(move || victim.run(each)));
        running.map(|thread| thread.join().expect("it did not panic"))
    });
    cameras.finish().unwrap();

    let (mut figures, mut lost) = (Figures::new("kill"), Vec::new());
    for after in &after {
        after.judge(&cameras, &mut figures, &mut lost);
    }
    figures.losses(&lost);
    figures.print();
    assert!(figures.lost_s_max.is_some_and(|s| s <= CRASH_LOSS_S_MAX), "{figures:?}");
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
    assert!(figures.recover_ms.is_some_and(|ms| ms <= 10_000), "{figures:?}");
}

#[test]
fn a_camera_whose_pictures_do_not_reach_the_disk_never_says_that_it_records() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = Cameras::start(1, &dir.path().join("truth"), &["--profile", "plain"]).unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    // A file where the camera's folder should be, before anything of it can be written; that stops root too.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let id = server.add_camera("Quầy 1", &format!("rtsp://{closed}/x"), &[]).unwrap();
    let folder = server.data.join("footage/v1").join(&id);
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, b"").unwrap();
    server.ask(&["camera", "set", &id, "--main", &cameras.stream(0, "main")]).unwrap();

    let show = ["camera", "show", id.as_str()];
    let refused = |lines: &[Value]| {
        assert_ne!(stream(lines)["state"], "recording", "nothing can be recorded: {lines:?}");
        stream(lines)["state"] == "not_recording"
    };
    let shown = server.until(&show, Duration::from_secs(30), refused).unwrap();
    assert_eq!(stream(&shown)["reason"], "disk_error", "{shown:?}");
    assert!(stream(&shown)["message"].as_str().unwrap().contains("Not a directory"), "{shown:?}");
    // It can be watched all the while.
    let live = server.ask(&["live", "--camera", &id, "--stream", "main", "--seconds", "2"]).unwrap();
    assert!(live[0]["video_samples"].as_u64().unwrap() >= 25, "{live:?}");
    let status = server.ask(&["status"]).unwrap();
    let of = |kind: &str| status.iter().find(|line| line["type"] == kind).expect("a line of each type");
    assert_eq!(
        (of("server")["streams_recording"].as_u64(), of("server")["streams_failed"].as_u64()),
        (Some(0), Some(1))
    );
    assert!(of("store")["problem"].as_str().unwrap().contains("Not a directory"), "{status:?}");
    assert!(server.side_door("/healthz").unwrap().starts_with("HTTP/1.1 503"));
    let metrics = server.side_door("/metrics").unwrap();
    let gauge = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{"))).expect(name);
        line.rsplit(' ').next().map(ToOwned::to_owned)
    };
    assert_eq!(gauge("minhbach_stream_recording").as_deref(), Some("0"));
    assert_eq!(gauge("minhbach_stream_not_recording").as_deref(), Some("1"));

    // When the disk takes it again, the camera records by itself, and what was lost is a gap with its cause.
    std::fs::remove_file(&folder).unwrap();
    server.until(&show, Duration::from_secs(20), |l| stream(l)["state"] == "recording").unwrap();
    assert!(server.side_door("/healthz").unwrap().ends_with("ok\n"));
    let args = ["recordings", "list", "--camera", &id, "--from", "-1h", "--to", "now"];
    let gap = |lines: &[Value]| lines.iter().any(|l| l["cause"] == "disk_error" && l["end"].is_string());
    server.until(&args, Duration::from_secs(10), gap).unwrap();
}
