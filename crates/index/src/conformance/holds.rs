//! Promises about holds, above all that what is held is never deleted.

use std::collections::BTreeMap;

use minhbach_model::{
    CameraId, DeletionReason, Hold, HoldId, Release, Segment, SegmentState, StreamKind, WallRange, WallTime,
};

use super::{at, range, refused, segment};
use crate::{Index, IndexErrorKind};

const MAIN: StreamKind = StreamKind::Main;

/// A hold without an end.
pub(super) fn hold(cameras: &[CameraId], from: i64, to: i64) -> Hold {
    Hold {
        id: HoldId::generate(),
        cameras: cameras.to_vec(),
        range: range(from, to),
        reason: "Phản ánh về thái độ tiếp dân".to_owned(),
        case_code: "PA-2026-7".to_owned(),
        owner: "Trạm giám sát số 2".to_owned(),
        created: at(0),
        expires: None,
        release: None,
    }
}

fn release(second: i64) -> Release {
    Release { at: at(second), by: "Trạm giám sát số 1".to_owned(), reason: "Đã kết luận".to_owned() }
}

/// A hold is kept whole, listed newest first and by what is asked, released once, and stays listed.
pub async fn holds_are_kept_and_released(index: &dyn Index) {
    let (low, high) = (CameraId::generate(), CameraId::generate());
    // Not in the order of their ids: the order is the author's.
    let both = hold(&[high, low], 0, 60);
    let ending = Hold { created: at(50), expires: Some(at(1000)), ..hold(&[low], 0, 60) };
    let twin = Hold { created: at(50), case_code: String::new(), ..hold(&[high], 30, 31) };
    let past = Hold { created: at(10), release: Some(release(20)), ..hold(&[low], 0, 1) };
    for one in [&both, &ending, &twin, &past] {
        index.insert_hold(one).await.expect("inserted");
        assert_eq!(index.hold(one.id).await.expect("found"), *one);
    }
    assert_eq!(refused(index.insert_hold(&both).await), IndexErrorKind::Exists);
    assert_eq!(refused(index.hold(HoldId::generate()).await), IndexErrorKind::NotFound);

    let listed = async |standing: Option<i64>, camera| index.holds(standing.map(at), camera).await.expect("listed");
    // Made at the same time, the later id comes first.
    assert_eq!(listed(None, None).await, [twin.clone(), ending.clone(), past.clone(), both.clone()]);
    assert_eq!(listed(Some(999), None).await, [twin.clone(), ending.clone(), both.clone()]);
    assert_eq!(listed(Some(1000), None).await, [twin.clone(), both.clone()]);
    assert_eq!(listed(None, Some(low)).await, [ending.clone(), past.clone(), both.clone()]);
    assert_eq!(listed(Some(1000), Some(low)).await, std::slice::from_ref(&both));
    assert_eq!(listed(None, Some(CameraId::generate())).await, []);

    let released = Hold { release: Some(release(500)), ..both.clone() };
    assert_eq!(index.release_hold(both.id, &release(500)).await.expect("released"), released);
    assert_eq!(index.hold(both.id).await.expect("found"), released);
    assert_eq!(refused(index.release_hold(both.id, &release(600)).await), IndexErrorKind::Conflict);
    assert_eq!(refused(index.release_hold(past.id, &release(600)).await), IndexErrorKind::Conflict);
    assert_eq!(refused(index.release_hold(HoldId::generate(), &release(600)).await), IndexErrorKind::NotFound);
    assert_eq!(listed(None, None).await, [twin.clone(), ending, past, released]);
    assert_eq!(listed(Some(1000), None).await, [twin]);
}

/// A hold of no camera, of one twice or of no time is refused and nothing of it is kept.
pub async fn holds_refuse_nonsense(index: &dyn Index) {
    let camera = CameraId::generate();
    let mut reversed = hold(&[camera], 0, 60);
    std::mem::swap(&mut reversed.range.start, &mut reversed.range.end);
    for broken in [hold(&[], 0, 60), hold(&[camera, camera], 0, 60), hold(&[camera], 60, 60), reversed] {
        assert_eq!(refused(index.insert_hold(&broken).await), IndexErrorKind::Invalid);
    }
    assert_eq!(index.holds(None, None).await.expect("listed"), []);
}

