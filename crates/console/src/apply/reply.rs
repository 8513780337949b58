//! Takes in what the network has to tell.

use std::path::Path;
use std::time::Instant;

use egui::{ColorImage, TextureOptions};
use minhbach_decode::RgbaImage;
use minhbach_model::{CameraStatus, ContactPointId, Incident, IncidentId};

use super::{Target, holds, playback, trouble};
use crate::net::{ChangeFrom, ErrorKind, FileKind, Problem, Reply, Request};
use crate::state::cameras::{Test, TestRow};
use crate::state::export::FileState;
use crate::state::playback::Lane;
use crate::state::shell::{Flagged, Link, Page, Tone};
use crate::state::wall::{Layout, SLOTS};
use crate::text::Message;

/// Differences between the clocks below this are the way of the answer.
const CLOCK_JITTER_NS: i64 = 300_000_000;

/// Takes one result in.
pub fn reply(target: &mut Target<'_>, reply: Reply) {
    match reply {
        Reply::Status(status) => {
            if target.state.shell.link != Link::Up {
                came_back(target);
            }
            let ahead = status.now.ns_since(crate::when::now());
            // The way of the answer makes it jitter; only a real difference counts.
            if (ahead - target.state.clock_ahead_ns).abs() > CLOCK_JITTER_NS {
                target.state.clock_ahead_ns = ahead;
            }
            target.state.server = Some(*status);
        }
        Reply::Down(retry_at, detail) => down(target, retry_at, detail),
        Reply::Cameras(list) => cameras(target, list),
        Reply::Places(Ok(places)) => {
            target.state.cameras.changes += 1;
            target.state.cameras.places = places;
        }
        Reply::RemovedCameras(Ok(list)) => target.state.cameras.replace_removed(list),
        Reply::Incidents(Ok(list)) => incidents(target, list),
        // The link says that the server is gone; these come again by themselves.
        Reply::Places(Err(problem))
        | Reply::RemovedCameras(Err(problem))
        | Reply::Incidents(Err(problem))
        | Reply::Holds(Err(problem)) => {
            tracing::info!(detail = %problem.detail, "a list cannot be read");
        }
        Reply::Holds(Ok(list)) => target.state.holds.replace(list),
        Reply::HoldPlaced(result) => holds::placed(target, result),
        Reply::HoldReleased(id, result) => holds::released(target, id, result),
        Reply::Timeline(result) => timeline(target, result),
        Reply::FirstRecorded(Ok(Some(at))) if target.state.shell.page == Page::Playback => playback::seek(target, at),
        // The page was left meanwhile.
        Reply::FirstRecorded(Ok(Some(_))) => {}
        Reply::FirstRecorded(Ok(None)) => target.say(Message::new("toast-nothing-recorded")),
        Reply::FirstRecorded(Err(problem)) => target.fail("failed-timeline", &problem),
        Reply::Flagged(Ok(incident)) => flagged(target, incident),
        Reply::Flagged(Err(problem)) => target.fail("failed-flag", &problem),
        Reply::Undone(id, Ok(())) => {
            target.state.incidents.remove(id);
            let toasts = &mut target.state.shell.toasts;
            toasts.retain(|toast| toast.flagged.as_ref().is_none_or(|flagged| flagged.id != id));
            target.say(Message::new("toast-undone"));
        }
        Reply::Undone(id, Err(problem)) => {
            let toasts = target.state.shell.toasts.iter_mut();
            for flagged in toasts.filter_map(|toast| toast.flagged.as_mut()).filter(|flagged| flagged.id == id) {
                flagged.undoing = false;
            }
            target.fail("failed-undo", &problem);
        }
        Reply::Changed(from, id, result) => changed(target, from, id, result),
        Reply::Saved(new, result) => saved(target, new, result),
        Reply::Paused(id, paused, Ok(())) => {
            let name = target.state.camera_name(id, target.text);
            let key = if paused { "toast-camera-paused" } else { "toast-camera-resumed" };
            target.say(Message::new(key).text("camera", name));
        }
        Reply::Paused(_, _, Err(problem)) => target.fail("failed-camera", &problem),
        Reply::Removed(id, Ok(())) => {
            for wall in [&mut target.state.live, &mut target.state.playback.wall] {
                if let Some(slot) = wall.slot_of(id) {
                    wall.clear(slot);
                }
            }
            // Its footage stays: it is among the removed ones now.
            target.state.cameras.removed_asked = None;
            target.say(Message::new("toast-camera-removed"));
        }
        Reply::Removed(_, Err(problem)) => target.fail("failed-camera", &problem),
        // The form was closed or changed while the camera was tried.
        Reply::Tested(number, _) if number != target.state.cameras.tests => {}
        Reply::Tested(_, result) => tested(target, result),
        Reply::Measured(question, camera, answer) => {
            let answer = answer.map_err(trouble);
            if let Some(dialog) = target.state.exports.dialog.as_mut().filter(|dialog| dialog.question == question) {
                dialog.measured.push((camera, answer));
            }
        }
        Reply::ExportProgress(job, index, written, total) => {
            if let Some(file) = file(target, job, index) {
                file.written = written;
                file.total = total;
                file.state = FileState::Writing;
            }
        }
        Reply::ExportEnded(job, index, result) => export_ended(target, job, index, result),
        Reply::Written(FileKind::Settings, _, Ok(())) => {}
        Reply::Written(FileKind::List, path, Ok(())) => {
            target.say(Message::new("toast-list-written").text("path", show(&path)));
        }
        Reply::Written(_, path, Err(problem)) => {
            tracing::warn!(path = %path.display(), "a file cannot be written");
            target.fail("failed-file", &problem);
        }
    }
}

