//! Draws the incidents page.

use egui::{
    Align, Button, Color32, ComboBox, Id, Label, Layout as Flow, Panel, RichText, ScrollArea, Sense, TextEdit, Ui, vec2,
};
use egui_extras::{Column, TableBuilder};
use minhbach_model::{Incident, IncidentId, IncidentState};

use super::data::{self, Row};
use crate::command::{HoldCommand, PlaybackCommand, ServerCommand, ShellCommand};
use crate::panels::icons::{self, Icon};
use crate::panels::tile::{self, Tile};
use crate::panels::{Ctx, empty, fact, search_field};
use crate::state::incidents::Edit;
use crate::t;
use crate::text::{INCIDENT_CATEGORIES, INCIDENT_STATES, incident_category, incident_state};
use crate::theme::{fonts, tokens};
use crate::when;

/// Part of the page that is beside the list: room for a picture, and for the list as well in a small window.
const DETAIL_PART: f32 = 0.36;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let rows = data::rows(ctx.state, ctx.text);
    if let Some(edit) = &ctx.state.incidents.edit
        && let Some(incident) = ctx.state.incidents.get(edit.id)
    {
        let frame = egui::Frame::new().fill(tokens::PANEL).corner_radius(8).inner_margin(16);
        let width = (ui.available_width() * DETAIL_PART).clamp(360.0, 480.0);
        Panel::right("incident_detail")
            .resizable(false)
            .exact_size(width)
            .show_separator_line(false)
            .frame(frame)
            .show(ui, |ui| {
                ScrollArea::vertical().show(ui, |ui| {
                    watch(ctx, ui);
                    detail(ctx, ui, incident, edit);
                });
            });
    }
    toolbar(ctx, ui, &rows);
    ui.add_space(10.0);
    if rows.is_empty() {
        let (title, advice) = if !ctx.state.incidents.loaded {
            ("incidents-loading", "incidents-loading-advice")
        } else if ctx.state.incidents.list.is_empty() {
            ("incidents-empty", "incidents-empty-advice")
        } else {
            ("incidents-nothing-found", "incidents-nothing-found-advice")
        };
        empty(ui, &t!(ctx, title), &t!(ctx, advice, flag = ctx.keys("cmd-flag")));
        return;
    }
    table(ctx, ui, &rows);
}

fn toolbar(ctx: &Ctx<'_>, ui: &mut Ui, rows: &[(&Incident, Row)]) {
    ui.horizontal(|ui| {
        let query = &ctx.state.incidents.query;
        if let Some(query) = search_field(ui, "incident_search", query, t!(ctx, "incidents-search"), 280.0) {
            ctx.send(ServerCommand::IncidentQuery(query));
        }
        ui.add_space(8.0);
        let filter = ctx.state.incidents.filter;
        if ui.add(Button::selectable(filter.is_none(), t!(ctx, "incidents-all"))).clicked() {
            ctx.send(ServerCommand::IncidentFilter(None));
        }
        for state in INCIDENT_STATES {
            let count = ctx.state.incidents.list.iter().filter(|incident| incident.state == state).count();
            let text = format!("{} ({count})", t!(ctx, incident_state(state)));
            if ui.add(Button::selectable(filter == Some(state), text)).clicked() {
                ctx.send(ServerCommand::IncidentFilter(Some(state)));
            }
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            if ui.add_enabled(!rows.is_empty(), Button::new(t!(ctx, "incidents-csv"))).clicked() {
                ctx.send(ServerCommand::IncidentCsv(data::csv(rows, &heads(ctx))));
            }
            if ctx.tip(ui.button(t!(ctx, "cmd-holds")), "cmd-holds").clicked() {
                ctx.send(HoldCommand::List);
            }
        });
    });
}

fn heads(ctx: &Ctx<'_>) -> [String; 7] {
    [
        t!(ctx, "incident-created"),
        t!(ctx, "incident-range"),
        t!(ctx, "incident-state"),
        t!(ctx, "incident-category"),
        t!(ctx, "incident-cameras"),
        t!(ctx, "incident-note"),
        t!(ctx, "incident-author"),
    ]
}

fn table(ctx: &Ctx<'_>, ui: &mut Ui, rows: &[(&Incident, Row)]) {
    let selected = ctx.state.incidents.edit.as_ref().map(|edit| edit.id);
    let scroll = newly_selected(ui, selected).and_then(|id| rows.iter().position(|(incident, _)| incident.id == id));
    let mut builder = TableBuilder::new(ui);
    if let Some(row) = scroll {
        builder = builder.scroll_to_row(row, None);
    }
    builder
        .id_salt("incidents")
        .striped(true)
        .sense(Sense::click())
        .cell_layout(Flow::left_to_right(Align::Center))
        .column(Column::exact(165.0))
        .column(Column::exact(160.0))
        .column(Column::exact(110.0))
        .column(Column::initial(190.0).clip(true).resizable(true))
        .column(Column::initial(220.0).clip(true).resizable(true))
        .column(Column::remainder().clip(true))
        .column(Column::exact(130.0))
        .header(28.0, |mut header| {
            for head in heads(ctx) {
                header.col(|ui| {
                    ui.label(RichText::new(head).font(fonts::medium(13.0)).color(tokens::TEXT_WEAK));
                });
            }
        })
        .body(|body| {
            body.rows(30.0, rows.len(), |mut line| {
                let Some((incident, row)) = rows.get(line.index()) else { return };
                line.set_selected(selected == Some(incident.id));
                let color = state_color(incident.state);
                cell(&mut line, RichText::new(&row.created).font(fonts::mono(12.5)));
                cell(&mut line, RichText::new(&row.range).font(fonts::mono(12.5)));
                cell(&mut line, RichText::new(&row.state).color(color));
                for text in [&row.category, &row.cameras, &row.note, &row.author] {
                    cell(&mut line, RichText::new(text));
                }
                let response = line.response();
                if response.double_clicked() {
                    ctx.send(ServerCommand::OpenIncident(incident.id, true));
                } else if response.clicked() {
                    ctx.send(ServerCommand::OpenIncident(incident.id, false));
                }
                response.on_hover_text(t!(ctx, "incidents-row-hint"));
            });
        });
}

