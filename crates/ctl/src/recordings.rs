//! `recordings list`: segments and gaps in the order of time.

use minhbach_client::Client;
use minhbach_model::{Gap, Segment, WallTime};
use serde_json::{Value, json};

use crate::args::RecordingsCommand;
use crate::error::CtlError;
use crate::output::{Output, Table, bytes};
use crate::{when, words};

/// Runs a command on recordings.
pub async fn run(client: &Client, output: &mut Output, command: RecordingsCommand) -> Result<(), CtlError> {
    let RecordingsCommand::List { camera, stream, from, to } = command;
    let range = when::range(from, to, when::now())?;
    let (segments, gaps) = client.recordings(camera, stream, range).await?;
    let entries = in_order(segments, gaps);
    if output.is_json() {
        for entry in &entries {
            output.object(&entry.json())?;
        }
        return Ok(());
    }
    if entries.is_empty() {
        return output.line("Nothing is recorded in that range.");
    }
    let mut table = Table::new(&["START", "END", "STATE", "TIER", "SIZE", "PICTURES", "SOUND", "FILE OR CAUSE"]);
    for entry in &entries {
        match entry {
            Entry::Segment(segment) => table.row([
                when::local(segment.range.start),
                when::local(segment.range.end),
                words::segment_state(segment.state).to_owned(),
                words::tier(segment.tier).to_owned(),
                bytes(segment.bytes),
                segment.video_samples.to_string(),
                segment.audio_samples.to_string(),
                segment.key.clone(),
            ]),
            Entry::Gap(gap) => table.row([
                when::local(gap.start),
                gap.end.map_or_else(|| "lasts".to_owned(), when::local),
                "gap".to_owned(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                gap.cause.as_str().to_owned(),
            ]),
        }
    }
    output.table(&table)
}

enum Entry {
    Segment(Segment),
    Gap(Gap),
}

impl Entry {
    fn start(&self) -> WallTime {
        match self {
            Self::Segment(segment) => segment.range.start,
            Self::Gap(gap) => gap.start,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Segment(segment) => json!({
                "type": "segment",
                "start": segment.range.start.to_string(),
                "end": segment.range.end.to_string(),
                "bytes": segment.bytes,
                "state": words::segment_state(segment.state),
                "key": segment.key,
                "video_samples": segment.video_samples,
                "audio_samples": segment.audio_samples,
                "tier": words::tier(segment.tier),
            }),
            Self::Gap(gap) => {
                let mut value = gap_json(gap);
                value["type"] = "gap".into();
                value
            }
        }
    }
}

/// A gap without its type; `end` is null while it lasts.
pub fn gap_json(gap: &Gap) -> Value {
    json!({
        "start": gap.start.to_string(),
        "end": gap.end.map(|end| end.to_string()),
        "cause": gap.cause.as_str(),
    })
}

fn in_order(segments: Vec<Segment>, gaps: Vec<Gap>) -> Vec<Entry> {
    let mut entries: Vec<Entry> =
        segments.into_iter().map(Entry::Segment).chain(gaps.into_iter().map(Entry::Gap)).collect();
    entries.sort_by_key(Entry::start);
    entries
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, GapCause, SegmentId, SegmentState, StreamKind, Tier, WallRange};

    use super::*;

    #[test]
    fn segments_and_gaps_come_in_the_order_of_time_with_the_keys_of_the_contract() {
        let camera = CameraId::generate();
        let second = WallTime::from_secs;
        let segment = Segment {
            id: SegmentId::generate(),
            camera,
            stream: StreamKind::Main,
            range: WallRange { start: second(1_800_000_010), end: second(1_800_000_070) },
            key: "v1/a.mp4".to_owned(),
            bytes: 30,
            video_samples: 1500,
            audio_samples: 937,
            state: SegmentState::Closed,
            tier: Tier::Archive,
        };
        let gap = |start, end| Gap { camera, stream: StreamKind::Main, start, end, cause: GapCause::Stalled };
        let gaps = vec![gap(second(1_800_000_000), Some(second(1_800_000_010))), gap(second(1_800_000_070), None)];
        let values: Vec<Value> = in_order(vec![segment], gaps).iter().map(Entry::json).collect();
        assert_eq!(
            values,
            [
                json!({"type": "gap", "start": "2027-01-15T08:00:00.000Z", "end": "2027-01-15T08:00:10.000Z", "cause": "stalled"}),
                json!({
                    "type": "segment", "start": "2027-01-15T08:00:10.000Z", "end": "2027-01-15T08:01:10.000Z",
                    "bytes": 30, "state": "closed", "key": "v1/a.mp4", "video_samples": 1500, "audio_samples": 937,
                    "tier": "archive",
                }),
                json!({"type": "gap", "start": "2027-01-15T08:01:10.000Z", "end": null, "cause": "stalled"}),
            ]
        );
    }
}
