//! Keys of commands: how they are written, and which are in force on this workstation.
//!
//! What belongs here: data and rules. Which keys a command has at first is in the table of `command`; what a pressed
//! key does is decided there as well.

use std::collections::BTreeMap;

use egui::{Key, Modifiers};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::{self, Entry, TABLE};

/// What is held while a key of the table is pressed.
pub mod held {
    use egui::Modifiers;

    /// Nothing.
    pub const NONE: Modifiers = Modifiers::NONE;
    /// Ctrl.
    pub const CTRL: Modifiers = Modifiers::CTRL;
    /// Alt.
    pub const ALT: Modifiers = Modifiers::ALT;
    /// Ctrl and Shift.
    pub const CTRL_SHIFT: Modifiers = Modifiers::CTRL.plus(Modifiers::SHIFT);
}

/// A key with what is held while it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    /// Ctrl, Alt and Shift, and no others.
    pub modifiers: Modifiers,
    /// The key.
    pub key: Key,
}

impl Chord {
    /// A key as it was pressed.
    #[must_use]
    pub fn pressed(modifiers: Modifiers, key: Key) -> Self {
        let (alt, ctrl, shift) = (modifiers.alt, modifiers.ctrl || modifiers.command, modifiers.shift);
        Self { modifiers: Modifiers { alt, ctrl, shift, ..Modifiers::NONE }, key }
    }

    /// From a text such as `Ctrl+K`, `F` or `Alt+1`; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = Modifiers::NONE;
        let mut parts = text.split('+').map(str::trim);
        let key = Key::from_name(parts.next_back()?)?;
        for part in parts {
            match part.to_ascii_lowercase().as_str() {
                "ctrl" => modifiers.ctrl = true,
                "alt" => modifiers.alt = true,
                "shift" => modifiers.shift = true,
                _ => return None,
            }
        }
        Some(Self { modifiers, key })
    }

    /// The text that [`Chord::parse`] reads.
    #[must_use]
    pub fn to_text(self) -> String {
        self.with_modifiers(self.key.name())
    }

    /// As a person reads it; `space` is the name of the space bar.
    #[must_use]
    pub fn show(self, space: &str) -> String {
        self.with_modifiers(match self.key {
            Key::Space => space,
            Key::ArrowLeft => "←",
            Key::ArrowRight => "→",
            Key::ArrowUp => "↑",
            Key::ArrowDown => "↓",
            Key::Escape => "Esc",
            key => key.symbol_or_name(),
        })
    }

    fn with_modifiers(self, key: &str) -> String {
        let mut text = String::new();
        let Modifiers { ctrl, alt, shift, .. } = self.modifiers;
        for (held, name) in [(ctrl, "Ctrl+"), (alt, "Alt+"), (shift, "Shift+")] {
            if held {
                text.push_str(name);
            }
        }
        text + key
    }

    /// Whether no command can have it: Escape leaves whatever is open, Tab moves the focus, and Ctrl+C, X and V arrive
    /// as what they do to the clipboard and not as keys.
    #[must_use]
    pub fn is_reserved(self) -> bool {
        let clipboard = matches!(self.key, Key::C | Key::X | Key::V) && self.modifiers == Modifiers::CTRL;
        clipboard || is_held(self.key) || matches!(self.key, Key::Escape | Key::Tab | Key::Copy | Key::Cut | Key::Paste)
    }

    /// Whether a text field needs it: it types a letter, moves the cursor or edits.
    #[must_use]
    pub fn is_for_text(self) -> bool {
        let Self { modifiers, key } = self;
        let edits = matches!(
            key,
            Key::ArrowLeft
                | Key::ArrowRight
                | Key::ArrowUp
                | Key::ArrowDown
                | Key::Home
                | Key::End
                | Key::PageUp
                | Key::PageDown
                | Key::Backspace
                | Key::Delete
                | Key::Insert
                | Key::Enter
        );
        edits
            || match (modifiers.ctrl, modifiers.alt) {
                // Typing is selected, undone and done again with these.
                (true, _) => matches!(key, Key::A | Key::C | Key::V | Key::X | Key::Y | Key::Z),
                (false, true) => false,
                (false, false) => !(Key::F1..=Key::F35).contains(&key),
            }
    }
}

