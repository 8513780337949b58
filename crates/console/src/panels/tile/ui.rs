//! Draws a tile and turns what a person does on it into commands.

use egui::text::LayoutJob;
use egui::{
    Align, Align2, Color32, CursorIcon, FontId, Painter, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};
use minhbach_model::CameraId;

use super::data::{self, Caption, Mood, Seen};
use crate::command::{PlaybackCommand, ServerCommand, ShellCommand, WallCommand};
use crate::panels::icons::{self, Icon};
use crate::panels::{Ctx, Drag, paint_text};
use crate::players::Shown;
use crate::state::cameras::{health, stream};
use crate::state::shell::Page;
use crate::stills::Still;
use crate::t;
use crate::theme::{fonts, tokens};
use crate::video::paint::{self, FULL_UV};

/// Tiles lower than this, in points, leave out what is not needed.
const SMALL_BELOW: f32 = 150.0;
/// Points of the wheel that double the zoom.
const WHEEL_DOUBLES: f32 = 160.0;

/// A tile to draw.
#[derive(Debug, Clone, Copy)]
pub struct Tile {
    /// Its number.
    pub slot: usize,
    /// Where it is.
    pub rect: Rect,
    /// Its camera.
    pub camera: Option<CameraId>,
}

/// Draws a tile.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui, tile: Tile) {
    let id = ui.scope_id().with(("tile", tile.slot));
    let response = ui.interact(tile.rect, id, Sense::click_and_drag());
    let painter = ui.painter_at(tile.rect);
    painter.rect_filled(tile.rect, 0, tokens::SURROUND);
    match tile.camera {
        None => vacant(ctx, &painter, &response, tile),
        Some(camera) => occupied(ctx, ui, &painter, &response, tile, camera),
    }
    let selected = ctx.state.wall().selected() == Some(tile.slot);
    let dropping = response.dnd_hover_payload::<Drag>().is_some();
    if selected || dropping || response.has_focus() {
        let stroke = Stroke::new(if dropping { 2.0 } else { 1.5 }, tokens::ACCENT);
        painter.rect_stroke(tile.rect.shrink(0.5), 0, stroke, StrokeKind::Inside);
    }
    if let Some(drag) = response.dnd_release_payload::<Drag>() {
        match *drag {
            Drag::Camera(camera) => ctx.send(WallCommand::Place(camera, tile.slot)),
            Drag::Tile(from) if from != tile.slot => ctx.send(WallCommand::Swap(from, tile.slot)),
            Drag::Tile(_) => {}
        }
    }
    if response.double_clicked() {
        ctx.send(WallCommand::Promote(tile.slot));
    } else if response.clicked() {
        ctx.send(WallCommand::Select(tile.slot));
    }
}

fn vacant(ctx: &Ctx<'_>, painter: &Painter, response: &Response, tile: Tile) {
    let text = t!(ctx, "tile-vacant");
    response.widget_info(|| WidgetInfo::labeled(Role::Pane, true, &text));
    let width = tile.rect.width() - 24.0;
    paint_text(
        painter,
        (tile.rect.center(), Align2::CENTER_CENTER),
        &text,
        fonts::regular(13.0),
        tokens::TEXT_WEAK,
        width,
    );
    painter.rect_stroke(tile.rect.shrink(0.5), 0, Stroke::new(1.0, tokens::PANEL), StrokeKind::Inside);
}

