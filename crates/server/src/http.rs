//! The side door over HTTP: `/metrics` in Prometheus' text format and `/healthz`.
//!
//! Labels are ids, stream names and folders of disks, never addresses of cameras.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use minhbach_model::{CameraState, WallTime};
use minhbach_recorder::{ArchiveStatus, SpoolState};
use minhbach_store::{DiskState, Spool};
use tokio::net::TcpListener;

use crate::cameras::not_recorded;
use crate::services::{Shared, disk_trouble, emergency};

#[derive(Clone)]
struct Door {
    shared: Arc<Shared>,
    recorder: Arc<metrics_exporter_prometheus::PrometheusRecorder>,
    handle: PrometheusHandle,
}

/// Serves the side door until the API stops.
pub fn serve(shared: &Arc<Shared>, listener: TcpListener) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    ::metrics::with_local_recorder(&recorder, describe);
    let door = Door { shared: Arc::clone(shared), recorder: Arc::new(recorder), handle };
    let router = Router::new().route("/metrics", get(metrics)).route("/healthz", get(healthz)).with_state(door);
    let stop = shared.tasks.stop_token();
    shared.tasks.spawn("http", async move {
        let result = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = result {
            tracing::error!(%error, "side door closed");
        }
    });
}

/// What each metric says, for whoever reads them.
fn describe() {
    use ::metrics::{describe_counter, describe_gauge};
    let gauges = [
        ("minhbach_cameras", "Cameras that are configured."),
        ("minhbach_stream_recording", "1 while the disk confirms what the camera sends."),
        ("minhbach_stream_not_recording", "1 while pictures come and do not reach the disk."),
        ("minhbach_stream_without_sound", "1 while pictures are recorded without sound."),
        ("minhbach_stream_bits_per_second", "What the camera sends, bits a second."),
        ("minhbach_stream_frames_per_second", "Pictures a second."),
        ("minhbach_segments", "Recorded files."),
        ("minhbach_recorded_bytes", "Bytes of footage."),
        ("minhbach_store_free_bytes", "Free bytes on the disks that are recorded on."),
        ("minhbach_store_total_bytes", "Bytes of those disks."),
        ("minhbach_disk_in_use", "1 while footage goes to that disk."),
        ("minhbach_disk_free_bytes", "Free bytes on that disk."),
        ("minhbach_disk_total_bytes", "Bytes of that disk."),
        ("minhbach_archive_available", "1 while the archive answers."),
        ("minhbach_archive_waiting_segments", "Closed files that are not in the archive yet."),
        ("minhbach_archive_waiting_bytes", "Their bytes."),
        ("minhbach_archive_behind_seconds", "How long the oldest of them has been waiting."),
        ("minhbach_archive_damaged_segments", "Files that are not what was recorded."),
        ("minhbach_archive_deletion_locked", "1 while nothing is deleted because the database may be the wrong one."),
        ("minhbach_archive_age_locked", "1 while nothing is deleted by its age because the clock may be wrong."),
        ("minhbach_spool_used_percent", "How full the disk that is recorded on is, percent."),
        ("minhbach_spool_full", "1 while it is full and nothing on it may be deleted."),
        ("minhbach_archive_promised_days", "Days of footage that are promised."),
        ("minhbach_archive_actual_days", "Days of footage that are there."),
    ];
    for (name, text) in gauges {
        describe_gauge!(name, text);
    }
    let counters = [
        ("minhbach_stream_lost_packets_total", "Packets lost on the way from the camera."),
        ("minhbach_stream_runs_total", "Connections to the camera that brought pictures."),
        ("minhbach_index_entries_total", "Entries the index took."),
        ("minhbach_index_entries_left_out_total", "Entries that found no room while the index did not answer."),
        ("minhbach_index_entries_refused_total", "Entries the index refused."),
    ];
    for (name, text) in counters {
        describe_counter!(name, text);
    }
}

/// 200 while footage can be written, found and made room for, otherwise 503 with what is wrong.
async fn healthz(State(door): State<Door>) -> (StatusCode, String) {
    if let Err(error) = door.shared.index.totals().await {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("index: {error}\n"));
    }
    // What cannot be written decides, and not what is free: a disk can refuse with room left.
    if let Some((camera, stream)) = not_recorded(&door.shared.cameras.list()) {
        let text = format!("store: {} (camera {camera}, {} stream)\n", stream.message, stream.stream);
        return (StatusCode::SERVICE_UNAVAILABLE, text);
    }
    if let Some(problem) = disk_trouble(door.shared.store.spool()) {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("store: {problem}\n"));
    }
    if let Some(problem) = emergency(&door.shared.archive.borrow()) {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("archive: {problem}\n"));
    }
    match door.shared.store.space() {
        Ok(space) if space.free_bytes == 0 => (StatusCode::SERVICE_UNAVAILABLE, "store: the disk is full\n".to_owned()),
        Ok(_) => (StatusCode::OK, "ok\n".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("store: {error}\n")),
    }
}

