//! What the camera writes into its picture: its name, a clock, and a frame counter for people and for programs.
//!
//! The programs' counter is 16 cells along the top-left edge, black for 0 and white for 1, cell i for bit i.

use super::canvas::{Align, Canvas, Fonts, alpha, rgb, text_width};
use super::look::Variant;
use crate::profile::MAIN_FRAME_NS;

/// Edge of a cell in a picture 1920 pixels wide; other sizes scale with the width.
pub const CELL: f32 = 48.0;
/// Cells there are.
pub const CELLS: u32 = 16;

/// Draws all of it for frame `n` of the clip.
pub(super) fn draw(canvas: &mut Canvas, fonts: &Fonts, variant: &Variant, n: u32) {
    for bit in 0..CELLS {
        let ink = if n >> bit & 1 == 1 { rgb(0xffffff) } else { rgb(0x000000) };
        canvas.rect((bit as f32 * CELL, 0.0), (CELL, CELL), ink);
    }
    let clock = format!("{}  #{n:05}", clock_text(n));
    let size = 34.0;
    boxed(canvas, &fonts.plain, (24.0, 100.0), Align::Left, variant.camera_name);
    let right = super::canvas::WIDTH - 24.0;
    let width = text_width(&fonts.mono, size, &clock);
    canvas.round((right - width - 14.0, 62.0), (width + 28.0, 52.0), 6.0, alpha(rgb(0x000000), 120));
    canvas.text(&fonts.mono, size, (right, 100.0), Align::Right, (clock.as_str(), rgb(0xffffff)));
}

fn boxed(canvas: &mut Canvas, font: &ab_glyph::FontArc, at: (f32, f32), align: Align, text: &str) {
    let width = text_width(font, 34.0, text);
    canvas.round((at.0 - 12.0, at.1 - 38.0), (width + 24.0, 52.0), 6.0, alpha(rgb(0x000000), 120));
    canvas.text(font, 34.0, at, align, (text, rgb(0xffffff)));
}

/// Time since the start of the clip, HH:MM:SS.mmm.
fn clock_text(n: u32) -> String {
    let ms = u64::from(n) * MAIN_FRAME_NS / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_frames() {
        assert_eq!(clock_text(0), "00:00:00.000");
        assert_eq!(clock_text(25 * 3725 + 1), "01:02:05.040");
    }
}
