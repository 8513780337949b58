//! The frame around the pages: which page, which dialog, messages, the link to the server, settings.

use std::time::{Duration, Instant};

use minhbach_model::{IncidentCategory, IncidentId};

use super::settings::Settings;
use crate::command;
use crate::keys::{Chord, Refusal};
use crate::text::Message;

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Page {
    /// Live wall.
    #[default]
    Live,
    /// Playback.
    Playback,
    /// Incidents.
    Incidents,
    /// Cameras.
    Cameras,
}

impl Page {
    /// Every page, in the order of the tabs.
    pub const ALL: [Self; 4] = [Self::Live, Self::Playback, Self::Incidents, Self::Cameras];

    /// Its name.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Live => "page-live",
            Self::Playback => "page-playback",
            Self::Incidents => "page-incidents",
            Self::Cameras => "page-cameras",
        }
    }

    /// Whether it has a wall of tiles.
    #[must_use]
    pub fn has_wall(self) -> bool {
        matches!(self, Self::Live | Self::Playback)
    }
}

/// A small dialog of the shell. Dialogs with data of their own open by that data.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Dialog {
    /// None.
    #[default]
    None,
    /// Keys of this screen.
    Help(Rebinding),
    /// Command palette.
    Palette {
        /// What was typed.
        query: String,
        /// The highlighted entry.
        selected: usize,
    },
    /// Go to a time.
    GoTo {
        /// What was typed.
        text: String,
    },
    /// Settings of this workstation.
    Settings,
}

/// Commands being given other keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebinding {
    /// The name of the command that gets the next key pressed.
    pub listening: Option<&'static str>,
    /// The key that was not to be had last, and why.
    pub refused: Option<(Chord, Refusal)>,
}

/// How urgent a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Info,
    /// Something needs attention.
    Attention,
}

/// An incident that was just flagged and may be undone or filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flagged {
    /// The incident.
    pub id: IncidentId,
    /// Its version.
    pub version: u64,
    /// Category chosen in the message.
    pub category: IncidentCategory,
    /// Note typed in the message.
    pub note: String,
    /// The note is being typed: the message stays.
    pub editing: bool,
    /// It is being taken back.
    pub undoing: bool,
}

/// A message at the edge of the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// Tells it apart.
    pub id: u64,
    /// How urgent.
    pub tone: Tone,
    /// What it says.
    pub message: Message,
    /// The exact failure in English, for a technician; empty when there is none.
    pub detail: String,
    /// When it appeared.
    pub since: Instant,
    /// The incident it is about.
    pub flagged: Option<Flagged>,
}

/// How long a message stays, and how long a flag can be undone.
pub const TOAST_TIME: Duration = Duration::from_secs(10);

impl Toast {
    /// Time left until it goes.
    #[must_use]
    pub fn left(&self, now: Instant) -> Duration {
        TOAST_TIME.saturating_sub(now.saturating_duration_since(self.since))
    }

    /// Whether a note is being typed into it.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.flagged.as_ref().is_some_and(|flagged| flagged.editing)
    }

    /// Whether it has had its time.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        !self.is_edited() && self.left(now).is_zero()
    }
}

/// The link to the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// The first attempt is under way.
    Opening,
    /// It answers.
    Up,
    /// It does not.
    Down {
        /// Since when.
        since: Instant,
        /// When it is tried again.
        retry_at: Instant,
        /// Exact failure, for a technician.
        detail: String,
    },
}

/// A short break does not take the picture away: only after this time the page of the lost server is shown.
const PATIENCE: Duration = Duration::from_secs(4);

/// State of the shell.
pub struct Shell {
    /// The page.
    pub page: Page,
    /// The dialog.
    pub dialog: Dialog,
    /// Messages, oldest first.
    pub toasts: Vec<Toast>,
    /// Counts the messages.
    pub next_toast: u64,
    /// The link to the server.
    pub link: Link,
    /// The server has answered once.
    pub was_up: bool,
    /// Some tile shows pictures that move, or footage: one late answer does not take them away.
    pub pictures: bool,
    /// A text field had the focus when the last frame was drawn.
    pub typed: bool,
    /// Full screen: the wall alone.
    pub fullscreen: bool,
    /// The tree is hidden.
    pub tree_hidden: bool,
    /// The layout was asked for on the command line: the number of cameras does not change it.
    pub fixed_layout: bool,
    /// Settings.
    pub settings: Settings,
}

