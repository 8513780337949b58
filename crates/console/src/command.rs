//! Everything a person can ask for, and the one table that gives a command its text, its keys and its place in the
//! palette.
//!
//! What belongs here: commands and keys. What a command does is in `apply/`.

use egui::{Key, Modifiers};
use minhbach_model::{CameraId, IncidentCategory, IncidentId, IncidentState, WallRange, WallTime};

use crate::state::cameras::{Form, Node};
use crate::state::incidents::Edit;
use crate::state::shell::Page;
use crate::state::timeview::TimeView;
use crate::state::wall::{Layout, Zoom};
use crate::video::player::Step;

/// Anything that changes the state.
#[derive(Debug, Clone)]
pub enum Command {
    /// On the wall of the page shown.
    Wall(WallCommand),
    /// Time.
    Playback(PlaybackCommand),
    /// Files.
    Export(ExportCommand),
    /// What the server keeps.
    Server(ServerCommand),
    /// The frame around it.
    Shell(ShellCommand),
}

/// On the wall of the page shown.
#[derive(Debug, Clone)]
pub enum WallCommand {
    /// Divide it anew.
    Layout(Layout),
    /// Show a camera in the next free tile.
    Show(CameraId),
    /// Put a camera into a tile.
    Place(CameraId, usize),
    /// Change two tiles.
    Swap(usize, usize),
    /// Empty a tile.
    Clear(usize),
    /// Empty the selected tile.
    ClearSelected,
    /// Select a tile.
    Select(usize),
    /// Select a tile that many further on.
    SelectNext(isize),
    /// Make a tile large, or back.
    Promote(usize),
    /// Make the selected tile large, or back.
    PromoteSelected,
    /// Zoom into a camera's picture.
    Zoom(CameraId, Zoom),
    /// A camera's tile is now that tall, in pixels.
    Measured(CameraId, f32),
    /// Hear this camera, or no longer.
    Listen(CameraId),
    /// Hear the selected tile, or no longer.
    ListenSelected,
}

/// Time.
#[derive(Debug, Clone)]
pub enum PlaybackCommand {
    /// Play or pause.
    Toggle,
    /// Next higher speed.
    Faster,
    /// Next lower speed.
    Slower,
    /// This speed.
    Speed(f64),
    /// One picture.
    Step(Step),
    /// To this moment.
    Seek(WallTime),
    /// By that many seconds.
    Skip(i64),
    /// To the first recorded moment.
    First,
    /// To now.
    LiveEdge,
    /// Past the gap.
    JumpGap,
    /// Mark the start of a range.
    MarkIn,
    /// Mark its end.
    MarkOut,
    /// Forget the marks.
    ClearMarks,
    /// Show this stretch of time.
    View(TimeView),
    /// Play one camera alone from a moment.
    Open(Vec<CameraId>, WallTime),
    /// Watch what the live wall showed a moment ago.
    Rewind,
}

/// Files.
#[derive(Debug, Clone)]
pub enum ExportCommand {
    /// Open the dialog for the marked range.
    Open,
    /// Close it.
    Close,
    /// Choose a camera, or not.
    Choose(CameraId, bool),
    /// Another folder.
    Folder(String),
    /// Leave the sound out, or not.
    WithoutAudio(bool),
    /// Another range.
    Range(WallRange),
    /// Write the files.
    Start,
    /// Stop a job.
    Cancel(u64),
    /// Take ended jobs off the list.
    Forget,
}

