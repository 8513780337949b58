//! Draws the table of cameras and what is known of the selected one.

use egui::{Align, Button, Color32, Label, Layout as Flow, Panel, RichText, Sense, Ui, vec2};
use egui_extras::{Column, TableBuilder, TableRow};
use minhbach_model::{CameraStatus, StreamKind};

use super::data::{self, Row};
use crate::command::{PlaybackCommand, ServerCommand, ShellCommand, WallCommand};
use crate::panels::tile::stream_key;
use crate::panels::tree::health_key;
use crate::panels::{Ctx, empty, fact, icons, search_field, technical};
use crate::state::cameras::Health;
use crate::state::shell::Page;
use crate::t;
use crate::text::{camera_state, failure, failure_advice, sound_advice, sound_state};
use crate::theme::{fonts, tokens};
use crate::when;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let cameras = &ctx.state.cameras;
    if let Some(status) = cameras.selected.and_then(|id| cameras.get(id)) {
        let frame = egui::Frame::new().fill(tokens::PANEL).corner_radius(8).inner_margin(16);
        let panel = Panel::right("camera_detail").resizable(false).exact_size(380.0).show_separator_line(false);
        panel.frame(frame).show(ui, |ui| {
            egui::ScrollArea::vertical().show(ui, |ui| detail(ctx, ui, status));
        });
    }
    ui.horizontal(|ui| {
        let query = search_field(ui, "camera_search", &cameras.table_query, t!(ctx, "cameras-search"), 280.0);
        if let Some(query) = query {
            ctx.send(ServerCommand::CameraQuery(query));
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            if ui.add(Button::new(t!(ctx, "cmd-add-camera")).min_size(vec2(120.0, 28.0))).clicked() {
                ctx.send(ServerCommand::AddCamera);
            }
        });
    });
    ui.add_space(10.0);
    let rows = data::rows(cameras, ctx.text);
    if rows.is_empty() {
        let (title, advice) = if cameras.list.is_empty() {
            ("cameras-empty", "cameras-empty-advice")
        } else {
            ("cameras-nothing-found", "cameras-nothing-found-advice")
        };
        empty(ui, &t!(ctx, title), &t!(ctx, advice));
        return;
    }
    table(ctx, ui, &rows);
}

fn table(ctx: &Ctx<'_>, ui: &mut Ui, rows: &[Row]) {
    let heads = [
        "cameras-name",
        "cameras-place",
        "cameras-state",
        "cameras-since",
        "cameras-video",
        "cameras-audio",
        "cameras-bit-rate",
        "cameras-frame-rate",
    ];
    TableBuilder::new(ui)
        .id_salt("cameras")
        .striped(true)
        .sense(Sense::click())
        .cell_layout(Flow::left_to_right(Align::Center))
        .column(Column::initial(220.0).clip(true).resizable(true))
        .column(Column::remainder().clip(true))
        .column(Column::initial(240.0).clip(true).resizable(true))
        .column(Column::exact(165.0))
        .column(Column::exact(165.0))
        .column(Column::exact(130.0))
        .column(Column::exact(105.0))
        .column(Column::exact(80.0))
        .header(28.0, |mut header| {
            for head in heads {
                header.col(|ui| {
                    ui.label(RichText::new(t!(ctx, head)).font(fonts::medium(13.0)).color(tokens::TEXT_WEAK));
                });
            }
        })
        .body(|body| {
            body.rows(32.0, rows.len(), |mut line| {
                let Some(row) = rows.get(line.index()) else { return };
                line.set_selected(ctx.state.cameras.selected == Some(row.id));
                draw(ctx, &mut line, row);
                let response = line.response();
                if response.double_clicked() {
                    ctx.send(ServerCommand::EditCamera(row.id));
                } else if response.clicked() {
                    ctx.send(ServerCommand::SelectCamera(row.id));
                }
            });
        });
}

fn draw(ctx: &Ctx<'_>, line: &mut TableRow<'_, '_>, row: &Row) {
    line.col(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
        icons::health(ui.painter(), rect.center(), row.health);
        ui.add(Label::new(RichText::new(&row.name).font(fonts::medium(13.5))).truncate().selectable(false));
    });
    cell(line, RichText::new(&row.place).color(tokens::TEXT_WEAK));
    cell(line, RichText::new(t!(ctx, health_key(row.health))).color(health_color(row.health)));
    cell(line, RichText::new(&row.since).font(fonts::mono(12.5)));
    for text in [&row.video, &row.audio, &row.bit_rate, &row.frame_rate] {
        cell(line, RichText::new(text));
    }
}