/// A hold set after the question what may go still wins; released or past its end it holds nothing.
pub async fn holds_win(index: &dyn Index) {
    let (camera, other) = (CameraId::generate(), CameraId::generate());
    let main = segment(camera, 0, 60, SegmentState::Closed);
    let sub = Segment { stream: StreamKind::Sub, ..segment(camera, 30, 90, SegmentState::Suspect) };
    let before = segment(camera, -60, 0, SegmentState::Closed);
    let elsewhere = segment(CameraId::generate(), 0, 60, SegmentState::Closed);
    for one in [&main, &sub, &before, &elsewhere] {
        index.insert_adopted(one).await.expect("adopted");
    }
    let deletable = index.deletable(camera, MAIN, at(60), at(9000), 10).await.expect("listed");
    assert_eq!(deletable, [before.clone(), main.clone()]);
    // One instant of `main`, which its neighbour only touches, and both streams.
    let mut narrow = hold(&[other, camera], 0, 1);
    narrow.range.end = narrow.range.start.offset_ns(1);
    let ending = Hold { expires: Some(at(9500)), ..hold(&[camera], 89, 500) };
    index.insert_hold(&narrow).await.expect("inserted");
    index.insert_hold(&ending).await.expect("inserted");

    let mark = async |now: i64| {
        let keys = [&main, &sub, &before, &elsewhere].map(|segment| segment.key.clone());
        let marked = index.mark_for_deletion(&keys, DeletionReason::DiskFull, at(now)).await.expect("marked");
        let mut marked: Vec<_> = marked.into_iter().map(|segment| segment.key).collect();
        marked.sort_unstable();
        marked
    };
    let sorted = |segments: &[&Segment]| {
        let mut keys: Vec<_> = segments.iter().map(|segment| segment.key.clone()).collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(mark(9000).await, sorted(&[&before, &elsewhere]));
    assert_eq!(mark(9499).await, sorted(&[]));
    assert_eq!(index.held_bytes(at(9499)).await.expect("summed"), 2000);
    assert_eq!(mark(9500).await, sorted(&[&sub]));
    index.release_hold(narrow.id, &release(9600)).await.expect("released");
    assert_eq!(index.held_bytes(at(9600)).await.expect("summed"), 0);
    assert_eq!(mark(9600).await, sorted(&[&main]));
    assert_eq!(index.deletions(&crate::DeletionFilter::default(), None, 10).await.expect("listed").len(), 4);
}

/// Bytes under several holds, and segments that reach over two, are counted once.
pub async fn held_bytes_are_counted_once(index: &dyn Index) {
    let (one, two) = (CameraId::generate(), CameraId::generate());
    assert_eq!(index.held_bytes(at(0)).await.expect("summed"), 0);
    // Bytes that tell in the sum which of them are in it.
    let sized = |mut segment: Segment, bytes: u64| {
        segment.bytes = bytes;
        segment
    };
    let sub = Segment { stream: StreamKind::Sub, ..segment(one, 0, 60, SegmentState::Suspect) };
    for segment in [
        sized(segment(one, 0, 60, SegmentState::Closed), 1),
        sized(sub, 10),
        sized(segment(one, 60, 2000, SegmentState::Closed), 100),
        sized(segment(one, 2000, 2060, SegmentState::Closed), 1000),
        sized(segment(two, 0, 60, SegmentState::Closed), 10_000),
        sized(segment(CameraId::generate(), 0, 60, SegmentState::Closed), 100_000),
    ] {
        index.insert_adopted(&segment).await.expect("adopted");
    }
    let sum = async |second: i64| index.held_bytes(at(second)).await.expect("summed");
    index.insert_hold(&hold(&[one], 50, 70)).await.expect("inserted");
    assert_eq!(sum(100).await, 111);
    index.insert_hold(&hold(&[one], 55, 65)).await.expect("inserted");
    assert_eq!(sum(100).await, 111);
    // It shares a segment with the first and nothing else.
    index.insert_hold(&hold(&[one], 1900, 2000)).await.expect("inserted");
    assert_eq!(sum(100).await, 111);
    let ending = Hold { expires: Some(at(200)), ..hold(&[two, one], 1999, 2001) };
    index.insert_hold(&ending).await.expect("inserted");
    assert_eq!(sum(199).await, 1111);
    index.insert_hold(&hold(&[two], -10, 1)).await.expect("inserted");
    assert_eq!(sum(199).await, 11_111);
    assert_eq!(sum(200).await, 10_111);
}

/// Repeatable chance (SplitMix64).
struct Dice(u64);

impl Dice {
    /// A number from 0 to less than `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (sides as u64)).expect("less than `sides`")
    }

    fn seconds(&mut self, below: usize) -> i64 {
        i64::try_from(self.roll(below)).expect("a small number")
    }
}

/// What the index ought to know.
#[derive(Default)]
struct Known {
    cameras: Vec<CameraId>,
    /// By key, those not marked.
    segments: BTreeMap<String, Segment>,
    holds: Vec<Hold>,
}

impl Known {
    fn is_held(&self, segment: &Segment, now: WallTime) -> bool {
        self.holds.iter().any(|hold| {
            let shares = hold.range.start < segment.range.end && hold.range.end > segment.range.start;
            hold.stands(now) && hold.cameras.contains(&segment.camera) && shares
        })
    }

    /// Those closed, by start, that are held or that are not.
    fn closed(&self, held: bool, now: WallTime) -> impl Iterator<Item = &Segment> {
        self.segments.values().filter(move |one| one.state != SegmentState::Recording && self.is_held(one, now) == held)
    }
}

/// Minutes of footage of each stream in [`held_footage_is_never_deleted`].
const MINUTES: i64 = 12;

