//! When live sound is played: as soon after it was taken as is safe, not before the pictures of the same moment are
//! there, and at the camera's speed rather than the sound card's.
//!
//! Pure: no samples, no device, no clock; instants are passed in. A **way** is the time from a moment at the camera to
//! one here. The two clocks were never set by one another, so a way says nothing by itself; the difference of two ways
//! does.

use std::time::{Duration, Instant};

use minhbach_model::WallTime;

use super::clock::{Clock, as_ns, ns_since};

const MS: i64 = 1_000_000;

/// Kept back beyond the slowest block of late, at first, when little is known of how blocks come …
const MARGIN_FIRST_NS: i64 = 80 * MS;
/// … and in the long run.
const MARGIN_LEAST_NS: i64 = 40 * MS;
/// Each time the sound has run out more is kept back, up to this.
const MARGIN_MOST_NS: i64 = 160 * MS;
const MARGIN_GROWS_NS: i64 = 40 * MS;
/// What is taken back of that after each stretch.
const MARGIN_SHRINKS_NS: i64 = 10 * MS;

/// The slowest block is looked for in this stretch and the one before.
const STRETCH: Duration = Duration::from_secs(5);
/// A block that comes so much faster than all before shows that those were a backlog, which says nothing of the way.
const QUICKER_NS: i64 = 20 * MS;
/// So long after the last such block the backlog is over.
const SETTLED_AFTER: Duration = Duration::from_millis(60);
/// A block that is slower than the fastest by more than this is a loss: waiting for such would help nobody.
const SPREAD_MAX_NS: i64 = 200 * MS;

/// Pictures are to be there so long before their sound is heard.
const PICTURE_MARGIN_NS: i64 = 20 * MS;
/// The most that sound waits for pictures beyond its own need.
const PICTURE_MAX_NS: i64 = 300 * MS;
/// A picture that comes so much faster than usual shows that those before were a backlog.
const PICTURE_BACKLOG_NS: i64 = 60 * MS;
/// The usual way of pictures moves by this part of each difference.
const PICTURE_SMOOTHING: i64 = 16;

/// How much of an error is taken off in a second by playing faster or slower …
const GAIN_A_SECOND: f64 = 0.2;
/// … by no more than this part of the speed: less than a fifth of a semitone.
const CORRECTION_MAX: f64 = 0.01;
/// Sound that is later than it should be by more than this is left out at once.
const LATE_MAX_NS: i64 = 300 * MS;
/// Sound that is ahead of its pictures by more than this is stopped until they are there.
const EARLY_MAX_NS: i64 = 150 * MS;

/// What the device tells is as coarse as its periods: the clock takes this part of each difference …
const CLOCK_SMOOTHING: i64 = 8;
/// … and all of one that is too large for that.
const CLOCK_SNAP_NS: i64 = 40 * MS;
/// A clock that sound has not moved for so long tells nothing.
const CLOCK_MAX_AGE: Duration = Duration::from_millis(500);
/// A device that takes so much more sound than time has passed does not play it (ALSA's `null` is one).
const RUNS_AHEAD_NS: i64 = 1_000 * MS;

/// One call of the sound device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// When it was made.
    pub now: Instant,
    /// How much later the first of what it takes is heard.
    pub latency: Duration,
    /// How much it takes.
    pub length: Duration,
}

/// What to do at a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plan {
    /// Nothing is to be heard yet.
    Wait,
    /// Sound is to be heard.
    Play {
        /// To be left out first, nanoseconds.
        skip_ns: i64,
        /// Speed; 1 is that of the device.
        rate: f64,
    },
}

/// How live sound stands, for whoever measures it.
#[derive(Debug, Clone, Copy)]
pub struct LiveReport {
    /// Which sound is heard when, as the device said last, without smoothing.
    pub told: Clock,
    /// From the buffer to the loudspeaker.
    pub latency: Duration,
    /// Speed; 1 is that of the device.
    pub rate: f64,
    /// Times that sound was left out or stopped to be in time again.
    pub jumps: u64,
    /// Times that the sound ran out.
    pub dry: u64,
}

