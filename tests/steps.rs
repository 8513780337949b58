//! Faults at single steps: the server is killed at the n-th write, sync, rename, … of a start, an upload and a deletion, and
//! while it records; or that step fails once. `strace` makes them; where it cannot be used, a line says what was skipped.
//!
//! A few steps are drawn here, by a seed that is printed and always the same; `MINHBACH_STEPS=all` takes every one, until a
//! run does not reach it (`cargo xtask bench faults`).

#![allow(clippy::unwrap_used)] // nothing here is anything but a test

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::{PATIENCE, Rig, SHORT, essence, footage_below, is_segment, said, time_ns};
use minhbach_model::WallTime;
use minhbach_testkit::faults::available;
use minhbach_testkit::figures::{Figures, gap_mismatch_s, lost_before};
use minhbach_testkit::harness::{Cameras, Server, program, wait_for};
use minhbach_testkit::oracle;
use minhbach_testkit::steps::{Fault, Step, counted, counting, refused, tracing};
use serde_json::Value;

/// What a crash of the process may cost (promise P1), seconds.
const CRASH_LOSS_S_MAX: f64 = 1.0;
const MIB: u64 = 1024 * 1024;
/// Servers that are killed beside each other: most of the time each waits for its next look at the disk.
const LANES: usize = 4;

/// The calls that the steps of a start, an upload and a deletion are made of.
const CALLS: [&str; 10] =
    ["fdatasync", "fsync", "ftruncate", "mkdir", "openat", "pwrite64", "rename", "renameat2", "unlink", "write"];

/// How many steps are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// So many, drawn by a seed.
    Drawn(u32),
    /// Every one.
    All,
}

impl Reach {
    /// What `MINHBACH_STEPS` says, else so many.
    fn or(here: u32) -> Self {
        match std::env::var("MINHBACH_STEPS").as_deref() {
            Ok("all") => Self::All,
            Ok(text) => Self::Drawn(text.parse().expect("MINHBACH_STEPS is a number or `all`")),
            Err(_) => Self::Drawn(here),
        }
    }
}

const SEED: u64 = 1_795_557_979_886_609_071;

/// Numbers that are the same for the same seed (Knuth's linear congruential generator).
struct Random(u64);

