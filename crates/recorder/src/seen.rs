//! The time that deletion counts on: as much as this server has seen pass.
//!
//! A wall clock that jumps forward (a wrong time server, a new battery) would make footage old and let holds end that are
//! not. So the newest time that has passed for certain is kept beside the footage, and the wall clock is believed
//!
//! 1. at the start, when it is at most a week ahead of what was kept: the server was off. Where nothing was kept, the end of
//!    the newest footage counts;
//! 2. from then on, when it is at most ten minutes ahead of what the monotonic clock counts.
//!
//! While it is not, nothing goes by age. That ends when the wall clock is back, or when a person says that it is right
//! ([`trust_clock`]). What a full disk needs goes all the same, under no hold that stands at the certain time. A clock that
//! jumps back makes footage young, which deletes nothing.
//!
//! What does not belong here: what is too old, see [`crate::retention`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minhbach_model::WallTime;
use minhbach_runtime::Clock;
use minhbach_store::{KeptClock, StoreError, read_clock, write_clock};
use tokio::time::Instant;

use crate::RecorderError;
use crate::tiers::{Tiers, blocking};

/// Rule 1: how long the server may have been off, nanoseconds.
const OFF_NS: i64 = 7 * 86_400 * 1_000_000_000;
/// Rule 2: corrections of the wall clock between two bases may add up to this, nanoseconds.
const STEP_NS: i64 = 600 * 1_000_000_000;
/// How long one base counts: a machine whose clock is corrected a little every day must not be told of it after a year.
const BASE: Duration = Duration::from_secs(86_400);

/// The wall clock is further ahead than time can have passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock says {wall}, but by the time this server has seen pass it is {seen}, so nothing is deleted by its age: set \
     the clock right, which ends this by itself; if it is right, stop the server and run `minhbach-server trust-clock`"
)]
pub(crate) struct ClockAhead {
    /// What the wall clock says.
    pub wall: WallTime,
    /// What has passed for certain.
    pub seen: WallTime,
}

/// A moment at which the time was known.
#[derive(Debug, Clone, Copy)]
struct Base {
    at: Instant,
    wall: WallTime,
    tolerance_ns: i64,
}

impl Base {
    /// The time, when the wall clock can be believed. One that is behind says nothing new.
    fn judge(&self, at: Instant, wall: WallTime) -> Result<WallTime, ClockAhead> {
        let seen = self.wall + at.saturating_duration_since(self.at);
        if wall.ns_since(seen) <= self.tolerance_ns { Ok(seen.max(wall)) } else { Err(ClockAhead { wall, seen }) }
    }

    /// The base from now on, after the wall clock was believed.
    fn next(self, at: Instant, time: WallTime) -> Self {
        let fresh = self.tolerance_ns == STEP_NS && at.saturating_duration_since(self.at) < BASE;
        if fresh { self } else { Self { at, wall: time, tolerance_ns: STEP_NS } }
    }
}

#[derive(Debug, Default)]
struct State {
    /// End of the newest footage at the start.
    newest: Option<WallTime>,
    base: Option<Base>,
}

/// What time it is for certain. Clones tell the same. Until the first [`look`](Self::look) the wall clock is believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenTime(Arc<Mutex<State>>);

impl SeenTime {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the footage ended before this process recorded any.
    pub fn recorded_until(&self, newest: Option<WallTime>) {
        self.state().newest = newest;
    }

    fn judge(&self, wall: WallTime) -> Result<WallTime, ClockAhead> {
        let base = self.state().base;
        base.map_or(Ok(wall), |base| base.judge(Instant::now(), wall))
    }

    /// Whether the wall clock, which says this, is not to be believed.
    pub fn is_ahead(&self, wall: WallTime) -> bool {
        self.judge(wall).is_err()
    }

    /// The latest that it can be while the wall clock says this.
    pub fn certain(&self, wall: WallTime) -> WallTime {
        self.judge(wall).map_or_else(|ahead| ahead.seen, |_| wall)
    }

