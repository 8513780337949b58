//! Wall time: nanoseconds since the Unix epoch, UTC, and half-open ranges of it.
//!
//! Media time (RTP ticks) is in [`crate::media`]. Reading a clock is not done here: see the `runtime` crate.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime(pub i64);

/// A text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time: expected RFC 3339 such as 2026-11-24T07:05:09Z or 2026-11-24T14:05:09+07:00")]
pub struct TimeError {
    /// What was given (cut at 64 characters).
    pub text: String,
}

impl WallTime {
    /// The earliest instant that footage may carry (2000-01-01): a camera or server clock before it is wrong.
    pub const MIN_PLAUSIBLE: Self = Self(946_684_800_000_000_000);

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub fn as_ms(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// From whole seconds since the epoch.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// This instant moved by a signed number of nanoseconds, saturating at the ends of the range.
    #[must_use]
    pub fn offset_ns(self, delta_ns: i64) -> Self {
        Self(self.0.saturating_add(delta_ns))
    }

    /// Nanoseconds from `earlier` to `self`; negative when `self` is the earlier one.
    #[must_use]
    pub fn ns_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time from `earlier` to `self`, zero when `self` is the earlier one.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.ns_since(earlier)).unwrap_or(0))
    }

    /// Year, month and day in UTC, as used in storage keys.
    #[must_use]
    pub fn utc_date(self) -> (i16, i8, i8) {
        let date = jiff::tz::Offset::UTC.to_datetime(self.timestamp()).date();
        (date.year(), date.month(), date.day())
    }

    fn timestamp(self) -> jiff::Timestamp {
        // The range of i64 nanoseconds (years 1677 to 2262) lies inside what jiff represents.
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl Add<Duration> for WallTime {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        self.offset_ns(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Sub<Duration> for WallTime {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        self.offset_ns(-i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// RFC 3339 in UTC with milliseconds or finer, e.g. `2026-11-24T07:05:09.040Z`.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.0 % 1_000_000 == 0 { 3 } else { 9 };
        write!(f, "{:.*}", digits, self.timestamp())
    }
}

impl fmt::Debug for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WallTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError { text: text.chars().take(64).collect() };
        let at: jiff::Timestamp = text.parse().map_err(|_| error())?;
        i64::try_from(at.as_nanosecond()).map(Self).map_err(|_| error())
    }
}

/// A half-open range of wall time: `start` is in it, `end` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WallRange {
    /// First instant in the range.
    pub start: WallTime,
    /// First instant after the range.
    pub end: WallTime,
}

impl WallRange {
    /// A range, or `None` when it would be empty or reversed.
    #[must_use]
    pub fn new(start: WallTime, end: WallTime) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Its length.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end.saturating_since(self.start)
    }

    /// Whether the instant lies in it.
    #[must_use]
    pub fn contains(&self, at: WallTime) -> bool {
        self.start <= at && at < self.end
    }

    /// What both ranges share.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_any_zone_and_written_in_utc() {
        let hanoi: WallTime = "2026-11-24T14:05:09.04+07:00".parse().unwrap();
        assert_eq!(hanoi.to_string(), "2026-11-24T07:05:09.040Z");
        assert_eq!(hanoi.offset_ns(1).to_string(), "2026-11-24T07:05:09.040000001Z");
        assert_eq!(hanoi.utc_date(), (2026, 11, 24));
        assert!("2026-11-24 14:05".parse::<WallTime>().is_err());
        assert!("14:05".parse::<WallTime>().is_err());
    }

    #[test]
    fn ranges_are_half_open() {
        let range = WallRange::new(WallTime(10), WallTime(20)).unwrap();
        assert!(range.contains(WallTime(10)) && !range.contains(WallTime(20)));
        let next = WallRange::new(WallTime(20), WallTime(30)).unwrap();
        assert_eq!(range.intersection(&next), None);
        assert_eq!(WallRange::new(WallTime(20), WallTime(20)), None);
    }
}
