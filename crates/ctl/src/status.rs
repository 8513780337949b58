//! `status`: the server, its store, its archive, and each camera in a line.

use minhbach_client::{ArchiveReport, Client, DiskStatus, ServerStatus};
use minhbach_model::CameraStatus;
use serde_json::{Value, json};

use crate::camera::{camera_json, main_stream};
use crate::error::CtlError;
use crate::kept::{self, Promise};
use crate::output::{Output, Table, bit_rate, bytes, fps_cell};
use crate::{when, words};

/// Runs the command.
pub async fn run(client: &Client, output: &mut Output) -> Result<(), CtlError> {
    let status = client.status().await?;
    let cameras = client.cameras().await?;
    let archive = client.archive().await?;
    if output.is_json() {
        output.object(&server_json(&status, client.url()))?;
        output.object(&store_json(&status))?;
        for disk in &status.store.disks {
            output.object(&disk_json(disk))?;
        }
        output.object(&archive_json(&archive))?;
        for camera in &cameras {
            let mut value = camera_json(camera);
            value["type"] = "camera".into();
            output.object(&value)?;
        }
        return Ok(());
    }
    let kept = kept::judge(&archive.days, &cameras, status.now);
    let short = kept.iter().filter(|kept| kept.promise == Promise::Short).count();
    output.line(&format!(
        "Server  {}  release {}  up since {}  {} cameras, {} streams recording, {} failed",
        client.url(),
        status.version,
        when::local(status.started),
        status.cameras,
        status.streams_recording,
        status.streams_failed,
    ))?;
    let store = &status.store;
    output.line(&format!(
        "Store   {}  {} free of {}  {} files, {} recorded  {}",
        store.path,
        bytes(store.free_bytes),
        bytes(store.total_bytes),
        store.segments,
        bytes(store.recorded_bytes),
        if store.problem.is_empty() { "ok" } else { store.problem.as_str() },
    ))?;
    // One disk alone is the store.
    for disk in store.disks.iter().filter(|_| store.disks.len() > 1) {
        output.line(&disk_line(disk))?;
    }
    for line in archive_lines(&archive, short) {
        output.line(&line)?;
    }
    if cameras.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.table(&camera_table(&cameras))
}

fn camera_table(cameras: &[CameraStatus]) -> Table {
    let mut table = Table::new(&["CAMERA", "STREAM", "STATE", "SINCE", "VIDEO", "SOUND", "BIT RATE", "FPS", "REASON"]);
    for camera in cameras {
        let name = camera.camera.draft.name.clone();
        match main_stream(camera) {
            Some(stream) => table.row([
                name,
                stream.stream.to_string(),
                words::plain(words::camera_state(stream.state)),
                when::local(stream.since),
                stream.video.clone(),
                stream.audio.clone(),
                bit_rate(stream.bit_rate_bps),
                fps_cell(stream.frame_rate_milli),
                words::reason(stream.state)
                    .map(|reason| format!("{}: {}", words::plain(reason), stream.message))
                    .unwrap_or_default(),
            ]),
            None => {
                let mut row: [String; 9] = Default::default();
                row[0] = name;
                table.row(row);
            }
        }
    }
    table
}

/// The archive and the spool, each in a line, and a line for each thing that is wrong; `short` cameras are kept for less than
/// promised.
fn archive_lines(report: &ArchiveReport, short: usize) -> Vec<String> {
    let status = &report.status;
    let state = match (status.has_archive(), status.available) {
        (false, _) => "none: footage stays on the disk it was recorded on".to_owned(),
        (true, true) => format!("{}  available", status.kind),
        (true, false) => format!("{}  unavailable: {}", status.kind, status.problem),
    };
    let since = status.waiting_since.map(|since| format!(" since {}", when::local(since))).unwrap_or_default();
    let waiting = format!("{} files, {} waiting{since}", status.waiting_segments, bytes(status.waiting_bytes));
    let patrol = status.patrol_percent.map_or_else(|| "off".to_owned(), |percent| format!("{percent} %"));
    let mut lines = vec![
        if status.has_archive() { format!("Archive {state}  {waiting}") } else { format!("Archive {state}") },
        format!(
            "Spool   {} % used  {}  {} held  {} damaged files  patrol {patrol}",
            status.spool_used_percent,
            words::plain(words::spool(status.spool)),
            bytes(report.held_bytes),
            status.damaged_segments,
        ),
    ];
    lines.extend(words::spool_advice(status.spool).map(|advice| format!("        {advice}")));
    if !status.interlock.is_empty() {
        lines.push(format!("        Nothing is deleted: {}", status.interlock));
    }
    if !status.age_locked.is_empty() {
        lines.push(format!("        Nothing is deleted by its age: {}", status.age_locked));
    }
    if short > 0 {
        lines.push(format!("        Cameras kept for less than promised: {short}; see `minhbachctl retention list`"));
    }
    lines
}

fn archive_json(report: &ArchiveReport) -> Value {
    let status = &report.status;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "type": "archive",
        "kind": status.kind,
        "available": status.available,
        "problem": text(&status.problem),
        "waiting_segments": status.waiting_segments,
        "waiting_bytes": status.waiting_bytes,
        "waiting_since": status.waiting_since.map(|since| since.to_string()),
        "spool_used_percent": status.spool_used_percent,
        "spool_state": words::spool(status.spool),
        "interlock": text(&status.interlock),
        "age_locked": text(&status.age_locked),
        "damaged_segments": status.damaged_segments,
        "patrol_percent": status.patrol_percent,
        "held_bytes": report.held_bytes,
    })
}