/// Times live sound.
pub(super) struct Live {
    /// Ways are counted from here.
    start: Instant,
    arrivals: Arrivals,
    /// The usual way of pictures to the screen, nanoseconds.
    pictures_ns: Option<i64>,
    margin_ns: i64,
    playing: bool,
    heard: Option<Heard>,
    rate: f64,
    device: DeviceTime,
    jumps: u64,
    dry: u64,
}

/// What is heard.
#[derive(Debug, Clone, Copy)]
struct Heard {
    told: Clock,
    smooth: Clock,
    call: Call,
}

/// The way that sound should have.
struct Target {
    way_ns: i64,
    /// Because of the pictures; the sound itself could be earlier.
    for_pictures: bool,
}

impl Live {
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            arrivals: Arrivals::new(start),
            pictures_ns: None,
            margin_ns: MARGIN_FIRST_NS,
            playing: false,
            heard: None,
            rate: 1.0,
            device: DeviceTime::default(),
            jumps: 0,
            dry: 0,
        }
    }

    /// Other sound follows: what is known of the old tells nothing of it.
    pub(super) fn reset(&mut self) {
        self.arrivals = Arrivals::new(self.start);
        self.pictures_ns = None;
        self.margin_ns = MARGIN_FIRST_NS;
        self.heard = None;
        self.stop();
    }

    /// The device is gone; another one may follow.
    pub(super) fn device_lost(&mut self) {
        self.reset();
        self.device = DeviceTime::default();
    }

    /// Takes note of a call, whatever it gets.
    pub(super) fn called(&mut self, call: Call) {
        self.device.take(call);
    }

    /// A block has come whose first sample was taken at `wall`.
    pub(super) fn block(&mut self, wall: WallTime, now: Instant) {
        let way_ns = self.way_ns(Clock { wall, at: now });
        if self.arrivals.add(way_ns, now) {
            self.margin_ns = (self.margin_ns - MARGIN_SHRINKS_NS).max(MARGIN_LEAST_NS);
        }
    }

    /// A picture taken at `wall` could be drawn now.
    pub(super) fn picture(&mut self, wall: WallTime, now: Instant) {
        let way_ns = self.way_ns(Clock { wall, at: now });
        self.pictures_ns = Some(match self.pictures_ns {
            Some(usual_ns) if way_ns >= usual_ns - PICTURE_BACKLOG_NS => {
                usual_ns + (way_ns - usual_ns).min(PICTURE_BACKLOG_NS) / PICTURE_SMOOTHING
            }
            _ => way_ns,
        });
    }

    /// What to do at a call when the next sound was taken at `next`.
    pub(super) fn plan(&mut self, next: WallTime, call: Call) -> Plan {
        let Some(target) = self.target(call) else {
            return Plan::Wait;
        };
        let told = Clock { wall: next, at: call.now + call.latency };
        if !self.playing {
            let late_ns = self.way_ns(told) - target.way_ns;
            if late_ns < 0 || !self.arrivals.is_settled(call.now) {
                return Plan::Wait;
            }
            self.playing = true;
            return self.jump(told, late_ns, call);
        }
        let heard = self.hear(told, call);
        let error_ns = self.way_ns(heard) - target.way_ns;
        if error_ns > LATE_MAX_NS {
            self.jumps += 1;
            return self.jump(told, error_ns, call);
        }
        if target.for_pictures && error_ns < -EARLY_MAX_NS {
            self.jumps += 1;
            self.stop();
            return Plan::Wait;
        }
        let correction = error_ns as f64 / 1e9 * GAIN_A_SECOND;
        let wanted = 1.0 + correction.clamp(-CORRECTION_MAX, CORRECTION_MAX);
        // What the device tells of its latency trembles; the pitch is not to.
        self.rate += (wanted - self.rate) / 16.0;
        Plan::Play { skip_ns: 0, rate: self.rate }
    }

    /// Whether sound is to go on; it has run out when there is none.
    pub(super) fn is_playing(&self) -> bool {
        self.playing
    }

    /// The sound ran out at this call: next time more is kept back.
    pub(super) fn ran_dry(&mut self) {
        self.dry += 1;
        self.margin_ns = (self.margin_ns + MARGIN_GROWS_NS).min(MARGIN_MOST_NS);
        self.stop();
    }

    /// Begins anew with the next block.
    pub(super) fn stop(&mut self) {
        self.playing = false;
        self.rate = 1.0;
    }

    /// Which sound is heard when; `None` when none is, or the device does not say.
    pub(super) fn heard(&self, now: Instant) -> Option<Clock> {
        self.fresh(now).map(|heard| heard.smooth)
    }

    /// How it stands; `None` as for [`Live::heard`].
    pub(super) fn report(&self, now: Instant) -> Option<LiveReport> {
        self.fresh(now).map(|heard| LiveReport {
            told: heard.told,
            latency: heard.call.latency,
            rate: self.rate,
            jumps: self.jumps,
            dry: self.dry,
        })
    }

    fn fresh(&self, now: Instant) -> Option<Heard> {
        let fresh = |heard: &Heard| now.saturating_duration_since(heard.call.now) < CLOCK_MAX_AGE;
        self.heard.filter(|heard| fresh(heard) && !self.device.runs_ahead(now))
    }

    /// Leaves sound out; the clock is set anew.
    fn jump(&mut self, told: Clock, skip_ns: i64, call: Call) -> Plan {
        let told = Clock { wall: told.wall.offset_ns(skip_ns), ..told };
        self.heard = Some(Heard { told, smooth: told, call });
        self.rate = 1.0;
        Plan::Play { skip_ns, rate: self.rate }
    }

    /// Moves the clock towards what the device tells.
    fn hear(&mut self, told: Clock, call: Call) -> Clock {
        let expected = self.heard.map_or(told.wall, |heard| heard.smooth.wall_at(told.at));
        let off_ns = told.wall.ns_since(expected);
        let snap = off_ns.abs() > CLOCK_SNAP_NS;
        let wall = if snap { told.wall } else { expected.offset_ns(off_ns / CLOCK_SMOOTHING) };
        let smooth = Clock { wall, at: told.at };
        self.heard = Some(Heard { told, smooth, call });
        smooth
    }

    fn target(&self, call: Call) -> Option<Target> {
        let slowest_ns = self.arrivals.slowest_ns()?;
        let sound_ns = slowest_ns + self.margin_ns + as_ns(call.length) + as_ns(call.latency);
        let pictures_ns = self.pictures_ns.map_or(i64::MIN, |usual_ns| usual_ns + PICTURE_MARGIN_NS);
        let for_pictures = pictures_ns > sound_ns;
        let way_ns = if for_pictures { pictures_ns.min(sound_ns + PICTURE_MAX_NS) } else { sound_ns };
        Some(Target { way_ns, for_pictures })
    }

    fn way_ns(&self, clock: Clock) -> i64 {
        ns_since(clock.at, self.start).saturating_sub(clock.wall.0)
    }
}

