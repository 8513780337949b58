//! The scene that simulated cameras look at: a service counter, drawn frame by frame, and what can go wrong with it.
//!
//! Belongs here: drawing. Does not belong here: encoding (`clips`) and when a frame is shown (`camera`).

mod canvas;
mod look;
mod overlay;
mod people;
mod room;

use std::path::PathBuf;

use tiny_skia::{Color, FilterQuality, Pixmap, PixmapPaint, Transform};

pub use canvas::Fonts;
pub use look::Look;
pub use overlay::{CELL, CELLS};

use canvas::{Canvas, HEIGHT, Layer, WIDTH, alpha, rgb};
use look::{VARIANTS, Variant};

/// Pixels of a frame, across.
pub const FRAME_WIDTH: u32 = WIDTH as u32;
/// Pixels of a frame, down.
pub const FRAME_HEIGHT: u32 = HEIGHT as u32;

/// A blurred picture is drawn this much smaller and pulled up again.
const BLUR: f32 = 16.0;
/// The moment at which a frozen camera stands still.
const FROZEN_PHASE: f32 = 0.37;

/// Failures of drawing.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// A font is missing.
    #[error("font {} cannot be read; Debian has it in fonts-dejavu-core", path.display())]
    FontFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A font is broken.
    #[error("font {} is not a font", path.display())]
    FontFormat {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ab_glyph::InvalidFont,
    },
    /// No memory for a picture.
    #[error("no room for a picture")]
    Picture,
}

/// A scene under one look, ready to give frames. Frames can be drawn on several threads at once.
pub struct Scene {
    variant: &'static Variant,
    look: Look,
    fonts: Fonts,
    /// What stands behind everything that moves; for looks without movement the whole picture without the overlay.
    back: Pixmap,
    /// What stands before it; none where nothing moves.
    front: Option<Layer>,
    view: Transform,
}

impl Scene {
    /// Prepares the parts that stand still. `scene` counts modulo the scenes there are.
    pub fn new(scene: u8, look: Look, fonts: &Fonts) -> Result<Self, SceneError> {
        let variant = &VARIANTS[usize::from(scene) % VARIANTS.len()];
        let fonts = fonts.clone();
        let full = || Pixmap::new(FRAME_WIDTH, FRAME_HEIGHT).ok_or(SceneError::Picture);
        let (view, (width, height)) = match look {
            Look::Blurred => {
                (Transform::from_scale(1.0 / BLUR, 1.0 / BLUR), ((WIDTH / BLUR) as u32, (HEIGHT / BLUR).ceil() as u32))
            }
            // Turned up and to the side, a little crooked, and closer.
            Look::Shifted => (
                Transform::from_scale(1.55, 1.55).post_rotate(4.0).post_translate(-860.0, -230.0),
                (FRAME_WIDTH, FRAME_HEIGHT),
            ),
            Look::Normal | Look::Frozen | Look::Black | Look::Covered => {
                (Transform::identity(), (FRAME_WIDTH, FRAME_HEIGHT))
            }
        };
        let mut made = Self { variant, look, fonts, back: full()?, front: None, view };
        match look {
            Look::Black => made.back.fill(Color::from_rgba8(7, 7, 9, 255)),
            Look::Covered => made.back = made.covered(full()?),
            Look::Normal | Look::Frozen | Look::Blurred | Look::Shifted => {
                let part = || Pixmap::new(width, height).ok_or(SceneError::Picture);
                let mut canvas = Canvas::new(part()?, view, variant.mirrored);
                canvas.pixmap.fill(Color::from_rgba8(200, 204, 206, 255));
                room::draw_back(&mut canvas, &made.fonts, variant);
                made.back = canvas.pixmap;
                let mut canvas = Canvas::new(part()?, view, variant.mirrored);
                room::draw_front(&mut canvas, &made.fonts, variant);
                made.front = Some(Layer::new(canvas.pixmap));
            }
        }
        if look == Look::Frozen {
            made.back = made.moving(FROZEN_PHASE);
            made.front = None;
        }
        Ok(made)
    }

