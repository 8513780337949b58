//! Live pictures of the camera that is heard: held until the sound of the same moment is heard. Without such sound
//! nothing is held.
//!
//! Pure: instants are passed in. When sound is heard is decided in `sound_live`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use minhbach_decode::VideoFrame;
use minhbach_model::WallTime;

use crate::video::clock::{Clock, ns_since};

/// Pictures held at most; beyond that the oldest is shown early.
const HELD_MAX: usize = 16;

/// The longest that a picture is held, nanoseconds.
const HELD_MAX_NS: i64 = 400_000_000;

/// Sound that is further behind the newest picture than this has nothing to do with it, nanoseconds.
const APART_NS: i64 = 1_000_000_000;

/// Pictures that wait for their sound.
///
/// When sound begins, the picture shown is ahead of it. The picture does not stand still until the sound has come up
/// with it: it goes on at half speed, and its **lead** becomes less by half of the time that passes.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// In order of time.
    frames: VecDeque<VideoFrame>,
    /// How far pictures were ahead of the sound at an instant, nanoseconds.
    lead: Option<(i64, Instant)>,
}

impl Held {
    /// Takes in a picture that is newer than all that are held.
    pub(super) fn put(&mut self, frame: VideoFrame) {
        self.frames.push_back(frame);
    }

    /// When the newest of them was taken.
    pub(super) fn newest(&self) -> Option<WallTime> {
        self.frames.back().map(VideoFrame::wall)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.lead = None;
    }

    /// The newest picture that is due, given the time of the one shown; those before it are left out.
    pub(super) fn due(&mut self, shown: Option<WallTime>, heard: Option<Clock>, now: Instant) -> Option<VideoFrame> {
        let Some(spoken) = self.spoken(heard, now) else {
            self.lead = None;
            return self.frames.drain(..).next_back();
        };
        let mut lead_ns = self.lead_ns(now);
        if let Some(shown) = shown {
            lead_ns = lead_ns.max(shown.ns_since(spoken).min(HELD_MAX_NS));
        }
        self.lead = (lead_ns > 0).then_some((lead_ns, now));
        let too_early_ns = self.newest().map_or(0, |newest| newest.ns_since(spoken)) - HELD_MAX_NS;
        let allowed_ns = lead_ns.max(too_early_ns);
        let mut due = None;
        while let Some(front) = self.frames.front()
            && (front.wall().ns_since(spoken) <= allowed_ns || self.frames.len() > HELD_MAX)
        {
            due = self.frames.pop_front();
        }
        due
    }

    /// How long until the next of them is due; `None` when there is none.
    pub(super) fn wait(&self, heard: Option<Clock>, now: Instant) -> Option<Duration> {
        let front = self.frames.front()?;
        let Some(spoken) = self.spoken(heard, now) else {
            return Some(Duration::ZERO);
        };
        let lead_ns = self.lead_ns(now);
        let early_ns = (front.wall().ns_since(spoken) - lead_ns).max(0);
        // At half speed while there is a lead, then at full speed: whichever brings it sooner is the one that holds.
        let wait_ns = early_ns.saturating_mul(2).min(early_ns.saturating_add(lead_ns));
        Some(Duration::from_nanos(wait_ns.unsigned_abs()))
    }

    /// Which sound is heard, if it is that of these pictures.
    fn spoken(&self, heard: Option<Clock>, now: Instant) -> Option<WallTime> {
        let spoken = heard?.wall_at(now);
        let apart = self.newest().is_some_and(|newest| newest.ns_since(spoken) > APART_NS);
        (!apart).then_some(spoken)
    }

