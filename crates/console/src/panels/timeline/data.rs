//! What a lane shows, in pixels: neighbouring stretches that fall on the same pixels are joined.

use minhbach_model::{CameraId, Damage, Gap, GapCause, Incident, WallRange, WallTime};

use crate::state::playback::Lane;
use crate::state::timeview::{TickLabel, TimeView};
use crate::when;

/// A stretch of a lane, in points from its left edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Left edge.
    pub left: f32,
    /// Right edge.
    pub right: f32,
}

/// A gap on a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GapSpan {
    /// Where.
    pub span: Span,
    /// What.
    pub gap: Gap,
}

/// Damage on a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DamageSpan<'a> {
    /// Where.
    pub span: Span,
    /// What.
    pub damage: &'a Damage,
}

/// A stretch drawn thinner than this cannot be seen.
const MIN_WIDTH: f32 = 2.0;

/// A lane lower than this cannot be told from its neighbour.
const LANE_MIN: f32 = 13.0;
const LANE_MAX: f32 = 20.0;

/// How tall each lane is, and by how much all of them are taller than the room, points.
#[must_use]
pub fn lanes(count: usize, room: f32, gap: f32) -> (f32, f32) {
    let count = count.max(1) as f32;
    let height = (room / count - gap).clamp(LANE_MIN, LANE_MAX);
    (height, ((height + gap) * count - room).max(0.0))
}

fn span(view: &TimeView, range: &WallRange, width: f32) -> Option<Span> {
    let shown = range.intersection(&view.range())?;
    let at = |at: WallTime| (view.fraction(at) * f64::from(width)) as f32;
    Some(Span { left: at(shown.start), right: at(shown.end) })
}

/// Recorded stretches.
#[must_use]
pub fn recorded(lane: &Lane, view: &TimeView, width: f32) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for next in lane.recorded.iter().filter_map(|range| span(view, range, width)) {
        match spans.last_mut() {
            Some(last) if next.left - last.right < 0.5 => last.right = last.right.max(next.right),
            _ => spans.push(next),
        }
    }
    spans
}

/// What is under a hold.
#[must_use]
pub fn held(lane: &Lane, view: &TimeView, width: f32) -> Vec<Span> {
    let wide = |at: Span| Span { right: at.right.max(at.left + MIN_WIDTH), ..at };
    lane.held.iter().filter_map(|range| span(view, range, width)).map(wide).collect()
}

/// Damage; one that is short stays wide enough to be seen.
#[must_use]
pub fn damages<'a>(lane: &'a Lane, view: &TimeView, width: f32) -> Vec<DamageSpan<'a>> {
    let mut spans: Vec<DamageSpan<'a>> = Vec::new();
    for damage in &lane.damages {
        let Some(mut at) = span(view, &damage.range, width) else { continue };
        at.right = at.right.max(at.left + MIN_WIDTH);
        match spans.last() {
            // Much damage on one pixel: the first one stands for it.
            Some(last) if at.right <= last.span.right => {}
            _ => spans.push(DamageSpan { span: at, damage }),
        }
    }
    spans
}

/// Gaps; one that lasts ends now. A short gap stays wide enough to be seen.
#[must_use]
pub fn gaps(lane: &Lane, view: &TimeView, width: f32, now: WallTime) -> Vec<GapSpan> {
    let mut spans: Vec<GapSpan> = Vec::new();
    for gap in &lane.gaps {
        let Some(range) = WallRange::new(gap.start, gap.end.unwrap_or(now)) else { continue };
        let Some(mut at) = span(view, &range, width) else { continue };
        at.right = at.right.max(at.left + MIN_WIDTH);
        match spans.last() {
            // Many gaps on one pixel: the first one stands for them.
            Some(last) if at.right <= last.span.right => {}
            _ => spans.push(GapSpan { span: at, gap: *gap }),
        }
    }
    spans
}

/// Incidents of a camera.
#[must_use]
pub fn incidents<'a>(list: &'a [Incident], camera: CameraId, view: &TimeView, width: f32) -> Vec<(Span, &'a Incident)> {
    list.iter()
        .filter(|incident| incident.draft.cameras.contains(&camera))
        .filter_map(|incident| {
            let at = span(view, &incident.draft.range, width)?;
            Some((Span { right: at.right.max(at.left + 4.0), ..at }, incident))
        })
        .collect()
}

