//! The archive end to end, over real programs: a real SeaweedFS and a real PostgreSQL that are killed and come back, an
//! archive folder, a database that is missing or wrong, and files that somebody altered. Judged by what the cameras
//! really sent.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{PATIENCE, Played, Rig, SHORT, archive_of, essence, footage_below, is_segment, said, watermarks};
use minhbach_testkit::faults::{self, SmallDisk, available};
use minhbach_testkit::figures::Figures;
use minhbach_testkit::harness::{Server, wait_for};
use minhbach_testkit::postgres::Postgres;
use minhbach_testkit::seaweed::SeaweedFs;
use serde_json::Value;

/// How many files may overtake an older one on the way into the archive: those that are brought there side by side.
const SIDE_BY_SIDE: usize = 4;

/// Files in the archive that are newer than the oldest one that still waits.
fn overtaken(segments: &[Value]) -> usize {
    let first_waiting = segments.iter().position(|line| line["tier"] == "spool").unwrap_or(segments.len());
    segments[first_waiting..].iter().filter(|line| line["tier"] == "archive").count()
}

#[test]
fn nothing_is_lost_while_object_store_and_database_are_killed_and_come_back() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let mut seaweed = SeaweedFs::start(&dir.path().join("seaweed"), "footage").unwrap();
    let mut postgres = Postgres::start().unwrap();
    let archive = common::s3(&seaweed, "footage", dir.path());
    let config = format!("{SHORT}{archive}{}", common::database(&postgres.url()));
    let mut rig = Rig::start(2, dir.path(), &dir.path().join("data"), &config);
    let mut figures = Figures::new("archive_killed");

    // Closed files go into the bucket by themselves, and leave the spool.
    rig.until_closed(3);
    let archived = |lines: &[Value]| lines.iter().filter(|line| line["tier"] == "archive").count() >= 2;
    rig.server.until(&rig.list(0), PATIENCE, archived).unwrap();

    // The object store dies. Recording goes on, and what waits can be played.
    seaweed.kill();
    figures.faults += 1;
    let behind = |a: &Value| a["available"] == false && a["waiting_segments"].as_u64() >= Some(12);
    let away = rig.until_archive("files wait", behind);
    assert!(away["problem"].is_string() && away["waiting_since"].is_string(), "{away}");
    rig.until_recording();
    let spooled: Vec<Value> = rig.segments(1).into_iter().filter(|line| line["state"] == "closed").collect();
    // Not the very last one: the truth of it may still be on its way to the disk.
    let recent = &spooled[spooled.len() - 2];
    assert_eq!(recent["tier"], "spool");
    let (_, file) = rig.export(1, recent["start"].as_str().unwrap(), recent["end"].as_str().unwrap());
    let verdict = rig.judge(1, &[file], &mut figures);
    assert!(verdict.complete() && verdict.video >= 25, "from the spool: {verdict:?}");

    // It comes back: everything follows, oldest first.
    seaweed.restart().unwrap();
    wait_for("the archive catches up", PATIENCE, || {
        let segments = rig.segments(0);
        assert!(overtaken(&segments) < SIDE_BY_SIDE, "not oldest first: {segments:?}");
        let closed = segments.iter().filter(|line| line["state"] == "closed");
        closed.clone().count() > 8 && closed.filter(|line| line["tier"] == "spool").count() <= 1
    })
    .unwrap();

    // The database dies. Nothing can be asked, and recording goes on.
    let files = rig.server.files(&rig.ids[0], "main").len();
    postgres.kill();
    figures.faults += 1;
    wait_for("recording goes on without a database", PATIENCE, || {
        rig.server.files(&rig.ids[0], "main").len() >= files + 4
    })
    .unwrap();
    postgres.restart().unwrap();
    wait_for("rows can be asked again", PATIENCE, || rig.server.ask(&rig.list(0)).is_ok()).unwrap();
    rig.until_recording();

    // In the end all of it is in the bucket, and comes back from there as it was sent.
    rig.pause();
    rig.until_archived();
    rig.until_spool_is_free();
    for camera in 0..2 {
        assert_eq!(rig.causes(camera), ["paused_by_operator"], "nothing else is missing");
        rig.everything_comes_back(camera, &mut figures);
    }
    figures.losses(&[0.0]);
    figures.print();
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
    rig.stop();
    // Rows, sidecars and every byte in the bucket agree.
    let check = Server::own_command(&rig.server.data, &["check", "--deep"]);
    assert!(check.status.success(), "{}", said(&check));
}

