//! Small pictures drawn by hand: layouts, states of cameras, transport buttons. Shape and colour both tell a state.

use egui::{Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use crate::state::cameras::Health;
use crate::state::wall::Layout;
use crate::theme::tokens;

/// What a button shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Icon {
    /// Triangle to the right.
    Play,
    /// Two bars.
    Pause,
    /// Bar and triangle to the right.
    StepForward,
    /// Bar and triangle to the left.
    StepBack,
    /// Two triangles to the right.
    Faster,
    /// Two triangles to the left.
    Slower,
    /// Bracket open to the right.
    MarkIn,
    /// Bracket open to the left.
    MarkOut,
    /// Magnifying glass.
    Search,
    /// Corners.
    Fullscreen,
    /// Loudspeaker, with waves or crossed out.
    Speaker(bool),
    /// Gear of settings: three sliders.
    Settings,
    /// Tiles of a layout.
    Layout(Layout),
    /// Cross.
    Close,
    /// Flag.
    Flag,
    /// Padlock.
    Lock,
}

/// A square button with an icon. Its name is its tooltip and what a screen reader says.
pub fn button(ui: &mut Ui, icon: Icon, name: String, selected: bool, enabled: bool) -> Response {
    let size = Vec2::splat(28.0);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, selected, &name));
    let fill = match (selected, enabled && response.hovered()) {
        (true, _) => Some(tokens::ACCENT_GROUND),
        (false, true) => Some(tokens::CONTROL_HOVER),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, tokens::RADIUS, fill);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, tokens::RADIUS, Stroke::new(1.0, tokens::ACCENT), StrokeKind::Inside);
    }
    let color = if enabled { tokens::TEXT } else { tokens::CONTROL_HOVER };
    paint(ui.painter(), rect.shrink(7.0), icon, color);
    response.on_hover_text(name)
}

fn triangle(painter: &Painter, rect: Rect, right: bool, color: egui::Color32) {
    let (base, tip) = if right { (rect.left(), rect.right()) } else { (rect.right(), rect.left()) };
    let points = vec![pos2(base, rect.top()), pos2(tip, rect.center().y), pos2(base, rect.bottom())];
    painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
}

