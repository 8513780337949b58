//! Playback: the shared playhead, the shown stretch of time, the marked range and what is known to be recorded.
//!
//! The playhead itself is a state machine of its own in `video::playhead`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use minhbach_model::{CameraId, Damage, Gap, WallRange, WallTime};

use super::timeview::TimeView;
use super::wall::{Layout, Wall};
use crate::video::playhead::Playhead;

/// Stretch shown at first.
const FIRST_SPAN_NS: i64 = 30 * 60 * 1_000_000_000;
/// How often what lies at the live edge is asked for again.
const REFRESH: Duration = Duration::from_secs(2);
/// The longest wait after a request that failed.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What is recorded of one camera in the loaded stretch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    /// Recorded stretches, in order.
    pub recorded: Vec<WallRange>,
    /// What is missing, in order.
    pub gaps: Vec<Gap>,
    /// What is not as it was recorded, by start.
    pub damages: Vec<Damage>,
    /// What is under a hold that stands, in order.
    pub held: Vec<WallRange>,
}

/// What was asked of the server last.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The cameras.
    pub cameras: Vec<CameraId>,
    /// The stretch.
    pub range: WallRange,
    /// When.
    pub at: Instant,
}

/// State of the playback page.
pub struct Playback {
    /// Shared with the players.
    pub playhead: Arc<Mutex<Playhead>>,
    /// Its wall.
    pub wall: Wall,
    /// What the timeline shows.
    pub view: TimeView,
    /// Start of the marked range.
    pub mark_in: Option<WallTime>,
    /// End of the marked range.
    pub mark_out: Option<WallTime>,
    /// What is recorded.
    pub lanes: HashMap<CameraId, Lane>,
    /// The request under way or last made.
    pub asked: Option<Asked>,
    /// Whether it is still under way.
    pub waiting: bool,
    /// Requests that failed in a row, and when the next is made.
    pub failed: Option<(u32, Instant)>,
    /// The page has been shown before.
    pub opened: bool,
}

impl Playback {
    /// A page that stands at a moment.
    #[must_use]
    pub fn new(at: WallTime) -> Self {
        Self {
            playhead: Arc::new(Mutex::new(Playhead::new(at))),
            wall: Wall::new(Layout::Four),
            view: TimeView::around(at, FIRST_SPAN_NS),
            mark_in: None,
            mark_out: None,
            lanes: HashMap::new(),
            asked: None,
            waiting: false,
            failed: None,
            opened: false,
        }
    }

    /// The playhead, locked; held only for a moment.
    pub fn head(&self) -> MutexGuard<'_, Playhead> {
        // A player that panicked cannot leave the playhead half changed: its setters do not panic between writes.
        self.playhead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the playhead is.
    #[must_use]
    pub fn position(&self, now: Instant) -> WallTime {
        self.head().position(now)
    }

    /// The marked range, whichever end was marked first.
    #[must_use]
    pub fn marked(&self) -> Option<WallRange> {
        let (a, b) = (self.mark_in?, self.mark_out?);
        WallRange::new(a.min(b), a.max(b))
    }

    /// What the timeline needs from the server now, if anything.
    #[must_use]
    pub fn wanted(&self, now: Instant, wall_now: WallTime) -> Option<(Vec<CameraId>, WallRange)> {
        let mut cameras: Vec<CameraId> = self.wall.slots().iter().flatten().copied().collect();
        cameras.sort_unstable();
        let pausing = self.failed.is_some_and(|(_, retry_at)| now < retry_at);
        if self.waiting || pausing || cameras.is_empty() {
            return None;
        }
        let shown = self.view.range();
        let due = match &self.asked {
            None => true,
            Some(asked) => {
                let covered = asked.range.start <= shown.start && shown.end <= asked.range.end;
                let live = shown.end >= wall_now && asked.at + REFRESH <= now;
                asked.cameras != cameras || !covered || live
            }
        };
        // Half as much again on both sides, so that panning does not ask at each step.
        let margin = self.view.span_ns() / 2;
        let range = WallRange { start: shown.start.offset_ns(-margin), end: shown.end.offset_ns(margin) };
        due.then_some((cameras, range))
    }

