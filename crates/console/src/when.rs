//! Times as people read and type them: `24/11/2026 14:05:09`, in Asia/Ho_Chi_Minh.
//!
//! What belongs here: formatting and parsing of moments and of lengths. Viet Nam has kept UTC+7 without daylight
//! saving since 1975, so the offset is a constant and no time zone database is needed on the workstation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use minhbach_model::WallTime;

/// Offset of Asia/Ho_Chi_Minh from UTC, nanoseconds.
pub const OFFSET_NS: i64 = 7 * 3600 * 1_000_000_000;

const ZONE: Offset = Offset::constant(7);

/// The workstation's clock.
#[must_use]
pub fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn local(at: WallTime) -> DateTime {
    // Every i64 of nanoseconds (years 1677 to 2262) is within what jiff represents.
    let stamp = Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(Timestamp::UNIX_EPOCH);
    ZONE.to_datetime(stamp)
}

/// `24/11/2026 14:05:09`
#[must_use]
pub fn date_time(at: WallTime) -> String {
    format!("{} {}", date(at), clock(at))
}

/// `24/11/2026`
#[must_use]
pub fn date(at: WallTime) -> String {
    let t = local(at);
    format!("{:02}/{:02}/{:04}", t.day(), t.month(), t.year())
}

/// `24/11`
#[must_use]
pub fn day_month(at: WallTime) -> String {
    let t = local(at);
    format!("{:02}/{:02}", t.day(), t.month())
}

/// `14:05:09`
#[must_use]
pub fn clock(at: WallTime) -> String {
    let t = local(at);
    format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
}

/// `14:05`
#[must_use]
pub fn hour_minute(at: WallTime) -> String {
    let t = local(at);
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// `14:05:09,040`
#[must_use]
pub fn clock_ms(at: WallTime) -> String {
    format!("{},{:03}", clock(at), at.as_ms().rem_euclid(1000))
}

/// `20261124-140509`, for file names.
#[must_use]
pub fn file_stamp(at: WallTime) -> String {
    let t = local(at);
    format!("{:04}{:02}{:02}-{:02}{:02}{:02}", t.year(), t.month(), t.day(), t.hour(), t.minute(), t.second())
}

/// A length as `00:42` or `1:02:03`.
#[must_use]
pub fn length(of: Duration) -> String {
    let secs = of.as_secs();
    let (hours, minutes, seconds) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

/// Reads what a person typed: `1405`, `140509`, `14:05`, `14:05:09`, each alone or after a date `24/11` or
/// `24/11/2026`; a date alone is its midnight. A missing date or year is taken from `around`.
#[must_use]
pub fn parse(text: &str, around: WallTime) -> Option<WallTime> {
    let base = local(around);
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let second = words.next();
    if words.next().is_some() {
        return None;
    }
    let (day, time) = if first.contains('/') { (Some(first), second) } else { (None, Some(first)) };
    if day.is_none() && second.is_some() {
        return None;
    }
    let (year, month, day) = match day {
        None => (base.year(), base.month(), base.day()),
        Some(day) => parse_day(day, base.year())?,
    };
    let (hour, minute, second) = match time {
        None => (0, 0, 0),
        Some(time) => parse_clock(time)?,
    };
    let moment = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let stamp = ZONE.to_timestamp(moment).ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(WallTime)
}

fn parse_day(text: &str, this_year: i16) -> Option<(i16, i8, i8)> {
    let mut parts = text.split('/');
    let day = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let year = match parts.next() {
        None => this_year,
        Some(year) if year.len() == 4 => year.parse().ok()?,
        Some(_) => return None,
    };
    parts.next().is_none().then_some((year, month, day))
}

fn parse_clock(text: &str) -> Option<(i8, i8, i8)> {
    if text.contains(':') {
        let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
        let hour = parts.next()??;
        let minute = parts.next()??;
        let second = parts.next().unwrap_or(Some(0))?;
        return parts.next().is_none().then_some((hour, minute, second));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) || !matches!(text.len(), 4 | 6) {
        return None;
    }
    let two = |from: usize| text.get(from..from + 2).and_then(|part| part.parse::<i8>().ok());
    Some((two(0)?, two(2)?, if text.len() == 6 { two(4)? } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> WallTime {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_shown_in_the_zone_of_viet_nam() {
        let evening = at("2026-11-24T07:05:09.040Z");
        assert_eq!(date_time(evening), "24/11/2026 14:05:09");
        assert_eq!(clock_ms(evening), "14:05:09,040");
        assert_eq!(hour_minute(evening), "14:05");
        assert_eq!(day_month(at("2026-11-24T18:00:00Z")), "25/11", "the day changes at 17:00 UTC");
        assert_eq!(file_stamp(evening), "20261124-140509");
    }

    #[test]
    fn lengths_show_hours_only_when_there_are_some() {
        assert_eq!(length(Duration::from_secs(42)), "00:42");
        assert_eq!(length(Duration::from_secs(3723)), "1:02:03");
    }

    #[test]
    fn what_people_type_is_understood() {
        let around = at("2026-11-24T09:00:00+07:00");
        let expected = Some(at("2026-11-24T14:05:00+07:00"));
        assert_eq!(parse("1405", around), expected);
        assert_eq!(parse("14:05", around), expected);
        assert_eq!(parse(" 24/11  14:05 ", around), expected);
        assert_eq!(parse("24/11/2026 1405", around), expected);
        assert_eq!(parse("14:05:09", around), Some(at("2026-11-24T14:05:09+07:00")));
        assert_eq!(parse("140509", around), Some(at("2026-11-24T14:05:09+07:00")));
        assert_eq!(parse("1/2", around), Some(at("2026-02-01T00:00:00+07:00")));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let around = at("2026-11-24T09:00:00+07:00");
        for text in
            ["", "2505", "14:75", "14:05:09:01", "31/02 14:05", "24/11/26", "abc", "1405 24/11", "14 05", "é405"]
        {
            assert_eq!(parse(text, around), None, "{text}");
        }
    }
}
