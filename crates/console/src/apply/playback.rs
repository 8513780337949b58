//! Changes of time: the playhead, the shown stretch, the marks.

use minhbach_model::{CameraId, WallRange, WallTime};

use super::Target;
use crate::command::PlaybackCommand;
use crate::net::Request;
use crate::state::playback::Asked;
use crate::state::shell::{Page, Tone};
use crate::state::timeview::TimeView;
use crate::text::Message;

const SECOND_NS: i64 = 1_000_000_000;
/// Where "live edge" goes: far enough back that the first picture is there at once.
const EDGE_NS: i64 = 2 * SECOND_NS;
/// How far back the page opens when it is opened for the first time.
const FIRST_BACK_NS: i64 = 60 * SECOND_NS;
/// How far back "watch again" goes.
const REWIND_NS: i64 = 15 * SECOND_NS;

pub fn apply(target: &mut Target<'_>, command: PlaybackCommand) {
    let now = target.now;
    match command {
        PlaybackCommand::Toggle => toggle(target),
        PlaybackCommand::Faster => target.state.playback.head().faster(now),
        PlaybackCommand::Slower => target.state.playback.head().slower(now),
        PlaybackCommand::Speed(speed) => target.state.playback.head().set_speed(speed, now),
        PlaybackCommand::Step(step) => {
            if let Some(camera) = target.state.playback.wall.leading()
                && !target.players.step(camera, step, now)
            {
                // Nothing is decoded yet to step to: at least the picture stands.
                target.state.playback.head().pause(now);
            }
        }
        PlaybackCommand::Seek(at) => seek(target, at),
        PlaybackCommand::Skip(seconds) => {
            let at = target.state.playback.position(now).offset_ns(seconds * SECOND_NS);
            seek(target, at);
        }
        PlaybackCommand::First => {
            let cameras = target.state.playback.wall.visible_cameras();
            if !cameras.is_empty() {
                target.ask(Request::FirstRecorded(cameras));
            }
        }
        PlaybackCommand::LiveEdge => {
            let edge = target.wall_now.offset_ns(-EDGE_NS);
            seek(target, edge);
            let mut head = target.state.playback.head();
            head.set_speed(1.0, now);
            head.play(now);
        }
        PlaybackCommand::JumpGap => jump_gap(target),
        PlaybackCommand::MarkIn => target.state.playback.mark_in = Some(target.state.playback.position(now)),
        PlaybackCommand::MarkOut => target.state.playback.mark_out = Some(target.state.playback.position(now)),
        PlaybackCommand::ClearMarks => {
            target.state.playback.mark_in = None;
            target.state.playback.mark_out = None;
        }
        PlaybackCommand::View(view) => target.state.playback.view = view,
        PlaybackCommand::Open(cameras, at) => open(target, &cameras, at),
        PlaybackCommand::Rewind => {
            let cameras = target.state.live.visible_cameras();
            if !cameras.is_empty() {
                let at = target.wall_now.offset_ns(-REWIND_NS);
                open(target, &cameras, at);
            }
        }
    }
}

/// Plays these cameras from a moment.
pub fn open(target: &mut Target<'_>, cameras: &[CameraId], at: WallTime) {
    let page = &mut target.state.playback;
    page.wall.set_cameras(cameras);
    page.wall.audible = cameras.first().copied();
    page.opened = true;
    target.state.cameras.removed_asked = None;
    target.state.shell.page = Page::Playback;
    seek(target, at);
    target.state.playback.head().play(target.now);
}

/// Plays these cameras over a range: marked, and with as much again around it.
pub fn open_range(target: &mut Target<'_>, cameras: &[CameraId], range: WallRange) {
    let WallRange { start, end } = range;
    open(target, cameras, start);
    let page = &mut target.state.playback;
    page.mark_in = Some(start);
    page.mark_out = Some(end);
    let middle = start.offset_ns(end.ns_since(start) / 2);
    page.view = TimeView::around(middle, end.ns_since(start).saturating_mul(3));
}

