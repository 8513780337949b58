//! Rows of the list of holds: those that stand first, each group newest first.

use minhbach_model::{Hold, HoldId, WallRange, WallTime};

use crate::state::State;
use crate::text::{Message, Text};
use crate::when;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The hold.
    pub id: HoldId,
    /// It stands.
    pub standing: bool,
    /// Whether it stands, in words.
    pub state: String,
    /// What is held.
    pub range: String,
    /// Cameras.
    pub cameras: String,
    /// Why.
    pub reason: String,
    /// Code of a case; may be empty.
    pub case_code: String,
    /// Where it was placed, and when.
    pub placed: String,
    /// When it ends by itself.
    pub until: String,
    /// When, where and why it was released; empty when it was not.
    pub ended: String,
}

/// The row of a hold.
#[must_use]
pub fn row(hold: &Hold, text: &Text, now: WallTime, name: impl Fn(minhbach_model::CameraId) -> String) -> Row {
    let standing = hold.stands(now);
    let state = match (standing, &hold.release) {
        (true, _) => "hold-standing",
        (false, Some(_)) => "hold-released",
        (false, None) => "hold-expired",
    };
    let names: Vec<String> = hold.cameras.iter().map(|camera| name(*camera)).collect();
    let ended = hold.release.as_ref().map(|release| {
        let message = Message::new("hold-ended").text("time", when::date_time(release.at));
        message.text("by", release.by.as_str()).text("reason", one_line(&release.reason)).show(text)
    });
    Row {
        id: hold.id,
        standing,
        state: text.get(state, None),
        range: range(&hold.range),
        cameras: names.join(", "),
        reason: one_line(&hold.reason),
        case_code: hold.case_code.clone(),
        placed: format!("{} · {}", hold.owner, when::date_time(hold.created)),
        until: hold.expires.map_or_else(|| text.get("hold-never", None), when::date_time),
        ended: ended.unwrap_or_default(),
    }
}

/// All rows.
#[must_use]
pub fn rows(state: &State, text: &Text, now: WallTime) -> Vec<Row> {
    let list = state.holds.list.iter();
    ordered(list.map(|hold| row(hold, text, now, |camera| state.camera_name(camera, text))).collect())
}

/// Those that stand first; otherwise as they come.
fn ordered(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| !row.standing);
    rows
}

/// A range as it is read: the day only once when it is the same.
#[must_use]
pub fn range(range: &WallRange) -> String {
    let same = when::date(range.start) == when::date(range.end);
    let end = if same { when::clock(range.end) } else { when::date_time(range.end) };
    format!("{} – {end} ({})", when::date_time(range.start), when::length(range.duration()))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use minhbach_model::CameraId;

    use super::*;
    use crate::state::holds::tests::{NOW, hold, released};
    use crate::text::Lang;

    fn of(hold: &Hold) -> Row {
        row(hold, &Text::new(Lang::Vi), NOW, |_| "Quầy 1".to_owned())
    }

    #[test]
    fn a_row_says_what_is_held_why_and_until_when() {
        let text = Text::new(Lang::Vi);
        let row = of(&hold(CameraId::generate(), "phản ánh\ncủa dân"));
        assert_eq!((row.cameras.as_str(), row.reason.as_str()), ("Quầy 1", "phản ánh của dân"));
        assert_eq!((row.state, row.until), (text.get("hold-standing", None), text.get("hold-never", None)));
        assert!(row.placed.starts_with("Bàn 1 · ") && row.ended.is_empty(), "{}", row.placed);
    }

    #[test]
    fn a_released_hold_says_where_and_why_and_one_that_is_over_says_so() {
        let text = Text::new(Lang::Vi);
        let row = of(&released(CameraId::generate()));
        assert!(row.ended.contains("Bàn 2") && row.ended.contains("đã giải quyết"), "{}", row.ended);
        assert!(!row.standing);
        let over = Hold { expires: Some(NOW), ..hold(CameraId::generate(), "x") };
        assert_eq!(of(&over).state, text.get("hold-expired", None));
    }

    #[test]
    fn those_that_stand_come_first() {
        let camera = CameraId::generate();
        let holds = [released(camera), hold(camera, "1"), released(camera), hold(camera, "2")];
        let rows = ordered(holds.iter().map(of).collect());
        let ids: Vec<HoldId> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, [1, 3, 0, 2].map(|at: usize| holds[at].id));
    }

    #[test]
    fn a_range_tells_its_day_once() {
        let start: WallTime = "2026-11-24T07:05:09Z".parse().unwrap();
        let until = |seconds: i64| WallRange { start, end: start.offset_ns(seconds * 1_000_000_000) };
        assert_eq!(range(&until(51)), "24/11/2026 14:05:09 – 14:06:00 (00:51)");
        assert!(range(&until(86_400)).contains("– 25/11/2026 14:05:09"), "{}", range(&until(86_400)));
    }
}