/// Keys that are held while others are pressed, or that only switch the keyboard.
#[must_use]
pub fn is_held(key: Key) -> bool {
    matches!(
        key,
        Key::ShiftLeft
            | Key::ShiftRight
            | Key::ControlLeft
            | Key::ControlRight
            | Key::AltLeft
            | Key::AltRight
            | Key::SuperLeft
            | Key::SuperRight
            | Key::CapsLock
            | Key::NumLock
            | Key::ScrollLock
            | Key::Fn
    )
}

/// Why a command does not get a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The key or the command is not to be changed.
    Reserved,
    /// A command that can be given on the same page has it: the key of its text.
    Taken(&'static str),
}

/// The keys in force: those of the table, but for commands that were given others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Value", into = "BTreeMap<&'static str, Vec<String>>")]
pub struct Keys {
    /// Keys of commands that were given others, by [`Entry::name`].
    changed: BTreeMap<&'static str, Vec<Chord>>,
}

impl Keys {
    /// Keys of a command. A key of the table yields to a command that was given it: else an update that brings a
    /// command with the same key would take a key away from a person.
    pub fn of<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = Chord> + 'a {
        let own = self.changed.get(entry.name);
        let keys: &'a [Chord] = own.map_or(entry.shortcuts, Vec::as_slice);
        keys.iter().copied().filter(move |chord| own.is_some() || !self.gave_away(entry, *chord))
    }

    /// Whether a command was given other keys.
    #[must_use]
    pub fn is_changed(&self, entry: &Entry) -> bool {
        self.changed.contains_key(entry.name)
    }

    /// Whether all keys are those of the table.
    #[must_use]
    pub fn are_default(&self) -> bool {
        self.changed.is_empty()
    }

    /// Gives a command this key and no other.
    ///
    /// # Errors
    /// When the key is not to be had.
    pub fn rebind(&mut self, entry: &'static Entry, chord: Chord) -> Result<(), Refusal> {
        if let Some(other) = self.holder(entry, chord) {
            return Err(Refusal::Taken(other.key));
        }
        if entry.is_fixed() || chord.is_reserved() {
            return Err(Refusal::Reserved);
        }
        if entry.shortcuts == [chord] {
            self.changed.remove(entry.name);
        } else {
            self.changed.insert(entry.name, vec![chord]);
        }
        Ok(())
    }

    /// Gives a command the keys of the table again.
    ///
    /// # Errors
    /// The first of them that another command has by now, and which.
    pub fn reset(&mut self, entry: &Entry) -> Result<(), (Chord, Refusal)> {
        for chord in entry.shortcuts {
            if let Some(other) = self.holder(entry, *chord) {
                return Err((*chord, Refusal::Taken(other.key)));
            }
        }
        self.changed.remove(entry.name);
        Ok(())
    }

    /// Gives all commands the keys of the table again.
    pub fn reset_all(&mut self) {
        self.changed.clear();
    }

    /// Another command that has the key on a page of this one.
    fn holder(&self, entry: &Entry, chord: Chord) -> Option<&'static Entry> {
        TABLE.iter().find(|other| meet(entry, other) && self.of(other).any(|held| held == chord))
    }

    /// Whether another command was given this key on a page of this one.
    fn gave_away(&self, entry: &Entry, chord: Chord) -> bool {
        let has = |other: &Entry| self.changed.get(other.name).is_some_and(|keys| keys.contains(&chord));
        TABLE.iter().any(|other| has(other) && meet(entry, other))
    }

    /// Takes in what is kept for one command.
    fn read(&mut self, name: &str, value: &Value) -> Result<(), &'static str> {
        let entry = command::entry(name).filter(|entry| !entry.is_fixed()).ok_or("no such command")?;
        let keys = parse_all(value).ok_or("not keys")?;
        for chord in &keys {
            let fixed = TABLE.iter().any(|other| other.is_fixed() && other.shortcuts.contains(chord));
            if fixed || chord.is_reserved() {
                return Err("reserved");
            }
            if self.gave_away(entry, *chord) {
                return Err("another command was given the same key");
            }
        }
        self.changed.insert(entry.name, keys);
        Ok(())
    }
}

