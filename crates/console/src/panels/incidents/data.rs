//! Rows of the list: filtered, searched, and as CSV for a spreadsheet.

use minhbach_model::{Incident, IncidentState};

use crate::search;
use crate::state::State;
use crate::text::{Text, incident_category, incident_state};
use crate::when;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// When it was flagged.
    pub created: String,
    /// The time it is about.
    pub range: String,
    /// State.
    pub state: String,
    /// Category.
    pub category: String,
    /// Cameras.
    pub cameras: String,
    /// Note, in one line.
    pub note: String,
    /// Who flagged it.
    pub author: String,
}

/// The row of an incident.
#[must_use]
pub fn row(incident: &Incident, text: &Text, name: impl Fn(minhbach_model::CameraId) -> String) -> Row {
    let draft = &incident.draft;
    let names: Vec<String> = draft.cameras.iter().map(|camera| name(*camera)).collect();
    Row {
        created: when::date_time(incident.created),
        range: format!("{} – {}", when::clock(draft.range.start), when::clock(draft.range.end)),
        state: text.get(incident_state(incident.state), None),
        category: text.get(incident_category(draft.category), None),
        cameras: names.join(", "),
        note: draft.note.split_whitespace().collect::<Vec<_>>().join(" "),
        author: draft.author.clone(),
    }
}

/// The incidents to list, with their rows.
#[must_use]
pub fn rows<'a>(state: &'a State, text: &Text) -> Vec<(&'a Incident, Row)> {
    let (filter, query) = (state.incidents.filter, state.incidents.query.trim());
    state
        .incidents
        .list
        .iter()
        .filter(|incident| passes(incident, filter))
        .map(|incident| (incident, row(incident, text, |camera| state.camera_name(camera, text))))
        .filter(|(_, row)| found(row, query))
        .collect()
}

fn passes(incident: &Incident, filter: Option<IncidentState>) -> bool {
    filter.is_none_or(|state| incident.state == state)
}

/// Words with `/` or `:` are looked for in the time, others in the texts: the `2` of `quay 2` must not find every `2026`.
fn found(row: &Row, query: &str) -> bool {
    let texts = [&row.state, &row.category, &row.cameras, &row.note, &row.author].map(String::as_str).join(" ");
    query.split_whitespace().all(|word| {
        let text = if word.contains(['/', ':']) { &row.created } else { &texts };
        search::matches(word, text)
    })
}

/// The list as CSV (RFC 4180) with a byte order mark, by which spreadsheets know that it is UTF-8.
#[must_use]
pub fn csv(rows: &[(&Incident, Row)], head: &[String; 7]) -> String {
    let mut out = String::from("\u{FEFF}");
    let mut line = |cells: [&str; 7]| {
        out.push_str(&cells.map(cell).join(","));
        out.push_str("\r\n");
    };
    line(head.each_ref().map(String::as_str));
    for (_, row) in rows {
        line([&row.created, &row.range, &row.state, &row.category, &row.cameras, &row.note, &row.author]);
    }
    out
}

fn cell(text: &str) -> String {
    // A spreadsheet would run what begins like a formula; a leading apostrophe makes it text.
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::incidents::tests::incident;
    use crate::text::Lang;

    fn of(note: &str) -> (Incident, Row) {
        let incident = incident(note, IncidentState::New);
        let row = row(&incident, &Text::new(Lang::Vi), |_| "Quầy 1".to_owned());
        (incident, row)
    }

    #[test]
    fn a_row_says_what_where_and_who() {
        let (_, row) = of("hai\ndòng");
        assert_eq!((row.cameras.as_str(), row.note.as_str(), row.author.as_str()), ("Quầy 1", "hai dòng", "ca-truc-1"));
        assert_eq!(row.created.len(), "24/11/2026 14:05:09".len());
    }

    #[test]
    fn a_search_without_marks_finds_notes_and_cameras() {
        let (_, row) = of("nghi đưa hối lộ");
        assert!(found(&row, "hoi lo") && found(&row, "quay"));
        assert!(!found(&row, "quay 2"));
        assert!(found(&row, &row.created) && !found(&row, "1/1/1970"));
    }

    #[test]
    fn the_filter_keeps_one_state() {
        let (incident, _) = of("");
        assert!(passes(&incident, None) && passes(&incident, Some(IncidentState::New)));
        assert!(!passes(&incident, Some(IncidentState::Closed)));
    }

    #[test]
    fn csv_is_quoted_and_holds_no_formula() {
        let (incident, row) = of("=1+1 \"x\"");
        let head = std::array::from_fn(|index| format!("h{index}"));
        let csv = csv(&[(&incident, row)], &head);
        assert!(csv.starts_with("\u{FEFF}\"h0\",\"h1\""), "{csv}");
        assert!(csv.contains("\"'=1+1 \"\"x\"\"\""), "{csv}");
        assert_eq!(csv.matches("\r\n").count(), 2);
    }
}
