//! Draws the timeline: the wheel zooms about the pointer, a drag pans, a click seeks.

use egui::{
    Align2, Color32, CursorIcon, Id, Painter, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use minhbach_model::{CameraId, Damage, Gap, WallTime};

use super::data::{self, DamageSpan, GapSpan, Span};
use crate::command::PlaybackCommand;
use crate::panels::icons::{self, Icon};
use crate::panels::{Ctx, paint_text};
use crate::t;
use crate::text::{damage_kind, gap_cause, incident_category};
use crate::theme::{fonts, tokens};
use crate::when;

const NAMES_WIDTH: f32 = 150.0;
const RULER_HEIGHT: f32 = 22.0;
const LANE_GAP: f32 = 3.0;
/// A held stretch narrower than this has no padlock, and a damaged one narrower than that no words.
const LOCK_ROOM: f32 = 18.0;
const WORDS_ROOM: f32 = 70.0;
/// Points of the wheel that double the zoom.
const WHEEL_DOUBLES: f64 = 140.0;

/// Draws it in what is left of the panel.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let area = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(area, Sense::click_and_drag());
    let at = ctx.state.playback.position(ctx.now);
    response
        .widget_info(|| WidgetInfo::labeled(Role::Slider, true, t!(ctx, "timeline-name", time = when::date_time(at))));
    let time = Rect::from_min_max(pos2(area.left() + NAMES_WIDTH, area.top()), area.max);
    if time.width() < 50.0 || time.height() < RULER_HEIGHT {
        return;
    }
    let painter = ui.painter_at(area);
    ruler(ctx, &painter, time);
    let scrolled = scroll(ctx, ui, &response, time);
    let hovered = lanes(ctx, &painter, area, time, (scrolled, response.hover_pos()));
    marks(ctx, &painter, time);
    heads(ctx, &painter, time, at);
    interact(ctx, ui, &response, time);
    if let Some(words) = hovered {
        response.on_hover_text_at_pointer(words);
    }
}

fn x_of(ctx: &Ctx<'_>, time: Rect, at: WallTime) -> f32 {
    time.left() + (ctx.state.playback.view.fraction(at) * f64::from(time.width())) as f32
}

fn ruler(ctx: &Ctx<'_>, painter: &Painter, time: Rect) {
    let count = (time.width() / 90.0) as usize;
    let (label, ticks) = ctx.state.playback.view.ticks(count);
    let clipped = painter.with_clip_rect(time);
    for tick in ticks {
        let x = x_of(ctx, time, tick);
        clipped.vline(x, time.y_range(), Stroke::new(1.0, tokens::LANE));
        let text = data::tick_text(label, tick);
        let place = pos2(x + 4.0, time.top() + RULER_HEIGHT / 2.0);
        clipped.text(place, Align2::LEFT_CENTER, text, fonts::mono(11.0), tokens::TEXT_WEAK);
    }
    let middle = ctx.state.playback.view.at(0.5);
    let day = pos2(time.left() - NAMES_WIDTH, time.top() + RULER_HEIGHT / 2.0);
    painter.text(day, Align2::LEFT_CENTER, when::date(middle), fonts::mono(12.0), tokens::TEXT_WEAK);
}

