//! Painting a picture: YUV to RGB on the GPU, with the textures of each tile kept between frames.
//!
//! Without wgpu (the glow renderer) the picture is converted on the CPU into an egui texture. Decoding, layout and what is
//! written over a picture do not belong here.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Instant;

use eframe::egui_wgpu::{self, RenderState, wgpu};
use egui::{Color32, ColorImage, Rect, TextureHandle, TextureOptions, pos2, vec2};
use minhbach_decode::{VideoFrame, frame_to_rgba};
use minhbach_model::WallTime;

use super::paint_gpu::{Callback, Gpu};

/// UI frames after which the textures of a tile that is no longer drawn are dropped.
const KEPT_FRAMES: u64 = 120;

/// The whole picture.
pub const FULL_UV: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(1.0, 1.0) };

/// Names a tile whose textures are kept between frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileKey(pub u64);

/// A picture that was handed to what draws the window, which shows it with its next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// When it was taken.
    pub wall: WallTime,
    /// When it was handed over for the first time.
    pub at: Instant,
}

/// How pictures get onto the screen.
pub struct Backend {
    /// UI frames so far.
    tick: Cell<u64>,
    kind: Kind,
}

enum Kind {
    Gpu(Box<RenderState>),
    Cpu(RefCell<HashMap<TileKey, CpuTile>>),
}

struct CpuTile {
    frame_id: u64,
    drawn: Drawn,
    width_px: u32,
    used: u64,
    texture: TextureHandle,
}

impl Backend {
    /// The GPU when eframe runs on wgpu, otherwise the CPU. The window must not be multisampled.
    #[must_use]
    pub fn new(cc: &eframe::CreationContext<'_>) -> Self {
        let kind = match &cc.wgpu_render_state {
            Some(state) => {
                let gpu = Gpu::new(&state.device, state.target_format);
                state.renderer.write().callback_resources.insert(gpu);
                Kind::Gpu(Box::new(state.clone()))
            }
            None => Kind::Cpu(RefCell::default()),
        };
        Self { tick: Cell::new(0), kind }
    }

    /// Painting on the CPU only.
    #[cfg(test)]
    pub fn cpu() -> Self {
        Self { tick: Cell::new(0), kind: Kind::Cpu(RefCell::default()) }
    }

    /// Whether pictures are converted by the graphics interface rather than by the CPU.
    #[must_use]
    pub fn is_gpu(&self) -> bool {
        matches!(self.kind, Kind::Gpu(_))
    }

    /// Whether "the GPU" is a program that pretends to be one, which costs much CPU.
    #[must_use]
    pub fn is_software_rasteriser(&self) -> bool {
        match &self.kind {
            Kind::Gpu(state) => state.adapter.get_info().device_type == wgpu::DeviceType::Cpu,
            Kind::Cpu(_) => false,
        }
    }

    /// The picture that a tile has drawn last, if it is one of those that are kept.
    #[must_use]
    pub fn drawn(&self, key: TileKey) -> Option<Drawn> {
        match &self.kind {
            Kind::Gpu(state) => state.renderer.read().callback_resources.get::<Gpu>().and_then(|gpu| gpu.drawn(key)),
            Kind::Cpu(tiles) => tiles.borrow().get(&key).map(|tile| tile.drawn),
        }
    }

    /// To be called once at the end of each UI frame: forgets tiles that are no longer drawn.
    pub fn end_frame(&self) {
        let tick = self.tick.get() + 1;
        self.tick.set(tick);
        if !tick.is_multiple_of(KEPT_FRAMES) {
            return;
        }
        let oldest = tick.saturating_sub(KEPT_FRAMES);
        match &self.kind {
            Kind::Gpu(state) => {
                if let Some(gpu) = state.renderer.write().callback_resources.get_mut::<Gpu>() {
                    gpu.forget_before(oldest);
                }
            }
            Kind::Cpu(tiles) => tiles.borrow_mut().retain(|_, tile| tile.used >= oldest),
        }
    }
}

/// Draws a picture into `rect`, which already has its shape (see [`fit`]); of the picture the part `zoom_uv` is shown.
pub fn video(painter: &egui::Painter, rect: Rect, zoom_uv: Rect, key: TileKey, frame: &VideoFrame, backend: &Backend) {
    if !painter.clip_rect().intersects(rect) || rect.width() < 1.0 || rect.height() < 1.0 {
        return;
    }
    match &backend.kind {
        Kind::Gpu(_) => {
            let callback = Callback::new(key, frame.clone(), zoom_uv, backend.tick.get());
            painter.add(egui_wgpu::Callback::new_paint_callback(rect, callback));
        }
        Kind::Cpu(tiles) => {
            let texture = cpu_texture(painter, rect, zoom_uv, key, frame, (tiles, backend.tick.get()));
            painter.image(texture, rect, zoom_uv, Color32::WHITE);
        }
    }
}

