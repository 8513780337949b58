//! Look of the console: colours and measures in `tokens`, letters in `fonts`, egui's style from both.
//!
//! What belongs here: nothing that knows about cameras or pages.

pub mod fonts;
pub mod tokens;

use egui::{CornerRadius, Stroke, TextStyle, Theme, vec2};

/// Makes egui look like the console.
pub fn apply(ctx: &egui::Context) {
    ctx.set_fonts(fonts::definitions());
    ctx.set_theme(Theme::Dark);
    ctx.style_mut_of(Theme::Dark, style);
}

fn style(style: &mut egui::Style) {
    style.text_styles = [
        (TextStyle::Small, fonts::regular(tokens::SMALL)),
        (TextStyle::Body, fonts::regular(tokens::BODY)),
        (TextStyle::Button, fonts::regular(tokens::BODY)),
        (TextStyle::Monospace, fonts::mono(13.0)),
        (TextStyle::Heading, fonts::semi_bold(18.0)),
    ]
    .into();
    style.spacing.item_spacing = vec2(8.0, 6.0);
    style.spacing.button_padding = vec2(10.0, 4.0);
    style.spacing.interact_size.y = 26.0;
    style.interaction.selectable_labels = false;

    let visuals = &mut style.visuals;
    visuals.panel_fill = tokens::GROUND;
    visuals.window_fill = tokens::RAISED;
    visuals.window_stroke = Stroke::new(1.0, tokens::LINE);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.extreme_bg_color = tokens::GROUND;
    visuals.faint_bg_color = tokens::PANEL;
    visuals.hyperlink_color = tokens::ACCENT;
    visuals.warn_fg_color = tokens::ATTENTION;
    visuals.error_fg_color = tokens::ALARM;
    visuals.weak_text_color = Some(tokens::TEXT_WEAK);
    visuals.selection.bg_fill = tokens::ACCENT_GROUND;
    visuals.selection.stroke = Stroke::new(1.0, tokens::TEXT);

    let widgets = &mut visuals.widgets;
    let radius = CornerRadius::same(tokens::RADIUS);
    for (widget, fill, text) in [
        (&mut widgets.noninteractive, tokens::PANEL, tokens::TEXT),
        (&mut widgets.inactive, tokens::CONTROL, tokens::TEXT),
        (&mut widgets.hovered, tokens::CONTROL_HOVER, tokens::TEXT),
        (&mut widgets.active, tokens::CONTROL_HOVER, tokens::TEXT),
        (&mut widgets.open, tokens::CONTROL_HOVER, tokens::TEXT),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.bg_stroke = Stroke::NONE;
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, tokens::LINE);
    widgets.hovered.bg_stroke = Stroke::new(1.0, tokens::TEXT_WEAK);
    // The focus of the keyboard must be seen.
    widgets.active.bg_stroke = Stroke::new(1.0, tokens::ACCENT);
}
