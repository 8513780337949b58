//! The buffer between decoders and the sound device: who is heard, how much is kept, what is dropped or filled.
//!
//! Pure: no device, no clock; the instant is passed in. When live sound is due is decided in `sound_live`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use minhbach_decode::{AudioBlock, OUTPUT_RATE_HZ};
use minhbach_model::WallTime;

use super::clock::Clock;
use super::sound_live::{Call, Live, LiveReport, Plan};
use crate::video::player::PlayerId;

/// How far sound of playback may be from the picture.
const SYNC_NS: i64 = 40_000_000;

/// The most that is ever kept.
const KEPT_MAX_NS: i64 = 3_000_000_000;

/// A hole between blocks up to which silence is put in; a longer one starts the buffer anew.
const HOLE_MAX_NS: i64 = 500_000_000;

/// A clock that was not set for so long belongs to a tile that is no longer shown.
const CLOCK_MAX_AGE: Duration = Duration::from_secs(1);

/// How the sound of a player is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as is safe after it comes.
    Live,
    /// When the playhead gets there.
    Playhead,
}

type Frame = [f32; 2];

/// The sound of the player that is heard.
pub(super) struct Mix {
    audible: Option<PlayerId>,
    volume: f32,
    muted: bool,
    pace: Pace,
    /// Where playback stood at an instant, at normal speed.
    clock: Option<Clock>,
    live: Live,
    kept: VecDeque<Frame>,
    /// When the first of `kept` was taken.
    front: WallTime,
    /// A frame was wanted and none was there.
    dry: bool,
    /// Linear interpolation to the device's rate: the frames before and after, and the place between them.
    before: Frame,
    after: Frame,
    phase: f64,
}

