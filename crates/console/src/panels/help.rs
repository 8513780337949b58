//! F1: the keys of this screen.

use egui::{Grid, RichText, Ui};

use super::{Ctx, dialog};
use crate::command::{ShellCommand, TABLE, keys_text};
use crate::t;
use crate::theme::{fonts, tokens};

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui) {
    let page = t!(ctx, ctx.state.shell.page.key());
    let space = t!(ctx, "key-space");
    let close = dialog(ui, "help", &t!(ctx, "help-title", page = page), 760.0, |ui| {
        let entries: Vec<_> =
            TABLE.iter().filter(|entry| !entry.shortcuts.is_empty() && entry.on.covers(ctx.state.shell.page)).collect();
        let half = entries.len().div_ceil(2);
        ui.columns(2, |columns| {
            for (column, entries) in columns.iter_mut().zip(entries.chunks(half.max(1))) {
                Grid::new("help_keys").num_columns(2).spacing([16.0, 6.0]).show(column, |ui| {
                    for entry in entries {
                        ui.label(RichText::new(keys_text(entry, &space)).font(fonts::mono(12.5)).color(tokens::ACCENT));
                        ui.label(t!(ctx, entry.key));
                        ui.end_row();
                    }
                });
            }
        });
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
