//! Changes of what the server keeps: asked here, taken in by `reply` when the server has answered.

use minhbach_client::IncidentChange;
use minhbach_model::{IncidentCategory, IncidentDraft, IncidentId, WallRange, WallTime};

use super::{Target, playback};
use crate::command::ServerCommand;
use crate::net::{ChangeFrom, FileKind, Request, SaveCamera};
use crate::panels::incidents::rows as incident_rows;
use crate::state::cameras::{Form, Test};
use crate::state::shell::{Flagged, Page, Tone};
use crate::text::Message;
use crate::when;

/// What a flag is about: half a minute on both sides.
const FLAG_NS: i64 = 30_000_000_000;

pub fn apply(target: &mut Target<'_>, command: ServerCommand) {
    match command {
        ServerCommand::Flag => flag(target),
        ServerCommand::UndoFlag => match target.state.shell.undoable(target.now) {
            Some(id) => undo(target, id),
            None => target.say(Message::new("toast-nothing-to-undo")),
        },
        ServerCommand::Undo(id) => undo(target, id),
        ServerCommand::FlagCategory(id, category) => {
            if let Some(flagged) = flagged(target, id) {
                flagged.category = category;
                let version = flagged.version;
                let change = IncidentChange { category: Some(category), ..IncidentChange::default() };
                target.ask(Request::Change(ChangeFrom::Toast, id, version, change));
            }
        }
        ServerCommand::FlagNote(id, note, editing) => {
            if let Some(flagged) = flagged(target, id) {
                flagged.note = note;
                flagged.editing = editing;
            }
        }
        ServerCommand::FlagNoteDone(id) => {
            if let Some(flagged) = flagged(target, id) {
                flagged.editing = false;
                let version = flagged.version;
                let note = crate::search::compose(flagged.note.trim());
                let change = IncidentChange { note: Some(note), ..IncidentChange::default() };
                target.ask(Request::Change(ChangeFrom::Toast, id, version, change));
            }
        }
        ServerCommand::IncidentFilter(filter) => target.state.incidents.filter = filter,
        ServerCommand::IncidentQuery(query) => target.state.incidents.query = query,
        ServerCommand::OpenIncident(id, play) => open_incident(target, id, play),
        ServerCommand::NextIncident(by) => next_incident(target, by),
        ServerCommand::PlayIncident => {
            if let Some(id) = target.state.incidents.edit.as_ref().map(|edit| edit.id) {
                open_incident(target, id, true);
            }
        }
        ServerCommand::EditIncident(edit) => target.state.incidents.edit = Some(edit),
        ServerCommand::SaveIncident => save_incident(target),
        ServerCommand::IncidentCsv(csv) => {
            let name = format!("su-viec_{}.csv", when::file_stamp(target.wall_now));
            let path = std::path::PathBuf::from(&target.state.shell.settings.export_folder).join(name);
            target.ask(Request::Write(FileKind::List, path, csv));
        }
        ServerCommand::TreeQuery(query) => {
            target.state.cameras.changes += 1;
            target.state.cameras.tree_query = query;
        }
        ServerCommand::Fold(node) => target.state.cameras.fold(node),
        ServerCommand::CameraQuery(query) => target.state.cameras.table_query = query,
        ServerCommand::SelectCamera(id) => target.state.cameras.selected = Some(id),
        ServerCommand::AddCamera => form(target, Some(Form::default())),
        ServerCommand::EditCamera(id) => {
            let known = target.state.cameras.get(id).map(Form::of);
            form(target, known);
        }
        ServerCommand::Form(changed) => {
            let cameras = &mut target.state.cameras;
            if cameras.form.as_ref().is_some_and(|form| !form.same_source(&changed)) {
                // What was found out is about another camera.
                cameras.test = Test::None;
                cameras.tests += 1;
            }
            cameras.form = Some(*changed);
        }
        ServerCommand::CloseForm => form(target, None),
        ServerCommand::SaveForm => save_form(target),
        ServerCommand::TestForm => {
            let Some(form) = &target.state.cameras.form else { return };
            if let Ok(draft) = form.draft() {
                let id = form.id;
                target.state.cameras.tests += 1;
                let request = Request::Test(target.state.cameras.tests, id, Box::new(draft));
                if target.ask(request) {
                    target.state.cameras.test = Test::Running(target.now);
                }
            }
        }
        ServerCommand::AskPause(id) => target.state.cameras.pausing = id,
        ServerCommand::Pause(id, pause) => {
            target.state.cameras.pausing = None;
            target.ask(Request::Pause(id, pause));
        }
        ServerCommand::AskRemove(id) => target.state.cameras.removing = id,
        ServerCommand::Remove(id) => {
            target.state.cameras.removing = None;
            target.ask(Request::Remove(id));
        }
    }
}

