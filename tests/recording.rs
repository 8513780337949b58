//! What is recorded against what the cameras really sent.

use std::time::Duration;

use minhbach_testkit::harness::{Cameras, Server};
use minhbach_testkit::oracle;

/// Short segments, so that a short test crosses many borders.
const CONFIG: &str = "[recording]\nsegment_secs = 4\n";

fn recorded_seconds(server: &Server, camera: &str, stream: &str) -> f64 {
    let args = ["recordings", "list", "--camera", camera, "--stream", stream, "--from", "-1h", "--to", "now"];
    let lines = server.ask(&args).expect("the list");
    let frames: u64 = lines.iter().filter_map(|line| line["video_samples"].as_u64()).sum();
    frames as f64 / if stream == "main" { 25.0 } else { 12.5 }
}

#[test]
fn every_picture_and_sound_is_recorded_once_and_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let mut cameras = Cameras::start(4, &dir.path().join("truth"), &["--profile", "mixed"]).unwrap();
    let mut server = Server::start(&dir.path().join("data"), CONFIG).unwrap();
    let ids: Vec<String> = (0..4)
        .map(|n| {
            let sub = cameras.stream(n, "sub");
            server.add_camera(&format!("Camera {n}"), &cameras.stream(n, "main"), &["--sub", &sub]).unwrap()
        })
        .collect();
    for id in &ids {
        let args = ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"];
        server.until(&args, Duration::from_secs(60), |_| recorded_seconds(&server, id, "main") > 20.0).unwrap();
    }
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());

    cameras.finish().unwrap();
    for (n, id) in ids.iter().enumerate() {
        for stream in ["main", "sub"] {
            let files = server.files(id, stream);
            assert!(files.len() >= 4, "camera {n} {stream}: {} files", files.len());
            let truth = cameras.truth.join(format!("cam{n}-{stream}.jsonl"));
            let verdict = oracle::check(&files, &truth).unwrap();
            println!("camera {n} {stream}: {verdict:?}");
            assert!(verdict.complete(), "camera {n} {stream}: {verdict:?}");
            assert!(verdict.video > 200, "camera {n} {stream}: {verdict:?}");
            assert_eq!(verdict.audio > 300, stream == "main", "camera {n} {stream}: {verdict:?}");
            assert!(verdict.av_offset_max_ms <= 40.0, "camera {n} {stream}: {verdict:?}");
            assert!(verdict.video_time_error_max_ms < 1.0, "camera {n} {stream}: {verdict:?}");
        }
    }
}