fn cell(line: &mut TableRow<'_, '_>, text: RichText) {
    line.col(|ui| {
        ui.add(Label::new(text).truncate().selectable(false));
    });
}

fn health_color(health: Health) -> Color32 {
    match health {
        Health::Recording => tokens::TEXT,
        Health::Soundless(_) | Health::Partly | Health::Connecting => tokens::ATTENTION,
        Health::Failed(_) | Health::NotRecorded(_) => tokens::ALARM,
        Health::Paused => tokens::TEXT_WEAK,
    }
}

fn detail(ctx: &Ctx<'_>, ui: &mut Ui, status: &CameraStatus) {
    let camera = &status.camera;
    ui.label(RichText::new(&camera.draft.name).font(fonts::semi_bold(16.0)));
    let place = ctx.state.cameras.place_line(camera.draft.contact_point);
    let place = place.unwrap_or_else(|| t!(ctx, "tree-unplaced"));
    ui.label(RichText::new(place).color(tokens::TEXT_WEAK));
    ui.add_space(10.0);
    for trouble in data::troubles(status) {
        let text = format!("{}: {}", t!(ctx, stream_key(trouble.stream)), t!(ctx, failure(trouble.kind)));
        ui.label(RichText::new(text).color(tokens::ALARM));
        if let Some(exactly) = &trouble.exactly {
            ui.label(exactly.show(ctx.text));
        }
        ui.label(t!(ctx, failure_advice(trouble.kind)));
        technical(ctx, ui, &trouble.detail);
        ui.add_space(8.0);
    }
    for stream in &status.streams {
        ui.label(RichText::new(t!(ctx, stream_key(stream.stream))).font(fonts::medium(14.0)));
        fact(ui, &t!(ctx, "cameras-state"), &t!(ctx, camera_state(stream.state)));
        fact(ui, &t!(ctx, "cameras-since"), &when::date_time(stream.since));
        if let Some(retry) = stream.retry_at {
            fact(ui, &t!(ctx, "cameras-retry"), &when::clock(retry));
        }
        for (key, value) in [("cameras-video", &stream.video), ("cameras-audio", &stream.audio)] {
            if !value.is_empty() {
                fact(ui, &t!(ctx, key), value);
            }
        }
        if stream.stream == StreamKind::Main && stream.sound.state.is_lacking() {
            ui.label(RichText::new(t!(ctx, sound_state(stream.sound.state))).color(tokens::ATTENTION));
            ui.label(t!(ctx, sound_advice(stream.sound.state)));
            technical(ctx, ui, &stream.sound.detail);
        }
        fact(ui, &t!(ctx, "cameras-lost"), &stream.lost_packets.to_string());
        fact(ui, &t!(ctx, "cameras-runs"), &stream.runs.to_string());
        ui.add_space(6.0);
    }
    ui.add_space(8.0);
    actions(ctx, ui, status);
}

fn actions(ctx: &Ctx<'_>, ui: &mut Ui, status: &CameraStatus) {
    let id = status.camera.id;
    ui.horizontal_wrapped(|ui| {
        if ui.button(t!(ctx, "menu-show")).clicked() {
            ctx.send(ShellCommand::Page(Page::Live));
            ctx.send(WallCommand::Show(id));
        }
        if ui.button(t!(ctx, "menu-play-back")).clicked() {
            ctx.send(PlaybackCommand::Open(vec![id], ctx.wall_now.offset_ns(-60_000_000_000)));
        }
        if ui.button(t!(ctx, "cameras-edit")).clicked() {
            ctx.send(ServerCommand::EditCamera(id));
        }
        let paused = status.camera.paused;
        let key = if paused { "cameras-resume" } else { "cameras-pause" };
        if ui.button(t!(ctx, key)).clicked() {
            if paused {
                ctx.send(ServerCommand::Pause(id, false));
            } else {
                ctx.send(ServerCommand::AskPause(Some(id)));
            }
        }
        if ui.button(RichText::new(t!(ctx, "cameras-remove")).color(tokens::ALARM)).clicked() {
            ctx.send(ServerCommand::AskRemove(Some(id)));
        }
    });
}
