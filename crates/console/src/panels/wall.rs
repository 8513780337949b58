//! The wall: tiles where the layout puts them.

use egui::{Rect, Ui, vec2};

use super::tile::{self, Tile};
use super::{Ctx, empty};
use crate::command::{ServerCommand, ShellCommand};
use crate::state::shell::Page;
use crate::t;
use crate::theme::tokens;

/// Draws the wall of the page shown.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let wall = ctx.state.wall();
    if ctx.state.cameras.loaded && !ctx.state.has_cameras() && wall.is_empty() {
        empty(ui, &t!(ctx, "wall-no-cameras"), &t!(ctx, "wall-no-cameras-advice"));
        ui.add_space(12.0);
        ui.vertical_centered(|ui| {
            if ui.button(t!(ctx, "cmd-add-camera")).clicked() {
                ctx.send(ShellCommand::Page(Page::Cameras));
                ctx.send(ServerCommand::AddCamera);
            }
        });
        return;
    }
    let area = ui.available_rect_before_wrap();
    let gap = tokens::TILE_GAP;
    for (slot, cell) in wall.visible() {
        let min = area.min + vec2(cell.min.x * area.width(), cell.min.y * area.height());
        let max = area.min + vec2(cell.max.x * area.width(), cell.max.y * area.height());
        let rect = Rect::from_min_max(min, max).shrink(gap / 2.0);
        tile::ui(ctx, ui, Tile { slot, rect, camera: wall.slots()[slot] });
    }
}
