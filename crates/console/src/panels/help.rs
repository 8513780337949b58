//! F1: the keys of this screen, and giving commands other keys.

use egui::{Button, Grid, RichText, ScrollArea, Ui, vec2};

use super::{Ctx, dialog};
use crate::command::{Entry, ShellCommand, TABLE, keys_text};
use crate::keys::Refusal;
use crate::state::shell::Rebinding;
use crate::t;
use crate::theme::{fonts, tokens};

/// Height of the window that everything but the list of keys needs, points.
const AROUND_LIST: f32 = 330.0;
/// Size of a button with keys, points.
const KEYS_WIDTH: f32 = 160.0;
const KEYS_HEIGHT: f32 = 24.0;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui, rebinding: &Rebinding) {
    let page = t!(ctx, ctx.state.shell.page.key());
    let close = dialog(ui, "help", &t!(ctx, "help-title", page = page), 980.0, |ui| {
        said(ctx, ui, rebinding);
        ui.add_space(8.0);
        let height = (ui.ctx().content_rect().height() - AROUND_LIST).max(160.0);
        ScrollArea::vertical().max_height(height).show(ui, |ui| list(ctx, ui, rebinding));
        ui.add_space(12.0);
        for key in ["help-tree", "help-wall", "help-timeline", "help-typing"] {
            ui.label(RichText::new(t!(ctx, key)).color(tokens::TEXT_WEAK));
        }
        if let Some(server) = &ctx.state.server {
            ui.add_space(10.0);
            let text = t!(ctx, "help-version", console = env!("CARGO_PKG_VERSION"), server = server.version.as_str());
            ui.label(RichText::new(text).color(tokens::TEXT_WEAK).small());
        }
    });
    if close {
        ctx.send(ShellCommand::Escape);
    }
}

/// One line: what can be done, what is waited for, why a key was refused. It is always there, so that nothing moves.
fn said(ctx: &Ctx<'_>, ui: &mut Ui, rebinding: &Rebinding) {
    ui.horizontal(|ui| {
        let all = Button::new(t!(ctx, "help-reset-all")).min_size(vec2(0.0, KEYS_HEIGHT));
        if ui.add_enabled(!ctx.state.shell.settings.keys.are_default(), all).clicked() {
            ctx.send(ShellCommand::ResetAllKeys);
        }
        if let Some((chord, why)) = rebinding.refused {
            let keys = chord.show(&t!(ctx, "key-space"));
            let text = match why {
                Refusal::Reserved => t!(ctx, "help-key-reserved", keys = keys),
                Refusal::Taken(command) => t!(ctx, "help-key-taken", keys = keys, command = t!(ctx, command)),
            };
            ui.label(RichText::new(text).color(tokens::ATTENTION));
        }
        if rebinding.listening.is_some() {
            ui.label(RichText::new(t!(ctx, "help-listening")).color(tokens::ACCENT));
        } else if rebinding.refused.is_none() {
            ui.label(RichText::new(t!(ctx, "help-rebind")).color(tokens::TEXT_WEAK));
        }
    });
}

fn list(ctx: &Ctx<'_>, ui: &mut Ui, rebinding: &Rebinding) {
    let entries: Vec<_> = TABLE.iter().filter(|entry| entry.on.covers(ctx.state.shell.page)).collect();
    let half = entries.len().div_ceil(2).max(1);
    ui.columns(2, |columns| {
        for (number, (column, entries)) in columns.iter_mut().zip(entries.chunks(half)).enumerate() {
            Grid::new(("help_keys", number)).num_columns(3).spacing([16.0, 6.0]).show(column, |ui| {
                for entry in entries {
                    row(ctx, ui, entry, rebinding.listening == Some(entry.name));
                    ui.end_row();
                }
            });
        }
    });
}

fn row(ctx: &Ctx<'_>, ui: &mut Ui, entry: &'static Entry, listening: bool) {
    let keys = &ctx.state.shell.settings.keys;
    let shown = keys_text(keys, entry, ctx.text);
    let title = t!(ctx, entry.key);
    let (shown, color) = match (listening, shown.is_empty()) {
        (true, _) => ("…".to_owned(), tokens::ACCENT),
        (false, true) => (t!(ctx, "key-none"), tokens::TEXT_WEAK),
        (false, false) => (shown, tokens::ACCENT),
    };
    let name = t!(ctx, "help-change", command = title.as_str(), keys = shown.as_str());
    let text = RichText::new(shown).font(fonts::mono(12.5)).color(color);
    let button = Button::new(text).min_size(vec2(KEYS_WIDTH, KEYS_HEIGHT)).selected(listening);
    if ui.add_enabled(!entry.is_fixed(), button).accessible_name(name).clicked() {
        ctx.send(ShellCommand::Listen((!listening).then_some(entry.name)));
    }
    ui.label(title);
    if keys.is_changed(entry) && ui.button(t!(ctx, "help-reset")).clicked() {
        ctx.send(ShellCommand::ResetKeys(entry.name));
    }
}
