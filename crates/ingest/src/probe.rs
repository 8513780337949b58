//! A trial connection: does this address work, what does it deliver, and one key picture to look at.
//!
//! Nothing is stored, and nothing on the camera is changed.

use std::ops::ControlFlow;
use std::time::Duration;

use minhbach_model::{FailureKind, Sample, Sound, SoundState, Track};
use minhbach_runtime::Clock;
use tokio::time::Instant;

use crate::attempt::{Delivery, attempt, describe};
use crate::failure::Failure;
use crate::meter::Meter;
use crate::source::{IngestOptions, StreamConfig};

/// How long rates are measured after the first key picture.
const MEASURE: Duration = Duration::from_secs(2);
/// A camera with a very long group of pictures must still answer.
const LIMIT: Duration = Duration::from_secs(25);

/// What a trial connection found.
#[derive(Debug, Clone)]
pub struct ProbeReport {
    /// Description of the video.
    pub video: String,
    /// Description of the sound; empty when there is none.
    pub audio: String,
    /// Whether sound comes.
    pub sound: Sound,
    /// Bits a second.
    pub bit_rate_bps: u64,
    /// Thousandths of a picture a second.
    pub frame_rate_milli: u32,
    /// A key picture.
    pub still: Sample,
    /// From connecting to the first key picture.
    pub first_picture: Duration,
}

/// Tries a stream.
///
/// # Errors
/// Exactly what failed.
pub async fn probe(config: &StreamConfig, options: &IngestOptions, clock: &Clock) -> Result<ProbeReport, Failure> {
    let started = Instant::now();
    let mut still: Option<(Sample, Duration)> = None;
    let mut meter = Meter::default();
    let mut sound = Sound::default();
    let mut sink = |delivery: Delivery| {
        let now = Instant::now();
        let sample = match delivery {
            Delivery::Sample(sample) => sample,
            Delivery::Connected(_, found) => {
                sound = found;
                return ControlFlow::Continue(());
            }
        };
        if sample.track == Track::Audio {
            sound.state = SoundState::Flows;
        }
        meter.count(now, sample.data.len(), u32::from(sample.track == Track::Video));
        if still.is_none() && sample.track == Track::Video && sample.key {
            still = Some((sample, started.elapsed()));
        }
        match &still {
            Some((_, at)) if started.elapsed() >= *at + MEASURE => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let result = tokio::time::timeout(LIMIT, attempt(config, options, clock, &mut sink)).await;
    let (bit_rate_bps, frame_rate_milli) = meter.rates(Instant::now());
    match (result, still) {
        // A camera that fails after its first picture still showed what it delivers.
        (_, Some((still, first_picture))) => {
            let (video, audio) = describe(&still.format);
            if sound.state == SoundState::Unknown {
                sound.state = SoundState::Missing;
            }
            Ok(ProbeReport { video, audio, sound, bit_rate_bps, frame_rate_milli, still, first_picture })
        }
        (Ok(Err(failure)), None) => Err(failure),
        (Ok(Ok(())) | Err(_), None) => Err(Failure::new(
            FailureKind::TimedOut,
            format!("connected, but no key picture came within {} s", LIMIT.as_secs()),
        )),
    }
}
