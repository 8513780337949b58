//! Drawing helpers over tiny-skia: shapes, gradients and text in the coordinates of a 1920×1080 scene.
//!
//! What is drawn with them belongs to `room`, `people` and `overlay`.

use std::path::PathBuf;

use ab_glyph::{Font, FontArc, OutlineCurve};
use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, PathBuilder, Pixmap, Point,
    RadialGradient, Rect, Shader, SpreadMode, Stroke, Transform,
};

use super::SceneError;

/// Width of the scene's coordinates.
pub(super) const WIDTH: f32 = 1920.0;
/// Height of the scene's coordinates.
pub(super) const HEIGHT: f32 = 1080.0;

/// Names a folder with the fonts in place of Debian's.
const FONT_FOLDER_VARIABLE: &str = "MINHBACH_CAMSIM_FONT_DIR";
const FONT_FOLDER: &str = "/usr/share/fonts/truetype/dejavu";

/// Red, green, blue, opacity.
pub(super) type Ink = [u8; 4];

/// An opaque colour from 0xRRGGBB.
pub(super) const fn rgb(hex: u32) -> Ink {
    [(hex >> 16) as u8, (hex >> 8) as u8, hex as u8, 255]
}

/// A colour with another opacity.
pub(super) const fn alpha(ink: Ink, opacity: u8) -> Ink {
    [ink[0], ink[1], ink[2], opacity]
}

/// A mixture: 0 is `a`, 1 is `b`.
pub(super) fn mix(a: Ink, b: Ink, t: f32) -> Ink {
    std::array::from_fn(|i| (f32::from(a[i]) + (f32::from(b[i]) - f32::from(a[i])) * t).round() as u8)
}

fn color(ink: Ink) -> Color {
    Color::from_rgba8(ink[0], ink[1], ink[2], ink[3])
}

/// The fonts of the scene.
#[derive(Debug, Clone)]
pub struct Fonts {
    pub(super) plain: FontArc,
    pub(super) bold: FontArc,
    pub(super) mono: FontArc,
}

impl Fonts {
    /// Reads them from Debian's `fonts-dejavu-core`, or from the folder that `MINHBACH_CAMSIM_FONT_DIR` names.
    pub fn load() -> Result<Self, SceneError> {
        let folder = std::env::var_os(FONT_FOLDER_VARIABLE).map_or_else(|| PathBuf::from(FONT_FOLDER), PathBuf::from);
        let load = |name: &str| {
            let path = folder.join(name);
            match std::fs::read(&path) {
                Ok(data) => FontArc::try_from_vec(data).map_err(|source| SceneError::FontFormat { path, source }),
                Err(source) => Err(SceneError::FontFile { path, source }),
            }
        };
        Ok(Self {
            plain: load("DejaVuSans.ttf")?,
            bold: load("DejaVuSans-Bold.ttf")?,
            mono: load("DejaVuSansMono.ttf")?,
        })
    }
}

/// Where a text stands relative to its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// A picture being drawn.
pub(super) struct Canvas {
    pub(super) pixmap: Pixmap,
    view: Transform,
    mirrored: bool,
}

impl Canvas {
    /// Draws on `pixmap`; `view` maps scene coordinates to its pixels. Mirrored scenes keep their texts readable.
    pub(super) fn new(pixmap: Pixmap, view: Transform, mirrored: bool) -> Self {
        Self { pixmap, view, mirrored }
    }

    fn transform(&self) -> Transform {
        if self.mirrored {
            self.view.pre_concat(Transform::from_row(-1.0, 0.0, 0.0, 1.0, WIDTH, 0.0))
        } else {
            self.view
        }
    }

