//! Promises about the archive, deletion and its journal, and damage.

use minhbach_model::{
    CameraId, Damage, DamageKind, Deletion, DeletionReason, Hold, Segment, SegmentState, StreamKind, Tier, WallTime,
};

use super::holds::hold;
use super::{at, range, refused, segment};
use crate::{DeletionFilter, Index, IndexErrorKind, RecordedSince, SegmentTotals};

const MAIN: StreamKind = StreamKind::Main;
const SUB: StreamKind = StreamKind::Sub;
const CLOSED: SegmentState = SegmentState::Closed;

async fn adopt(index: &dyn Index, segments: &[&Segment]) {
    for segment in segments {
        index.insert_adopted(segment).await.expect("adopted");
    }
}

async fn mark(index: &dyn Index, segments: &[&Segment], second: i64) -> Vec<Segment> {
    let keys = keys(segments);
    let mut marked = index.mark_for_deletion(&keys, DeletionReason::Expired, at(second)).await.expect("marked");
    marked.sort_by_key(|segment| (segment.range.start, segment.id));
    marked
}

fn keys(segments: &[&Segment]) -> Vec<String> {
    segments.iter().map(|segment| segment.key.clone()).collect()
}

fn damage(segment: &Segment, from: i64, to: i64, kind: DamageKind) -> Damage {
    let (camera, stream) = (segment.camera, segment.stream);
    Damage { segment: segment.id, camera, stream, range: range(from, to), kind, found: at(9000) }
}

/// A segment keeps the tier it was found in; one that is opened is in the spool.
pub async fn tiers_are_kept(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut archived = segment(camera, 0, 60, CLOSED);
    archived.tier = Tier::Archive;
    let spooled = segment(camera, 60, 120, CLOSED);
    adopt(index, &[&archived, &spooled]).await;
    let listed = index.segments_in(camera, MAIN, range(0, 120), None, 10).await.expect("listed");
    assert_eq!(listed, [archived, spooled]);
    let mut opened = segment(camera, 120, 120, SegmentState::Recording);
    opened.tier = Tier::Archive;
    assert_eq!(refused(index.open_segment(&opened).await), IndexErrorKind::Invalid);
    opened.tier = Tier::Spool;
    index.open_segment(&opened).await.expect("opened");
    assert_eq!(index.recording_segments().await.expect("listed"), [opened]);
}

/// What waits in the spool comes by its end, page by page, and leaves when it is in the archive.
pub async fn segments_reach_the_archive(index: &dyn Index) {
    let camera = CameraId::generate();
    // By end: `long` ends last though it starts first. Of other streams and cameras too.
    let long = segment(camera, 0, 500, CLOSED);
    let mut suspect = segment(camera, 100, 160, SegmentState::Suspect);
    suspect.stream = SUB;
    let other = segment(CameraId::generate(), 100, 160, CLOSED);
    let early = segment(CameraId::generate(), 20, 80, CLOSED);
    let mut archived = segment(camera, 600, 660, CLOSED);
    archived.tier = Tier::Archive;
    let recording = segment(camera, 700, 760, SegmentState::Recording);
    adopt(index, &[&long, &other, &suspect, &early, &archived]).await;
    index.open_segment(&recording).await.expect("opened");
    let mut waiting = vec![long.clone(), suspect, other, early.clone()];
    waiting.sort_by_key(|segment| (segment.range.end, segment.id));

    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = index.spooled(after, 2).await.expect("listed");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some((last.range.end, last.id));
        paged.extend(page);
    }
    assert_eq!(paged, waiting);
    assert_eq!(index.spooled(None, 0).await.expect("listed"), []);

    index.set_archived(&early.key).await.expect("noted");
    index.set_archived(&early.key).await.expect("noted already");
    assert_eq!(index.spooled(None, 10).await.expect("listed"), &waiting[1..]);
    let kept = index.segment_by_key(&early.key).await.expect("asked").expect("found");
    assert_eq!(kept, Segment { tier: Tier::Archive, ..early });
    assert_eq!(index.totals().await.expect("summed"), SegmentTotals { segments: 6, bytes: 6000 });

    assert_eq!(refused(index.set_archived("v1/nothing").await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.set_archived(&recording.key).await), IndexErrorKind::NotFound);
    assert_eq!(mark(index, &[&long], 9000).await, std::slice::from_ref(&long));
    assert_eq!(refused(index.set_archived(&long.key).await), IndexErrorKind::NotFound);
    assert_eq!(index.marked(10).await.expect("listed"), [long]);
    assert_eq!(index.spooled(None, 10).await.expect("listed"), &waiting[1..3]);
}