fn flag(target: &mut Target<'_>) {
    let Some((cameras, at)) = target.state.flag_target(target.now, target.wall_now) else {
        target.state.shell.say(Tone::Attention, Message::new("toast-no-camera"), target.now);
        return;
    };
    let draft = IncidentDraft {
        range: flag_range(at, (target.state.shell.page == Page::Playback).then_some(target.wall_now)),
        cameras,
        category: IncidentCategory::Unsorted,
        note: String::new(),
        author: target.state.workstation(),
    };
    target.ask(Request::Flag(draft));
}

/// Half a minute on both sides; of what was recorded, nothing later than `latest`.
fn flag_range(at: WallTime, latest: Option<WallTime>) -> WallRange {
    let end = at.offset_ns(FLAG_NS);
    WallRange { start: at.offset_ns(-FLAG_NS), end: latest.map_or(end, |latest| end.min(latest)) }
}

fn undo(target: &mut Target<'_>, id: minhbach_model::IncidentId) {
    let asked = target.ask(Request::Undo(id));
    if let Some(flagged) = flagged(target, id) {
        flagged.undoing = asked;
    }
}

fn flagged<'a>(target: &'a mut Target<'_>, id: minhbach_model::IncidentId) -> Option<&'a mut Flagged> {
    let toasts = target.state.shell.toasts.iter_mut();
    toasts.filter_map(|toast| toast.flagged.as_mut()).find(|flagged| flagged.id == id)
}

fn open_incident(target: &mut Target<'_>, id: minhbach_model::IncidentId, play: bool) {
    let Some(incident) = target.state.incidents.get(id) else { return };
    let (cameras, range) = (incident.draft.cameras.clone(), incident.draft.range);
    target.state.incidents.select(id);
    if play {
        playback::open_range(target, &cameras, range);
    } else {
        playback::review(target, cameras.first().copied(), range);
    }
}

/// Selects the incident that many rows further down, in the order of the list as it is shown.
fn next_incident(target: &mut Target<'_>, by: isize) {
    let shown: Vec<IncidentId> =
        incident_rows(target.state, target.text).iter().map(|(incident, _)| incident.id).collect();
    let at = target.state.incidents.edit.as_ref().and_then(|edit| shown.iter().position(|id| *id == edit.id));
    let next = at.map_or(0, |at| at.saturating_add_signed(by).min(shown.len().saturating_sub(1)));
    if let Some(id) = shown.get(next).copied().filter(|_| at != Some(next)) {
        open_incident(target, id, false);
    }
}

fn save_incident(target: &mut Target<'_>) {
    let Some(edit) = &target.state.incidents.edit else { return };
    let request = Request::Change(ChangeFrom::Editor, edit.id, edit.version, edit.change());
    target.ask(request);
}

fn form(target: &mut Target<'_>, form: Option<Form>) {
    target.state.cameras.form = form;
    target.state.cameras.test = Test::None;
    target.state.cameras.tests += 1;
    target.state.cameras.saving = false;
}

fn save_form(target: &mut Target<'_>) {
    let Some(form) = &target.state.cameras.form else { return };
    let Ok(draft) = form.draft() else { return };
    let save =
        SaveCamera { id: form.id, draft, keep_password: form.keep_password(), new_place: form.new_place.clone() };
    target.state.cameras.saving = target.ask(Request::Save(Box::new(save)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_in_playback_reaches_to_now_at_most() {
        let at = WallTime::from_secs(1_795_000_000);
        assert_eq!(flag_range(at, None).end, at.offset_ns(FLAG_NS));
        assert_eq!(flag_range(at, Some(at)), WallRange { start: at.offset_ns(-FLAG_NS), end: at });
        assert_eq!(flag_range(at, Some(at.offset_ns(10 * FLAG_NS))).end, at.offset_ns(FLAG_NS));
    }
}
