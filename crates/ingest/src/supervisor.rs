//! Keeps one stream flowing: connects, waits, connects again, and says at every moment how it stands.
//!
//! Knows nothing of RTSP; that is in [`crate::attempt`].

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use minhbach_feed::Publisher;
use minhbach_model::{CameraState, FailureKind, Sample, Sound, SoundState, StreamStatus, Track, WallTime};
use minhbach_runtime::{Clock, Hurry, Pace, Why};
use rand::RngExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Carrier, Delivery, attempt, describe};
use crate::failure::{Failure, gap_cause};
use crate::meter::Meter;
use crate::source::{IngestOptions, StreamConfig};

/// Sound that the camera agreed to send and that did not come for so long is missing.
const SOUND_LIMIT: Duration = Duration::from_secs(10);
/// A run that lasted this long was a good one: the next pause is short again.
const GOOD_RUN: Duration = Duration::from_secs(20);
/// A camera that worked is asked for with short pauses for so long: it restarts, or somebody pulled its cable for a moment, and
/// every second that it is back and not recorded is lost.
const SHORT_OUTAGE: Duration = Duration::from_secs(60);

/// A connection is set up in half a dozen questions and answers; one that does not come about within this time is no reason
/// for anybody to hurry on.
const SET_UP: Duration = Duration::from_secs(1);

/// Keeps the stream flowing into `publisher` until `stop` is cancelled. To be spawned on a thread that runs at this pace.
pub async fn supervise(
    config: StreamConfig,
    options: IngestOptions,
    clock: Clock,
    publisher: Publisher,
    status: watch::Sender<StreamStatus>,
    (pace, stop): (Pace, CancellationToken),
) {
    let mut pause = options.backoff_min;
    let mut worked: Option<Instant> = None;
    loop {
        let started = Instant::now();
        let mut sink = Sink::new(&publisher, &status, &clock, &pace);
        let failure = {
            let mut hand_over = |delivery: Delivery| sink.take(delivery);
            tokio::select! {
                () = stop.cancelled() => return,
                never = hurry_at_first(pace.hurry(Why::Exchange)) => match never {},
                // What a camera sends must not be able to end this loop, whatever it makes a library do.
                result = AssertUnwindSafe(attempt(&config, &options, &clock, &mut hand_over)).catch_unwind() => {
                    match result {
                        Ok(Err(failure)) => failure,
                        // The sink never breaks off.
                        Ok(Ok(())) => Failure::new(FailureKind::Closed, "the stream ended"),
                        Err(_) => Failure::new(FailureKind::Protocol, "what the camera sent could not be taken apart"),
                    }
                }
            }
        };
        publisher.interrupt(gap_cause(failure.kind));
        if started.elapsed() >= GOOD_RUN && sink.pictures > 0 {
            pause = options.backoff_min;
        }
        if sink.pictures > 0 {
            worked = Some(Instant::now());
        }
        let wait = jittered(pause);
        tracing::warn!(
            camera = %config.camera, stream = %config.stream, reason = %failure, pictures = sink.pictures,
            retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "run ended"
        );
        tell_failure(&status, &failure, clock.now(), wait);
        drop(sink);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        // What a person must put right first is not worth asking for every second.
        if !passes_by_itself(failure.kind) || worked.is_none_or(|at| at.elapsed() > SHORT_OUTAGE) {
            pause = (pause * 2).min(options.backoff_max);
        }
    }
}

/// Hurries while a connection is being set up; never ends.
async fn hurry_at_first(hurry: Hurry) -> Infallible {
    tokio::time::sleep(SET_UP).await;
    drop(hurry);
    std::future::pending().await
}

/// Whether a failure can be over at any moment, without anybody doing anything about it.
fn passes_by_itself(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::ConnectionRefused
            | FailureKind::Unreachable
            | FailureKind::TimedOut
            | FailureKind::Closed
            | FailureKind::Stalled
    )
}

/// Between three quarters and five quarters, so that a hundred cameras do not come back in the same instant.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.75..1.25))
}

fn tell_failure(status: &watch::Sender<StreamStatus>, failure: &Failure, now: WallTime, wait: Duration) {
    status.send_modify(|status| {
        let state = CameraState::Failed(failure.kind);
        if status.state != state {
            status.state = state;
            status.since = now;
        }
        status.message.clone_from(&failure.message);
        status.params.clone_from(&failure.params);
        status.retry_at = Some(now + wait);
        status.bit_rate_bps = 0;
        status.frame_rate_milli = 0;
    });
}

/// Passes samples on and keeps the status true.
struct Sink<'a> {
    publisher: &'a Publisher,
    status: &'a watch::Sender<StreamStatus>,
    clock: &'a Clock,
    meter: Meter,
    format: Option<minhbach_model::FormatId>,
    pictures: u64,
    lost: u64,
    told: Instant,
    key_seen: bool,
    ear: Ear,
    pace: &'a Pace,
    hurry: Option<Hurry>,
}

