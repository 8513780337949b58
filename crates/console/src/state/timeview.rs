//! The stretch of time a timeline shows: zoom, pan, ruler. Pure arithmetic in nanoseconds.

use minhbach_model::{WallRange, WallTime};

use crate::when::OFFSET_NS;

const MS: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MS;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Shortest stretch shown.
pub const MIN_SPAN_NS: i64 = 100 * MS;
/// Longest stretch shown: a month and some.
pub const MAX_SPAN_NS: i64 = 40 * DAY;

/// Distances between the lines of the ruler.
const STEPS_NS: [i64; 25] = [
    10 * MS,
    20 * MS,
    50 * MS,
    100 * MS,
    200 * MS,
    500 * MS,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];

/// How a line of the ruler is labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TickLabel {
    /// `14:05:09,040`
    Millis,
    /// `14:05:09`
    Seconds,
    /// `14:05`
    Minutes,
    /// `24/11`
    Days,
}

/// The stretch of time shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeView {
    start: WallTime,
    span_ns: i64,
}

impl TimeView {
    /// A stretch of that length around a moment.
    #[must_use]
    pub fn around(at: WallTime, span_ns: i64) -> Self {
        let span_ns = span_ns.clamp(MIN_SPAN_NS, MAX_SPAN_NS);
        Self { start: at.offset_ns(-span_ns / 2), span_ns }
    }

    /// What is shown.
    #[must_use]
    pub fn range(&self) -> WallRange {
        WallRange { start: self.start, end: self.start.offset_ns(self.span_ns) }
    }

    /// Length shown.
    #[must_use]
    pub fn span_ns(&self) -> i64 {
        self.span_ns
    }

    /// Where a moment lies, 0 at the left edge and 1 at the right one; may lie outside.
    #[must_use]
    pub fn fraction(&self, at: WallTime) -> f64 {
        at.ns_since(self.start) as f64 / self.span_ns as f64
    }

    /// The moment at that place.
    #[must_use]
    pub fn at(&self, fraction: f64) -> WallTime {
        self.start.offset_ns((fraction * self.span_ns as f64) as i64)
    }

    /// Zooms (a factor above 1 shows less) about a place that stays where it is.
    #[must_use]
    pub fn zoomed(&self, fraction: f64, factor: f64) -> Self {
        let fixed = self.at(fraction);
        let span_ns = ((self.span_ns as f64 / factor) as i64).clamp(MIN_SPAN_NS, MAX_SPAN_NS);
        Self { start: fixed.offset_ns(-(fraction * span_ns as f64) as i64), span_ns }
    }

    /// Moves by a part of what is shown; positive shows later times.
    #[must_use]
    pub fn panned(&self, fraction: f64) -> Self {
        Self { start: self.start.offset_ns((fraction * self.span_ns as f64) as i64), span_ns: self.span_ns }
    }

    /// The same when the moment is shown, else moved so that it is near the left edge.
    #[must_use]
    pub fn following(&self, at: WallTime) -> Self {
        if (0.0..0.95).contains(&self.fraction(at)) {
            *self
        } else {
            Self { start: at.offset_ns(-self.span_ns / 10), span_ns: self.span_ns }
        }
    }

    /// Lines of the ruler, with at most `count` of them, on round local times.
    #[must_use]
    pub fn ticks(&self, count: usize) -> (TickLabel, Vec<WallTime>) {
        let wanted = self.span_ns / i64::try_from(count.max(1)).unwrap_or(1);
        let step = STEPS_NS.into_iter().find(|step| *step >= wanted).unwrap_or(7 * DAY);
        let label = match step {
            step if step < SECOND => TickLabel::Millis,
            step if step < MINUTE => TickLabel::Seconds,
            step if step < DAY => TickLabel::Minutes,
            _ => TickLabel::Days,
        };
        let end = self.range().end;
        let local = self.start.0.saturating_add(OFFSET_NS);
        let first = WallTime(local.div_euclid(step).saturating_add(1).saturating_mul(step).saturating_sub(OFFSET_NS));
        let ticks = std::iter::successors(Some(first), |at| Some(at.offset_ns(step)))
            .take_while(|at| *at < end)
            .take(count.max(1) + 1)
            .collect();
        (label, ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> WallTime {
        text.parse().unwrap()
    }

    #[test]
    fn zoom_keeps_the_moment_under_the_pointer() {
        let view = TimeView::around(at("2026-11-24T07:00:00Z"), HOUR);
        let zoomed = view.zoomed(0.25, 4.0);
        assert_eq!(zoomed.span_ns(), HOUR / 4);
        assert!((zoomed.at(0.25).ns_since(view.at(0.25))).abs() < 1_000);
    }

    #[test]
    fn zoom_ends_at_a_tenth_of_a_second_and_at_a_month() {
        let view = TimeView::around(at("2026-11-24T07:00:00Z"), HOUR);
        assert_eq!(view.zoomed(0.5, 1e9).span_ns(), MIN_SPAN_NS);
        assert_eq!(view.zoomed(0.5, 1e-9).span_ns(), MAX_SPAN_NS);
    }

    #[test]
    fn ruler_lines_are_on_round_local_times() {
        let view = TimeView::around(at("2026-11-24T07:00:00Z"), HOUR);
        let (label, ticks) = view.ticks(12);
        assert_eq!(label, TickLabel::Minutes);
        assert_eq!(ticks.first().copied(), Some(at("2026-11-24T06:35:00Z")));
        assert_eq!(ticks.get(1).copied(), Some(at("2026-11-24T06:40:00Z")));
        let (label, ticks) = TimeView::around(at("2026-11-24T07:00:00Z"), 10 * DAY).ticks(12);
        assert_eq!(label, TickLabel::Days);
        assert!(ticks.iter().all(|tick| (tick.0 + OFFSET_NS) % DAY == 0), "days begin at midnight in Viet Nam");
        let (label, _) = TimeView::around(at("2026-11-24T07:00:00Z"), MIN_SPAN_NS).ticks(12);
        assert_eq!(label, TickLabel::Millis);
    }

    #[test]
    fn the_view_follows_only_what_left_it() {
        let view = TimeView::around(at("2026-11-24T07:00:00Z"), HOUR);
        assert_eq!(view.following(at("2026-11-24T07:10:00Z")), view);
        let later = view.following(at("2026-11-24T09:00:00Z"));
        assert!((later.fraction(at("2026-11-24T09:00:00Z")) - 0.1).abs() < 1e-6);
    }

    #[test]
    fn panning_moves_by_what_is_shown() {
        let view = TimeView::around(at("2026-11-24T07:00:00Z"), HOUR);
        assert_eq!(view.panned(0.5).range().start, view.at(0.5));
    }
}