/// Draws each camera's lane; answers with the words for what the pointer is over.
fn lanes(
    ctx: &Ctx<'_>,
    painter: &Painter,
    area: Rect,
    time: Rect,
    (scrolled, pointer): (f32, Option<Pos2>),
) -> Option<String> {
    let cameras = cameras(ctx);
    let room = lanes_room(time);
    let (height, overflow) = data::lanes(cameras.len(), room, LANE_GAP);
    let below = Rect::from_min_max(pos2(area.left(), time.top() + RULER_HEIGHT), area.max);
    let painter = &painter.with_clip_rect(below);
    let pointer = pointer.filter(|pointer| below.contains(*pointer));
    let mut words = None;
    for (index, camera) in cameras.iter().enumerate() {
        let top = time.top() + RULER_HEIGHT + index as f32 * (height + LANE_GAP) - scrolled;
        let lane = Rect::from_min_size(pos2(time.left(), top), vec2(time.width(), height));
        if lane.bottom() < below.top() || lane.top() > below.bottom() {
            continue;
        }
        let name = ctx.state.camera_name(*camera, ctx.text);
        let leading = ctx.state.playback.wall.leading() == Some(*camera);
        let color = if leading { tokens::ACCENT } else { tokens::TEXT };
        let left = (pos2(area.left(), lane.center().y), Align2::LEFT_CENTER);
        paint_text(painter, left, &name, fonts::regular(12.0), color, NAMES_WIDTH - 12.0);
        words = words.or(one_lane(ctx, painter, lane, *camera, pointer));
    }
    if overflow > 0.0 {
        // Where in the list of lanes one is.
        let (part, from) = (room / (room + overflow), scrolled / (room + overflow));
        let bar = Rect::from_min_size(pos2(time.left() - 6.0, below.top() + from * room), vec2(3.0, part * room));
        painter.rect_filled(bar, 1, tokens::CONTROL_HOVER);
    }
    words
}

fn cameras(ctx: &Ctx<'_>) -> Vec<CameraId> {
    ctx.state.playback.wall.slots().iter().flatten().copied().collect()
}

fn lanes_room(time: Rect) -> f32 {
    time.height() - RULER_HEIGHT - 4.0
}

/// How far the lanes are scrolled, points: the wheel over the names moves them when not all of them fit.
fn scroll(ctx: &Ctx<'_>, ui: &Ui, response: &Response, time: Rect) -> f32 {
    let (_, overflow) = data::lanes(cameras(ctx).len(), lanes_room(time), LANE_GAP);
    let id = Id::unique("timeline_lanes");
    let wheel = match response.hover_pos() {
        Some(pointer) if pointer.x < time.left() => ui.input(|input| input.smooth_scroll_delta().y),
        _ => 0.0,
    };
    let scrolled = (ui.data(|data| data.get_temp::<f32>(id)).unwrap_or_default() - wheel).clamp(0.0, overflow);
    ui.data_mut(|data| data.insert_temp(id, scrolled));
    scrolled
}

fn one_lane(ctx: &Ctx<'_>, painter: &Painter, lane: Rect, camera: CameraId, pointer: Option<Pos2>) -> Option<String> {
    painter.rect_filled(lane, 2, tokens::LANE);
    let view = &ctx.state.playback.view;
    let place = |span: &Span| {
        Rect::from_min_max(pos2(lane.left() + span.left, lane.top()), pos2(lane.left() + span.right, lane.bottom()))
    };
    let over = |rect: Rect| pointer.is_some_and(|pointer| rect.expand2(vec2(1.0, 0.0)).contains(pointer));
    let mut words = None;
    if let Some(known) = ctx.state.playback.lanes.get(&camera) {
        for span in data::recorded(known, view, lane.width()) {
            painter.rect_filled(place(&span), 1, tokens::RECORDED);
        }
        for span in data::held(known, view, lane.width()) {
            let rect = place(&span);
            hold(painter, rect);
            if over(rect) {
                words = pointer.map(|pointer| held_words(ctx, camera, lane, pointer));
            }
        }
        for GapSpan { span, gap } in data::gaps(known, view, lane.width(), ctx.wall_now) {
            let rect = place(&span);
            stripes(painter, rect, tokens::gap(gap.cause), data::is_quiet(gap.cause));
            if over(rect) {
                words = Some(gap_words(ctx, &gap));
            }
        }
        for DamageSpan { span, damage } in data::damages(known, view, lane.width()) {
            let rect = place(&span);
            damaged(ctx, painter, rect);
            if over(rect) {
                words = Some(damage_words(ctx, damage));
            }
        }
    }
    for (span, incident) in data::incidents(&ctx.state.incidents.list, camera, view, lane.width()) {
        let rect = place(&span);
        let bar = Rect::from_min_max(rect.min, pos2(rect.right(), rect.top() + 4.0));
        painter.rect_filled(bar, 1, tokens::INCIDENT);
        if over(rect) {
            let category = t!(ctx, incident_category(incident.draft.category));
            let note = incident.draft.note.as_str();
            words = Some(if note.is_empty() { category } else { format!("{category}\n{note}") });
        }
    }
    words
}