/// The selected incident, in the frame in which it becomes that: a key may have moved the selection out of sight.
fn newly_selected(ui: &Ui, selected: Option<IncidentId>) -> Option<IncidentId> {
    let id = Id::unique("incident_selected");
    let before = ui.data_mut(|data| {
        let before = data.get_temp::<Option<IncidentId>>(id).flatten();
        data.insert_temp(id, selected);
        before
    });
    selected.filter(|_| before != selected)
}

fn cell(line: &mut egui_extras::TableRow<'_, '_>, text: RichText) {
    line.col(|ui| {
        ui.add(Label::new(text).truncate().selectable(false));
    });
}

fn state_color(state: IncidentState) -> Color32 {
    match state {
        IncidentState::New => tokens::ATTENTION,
        IncidentState::InProgress => tokens::ACCENT,
        IncidentState::Shelved | IncidentState::Closed => tokens::TEXT_WEAK,
    }
}

/// The incident's first camera, played from its start.
fn watch(ctx: &Ctx<'_>, ui: &mut Ui) {
    let Some(camera) = ctx.state.review.wall.slots()[0] else { return };
    let width = ui.available_width();
    let (rect, _) = ui.allocate_exact_size(vec2(width, width * 9.0 / 16.0), Sense::hover());
    tile::ui(ctx, ui, Tile { slot: 0, rect, camera: Some(camera) });
    let (playing, at) = {
        let head = ctx.state.review.head();
        (head.is_playing(), head.position(ctx.now))
    };
    ui.horizontal(|ui| {
        let icon = if playing { Icon::Pause } else { Icon::Play };
        let toggle = icons::button(ui, icon, t!(ctx, "cmd-toggle"), false, true);
        if ctx.tip(toggle, "cmd-toggle@incidents").clicked() {
            ctx.send(PlaybackCommand::Toggle);
        }
        ui.label(RichText::new(when::date_time(at)).font(fonts::mono(13.0)));
    });
    ui.add_space(8.0);
}

fn detail(ctx: &Ctx<'_>, ui: &mut Ui, incident: &Incident, edit: &Edit) {
    let row = data::row(incident, ctx.text, |camera| ctx.state.camera_name(camera, ctx.text));
    ui.label(RichText::new(t!(ctx, "incident-title", time = row.created.as_str())).font(fonts::semi_bold(16.0)));
    ui.add_space(6.0);
    fact(ui, &t!(ctx, "incident-range"), &row.range);
    fact(ui, &t!(ctx, "incident-cameras"), &row.cameras);
    fact(ui, &t!(ctx, "incident-author"), &row.author);
    ui.add_space(10.0);
    if ui.add(Button::new(t!(ctx, "incident-play")).min_size(vec2(ui.available_width(), 30.0))).clicked() {
        ctx.send(ServerCommand::OpenIncident(incident.id, true));
    }
    if ui.add(Button::new(t!(ctx, "cmd-hold")).min_size(vec2(ui.available_width(), 30.0))).clicked() {
        ctx.send(HoldCommand::OpenFor(incident.id));
    }
    ui.add_space(14.0);

    let mut changed = edit.clone();
    ui.label(RichText::new(t!(ctx, "incident-state")).color(tokens::TEXT_WEAK));
    ui.horizontal_wrapped(|ui| {
        for state in INCIDENT_STATES {
            ui.selectable_value(&mut changed.state, state, t!(ctx, incident_state(state)));
        }
    });
    ui.label(RichText::new(t!(ctx, "incident-category")).color(tokens::TEXT_WEAK));
    ComboBox::from_id_salt("incident_category")
        .width(ui.available_width() - 8.0)
        .selected_text(t!(ctx, incident_category(changed.category)))
        .show_ui(ui, |ui| {
            for category in INCIDENT_CATEGORIES {
                ui.selectable_value(&mut changed.category, category, t!(ctx, incident_category(category)));
            }
        });
    ui.label(RichText::new(t!(ctx, "incident-note")).color(tokens::TEXT_WEAK));
    let note = TextEdit::multiline(&mut changed.note).desired_rows(5).desired_width(f32::INFINITY).char_limit(4000);
    ui.add(note).accessible_name(t!(ctx, "incident-note"));
    ui.add_space(8.0);
    // What was typed goes first, so that a button sees it.
    if changed != *edit {
        ctx.send(ServerCommand::EditIncident(changed.clone()));
    }
    ui.horizontal(|ui| {
        let differs = changed.is_changed();
        if ui.add_enabled(differs, Button::new(t!(ctx, "action-save"))).clicked() {
            ctx.send(ServerCommand::SaveIncident);
        }
        if ui.add_enabled(differs, Button::new(t!(ctx, "action-discard"))).clicked() {
            ctx.send(ServerCommand::EditIncident(Edit::of(incident)));
        }
        if ui.button(t!(ctx, "action-copy")).clicked() {
            let lines = [&row.created, &row.range, &row.state, &row.category, &row.cameras, &row.note, &row.author];
            let text: Vec<String> =
                heads(ctx).iter().zip(lines).map(|(head, value)| format!("{head}: {value}")).collect();
            ctx.send(ShellCommand::Copy(text.join("\n")));
        }
    });
}
