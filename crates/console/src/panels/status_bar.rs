//! Status bar: the server, the archive, the cameras, the disk, exports, sound, the clock.

use egui::{Align, Color32, Layout as Flow, RichText, Ui};

use super::{Ctx, storage};
use crate::state::cameras::{Health, health};
use crate::state::shell::Link;
use crate::t;
use crate::theme::{fonts, tokens};
use crate::typing::Typing;
use crate::video::sound::SoundState;
use crate::when;

/// Below this part of the disk, attention is asked for.
const LITTLE_DISK: f64 = 0.1;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        let (text, color) = match &ctx.state.shell.link {
            Link::Up => (t!(ctx, "status-connected"), tokens::TEXT_WEAK),
            Link::Opening => (t!(ctx, "status-connecting"), tokens::ATTENTION),
            Link::Down { .. } => (t!(ctx, "status-lost"), tokens::ALARM),
        };
        small(ui, text, color);
        storage::ui(ctx, ui);
        let mut item = |text: String, color: Color32| small(ui, text, color);
        cameras(ctx, &mut item);
        disk(ctx, &mut item);
        exports(ctx, &mut item);
        sound(ctx, &mut item);
        typing(ctx, &mut item);
        if !ctx.backend.is_gpu() || ctx.backend.is_software_rasteriser() {
            item(t!(ctx, "status-no-gpu"), tokens::ATTENTION);
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let text = RichText::new(when::date_time(ctx.wall_now)).font(fonts::mono(12.0)).color(tokens::TEXT);
            ui.label(text);
        });
    });
}

fn small(ui: &mut Ui, text: String, color: Color32) {
    ui.label(RichText::new(text).font(fonts::regular(12.0)).color(color));
}

fn cameras(ctx: &Ctx<'_>, item: &mut impl FnMut(String, Color32)) {
    let list = &ctx.state.cameras.list;
    let count = |wanted: fn(&Health) -> bool| list.iter().map(health).filter(wanted).count();
    let recording = count(|health| matches!(health, Health::Recording | Health::Soundless(_) | Health::Partly));
    let failed = count(|health| matches!(health, Health::Failed(_) | Health::NotRecorded(_)));
    item(t!(ctx, "status-recording", count = recording, all = list.len()), tokens::TEXT_WEAK);
    if failed > 0 {
        item(t!(ctx, "status-failed", count = failed), tokens::ALARM);
    }
}

fn disk(ctx: &Ctx<'_>, item: &mut impl FnMut(String, Color32)) {
    let Some(server) = &ctx.state.server else { return };
    let store = &server.store;
    if !store.problem.is_empty() {
        item(t!(ctx, "status-store-problem"), tokens::ALARM);
    }
    if store.total_bytes > 0 {
        let little = (store.free_bytes as f64) < LITTLE_DISK * store.total_bytes as f64;
        let color = if little { tokens::ATTENTION } else { tokens::TEXT_WEAK };
        item(t!(ctx, "status-disk", free = ctx.text.bytes(store.free_bytes)), color);
    }
}

fn exports(ctx: &Ctx<'_>, item: &mut impl FnMut(String, Color32)) {
    let running: Vec<_> = ctx.state.exports.jobs.iter().filter(|job| !job.is_over()).collect();
    let (written, total) =
        running.iter().map(|job| job.bytes()).fold((0, 0), |sum, job| (sum.0 + job.0, sum.1 + job.1));
    if !running.is_empty() {
        let percent = written.saturating_mul(100).checked_div(total).unwrap_or(0);
        item(t!(ctx, "status-export", percent = percent.to_string()), tokens::ACCENT);
    }
}

/// Who types must see why letters change.
fn typing(ctx: &Ctx<'_>, item: &mut impl FnMut(String, Color32)) {
    let typing = ctx.state.shell.settings.typing;
    if typing != Typing::Off {
        item(t!(ctx, "status-typing", method = t!(ctx, typing.key())), tokens::ACCENT);
    }
}

fn sound(ctx: &Ctx<'_>, item: &mut impl FnMut(String, Color32)) {
    match ctx.sound.state() {
        SoundState::Starting | SoundState::Playing { .. } => {}
        SoundState::NoDevice => item(t!(ctx, "status-no-sound"), tokens::TEXT_WEAK),
        SoundState::Failed(_) => item(t!(ctx, "status-sound-failed"), tokens::ATTENTION),
    }
}
