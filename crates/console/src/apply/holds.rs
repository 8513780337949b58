//! Changes about holds: the dialogs, placing and releasing, and the list.

use minhbach_model::{Hold, HoldId, IncidentId};

use super::{Target, export, playback};
use crate::command::HoldCommand;
use crate::net::{Problem, Request};
use crate::search::compose;
use crate::state::holds::{Dialog, Ending, Form};
use crate::state::shell::{Link, Page, Tone};
use crate::text::Message;

pub fn apply(target: &mut Target<'_>, command: HoldCommand) {
    match command {
        HoldCommand::Open => open(target),
        HoldCommand::OpenFor(incident) => open_for(target, incident),
        HoldCommand::Form(mut changed) => {
            if let Some(Dialog::Place(form)) = &mut target.state.holds.dialog {
                // What was drawn may be older than what was sent.
                changed.sending = form.sending;
                *form = changed;
            }
        }
        HoldCommand::Place => place(target),
        HoldCommand::List => {
            target.state.holds.dialog = Some(Dialog::List);
            ask(target);
        }
        HoldCommand::Play(id) => play(target, id),
        HoldCommand::AskRelease(hold) => {
            let ending = Ending { hold, reason: String::new(), sending: false };
            target.state.holds.dialog = Some(Dialog::Release(ending));
        }
        HoldCommand::Reason(reason) => {
            if let Some(Dialog::Release(ending)) = &mut target.state.holds.dialog {
                ending.reason = reason;
            }
        }
        HoldCommand::Release => release(target),
        HoldCommand::Close => {
            let back = matches!(target.state.holds.dialog, Some(Dialog::Release(_)));
            target.state.holds.dialog = back.then_some(Dialog::List);
        }
    }
}

/// Asks for the list while it is looked at: in its dialog, and on the timeline.
pub fn tick(target: &mut Target<'_>) {
    let shell = &target.state.shell;
    let looked_at = matches!(target.state.holds.dialog, Some(Dialog::List)) || shell.page == Page::Playback;
    if looked_at && shell.link == Link::Up && target.state.holds.is_old(target.now) {
        ask(target);
    }
}

fn ask(target: &mut Target<'_>) {
    // At most every few seconds even when the network has no room: said once, not each frame.
    target.state.holds.asked = Some(target.now);
    target.ask(Request::Holds);
}

fn open(target: &mut Target<'_>) {
    let Some(range) = export::marked(target) else { return };
    let cameras = target.state.playback.wall.visible_cameras();
    if cameras.is_empty() {
        target.state.shell.say(Tone::Attention, Message::new("toast-no-camera"), target.now);
        return;
    }
    target.state.holds.dialog = Some(Dialog::Place(Box::new(Form::new(cameras, range, ""))));
}

fn open_for(target: &mut Target<'_>, id: IncidentId) {
    let Some(incident) = target.state.incidents.get(id) else { return };
    let draft = &incident.draft;
    let form = Form::new(draft.cameras.clone(), draft.range, &draft.note);
    target.state.holds.dialog = Some(Dialog::Place(Box::new(form)));
}

fn place(target: &mut Target<'_>) {
    let (owner, now) = (target.state.workstation(), target.wall_now);
    let Some(Dialog::Place(form)) = &target.state.holds.dialog else { return };
    let Some(draft) = form.draft(owner, now).filter(|_| !form.sending) else { return };
    let sent = target.ask(Request::PlaceHold(Box::new(draft)));
    if let Some(Dialog::Place(form)) = &mut target.state.holds.dialog {
        form.sending = sent;
    }
}

fn release(target: &mut Target<'_>) {
    let by = target.state.workstation();
    let Some(Dialog::Release(ending)) = &target.state.holds.dialog else { return };
    let (hold, reason) = (ending.hold, compose(ending.reason.trim()));
    if reason.is_empty() || ending.sending {
        return;
    }
    let sent = target.ask(Request::ReleaseHold(hold, by, reason));
    if let Some(Dialog::Release(ending)) = &mut target.state.holds.dialog {
        ending.sending = sent;
    }
}

fn play(target: &mut Target<'_>, id: HoldId) {
    let Some(hold) = target.state.holds.get(id) else { return };
    let (cameras, range) = (hold.cameras.clone(), hold.range);
    target.state.holds.dialog = None;
    playback::open_range(target, &cameras, range);
}

/// The answer to a hold that was to be placed.
pub fn placed(target: &mut Target<'_>, result: Result<Hold, Problem>) {
    match result {
        Ok(hold) => {
            // Another form may have been opened since.
            let mine = matches!(&target.state.holds.dialog, Some(Dialog::Place(form)) if form.sending);
            if mine {
                target.state.holds.dialog = None;
            }
            target.say(Message::new("toast-held").count("count", hold.cameras.len()));
            changed(target, hold);
        }
        Err(problem) => {
            target.state.holds.nothing_is_sent();
            target.fail("failed-hold", &problem);
        }
    }
}

/// The answer to a hold that was to be released.
pub fn released(target: &mut Target<'_>, id: HoldId, result: Result<Hold, Problem>) {
    let mine = matches!(&target.state.holds.dialog, Some(Dialog::Release(ending)) if ending.hold == id);
    match result {
        Ok(hold) => {
            if mine {
                target.state.holds.dialog = Some(Dialog::List);
            }
            target.say(Message::new("toast-hold-released"));
            changed(target, hold);
        }
        Err(problem) => {
            if mine {
                target.state.holds.nothing_is_sent();
            }
            target.fail("failed-release", &problem);
            // Somebody else may have released it.
            ask(target);
        }
    }
}

/// A hold is not as it was: the list and the timeline tell it at once.
fn changed(target: &mut Target<'_>, hold: Hold) {
    target.state.holds.put(hold);
    target.state.playback.asked = None;
}
