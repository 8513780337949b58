//! `status`: the server, its store, and each camera in a line.

use minhbach_client::{Client, ServerStatus};
use minhbach_model::CameraStatus;
use serde_json::{Value, json};

use crate::camera::{camera_json, main_stream};
use crate::error::CtlError;
use crate::output::{Output, Table, bit_rate, bytes, fps};
use crate::{when, words};

/// Runs the command.
pub async fn run(client: &Client, output: &mut Output) -> Result<(), CtlError> {
    let status = client.status().await?;
    let cameras = client.cameras().await?;
    if output.is_json() {
        output.object(&server_json(&status, client.url()))?;
        output.object(&store_json(&status))?;
        for camera in &cameras {
            let mut value = camera_json(camera);
            value["type"] = "camera".into();
            output.object(&value)?;
        }
        return Ok(());
    }
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
                words::camera_state(stream.state).to_owned(),
                when::local(stream.since),
                stream.video.clone(),
                stream.audio.clone(),
                bit_rate(stream.bit_rate_bps),
                format!("{:.1}", fps(stream.frame_rate_milli)),
                words::reason(stream.state).map(|reason| format!("{reason}: {}", stream.message)).unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use minhbach_client::StoreStatus;
    use minhbach_model::WallTime;

    use super::*;

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
            },
        };
        let server = server_json(&status, "http://127.0.0.1:7878");
        assert_eq!(server["uptime_seconds"], 90);
        assert_eq!(server["now"], "2027-01-15T08:01:30.000Z");
        let store = store_json(&status);
        assert_eq!(store["free_bytes"], 10);
        assert_eq!(store["problem"], Value::Null);
    }
}