/// The texture of a tile, converted anew when the picture or the wanted size has changed.
fn cpu_texture(
    painter: &egui::Painter,
    rect: Rect,
    zoom_uv: Rect,
    key: TileKey,
    frame: &VideoFrame,
    (tiles, tick): (&RefCell<HashMap<TileKey, CpuTile>>, u64),
) -> egui::TextureId {
    let zoom = 1.0 / zoom_uv.width().clamp(0.05, 1.0);
    let width_px = (rect.width() * painter.pixels_per_point() * zoom).ceil().clamp(1.0, 4096.0) as u32;
    let width_px = width_px.min(frame.width()).next_multiple_of(16);
    let mut tiles = tiles.borrow_mut();
    if let Some(tile) = tiles.get_mut(&key)
        && tile.frame_id == frame.id()
        && tile.width_px == width_px
    {
        tile.used = tick;
        return tile.texture.id();
    }
    let rgba = frame_to_rgba(frame, width_px);
    let image = ColorImage::from_rgba_premultiplied([rgba.width as usize, rgba.height as usize], &rgba.pixels);
    let drawn = Drawn { wall: frame.wall(), at: Instant::now() };
    if let Some(tile) = tiles.get_mut(&key) {
        tile.texture.set(image, TextureOptions::LINEAR);
        if tile.frame_id != frame.id() {
            (tile.frame_id, tile.drawn) = (frame.id(), drawn);
        }
        (tile.width_px, tile.used) = (width_px, tick);
        return tile.texture.id();
    }
    let texture = painter.ctx().load_texture(format!("tile {}", key.0), image, TextureOptions::LINEAR);
    let id = texture.id();
    tiles.insert(key, CpuTile { frame_id: frame.id(), drawn, width_px, used: tick, texture });
    id
}

/// The largest rectangle of the picture's shape in the middle of `area`.
#[must_use]
pub fn fit(area: Rect, frame: &VideoFrame) -> Rect {
    fit_aspect(area, frame.display_aspect())
}

/// The same for a shape given as width to height.
#[must_use]
pub fn fit_aspect(area: Rect, aspect: f32) -> Rect {
    let (width, height) = (area.width().max(0.0), area.height().max(0.0));
    let size = if width > height * aspect { vec2(height * aspect, height) } else { vec2(width, width / aspect) };
    Rect::from_center_size(area.center(), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_fitted_without_being_stretched() {
        let wide = Rect::from_min_size(pos2(10.0, 0.0), vec2(400.0, 100.0));
        let fitted = fit_aspect(wide, 2.0);
        assert_eq!(fitted, Rect::from_min_size(pos2(110.0, 0.0), vec2(200.0, 100.0)));
        let tall = Rect::from_min_size(pos2(0.0, 0.0), vec2(100.0, 400.0));
        assert_eq!(fit_aspect(tall, 2.0), Rect::from_min_size(pos2(0.0, 175.0), vec2(100.0, 50.0)));
    }

    #[test]
    fn a_texture_is_made_once_a_picture_and_dropped_when_not_drawn() {
        let backend = Backend::cpu();
        let ctx = egui::Context::default();
        let painter = egui::Painter::new(
            ctx,
            egui::LayerId::background(),
            Rect::from_min_size(pos2(0.0, 0.0), vec2(640.0, 480.0)),
        );
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(64.0, 36.0));
        let frame = VideoFrame::solid(64, 36, [128, 128, 128], WallTime(0));
        video(&painter, rect, FULL_UV, TileKey(1), &frame, &backend);
        let Kind::Cpu(tiles) = &backend.kind else { panic!("not on the CPU") };
        let first = tiles.borrow()[&TileKey(1)].texture.id();
        let newer = VideoFrame::solid(64, 36, [200, 128, 128], WallTime(1));
        video(&painter, rect, FULL_UV, TileKey(1), &newer, &backend);
        assert_eq!(tiles.borrow()[&TileKey(1)].texture.id(), first);
        assert_eq!(tiles.borrow()[&TileKey(1)].frame_id, newer.id());
        let drawn = backend.drawn(TileKey(1)).map(|drawn| drawn.wall);
        assert_eq!((drawn, backend.drawn(TileKey(2))), (Some(WallTime(1)), None));
        for _ in 0..2 * KEPT_FRAMES {
            backend.end_frame();
        }
        assert!(tiles.borrow().is_empty());
    }
}
