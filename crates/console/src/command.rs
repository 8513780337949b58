//! Everything a person can ask for, and the one table that gives a command its text, its keys and its place in the
//! palette.
//!
//! What belongs here: commands and keys. What a command does is in `apply/`.

use egui::{Key, Modifiers};
use minhbach_model::{CameraId, HoldId, IncidentCategory, IncidentId, IncidentState, WallRange, WallTime};

use crate::keys::{Chord, Keys, held, is_held};
use crate::state::cameras::{Form, Node};
use crate::state::holds::Form as HoldForm;
use crate::state::incidents::Edit;
use crate::state::shell::Page;
use crate::state::timeview::TimeView;
use crate::state::wall::{Layout, Zoom};
use crate::text::Text;
use crate::typing::Typing;
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
    /// Footage that must not be deleted.
    Hold(HoldCommand),
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

/// Footage that must not be deleted.
#[derive(Debug, Clone)]
pub enum HoldCommand {
    /// Open the form for the marked range.
    Open,
    /// Open it for the time and the cameras of an incident.
    OpenFor(IncidentId),
    /// The form, changed.
    Form(Box<HoldForm>),
    /// Place the hold in the form.
    Place,
    /// Open the list, or close it.
    List,
    /// Play a hold's footage.
    Play(HoldId),
    /// Ask why a hold is released.
    AskRelease(HoldId),
    /// The reason, being typed.
    Reason(String),
    /// Release it.
    Release,
    /// Close the dialog; the one before it comes back, if there was one.
    Close,
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
    /// Keep the last picture of each camera, or not.
    KeepStills(bool),
    /// Copy a text.
    Copy(String),
    /// The next key that is pressed becomes the key of the command with this [`Entry::name`]; `None`: it does not.
    Listen(Option<&'static str>),
    /// The key that was waited for.
    Heard(Chord),
    /// The command with this name has the keys of the table again.
    ResetKeys(&'static str),
    /// All commands have.
    ResetAllKeys,
    /// Compose Vietnamese in text fields this way.
    Typing(Typing),
    /// Compose it, or no longer.
    ToggleTyping,
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
    HoldCommand => Hold,
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

    /// Whether there is a page for both.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        Page::ALL.into_iter().any(|page| self.covers(page) && other.covers(page))
    }
}

/// A row of the table.
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Its text.
    pub key: &'static str,
    /// Tells it apart, also in the settings that are kept: the key of its text, unless two commands share that.
    pub name: &'static str,
    /// Where it can be given.
    pub on: On,
    /// Its keys as long as it is given no others; those in force are known to [`Keys::of`].
    pub shortcuts: &'static [Chord],
    /// It is in the palette.
    pub palette: bool,
}

impl Entry {
    /// Whether its keys are the same everywhere, so that there is always a way to help and a way back.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self.command, Command::Shell(ShellCommand::Help | ShellCommand::Escape))
    }

    /// Whether it can be given while a dialog is open.
    fn is_in_dialogs(&self) -> bool {
        matches!(
            self.command,
            Command::Shell(ShellCommand::Help | ShellCommand::Fullscreen | ShellCommand::ToggleTyping)
        )
    }
}

/// The command with that name.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.name == name)
}