impl Random {
    /// From `MINHBACH_SEED`, else always the same: who changes one thing must not meet a step that nobody has tried yet. The
    /// seed is printed.
    fn new() -> Self {
        let given = std::env::var("MINHBACH_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or(SEED);
        println!("seed {seed}");
        Self(seed)
    }

    /// One in `from..=to`.
    fn within(&mut self, from: u32, to: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Its upper bits are the random ones.
        let number = u32::try_from(self.0 >> 33).unwrap_or(0);
        from + number % (to.saturating_sub(from) + 1)
    }
}

/// The numbers of one call that are tried, in order: one, or all until one is not reached.
#[derive(Debug, Clone, Copy)]
struct Walk {
    call: &'static str,
    first: u32,
    last: u32,
}

/// What to try of calls that were made so often in a run without a fault; nothing below `from`.
fn walks(reach: Reach, calls: &[&'static str], from: &BTreeMap<String, u32>, to: &BTreeMap<String, u32>) -> Vec<Walk> {
    let made: Vec<(&'static str, u32, u32)> = calls
        .iter()
        .filter_map(|&call| {
            let first = from.get(call).copied().unwrap_or(0) + 1;
            let last = to.get(call).copied().unwrap_or(0);
            (last >= first).then_some((call, first, last))
        })
        .collect();
    assert!(!made.is_empty(), "none of {calls:?} is made: {to:?}");
    match reach {
        Reach::All => made.into_iter().map(|(call, first, _)| Walk { call, first, last: u32::MAX }).collect(),
        Reach::Drawn(count) => {
            let mut random = Random::new();
            let turn = random.within(0, u32::try_from(made.len()).unwrap()) as usize;
            let drawn = made.iter().cycle().skip(turn).take(count as usize);
            let one = |&(call, first, last): &(&'static str, u32, u32)| {
                let number = random.within(first, last);
                Walk { call, first: number, last: number }
            };
            drawn.map(one).collect()
        }
    }
}

/// What a run without a fault comes to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    rows: BTreeSet<Vec<String>>,
    /// Keys of the journal of deletions.
    deleted: BTreeSet<String>,
    /// Files of the archive, by their path in it.
    files: BTreeSet<PathBuf>,
}

/// A data folder in which much is due at the next start: everything is to go into the archive, and the oldest are to be
/// deleted for want of room, but for one that is held.
struct Prepared {
    dir: PathBuf,
    camera: String,
    /// Where everything is listed from.
    from: String,
    keys: BTreeSet<String>,
    held: String,
    quota_mib: u64,
}

fn keys_of(lines: &[Value]) -> BTreeSet<String> {
    lines.iter().filter_map(|line| Some(line["key"].as_str()?.to_owned())).collect()
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "cp -a {} {}", from.display(), to.display());
}

fn stop(server: &mut Server) {
    let ended = server.running.terminate(Duration::from_secs(30)).expect("it ends");
    assert!(ended.success(), "it ended with {ended}");
}

/// Rows, sidecars and every byte agree.
fn check_agrees(data: &Path, what: &str) {
    let check = Server::own_command(data, &["check", "--deep", "--json"]);
    let report: Value = serde_json::from_slice(&check.stdout).unwrap_or_default();
    assert!(check.status.success() && report["found"] == 0, "{what}: {}", said(&check));
}

impl Prepared {
    /// Records some files of one camera, holds the second, and leaves them all in the spool.
    fn make(dir: &Path) -> Self {
        let mut rig = Rig::start(1, dir, &dir.join("prepared"), SHORT);
        rig.until_closed(6);
        rig.pause();
        let lines = rig.segments(0);
        let bytes = rig.footage_bytes();
        assert!(bytes >= 2 * MIB, "too little to delete any of it: {bytes} bytes");
        // Well inside the second file: no other shares an instant with it.
        let start = WallTime(lines[1]["start"].as_str().and_then(time_ns).unwrap());
        let (from, to) = (start + Duration::from_millis(500), start + Duration::from_millis(900));
        let (from, to) = (from.to_string(), to.to_string());
        let hold = ["hold", "add", "--camera", &rig.ids[0], "--from", &from, "--to", &to, "--reason", "phản ánh"];
        rig.server.ask(&hold).unwrap();
        rig.stop();
        Self {
            dir: dir.join("prepared"),
            camera: rig.ids[0].clone(),
            from: lines[0]["start"].as_str().unwrap().to_owned(),
            keys: keys_of(&lines),
            held: lines[1]["key"].as_str().unwrap().to_owned(),
            quota_mib: (bytes * 45 / 100 / MIB).max(1),
        }
    }

    /// With an archive beside the data, one file after another so that nothing is left to chance, and the quota.
    fn config(&self, run: &Path) -> String {
        format!(
            "{SHORT}{}parallel = 1\n[spool]\nalarm_percent = 99\ndelete_percent = 99\nmax_mib = {}\n\
             [patrol]\nmib_per_second = 0\n",
            common::folder(&run.join("archive")),
            self.quota_mib
        )
    }

    /// What a server has come to, if it answers.
    fn look(&self, server: &Server, run: &Path) -> Option<Outcome> {
        let list = ["recordings", "list", "--camera", &self.camera, "--from", &self.from, "--to", "now"];
        let lines = server.ask(&list).ok()?;
        let deleted = keys_of(&server.ask(&["deletions", "list"]).ok()?);
        let archive = run.join("archive");
        let below = |file: PathBuf| file.strip_prefix(&archive).map(Path::to_owned).ok();
        Some(Outcome {
            rows: lines.iter().filter(|line| is_segment(line)).map(essence).collect(),
            deleted,
            files: footage_below(&archive).into_iter().filter_map(below).collect(),
        })
    }

