//! One Vietnamese word from the letters typed for it, in Telex or VNI.
//!
//! What belongs here: pure composition of a word, and the way back from a word to letters. No cursor and no events:
//! those are in the parent module.
//!
//! The crate `vi` was looked at for this and does not serve: it puts the tone of words in capitals on the wrong letter
//! (`HUỴÊN`), refuses a tone typed last in *Đắk*, and loses letters of words that are none (`windows`).

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// A way to type Vietnamese with the letters and digits of a plain keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// With letters: `tieengs`.
    #[default]
    Telex,
    /// With digits: `tie61ng`.
    Vni,
}

// Marks and tones are kept as Unicode's combining characters and put together at the end.
const CIRCUMFLEX: char = '\u{302}';
const BREVE: char = '\u{306}';
const HORN: char = '\u{31b}';
/// Of đ, which Unicode does not take apart.
const STROKE: char = '\u{335}';
const ACUTE: char = '\u{301}';
const GRAVE: char = '\u{300}';
const HOOK: char = '\u{309}';
const TILDE: char = '\u{303}';
const DOT: char = '\u{323}';

/// Consonants a word begins with; the last row is of names of the Central Highlands.
const ONSETS: &[&str] = &[
    "", "b", "c", "ch", "d", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph", "q", "qu",
    "r", "s", "t", "th", "tr", "v", "x", //
    "br", "dr", "gr", "kr", "pl",
];

/// Consonants a word ends with; k as in Đắk.
const CODAS: &[&str] = &["", "c", "ch", "k", "m", "n", "ng", "nh", "p", "t"];

/// Vowels between them, with their marks and without the tone.
const NUCLEI: &[&str] = &[
    "a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", //
    "ai", "ao", "au", "ay", "âu", "ây", "eo", "êu", "ia", "iê", "iu", "oa", "oă", "oe", "oi", "ôi", "ơi", "oo", "ua",
    "uâ", "uê", "ui", "uô", "uơ", "uy", "ưa", "ưi", "ươ", "ưu", "yê", //
    "iêu", "yêu", "oai", "oao", "oay", "oeo", "uây", "uôi", "ươi", "ươu", "uya", "uyê", "uyu", "uêu",
];

/// What a typed letter may do to the letters before it.
enum Meaning {
    /// Give the word a tone.
    Tone(char),
    /// Take its tone away.
    NoTone,
    /// Make d to đ.
    Stroke,
    /// Give a vowel a mark: vowels and marks in the order they are tried.
    Marks(&'static [(char, char)]),
    /// It is a letter and nothing else.
    Letter,
}

fn meaning(method: Method, typed: char) -> Meaning {
    use Method::{Telex, Vni};
    match (method, typed.to_ascii_lowercase()) {
        (Telex, 's') | (Vni, '1') => Meaning::Tone(ACUTE),
        (Telex, 'f') | (Vni, '2') => Meaning::Tone(GRAVE),
        (Telex, 'r') | (Vni, '3') => Meaning::Tone(HOOK),
        (Telex, 'x') | (Vni, '4') => Meaning::Tone(TILDE),
        (Telex, 'j') | (Vni, '5') => Meaning::Tone(DOT),
        (Telex, 'z') | (Vni, '0') => Meaning::NoTone,
        (Telex, 'd') | (Vni, '9') => Meaning::Stroke,
        (Telex, 'a') => Meaning::Marks(&[('a', CIRCUMFLEX)]),
        (Telex, 'e') => Meaning::Marks(&[('e', CIRCUMFLEX)]),
        (Telex, 'o') => Meaning::Marks(&[('o', CIRCUMFLEX)]),
        (Telex, 'w') => Meaning::Marks(&[('o', HORN), ('u', HORN), ('a', BREVE)]),
        (Vni, '6') => Meaning::Marks(&[('a', CIRCUMFLEX), ('e', CIRCUMFLEX), ('o', CIRCUMFLEX)]),
        (Vni, '7') => Meaning::Marks(&[('o', HORN), ('u', HORN)]),
        (Vni, '8') => Meaning::Marks(&[('a', BREVE)]),
        _ => Meaning::Letter,
    }
}

/// A letter of the word.
#[derive(Clone, Copy)]
struct Letter {
    /// As typed, without mark.
    base: char,
    /// Its mark.
    mark: Option<char>,
    /// The w that stands for this ư, as typed.
    w: Option<char>,
}

impl Letter {
    fn plain(base: char) -> Self {
        Self { base, mark: None, w: None }
    }

