//! Folds the wish of many players to be drawn into as many frames as can be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The shortest delay asked for. A delay of nothing would make egui draw twice.
const SHORTEST: Duration = Duration::from_millis(1);

/// Asks for frames, at most so many a second over all players. Cloned freely.
#[derive(Clone)]
pub struct Repaint {
    egui: egui::Context,
    every: Duration,
    start: Instant,
    /// When the last frame began, nanoseconds after `start`.
    last_ns: Arc<AtomicU64>,
}

impl Repaint {
    /// At most `a_second` frames a second for new pictures.
    #[must_use]
    pub fn new(egui: egui::Context, a_second: u32) -> Self {
        let every = Duration::from_secs(1) / a_second.max(1);
        Self { egui, every, start: Instant::now(), last_ns: Arc::default() }
    }

    /// A frame begins.
    pub fn frame(&self, now: Instant) {
        let ns = now.saturating_duration_since(self.start).as_nanos();
        self.last_ns.store(u64::try_from(ns).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How far ahead pictures are chosen that keep to sound. What is drawn now stands until the next frame: in the middle
    /// of that time it is to be right.
    pub(super) fn ahead(&self) -> Duration {
        self.every / 2
    }

    /// Something new is to be drawn.
    pub(super) fn request(&self) {
        self.after(Duration::ZERO, Instant::now());
    }

    /// Something is to be drawn after that time.
    pub(super) fn after(&self, wait: Duration, now: Instant) {
        let last = Duration::from_nanos(self.last_ns.load(Ordering::Relaxed));
        let since = now.saturating_duration_since(self.start).saturating_sub(last);
        self.egui.request_repaint_after(wait.max(delay(self.every, since)));
    }
}

/// How long to wait for the next frame when the last one began that long ago.
fn delay(every: Duration, since_last: Duration) -> Duration {
    every.saturating_sub(since_last).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_no_closer_than_the_limit() {
        let every = Duration::from_millis(50);
        assert_eq!(delay(every, Duration::from_millis(20)), Duration::from_millis(30));
        assert_eq!(delay(every, Duration::from_secs(3)), SHORTEST);
    }
}
