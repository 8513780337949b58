//! The wall clock, real or set by a test.
//!
//! Monotonic time comes from tokio, whose clock a test can pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use minhbach_model::WallTime;

/// Tells the wall time. Clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Self::set`] moves it.
    #[must_use]
    pub fn manual(at: WallTime) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(at.0))))
    }

    /// Moves a manual clock; the system's clock is never set.
    pub fn set(&self, at: WallTime) {
        if let Source::Manual(now) = &self.0 {
            now.store(at.0, Ordering::SeqCst);
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> WallTime {
        match &self.0 {
            Source::System => {
                // Before 1970 the clock is plainly unset; zero shows that better than a panic.
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                WallTime(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
            }
            Source::Manual(now) => WallTime(now.load(Ordering::SeqCst)),
        }
    }
}
