//! `deletions list`: the journal of what was deleted, when and why.

use minhbach_client::{Client, DeletionFilter};
use minhbach_model::Deletion;
use serde_json::{Value, json};

use crate::args::DeletionsCommand;
use crate::error::CtlError;
use crate::output::{Output, Table, bytes};
use crate::when;

/// Runs a command on what was deleted.
pub async fn run(client: &Client, output: &mut Output, command: DeletionsCommand) -> Result<(), CtlError> {
    let DeletionsCommand::List { camera, from, to } = command;
    let now = when::now();
    if let (Some(from), Some(to)) = (from, to) {
        // Both ends are given: a reversed range is told here, as for recordings.
        when::range(from, to, now)?;
    }
    let filter = DeletionFilter { camera, from: from.map(|from| from.resolve(now)), to: to.map(|to| to.resolve(now)) };
    let deletions = client.deletions(&filter).await?;
    if output.is_json() {
        for deletion in &deletions {
            output.object(&deletion_json(deletion))?;
        }
        return Ok(());
    }
    if deletions.is_empty() {
        return output.line("Nothing was deleted.");
    }
    let mut table = Table::new(&["DELETED", "REASON", "CAMERA", "STREAM", "START", "END", "SIZE", "FILE"]);
    for deletion in &deletions {
        table.row([
            when::local(deletion.at),
            deletion.reason.as_str().to_owned(),
            deletion.camera.to_string(),
            deletion.stream.to_string(),
            when::local(deletion.range.start),
            when::local(deletion.range.end),
            bytes(deletion.bytes),
            deletion.key.clone(),
        ]);
    }
    output.table(&table)
}

fn deletion_json(deletion: &Deletion) -> Value {
    json!({
        "segment_id": deletion.segment.to_string(),
        "camera_id": deletion.camera.to_string(),
        "stream": deletion.stream.to_string(),
        "start": deletion.range.start.to_string(),
        "end": deletion.range.end.to_string(),
        "key": deletion.key,
        "bytes": deletion.bytes,
        "at": deletion.at.to_string(),
        "reason": deletion.reason.as_str(),
    })
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, DeletionReason, SegmentId, StreamKind, WallRange, WallTime};

    use super::*;

    #[test]
    fn a_deletion_in_json_has_stable_words_and_times() {
        let second = WallTime::from_secs;
        let (segment, camera) = (SegmentId::generate(), CameraId::generate());
        let value = deletion_json(&Deletion {
            segment,
            camera,
            stream: StreamKind::Sub,
            range: WallRange { start: second(1_800_000_000), end: second(1_800_000_060) },
            key: "v1/a.mp4".to_owned(),
            bytes: 30,
            at: second(1_800_000_070),
            reason: DeletionReason::DiskFull,
        });
        assert_eq!(
            value,
            json!({
                "segment_id": segment.to_string(), "camera_id": camera.to_string(), "stream": "sub",
                "start": "2027-01-15T08:00:00.000Z", "end": "2027-01-15T08:01:00.000Z", "key": "v1/a.mp4",
                "bytes": 30, "at": "2027-01-15T08:01:10.000Z", "reason": "disk_full",
            })
        );
    }
}
