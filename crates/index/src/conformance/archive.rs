//! Promises about deletion, holds, retention and damage.

use minhbach_model::{
    CameraId, Damage, DamageKind, DeletionReason, Hold, HoldId, Release, Retention, RetentionScope, Segment,
    SegmentState, StreamKind, Tier, WallTime,
};

use super::{at, range, refused, segment};
use crate::{DeletionFilter, Index, IndexErrorKind};

fn hold(cameras: Vec<CameraId>, from: i64, to: i64, expires: Option<WallTime>) -> Hold {
    Hold {
        id: HoldId::generate(),
        cameras,
        range: range(from, to),
        reason: "phản ánh".to_owned(),
        case_code: "PA-7".to_owned(),
        owner: "Bàn 1".to_owned(),
        created: at(0),
        expires,
        release: None,
    }
}

async fn adopt(index: &dyn Index, camera: CameraId, from: i64) -> Segment {
    let adopted = segment(camera, from, from + 60, SegmentState::Closed);
    index.insert_adopted(&adopted).await.expect("adopted");
    adopted
}

/// A marked segment is in the journal and in no other answer; its row goes when it is forgotten, and its key stays taken
/// until then.
pub async fn deletions_are_marked_journaled_and_forgotten(index: &dyn Index) {
    let camera = CameraId::generate();
    let (old, young) = (adopt(index, camera, 0).await, adopt(index, camera, 60).await);
    let deletable = index.deletable(camera, StreamKind::Main, at(60), at(1000), 10).await.expect("an answer");
    assert_eq!(deletable, std::slice::from_ref(&old), "what ends at the limit, and no more");
    let keys = [old.key.clone(), "unknown".to_owned()];
    let marked = index.mark_for_deletion(&keys, DeletionReason::Expired, at(1000)).await.expect("marked");
    assert_eq!(marked, std::slice::from_ref(&old));
    let again = index.mark_for_deletion(&keys, DeletionReason::Expired, at(1001)).await.expect("an answer");
    assert_eq!(again, [], "marked already");

    assert_eq!(index.segment_by_key(&old.key).await.expect("an answer"), None);
    let found = index.segments_in(camera, StreamKind::Main, range(0, 100), None, 10).await.expect("an answer");
    assert_eq!(found, std::slice::from_ref(&young));
    assert_eq!(index.totals().await.expect("an answer").segments, 1);
    let since = index.recorded_since().await.expect("an answer");
    assert_eq!(since.iter().map(|s| (s.camera, s.oldest)).collect::<Vec<_>>(), [(camera, at(60))]);
    assert_eq!(refused(index.insert_adopted(&old).await), IndexErrorKind::Exists);
    assert_eq!(index.marked(10).await.expect("an answer"), std::slice::from_ref(&old));

    let journal = |filter| async move { index.deletions(&filter, None, 10).await.expect("an answer") };
    let entries = journal(DeletionFilter { camera: Some(camera), ..DeletionFilter::default() }).await;
    assert_eq!(entries.iter().map(|e| (&e.key, e.at)).collect::<Vec<_>>(), [(&old.key, at(1000))]);
    assert_eq!(journal(DeletionFilter { range: Some(range(60, 90)), camera: None }).await, []);

    assert_eq!(index.forget(&[old.key.clone(), young.key.clone()]).await.expect("forgotten"), 1, "only what is marked");
    assert_eq!(index.marked(10).await.expect("an answer"), []);
    assert_eq!(journal(DeletionFilter::default()).await.len(), 1, "the journal outlives the footage");
    index.insert_adopted(&old).await.expect("its key is free again");
}

/// A hold wins over every deletion while it stands: what shares an instant with it is neither offered nor marked.
pub async fn holds_win(index: &dyn Index) {
    let (camera, other) = (CameraId::generate(), CameraId::generate());
    let (first, second) = (adopt(index, camera, 0).await, adopt(index, camera, 60).await);
    let elsewhere = adopt(index, other, 0).await;
    let held = hold(vec![camera], 119, 120, Some(at(5000)));
    index.insert_hold(&held).await.expect("placed");
    let all = [first.key.clone(), second.key.clone(), elsewhere.key.clone()];
    let offered =
        |now| async move { index.deletable(camera, StreamKind::Main, at(9999), now, 10).await.expect("an answer") };
    assert_eq!(offered(at(4999)).await, std::slice::from_ref(&first));
    assert_eq!(offered(at(5000)).await, [first.clone(), second.clone()], "the hold has ended");
    assert_eq!(index.held_bytes(at(4999)).await.expect("an answer"), second.bytes);

    let marked = index.mark_for_deletion(&all, DeletionReason::DiskFull, at(4999)).await.expect("marked");
    let mut keys: Vec<String> = marked.into_iter().map(|segment| segment.key).collect();
    keys.sort();
    let mut expected = vec![first.key, elsewhere.key];
    expected.sort();
    assert_eq!(keys, expected);

    let release = Release { at: at(100), by: "Bàn 2".to_owned(), reason: "xong".to_owned() };
    let released = index.release_hold(held.id, &release).await.expect("released");
    assert_eq!(released.release, Some(release.clone()));
    assert_eq!(refused(index.release_hold(held.id, &release).await), IndexErrorKind::Conflict);
    assert_eq!(offered(at(101)).await, std::slice::from_ref(&second));
    assert_eq!(index.holds(None, Some(camera)).await.expect("an answer"), [released]);
    assert_eq!(index.holds(Some(at(101)), None).await.expect("an answer"), []);
}

