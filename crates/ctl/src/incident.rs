//! `incident`: flag, list, show, set, close.

use std::time::Duration;

use minhbach_client::{Client, IncidentChange, IncidentFilter};
use minhbach_model::{Incident, IncidentDraft, IncidentId, IncidentState, WallRange, WallTime};
use serde_json::{Value, json};

use crate::args::IncidentCommand;
use crate::error::CtlError;
use crate::output::{Output, Table};
use crate::when::When;
use crate::{when, words};

/// Runs a command on incidents.
pub async fn run(client: &Client, output: &mut Output, command: IncidentCommand) -> Result<(), CtlError> {
    match command {
        IncidentCommand::Flag { cameras, from, to, seconds_back, category, note, author } => {
            let range = flag_range(from, to, seconds_back, when::now())?;
            let draft = IncidentDraft { range, cameras, category: category.into(), note, author };
            show(output, &client.flag_incident(&draft).await?)
        }
        IncidentCommand::List { state, camera } => {
            let filter = IncidentFilter { range: None, state: state.map(Into::into), camera };
            list(output, &client.incidents(&filter).await?)
        }
        IncidentCommand::Show { id } => show(output, &client.incident(id).await?),
        IncidentCommand::Set { id, state, category, note } => {
            let change = IncidentChange { state: state.map(Into::into), category: category.map(Into::into), note };
            update(client, output, id, change).await
        }
        IncidentCommand::Close { id } => {
            let change = IncidentChange { state: Some(IncidentState::Closed), ..IncidentChange::default() };
            update(client, output, id, change).await
        }
    }
}

/// Based on the version that is there now: the command line shows nothing that could be out of date.
async fn update(client: &Client, output: &mut Output, id: IncidentId, change: IncidentChange) -> Result<(), CtlError> {
    let version = client.incident(id).await?.version;
    show(output, &client.update_incident(id, version, change).await?)
}

fn flag_range(
    from: Option<When>,
    to: Option<When>,
    seconds_back: Option<u64>,
    now: WallTime,
) -> Result<WallRange, CtlError> {
    match (from, to, seconds_back) {
        (Some(from), Some(to), None) => when::range(from, to, now),
        (None, None, Some(seconds)) => {
            when::range(When::Ago(Duration::from_secs(seconds)), When::Ago(Duration::ZERO), now)
        }
        _ => Err(CtlError::Usage("give either --from and --to, or --seconds-back".to_owned())),
    }
}

fn list(output: &mut Output, incidents: &[Incident]) -> Result<(), CtlError> {
    if output.is_json() {
        for incident in incidents {
            output.object(&incident_json(incident))?;
        }
        return Ok(());
    }
    if incidents.is_empty() {
        return output.line("No incidents.");
    }
    let mut table = Table::new(&["ID", "START", "SECONDS", "CAMERAS", "STATE", "CATEGORY", "AUTHOR", "NOTE"]);
    for incident in incidents {
        table.row([
            incident.id.to_string(),
            when::local(incident.draft.range.start),
            format!("{:.0}", incident.draft.range.duration().as_secs_f64()),
            incident.draft.cameras.len().to_string(),
            words::incident_state(incident.state).to_owned(),
            words::incident_category(incident.draft.category).to_owned(),
            incident.draft.author.clone(),
            incident.draft.note.clone(),
        ]);
    }
    output.table(&table)
}

fn show(output: &mut Output, incident: &Incident) -> Result<(), CtlError> {
    if output.is_json() {
        return output.object(&incident_json(incident));
    }
    let mut table = Table::new(&["INCIDENT", &incident.id.to_string()]);
    let mut row = |name: &str, text: String| table.row([name.to_owned(), text]);
    row("state", words::incident_state(incident.state).to_owned());
    row("category", words::incident_category(incident.draft.category).to_owned());
    row("start", when::local(incident.draft.range.start));
    row("end", when::local(incident.draft.range.end));
    for camera in &incident.draft.cameras {
        row("camera", camera.to_string());
    }
    row("author", incident.draft.author.clone());
    row("note", incident.draft.note.clone());
    row("flagged", when::local(incident.created));
    row("changed", when::local(incident.updated));
    output.table(&table)
}

fn incident_json(incident: &Incident) -> Value {
    json!({
        "id": incident.id.to_string(),
        "start": incident.draft.range.start.to_string(),
        "end": incident.draft.range.end.to_string(),
        "camera_ids": incident.draft.cameras.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "category": words::incident_category(incident.draft.category),
        "note": incident.draft.note,
        "author": incident.draft.author,
        "state": words::incident_state(incident.state),
        "created": incident.created.to_string(),
        "updated": incident.updated.to_string(),
        "version": incident.version,
    })
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, IncidentCategory};

    use super::*;

    #[test]
    fn a_range_is_given_in_one_of_two_ways() {
        let now = WallTime::from_secs(1_800_000_000);
        let back = flag_range(None, None, Some(30), now).unwrap();
        assert_eq!(back, WallRange { start: WallTime::from_secs(1_799_999_970), end: now });
        let from = Some(When::Ago(Duration::from_secs(60)));
        let to = Some(When::Ago(Duration::ZERO));
        assert_eq!(flag_range(from, to, None, now).unwrap().end, now);
        assert!(flag_range(from, None, None, now).is_err());
        assert!(flag_range(to, from, None, now).is_err());
    }

    #[test]
    fn an_incident_in_json_has_stable_words_and_times() {
        let camera = CameraId::generate();
        let value = incident_json(&Incident {
            id: IncidentId::generate(),
            draft: IncidentDraft {
                range: WallRange { start: WallTime::from_secs(1_800_000_000), end: WallTime::from_secs(1_800_000_060) },
                cameras: vec![camera],
                category: IncidentCategory::Payment,
                note: "phong bì".to_owned(),
                author: "truc-ban-1".to_owned(),
            },
            state: IncidentState::InProgress,
            created: WallTime::from_secs(1_800_000_061),
            updated: WallTime::from_secs(1_800_000_062),
            version: 2,
        });
        assert_eq!(value["start"], "2027-01-15T08:00:00.000Z");
        assert_eq!(value["state"], "in_progress");
        assert_eq!(value["category"], "payment");
        assert_eq!(value["camera_ids"], json!([camera.to_string()]));
        assert_eq!(value["version"], 2);
    }
}