/// What the server keeps.
#[derive(Debug, Clone)]
pub enum ServerCommand {
    /// Flag an incident on the visible tiles.
    Flag,
    /// Take the newest flag back.
    UndoFlag,
    /// Take this flag back.
    Undo(IncidentId),
    /// Category of a flagged incident, from its message.
    FlagCategory(IncidentId, IncidentCategory),
    /// Note of a flagged incident, being typed.
    FlagNote(IncidentId, String, bool),
    /// Send the note.
    FlagNoteDone(IncidentId),
    /// Only incidents in this state.
    IncidentFilter(Option<IncidentState>),
    /// Search incidents.
    IncidentQuery(String),
    /// Select an incident and play it: beside the list, or (`true`) on the playback page with all its cameras.
    OpenIncident(IncidentId, bool),
    /// Select the incident that many rows further down.
    NextIncident(isize),
    /// Play the selected incident on the playback page.
    PlayIncident,
    /// Changes in the editor.
    EditIncident(Edit),
    /// Send them.
    SaveIncident,
    /// Write the list to a file: the list as CSV.
    IncidentCsv(String),
    /// Search cameras in the tree.
    TreeQuery(String),
    /// Fold or unfold a node of the tree.
    Fold(Node),
    /// Search cameras in the table.
    CameraQuery(String),
    /// Select a camera in the table.
    SelectCamera(CameraId),
    /// Open an empty form.
    AddCamera,
    /// Open the form of a camera.
    EditCamera(CameraId),
    /// The form, changed.
    Form(Box<Form>),
    /// Close the form.
    CloseForm,
    /// Send the form.
    SaveForm,
    /// Try the camera in the form.
    TestForm,
    /// Ask whether a camera shall be paused.
    AskPause(Option<CameraId>),
    /// Pause or resume a camera.
    Pause(CameraId, bool),
    /// Ask whether a camera shall be removed.
    AskRemove(Option<CameraId>),
    /// Remove it.
    Remove(CameraId),
}

/// The frame around it.
#[derive(Debug, Clone)]
pub enum ShellCommand {
    /// Show a page.
    Page(Page),
    /// Full screen, or back.
    Fullscreen,
    /// Hide or show the tree.
    Tree,
    /// Open the palette.
    Palette,
    /// What was typed there and which entry is highlighted.
    PaletteInput(String, usize),
    /// Keys of this screen.
    Help,
    /// Settings of this workstation.
    Settings,
    /// Open "go to time".
    GoTo,
    /// What was typed there.
    GoToInput(String),
    /// Close whatever small dialog is open; leaves promotion and full screen. Never destroys.
    Escape,
    /// Take a message away.
    CloseToast(u64),
    /// The other language.
    Language,
    /// Loudness.
    Volume(f32),
    /// Sound off, or on.
    Mute,
    /// Scale of the console.
    Scale(f32),
    /// Name of this workstation.
    Workstation(String),
    /// Copy a text.
    Copy(String),
}

macro_rules! into_command {
    ($($from:ident => $variant:ident),+) => {
        $(impl From<$from> for Command {
            fn from(command: $from) -> Self {
                Self::$variant(command)
            }
        })+
    };
}

into_command!(
    WallCommand => Wall,
    PlaybackCommand => Playback,
    ExportCommand => Export,
    ServerCommand => Server,
    ShellCommand => Shell
);

/// On which pages a command can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Everywhere.
    Every,
    /// Pages with a wall.
    Wall,
    /// The playback page.
    Playback,
    /// The live page.
    Live,
    /// The incidents page.
    Incidents,
    /// The cameras page.
    Cameras,
}

impl On {
    /// Whether it can be given on that page.
    #[must_use]
    pub fn covers(self, page: Page) -> bool {
        match self {
            Self::Every => true,
            Self::Wall => page.has_wall(),
            Self::Playback => page == Page::Playback,
            Self::Live => page == Page::Live,
            Self::Incidents => page == Page::Incidents,
            Self::Cameras => page == Page::Cameras,
        }
    }
}

/// A row of the table.
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Its text.
    pub key: &'static str,
    /// Where it can be given.
    pub on: On,
    /// Its keys.
    pub shortcuts: &'static [(Modifiers, Key)],
    /// It is in the palette.
    pub palette: bool,
}

