//! Changes of the frame: pages, dialogs, language, loudness, window.

use std::mem::discriminant;

use egui::ViewportCommand;

use super::{Target, playback};
use crate::command::ShellCommand;
use crate::net::Request;
use crate::state::shell::{Dialog, Page, Rebinding};
use crate::text::{Message, Text};

pub fn apply(target: &mut Target<'_>, command: ShellCommand) {
    match command {
        ShellCommand::Page(page) => go(target, page),
        ShellCommand::Fullscreen => {
            let full = !target.state.shell.fullscreen;
            fullscreen(target, full);
        }
        ShellCommand::Tree => target.state.shell.tree_hidden = !target.state.shell.tree_hidden,
        ShellCommand::Palette => {
            target.state.shell.dialog = Dialog::Palette { query: String::new(), selected: 0 };
        }
        ShellCommand::PaletteInput(query, selected) => {
            target.state.shell.dialog = Dialog::Palette { query, selected };
        }
        ShellCommand::Help => toggle(target, Dialog::Help(Rebinding::default())),
        ShellCommand::Settings => toggle(target, Dialog::Settings),
        ShellCommand::GoTo => {
            go(target, Page::Playback);
            target.state.shell.dialog = Dialog::GoTo { text: String::new() };
        }
        ShellCommand::GoToInput(text) => target.state.shell.dialog = Dialog::GoTo { text },
        ShellCommand::Escape => escape(target),
        ShellCommand::CloseToast(id) => target.state.shell.toasts.retain(|toast| toast.id != id),
        ShellCommand::Language => {
            let lang = target.text.lang().other();
            target.state.shell.settings.lang = lang;
            *target.text = Text::new(lang);
        }
        ShellCommand::Volume(volume) => {
            target.state.shell.settings.volume = volume.clamp(0.0, 1.0);
            target.state.shell.settings.muted = false;
        }
        ShellCommand::Mute => target.state.shell.settings.muted = !target.state.shell.settings.muted,
        ShellCommand::Scale(scale) => {
            target.state.shell.settings.scale = scale.clamp(0.8, 2.0);
            target.egui.set_zoom_factor(target.state.shell.settings.scale);
        }
        ShellCommand::Workstation(name) => target.state.shell.settings.workstation = name,
        ShellCommand::KeepStills(keep) => target.state.shell.settings.keep_stills = keep,
        ShellCommand::Copy(text) => {
            target.egui.copy_text(text);
            target.say(Message::new("toast-copied"));
        }
        ShellCommand::Listen(name) => target.state.shell.listen(name),
        ShellCommand::Heard(chord) => target.state.shell.hear(chord),
        ShellCommand::ResetKeys(name) => target.state.shell.reset_keys(name),
        ShellCommand::ResetAllKeys => target.state.shell.reset_all_keys(),
        ShellCommand::Typing(typing) => target.state.shell.settings.set_typing(typing),
        ShellCommand::ToggleTyping => target.state.shell.settings.toggle_typing(),
    }
}

fn go(target: &mut Target<'_>, page: Page) {
    target.state.shell.page = page;
    match page {
        Page::Playback => playback::enter(target),
        Page::Incidents => {
            target.ask_incidents();
        }
        Page::Cameras => {
            target.ask(Request::Places);
        }
        Page::Live => {}
    }
}

fn toggle(target: &mut Target<'_>, dialog: Dialog) {
    // The same dialog, whatever is going on in it.
    let open = discriminant(&target.state.shell.dialog) == discriminant(&dialog);
    target.state.shell.dialog = if open { Dialog::None } else { dialog };
}

fn fullscreen(target: &mut Target<'_>, full: bool) {
    target.state.shell.fullscreen = full;
    target.egui.send_viewport_cmd(ViewportCommand::Fullscreen(full));
}

/// One step back: dialog, then the tile shown alone, then full screen. Takes nothing away that was made.
fn escape(target: &mut Target<'_>) {
    if target.state.shell.dialog != Dialog::None {
        target.state.shell.dialog = Dialog::None;
    } else if target.state.wall().promoted().is_some() {
        target.state.wall_mut().demote();
    } else if target.state.shell.fullscreen {
        fullscreen(target, false);
    }
}
