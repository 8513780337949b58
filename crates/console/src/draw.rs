//! Draws one frame: header, page, status bar, dialogs. Panels send commands; they are applied before the next frame.

use std::cell::RefCell;
use std::time::Instant;

use egui::{CentralPanel, Frame, Margin, Panel, Ui};

use crate::app::App;
use crate::panels::{self, Ctx};
use crate::state::shell::{Dialog, Page};
use crate::theme::tokens;

/// Width of the tree, points.
const TREE_WIDTH: f32 = 270.0;

/// Draws a frame.
pub fn run(app: &mut App, ui: &mut Ui) {
    let out = RefCell::new(std::mem::take(&mut app.commands));
    let sound = app.sound.handle();
    let ctx = Ctx {
        state: &app.state,
        text: &app.text,
        players: &app.players,
        stills: &app.stills,
        backend: &app.backend,
        sound: &sound,
        now: Instant::now(),
        wall_now: app.state.wall_now(),
        out: &out,
    };
    frame(&ctx, ui);
    app.commands = out.into_inner();
}

fn frame(ctx: &Ctx<'_>, ui: &mut Ui) {
    let shell = &ctx.state.shell;
    // At the start the wall is shown before the server has answered when there is something to see on it.
    let early = shell.is_opening() && shell.page == Page::Live && ctx.stills.may_show();
    let lost = shell.is_lost(ctx.now) && !early;
    let wall_only = shell.fullscreen && shell.page.has_wall() && !lost;
    if !wall_only {
        bar(Panel::top("header").exact_size(tokens::HEADER_HEIGHT)).show(ui, |ui| panels::header::ui(ctx, ui));
        bar(Panel::bottom("status").exact_size(tokens::STATUS_HEIGHT)).show(ui, |ui| panels::status_bar::ui(ctx, ui));
    }
    if shell.is_shaky(ctx.now) {
        let frame = Frame::new().fill(tokens::RAISED).inner_margin(Margin::symmetric(12, 6));
        Panel::top("shaky").resizable(false).frame(frame).show(ui, |ui| panels::offline::line(ctx, ui));
    }
    if lost {
        CentralPanel::default().frame(Frame::new().fill(tokens::GROUND)).show(ui, |ui| panels::offline::ui(ctx, ui));
    } else {
        page(ctx, ui, wall_only);
    }
    if shell.dialog != Dialog::None || ctx.state.exports.dialog.is_some() || ctx.state.cameras.form.is_some() {
        dialogs(ctx, ui);
    }
    panels::holds::ui(ctx, ui);
    panels::cameras::remove_dialog(ctx, ui);
    panels::cameras::pause_dialog(ctx, ui);
    panels::toasts::ui(ctx, ui);
}

fn bar(panel: Panel) -> Panel {
    let frame = Frame::new().fill(tokens::PANEL).inner_margin(Margin::symmetric(12, 0));
    panel.resizable(false).show_separator_line(true).frame(frame)
}

fn page(ctx: &Ctx<'_>, ui: &mut Ui, wall_only: bool) {
    let shell = &ctx.state.shell;
    if shell.page.has_wall() && !wall_only && !shell.tree_hidden {
        let frame = Frame::new().fill(tokens::PANEL).inner_margin(Margin::symmetric(8, 8));
        Panel::left("tree")
            .resizable(true)
            .default_size(TREE_WIDTH)
            .size_range(200.0..=480.0)
            .frame(frame)
            .show(ui, |ui| panels::tree::ui(ctx, ui));
    }
    let ground = Frame::new().fill(tokens::GROUND).inner_margin(Margin::same(16));
    let surround = Frame::new().fill(tokens::SURROUND);
    match shell.page {
        Page::Live => {
            CentralPanel::default().frame(surround).show(ui, |ui| panels::wall::ui(ctx, ui));
        }
        Page::Playback => {
            let frame = Frame::new().fill(tokens::PANEL).inner_margin(Margin::symmetric(12, 8));
            Panel::bottom("timeline").resizable(true).default_size(220.0).size_range(130.0..=480.0).frame(frame).show(
                ui,
                |ui| {
                    panels::playback_bar::ui(ctx, ui);
                    panels::export::progress(ctx, ui);
                    panels::timeline::ui(ctx, ui);
                },
            );
            CentralPanel::default().frame(surround).show(ui, |ui| panels::wall::ui(ctx, ui));
        }
        Page::Incidents => {
            CentralPanel::default().frame(ground).show(ui, |ui| panels::incidents::ui(ctx, ui));
        }
        Page::Cameras => {
            CentralPanel::default().frame(ground).show(ui, |ui| panels::cameras::ui(ctx, ui));
        }
    }
}

fn dialogs(ctx: &Ctx<'_>, ui: &mut Ui) {
    if let Some(form) = &ctx.state.cameras.form {
        panels::cameras::form_dialog(ctx, ui, form);
    }
    if let Some(dialog) = &ctx.state.exports.dialog {
        panels::export::ui(ctx, ui, dialog);
    }
    match &ctx.state.shell.dialog {
        Dialog::None => {}
        Dialog::Help(rebinding) => panels::help::ui(ctx, ui, rebinding),
        Dialog::Palette { query, selected } => panels::palette::ui(ctx, ui, query, *selected),
        Dialog::GoTo { text } => panels::goto::ui(ctx, ui, text),
        Dialog::Settings => panels::settings::ui(ctx, ui),
    }
}
