//! Header: name of the product, pages, layouts, sound, search, language.

use egui::{Align, Button, Layout as Flow, Response, RichText, Slider, Ui, vec2};

use super::Ctx;
use super::icons::{self, Icon};
use crate::command::{ShellCommand, WallCommand};
use crate::state::shell::Page;
use crate::state::wall::Layout;
use crate::t;
use crate::text::Lang;
use crate::theme::{fonts, tokens};

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new(t!(ctx, "app-name")).font(fonts::semi_bold(17.0)));
        ui.add_space(18.0);
        ui.spacing_mut().item_spacing.x = 4.0;
        for page in Page::ALL {
            tab(ctx, ui, page);
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| right(ctx, ui));
    });
}

fn tab(ctx: &Ctx<'_>, ui: &mut Ui, page: Page) {
    let selected = ctx.state.shell.page == page;
    let color = if selected { tokens::TEXT } else { tokens::TEXT_WEAK };
    let text = RichText::new(t!(ctx, page.key())).font(fonts::medium(14.0)).color(color);
    let button = Button::selectable(selected, text).min_size(vec2(84.0, 28.0));
    if ctx.tip(ui.add(button), page_key(page)).clicked() {
        ctx.send(ShellCommand::Page(page));
    }
}

fn right(ctx: &Ctx<'_>, ui: &mut Ui) {
    let shell = &ctx.state.shell;
    let other = match ctx.text.lang().other() {
        Lang::Vi => "VI",
        Lang::En => "EN",
    };
    let language = ui.add(Button::new(other).min_size(vec2(36.0, 26.0))).on_hover_text(t!(ctx, "cmd-language"));
    if ctx.tip(language, "cmd-language").clicked() {
        ctx.send(ShellCommand::Language);
    }
    if command(ctx, ui, Icon::Settings, "cmd-settings", false).clicked() {
        ctx.send(ShellCommand::Settings);
    }
    if command(ctx, ui, Icon::Fullscreen, "cmd-fullscreen", shell.fullscreen).clicked() {
        ctx.send(ShellCommand::Fullscreen);
    }
    if command(ctx, ui, Icon::Search, "cmd-palette", false).clicked() {
        ctx.send(ShellCommand::Palette);
    }
    ui.add_space(8.0);
    volume(ctx, ui);
    if shell.page.has_wall() {
        ui.add_space(12.0);
        for layout in Layout::ALL.into_iter().rev() {
            let selected = ctx.state.wall().layout() == layout;
            if command(ctx, ui, Icon::Layout(layout), layout_key(layout), selected).clicked() {
                ctx.send(WallCommand::Layout(layout));
            }
        }
    }
}

/// The button of a command; its keys are in the tooltip.
fn command(ctx: &Ctx<'_>, ui: &mut Ui, icon: Icon, key: &str, selected: bool) -> Response {
    ctx.tip(icons::button(ui, icon, t!(ctx, key), selected, true), key)
}

fn volume(ctx: &Ctx<'_>, ui: &mut Ui) {
    let settings = &ctx.state.shell.settings;
    let mut volume = if settings.muted { 0.0 } else { settings.volume };
    ui.spacing_mut().slider_width = 80.0;
    let slider =
        ui.add(Slider::new(&mut volume, 0.0..=1.0).show_value(false)).accessible_name(t!(ctx, "header-volume"));
    if slider.changed() {
        ctx.send(ShellCommand::Volume(volume));
    }
    let name = t!(ctx, if settings.muted { "header-unmute" } else { "header-mute" });
    let mute = icons::button(ui, Icon::Speaker(!settings.muted), name, false, true);
    if ctx.tip(mute, "cmd-mute").clicked() {
        ctx.send(ShellCommand::Mute);
    }
}

fn page_key(page: Page) -> &'static str {
    match page {
        Page::Live => "cmd-page-live",
        Page::Playback => "cmd-page-playback",
        Page::Incidents => "cmd-page-incidents",
        Page::Cameras => "cmd-page-cameras",
    }
}

/// Name of a layout.
#[must_use]
pub fn layout_key(layout: Layout) -> &'static str {
    match layout {
        Layout::One => "cmd-layout-1",
        Layout::Four => "cmd-layout-4",
        Layout::OnePlusSeven => "cmd-layout-8",
        Layout::Nine => "cmd-layout-9",
        Layout::Sixteen => "cmd-layout-16",
    }
}