    fn lead_ns(&self, now: Instant) -> i64 {
        self.lead.map_or(0, |(lead_ns, at)| (lead_ns - ns_since(now, at).max(0) / 2).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn frame(wall_ms: i64) -> VideoFrame {
        VideoFrame::solid(2, 2, [0, 0, 0], WallTime(wall_ms * MS))
    }

    fn ms(ms: i64) -> Duration {
        Duration::from_millis(ms.unsigned_abs())
    }

    fn shown_ms(frame: Option<VideoFrame>) -> Option<i64> {
        frame.map(|frame| frame.wall().0 / MS)
    }

    #[test]
    fn a_picture_is_shown_when_its_sound_is_heard_and_not_before() {
        let now = Instant::now();
        let heard = Some(Clock { wall: WallTime(1000 * MS), at: now });
        let mut held = Held::default();
        for wall_ms in [1040, 1080, 1120] {
            held.put(frame(wall_ms));
        }
        assert!(held.due(Some(WallTime(1000 * MS)), heard, now).is_none());
        assert_eq!(held.wait(heard, now), Some(ms(40)));
        assert_eq!(shown_ms(held.due(None, heard, now + ms(39))), None);
        assert_eq!(shown_ms(held.due(None, heard, now + ms(40))), Some(1040));
        assert_eq!(shown_ms(held.due(None, heard, now + ms(125))), Some(1120), "what is late is left out");
        assert_eq!(held.wait(heard, now + ms(125)), None);
    }

    #[test]
    fn without_a_clock_pictures_are_shown_at_once() {
        let now = Instant::now();
        let mut held = Held::default();
        held.put(frame(1000));
        assert_eq!(shown_ms(held.due(None, None, now)), Some(1000));
        let heard = Some(Clock { wall: WallTime(900 * MS), at: now });
        held.put(frame(1040));
        held.put(frame(1080));
        assert!(held.due(Some(WallTime(890 * MS)), heard, now).is_none());
        assert_eq!(held.wait(None, now), Some(Duration::ZERO), "the device is lost");
        assert_eq!(shown_ms(held.due(Some(WallTime(890 * MS)), None, now)), Some(1080));
        assert!(held.frames.is_empty());
    }

    #[test]
    fn a_clock_of_another_time_holds_nothing() {
        let now = Instant::now();
        let heard = Some(Clock { wall: WallTime(0), at: now });
        let mut held = Held::default();
        held.put(frame(5000));
        assert_eq!(shown_ms(held.due(None, heard, now)), Some(5000));
        held.put(frame(5040));
        assert_eq!(held.wait(heard, now), Some(Duration::ZERO));
    }

    #[test]
    fn neither_time_nor_number_of_what_is_held_grows_without_bound() {
        let now = Instant::now();
        let heard = Some(Clock { wall: WallTime(0), at: now });
        let mut held = Held::default();
        for wall_ms in (10..=700).step_by(10) {
            held.put(frame(wall_ms));
            held.due(None, heard, now);
            assert!(held.frames.len() <= HELD_MAX);
        }
        held.clear();
        for wall_ms in (40..=600).step_by(40) {
            held.put(frame(wall_ms));
            held.due(None, heard, now);
        }
        let oldest = held.frames.front().map(VideoFrame::wall);
        assert_eq!(oldest, Some(WallTime(240 * MS)), "400 ms before the newest, and no older");
    }

    /// Pictures come at once every 40 ms; what is shown at each millisecond from then on, sound being 150 ms behind.
    fn shown_each_ms(sound_from_ms: i64, until_ms: i64) -> Vec<i64> {
        let start = Instant::now();
        let (mut held, mut shown, mut all) = (Held::default(), None::<VideoFrame>, Vec::new());
        for at_ms in 0..until_ms {
            let now = start + ms(at_ms);
            let clock = Clock { wall: WallTime((at_ms - 150) * MS), at: now };
            let heard = (at_ms >= sound_from_ms).then_some(clock);
            if at_ms % 40 == 0 {
                held.put(frame(at_ms));
            }
            let wall = shown.as_ref().map(VideoFrame::wall);
            shown = held.due(wall, heard, now).or(shown);
            all.push(shown.as_ref().map_or(0, |frame| frame.wall().0 / MS));
        }
        all
    }

    #[test]
    fn when_sound_begins_the_picture_slows_down_and_never_stands_still_for_long() {
        let shown = shown_each_ms(1000, 3000);
        assert_eq!(shown[999], 960);
        let mut since = 1000;
        for at in 1000..2000 {
            if shown[at] != shown[at - 1] {
                assert!(shown[at] > shown[at - 1], "it never goes back");
                since = at;
            }
            assert!(at - since <= 120, "at {at} ms it has stood since {since} ms");
        }
        for (at, &wall_ms) in shown.iter().enumerate().skip(1400) {
            let spoken_ms = i64::try_from(at).unwrap() - 150;
            assert!((0..40).contains(&(spoken_ms - wall_ms)), "at {at} ms {wall_ms} is shown and {spoken_ms} heard");
        }
    }

    #[test]
    fn each_picture_is_asked_for_at_the_moment_it_is_due() {
        let start = Instant::now();
        let heard = Some(Clock { wall: WallTime(-150 * MS), at: start });
        let mut held = Held::default();
        // The picture shown is 150 ms ahead of the sound.
        let shown = Some(WallTime(0));
        for wall_ms in [40, 80, 120] {
            held.put(frame(wall_ms));
        }
        assert!(held.due(shown, heard, start).is_none());
        let mut now = start;
        for wall_ms in [40, 80, 120] {
            let wait = held.wait(heard, now).unwrap();
            assert!(held.due(shown, heard, now + wait - ms(1)).is_none());
            now += wait;
            assert_eq!(shown_ms(held.due(shown, heard, now + Duration::from_micros(1))), Some(wall_ms));
        }
    }

    #[test]
    fn when_the_sound_ends_the_newest_picture_is_shown() {
        let start = Instant::now();
        let heard = Some(Clock { wall: WallTime(0), at: start });
        let mut held = Held::default();
        for wall_ms in [40, 80, 120] {
            held.put(frame(wall_ms));
        }
        assert!(held.due(Some(WallTime(0)), heard, start).is_none());
        assert_eq!(shown_ms(held.due(Some(WallTime(0)), None, start + ms(1))), Some(120));
    }
}