/// Bytes that a process made the system write to disks since it began (proc(5), `write_bytes`).
fn written_by(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/io", server.running.pid())).expect("accounting of writes");
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: ")).expect("write_bytes");
    line.trim().parse().expect("a number")
}

#[test]
fn an_archive_folder_takes_files_by_renaming_and_no_byte_is_written_twice() {
    const FOOTAGE: u64 = 24 * 1024 * 1024;
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let config = format!("[recording]\nsegment_secs = 5\n{}", common::folder(&archive));
    let rig = Rig::start(4, dir.path(), &dir.path().join("data"), &config);
    let mut figures = Figures::new("archive_folder");

    let (written, footage) = (written_by(&rig.server), rig.footage_bytes());
    let mut inodes = BTreeMap::new();
    let mut more = 0;
    wait_for("footage", PATIENCE, || {
        for file in rig.ids.iter().flat_map(|id| rig.server.files(id, "main")) {
            // It may be in the archive by now; then it was seen before or is not looked at.
            if let Ok(metadata) = file.metadata() {
                inodes.insert(file.file_name().map(ToOwned::to_owned), metadata.ino());
            }
        }
        more = rig.footage_bytes() - footage;
        more >= FOOTAGE
    })
    .unwrap();
    #[allow(clippy::cast_precision_loss)] // megabytes
    let amplification = (written_by(&rig.server) - written) as f64 / more as f64;
    figures.write_amplification = Some(amplification);

    rig.pause();
    rig.until_archived();
    rig.until_spool_is_free();
    let mut moved = footage_below(&archive);
    moved.retain(|file| file.extension().is_some_and(|extension| extension == "mp4"));
    let same = moved.iter().filter_map(|file| Some((file, *inodes.get(&file.file_name().map(ToOwned::to_owned))?)));
    let same: Vec<_> = same.collect();
    assert!(same.len() >= 8, "{} of {} files were seen in the spool", same.len(), moved.len());
    for (file, inode) in same {
        assert_eq!(file.metadata().unwrap().ino(), inode, "{} was copied", file.display());
    }
    for camera in 0..4 {
        let files = rig.server.files_with_archive(&archive, &rig.ids[camera], "main");
        let verdict = rig.judge(camera, &files, &mut figures);
        assert!(verdict.complete(), "camera {camera}: {verdict:?}");
        rig.everything_comes_back(camera, &mut figures);
    }
    figures.print();
    assert!(amplification <= 1.05, "{amplification:.3} bytes were written for each byte of footage");
}

/// Puts a copy of a database in the place of the one that is there; `None` leaves none.
fn replace_database(data: &Path, with: Option<&Path>) {
    for part in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let path = data.join(part);
        if path.exists() {
            std::fs::remove_file(&path).expect("the file goes");
        }
    }
    if let Some(copy) = with {
        std::fs::copy(copy, data.join("index.sqlite")).expect("copied");
    }
}

#[test]
fn footage_of_cameras_that_were_removed_is_found_and_exported_after_the_index_was_made_again() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut rig = Rig::start(2, dir.path(), &data, SHORT);
    rig.until_closed(2);
    rig.pause();
    rig.server.ask(&["camera", "remove", &rig.ids[1]]).unwrap();
    rig.stop();
    rig.cameras.finish().unwrap();

    // The old database still knows its name.
    let rebuilt = Server::own_command(&data, &["rebuild-index"]);
    assert!(rebuilt.status.success() && said(&rebuilt).contains("1 that were removed"), "{}", said(&rebuilt));
    rig.server = Server::start(&data, SHORT).unwrap();
    let removed = rig.server.ask(&["camera", "list", "--removed"]).unwrap();
    assert_eq!(removed.len(), 1, "{removed:?}");
    assert_eq!((removed[0]["id"].as_str(), removed[0]["name"].as_str()), (Some(&*rig.ids[1]), Some("Quầy 1")));
    assert!(removed[0]["removed"].is_string(), "{removed:?}");
    assert_eq!(rig.server.ask(&["camera", "list"]).unwrap()[0]["id"], rig.ids[0].as_str());
    rig.stop();

    // Without one, footage alone tells of both.
    replace_database(&data, None);
    let rebuilt = Server::own_command(&data, &["rebuild-index"]);
    assert!(rebuilt.status.success() && said(&rebuilt).contains("trust-database"), "{}", said(&rebuilt));
    rig.server = Server::start(&data, SHORT).unwrap();
    assert!(rig.server.ask(&["camera", "list"]).unwrap().is_empty());
    let removed = rig.server.ask(&["camera", "list", "--removed"]).unwrap();
    let found: BTreeSet<&str> = removed.iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(found, rig.ids.iter().map(String::as_str).collect());
    let mut figures = Figures::new("rebuilt_without_a_database");
    for camera in 0..2 {
        rig.everything_comes_back(camera, &mut figures);
    }
}