/// Two different commands that can be given on one page.
fn meet(one: &Entry, other: &Entry) -> bool {
    one.name != other.name && one.on.meets(other.on)
}

/// One key as text, or a list of them.
fn parse_all(value: &Value) -> Option<Vec<Chord>> {
    let one = |value: &Value| value.as_str().and_then(Chord::parse);
    match value {
        Value::Array(values) => values.iter().map(one).collect(),
        value => Some(vec![one(value)?]),
    }
}

impl From<Value> for Keys {
    /// As far as it can be read; the rest is left out and logged.
    fn from(value: Value) -> Self {
        let mut keys = Self::default();
        let Value::Object(entries) = value else {
            tracing::warn!("the keys in the settings cannot be read");
            return keys;
        };
        for (name, value) in entries {
            if let Err(why) = keys.read(&name, &value) {
                tracing::warn!(command = %name, keys = %value, why, "keys in the settings are left out");
            }
        }
        for entry in TABLE.iter().filter(|entry| keys.of(entry).count() < entry.shortcuts.len()) {
            if !keys.is_changed(entry) {
                tracing::warn!(command = entry.name, "a key was given to another command");
            }
        }
        keys
    }
}

impl From<Keys> for BTreeMap<&'static str, Vec<String>> {
    fn from(keys: Keys) -> Self {
        let text = |keys: Vec<Chord>| -> Vec<String> { keys.into_iter().map(Chord::to_text).collect() };
        keys.changed.into_iter().map(|(name, keys)| (name, text(keys))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> &'static Entry {
        command::entry(name).unwrap()
    }

    fn chord(text: &str) -> Chord {
        Chord::parse(text).unwrap()
    }

    fn of(keys: &Keys, name: &str) -> Vec<String> {
        keys.of(entry(name)).map(Chord::to_text).collect()
    }

    fn from_json(json: &str) -> Keys {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_key_is_read_as_it_is_written() {
        for key in Key::ALL {
            for modifiers in [held::NONE, held::CTRL, held::ALT, held::CTRL_SHIFT] {
                let chord = Chord { modifiers, key: *key };
                assert_eq!(Chord::parse(&chord.to_text()), Some(chord));
            }
        }
        assert_eq!(chord("ctrl + k"), Chord { modifiers: held::CTRL, key: Key::K });
        assert_eq!(chord("Alt+1").show(""), "Alt+1");
        assert_eq!(chord("Ctrl+Shift+Space").show("Phím cách"), "Ctrl+Shift+Phím cách");
        for text in ["", "Ctrl+", "+", "Hyper+K", "Ctrl+Nothing"] {
            assert_eq!(Chord::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_command_can_be_given_another_key_and_its_own_again() {
        let mut keys = Keys::default();
        assert_eq!(of(&keys, "cmd-flag"), ["F"]);
        assert_eq!(keys.rebind(entry("cmd-flag"), chord("F8")), Ok(()));
        assert_eq!((of(&keys, "cmd-flag"), keys.is_changed(entry("cmd-flag"))), (vec!["F8".to_owned()], true));
        assert_eq!(keys.rebind(entry("cmd-flag"), chord("F")), Ok(()));
        assert!(keys.are_default(), "its own key is no change");
        assert_eq!(keys.rebind(entry("cmd-toggle"), chord("P")), Ok(()));
        assert_eq!(of(&keys, "cmd-toggle"), ["P"], "instead of both");
        assert_eq!(of(&keys, "cmd-toggle@incidents"), ["Space"], "the other page is another row");
        keys.reset_all();
        assert_eq!(of(&keys, "cmd-toggle"), ["Space", "K"]);
    }

    #[test]
    fn two_commands_of_a_page_do_not_share_a_key() {
        let mut keys = Keys::default();
        assert_eq!(keys.rebind(entry("cmd-listen"), chord("F")), Err(Refusal::Taken("cmd-flag")));
        assert_eq!(
            keys.rebind(entry("cmd-palette"), chord("R")),
            Err(Refusal::Taken("cmd-rewind")),
            "Every meets Live"
        );
        assert_eq!(keys.rebind(entry("cmd-rewind"), chord("N")), Ok(()), "N is on the playback page");
        assert_eq!(keys.rebind(entry("cmd-listen"), chord("N")), Err(Refusal::Taken("cmd-rewind")));
        assert_eq!(keys.rebind(entry("cmd-listen"), chord("R")), Ok(()), "R is free by now");
        assert_eq!(keys.reset(entry("cmd-rewind")), Err((chord("R"), Refusal::Taken("cmd-listen"))));
        assert_eq!(keys.reset(entry("cmd-listen")), Ok(()));
        assert_eq!(keys.reset(entry("cmd-rewind")), Ok(()));
        assert!(keys.are_default());
    }

    #[test]
    fn escape_and_help_stay() {
        let mut keys = Keys::default();
        assert_eq!(keys.rebind(entry("cmd-flag"), chord("F1")), Err(Refusal::Taken("cmd-help")));
        assert_eq!(keys.rebind(entry("cmd-flag"), chord("Shift+Escape")), Err(Refusal::Reserved));
        assert_eq!(keys.rebind(entry("cmd-help"), chord("F2")), Err(Refusal::Reserved));
        for text in ["Tab", "Ctrl+C", "Ctrl+V", "ShiftLeft"] {
            assert_eq!(keys.rebind(entry("cmd-flag"), chord(text)), Err(Refusal::Reserved), "{text}");
        }
        assert!(keys.are_default());
    }

    #[test]
    fn what_is_kept_is_read_as_far_as_it_goes() {
        let json = r#"{
            "cmd-flag": "F8", "cmd-toggle": ["Space", "P"], "cmd-listen": ["Nothing"], "cmd-mute": 5,
            "cmd-unheard-of": ["Z"], "cmd-help": ["F2"], "cmd-tree": ["F1"], "cmd-palette": ["Escape"]
        }"#;
        let keys = from_json(json);
        assert_eq!(keys.changed.keys().copied().collect::<Vec<_>>(), ["cmd-flag", "cmd-toggle"]);
        assert_eq!((of(&keys, "cmd-flag"), of(&keys, "cmd-listen")), (vec!["F8".to_owned()], vec!["M".to_owned()]));
        let again = serde_json::to_string(&keys).unwrap();
        assert_eq!(again, r#"{"cmd-flag":["F8"],"cmd-toggle":["Space","P"]}"#);
        assert_eq!(from_json(&again), keys);
        assert_eq!(from_json("7"), Keys::default());
    }

    #[test]
    fn keys_that_were_swapped_are_read_and_doubled_ones_are_not() {
        let keys = from_json(r#"{"cmd-flag": ["M"], "cmd-listen": ["F"]}"#);
        assert_eq!((of(&keys, "cmd-flag"), of(&keys, "cmd-listen")), (vec!["M".to_owned()], vec!["F".to_owned()]));
        let keys = from_json(r#"{"cmd-flag": ["X"], "cmd-listen": ["X"]}"#);
        assert_eq!((of(&keys, "cmd-flag"), of(&keys, "cmd-listen")), (vec!["X".to_owned()], vec!["M".to_owned()]));
        let keys = from_json(r#"{"cmd-flag": ["M"]}"#);
        assert_eq!(of(&keys, "cmd-listen"), Vec::<String>::new(), "a key of the table yields");
    }

    #[test]
    fn text_fields_keep_what_they_need() {
        for text in ["F", "Shift+F", "1", "Space", "Backspace", "Ctrl+Z", "Ctrl+Shift+Z", "Left", "Ctrl+Left", "Enter"]
        {
            assert!(chord(text).is_for_text(), "{text}");
        }
        for text in ["F8", "Shift+F8", "Ctrl+K", "Alt+1", "Ctrl+Shift+Space"] {
            assert!(!chord(text).is_for_text(), "{text}");
        }
    }
}
