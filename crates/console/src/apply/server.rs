//! Changes of what the server keeps: asked here, taken in by `reply` when the server has answered.

use minhbach_client::IncidentChange;
use minhbach_model::{IncidentCategory, IncidentDraft, WallRange};

use super::{Target, playback};
use crate::command::ServerCommand;
use crate::net::{ChangeFrom, FileKind, Request, SaveCamera};
use crate::state::cameras::{Form, Test};
use crate::state::incidents::Edit;
use crate::state::shell::{Flagged, Tone};
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
        ServerCommand::EditIncident(edit) => target.state.incidents.edit = Some(edit),
        ServerCommand::SaveIncident => save_incident(target),
        ServerCommand::IncidentCsv(csv) => {
            let name = format!("su-viec_{}.csv", when::file_stamp(target.wall_now));
            let path = std::path::PathBuf::from(&target.state.shell.settings.export_folder).join(name);
            target.ask(Request::Write(FileKind::List, path, csv));
        }
        ServerCommand::TreeQuery(query) => target.state.cameras.tree_query = query,
        ServerCommand::Fold(node) => {
            if !target.state.cameras.folded.remove(&node) {
                target.state.cameras.folded.insert(node);
            }
        }
        ServerCommand::CameraQuery(query) => target.state.cameras.table_query = query,
        ServerCommand::SelectCamera(id) => target.state.cameras.selected = Some(id),
        ServerCommand::AddCamera => form(target, Some(Form::default())),
        ServerCommand::EditCamera(id) => {
            let known = target.state.cameras.get(id).map(Form::of);
            form(target, known);
        }
        ServerCommand::Form(changed) => target.state.cameras.form = Some(*changed),
        ServerCommand::CloseForm => form(target, None),
        ServerCommand::SaveForm => save_form(target),
        ServerCommand::TestForm => {
            let Some(form) = &target.state.cameras.form else { return };
            if let Ok(draft) = form.draft() {
                let request = Request::Test(form.id, Box::new(draft));
                if target.ask(request) {
                    target.state.cameras.test = Test::Running(target.now);
                }
            }
        }
        ServerCommand::Pause(id, pause) => {
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
    let author = target.state.shell.settings.workstation.trim();
    let draft = IncidentDraft {
        range: WallRange { start: at.offset_ns(-FLAG_NS), end: at.offset_ns(FLAG_NS) },
        cameras,
        category: IncidentCategory::Unsorted,
        note: String::new(),
        author: if author.is_empty() { "console".to_owned() } else { author.to_owned() },
    };
    target.ask(Request::Flag(draft));
}

fn undo(target: &mut Target<'_>, id: minhbach_model::IncidentId) {
    if target.ask(Request::Undo(id)) {
        target.state.shell.toasts.retain(|toast| toast.flagged.as_ref().is_none_or(|flagged| flagged.id != id));
    }
}

fn flagged<'a>(target: &'a mut Target<'_>, id: minhbach_model::IncidentId) -> Option<&'a mut Flagged> {
    let toasts = target.state.shell.toasts.iter_mut();
    toasts.filter_map(|toast| toast.flagged.as_mut()).find(|flagged| flagged.id == id)
}

fn open_incident(target: &mut Target<'_>, id: minhbach_model::IncidentId, play: bool) {
    let Some(incident) = target.state.incidents.get(id) else { return };
    let (cameras, start) = (incident.draft.cameras.clone(), incident.draft.range.start);
    let end = incident.draft.range.end;
    if target.state.incidents.edit.as_ref().is_none_or(|edit| edit.id != id) {
        target.state.incidents.edit = Some(Edit::of(incident));
    }
    if play {
        playback::open(target, &cameras, start);
        let page = &mut target.state.playback;
        page.mark_in = Some(start);
        page.mark_out = Some(end);
        // The whole incident with as much again around it.
        let middle = start.offset_ns(end.ns_since(start) / 2);
        page.view = crate::state::timeview::TimeView::around(middle, end.ns_since(start).saturating_mul(3));
    }
}

fn save_incident(target: &mut Target<'_>) {
    let Some(edit) = target.state.incidents.edit.clone() else { return };
    let Some(known) = target.state.incidents.get(edit.id) else { return };
    let note = crate::search::compose(edit.note.trim());
    let change = IncidentChange {
        state: (edit.state != known.state).then_some(edit.state),
        category: (edit.category != known.draft.category).then_some(edit.category),
        note: (note != known.draft.note).then_some(note),
    };
    target.ask(Request::Change(ChangeFrom::Editor, edit.id, edit.version, change));
}

fn form(target: &mut Target<'_>, form: Option<Form>) {
    target.state.cameras.form = form;
    target.state.cameras.test = Test::None;
    target.state.cameras.saving = false;
}

fn save_form(target: &mut Target<'_>) {
    let Some(form) = &target.state.cameras.form else { return };
    let Ok(draft) = form.draft() else { return };
    let filled = |place: &&crate::state::cameras::NewPlace| {
        [&place.agency, &place.site, &place.contact_point].iter().all(|name| !name.trim().is_empty())
    };
    let save = SaveCamera {
        id: form.id,
        draft,
        keep_password: form.keep_password(),
        new_place: form.new_place.as_ref().filter(filled).cloned(),
    };
    target.state.cameras.saving = target.ask(Request::Save(Box::new(save)));
}