    fn is(&self, base: char) -> bool {
        self.base.eq_ignore_ascii_case(&base)
    }
}

/// The letters without case and marks.
fn bases(letters: &[Letter]) -> String {
    letters.iter().map(|letter| letter.base.to_ascii_lowercase()).collect()
}

/// Where the vowels of the word are. The i of `gi` and the u of `qu` count as consonants.
fn vowels(letters: &[Letter]) -> Range<usize> {
    let bases = bases(letters);
    let is_vowel = |at: usize| bases.as_bytes().get(at).is_some_and(|base| b"aeiouy".contains(base));
    let start = if (bases.starts_with("gi") && is_vowel(2)) || bases.starts_with("qu") {
        2
    } else {
        (0..letters.len()).find(|at| is_vowel(*at)).unwrap_or(letters.len())
    };
    let end = (start..letters.len()).find(|at| !is_vowel(*at)).unwrap_or(letters.len());
    start..end
}

/// Whether the letters may be a Vietnamese word, or the beginning of one, once they have the right marks.
fn may_be_word(letters: &[Letter]) -> bool {
    let bases = bases(letters);
    let vowels = vowels(letters);
    let (onset, coda) = (&bases[..vowels.start], &bases[vowels.end..]);
    let nucleus = &bases[vowels];
    let unmarked = |known: &&str| known.nfd().filter(char::is_ascii).eq(nucleus.chars());
    let whole = if nucleus.is_empty() { coda.is_empty() } else { NUCLEI.iter().any(unmarked) };
    whole && ONSETS.contains(&onset) && CODAS.contains(&coda)
}

/// Whether the letters are one with the marks they have.
fn is_word(letters: &[Letter]) -> bool {
    let marked =
        letters[vowels(letters)].iter().flat_map(|letter| [Some(letter.base.to_ascii_lowercase()), letter.mark]);
    let nucleus: String = marked.flatten().nfc().collect();
    NUCLEI.contains(&nucleus.as_str()) && may_be_word(letters)
}

/// Before another letter neither ưo nor uơ occurs: both are ươ, so that one w or 7 does for *được* and *người*.
fn settle(letters: &mut [Letter]) {
    let vowels = vowels(letters);
    let goes_on = vowels.len() > 2 || vowels.end < letters.len();
    let [u, o, ..] = &mut letters[vowels] else { return };
    let pair = u.is('u') && o.is('o') && [u.mark, o.mark].iter().all(|mark| matches!(mark, None | Some(HORN)));
    if goes_on && pair && (u.mark.is_some() || o.mark.is_some()) {
        u.mark = Some(HORN);
        o.mark = Some(HORN);
    }
}

/// A word while it is typed.
#[derive(Default)]
struct Syllable {
    letters: Vec<Letter>,
    tone: Option<char>,
    /// A mark or tone was typed twice and so taken back: what is shown then is wanted, word or not.
    undone: bool,
}

impl Syllable {
    fn push(&mut self, method: Method, typed: char) {
        if !self.change(method, typed) {
            self.letters.push(Letter::plain(typed));
            settle(&mut self.letters);
        }
    }

    /// Changes the letters before; `false` when what was typed is a letter itself.
    fn change(&mut self, method: Method, typed: char) -> bool {
        if !may_be_word(&self.letters) {
            return false;
        }
        match meaning(method, typed) {
            Meaning::Tone(tone) => self.set_tone(tone),
            Meaning::NoTone => self.tone.take().is_some(),
            Meaning::Stroke => self.stroke(),
            Meaning::Marks(marks) => self.mark(marks, typed),
            Meaning::Letter => false,
        }
    }

    fn set_tone(&mut self, tone: char) -> bool {
        if vowels(&self.letters).is_empty() {
            return false;
        }
        if self.tone == Some(tone) {
            self.tone = None;
            self.undone = true;
            return false;
        }
        self.tone = Some(tone);
        true
    }

    fn stroke(&mut self) -> bool {
        let Some(first) = self.letters.first_mut().filter(|letter| letter.is('d')) else { return false };
        if first.mark.take().is_some() {
            self.undone = true;
            return false;
        }
        first.mark = Some(STROKE);
        true
    }

    fn mark(&mut self, marks: &[(char, char)], typed: char) -> bool {
        if let Some(letters) = self.marked(marks) {
            self.letters = letters;
            return true;
        }
        match self.unmark(marks) {
            Some(done) => done,
            None => typed.eq_ignore_ascii_case(&'w') && self.w_alone(typed),
        }
    }

