//! What the network task, the decoding thread and the UI share of a player, and which picture is due.
//!
//! Pure apart from the lock: instants are passed in.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use minhbach_decode::VideoFrame;
use minhbach_model::{GapCause, WallTime};

use super::held::Held;
use super::{Phase, PlayerSnapshot, Step};
use crate::video::clock::Clock;
use crate::video::meter::Meter;
use crate::video::playhead::Playhead;

/// Decoded pictures kept ahead of the playhead.
const QUEUE_MAX: usize = 8;

/// Without a new picture for so long, live is not live.
const STALL_AFTER: Duration = Duration::from_secs(2);

/// Without a first picture for so long after the stream was opened, the same.
const FIRST_PICTURE_LIMIT: Duration = Duration::from_secs(5);

/// How far the playhead may be ahead of the last picture before it is called late, nanoseconds.
const LATE_NS: i64 = 2_000_000_000;

/// Speeds from this on may be played with key frames alone when the decoder cannot keep up.
const FAST_FROM: f64 = 2.0;

/// How far the playhead may be ahead of the newest decoded picture at such a speed, nanoseconds.
const BEHIND_NS: i64 = 1_000_000_000;

/// How far a step back goes where nothing is known of what was before: far enough that a gap is told, nanoseconds.
const BLIND_STEP_NS: i64 = 1_000_000_000;

/// How far the playhead may run past the live edge before it is set back, nanoseconds.
const OVERRUN_NS: i64 = 250_000_000;

/// How far before the live edge it is set back to, so that sound and pictures come before they are due, nanoseconds.
const EDGE_MARGIN_NS: i64 = 300_000_000;

/// Live pictures that are older than the one shown by less than this are out of order and left out, nanoseconds.
const REORDER_MAX_NS: i64 = 1_000_000_000;

/// The lock of a mutex whose critical sections leave the data whole, so that a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The playhead at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    pub position: WallTime,
    pub epoch: u64,
    pub playing: bool,
    /// Time waits for the first picture after a jump.
    pub waiting: bool,
    pub speed: f64,
}

impl View {
    pub(super) fn of(playhead: &Playhead, now: Instant) -> Self {
        Self {
            position: playhead.position(now),
            epoch: playhead.epoch(),
            playing: playhead.is_playing(),
            waiting: playhead.is_waiting(now),
            speed: playhead.speed(),
        }
    }

    pub(super) fn at_normal_speed(&self) -> bool {
        (self.speed - 1.0).abs() < 0.001
    }
}

/// What comes due at a moment of playback.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Frame(VideoFrame),
    Gap(Hole),
}

/// A stretch without footage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub start: WallTime,
    pub end: Option<WallTime>,
    pub cause: GapCause,
}

impl Item {
    fn due(&self) -> WallTime {
        match self {
            Self::Frame(frame) => frame.wall(),
            Self::Gap(hole) => hole.start,
        }
    }
}

enum Link {
    Connecting,
    Connected(Instant),
    Failed,
}

/// The shared part of a player.
pub(super) struct Shared {
    state: Mutex<State>,
    room: Condvar,
}

/// Behind the lock.
pub(super) struct State {
    stopped: bool,
    link: Link,
    error: Option<String>,
    video_text: String,
    meter: Meter,
    /// The picture shown: live the newest whose sound is heard, or simply the newest; in playback the one that is due.
    shown: Option<VideoFrame>,
    /// When the last picture came out of the decoder.
    last_arrival: Option<Instant>,
    phase: Phase,
    phase_since: Instant,
    // Live.
    held: Held,
    interrupted: Option<GapCause>,
    catching_up: bool,
    // Playback.
    generation: u64,
    epoch: u64,
    keys_only: bool,
    queue: VecDeque<Item>,
    hole: Option<Hole>,
    /// The first picture after a hole, and that hole: a step back from it leads over the hole.
    after_hole: Option<(WallTime, Hole)>,
    /// Nothing has come due since the last jump.
    fresh: bool,
    /// Everything that came after the last jump lies later than the playhead: where it begins.
    before: Option<WallTime>,
    /// The decoder does not keep up with the speed.
    slow: bool,
    /// Something came since the last jump.
    arrived: bool,
    last_queued: Option<WallTime>,
    at_edge: bool,
    ended: bool,
    /// Sound is wanted: playing at normal speed.
    sounding: bool,
}