/// The ways of the blocks that came of late.
#[derive(Debug)]
struct Arrivals {
    begun: Instant,
    before: Option<Span>,
    running: Option<Span>,
    /// What counts as the fastest way, until the next stretch begins.
    fastest_ns: Option<i64>,
    /// When a block last came much faster than any before.
    quickened: Instant,
}

/// Fastest and slowest way of a stretch, nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Span {
    fastest_ns: i64,
    slowest_ns: i64,
}

impl Arrivals {
    fn new(start: Instant) -> Self {
        Self { begun: start, before: None, running: None, fastest_ns: None, quickened: start }
    }

    /// Takes in the way of a block; true when another stretch begins with it.
    fn add(&mut self, way_ns: i64, now: Instant) -> bool {
        if self.fastest_ns.is_none_or(|fastest_ns| way_ns < fastest_ns - QUICKER_NS) {
            let first = Span { fastest_ns: way_ns, slowest_ns: way_ns };
            *self = Self { begun: now, before: None, running: Some(first), fastest_ns: Some(way_ns), quickened: now };
            return false;
        }
        let over = now.saturating_duration_since(self.begun) >= STRETCH;
        if over {
            self.fastest_ns = self.running.map(|span| span.fastest_ns).or(self.fastest_ns);
            self.before = self.running.take();
            self.begun = now;
        }
        let span = self.running.get_or_insert(Span { fastest_ns: way_ns, slowest_ns: way_ns });
        span.fastest_ns = span.fastest_ns.min(way_ns);
        span.slowest_ns = span.slowest_ns.max(way_ns);
        over
    }