/// A closed segment that is not what was recorded becomes suspect and nothing else about it changes.
pub async fn suspects_are_noted(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut good = segment(camera, 0, 60, CLOSED);
    good.tier = Tier::Archive;
    let recording = segment(camera, 60, 120, SegmentState::Recording);
    adopt(index, &[&good]).await;
    index.open_segment(&recording).await.expect("opened");
    index.set_suspect(&good.key).await.expect("noted");
    index.set_suspect(&good.key).await.expect("noted already");
    let suspect = Segment { state: SegmentState::Suspect, ..good };
    assert_eq!(index.segment_by_key(&suspect.key).await.expect("asked"), Some(suspect.clone()));
    assert_eq!(refused(index.set_suspect("v1/nothing").await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.set_suspect(&recording.key).await), IndexErrorKind::NotFound);
    assert_eq!(index.recording_segments().await.expect("listed"), [recording]);
    mark(index, &[&suspect], 9000).await;
    assert_eq!(refused(index.set_suspect(&suspect.key).await), IndexErrorKind::NotFound);
}

/// A suspect segment in the spool becomes closed and nothing else about it changes, unless it is noted as damaged.
pub async fn suspects_are_cleared(index: &dyn Index) {
    let camera = CameraId::generate();
    let suspect = |from| segment(camera, from, from + 60, SegmentState::Suspect);
    let (cut, damaged, mut archived, gone) = (suspect(0), suspect(60), suspect(120), suspect(180));
    archived.tier = Tier::Archive;
    let recording = segment(camera, 240, 300, SegmentState::Recording);
    adopt(index, &[&cut, &damaged, &archived, &gone]).await;
    index.open_segment(&recording).await.expect("opened");
    index.insert_damage(&damage(&damaged, 60, 70, DamageKind::Altered)).await.expect("noted");
    mark(index, &[&gone], 9000).await;
    for _ in 0..2 {
        index.clear_suspect(&cut.key).await.expect("cleared, and cleared already");
    }
    for key in keys(&[&damaged, &archived, &gone, &recording]).iter().map(String::as_str).chain(["v1/nothing"]) {
        assert_eq!(refused(index.clear_suspect(key).await), IndexErrorKind::NotFound, "{key}");
    }
    let rows = index.segments_by_key(None, 10).await.expect("listed");
    let mut expected = vec![Segment { state: CLOSED, ..cut }, damaged, archived, recording];
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(rows, expected);
}

/// Each recorded stream is told once with the start of its oldest segment, by camera and stream.
pub async fn recording_begins_at_the_oldest(index: &dyn Index) {
    assert_eq!(index.recorded_since().await.expect("listed"), []);
    let (first, second) = (CameraId::generate(), CameraId::generate());
    let sub = |camera, from: i64, state| Segment { stream: SUB, ..segment(camera, from, from + 60, state) };
    let oldest = segment(first, 0, 60, CLOSED);
    let later = segment(first, 60, 120, SegmentState::Suspect);
    let only = sub(second, 30, CLOSED);
    adopt(index, &[&later, &oldest, &only, &sub(second, 90, CLOSED), &segment(second, 500, 560, CLOSED)]).await;
    index.open_segment(&sub(first, 700, SegmentState::Recording)).await.expect("opened");
    let since = |camera, stream, second| RecordedSince { camera, stream, oldest: at(second) };
    let listed = index.recorded_since().await.expect("listed");
    assert_eq!(
        listed,
        [since(first, MAIN, 0), since(first, SUB, 700), since(second, MAIN, 500), since(second, SUB, 30)]
    );

    mark(index, &[&oldest, &only], 9000).await;
    let listed = index.recorded_since().await.expect("listed");
    assert_eq!(
        listed,
        [since(first, MAIN, 60), since(first, SUB, 700), since(second, MAIN, 500), since(second, SUB, 90)]
    );
    mark(index, &[&later], 9000).await;
    let listed = index.recorded_since().await.expect("listed");
    assert_eq!(listed, [since(first, SUB, 700), since(second, MAIN, 500), since(second, SUB, 90)]);
}