fn occupied(ctx: &Ctx<'_>, ui: &mut Ui, painter: &Painter, response: &Response, tile: Tile, camera: CameraId) {
    let height_px = tile.rect.height() * ui.pixels_per_point();
    if ctx.state.wall().needs_measure(camera, height_px) {
        ctx.send(WallCommand::Measured(camera, height_px));
    }
    let shown = ctx.players.shown(camera);
    let still = still(ctx, camera, shown);
    let opening = ctx.state.shell.is_opening();
    let caption = shown.map(|shown| {
        let snapshot = &shown.snapshot;
        let since = ctx.now.saturating_duration_since(snapshot.phase_since);
        let playback = ctx.state.shell.page != Page::Live;
        let seen = Seen { phase: snapshot.phase, since, picture: snapshot.shown_wall, playback };
        data::caption(&seen, ctx.state.cameras.get(camera).map(health))
    });
    let caption = caption.or_else(|| opening.then(data::opening));
    let name = name(ctx, camera, still);
    if let Some(shown) = shown {
        picture(ctx, ui, painter, response, tile, camera, shown);
    }
    if let Some(still) = still {
        still_picture(painter, tile.rect, still);
    }
    // A still is an old picture whatever the state is.
    if still.is_some() || (shown.is_some() && caption.as_ref().is_some_and(|caption| caption.dimmed)) {
        painter.rect_filled(tile.rect, 0, tokens::dim());
    }
    let words = Words {
        state: caption.as_ref().map(|caption| caption.message.show(ctx.text)).unwrap_or_default(),
        age: still.map(|still| data::still_age(still.taken, ctx.wall_now).show(ctx.text)),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Pane, true, words.label(&name)));
    top_line(painter, tile.rect, &name, caption.as_ref(), &words.state);
    if let Some(caption) = &caption {
        middle(ctx, ui, painter, tile, caption, shown, &words);
    }
    if let Some(shown) = shown {
        bottom_line(ctx, ui, painter, tile, camera, shown);
    }
    response.dnd_set_drag_payload(Drag::Tile(tile.slot));
    response.context_menu(|ui| menu(ctx, ui, tile.slot, camera));
}

/// What a tile says, in the language now set.
struct Words {
    /// Its state.
    state: String,
    /// How old the still is that it shows for want of a picture.
    age: Option<String>,
}

impl Words {
    /// For those who do not see the tile.
    fn label(&self, name: &str) -> String {
        match &self.age {
            Some(age) => format!("{name}: {} · {age}", self.state),
            None => format!("{name}: {}", self.state),
        }
    }
}

/// The kept still of a camera, where live view has no picture of its own.
fn still<'a>(ctx: &Ctx<'a>, camera: CameraId, shown: Option<&Shown>) -> Option<&'a Still> {
    let bare = shown.is_none_or(|shown| shown.snapshot.frame.is_none());
    ctx.stills.get(camera).filter(|_| bare && ctx.state.shell.page == Page::Live)
}

/// A camera's name; before the server has answered the one its still was kept with.
fn name(ctx: &Ctx<'_>, camera: CameraId, still: Option<&Still>) -> String {
    match still {
        _ if ctx.state.cameras.loaded => ctx.state.camera_name(camera, ctx.text),
        Some(still) => still.name.clone(),
        None if ctx.state.shell.is_opening() => String::new(),
        None => ctx.state.camera_name(camera, ctx.text),
    }
}

/// A still as it was kept: whole, not zoomed.
fn still_picture(painter: &Painter, area: Rect, still: &Still) {
    let size = still.texture.size_vec2();
    let rect = paint::fit_aspect(area, size.x / size.y);
    painter.image(still.texture.id(), rect, FULL_UV, Color32::WHITE);
}

fn picture(
    ctx: &Ctx<'_>,
    ui: &Ui,
    painter: &Painter,
    response: &Response,
    tile: Tile,
    camera: CameraId,
    shown: &Shown,
) {
    let Some(frame) = &shown.snapshot.frame else { return };
    let zoom = ctx.state.wall().zoom(camera);
    let rect = paint::fit(tile.rect, frame);
    let uv = if zoom.scale > 1.0 { zoom.uv() } else { FULL_UV };
    paint::video(painter, rect, uv, shown.key, frame, ctx.backend);

    if let Some(pointer) = response.hover_pos().filter(|at| rect.contains(*at)) {
        let wheel = ui.input(|input| input.smooth_scroll_delta().y);
        let pinch = ui.input(|input| input.zoom_delta());
        let factor = (wheel / WHEEL_DOUBLES).exp2() * pinch;
        if (factor - 1.0).abs() > 1e-4 {
            let at = pos2((pointer.x - rect.left()) / rect.width(), (pointer.y - rect.top()) / rect.height());
            ctx.send(WallCommand::Zoom(camera, zoom.about(at, factor)));
        }
    }
    if zoom.scale > 1.0 {
        if response.dragged() {
            // Inside a zoomed picture a drag moves the picture, not the tile.
            egui::DragAndDrop::clear_payload(ui.ctx());
            let by = vec2(response.drag_delta().x / rect.width(), response.drag_delta().y / rect.height());
            ctx.send(WallCommand::Zoom(camera, zoom.moved(by)));
        }
        if response.hovered() {
            ui.ctx().set_cursor_icon(CursorIcon::Move);
        }
    }
}

