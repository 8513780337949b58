//! What happens before each frame is drawn: results of the network, keys, commands, time, players, settings.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::{Duration, Instant};

use egui::ViewportCommand;
use minhbach_model::{CameraId, StreamKind, WallTime};

use crate::app::App;
use crate::apply::{self, Target};
use crate::command::{self, Keyboard};
use crate::net::{FileKind, Request};
use crate::players::{self, Mode, Players, Wanted};
use crate::state::State;
use crate::state::settings::Settings;
use crate::state::shell::{Dialog, Page};
use crate::stills::{Occasion, Stills};
use crate::video::player::Phase;

/// Results taken in before a frame; the rest waits for the next one, so that drawing goes on.
const REPLIES_A_FRAME: usize = 64;
/// Settings are written when they have been left alone that long.
const SAVE_AFTER: Duration = Duration::from_secs(2);

/// Runs before each frame.
pub fn run(app: &mut App, ctx: &egui::Context) {
    let now = Instant::now();
    app.players.frame_begins(now);
    let mut replies = Vec::new();
    while replies.len() < REPLIES_A_FRAME
        && let Some(reply) = app.net.take()
    {
        replies.push(reply);
    }
    if replies.len() == REPLIES_A_FRAME {
        ctx.request_repaint();
    }
    let mut commands = std::mem::take(&mut app.commands);
    let shell = &app.state.shell;
    let keyboard = Keyboard {
        page: shell.page,
        dialog: dialog_open(&app.state),
        typed: shell.typed,
        listening: shell.is_listening(),
        keys: &shell.settings.keys,
    };
    command::from_keys(ctx, &keyboard, &mut commands);
    let wall_now = app.state.wall_now();
    let mut target = Target {
        state: &mut app.state,
        text: &mut app.text,
        net: &app.net,
        players: &app.players,
        egui: ctx,
        now,
        wall_now,
    };
    for reply in replies {
        apply::reply(&mut target, reply);
    }
    for command in commands {
        apply::command(&mut target, command);
    }
    apply::tick(&mut target);
    let minimized = ctx.input(|input| input.viewport().minimized == Some(true));
    play(app, minimized, now);
    save(app, now);
    screenshot(app, ctx, now);
}

/// Whether a dialog has the keyboard.
fn dialog_open(state: &State) -> bool {
    state.shell.dialog != Dialog::None
        || state.exports.dialog.is_some()
        || state.holds.dialog.is_some()
        || state.cameras.form.is_some()
        || state.cameras.removing.is_some()
        || state.cameras.pausing.is_some()
}

/// Makes players and sound match what is shown.
fn play(app: &mut App, minimized: bool, now: Instant) {
    let state = &app.state;
    let (mode, playhead) = match state.shell.page {
        Page::Playback => (Mode::Playback, &state.playback.playhead),
        Page::Incidents => (Mode::Review, &state.review.playhead),
        Page::Live | Page::Cameras => (Mode::Live, &state.playback.playhead),
    };
    let tiles = state.shell.page.has_wall() || (mode == Mode::Review && state.incidents.edit.is_some());
    // In a window that nobody sees nothing is decoded.
    let seen = tiles && !minimized && !state.shell.is_lost(now);
    let wanted = if seen { wanted(state, &app.players, now) } else { Vec::new() };
    let stays = |camera: CameraId| mode == Mode::Live && wanted.iter().any(|wanted| wanted.camera == camera);
    keep_stills(&mut app.stills, &app.players, state, stays, now);
    app.players.reconcile(mode, &wanted, playhead, now);
    app.stills.set_on(state.shell.settings.keep_stills);
    app.stills.show(&without_picture(state, &app.players, minimized, now));

    let sound = app.sound.handle();
    let heard = state.wall().audible.filter(|_| seen).and_then(|camera| app.players.id(camera));
    if sound.audible() != heard {
        sound.set_audible(heard);
    }
    let settings = &state.shell.settings;
    if (sound.volume() - settings.volume).abs() > f32::EPSILON {
        sound.set_volume(settings.volume);
    }
    if sound.muted() != settings.muted {
        sound.set_muted(settings.muted);
    }
    if let Some(camera) = state.wall().audible.filter(|_| seen) {
        app.players.measure(camera, &app.backend, now);
    }
    app.state.shell.pictures = app.players.has_pictures();
}

/// Keeps the last picture of live tiles that are about to go, and now and then of those that stay.
fn keep_stills(stills: &mut Stills, players: &Players, state: &State, stays: impl Fn(CameraId) -> bool, now: Instant) {
    let mut took_turn = false;
    for (camera, shown) in players.live_shown() {
        let Some(frame) = &shown.snapshot.frame else { continue };
        let moves = matches!(shown.snapshot.phase, Phase::Live | Phase::CatchingUp);
        let occasion = if stays(camera) { Occasion::Watching } else { Occasion::Leaving };
        // Of those that stay one a frame has its turn: a full wall is not made small in one burst.
        if occasion == Occasion::Watching && (took_turn || !moves) {
            continue;
        }
        if stills.is_due(camera, frame, occasion, now) {
            stills.keep(camera, state.cameras.name(camera), frame, now);
            took_turn |= occasion == Occasion::Watching;
        }
    }
}

