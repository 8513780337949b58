//! Vietnamese in text fields without an input method of the system: on X11 those do not reach egui's fields yet.
//!
//! What belongs here: which letters belong to the word being typed, and turning what egui is about to give to a text
//! field into what the word then needs. How a word is composed is in `syllable`.

mod syllable;

use std::ops::Range;

use egui::text_edit::TextEditState;
use egui::{Event, IMEPurpose, Id, ImeEvent, Key, Modifiers, Response};
use serde::{Deserialize, Serialize};

pub use syllable::Method;

/// Whether Vietnamese is composed in text fields, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Typing {
    /// Letters stay as typed, or the system composes them.
    #[default]
    Off,
    /// With letters.
    Telex,
    /// With digits.
    Vni,
}

impl Typing {
    /// Every choice, in the order it is offered.
    pub const ALL: [Self; 3] = [Self::Off, Self::Telex, Self::Vni];

    /// The method, when it is on.
    #[must_use]
    pub fn method(self) -> Option<Method> {
        match self {
            Self::Off => None,
            Self::Telex => Some(Method::Telex),
            Self::Vni => Some(Method::Vni),
        }
    }

    /// Its name.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Off => "typing-off",
            Self::Telex => "typing-telex",
            Self::Vni => "typing-vni",
        }
    }
}

impl From<Method> for Typing {
    fn from(method: Method) -> Self {
        match method {
            Method::Telex => Self::Telex,
            Method::Vni => Self::Vni,
        }
    }
}

/// Letters of a word at most: longer ones are no Vietnamese, and each letter composes the word anew.
const LETTERS_MAX: usize = 24;

/// Where the id of the focused field is kept whose letters stay as typed.
const AS_TYPED: &str = "letters_as_typed";

/// For fields of addresses, names of accounts, times and the like: Vietnamese is never composed in them. To be called
/// whenever the field is drawn. Fields of passwords are known without.
pub fn as_typed(response: &Response) {
    if response.has_focus() {
        response.ctx.data_mut(|data| data.insert_temp(Id::unique(AS_TYPED), response.id));
    }
}

/// The text field that has the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    id: Id,
    /// The cursor, or what is selected, in characters of the text; `None` before the cursor was ever there.
    cursor: Option<Range<usize>>,
}

/// The word being typed: from its first letter to the cursor.
#[derive(Debug)]
struct Word {
    field: Id,
    method: Method,
    /// Letters typed for it.
    typed: Vec<char>,
    /// What the field shows of it.
    shown: Vec<char>,
    /// Its letters stay as typed until it ends.
    plain: bool,
    /// Where it ends in the field, characters; `None` before the field has told.
    end: Option<usize>,
}

impl Word {
    fn new(field: Id, method: Method, start: Option<usize>) -> Self {
        Self { field, method, typed: Vec::new(), shown: Vec::new(), plain: false, end: start }
    }

    /// Adds a letter; returns how many characters before the cursor go, and what comes instead.
    fn push(&mut self, letter: char) -> (usize, String) {
        let before = self.shown.clone();
        self.plain |= self.typed.len() == LETTERS_MAX;
        if self.plain {
            self.shown.push(letter);
        } else {
            self.typed.push(letter);
            self.shown = syllable::compose(self.method, &self.typed);
        }
        self.end = self.end.map(|end| (end + self.shown.len()).saturating_sub(before.len()));
        let same = before.iter().zip(&self.shown).take_while(|(old, new)| old == new).count();
        (before.len() - same, self.shown[same..].iter().collect())
    }

    /// Takes the last character away; `false` when nothing is left.
    fn pop(&mut self) -> bool {
        self.shown.pop();
        self.end = self.end.map(|end| end.saturating_sub(1));
        if !self.plain {
            match syllable::spell(self.method, &self.shown) {
                Some(typed) => self.typed = typed,
                None => self.plain = true,
            }
        }
        !self.shown.is_empty()
    }
}

/// What an event means for the word.
enum Touch {
    /// A letter of it.
    Letter(char),
    /// Its last character goes.
    Back,
    /// It is over.
    End,
    /// Nothing.
    None,
}

/// Composes Vietnamese in the text field that has the focus.
#[derive(Debug, Default)]
pub struct Composer {
    word: Option<Word>,
    /// The field that had the focus when the last frame was drawn, unless it is one of a password.
    field: Option<Id>,
}

