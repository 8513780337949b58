//! Draws the tree: double-click shows a camera in the next free tile, a drag puts it into a tile.

use std::sync::Arc;

use egui::{
    Align2, FontId, Id, Rect, Response, RichText, Role, ScrollArea, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};
use minhbach_model::CameraId;

use super::data::{self, Kind, Row};
use crate::command::{PlaybackCommand, ServerCommand, ShellCommand, WallCommand};
use crate::panels::{Ctx, Drag, icons, paint_text, search_field};
use crate::state::cameras::{Health, Node};
use crate::state::shell::Page;
use crate::t;
use crate::text::{failure, sound_state};
use crate::theme::{fonts, tokens};

const ROW_HEIGHT: f32 = 26.0;
const INDENT: f32 = 14.0;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let width = ui.available_width();
    if let Some(query) = search_field(ui, "tree_search", &ctx.state.cameras.tree_query, t!(ctx, "tree-search"), width) {
        ctx.send(ServerCommand::TreeQuery(query));
    }
    ui.add_space(2.0);
    let rows = rows(ctx, ui);
    if rows.is_empty() {
        // Before the server has answered nothing is known of what there is.
        if !ctx.state.cameras.loaded {
            return;
        }
        let key = if ctx.state.has_cameras() { "tree-nothing-found" } else { "tree-empty" };
        ui.label(RichText::new(t!(ctx, key)).color(tokens::TEXT_WEAK));
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW_HEIGHT, rows.len(), |ui, range| {
        for row in rows.get(range).unwrap_or_default() {
            draw(ctx, ui, row);
        }
    });
}

/// The rows, worked out again only when something changed: a city has thousands of cameras, and a frame is drawn for each
/// picture of each tile.
fn rows(ctx: &Ctx<'_>, ui: &Ui) -> Arc<Vec<Row>> {
    let (id, page) = (Id::unique("tree_rows"), ctx.state.shell.page);
    let now = (ctx.state.cameras.changes, page);
    let known = ui.data(|data| data.get_temp::<((u64, Page), Arc<Vec<Row>>)>(id));
    if let Some((_, rows)) = known.filter(|(of, _)| *of == now) {
        return rows;
    }
    let rows = Arc::new(data::rows(&ctx.state.cameras, page));
    ui.data_mut(|data| data.insert_temp(id, (now, Arc::clone(&rows))));
    rows
}

fn draw(ctx: &Ctx<'_>, ui: &mut Ui, row: &Row) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click_and_drag());
    let x = rect.left() + 4.0 + INDENT * row.depth as f32;
    match &row.kind {
        Kind::Place { node, name, cameras, troubled, open } => {
            let name = match node {
                Node::Unplaced => t!(ctx, "tree-unplaced"),
                Node::Removed => t!(ctx, "tree-removed"),
                Node::Agency(_) | Node::Site(_) | Node::ContactPoint(_) => name.clone(),
            };
            place(ctx, ui, rect, x, &response, &name, (*cameras, *troubled, *open));
            if response.clicked() {
                ctx.send(ServerCommand::Fold(*node));
            }
        }
        Kind::Camera { id, name, health } => camera(ctx, ui, rect, x, response, (*id, name, *health)),
    }
}

fn place(
    ctx: &Ctx<'_>,
    ui: &Ui,
    rect: Rect,
    x: f32,
    response: &Response,
    name: &str,
    (cameras, troubled, open): (usize, usize, bool),
) {
    let painter = ui.painter();
    response.widget_info(|| WidgetInfo::selected(Role::TreeItem, true, open, name));
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, tokens::RADIUS, tokens::RAISED);
    }
    let middle = rect.center().y;
    let arrow = Rect::from_center_size(pos2(x + 5.0, middle), Vec2::splat(8.0));
    let points = if open {
        vec![arrow.left_top(), arrow.right_top(), arrow.center_bottom()]
    } else {
        vec![arrow.left_top(), arrow.right_center(), arrow.left_bottom()]
    };
    painter.add(Shape::convex_polygon(points, tokens::TEXT_WEAK, Stroke::NONE));
    let count = if troubled == 0 {
        cameras.to_string()
    } else {
        t!(ctx, "tree-troubled", troubled = troubled.to_string(), cameras = cameras.to_string())
    };
    let color = if troubled == 0 { tokens::TEXT_WEAK } else { tokens::ATTENTION };
    let right = (pos2(rect.right() - 6.0, middle), Align2::RIGHT_CENTER);
    let counted = paint_text(painter, right, &count, fonts::regular(12.0), color, 80.0);
    let left = (pos2(x + 16.0, middle), Align2::LEFT_CENTER);
    paint_text(painter, left, name, fonts::medium(13.0), tokens::TEXT, counted.left() - x - 24.0);
}