/// Holds that say nothing are refused; those that are there come back as given.
pub async fn holds_refuse_nonsense(index: &dyn Index) {
    let camera = CameraId::generate();
    for bad in [hold(vec![], 0, 1, None), hold(vec![camera, camera], 0, 1, None), hold(vec![camera], 1, 1, None)] {
        assert_eq!(refused(index.insert_hold(&bad).await), IndexErrorKind::Invalid);
    }
    let good = hold(vec![CameraId::generate(), camera], 0, 1, None);
    index.insert_hold(&good).await.expect("placed");
    assert_eq!(refused(index.insert_hold(&good).await), IndexErrorKind::Exists);
    assert_eq!(index.hold(good.id).await.expect("found"), good);
    assert_eq!(refused(index.hold(HoldId::generate()).await), IndexErrorKind::NotFound);
}

/// What is being recorded is never offered nor marked; the way into the archive is noted once and for closed ones only.
pub async fn segments_move_into_the_archive(index: &dyn Index) {
    let camera = CameraId::generate();
    let closed = adopt(index, camera, 0).await;
    let mut open = segment(camera, 60, 60, SegmentState::Recording);
    open.bytes = 0;
    (open.video_samples, open.audio_samples) = (0, 0);
    index.open_segment(&open).await.expect("opened");
    assert_eq!(index.spooled(None, 10).await.expect("an answer"), std::slice::from_ref(&closed));
    assert_eq!(refused(index.set_archived(&open.key).await), IndexErrorKind::NotFound);
    let marked = index
        .mark_for_deletion(std::slice::from_ref(&open.key), DeletionReason::DiskFull, at(90))
        .await
        .expect("an answer");
    assert_eq!(marked, []);
    for _ in 0..2 {
        index.set_archived(&closed.key).await.expect("noted");
    }
    assert_eq!(index.spooled(None, 10).await.expect("an answer"), []);
    let found = index.segment_by_key(&closed.key).await.expect("an answer").expect("it is there");
    assert_eq!(found, Segment { tier: Tier::Archive, ..closed.clone() });
    index.set_suspect(&closed.key).await.expect("noted");
    let found = index.segment_by_key(&closed.key).await.expect("an answer").expect("it is there");
    assert_eq!(found.state, SegmentState::Suspect);
    let all = index.segments_by_key(None, 10).await.expect("an answer");
    assert_eq!(all.len(), 2);
    let rest = index.segments_by_key(Some(&all[0].key), 10).await.expect("an answer");
    assert_eq!(rest, all[1..]);
}

/// Damage is noted once and found by its range.
pub async fn damage_is_noted(index: &dyn Index) {
    let camera = CameraId::generate();
    let hurt = adopt(index, camera, 0).await;
    let damage = |kind, found| Damage {
        segment: hurt.id,
        camera,
        stream: StreamKind::Main,
        range: range(10, 11),
        kind,
        found: at(found),
    };
    index.insert_damage(&damage(DamageKind::Altered, 100)).await.expect("noted");
    index.insert_damage(&damage(DamageKind::Altered, 200)).await.expect("noted already");
    let find =
        |from, to| async move { index.damages_in(camera, StreamKind::Main, range(from, to)).await.expect("an answer") };
    assert_eq!(find(0, 60).await, [damage(DamageKind::Altered, 100)], "the first note stays");
    assert_eq!(find(11, 60).await, []);
    assert_eq!(index.damaged_segments().await.expect("an answer"), 1);
}

/// Retention is said, said anew and unsaid, by scope; an impossible one is refused.
pub async fn retention_is_said_and_unsaid(index: &dyn Index) {
    let camera = RetentionScope::Camera(CameraId::generate());
    let kept = |min_days, max_days| Retention { min_days, max_days };
    index.set_retention(RetentionScope::Default, Some(kept(30, None))).await.expect("said");
    index.set_retention(camera, Some(kept(5, Some(7)))).await.expect("said");
    index.set_retention(camera, Some(kept(90, Some(90)))).await.expect("said anew");
    assert_eq!(refused(index.set_retention(camera, Some(kept(8, Some(7)))).await), IndexErrorKind::Invalid);
    let said = index.retentions().await.expect("an answer");
    assert_eq!(said, [(RetentionScope::Default, kept(30, None)), (camera, kept(90, Some(90)))]);
    index.set_retention(camera, None).await.expect("unsaid");
    assert_eq!(index.retentions().await.expect("an answer").len(), 1);
}
