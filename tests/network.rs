//! The network between camera, server and viewers: cut for a while, and viewers that read nothing.

mod common;

use std::time::{Duration, Instant};

use common::{PATIENCE, Rig, SHORT, time_ns};
use minhbach_client::{Client, MediaEvent};
use minhbach_model::StreamKind;
use minhbach_testkit::control::Command;
use minhbach_testkit::figures::{Figures, gap_mismatch_s};

/// Viewers that never read what they asked for.
const STALLED_VIEWERS: usize = 20;
/// What they may cost together beyond what the server needs without them.
const STALLED_VIEWERS_MIB: u64 = 128;

#[test]
fn a_camera_that_was_away_is_recorded_again_at_once_and_the_time_between_is_a_gap() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(2, dir.path(), &dir.path().join("data"), SHORT);
    let mut figures = Figures::new("camera_cut");
    for seconds in [1.0, 10.0] {
        rig.until_closed(1);
        rig.cameras.control.send(0, Command::Offline { seconds }).unwrap();
        figures.faults += 1;
        let cut = Instant::now();
        let away = |lines: &[serde_json::Value]| lines.iter().any(|line| line["state"] != "recording");
        rig.server.until(&["camera", "list"], PATIENCE, away).unwrap();
        rig.until_recording();
        figures.recovered(cut.elapsed().saturating_sub(Duration::from_secs_f64(seconds)));
    }
    rig.pause();
    figures.mismatch(gap_mismatch_s(&rig.lines(0), time_ns));
    // What was on its way when the connection was cut is lost; nothing else may be wrong.
    let (_, file) = rig.export(0, "-1h", "now");
    let verdict = rig.judge(0, &[file], &mut figures);
    assert_eq!((verdict.doubled, verdict.reordered), (0, 0), "{verdict:?}");
    rig.everything_comes_back(1, &mut figures);
    let causes = rig.causes(0);
    let away = causes.iter().filter(|cause| matches!(cause.as_str(), "disconnected" | "camera_unreachable")).count();
    assert!(away >= 2, "{causes:?}");
    assert_eq!(rig.causes(1), ["paused_by_operator"], "the other camera is not disturbed");
    figures.print();
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
    // A camera that takes a connection and answers nothing is given up after 8 s; then a try about each second, a key
    // picture, and its way to the disk.
    assert!(figures.recover_ms.is_some_and(|ms| ms <= 14_000), "{figures:?}");
    rig.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_viewers_that_read_nothing_cost_nobody_a_picture() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let mut rig = tokio::task::block_in_place(|| Rig::start(2, dir.path(), &dir.path().join("data"), SHORT));
    let mut figures = Figures::new("stalled_viewers");
    tokio::task::block_in_place(|| rig.until_closed(2));
    let before = rig.server.running.rss_bytes();

    let client = Client::connect(&rig.server.url).await.unwrap();
    let camera = rig.ids[0].parse().unwrap();
    let mut stalled = Vec::new();
    for _ in 0..STALLED_VIEWERS {
        stalled.push(client.watch_live(camera, StreamKind::Main, true).await.unwrap());
        figures.faults += 1;
    }
    let closed = rig.segments(0).len();
    tokio::task::block_in_place(|| rig.until_closed(closed + 4));
    // One who reads is not kept waiting by those who do not.
    let mut reader = client.watch_live(camera, StreamKind::Main, true).await.unwrap();
    let mut pictures = 0;
    let until = tokio::time::Instant::now() + Duration::from_secs(3);
    while let Ok(event) = tokio::time::timeout_at(until, reader.next()).await {
        match event.unwrap().expect("the stream goes on") {
            MediaEvent::Samples(samples) => pictures += samples.len(),
            MediaEvent::Skipped { video_samples, .. } => panic!("a reader lost {video_samples}"),
            _ => {}
        }
    }
    assert!(pictures >= 60, "{pictures} samples in 3 s");
    let more = rig.server.running.rss_bytes().saturating_sub(before) / 1024 / 1024;
    assert!(more <= STALLED_VIEWERS_MIB, "{more} MiB more");
    drop((stalled, reader));

    tokio::task::block_in_place(|| {
        rig.pause();
        for camera in 0..2 {
            assert_eq!(rig.causes(camera), ["paused_by_operator"]);
            rig.everything_comes_back(camera, &mut figures);
        }
        figures.losses(&[0.0]);
        figures.print();
        rig.stop();
    });
}
