//! One tile's source: live or playback, from the server's samples to the picture that is due now.
//!
//! A player is a network task (`net`), a decoding thread (`worker`) and what they share with the UI (`state`). The UI only
//! takes snapshots: nothing here waits on its thread. Words and colours for the phases do not belong here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use minhbach_client::Client;
use minhbach_decode::VideoFrame;
use minhbach_model::{CameraId, GapCause, StreamKind, WallTime};
use tokio::sync::{mpsc, watch};

use super::clock::Clock;
use super::meter::MeterReading;
use super::playhead::Playhead;
use super::sound::SoundHandle;
use net::{Control, Source};
use state::{Shared, View, lock};
use worker::Worker;

mod held;
mod net;
mod reaper;
mod repaint;
mod state;
mod worker;

pub use reaper::Decoders;
pub use repaint::Repaint;

/// Messages between the network task and the decoding thread; beyond that the server waits.
const MESSAGES: usize = 3;

/// Stack of a decoding thread, bytes; FFmpeg's decoders stay well below half of it.
const STACK_BYTES: usize = 1 << 20;

/// Above this speed only key frames are fetched.
const FULL_RATE_MAX_SPEED: f64 = 4.0;

/// The longest time between two repaints while playback runs, for the timeline and the clock.
const TICK: Duration = Duration::from_millis(100);

/// Names a player of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlayerId(u64);

impl PlayerId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What every player needs.
#[derive(Clone)]
pub struct PlayerCtx {
    /// The server.
    pub client: Client,
    /// Where network tasks run; it must have time enabled.
    pub runtime: tokio::runtime::Handle,
    /// Asked for frames when there are new pictures.
    pub repaint: Repaint,
    /// Where the sound of the audible player goes.
    pub sound: SoundHandle,
    /// Joins the threads of players that have ended.
    pub decoders: Decoders,
}

/// What a tile shows and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No picture yet.
    Connecting,
    /// Moving pictures of now.
    Live,
    /// Moving pictures, behind where they should be.
    CatchingUp,
    /// Connected, and no new picture for two seconds.
    Stalled,
    /// The server has lost the camera.
    Interrupted(GapCause),
    /// Playback stands where nothing was recorded.
    Gap {
        /// Why.
        cause: GapCause,
        /// First recorded instant after it; `None` while it lasts.
        end: Option<WallTime>,
    },
    /// Playback stands before the first footage there is; nothing is known of what is missing.
    Before(WallTime),
    /// Recorded pictures.
    Replay,
    /// There is nothing after this.
    EndOfRange,
    /// The server cannot be reached or refuses; tried again by itself.
    Failed,
}

/// What to draw for a player now.
#[derive(Debug, Clone)]
pub struct PlayerSnapshot {
    /// What it shows and why.
    pub phase: Phase,
    /// Since when; for [`Phase::Stalled`] since the last picture.
    pub phase_since: Instant,
    /// The picture; an old one in every phase but `Live`, `CatchingUp` and `Replay`.
    pub frame: Option<VideoFrame>,
    /// When that picture was taken.
    pub shown_wall: Option<WallTime>,
    /// Where to jump over the gap to.
    pub gap_end: Option<WallTime>,
    /// The microphone meter.
    pub meter: MeterReading,
    /// Such as `1920×1080 H.265`; empty before the first format.
    pub video_text: String,
    /// Why it fails, as the server or the decoder says.
    pub error: Option<String>,
}

/// A step by one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the next picture.
    Forward,
    /// To the picture before.
    Back,
}

/// One tile's source. Dropping it stops it without waiting.
pub struct Player {
    id: PlayerId,
    camera: CameraId,
    stream: StreamKind,
    shared: Arc<Shared>,
    control: watch::Sender<Control>,
    task: tokio::task::JoinHandle<()>,
    thread: Option<JoinHandle<()>>,
    playhead: Option<Arc<Mutex<Playhead>>>,
    repaint: Repaint,
    sound: SoundHandle,
    decoders: Decoders,
}

impl Player {
    /// Live pictures and sound of a camera.
    #[must_use]
    pub fn live(ctx: &PlayerCtx, camera: CameraId, stream: StreamKind) -> Self {
        Self::start(ctx, camera, stream, None)
    }

    /// Recorded pictures and sound of a camera, where the playhead stands.
    #[must_use]
    pub fn playback(ctx: &PlayerCtx, camera: CameraId, stream: StreamKind, playhead: Arc<Mutex<Playhead>>) -> Self {
        Self::start(ctx, camera, stream, Some(playhead))
    }

