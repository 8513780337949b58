//! Buttons of playback: play, speed, frame step, marks, go to time, live edge, export, hold.

use egui::{Align, Button, ComboBox, Layout as Flow, Response, RichText, Ui, vec2};

use super::Ctx;
use super::icons::{self, Icon};
use crate::command::{ExportCommand, HoldCommand, PlaybackCommand, ServerCommand, ShellCommand};
use crate::t;
use crate::theme::{fonts, tokens};
use crate::video::player::Step;
use crate::video::playhead::Playhead;
use crate::when;

/// How near to now counts as live, nanoseconds.
const LIVE_NS: i64 = 5_000_000_000;

/// Draws it.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let (playing, speed, at) = {
        let head = ctx.state.playback.head();
        (head.is_playing(), head.speed(), head.position(ctx.now))
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let mut button = |icon: Icon, key: &str, command: PlaybackCommand| {
            if icon_button(ctx, ui, icon, key).clicked() {
                ctx.send(command);
            }
        };
        button(Icon::StepBack, "cmd-step-back", PlaybackCommand::Step(Step::Back));
        button(Icon::Slower, "cmd-slower", PlaybackCommand::Slower);
        button(if playing { Icon::Pause } else { Icon::Play }, "cmd-toggle", PlaybackCommand::Toggle);
        button(Icon::Faster, "cmd-faster", PlaybackCommand::Faster);
        button(Icon::StepForward, "cmd-step-forward", PlaybackCommand::Step(Step::Forward));
        ui.add_space(6.0);
        speeds(ctx, ui, speed);
        ui.add_space(10.0);
        let text = RichText::new(format!("{} {}", when::date(at), when::clock_ms(at))).font(fonts::mono(15.0));
        let clock = ui.add(Button::new(text).frame(false)).on_hover_text(t!(ctx, "cmd-go-to"));
        if ctx.tip(clock, "cmd-go-to").clicked() {
            ctx.send(ShellCommand::GoTo);
        }
        ui.add_space(6.0);
        let behind = ctx.wall_now.ns_since(at);
        let live = Button::new(t!(ctx, "playback-live-edge")).min_size(vec2(0.0, 26.0));
        if ctx.tip(ui.add_enabled(behind > LIVE_NS, live), "cmd-live-edge").clicked() {
            ctx.send(PlaybackCommand::LiveEdge);
        }
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| marks(ctx, ui));
    });
    ui.add_space(4.0);
}

fn speeds(ctx: &Ctx<'_>, ui: &mut Ui, speed: f64) {
    let label = |speed: f64| {
        let digits = if speed < 0.5 { 2 } else { usize::from(speed < 1.0) };
        format!("{}×", ctx.text.decimal(speed, digits))
    };
    let combo = ComboBox::from_id_salt("speed").width(64.0).selected_text(label(speed)).show_ui(ui, |ui| {
        for choice in Playhead::SPEEDS {
            if ui.selectable_label((choice - speed).abs() < 1e-9, label(choice)).clicked() {
                ctx.send(PlaybackCommand::Speed(choice));
            }
        }
    });
    combo.response.on_hover_text(t!(ctx, "playback-speed"));
}

fn marks(ctx: &Ctx<'_>, ui: &mut Ui) {
    let marked = ctx.state.playback.marked();
    let export = ui.add_enabled(marked.is_some(), Button::new(t!(ctx, "cmd-export")));
    if ctx.tip(export, "cmd-export").clicked() {
        ctx.send(ExportCommand::Open);
    }
    let hold = ui.add_enabled(marked.is_some(), Button::new(t!(ctx, "cmd-hold")));
    if ctx.tip(hold, "cmd-hold").clicked() {
        ctx.send(HoldCommand::Open);
    }
    if icon_button(ctx, ui, Icon::Flag, "cmd-flag").clicked() {
        ctx.send(ServerCommand::Flag);
    }
    if icon_button(ctx, ui, Icon::MarkOut, "cmd-mark-out").clicked() {
        ctx.send(PlaybackCommand::MarkOut);
    }
    if icon_button(ctx, ui, Icon::MarkIn, "cmd-mark-in").clicked() {
        ctx.send(PlaybackCommand::MarkIn);
    }
    if let Some(range) = marked {
        if icon_button(ctx, ui, Icon::Close, "cmd-clear-marks").clicked() {
            ctx.send(PlaybackCommand::ClearMarks);
        }
        let length = when::length(range.duration());
        let text = format!("{} – {} ({length})", when::clock(range.start), when::clock(range.end));
        ui.label(RichText::new(text).font(fonts::mono(12.0)).color(tokens::ACCENT));
    } else {
        let key = if ctx.state.playback.mark_in.is_some() { "playback-mark-end" } else { "playback-mark-hint" };
        let text = t!(ctx, key, mark_in = ctx.keys("cmd-mark-in"), mark_out = ctx.keys("cmd-mark-out"));
        ui.label(RichText::new(text).color(tokens::TEXT_WEAK).small());
    }
}

/// The button of a command; its keys are in the tooltip.
fn icon_button(ctx: &Ctx<'_>, ui: &mut Ui, icon: Icon, key: &str) -> Response {
    ctx.tip(icons::button(ui, icon, t!(ctx, key), false, true), key)
}