fn camera(
    ctx: &Ctx<'_>,
    ui: &Ui,
    rect: Rect,
    x: f32,
    response: Response,
    (id, name, health): (CameraId, &str, Option<Health>),
) {
    let painter = ui.painter();
    let on_wall = ctx.state.wall().visible_cameras().contains(&id);
    response.widget_info(|| {
        // Who does not see the group around it is told that it was removed.
        let label = if health.is_some() { name.to_owned() } else { ctx.state.camera_name(id, ctx.text) };
        WidgetInfo::selected(Role::TreeItem, true, on_wall, label)
    });
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, tokens::RADIUS, tokens::RAISED);
    }
    let middle = rect.center().y;
    let icon = pos2(x + 6.0, middle);
    match health {
        Some(health) => icons::health(painter, icon, health),
        None => icons::removed(painter, icon),
    }
    let font: FontId = if on_wall { fonts::medium(13.5) } else { fonts::regular(13.5) };
    let color = if on_wall { tokens::ACCENT } else { tokens::TEXT };
    let left = (pos2(x + 18.0, middle), Align2::LEFT_CENTER);
    paint_text(painter, left, name, font, color, rect.right() - x - 22.0);

    response.dnd_set_drag_payload(Drag::Camera(id));
    if response.double_clicked() {
        ctx.send(WallCommand::Show(id));
    }
    response.context_menu(|ui| menu(ctx, ui, id, health.is_none()));
    response.on_hover_text(tooltip(ctx, id, name, health));
}

fn tooltip(ctx: &Ctx<'_>, id: CameraId, name: &str, health: Option<Health>) -> String {
    let Some(health) = health else {
        let camera = ctx.state.cameras.get_removed(id);
        return camera
            .map_or_else(|| name.to_owned(), |camera| data::removed_words(&ctx.state.cameras, camera, ctx.text));
    };
    let state = t!(ctx, health_key(health));
    let place =
        ctx.state.cameras.get(id).and_then(|status| ctx.state.cameras.place_line(status.camera.draft.contact_point));
    match place {
        Some(place) => format!("{name}\n{place}\n{state}"),
        None => format!("{name}\n{state}"),
    }
}

/// Words for how a camera is.
#[must_use]
pub fn health_key(health: Health) -> &'static str {
    match health {
        Health::Recording => "camera-recording",
        Health::Soundless(sound) => sound_state(sound),
        Health::Partly => "camera-partly",
        Health::Connecting => "camera-connecting",
        Health::Failed(kind) | Health::NotRecorded(kind) => failure(kind),
        Health::Paused => "camera-paused",
    }
}

fn menu(ctx: &Ctx<'_>, ui: &mut Ui, id: CameraId, removed: bool) {
    if ui.button(t!(ctx, "menu-show")).clicked() {
        ctx.send(WallCommand::Show(id));
    }
    if removed {
        // It has neither a picture of a minute ago nor settings.
        return;
    }
    if ui.button(t!(ctx, "menu-play-back")).clicked() {
        ctx.send(PlaybackCommand::Open(vec![id], ctx.wall_now.offset_ns(-60_000_000_000)));
    }
    if ui.button(t!(ctx, "menu-camera-settings")).clicked() {
        ctx.send(ShellCommand::Page(Page::Cameras));
        ctx.send(ServerCommand::SelectCamera(id));
    }
}
