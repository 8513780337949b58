//! Draws the dialogs about holds.

use egui::{Align, Button, Frame, Layout as Flow, Margin, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};

use super::data::{self, Row};
use crate::command::HoldCommand;
use crate::panels::icons::{self, Icon};
use crate::panels::{Ctx, dialog, fact};
use crate::state::holds::{Dialog, Ending, Form, REASON_MAX_CHARS, Until};
use crate::state::shell::Page;
use crate::t;
use crate::theme::{fonts, tokens};
use crate::typing::as_typed;
use crate::when;

/// Draws the one that is open.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui) {
    match &ctx.state.holds.dialog {
        None => {}
        Some(Dialog::Place(form)) => place(ctx, ui, form),
        Some(Dialog::List) => list(ctx, ui),
        Some(Dialog::Release(ending)) => release(ctx, ui, ending),
    }
}

fn place(ctx: &Ctx<'_>, ui: &Ui, form: &Form) {
    let mut changed = form.clone();
    let close = dialog(ui, "hold", &t!(ctx, "hold-title"), 560.0, |ui| {
        ui.label(RichText::new(t!(ctx, "hold-text")).color(tokens::TEXT_WEAK));
        ui.add_space(8.0);
        fact(ui, &t!(ctx, "export-range"), &data::range(&changed.range));
        let marked = ctx.state.playback.marked().filter(|_| ctx.state.shell.page == Page::Playback);
        if let Some(marked) = marked.filter(|marked| *marked != changed.range)
            && ui.button(t!(ctx, "export-use-marks")).clicked()
        {
            changed.range = marked;
        }
        fact(ui, &t!(ctx, "hold-owner"), &ctx.state.workstation());
        ui.add_space(8.0);
        cameras(ctx, ui, &mut changed);
        ui.add_space(8.0);
        fields(ctx, ui, &mut changed);
        // What was typed goes first, so that a button sees it.
        if changed != *form {
            ctx.send(HoldCommand::Form(Box::new(changed.clone())));
        }
        ui.add_space(12.0);
        let ready = changed.draft(ctx.state.workstation(), ctx.wall_now).is_some();
        let place = ready.then_some(HoldCommand::Place);
        buttons(ctx, ui, t!(ctx, "hold-place"), place, form.sending);
    });
    // Neither Escape nor a click beside the form throws away what was typed: then only its buttons close it.
    if close && !form.is_typed() {
        ctx.send(HoldCommand::Close);
    }
}

fn cameras(ctx: &Ctx<'_>, ui: &mut Ui, form: &mut Form) {
    ScrollArea::vertical().max_height(160.0).show(ui, |ui| {
        for camera in form.offered.clone() {
            let mut chosen = form.cameras.contains(&camera);
            if ui.checkbox(&mut chosen, ctx.state.camera_name(camera, ctx.text)).changed() {
                if chosen {
                    form.cameras.insert(camera);
                } else {
                    form.cameras.remove(&camera);
                }
            }
        }
    });
}

fn fields(ctx: &Ctx<'_>, ui: &mut Ui, form: &mut Form) {
    ui.label(RichText::new(t!(ctx, "hold-reason")).color(tokens::TEXT_WEAK));
    let reason = TextEdit::multiline(&mut form.reason).desired_rows(3).desired_width(f32::INFINITY);
    ui.add(reason.char_limit(REASON_MAX_CHARS)).accessible_name(t!(ctx, "hold-reason"));
    ui.label(RichText::new(t!(ctx, "hold-case")).color(tokens::TEXT_WEAK));
    let case = TextEdit::singleline(&mut form.case_code).desired_width(260.0).char_limit(200);
    let case = ui.add(case.hint_text(t!(ctx, "hold-case-hint"))).accessible_name(t!(ctx, "hold-case"));
    as_typed(&case);
    ui.label(RichText::new(t!(ctx, "hold-until")).color(tokens::TEXT_WEAK));
    ui.horizontal(|ui| {
        let until = TextEdit::singleline(&mut form.until).desired_width(180.0).hint_text("31/12/2026");
        let until = ui.add(until).accessible_name(t!(ctx, "hold-until"));
        as_typed(&until);
        let (words, color) = match form.until(ctx.wall_now) {
            Until::Never => (t!(ctx, "hold-until-never"), tokens::TEXT_WEAK),
            Until::At(at) => (t!(ctx, "hold-until-at", time = when::date_time(at)), tokens::TEXT),
            Until::Past(at) => (t!(ctx, "hold-until-past", time = when::date_time(at)), tokens::ATTENTION),
            Until::Unknown => (t!(ctx, "hold-until-unknown"), tokens::ATTENTION),
        };
        ui.label(RichText::new(words).color(color));
    });
}