    /// The slowest way that is worth waiting for.
    fn slowest_ns(&self) -> Option<i64> {
        let spans = || self.before.into_iter().chain(self.running);
        let slowest_ns = spans().map(|span| span.slowest_ns).max()?;
        let fastest_ns = spans().map(|span| span.fastest_ns).min()?;
        Some(slowest_ns.min(fastest_ns.saturating_add(SPREAD_MAX_NS)))
    }

    /// Whether blocks come as fast as they are played, no faster.
    fn is_settled(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.quickened) >= SETTLED_AFTER
    }
}

/// Whether the device takes sound at the speed of time.
#[derive(Debug, Default)]
struct DeviceTime {
    /// Since when it is watched.
    begun: Option<Instant>,
    /// What it took since then, nanoseconds.
    taken_ns: i64,
    /// When it was last found to run ahead.
    ahead: Option<Instant>,
}

impl DeviceTime {
    fn take(&mut self, call: Call) {
        let begun = *self.begun.get_or_insert(call.now);
        let passed = call.now.saturating_duration_since(begun);
        self.taken_ns = self.taken_ns.saturating_add(as_ns(call.length));
        let ahead = self.taken_ns.saturating_sub(as_ns(passed)) > RUNS_AHEAD_NS;
        if ahead {
            self.ahead = Some(call.now);
        }
        if ahead || passed >= STRETCH {
            (self.begun, self.taken_ns) = (Some(call.now), 0);
        }
    }