/// Footage under a hold: thin lines across what is recorded, and a padlock where there is room for one.
fn hold(painter: &Painter, rect: Rect) {
    let clipped = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let stroke = Stroke::new(1.0, tokens::ACCENT);
    // The other way round than those of a gap, and further apart.
    let step = 9.0;
    let mut x = (rect.left() / step).floor() * step - rect.height();
    while x < rect.right() {
        clipped.line_segment([pos2(x, rect.top()), pos2(x + rect.height(), rect.bottom())], stroke);
        x += step;
    }
    clipped.hline(rect.x_range(), rect.bottom() - 1.0, Stroke::new(2.0, tokens::ACCENT));
    if rect.width() >= LOCK_ROOM {
        let glyph = Rect::from_center_size(pos2(rect.left() + LOCK_ROOM / 2.0, rect.center().y), vec2(8.0, 9.0));
        clipped.rect_filled(glyph.expand(2.0), 2, tokens::PANEL);
        icons::paint(&clipped, glyph, Icon::Lock, tokens::ACCENT);
    }
}

/// The hold under the pointer; what is held may be known before the holds are.
fn held_words(ctx: &Ctx<'_>, camera: CameraId, lane: Rect, pointer: Pos2) -> String {
    let at = ctx.state.playback.view.at(f64::from((pointer.x - lane.left()) / lane.width()));
    let mut words = t!(ctx, "hold-standing");
    if let Some(hold) = ctx.state.holds.standing_on(camera, at, ctx.wall_now) {
        words = format!("{words}\n{}", hold.reason);
        if !hold.case_code.is_empty() {
            words = format!("{words}\n{}: {}", t!(ctx, "hold-case"), hold.case_code);
        }
    }
    words
}

/// Footage that is not what was recorded: crossed out in the colour of alarms, with words where there is room for them.
fn damaged(ctx: &Ctx<'_>, painter: &Painter, rect: Rect) {
    painter.rect_filled(rect, 0, tokens::PANEL);
    painter.rect_filled(rect, 0, tokens::ALARM.gamma_multiply(0.35));
    let clipped = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let stroke = Stroke::new(1.5, tokens::ALARM);
    for y in [rect.top() + 1.0, rect.bottom() - 1.0] {
        clipped.hline(rect.x_range(), y, stroke);
    }
    if rect.width() >= WORDS_ROOM {
        let at = (pos2(rect.left() + 6.0, rect.center().y), Align2::LEFT_CENTER);
        let words = t!(ctx, "timeline-damaged");
        paint_text(&clipped, at, &words, fonts::medium(11.0), tokens::TEXT, rect.width() - 12.0);
    } else {
        clipped.line_segment([rect.left_top(), rect.right_bottom()], stroke);
        clipped.line_segment([rect.left_bottom(), rect.right_top()], stroke);
    }
}

fn gap_words(ctx: &Ctx<'_>, gap: &Gap) -> String {
    let cause = t!(ctx, gap_cause(gap.cause));
    let from = when::clock(gap.start);
    match gap.end {
        Some(end) => {
            let length = when::length(end.saturating_since(gap.start));
            t!(ctx, "timeline-gap", cause = cause, from = from, to = when::clock(end), length = length)
        }
        None => t!(ctx, "timeline-gap-open", cause = cause, from = from),
    }
}