/// Draws an icon into a square.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, color: egui::Color32) {
    let line = Stroke::new(1.5, color);
    let at = |x: f32, y: f32| pos2(rect.left() + x * rect.width(), rect.top() + y * rect.height());
    let part = |x0: f32, y0: f32, x1: f32, y1: f32| Rect::from_min_max(at(x0, y0), at(x1, y1));
    let path = |points: &[(f32, f32)]| {
        let points: Vec<Pos2> = points.iter().map(|(x, y)| at(*x, *y)).collect();
        painter.line(points, line);
    };
    match icon {
        Icon::Play => triangle(painter, part(0.15, 0.0, 1.0, 1.0), true, color),
        Icon::Pause => {
            painter.rect_filled(part(0.15, 0.05, 0.4, 0.95), 1, color);
            painter.rect_filled(part(0.6, 0.05, 0.85, 0.95), 1, color);
        }
        Icon::StepForward => {
            painter.rect_filled(part(0.05, 0.05, 0.2, 0.95), 1, color);
            triangle(painter, part(0.35, 0.1, 0.95, 0.9), true, color);
        }
        Icon::StepBack => {
            painter.rect_filled(part(0.8, 0.05, 0.95, 0.95), 1, color);
            triangle(painter, part(0.05, 0.1, 0.65, 0.9), false, color);
        }
        Icon::Faster => {
            triangle(painter, part(0.0, 0.15, 0.5, 0.85), true, color);
            triangle(painter, part(0.5, 0.15, 1.0, 0.85), true, color);
        }
        Icon::Slower => {
            triangle(painter, part(0.0, 0.15, 0.5, 0.85), false, color);
            triangle(painter, part(0.5, 0.15, 1.0, 0.85), false, color);
        }
        Icon::MarkIn => path(&[(0.7, 0.0), (0.3, 0.0), (0.3, 1.0), (0.7, 1.0)]),
        Icon::MarkOut => path(&[(0.3, 0.0), (0.7, 0.0), (0.7, 1.0), (0.3, 1.0)]),
        Icon::Search => {
            painter.circle_stroke(at(0.42, 0.42), rect.width() * 0.36, line);
            path(&[(0.68, 0.68), (1.0, 1.0)]);
        }
        Icon::Fullscreen => {
            path(&[(0.0, 0.3), (0.0, 0.0), (0.3, 0.0)]);
            path(&[(0.7, 0.0), (1.0, 0.0), (1.0, 0.3)]);
            path(&[(1.0, 0.7), (1.0, 1.0), (0.7, 1.0)]);
            path(&[(0.3, 1.0), (0.0, 1.0), (0.0, 0.7)]);
        }
        Icon::Speaker(on) => {
            painter.rect_filled(part(0.0, 0.35, 0.22, 0.65), 0, color);
            let cone = vec![at(0.2, 0.35), at(0.5, 0.08), at(0.5, 0.92), at(0.2, 0.65)];
            painter.add(Shape::convex_polygon(cone, color, Stroke::NONE));
            if on {
                path(&[(0.66, 0.3), (0.74, 0.5), (0.66, 0.7)]);
                path(&[(0.84, 0.14), (0.96, 0.5), (0.84, 0.86)]);
            } else {
                path(&[(0.65, 0.32), (1.0, 0.68)]);
                path(&[(1.0, 0.32), (0.65, 0.68)]);
            }
        }
        Icon::Settings => {
            for (y, x) in [(0.15, 0.7), (0.5, 0.3), (0.85, 0.6)] {
                path(&[(0.0, y), (1.0, y)]);
                painter.circle_filled(at(x, y), 2.5, color);
            }
        }
        Icon::Layout(layout) => {
            for cell in layout.cells() {
                let cell = part(cell.min.x, cell.min.y, cell.max.x, cell.max.y).shrink(0.8);
                painter.rect_stroke(cell, 0, Stroke::new(1.0, color), StrokeKind::Inside);
            }
        }
        Icon::Close => {
            path(&[(0.1, 0.1), (0.9, 0.9)]);
            path(&[(0.9, 0.1), (0.1, 0.9)]);
        }
        Icon::Lock => {
            painter.rect_filled(part(0.12, 0.45, 0.88, 1.0), 1, color);
            path(&[(0.27, 0.5), (0.27, 0.2), (0.4, 0.04), (0.6, 0.04), (0.73, 0.2), (0.73, 0.5)]);
        }
        Icon::Flag => {
            path(&[(0.2, 0.0), (0.2, 1.0)]);
            let cloth = vec![at(0.2, 0.05), at(0.95, 0.3), at(0.2, 0.55)];
            painter.add(Shape::convex_polygon(cloth, color, Stroke::NONE));
        }
    }
}

/// In place of the state of a camera that was removed: a dash.
pub fn removed(painter: &Painter, center: Pos2) {
    painter.rect_filled(Rect::from_center_size(center, vec2(9.0, 2.0)), 0, tokens::TEXT_WEAK);
}

/// The state of a camera: disc, disc with a notch, ring, triangle, bars.
pub fn health(painter: &Painter, center: Pos2, health: Health) {
    let r = 4.5;
    match health {
        Health::Recording => {
            painter.circle_filled(center, r, tokens::GOOD);
        }
        Health::Soundless(_) | Health::Partly => {
            painter.circle_filled(center, r, tokens::ATTENTION);
            painter.rect_filled(Rect::from_min_size(center, vec2(r + 1.0, r + 1.0)), 0, tokens::PANEL);
        }
        Health::Connecting => {
            painter.circle_stroke(center, r - 0.5, Stroke::new(1.5, tokens::ATTENTION));
        }
        Health::Failed(_) | Health::NotRecorded(_) => {
            let points = vec![center + vec2(0.0, -r - 0.5), center + vec2(r + 0.5, r), center + vec2(-r - 0.5, r)];
            painter.add(Shape::convex_polygon(points, tokens::ALARM, Stroke::NONE));
        }
        Health::Paused => {
            painter.rect_filled(Rect::from_center_size(center - vec2(2.5, 0.0), vec2(2.5, 9.0)), 0, tokens::TEXT_WEAK);
            painter.rect_filled(Rect::from_center_size(center + vec2(2.5, 0.0), vec2(2.5, 9.0)), 0, tokens::TEXT_WEAK);
        }
    }
}