    fn fill(&mut self, path: Option<Path>, shader: Shader<'_>) {
        // A shape without area has no path; there is nothing to draw then.
        if let Some(path) = path {
            let paint = Paint { shader, ..Paint::default() };
            let transform = self.transform();
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, transform, None);
        }
    }

    pub(super) fn rect(&mut self, at: (f32, f32), size: (f32, f32), ink: Ink) {
        let path = Rect::from_xywh(at.0, at.1, size.0, size.1).map(PathBuilder::from_rect);
        self.fill(path, Shader::SolidColor(color(ink)));
    }

    pub(super) fn round(&mut self, at: (f32, f32), size: (f32, f32), radius: f32, ink: Ink) {
        self.fill(round_path(at, size, radius), Shader::SolidColor(color(ink)));
    }

    pub(super) fn oval(&mut self, center: (f32, f32), radii: (f32, f32), ink: Ink) {
        let rect = Rect::from_xywh(center.0 - radii.0, center.1 - radii.1, 2.0 * radii.0, 2.0 * radii.1);
        self.fill(rect.and_then(PathBuilder::from_oval), Shader::SolidColor(color(ink)));
    }

    pub(super) fn poly(&mut self, points: &[(f32, f32)], ink: Ink) {
        self.fill(poly_path(points, true), Shader::SolidColor(color(ink)));
    }

    /// A polygon with a gradient from the top of the scene's `from.0` in `from.1` to `to.0` in `to.1`.
    pub(super) fn poly_down(&mut self, points: &[(f32, f32)], from: (f32, Ink), to: (f32, Ink)) {
        let shader = LinearGradient::new(
            Point::from_xy(0.0, from.0),
            Point::from_xy(0.0, to.0),
            vec![GradientStop::new(0.0, color(from.1)), GradientStop::new(1.0, color(to.1))],
            SpreadMode::Pad,
            Transform::identity(),
        );
        self.fill(poly_path(points, true), shader.unwrap_or(Shader::SolidColor(color(from.1))));
    }

    /// A rectangle with a gradient from top to bottom.
    pub(super) fn rect_down(&mut self, at: (f32, f32), size: (f32, f32), top: Ink, bottom: Ink) {
        let (right, low) = (at.0 + size.0, at.1 + size.1);
        self.poly_down(&[at, (right, at.1), (right, low), (at.0, low)], (at.1, top), (low, bottom));
    }

    /// A soft spot: `ink` in the middle, nothing at the rim. Light or shadow by its colour.
    pub(super) fn glow(&mut self, center: (f32, f32), radii: (f32, f32), ink: Ink) {
        let squash = radii.1 / radii.0;
        let shader = RadialGradient::new(
            Point::from_xy(0.0, 0.0),
            0.0,
            Point::from_xy(0.0, 0.0),
            radii.0,
            vec![GradientStop::new(0.0, color(ink)), GradientStop::new(1.0, color(alpha(ink, 0)))],
            SpreadMode::Pad,
            Transform::from_row(1.0, 0.0, 0.0, squash, center.0, center.1),
        );
        let rect = Rect::from_xywh(center.0 - radii.0, center.1 - radii.1, 2.0 * radii.0, 2.0 * radii.1);
        if let Some(shader) = shader {
            self.fill(rect.and_then(PathBuilder::from_oval), shader);
        }
    }

    /// An open line with round ends and joints.
    pub(super) fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink) {
        if let Some(path) = poly_path(points, false) {
            let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
            let paint = Paint { shader: Shader::SolidColor(color(ink)), ..Paint::default() };
            let transform = self.transform();
            self.pixmap.stroke_path(&path, &paint, &stroke, transform, None);
        }
    }

    /// Text on a base line; `size` is the em in scene pixels.
    pub(super) fn text(&mut self, font: &FontArc, size: f32, at: (f32, f32), align: Align, what: (&str, Ink)) {
        let width = text_width(font, size, what.0);
        let (x, align) = match (self.mirrored, align) {
            (true, Align::Left) => (WIDTH - at.0, Align::Right),
            (true, Align::Right) => (WIDTH - at.0, Align::Left),
            (true, Align::Middle) => (WIDTH - at.0, Align::Middle),
            (false, align) => (at.0, align),
        };
        let left = match align {
            Align::Left => x,
            Align::Middle => x - width / 2.0,
            Align::Right => x - width,
        };
        if let Some(path) = text_path(font, size, (left, at.1), what.0) {
            let paint = Paint { shader: Shader::SolidColor(color(what.1)), ..Paint::default() };
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.view, None);
        }
    }
}

fn scale_of(font: &FontArc, size: f32) -> f32 {
    size / font.units_per_em().unwrap_or(2048.0)
}

/// How wide a text will be, in scene pixels.
pub(super) fn text_width(font: &FontArc, size: f32, text: &str) -> f32 {
    let units: f32 = text.chars().map(|c| font.h_advance_unscaled(font.glyph_id(c))).sum();
    units * scale_of(font, size)
}

