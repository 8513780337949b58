//! The suite every backend must pass: one function a promise of the contract, run on any [`Index`].
//!
//! Each function takes a fresh, empty index and panics where a promise is broken. What belongs here: what the contract
//! says. What does not: what only one backend does (files, pragmas, plans).

mod archive;
mod footage;
mod holds;
mod incidents;
mod registry;
mod retention;

use std::fmt::Debug;

use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};

pub use archive::{
    damage_is_noted, deletions_are_journalled, expired_footage_is_deletable, keys_page, marked_segments_are_gone,
    recording_begins_at_the_oldest, segments_reach_the_archive, suspects_are_cleared, suspects_are_noted,
    tiers_are_kept,
};
pub use footage::{
    gaps_open_and_close, gaps_reach_into_ranges, segments_are_found, segments_grow_and_close,
    segments_of_streams_are_apart, segments_page, timelines_join,
};
pub use holds::{
    held_bytes_are_counted_once, held_footage_is_never_deleted, holds_are_kept_and_released, holds_refuse_nonsense,
    holds_win,
};
pub use incidents::{incidents_change, incidents_filter_and_page, incidents_refuse_nonsense};
pub use registry::{
    cameras_come_and_go, cameras_refuse_nonsense, places_form_a_tree, places_hold_what_is_in_them,
    removed_cameras_are_taken_over,
};
pub use retention::{retentions_are_kept, retentions_refuse_nonsense};

use crate::{Index, IndexError, IndexErrorKind};

/// Calls a macro with the names of all functions of the suite that take one fresh, empty index.
#[macro_export]
macro_rules! conformance_cases {
    ($run:ident) => {
        $run!(
            cameras_come_and_go,
            cameras_refuse_nonsense,
            removed_cameras_are_taken_over,
            places_form_a_tree,
            places_hold_what_is_in_them,
            segments_grow_and_close,
            segments_are_found,
            segments_page,
            segments_of_streams_are_apart,
            timelines_join,
            gaps_open_and_close,
            gaps_reach_into_ranges,
            incidents_change,
            incidents_filter_and_page,
            incidents_refuse_nonsense,
            tiers_are_kept,
            segments_reach_the_archive,
            suspects_are_noted,
            suspects_are_cleared,
            recording_begins_at_the_oldest,
            expired_footage_is_deletable,
            marked_segments_are_gone,
            deletions_are_journalled,
            keys_page,
            damage_is_noted,
            holds_are_kept_and_released,
            holds_refuse_nonsense,
            holds_win,
            held_bytes_are_counted_once,
            held_footage_is_never_deleted,
            retentions_are_kept,
            retentions_refuse_nonsense,
            closes,
        );
    };
}

const SECOND: i64 = 1_000_000_000;
/// An ordinary moment, 2026-11-24T07:00:00Z, for times counted in seconds from it.
const EPOCH_S: i64 = 1_795_503_600;

fn at(second: i64) -> WallTime {
    WallTime::from_secs(EPOCH_S + second)
}

fn range(from: i64, to: i64) -> WallRange {
    WallRange { start: at(from), end: at(to) }
}

fn segment(camera: CameraId, from: i64, to: i64, state: SegmentState) -> Segment {
    let id = SegmentId::generate();
    Segment {
        id,
        camera,
        stream: StreamKind::Main,
        range: range(from, to),
        key: format!("v1/{camera}/main/2026/11/24/{from}-{id}.mp4"),
        bytes: 1000,
        video_samples: 25,
        audio_samples: 50,
        state,
        tier: Tier::Spool,
    }
}

/// The kind of failure of a call that must fail.
fn refused<T: Debug>(result: Result<T, IndexError>) -> IndexErrorKind {
    result.expect_err("the call must fail").kind()
}

/// Two openings of one database, the first and the second, have one id and count up.
pub async fn openings_are_counted(first: &dyn Index, second: &dyn Index) {
    assert_eq!(first.database_id(), second.database_id());
    assert_eq!((first.generation(), second.generation()), (1, 2));
}

/// A closed index answers that it is unavailable and may be closed again.
pub async fn closes(index: &dyn Index) {
    index.close().await.expect("it closes");
    index.close().await.expect("it closes again");
    assert_eq!(refused(index.cameras().await), IndexErrorKind::Unavailable);
    assert_eq!(refused(index.remove_camera(CameraId::generate(), at(0)).await), IndexErrorKind::Unavailable);
}
