//! Cameras that fail in every way they can: each its own state and message, and none disturbs another.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use minhbach_model::WallTime;
use minhbach_testkit::control::Command;
use minhbach_testkit::harness::{Cameras, Server};
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
    let verdict = minhbach_testkit::oracle::check(&files, &cameras.truth.join("cam0-main.jsonl")).unwrap();
    assert!(verdict.complete() && verdict.video > 375, "{verdict:?}");
}

#[test]
fn a_server_that_is_killed_loses_two_seconds_at_most_and_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut cameras = Cameras::start(2, &dir.path().join("truth"), &["--profile", "mixed"]).unwrap();
    let data = dir.path().join("data");
    let config = "[recording]\nsegment_secs = 3\n";
    let mut server = Server::start(&data, config).unwrap();
    let ids: Vec<String> =
        (0..2).map(|n| server.add_camera(&format!("Camera {n}"), &cameras.stream(n, "main"), &[]).unwrap()).collect();
    let frames = |lines: &[Value]| lines.iter().filter_map(|l| l["video_samples"].as_u64()).sum::<u64>();
    // Killed in the middle of a file, and just after a new one was begun.
    for (round, more) in [130, 155, 200].into_iter().enumerate() {
        for id in &ids {
            let args = ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"];
            let before = frames(&server.ask(&args).unwrap());
            server.until(&args, Duration::from_secs(60), |l| frames(l) >= before + more).unwrap();
        }
        server.running.signal("KILL");
        drop(server);
        server = Server::start(&data, config).unwrap();
        for id in &ids {
            let args = ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"];
            let downs = |l: &[Value]| l.iter().filter(|l| l["cause"] == "recorder_down").count();
            server
                .until(&args, Duration::from_secs(20), |l| {
                    downs(l) > round && l.last().is_some_and(|l| l["type"] == "segment")
                })
                .unwrap();
        }
    }
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());
    cameras.finish().unwrap();

    let server = Server::start(&data, config).unwrap();
    for (n, id) in ids.iter().enumerate() {
        let files = server.files(id, "main");
        let args = ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"];
        let lines = server.ask(&args).unwrap();
        let segments = lines.iter().filter(|l| l["type"] == "segment" && l["video_samples"] != 0).count();
        let with_footage = files.iter().filter(|f| std::fs::metadata(f).unwrap().len() > 4096).count();
        assert_eq!(segments, with_footage, "each file with footage has its row: {files:?} {lines:?}");
        assert!(lines.iter().all(|l| l["state"] != "suspect" && l["state"] != "recording"), "{lines:?}");
        // What is there is whole and in order; only what was in memory at each kill is missing.
        let whole: Vec<_> = files.iter().filter(|f| std::fs::metadata(f).unwrap().len() > 4096).collect();
        let truth = cameras.truth.join(format!("cam{n}-main.jsonl"));
        let verdict = minhbach_testkit::oracle::check(&whole, &truth).unwrap();
        assert_eq!((verdict.doubled, verdict.reordered, verdict.unknown), (0, 0, 0), "{verdict:?}");
        let mut borders: Vec<(WallTime, WallTime)> = lines
            .iter()
            .filter_map(|l| Some((l["start"].as_str()?.parse().ok()?, l["end"].as_str()?.parse().ok()?)))
            .collect();
        borders.sort();
        for pair in borders.windows(2) {
            let apart_ms = pair[1].0.ns_since(pair[0].1) / 1_000_000;
            assert!(apart_ms.abs() <= 1000, "camera {n}: {apart_ms} ms are neither recorded nor a gap: {borders:?}");
        }
    }
}

/// Asks the side door over HTTP.
fn side_door(server: &Server, path: &str) -> String {
    let address = server.http.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).expect("the side door is open");
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    answer
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
    assert!(side_door(&server, "/healthz").starts_with("HTTP/1.1 503"));
    let metrics = side_door(&server, "/metrics");
    let gauge = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{"))).expect(name);
        line.rsplit(' ').next().map(ToOwned::to_owned)
    };
    assert_eq!(gauge("minhbach_stream_recording").as_deref(), Some("0"));
    assert_eq!(gauge("minhbach_stream_not_recording").as_deref(), Some("1"));

    // When the disk takes it again, the camera records by itself, and what was lost is a gap with its cause.
    std::fs::remove_file(&folder).unwrap();
    server.until(&show, Duration::from_secs(20), |l| stream(l)["state"] == "recording").unwrap();
    assert!(side_door(&server, "/healthz").ends_with("ok\n"));
    let args = ["recordings", "list", "--camera", &id, "--from", "-1h", "--to", "now"];
    let gap = |lines: &[Value]| lines.iter().any(|l| l["cause"] == "disk_error" && l["end"].is_string());
    server.until(&args, Duration::from_secs(10), gap).unwrap();
}
