//! A spool of several disks: cameras spread over them, one that fails, hangs, gets full or is not mounted, and the index
//! made again from all. Faults of a disk need root for mounting; where that is not given, a line says what was skipped.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{PATIENCE, Rig, SHORT, footage_below, time_ns};
use minhbach_testkit::faults::{LoopDisk, SmallDisk, available};
use minhbach_testkit::figures::{Figures, gap_mismatch_s, lost_before};
use minhbach_testkit::harness::{Cameras, Server, wait_for, wall_ns};
use minhbach_testkit::oracle;
use serde_json::Value;

/// What a file that is given up may cost where all that is not durable is written again: the rest of a group of pictures
/// and the fragment it ends in.
const LOST_S_MAX: f64 = 3.0;
/// How far the wall time of a picture may be from the moment the camera handed it over.
const CLOCK_ERROR_S: f64 = 0.2;

/// `[spool]` with these disks and watermarks.
fn spread(disks: &[PathBuf; 2], percent: u8) -> String {
    let [a, b] = disks.each_ref().map(|disk| format!("\"{}\"", disk.display()));
    format!("{SHORT}[spool]\ndisks = [{a}, {b}]\nalarm_percent = {percent}\ndelete_percent = {percent}\n")
}

/// Which of the disks has footage of a camera; waits until one has.
fn home(disks: &[PathBuf; 2], id: &str) -> usize {
    let has = |disk: &PathBuf| disk.join("v1").join(id).is_dir();
    wait_for("there is footage of the camera", PATIENCE, || disks.iter().any(has)).expect("it is recorded");
    disks.iter().position(has).expect("one has it")
}

/// Two cameras, the first recorded on the first disk and the second on the second.
fn one_on_each(dir: &Path, disks: &[PathBuf; 2]) -> Rig {
    let cameras = Cameras::start(2, &dir.join("truth"), &["--profile", "plain"]).expect("cameras");
    let server = Server::start(&dir.join("data"), &spread(disks, 99)).expect("a server");
    let mut ids = Vec::new();
    for number in 0..2u32 {
        // Where a camera goes follows from its id, which is new each time.
        let id = (0..64).find_map(|_| {
            let id = server.add_camera(&format!("Quầy {number}"), &cameras.stream(number, "main"), &[]).expect("added");
            if home(disks, &id) == number as usize {
                return Some(id);
            }
            server.ask(&["camera", "remove", &id]).expect("removed");
            None
        });
        ids.push(id.expect("half of all go there"));
    }
    let rig = Rig { server, cameras, ids };
    rig.until_recording();
    rig
}

/// Waits until a disk is told to be in that state, with what is wrong.
fn until_disk(rig: &Rig, disk: &Path, state: &str) -> Value {
    let path = disk.display().to_string();
    let is = |line: &&Value| line["type"] == "disk" && line["path"] == path.as_str();
    let told = |lines: &[Value]| lines.iter().find(is).is_some_and(|line| line["state"] == state);
    let lines = rig.server.until(&["status"], PATIENCE, told).expect("the disk's state is told");
    lines.iter().find(is).expect("its line").clone()
}

/// Seconds of gaps that a disk caused.
fn disk_gaps_s(lines: &[Value]) -> f64 {
    let of_disk = lines.iter().filter(|line| matches!(line["cause"].as_str(), Some("disk_error" | "disk_full")));
    let ends = |line: &Value| Some((time_ns(line["start"].as_str()?)?, time_ns(line["end"].as_str()?)?));
    of_disk.map(|line| ends(line).expect("a gap that has ended")).map(|(start, end)| (end - start) as f64 / 1e9).sum()
}

/// The second disk was made to fail: until that is told, and both cameras record on the first one.
fn goes_on_without(rig: &Rig, disks: &[PathBuf; 2], state: &str) {
    let line = until_disk(rig, &disks[1], state);
    assert!(line["problem"].is_string(), "{line}");
    until_disk(rig, &disks[0], "fine");
    rig.until_recording();
    let answer = rig.server.side_door("/healthz").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(&disks[1].display().to_string()), "{answer}");
    let moved = || footage_below(&disks[0]).iter().any(|file| file.to_string_lossy().contains(&rig.ids[1]));
    wait_for("the camera is recorded on the other disk", PATIENCE, moved).expect("it moves");
    let counts: Vec<usize> = (0..2).map(|camera| rig.segments(camera).len()).collect();
    for (camera, count) in counts.into_iter().enumerate() {
        let enough = |lines: &[Value]| lines.iter().filter(|line| line["state"] == "closed").count() > count;
        rig.server.until(&rig.list(camera), PATIENCE, enough).expect("it is recorded on");
    }
}

/// A fault of the second disk: when it was made, until when it lasted or was looked at, and until when each camera was told to
/// be recorded before.
struct Fault {
    at: i64,
    until: i64,
    told: Vec<i64>,
}

