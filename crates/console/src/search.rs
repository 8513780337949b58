//! Search without diacritics: `hoi lo` finds `hối lộ`, `da nang` finds `Đà Nẵng`.
//!
//! What belongs here: folding of a text to its search key and matching of a query. What is searched is decided by
//! the panels.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The search key of a text: decomposed, marks removed, `đ` as `d`, lower case.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        // The stroke of đ is no combining mark: Unicode gives it no decomposition.
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect()
}

/// Whether every word of the query occurs in the text, whatever their order and marks.
#[must_use]
pub fn matches(query: &str, text: &str) -> bool {
    if query.trim().is_empty() {
        return true;
    }
    let text = fold(text);
    fold(query).split_whitespace().all(|word| text.contains(word))
}

/// What a person typed, composed (NFC), so that equal texts are equal bytes.
#[must_use]
pub fn compose(text: &str) -> String {
    text.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_the_stroke_of_d_do_not_matter() {
        assert!(matches("hoi lo", "Nghi vấn hối lộ"));
        assert!(matches("da nang", "UBND thành phố Đà Nẵng"));
        assert!(matches("Đà", "da nang"));
        assert!(matches("nang da", "Đà Nẵng"), "the order of words does not matter");
        assert!(!matches("da nangg", "Đà Nẵng"));
        assert!(matches("", "anything"));
    }

    #[test]
    fn composed_and_decomposed_spellings_are_the_same() {
        let decomposed = "Qua\u{302}\u{300}y";
        assert_eq!(compose(decomposed), "Quầy");
        assert_eq!(fold(decomposed), fold("Quầy"));
    }
}
