//! An object store that misbehaves while cameras are recorded: a proxy of faults before a real SeaweedFS. What the archive
//! makes of a store that is killed is in `archive`.

#![allow(clippy::unwrap_used)] // nothing here is anything but a test

mod common;

use std::time::{Duration, Instant};

use common::{PATIENCE, Rig, SHORT, archive_of, is_segment, said};
use minhbach_testkit::figures::Figures;
use minhbach_testkit::harness::{Server, wait_for};
use minhbach_testkit::oracle;
use minhbach_testkit::s3_proxy::{Mode, S3Proxy};
use minhbach_testkit::seaweed::SeaweedFs;
use serde_json::Value;

/// How long the store is away for at the end; an hour in `cargo xtask bench faults`.
const AWAY: Duration = Duration::from_secs(10);
/// Nothing is read back in the background: the patrol would rightly note as damage what the proxy made of it on the way.
const NO_PATROL: &str = "[patrol]\nmib_per_second = 0\n";

/// Whether the archive is told to take files, and nothing waits but what was closed just now.
fn has_caught_up(lines: &[Value]) -> bool {
    let archive = archive_of(lines);
    archive["available"] == true && archive["waiting_segments"].as_u64() <= Some(4)
}

#[test]
fn an_object_store_that_misbehaves_in_every_way_loses_nothing_and_keeps_nothing_wrong() {
    let _alone = common::alone();
    let away = std::env::var("MINHBACH_STORE_AWAY_SECS").ok().and_then(|text| text.parse().ok());
    let away = away.map_or(AWAY, Duration::from_secs);
    // An hour of one camera is gigabytes enough.
    let cameras = if away > AWAY { 1 } else { 2 };
    let dir = tempfile::tempdir().unwrap();
    let seaweed = SeaweedFs::start(&dir.path().join("seaweed"), "footage").unwrap();
    let proxy = S3Proxy::start(&seaweed.endpoint()).unwrap();
    let config = format!("{SHORT}{}{NO_PATROL}", common::s3_at(&proxy.endpoint(), "footage", dir.path()));
    let mut rig = Rig::start(cameras, dir.path(), &dir.path().join("data"), &config);
    let mut figures = Figures::new("object_store");
    let archived = |lines: &[Value]| lines.iter().any(|line| line["tier"] == "archive");
    rig.server.until(&rig.list(0), PATIENCE, archived).unwrap();

    for mode in [
        Mode::HangUp,
        Mode::Status(500),
        Mode::Status(503),
        Mode::CutUpload(100_000),
        Mode::CutDownload(100_000),
        Mode::CorruptDownload(100_000),
    ] {
        let before = proxy.faults();
        proxy.set(mode);
        // It is noticed, and told: nothing is taken for archived meanwhile.
        let told = rig.until_archive("the archive takes nothing", |a| a["available"] == false);
        assert!(proxy.faults() > before && told["problem"].is_string(), "{mode:?}: {told}");
        if matches!(mode, Mode::CorruptDownload(_)) {
            nothing_altered_is_given_out(&rig, &mut figures);
        }
        rig.until_recording();
        proxy.set(Mode::Pass);
        rig.until_archive("the archive takes files again", |a| a["available"] == true);
    }

    // One that takes requests and never answers holds up nobody but the archiver.
    let before = proxy.faults();
    proxy.set(Mode::Silent);
    wait_for("requests are left without an answer", PATIENCE, || proxy.faults() >= before + 2).unwrap();
    let closed = rig.segments(0).len();
    rig.until_closed(closed + 1);
    rig.until_recording();

    // Away for long, then back: what waited follows.
    proxy.set(Mode::HangUp);
    let gone = Instant::now();
    wait_for("the store is away for a while", away + PATIENCE, || gone.elapsed() >= away).unwrap();
    rig.until_recording();
    proxy.set(Mode::Pass);
    rig.server.until(&["status"], PATIENCE + away, has_caught_up).unwrap();
    rig.pause();
    rig.until_archived();
    rig.until_spool_is_free();
    for camera in 0..rig.ids.len() {
        assert_eq!(rig.causes(camera), ["paused_by_operator"], "nothing else is missing");
        rig.everything_comes_back(camera, &mut figures);
    }
    figures.faults = proxy.faults();
    figures.losses(&[0.0]);
    figures.print();
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
    assert_eq!((figures.bad_served, figures.duplicated), (0, 0), "{figures:?}");
    rig.stop();
    // Rows, sidecars and every byte in the bucket agree.
    let check = Server::own_command(&rig.server.data, &["check", "--deep"]);
    assert!(check.status.success(), "{}", said(&check));
}

/// Asks for footage whose bytes are altered on their way out of the archive: it is refused or left out, never given out.
fn nothing_altered_is_given_out(rig: &Rig, figures: &mut Figures) {
    let segments = rig.segments(0);
    let line = segments.iter().find(|line| is_segment(line) && line["tier"] == "archive").unwrap();
    let out = rig.cameras.truth.join("altered.mp4");
    let file = out.display().to_string();
    let (from, to) = (line["start"].as_str().unwrap(), line["end"].as_str().unwrap());
    let args = ["export", "--camera", &rig.ids[0], "--from", from, "--to", to, "--out", &file, "--force"];
    if rig.server.ask(&args).is_ok() {
        let verdict = oracle::check(&[&out], &rig.truth(0)).unwrap();
        figures.judge(&verdict);
        assert_eq!(verdict.unknown, 0, "{verdict:?}");
    }
}
