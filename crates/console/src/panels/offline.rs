//! The page of a server that does not answer: which one, when it is tried again, what to check.

use std::time::Instant;

use egui::{RichText, Ui};

use super::{Ctx, copy_button};
use crate::state::shell::Link;
use crate::t;
use crate::theme::{fonts, tokens};

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    ui.add_space((ui.available_height() * 0.28).max(24.0));
    ui.vertical_centered(|ui| {
        let address = ctx.state.shell.settings.server.as_str();
        match &ctx.state.shell.link {
            Link::Opening | Link::Up => {
                ui.label(RichText::new(t!(ctx, "offline-opening")).font(fonts::semi_bold(20.0)));
                ui.label(RichText::new(address).font(fonts::mono(14.0)).color(tokens::TEXT_WEAK));
                ui.add_space(12.0);
                ui.spinner();
            }
            Link::Down { retry_at, detail, .. } => {
                ui.label(RichText::new(t!(ctx, "offline-title")).font(fonts::semi_bold(20.0)));
                ui.label(RichText::new(address).font(fonts::mono(14.0)).color(tokens::TEXT_WEAK));
                ui.add_space(10.0);
                ui.label(retry(ctx, *retry_at));
                ui.add_space(22.0);
                ui.label(RichText::new(t!(ctx, "offline-check")).font(fonts::medium(14.0)));
                for key in ["offline-check-server", "offline-check-network", "offline-check-address"] {
                    ui.label(RichText::new(format!("•  {}", t!(ctx, key))).color(tokens::TEXT_WEAK));
                }
                ui.add_space(16.0);
                ui.label(RichText::new(t!(ctx, "offline-recording")).color(tokens::TEXT_WEAK));
                ui.add_space(22.0);
                ui.label(RichText::new(t!(ctx, "technical-detail")).color(tokens::TEXT_WEAK).small());
                ui.label(RichText::new(detail).font(fonts::mono(12.0)).color(tokens::TEXT_WEAK));
                copy_button(ctx, ui, detail);
            }
        }
    });
}

/// A line above pictures that still come while the server does not answer.
pub fn line(ctx: &Ctx<'_>, ui: &mut Ui) {
    let Link::Down { retry_at, .. } = &ctx.state.shell.link else { return };
    ui.horizontal(|ui| {
        ui.label(RichText::new(t!(ctx, "status-lost")).font(fonts::medium(14.0)).color(tokens::ALARM));
        ui.label(retry(ctx, *retry_at));
    });
}

fn retry(ctx: &Ctx<'_>, at: Instant) -> String {
    let left = at.saturating_duration_since(ctx.now).as_secs_f32().ceil();
    if left < 1.0 { t!(ctx, "offline-trying") } else { t!(ctx, "offline-retry", seconds = left as usize) }
}
