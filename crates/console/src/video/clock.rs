//! A wall time at an instant, and what follows from it for other instants: where playback stands, which sound is heard.
//!
//! Pure: nothing here reads a clock.

use std::time::{Duration, Instant};

use minhbach_model::WallTime;

/// A wall time at an instant; both go on at the same speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The wall time.
    pub wall: WallTime,
    /// When it was reached.
    pub at: Instant,
}

impl Clock {
    /// The wall time at an instant, which may lie before that of the clock.
    #[must_use]
    pub fn wall_at(self, instant: Instant) -> WallTime {
        self.wall.offset_ns(ns_since(instant, self.at))
    }

    /// The same clock, put forward.
    #[must_use]
    pub fn ahead(self, by: Duration) -> Self {
        Self { wall: self.wall + by, ..self }
    }
}

/// Nanoseconds from `earlier` to `later`; negative when `later` is the earlier one.
#[must_use]
pub fn ns_since(later: Instant, earlier: Instant) -> i64 {
    match later.checked_duration_since(earlier) {
        Some(after) => as_ns(after),
        None => -as_ns(earlier.saturating_duration_since(later)),
    }
}

/// A duration as nanoseconds, for arithmetic with signs.
#[must_use]
pub fn as_ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_tells_the_wall_time_before_and_after_its_instant() {
        let at = Instant::now();
        let clock = Clock { wall: WallTime(5_000), at };
        assert_eq!(clock.wall_at(at + Duration::from_nanos(40)), WallTime(5_040));
        let later = Clock { wall: WallTime(5_000), at: at + Duration::from_nanos(100) };
        assert_eq!(later.wall_at(at), WallTime(4_900));
        assert_eq!(clock.ahead(Duration::from_nanos(8)).wall_at(at), WallTime(5_008));
    }
}
