//! The buffer between decoders and the sound device: who is heard, how much is kept, what is dropped or filled.
//!
//! Pure: no device, no clock; the instant is passed in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use minhbach_decode::{AudioBlock, OUTPUT_RATE_HZ};
use minhbach_model::WallTime;

use crate::video::player::PlayerId;

/// Live sound kept back against jitter, nanoseconds.
const JITTER_NS: i64 = 120_000_000;

/// Live sound above which the oldest is dropped down to [`JITTER_NS`].
const LIVE_MAX_NS: i64 = 320_000_000;

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
    /// As it comes, through the jitter buffer.
    Live,
    /// When the playhead gets there.
    Playhead,
}

/// Where playback stood at an instant, at normal speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The position.
    pub wall: WallTime,
    /// When it was there.
    pub at: Instant,
}

type Frame = [f32; 2];

/// The sound of the player that is heard.
pub(super) struct Mix {
    audible: Option<PlayerId>,
    volume: f32,
    muted: bool,
    pace: Pace,
    clock: Option<Clock>,
    kept: VecDeque<Frame>,
    /// When the first of `kept` was taken.
    front: WallTime,
    /// Live: enough was there once to begin.
    primed: bool,
    /// Linear interpolation to the device's rate: the frames before and after, and the place between them.
    before: Frame,
    after: Frame,
    phase: f64,
}

impl Mix {
    pub(super) fn new() -> Self {
        Self {
            audible: None,
            volume: 1.0,
            muted: false,
            pace: Pace::Live,
            clock: None,
            kept: VecDeque::new(),
            front: WallTime::default(),
            primed: false,
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

    pub(super) fn push(&mut self, player: PlayerId, pace: Pace, block: &AudioBlock) {
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
        self.kept.extend(block.samples.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        // The end of what is kept is known exactly, so the beginning is too.
        self.front = block.wall.offset_ns(block.duration_ns() - self.kept_ns());
        self.drop_ns(self.kept_ns() - KEPT_MAX_NS);
    }

    /// Fills the device's buffer of `channels` interleaved channels.
    pub(super) fn render(&mut self, out: &mut [f32], channels: usize, rate_hz: u32, now: Instant) {
        let step = f64::from(OUTPUT_RATE_HZ) / f64::from(rate_hz.max(1));
        let sounding = self.align(now);
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
    }

    /// Brings the buffer to where it should be; false when there is nothing to play now.
    fn align(&mut self, now: Instant) -> bool {
        match self.pace {
            Pace::Live => {
                if self.kept.is_empty() {
                    self.primed = false;
                } else if !self.primed && self.kept_ns() >= JITTER_NS {
                    self.primed = true;
                    self.drop_ns(self.kept_ns() - JITTER_NS);
                } else if self.primed && self.kept_ns() > LIVE_MAX_NS {
                    self.drop_ns(self.kept_ns() - JITTER_NS);
                }
                self.primed
            }
            Pace::Playhead => {
                let clock = self.clock.filter(|clock| now.saturating_duration_since(clock.at) < CLOCK_MAX_AGE);
                let Some(clock) = clock else {
                    return false;
                };
                let position = clock.wall + now.saturating_duration_since(clock.at);
                let early_ns = self.front.ns_since(position);
                if early_ns < -SYNC_NS {
                    self.drop_ns(-early_ns);
                }
                early_ns <= SYNC_NS && !self.kept.is_empty()
            }
        }
    }

    fn interpolated(&mut self, step: f64) -> Frame {
        while self.phase >= 1.0 {
            self.before = self.after;
            self.after = self.pop().unwrap_or([0.0; 2]);
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
        self.primed = false;
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

    fn mix(player: PlayerId) -> Mix {
        let mut mix = Mix::new();
        mix.set_audible(Some(player));
        mix
    }

    /// Renders some milliseconds of stereo at the own rate.
    fn render(mix: &mut Mix, length_ms: i64, now: Instant) -> Vec<f32> {
        let mut out = vec![9.0; ns_to_frames(length_ms * MS) * 2];
        mix.render(&mut out, 2, OUTPUT_RATE_HZ, now);
        out
    }

    #[test]
    fn live_sound_waits_for_the_jitter_buffer_and_then_plays() {
        let (now, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me);
        mix.push(me, Pace::Live, &block(0, 100, 0.5));
        assert!(render(&mut mix, 10, now).iter().all(|&v| v == 0.0));
        mix.push(me, Pace::Live, &block(100, 40, 0.5));
        let out = render(&mut mix, 10, now);
        assert!(out[2..].iter().all(|&v| (v - 0.5).abs() < 1e-6));
    }

    #[test]
    fn a_burst_is_cut_to_the_newest() {
        let (now, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me);
        mix.push(me, Pace::Live, &block(0, 2000, 0.1));
        render(&mut mix, 1, now);
        assert!((mix.kept_ns() - (JITTER_NS - MS)).abs() < MS, "{}", mix.kept_ns());
        assert!(mix.front.ns_since(WallTime(1880 * MS)).abs() < 2 * MS);
    }

    #[test]
    fn only_the_chosen_player_is_heard() {
        let (now, me, other) = (Instant::now(), PlayerId::next(), PlayerId::next());
        let mut mix = mix(me);
        mix.push(other, Pace::Live, &block(0, 500, 1.0));
        assert!(render(&mut mix, 10, now).iter().all(|&v| v == 0.0));
        mix.push(me, Pace::Live, &block(0, 500, 1.0));
        mix.set_muted(true);
        assert!(render(&mut mix, 10, now).iter().all(|&v| v == 0.0));
        mix.set_muted(false);
        mix.set_volume(0.5);
        assert!((render(&mut mix, 10, now)[100] - 0.5).abs() < 1e-6);
        mix.set_audible(Some(other));
        assert!(mix.kept.is_empty());
    }

    #[test]
    fn lost_packets_become_silence_of_the_same_length() {
        let me = PlayerId::next();
        let mut mix = mix(me);
        mix.push(me, Pace::Live, &block(0, 100, 0.5));
        mix.push(me, Pace::Live, &block(120, 100, 0.5));
        assert!((mix.kept_ns() - 220 * MS).abs() < MS);
        mix.push(me, Pace::Live, &block(5000, 100, 0.5));
        assert!((mix.kept_ns() - 100 * MS).abs() < MS);
        assert_eq!(mix.front, WallTime(5000 * MS));
    }

    #[test]
    fn playback_sound_keeps_to_the_playhead() {
        let (now, me) = (Instant::now(), PlayerId::next());
        let mut mix = mix(me);
        mix.push(me, Pace::Playhead, &block(1000, 1000, 0.5));
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
        let mut mix = mix(me);
        mix.push(me, Pace::Live, &block(0, 120, 0.5));
        let before = mix.kept.len();
        let mut out = vec![0.0; 441];
        mix.render(&mut out, 1, 44_100, now);
        assert!((before - mix.kept.len()).abs_diff(480) <= 2);
        assert!((out[300] - 0.5).abs() < 1e-6);
    }
}