    /// Whether nothing is left to do: all that is kept is in the archive, and no more of it than there is room for.
    fn is_done(&self, server: &Server, run: &Path) -> Option<Outcome> {
        let lines = server.ask(&["recordings", "list", "--camera", &self.camera, "--from", &self.from, "--to", "now"]);
        let lines = lines.ok()?;
        let kept: Vec<&Value> = lines.iter().filter(|line| is_segment(line)).collect();
        let bytes: u64 = kept.iter().filter_map(|line| line["bytes"].as_u64()).sum();
        let fits = bytes <= self.quota_mib * MIB * 99 / 100;
        let archived = kept.iter().all(|line| line["tier"] == "archive");
        let free = footage_below(&run.join("data/footage")).is_empty();
        let outcome = self.look(server, run).filter(|_| fits && archived && free)?;
        // The files of a deletion go after its row was marked.
        (outcome.files.len() == outcome.rows.len() * 2).then_some(outcome)
    }

    /// Whether a server has come to what was wanted. Steps that were never made or made again lead to exactly the same; where
    /// one file was refused once, the others are not kept waiting for it, and another one may have gone for want of room.
    fn is_settled(&self, server: &Server, run: &Path, fault: Fault, expected: &Outcome) -> bool {
        if fault == Fault::Kill {
            return self.look(server, run).is_some_and(|found| found == *expected);
        }
        self.is_done(server, run).is_some_and(|found| {
            let kept: BTreeSet<String> = found.files.iter().map(|file| file.display().to_string()).collect();
            let kept: BTreeSet<String> = kept.into_iter().filter(|file| file.ends_with(".mp4")).collect();
            let accounted = &kept | &found.deleted == self.keys && kept.is_disjoint(&found.deleted);
            accounted && kept.contains(&self.held) && kept.len() == expected.rows.len()
        })
    }

    /// A run without a fault: what it comes to, and how often each call is made.
    fn without_fault(&self, lanes: &Path) -> (Outcome, BTreeMap<String, u32>) {
        let (run, data) = self.new_run(&lanes.join("without"));
        let log = run.join("log");
        let command = counting(&program("minhbach-server"), &CALLS, &log);
        let mut server = Server::start_by(command, &data, &self.config(&run)).unwrap().expect("it starts");
        let mut outcome = None;
        wait_for("everything is done", PATIENCE, || {
            outcome = self.is_done(&server, &run);
            outcome.is_some()
        })
        .unwrap();
        stop(&mut server);
        check_agrees(&data, "without a fault");
        (outcome.expect("done"), counted(&log, &run.display().to_string()).unwrap())
    }

    /// A copy of everything; its folder, and the data in it.
    fn new_run(&self, run: &Path) -> (PathBuf, PathBuf) {
        std::fs::create_dir_all(run).unwrap();
        let data = run.join("data");
        copy(&self.dir, &data);
        (run.to_owned(), data)
    }

