//! One decoded picture: three 8-bit planes, its colours and its times. Cheap to clone.
//!
//! The planes are the decoder's own buffers, referenced, not copied; they go back to its pool with the last clone.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ffmpeg_next::frame;
use minhbach_model::{Ticks, WallTime};

use crate::color::{ColorMatrix, ColorRange};
use crate::raw;

/// A plane of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Luma, full size.
    Y,
    /// Blue difference, half size each way.
    U,
    /// Red difference, half size each way.
    V,
}

impl Plane {
    /// All three, in order of storage.
    pub const ALL: [Self; 3] = [Self::Y, Self::U, Self::V];
}

/// The bytes of one plane.
#[derive(Debug, Clone, Copy)]
pub struct PlaneView<'a> {
    /// Rows one after another, each `stride` bytes from the one before; the last row ends after `width` bytes.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A decoded picture in 8-bit 4:2:0.
#[derive(Clone)]
pub struct VideoFrame {
    inner: Arc<Inner>,
}

/// What a picture carries beside its pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameInfo {
    pub width: u32,
    pub height: u32,
    pub matrix: ColorMatrix,
    pub range: ColorRange,
    pub sample_aspect: (u32, u32),
    pub wall: WallTime,
    pub pts: Ticks,
}

struct Inner {
    id: u64,
    info: FrameInfo,
    pixels: Pixels,
}

enum Pixels {
    Decoded(frame::Video),
    Tight([Vec<u8>; 3]),
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl VideoFrame {
    /// Takes over a decoded yuv420p or yuvj420p picture; `None` when its planes are not what the format promises.
    pub(crate) fn decoded(picture: frame::Video, info: FrameInfo) -> Option<Self> {
        for (index, plane) in Plane::ALL.into_iter().enumerate() {
            let (width, height) = plane_size(plane, info.width, info.height);
            raw::plane(&picture, index, width as usize, height as usize)?;
        }
        Some(Self { inner: Arc::new(Inner { id: next_id(), info, pixels: Pixels::Decoded(picture) }) })
    }

    /// A picture of one colour, limited-range BT.709: for placeholders and tests.
    ///
    /// Sizes are held between 2 and 16,384 pixels.
    #[must_use]
    pub fn solid(width: u32, height: u32, yuv: [u8; 3], wall: WallTime) -> Self {
        let (width, height) = (width.clamp(2, 16_384), height.clamp(2, 16_384));
        let fill = |plane: Plane, value: u8| {
            let (width, height) = plane_size(plane, width, height);
            vec![value; width as usize * height as usize]
        };
        let planes = [fill(Plane::Y, yuv[0]), fill(Plane::U, yuv[1]), fill(Plane::V, yuv[2])];
        let info = FrameInfo {
            width,
            height,
            matrix: ColorMatrix::Bt709,
            range: ColorRange::Limited,
            sample_aspect: (1, 1),
            wall,
            pts: Ticks(0),
        };
        Self { inner: Arc::new(Inner { id: next_id(), info, pixels: Pixels::Tight(planes) }) }
    }

    /// Differs for each picture of a process; clones share it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.inner.id
    }

    /// Luma width, pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.inner.info.width
    }

    /// Luma height, pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.inner.info.height
    }

    /// When it was taken.
    #[must_use]
    pub fn wall(&self) -> WallTime {
        self.inner.info.wall
    }

    /// Its presentation time in the run, in 90 kHz ticks.
    #[must_use]
    pub fn pts(&self) -> Ticks {
        self.inner.info.pts
    }

    /// Its colour matrix.
    #[must_use]
    pub fn matrix(&self) -> ColorMatrix {
        self.inner.info.matrix
    }

    /// Its range of values.
    #[must_use]
    pub fn range(&self) -> ColorRange {
        self.inner.info.range
    }

    /// Width to height of one pixel.
    #[must_use]
    pub fn sample_aspect(&self) -> (u32, u32) {
        self.inner.info.sample_aspect
    }

    /// Width to height of the whole picture as it is to be shown.
    #[must_use]
    pub fn display_aspect(&self) -> f32 {
        let (num, den) = self.sample_aspect();
        (self.width() as f32 * num as f32) / (self.height() as f32 * den as f32)
    }

    /// The bytes of a plane.
    #[must_use]
    pub fn plane(&self, plane: Plane) -> PlaneView<'_> {
        let info = &self.inner.info;
        let (width, height) = plane_size(plane, info.width, info.height);
        let index = plane as usize;
        let (data, stride) = match &self.inner.pixels {
            // Checked when the frame was made, so the fallback is never taken.
            Pixels::Decoded(picture) => {
                raw::plane(picture, index, width as usize, height as usize).unwrap_or((&[], width as usize))
            }
            Pixels::Tight(planes) => (planes[index].as_slice(), width as usize),
        };
        PlaneView { data, stride, width, height }
    }
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoFrame").field("id", &self.inner.id).field("info", &self.inner.info).finish_non_exhaustive()
    }
}

/// The size of a plane of a 4:2:0 picture: chroma rounds up.
fn plane_size(plane: Plane, width: u32, height: u32) -> (u32, u32) {
    match plane {
        Plane::Y => (width, height),
        Plane::U | Plane::V => (width.div_ceil(2), height.div_ceil(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_keep_the_last_column_of_chroma() {
        let frame = VideoFrame::solid(5, 3, [1, 2, 3], WallTime(7));
        let chroma = frame.plane(Plane::V);
        assert_eq!((chroma.width, chroma.height, chroma.data.len()), (3, 2, 6));
        assert_eq!(chroma.data[5], 3);
        assert_eq!(frame.plane(Plane::Y).data.len(), 15);
    }

    #[test]
    fn clones_are_the_same_picture_and_others_are_not() {
        let one = VideoFrame::solid(2, 2, [0, 0, 0], WallTime(0));
        assert_eq!(one.clone().id(), one.id());
        assert_ne!(VideoFrame::solid(2, 2, [0, 0, 0], WallTime(0)).id(), one.id());
    }

    #[test]
    fn frames_cross_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<VideoFrame>();
    }

    #[test]
    fn an_anamorphic_picture_is_shown_wide() {
        let mut picture = VideoFrame::solid(704, 576, [0, 0, 0], WallTime(0));
        let inner = Arc::get_mut(&mut picture.inner).unwrap();
        inner.info.sample_aspect = (16, 11);
        assert!((picture.display_aspect() - 16.0 / 9.0).abs() < 0.001);
    }
}