impl Mix {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            audible: None,
            volume: 1.0,
            muted: false,
            pace: Pace::Live,
            clock: None,
            live: Live::new(now),
            kept: VecDeque::new(),
            front: WallTime::default(),
            dry: false,
            before: [0.0; 2],
            after: [0.0; 2],
            phase: 1.0,
        }
    }

    pub(super) fn set_audible(&mut self, player: Option<PlayerId>) {
        if self.audible != player {
            self.audible = player;
            self.clock = None;
            self.empty();
        }
    }

    pub(super) fn audible(&self) -> Option<PlayerId> {
        self.audible
    }

    pub(super) fn set_volume(&mut self, volume: f32) {
        self.volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
    }

    pub(super) fn volume(&self) -> f32 {
        self.volume
    }

    /// Muted sound goes on being played, without loudness: the pictures keep to it, and nothing jumps.
    pub(super) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(super) fn muted(&self) -> bool {
        self.muted
    }

    pub(super) fn set_clock(&mut self, player: PlayerId, clock: Option<Clock>) {
        if self.audible == Some(player) {
            self.clock = clock;
        }
    }

    pub(super) fn clear(&mut self, player: PlayerId) {
        if self.audible == Some(player) {
            self.empty();
        }
    }

    /// A live picture of a player could be drawn from now on: which sound is heard, when it is the player that is heard
    /// and its sound has a clock.
    pub(super) fn picture(&mut self, player: PlayerId, wall: WallTime, now: Instant) -> Option<Clock> {
        if self.audible != Some(player) {
            return None;
        }
        self.live.picture(wall, now);
        self.live.heard(now)
    }

    /// Which live sound of a player is heard when.
    pub(super) fn heard(&self, player: PlayerId, now: Instant) -> Option<Clock> {
        if self.audible == Some(player) { self.live.heard(now) } else { None }
    }

    /// How the live sound of a player stands, and how much of it is kept, nanoseconds.
    pub(super) fn report(&self, player: PlayerId, now: Instant) -> Option<(LiveReport, i64)> {
        let report = if self.audible == Some(player) { self.live.report(now) } else { None };
        report.map(|report| (report, self.kept_ns()))
    }

    /// The device is gone: nothing is heard, and no sound has a clock.
    pub(super) fn device_lost(&mut self) {
        self.empty();
        self.live.device_lost();
    }

    /// A block that has come at `now`.
    pub(super) fn push(&mut self, player: PlayerId, pace: Pace, block: &AudioBlock, now: Instant) {
        if self.audible != Some(player) || block.samples.len() < 2 {
            return;
        }
        if self.pace != pace {
            self.empty();
            self.pace = pace;
        }
        if !self.kept.is_empty() {
            let hole_ns = block.wall.ns_since(self.front.offset_ns(self.kept_ns()));
            if !(-SYNC_NS..=HOLE_MAX_NS).contains(&hole_ns) {
                self.empty();
            } else if hole_ns > SYNC_NS / 4 {
                self.kept.extend(std::iter::repeat_n([0.0; 2], ns_to_frames(hole_ns)));
            }
        }
        if pace == Pace::Live {
            self.live.block(block.wall, now);
        }
        self.kept.extend(block.samples.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        // The end of what is kept is known exactly, so the beginning is too.
        self.front = block.wall.offset_ns(block.duration_ns() - self.kept_ns());
        self.drop_ns(self.kept_ns() - KEPT_MAX_NS);
    }

    /// Fills the device's buffer of `channels` interleaved channels; `latency` after `now` its first frame is heard.
    pub(super) fn render(
        &mut self,
        out: &mut [f32],
        (channels, rate_hz): (usize, u32),
        now: Instant,
        latency: Duration,
    ) {
        let frames = out.len() / channels.max(1);
        let length = Duration::from_secs_f64(frames as f64 / f64::from(rate_hz.max(1)));
        let call = Call { now, latency, length };
        self.live.called(call);
        let speed = self.align(call);
        let step = f64::from(OUTPUT_RATE_HZ) / f64::from(rate_hz.max(1)) * speed.unwrap_or(1.0);
        let sounding = speed.is_some();
        self.dry = false;
        let gain = if self.muted { 0.0 } else { self.volume };
        for frame in out.chunks_mut(channels.max(1)) {
            let [left, right] = if sounding { self.interpolated(step) } else { [0.0; 2] };
            match frame {
                [only] => *only = f32::midpoint(left, right) * gain,
                [first, second, rest @ ..] => {
                    *first = left * gain;
                    *second = right * gain;
                    rest.fill(0.0);
                }
                [] => {}
            }
        }
        if sounding && self.dry && self.pace == Pace::Live {
            self.live.ran_dry();
            self.still();
        }
    }

    /// Brings the buffer to where it should be; the speed to play at, or `None` when there is nothing to play now.
    fn align(&mut self, call: Call) -> Option<f64> {
        match self.pace {
            Pace::Live => self.align_live(call),
            Pace::Playhead => {
                let age = |clock: &Clock| call.now.saturating_duration_since(clock.at);
                let position = self.clock.filter(|clock| age(clock) < CLOCK_MAX_AGE)?.wall_at(call.now);
                let early_ns = self.front.ns_since(position);
                if early_ns < -SYNC_NS {
                    self.drop_ns(-early_ns);
                }
                (early_ns <= SYNC_NS && !self.kept.is_empty()).then_some(1.0)
            }
        }
    }

    fn align_live(&mut self, call: Call) -> Option<f64> {
        if self.kept.is_empty() {
            if self.live.is_playing() {
                self.live.ran_dry();
                self.still();
            }
            return None;
        }
        match self.live.plan(self.next_wall(), call) {
            Plan::Wait => None,
            Plan::Play { skip_ns, .. } if skip_ns >= self.kept_ns() => {
                // What is left of a stream that has stopped; it is too late for it.
                self.kept.clear();
                self.live.stop();
                self.still();
                None
            }
            Plan::Play { skip_ns, rate } => {
                self.drop_ns(skip_ns);
                Some(rate)
            }
        }
    }

    /// When the next frame that comes out was taken: up to two frames before `kept` are still being interpolated.
    fn next_wall(&self) -> WallTime {
        self.front.offset_ns(((self.phase - 2.0) * 1e9 / f64::from(OUTPUT_RATE_HZ)) as i64)
    }

    fn interpolated(&mut self, step: f64) -> Frame {
        while self.phase >= 1.0 {
            self.before = self.after;
            let next = self.pop();
            self.dry |= next.is_none();
            self.after = next.unwrap_or([0.0; 2]);
            self.phase -= 1.0;
        }
        let part = self.phase as f32;
        self.phase += step;
        [
            self.before[0] + (self.after[0] - self.before[0]) * part,
            self.before[1] + (self.after[1] - self.before[1]) * part,
        ]
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.kept.pop_front()?;
        // A frame is no whole number of nanoseconds: 0.33 ns are lost here, and set right by the next push.
        self.front = self.front.offset_ns(frames_to_ns(1));
        Some(frame)
    }

    fn drop_ns(&mut self, ns: i64) {
        if ns > 0 {
            let frames = ns_to_frames(ns).min(self.kept.len());
            self.kept.drain(..frames);
            self.front = self.front.offset_ns(frames_to_ns(frames));
        }
    }

    fn kept_ns(&self) -> i64 {
        frames_to_ns(self.kept.len())
    }

    fn empty(&mut self) {
        self.kept.clear();
        self.live.reset();
        self.still();
    }

    /// Nothing is being interpolated.
    fn still(&mut self) {
        (self.before, self.after, self.phase) = ([0.0; 2], [0.0; 2], 1.0);
    }
}

