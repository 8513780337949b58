//! Every colour and measure of the console. No other module names a colour.
//!
//! Neutral greys; red only for alarms, amber for attention, green sparingly. Text on its ground is at least 4.5:1.

use egui::Color32;
use minhbach_model::GapCause;

/// Around video.
pub const SURROUND: Color32 = Color32::from_rgb(0x10, 0x12, 0x14);
/// Ground of pages.
pub const GROUND: Color32 = Color32::from_rgb(0x16, 0x18, 0x1B);
/// Side panels and bars.
pub const PANEL: Color32 = Color32::from_rgb(0x1C, 0x1F, 0x23);
/// Dialogs, menus, cards.
pub const RAISED: Color32 = Color32::from_rgb(0x24, 0x28, 0x2D);
/// Buttons and fields.
pub const CONTROL: Color32 = Color32::from_rgb(0x2D, 0x32, 0x38);
/// Buttons under the pointer.
pub const CONTROL_HOVER: Color32 = Color32::from_rgb(0x3A, 0x40, 0x47);
/// Hair lines.
pub const LINE: Color32 = Color32::from_rgb(0x33, 0x38, 0x3E);
/// Text.
pub const TEXT: Color32 = Color32::from_rgb(0xE4, 0xE7, 0xEA);
/// Text of less weight.
pub const TEXT_WEAK: Color32 = Color32::from_rgb(0xA2, 0xA9, 0xB1);
/// Text over a picture.
pub const TEXT_ON_VIDEO: Color32 = Color32::from_rgb(0xF4, 0xF5, 0xF6);
/// What is selected or has the focus.
pub const ACCENT: Color32 = Color32::from_rgb(0x7F, 0xB2, 0xE5);
/// Ground of what is selected.
pub const ACCENT_GROUND: Color32 = Color32::from_rgb(0x2B, 0x44, 0x5C);
/// All is well.
pub const GOOD: Color32 = Color32::from_rgb(0x62, 0xB8, 0x7B);
/// Needs attention.
pub const ATTENTION: Color32 = Color32::from_rgb(0xE3, 0xAE, 0x4A);
/// Alarm.
pub const ALARM: Color32 = Color32::from_rgb(0xF3, 0x7B, 0x70);
/// Recorded stretches of a timeline.
pub const RECORDED: Color32 = Color32::from_rgb(0x4E, 0x78, 0x9C);
/// Lane of a timeline.
pub const LANE: Color32 = Color32::from_rgb(0x23, 0x27, 0x2C);
/// Incidents on a timeline.
pub const INCIDENT: Color32 = Color32::from_rgb(0xE3, 0xAE, 0x4A);

/// Behind words on a picture.
#[must_use]
pub fn veil() -> Color32 {
    Color32::from_black_alpha(150)
}

/// Over a picture that is not live any more.
#[must_use]
pub fn dim() -> Color32 {
    Color32::from_black_alpha(165)
}

/// The marked range on a timeline.
#[must_use]
pub fn marked() -> Color32 {
    Color32::from_rgba_unmultiplied(0x7F, 0xB2, 0xE5, 46)
}

/// Behind a dialog.
#[must_use]
pub fn backdrop() -> Color32 {
    Color32::from_black_alpha(120)
}

/// Colour of a gap's stripes: the camera's side amber, our own side red, what was meant grey.
#[must_use]
pub fn gap(cause: GapCause) -> Color32 {
    match cause {
        GapCause::RecorderDown | GapCause::RecorderBehind | GapCause::DiskFull | GapCause::DiskError => ALARM,
        GapCause::PausedByOperator | GapCause::Starting => TEXT_WEAK,
        GapCause::CameraUnreachable
        | GapCause::AuthRefused
        | GapCause::Stalled
        | GapCause::Disconnected
        | GapCause::PacketLoss
        | GapCause::Unsupported
        | GapCause::CameraClock
        | GapCause::Rebuilt => ATTENTION,
    }
}

/// Height of the header, points.
pub const HEADER_HEIGHT: f32 = 40.0;
/// Height of the status bar, points.
pub const STATUS_HEIGHT: f32 = 26.0;
/// Body text, points.
pub const BODY: f32 = 14.0;
/// Small text, points.
pub const SMALL: f32 = 12.0;
/// Gap between tiles, points.
pub const TILE_GAP: f32 = 3.0;
/// Corners of controls.
pub const RADIUS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.
    fn luminance(color: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_colour_is_readable_on_every_ground() {
        for text in [TEXT, TEXT_WEAK, ACCENT, GOOD, ATTENTION, ALARM] {
            for ground in [SURROUND, GROUND, PANEL, RAISED, CONTROL] {
                assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
            }
        }
        assert!(contrast(TEXT, ACCENT_GROUND) >= 4.5);
    }
}