macro_rules! entries {
    ($($variant:ident($command:expr), $key:literal, $on:ident, [$($modifier:ident $shortcut:ident),*], $palette:literal;)+) => {
        &[$(Entry {
            command: Command::$variant($command),
            key: $key,
            on: On::$on,
            shortcuts: &[$((Modifiers::$modifier, Key::$shortcut)),*],
            palette: $palette,
        }),+]
    };
}

/// Every command that has a key or an entry in the palette. The help shows it in this order.
pub static TABLE: &[Entry] = entries![
    Server(ServerCommand::Flag), "cmd-flag", Wall, [NONE F], true;
    Server(ServerCommand::UndoFlag), "cmd-undo-flag", Every, [CTRL Z], false;
    Wall(WallCommand::ListenSelected), "cmd-listen", Wall, [NONE M], true;
    Wall(WallCommand::PromoteSelected), "cmd-promote", Wall, [NONE Enter], true;
    Wall(WallCommand::SelectNext(1)), "cmd-select-next", Live, [NONE ArrowRight], false;
    Wall(WallCommand::SelectNext(-1)), "cmd-select-previous", Live, [NONE ArrowLeft], false;
    Wall(WallCommand::ClearSelected), "cmd-clear-tile", Wall, [NONE Delete], true;
    Playback(PlaybackCommand::Rewind), "cmd-rewind", Live, [NONE R], true;
    Playback(PlaybackCommand::Toggle), "cmd-toggle", Playback, [NONE Space, NONE K], true;
    Playback(PlaybackCommand::Slower), "cmd-slower", Playback, [NONE J], true;
    Playback(PlaybackCommand::Faster), "cmd-faster", Playback, [NONE L], true;
    Playback(PlaybackCommand::Step(Step::Back)), "cmd-step-back", Playback, [NONE Comma], true;
    Playback(PlaybackCommand::Step(Step::Forward)), "cmd-step-forward", Playback, [NONE Period], true;
    Playback(PlaybackCommand::Skip(-10)), "cmd-skip-back", Playback, [NONE ArrowLeft], false;
    Playback(PlaybackCommand::Skip(10)), "cmd-skip-forward", Playback, [NONE ArrowRight], false;
    Playback(PlaybackCommand::First), "cmd-first", Playback, [NONE Home], true;
    Playback(PlaybackCommand::LiveEdge), "cmd-live-edge", Playback, [NONE End], true;
    Playback(PlaybackCommand::JumpGap), "cmd-jump-gap", Playback, [NONE N], true;
    Playback(PlaybackCommand::MarkIn), "cmd-mark-in", Playback, [NONE OpenBracket], true;
    Playback(PlaybackCommand::MarkOut), "cmd-mark-out", Playback, [NONE CloseBracket], true;
    Playback(PlaybackCommand::ClearMarks), "cmd-clear-marks", Playback, [], true;
    Shell(ShellCommand::GoTo), "cmd-go-to", Wall, [NONE G], true;
    Export(ExportCommand::Open), "cmd-export", Playback, [CTRL E], true;
    Wall(WallCommand::Layout(Layout::One)), "cmd-layout-1", Wall, [ALT Num1], true;
    Wall(WallCommand::Layout(Layout::Four)), "cmd-layout-4", Wall, [ALT Num2], true;
    Wall(WallCommand::Layout(Layout::OnePlusSeven)), "cmd-layout-8", Wall, [ALT Num3], true;
    Wall(WallCommand::Layout(Layout::Nine)), "cmd-layout-9", Wall, [ALT Num4], true;
    Wall(WallCommand::Layout(Layout::Sixteen)), "cmd-layout-16", Wall, [ALT Num5], true;
    Server(ServerCommand::NextIncident(1)), "cmd-incident-next", Incidents, [NONE ArrowDown], false;
    Server(ServerCommand::NextIncident(-1)), "cmd-incident-previous", Incidents, [NONE ArrowUp], false;
    Server(ServerCommand::PlayIncident), "incident-play", Incidents, [NONE Enter], false;
    Playback(PlaybackCommand::Toggle), "cmd-toggle", Incidents, [NONE Space], false;
    Server(ServerCommand::AddCamera), "cmd-add-camera", Cameras, [], true;
    Shell(ShellCommand::Page(Page::Live)), "cmd-page-live", Every, [CTRL Num1], true;
    Shell(ShellCommand::Page(Page::Playback)), "cmd-page-playback", Every, [CTRL Num2], true;
    Shell(ShellCommand::Page(Page::Incidents)), "cmd-page-incidents", Every, [CTRL Num3], true;
    Shell(ShellCommand::Page(Page::Cameras)), "cmd-page-cameras", Every, [CTRL Num4], true;
    Shell(ShellCommand::Palette), "cmd-palette", Every, [CTRL K], false;
    Shell(ShellCommand::Tree), "cmd-tree", Wall, [CTRL B], true;
    Shell(ShellCommand::Fullscreen), "cmd-fullscreen", Every, [NONE F11], true;
    Shell(ShellCommand::Mute), "cmd-mute", Every, [CTRL M], true;
    Shell(ShellCommand::Language), "cmd-language", Every, [], true;
    Shell(ShellCommand::Settings), "cmd-settings", Every, [], true;
    Shell(ShellCommand::Help), "cmd-help", Every, [NONE F1], true;
    Shell(ShellCommand::Escape), "cmd-escape", Every, [NONE Escape], false;
];