    /// Looks at the wall clock, and keeps what is known beside the footage. Must be done every few minutes. A disk that does
    /// not take that is told in the log: at the next start less is known, and less deleted.
    ///
    /// # Errors
    /// When what was kept cannot be read; then nothing may go by age.
    pub async fn look(&self, tiers: &Tiers, clock: &Clock) -> Result<Result<(), ClockAhead>, StoreError> {
        let known = self.state().base;
        let base = match known {
            Some(base) => base,
            None => self.begin(tiers, clock.now()).await?,
        };
        let (at, wall) = (Instant::now(), clock.now());
        let judged = base.judge(at, wall);
        let (next, kept) = match &judged {
            Ok(time) => (base.next(at, *time), KeptClock { seen_wall_ns: *time, ahead_ns: 0 }),
            Err(ahead) => (base, KeptClock { seen_wall_ns: ahead.seen, ahead_ns: ahead.wall.ns_since(ahead.seen) }),
        };
        self.state().base = Some(next);
        let root = tiers.spool.clone();
        if let Err(error) = blocking(move || write_clock(&root, &kept)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the time is not kept beside the footage");
        }
        Ok(judged.map(drop))
    }

    async fn begin(&self, tiers: &Tiers, wall: WallTime) -> Result<Base, StoreError> {
        let (root, at) = (tiers.spool.clone(), Instant::now());
        let Some(KeptClock { seen_wall_ns, ahead_ns }) = blocking(move || read_clock(&root)).await? else {
            let newest = self.state().newest;
            return Ok(Base { at, wall: newest.unwrap_or(wall), tolerance_ns: OFF_NS });
        };
        // A clock that was ahead when the server stopped is not believed because it was started again.
        let tolerance_ns = if ahead_ns > 0 { OFF_NS.min(ahead_ns / 2) } else { OFF_NS };
        Ok(Base { at, wall: seen_wall_ns, tolerance_ns })
    }
}

/// Says on purpose that the wall clock is right: what is older than allowed by it goes at the next start. Returns what it
/// says, and what was kept before.
///
/// # Errors
/// When the spool cannot be written to.
pub async fn trust_clock(tiers: &Tiers, clock: &Clock) -> Result<(WallTime, Option<WallTime>), RecorderError> {
    let (root, wall) = (tiers.spool.clone(), clock.now());
    let before = blocking(move || {
        // One that cannot be read is replaced: that is what this is for.
        let before = read_clock(&root).ok().flatten();
        write_clock(&root, &KeptClock { seen_wall_ns: wall, ahead_ns: 0 })?;
        Ok(before)
    });
    Ok((wall, before.await?.map(|kept| kept.seen_wall_ns)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SECOND, start};

    const MINUTE: i64 = 60 * SECOND;

    #[test]
    fn a_step_is_told_from_time_that_passes() {
        let at = Instant::now();
        let base = Base { at, wall: start(), tolerance_ns: STEP_NS };
        let judged = |minutes: u64, wall_ns: i64| {
            let judged = base.judge(at + Duration::from_secs(minutes * 60), start().offset_ns(wall_ns));
            judged.map(|time| time.ns_since(start())).map_err(|ahead| ahead.seen.ns_since(start()))
        };
        assert_eq!(judged(0, 10 * MINUTE), Ok(10 * MINUTE));
        assert_eq!(judged(0, 10 * MINUTE + 1), Err(0));
        assert_eq!(judged(60, 70 * MINUTE), Ok(70 * MINUTE), "an hour has passed");
        assert_eq!(judged(60, 71 * MINUTE), Err(60 * MINUTE));
        assert_eq!(judged(60, -1_000_000 * MINUTE), Ok(60 * MINUTE), "a clock that is behind says nothing new");
    }

    #[test]
    fn small_corrections_do_not_add_up_over_the_days_and_do_within_one() {
        let at = Instant::now();
        let (mut base, mut now, mut wall) = (Base { at, wall: start(), tolerance_ns: OFF_NS }, at, start());
        for _ in 0..400 {
            let time = base.judge(now, wall).expect("six minutes a day are none");
            base = base.next(now, time);
            now += BASE;
            wall = wall + BASE + Duration::from_secs(360);
        }
        base = base.next(now, wall);
        let hour = Duration::from_secs(3600);
        let (now, wall) = (now + hour, wall + hour + Duration::from_secs(360));
        let base = base.next(now, base.judge(now, wall).expect("one is none"));
        assert!(
            base.judge(now + hour, wall + hour + Duration::from_secs(360)).is_err(),
            "a second one the same day is"
        );
    }
}