/// Label of a line of the ruler.
#[must_use]
pub fn tick_text(label: TickLabel, at: WallTime) -> String {
    match label {
        TickLabel::Millis => when::clock_ms(at),
        TickLabel::Seconds => when::clock(at),
        // Midnight is told by its date: so the day is read without counting.
        TickLabel::Minutes if when::hour_minute(at) == "00:00" => when::day_month(at),
        TickLabel::Minutes => when::hour_minute(at),
        TickLabel::Days => when::day_month(at),
    }
}

/// Whether a gap is nobody's fault: drawn quietly.
#[must_use]
pub fn is_quiet(cause: GapCause) -> bool {
    matches!(cause, GapCause::PausedByOperator | GapCause::Starting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minhbach_model::{DamageKind, SegmentId, StreamKind};

    const SECOND: i64 = 1_000_000_000;

    fn start() -> WallTime {
        WallTime::from_secs(1_795_000_000)
    }

    /// 100 seconds on 100 points.
    fn view() -> TimeView {
        TimeView::around(start().offset_ns(50 * SECOND), 100 * SECOND)
    }

    fn range(from: i64, to: i64) -> WallRange {
        WallRange { start: start().offset_ns(from * SECOND), end: start().offset_ns(to * SECOND) }
    }

    fn gap(from: i64, to: Option<i64>) -> Gap {
        Gap {
            camera: CameraId::generate(),
            stream: StreamKind::Main,
            start: start().offset_ns(from * SECOND),
            end: to.map(|to| start().offset_ns(to * SECOND)),
            cause: GapCause::Stalled,
        }
    }

    #[test]
    fn touching_stretches_are_one_and_what_is_outside_is_left_out() {
        let recorded_ranges = vec![range(-50, 10), range(10, 20), range(40, 60), range(200, 300)];
        let lane = Lane { recorded: recorded_ranges, ..Lane::default() };
        let spans = recorded(&lane, &view(), 100.0);
        assert_eq!(spans, [Span { left: 0.0, right: 20.0 }, Span { left: 40.0, right: 60.0 }]);
    }

    #[test]
    fn a_short_gap_is_seen_and_a_lasting_one_ends_now() {
        let lane = Lane { gaps: vec![gap(10, Some(11)), gap(50, None)], ..Lane::default() };
        let spans: Vec<Span> =
            gaps(&lane, &view(), 100.0, start().offset_ns(70 * SECOND)).iter().map(|gap| gap.span).collect();
        assert_eq!(spans, [Span { left: 10.0, right: 12.0 }, Span { left: 50.0, right: 70.0 }]);
    }

    #[test]
    fn damage_and_holds_are_seen_however_short_and_cut_at_the_edge() {
        let damage = |from, to| Damage {
            segment: SegmentId::generate(),
            camera: CameraId::generate(),
            stream: StreamKind::Main,
            range: range(from, to),
            kind: DamageKind::Altered,
            found: start(),
        };
        let lane = Lane {
            damages: vec![damage(10, 11), damage(11, 12), damage(300, 310)],
            held: vec![range(-50, 20), range(90, 400)],
            ..Lane::default()
        };
        let spans: Vec<Span> = damages(&lane, &view(), 100.0).iter().map(|damage| damage.span).collect();
        assert_eq!(spans, [Span { left: 10.0, right: 12.0 }, Span { left: 11.0, right: 13.0 }]);
        let spans = held(&lane, &view(), 100.0);
        assert_eq!(spans, [Span { left: 0.0, right: 20.0 }, Span { left: 90.0, right: 100.0 }]);
    }

    #[test]
    fn lanes_that_do_not_fit_are_scrolled() {
        assert_eq!(lanes(2, 200.0, 3.0), (LANE_MAX, 0.0));
        assert_eq!(lanes(16, 100.0, 3.0), (LANE_MIN, 156.0));
        assert_eq!(lanes(0, 100.0, 3.0).1, 0.0);
    }

    #[test]
    fn midnight_is_labelled_by_its_date() {
        let midnight: WallTime = "2026-11-24T17:00:00Z".parse().unwrap();
        assert_eq!(tick_text(TickLabel::Minutes, midnight), "25/11");
        assert_eq!(tick_text(TickLabel::Minutes, midnight.offset_ns(60 * SECOND)), "00:01");
    }
}
