//! Promises about segments, timelines and gaps.

use minhbach_model::{CameraId, Gap, GapCause, Segment, SegmentId, SegmentState, StreamKind, WallRange, WallTime};

use super::{SECOND, at, range, refused, segment};
use crate::{Index, IndexErrorKind, JOIN_NS, SegmentProgress, SegmentTotals};

const MAIN: StreamKind = StreamKind::Main;

fn progress(segment: &Segment, to: i64, bytes: u64) -> SegmentProgress {
    SegmentProgress { id: segment.id, end: at(to), bytes, video_samples: bytes / 10, audio_samples: bytes / 5 }
}

/// A segment is opened, moves on, never back, and closes; the sums follow.
pub async fn segments_grow_and_close(index: &dyn Index) {
    let camera = CameraId::generate();
    assert_eq!(index.totals().await.expect("summed"), SegmentTotals::default());
    let mut open = segment(camera, 0, 0, SegmentState::Recording);
    open.bytes = 0;
    let other = segment(camera, 60, 60, SegmentState::Recording);
    index.open_segment(&open).await.expect("opened");
    index.open_segment(&other).await.expect("opened");
    assert_eq!(index.recording_segments().await.expect("listed"), [open.clone(), other.clone()]);
    assert_eq!(index.segments_in(camera, MAIN, range(-100, 100), None, 10).await.expect("listed"), []);
    assert_eq!(refused(index.open_segment(&open).await), IndexErrorKind::Exists);

    let unknown = SegmentProgress { id: SegmentId::generate(), ..progress(&open, 5, 1) };
    let moved = index.advance_segments(&[unknown, progress(&open, 2, 2000), progress(&other, 61, 1500)]).await;
    assert_eq!(moved.expect("advanced"), 2);
    index.advance_segments(&[progress(&open, 1, 500)]).await.expect("passed over");
    let kept = index.segment_by_key(&open.key).await.expect("asked").expect("found");
    assert_eq!((kept.range.end, kept.bytes, kept.video_samples, kept.audio_samples), (at(2), 2000, 200, 400));
    assert_eq!(index.totals().await.expect("summed"), SegmentTotals { segments: 2, bytes: 3500 });
    assert_eq!(index.advance_segments(&[]).await.expect("nothing to do"), 0);

    // The file turned out shorter than was reported.
    let last = progress(&open, 1, 900);
    assert_eq!(refused(index.close_segment(&last, SegmentState::Recording).await), IndexErrorKind::Invalid);
    index.close_segment(&last, SegmentState::Suspect).await.expect("closed");
    let kept = index.segment_by_key(&open.key).await.expect("asked").expect("found");
    assert_eq!((kept.range.end, kept.bytes, kept.state), (at(1), 900, SegmentState::Suspect));
    assert_eq!(refused(index.close_segment(&last, SegmentState::Closed).await), IndexErrorKind::NotFound);
    assert_eq!(index.advance_segments(&[progress(&open, 9, 9000)]).await.expect("passed over"), 0);
    assert_eq!(refused(index.discard_segment(open.id).await), IndexErrorKind::NotFound);

    let reversed = SegmentProgress { end: at(0), ..progress(&other, 61, 1500) };
    assert_eq!(refused(index.close_segment(&reversed, SegmentState::Closed).await), IndexErrorKind::Invalid);
    index.discard_segment(other.id).await.expect("discarded");
    assert_eq!(index.recording_segments().await.expect("listed"), []);
    assert_eq!(index.segment_by_key(&other.key).await.expect("asked"), None);
    assert_eq!(index.totals().await.expect("summed"), SegmentTotals { segments: 1, bytes: 900 });
}