#[test]
fn a_missing_older_or_foreign_database_deletes_nothing_and_can_be_made_again() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    // So small a disk that a server with watermarks this low has to delete at once.
    let disk = SmallDisk::create(&data.join("footage"), 64);
    let Some(_disk) = available("a wrong database under pressure", disk) else { return };
    let pressed = format!("{SHORT}{}", watermarks(2, 5));

    // Two runs, and a copy of the database after each; and one of another server.
    let mut rig = Rig::start(2, dir.path(), &data, SHORT);
    rig.until_closed(3);
    rig.stop();
    let (older, good, foreign) = (dir.path().join("older"), dir.path().join("good"), dir.path().join("foreign"));
    std::fs::copy(data.join("index.sqlite"), &older).unwrap();
    rig.restart(SHORT);
    rig.until_closed(4);
    rig.pause();
    let rows = rig.all_segments();
    rig.stop();
    // Nothing is added from now on.
    rig.cameras.finish().unwrap();
    std::fs::copy(data.join("index.sqlite"), &good).unwrap();
    let mut other = Server::start(&dir.path().join("other"), "").unwrap();
    assert!(other.running.terminate(Duration::from_secs(20)).unwrap().success());
    std::fs::copy(dir.path().join("other/index.sqlite"), &foreign).unwrap();

    let footage = footage_below(&data.join("footage"));
    assert!(footage.len() >= 2 * rows.len(), "{footage:?}");
    for (what, copy) in [("missing", None), ("older", Some(&older)), ("foreign", Some(&foreign))] {
        replace_database(&data, copy.map(PathBuf::as_path));
        rig.server = Server::start(&data, &pressed).unwrap();
        let locked = |a: &Value| a["interlock"].is_string() && a["spool_state"] != "fine";
        let status = rig.until_archive("it says that it deletes nothing", locked);
        assert!(status["interlock"].as_str().unwrap().contains("rebuild-index"), "{what}: {status}");
        assert!(rig.server.side_door("/healthz").unwrap().starts_with("HTTP/1.1 503"), "{what}");
        assert!(rig.server.ask(&["deletions", "list"]).unwrap().is_empty(), "{what}");
        rig.stop();
        let left: HashSet<PathBuf> = footage_below(&data.join("footage")).into_iter().collect();
        let gone: Vec<&PathBuf> = footage.iter().filter(|file| !left.contains(*file)).collect();
        assert!(gone.is_empty(), "{what}: deleted {gone:?}");
    }

    // The right one, and then one that is made from the sidecars alone: both agree with the files, and with each other.
    replace_database(&data, Some(&good));
    // An older copy of this database was in use: which of the two this is, a person says.
    let trusted = Server::own_command(&data, &["trust-database"]);
    assert!(trusted.status.success(), "{}", said(&trusted));
    let check = Server::own_command(&data, &["check", "--deep"]);
    assert!(check.status.success(), "{}", said(&check));
    let rebuilt = Server::own_command(&data, &["rebuild-index"]);
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    let check = Server::own_command(&data, &["check", "--deep"]);
    assert!(check.status.success(), "{}", said(&check));
    rig.server = Server::start(&data, SHORT).unwrap();
    let again: BTreeSet<_> = rig.all_segments().iter().map(essence).collect();
    assert_eq!(again, rows.iter().map(essence).collect::<BTreeSet<_>>(), "rows from sidecars are the rows that were");
    let status = rig.until_archive("status", |a| a["kind"] == "none");
    assert!(status["interlock"].is_null(), "{status}");
    rig.stop();

    // And the pressure was real: the database that belongs to the footage makes room.
    rig.server = Server::start(&data, &pressed).unwrap();
    rig.server.until(&["deletions", "list"], PATIENCE, |lines| !lines.is_empty()).unwrap();
    wait_for("files go", PATIENCE, || footage_below(&data.join("footage")).len() < footage.len()).unwrap();
    let journal = rig.server.ask(&["deletions", "list"]).unwrap();
    assert!(journal.iter().all(|line| line["reason"] == "disk_full"), "{journal:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_are_found_marked_and_never_given_out() {
    let _alone = common::alone();
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let config = format!("{SHORT}{}[patrol]\nmib_per_second = 0\n", common::folder(&archive));
    let data = dir.path().join("data");
    let mut rig = tokio::task::block_in_place(|| Rig::start(1, dir.path(), &data, &config));
    tokio::task::block_in_place(|| {
        rig.until_closed(6);
        rig.pause();
        rig.until_archived();
        rig.stop();
    });

    // A bit of one, the end of another, and two that change places; the first and the last stay as they are.
    let files = rig.server.files_with_archive(&archive, &rig.ids[0], "main");
    assert!(files.len() >= 6, "{files:?}");
    faults::flip_bit(&files[1], files[1].metadata().unwrap().len() / 2).unwrap();
    faults::truncate(&files[2], 1000).unwrap();
    faults::swap(&files[3], &files[4]).unwrap();
    let name = |file: &Path| file.file_name().unwrap().to_string_lossy().into_owned();
    let damaged: Vec<String> = files[1..=4].iter().map(|file| name(file)).collect();

    let check = Server::own_command(&data, &["check", "--deep"]);
    let report = said(&check);
    assert_eq!(check.status.code(), Some(1), "{report}");
    for file in &damaged {
        assert!(report.contains(file), "check says nothing of {file}: {report}");
    }
    for file in [&files[0], &files[5]] {
        assert!(!report.contains(&name(file)), "{} is as it was: {report}", file.display());
    }

    // Nothing of it is given out: what comes is the camera's to the bit, and what is missing is told.
    let mut figures = Figures::new("damage");
    figures.faults = 4;
    tokio::task::block_in_place(|| rig.server = Server::start(&data, &config).unwrap());
    let Played { pictures, unknown, .. } = common::played(&rig, 0).await;
    figures.bad_served += unknown;
    assert!(pictures >= 50, "the good files are played: {pictures} pictures");
    tokio::task::block_in_place(|| {
        let (answer, file) = rig.export(0, "-1h", "now");
        let verdict = rig.judge(0, &[file], &mut figures);
        assert!(verdict.video >= 50 && verdict.video_lost > 0, "{verdict:?}");
        let causes = answer["gaps"].as_array().expect("gaps");
        assert!(causes.iter().any(|gap| gap["cause"] == "disk_error"), "{answer}");
        figures.print();
        assert_eq!(figures.bad_served, 0);

        // The patrol finds it by itself and marks it.
        rig.stop();
        let patrolled = config.replace("mib_per_second = 0", "mib_per_second = 64");
        rig.server = Server::start(&data, &patrolled).unwrap();
        let lines = rig.server.until(&["status"], PATIENCE, |l| archive_of(l)["damaged_segments"] == 4).unwrap();
        assert_eq!(archive_of(&lines)["damaged_segments"], 4);
        let rows = rig.segments(0);
        let suspect = |line: &&Value| line["state"] == "suspect";
        let marked: BTreeSet<String> =
            rows.iter().filter(suspect).filter_map(|l| Some(name(Path::new(l["key"].as_str()?)))).collect();
        assert_eq!(marked, damaged.iter().cloned().collect::<BTreeSet<_>>());
        assert!(rows.iter().filter(|l| is_segment(l)).count() >= 6, "what is damaged stays listed: {rows:?}");
    });
}
