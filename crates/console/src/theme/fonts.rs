//! The bundled fonts: Be Vietnam Pro for text, JetBrains Mono for times and ids (equal-width digits).
//!
//! egui's own fonts hold 2 of the 90 letters U+1EA0–1EF9, so none of them is used.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily, FontId};

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/BeVietnamPro-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../../assets/fonts/BeVietnamPro-Medium.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../assets/fonts/BeVietnamPro-SemiBold.ttf");
const MONO: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf");

/// Family of names and captions.
#[must_use]
pub fn medium(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("medium".into()))
}

/// Family of headings.
#[must_use]
pub fn semi_bold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("semi_bold".into()))
}

/// Text.
#[must_use]
pub fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Times and ids.
#[must_use]
pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// All fonts and the order in which they are asked for a letter.
#[must_use]
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, data) in [("regular", REGULAR), ("medium", MEDIUM), ("semi_bold", SEMI_BOLD), ("mono", MONO)] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(data)));
    }
    let families = [
        (FontFamily::Proportional, ["regular", "mono"]),
        (FontFamily::Monospace, ["mono", "regular"]),
        (FontFamily::Name("medium".into()), ["medium", "mono"]),
        (FontFamily::Name("semi_bold".into()), ["semi_bold", "mono"]),
    ];
    for (family, names) in families {
        fonts.families.insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_is_in_every_font() {
        let mut fonts = egui::epaint::text::Fonts::new(Default::default(), definitions());
        for font in [regular(11.0), medium(11.0), semi_bold(11.0), mono(11.0)] {
            for letter in ('\u{1EA0}'..='\u{1EF9}').chain("ăâđêôơưĂÂĐÊÔƠƯ×–…•·−".chars()) {
                assert!(fonts.has_glyph(&font, letter), "{letter} is missing in {:?}", font.family);
            }
            assert!(!fonts.has_glyph(&font, '漢'), "the test must be able to fail");
        }
    }
}