/// What may be deleted: closed, ended in time, of that stream, not held, by start.
pub async fn expired_footage_is_deletable(index: &dyn Index) {
    let camera = CameraId::generate();
    let first = segment(camera, 0, 60, CLOSED);
    let mut suspect = segment(camera, 60, 120, SegmentState::Suspect);
    suspect.tier = Tier::Archive;
    let held = segment(camera, 120, 180, CLOSED);
    let last = segment(camera, 180, 240, CLOSED);
    let late = segment(camera, 240, 300, CLOSED);
    let mut sub = segment(camera, 0, 60, CLOSED);
    sub.stream = SUB;
    adopt(index, &[&late, &last, &held, &suspect, &first, &sub, &segment(CameraId::generate(), 0, 60, CLOSED)]).await;
    index.open_segment(&segment(camera, 10, 20, SegmentState::Recording)).await.expect("opened");
    // It only touches its neighbours, and ends by itself.
    let standing = Hold { expires: Some(at(10_000)), ..hold(&[camera], 120, 180) };
    index.insert_hold(&standing).await.expect("inserted");

    let deletable = async |before: WallTime, now: i64, limit: u32| {
        index.deletable(camera, MAIN, before, at(now), limit).await.expect("listed")
    };
    assert_eq!(deletable(at(240), 9999, 10).await, [first.clone(), suspect.clone(), last.clone()]);
    assert_eq!(deletable(at(240).offset_ns(-1), 9999, 10).await, [first.clone(), suspect.clone()]);
    assert_eq!(deletable(at(240), 9999, 1).await, std::slice::from_ref(&first));
    assert_eq!(deletable(at(240), 9999, 0).await, []);
    assert_eq!(deletable(at(0), 9999, 10).await, []);
    assert_eq!(deletable(at(240), 10_000, 10).await, [first.clone(), suspect, held, last]);
    let listed = index.deletable(camera, SUB, at(240), at(9999), 10).await.expect("listed");
    assert_eq!(listed, [sub]);
    mark(index, &[&first], 9000).await;
    assert!(!deletable(at(240), 10_000, 10).await.contains(&first));
}