impl<'a> Sink<'a> {
    fn new(
        publisher: &'a Publisher,
        status: &'a watch::Sender<StreamStatus>,
        clock: &'a Clock,
        pace: &'a Pace,
    ) -> Self {
        Self {
            publisher,
            status,
            clock,
            meter: Meter::default(),
            format: None,
            pictures: 0,
            lost: 0,
            told: Instant::now(),
            key_seen: false,
            ear: Ear::new(Sound::default(), Instant::now()),
            pace,
            hurry: None,
        }
    }

    fn take(&mut self, delivery: Delivery) -> ControlFlow<()> {
        let now = Instant::now();
        let sample = match delivery {
            Delivery::Sample(sample) => sample,
            Delivery::Connected(carrier, sound) => {
                // The buffer of a datagram socket holds no large picture: what is not read at once is lost.
                self.hurry = (carrier == Carrier::Udp).then(|| self.pace.hurry(Why::Live));
                self.ear = Ear::new(sound, now);
                return ControlFlow::Continue(());
            }
        };
        self.ear.listen(sample.track, now);
        let picture = u32::from(sample.track == Track::Video);
        self.meter.count(now, sample.data.len(), picture);
        self.lost += u64::from(sample.lost_packets);
        self.pictures += u64::from(picture);
        // Recording begins with a picture that can be decoded alone; before it nothing is recorded and nothing is said.
        self.key_seen |= sample.track == Track::Video && sample.key;
        let new_format = self.format != Some(sample.format.id);
        if self.key_seen && (new_format || now.duration_since(self.told) >= Duration::from_secs(1)) {
            self.told = now;
            self.tell(now, new_format.then_some(&sample));
        }
        self.publisher.publish(sample);
        ControlFlow::Continue(())
    }

    fn tell(&mut self, now: Instant, new_format: Option<&Sample>) {
        let (bit_rate_bps, frame_rate_milli) = self.meter.rates(now);
        let lost = std::mem::take(&mut self.lost);
        let wall = self.clock.now();
        let first = self.format.is_none();
        self.format = new_format.map_or(self.format, |sample| Some(sample.format.id));
        self.status.send_modify(|status| {
            if status.state != CameraState::Recording {
                status.state = CameraState::Recording;
                status.since = wall;
                status.message.clear();
                status.params.clear();
                status.retry_at = None;
            }
            if let Some(sample) = new_format {
                (status.video, status.audio) = describe(&sample.format);
                status.runs += u64::from(first);
            }
            status.sound.clone_from(&self.ear.sound);
            status.bit_rate_bps = bit_rate_bps;
            status.frame_rate_milli = frame_rate_milli;
            status.lost_packets += lost;
        });
    }
}

/// Whether the sound comes that the camera agreed to send.
struct Ear {
    sound: Sound,
    /// The last sound, or the start.
    heard: Instant,
}

impl Ear {
    fn new(sound: Sound, now: Instant) -> Self {
        Self { sound, heard: now }
    }

    fn listen(&mut self, track: Track, now: Instant) {
        if track == Track::Audio {
            (self.sound.state, self.heard) = (SoundState::Flows, now);
        } else if matches!(self.sound.state, SoundState::Unknown | SoundState::Flows)
            && now.duration_since(self.heard) > SOUND_LIMIT
        {
            self.sound.state = SoundState::Missing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sound_that_was_promised_and_does_not_come_is_missing_until_it_comes() {
        let start = Instant::now();
        let mut ear = Ear::new(Sound::default(), start);
        let mut at = |secs: u64, track: Track| {
            ear.listen(track, start + Duration::from_secs(secs));
            ear.sound.state
        };
        assert_eq!(at(10, Track::Video), SoundState::Unknown);
        assert_eq!(at(11, Track::Video), SoundState::Missing);
        assert_eq!(at(12, Track::Audio), SoundState::Flows);
        assert_eq!(at(22, Track::Video), SoundState::Flows);
        assert_eq!(at(23, Track::Video), SoundState::Missing);
        let mut none = Ear::new(Sound::new(SoundState::NotOffered), start);
        none.listen(Track::Video, start + Duration::from_secs(60));
        assert_eq!(none.sound.state, SoundState::NotOffered);
    }

    #[test]
    fn pauses_are_spread() {
        let waits: Vec<Duration> = (0..100).map(|_| jittered(Duration::from_secs(4))).collect();
        assert!(waits.iter().all(|w| (3.0..5.0).contains(&w.as_secs_f64())));
        assert!(waits.iter().max().unwrap().as_secs_f64() - waits.iter().min().unwrap().as_secs_f64() > 0.5);
    }
}