impl Shared {
    pub(super) fn new(view: Option<View>, now: Instant) -> Self {
        let state = State {
            stopped: false,
            link: Link::Connecting,
            error: None,
            video_text: String::new(),
            meter: Meter::default(),
            shown: None,
            last_arrival: None,
            phase: Phase::Connecting,
            phase_since: now,
            held: Held::default(),
            interrupted: None,
            catching_up: false,
            generation: 0,
            epoch: view.map_or(0, |view| view.epoch),
            keys_only: view.is_some_and(super::keys_only),
            queue: VecDeque::new(),
            hole: None,
            after_hole: None,
            fresh: true,
            before: None,
            slow: false,
            arrived: false,
            last_queued: None,
            at_edge: false,
            ended: false,
            sounding: false,
        };
        Self { state: Mutex::new(state), room: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Wakes a decoding thread that waits for room, after a jump, a stop or a snapshot.
    pub(super) fn wake(&self) {
        self.room.notify_all();
    }

    /// Puts in what comes due later; waits while the queue is full. `None` when the generation is over (or the player),
    /// otherwise whether the queue was empty, so that the UI has to be woken.
    pub(super) fn enqueue(&self, generation: u64, item: Item, now: Instant) -> Option<bool> {
        let mut state = self.lock();
        while state.is_current(generation) && state.queue.len() >= QUEUE_MAX {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_current(generation).then(|| state.insert(item, now))
    }
}

impl State {
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether work for that generation is still wanted.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        !self.stopped && self.generation == generation
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn arrived(&self) -> bool {
        self.arrived || self.ended
    }

    pub(super) fn sounding(&self) -> bool {
        self.sounding
    }

    pub(super) fn connected(&mut self, now: Instant) {
        if !matches!(self.link, Link::Connected(_)) {
            self.link = Link::Connected(now);
            self.error = None;
        }
    }

    pub(super) fn fail(&mut self, reason: String) {
        self.link = Link::Failed;
        self.error = Some(reason);
    }

    /// The decoder's complaint, or that it has none any more.
    pub(super) fn set_error(&mut self, error: Option<String>) {
        self.error = error;
    }

    pub(super) fn set_video_text(&mut self, text: String) {
        self.video_text = text;
    }

    pub(super) fn feed_meter(&mut self, samples: &[f32], now: Instant) {
        self.meter.feed(samples, now);
    }

    pub(super) fn interrupt(&mut self, cause: GapCause) {
        self.interrupted = Some(cause);
    }

    pub(super) fn set_catching_up(&mut self, behind: bool) {
        self.catching_up = behind;
    }

    pub(super) fn set_at_edge(&mut self) {
        self.at_edge = true;
    }

    pub(super) fn set_ended(&mut self) {
        self.ended = true;
    }

    /// Live: the newest picture, and which sound is heard when it is to keep to that. True when it changes what is
    /// shown; otherwise it waits.
    pub(super) fn set_newest(&mut self, frame: VideoFrame, heard: Option<Clock>, now: Instant) -> bool {
        self.last_arrival = Some(now);
        self.interrupted = None;
        let newest = self.held.newest().or(self.shown.as_ref().map(VideoFrame::wall));
        let older_ns = newest.map_or(0, |newest| newest.ns_since(frame.wall()));
        if older_ns >= REORDER_MAX_NS {
            // Another clock: what was held belongs to the old one.
            self.held.clear();
            self.shown = Some(frame);
            return true;
        }
        if older_ns <= 0 {
            self.held.put(frame);
        }
        self.show_due(heard, now)
    }

    /// Live: how long until the next picture that is held is due.
    pub(super) fn next_held(&self, heard: Option<Clock>, now: Instant) -> Option<Duration> {
        self.held.wait(heard, now)
    }

    fn show_due(&mut self, heard: Option<Clock>, now: Instant) -> bool {
        let due = self.held.due(self.shown.as_ref().map(VideoFrame::wall), heard, now);
        let changed = due.is_some();
        self.shown = due.or(self.shown.take());
        changed
    }

    /// Live: what to draw, given which sound is heard, and after what time to look again by itself.
    pub(super) fn live(&mut self, heard: Option<Clock>, now: Instant) -> (PlayerSnapshot, Option<Duration>) {
        self.show_due(heard, now);
        let quiet = self.last_arrival.map(|last| now.saturating_duration_since(last));
        let phase = match (&self.link, self.interrupted, quiet) {
            (Link::Failed, ..) => Phase::Failed,
            (Link::Connecting, ..) => Phase::Connecting,
            (_, Some(cause), _) => Phase::Interrupted(cause),
            // Samples come and the decoder refuses them.
            (_, None, None) if self.error.is_some() => Phase::Failed,
            (Link::Connected(at), None, None) if now.saturating_duration_since(*at) < FIRST_PICTURE_LIMIT => {
                Phase::Connecting
            }
            (_, None, None) => Phase::Stalled,
            (_, None, Some(quiet)) if quiet >= STALL_AFTER => Phase::Stalled,
            _ if self.catching_up => Phase::CatchingUp,
            _ => Phase::Live,
        };
        // Without a repaint of its own a frozen picture would go on looking live.
        let wake = match (phase, quiet) {
            (Phase::Live | Phase::CatchingUp, Some(quiet)) => Some(STALL_AFTER.saturating_sub(quiet)),
            (Phase::Connecting, _) => Some(Duration::from_secs(1)),
            _ => None,
        };
        let wake = [wake, self.next_held(heard, now)].into_iter().flatten().min();
        (self.snapshot(phase, now), wake)
    }

    /// Playback: takes note of where the playhead is; true when it has jumped, so that everything is fetched anew.
    pub(super) fn follow(&mut self, view: View, keys_only: bool, now: Instant) -> bool {
        self.sounding = view.playing && view.at_normal_speed();
        if view.epoch == self.epoch && keys_only == self.keys_only {
            return false;
        }
        self.generation += 1;
        (self.epoch, self.keys_only) = (view.epoch, keys_only);
        self.queue.clear();
        self.hole = None;
        self.fresh = true;
        self.before = None;
        self.arrived = false;
        self.last_queued = None;
        self.last_arrival = Some(now);
        self.at_edge = false;
        self.ended = false;
        true
    }

    fn insert(&mut self, item: Item, now: Instant) -> bool {
        let was_empty = self.queue.is_empty();
        self.arrived = true;
        if matches!(item, Item::Frame(_)) {
            self.last_arrival = Some(now);
            self.last_queued = Some(item.due());
        }
        // In order of time, even where the decoder hands pictures out of order.
        let at = self.queue.iter().rposition(|queued| queued.due() <= item.due()).map_or(0, |before| before + 1);
        self.queue.insert(at, item);
        was_empty || at == 0
    }

    /// Playback: moves what has come due out of the queue, and says what to draw.
    pub(super) fn playback(&mut self, view: View, now: Instant) -> PlayerSnapshot {
        while self.queue.front().is_some_and(|item| item.due() <= view.position) {
            self.fresh = false;
            match self.queue.pop_front() {
                // A picture from before the hole that the decoder had held back comes too late to be shown.
                Some(Item::Frame(frame)) if self.hole.is_some_and(|hole| frame.wall() < hole.start) => {}
                Some(Item::Frame(frame)) => {
                    if let Some(hole) = self.hole.take() {
                        self.after_hole = Some((frame.wall(), hole));
                    }
                    self.shown = Some(frame);
                }
                Some(Item::Gap(hole)) => {
                    self.shown = None;
                    self.hole = Some(hole);
                }
                None => {}
            }
        }
        self.before = self.queue.front().filter(|_| self.fresh).map(Item::due);
        if self.before.is_some() {
            // The picture from before the jump has nothing to do with where the playhead is now.
            self.shown = None;
        }
        let phase = self.playback_phase(view, now);
        self.snapshot(phase, now)
    }

    fn playback_phase(&self, view: View, now: Instant) -> Phase {
        let undecodable = self.error.is_some() && self.shown.is_none();
        let failed = matches!(self.link, Link::Failed) || undecodable;
        if let Some(begin) = self.before {
            return Phase::Before(begin);
        }
        if let Some(hole) = self.hole {
            return Phase::Gap { cause: hole.cause, end: hole.end };
        }
        if self.ended && self.queue.is_empty() {
            return Phase::EndOfRange;
        }
        if !self.arrived {
            return match (failed, self.shown.is_some()) {
                (true, _) => Phase::Failed,
                (false, true) => Phase::CatchingUp,
                (false, false) => Phase::Connecting,
            };
        }
        let late = self.shown.as_ref().is_none_or(|shown| view.position.ns_since(shown.wall()) > LATE_NS);
        if !(late && self.queue.is_empty() && view.playing) {
            return Phase::Replay;
        }
        let quiet = self.last_arrival.is_none_or(|last| now.saturating_duration_since(last) >= STALL_AFTER);
        match (failed, self.at_edge && quiet) {
            (true, _) => Phase::Failed,
            (false, true) => Phase::Stalled,
            (false, false) => Phase::CatchingUp,
        }
    }

    /// Where the playhead has to be set back to, when it ran past what exists while the camera goes on sending.
    pub(super) fn overrun_edge(&self, view: View, now: Instant) -> Option<WallTime> {
        let edge = self
            .last_queued
            .filter(|_| self.at_edge && view.playing && self.hole.is_none() && self.queue.is_empty())?;
        let sending = self.last_arrival.is_some_and(|last| now.saturating_duration_since(last) < STALL_AFTER);
        (sending && view.position.ns_since(edge) > OVERRUN_NS).then(|| edge.offset_ns(-EDGE_MARGIN_NS))
    }

    /// Whether the decoder has fallen behind a fast speed: then key frames have to do, until it is slower or stands.
    pub(super) fn falls_behind(&mut self, view: View) -> bool {
        if !view.playing || view.speed < FAST_FROM {
            self.slow = false;
        } else if self.is_running(view) && self.hole.is_none() && self.queue.is_empty() {
            let late = |last: WallTime| view.position.ns_since(last) > BEHIND_NS;
            self.slow |= self.last_queued.is_some_and(late);
        }
        self.slow
    }

    /// Whether footage goes on to come for where the playhead is.
    fn is_running(&self, view: View) -> bool {
        view.epoch == self.epoch && !view.waiting && !self.at_edge && !self.ended
    }

    /// When the next item is due.
    pub(super) fn next_due(&self) -> Option<WallTime> {
        self.queue.front().map(Item::due)
    }

    /// Where a step leads: forwards the next picture; back just before the one shown, whose predecessor is then due.
    pub(super) fn step_target(&self, step: Step, epoch: u64) -> Option<WallTime> {
        // Among key frames alone there is no next picture.
        if self.epoch != epoch || !self.arrived || self.keys_only {
            return None;
        }
        let shown = self.shown.as_ref().map(VideoFrame::wall);
        match step {
            Step::Forward => self.queue.iter().find_map(|item| match item {
                Item::Frame(frame) if shown.is_none_or(|shown| frame.wall() > shown) => Some(frame.wall()),
                _ => None,
            }),
            Step::Back => {
                let over = self.after_hole.filter(|(first, _)| shown == Some(*first)).map(|(_, hole)| hole.start);
                let at = over.or(shown).or(self.hole.map(|hole| hole.start)).map(|at| at.offset_ns(-1));
                at.or(self.before.map(|begin| begin.offset_ns(-BLIND_STEP_NS)))
            }
        }
    }

    fn snapshot(&mut self, phase: Phase, now: Instant) -> PlayerSnapshot {
        if phase != self.phase {
            self.phase = phase;
            self.phase_since = match phase {
                Phase::Stalled => self.last_arrival.unwrap_or(now),
                _ => now,
            };
        }
        PlayerSnapshot {
            phase,
            phase_since: self.phase_since,
            frame: self.shown.clone(),
            shown_wall: self.shown.as_ref().map(VideoFrame::wall),
            gap_end: self.before.or(self.hole.and_then(|hole| hole.end)),
            meter: self.meter.read(now),
            video_text: self.video_text.clone(),
            error: self.error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn frame(wall_ms: i64) -> VideoFrame {
        VideoFrame::solid(4, 4, [0, 0, 0], WallTime(wall_ms * MS))
    }

    fn view(position_ms: i64, epoch: u64) -> View {
        View { position: WallTime(position_ms * MS), epoch, playing: true, waiting: false, speed: 1.0 }
    }

    fn playback(now: Instant) -> Shared {
        let shared = Shared::new(Some(view(0, 0)), now);
        shared.lock().connected(now);
        shared
    }

    fn put(shared: &Shared, item: Item, now: Instant) {
        let generation = shared.lock().generation();
        assert!(shared.enqueue(generation, item, now).is_some());
    }

    #[test]
    fn a_frozen_live_picture_stops_looking_live_after_two_seconds() {
        let start = Instant::now();
        let shared = Shared::new(None, start);
        assert_eq!(shared.lock().live(None, start).0.phase, Phase::Connecting);
        shared.lock().connected(start);
        shared.lock().set_newest(frame(1000), None, start);
        let (snapshot, wake) = shared.lock().live(None, start + Duration::from_millis(500));
        assert_eq!((snapshot.phase, wake), (Phase::Live, Some(Duration::from_millis(1500))));
        let (snapshot, _) = shared.lock().live(None, start + Duration::from_secs(2));
        assert_eq!((snapshot.phase, snapshot.phase_since), (Phase::Stalled, start));
        assert_eq!(snapshot.shown_wall, Some(WallTime(1000 * MS)));
        shared.lock().set_newest(frame(4000), None, start + Duration::from_secs(3));
        assert_eq!(shared.lock().live(None, start + Duration::from_secs(3)).0.phase, Phase::Live);
    }

    #[test]
    fn a_lost_camera_is_named_until_the_next_picture() {
        let now = Instant::now();
        let shared = Shared::new(None, now);
        shared.lock().connected(now);
        shared.lock().set_newest(frame(0), None, now);
        shared.lock().interrupt(GapCause::Disconnected);
        assert_eq!(shared.lock().live(None, now).0.phase, Phase::Interrupted(GapCause::Disconnected));
        shared.lock().set_newest(frame(40), None, now);
        assert_eq!(shared.lock().live(None, now).0.phase, Phase::Live);
        shared.lock().fail("refused".to_owned());
        let snapshot = shared.lock().live(None, now).0;
        assert_eq!((snapshot.phase, snapshot.error.as_deref()), (Phase::Failed, Some("refused")));
    }

    #[test]
    fn live_pictures_out_of_order_do_not_go_back_but_a_new_clock_does() {
        let now = Instant::now();
        let shared = Shared::new(None, now);
        shared.lock().set_newest(frame(5000), None, now);
        shared.lock().set_newest(frame(4960), None, now);
        assert_eq!(shared.lock().live(None, now).0.shown_wall, Some(WallTime(5000 * MS)));
        shared.lock().set_newest(frame(1000), None, now);
        assert_eq!(shared.lock().live(None, now).0.shown_wall, Some(WallTime(1000 * MS)));
    }

    #[test]
    fn a_live_picture_waits_for_its_sound_and_goes_on_being_live() {
        let start = Instant::now();
        let shared = Shared::new(None, start);
        let mut state = shared.lock();
        state.connected(start);
        assert!(state.set_newest(frame(1000), None, start));
        // What is heard now was taken 150 ms before.
        let heard = Some(Clock { wall: WallTime(1000 * MS), at: start + Duration::from_millis(150) });
        let arrival = start + Duration::from_millis(190);
        assert!(!state.set_newest(frame(1190), heard, arrival));
        let (snapshot, wake) = state.live(heard, arrival);
        assert_eq!((snapshot.phase, snapshot.shown_wall), (Phase::Live, Some(WallTime(1000 * MS))));
        assert_eq!(wake, Some(Duration::from_millis(150)), "it is drawn when it is due");
        let due = start + Duration::from_millis(340);
        assert_eq!(state.live(heard, due).0.shown_wall, Some(WallTime(1190 * MS)));
    }

    #[test]
    fn a_picture_of_another_clock_does_not_wait_for_the_old_sound() {
        let now = Instant::now();
        let shared = Shared::new(None, now);
        let mut state = shared.lock();
        let heard = Some(Clock { wall: WallTime(5000 * MS), at: now });
        state.set_newest(frame(5000), heard, now);
        state.set_newest(frame(5100), heard, now);
        assert!(state.set_newest(frame(1000), heard, now));
        assert_eq!(state.live(heard, now).0.shown_wall, Some(WallTime(1000 * MS)));
        assert_eq!(state.next_held(heard, now), None);
    }

    #[test]
    fn the_picture_at_or_before_the_playhead_is_shown() {
        let now = Instant::now();
        let shared = playback(now);
        for wall_ms in [0, 80, 40, 120] {
            put(&shared, Item::Frame(frame(wall_ms)), now);
        }
        let mut state = shared.lock();
        assert_eq!(state.playback(view(79, 0), now).shown_wall, Some(WallTime(40 * MS)));
        assert_eq!(state.next_due(), Some(WallTime(80 * MS)));
        assert_eq!(state.playback(view(500, 0), now).shown_wall, Some(WallTime(120 * MS)));
    }

    #[test]
    fn a_gap_shows_its_cause_and_no_picture_until_footage_goes_on() {
        let now = Instant::now();
        let shared = playback(now);
        put(&shared, Item::Frame(frame(0)), now);
        let hole = Hole { start: WallTime(40 * MS), end: Some(WallTime(9000 * MS)), cause: GapCause::Stalled };
        put(&shared, Item::Gap(hole), now);
        put(&shared, Item::Frame(frame(9000)), now);
        let mut state = shared.lock();
        let snapshot = state.playback(view(100, 0), now);
        assert_eq!(snapshot.phase, Phase::Gap { cause: GapCause::Stalled, end: hole.end });
        assert!(snapshot.frame.is_none());
        assert_eq!(snapshot.gap_end, hole.end);
        assert_eq!(state.step_target(Step::Back, 0), Some(WallTime(40 * MS - 1)));
        let snapshot = state.playback(view(9000, 0), now);
        assert_eq!((snapshot.phase, snapshot.gap_end), (Phase::Replay, None));
    }

    #[test]
    fn a_step_back_from_the_first_picture_after_a_gap_leads_over_it() {
        let now = Instant::now();
        let shared = playback(now);
        let hole = Hole { start: WallTime(40 * MS), end: Some(WallTime(9000 * MS)), cause: GapCause::Stalled };
        put(&shared, Item::Gap(hole), now);
        put(&shared, Item::Frame(frame(9000)), now);
        put(&shared, Item::Frame(frame(9040)), now);
        let mut state = shared.lock();
        state.playback(view(100, 0), now);
        state.playback(view(9000, 0), now);
        assert_eq!(state.step_target(Step::Back, 0), Some(WallTime(40 * MS - 1)));
        state.playback(view(9040, 0), now);
        assert_eq!(
            state.step_target(Step::Back, 0),
            Some(WallTime(9040 * MS - 1)),
            "the second one steps to the first"
        );
        state.follow(view(9000, 1), false, now);
        drop(state);
        put(&shared, Item::Frame(frame(9000)), now);
        let mut state = shared.lock();
        state.playback(view(9000, 1), now);
        assert_eq!(state.step_target(Step::Back, 1), Some(WallTime(40 * MS - 1)), "also after a jump to it");
    }

    #[test]
    fn before_the_first_recording_there_is_no_picture_of_another_time() {
        let now = Instant::now();
        let shared = playback(now);
        put(&shared, Item::Frame(frame(60_000)), now);
        let mut state = shared.lock();
        state.playback(view(60_000, 0), now);
        state.follow(view(1000, 1), false, now);
        drop(state);
        put(&shared, Item::Frame(frame(5000)), now);
        let mut state = shared.lock();
        let snapshot = state.playback(view(1000, 1), now);
        assert_eq!((snapshot.phase, snapshot.shown_wall), (Phase::Before(WallTime(5000 * MS)), None));
        assert_eq!(snapshot.gap_end, Some(WallTime(5000 * MS)));
        let snapshot = state.playback(view(5000, 1), now);
        assert_eq!((snapshot.phase, snapshot.gap_end), (Phase::Replay, None));
    }

    #[test]
    fn a_decoder_that_is_late_at_a_fast_speed_gets_key_frames_only() {
        let now = Instant::now();
        let shared = playback(now);
        put(&shared, Item::Frame(frame(0)), now);
        let mut state = shared.lock();
        state.playback(view(0, 0), now);
        let fast = |position_ms: i64| View { speed: 4.0, ..view(position_ms, 0) };
        assert!(!state.falls_behind(fast(900)));
        assert!(!state.falls_behind(view(1100, 0)), "normal speed is played whole");
        assert!(state.falls_behind(fast(1100)));
        assert!(state.falls_behind(fast(100)), "it does not switch to and fro");
        assert!(!state.falls_behind(View { playing: false, ..fast(100) }));
    }

    #[test]
    fn among_key_frames_there_is_no_single_step() {
        let now = Instant::now();
        let shared = playback(now);
        shared.lock().follow(view(0, 0), true, now);
        put(&shared, Item::Frame(frame(0)), now);
        put(&shared, Item::Frame(frame(2000)), now);
        let mut state = shared.lock();
        state.playback(view(0, 0), now);
        assert_eq!(state.step_target(Step::Forward, 0), None);
    }

    #[test]
    fn a_jump_drops_what_was_fetched_and_keeps_the_picture_until_the_next() {
        let now = Instant::now();
        let shared = playback(now);
        put(&shared, Item::Frame(frame(0)), now);
        put(&shared, Item::Frame(frame(40)), now);
        let mut state = shared.lock();
        state.playback(view(0, 0), now);
        assert!(!state.follow(view(0, 0), false, now));
        assert!(state.follow(view(60_000, 1), false, now));
        assert_eq!(state.generation(), 1);
        let snapshot = state.playback(view(60_000, 1), now);
        assert_eq!((snapshot.phase, snapshot.shown_wall), (Phase::CatchingUp, Some(WallTime(0))));
        assert_eq!(state.step_target(Step::Forward, 1), None);
        drop(state);
        assert_eq!(shared.enqueue(0, Item::Frame(frame(80)), now), None);
        assert_eq!(shared.enqueue(1, Item::Frame(frame(60_000)), now), Some(true));
        assert_eq!(shared.lock().playback(view(60_000, 1), now).phase, Phase::Replay);
    }

    #[test]
    fn another_speed_class_is_fetched_anew() {
        let now = Instant::now();
        let shared = playback(now);
        assert!(shared.lock().follow(view(0, 0), true, now));
        assert!(!shared.lock().follow(view(0, 0), true, now));
    }

    #[test]
    fn steps_go_to_the_neighbouring_pictures() {
        let now = Instant::now();
        let shared = playback(now);
        for wall_ms in [0, 40, 80] {
            put(&shared, Item::Frame(frame(wall_ms)), now);
        }
        let mut state = shared.lock();
        state.playback(view(45, 0), now);
        assert_eq!(state.step_target(Step::Forward, 0), Some(WallTime(80 * MS)));
        assert_eq!(state.step_target(Step::Back, 0), Some(WallTime(40 * MS - 1)));
        assert_eq!(state.step_target(Step::Back, 7), None);
    }

    #[test]
    fn a_full_queue_waits_and_a_stop_ends_the_waiting() {
        let now = Instant::now();
        let shared = std::sync::Arc::new(playback(now));
        for i in 0..QUEUE_MAX {
            put(&shared, Item::Frame(frame(i as i64 * 40)), now);
        }
        let other = std::sync::Arc::clone(&shared);
        let waiting = std::thread::spawn(move || other.enqueue(0, Item::Frame(frame(9999)), now));
        shared.lock().stop();
        shared.wake();
        assert_eq!(waiting.join().unwrap(), None);
    }

    #[test]
    fn running_past_the_live_edge_leads_back_to_it_only_while_the_camera_sends() {
        let start = Instant::now();
        let shared = playback(start);
        put(&shared, Item::Frame(frame(1000)), start);
        let mut state = shared.lock();
        state.set_at_edge();
        state.playback(view(1200, 0), start);
        assert_eq!(state.overrun_edge(view(1200, 0), start), None);
        assert_eq!(state.overrun_edge(view(1600, 0), start), Some(WallTime(700 * MS)));
        let later = start + Duration::from_secs(3);
        assert_eq!(state.overrun_edge(view(4000, 0), later), None);
        assert_eq!(state.playback(view(4000, 0), later).phase, Phase::Stalled);
    }
}
