//! Export: range, cameras with their sizes, folder; then progress, speed and time left.

use egui::{Align, Button, Layout as Flow, ProgressBar, RichText, ScrollArea, TextEdit, Ui};

use super::{Ctx, dialog, fact, technical_button};
use crate::command::ExportCommand;
use crate::state::export::{Dialog, FileState, Job};
use crate::t;
use crate::theme::{fonts, tokens};
use crate::when;

/// Draws the dialog.
pub fn ui(ctx: &Ctx<'_>, ui: &Ui, export: &Dialog) {
    let close = dialog(ui, "export", &t!(ctx, "export-title"), 560.0, |ui| {
        let length = when::length(export.range.duration());
        let range = format!("{} – {} ({length})", when::date_time(export.range.start), when::clock(export.range.end));
        fact(ui, &t!(ctx, "export-range"), &range);
        if let Some(marked) = ctx.state.playback.marked().filter(|marked| *marked != export.range)
            && ui.button(t!(ctx, "export-use-marks")).clicked()
        {
            ctx.send(ExportCommand::Range(marked));
        }
        ui.add_space(8.0);
        cameras(ctx, ui, export);
        ui.add_space(8.0);
        let mut without = export.without_audio;
        if ui.checkbox(&mut without, t!(ctx, "export-without-audio")).changed() {
            ctx.send(ExportCommand::WithoutAudio(without));
        }
        ui.label(RichText::new(t!(ctx, "export-folder")).color(tokens::TEXT_WEAK));
        let mut folder = export.folder.clone();
        let field = TextEdit::singleline(&mut folder).desired_width(f32::INFINITY);
        if ui.add(field).accessible_name(t!(ctx, "export-folder")).changed() {
            ctx.send(ExportCommand::Folder(folder));
        }
        ui.add_space(12.0);
        ui.horizontal(|ui| {
            let size = match export.total_bytes() {
                Some(bytes) => t!(ctx, "export-size", size = ctx.text.bytes(bytes)),
                None => t!(ctx, "export-measuring"),
            };
            ui.label(RichText::new(size).font(fonts::medium(14.0)));
            ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
                let ready = export.total_bytes().is_some_and(|bytes| bytes > 0) && !export.folder.trim().is_empty();
                if ui.add_enabled(ready, Button::new(t!(ctx, "export-start"))).clicked() {
                    ctx.send(ExportCommand::Start);
                }
                if ui.button(t!(ctx, "action-cancel")).clicked() {
                    ctx.send(ExportCommand::Close);
                }
            });
        });
        jobs(ctx, ui);
    });
    if close {
        ctx.send(ExportCommand::Close);
    }
}

fn cameras(ctx: &Ctx<'_>, ui: &mut Ui, export: &Dialog) {
    ScrollArea::vertical().max_height(240.0).show(ui, |ui| {
        for camera in &export.offered {
            ui.horizontal(|ui| {
                let mut chosen = export.cameras.contains(camera);
                if ui.checkbox(&mut chosen, ctx.state.camera_name(*camera, ctx.text)).changed() {
                    ctx.send(ExportCommand::Choose(*camera, chosen));
                }
                let answer = export.measured.iter().find(|(id, _)| id == camera).map(|(_, answer)| answer);
                let (text, color) = match answer {
                    None => (t!(ctx, "export-measuring"), tokens::TEXT_WEAK),
                    Some(Err(why)) => (why.message.show(ctx.text), tokens::ATTENTION),
                    Some(Ok(measured)) => {
                        let mut text = ctx.text.bytes(measured.bytes);
                        if measured.gaps > 0 {
                            text = format!("{text} · {}", t!(ctx, "export-gaps", count = measured.gaps));
                        }
                        if !measured.sound && !export.without_audio {
                            text = format!("{text} · {}", t!(ctx, "export-no-sound"));
                        }
                        (text, tokens::TEXT_WEAK)
                    }
                };
                ui.label(RichText::new(text).color(color));
                if let Some(Err(why)) = answer {
                    technical_button(ctx, ui, &why.detail);
                }
            });
        }
    });
}

/// What runs and what has run.
fn jobs(ctx: &Ctx<'_>, ui: &mut Ui) {
    if ctx.state.exports.jobs.is_empty() {
        return;
    }
    ui.separator();
    for job in ctx.state.exports.jobs.iter().rev() {
        one(ctx, ui, job);
    }
    if ctx.state.exports.jobs.iter().any(Job::is_over) && ui.button(t!(ctx, "export-forget")).clicked() {
        ctx.send(ExportCommand::Forget);
    }
}

/// A card with the progress of running jobs, above the timeline; nothing when none runs.
pub fn progress(ctx: &Ctx<'_>, ui: &mut Ui) {
    for job in ctx.state.exports.jobs.iter().filter(|job| !job.is_over()) {
        one(ctx, ui, job);
    }
}

fn one(ctx: &Ctx<'_>, ui: &mut Ui, job: &Job) {
    let (written, total) = job.bytes();
    let done = job.files.iter().filter(|file| file.state == FileState::Done).count();
    let fraction = if total == 0 { 0.0 } else { written as f32 / total as f32 };
    ui.horizontal(|ui| {
        ui.add(ProgressBar::new(fraction).desired_width(220.0).desired_height(10.0));
        let speed = ctx.text.bytes(job.speed_bps(ctx.now) as u64);
        let files = format!("{done}/{}", job.files.len());
        let text = match job.left(ctx.now) {
            _ if job.is_over() => t!(ctx, "export-ended", files = files),
            Some(left) => t!(ctx, "export-running", files = files, speed = speed, left = when::length(left)),
            None => t!(ctx, "export-waiting", files = files),
        };
        ui.label(RichText::new(text).color(tokens::TEXT_WEAK).small());
        if !job.is_over() && ui.small_button(t!(ctx, "action-cancel")).clicked() {
            ctx.send(ExportCommand::Cancel(job.id));
        }
    });
    for file in &job.files {
        if let FileState::Failed(why) = &file.state {
            let text = format!("{}: {}", ctx.state.camera_name(file.camera, ctx.text), why.message.show(ctx.text));
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(text).color(tokens::ATTENTION).small());
                technical_button(ctx, ui, &why.detail);
            });
        }
    }
}
