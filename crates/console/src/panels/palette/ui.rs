//! Draws the palette: arrows choose, Enter does.

use egui::{Align, Id, Key, Layout as Flow, Modifiers, RichText, Sense, TextEdit, Ui, UiBuilder, vec2};

use super::data::{self, Found};
use crate::command::ShellCommand;
use crate::panels::{Ctx, dialog};
use crate::t;
use crate::theme::{fonts, tokens};

const ROW_HEIGHT: f32 = 30.0;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui, query: &str, selected: usize) {
    let found = data::found(ctx.state, ctx.text, query);
    let close = dialog(ui, "palette", "", 620.0, |ui| {
        let (down, up, enter) = ui.input_mut(|input| {
            let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
            (pressed(Key::ArrowDown), pressed(Key::ArrowUp), pressed(Key::Enter))
        });
        let last = found.len().saturating_sub(1);
        let mut next = selected.min(last);
        if down {
            next = (next + 1).min(last);
        }
        if up {
            next = next.saturating_sub(1);
        }
        let mut typed = query.to_owned();
        let hint = t!(ctx, "palette-hint");
        let field = TextEdit::singleline(&mut typed)
            .id(Id::unique("palette_query"))
            .font(fonts::regular(16.0))
            .hint_text(hint.clone())
            .desired_width(f32::INFINITY);
        let response = ui.add(field).accessible_name(hint);
        response.request_focus();
        if response.changed() {
            next = 0;
        }
        if response.changed() || next != selected {
            ctx.send(ShellCommand::PaletteInput(typed, next));
        }
        ui.add_space(6.0);
        if found.is_empty() {
            ui.label(RichText::new(t!(ctx, "palette-nothing")).color(tokens::TEXT_WEAK));
        }
        for (index, entry) in found.iter().enumerate() {
            let clicked = row(ui, entry, index == next);
            if clicked || (enter && index == next) {
                // First out of the palette, so that what it opens stays open.
                ctx.send(ShellCommand::Escape);
                for command in &entry.commands {
                    ctx.send(command.clone());
                }
            }
        }
    });
    if close {
        ctx.send(ShellCommand::Escape);
    }
}

fn row(ui: &mut Ui, entry: &Found, selected: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, selected, &entry.title));
    if selected || response.hovered() {
        let fill = if selected { tokens::ACCENT_GROUND } else { tokens::CONTROL };
        ui.painter().rect_filled(rect, tokens::RADIUS, fill);
    }
    let inside = UiBuilder::new().max_rect(rect.shrink2(vec2(10.0, 0.0))).layout(Flow::left_to_right(Align::Center));
    let mut line = ui.new_child(inside);
    line.label(&entry.title);
    line.with_layout(Flow::right_to_left(Align::Center), |ui| {
        ui.label(RichText::new(&entry.detail).color(tokens::TEXT_WEAK).small());
    });
    response.clicked()
}