/// Gauges are set when they are asked for: what nobody reads costs nothing.
async fn metrics(State(door): State<Door>) -> String {
    let cameras = door.shared.cameras.list();
    let totals = door.shared.index.totals().await.ok();
    let space = door.shared.store.space().ok();
    let ledger = &door.shared.ledger;
    let status = door.shared.archive.borrow().clone();
    let now = door.shared.clock.now();
    ::metrics::with_local_recorder(door.recorder.as_ref(), || {
        use ::metrics::{counter, gauge};
        gauge!("minhbach_cameras").set(cameras.len() as f64);
        for camera in &cameras {
            let id = camera.camera.id.to_string();
            for stream in &camera.streams {
                let labels = [("camera", id.clone()), ("stream", stream.stream.to_string())];
                let recording = if stream.state == CameraState::Recording { 1.0 } else { 0.0 };
                gauge!("minhbach_stream_recording", &labels).set(recording);
                let not_recording = if matches!(stream.state, CameraState::NotRecording(_)) { 1.0 } else { 0.0 };
                gauge!("minhbach_stream_not_recording", &labels).set(not_recording);
                let soundless = stream.state == CameraState::Recording && stream.sound.state.is_lacking();
                gauge!("minhbach_stream_without_sound", &labels).set(f64::from(u8::from(soundless)));
                gauge!("minhbach_stream_bits_per_second", &labels).set(stream.bit_rate_bps as f64);
                gauge!("minhbach_stream_frames_per_second", &labels).set(f64::from(stream.frame_rate_milli) / 1000.0);
                counter!("minhbach_stream_lost_packets_total", &labels).absolute(stream.lost_packets);
                counter!("minhbach_stream_runs_total", &labels).absolute(stream.runs);
            }
        }
        if let Some(totals) = totals {
            gauge!("minhbach_segments").set(totals.segments as f64);
            gauge!("minhbach_recorded_bytes").set(totals.bytes as f64);
        }
        if let Some(space) = space {
            gauge!("minhbach_store_free_bytes").set(space.free_bytes as f64);
            gauge!("minhbach_store_total_bytes").set(space.total_bytes as f64);
        }
        disks(door.shared.store.spool());
        archive(&status, now);
        counter!("minhbach_index_entries_total").absolute(ledger.written());
        counter!("minhbach_index_entries_left_out_total").absolute(ledger.left_out());
        counter!("minhbach_index_entries_refused_total").absolute(ledger.refused());
    });
    door.handle.render()
}

/// Sets the gauges of each disk.
fn disks(spool: &Spool) {
    use ::metrics::gauge;
    for disk in spool.disks() {
        let labels = [("disk", disk.root().display().to_string())];
        // One that is alone is written to whatever it says.
        let in_use = disk.state() == DiskState::Fine || !spool.is_spread();
        gauge!("minhbach_disk_in_use", &labels).set(f64::from(u8::from(in_use)));
        if disk.state() != DiskState::Missing
            && let Ok(space) = disk.space()
        {
            gauge!("minhbach_disk_free_bytes", &labels).set(space.free_bytes as f64);
            gauge!("minhbach_disk_total_bytes", &labels).set(space.total_bytes as f64);
        }
    }
}

/// Sets the gauges of spool and archive.
fn archive(status: &ArchiveStatus, now: WallTime) {
    use ::metrics::gauge;
    let flag = |is: bool| f64::from(u8::from(is));
    let full = matches!(status.spool.state, SpoolState::FullOfHeld | SpoolState::FullOfUnarchived);
    let behind = status.waiting_since.map_or(0.0, |since| now.saturating_since(since).as_secs_f64());
    gauge!("minhbach_archive_available").set(flag(status.available));
    gauge!("minhbach_archive_waiting_segments").set(status.waiting_segments as f64);
    gauge!("minhbach_archive_waiting_bytes").set(status.waiting_bytes as f64);
    gauge!("minhbach_archive_behind_seconds").set(behind);
    gauge!("minhbach_archive_damaged_segments").set(status.damaged_segments as f64);
    gauge!("minhbach_archive_deletion_locked").set(flag(status.interlock.is_some()));
    gauge!("minhbach_archive_age_locked").set(flag(status.age_locked.is_some()));
    gauge!("minhbach_spool_used_percent").set(f64::from(status.spool.used_percent));
    gauge!("minhbach_spool_full").set(flag(full));
    for days in &status.days {
        let labels = [("camera", days.camera.to_string())];
        gauge!("minhbach_archive_promised_days", &labels).set(f64::from(days.promised_days));
        gauge!("minhbach_archive_actual_days", &labels).set(days.actual_days);
    }
}