    /// Makes the fault in a new copy and looks at what comes of it at the latest after another start. Returns whether the
    /// step was reached.
    fn fault(&self, lane: &Path, step: &Step, expected: &Outcome) -> bool {
        let (run, data) = self.new_run(lane);
        let (log, config) = (run.join("log"), self.config(&run));
        let command = step.command(&program("minhbach-server"), &log);
        let mut killed = true;
        if let Some(mut server) = Server::start_by(command, &data, &config).unwrap() {
            let settled = wait_for("killed or done", PATIENCE, || {
                server.running.has_ended() || self.is_settled(&server, &run, step.fault, expected)
            });
            settled.unwrap_or_else(|error| panic!("{step:?}: {error}: {:?}", self.look(&server, &run)));
            killed = server.running.has_ended();
            assert!(!killed || step.fault == Fault::Kill, "{step:?} ended the server");
            if !killed {
                let ended = server.running.terminate(Duration::from_secs(30)).unwrap();
                // The last steps are those of its own end.
                killed = !ended.success();
            }
        }
        let refusals = if step.fault == Fault::Kill { Vec::new() } else { refused(&log).unwrap() };
        let mut server = Server::start(&data, &config).unwrap();
        let finished = wait_for("a start without a fault finishes it", PATIENCE, || {
            self.is_settled(&server, &run, step.fault, expected)
        });
        finished.unwrap_or_else(|error| panic!("{step:?}: {error}: {:?}, not {expected:?}", self.look(&server, &run)));
        stop(&mut server);
        check_agrees(&data, &format!("{step:?}"));
        assert!(footage_below(&data.join("footage")).is_empty(), "{step:?}: something is left in the spool");
        std::fs::remove_dir_all(&run).unwrap();
        if step.fault == Fault::Kill { killed } else { !refusals.is_empty() }
    }

    /// Walks through the steps, some beside each other; how many were reached.
    fn walk(&self, dir: &Path, walks: Vec<Walk>, fault: Fault, expected: &Outcome) -> u64 {
        let queue = Mutex::new(walks);
        let lane = |number: usize| {
            let mut reached = 0_u64;
            loop {
                let next = queue.lock().expect("no lane panicked").pop();
                let Some(Walk { call, first, last }) = next else { return reached };
                for number_of_call in first..=last {
                    let step = Step { call, number: number_of_call, fault };
                    let run = dir.join(format!("lane{number}"));
                    let hit = self.fault(&run, &step, expected);
                    println!("{step:?} {}", if hit { "reached" } else { "not reached" });
                    if !hit {
                        break;
                    }
                    reached += 1;
                }
            }
        };
        std::thread::scope(|scope| {
            let lane = &lane;
            let running: Vec<_> = (0..LANES).map(|number| scope.spawn(move || lane(number))).collect();
            running.into_iter().map(|thread| thread.join().expect("it did not panic")).sum()
        })
    }
}

#[test]
fn a_start_an_upload_and_a_deletion_are_finished_after_a_crash_or_an_error_at_any_step() {
    let _alone = common::alone();
    let Some(()) = available("steps of start, upload and deletion", tracing()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let prepared = Prepared::make(dir.path());
    let (expected, counts) = prepared.without_fault(dir.path());
    // What it comes to is what was wanted: something went, nothing that is held, and everything is accounted for.
    assert!(!expected.deleted.is_empty() && !expected.deleted.contains(&prepared.held), "{expected:?}");
    let media = expected.files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "mp4"));
    let kept: BTreeSet<String> = media.map(|file| file.display().to_string()).collect();
    assert!(kept.contains(&prepared.held), "{kept:?}");
    assert!(kept.is_disjoint(&expected.deleted));
    assert_eq!(&kept | &expected.deleted, prepared.keys);
    println!("calls {counts:?}");