/// Cameras of the live wall in view that have nothing of their own to show: no picture yet, or not even a player before
/// the server has answered.
fn without_picture(state: &State, players: &Players, minimized: bool, now: Instant) -> Vec<CameraId> {
    let shell = &state.shell;
    if shell.page != Page::Live || minimized || (shell.is_lost(now) && !shell.is_opening()) {
        return Vec::new();
    }
    let known = |camera: &CameraId| !state.cameras.loaded || state.cameras.get(*camera).is_some();
    let bare = |camera: &CameraId| players.shown(*camera).is_none_or(|shown| shown.snapshot.frame.is_none());
    state.live.visible_cameras().into_iter().filter(|camera| known(camera) && bare(camera)).collect()
}

/// At the end the wall is left as it was seen last.
pub fn keep_at_end(app: &mut App) {
    keep_stills(&mut app.stills, &app.players, &app.state, |_| false, Instant::now());
}

/// Walls of no more tiles are played back in the main stream: there it is told apart what is on a desk.
const FEW_TILES: usize = 4;

fn wanted(state: &State, players: &Players, now: Instant) -> Vec<Wanted> {
    let wall = state.wall();
    // A camera that was removed has no live picture, but its footage can be played.
    let live = state.shell.page == Page::Live;
    let known = |camera: &CameraId| !live || !state.cameras.loaded || state.cameras.get(*camera).is_some();
    wall.visible_cameras()
        .into_iter()
        .filter(known)
        .map(|camera| {
            let status = state.cameras.get(camera);
            let has_sub = status.is_some_and(|status| status.camera.draft.sub.is_some());
            let wished = if has_sub { wall.stream(camera) } else { StreamKind::Main };
            let stream = if live {
                let shown = players.shown(camera).map(|shown| (shown.stream, shown.snapshot.phase));
                players::live_stream(wished, status, shown)
            } else if needs_main(state, players, camera, now) {
                StreamKind::Main
            } else {
                wished
            };
            Wanted { camera, stream, instead: live && stream != wished }
        })
        .collect()
}

/// Whether a recorded camera is played in its main stream, however small its tile.
fn needs_main(state: &State, players: &Players, camera: CameraId, now: Instant) -> bool {
    let wall = state.wall();
    let recorded = |at: Option<WallTime>| {
        let lane = state.playback.lanes.get(&camera);
        lane.is_some_and(|lane| lane.recorded.iter().any(|range| at.is_none_or(|at| range.contains(at))))
    };
    // Live view brings the main stream's sound with the sub stream; in playback sound is read only where it is heard.
    wall.audible == Some(camera)
        || (wall.visible().len() <= FEW_TILES && recorded(None))
        || (players.lacks_sub(camera) && recorded(Some(state.playback.position(now))))
}

/// The settings as they should be kept now.
fn settings_now(state: &State) -> Settings {
    let arranged = !state.live.is_empty();
    Settings {
        layout: arranged.then(|| state.live.layout()),
        tiles: state.live.slots().to_vec(),
        ..state.shell.settings.clone()
    }
}

fn save(app: &mut App, now: Instant) {
    if app.screenshot.is_some() || now.saturating_duration_since(app.saved.1) < SAVE_AFTER {
        return;
    }
    let settings = settings_now(&app.state);
    if settings != app.saved.0
        && let Some(path) = Settings::path()
    {
        app.net.ask(Request::Write(FileKind::Settings, path, settings.to_json()));
        app.saved.0 = settings;
    }
    app.saved.1 = now;
}

/// The last change may be younger than what was written: at the end it is written here and now.
pub fn save_at_end(app: &App) {
    let settings = settings_now(&app.state);
    if app.screenshot.is_some() || settings == app.saved.0 {
        return;
    }
    let Some(path) = Settings::path() else { return };
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, settings.to_json())
    };
    if let Err(error) = write() {
        tracing::warn!(path = %path.display(), %error, "the settings cannot be written");
    }
}

/// Takes the picture asked for on the command line, and quits.
fn screenshot(app: &mut App, ctx: &egui::Context, now: Instant) {
    let Some(shot) = &mut app.screenshot else { return };
    if let Ok(image) = shot.receiver.try_recv() {
        let size = [image.width(), image.height()];
        match write_png(&shot.file, size, image.as_raw()) {
            Ok(()) => tracing::info!(file = %shot.file.display(), "picture written"),
            Err(error) => tracing::error!(file = %shot.file.display(), %error, "the picture cannot be written"),
        }
        ctx.send_viewport_cmd(ViewportCommand::Close);
    } else if !shot.asked && now >= shot.at {
        shot.asked = true;
        let sender = shot.sender.clone();
        let egui = ctx.clone();
        ctx.request_screenshot(move |image| {
            if sender.try_send(image).is_err() {
                tracing::warn!("a second picture is not needed");
            }
            egui.request_repaint();
        });
    }
}

fn write_png(file: &Path, size: [usize; 2], rgba: &[u8]) -> Result<(), png::EncodingError> {
    let side = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let out = BufWriter::new(File::create(file)?);
    let mut encoder = png::Encoder::new(out, side(size[0]), side(size[1]));
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgba)?;
    writer.finish()
}
