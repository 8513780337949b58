//! What is seen. Each panel reads a [`Ctx`] and sends commands; none changes the state.
//!
//! What belongs here: drawing. What is drawn is worked out in each panel's `data`, pure and tested.

pub mod cameras;
pub mod export;
pub mod goto;
pub mod header;
pub mod help;
pub mod holds;
pub mod icons;
pub mod incidents;
pub mod offline;
pub mod palette;
pub mod playback_bar;
pub mod settings;
pub mod status_bar;
pub mod storage;
pub mod tile;
pub mod timeline;
pub mod toasts;
pub mod tree;
pub mod wall;

use std::cell::RefCell;
use std::time::Instant;

use egui::{Align2, Frame, Id, Margin, Modal, Response, RichText, Stroke, Ui};
use minhbach_model::{CameraId, WallTime};

use crate::command::{self, Command, ShellCommand};
use crate::players::Players;
use crate::state::State;
use crate::stills::Stills;
use crate::t;
use crate::text::Text;
use crate::theme::{fonts, tokens};
use crate::video::paint::Backend;
use crate::video::sound::SoundHandle;

/// What a panel may see and where it sends commands.
pub struct Ctx<'a> {
    /// The state.
    pub state: &'a State,
    /// The texts.
    pub text: &'a Text,
    /// Pictures of the tiles.
    pub players: &'a Players,
    /// Last pictures of cameras that have none of their own.
    pub stills: &'a Stills,
    /// How pictures are drawn.
    pub backend: &'a Backend,
    /// Whether there is sound.
    pub sound: &'a SoundHandle,
    /// This frame.
    pub now: Instant,
    /// This frame, as wall time.
    pub wall_now: WallTime,
    /// Commands of this frame.
    pub out: &'a RefCell<Vec<Command>>,
}

impl Ctx<'_> {
    /// Sends a command; it is applied before the next frame.
    pub fn send(&self, command: impl Into<Command>) {
        self.out.borrow_mut().push(command.into());
    }

    /// For `t!`.
    pub fn text(&self) -> &Text {
        self.text
    }

    /// The keys of the command with that name, for a sentence that tells to press them.
    pub fn keys(&self, name: &str) -> String {
        command::keys_in_words(&self.state.shell.settings.keys, name, self.text)
    }

    /// Adds the keys of the command with that name to what is said of its button.
    pub fn tip(&self, response: Response, name: &str) -> Response {
        let keys = &self.state.shell.settings.keys;
        let text = command::entry(name).map(|entry| command::keys_text(keys, entry, self.text));
        match text.filter(|text| !text.is_empty()) {
            Some(text) => response.on_hover_text(RichText::new(text).font(fonts::mono(12.0)).color(tokens::ACCENT)),
            None => response,
        }
    }
}

/// What is dragged from the tree or from a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drag {
    /// A camera of the tree.
    Camera(CameraId),
    /// A tile.
    Tile(usize),
}

/// A dialog in the middle of the window. `true` when it shall close: Escape, or a click beside it.
pub fn dialog(ui: &Ui, id: &'static str, title: &str, width: f32, contents: impl FnOnce(&mut Ui)) -> bool {
    let frame = Frame::new()
        .fill(tokens::RAISED)
        .stroke(Stroke::new(1.0, tokens::LINE))
        .corner_radius(8)
        .inner_margin(Margin::same(20));
    let modal = Modal::new(Id::unique(id)).backdrop_color(tokens::backdrop()).frame(frame);
    let response = modal.show(ui.ctx(), |ui| {
        ui.set_width(width);
        if !title.is_empty() {
            ui.label(RichText::new(title).font(fonts::semi_bold(17.0)));
            ui.add_space(8.0);
        }
        contents(ui);
    });
    response.should_close()
}

/// What a page says when it has nothing to show: what that means and what to do.
pub fn empty(ui: &mut Ui, title: &str, advice: &str) {
    ui.add_space((ui.available_height() * 0.3).max(16.0));
    ui.vertical_centered(|ui| {
        ui.label(RichText::new(title).font(fonts::semi_bold(17.0)));
        ui.label(RichText::new(advice).color(tokens::TEXT_WEAK));
    });
}

/// A search field with its hint. `Some` when it was changed.
pub fn search_field(ui: &mut Ui, id: &'static str, value: &str, hint: String, width: f32) -> Option<String> {
    let mut text = value.to_owned();
    let field = egui::TextEdit::singleline(&mut text).id(Id::unique(id)).hint_text(hint.clone()).desired_width(width);
    let response = ui.add(field).accessible_name(hint);
    response.changed().then_some(text)
}

/// A line of a detail view: weak name, then value.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(RichText::new(name).color(tokens::TEXT_WEAK));
        ui.label(value);
    });
}

/// The exact failure in English, for a technician: a smaller line below what is said to the operator, to be copied.
pub fn technical(ctx: &Ctx<'_>, ui: &mut Ui, detail: &str) {
    if detail.is_empty() {
        return;
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new(t!(ctx, "technical-detail")).color(tokens::TEXT_WEAK).small());
        copy_button(ctx, ui, detail);
    });
    ui.label(RichText::new(detail).font(fonts::mono(12.0)).color(tokens::TEXT_WEAK));
}

/// The same where there is no room for a line: the button tells it when pointed at, and copies it.
pub fn technical_button(ctx: &Ctx<'_>, ui: &mut Ui, detail: &str) {
    if !detail.is_empty() {
        copy_button(ctx, ui, detail).on_hover_text(format!("{}\n{detail}", t!(ctx, "technical-detail")));
    }
}

/// Copies a text whole, however it is broken into lines.
pub fn copy_button(ctx: &Ctx<'_>, ui: &mut Ui, detail: &str) -> egui::Response {
    let button = ui.small_button(t!(ctx, "action-copy"));
    if button.clicked() {
        ctx.send(ShellCommand::Copy(detail.to_owned()));
    }
    button
}

/// Text cut at a width, drawn by hand.
pub fn paint_text(
    painter: &egui::Painter,
    at: (egui::Pos2, Align2),
    text: &str,
    font: egui::FontId,
    color: egui::Color32,
    width: f32,
) -> egui::Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(1.0));
    let galley = painter.layout_job(job);
    let rect = at.1.anchor_size(at.0, galley.size());
    painter.galley(rect.min, galley, color);
    rect
}