    let mut figures = Figures::new("steps");
    let walked = walks(Reach::or(8), &CALLS, &BTreeMap::new(), &counts);
    figures.faults += prepared.walk(dir.path(), walked, Fault::Kill, &expected);
    // The disk refuses once. Not `openat` and `write`: these are also libraries that are loaded and threads that are woken.
    let refusable = ["fdatasync", "fsync", "mkdir", "pwrite64", "rename", "renameat2", "unlink"];
    // Only in the long form: an fsync refused to SQLite leaves its connection within a transaction, a defect still to be mended.
    let errors: &[&'static str] = if std::env::var_os("MINHBACH_STEPS").is_some() { &["EIO", "ENOSPC"] } else { &[] };
    for &error in errors {
        let walked = walks(Reach::or(2), &refusable, &BTreeMap::new(), &counts);
        figures.faults += prepared.walk(dir.path(), walked, Fault::Refuse(error), &expected);
    }
    figures.print();
    assert!(figures.faults >= 4, "too few steps were reached: {figures:?}");
}

/// One camera, the server that records it, and where everything lies.
struct Recorded {
    data: PathBuf,
    camera: u32,
    id: String,
    /// When each kill was of a server that recorded, nanoseconds since the Unix epoch.
    kills: Vec<i64>,
    recovered: Duration,
}

fn list(id: &str) -> [&str; 8] {
    ["recordings", "list", "--camera", id, "--from", "-1d", "--to", "now"]
}

/// How far the calls went that were made on footage and database.
fn commits(log: &Path) -> BTreeMap<String, u32> {
    let mut counts = counted(log, "index.sqlite").unwrap();
    for (call, count) in counted(log, "/footage/v1/").unwrap() {
        let known = counts.entry(call).or_default();
        *known = count.max(*known);
    }
    counts
}

fn records(lines: &[Value]) -> bool {
    lines.first().is_some_and(|line| line["state"] == "recording")
}

fn closed(lines: &[Value]) -> usize {
    lines.iter().filter(|line| line["state"] == "closed").count()
}

/// Calls that are made while footage is written and told to the index. Not `write`: the server wakes its threads by it.
const COMMIT: [&str; 6] = ["fdatasync", "fsync", "mkdir", "openat", "pwrite64", "writev"];

impl Recorded {
    /// Adds the camera and records until two files are closed, without a fault; how often each call was made until it
    /// recorded, and until then.
    fn begin(dir: &Path, camera: u32, stream: &str) -> (Self, BTreeMap<String, u32>, BTreeMap<String, u32>) {
        let data = dir.join(format!("data{camera}"));
        std::fs::create_dir_all(&data).unwrap();
        let log = data.join("log");
        let mut server = Server::start(&data, SHORT).unwrap();
        let id = server.add_camera(&format!("Quầy {camera}"), stream, &[]).unwrap();
        stop(&mut server);
        // Counted in a second start: the first one makes the database.
        let command = counting(&program("minhbach-server"), &COMMIT, &log);
        let mut server = Server::start_by(command, &data, SHORT).unwrap().expect("it starts");
        server.until(&["camera", "list"], PATIENCE, records).unwrap();
        let until_recording = commits(&log);
        server.until(&list(&id), PATIENCE, |lines| closed(lines) >= 2).unwrap();
        let until_closed = commits(&log);
        stop(&mut server);
        let recorded = Self { data, camera, id, kills: Vec::new(), recovered: Duration::ZERO };
        (recorded, until_recording, until_closed)
    }

    /// Records until the step kills the server, then without a fault until it records again. Returns whether it was reached.
    fn kill(&mut self, step: &Step) -> bool {
        let log = self.data.join("log");
        let command = step.command(&program("minhbach-server"), &log);
        let mut reached = true;
        if let Some(mut server) = Server::start_by(command, &self.data, SHORT).unwrap() {
            let mut recorded = false;
            wait_for("it records or is killed", PATIENCE, || {
                recorded = server.ask(&["camera", "list"]).is_ok_and(|lines| records(&lines));
                recorded || server.running.has_ended()
            })
            .unwrap();
            // As long as it took to count the calls, and some more.
            match server.running.end_at(Duration::from_secs(15)) {
                Some(at) if recorded => self.kills.push(at),
                Some(_) => {}
                None => {
                    reached = false;
                    // That, too, is a crash; only the step was not.
                    self.kills.push(server.running.kill_after(Duration::ZERO));
                }
            }
        }
        let begun = Instant::now();
        let mut server = Server::start(&self.data, SHORT).unwrap();
        server.until(&["camera", "list"], PATIENCE, records).unwrap();
        self.recovered = self.recovered.max(begun.elapsed());
        stop(&mut server);
        println!("camera {}: {step:?} {}", self.camera, if reached { "reached" } else { "not reached" });
        reached
    }