fn damage_words(ctx: &Ctx<'_>, damage: &Damage) -> String {
    let kind = t!(ctx, damage_kind(damage.kind));
    let (from, to) = (when::clock(damage.range.start), when::clock(damage.range.end));
    t!(ctx, "timeline-damage", kind = kind, from = from, to = to, found = when::date_time(damage.found))
}

/// Diagonal stripes: a gap is told by its pattern as well as by its colour.
fn stripes(painter: &Painter, rect: Rect, color: Color32, quiet: bool) {
    let strength = if quiet { 0.25 } else { 0.35 };
    painter.rect_filled(rect, 0, color.gamma_multiply(strength));
    let clipped = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let step = 6.0;
    // Stripes stand still while the timeline moves: no more of them than fit the screen.
    let mut x = (rect.left() / step).floor() * step - rect.height();
    let stroke = Stroke::new(1.5, color);
    while x < rect.right() {
        clipped.line_segment([pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())], stroke);
        x += step;
    }
}

fn marks(ctx: &Ctx<'_>, painter: &Painter, time: Rect) {
    let page = &ctx.state.playback;
    let clipped = painter.with_clip_rect(time);
    if let Some(range) = page.marked() {
        let rect = Rect::from_x_y_ranges(x_of(ctx, time, range.start)..=x_of(ctx, time, range.end), time.y_range());
        clipped.rect_filled(rect, 0, tokens::marked());
    }
    for mark in [page.mark_in, page.mark_out].into_iter().flatten() {
        clipped.vline(x_of(ctx, time, mark), time.y_range(), Stroke::new(1.5, tokens::ACCENT));
    }
}

/// The playhead, and the line of now.
fn heads(ctx: &Ctx<'_>, painter: &Painter, time: Rect, at: WallTime) {
    let clipped = painter.with_clip_rect(time);
    let now = x_of(ctx, time, ctx.wall_now);
    clipped.vline(now, time.y_range(), Stroke::new(1.0, tokens::GOOD));
    let future = Rect::from_min_max(pos2(now, time.top() + RULER_HEIGHT), time.max);
    if future.width() > 0.0 {
        clipped.rect_filled(future, 0, tokens::PANEL.gamma_multiply(0.6));
    }
    let x = x_of(ctx, time, at);
    clipped.vline(x, time.y_range(), Stroke::new(2.0, tokens::TEXT));
    let grip = vec![pos2(x - 6.0, time.top()), pos2(x + 6.0, time.top()), pos2(x, time.top() + 8.0)];
    clipped.add(egui::Shape::convex_polygon(grip, tokens::TEXT, Stroke::NONE));
}

fn interact(ctx: &Ctx<'_>, ui: &Ui, response: &Response, time: Rect) {
    let view = ctx.state.playback.view;
    let fraction = |x: f32| f64::from((x - time.left()) / time.width());
    if response.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
    }
    if let Some(pointer) = response.hover_pos().filter(|pointer| pointer.x >= time.left()) {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta()));
        let factor = (f64::from(scroll.y) / WHEEL_DOUBLES).exp2() * f64::from(pinch);
        if (factor - 1.0).abs() > 1e-4 {
            ctx.send(PlaybackCommand::View(view.zoomed(fraction(pointer.x), factor)));
        } else if scroll.x.abs() > 0.1 {
            ctx.send(PlaybackCommand::View(view.panned(-f64::from(scroll.x / time.width()))));
        }
    }
    if response.dragged() {
        let moved = response.drag_delta().x;
        if moved != 0.0 {
            ctx.send(PlaybackCommand::View(view.panned(-f64::from(moved / time.width()))));
        }
    } else if response.clicked()
        && let Some(pointer) = response.interact_pointer_pos()
        && pointer.x >= time.left()
    {
        ctx.send(PlaybackCommand::Seek(view.at(fraction(pointer.x))));
    }
}