impl Composer {
    /// Changes the events of this frame before any widget sees them. To be called in a pass that draws: only then are
    /// the events new.
    pub fn before_drawing(&mut self, typing: Typing, ctx: &egui::Context) {
        let field = self.focused(ctx);
        ctx.input_mut(|input| {
            let events = std::mem::take(&mut input.events);
            input.events = self.feed(typing.method(), field.as_ref(), events);
        });
    }

    /// Takes note of the field that now has the focus. To be called when everything is drawn.
    pub fn after_drawing(&mut self, ctx: &egui::Context) {
        // A text field with the focus tells the system's input method what it is for.
        let open = ctx.output(|output| output.ime.is_some_and(|ime| ime.purpose != IMEPurpose::Password));
        self.field = ctx.memory(|memory| memory.focused()).filter(|_| open);
    }

    fn focused(&self, ctx: &egui::Context) -> Option<Field> {
        let id = ctx.memory(|memory| memory.focused()).filter(|id| self.field == Some(*id))?;
        if ctx.data(|data| data.get_temp::<Id>(Id::unique(AS_TYPED))) == Some(id) {
            return None;
        }
        let range = TextEditState::load(ctx, id)?.cursor.char_range();
        let cursor = range.map(|range| {
            let range = range.as_sorted_char_range();
            range.start.0..range.end.0
        });
        Some(Field { id, cursor })
    }

    /// The events as the field shall see them.
    fn feed(&mut self, method: Option<Method>, field: Option<&Field>, events: Vec<Event>) -> Vec<Event> {
        let (Some(method), Some(field)) = (method, field) else {
            self.word = None;
            return events;
        };
        self.resume(method, field);
        // Where the next word begins; unknown once something has happened that is not followed here.
        let mut start = field.cursor.as_ref().map(|cursor| cursor.start);
        let mut out = Vec::with_capacity(events.len());
        for event in events {
            match self.touch(method, &event) {
                Touch::Letter(letter) => {
                    let word = self.word.get_or_insert_with(|| Word::new(field.id, method, start));
                    let (gone, new) = word.push(letter);
                    out.extend(std::iter::repeat_with(backspace).take(gone));
                    out.push(Event::Text(new));
                    continue;
                }
                Touch::Back => {
                    if self.word.as_mut().is_some_and(|word| !word.pop()) {
                        self.word = None;
                    }
                    start = None;
                }
                Touch::End => {
                    self.word = None;
                    start = None;
                }
                Touch::None => {}
            }
            out.push(event);
        }
        out
    }

    /// Ends the word when the field is another one or its cursor is elsewhere: after a click, when the field was
    /// emptied, when it is full.
    fn resume(&mut self, method: Method, field: &Field) {
        let Some(word) = &mut self.word else { return };
        let here = field.cursor.as_ref().filter(|cursor| cursor.is_empty()).map(|cursor| cursor.start);
        let end = word.end.or(here);
        word.end = end;
        if word.field != field.id || word.method != method || here.is_none() || end != here {
            self.word = None;
        }
    }

    fn touch(&self, method: Method, event: &Event) -> Touch {
        match event {
            Event::Text(text) => self.text(method, text),
            Event::Key { key, pressed: true, modifiers, .. } => touch_of_key(*key, *modifiers),
            // Empty ones come on Wayland without anybody composing.
            Event::Ime(ImeEvent::Preedit { text, .. } | ImeEvent::Commit(text)) if text.is_empty() => Touch::None,
            Event::PointerButton { pressed: true, .. }
            | Event::Paste(_)
            | Event::Cut
            | Event::MiddleClickPaste { .. }
            | Event::Ime(_)
            | Event::Touch { .. }
            | Event::AccessKitActionRequest(_)
            | Event::WindowFocused(false) => Touch::End,
            _ => Touch::None,
        }
    }

    fn text(&self, method: Method, text: &str) -> Touch {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (None, _) => Touch::None,
            (Some(letter), None) if letter.is_ascii_alphabetic() => Touch::Letter(letter),
            // A number is no word, a digit after letters may be a tone.
            (Some(digit), None) if method == Method::Vni && digit.is_ascii_digit() && self.word.is_some() => {
                Touch::Letter(digit)
            }
            _ => Touch::End,
        }
    }
}