/// What the keyboard is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Focus {
    /// A text field has the focus: keys without Ctrl or Alt are letters.
    pub text: bool,
    /// Some widget has the focus: Space, Enter and arrows are its own.
    pub widget: bool,
    /// A dialog is open: only keys that concern it.
    pub dialog: bool,
    /// A menu is open, or a text field had the focus in the frame before: Escape closes or leaves that.
    pub escape: bool,
}

/// Whether a key may become a command now.
#[must_use]
pub fn allowed(modifiers: Modifiers, key: Key, focus: Focus) -> bool {
    if key == Key::Escape {
        // Dialogs take Escape themselves, so that the topmost one closes.
        return !focus.dialog && !focus.escape;
    }
    if matches!(key, Key::F1 | Key::F11) {
        return true;
    }
    if focus.dialog {
        return false;
    }
    let arrow = matches!(key, Key::ArrowLeft | Key::ArrowRight | Key::ArrowUp | Key::ArrowDown);
    let own = arrow || matches!(key, Key::Space | Key::Enter | Key::Home | Key::End | Key::Delete);
    if modifiers == Modifiers::NONE {
        return !(focus.text || own && focus.widget);
    }
    // In a text field Ctrl+Z undoes typing.
    !(focus.text && key == Key::Z)
}

/// Takes the keys of this frame that are commands, and leaves the others to the widgets. `typed`: a text field had the
/// focus in the frame before.
pub fn from_keys(ctx: &egui::Context, page: Page, dialog: bool, typed: bool, out: &mut Vec<Command>) {
    let focus = Focus {
        text: ctx.text_edit_focused(),
        widget: ctx.egui_wants_keyboard_input(),
        dialog,
        escape: typed || egui::Popup::is_any_open(ctx),
    };
    ctx.input_mut(|input| {
        for entry in TABLE.iter().filter(|entry| entry.on.covers(page)) {
            for (modifiers, key) in entry.shortcuts {
                if allowed(*modifiers, *key, focus) && pressed(input, *modifiers, *key, repeats(&entry.command)) {
                    out.push(entry.command.clone());
                }
            }
        }
    });
}

/// Whether a held key gives the command again and again: moving in time does, flagging an incident does not.
fn repeats(command: &Command) -> bool {
    matches!(
        command,
        Command::Playback(PlaybackCommand::Step(_) | PlaybackCommand::Skip(_))
            | Command::Server(ServerCommand::NextIncident(_))
    )
}