fn show(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn came_back(target: &mut Target<'_>) {
    target.state.shell.link = Link::Up;
    target.state.shell.was_up = true;
    // Whatever was under way before the break is not any more.
    target.state.playback.waiting = false;
    target.state.playback.asked = None;
    target.state.playback.failed = None;
    // An answer to what was sent before the break will not come.
    target.state.holds.came_back();
    target.state.cameras.removed_asked = None;
    target.ask(Request::Places);
    target.ask_incidents();
}

fn down(target: &mut Target<'_>, retry_at: Instant, detail: String) {
    let since = match &target.state.shell.link {
        Link::Down { since, .. } => *since,
        Link::Opening | Link::Up => target.now,
    };
    target.state.shell.link = Link::Down { since, retry_at, detail };
}

fn cameras(target: &mut Target<'_>, list: Vec<CameraStatus>) {
    let cameras = &mut target.state.cameras;
    let known = |id: ContactPointId| cameras.places.contact_points.iter().any(|point| point.id == id);
    let strange = list.iter().filter_map(|status| status.camera.draft.contact_point).any(|id| !known(id));
    let first = !cameras.loaded;
    cameras.replace(list);
    let ids = cameras.ids();
    if strange {
        // A place was added elsewhere.
        target.ask(Request::Places);
    }
    let live = &mut target.state.live;
    let arranged = !live.is_empty();
    for slot in 0..SLOTS {
        // A camera that was removed leaves its tile.
        if live.slots()[slot].is_some_and(|camera| !ids.contains(&camera)) {
            live.clear(slot);
        }
    }
    if first && live.is_empty() && !ids.is_empty() {
        // Nothing is arranged, or only cameras that are gone: a newcomer sees pictures at once.
        let shell = &target.state.shell;
        if !shell.fixed_layout && (shell.settings.layout.is_none() || arranged) {
            target.state.live.set_layout(Layout::for_count(ids.len()));
        }
        target.state.live.fill(&ids);
        target.state.live.audible = None;
    }
    if first && target.state.shell.page == Page::Playback {
        // The console was opened on this page; only now is it known which cameras there are.
        super::playback::enter(target);
    }
}

fn timeline(target: &mut Target<'_>, result: Result<Vec<minhbach_client::CameraTimeline>, Problem>) {
    target.state.playback.waiting = false;
    match result {
        Ok(timelines) => {
            target.state.playback.failed = None;
            target.state.playback.lanes =
                timelines.into_iter().map(|timeline| (timeline.camera, lane(timeline))).collect();
        }
        // The page of the lost server tells what is wrong.
        Err(problem) => {
            tracing::info!(detail = %problem.detail, "the timeline cannot be read");
            target.state.playback.fail(target.now);
        }
    }
}

fn lane(timeline: minhbach_client::CameraTimeline) -> Lane {
    Lane { recorded: timeline.recorded, gaps: timeline.gaps, damages: timeline.damages, held: timeline.held }
}

fn incidents(target: &mut Target<'_>, list: Vec<Incident>) {
    let conflicts = &target.state.incidents.conflicts;
    let flags = target.state.shell.toasts.iter_mut().filter_map(|toast| toast.flagged.as_mut());
    for flagged in flags.filter(|flagged| conflicts.contains(&flagged.id)) {
        if let Some(incident) = list.iter().find(|incident| incident.id == flagged.id) {
            flagged.version = incident.version;
        }
    }
    target.state.incidents.replace(list);
}

fn flagged(target: &mut Target<'_>, incident: Incident) {
    let flagged = Flagged {
        id: incident.id,
        version: incident.version,
        category: incident.draft.category,
        note: String::new(),
        editing: false,
        undoing: false,
    };
    let message = Message::new("toast-flagged").count("count", incident.draft.cameras.len());
    target.state.shell.push(Tone::Info, message, target.now, Some(flagged));
    target.state.incidents.put(incident);
}

fn changed(target: &mut Target<'_>, from: ChangeFrom, id: IncidentId, result: Result<Incident, Problem>) {
    match result {
        Ok(incident) => {
            for flagged in target.state.shell.toasts.iter_mut().filter_map(|toast| toast.flagged.as_mut()) {
                if flagged.id == incident.id {
                    flagged.version = incident.version;
                }
            }
            target.state.incidents.put(incident);
            if from == ChangeFrom::Editor {
                target.say(Message::new("toast-incident-saved"));
            }
        }
        Err(problem) => {
            target.fail("failed-incident", &problem);
            if problem.kind == ErrorKind::Conflict {
                target.state.incidents.conflicts.insert(id);
            }
            target.ask_incidents();
        }
    }
}

fn saved(target: &mut Target<'_>, new: bool, result: Result<CameraStatus, Problem>) {
    // Another form may have been opened since.
    let mine = std::mem::take(&mut target.state.cameras.saving);
    match result {
        Ok(status) => {
            let name = status.camera.draft.name.clone();
            let id = status.camera.id;
            let cameras = &mut target.state.cameras;
            if mine {
                cameras.form = None;
                cameras.test = Test::None;
                cameras.tests += 1;
            }
            cameras.selected = Some(id);
            cameras.changes += 1;
            match cameras.list.iter_mut().find(|known| known.camera.id == id) {
                Some(known) => *known = status,
                None => cameras.list.push(status),
            }
            // A new camera shows itself when there is room for it.
            if new {
                target.state.live.fill(&[id]);
            }
            target.say(Message::new("toast-camera-saved").text("camera", name));
            target.ask(Request::Places);
        }
        Err(problem) => target.fail("failed-camera", &problem),
    }
}

fn tested(target: &mut Target<'_>, result: Result<(Vec<TestRow>, Option<RgbaImage>), Problem>) {
    match result {
        Ok((rows, image)) => {
            let still = image.map(|image| {
                let size = [image.width as usize, image.height as usize];
                let image = ColorImage::from_rgba_unmultiplied(size, &image.pixels);
                target.egui.load_texture("camera_test", image, TextureOptions::LINEAR)
            });
            target.state.cameras.test = Test::Done { rows, still };
        }
        Err(problem) => {
            target.state.cameras.test = Test::None;
            target.fail("failed-test", &problem);
        }
    }
}

fn file<'a>(target: &'a mut Target<'_>, job: u64, index: usize) -> Option<&'a mut crate::state::export::File> {
    target.state.exports.jobs.iter_mut().find(|known| known.id == job)?.files.get_mut(index)
}

fn export_ended(target: &mut Target<'_>, job: u64, index: usize, result: Result<(), Problem>) {
    let problem = result.err();
    if let Some(problem) = &problem {
        tracing::warn!(detail = %problem.detail, "an export failed");
    }
    let Some(file) = file(target, job, index) else { return };
    file.state = match problem {
        None => FileState::Done,
        Some(problem) => FileState::Failed(trouble(problem)),
    };
    let now = target.now;
    let Some(known) = target.state.exports.jobs.iter_mut().find(|known| known.id == job) else { return };
    if known.is_over() {
        known.ended = Some(now);
        let failed = known.files.iter().filter(|file| matches!(file.state, FileState::Failed(_))).count();
        let count = known.files.len() - failed;
        let folder = known.files.first().and_then(|file| file.path.parent()).map(show).unwrap_or_default();
        if failed == 0 {
            target.say(Message::new("toast-export-done").count("count", count).text("folder", folder));
        } else {
            let message = Message::new("toast-export-failed").count("failed", failed).count("count", count);
            target.state.shell.say(Tone::Attention, message, now);
        }
    }
}
