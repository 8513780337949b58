//! Changes of exports: the dialog, starting and stopping jobs.

use std::path::PathBuf;

use minhbach_model::WallRange;

use super::Target;
use crate::command::{ExportCommand, keys_in_words};
use crate::net::{ExportFile, Request};
use crate::state::cameras::short_id;
use crate::state::export::{Dialog, File, FileState, Job, file_name};
use crate::state::shell::Tone;
use crate::text::Message;

pub fn apply(target: &mut Target<'_>, command: ExportCommand) {
    match command {
        ExportCommand::Open => open(target),
        ExportCommand::Close => target.state.exports.dialog = None,
        ExportCommand::Choose(camera, chosen) => {
            if let Some(dialog) = &mut target.state.exports.dialog {
                if chosen {
                    dialog.cameras.insert(camera);
                } else {
                    dialog.cameras.remove(&camera);
                }
            }
        }
        ExportCommand::Folder(folder) => {
            if let Some(dialog) = &mut target.state.exports.dialog {
                dialog.folder = folder;
            }
        }
        ExportCommand::WithoutAudio(without) => {
            if let Some(dialog) = &mut target.state.exports.dialog {
                dialog.without_audio = without;
            }
            measure(target);
        }
        ExportCommand::Range(range) => {
            if let Some(dialog) = &mut target.state.exports.dialog {
                dialog.range = range;
            }
            measure(target);
        }
        ExportCommand::Start => start(target),
        ExportCommand::Cancel(job) => {
            target.ask(Request::CancelExport(job));
            target.state.exports.jobs.retain(|known| known.id != job);
            target.say(Message::new("toast-export-cancelled"));
        }
        ExportCommand::Forget => target.state.exports.jobs.retain(|job| !job.is_over()),
    }
}

/// The marked range; says how to mark one when there is none.
pub fn marked(target: &mut Target<'_>) -> Option<WallRange> {
    let range = target.state.playback.marked();
    if range.is_none() {
        let keys = &target.state.shell.settings.keys;
        let [mark_in, mark_out] = ["cmd-mark-in", "cmd-mark-out"].map(|name| keys_in_words(keys, name, target.text));
        let message = Message::new("toast-mark-first").text("mark_in", mark_in).text("mark_out", mark_out);
        target.state.shell.say(Tone::Attention, message, target.now);
    }
    range
}

fn open(target: &mut Target<'_>) {
    let Some(range) = marked(target) else { return };
    let offered = target.state.playback.wall.visible_cameras();
    if offered.is_empty() {
        target.state.shell.say(Tone::Attention, Message::new("toast-no-camera"), target.now);
        return;
    }
    target.state.exports.dialog = Some(Dialog {
        range,
        cameras: offered.iter().copied().collect(),
        offered,
        folder: target.state.shell.settings.export_folder.clone(),
        without_audio: false,
        measured: Vec::new(),
        question: 0,
    });
    measure(target);
}

/// Asks how large the files will be.
fn measure(target: &mut Target<'_>) {
    target.state.exports.next += 1;
    let question = target.state.exports.next;
    let Some(dialog) = &mut target.state.exports.dialog else { return };
    dialog.question = question;
    dialog.measured.clear();
    let request = Request::Measure(question, dialog.offered.clone(), dialog.range, dialog.without_audio);
    target.ask(request);
}

fn start(target: &mut Target<'_>) {
    let Some(dialog) = target.state.exports.dialog.take() else { return };
    target.state.exports.next += 1;
    let id = target.state.exports.next;
    let folder = PathBuf::from(dialog.folder.trim());
    let mut files: Vec<File> = Vec::new();
    for camera in dialog.offered.iter().filter(|camera| dialog.cameras.contains(camera)) {
        let name = file_name(&target.state.cameras.name(*camera), &dialog.range);
        // Two cameras of the same name must not write the same file.
        let taken = files.iter().any(|file| file.path == folder.join(&name));
        let path = folder.join(if taken { format!("{}_{name}", short_id(*camera)) } else { name });
        let total = dialog
            .measured
            .iter()
            .find_map(|(id, answer)| answer.as_ref().ok().filter(|_| id == camera).map(|measured| measured.bytes));
        files.push(File { camera: *camera, path, written: 0, total: total.unwrap_or(0), state: FileState::Waiting });
    }
    if files.is_empty() {
        return;
    }
    let ask = files.iter().map(|file| ExportFile { camera: file.camera, path: file.path.clone() }).collect();
    target.state.shell.settings.export_folder = dialog.folder.trim().to_owned();
    if target.ask(Request::Export(id, ask, dialog.range, dialog.without_audio)) {
        let count = files.len();
        target.state.exports.jobs.push(Job { id, started: target.now, ended: None, files });
        target.say(Message::new("toast-export-started").count("count", count));
    }
}
