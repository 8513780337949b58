//! Where playback stands: one position, shared by every tile of the playback page.
//!
//! A pure state machine: no clock inside, each call is told the instant. Players read it; a jump raises `epoch`, by which
//! they notice that they have to fetch from another place.

use std::time::{Duration, Instant};

use minhbach_model::WallTime;

/// Longest wait after a jump for the first picture, after which time runs on without it.
const HOLD: Duration = Duration::from_millis(1500);

/// Position, speed and whether time runs.
#[derive(Debug, Clone)]
pub struct Playhead {
    base: WallTime,
    /// When `base` holds; while it lies in the future the position waits at `base`.
    anchor: Option<Instant>,
    speed: f64,
    epoch: u64,
}

impl Playhead {
    /// The speeds the keys go through.
    pub const SPEEDS: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];

    /// Paused at an instant, at normal speed.
    #[must_use]
    pub fn new(at: WallTime) -> Self {
        Self { base: at, anchor: None, speed: 1.0, epoch: 0 }
    }

    /// Where playback stands.
    #[must_use]
    pub fn position(&self, now: Instant) -> WallTime {
        match self.anchor {
            None => self.base,
            Some(anchor) => {
                let ns = now.saturating_duration_since(anchor).as_nanos() as f64 * self.speed;
                self.base.offset_ns(ns as i64)
            }
        }
    }

    /// Whether time runs.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.anchor.is_some()
    }

    /// Whether time waits for the first picture after a jump.
    #[must_use]
    pub fn is_waiting(&self, now: Instant) -> bool {
        self.anchor.is_some_and(|anchor| anchor > now)
    }

    /// Seconds of footage a second.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Counts the jumps: a player that has seen another number fetches anew.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Lets time run.
    pub fn play(&mut self, now: Instant) {
        if self.anchor.is_none() {
            self.anchor = Some(now);
        }
    }

    /// Stops time where it is.
    pub fn pause(&mut self, now: Instant) {
        self.base = self.position(now);
        self.anchor = None;
    }

    /// Play or pause.
    pub fn toggle(&mut self, now: Instant) {
        if self.is_playing() { self.pause(now) } else { self.play(now) }
    }

    /// Another speed, held between the slowest and the fastest.
    pub fn set_speed(&mut self, speed: f64, now: Instant) {
        let [slowest, .., fastest] = Self::SPEEDS;
        self.rebase(now);
        self.speed = if speed.is_finite() { speed.clamp(slowest, fastest) } else { 1.0 };
    }

    /// The next faster speed.
    pub fn faster(&mut self, now: Instant) {
        if let Some(speed) = Self::SPEEDS.into_iter().find(|&speed| speed > self.speed) {
            self.set_speed(speed, now);
        }
    }

    /// The next slower speed.
    pub fn slower(&mut self, now: Instant) {
        if let Some(speed) = Self::SPEEDS.into_iter().rev().find(|&speed| speed < self.speed) {
            self.set_speed(speed, now);
        }
    }

    /// Jumps. While playing, time waits for the first picture there, but not longer than a moment.
    pub fn seek(&mut self, to: WallTime, now: Instant) {
        self.base = to;
        if self.anchor.is_some() {
            self.anchor = Some(now + HOLD);
        }
        self.epoch += 1;
    }

    /// A player has its first picture after the jump of that number: time runs.
    pub fn ready(&mut self, epoch: u64, now: Instant) {
        if epoch == self.epoch && self.is_waiting(now) {
            self.anchor = Some(now);
        }
    }

    /// Moves to a picture the players already hold, and stops there: a step forwards.
    pub fn step_to(&mut self, to: WallTime) {
        self.base = to;
        self.anchor = None;
    }

    /// There is no footage after `edge` yet: stands there at most and goes on at normal speed.
    pub fn hold_at_edge(&mut self, edge: WallTime, now: Instant) {
        if self.is_playing() && self.position(now) > edge {
            self.base = edge;
            self.anchor = Some(now);
            self.speed = self.speed.min(1.0);
        }
    }

    /// Makes the position of now the base, without moving and without cutting a wait short.
    fn rebase(&mut self, now: Instant) {
        if let Some(anchor) = self.anchor
            && anchor <= now
        {
            self.base = self.position(now);
            self.anchor = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn time_runs_at_the_speed_and_stands_when_paused() {
        let start = Instant::now();
        let mut playhead = Playhead::new(WallTime(0));
        assert_eq!(playhead.position(after(start, 5000)), WallTime(0));
        playhead.play(start);
        assert_eq!(playhead.position(after(start, 1000)), WallTime(SECOND));
        playhead.set_speed(4.0, after(start, 1000));
        assert_eq!(playhead.position(after(start, 2000)), WallTime(5 * SECOND));
        playhead.toggle(after(start, 2000));
        assert_eq!(playhead.position(after(start, 9000)), WallTime(5 * SECOND));
        assert_eq!(playhead.epoch(), 0);
    }

    #[test]
    fn speeds_go_through_the_table_and_stay_in_it() {
        let now = Instant::now();
        let mut playhead = Playhead::new(WallTime(0));
        for _ in 0..20 {
            playhead.faster(now);
        }
        assert!((playhead.speed() - 16.0).abs() < f64::EPSILON);
        for _ in 0..20 {
            playhead.slower(now);
        }
        assert!((playhead.speed() - 0.25).abs() < f64::EPSILON);
        playhead.set_speed(f64::NAN, now);
        assert!((playhead.speed() - 1.0).abs() < f64::EPSILON);
        playhead.set_speed(-3.0, now);
        assert!((playhead.speed() - 0.25).abs() < f64::EPSILON);
    }

    #[test]
    fn a_jump_waits_for_the_first_picture_but_not_for_ever() {
        let start = Instant::now();
        let mut playhead = Playhead::new(WallTime(0));
        playhead.play(start);
        playhead.seek(WallTime(100 * SECOND), after(start, 1000));
        assert_eq!(playhead.epoch(), 1);
        assert_eq!(playhead.position(after(start, 1400)), WallTime(100 * SECOND));
        playhead.ready(0, after(start, 1400));
        assert_eq!(playhead.position(after(start, 1500)), WallTime(100 * SECOND));
        playhead.ready(1, after(start, 1500));
        assert_eq!(playhead.position(after(start, 2500)), WallTime(101 * SECOND));

        playhead.seek(WallTime(0), after(start, 3000));
        assert_eq!(playhead.position(after(start, 5500)), WallTime(SECOND));
    }

    #[test]
    fn a_jump_while_paused_stays_paused() {
        let start = Instant::now();
        let mut playhead = Playhead::new(WallTime(0));
        playhead.seek(WallTime(7), start);
        assert!(!playhead.is_playing());
        assert_eq!(playhead.position(after(start, 9000)), WallTime(7));
        playhead.step_to(WallTime(9));
        assert_eq!((playhead.position(start), playhead.epoch()), (WallTime(9), 1));
    }

    #[test]
    fn the_live_edge_cannot_be_overtaken() {
        let start = Instant::now();
        let mut playhead = Playhead::new(WallTime(0));
        playhead.set_speed(8.0, start);
        playhead.play(start);
        playhead.hold_at_edge(WallTime(4 * SECOND), after(start, 1000));
        assert_eq!(playhead.position(after(start, 2000)), WallTime(5 * SECOND));
        assert!((playhead.speed() - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn slow_play_reaches_the_edge_at_its_own_speed() {
        let start = Instant::now();
        let mut playhead = Playhead::new(WallTime(SECOND));
        playhead.hold_at_edge(WallTime(0), start);
        assert_eq!(playhead.position(start), WallTime(SECOND), "what stands is left alone");
        playhead.set_speed(0.5, start);
        playhead.play(start);
        playhead.hold_at_edge(WallTime(0), after(start, 10));
        assert!((playhead.speed() - 0.5).abs() < f64::EPSILON);
        assert_eq!(playhead.position(after(start, 10)), WallTime(0));
    }

    #[test]
    fn a_change_of_speed_does_not_cut_a_wait_short() {
        let start = Instant::now();
        let mut playhead = Playhead::new(WallTime(0));
        playhead.play(start);
        playhead.seek(WallTime(50), start);
        playhead.set_speed(2.0, after(start, 100));
        assert_eq!(playhead.position(after(start, 1000)), WallTime(50));
    }
}