/// A marked segment is in no other answer, its key stays taken until it is forgotten, and nothing is marked twice.
pub async fn marked_segments_are_gone(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut gone = segment(camera, 0, 60, SegmentState::Suspect);
    gone.tier = Tier::Archive;
    let stays = segment(camera, 60, 120, CLOSED);
    let recording = segment(camera, 120, 180, SegmentState::Recording);
    adopt(index, &[&gone, &stays]).await;
    index.open_segment(&recording).await.expect("opened");
    index.insert_damage(&damage(&gone, 10, 11, DamageKind::Altered)).await.expect("noted");
    assert_eq!(index.marked(10).await.expect("listed"), []);

    let mut unknown = gone.clone();
    "v1/nothing".clone_into(&mut unknown.key);
    let marked = mark(index, &[&unknown, &recording, &gone, &gone], 9000).await;
    assert_eq!(marked, std::slice::from_ref(&gone));
    assert_eq!(mark(index, &[&gone], 9001).await, []);
    assert_eq!(mark(index, &[], 9001).await, []);
    assert_eq!(index.marked(10).await.expect("listed"), std::slice::from_ref(&gone));
    assert_eq!(index.marked(0).await.expect("listed"), []);

    let everything = range(-1000, 10_000);
    let listed = index.segments_in(camera, MAIN, everything, None, 10).await.expect("listed");
    assert_eq!(listed, [stays.clone(), recording.clone()]);
    let found = index.segment_at_or_after(camera, MAIN, at(0)).await.expect("asked");
    assert_eq!(found, Some(stays.clone()));
    assert_eq!(index.segment_by_key(&gone.key).await.expect("asked"), None);
    assert_eq!(index.timeline(camera, MAIN, everything).await.expect("joined"), [range(60, 180)]);
    assert_eq!(index.totals().await.expect("summed"), SegmentTotals { segments: 2, bytes: 2000 });
    assert_eq!(index.spooled(None, 10).await.expect("listed"), std::slice::from_ref(&stays));
    assert_eq!(index.segments_by_key(None, 10).await.expect("listed").len(), 2);
    assert_eq!(index.recorded_since().await.expect("listed")[0].oldest, at(60));
    let listed = index.deletable(camera, MAIN, at(120), at(9000), 10).await.expect("listed");
    assert_eq!(listed, std::slice::from_ref(&stays));
    assert_eq!(index.damages_in(camera, MAIN, everything).await.expect("listed"), []);
    assert_eq!(index.damaged_segments().await.expect("counted"), 0);
    // Too late for it, and in time for the others.
    index.insert_hold(&hold(&[camera], 0, 1000)).await.expect("inserted");
    assert_eq!(index.held_bytes(at(9000)).await.expect("summed"), 2000);

    assert_eq!(refused(index.insert_adopted(&gone).await), IndexErrorKind::Exists);
    let again = Segment { state: SegmentState::Recording, tier: Tier::Spool, ..gone.clone() };
    assert_eq!(refused(index.open_segment(&again).await), IndexErrorKind::Exists);
    assert_eq!(index.forget(&keys(&[&stays, &unknown])).await.expect("passed over"), 0);
    assert_eq!(index.forget(&keys(&[&gone, &stays, &gone])).await.expect("forgotten"), 1);
    assert_eq!(index.forget(&[]).await.expect("nothing to do"), 0);
    assert_eq!(index.marked(10).await.expect("listed"), []);
    let listed = index.segments_in(camera, MAIN, everything, None, 10).await.expect("listed");
    assert_eq!(listed, [stays, recording]);
    // Its damage went with it: it does not come back when the file does.
    adopt(index, &[&gone]).await;
    assert_eq!(index.damages_in(camera, MAIN, everything).await.expect("listed"), []);

    // Where everything is gone, nothing was recorded.
    let alone = segment(CameraId::generate(), 0, 60, CLOSED);
    adopt(index, &[&alone]).await;
    mark(index, &[&alone], 9000).await;
    assert_eq!(index.last_recorded_end(alone.camera, MAIN).await.expect("asked"), None);
}

/// Every deletion is in the journal, newest first, also when the segment is forgotten and when told again.
pub async fn deletions_are_journalled(index: &dyn Index) {
    let (one, two) = (CameraId::generate(), CameraId::generate());
    let mut first = segment(one, 0, 60, SegmentState::Suspect);
    first.stream = SUB;
    let second = segment(two, 60, 120, CLOSED);
    let third = segment(one, 120, 180, CLOSED);
    adopt(index, &[&first, &second, &third]).await;
    mark(index, &[&first, &second], 9000).await;
    let full = index.mark_for_deletion(&keys(&[&third]), DeletionReason::DiskFull, at(8000)).await;
    assert_eq!(full.expect("marked").len(), 1);
    index.forget(&keys(&[&first, &third])).await.expect("forgotten");

    let entry = |segment: &Segment, at, reason| Deletion {
        segment: segment.id,
        camera: segment.camera,
        stream: segment.stream,
        range: segment.range,
        key: segment.key.clone(),
        bytes: 1000,
        at,
        reason,
    };
    let mut journal = vec![
        entry(&first, at(9000), DeletionReason::Expired),
        entry(&second, at(9000), DeletionReason::Expired),
        entry(&third, at(8000), DeletionReason::DiskFull),
        // From the copy on a disk: the index knows no such segment.
        entry(&segment(one, 600, 660, CLOSED), at(8500), DeletionReason::Expired),
    ];
    index.insert_deletion(&journal[3]).await.expect("told");
    for known in &journal {
        index.insert_deletion(known).await.expect("told again");
    }
    journal.sort_by_key(|deletion| std::cmp::Reverse((deletion.at, deletion.segment)));

    let everything = DeletionFilter::default();
    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = index.deletions(&everything, before, 1).await.expect("listed");
        assert!(page.len() <= 1);
        let Some(last) = page.last() else { break };
        before = Some((last.at, last.segment));
        paged.extend(page);
    }
    assert_eq!(paged, journal);
    assert_eq!(index.deletions(&everything, None, 0).await.expect("listed"), []);

    let starts = async |filter: DeletionFilter, before| {
        let listed = index.deletions(&filter, before, 10).await.expect("listed");
        listed.into_iter().map(|deletion| deletion.range.start).collect::<Vec<_>>()
    };
    let of_one = DeletionFilter { camera: Some(one), ..everything };
    assert_eq!(starts(of_one, None).await, [at(0), at(600), at(120)]);
    assert_eq!(starts(of_one, Some((at(9000), first.id))).await, [at(600), at(120)]);
    // The first ends where the range begins, the third begins where it ends.
    assert_eq!(starts(DeletionFilter { range: Some(range(60, 120)), ..everything }, None).await, [at(60)]);
    assert_eq!(starts(DeletionFilter { range: Some(range(59, 61)), ..of_one }, None).await, [at(0)]);
    assert_eq!(starts(DeletionFilter { camera: Some(CameraId::generate()), ..everything }, None).await, []);
}

