//! G: go to a time that is typed, such as `1405` or `24/11 14:05`.

use egui::{Id, Key, RichText, TextEdit, Ui};

use super::{Ctx, dialog};
use crate::command::{PlaybackCommand, ShellCommand};
use crate::t;
use crate::theme::{fonts, tokens};
use crate::typing::as_typed;
use crate::when;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui, text: &str) {
    let around = ctx.state.playback.position(ctx.now);
    let moment = when::parse(text, around);
    let close = dialog(ui, "go_to", &t!(ctx, "goto-title"), 380.0, |ui| {
        let mut typed = text.to_owned();
        let field = TextEdit::singleline(&mut typed)
            .id(Id::unique("go_to_time"))
            .font(fonts::mono(20.0))
            .hint_text("14:05")
            .desired_width(f32::INFINITY);
        let response = ui.add(field).accessible_name(t!(ctx, "goto-title"));
        as_typed(&response);
        let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        response.request_focus();
        if response.changed() {
            ctx.send(ShellCommand::GoToInput(typed));
        }
        ui.add_space(6.0);
        let (line, color) = match moment {
            Some(at) if at > ctx.wall_now => (t!(ctx, "goto-future"), tokens::ATTENTION),
            Some(at) => (when::date_time(at), tokens::TEXT),
            None if text.trim().is_empty() => (t!(ctx, "goto-hint"), tokens::TEXT_WEAK),
            None => (t!(ctx, "goto-unknown"), tokens::ATTENTION),
        };
        ui.label(RichText::new(line).color(color));
        if let Some(at) = moment.filter(|at| enter && *at <= ctx.wall_now) {
            ctx.send(PlaybackCommand::Seek(at));
            ctx.send(ShellCommand::Escape);
        }
    });
    if close {
        ctx.send(ShellCommand::Escape);
    }
}