impl Fault {
    /// Now, as it is about to be made.
    fn now(rig: &Rig) -> Self {
        let last = |camera| rig.segments(camera).last().and_then(|line| time_ns(line["end"].as_str()?));
        let told = (0..2).map(|camera| last(camera).expect("a last file")).collect();
        Self { at: wall_ns(), until: i64::MAX, told }
    }

    fn over(self) -> Self {
        Self { until: wall_ns(), ..self }
    }

    /// The longest time between two recorded pictures around it, of the times at which they were sent.
    fn hole_s(&self, mut sent: Vec<i64>) -> f64 {
        sent.retain(|&sent| sent > self.at - 3_000_000_000 && sent < self.until);
        sent.sort_unstable();
        assert!(sent.len() > 100, "{} pictures around the fault", sent.len());
        sent.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e9).fold(0.0, f64::max)
    }
}

/// Exports everything and compares it with what the cameras sent: nothing twice, altered or told and missing, and no more
/// missing than one file that is given up may cost.
fn judge(rig: &Rig, fault: &Fault, name: &'static str) {
    let mut figures = Figures::new(name);
    figures.faults = 1;
    let mut lost = Vec::new();
    for camera in 0..2 {
        let lines = rig.lines(camera);
        figures.mismatch(gap_mismatch_s(&lines, time_ns));
        let (_, file) = rig.export(camera, "-1h", "now");
        // The truth of the last second may still be on its way to the disk.
        let known = || oracle::check(&[&file], &rig.truth(camera)).is_ok_and(|verdict| verdict.unknown == 0);
        wait_for("every sample is the camera's", Duration::from_secs(5), known).expect("every sample is known");
        let verdict = rig.judge(camera, &[&file], &mut figures);
        assert_eq!((verdict.doubled, verdict.reordered, verdict.unknown), (0, 0, 0), "camera {camera}: {verdict:?}");
        let gaps_s = disk_gaps_s(&lines);
        assert!(gaps_s <= LOST_S_MAX, "camera {camera}: {gaps_s} s: {lines:?}");
        let sent = oracle::pictures_sent_at(&[&file], &rig.truth(camera)).expect("the truth");
        let missing = lost_before(&sent, fault.told[camera]).expect("something was told");
        assert!(missing <= CLOCK_ERROR_S, "camera {camera}: {missing:.3} s were told as recorded and are not there");
        lost.push(fault.hole_s(sent));
    }
    figures.losses(&lost);
    figures.print();
    // The other camera notices nothing: a picture comes every 40 ms, a little late on a busy machine.
    assert!(lost[0] <= 0.5 && lost[1] <= LOST_S_MAX, "{lost:?}");
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
}

#[test]
fn cameras_are_spread_over_disks_and_the_index_comes_back_from_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let disks = [dir.path().join("a/footage"), dir.path().join("b/footage")];
    let mut rig = one_on_each(dir.path(), &disks);
    rig.until_closed(2);
    for disk in &disks {
        let line = until_disk(&rig, disk, "fine");
        assert!(line["free_bytes"].as_u64() > Some(0) && line["problem"].is_null(), "{line}");
    }
    rig.pause();
    let rows: Vec<Vec<Value>> = (0..2).map(|camera| rig.segments(camera)).collect();
    for (camera, rows) in rows.iter().enumerate() {
        let there = |row: &Value| disks[camera].join(row["key"].as_str().expect("a key")).is_file();
        assert!(rows.iter().all(there), "{rows:?}");
    }
    let mut figures = Figures::new("two_disks");
    for camera in 0..2 {
        rig.everything_comes_back(camera, &mut figures);
    }
    rig.stop();
    let data = rig.server.data.clone();
    for command in [&["check", "--deep"][..], &["rebuild-index"], &["check", "--deep"]] {
        let output = Server::own_command(&data, command);
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
    }
    rig.server = Server::start(&data, &spread(&disks, 99)).unwrap();
    for (camera, rows) in rows.iter().enumerate() {
        assert_eq!(&rig.segments(camera), rows);
    }
    let config = Server::own_command(&data, &["config", "check"]);
    let said = String::from_utf8_lossy(&config.stdout).into_owned();
    assert!(config.status.success() && said.contains("on the file system of another disk"), "{said}");
}

