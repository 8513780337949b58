//! The loudspeaker: the sound of one player at a time, on its own thread. No sound device is a state, not an error.
//!
//! Live sound is kept back no longer than is safe, and its pictures keep to it; sound of playback follows the playhead.
//! Mixing several players and recording from a microphone do not belong here.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{ErrorKind, FromSample, SampleFormat, SizedSample, SupportedStreamConfig};
use minhbach_decode::OUTPUT_RATE_HZ;
use minhbach_model::WallTime;

use super::clock::Clock;
use super::player::PlayerId;
use super::sound_live::LiveReport;
use super::sound_mix::{Mix, Pace};

/// How often a missing device is looked for again.
const RETRY: Duration = Duration::from_secs(30);

/// The longest way from the buffer to the loudspeaker that is believed; what a device tells beyond it is an error.
const LATENCY_MAX: Duration = Duration::from_secs(1);

/// How the sound output stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundState {
    /// Being opened.
    Starting,
    /// Open on a device.
    Playing {
        /// The device's name.
        device: String,
    },
    /// This workstation has no sound output.
    NoDevice,
    /// There is a device and it cannot be used.
    Failed(String),
}

struct Shared {
    mix: Mutex<Mix>,
    state: Mutex<SoundState>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every critical section leaves the data whole, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Event {
    Stop,
    Lost(String),
}

/// The owner of the sound output; dropping it closes the device and joins the thread.
pub struct Sound {
    shared: Arc<Shared>,
    events: SyncSender<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Sound {
    /// Opens the output in the background.
    #[must_use]
    pub fn start(egui: egui::Context) -> Self {
        let mix = Mutex::new(Mix::new(Instant::now()));
        let shared = Arc::new(Shared { mix, state: Mutex::new(SoundState::Starting) });
        let (events, inbox) = sync_channel(8);
        let worker = Worker { shared: Arc::clone(&shared), events: events.clone(), inbox, egui };
        let thread = std::thread::Builder::new().name("sound".to_owned()).spawn(move || worker.run());
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(error) => {
                *lock(&shared.state) = SoundState::Failed(error.to_string());
                None
            }
        };
        Self { shared, events, thread }
    }

    /// A handle for players and panels.
    #[must_use]
    pub fn handle(&self) -> SoundHandle {
        SoundHandle { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Fails only when the thread has ended already.
            let _ = self.events.send(Event::Stop);
            if thread.join().is_err() {
                tracing::error!("the sound thread panicked");
            }
        }
    }
}

/// What players and panels hold of the sound output.
#[derive(Clone)]
pub struct SoundHandle {
    shared: Arc<Shared>,
}

impl SoundHandle {
    /// How the output stands.
    #[must_use]
    pub fn state(&self) -> SoundState {
        lock(&self.shared.state).clone()
    }

    /// Which player is heard; all others are silent.
    pub fn set_audible(&self, player: Option<PlayerId>) {
        lock(&self.shared.mix).set_audible(player);
    }

    /// The player that is heard.
    #[must_use]
    pub fn audible(&self) -> Option<PlayerId> {
        lock(&self.shared.mix).audible()
    }

    /// Loudness, 0 to 1.
    pub fn set_volume(&self, volume: f32) {
        lock(&self.shared.mix).set_volume(volume);
    }

    /// Loudness, 0 to 1.
    #[must_use]
    pub fn volume(&self) -> f32 {
        lock(&self.shared.mix).volume()
    }

    /// Silences the output without changing who is heard.
    pub fn set_muted(&self, muted: bool) {
        lock(&self.shared.mix).set_muted(muted);
    }

    /// Whether the output is silenced.
    #[must_use]
    pub fn muted(&self) -> bool {
        lock(&self.shared.mix).muted()
    }

    /// Sound of a player; dropped unless it is the one that is heard.
    pub(super) fn push(&self, player: PlayerId, pace: Pace, block: &minhbach_decode::AudioBlock) {
        lock(&self.shared.mix).push(player, pace, block, Instant::now());
    }

    /// A live picture of a player has been decoded: which sound is heard, when the picture has to keep to it.
    pub(super) fn picture(&self, player: PlayerId, wall: WallTime, now: Instant) -> Option<Clock> {
        lock(&self.shared.mix).picture(player, wall, now)
    }

    /// Which live sound of a player is heard when; `None` for a player that is not heard, and when nothing tells it.
    pub(super) fn heard(&self, player: PlayerId, now: Instant) -> Option<Clock> {
        lock(&self.shared.mix).heard(player, now)
    }

    /// How the live sound of a player stands, and how much of it is kept, nanoseconds; `None` as for the clock.
    #[must_use]
    pub fn report(&self, player: PlayerId, now: Instant) -> Option<(LiveReport, i64)> {
        lock(&self.shared.mix).report(player, now)
    }