fn mood_color(mood: Mood) -> Color32 {
    match mood {
        Mood::Good => tokens::GOOD,
        Mood::Quiet => tokens::TEXT_WEAK,
        Mood::Attention => tokens::ATTENTION,
        Mood::Alarm => tokens::ALARM,
    }
}

/// Name on the left, state on the right.
fn top_line(painter: &Painter, rect: Rect, name: &str, caption: Option<&Caption>, words: &str) {
    let height = 24.0;
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), height));
    painter.rect_filled(line, 0, tokens::veil());
    let middle = line.center().y;
    let mut right = line.right() - 8.0;
    if let Some(caption) = caption {
        let color = mood_color(caption.mood);
        let words = paint_text(
            painter,
            (pos2(right, middle), Align2::RIGHT_CENTER),
            words,
            fonts::medium(12.0),
            tokens::TEXT_ON_VIDEO,
            rect.width() * 0.55,
        );
        let mark = pos2(words.left() - 9.0, middle);
        // Shape as well as colour: disc, ring, triangle.
        match caption.mood {
            Mood::Good => painter.circle_filled(mark, 4.0, color),
            Mood::Quiet => painter.circle_stroke(mark, 3.5, Stroke::new(1.5, color)),
            Mood::Attention => painter.circle_stroke(mark, 3.5, Stroke::new(2.0, color)),
            Mood::Alarm => {
                let points = vec![mark + vec2(0.0, -5.0), mark + vec2(5.0, 4.0), mark + vec2(-5.0, 4.0)];
                painter.add(egui::Shape::convex_polygon(points, color, Stroke::NONE))
            }
        };
        right = mark.x - 10.0;
    }
    let at = pos2(line.left() + 8.0, middle);
    let width = right - at.x;
    paint_text(painter, (at, Align2::LEFT_CENTER), name, fonts::medium(13.0), tokens::TEXT_ON_VIDEO, width);
}

/// Words in the middle when there is no picture to look at, or an old one.
fn middle(
    ctx: &Ctx<'_>,
    ui: &mut Ui,
    painter: &Painter,
    tile: Tile,
    caption: &Caption,
    shown: Option<&Shown>,
    words: &Words,
) {
    let has_frame = shown.is_some_and(|shown| shown.snapshot.frame.is_some());
    if has_frame && !caption.dimmed {
        return;
    }
    let center = tile.rect.center();
    let width = tile.rect.width() - 24.0;
    let size = if tile.rect.height() < SMALL_BELOW { 14.0 } else { 17.0 };
    let color = if caption.mood == Mood::Quiet { tokens::TEXT_ON_VIDEO } else { mood_color(caption.mood) };
    let at = (center, Align2::CENTER_CENTER);
    let drawn = paint_text(painter, at, &words.state, fonts::semi_bold(size), color, width);
    let mut below = drawn.bottom() + 6.0;
    if let Some(reason) = caption.reason {
        let reason = t!(ctx, reason);
        let at = pos2(center.x, below);
        let line =
            paint_text(painter, (at, Align2::CENTER_TOP), &reason, fonts::regular(13.0), tokens::TEXT_ON_VIDEO, width);
        below = line.bottom() + 8.0;
    }
    if let Some(age) = &words.age {
        let line = paint_wrapped(painter, pos2(center.x, below), age, fonts::regular(13.0), width);
        below = line.bottom() + 8.0;
    }
    if shown.is_some_and(|shown| shown.snapshot.gap_end.is_some()) && tile.rect.height() > SMALL_BELOW {
        let button = Rect::from_center_size(pos2(center.x, below + 14.0), vec2(180.0, 28.0));
        if ui.put(button, egui::Button::new(t!(ctx, "cmd-jump-gap"))).clicked() {
            ctx.send(PlaybackCommand::JumpGap);
        }
    }
}