    /// The letters with the first of these marks that gives a word.
    fn marked(&self, marks: &[(char, char)]) -> Option<Vec<Letter>> {
        let vowels = vowels(&self.letters);
        for (base, mark) in marks {
            for at in vowels.clone().rev() {
                let letter = self.letters[at];
                if !letter.is(*base) || letter.mark == Some(*mark) {
                    continue;
                }
                // First beside the marks that are there, then in their place: ưa becomes uâ.
                for instead in [false, true] {
                    let mut letters = self.letters.clone();
                    if instead {
                        letters[vowels.clone()].iter_mut().for_each(|letter| letter.mark = None);
                    }
                    letters[at].mark = Some(*mark);
                    settle(&mut letters);
                    if is_word(&letters) {
                        return Some(letters);
                    }
                }
            }
        }
        None
    }

    /// Takes these marks away where they are, as when they are typed a second time. `Some(false)`: what was typed is
    /// then a letter itself; `None`: there are none.
    fn unmark(&mut self, marks: &[(char, char)]) -> Option<bool> {
        let vowels = vowels(&self.letters);
        let has =
            |letter: &Letter| letter.mark.is_some_and(|mark| marks.contains(&(letter.base.to_ascii_lowercase(), mark)));
        let mut found: Vec<&mut Letter> = self.letters[vowels].iter_mut().filter(|letter| has(letter)).collect();
        if found.is_empty() {
            return None;
        }
        self.undone = true;
        if let [letter] = found.as_mut_slice()
            && let Some(w) = letter.w
        {
            **letter = Letter::plain(w);
            return Some(true);
        }
        for letter in found {
            letter.mark = None;
        }
        Some(false)
    }

    /// In Telex a w without a vowel to mark is ư.
    fn w_alone(&mut self, typed: char) -> bool {
        let base = if typed.is_ascii_uppercase() { 'U' } else { 'u' };
        let mut letters = self.letters.clone();
        letters.push(Letter { base, mark: Some(HORN), w: Some(typed) });
        let good = is_word(&letters);
        if good {
            self.letters = letters;
        }
        good
    }

    /// Which letter bears the tone: the last with a mark; else as in *hòa*, *hoàn*, *ngoài*, the way the console's own
    /// texts are written.
    fn tone_at(&self) -> Option<usize> {
        let vowels = vowels(&self.letters);
        let marked = vowels.clone().rev().find(|at| self.letters[*at].mark.is_some());
        let second = vowels.len() == 3 || (vowels.len() > 1 && vowels.end < self.letters.len());
        let plain = (!vowels.is_empty()).then(|| vowels.start + usize::from(second));
        marked.or(plain)
    }

