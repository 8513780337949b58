//! The network half of a player: opens the stream, passes events on, opens it again after a loss.
//!
//! Nothing is buffered here: when the decoding thread is behind, the stream is not read and the server waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use minhbach_client::{Client, MediaEvent, MediaStream, PlayRequest};
use minhbach_model::{CameraId, StreamKind, Track, WallTime};
use tokio::sync::{mpsc, watch};

use super::repaint::Repaint;
use super::state::Shared;

const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Jumps closer together than this are one: only the last of them opens a stream …
const SETTLE: Duration = Duration::from_millis(120);
/// … but while they go on, one of them does so now and then.
const SETTLE_MAX: Duration = Duration::from_millis(480);

/// What to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Control {
    /// Counts the restarts; messages of older ones are dropped.
    pub generation: u64,
    /// Playback: where to begin. Live: `None`.
    pub from: Option<WallTime>,
    /// Playback faster than pictures can be fetched.
    pub keys_only: bool,
}

/// Whose stream.
pub(super) struct Source {
    pub client: Client,
    pub camera: CameraId,
    pub stream: StreamKind,
}

/// To the decoding thread.
pub(super) struct Message {
    pub generation: u64,
    pub body: Body,
}

pub(super) enum Body {
    /// A stream was opened; pictures before `target` are not to be shown.
    Opened {
        target: Option<WallTime>,
        keys_only: bool,
    },
    Media(MediaEvent),
}

/// Why reading a stream ended.
enum End {
    /// The decoding thread is gone.
    Closed,
    /// Everything that was asked for came.
    Finished,
    Lost(String),
}

/// Growing waits between attempts.
struct Backoff(Duration);

impl Backoff {
    fn new() -> Self {
        Self(BACKOFF_FIRST)
    }

    fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(BACKOFF_MAX);
        wait
    }
}

/// When the last jump was, so that a storm of them does not open a stream each.
#[derive(Default)]
struct Jumps {
    last: Option<Instant>,
}

impl Jumps {
    /// Takes note of a jump; whether another came just before.
    fn is_storm(&mut self, now: Instant) -> bool {
        let before = self.last.replace(now);
        before.is_some_and(|before| now.saturating_duration_since(before) < SETTLE)
    }

    /// A single jump is followed at once; of many, the last.
    async fn settle(&mut self, control: &mut watch::Receiver<Control>) -> Result<(), watch::error::RecvError> {
        let first = Instant::now();
        if !self.is_storm(first) {
            return Ok(());
        }
        while first.elapsed() < SETTLE_MAX {
            tokio::select! {
                biased;
                changed = control.changed() => changed?,
                () = tokio::time::sleep(SETTLE) => return Ok(()),
            }
            self.last = Some(Instant::now());
        }
        Ok(())
    }
}

/// Runs until the player is dropped.
pub(super) async fn run(
    source: Source,
    mut control: watch::Receiver<Control>,
    out: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    repaint: Repaint,
) {
    let mut backoff = Backoff::new();
    let mut wanted = *control.borrow_and_update();
    // Where to go on after a loss.
    let mut reached = wanted.from;
    let mut jumps = Jumps::default();
    loop {
        let end = tokio::select! {
            biased;
            changed = control.changed() => match changed {
                Ok(()) => None,
                Err(_) => return,
            },
            end = read(&source, wanted, &mut reached, &out, &shared, &mut backoff) => Some(end),
        };
        let wait = match end {
            None => {
                if jumps.settle(&mut control).await.is_err() {
                    return;
                }
                backoff = Backoff::new();
                wanted = *control.borrow_and_update();
                reached = wanted.from;
                continue;
            }
            Some(End::Closed) => return,
            Some(End::Finished) => None,
            Some(End::Lost(reason)) => {
                tracing::debug!(camera = %source.camera, stream = %source.stream, reason, "stream lost");
                shared.lock().fail(reason);
                repaint.request();
                Some(backoff.next())
            }
        };
        // Until the next jump, or for a while.
        let moved = match wait {
            None => control.changed().await.map(|()| true),
            Some(wait) => tokio::select! {
                biased;
                changed = control.changed() => changed.map(|()| true),
                () = tokio::time::sleep(wait) => Ok(false),
            },
        };
        match moved {
            Ok(true) => {
                if jumps.settle(&mut control).await.is_err() {
                    return;
                }
                backoff = Backoff::new();
                wanted = *control.borrow_and_update();
                reached = wanted.from;
            }
            Ok(false) => {}
            Err(_) => return,
        }
    }
}

/// Opens the stream once and reads it to its end.
async fn read(
    source: &Source,
    wanted: Control,
    reached: &mut Option<WallTime>,
    out: &mpsc::Sender<Message>,
    shared: &Shared,
    backoff: &mut Backoff,
) -> End {
    let mut stream = match open(source, wanted, *reached).await {
        Ok(stream) => stream,
        Err(reason) => return End::Lost(reason),
    };
    let opened = Body::Opened { target: *reached, keys_only: wanted.keys_only };
    if out.send(Message { generation: wanted.generation, body: opened }).await.is_err() {
        return End::Closed;
    }
    let mut finished = false;
    loop {
        let event = match stream.next().await {
            Ok(Some(event)) => event,
            Ok(None) if finished => return End::Finished,
            Ok(None) => return End::Lost("the server ended the stream".to_owned()),
            Err(error) => return End::Lost(error.to_string()),
        };
        match &event {
            MediaEvent::Samples(samples) => {
                shared.lock().connected(Instant::now());
                *backoff = Backoff::new();
                let last = samples.iter().rev().find(|sample| sample.track == Track::Video);
                if let (Some(_), Some(last)) = (*reached, last) {
                    // Just after it, so that the same picture is not shown twice.
                    *reached = Some(last.wall.offset_ns(1));
                }
            }
            MediaEvent::EndOfRange => finished = true,
            _ => shared.lock().connected(Instant::now()),
        }
        if out.send(Message { generation: wanted.generation, body: Body::Media(event) }).await.is_err() {
            return End::Closed;
        }
    }
}

async fn open(source: &Source, wanted: Control, from: Option<WallTime>) -> Result<MediaStream, String> {
    let opened = match from {
        None => source.client.watch_live(source.camera, source.stream, true).await,
        Some(from) => {
            let request = PlayRequest {
                camera: source.camera,
                stream: source.stream,
                from,
                to: None,
                audio: !wanted.keys_only,
                key_frames_only: wanted.keys_only,
            };
            source.client.play(&request).await
        }
    };
    opened.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_ten_seconds_and_no_further() {
        let mut backoff = Backoff::new();
        let waits: Vec<u128> = (0..7).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }
    #[test]
    fn a_single_jump_is_followed_at_once_and_a_storm_is_not() {
        let start = Instant::now();
        let mut jumps = Jumps::default();
        assert!(!jumps.is_storm(start));
        assert!(jumps.is_storm(start + Duration::from_millis(33)));
        assert!(!jumps.is_storm(start + Duration::from_millis(333)));
    }
}