/// Words over a picture that are broken rather than cut, centred below a point: in a small tile their end counts too.
fn paint_wrapped(painter: &Painter, top: Pos2, text: &str, font: FontId, width: f32) -> Rect {
    let mut job = LayoutJob::simple(text.to_owned(), font, tokens::TEXT_ON_VIDEO, width.max(1.0));
    job.halign = Align::Center;
    let galley = painter.layout_job(job);
    // With this alignment the galley lies on both sides of where it is put.
    let rect = galley.rect.translate(top.to_vec2());
    painter.galley(top, galley, tokens::TEXT_ON_VIDEO);
    rect
}

/// Meter, zoom, time of the picture, codec.
fn bottom_line(ctx: &Ctx<'_>, ui: &mut Ui, painter: &Painter, tile: Tile, camera: CameraId, shown: &Shown) {
    let rect = tile.rect;
    meter(ctx, ui, rect, camera, shown);
    let baseline = rect.bottom() - 8.0;
    let mut x = rect.left() + 8.0;
    let mut label = |text: &str, font: egui::FontId| {
        let galley = painter.layout_no_wrap(text.to_owned(), font, tokens::TEXT_ON_VIDEO);
        let size = galley.size();
        let at = pos2(x, baseline - size.y);
        painter.rect_filled(Rect::from_min_size(at, size).expand2(vec2(5.0, 2.0)), 3, tokens::veil());
        painter.galley(at, galley, tokens::TEXT_ON_VIDEO);
        x += size.x + 16.0;
    };
    if ctx.state.shell.page != Page::Live
        && let Some(at) = shown.snapshot.shown_wall
    {
        label(&crate::when::date_time(at), fonts::mono(12.0));
    }
    let zoom = ctx.state.wall().zoom(camera);
    if zoom.scale > 1.0 {
        label(&data::zoom_text(zoom.scale, |value| ctx.text.decimal(value, 1)), fonts::medium(12.0));
    }
    let hovered = ui.rect_contains_pointer(rect);
    if hovered && rect.height() > SMALL_BELOW && !shown.snapshot.video_text.is_empty() {
        let stream = t!(ctx, stream_key(shown.stream));
        label(&format!("{} · {stream}", shown.snapshot.video_text), fonts::regular(12.0));
    }
    if shown.instead {
        let key = match shown.stream {
            minhbach_model::StreamKind::Main => "tile-instead-main",
            minhbach_model::StreamKind::Sub => "tile-instead-sub",
        };
        label(&t!(ctx, key), fonts::regular(12.0));
    }
    if hovered && let Some(error) = &shown.snapshot.error {
        label(&format!("{}: {error}", t!(ctx, "technical-detail")), fonts::regular(12.0));
    }
}

/// Name of a stream.
#[must_use]
pub fn stream_key(stream: minhbach_model::StreamKind) -> &'static str {
    match stream {
        minhbach_model::StreamKind::Main => "stream-main",
        minhbach_model::StreamKind::Sub => "stream-sub",
    }
}