impl Shell {
    /// Before anything is known.
    #[must_use]
    pub fn new(page: Page, settings: Settings) -> Self {
        Self {
            page,
            dialog: Dialog::None,
            toasts: Vec::new(),
            next_toast: 0,
            link: Link::Opening,
            was_up: false,
            pictures: false,
            typed: false,
            fullscreen: false,
            tree_hidden: false,
            fixed_layout: false,
            settings,
        }
    }

    /// Whether the page of the lost server is shown instead of the chosen one.
    #[must_use]
    pub fn is_lost(&self, now: Instant) -> bool {
        match &self.link {
            Link::Down { .. } => !self.was_up || (self.is_down_long(now) && !self.pictures),
            Link::Opening => !self.was_up,
            Link::Up => false,
        }
    }

    /// Whether the first answer of the server has yet to come, and it may.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.link == Link::Opening && !self.was_up
    }

    /// Whether the server does not answer while pictures still come: they stay, below a line that says so.
    #[must_use]
    pub fn is_shaky(&self, now: Instant) -> bool {
        self.is_down_long(now) && !self.is_lost(now)
    }

    fn is_down_long(&self, now: Instant) -> bool {
        matches!(&self.link, Link::Down { since, .. } if now.saturating_duration_since(*since) > PATIENCE)
    }

    /// Whether the next key pressed becomes one of a command.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        matches!(&self.dialog, Dialog::Help(rebinding) if rebinding.listening.is_some())
    }

    /// Waits for a key of the command with that name, or no longer.
    pub fn listen(&mut self, name: Option<&'static str>) {
        if let Dialog::Help(rebinding) = &mut self.dialog {
            *rebinding = Rebinding { listening: name, refused: None };
        }
    }

    /// Takes the key that was waited for. One that is not to be had is refused, and the next one may do.
    pub fn hear(&mut self, chord: Chord) {
        let Dialog::Help(rebinding) = &mut self.dialog else { return };
        let Some(entry) = rebinding.listening.and_then(command::entry) else { return };
        *rebinding = match self.settings.keys.rebind(entry, chord) {
            Ok(()) => Rebinding::default(),
            Err(why) => Rebinding { listening: Some(entry.name), refused: Some((chord, why)) },
        };
    }

    /// Gives the command with that name the keys of the table again, when they are free.
    pub fn reset_keys(&mut self, name: &str) {
        let Some(entry) = command::entry(name) else { return };
        let refused = self.settings.keys.reset(entry).err();
        if let Dialog::Help(rebinding) = &mut self.dialog {
            *rebinding = Rebinding { listening: None, refused };
        }
    }

    /// Gives all commands the keys of the table again.
    pub fn reset_all_keys(&mut self) {
        self.settings.keys.reset_all();
        self.listen(None);
    }

    /// Shows a message.
    pub fn say(&mut self, tone: Tone, message: Message, now: Instant) {
        self.push(tone, message, now, None);
    }

    /// Shows what failed, with the exact failure for a technician.
    pub fn complain(&mut self, message: Message, detail: String, now: Instant) {
        self.push(Tone::Attention, message, now, None);
        if let Some(toast) = self.toasts.last_mut() {
            toast.detail = detail;
        }
    }

    /// Shows a message about a flagged incident.
    pub fn push(&mut self, tone: Tone, message: Message, now: Instant, flagged: Option<Flagged>) {
        // More than a few cannot be read: the oldest goes, unless somebody is typing into it.
        if self.toasts.len() >= 4
            && let Some(oldest) = self.toasts.iter().position(|toast| !toast.is_edited())
        {
            self.toasts.remove(oldest);
        }
        let detail = String::new();
        self.toasts.push(Toast { id: self.next_toast, tone, message, detail, since: now, flagged });
        self.next_toast += 1;
    }

    /// The flag that Ctrl+Z takes back: the newest that still can be.
    #[must_use]
    pub fn undoable(&self, now: Instant) -> Option<IncidentId> {
        let open = |toast: &&Toast| !toast.left(now).is_zero();
        let mut flags = self.toasts.iter().rev().filter(open).filter_map(|toast| toast.flagged.as_ref());
        flags.find(|flagged| !flagged.undoing).map(|flagged| flagged.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flagged(editing: bool) -> Flagged {
        let (id, category) = (IncidentId::generate(), IncidentCategory::Unsorted);
        Flagged { id, version: 1, category, note: String::new(), editing, undoing: false }
    }

    #[test]
    fn a_flag_can_be_undone_for_ten_seconds_and_its_note_typed_for_longer() {
        let now = Instant::now();
        let mut shell = Shell::new(Page::Live, Settings::default());
        shell.push(Tone::Info, Message::new("x"), now, Some(flagged(false)));
        shell.say(Tone::Info, Message::new("y"), now);
        let id = shell.toasts[0].flagged.as_ref().map(|flagged| flagged.id);
        assert_eq!(shell.undoable(now + Duration::from_secs(9)), id);
        assert_eq!(shell.undoable(now + Duration::from_secs(10)), None);
        shell.toasts[0].flagged = Some(flagged(true));
        let later = now + Duration::from_secs(60);
        assert_eq!((shell.undoable(later), shell.toasts[0].is_over(later)), (None, false));
        shell.toasts[0].flagged = Some(Flagged { undoing: true, ..flagged(false) });
        assert_eq!(shell.undoable(now), None, "it is being taken back already");
    }

    #[test]
    fn a_message_that_is_typed_into_is_never_pushed_out() {
        let now = Instant::now();
        let mut shell = Shell::new(Page::Live, Settings::default());
        shell.push(Tone::Info, Message::new("x"), now, Some(flagged(true)));
        for _ in 0..6 {
            shell.say(Tone::Info, Message::new("y"), now);
        }
        assert_eq!(shell.toasts.iter().map(|toast| toast.id).collect::<Vec<_>>(), vec![0, 4, 5, 6]);
    }

    #[test]
    fn a_short_break_keeps_the_page() {
        let now = Instant::now();
        let mut shell = Shell::new(Page::Live, Settings::default());
        assert!(shell.is_lost(now), "nothing was ever shown");
        assert!(shell.is_opening());
        shell.was_up = true;
        shell.link = Link::Down { since: now, retry_at: now, detail: String::new() };
        assert!(!shell.is_opening() && !shell.is_lost(now + Duration::from_secs(3)));
        assert!(shell.is_lost(now + Duration::from_secs(5)));
        shell.pictures = true;
        let later = now + Duration::from_secs(60);
        assert!(!shell.is_lost(later) && shell.is_shaky(later), "pictures that move are not taken away");
        assert!(!shell.is_shaky(now));
    }

    #[test]
    fn a_failure_keeps_its_exact_text_beside_the_words() {
        let now = Instant::now();
        let mut shell = Shell::new(Page::Live, Settings::default());
        shell.say(Tone::Info, Message::new("x"), now);
        shell.complain(Message::new("y"), "no such column".to_owned(), now);
        let details: Vec<&str> = shell.toasts.iter().map(|toast| toast.detail.as_str()).collect();
        assert_eq!(details, ["", "no such column"]);
        assert_eq!(shell.toasts[1].tone, Tone::Attention);
    }

    #[test]
    fn a_command_gets_the_next_key_unless_it_is_taken() {
        let key = |text: &str| Chord::parse(text).unwrap();
        let mut shell = Shell::new(Page::Live, Settings::default());
        shell.listen(Some("cmd-flag"));
        assert!(!shell.is_listening(), "only where one sees it");
        shell.dialog = Dialog::Help(Rebinding::default());
        shell.listen(Some("cmd-flag"));
        shell.hear(key("M"));
        let refused = Some((key("M"), Refusal::Taken("cmd-listen")));
        assert_eq!(shell.dialog, Dialog::Help(Rebinding { listening: Some("cmd-flag"), refused }));
        shell.hear(key("F8"));
        assert!(!shell.is_listening() && !shell.settings.keys.are_default());
        shell.hear(key("F9"));
        shell.reset_keys("cmd-flag");
        assert!(shell.settings.keys.are_default(), "a key nobody waited for did nothing");
    }

    #[test]
    fn keys_go_back_one_by_one_when_they_are_free_and_all_at_once_in_any_case() {
        let mut shell = Shell::new(Page::Live, Settings::default());
        shell.dialog = Dialog::Help(Rebinding::default());
        for (name, key) in [("cmd-flag", "F8"), ("cmd-listen", "F")] {
            shell.listen(Some(name));
            shell.hear(Chord::parse(key).unwrap());
        }
        shell.reset_keys("cmd-flag");
        let refused = Some((Chord::parse("F").unwrap(), Refusal::Taken("cmd-listen")));
        assert_eq!(shell.dialog, Dialog::Help(Rebinding { listening: None, refused }));
        shell.reset_all_keys();
        assert!(shell.settings.keys.are_default());
        assert_eq!(shell.dialog, Dialog::Help(Rebinding::default()));
    }

    #[test]
    fn only_the_newest_messages_are_kept() {
        let now = Instant::now();
        let mut shell = Shell::new(Page::Live, Settings::default());
        for _ in 0..6 {
            shell.say(Tone::Info, Message::new("x"), now);
        }
        assert_eq!(shell.toasts.iter().map(|toast| toast.id).collect::<Vec<_>>(), vec![2, 3, 4, 5]);
    }
}