fn server_json(status: &ServerStatus, url: &str) -> Value {
    json!({
        "type": "server",
        "url": url,
        "version": status.version,
        "started": status.started.to_string(),
        "now": status.now.to_string(),
        "uptime_seconds": status.now.saturating_since(status.started).as_secs(),
        "cameras": status.cameras,
        "streams_recording": status.streams_recording,
        "streams_failed": status.streams_failed,
    })
}

fn store_json(status: &ServerStatus) -> Value {
    let store = &status.store;
    json!({
        "type": "store",
        "path": store.path,
        "free_bytes": store.free_bytes,
        "total_bytes": store.total_bytes,
        "segments": store.segments,
        "recorded_bytes": store.recorded_bytes,
        "problem": (!store.problem.is_empty()).then_some(store.problem.as_str()),
    })
}

fn disk_line(disk: &DiskStatus) -> String {
    let state = words::plain(words::disk(disk.state));
    let problem = if disk.problem.is_empty() { String::new() } else { format!(": {}", disk.problem) };
    let (free, total) = (bytes(disk.free_bytes), bytes(disk.total_bytes));
    format!("Disk    {}  {free} free of {total}  {state}{problem}", disk.path)
}

fn disk_json(disk: &DiskStatus) -> Value {
    json!({
        "type": "disk",
        "path": disk.path,
        "free_bytes": disk.free_bytes,
        "total_bytes": disk.total_bytes,
        "state": words::disk(disk.state),
        "problem": (!disk.problem.is_empty()).then_some(disk.problem.as_str()),
    })
}

#[cfg(test)]
mod tests {
    use minhbach_client::{ArchiveStatus, CameraDays, DiskState, SpoolState, StoreStatus};
    use minhbach_model::{CameraId, WallTime};

    use super::*;

    fn report() -> ArchiveReport {
        ArchiveReport {
            status: ArchiveStatus {
                kind: "s3".to_owned(),
                available: false,
                problem: "connection refused".to_owned(),
                waiting_segments: 7,
                waiting_bytes: 1000,
                waiting_since: Some(WallTime::from_secs(1_800_000_000)),
                spool_used_percent: 96,
                spool: SpoolState::FullOfUnarchived,
                interlock: String::new(),
                age_locked: String::new(),
                damaged_segments: 2,
                patrol_percent: Some(40),
            },
            days: vec![CameraDays { camera: CameraId::generate(), promised_days: 30, actual_days: 12.5, short: false }],
            held_bytes: 9,
        }
    }

    #[test]
    fn the_archive_in_json_has_stable_keys_and_times() {
        let value = archive_json(&report());
        assert_eq!(value["waiting_since"], "2027-01-15T08:00:00.000Z");
        assert_eq!(
            (value["spool_state"].as_str(), value["problem"].as_str()),
            (Some("full_of_unarchived"), Some("connection refused"))
        );
        assert_eq!((&value["interlock"], value["held_bytes"].as_u64()), (&Value::Null, Some(9)));
    }

    #[test]
    fn whatever_is_wrong_with_the_archive_has_a_line() {
        let mut report = report();
        let text = archive_lines(&report, 1).join("\n");
        for part in ["unavailable: connection refused", "7 files", "96 % used", "add a disk", "promised: 1;"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!archive_lines(&report, 0).join("\n").contains("promised"));
        report.status.interlock = "another database".to_owned();
        assert!(archive_lines(&report, 0).iter().any(|line| line.contains("Nothing is deleted: another database")));
        report.status.age_locked = "the clock".to_owned();
        assert!(archive_lines(&report, 0).iter().any(|line| line.contains("by its age: the clock")));
        assert_eq!(archive_json(&report)["age_locked"], "the clock");
        report.status.kind = "none".to_owned();
        assert!(!archive_lines(&report, 0)[0].contains("waiting"));
    }

    #[test]
    fn a_disk_says_how_it_does_and_what_is_wrong() {
        let fine = DiskStatus {
            path: "/mnt/a/minhbach".to_owned(),
            free_bytes: 1_000_000,
            total_bytes: 2_000_000,
            state: DiskState::Fine,
            problem: String::new(),
        };
        let failed = DiskStatus { state: DiskState::Failed, problem: "Input/output error".to_owned(), ..fine.clone() };
        assert_eq!((disk_json(&fine)["state"].as_str(), &disk_json(&fine)["problem"]), (Some("fine"), &Value::Null));
        let value = disk_json(&failed);
        assert_eq!((value["type"].as_str(), value["state"].as_str()), (Some("disk"), Some("failed")));
        assert_eq!(value["problem"], "Input/output error");
        assert!(disk_line(&fine).starts_with("Disk    /mnt/a/minhbach  ") && disk_line(&fine).ends_with("  fine"));
        assert!(disk_line(&failed).ends_with("  failed: Input/output error"), "{}", disk_line(&failed));
    }

    #[test]
    fn server_and_store_in_json_have_their_units_in_their_keys() {
        let status = ServerStatus {
            version: "0.1.0".to_owned(),
            started: WallTime::from_secs(1_800_000_000),
            now: WallTime::from_secs(1_800_000_090),
            cameras: 4,
            streams_recording: 7,
            streams_failed: 1,
            store: StoreStatus {
                path: "/var/lib/minhbach".to_owned(),
                free_bytes: 10,
                total_bytes: 20,
                segments: 3,
                recorded_bytes: 5,
                problem: String::new(),
                disks: Vec::new(),
            },
            archive: report().status,
        };
        let server = server_json(&status, "http://127.0.0.1:7878");
        assert_eq!(server["uptime_seconds"], 90);
        assert_eq!(server["now"], "2027-01-15T08:01:30.000Z");
        let store = store_json(&status);
        assert_eq!(store["free_bytes"], 10);
        assert_eq!(store["problem"], Value::Null);
    }
}