fn text_path(font: &FontArc, size: f32, at: (f32, f32), text: &str) -> Option<Path> {
    let scale = scale_of(font, size);
    let mut path = PathBuilder::new();
    let mut pen = at.0;
    for c in text.chars() {
        let glyph = font.glyph_id(c);
        if let Some(outline) = font.outline(glyph) {
            let place = |p: ab_glyph::Point| (pen + p.x * scale, at.1 - p.y * scale);
            let mut last: Option<ab_glyph::Point> = None;
            for curve in &outline.curves {
                let (OutlineCurve::Line(start, _) | OutlineCurve::Quad(start, ..) | OutlineCurve::Cubic(start, ..)) =
                    *curve;
                // The curves of a glyph come one after the other; a break is a new contour.
                if last != Some(start) {
                    if last.is_some() {
                        path.close();
                    }
                    let (x, y) = place(start);
                    path.move_to(x, y);
                }
                match *curve {
                    OutlineCurve::Line(_, end) => {
                        let (x, y) = place(end);
                        path.line_to(x, y);
                        last = Some(end);
                    }
                    OutlineCurve::Quad(_, mid, end) => {
                        let ((x1, y1), (x, y)) = (place(mid), place(end));
                        path.quad_to(x1, y1, x, y);
                        last = Some(end);
                    }
                    OutlineCurve::Cubic(_, one, two, end) => {
                        let ((x1, y1), (x2, y2), (x, y)) = (place(one), place(two), place(end));
                        path.cubic_to(x1, y1, x2, y2, x, y);
                        last = Some(end);
                    }
                }
            }
            if last.is_some() {
                path.close();
            }
        }
        pen += font.h_advance_unscaled(glyph) * scale;
    }
    path.finish()
}

fn poly_path(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let (first, rest) = points.split_first()?;
    let mut path = PathBuilder::new();
    path.move_to(first.0, first.1);
    for point in rest {
        path.line_to(point.0, point.1);
    }
    if closed {
        path.close();
    }
    path.finish()
}

fn round_path(at: (f32, f32), size: (f32, f32), radius: f32) -> Option<Path> {
    let ((x, y), (right, low)) = (at, (at.0 + size.0, at.1 + size.1));
    let r = radius.min(size.0 / 2.0).min(size.1 / 2.0);
    let mut path = PathBuilder::new();
    path.move_to(x + r, y);
    path.line_to(right - r, y);
    path.quad_to(right, y, right, y + r);
    path.line_to(right, low - r);
    path.quad_to(right, low, right - r, low);
    path.line_to(x + r, low);
    path.quad_to(x, low, x, low - r);
    path.line_to(x, y + r);
    path.quad_to(x, y, x + r, y);
    path.close();
    path.finish()
}

/// A drawn picture with holes that is laid over another again and again: what is opaque is copied, what is
/// translucent is mixed, what is empty costs nothing. tiny-skia's own way is several times slower for whole pictures.
pub(super) struct Layer {
    pixmap: Pixmap,
    spans: Vec<Span>,
}

struct Span {
    start: usize,
    end: usize,
    opaque: bool,
}

impl Layer {
    pub(super) fn new(pixmap: Pixmap) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for (i, pixel) in pixmap.data().chunks_exact(4).enumerate() {
            let (start, opaque) = (i * 4, pixel[3] == 255);
            if pixel[3] == 0 {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.end == start && last.opaque == opaque => last.end = start + 4,
                _ => spans.push(Span { start, end: start + 4, opaque }),
            }
        }
        Self { pixmap, spans }
    }

    /// Lays it over an opaque picture of the same size.
    pub(super) fn over(&self, target: &mut Pixmap) {
        let (source, target) = (self.pixmap.data(), target.data_mut());
        for span in &self.spans {
            let (Some(from), Some(to)) = (source.get(span.start..span.end), target.get_mut(span.start..span.end))
            else {
                return;
            };
            if span.opaque {
                to.copy_from_slice(from);
            } else {
                for (s, d) in from.chunks_exact(4).zip(to.chunks_exact_mut(4)) {
                    let keep = 255 - u32::from(s[3]);
                    for c in 0..3 {
                        // Premultiplied source-over; x * 257 >> 16 divides by 255 closely enough.
                        let under = ((u32::from(d[c]) * keep + 128) * 257) >> 16;
                        d[c] = (u32::from(s[c]) + under).min(255) as u8;
                    }
                    d[3] = 255;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_covers_mixes_and_spares() {
        let mut over = Pixmap::new(3, 1).expect("pixmap");
        over.data_mut().copy_from_slice(&[10, 20, 30, 255, 0, 0, 0, 0, 50, 0, 0, 128]);
        let mut under = Pixmap::new(3, 1).expect("pixmap");
        under.data_mut().copy_from_slice(&[200, 200, 200, 255, 200, 200, 200, 255, 100, 200, 0, 255]);
        Layer::new(over).over(&mut under);
        assert_eq!(under.data(), [10, 20, 30, 255, 200, 200, 200, 255, 100, 100, 0, 255]);
    }
}