    /// A request failed: it is made again, later each time.
    pub fn fail(&mut self, now: Instant) {
        let failures = self.failed.map_or(0, |(failures, _)| failures).saturating_add(1);
        self.failed = Some((failures, now + REFRESH.saturating_mul(1 << failures.min(4)).min(RETRY_MAX)));
        self.asked = None;
    }

    /// The gap at a moment, if the camera has one there.
    #[must_use]
    pub fn cause_at(&self, camera: CameraId, at: WallTime) -> Option<Gap> {
        let lane = self.lanes.get(&camera)?;
        lane.gaps.iter().find(|gap| gap.start <= at && gap.end.is_none_or(|end| at < end)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minhbach_model::{GapCause, StreamKind};

    const SECOND: i64 = 1_000_000_000;

    fn page() -> (Playback, Instant, WallTime) {
        let at = WallTime::from_secs(1_795_000_000);
        (Playback::new(at), Instant::now(), at)
    }

    #[test]
    fn the_marked_range_has_its_ends_in_order() {
        let (mut page, _, at) = page();
        page.mark_in = Some(at.offset_ns(SECOND));
        assert_eq!(page.marked(), None);
        page.mark_out = Some(at);
        assert_eq!(page.marked(), WallRange::new(at, at.offset_ns(SECOND)));
        page.mark_out = page.mark_in;
        assert_eq!(page.marked(), None, "nothing is marked when both ends are the same");
    }

    #[test]
    fn the_server_is_asked_once_and_again_only_when_needed() {
        let (mut page, now, at) = page();
        let long_after = at.offset_ns(86_400 * SECOND);
        assert_eq!(page.wanted(now, long_after), None, "no camera, nothing to ask");
        page.wall.show(CameraId::generate());
        let Some((cameras, range)) = page.wanted(now, long_after) else { panic!("must ask") };
        page.asked = Some(Asked { cameras, range, at: now });
        assert_eq!(page.wanted(now + REFRESH, long_after), None, "the past does not change");
        assert!(page.wanted(now + REFRESH, at).is_some(), "the live edge does");
        assert_eq!(page.wanted(now, at), None, "but not at each frame");
        page.view = page.view.panned(3.0);
        assert!(page.wanted(now, long_after).is_some());
        page.waiting = true;
        assert_eq!(page.wanted(now, long_after), None, "one question at a time");
    }

    #[test]
    fn a_request_that_failed_is_made_again_later_and_later() {
        let (mut page, now, at) = page();
        page.wall.show(CameraId::generate());
        page.fail(now);
        assert_eq!(page.wanted(now + Duration::from_secs(3), at), None);
        assert!(page.wanted(now + Duration::from_secs(4), at).is_some());
        for _ in 0..9 {
            page.fail(now);
        }
        assert_eq!(page.wanted(now + Duration::from_secs(29), at), None);
        assert!(page.wanted(now + Duration::from_secs(30), at).is_some());
    }

    #[test]
    fn the_gap_under_a_moment_is_found_also_when_it_lasts() {
        let (mut page, _, at) = page();
        let camera = CameraId::generate();
        let gap = |start: i64, end: Option<i64>| Gap {
            camera,
            stream: StreamKind::Main,
            start: at.offset_ns(start * SECOND),
            end: end.map(|end| at.offset_ns(end * SECOND)),
            cause: GapCause::Stalled,
        };
        page.lanes.insert(camera, Lane { gaps: vec![gap(0, Some(5)), gap(10, None)], ..Lane::default() });
        assert_eq!(page.cause_at(camera, at.offset_ns(5 * SECOND)), None);
        assert_eq!(page.cause_at(camera, at.offset_ns(4 * SECOND)), Some(gap(0, Some(5))));
        assert_eq!(page.cause_at(camera, at.offset_ns(500 * SECOND)), Some(gap(10, None)));
    }
}