    /// A hand's breadth of cloth before the lens: dark, warm, lighter where the ceiling shines through.
    fn covered(&self, pixmap: Pixmap) -> Pixmap {
        let mut canvas = Canvas::new(pixmap, self.view, self.variant.mirrored);
        canvas.rect_down((0.0, 0.0), (WIDTH, HEIGHT), rgb(0x3a2a20), rgb(0x1c1411));
        canvas.glow((1500.0, 60.0), (900.0, 500.0), alpha(rgb(0x7a4d34), 120));
        canvas.glow((500.0, 900.0), (800.0, 420.0), alpha(rgb(0x000000), 120));
        canvas.pixmap
    }

    /// The picture at a phase, without the overlay.
    fn moving(&self, phase: f32) -> Pixmap {
        let Some(front) = &self.front else {
            return self.back.clone();
        };
        let mut canvas = Canvas::new(self.back.clone(), self.view, self.variant.mirrored);
        people::draw_behind(&mut canvas, &self.fonts, self.variant, phase);
        front.over(&mut canvas.pixmap);
        people::draw_before(&mut canvas, self.variant, phase);
        canvas.pixmap
    }

    /// Frame `n` of a clip in which the movement takes `period` frames; opaque RGBA.
    pub fn frame(&self, n: u32, period: u32) -> Result<Pixmap, SceneError> {
        let phase = (n % period) as f32 / period as f32;
        let picture = self.moving(phase);
        let picture = if self.look == Look::Blurred { enlarge(&picture)? } else { picture };
        let mut canvas = Canvas::new(picture, Transform::identity(), false);
        // A frozen camera has a frozen clock.
        let shown = if self.look == Look::Frozen { 0 } else { n };
        overlay::draw(&mut canvas, &self.fonts, self.variant, shown);
        Ok(canvas.pixmap)
    }
}

fn enlarge(small: &Pixmap) -> Result<Pixmap, SceneError> {
    let mut large = Pixmap::new(FRAME_WIDTH, FRAME_HEIGHT).ok_or(SceneError::Picture)?;
    large.fill(Color::from_rgba8(200, 204, 206, 255));
    let paint = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
    large.draw_pixmap(0, 0, small.as_ref(), &paint, Transform::from_scale(BLUR, BLUR), None);
    Ok(large)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(picture: &Pixmap) -> u32 {
        (0..CELLS)
            .filter(|bit| {
                let x = (*bit as f32 * CELL + CELL / 2.0) as u32;
                picture.pixel(x, (CELL / 2.0) as u32).is_some_and(|pixel| pixel.red() > 127)
            })
            .map(|bit| 1 << bit)
            .sum()
    }

    #[test]
    fn every_look_is_opaque_and_counts() {
        let fonts = Fonts::load().expect("Debian's fonts");
        for (look, counted) in [
            (Look::Normal, 41),
            (Look::Frozen, 0),
            (Look::Black, 41),
            (Look::Covered, 41),
            (Look::Blurred, 41),
            (Look::Shifted, 41),
        ] {
            let picture = Scene::new(1, look, &fonts).expect("scene").frame(41, 300).expect("frame");
            assert_eq!((picture.width(), picture.height()), (FRAME_WIDTH, FRAME_HEIGHT));
            assert_eq!(cells(&picture), counted, "{look:?}");
            assert!(picture.pixels().iter().all(|pixel| pixel.alpha() == 255), "{look:?} has holes");
        }
    }

    #[test]
    fn movement_moves_and_the_clip_closes() {
        let fonts = Fonts::load().expect("Debian's fonts");
        let scene = Scene::new(0, Look::Normal, &fonts).expect("scene");
        assert_ne!(scene.moving(0.1).data(), scene.moving(0.15).data());
        let below_overlay = |n| {
            let picture = scene.frame(n, 300).expect("frame");
            picture.data()[130 * FRAME_WIDTH as usize * 4..].to_vec()
        };
        assert!(below_overlay(0) == below_overlay(300), "the movement must end where it began");
    }
}