    /// Walks through the steps; how many were reached.
    fn walk(&mut self, walks: &[Walk]) -> u64 {
        let mut count = 0;
        for &Walk { call, first, last } in walks {
            for number in first..=last {
                if !self.kill(&Step { call, number, fault: Fault::Kill }) {
                    break;
                }
                count += 1;
            }
        }
        count
    }

    /// What was lost, against what the camera sent.
    fn judge(&self, truth: &Path, figures: &mut Figures, lost: &mut Vec<f64>) {
        check_agrees(&self.data, "after all kills");
        let mut server = Server::start(&self.data, SHORT).unwrap();
        let lines = server.ask(&list(&self.id)).unwrap();
        stop(&mut server);
        let mut files = server.files(&self.id, "main");
        // One that was just begun holds no footage.
        files.retain(|file| file.metadata().is_ok_and(|metadata| metadata.len() > 4096));
        let rows = lines.iter().filter(|line| is_segment(line)).count();
        assert!(rows >= files.len(), "each file with footage has its row: {files:?} {lines:?}");
        let truth = truth.join(format!("cam{}-main.jsonl", self.camera));
        let verdict = oracle::check(&files, &truth).unwrap();
        figures.judge(&verdict);
        assert_eq!((verdict.doubled, verdict.reordered, verdict.unknown), (0, 0, 0), "{verdict:?}");
        let sent = oracle::pictures_sent_at(&files, &truth).unwrap();
        lost.extend(self.kills.iter().map(|&at| lost_before(&sent, at).expect("something was recorded before")));
        figures.mismatch(gap_mismatch_s(&lines, time_ns));
        figures.recovered(self.recovered);
    }
}

#[test]
fn a_recording_that_is_killed_at_any_step_of_a_commit_loses_a_second_at_most() {
    let _alone = common::alone();
    let Some(()) = available("steps of a commit", tracing()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth");
    let mut cameras = Cameras::start(2, &truth, &["--profile", "plain"]).unwrap();
    let streams: Vec<String> = (0..2).map(|camera| cameras.stream(camera, "main")).collect();
    let victims: Vec<(Recorded, u64)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..2)
            .map(|camera| {
                let (dir, stream) = (dir.path(), &streams[camera as usize]);
                scope.spawn(move || {
                    let (mut recorded, before, after) = Recorded::begin(dir, camera, stream);
                    // The calls of a start are those of the other test.
                    let walked = walks(Reach::or(3), &COMMIT, &before, &after);
                    let reached = recorded.walk(&walked);
                    (recorded, reached)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("it did not panic")).collect()
    });
    cameras.finish().unwrap();

    let (mut figures, mut lost) = (Figures::new("steps_of_commit"), Vec::new());
    for (recorded, reached) in &victims {
        figures.faults += reached;
        recorded.judge(&truth, &mut figures, &mut lost);
    }
    assert!(figures.faults > 0 && !lost.is_empty(), "no step was reached: {figures:?}");
    figures.losses(&lost);
    figures.print();
    assert!(figures.lost_s_max.is_some_and(|s| s <= CRASH_LOSS_S_MAX), "{figures:?}");
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
    assert!(figures.recover_ms.is_some_and(|ms| ms <= 10_000), "{figures:?}");
}

/// What came of a step that the disk refused while a camera was recorded.
struct Refused {
    /// The call, with the path of its file.
    calls: Vec<String>,
    /// The camera was shown as not recorded, with the error of the disk.
    told: bool,
    /// From the refusal until the camera was shown as recorded again, if it was not.
    recovered: Option<Duration>,
}

impl Refused {
    /// Whether footage or its sidecar was refused, and not the database.
    fn of_footage(&self) -> bool {
        self.calls.iter().any(|call| call.contains("/footage/v1/"))
    }
}

/// Starts the server of a rig with a fault at the step, and records over it until there are so many files more. `None` when
/// the step was not reached, or was one of the start, which the server then refused.
fn record_over(rig: &mut Rig, step: &Step, config: &str, files: usize) -> Option<Refused> {
    let log = rig.server.data.join("log");
    let command = step.command(&program("minhbach-server"), &log);
    let data = rig.server.data.clone();
    let Some(server) = Server::start_by(command, &data, config).unwrap() else {
        rig.restart(config);
        return None;
    };
    rig.server = server;
    let before = rig.segments(0).len();
    let (mut told, mut at, mut recovered) = (false, None, None);
    let over = wait_for("the step is refused, and recording goes on", PATIENCE, || {
        assert!(!rig.server.running.has_ended(), "{step:?} ended the server");
        if at.is_none() && !refused(&log).unwrap().is_empty() {
            at = Some(Instant::now());
        }
        // An answer may be what was refused.
        let Ok(lines) = rig.server.ask(&["camera", "list"]) else { return false };
        let of_disk = matches!(lines[0]["reason"].as_str(), Some("disk_error" | "disk_full"));
        told |= lines[0]["state"] == "not_recording" && of_disk;
        let Ok(rows) = rig.server.ask(&rig.list(0)) else { return false };
        if !records(&lines) {
            return false;
        }
        let more = rows.iter().filter(|line| is_segment(line)).count().saturating_sub(before);
        recovered = recovered.or(at.map(|at| at.elapsed()).filter(|_| told));
        more >= files && (at.is_some() || more >= files * 3)
    });
    over.unwrap_or_else(|error| panic!("{step:?}: {error}: {:?}", rig.lines(0)));
    Some(Refused { calls: refused(&log).unwrap(), told, recovered }).filter(|refused| !refused.calls.is_empty())
}

/// Ends the recording, and looks whether all that is told as recorded comes back; pictures that are not there.
fn judge_refused(rig: &mut Rig, figures: &mut Figures) -> u64 {
    rig.pause();
    let (answer, file) = rig.export(0, "-1d", "now");
    let written = || oracle::check(&[&file], &rig.truth(0)).is_ok_and(|verdict| verdict.unknown == 0);
    wait_for("every sample is the camera's", Duration::from_secs(5), written).unwrap();
    let told: u64 = rig.segments(0).iter().filter_map(|line| line["video_samples"].as_u64()).sum();
    let verdict = rig.judge(0, &[file], figures);
    assert_eq!((verdict.doubled, verdict.reordered, verdict.unknown), (0, 0, 0), "{verdict:?} {:?}", rig.lines(0));
    assert!(verdict.video >= told, "{} of {told} that were told are there: {answer} {verdict:?}", verdict.video);
    figures.mismatch(gap_mismatch_s(&rig.lines(0), time_ns));
    rig.stop();
    check_agrees(&rig.server.data, "after the refusals");
    verdict.video_lost
}

#[test]
fn a_sync_that_fails_once_gives_the_file_up_and_what_is_in_memory_is_written_again() {
    let _alone = common::alone();
    let Some(()) = available("a sync that fails once", tracing()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(1, dir.path(), &dir.path().join("data"), SHORT);
    let mut figures = Figures::new("sync_fails_once");
    rig.stop();
    // Only footage is synced by this call, a file and then its sidecar, each second: the fifth is that of a file which is told
    // already and is the only one.
    let step = Step { call: "fdatasync", number: 5, fault: Fault::Refuse("EIO") };
    let config = "[recording]\nsegment_secs = 6\n";
    let refused = record_over(&mut rig, &step, config, 3).expect("the step is reached");
    figures.faults = 1;
    refused.recovered.into_iter().for_each(|after| figures.recovered(after));
    assert!(refused.calls.len() == 1 && refused.of_footage(), "{:?}", refused.calls);
    assert!(refused.told, "the camera was never shown as not recorded: {:?}", rig.lines(0));
    // The file was given up; the disk works again, so it is cut after what was told, and is whole.
    let cut = |lines: &[Value]| lines.iter().all(|line| line["state"] != "suspect");
    let rows = rig.server.until(&rig.list(0), PATIENCE, cut).unwrap();
    let given_up = rows.iter().find(|line| is_of(line, &refused.calls[0])).expect("its row");
    assert_eq!(given_up["state"], "closed");
    let file = rig.server.data.join("footage").join(given_up["key"].as_str().unwrap());
    assert_eq!(Some(file.metadata().unwrap().len()), given_up["bytes"].as_u64(), "{given_up}");
    let lost = judge_refused(&mut rig, &mut figures);
    #[allow(clippy::cast_precision_loss)] // pictures of a few seconds
    figures.losses(&[lost as f64 / 25.0]);
    figures.print();
    // What has no key picture in memory cannot begin a file: at most until the next one, every two seconds, and what waits.
    assert!(figures.lost_s_max.is_some_and(|s| s <= 3.0), "{figures:?}");
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
    assert!(figures.recover_ms.is_some_and(|ms| ms <= 10_000), "{figures:?}");
}

/// Whether a line is of the file, or of its sidecar, that a call names.
fn is_of(line: &Value, call: &str) -> bool {
    let stem = line["key"].as_str().and_then(|key| Path::new(key).file_stem()?.to_str());
    stem.is_some_and(|stem| call.contains(stem))
}

/// Whether a line is a file that was given up, or footage that the disk did not take.
fn is_of_disk(line: &Value) -> bool {
    line["state"] == "suspect" || matches!(line["cause"].as_str(), Some("disk_error" | "disk_full"))
}

#[test]
fn a_disk_that_refuses_any_one_step_of_a_commit_costs_nothing_that_was_told_as_recorded() {
    let _alone = common::alone();
    let Some(()) = available("steps of a commit that fail", tracing()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut rig = Rig::start(1, dir.path(), &data, SHORT);
    rig.stop();
    let log = data.join("log");
    // Not `openat`, `mkdir` and `write`: in other threads these are the start itself, and the waking of threads.
    let calls = ["fdatasync", "fsync", "pwrite64", "writev"];
    let command = counting(&program("minhbach-server"), &calls, &log);
    rig.server = Server::start_by(command, &data, SHORT).unwrap().expect("it starts");
    rig.until_recording();
    let before = commits(&log);
    let files = rig.segments(0).len();
    rig.server.until(&rig.list(0), PATIENCE, |l| l.iter().filter(|l| is_segment(l)).count() >= files + 3).unwrap();
    let after = commits(&log);

    let mut figures = Figures::new("disk_refuses_a_step");
    for (round, Walk { call, first, last }) in walks(Reach::or(3), &calls, &before, &after).into_iter().enumerate() {
        for number in first..=last {
            let seen = |lines: &[Value]| lines.iter().filter(|line| is_of_disk(line)).count();
            let seen_before = seen(&rig.lines(0));
            rig.stop();
            let fault = Fault::Refuse(if round % 2 == 0 { "EIO" } else { "ENOSPC" });
            let step = Step { call, number, fault };
            let Some(refused) = record_over(&mut rig, &step, SHORT, 4) else { break };
            println!("{step:?} {:?}", refused.calls);
            figures.faults += 1;
            refused.recovered.into_iter().for_each(|after| figures.recovered(after));
            let rows = rig.lines(0);
            let told = refused.told || seen(&rows) > seen_before;
            // One that was just being closed is written again and cut at once: nothing of it is missing.
            let is_whole = |call: &String| rows.iter().any(|line| line["state"] == "closed" && is_of(line, call));
            let whole = refused.calls.iter().filter(|call| call.contains("/footage/v1/")).all(is_whole);
            assert!(told || whole, "{step:?} is not told: {rows:?}");
        }
    }
    judge_refused(&mut rig, &mut figures);
    figures.print();
    assert!(figures.faults > 0, "no step was reached: {figures:?}");
    assert!(figures.gap_mismatch_s.is_some_and(|s| s <= 1.0), "{figures:?}");
}
