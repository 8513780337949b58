//! The form of a camera with its test, and the question before one is removed.

use egui::{Align, Button, ComboBox, Grid, Image, Layout as Flow, RichText, TextEdit, Ui, vec2};

use minhbach_model::StreamKind;

use super::data::frame_rate;
use crate::command::ServerCommand;
use crate::panels::tile::stream_key;
use crate::panels::{Ctx, dialog, technical};
use crate::state::cameras::{Form, FormProblem, NewPlace, Test, TestRow};
use crate::t;
use crate::text::{exactly, failure, failure_advice, sound_advice, sound_state};
use crate::theme::{fonts, tokens};
use crate::typing::as_typed;

/// What is typed into a field of the form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Words of a language.
    Words,
    /// What a machine reads.
    Code,
    /// The same, and nobody else may.
    Secret,
}

/// Draws the form.
pub fn form_dialog(ctx: &Ctx<'_>, ui: &Ui, form: &Form) {
    let title = t!(ctx, if form.id.is_some() { "form-title-edit" } else { "form-title-add" });
    let mut changed = form.clone();
    let close = dialog(ui, "camera_form", &title, 880.0, |ui| {
        ui.columns(2, |columns| {
            fields(ctx, &mut columns[0], &mut changed);
            test(ctx, &mut columns[1]);
        });
        // What was typed goes first, so that a button sees it.
        if changed != *form {
            ctx.send(ServerCommand::Form(Box::new(changed.clone())));
        }
        ui.add_space(12.0);
        buttons(ctx, ui, &changed);
    });
    // Neither Escape nor a click beside the form throws away what was typed: then only its buttons close it.
    if close && *form == pristine(ctx, form) {
        ctx.send(ServerCommand::CloseForm);
    }
}

/// The form as it was opened.
fn pristine(ctx: &Ctx<'_>, form: &Form) -> Form {
    form.id.and_then(|id| ctx.state.cameras.get(id)).map(Form::of).unwrap_or_default()
}

fn fields(ctx: &Ctx<'_>, ui: &mut Ui, form: &mut Form) {
    Grid::new("camera_form_grid").num_columns(2).spacing([12.0, 10.0]).show(ui, |ui| {
        let line = |ui: &mut Ui, key: &str, value: &mut String, hint: &str, holds: Holds| {
            let name = t!(ctx, key);
            ui.label(&name);
            let field = TextEdit::singleline(value)
                .desired_width(280.0)
                .hint_text(hint.to_owned())
                .password(holds == Holds::Secret)
                .char_limit(500);
            let response = ui.add(field).accessible_name(name);
            if holds != Holds::Words {
                as_typed(&response);
            }
            ui.end_row();
        };
        let kept = if form.id.is_some() { t!(ctx, "form-password-kept") } else { String::new() };
        line(ui, "form-name", &mut form.name, "", Holds::Words);
        line(ui, "form-main", &mut form.main_url, "rtsp://192.168.1.20:554/main", Holds::Code);
        line(ui, "form-sub", &mut form.sub_url, "rtsp://192.168.1.20:554/sub", Holds::Code);
        line(ui, "form-username", &mut form.username, "", Holds::Code);
        line(ui, "form-password", &mut form.password, &kept, Holds::Secret);
        ui.label(t!(ctx, "form-place"));
        place(ctx, ui, form);
        ui.end_row();
        if let Some(new) = &mut form.new_place {
            line(ui, "form-agency", &mut new.agency, "", Holds::Words);
            line(ui, "form-site", &mut new.site, "", Holds::Words);
            line(ui, "form-contact-point", &mut new.contact_point, "", Holds::Words);
        }
    });
    ui.add_space(6.0);
    ui.label(RichText::new(t!(ctx, "form-hint")).color(tokens::TEXT_WEAK).small());
}

fn place(ctx: &Ctx<'_>, ui: &mut Ui, form: &mut Form) {
    let cameras = &ctx.state.cameras;
    let shown = match (&form.new_place, form.contact_point) {
        (Some(_), _) => t!(ctx, "form-place-new"),
        (None, point) => cameras.place_line(point).unwrap_or_else(|| t!(ctx, "tree-unplaced")),
    };
    ComboBox::from_id_salt("place").width(280.0).truncate().selected_text(shown).show_ui(ui, |ui| {
        if ui
            .selectable_label(form.new_place.is_none() && form.contact_point.is_none(), t!(ctx, "tree-unplaced"))
            .clicked()
        {
            form.contact_point = None;
            form.new_place = None;
        }
        for point in &cameras.places.contact_points {
            let name = cameras.place_line(Some(point.id)).unwrap_or_else(|| point.name.clone());
            let chosen = form.new_place.is_none() && form.contact_point == Some(point.id);
            if ui.selectable_label(chosen, name).clicked() {
                form.contact_point = Some(point.id);
                form.new_place = None;
            }
        }
        if ui.selectable_label(form.new_place.is_some(), t!(ctx, "form-place-new")).clicked() {
            form.new_place = Some(NewPlace::default());
        }
    });
}

fn problem_key(problem: FormProblem) -> &'static str {
    match problem {
        FormProblem::Name => "form-problem-name",
        FormProblem::MainUrl => "form-problem-main",
        FormProblem::SubUrl => "form-problem-sub",
        FormProblem::Credentials => "form-problem-credentials",
        FormProblem::Place => "form-problem-place",
    }
}

