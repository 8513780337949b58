//! Messages of a live or playback stream, for the side that sends them.
//!
//! The receiving side takes the oneof apart itself, because it must remember the format in force.

use minhbach_model::{GapCause, MediaFormat, Sample, WallTime};

use super::wall_or_zero;
use crate::v1;
use crate::v1::media_event::Event;

fn event(event: Event) -> v1::MediaEvent {
    v1::MediaEvent { event: Some(event) }
}

/// The parameters of what follows.
#[must_use]
pub fn format(format: &MediaFormat) -> v1::MediaEvent {
    event(Event::Format(format.into()))
}

/// Samples, in the order of decoding.
#[must_use]
pub fn samples<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> v1::MediaEvent {
    event(Event::Samples(v1::SampleBatch { samples: samples.into_iter().map(Into::into).collect() }))
}

/// Samples that were left out for a slow reader.
#[must_use]
pub fn skipped(video_samples: u64, audio_samples: u64) -> v1::MediaEvent {
    event(Event::Skipped(v1::Skipped { video_samples, audio_samples }))
}

/// Nothing is recorded here; `end` is `None` while it lasts.
#[must_use]
pub fn gap(start: WallTime, end: Option<WallTime>, cause: GapCause) -> v1::MediaEvent {
    event(Event::Gap(v1::GapEvent {
        start_wall_ns: start.0,
        end_wall_ns: wall_or_zero(end),
        cause: cause.as_str().to_owned(),
    }))
}

/// The camera does not send at the moment.
#[must_use]
pub fn interrupted(cause: GapCause) -> v1::MediaEvent {
    event(Event::Interrupted(v1::Interrupted { cause: cause.as_str().to_owned() }))
}

/// The end of what was asked for.
#[must_use]
pub fn end_of_range() -> v1::MediaEvent {
    event(Event::EndOfRange(v1::EndOfRange {}))
}

/// What follows is live.
#[must_use]
pub fn live_edge() -> v1::MediaEvent {
    event(Event::LiveEdge(v1::LiveEdge {}))
}