/// Exactly these modifiers: egui's own matching would let Ctrl+Shift pass for Ctrl.
fn pressed(input: &mut egui::InputState, wanted: Modifiers, wanted_key: Key, repeats: bool) -> bool {
    let mut found = false;
    input.events.retain(|event| {
        let egui::Event::Key { key, modifiers, pressed: true, repeat, .. } = event else { return true };
        let same = modifiers.alt == wanted.alt
            && modifiers.shift == wanted.shift
            && (modifiers.ctrl || modifiers.command) == wanted.ctrl;
        let mine = *key == wanted_key && same;
        found |= mine && (repeats || !repeat);
        !mine
    });
    found
}

/// A command's keys, as a person reads them.
#[must_use]
pub fn keys_text(entry: &Entry, space: &str) -> String {
    let one = |(modifiers, key): &(Modifiers, Key)| {
        let mut text = String::new();
        for (held, name) in [(modifiers.ctrl, "Ctrl+"), (modifiers.alt, "Alt+"), (modifiers.shift, "Shift+")] {
            if held {
                text.push_str(name);
            }
        }
        text.push_str(match key {
            Key::Space => space,
            Key::ArrowLeft => "←",
            Key::ArrowRight => "→",
            Key::ArrowUp => "↑",
            Key::ArrowDown => "↓",
            Key::Escape => "Esc",
            other => other.symbol_or_name(),
        });
        text
    };
    entry.shortcuts.iter().map(one).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Focus = Focus { text: false, widget: false, dialog: false, escape: false };

    #[test]
    fn letters_are_letters_while_a_text_field_has_the_focus() {
        let typing = Focus { text: true, widget: true, ..FREE };
        assert!(allowed(Modifiers::NONE, Key::F, FREE));
        assert!(!allowed(Modifiers::NONE, Key::F, typing));
        assert!(!allowed(Modifiers::NONE, Key::Num1, typing));
        assert!(!allowed(Modifiers::CTRL, Key::Z, typing));
        assert!(allowed(Modifiers::CTRL, Key::K, typing));
        assert!(allowed(Modifiers::NONE, Key::F11, typing));
    }

    #[test]
    fn space_belongs_to_a_focused_button() {
        let button = Focus { widget: true, ..FREE };
        assert!(!allowed(Modifiers::NONE, Key::Space, button));
        assert!(allowed(Modifiers::NONE, Key::F, button));
        assert!(!allowed(Modifiers::NONE, Key::F, Focus { dialog: true, ..FREE }));
    }

    #[test]
    fn escape_belongs_to_what_is_open() {
        assert!(allowed(Modifiers::NONE, Key::Escape, FREE));
        assert!(!allowed(Modifiers::NONE, Key::Escape, Focus { dialog: true, ..FREE }));
        assert!(!allowed(Modifiers::NONE, Key::Escape, Focus { escape: true, ..FREE }));
    }

    #[test]
    fn no_key_has_two_meanings_on_a_page() {
        for page in Page::ALL {
            let mut seen = Vec::new();
            for entry in TABLE.iter().filter(|entry| entry.on.covers(page)) {
                for shortcut in entry.shortcuts {
                    assert!(!seen.contains(shortcut), "{shortcut:?} twice on {page:?}");
                    seen.push(*shortcut);
                }
            }
        }
    }

    #[test]
    fn keys_are_written_as_people_read_them() {
        let entry = |key: &str| TABLE.iter().find(|entry| entry.key == key).unwrap();
        assert_eq!(keys_text(entry("cmd-palette"), "Space"), "Ctrl+K");
        assert_eq!(keys_text(entry("cmd-toggle"), "Phím cách"), "Phím cách · K");
        assert_eq!(keys_text(entry("cmd-step-back"), ""), ",");
    }
}