/// Segments are found by moment, by range with its edges, by key, and by where the recording ends.
pub async fn segments_are_found(index: &dyn Index) {
    let camera = CameraId::generate();
    assert_eq!(index.last_recorded_end(camera, MAIN).await.expect("asked"), None);
    assert_eq!(index.segment_at_or_after(camera, MAIN, at(0)).await.expect("asked"), None);
    let first = segment(camera, 0, 60, SegmentState::Closed);
    // Longer than any look-back, as with a camera that seldom sends a key frame.
    let long = segment(camera, 100, 4000, SegmentState::Suspect);
    let mut empty = segment(camera, 5000, 5000, SegmentState::Recording);
    empty.bytes = 0;
    index.insert_adopted(&long).await.expect("adopted");
    index.insert_adopted(&first).await.expect("adopted");
    index.open_segment(&empty).await.expect("opened");

    let found = async |moment: WallTime| {
        index.segment_at_or_after(camera, MAIN, moment).await.expect("asked").map(|segment| segment.id)
    };
    assert_eq!(found(at(-1)).await, Some(first.id));
    assert_eq!(found(at(0)).await, Some(first.id));
    assert_eq!(found(at(60).offset_ns(-1)).await, Some(first.id));
    assert_eq!(found(at(60)).await, Some(long.id));
    assert_eq!(found(at(3999)).await, Some(long.id));
    assert_eq!(found(at(4000)).await, None);

    let listed = async |range: WallRange| {
        let segments = index.segments_in(camera, MAIN, range, None, 10).await.expect("listed");
        segments.into_iter().map(|segment| segment.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(range(-10, 5001)).await, [first.id, long.id]);
    assert_eq!(listed(range(60, 100)).await, []);
    assert_eq!(listed(range(59, 60)).await, [first.id]);
    assert_eq!(listed(range(3000, 3001)).await, [long.id]);
    assert_eq!(listed(range(4000, 9000)).await, []);

    assert_eq!(index.segment_by_key(&long.key).await.expect("asked"), Some(long.clone()));
    assert_eq!(index.segment_by_key("v1/nothing").await.expect("asked"), None);
    assert_eq!(index.last_recorded_end(camera, MAIN).await.expect("asked"), Some(at(4000)));

    // A clock set back: the later segment starts inside the earlier one.
    let around = segment(camera, 6000, 6060, SegmentState::Closed);
    let inside = segment(camera, 6030, 6040, SegmentState::Closed);
    index.insert_adopted(&around).await.expect("adopted");
    index.insert_adopted(&inside).await.expect("adopted");
    assert_eq!(found(at(6035)).await, Some(inside.id));
    assert_eq!(found(at(6050)).await, Some(around.id));
    assert_eq!(listed(range(6035, 6036)).await, [around.id, inside.id]);
    assert_eq!(index.last_recorded_end(camera, MAIN).await.expect("asked"), Some(at(6060)));

    let mut twice = segment(camera, 9000, 9060, SegmentState::Closed);
    twice.key.clone_from(&first.key);
    assert_eq!(refused(index.insert_adopted(&twice).await), IndexErrorKind::Exists);
    let recording = segment(camera, 9000, 9060, SegmentState::Recording);
    assert_eq!(refused(index.insert_adopted(&recording).await), IndexErrorKind::Invalid);
    assert_eq!(refused(index.open_segment(&twice).await), IndexErrorKind::Invalid);
}

/// Pages follow each other without a hole or a double, also where segments start together.
pub async fn segments_page(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut all = Vec::new();
    for minute in 0..7 {
        let one = segment(camera, minute * 60, minute * 60 + 60, SegmentState::Closed);
        index.insert_adopted(&one).await.expect("adopted");
        all.push(one);
    }
    let together = segment(camera, 120, 150, SegmentState::Closed);
    index.insert_adopted(&together).await.expect("adopted");
    all.push(together);
    all.sort_by_key(|segment| (segment.range.start, segment.id));

    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = index.segments_in(camera, MAIN, range(0, 420), after, 3).await.expect("listed");
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some((last.range.start, last.id));
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(index.segments_in(camera, MAIN, range(0, 420), None, 0).await.expect("listed"), []);
}

/// Nothing of one camera or stream shows at another.
pub async fn segments_of_streams_are_apart(index: &dyn Index) {
    let camera = CameraId::generate();
    let main = segment(camera, 0, 60, SegmentState::Closed);
    let mut sub = segment(camera, 10, 70, SegmentState::Closed);
    sub.stream = StreamKind::Sub;
    index.insert_adopted(&main).await.expect("adopted");
    index.insert_adopted(&sub).await.expect("adopted");
    index.insert_adopted(&segment(CameraId::generate(), 0, 90, SegmentState::Closed)).await.expect("adopted");
    let everything = range(-1000, 1000);
    let listed = index.segments_in(camera, StreamKind::Sub, everything, None, 10).await.expect("listed");
    assert_eq!(listed, [sub.clone()]);
    assert_eq!(index.timeline(camera, MAIN, everything).await.expect("joined"), [main.range]);
    assert_eq!(index.last_recorded_end(camera, StreamKind::Sub).await.expect("asked"), Some(at(70)));
    let found = index.segment_at_or_after(camera, StreamKind::Sub, at(0)).await.expect("asked");
    assert_eq!(found, Some(sub));

    index.open_gap(camera, StreamKind::Sub, at(70), GapCause::Stalled).await.expect("opened");
    assert_eq!(index.open_gap_of(camera, MAIN).await.expect("asked"), None);
    assert_eq!(index.gaps_in(camera, MAIN, everything).await.expect("listed"), []);
}

/// Segments with next to nothing between them are one stretch, cut at the range.
pub async fn timelines_join(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut segments = [
        segment(camera, 0, 60, SegmentState::Closed),
        segment(camera, 60, 120, SegmentState::Suspect),
        segment(camera, 120, 180, SegmentState::Closed),
        segment(camera, 200, 230, SegmentState::Recording),
    ];
    segments[1].range.start = segments[1].range.start.offset_ns(JOIN_NS);
    segments[2].range.start = segments[2].range.start.offset_ns(JOIN_NS + 1);
    for one in &segments[..3] {
        index.insert_adopted(one).await.expect("adopted");
    }
    index.open_segment(&segments[3]).await.expect("opened");
    let first = range(0, 120);
    let second = WallRange { start: segments[2].range.start, end: at(180) };
    assert_eq!(index.timeline(camera, MAIN, range(-50, 500)).await.expect("joined"), [first, second, range(200, 230)]);
    assert_eq!(index.timeline(camera, MAIN, range(30, 90)).await.expect("joined"), [range(30, 90)]);
    assert_eq!(index.timeline(camera, MAIN, range(180, 200)).await.expect("joined"), []);
}

/// A stream has at most one open gap; it closes with its length, or goes when it has none.
pub async fn gaps_open_and_close(index: &dyn Index) {
    let camera = CameraId::generate();
    assert_eq!(index.close_gap(camera, MAIN, at(0)).await.expect("nothing open"), None);
    index.open_gap(camera, MAIN, at(0), GapCause::AuthRefused).await.expect("opened");
    index.open_gap(camera, MAIN, at(0), GapCause::AuthRefused).await.expect("the same again");
    let other = index.open_gap(camera, MAIN, at(0), GapCause::Stalled).await;
    assert_eq!(refused(other), IndexErrorKind::Exists);
    let other = index.open_gap(camera, MAIN, at(5), GapCause::AuthRefused).await;
    assert_eq!(refused(other), IndexErrorKind::Exists);
    let open = Gap { camera, stream: MAIN, start: at(0), end: None, cause: GapCause::AuthRefused };
    assert_eq!(index.open_gap_of(camera, MAIN).await.expect("asked"), Some(open));

    let closed = Gap { end: Some(at(7)), ..open };
    assert_eq!(index.close_gap(camera, MAIN, at(7)).await.expect("closed"), Some(closed));
    assert_eq!(index.open_gap_of(camera, MAIN).await.expect("asked"), None);
    assert_eq!(index.gaps_in(camera, MAIN, range(0, 100)).await.expect("listed"), [closed]);

    for end in [20, 19] {
        index.open_gap(camera, MAIN, at(20), GapCause::Starting).await.expect("opened");
        assert_eq!(index.close_gap(camera, MAIN, at(end)).await.expect("removed"), None);
        assert_eq!(index.open_gap_of(camera, MAIN).await.expect("asked"), None);
    }
    assert_eq!(index.gaps_in(camera, MAIN, range(0, 100)).await.expect("listed"), [closed]);

    index.open_gap(camera, MAIN, at(0), GapCause::AuthRefused).await.expect("opened again");
    assert_eq!(index.gaps_in(camera, MAIN, range(0, 100)).await.expect("listed"), [open]);
}

/// Gaps noticed afterwards are kept; a range shows all that reach into it, however long.
pub async fn gaps_reach_into_ranges(index: &dyn Index) {
    let camera = CameraId::generate();
    let gap = |from: i64, to: Option<i64>, cause: GapCause| Gap {
        camera,
        stream: MAIN,
        start: at(from),
        end: to.map(at),
        cause,
    };
    let week = gap(0, Some(604_800), GapCause::CameraUnreachable);
    let inside = gap(100, Some(101), GapCause::RecorderDown);
    let loss = gap(100, Some(103), GapCause::PacketLoss);
    let lasting = gap(700_000, None, GapCause::DiskFull);
    for one in [lasting, inside, week, loss] {
        index.insert_gap(&one).await.expect("inserted");
    }
    index.insert_gap(&gap(50, Some(50), GapCause::Stalled)).await.expect("left out");
    let reversed = index.insert_gap(&gap(50, Some(49), GapCause::Stalled)).await;
    assert_eq!(refused(reversed), IndexErrorKind::Invalid);

    let listed = async |from: i64, to: i64| index.gaps_in(camera, MAIN, range(from, to)).await.expect("listed");
    assert_eq!(listed(0, 800_000).await, [week, loss, inside, lasting]);
    assert_eq!(listed(101, 102).await, [week, loss]);
    assert_eq!(listed(500_000, 500_001).await, [week]);
    assert_eq!(listed(604_800, 700_000).await, []);
    assert_eq!(listed(9_000_000, 9_000_001).await, [lasting]);
    assert_eq!(index.open_gap_of(camera, MAIN).await.expect("asked"), Some(lasting));

    // Told twice, the longer one is kept; told an end, the open one still lasts.
    index.insert_gap(&gap(100, Some(102), GapCause::RecorderDown)).await.expect("longer");
    index.insert_gap(&gap(100, Some(101), GapCause::RecorderDown)).await.expect("shorter");
    assert_eq!(listed(101, 102).await.last(), Some(&gap(100, Some(102), GapCause::RecorderDown)));
    index.insert_gap(&gap(700_000, Some(700_001), GapCause::DiskFull)).await.expect("told an end");
    assert_eq!(index.open_gap_of(camera, MAIN).await.expect("asked"), Some(lasting));
    let every = GapCause::ALL.into_iter().zip(0_i64..);
    let alone = CameraId::generate();
    for (cause, second) in every {
        let one = Gap { camera: alone, ..gap(second, Some(second + 1), cause) };
        index.insert_gap(&one).await.expect("inserted");
        let moment = WallRange { start: at(second), end: at(second).offset_ns(SECOND) };
        assert_eq!(index.gaps_in(alone, MAIN, moment).await.expect("listed"), [one]);
    }
}
