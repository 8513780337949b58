//! Settings of this workstation.

use egui::{Grid, RichText, Slider, TextEdit, Ui};

use super::{Ctx, dialog};
use crate::command::ShellCommand;
use crate::t;
use crate::theme::tokens;
use crate::typing::Typing;
use crate::video::sound::SoundState;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui) {
    let settings = &ctx.state.shell.settings;
    let close = dialog(ui, "settings", &t!(ctx, "settings-title"), 460.0, |ui| {
        Grid::new("settings_grid").num_columns(2).spacing([16.0, 10.0]).show(ui, |ui| {
            ui.label(t!(ctx, "settings-workstation"));
            let mut name = settings.workstation.clone();
            let field = TextEdit::singleline(&mut name).desired_width(260.0).char_limit(100);
            if ui.add(field).accessible_name(t!(ctx, "settings-workstation")).changed() {
                ctx.send(ShellCommand::Workstation(name));
            }
            ui.end_row();
            ui.label(t!(ctx, "settings-scale"));
            let mut percent = settings.scale * 100.0;
            let slider = Slider::new(&mut percent, 80.0..=200.0).step_by(10.0).suffix(" %");
            let response = ui.add(slider).accessible_name(t!(ctx, "settings-scale"));
            // While it is dragged the scale must not move the slider from under the pointer.
            if (response.changed() && !response.dragged()) || response.drag_stopped() {
                ctx.send(ShellCommand::Scale(percent / 100.0));
            }
            ui.end_row();
            typing(ctx, ui);
            ui.label(t!(ctx, "settings-sound"));
            let sound = match ctx.sound.state() {
                SoundState::Starting => t!(ctx, "settings-sound-starting"),
                SoundState::Playing { device } => device,
                SoundState::NoDevice => t!(ctx, "status-no-sound"),
                SoundState::Failed(why) => why,
            };
            ui.label(RichText::new(sound).color(tokens::TEXT_WEAK));
            ui.end_row();
            ui.label(t!(ctx, "settings-stills"));
            let mut keep = settings.keep_stills;
            let response = ui.checkbox(&mut keep, t!(ctx, "settings-stills-keep"));
            if response.on_hover_text(t!(ctx, "settings-stills-hint")).changed() {
                ctx.send(ShellCommand::KeepStills(keep));
            }
            ui.end_row();
            ui.label(t!(ctx, "settings-server"));
            ui.label(RichText::new(&settings.server).color(tokens::TEXT_WEAK));
            ui.end_row();
        });
        ui.add_space(6.0);
        ui.label(RichText::new(t!(ctx, "settings-workstation-hint")).color(tokens::TEXT_WEAK).small());
    });
    if close {
        ctx.send(ShellCommand::Escape);
    }
}

/// Whether and how Vietnamese is composed.
fn typing(ctx: &Ctx<'_>, ui: &mut Ui) {
    ui.label(t!(ctx, "settings-typing"));
    ui.horizontal(|ui| {
        for typing in Typing::ALL {
            let selected = ctx.state.shell.settings.typing == typing;
            let choice = ui.selectable_label(selected, t!(ctx, typing.key()));
            let hint = t!(ctx, "settings-typing-hint", keys = ctx.keys("cmd-typing"));
            if choice.on_hover_text(hint).clicked() {
                ctx.send(ShellCommand::Typing(typing));
            }
        }
    });
    ui.end_row();
}
