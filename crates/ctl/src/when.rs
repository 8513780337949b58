//! Times on the command line: RFC 3339, `now`, and `-90s`, `-5m`, `-2h`, `-1d` before now.
//!
//! Times for a person are shown in the zone of the offices that are recorded, not in that of a server that is often set to
//! UTC; `TZ` in the environment chooses another.

use std::ffi::OsStr;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::tz::TimeZone;
use minhbach_model::{WallRange, WallTime};

use crate::error::CtlError;

/// A time as it was given; what it means depends on when the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A fixed instant.
    At(WallTime),
    /// This long before now; zero is now.
    Ago(Duration),
}

impl When {
    /// The instant, seen from `now`.
    pub fn resolve(self, now: WallTime) -> WallTime {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now - ago,
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Ago(Duration::ZERO));
        }
        let expected = || {
            format!(
                "`{text}` is not a time: expected RFC 3339 such as 2026-11-24T14:05:09+07:00, now, or -90s, -5m, -2h, -1d"
            )
        };
        let Some(ago) = text.strip_prefix('-') else {
            return text.parse().map(Self::At).map_err(|_| without_offset(text).unwrap_or_else(expected));
        };
        let unit_secs = match ago.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            // 24 hours, as everywhere that days are counted here.
            Some('d') => 86_400,
            _ => return Err(expected()),
        };
        // The unit is one byte.
        let digits = &ago[..ago.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(expected());
        }
        let count: u64 = digits.parse().map_err(|_| expected())?;
        let secs = count.checked_mul(unit_secs).filter(|&secs| secs <= YEARS_100_SECS).ok_or_else(expected)?;
        Ok(Self::Ago(Duration::from_secs(secs)))
    }
}

/// What is wrong with a time that lacks nothing but its offset from UTC, with the same time as it is meant in Việt Nam.
fn without_offset(text: &str) -> Option<String> {
    let time: jiff::civil::DateTime = text.parse().ok()?;
    Some(format!("`{text}` lacks its offset from UTC: write {time}+07:00 for the time in Việt Nam, or {time}Z for UTC"))
}

/// Longer ago than any footage.
const YEARS_100_SECS: u64 = 100 * 366 * 86_400;

/// This machine's clock.
pub fn now() -> WallTime {
    // The clock of a running system is within the years 1677 to 2262.
    WallTime(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0))
}

/// The range between two times, both seen from the same `now`.
pub fn range(from: When, to: When, now: WallTime) -> Result<WallRange, CtlError> {
    let (start, end) = (from.resolve(now), to.resolve(now));
    WallRange::new(start, end)
        .ok_or_else(|| CtlError::Usage(format!("--to ({}) must be later than --from ({})", local(end), local(start))))
}

/// The zone of times for a person.
static ZONE: LazyLock<TimeZone> = LazyLock::new(|| zone(std::env::var_os("TZ").as_deref()));

/// What `TZ` names; the zone of Việt Nam when it is not set, empty, or names none.
fn zone(tz: Option<&OsStr>) -> TimeZone {
    let chosen = tz.filter(|tz| !tz.is_empty()).and_then(|_| TimeZone::try_system().ok());
    // Without a database of zones on the machine: Việt Nam has had this offset since 1975 and no summer time.
    chosen.or_else(|| TimeZone::get("Asia/Ho_Chi_Minh").ok()).unwrap_or_else(|| TimeZone::fixed(jiff::tz::offset(7)))
}

/// A time for a person: with its offset, to the millisecond, in a form the command line reads again.
pub fn local(at: WallTime) -> String {
    in_zone(at, &ZONE)
}

fn in_zone(at: WallTime, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(at.0)) {
        Ok(timestamp) => timestamp.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_give_a_time_is_understood() {
        let now = WallTime::from_secs(1_800_000_000);
        let at = |text: &str| text.parse::<When>().map(|when| when.resolve(now));
        assert_eq!(at("now"), Ok(now));
        assert_eq!(at("-90s"), Ok(WallTime::from_secs(1_799_999_910)));
        assert_eq!(at("-5m"), Ok(WallTime::from_secs(1_799_999_700)));
        assert_eq!(at("-2h"), Ok(WallTime::from_secs(1_799_992_800)));
        assert_eq!(at("-1d"), Ok(WallTime::from_secs(1_799_913_600)));
        assert_eq!(at("2027-01-15T15:00:00+07:00"), Ok(now));
        assert_eq!(at("2027-01-15T08:00:00Z"), Ok(now));
    }

    #[test]
    fn what_is_no_time_is_refused_with_examples() {
        for bad in
            ["", "-", "-5", "-s", "-+5m", "-1.5h", "5m", "-5w", "-5µ", "yesterday", "14:05:09", "-999999999999999999h"]
        {
            let error = bad.parse::<When>().unwrap_err();
            assert!(error.contains("RFC 3339"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_time_without_its_offset_is_given_back_with_one() {
        for (bad, good) in [
            ("2026-11-24T14:05:09", "2026-11-24T14:05:09+07:00"),
            ("2026-11-24 14:05:09.5", "2026-11-24T14:05:09.5+07:00"),
            ("2026-11-24", "2026-11-24T00:00:00+07:00"),
        ] {
            let error = bad.parse::<When>().unwrap_err();
            assert!(error.contains("lacks its offset") && error.contains(good), "{error}");
            assert!(good.parse::<When>().is_ok(), "{good}");
        }
    }

    #[test]
    fn a_reversed_range_is_wrong_usage() {
        let now = WallTime::from_secs(1_800_000_000);
        let (old, new) = ("-2h".parse().unwrap(), "now".parse().unwrap());
        assert_eq!(range(old, new, now).unwrap().duration(), Duration::from_secs(7200));
        assert_eq!(range(new, old, now).unwrap_err().exit_status(), 2);
    }

    #[test]
    fn a_time_in_a_table_can_be_given_back() {
        let at = WallTime(1_800_000_000_040_000_000);
        assert_eq!(local(at).parse::<When>(), Ok(When::At(at)));
    }

    #[test]
    fn a_person_reads_the_time_of_viet_nam_where_nothing_else_is_chosen() {
        let at = WallTime(1_800_000_000_040_000_000);
        for unset in [None, Some(OsStr::new(""))] {
            assert_eq!(in_zone(at, &zone(unset)), "2027-01-15T15:00:00.040+07:00");
        }
        assert_eq!(in_zone(at, &TimeZone::UTC), "2027-01-15T08:00:00.040+00:00");
    }
}