fn buttons(ctx: &Ctx<'_>, ui: &mut Ui, form: &Form) {
    let problem = form.draft().err();
    ui.horizontal(|ui| {
        if let Some(problem) = problem
            && *form != pristine(ctx, form)
        {
            ui.label(RichText::new(t!(ctx, problem_key(problem))).color(tokens::ATTENTION));
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let saving = ctx.state.cameras.saving;
            let save =
                Button::new(t!(ctx, if saving { "form-saving" } else { "action-save" })).min_size(vec2(96.0, 30.0));
            if ui.add_enabled(problem.is_none() && !saving, save).clicked() {
                ctx.send(ServerCommand::SaveForm);
            }
            if ui.add(Button::new(t!(ctx, "action-cancel")).min_size(vec2(80.0, 30.0))).clicked() {
                ctx.send(ServerCommand::CloseForm);
            }
            let running = matches!(ctx.state.cameras.test, Test::Running(_));
            let test = Button::new(t!(ctx, "form-test")).min_size(vec2(120.0, 30.0));
            if ui.add_enabled(problem.is_none() && !running, test).clicked() {
                ctx.send(ServerCommand::TestForm);
            }
        });
    });
}

fn test(ctx: &Ctx<'_>, ui: &mut Ui) {
    match &ctx.state.cameras.test {
        Test::None => {
            ui.label(RichText::new(t!(ctx, "form-test-hint")).color(tokens::TEXT_WEAK));
        }
        Test::Running(since) => {
            ui.horizontal(|ui| {
                ui.spinner();
                let seconds = ctx.now.saturating_duration_since(*since).as_secs();
                ui.label(t!(ctx, "form-testing", seconds = seconds.to_string()));
            });
        }
        Test::Done { rows, still } => {
            if let Some(still) = still {
                let image = Image::from_texture(still).max_width(ui.available_width()).corner_radius(4);
                ui.add(image.alt_text(t!(ctx, "form-still")));
            }
            for row in rows {
                result(ctx, ui, row);
            }
        }
    }
}

fn result(ctx: &Ctx<'_>, ui: &mut Ui, row: &TestRow) {
    ui.add_space(4.0);
    ui.label(RichText::new(t!(ctx, stream_key(row.stream))).font(fonts::medium(14.0)));
    if let Some(kind) = row.failure {
        ui.label(RichText::new(t!(ctx, failure(kind))).color(tokens::ALARM));
        if let Some(exactly) = exactly(kind, &row.params) {
            ui.label(exactly.show(ctx.text));
        }
        ui.label(t!(ctx, failure_advice(kind)));
        technical(ctx, ui, &row.message);
        return;
    }
    let lacking = row.sound.state.is_lacking();
    let audio = if lacking || row.audio.is_empty() { t!(ctx, "form-no-sound") } else { row.audio.clone() };
    ui.label(RichText::new(format!("{} · {audio}", row.video)).color(tokens::GOOD));
    if lacking && row.stream == StreamKind::Main {
        ui.label(RichText::new(t!(ctx, sound_state(row.sound.state))).color(tokens::ATTENTION));
        ui.label(t!(ctx, sound_advice(row.sound.state)));
        technical(ctx, ui, &row.sound.detail);
    }
    let figures = t!(
        ctx,
        "form-figures",
        bitrate = ctx.text.bit_rate(row.bit_rate_bps),
        fps = frame_rate(row.frame_rate_milli, ctx.text),
        first = row.first_picture_ms.to_string(),
    );
    ui.label(figures);
}

/// Asks before the recording of a camera is paused.
pub fn pause_dialog(ctx: &Ctx<'_>, ui: &Ui) {
    let Some(id) = ctx.state.cameras.pausing else { return };
    let name = ctx.state.camera_name(id, ctx.text);
    let close = dialog(ui, "camera_pause", &t!(ctx, "pause-title", camera = name), 460.0, |ui| {
        ui.label(t!(ctx, "pause-text"));
        ui.add_space(12.0);
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            if ui.button(RichText::new(t!(ctx, "cameras-pause")).color(tokens::ALARM)).clicked() {
                ctx.send(ServerCommand::Pause(id, true));
            }
            if ui.button(t!(ctx, "action-cancel")).clicked() {
                ctx.send(ServerCommand::AskPause(None));
            }
        });
    });
    if close {
        ctx.send(ServerCommand::AskPause(None));
    }
}

/// Asks before a camera is removed.
pub fn remove_dialog(ctx: &Ctx<'_>, ui: &Ui) {
    let Some(id) = ctx.state.cameras.removing else { return };
    let name = ctx.state.camera_name(id, ctx.text);
    let close = dialog(ui, "camera_remove", &t!(ctx, "remove-title", camera = name), 460.0, |ui| {
        ui.label(t!(ctx, "remove-text"));
        ui.add_space(12.0);
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let remove = RichText::new(t!(ctx, "cameras-remove")).color(tokens::ALARM);
            if ui.button(remove).clicked() {
                ctx.send(ServerCommand::Remove(id));
            }
            if ui.button(t!(ctx, "action-cancel")).clicked() {
                ctx.send(ServerCommand::AskRemove(None));
            }
        });
    });
    if close {
        ctx.send(ServerCommand::AskRemove(None));
    }
}