fn frames_to_ns(frames: usize) -> i64 {
    i64::try_from(frames as u128 * 1_000_000_000 / u128::from(OUTPUT_RATE_HZ)).unwrap_or(i64::MAX)
}

fn ns_to_frames(ns: i64) -> usize {
    let ns = u128::from(ns.unsigned_abs());
    usize::try_from(ns * u128::from(OUTPUT_RATE_HZ) / 1_000_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn block(wall_ms: i64, length_ms: i64, value: f32) -> AudioBlock {
        AudioBlock { wall: WallTime(wall_ms * MS), samples: vec![value; ns_to_frames(length_ms * MS) * 2] }
    }

    fn mix(player: PlayerId, now: Instant) -> Mix {
        let mut mix = Mix::new(now);
        mix.set_audible(Some(player));
        mix
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Renders some milliseconds of stereo at the own rate, heard at once.
    fn render(mix: &mut Mix, length_ms: i64, now: Instant) -> Vec<f32> {
        let mut out = vec![9.0; ns_to_frames(length_ms * MS) * 2];
        mix.render(&mut out, (2, OUTPUT_RATE_HZ), now, Duration::ZERO);
        out
    }

    #[test]
    fn live_sound_waits_until_it_is_safe_and_then_plays() {
        let (start, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, start);
        mix.push(me, Pace::Live, &block(0, 200, 0.5), start);
        assert!(render(&mut mix, 10, start + ms(80)).iter().all(|&v| v == 0.0));
        assert!(mix.heard(me, start + ms(80)).is_none());
        let out = render(&mut mix, 10, start + ms(90));
        assert!(out[2..].iter().all(|&v| (v - 0.5).abs() < 1e-6));
        let heard = mix.heard(me, start + ms(90)).unwrap();
        assert!(heard.wall_at(start + ms(90)).ns_since(WallTime(0)).abs() < MS, "{heard:?}");
        assert!(mix.heard(PlayerId::next(), start + ms(90)).is_none(), "another player's pictures do not wait");
    }

    #[test]
    fn a_burst_is_cut_to_the_newest() {
        let (start, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, start);
        for from_ms in (0..2000).step_by(20) {
            mix.push(me, Pace::Live, &block(from_ms, 20, 0.1), start);
        }
        render(&mut mix, 10, start + ms(60));
        // Kept back are 80 ms and the length of a call; 60 ms have passed since, and one call has been played.
        assert!(mix.front.ns_since(WallTime(1960 * MS)).abs() < 25 * MS, "{:?}", mix.front);
    }

    #[test]
    fn only_the_chosen_player_is_heard() {
        let (start, me, other) = (Instant::now(), PlayerId::next(), PlayerId::next());
        let mut mix = mix(me, start);
        mix.push(other, Pace::Live, &block(0, 500, 1.0), start);
        assert!(render(&mut mix, 10, start + ms(100)).iter().all(|&v| v == 0.0));
        mix.push(me, Pace::Live, &block(0, 500, 1.0), start);
        assert!(render(&mut mix, 10, start + ms(100)).iter().any(|&v| v > 0.0));
        mix.set_volume(0.5);
        assert!((render(&mut mix, 10, start + ms(110))[100] - 0.5).abs() < 1e-6);
        mix.set_audible(Some(other));
        assert!(mix.kept.is_empty() && mix.heard(me, start + ms(110)).is_none());
    }

    #[test]
    fn muting_changes_loudness_and_not_the_time() {
        let (start, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, start);
        mix.push(me, Pace::Live, &block(0, 500, 1.0), start);
        render(&mut mix, 10, start + ms(100));
        let before = mix.heard(me, start + ms(100)).unwrap();
        mix.set_muted(true);
        assert!(render(&mut mix, 10, start + ms(110)).iter().all(|&v| v == 0.0));
        let muted = mix.heard(me, start + ms(110)).unwrap();
        assert!(muted.wall_at(before.at).ns_since(before.wall).abs() < MS, "{before:?} {muted:?}");
        mix.set_muted(false);
        assert!(render(&mut mix, 10, start + ms(120))[100] > 0.9);
    }

    #[test]
    fn without_its_device_sound_has_no_clock() {
        let (start, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, start);
        mix.push(me, Pace::Live, &block(0, 500, 1.0), start);
        render(&mut mix, 10, start + ms(100));
        assert!(mix.heard(me, start + ms(100)).is_some() && mix.report(me, start + ms(100)).is_some());
        mix.device_lost();
        assert!(mix.heard(me, start + ms(100)).is_none() && mix.picture(me, WallTime(0), start + ms(100)).is_none());
    }

    /// A camera whose clock is 0.1 % fast, for 20 s: each sample says in seconds when it was taken.
    #[test]
    fn the_clock_names_the_sound_that_comes_out_and_no_sample_is_left_out() {
        let (start, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, start);
        let (mut blocks, mut last, mut heard_any) = (0_i64, None::<f32>, false);
        for call in 0..2000_u64 {
            let now = start + ms(call * 10);
            while (blocks + 1) * 20_000 <= i64::try_from(call * 10_010).unwrap() {
                let first = blocks * 960;
                let samples = (first..first + 960).flat_map(|n| [n as f32 / 48_000.0; 2]).collect();
                mix.push(me, Pace::Live, &AudioBlock { wall: WallTime(blocks * 20 * MS), samples }, now);
                blocks += 1;
            }
            let mut out = vec![0.0; 960];
            mix.render(&mut out, (2, OUTPUT_RATE_HZ), now, ms(25));
            let Some(heard) = mix.heard(me, now).filter(|_| heard_any || out[0] > 0.0) else { continue };
            heard_any = true;
            let told_s = heard.wall_at(now + ms(25)).0 as f32 / 1e9;
            assert!((told_s - out[0]).abs() < 0.005, "call {call}: {told_s} told, {} heard", out[0]);
            for &value in out.iter().step_by(2) {
                let step = last.map_or(1.0 / 48_000.0, |last| value - last);
                assert!((step * 48_000.0 - 1.0).abs() < 0.5, "call {call}: a step of {step} s");
                last = Some(value);
            }
        }
        assert!(heard_any);
        let (report, _) = mix.report(me, start + ms(19_990)).unwrap();
        assert_eq!((report.jumps, report.dry), (0, 0));
    }

    #[test]
    fn lost_packets_become_silence_of_the_same_length() {
        let (now, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, now);
        mix.push(me, Pace::Live, &block(0, 100, 0.5), now);
        mix.push(me, Pace::Live, &block(120, 100, 0.5), now);
        assert!((mix.kept_ns() - 220 * MS).abs() < MS);
        mix.push(me, Pace::Live, &block(5000, 100, 0.5), now);
        assert!((mix.kept_ns() - 100 * MS).abs() < MS);
        assert_eq!(mix.front, WallTime(5000 * MS));
    }

    #[test]
    fn playback_sound_keeps_to_the_playhead() {
        let (now, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, now);
        mix.push(me, Pace::Playhead, &block(1000, 1000, 0.5), now);
        assert!(render(&mut mix, 10, now).iter().all(|&v| v == 0.0), "no clock, no sound");
        mix.set_clock(me, Some(Clock { wall: WallTime(900 * MS), at: now }));
        assert!(render(&mut mix, 10, now).iter().all(|&v| v == 0.0), "100 ms early");
        assert_eq!(mix.kept_ns(), 1000 * MS);
        mix.set_clock(me, Some(Clock { wall: WallTime(1300 * MS), at: now }));
        let out = render(&mut mix, 10, now);
        assert!((out[100] - 0.5).abs() < 1e-6, "late sound is dropped and the rest plays");
        assert!(mix.front.ns_since(WallTime(1310 * MS)).abs() < 2 * MS);
        assert!(render(&mut mix, 10, now + Duration::from_secs(3)).iter().all(|&v| v == 0.0), "stale clock");
    }

    #[test]
    fn another_device_rate_and_one_channel_are_served() {
        let (now, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me, now);
        mix.push(me, Pace::Live, &block(0, 120, 0.5), now);
        let before = mix.kept.len();
        let mut out = vec![0.0; 441];
        mix.render(&mut out, (1, 44_100), now + ms(90), Duration::ZERO);
        assert!((before - mix.kept.len()).abs_diff(480) <= 2);
        assert!((out[300] - 0.5).abs() < 1e-6);
    }
}