async fn known_footage(index: &dyn Index) -> Known {
    let mut known = Known { cameras: (0..3).map(|_| CameraId::generate()).collect(), ..Known::default() };
    for &camera in &known.cameras {
        for stream in StreamKind::ALL {
            for minute in 0..MINUTES {
                let last = minute == MINUTES - 1;
                let state = if last { SegmentState::Recording } else { SegmentState::Closed };
                let one = Segment { stream, ..segment(camera, minute * 60, minute * 60 + 60, state) };
                let inserted = if last { index.open_segment(&one).await } else { index.insert_adopted(&one).await };
                inserted.expect("inserted");
                known.segments.insert(one.key.clone(), one);
            }
        }
    }
    known
}

async fn hold_something(index: &dyn Index, known: &mut Known, dice: &mut Dice, now: i64) {
    let first = dice.roll(known.cameras.len());
    let cameras = &known.cameras[first..first + 1 + dice.roll(known.cameras.len() - first)];
    let from = dice.seconds(720) - 30;
    let length = 1 + dice.seconds(200);
    let expires = (dice.roll(3) > 0).then(|| at(now + 1 + dice.seconds(60)));
    let one = Hold { expires, ..hold(cameras, from, from + length) };
    index.insert_hold(&one).await.expect("inserted");
    known.holds.push(one);
}

async fn release_something(index: &dyn Index, known: &mut Known, dice: &mut Dice, now: i64) {
    let count = known.holds.len();
    if count == 0 {
        return;
    }
    let one = &mut known.holds[dice.roll(count)];
    let released = index.release_hold(one.id, &release(now)).await;
    if one.release.is_some() {
        assert_eq!(refused(released), IndexErrorKind::Conflict);
    } else {
        *one = released.expect("released");
    }
}

/// Asks for the deletion of some of everything, whether it may go or not.
async fn delete_something(index: &dyn Index, known: &mut Known, dice: &mut Dice, now: i64) {
    let mut keys = Vec::new();
    for key in known.segments.keys() {
        if dice.roll(8) == 0 {
            keys.push(key.clone());
        }
    }
    let mut expected: Vec<_> = known.closed(false, at(now)).filter(|one| keys.contains(&one.key)).cloned().collect();
    let mut marked = index.mark_for_deletion(&keys, DeletionReason::DiskFull, at(now)).await.expect("marked");
    expected.sort_by_cached_key(|one| one.key.clone());
    marked.sort_by_cached_key(|one| one.key.clone());
    assert_eq!(marked, expected);
    for one in &marked {
        known.segments.remove(&one.key);
    }
    if dice.roll(2) == 0 {
        // With keys of what was not marked among them.
        assert_eq!(index.forget(&keys).await.expect("forgotten"), marked.len() as u64);
    }
}

async fn compare(index: &dyn Index, known: &Known, now: i64) {
    for &camera in &known.cameras {
        for stream in StreamKind::ALL {
            let before = at(MINUTES * 60);
            let mut deletable = index.deletable(camera, stream, before, at(now), 1000).await.expect("listed");
            deletable.sort_by_cached_key(|one| one.key.clone());
            let of_stream = |one: &&Segment| one.camera == camera && one.stream == stream;
            let expected: Vec<_> = known.closed(false, at(now)).filter(of_stream).cloned().collect();
            assert_eq!(deletable, expected);
        }
    }
    let held = known.segments.values().filter(|one| known.is_held(one, at(now))).map(|one| one.bytes).sum::<u64>();
    assert_eq!(index.held_bytes(at(now)).await.expect("summed"), held);
    let all: Vec<_> = known.segments.values().cloned().collect();
    assert_eq!(index.segments_by_key(None, 1000).await.expect("listed"), all);
}

/// Whatever is held, released, expired and deleted in whatever order: what is held is neither offered for deletion nor
/// marked, and everything else is.
pub async fn held_footage_is_never_deleted(index: &dyn Index) {
    let mut known = known_footage(index).await;
    // The holds come first, so that there is something to lose.
    let mut dice = Dice(7);
    hold_something(index, &mut known, &mut dice, 1000).await;
    for step in 0..60 {
        let now = 1000 + step;
        match dice.roll(6) {
            0 | 1 => hold_something(index, &mut known, &mut dice, now).await,
            2 => release_something(index, &mut known, &mut dice, now).await,
            3 => delete_something(index, &mut known, &mut dice, now).await,
            _ => compare(index, &known, now).await,
        }
    }
    compare(index, &known, 1060).await;
    // Something was deleted and something still is not.
    let total = 3 * 2 * usize::try_from(MINUTES).expect("a small number");
    assert!((1..total).contains(&known.segments.len()), "{} of {total} left", known.segments.len());
    let everything = WallRange { start: at(0), end: at(MINUTES * 60) };
    let listed = index.segments_in(known.cameras[0], MAIN, everything, None, 1000).await.expect("listed");
    assert!(listed.iter().all(|one| known.segments.contains_key(&one.key)));
}
