//! Messages at the lower right edge; the one after a flag can be undone and filled in while the video goes on.

use egui::{
    Align, Align2, Area, Button, ComboBox, Frame, Id, Layout as Flow, Margin, Order, RichText, Stroke, TextEdit, Ui,
    vec2,
};

use super::icons::{self, Icon};
use super::{Ctx, technical};
use crate::command::{ServerCommand, ShellCommand};
use crate::state::shell::{Flagged, Toast, Tone};
use crate::t;
use crate::text::{INCIDENT_CATEGORIES, incident_category};
use crate::theme::{fonts, tokens};

/// Draws them.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui) {
    if ctx.state.shell.toasts.is_empty() {
        return;
    }
    Area::new(Id::unique("toasts"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -tokens::STATUS_HEIGHT - 12.0))
        .show(ui.ctx(), |ui| {
            for toast in &ctx.state.shell.toasts {
                ui.push_id(toast.id, |ui| card(ctx, ui, toast));
                ui.add_space(4.0);
            }
        });
}

fn card(ctx: &Ctx<'_>, ui: &mut Ui, toast: &Toast) {
    let edge = match toast.tone {
        Tone::Info => tokens::LINE,
        Tone::Attention => tokens::ATTENTION,
    };
    let frame = Frame::new()
        .fill(tokens::RAISED)
        .stroke(Stroke::new(1.0, edge))
        .corner_radius(6)
        .inner_margin(Margin::symmetric(14, 10));
    frame.show(ui, |ui| {
        ui.set_width(380.0);
        ui.horizontal(|ui| {
            let width = ui.available_width() - 36.0;
            let text = RichText::new(toast.message.show(ctx.text)).font(fonts::medium(14.0));
            ui.allocate_ui(vec2(width, 20.0), |ui| ui.add(egui::Label::new(text).wrap()));
            ui.with_layout(Flow::right_to_left(Align::TOP), |ui| {
                if icons::button(ui, Icon::Close, t!(ctx, "action-close"), false, true).clicked() {
                    ctx.send(ShellCommand::CloseToast(toast.id));
                }
            });
        });
        technical(ctx, ui, &toast.detail);
        if let Some(flagged) = &toast.flagged {
            fill_in(ctx, ui, toast, flagged);
        }
    });
}

fn fill_in(ctx: &Ctx<'_>, ui: &mut Ui, toast: &Toast, flagged: &Flagged) {
    ui.horizontal(|ui| {
        let left = toast.left(ctx.now);
        if !left.is_zero() {
            let seconds = left.as_secs_f32().ceil() as usize;
            let undo = Button::new(t!(ctx, "action-undo-left", seconds = seconds));
            if ui.add_enabled(!flagged.undoing, undo).clicked() {
                ctx.send(ServerCommand::Undo(flagged.id));
            }
        }
        let shown = t!(ctx, incident_category(flagged.category));
        let combo = ComboBox::from_id_salt("category").width(220.0).selected_text(shown);
        combo.show_ui(ui, |ui| {
            for category in INCIDENT_CATEGORIES {
                let text = t!(ctx, incident_category(category));
                if ui.selectable_label(category == flagged.category, text).clicked() {
                    ctx.send(ServerCommand::FlagCategory(flagged.id, category));
                }
            }
        });
    });
    let mut note = flagged.note.clone();
    let hint = t!(ctx, "toast-note-hint");
    let field = TextEdit::singleline(&mut note).hint_text(hint.clone()).desired_width(f32::INFINITY).char_limit(1000);
    let response = ui.add(field).accessible_name(hint);
    if response.lost_focus() {
        // Enter, or a click elsewhere: what was typed is kept.
        let typed = !note.trim().is_empty();
        ctx.send(ServerCommand::FlagNote(flagged.id, note, false));
        if typed {
            ctx.send(ServerCommand::FlagNoteDone(flagged.id));
        }
    } else if response.changed() || response.gained_focus() {
        ctx.send(ServerCommand::FlagNote(flagged.id, note, true));
    }
}
