//! A picture as RGBA on the CPU: stills, thumbnails, and the way out where there is no wgpu.

use crate::color::ColorTransform;
use crate::frame::{Plane, PlaneView, VideoFrame};

/// An image of opaque pixels, four bytes each: red, green, blue, 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbaImage {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width × height × 4` bytes.
    pub pixels: Vec<u8>,
}

/// Fraction bits of the integer arithmetic.
const SHIFT: u32 = 14;

/// Converts a picture, in its displayed shape, no wider than `max_width` (at least one pixel); it is never enlarged.
///
/// Luma is averaged over what becomes one pixel, chroma is taken from its middle.
#[must_use]
pub fn frame_to_rgba(frame: &VideoFrame, max_width: u32) -> RgbaImage {
    let (width, height) = target_size(frame, max_width);
    let planes = Plane::ALL.map(|plane| frame.plane(plane));
    let rows = ColorTransform::new(frame.matrix(), frame.range()).rows.map(Fixed::new);
    let columns: Vec<(usize, usize)> = spans(frame.width(), width);
    let lines = spans(frame.height(), height);
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
    for &(top, bottom) in &lines {
        let chroma_line = usize::midpoint(top, bottom - 1) / 2;
        for &(left, right) in &columns {
            let luma = average(&planes[0], (left, right), (top, bottom));
            let chroma_column = usize::midpoint(left, right - 1) / 2;
            let cb = at(&planes[1], chroma_column, chroma_line);
            let cr = at(&planes[2], chroma_column, chroma_line);
            pixels.extend(rows.iter().map(|row| row.apply(luma, cb, cr)));
            pixels.push(255);
        }
    }
    RgbaImage { width, height, pixels }
}

/// One row of a [`ColorTransform`] in integers.
struct Fixed([i32; 4]);

impl Fixed {
    fn new([y, cb, cr, offset]: [f32; 4]) -> Self {
        let one = (1 << SHIFT) as f32;
        Self([
            (y * one) as i32,
            (cb * one) as i32,
            (cr * one) as i32,
            (offset * 255.0 * one) as i32 + (1 << (SHIFT - 1)),
        ])
    }

    fn apply(&self, y: i32, cb: i32, cr: i32) -> u8 {
        let sum = self.0[0] * y + self.0[1] * cb + self.0[2] * cr + self.0[3];
        (sum >> SHIFT).clamp(0, 255) as u8
    }
}

/// The displayed size (pixel shape undone), no wider than asked.
fn target_size(frame: &VideoFrame, max_width: u32) -> (u32, u32) {
    let shown = (frame.height() as f32 * frame.display_aspect()).round().max(1.0) as u32;
    let width = shown.min(max_width.max(1));
    let height = (width as f32 / frame.display_aspect()).round() as u32;
    (width, height.clamp(1, frame.height()))
}

/// For each of `to` pixels the half-open range of the `from` pixels it stands for; never empty.
fn spans(from: u32, to: u32) -> Vec<(usize, usize)> {
    let edge = |i: u32| (u64::from(i) * u64::from(from) / u64::from(to)) as usize;
    (0..to)
        .map(|i| {
            let start = edge(i).min(from as usize - 1);
            (start, edge(i + 1).clamp(start + 1, from as usize))
        })
        .collect()
}

fn average(plane: &PlaneView<'_>, (left, right): (usize, usize), (top, bottom): (usize, usize)) -> i32 {
    let mut sum = 0_u64;
    for line in top..bottom {
        let start = line * plane.stride;
        if let Some(row) = plane.data.get(start + left..start + right) {
            sum += row.iter().map(|&value| u64::from(value)).sum::<u64>();
        }
    }
    let count = ((right - left) * (bottom - top)) as u64;
    ((sum + count / 2) / count) as i32
}

fn at(plane: &PlaneView<'_>, column: usize, line: usize) -> i32 {
    plane.data.get(line * plane.stride + column).map_or(128, |&value| i32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minhbach_model::WallTime;

    #[test]
    fn colours_agree_with_the_exact_conversion() {
        let yuv = [63, 102, 240];
        let frame = VideoFrame::solid(8, 6, yuv, WallTime(0));
        let image = frame_to_rgba(&frame, 100);
        assert_eq!((image.width, image.height, image.pixels.len()), (8, 6, 8 * 6 * 4));
        let exact = ColorTransform::new(frame.matrix(), frame.range()).apply(yuv[0], yuv[1], yuv[2]);
        for pixel in image.pixels.chunks_exact(4) {
            assert!(pixel.iter().zip(exact).all(|(&got, want)| got.abs_diff(want) <= 1), "{pixel:?} {exact:?}");
            assert_eq!(pixel[3], 255);
        }
    }

    #[test]
    fn a_still_is_made_smaller_and_keeps_its_shape() {
        let image = frame_to_rgba(&VideoFrame::solid(1920, 1080, [128, 128, 128], WallTime(0)), 640);
        assert_eq!((image.width, image.height), (640, 360));
    }

    #[test]
    fn spans_cover_everything_once_or_repeat_when_enlarging() {
        assert_eq!(spans(5, 2), [(0, 2), (2, 5)]);
        assert_eq!(spans(2, 4), [(0, 1), (0, 1), (1, 2), (1, 2)]);
    }
}