    fn show(&self) -> Vec<char> {
        let tone_at = self.tone_at();
        let mut text = String::new();
        for (at, letter) in self.letters.iter().enumerate() {
            match (letter.mark, letter.base) {
                (Some(STROKE), 'D') => text.push('Đ'),
                (Some(STROKE), _) => text.push('đ'),
                (mark, base) => {
                    text.push(base);
                    text.extend(mark);
                }
            }
            text.extend(self.tone.filter(|_| tone_at == Some(at)));
        }
        text.as_str().nfc().collect()
    }
}

/// What is shown for the letters typed, in NFC. Letters that are no Vietnamese word stay as they were typed.
#[must_use]
pub fn compose(method: Method, typed: &[char]) -> Vec<char> {
    if !typed.iter().all(char::is_ascii) {
        return typed.to_vec();
    }
    let mut syllable = Syllable::default();
    for letter in typed {
        syllable.push(method, *letter);
    }
    if syllable.undone || may_be_word(&syllable.letters) { syllable.show() } else { typed.to_vec() }
}

/// Letters that, typed, give what is shown; `None` when there are none.
#[must_use]
pub fn spell(method: Method, shown: &[char]) -> Option<Vec<char>> {
    let mut letters = Vec::new();
    let mut tone = None;
    for letter in shown {
        match letter {
            'đ' => letters.extend(['d', typed_for(method, 'd', STROKE)?]),
            'Đ' => letters.extend(['D', typed_for(method, 'd', STROKE)?]),
            _ => {
                let mut parts = letter.nfd();
                let base = parts.next()?;
                letters.push(base);
                for part in parts {
                    let key = typed_for(method, base, part)?;
                    if matches!(part, CIRCUMFLEX | BREVE | HORN) {
                        letters.push(key);
                    } else {
                        tone = Some(key);
                    }
                }
            }
        }
    }
    letters.extend(tone);
    (compose(method, &letters) == shown).then_some(letters)
}

/// What is typed for a mark or a tone.
fn typed_for(method: Method, base: char, mark: char) -> Option<char> {
    let (telex, vni) = match mark {
        CIRCUMFLEX => (base.to_ascii_lowercase(), '6'),
        BREVE => ('w', '8'),
        HORN => ('w', '7'),
        STROKE => ('d', '9'),
        ACUTE => ('s', '1'),
        GRAVE => ('f', '2'),
        HOOK => ('r', '3'),
        TILDE => ('x', '4'),
        DOT => ('j', '5'),
        _ => return None,
    };
    Some(match method {
        Method::Telex => telex,
        Method::Vni => vni,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(method: Method, typed: &str) -> String {
        compose(method, &typed.chars().collect::<Vec<_>>()).into_iter().collect()
    }

    fn check(method: Method, cases: &[(&str, &str)]) {
        for (typed, shown) in cases {
            assert_eq!(composed(method, typed), *shown, "{typed}");
        }
    }

    #[test]
    fn telex_gives_vietnamese() {
        check(
            Method::Telex,
            &[
                ("tieengs", "tiếng"),
                ("tieesng", "tiếng"),
                ("tiengse", "tiếng"),
                ("dduwowngf", "đường"),
                ("dduwongf", "đường"),
                ("duongdwf", "đường"),
                ("nguoiwf", "người"),
                ("thuowr", "thuở"),
                ("huown", "hươn"),
                ("uwowcs", "ước"),
                ("ddawks", "đắk"),
                ("kroong", "krông"),
                ("giuwax", "giữa"),
                ("gif", "gì"),
                ("quays", "quáy"),
                ("nhw", "như"),
            ],
        );
    }

    #[test]
    fn vni_gives_vietnamese() {
        check(
            Method::Vni,
            &[
                ("tie61ng", "tiếng"),
                ("tieng61", "tiếng"),
                ("d9uong72", "đường"),
                ("duong792", "đường"),
                ("tuoi73", "tưởi"),
                ("hoa8c5", "hoặc"),
                ("quay62", "quầy"),
            ],
        );
    }

    #[test]
    fn the_tone_stands_where_the_console_writes_it() {
        let cases = [("hoaf", "hòa"), ("hoafn", "hoàn"), ("ngoaif", "ngoài"), ("huyr", "hủy"), ("khoer", "khỏe")];
        check(Method::Telex, &cases);
        check(Method::Telex, &[("muaf", "mùa"), ("thuees", "thuế"), ("khuyeens", "khuyến"), ("uoongs", "uống")]);
    }

    #[test]
    fn capitals_are_kept() {
        check(
            Method::Telex,
            &[("HUYEENJ", "HUYỆN"), ("Huyeenj", "Huyện"), ("Ddaf", "Đà"), ("DDUWOWNGF", "ĐƯỜNG"), ("THUEES", "THUẾ")],
        );
        check(Method::Vni, &[("HUYE65N", "HUYỆN"), ("D9a2", "Đà")]);
    }

    #[test]
    fn what_is_typed_twice_is_taken_back() {
        let cases = [("tieengss", "tiêngs"), ("aaa", "aa"), ("aww", "aw"), ("ww", "w"), ("ddd", "dd"), ("asz", "a")];
        check(Method::Telex, &cases);
        check(Method::Telex, &[("xooong", "xoong"), ("dataa", "data"), ("asf", "à"), ("uaa", "uâ"), ("uwaa", "uâ")]);
        check(Method::Vni, &[("a11", "a1"), ("a66", "a6"), ("d99", "d9")]);
    }

    #[test]
    fn other_words_stay_as_typed() {
        for word in ["camera", "windows", "google", "case", "server", "login", "stress", "lobby", "floor", "rtsp"] {
            assert_eq!(composed(Method::Telex, word), word);
        }
        for word in ["p201", "2024", "camera2", "a4b", "HD1080"] {
            assert_eq!(composed(Method::Vni, word), word);
        }
    }

    #[test]
    fn words_are_spelled_back_and_are_nfc() {
        let words = "tiếng Việt đường Đắk HUYỆN người thuở được gì quốc khuỷu ngoằn rượu yến ủy hòa xã phường";
        for method in [Method::Telex, Method::Vni] {
            for word in words.split(' ') {
                let shown: Vec<char> = word.nfc().collect();
                let typed = spell(method, &shown).expect(word);
                assert_eq!(compose(method, &typed), shown, "{word}");
            }
        }
        assert_eq!(spell(Method::Telex, &['c', 'a', 's', 'e']), Some(vec!['c', 'a', 's', 'e']));
        assert_eq!(spell(Method::Telex, &['a', 'a']), None, "typed again it would be â");
    }
}
