//! `live`: receives a live stream for some seconds and tells what came.

use std::time::Duration;

use minhbach_client::{Client, MediaEvent};
use minhbach_model::{Sample, Track};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::args::LiveArgs;
use crate::error::CtlError;
use crate::output::{Output, bytes};

/// Runs the command.
pub async fn run(client: &Client, output: &mut Output, args: LiveArgs) -> Result<(), CtlError> {
    // Before the call, so that connecting is part of what a viewer waits for.
    let start = Instant::now();
    let end = start + Duration::from_secs(args.seconds);
    let mut stream = client.watch_live(args.camera, args.stream, !args.without_audio).await?;
    let mut tally = Tally::default();
    let mut ended_early = false;
    let mut refused = None;
    while let Ok(event) = timeout_at(end, stream.next()).await {
        match event {
            Ok(Some(event)) => tally.add(&event, start.elapsed()),
            Ok(None) => {
                ended_early = true;
                break;
            }
            // What came until then is told first.
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let elapsed = start.elapsed();
    if output.is_json() {
        output.object(&tally.json(elapsed))?;
    } else {
        for line in tally.lines(elapsed) {
            output.line(&line)?;
        }
    }
    if let Some(error) = refused {
        return Err(error.into());
    }
    if ended_early {
        return Err(CtlError::Failed("the server ended the stream: it may be stopping, try again".to_owned()));
    }
    if tally.first_picture.is_none() {
        return Err(CtlError::Failed(format!(
            "no picture came within {} s: `minhbachctl camera show {}` tells why",
            args.seconds, args.camera
        )));
    }
    Ok(())
}

/// What came.
#[derive(Debug, Default)]
struct Tally {
    first_picture: Option<Duration>,
    video_samples: u64,
    audio_samples: u64,
    bytes: u64,
    skipped: u64,
    interrupted: u64,
}

impl Tally {
    fn add(&mut self, event: &MediaEvent, elapsed: Duration) {
        match event {
            MediaEvent::Samples(samples) => {
                for sample in samples {
                    self.add_sample(sample, elapsed);
                }
            }
            MediaEvent::Skipped { video_samples, audio_samples } => self.skipped += video_samples + audio_samples,
            MediaEvent::Interrupted(_) => self.interrupted += 1,
            MediaEvent::Format(_) | MediaEvent::Gap { .. } | MediaEvent::EndOfRange | MediaEvent::LiveEdge => {}
        }
    }

    fn add_sample(&mut self, sample: &Sample, elapsed: Duration) {
        self.bytes += sample.data.len() as u64;
        match sample.track {
            Track::Video => {
                self.video_samples += 1;
                if sample.key && self.first_picture.is_none() {
                    self.first_picture = Some(elapsed);
                }
            }
            Track::Audio => self.audio_samples += 1,
        }
    }

    fn json(&self, elapsed: Duration) -> Value {
        json!({
            "first_picture_ms": self.first_picture.map(ms),
            "video_samples": self.video_samples,
            "audio_samples": self.audio_samples,
            "bytes": self.bytes,
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            "seconds": ms(elapsed) / 1000.0,
        })
    }

    fn lines(&self, elapsed: Duration) -> Vec<String> {
        let first = self.first_picture.map_or_else(|| "never".to_owned(), |after| format!("after {:.1} ms", ms(after)));
        vec![
            format!("First picture    {first}"),
            format!("Pictures         {}", self.video_samples),
            format!("Sound packets    {}", self.audio_samples),
            format!("Received         {} in {:.1} s", bytes(self.bytes), elapsed.as_secs_f64()),
            format!("Skipped          {}", self.skipped),
            format!("Interruptions    {}", self.interrupted),
        ]
    }
}

/// Milliseconds, to the microsecond.
fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use minhbach_model::GapCause;

    use super::*;

    #[test]
    fn everything_that_comes_is_counted() {
        let mut tally = Tally::default();
        tally.add(&MediaEvent::Skipped { video_samples: 3, audio_samples: 2 }, Duration::ZERO);
        tally.add(&MediaEvent::Interrupted(GapCause::Stalled), Duration::ZERO);
        tally.first_picture = Some(Duration::from_micros(12_345));
        let value = tally.json(Duration::from_millis(5000));
        assert_eq!(value["first_picture_ms"], 12.345);
        assert_eq!(value["skipped"], 5);
        assert_eq!(value["interrupted"], 1);
        assert_eq!(value["seconds"], 5.0);
        for key in ["video_samples", "audio_samples", "bytes"] {
            assert_eq!(value[key], 0, "{key}");
        }
    }

    #[test]
    fn no_picture_is_null_and_not_zero() {
        assert_eq!(Tally::default().json(Duration::ZERO)["first_picture_ms"], Value::Null);
    }
}