/// Plays an incident beside the list: its first camera, from its start to its end.
pub fn review(target: &mut Target<'_>, camera: Option<CameraId>, range: WallRange) {
    let page = &mut target.state.review;
    page.wall.set_cameras(camera.as_slice());
    page.wall.audible = camera;
    page.mark_in = Some(range.start);
    page.mark_out = Some(range.end);
    let mut head = page.head();
    head.set_speed(1.0, target.now);
    head.play(target.now);
    head.seek(range.start.min(target.wall_now), target.now);
}

/// Play or pause; an incident that was played to its end begins again.
fn toggle(target: &mut Target<'_>) {
    let page = target.state.timed();
    let mut head = page.head();
    if target.state.shell.page == Page::Incidents
        && !head.is_playing()
        && let (Some(start), Some(end)) = (page.mark_in, page.mark_out)
        && head.position(target.now) >= end
    {
        head.seek(start, target.now);
    }
    head.toggle(target.now);
}

/// An incident beside the list is played to its end, and no further while nobody looks.
fn tick_review(target: &mut Target<'_>) {
    let page = &target.state.review;
    let mut head = page.head();
    head.hold_at_edge(target.wall_now, target.now);
    let over = page.mark_out.is_some_and(|end| head.position(target.now) >= end);
    if head.is_playing() && (over || target.state.shell.page != Page::Incidents) {
        head.pause(target.now);
    }
}

/// The first time the page is shown it takes over the cameras of the live wall. Each time its tree is to show what was
/// removed meanwhile.
pub fn enter(target: &mut Target<'_>) {
    target.state.cameras.removed_asked = None;
    if target.state.playback.opened {
        return;
    }
    target.state.playback.opened = true;
    let cameras = target.state.live.visible_cameras();
    let layout = target.state.live.layout();
    let page = &mut target.state.playback;
    page.wall.set_layout(layout);
    page.wall.fill(&cameras);
    page.wall.audible = cameras.first().copied();
    let at = target.wall_now.offset_ns(-FIRST_BACK_NS);
    seek(target, at);
    target.state.playback.head().play(target.now);
}

/// Moves the playhead; the timeline follows when it would leave it. The future cannot be played.
pub fn seek(target: &mut Target<'_>, at: WallTime) {
    let at = at.min(target.wall_now);
    let page = target.state.timed_mut();
    page.head().seek(at, target.now);
    page.view = page.view.following(at);
}

fn jump_gap(target: &mut Target<'_>) {
    let leading = target.state.timed().wall.leading();
    let gap_end = leading.and_then(|camera| target.players.shown(camera)).and_then(|shown| shown.snapshot.gap_end);
    // The timeline may know the gap before the player has come to it.
    let position = target.state.timed().position(target.now);
    let known = leading.and_then(|camera| target.state.timed().cause_at(camera, position)).and_then(|gap| gap.end);
    match gap_end.or(known) {
        Some(end) => seek(target, end),
        None => target.state.shell.say(Tone::Info, Message::new("toast-no-gap"), target.now),
    }
}

/// Lets the timeline follow the playhead and asks for what it needs.
pub fn tick(target: &mut Target<'_>) {
    let now = target.now;
    // There is nothing to be played of the future, wherever the players think they are.
    target.state.playback.head().hold_at_edge(target.wall_now, now);
    tick_review(target);
    if target.state.shell.page != Page::Playback {
        return;
    }
    let page = &mut target.state.playback;
    let (playing, at) = {
        let head = page.head();
        (head.is_playing(), head.position(now))
    };
    // A view that was moved away on purpose stays; one that holds the playhead goes along with it.
    let fraction = page.view.fraction(at);
    if playing && (0.95..1.2).contains(&fraction) {
        page.view = page.view.following(at);
    }
    if let Some((cameras, range)) = page.wanted(now, target.wall_now) {
        page.asked = Some(Asked { cameras: cameras.clone(), range, at: now });
        page.waiting = target.net.ask(Request::Timeline(cameras, range));
    }
}