    fn start(ctx: &PlayerCtx, camera: CameraId, stream: StreamKind, playhead: Option<Arc<Mutex<Playhead>>>) -> Self {
        let (id, now) = (PlayerId::next(), Instant::now());
        let view = playhead.as_deref().map(|playhead| View::of(&lock(playhead), now));
        let shared = Arc::new(Shared::new(view, now));
        let first =
            Control { generation: 0, from: view.map(|view| view.position), keys_only: view.is_some_and(keys_only) };
        let (control, changes) = watch::channel(first);
        let (sender, messages) = mpsc::channel(MESSAGES);
        let worker = Worker::new(id, playhead.is_none(), Arc::clone(&shared), ctx.sound.clone(), ctx.repaint.clone());
        let thread = std::thread::Builder::new()
            .name(format!("player-{}", id.0))
            .stack_size(STACK_BYTES)
            .spawn(move || worker.run(messages));
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(error) => {
                shared.lock().fail(error.to_string());
                None
            }
        };
        let source = Source { client: ctx.client.clone(), camera, stream };
        let task = ctx.runtime.spawn(net::run(source, changes, sender, Arc::clone(&shared), ctx.repaint.clone()));
        Self {
            id,
            camera,
            stream,
            shared,
            control,
            task,
            thread,
            playhead,
            repaint: ctx.repaint.clone(),
            sound: ctx.sound.clone(),
            decoders: ctx.decoders.clone(),
        }
    }

    /// Its name for [`SoundHandle::set_audible`].
    #[must_use]
    pub fn id(&self) -> PlayerId {
        self.id
    }

    /// The camera.
    #[must_use]
    pub fn camera(&self) -> CameraId {
        self.camera
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> StreamKind {
        self.stream
    }

    /// What to draw now. To be called once a UI frame for each visible tile; it also notices jumps of the playhead and asks
    /// for the next repaint.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> PlayerSnapshot {
        match &self.playhead {
            None => {
                let heard = self.sound.heard(self.id, now).map(|clock| clock.ahead(self.repaint.ahead()));
                let (snapshot, wake) = self.shared.lock().live(heard, now);
                if let Some(wake) = wake {
                    self.repaint.after(wake, now);
                }
                snapshot
            }
            Some(playhead) => self.playback_snapshot(playhead, now),
        }
    }

    fn playback_snapshot(&self, playhead: &Mutex<Playhead>, now: Instant) -> PlayerSnapshot {
        // The two locks are never held together.
        let view = View::of(&lock(playhead), now);
        let mut state = self.shared.lock();
        let keys_only = keys_only(view) || state.falls_behind(view);
        let moved = state.follow(view, keys_only, now);
        let snapshot = state.playback(view, now);
        let (arrived, edge) = (state.arrived(), state.overrun_edge(view, now));
        let next = state.next_due();
        let generation = state.generation();
        drop(state);
        if moved {
            self.shared.wake();
            self.sound.clear(self.id);
            let control = Control { generation, from: Some(view.position), keys_only };
            self.control.send_replace(control);
        } else {
            // Room in the queue.
            self.shared.wake();
        }
        if arrived && view.waiting {
            lock(playhead).ready(view.epoch, now);
        }
        if let Some(edge) = edge {
            lock(playhead).hold_at_edge(edge, now);
        }
        let sounding = view.playing && !view.waiting && arrived && view.at_normal_speed();
        self.sound.set_clock(self.id, sounding.then_some(Clock { wall: view.position, at: now }));
        if view.playing {
            let due = next.map_or(TICK, |wall| {
                Duration::from_secs_f64(wall.saturating_since(view.position).as_secs_f64() / view.speed)
            });
            self.repaint.after(due.min(TICK), now);
        }
        snapshot
    }

    /// Steps by one picture: pauses and moves the shared playhead to where this player's next or last picture is. To be
    /// called on the leading tile only; the others follow. False when there is nothing to step to yet.
    pub fn step(&self, step: Step, now: Instant) -> bool {
        let Some(playhead) = &self.playhead else {
            return false;
        };
        let mut playhead = lock(playhead);
        playhead.pause(now);
        // Who looks picture by picture does not want to skip them again when playing on.
        let speed = playhead.speed().min(1.0);
        playhead.set_speed(speed, now);
        let epoch = playhead.epoch();
        drop(playhead);
        let target = self.shared.lock().step_target(step, epoch);
        let (Some(target), Some(playhead)) = (target, &self.playhead) else {
            return false;
        };
        let mut playhead = lock(playhead);
        match step {
            Step::Forward => playhead.step_to(target),
            Step::Back => playhead.seek(target, now),
        }
        true
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // The task drops its end of the channel when it is aborted, which ends the thread.
        self.task.abort();
        self.shared.lock().stop();
        self.shared.wake();
        self.sound.set_clock(self.id, None);
        self.sound.clear(self.id);
        if let Some(thread) = self.thread.take() {
            self.decoders.reap(thread);
        }
    }
}

/// Whether the whole stream would be too much at that speed. A picture that stands is one of all.
fn keys_only(view: View) -> bool {
    view.playing && view.speed > FULL_RATE_MAX_SPEED
}