    fn runs_ahead(&self, now: Instant) -> bool {
        self.ahead.is_some_and(|at| now.saturating_duration_since(at) < STRETCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera, a way to here and a sound card, all made up. Time here is counted in nanoseconds from `start`.
    struct Sim {
        start: Instant,
        live: Live,
        /// Speed of the camera's clock against that of the sound card.
        camera: f64,
        /// Blocks that came: the next one's number, and where the sound that is here ends, nanoseconds of wall time.
        next_block: i64,
        end_ns: i64,
        /// Wall time of the sound that is played next, nanoseconds.
        play_ns: f64,
        dice: u64,
        arrival_ns: i64,
    }

    const WALL0: i64 = 1_790_000_000_000 * MS;
    const BLOCK_NS: i64 = 20 * MS;
    const CALL_NS: i64 = 10 * MS;
    const LATENCY_NS: i64 = 30 * MS;

    impl Sim {
        fn new(ppm: f64) -> Self {
            let start = Instant::now();
            let (live, camera) = (Live::new(start), 1.0 + ppm / 1e6);
            Self { start, live, camera, next_block: 0, end_ns: 0, play_ns: 0.0, dice: 1, arrival_ns: 0 }
        }

        fn instant(&self, ns: i64) -> Instant {
            self.start + Duration::from_nanos(ns.unsigned_abs())
        }

        /// A number from 0 to 30 ms, always the same ones in the same order.
        fn jitter_ns(&mut self) -> i64 {
            self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::try_from((self.dice >> 33) % 30).unwrap() * MS
        }

        /// Lets blocks come until then: each when it is complete, 5 ms of way, and some jitter; none overtakes another.
        fn receive(&mut self, now_ns: i64) {
            while self.arrival_ns <= now_ns {
                if self.next_block > 0 {
                    let from_ns = (self.next_block - 1) * BLOCK_NS;
                    let at = self.instant(self.arrival_ns);
                    self.live.block(WallTime(WALL0 + from_ns), at);
                    self.end_ns = from_ns + BLOCK_NS;
                }
                self.next_block += 1;
                let complete_ns = (self.next_block * BLOCK_NS) as f64 / self.camera;
                self.arrival_ns = self.arrival_ns.max(complete_ns as i64 + 5 * MS + self.jitter_ns());
            }
        }

        /// One call of the device; how long after it was taken the sound is heard, nanoseconds, while there is any.
        fn call(&mut self, now_ns: i64) -> Option<i64> {
            self.receive(now_ns);
            let now = self.instant(now_ns);
            let call = Call {
                now,
                latency: Duration::from_nanos(LATENCY_NS.unsigned_abs()),
                length: Duration::from_nanos(CALL_NS.unsigned_abs()),
            };
            self.live.called(call);
            match self.live.plan(WallTime(WALL0 + self.play_ns as i64), call) {
                Plan::Wait => None,
                Plan::Play { skip_ns, rate } => {
                    assert!((rate - 1.0).abs() <= CORRECTION_MAX + 1e-9, "rate {rate}");
                    let heard_ns = self.play_ns + skip_ns as f64;
                    self.play_ns = heard_ns + CALL_NS as f64 * rate;
                    if self.play_ns > self.end_ns as f64 {
                        self.live.ran_dry();
                    }
                    let clock = self.live.heard(now).expect("sound that is played is heard");
                    let at = self.instant(now_ns + LATENCY_NS);
                    let told_ns = clock.wall_at(at).0 - WALL0 - heard_ns as i64;
                    assert!(told_ns.abs() < 5 * MS, "the clock is off by {told_ns} ns");
                    let taken_ns = heard_ns / self.camera;
                    Some(now_ns + LATENCY_NS - taken_ns as i64)
                }
            }
        }
    }

    /// Ten minutes of calls; the delay of the sound from the second minute on, least and most, nanoseconds.
    fn ten_minutes(ppm: f64) -> (i64, i64) {
        let mut sim = Sim::new(ppm);
        let (mut least_ns, mut most_ns) = (i64::MAX, i64::MIN);
        for call in 0..60_000 {
            let now_ns = call * CALL_NS;
            let delay_ns = sim.call(now_ns);
            if call > 6_000 {
                let delay_ns = delay_ns.expect("sound goes on");
                (least_ns, most_ns) = (least_ns.min(delay_ns), most_ns.max(delay_ns));
            }
        }
        assert_eq!((sim.live.jumps, sim.live.dry), (0, 0), "{ppm} ppm: sound was left out or ran out");
        (least_ns, most_ns)
    }

    #[test]
    fn drift_is_taken_up_without_a_jump() {
        for ppm in [0.0, 100.0, -100.0, 1000.0, -1000.0] {
            let (least_ns, most_ns) = ten_minutes(ppm);
            assert!(most_ns - least_ns < 40 * MS, "{ppm} ppm: {least_ns} to {most_ns} ns");
            // Block, way, jitter, margin, call and device.
            assert!(most_ns < 180 * MS, "{ppm} ppm: {most_ns} ns are more than is needed");
        }
    }

    #[test]
    fn the_speed_becomes_that_of_the_camera() {
        let mut sim = Sim::new(1000.0);
        for call in 0..12_000 {
            sim.call(call * CALL_NS);
        }
        let before_ns = sim.play_ns;
        for call in 12_000..18_000 {
            sim.call(call * CALL_NS);
        }
        let speed = (sim.play_ns - before_ns) / (6_000 * CALL_NS) as f64;
        assert!((speed - 1.001).abs() < 0.000_3, "{speed}");
    }

    fn call_at(now: Instant) -> Call {
        Call { now, latency: Duration::from_millis(30), length: Duration::from_millis(10) }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_backlog_is_left_out_and_does_not_make_the_sound_late() {
        let start = Instant::now();
        let mut live = Live::new(start);
        // Two seconds come within 200 ms.
        for block in 0..100_u64 {
            live.block(WallTime(WALL0 + i64::try_from(block).unwrap() * BLOCK_NS), start + ms(block * 2));
            let plan = live.plan(WallTime(WALL0), call_at(start + ms(block * 2)));
            assert_eq!(plan, Plan::Wait, "it goes on coming faster than it could be played");
        }
        let now = start + ms(300);
        let Plan::Play { skip_ns, .. } = live.plan(WallTime(WALL0), call_at(now)) else { panic!("it is over") };
        let heard_ns = 300 * MS + 30 * MS - skip_ns;
        // The newest block begins at 1,980 ms and came after 198.
        let newest_ns = 198 * MS - 1980 * MS;
        let kept_back_ns = heard_ns - newest_ns;
        assert!((100 * MS..160 * MS).contains(&kept_back_ns), "{kept_back_ns}");
    }

    #[test]
    fn sound_waits_for_pictures_that_come_later() {
        let start = Instant::now();
        let mut live = Live::new(start);
        let mut begun = None;
        for step in 0..60_u64 {
            let now = start + ms(step * 10);
            let wall = |late_ms: i64| WallTime(WALL0 + i64::try_from(step).unwrap() * 10 * MS - late_ms * MS);
            live.block(wall(20), now);
            live.picture(wall(250), now);
            if let Plan::Play { skip_ns, .. } = live.plan(WallTime(WALL0), call_at(now)) {
                begun = Some(ns_since(now, start) + 30 * MS - skip_ns);
                break;
            }
        }
        let delay_ns = begun.expect("it begins");
        assert!((270 * MS..300 * MS).contains(&delay_ns), "{delay_ns}");
    }

    #[test]
    fn pictures_that_come_far_too_late_are_not_waited_for() {
        let start = Instant::now();
        let mut live = Live::new(start);
        live.block(WallTime(WALL0), start);
        let own_ns = live.target(call_at(start)).unwrap().way_ns;
        live.picture(WallTime(WALL0 - 5_000 * MS), start);
        assert_eq!(live.target(call_at(start)).unwrap().way_ns - own_ns, PICTURE_MAX_NS);
    }

    #[test]
    fn after_running_out_more_is_kept_back_and_in_time_less_again() {
        let mut sim = Sim::new(0.0);
        for call in 0..100 {
            sim.call(call * CALL_NS);
        }
        let before_ns = sim.live.margin_ns;
        sim.live.ran_dry();
        assert_eq!(sim.live.margin_ns, before_ns + MARGIN_GROWS_NS);
        for call in 100..12_000 {
            sim.call(call * CALL_NS);
        }
        assert_eq!(sim.live.margin_ns, MARGIN_LEAST_NS);
    }

    #[test]
    fn a_clock_that_nothing_moves_is_not_believed() {
        let start = Instant::now();
        let mut live = Live::new(start);
        live.block(WallTime(WALL0), start);
        let now = start + ms(200);
        assert!(matches!(live.plan(WallTime(WALL0), call_at(now)), Plan::Play { .. }));
        assert!(live.heard(now + ms(400)).is_some() && live.report(now).is_some());
        assert!(live.heard(now + ms(600)).is_none(), "the device has stopped calling");
        live.device_lost();
        assert!(live.heard(now).is_none());
    }

    #[test]
    fn a_device_that_swallows_sound_has_no_clock() {
        let start = Instant::now();
        let mut live = Live::new(start);
        live.block(WallTime(WALL0), start);
        let now = start + ms(200);
        assert!(matches!(live.plan(WallTime(WALL0), call_at(now)), Plan::Play { .. }));
        for call in 0..90 {
            live.called(call_at(now + Duration::from_micros(call)));
        }
        assert!(live.heard(now).is_some(), "a device may take some sound in advance");
        for call in 90..200 {
            live.called(call_at(now + Duration::from_micros(call)));
        }
        assert!(live.heard(now + ms(1)).is_none());
    }
}