    /// Where a player's playback stands, or `None` while it has no sound to give (paused, not at normal speed).
    pub(super) fn set_clock(&self, player: PlayerId, clock: Option<Clock>) {
        lock(&self.shared.mix).set_clock(player, clock);
    }

    /// Forgets what a player has pushed, at a jump or when it stops.
    pub(super) fn clear(&self, player: PlayerId) {
        lock(&self.shared.mix).clear(player);
    }
}

struct Worker {
    shared: Arc<Shared>,
    events: SyncSender<Event>,
    inbox: Receiver<Event>,
    egui: egui::Context,
}

impl Worker {
    fn run(self) {
        loop {
            // Held while the device plays; dropping it closes the device.
            let (stream, state) = match self.open() {
                Ok((stream, device)) => (Some(stream), SoundState::Playing { device }),
                Err(state) => (None, state),
            };
            tracing::info!(?state, "sound output");
            self.set_state(state);
            match self.wait(stream.is_some()) {
                Some(Event::Stop) => return,
                Some(Event::Lost(reason)) => {
                    drop(stream);
                    lock(&self.shared.mix).device_lost();
                    tracing::warn!(reason, "the sound device was lost");
                    self.set_state(SoundState::Failed(reason));
                    // Not at once: a device that fails on opening would be opened in a tight circle.
                    if matches!(self.inbox.recv_timeout(Duration::from_secs(2)), Ok(Event::Stop)) {
                        return;
                    }
                }
                None => {}
            }
        }
    }

    /// Waits for the next event; `None` when it is time to look for a device again.
    fn wait(&self, playing: bool) -> Option<Event> {
        if playing {
            // The worker holds a sender itself, so the channel cannot be closed.
            return Some(self.inbox.recv().unwrap_or(Event::Stop));
        }
        match self.inbox.recv_timeout(RETRY) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Stop),
        }
    }

    fn set_state(&self, state: SoundState) {
        let mut slot = lock(&self.shared.state);
        if *slot != state {
            *slot = state;
            drop(slot);
            self.egui.request_repaint();
        }
    }

    fn open(&self) -> Result<(cpal::Stream, String), SoundState> {
        let failed = |error: cpal::Error| match error.kind() {
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => SoundState::NoDevice,
            _ => SoundState::Failed(error.to_string()),
        };
        let device = cpal::default_host().default_output_device().ok_or(SoundState::NoDevice)?;
        let name = device.description().map_or_else(|_| device.to_string(), |about| about.name().to_owned());
        let config = choose(&device).map_err(failed)?;
        let stream = match config.sample_format() {
            SampleFormat::F32 => self.stream::<f32>(&device, &config),
            SampleFormat::I16 => self.stream::<i16>(&device, &config),
            SampleFormat::U16 => self.stream::<u16>(&device, &config),
            SampleFormat::I32 => self.stream::<i32>(&device, &config),
            other => return Err(SoundState::Failed(format!("sample format {other} is not supported"))),
        };
        let stream = stream.map_err(failed)?;
        stream.play().map_err(failed)?;
        Ok((stream, name))
    }

    fn stream<T: SizedSample + FromSample<f32>>(
        &self,
        device: &cpal::Device,
        config: &SupportedStreamConfig,
    ) -> Result<cpal::Stream, cpal::Error> {
        let (channels, rate_hz) = (usize::from(config.channels()), config.sample_rate());
        let shared = Arc::clone(&self.shared);
        let events = self.events.clone();
        let mut scratch: Vec<f32> = Vec::new();
        device.build_output_stream(
            config.config(),
            move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
                let (now, told) = (Instant::now(), info.timestamp());
                // Both on the device's own clock, which is not the one of `now`; their distance is the same on any.
                let latency = told.playback.duration_since(told.callback).min(LATENCY_MAX);
                scratch.resize(out.len(), 0.0);
                lock(&shared.mix).render(&mut scratch, (channels, rate_hz), now, latency);
                for (target, &value) in out.iter_mut().zip(&scratch) {
                    *target = T::from_sample(value);
                }
            },
            move |error: cpal::Error| match error.kind() {
                // The device goes on after these.
                ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {
                    tracing::debug!(%error, "sound output");
                }
                _ => {
                    // A full channel means that the loss is known already.
                    let _ = events.try_send(Event::Lost(error.to_string()));
                }
            },
            None,
        )
    }
}

/// Stereo at our own rate when the device can, otherwise whatever it likes best.
fn choose(device: &cpal::Device) -> Result<SupportedStreamConfig, cpal::Error> {
    let ours = device.supported_output_configs()?.find_map(|range| {
        let format = matches!(range.sample_format(), SampleFormat::F32 | SampleFormat::I16);
        if range.channels() == 2 && format { range.try_with_sample_rate(OUTPUT_RATE_HZ) } else { None }
    });
    match ours {
        Some(config) => Ok(config),
        None => device.default_output_config(),
    }
}