/// The microphone: a bar that moves with the sound. A click hears this tile.
fn meter(ctx: &Ctx<'_>, ui: &mut Ui, rect: Rect, camera: CameraId, shown: &Shown) {
    let reading = shown.snapshot.meter;
    let audible = ctx.state.wall().audible == Some(camera);
    let tall = (rect.height() * 0.4).clamp(36.0, 120.0);
    let area = Rect::from_min_max(
        pos2(rect.right() - 30.0, rect.bottom() - tall - 30.0),
        pos2(rect.right() - 4.0, rect.bottom() - 4.0),
    );
    let id = ui.scope_id().with(("meter", camera));
    let response = ui.interact(area, id, Sense::click());
    // A camera that stands still in playback has no level now, and is heard when it goes on.
    let hearable = reading.has_audio || audible || sends_sound(ctx, camera);
    let name = match (hearable, audible) {
        (false, _) => t!(ctx, "meter-none"),
        (true, true) => t!(ctx, "meter-on"),
        (true, false) => t!(ctx, "meter-off"),
    };
    let value = ctx.text.decimal(f64::from(reading.rms_db), 0);
    response.widget_info(|| WidgetInfo::selected(Role::Button, hearable, audible, format!("{name} {value} dB")));
    let painter = ui.painter_at(rect);
    let fill = if response.hovered() { tokens::CONTROL_HOVER } else { tokens::veil() };
    painter.rect_filled(area, tokens::RADIUS, fill);
    let icon = Rect::from_center_size(Pos2::new(area.center().x, area.bottom() - 13.0), vec2(14.0, 14.0));
    let color = if audible { tokens::ACCENT } else { tokens::TEXT_ON_VIDEO };
    let audible = audible && !ctx.state.shell.settings.muted;
    icons::paint(&painter, icon, Icon::Speaker(audible), if hearable { color } else { tokens::TEXT_WEAK });
    let bar = Rect::from_min_max(
        pos2(area.center().x - 4.0, area.top() + 6.0),
        pos2(area.center().x + 4.0, area.bottom() - 26.0),
    );
    painter.rect_filled(bar, 2, tokens::CONTROL);
    if reading.has_audio {
        let level = |fraction: f32| bar.bottom() - bar.height() * fraction.clamp(0.0, 1.0);
        let loud = if reading.peak_db > -3.0 { tokens::ATTENTION } else { tokens::GOOD };
        let filled = Rect::from_min_max(pos2(bar.left(), level(reading.rms_fraction())), bar.right_bottom());
        painter.rect_filled(filled, 2, loud);
        painter.hline(bar.x_range(), level(reading.peak_fraction()), Stroke::new(1.5, tokens::TEXT_ON_VIDEO));
    }
    if response.clicked() && hearable {
        ctx.send(WallCommand::Listen(camera));
    }
    response.on_hover_text(name);
}

/// Whether the server knows of sound in the main stream.
fn sends_sound(ctx: &Ctx<'_>, camera: CameraId) -> bool {
    let main = ctx.state.cameras.get(camera).and_then(|status| stream(status, minhbach_model::StreamKind::Main));
    main.is_some_and(|main| !main.audio.is_empty())
}

fn menu(ctx: &Ctx<'_>, ui: &mut Ui, slot: usize, camera: CameraId) {
    if ui.button(t!(ctx, "menu-promote")).clicked() {
        ctx.send(WallCommand::Promote(slot));
    }
    if ui.button(t!(ctx, "meter-off")).clicked() {
        ctx.send(WallCommand::Listen(camera));
    }
    if ctx.state.shell.page == Page::Live && ui.button(t!(ctx, "menu-play-back")).clicked() {
        let at = ctx.wall_now.offset_ns(-60_000_000_000);
        ctx.send(PlaybackCommand::Open(vec![camera], at));
    }
    let error = ctx.players.shown(camera).and_then(|shown| shown.snapshot.error.as_ref());
    if let Some(error) = error
        && ui.button(t!(ctx, "menu-copy-technical")).clicked()
    {
        ctx.send(ShellCommand::Copy(error.clone()));
    }
    let on_wall = ctx.state.shell.page.has_wall();
    if on_wall && ui.button(t!(ctx, "cmd-flag")).clicked() {
        ctx.send(ServerCommand::Flag);
    }
    if ctx.state.wall().zoom(camera).scale > 1.0 && ui.button(t!(ctx, "menu-zoom-reset")).clicked() {
        ctx.send(WallCommand::Zoom(camera, crate::state::wall::Zoom::default()));
    }
    if on_wall {
        ui.separator();
        if ui.button(t!(ctx, "cmd-clear-tile")).clicked() {
            ctx.send(WallCommand::Clear(slot));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_see_the_tile_is_told_that_its_picture_is_old() {
        let mut words = Words { state: "Đang kết nối…".to_owned(), age: None };
        assert_eq!(words.label("Quầy 1"), "Quầy 1: Đang kết nối…");
        words.age = Some("Hình cuối lúc 14:05:12".to_owned());
        assert_eq!(words.label("Quầy 1"), "Quầy 1: Đang kết nối… · Hình cuối lúc 14:05:12");
    }
}
