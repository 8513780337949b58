//! `recordings list`: segments and gaps in the order of time.

use minhbach_client::Client;
use minhbach_model::{Gap, Segment, WallRange, WallTime};
use serde_json::{Value, json};

use crate::args::RecordingsCommand;
use crate::error::CtlError;
use crate::output::{Output, Table, bytes};
use crate::{when, words};

/// Runs a command on recordings.
pub async fn run(client: &Client, output: &mut Output, command: RecordingsCommand) -> Result<(), CtlError> {
    let RecordingsCommand::List { camera, stream, from, to } = command;
    let now = when::now();
    let range = when::range(from, to, now)?;
    let (segments, gaps) = client.recordings(camera, stream, range).await?;
    let entries = in_order(segments, gaps);
    if output.is_json() {
        for entry in &entries {
            output.object(&entry.json())?;
        }
        return Ok(());
    }
    let so_far = so_far(&entries, range, now);
    if entries.is_empty() {
        return output.line(so_far.as_deref().unwrap_or("Nothing is recorded in that range."));
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
    output.table(&table)?;
    so_far.map_or(Ok(()), |text| output.line(&text))
}

/// Up to when there is something, where the range ends later than now.
fn so_far(entries: &[Entry], range: WallRange, now: WallTime) -> Option<String> {
    if range.end <= now {
        return None;
    }
    if range.start >= now {
        return Some(format!("That range begins in the future, at {}.", when::local(range.start)));
    }
    let recorded = entries.iter().filter_map(Entry::recorded_to).max();
    let recorded =
        recorded.map_or_else(|| "Nothing is recorded".to_owned(), |to| format!("Recorded up to {}", when::local(to)));
    Some(format!("{recorded}; the range ends in the future, at {}.", when::local(range.end)))
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

    fn recorded_to(&self) -> Option<WallTime> {
        match self {
            Self::Segment(segment) => Some(segment.range.end),
            Self::Gap(_) => None,
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
    use minhbach_model::{CameraId, GapCause, SegmentId, SegmentState, StreamKind, Tier};

    use super::*;

    fn segment(camera: CameraId) -> Segment {
        Segment {
            id: SegmentId::generate(),
            camera,
            stream: StreamKind::Main,
            range: WallRange { start: WallTime::from_secs(1_800_000_010), end: WallTime::from_secs(1_800_000_070) },
            key: "v1/a.mp4".to_owned(),
            bytes: 30,
            video_samples: 1500,
            audio_samples: 937,
            state: SegmentState::Closed,
            tier: Tier::Archive,
        }
    }

    #[test]
    fn a_range_that_ends_in_the_future_says_up_to_when_it_is_recorded() {
        let second = |secs: i64| WallTime::from_secs(1_800_000_000 + secs);
        let range = |start, end| WallRange { start: second(start), end: second(end) };
        let entries = [Entry::Segment(segment(CameraId::generate()))];
        assert_eq!(so_far(&entries, range(0, 100), second(100)), None);
        let text = so_far(&entries, range(0, 100), second(90)).unwrap();
        assert!(text.contains(&when::local(second(70))) && text.contains(&when::local(second(100))), "{text}");
        assert!(so_far(&[], range(0, 100), second(90)).unwrap().starts_with("Nothing is recorded;"));
        assert!(so_far(&[], range(95, 100), second(90)).unwrap().contains("begins in the future"));
    }

    #[test]
    fn segments_and_gaps_come_in_the_order_of_time_with_the_keys_of_the_contract() {
        let camera = CameraId::generate();
        let second = WallTime::from_secs;
        let gap = |start, end| Gap { camera, stream: StreamKind::Main, start, end, cause: GapCause::Stalled };
        let gaps = vec![gap(second(1_800_000_000), Some(second(1_800_000_010))), gap(second(1_800_000_070), None)];
        let values: Vec<Value> = in_order(vec![segment(camera)], gaps).iter().map(Entry::json).collect();
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