/// Keys that give letters come with a text of their own; of the others those count that move the cursor or change the
/// text.
fn touch_of_key(key: Key, modifiers: Modifiers) -> Touch {
    let commands = modifiers.ctrl || modifiers.command || modifiers.mac_cmd;
    let moves = matches!(
        key,
        Key::ArrowLeft
            | Key::ArrowRight
            | Key::ArrowUp
            | Key::ArrowDown
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
            | Key::Enter
            | Key::Tab
            | Key::Escape
            | Key::Delete
            | Key::Insert
    );
    match key {
        key if crate::keys::is_held(key) => Touch::None,
        Key::Backspace if !commands && !modifiers.alt => Touch::Back,
        _ if moves || commands || key == Key::Backspace => Touch::End,
        _ => Touch::None,
    }
}

fn backspace() -> Event {
    Event::Key { key: Key::Backspace, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
}

#[cfg(test)]
mod tests {
    use egui::{Pos2, TextEdit};

    use super::*;

    const TELEX: Option<Method> = Some(Method::Telex);
    const VNI: Option<Method> = Some(Method::Vni);

    /// A text field as egui's behaves: it takes texts and Backspace at its cursor, which is always at the end.
    struct Line {
        composer: Composer,
        method: Option<Method>,
        id: Id,
        text: String,
    }

    impl Line {
        fn new(method: Option<Method>) -> Self {
            Self { composer: Composer::default(), method, id: Id::unique("line"), text: String::new() }
        }

        /// One frame.
        fn frame(&mut self, events: Vec<Event>) -> &mut Self {
            let end = self.text.chars().count();
            let field = Field { id: self.id, cursor: Some(end..end) };
            for event in self.composer.feed(self.method, Some(&field), events) {
                match event {
                    Event::Text(text) | Event::Paste(text) => self.text.push_str(&text),
                    Event::Key { key: Key::Backspace, pressed: true, .. } => {
                        self.text.pop();
                    }
                    _ => {}
                }
            }
            self
        }

        /// Each letter in a frame of its own, with the key that gave it.
        fn keys(&mut self, letters: &str) -> &mut Self {
            for letter in letters.chars() {
                self.frame(letter_events(letter));
            }
            self
        }
    }

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
    }

    fn letter_events(letter: char) -> Vec<Event> {
        let shift = letter.is_ascii_uppercase().then(|| key(Key::ShiftLeft, Modifiers::SHIFT));
        let pressed = Key::from_name(&letter.to_string()).map(|pressed| key(pressed, Modifiers::NONE));
        shift.into_iter().chain(pressed).chain([Event::Text(letter.to_string())]).collect()
    }

    fn press() -> Event {
        let button = egui::PointerButton::Primary;
        Event::PointerButton { pos: Pos2::ZERO, button, pressed: true, modifiers: Modifiers::NONE }
    }

    #[test]
    fn words_are_composed_as_they_are_typed() {
        assert_eq!(Line::new(TELEX).keys("tieengs Vieetj dduwowngf").text, "tiếng Việt đường");
        assert_eq!(Line::new(VNI).keys("tie61ng 24 Vie65t").text, "tiếng 24 Việt");
        assert_eq!(Line::new(None).keys("tieengs").text, "tieengs");
    }

    #[test]
    fn letters_of_one_frame_are_composed_like_those_of_many() {
        let all = "tieengs Vieetj".chars().flat_map(letter_events).collect();
        assert_eq!(Line::new(TELEX).frame(all).keys("s").text, "tiếng Viết");
    }

    #[test]
    fn only_what_changes_is_typed_again() {
        let mut line = Line::new(TELEX);
        line.keys("tieeng");
        let field = Field { id: line.id, cursor: Some(5..5) };
        let out = line.composer.feed(TELEX, Some(&field), vec![Event::Text("s".to_owned())]);
        assert_eq!(out, vec![backspace(), backspace(), backspace(), Event::Text("ếng".to_owned())]);
    }

    #[test]
    fn whatever_moves_the_cursor_ends_the_word() {
        let left = || key(Key::ArrowLeft, Modifiers::NONE);
        let ends = [press(), left(), key(Key::Z, Modifiers::CTRL), Event::Paste("b".to_owned())];
        for end in ends {
            let pasted = if matches!(end, Event::Paste(_)) { "b" } else { "" };
            let mut line = Line::new(TELEX);
            line.keys("tieeng").frame(vec![end]).keys("s");
            assert_eq!(line.text, format!("tiêng{pasted}s"));
        }
        let nothing = Event::Ime(ImeEvent::Commit(String::new()));
        assert_eq!(Line::new(TELEX).keys("tieeng").frame(vec![nothing]).keys("s").text, "tiếng");
        let shift = key(Key::ShiftLeft, Modifiers::SHIFT);
        assert_eq!(Line::new(TELEX).keys("tieeng").frame(vec![shift]).keys("s").text, "tiếng", "Shift moves nothing");
    }

    #[test]
    fn a_cursor_that_was_moved_by_others_ends_the_word() {
        let mut line = Line::new(TELEX);
        line.keys("tieeng");
        let feed = |line: &mut Line, cursor| {
            let field = Field { id: line.id, cursor: Some(cursor) };
            line.composer.feed(TELEX, Some(&field), vec![Event::Text("s".to_owned())])
        };
        assert_eq!(feed(&mut line, 2..2), vec![Event::Text("s".to_owned())]);
        line.text.clear();
        line.keys("tieeng");
        assert_eq!(feed(&mut line, 0..5), vec![Event::Text("s".to_owned())], "all of it is selected");
    }

    #[test]
    fn another_field_has_another_word() {
        let mut line = Line::new(TELEX);
        line.keys("a");
        line.id = Id::unique("another");
        assert_eq!(line.keys("a").text, "aa");
        line.frame(Vec::new());
        line.composer.feed(TELEX, None, Vec::new());
        assert_eq!(line.keys("s").text, "aas", "the focus was elsewhere");
    }

    #[test]
    fn backspace_takes_one_character_and_the_word_goes_on() {
        let back = || vec![key(Key::Backspace, Modifiers::NONE)];
        assert_eq!(Line::new(TELEX).keys("tieengs").frame(back()).text, "tiến");
        assert_eq!(Line::new(TELEX).keys("tieengs").frame(back()).keys("gf").text, "tiềng");
        let mut line = Line::new(TELEX);
        line.keys("tieengs").frame(back()).frame(back()).frame(back()).keys("eengs");
        assert_eq!(line.text, "tiếng");
        assert_eq!(Line::new(TELEX).keys("a").frame(back()).keys("a").text, "a", "nothing was left of the first a");
        // A word that was none stays as typed.
        assert_eq!(Line::new(TELEX).keys("cased").frame(back()).frame(back()).keys("es").text, "cases");
        let word_back = vec![key(Key::Backspace, Modifiers::CTRL)];
        assert!(Line::new(TELEX).keys("a").frame(word_back).composer.word.is_none());
    }

    #[test]
    fn long_words_stay_as_typed() {
        let long = "x".repeat(LETTERS_MAX) + "aas";
        let mut line = Line::new(TELEX);
        assert_eq!(line.keys(&long).text, long);
        assert!(line.composer.word.is_some_and(|word| word.typed.len() == LETTERS_MAX));
    }

    #[test]
    fn what_is_pasted_or_composed_elsewhere_is_not_touched() {
        let events = vec![Event::Paste("tieengs".to_owned()), Event::Text("tieengs".to_owned())];
        assert_eq!(Line::new(TELEX).frame(events).text, "tieengstieengs");
    }

    /// What egui's own text field holds after letters are typed into it, one a frame.
    fn typed_into_egui(letters: &str, password: bool, mark: bool) -> String {
        let ctx = egui::Context::default();
        crate::theme::apply(&ctx);
        let (mut composer, mut text) = (Composer::default(), String::new());
        let focus = [vec![], vec![], vec![]];
        for events in focus.into_iter().chain(letters.chars().map(letter_events)) {
            let input = egui::RawInput { events, ..egui::RawInput::default() };
            let output = ctx.run_ui(input, |ui| {
                composer.before_drawing(Typing::Telex, ui.ctx());
                let response = ui.add(TextEdit::singleline(&mut text).password(password));
                if mark {
                    as_typed(&response);
                }
                response.request_focus();
                composer.after_drawing(ui.ctx());
            });
            output.drop_without_applying_deltas();
        }
        text
    }

    #[test]
    fn a_text_field_of_egui_shows_what_was_composed() {
        assert_eq!(typed_into_egui("DDuwowngf soos 5, quaanj Ba Ddinhf", false, false), "Đường số 5, quận Ba Đình");
    }

    #[test]
    fn passwords_and_addresses_stay_as_typed() {
        assert_eq!(typed_into_egui("aas", true, false), "aas");
        assert_eq!(typed_into_egui("aas", false, true), "aas");
    }
}