#[test]
fn a_disk_that_is_not_mounted_deletes_nothing_and_keeps_nobody_from_recording() {
    let dir = tempfile::tempdir().unwrap();
    let disks = [dir.path().join("a"), dir.path().join("b")];
    let mut rig = one_on_each(dir.path(), &disks);
    rig.until_closed(2);
    rig.stop();
    let aside = dir.path().join("aside");
    std::fs::rename(&disks[1], &aside).unwrap();
    std::fs::create_dir(&disks[1]).unwrap();
    let before = footage_below(&disks[0]);

    // As full as can be: everything would go.
    let all_goes = spread(&disks, 1);
    rig.restart(&all_goes);
    let missing = disks[1].display().to_string();
    let line = until_disk(&rig, &disks[1], "missing");
    assert!(line["problem"].as_str().unwrap().contains("not mounted"), "{line}");
    rig.until_archive("deletion is locked", |a| a["interlock"].as_str().is_some_and(|why| why.contains(&missing)));
    assert!(rig.server.side_door("/healthz").unwrap().starts_with("HTTP/1.1 503"));
    let closed = rig.segments(1).len() + 1;
    let more = |lines: &[Value]| lines.iter().filter(|line| line["state"] == "closed").count() >= closed;
    rig.server.until(&rig.list(1), PATIENCE, more).expect("its camera is recorded on the other disk");
    assert!(rig.server.ask(&["deletions", "list"]).unwrap().is_empty());
    assert!(before.iter().all(|file| file.exists()), "what is on the other disk stays, too");
    assert!(std::fs::read_dir(&disks[1]).unwrap().next().is_none(), "nothing is written where it should be mounted");
    rig.stop();
    let data = rig.server.data.clone();
    let check = Server::own_command(&data, &["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(1), "{said}");
    let gone = format!("the disk {missing} is away");
    assert!(said.lines().any(|line| line.starts_with("row_without_file") && line.contains(&gone)), "{said}");
    for command in ["rebuild-index", "trust-database"] {
        let output = Server::own_command(&data, &[command]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&missing), "{command}: {said}");
    }

    // Mounted again, all is as it was: nothing is missing, and what has no room goes.
    std::fs::remove_dir(&disks[1]).unwrap();
    std::fs::rename(&aside, &disks[1]).unwrap();
    let check = Server::own_command(&data, &["check", "--deep"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    let of_both = [before, footage_below(&disks[1])].concat();
    rig.restart(&all_goes);
    until_disk(&rig, &disks[1], "fine");
    let gone = || of_both.iter().all(|file| !file.exists());
    wait_for("each disk frees its own", PATIENCE, gone).unwrap();
    for disk in &disks {
        assert!(disk.join("journal.jsonl").is_file(), "{}", disk.display());
    }
}

#[test]
fn a_disk_that_fails_is_left_out_and_nothing_that_was_told_is_lost() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let disks = [dir.path().join("a"), dir.path().join("b/footage")];
    let made = LoopDisk::create(&dir.path().join("image"), &dir.path().join("b"), 512);
    let Some(mut disk) = available("one disk of two that fails", made) else { return };
    let mut rig = one_on_each(dir.path(), &disks);
    rig.until_closed(2);
    let fault = Fault::now(&rig);
    disk.cut_power().unwrap();
    goes_on_without(&rig, &disks, "failed");
    let fault = fault.over();
    // It is back, with what was synced.
    rig.stop();
    disk.power_on().unwrap();
    rig.restart(&spread(&disks, 99));
    until_disk(&rig, &disks[1], "fine");
    rig.pause();
    judge(&rig, &fault, "one_disk_of_two_fails");
    rig.stop();
}

#[test]
fn a_disk_that_hangs_is_left_out_where_there_is_another() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let disks = [dir.path().join("a"), dir.path().join("b/footage")];
    let made = LoopDisk::create(&dir.path().join("image"), &dir.path().join("b"), 512);
    let Some(disk) = available("one disk of two that hangs", made) else { return };
    let mut rig = one_on_each(dir.path(), &disks);
    rig.until_closed(2);
    let fault = Fault::now(&rig);
    let frozen = disk.freeze(Duration::from_secs(120)).unwrap();
    goes_on_without(&rig, &disks, "failed");
    let fault = fault.over();
    drop(frozen);
    // It is tried again by itself, and its camera comes back to it.
    until_disk(&rig, &disks[1], "fine");
    let count = footage_below(&disks[1]).len();
    wait_for("its camera comes back", PATIENCE, || footage_below(&disks[1]).len() > count).unwrap();
    rig.pause();
    judge(&rig, &fault, "one_disk_of_two_hangs");
    rig.stop();
}

#[test]
fn a_disk_that_is_full_of_something_else_is_left_out_until_it_has_room() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let disks = [dir.path().join("a"), dir.path().join("b/footage")];
    let Some(disk) = available("one disk of two that is full", SmallDisk::create(&dir.path().join("b"), 96)) else {
        return;
    };
    let mut rig = one_on_each(dir.path(), &disks);
    rig.until_closed(2);
    // Retention makes no room meanwhile: everything is held.
    let next_month = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30 * 24)).to_string();
    for id in &rig.ids {
        let hold = ["hold", "add", "--camera", id, "--from", "-1h", "--to", &next_month, "--reason", "giữ tất cả"];
        rig.server.ask(&hold).unwrap();
    }
    let fault = Fault::now(&rig);
    let ballast = disk.fill().unwrap();
    goes_on_without(&rig, &disks, "full");
    let fault = fault.over();
    drop(ballast);
    until_disk(&rig, &disks[1], "fine");
    rig.pause();
    judge(&rig, &fault, "one_disk_of_two_full");
    rig.stop();
}
