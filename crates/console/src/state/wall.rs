//! A wall of tiles: layout, which camera is where, promotion, digital zoom, which stream each tile needs.
//!
//! Pure data: no drawing, no network, no clock.

use std::collections::HashMap;

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use minhbach_model::{CameraId, StreamKind};
use serde::{Deserialize, Serialize};

/// Tiles kept, whatever the layout shows.
pub const SLOTS: usize = 16;
/// A tile taller than this many pixels gets the main stream …
const MAIN_ABOVE_PX: f32 = 480.0;
/// … and gives it back only below this, so that a tile near the border does not switch to and fro.
const SUB_BELOW_PX: f32 = 400.0;
const MAX_ZOOM: f32 = 8.0;

/// How the wall is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One tile.
    One,
    /// 2 × 2.
    Four,
    /// One large and seven small.
    OnePlusSeven,
    /// 3 × 3.
    Nine,
    /// 4 × 4.
    Sixteen,
}

impl Layout {
    /// Every layout, in the order of the chooser.
    pub const ALL: [Self; 5] = [Self::One, Self::Four, Self::OnePlusSeven, Self::Nine, Self::Sixteen];

    /// Tiles shown.
    #[must_use]
    pub fn tiles(self) -> usize {
        match self {
            Self::One => 1,
            Self::Four => 4,
            Self::OnePlusSeven => 8,
            Self::Nine => 9,
            Self::Sixteen => 16,
        }
    }

    /// The smallest that shows that many cameras.
    #[must_use]
    pub fn for_count(count: usize) -> Self {
        match count {
            0..=1 => Self::One,
            2..=4 => Self::Four,
            5..=8 => Self::OnePlusSeven,
            9 => Self::Nine,
            _ => Self::Sixteen,
        }
    }

    /// The layout of that number of tiles, as on the command line.
    #[must_use]
    pub fn from_tiles(tiles: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.tiles() == usize::from(tiles))
    }

    /// Each tile in units of the wall (0 to 1), slot by slot.
    #[must_use]
    pub fn cells(self) -> Vec<Rect> {
        let grid = |n: u8| {
            let side = 1.0 / f32::from(n);
            (0..n).flat_map(move |row| {
                (0..n).map(move |column| {
                    Rect::from_min_size(pos2(f32::from(column) * side, f32::from(row) * side), Vec2::splat(side))
                })
            })
        };
        match self {
            Self::One => grid(1).collect(),
            Self::Four => grid(2).collect(),
            Self::Nine => grid(3).collect(),
            Self::Sixteen => grid(4).collect(),
            Self::OnePlusSeven => {
                let mut cells = vec![Rect::from_min_size(Pos2::ZERO, Vec2::splat(0.75))];
                // The ring: those cells of the 4 × 4 grid that the large tile does not cover.
                cells.extend(grid(4).filter(|cell| cell.min.x >= 0.75 || cell.min.y >= 0.75));
                cells
            }
        }
    }
}

/// Digital zoom into a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zoom {
    /// 1 shows all of it.
    pub scale: f32,
    /// Its shown middle, in units of the picture.
    pub center: Pos2,
}

impl Default for Zoom {
    fn default() -> Self {
        Self { scale: 1.0, center: pos2(0.5, 0.5) }
    }
}

impl Zoom {
    /// The shown part, in units of the picture.
    #[must_use]
    pub fn uv(&self) -> Rect {
        Rect::from_center_size(self.center, Vec2::splat(1.0 / self.scale))
    }

    /// Scales about a point that stays where it is; `at` is in units of the shown part.
    #[must_use]
    pub fn about(&self, at: Pos2, factor: f32) -> Self {
        let scale = (self.scale * factor).clamp(1.0, MAX_ZOOM);
        let uv = self.uv();
        let fixed = uv.min + vec2(at.x * uv.width(), at.y * uv.height());
        let center = fixed + (pos2(0.5, 0.5) - at) / scale;
        Self { scale, center }.kept_inside()
    }

    /// Moves the shown part; `by` is in units of it.
    #[must_use]
    pub fn moved(&self, by: Vec2) -> Self {
        Self { scale: self.scale, center: self.center - by / self.scale }.kept_inside()
    }

    fn kept_inside(self) -> Self {
        let half = 0.5 / self.scale;
        let keep = |value: f32| value.clamp(half, 1.0 - half);
        Self { scale: self.scale, center: pos2(keep(self.center.x), keep(self.center.y)) }
    }
}