/// All segments come in the order of their keys, page by page.
pub async fn keys_page(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut all = Vec::new();
    // By code point: capitals before small letters, and letters with marks after both.
    for (key, minute) in ["v1/b", "v1/B", "v1/ă", "v1/a/b", "v1/a-b", "v1/a"].into_iter().zip(0_i64..) {
        let mut one = segment(camera, minute * 60, minute * 60 + 60, CLOSED);
        key.clone_into(&mut one.key);
        all.push(one);
    }
    all[1].tier = Tier::Archive;
    all[2].state = SegmentState::Suspect;
    all[5].state = SegmentState::Recording;
    let (recording, closed) = all.split_last().expect("there are some");
    adopt(index, &closed.iter().collect::<Vec<_>>()).await;
    index.open_segment(recording).await.expect("opened");
    all.sort_by_cached_key(|one| one.key.clone());

    let mut paged: Vec<Segment> = Vec::new();
    loop {
        let after = paged.last().map(|segment| segment.key.clone());
        let page = index.segments_by_key(after.as_deref(), 4).await.expect("listed");
        assert!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(index.segments_by_key(None, 0).await.expect("listed"), []);
    assert_eq!(index.segments_by_key(Some("v1/a."), 1).await.expect("listed"), &all[3..4]);
}

/// Damage is found by its range, counted by segment, and first noted counts.
pub async fn damage_is_noted(index: &dyn Index) {
    let camera = CameraId::generate();
    let one = segment(camera, 0, 60, SegmentState::Suspect);
    let two = segment(camera, 60, 120, SegmentState::Suspect);
    let mut sub = segment(camera, 0, 60, SegmentState::Suspect);
    sub.stream = SUB;
    adopt(index, &[&one, &two, &sub]).await;
    assert_eq!(index.damaged_segments().await.expect("counted"), 0);
    let noted = [
        damage(&one, 10, 11, DamageKind::Altered),
        damage(&one, 50, 60, DamageKind::Truncated),
        damage(&two, 60, 120, DamageKind::Missing),
    ];
    for damage in noted.iter().rev() {
        index.insert_damage(damage).await.expect("noted");
    }
    index.insert_damage(&damage(&sub, 10, 11, DamageKind::Altered)).await.expect("noted");
    let again = Damage { found: at(9999), ..damage(&one, 10, 11, DamageKind::Missing) };
    index.insert_damage(&again).await.expect("noted already");

    let listed = async |from, to| index.damages_in(camera, MAIN, range(from, to)).await.expect("listed");
    assert_eq!(listed(0, 1000).await, noted);
    assert_eq!(listed(11, 50).await, []);
    assert_eq!(listed(10, 51).await, &noted[..2]);
    assert_eq!(listed(119, 500).await, &noted[2..]);
    assert_eq!(index.damaged_segments().await.expect("counted"), 3);
    mark(index, &[&one], 9000).await;
    assert_eq!(listed(0, 1000).await, &noted[2..]);
    assert_eq!(index.damaged_segments().await.expect("counted"), 2);
}