/// The button of that name, which can be pressed when there is a command and none is on its way, and the way out.
fn buttons(ctx: &Ctx<'_>, ui: &mut Ui, name: String, command: Option<HoldCommand>, sending: bool) {
    let command = command.filter(|_| !sending);
    ui.horizontal(|ui| {
        if sending {
            ui.label(RichText::new(t!(ctx, "hold-sending")).color(tokens::TEXT_WEAK));
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let pressed = ui.add_enabled(command.is_some(), Button::new(name)).clicked();
            if let Some(command) = command.filter(|_| pressed) {
                ctx.send(command);
            }
            if ui.button(t!(ctx, "action-cancel")).clicked() {
                ctx.send(HoldCommand::Close);
            }
        });
    });
}

fn list(ctx: &Ctx<'_>, ui: &Ui) {
    let rows = data::rows(ctx.state, ctx.text, ctx.wall_now);
    let close = dialog(ui, "holds", &t!(ctx, "holds-title"), 760.0, |ui| {
        if rows.is_empty() {
            nothing(ctx, ui);
        }
        ScrollArea::vertical().max_height(480.0).show(ui, |ui| {
            for row in &rows {
                one(ctx, ui, row);
                ui.add_space(6.0);
            }
        });
        ui.add_space(8.0);
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            if ui.button(t!(ctx, "action-close")).clicked() {
                ctx.send(HoldCommand::Close);
            }
        });
    });
    if close {
        ctx.send(HoldCommand::Close);
    }
}

/// What an empty list means and what to do.
fn nothing(ctx: &Ctx<'_>, ui: &mut Ui) {
    let (title, advice) = if ctx.state.holds.loaded {
        ("holds-empty", "holds-empty-advice")
    } else {
        ("incidents-loading", "incidents-loading-advice")
    };
    ui.add_space(24.0);
    ui.vertical_centered(|ui| {
        ui.label(RichText::new(t!(ctx, title)).font(fonts::semi_bold(17.0)));
        ui.label(RichText::new(t!(ctx, advice, hold = ctx.keys("cmd-hold"))).color(tokens::TEXT_WEAK));
    });
    ui.add_space(24.0);
}

fn one(ctx: &Ctx<'_>, ui: &mut Ui, row: &Row) {
    let color = if row.standing { tokens::ACCENT } else { tokens::TEXT_WEAK };
    Frame::new().fill(tokens::PANEL).corner_radius(6).inner_margin(Margin::same(10)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            if row.standing {
                let (rect, _) = ui.allocate_exact_size(vec2(12.0, 14.0), Sense::hover());
                icons::paint(ui.painter(), rect, Icon::Lock, color);
            }
            ui.label(RichText::new(&row.state).font(fonts::medium(13.5)).color(color));
            ui.label(RichText::new(&row.range).font(fonts::mono(12.5)));
            ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
                if row.standing && ui.button(t!(ctx, "hold-release")).clicked() {
                    ctx.send(HoldCommand::AskRelease(row.id));
                }
                if ui.button(t!(ctx, "hold-play")).clicked() {
                    ctx.send(HoldCommand::Play(row.id));
                }
            });
        });
        ui.label(&row.reason);
        fact(ui, &t!(ctx, "incident-cameras"), &row.cameras);
        if !row.case_code.is_empty() {
            fact(ui, &t!(ctx, "hold-case"), &row.case_code);
        }
        fact(ui, &t!(ctx, "hold-owner"), &row.placed);
        fact(ui, &t!(ctx, "hold-until"), &row.until);
        if !row.ended.is_empty() {
            ui.label(RichText::new(&row.ended).color(tokens::TEXT_WEAK));
        }
    });
}

fn release(ctx: &Ctx<'_>, ui: &Ui, ending: &Ending) {
    let mut reason = ending.reason.clone();
    let close = dialog(ui, "hold_release", &t!(ctx, "hold-release-title"), 520.0, |ui| {
        if let Some(hold) = ctx.state.holds.get(ending.hold) {
            let name = |camera| ctx.state.camera_name(camera, ctx.text);
            let row = data::row(hold, ctx.text, ctx.wall_now, name);
            fact(ui, &t!(ctx, "export-range"), &row.range);
            fact(ui, &t!(ctx, "incident-cameras"), &row.cameras);
            fact(ui, &t!(ctx, "hold-reason"), &row.reason);
            ui.add_space(8.0);
        }
        ui.label(t!(ctx, "hold-release-text"));
        ui.add_space(8.0);
        ui.label(RichText::new(t!(ctx, "hold-release-reason")).color(tokens::TEXT_WEAK));
        let field = TextEdit::multiline(&mut reason).desired_rows(2).desired_width(f32::INFINITY);
        let field = ui.add(field.char_limit(REASON_MAX_CHARS)).accessible_name(t!(ctx, "hold-release-reason"));
        if field.changed() {
            ctx.send(HoldCommand::Reason(reason.clone()));
        }
        ui.add_space(12.0);
        let release = (!reason.trim().is_empty()).then_some(HoldCommand::Release);
        buttons(ctx, ui, t!(ctx, "hold-release-confirm"), release, ending.sending);
    });
    if close && ending.reason.is_empty() {
        ctx.send(HoldCommand::Close);
    }
}