/// A wall of tiles.
#[derive(Debug, Clone)]
pub struct Wall {
    layout: Layout,
    slots: [Option<CameraId>; SLOTS],
    promoted: Option<usize>,
    selected: Option<usize>,
    zoom: HashMap<CameraId, Zoom>,
    streams: HashMap<CameraId, StreamKind>,
    /// The camera that is heard.
    pub audible: Option<CameraId>,
}

impl Wall {
    /// An empty wall.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            slots: [None; SLOTS],
            promoted: None,
            selected: None,
            zoom: HashMap::new(),
            streams: HashMap::new(),
            audible: None,
        }
    }

    /// A wall as it was kept; cameras named twice are taken once.
    #[must_use]
    pub fn restored(layout: Layout, cameras: &[Option<CameraId>]) -> Self {
        let mut wall = Self::new(layout);
        for (slot, camera) in cameras.iter().take(SLOTS).enumerate() {
            if let Some(camera) = camera
                && wall.slot_of(*camera).is_none()
            {
                wall.slots[slot] = Some(*camera);
            }
        }
        wall
    }

    /// Its layout.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// All tiles, also those the layout does not show.
    #[must_use]
    pub fn slots(&self) -> &[Option<CameraId>; SLOTS] {
        &self.slots
    }

    /// Whether no tile has a camera.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// The tile shown alone.
    #[must_use]
    pub fn promoted(&self) -> Option<usize> {
        self.promoted
    }

    /// The selected tile.
    #[must_use]
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// The tile a key acts on: the selected one, else the one shown alone, else the first with a camera.
    #[must_use]
    pub fn leading(&self) -> Option<CameraId> {
        let selected = self.selected.or(self.promoted).and_then(|slot| self.slots[slot]);
        selected
            .filter(|camera| self.visible_cameras().contains(camera))
            .or_else(|| self.visible_cameras().first().copied())
    }

    /// Slot and place (0 to 1) of each tile shown.
    #[must_use]
    pub fn visible(&self) -> Vec<(usize, Rect)> {
        match self.promoted {
            Some(slot) => vec![(slot, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)))],
            None => self.layout.cells().into_iter().enumerate().collect(),
        }
    }

    /// The cameras in the tiles shown.
    #[must_use]
    pub fn visible_cameras(&self) -> Vec<CameraId> {
        self.visible().into_iter().filter_map(|(slot, _)| self.slots[slot]).collect()
    }

    /// Where a camera is.
    #[must_use]
    pub fn slot_of(&self, camera: CameraId) -> Option<usize> {
        self.slots.iter().position(|slot| *slot == Some(camera))
    }

    /// Divides the wall anew; what does not fit any more is kept for a larger layout.
    pub fn set_layout(&mut self, layout: Layout) {
        self.layout = layout;
        self.promoted = None;
        self.selected = self.selected.filter(|slot| *slot < layout.tiles());
    }

    /// Puts a camera into a tile. One that is on the wall already changes places with what was there.
    pub fn place(&mut self, camera: CameraId, slot: usize) {
        if slot >= SLOTS {
            return;
        }
        match self.slot_of(camera) {
            Some(from) => self.slots.swap(from, slot),
            None => self.slots[slot] = Some(camera),
        }
        self.selected = Some(slot);
    }

    /// Shows a camera: where it is, else in the next free tile, else in the selected or the last tile.
    pub fn show(&mut self, camera: CameraId) {
        let tiles = self.layout.tiles();
        if let Some(slot) = self.slot_of(camera).filter(|slot| *slot < tiles) {
            self.selected = Some(slot);
            self.promoted = self.promoted.map(|_| slot);
            return;
        }
        let free = self.slots[..tiles].iter().position(Option::is_none);
        let slot = free.or(self.selected).unwrap_or(tiles - 1);
        self.place(camera, slot);
        self.promoted = self.promoted.map(|_| slot);
    }

    /// Fills free tiles with those cameras that are not on the wall.
    pub fn fill(&mut self, cameras: &[CameraId]) {
        for camera in cameras {
            let Some(free) = self.slots[..self.layout.tiles()].iter().position(Option::is_none) else { return };
            if self.slot_of(*camera).is_none() {
                self.slots[free] = Some(*camera);
            }
        }
    }

    /// Shows exactly these cameras in the smallest layout that holds them.
    pub fn set_cameras(&mut self, cameras: &[CameraId]) {
        self.set_layout(Layout::for_count(cameras.len()));
        self.slots = [None; SLOTS];
        self.fill(cameras);
        self.selected = Some(0);
    }

    /// Changes two tiles.
    pub fn swap(&mut self, a: usize, b: usize) {
        if a < SLOTS && b < SLOTS {
            self.slots.swap(a, b);
            self.selected = Some(b);
        }
    }

    /// Empties a tile.
    pub fn clear(&mut self, slot: usize) {
        if let Some(camera) = self.slots.get_mut(slot).and_then(Option::take) {
            self.zoom.remove(&camera);
            self.streams.remove(&camera);
            self.audible = self.audible.filter(|audible| *audible != camera);
            self.promoted = self.promoted.filter(|promoted| *promoted != slot);
        }
    }

    /// Selects a tile.
    pub fn select(&mut self, slot: usize) {
        self.selected = (slot < SLOTS).then_some(slot);
    }

    /// Selects the tile that many tiles further on, among those shown.
    pub fn select_next(&mut self, by: isize) {
        let shown: Vec<usize> = self.visible().into_iter().map(|(slot, _)| slot).collect();
        let at = self.selected.and_then(|slot| shown.iter().position(|shown| *shown == slot));
        let last = shown.len().saturating_sub(1);
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
        self.selected = shown.get(next).copied();
    }

    /// Makes a tile large, or back. In the ring layout a small tile first changes places with the large one.
    pub fn promote(&mut self, slot: usize) {
        if self.promoted.take().is_some() {
            return;
        }
        if self.slots.get(slot).copied().flatten().is_none() {
            return;
        }
        if self.layout == Layout::OnePlusSeven && slot != 0 {
            self.slots.swap(0, slot);
            self.selected = Some(0);
        } else if self.layout != Layout::One {
            self.promoted = Some(slot);
            self.selected = Some(slot);
        }
    }

    /// Shows all tiles again.
    pub fn demote(&mut self) {
        self.promoted = None;
    }

    /// Zoom of a camera.
    #[must_use]
    pub fn zoom(&self, camera: CameraId) -> Zoom {
        self.zoom.get(&camera).copied().unwrap_or_default()
    }

    /// Sets it.
    pub fn set_zoom(&mut self, camera: CameraId, zoom: Zoom) {
        if zoom.scale <= 1.0 {
            self.zoom.remove(&camera);
        } else {
            self.zoom.insert(camera, zoom);
        }
    }

    /// Takes note of how tall a camera's tile is drawn, in pixels, and decides which stream it needs.
    pub fn measure(&mut self, camera: CameraId, height_px: f32) {
        let now = self.stream(camera);
        let next = match now {
            StreamKind::Sub if height_px > MAIN_ABOVE_PX => StreamKind::Main,
            StreamKind::Main if height_px < SUB_BELOW_PX => StreamKind::Sub,
            kept => kept,
        };
        self.streams.insert(camera, next);
    }

    /// The stream a camera's tile needs; small until it is measured.
    #[must_use]
    pub fn stream(&self, camera: CameraId) -> StreamKind {
        self.streams.get(&camera).copied().unwrap_or(StreamKind::Sub)
    }

    /// Whether measuring would change the stream: spares a command a frame for each tile.
    #[must_use]
    pub fn needs_measure(&self, camera: CameraId, height_px: f32) -> bool {
        match self.stream(camera) {
            StreamKind::Sub => height_px > MAIN_ABOVE_PX,
            StreamKind::Main => height_px < SUB_BELOW_PX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras(count: usize) -> Vec<CameraId> {
        (0..count).map(|_| CameraId::generate()).collect()
    }

    #[test]
    fn every_layout_covers_the_wall_without_overlap() {
        for layout in Layout::ALL {
            let cells = layout.cells();
            assert_eq!(cells.len(), layout.tiles(), "{layout:?}");
            let area: f32 = cells.iter().map(|cell| cell.area()).sum();
            assert!((area - 1.0).abs() < 1e-4, "{layout:?} covers {area}");
        }
        assert_eq!(Layout::from_tiles(8), Some(Layout::OnePlusSeven));
        assert_eq!(Layout::from_tiles(5), None);
    }

    #[test]
    fn a_camera_goes_to_the_next_free_tile_and_is_never_shown_twice() {
        let ids = cameras(3);
        let mut wall = Wall::new(Layout::Four);
        wall.place(ids[0], 1);
        wall.show(ids[1]);
        wall.show(ids[2]);
        assert_eq!(wall.slots()[..4], [Some(ids[1]), Some(ids[0]), Some(ids[2]), None]);
        wall.show(ids[0]);
        assert_eq!(wall.selected(), Some(1));
        wall.place(ids[0], 0);
        assert_eq!(wall.slots()[..4], [Some(ids[0]), Some(ids[1]), Some(ids[2]), None]);
        assert_eq!(Wall::restored(Layout::Four, &[Some(ids[0]), Some(ids[0])]).slots()[1], None);
    }

    #[test]
    fn a_full_wall_gives_up_the_selected_tile() {
        let ids = cameras(5);
        let mut wall = Wall::new(Layout::Four);
        wall.fill(&ids[..4]);
        wall.select(2);
        wall.show(ids[4]);
        assert_eq!(wall.slots()[2], Some(ids[4]));
    }

    #[test]
    fn promotion_shows_one_tile_and_comes_back() {
        let ids = cameras(4);
        let mut wall = Wall::new(Layout::Four);
        wall.fill(&ids);
        wall.promote(2);
        assert_eq!(wall.visible_cameras(), vec![ids[2]]);
        wall.promote(2);
        assert_eq!(wall.visible_cameras(), ids);
    }

    #[test]
    fn in_the_ring_a_small_tile_changes_places_with_the_large_one() {
        let ids = cameras(8);
        let mut wall = Wall::new(Layout::OnePlusSeven);
        wall.fill(&ids);
        wall.promote(3);
        assert_eq!((wall.slots()[0], wall.slots()[3]), (Some(ids[3]), Some(ids[0])));
        assert_eq!(wall.visible().len(), 8);
        wall.promote(0);
        assert_eq!(wall.visible_cameras(), vec![ids[3]], "the large one fills the wall");
    }

    #[test]
    fn a_smaller_layout_keeps_the_cameras_for_later() {
        let ids = cameras(4);
        let mut wall = Wall::new(Layout::Four);
        wall.fill(&ids);
        wall.set_layout(Layout::One);
        assert_eq!(wall.visible_cameras(), vec![ids[0]]);
        wall.set_layout(Layout::Four);
        assert_eq!(wall.visible_cameras(), ids);
    }

    #[test]
    fn clearing_a_tile_takes_its_sound_along() {
        let ids = cameras(1);
        let mut wall = Wall::new(Layout::One);
        wall.fill(&ids);
        wall.audible = Some(ids[0]);
        wall.clear(0);
        assert_eq!((wall.audible, wall.is_empty()), (None, true));
    }

    #[test]
    fn the_stream_follows_the_height_with_hysteresis() {
        let id = cameras(1)[0];
        let mut wall = Wall::new(Layout::One);
        let mut at = |height: f32| {
            wall.measure(id, height);
            wall.stream(id)
        };
        assert_eq!(at(450.0), StreamKind::Sub);
        assert_eq!(at(500.0), StreamKind::Main);
        assert_eq!(at(450.0), StreamKind::Main, "it does not fall back at once");
        assert_eq!(at(390.0), StreamKind::Sub);
    }

    #[test]
    fn zoom_keeps_the_point_under_the_pointer_and_stays_inside() {
        let zoom = Zoom::default().about(pos2(0.25, 0.5), 2.0);
        assert!((zoom.uv().min.x - 0.125).abs() < 1e-5, "{:?}", zoom.uv());
        let corner = Zoom::default().about(pos2(0.0, 0.0), 4.0).moved(vec2(3.0, 3.0));
        assert_eq!(corner.uv().min, pos2(0.0, 0.0));
        assert_eq!(Zoom::default().about(pos2(0.5, 0.5), 100.0).scale, MAX_ZOOM);
        assert_eq!(zoom.about(pos2(0.2, 0.2), 0.01).uv(), Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)));
    }

    #[test]
    fn arrows_move_the_selection_among_the_tiles_shown() {
        let mut wall = Wall::new(Layout::Four);
        wall.select_next(1);
        assert_eq!(wall.selected(), Some(0));
        wall.select_next(1);
        wall.select_next(1);
        assert_eq!(wall.selected(), Some(2));
        wall.select_next(5);
        assert_eq!(wall.selected(), Some(3));
        wall.select_next(-9);
        assert_eq!(wall.selected(), Some(0));
    }
}