macro_rules! entries {
    (@name $key:literal) => { $key };
    (@name $key:literal $name:literal) => { $name };
    ($(
        $variant:ident($command:expr), $key:literal $(as $name:literal)?, $on:ident,
        [$($modifier:ident $shortcut:ident),*], $palette:literal;
    )+) => {
        &[$(Entry {
            command: Command::$variant($command),
            key: $key,
            name: entries!(@name $key $($name)?),
            on: On::$on,
            shortcuts: &[$(Chord { modifiers: held::$modifier, key: Key::$shortcut }),*],
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
    Hold(HoldCommand::Open), "cmd-hold", Playback, [CTRL N], true;
    Hold(HoldCommand::List), "cmd-holds", Every, [CTRL_SHIFT N], true;
    Wall(WallCommand::Layout(Layout::One)), "cmd-layout-1", Wall, [ALT Num1], true;
    Wall(WallCommand::Layout(Layout::Four)), "cmd-layout-4", Wall, [ALT Num2], true;
    Wall(WallCommand::Layout(Layout::OnePlusSeven)), "cmd-layout-8", Wall, [ALT Num3], true;
    Wall(WallCommand::Layout(Layout::Nine)), "cmd-layout-9", Wall, [ALT Num4], true;
    Wall(WallCommand::Layout(Layout::Sixteen)), "cmd-layout-16", Wall, [ALT Num5], true;
    Server(ServerCommand::NextIncident(1)), "cmd-incident-next", Incidents, [NONE ArrowDown], false;
    Server(ServerCommand::NextIncident(-1)), "cmd-incident-previous", Incidents, [NONE ArrowUp], false;
    Server(ServerCommand::PlayIncident), "incident-play", Incidents, [NONE Enter], false;
    Playback(PlaybackCommand::Toggle), "cmd-toggle" as "cmd-toggle@incidents", Incidents, [NONE Space], false;
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
    Shell(ShellCommand::ToggleTyping), "cmd-typing", Every, [CTRL_SHIFT Space], true;
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

/// Whether a key may become this command now.
#[must_use]
pub fn allowed(entry: &Entry, chord: Chord, focus: Focus) -> bool {
    if chord.key == Key::Escape {
        // Dialogs take Escape themselves, so that the topmost one closes.
        return !focus.dialog && !focus.escape;
    }
    if focus.dialog && !entry.is_in_dialogs() {
        return false;
    }
    if focus.text {
        return !chord.is_for_text();
    }
    let arrow = matches!(chord.key, Key::ArrowLeft | Key::ArrowRight | Key::ArrowUp | Key::ArrowDown);
    let own = arrow || matches!(chord.key, Key::Space | Key::Enter | Key::Home | Key::End | Key::Delete);
    !(focus.widget && own && chord.modifiers == Modifiers::NONE)
}

/// What decides about the keys of a frame.
pub struct Keyboard<'a> {
    /// The page shown.
    pub page: Page,
    /// A dialog has the keyboard.
    pub dialog: bool,
    /// A text field had the focus in the frame before.
    pub typed: bool,
    /// The next key becomes one of a command.
    pub listening: bool,
    /// The keys in force.
    pub keys: &'a Keys,
}

/// Takes the keys of this frame that are commands, and leaves the others to the widgets.
pub fn from_keys(ctx: &egui::Context, keyboard: &Keyboard<'_>, out: &mut Vec<Command>) {
    if keyboard.listening {
        out.extend(ctx.input_mut(|input| heard(&mut input.events)).map(Command::Shell));
        return;
    }
    let focus = Focus {
        text: ctx.text_edit_focused(),
        widget: ctx.egui_wants_keyboard_input(),
        dialog: keyboard.dialog,
        escape: keyboard.typed || egui::Popup::is_any_open(ctx),
    };
    ctx.input_mut(|input| {
        for entry in TABLE.iter().filter(|entry| entry.on.covers(keyboard.page)) {
            for chord in keyboard.keys.of(entry) {
                if allowed(entry, chord, focus) && pressed(input, chord, repeats(&entry.command)) {
                    out.push(entry.command.clone());
                }
            }
        }
    });
}

/// The first key pressed while one is waited for; Escape waits no longer. No widget sees any of them.
fn heard(events: &mut Vec<egui::Event>) -> Option<ShellCommand> {
    let mut heard = None;
    events.retain(|event| {
        let chord = match event {
            egui::Event::Key { key, modifiers, pressed: true, repeat: false, .. } => Chord::pressed(*modifiers, *key),
            // The window hands these three over as what they do.
            egui::Event::Copy => Chord { modifiers: held::CTRL, key: Key::C },
            egui::Event::Cut => Chord { modifiers: held::CTRL, key: Key::X },
            egui::Event::Paste(_) => Chord { modifiers: held::CTRL, key: Key::V },
            other => return !matches!(other, egui::Event::Key { pressed: true, .. } | egui::Event::Text(_)),
        };
        if !is_held(chord.key) {
            heard.get_or_insert(chord);
        }
        false
    });
    heard.map(|chord| match chord.key {
        Key::Escape => ShellCommand::Listen(None),
        _ => ShellCommand::Heard(chord),
    })
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
fn pressed(input: &mut egui::InputState, wanted: Chord, repeats: bool) -> bool {
    let mut found = false;
    input.events.retain(|event| {
        let egui::Event::Key { key, modifiers, pressed: true, repeat, .. } = event else { return true };
        let mine = Chord::pressed(*modifiers, *key) == wanted;
        found |= mine && (repeats || !repeat);
        !mine
    });
    found
}

/// A command's keys, as a person reads them; empty when it has none.
#[must_use]
pub fn keys_text(keys: &Keys, entry: &Entry, text: &Text) -> String {
    let space = text.get("key-space", None);
    keys.of(entry).map(|chord| chord.show(&space)).collect::<Vec<_>>().join(" · ")
}

/// The keys of the command with that name, for a sentence that tells to press them.
#[must_use]
pub fn keys_in_words(keys: &Keys, name: &str, text: &Text) -> String {
    let shown = entry(name).map(|entry| keys_text(keys, entry, text)).unwrap_or_default();
    if shown.is_empty() { text.get("key-none", None) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    const FREE: Focus = Focus { text: false, widget: false, dialog: false, escape: false };

    /// Whether a key becomes the command with that name.
    fn may(name: &str, key: &str, focus: Focus) -> bool {
        allowed(entry(name).unwrap(), Chord::parse(key).unwrap(), focus)
    }

    #[test]
    fn letters_are_letters_while_a_text_field_has_the_focus() {
        let typing = Focus { text: true, widget: true, ..FREE };
        assert!(may("cmd-flag", "F", FREE));
        assert!(!may("cmd-flag", "F", typing));
        assert!(!may("cmd-flag", "1", typing));
        assert!(!may("cmd-undo-flag", "Ctrl+Z", typing));
        assert!(may("cmd-palette", "Ctrl+K", typing));
        assert!(may("cmd-fullscreen", "F11", typing));
        assert!(!may("cmd-fullscreen", "U", typing), "whatever the command");
        assert!(may("cmd-flag", "F8", typing));
    }

    #[test]
    fn space_belongs_to_a_focused_button() {
        let button = Focus { widget: true, ..FREE };
        assert!(!may("cmd-toggle", "Space", button));
        assert!(may("cmd-flag", "F", button));
    }

    #[test]
    fn a_dialog_has_the_keyboard() {
        let dialog = Focus { dialog: true, ..FREE };
        assert!(!may("cmd-flag", "F", dialog));
        assert!(!may("cmd-flag", "F8", dialog));
        for (name, key) in [("cmd-help", "F1"), ("cmd-fullscreen", "F11"), ("cmd-typing", "Ctrl+Shift+Space")] {
            assert!(may(name, key, Focus { text: true, ..dialog }), "{name}");
        }
    }

    #[test]
    fn escape_belongs_to_what_is_open() {
        assert!(may("cmd-escape", "Escape", FREE));
        assert!(!may("cmd-escape", "Escape", Focus { dialog: true, ..FREE }));
        assert!(!may("cmd-escape", "Escape", Focus { escape: true, ..FREE }));
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
    fn each_command_has_a_name_of_its_own_and_keys_it_may_have() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|other| other.name != entry.name), "{}", entry.name);
            assert!(entry.is_fixed() || entry.shortcuts.iter().all(|chord| !chord.is_reserved()), "{}", entry.name);
        }
    }

    #[test]
    fn keys_are_written_as_people_read_them() {
        let (vi, mut keys) = (Text::new(Lang::Vi), Keys::default());
        assert_eq!(keys_text(&keys, entry("cmd-palette").unwrap(), &vi), "Ctrl+K");
        assert_eq!(keys_text(&keys, entry("cmd-toggle").unwrap(), &vi), "Phím cách · K");
        assert_eq!(keys_in_words(&keys, "cmd-step-back", &vi), ",");
        assert_eq!(keys_in_words(&keys, "cmd-clear-marks", &vi), vi.get("key-none", None));
        let flag = entry("cmd-flag").unwrap();
        keys.rebind(flag, Chord::parse("Alt+F").unwrap()).unwrap();
        assert_eq!(keys_text(&keys, flag, &vi), "Alt+F");
    }

    fn key(key: Key, modifiers: Modifiers) -> egui::Event {
        egui::Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
    }

    /// Commands of one frame on the live page.
    fn commands(keys: &Keys, listening: bool, events: Vec<egui::Event>) -> Vec<Command> {
        let (ctx, mut out) = (egui::Context::default(), Vec::new());
        crate::theme::apply(&ctx);
        let keyboard = Keyboard { page: Page::Live, dialog: listening, typed: false, listening, keys };
        let input = egui::RawInput { events, ..egui::RawInput::default() };
        ctx.run_ui(input, |ui| from_keys(ui.ctx(), &keyboard, &mut out)).drop_without_applying_deltas();
        out
    }

    #[test]
    fn the_keys_in_force_give_the_commands() {
        let mut keys = Keys::default();
        let f = || vec![key(Key::F, Modifiers::NONE)];
        assert!(matches!(commands(&keys, false, f())[..], [Command::Server(ServerCommand::Flag)]));
        keys.rebind(entry("cmd-flag").unwrap(), Chord::parse("F8").unwrap()).unwrap();
        assert!(commands(&keys, false, f()).is_empty());
        let f8 = vec![key(Key::F8, Modifiers::NONE)];
        assert!(matches!(commands(&keys, false, f8)[..], [Command::Server(ServerCommand::Flag)]));
        let shifted = vec![key(Key::F8, Modifiers::SHIFT)];
        assert!(commands(&keys, false, shifted).is_empty());
    }

    #[test]
    fn while_a_key_is_waited_for_it_triggers_nothing() {
        let keys = Keys::default();
        let ctrl_k = vec![key(Key::ControlLeft, Modifiers::CTRL), key(Key::K, Modifiers::CTRL)];
        let heard = commands(&keys, true, ctrl_k);
        let [Command::Shell(ShellCommand::Heard(chord))] = heard[..] else { panic!("{heard:?}") };
        assert_eq!(chord, Chord::parse("Ctrl+K").unwrap());
        let typed = vec![key(Key::F, Modifiers::NONE), egui::Event::Text("f".to_owned())];
        assert!(matches!(commands(&keys, true, typed)[..], [Command::Shell(ShellCommand::Heard(_))]));
        let escape = vec![key(Key::Escape, Modifiers::NONE)];
        assert!(matches!(commands(&keys, true, escape)[..], [Command::Shell(ShellCommand::Listen(None))]));
        let held = vec![key(Key::ShiftLeft, Modifiers::SHIFT)];
        assert!(commands(&keys, true, held).is_empty(), "a held key alone is none");
    }

    #[test]
    fn keys_that_are_waited_for_are_hidden_from_the_widgets() {
        let mut events =
            vec![key(Key::Space, Modifiers::NONE), egui::Event::Text(" ".to_owned()), egui::Event::PointerGone];
        assert!(heard(&mut events).is_some());
        assert_eq!(events, vec![egui::Event::PointerGone]);
    }
}
