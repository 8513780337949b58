//! Live view and playback: one stream of formats, samples and what interrupts them.

use std::sync::Arc;

use minhbach_api::convert::media::sample;
use minhbach_api::convert::recording::cause;
use minhbach_api::convert::{ConvertError, optional_wall, wall, wall_or_zero};
use minhbach_api::v1;
use minhbach_api::v1::live_service_client::LiveServiceClient;
use minhbach_api::v1::media_event::Event;
use minhbach_api::v1::recording_service_client::RecordingServiceClient;
use minhbach_model::{CameraId, GapCause, MediaFormat, Sample, StreamKind, WallTime};
use tonic::transport::Channel;
use tonic::{Request, Streaming};

use crate::{CALL_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES};

/// What is to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayRequest {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// The first picture that comes is the key frame at or before this moment, or the first after it.
    pub from: WallTime,
    /// Where to stop; `None` goes on live.
    pub to: Option<WallTime>,
    /// With sound.
    pub audio: bool,
    /// For fast playback.
    pub key_frames_only: bool,
}

/// What a stream tells.
#[derive(Debug, Clone)]
pub enum MediaEvent {
    /// The parameters of the samples that follow; comes before the first.
    Format(Arc<MediaFormat>),
    /// Samples, in the order of decoding.
    Samples(Vec<Sample>),
    /// Samples were left out because they were not read fast enough.
    Skipped {
        /// Pictures left out.
        video_samples: u64,
        /// Frames or packets of sound left out.
        audio_samples: u64,
    },
    /// Nothing is recorded here.
    Gap {
        /// First missing instant.
        start: WallTime,
        /// First instant that is recorded again; `None` while it lasts.
        end: Option<WallTime>,
        /// Why.
        cause: GapCause,
    },
    /// The camera does not send at the moment; the stream goes on when it is back.
    Interrupted(GapCause),
    /// The end of the range that was asked for.
    EndOfRange,
    /// Playback has caught up with the camera: what follows is live.
    LiveEdge,
}

/// A live or playback stream. Not reading makes the server wait (playback) or skip (live). Dropping it ends it.
#[derive(Debug)]
pub struct MediaStream {
    source: Source,
    format: Option<Arc<MediaFormat>>,
    url: Arc<str>,
    // Owned, so that the connection lives exactly as long as the stream.
    _connection: Channel,
}

#[derive(Debug)]
enum Source {
    Live(Streaming<v1::WatchLiveResponse>),
    Playback(Streaming<v1::PlayResponse>),
}

impl MediaStream {
    /// The next event; `None` when the server ends the stream. Safe to cancel: nothing is lost.
    ///
    /// # Errors
    /// [`ClientError`]; the stream is over then.
    pub async fn next(&mut self) -> Result<Option<MediaEvent>, ClientError> {
        let received = match &mut self.source {
            Source::Live(stream) => stream.message().await.map(|message| message.map(|message| message.event)),
            Source::Playback(stream) => stream.message().await.map(|message| message.map(|message| message.event)),
        };
        match received {
            Ok(Some(event)) => media_event(event, &mut self.format).map(Some).map_err(ClientError::answer),
            Ok(None) => Ok(None),
            Err(status) => Err(ClientError::from_status(&self.url, &status)),
        }
    }
}

impl Client {
    /// Watches a camera live: the current group of pictures at once, then as it comes.
    ///
    /// # Errors
    /// [`ClientError`] when the stream could not be opened.
    pub async fn watch_live(
        &self,
        camera: CameraId,
        stream: StreamKind,
        audio: bool,
    ) -> Result<MediaStream, ClientError> {
        let message =
            v1::WatchLiveRequest { camera_id: camera.to_string(), stream: v1::StreamKind::from(stream).into(), audio };
        let connection = self.media_channel();
        let mut service = LiveServiceClient::new(connection.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES);
        let answer = self.answer(CALL_LIMIT, service.watch_live(Request::new(message))).await?;
        Ok(self.media_stream(Source::Live(answer), connection))
    }

    /// Plays what is recorded, as fast as it is read, and goes on live where no end is set.
    ///
    /// # Errors
    /// [`ClientError`] when the stream could not be opened.
    pub async fn play(&self, request: &PlayRequest) -> Result<MediaStream, ClientError> {
        let message = v1::PlayRequest {
            camera_id: request.camera.to_string(),
            stream: v1::StreamKind::from(request.stream).into(),
            from_wall_ns: request.from.0,
            to_wall_ns: wall_or_zero(request.to),
            audio: request.audio,
            key_frames_only: request.key_frames_only,
        };
        let connection = self.media_channel();
        let mut service = RecordingServiceClient::new(connection.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES);
        let answer = self.answer(CALL_LIMIT, service.play(Request::new(message))).await?;
        Ok(self.media_stream(Source::Playback(answer), connection))
    }

    fn media_stream(&self, source: Source, connection: Channel) -> MediaStream {
        MediaStream { source, format: None, url: Arc::clone(&self.url), _connection: connection }
    }
}

/// Takes one message apart; `format` is the one in force.
fn media_event(
    message: Option<v1::MediaEvent>,
    format: &mut Option<Arc<MediaFormat>>,
) -> Result<MediaEvent, ConvertError> {
    let event = message
        .and_then(|message| message.event)
        .ok_or_else(|| ConvertError::missing("event", "an event that this release knows"))?;
    Ok(match event {
        Event::Format(message) => {
            let new = Arc::new(MediaFormat::try_from(message).map_err(|error| error.within("event.format"))?);
            *format = Some(Arc::clone(&new));
            MediaEvent::Format(new)
        }
        Event::Samples(batch) => {
            let format = format
                .as_ref()
                .ok_or_else(|| ConvertError::missing("event.format", "a format before the first sample"))?;
            let samples = batch
                .samples
                .into_iter()
                .map(|message| sample(message, format).map_err(|error| error.within("event.samples")))
                .collect::<Result<_, _>>()?;
            MediaEvent::Samples(samples)
        }
        Event::Skipped(skipped) => {
            MediaEvent::Skipped { video_samples: skipped.video_samples, audio_samples: skipped.audio_samples }
        }
        Event::Gap(gap) => MediaEvent::Gap {
            start: wall("event.gap.start_wall_ns", gap.start_wall_ns)?,
            end: optional_wall(gap.end_wall_ns),
            cause: cause("event.gap.cause", &gap.cause)?,
        },
        Event::Interrupted(interrupted) => {
            MediaEvent::Interrupted(cause("event.interrupted.cause", &interrupted.cause)?)
        }
        Event::EndOfRange(_) => MediaEvent::EndOfRange,
        Event::LiveEdge(_) => MediaEvent::LiveEdge,
    })
}

#[cfg(test)]
mod tests {
    use minhbach_api::convert::event;

    use super::*;

    fn video_format() -> v1::MediaFormat {
        let video =
            v1::VideoParams { codec: v1::VideoCodec::H264.into(), width: 640, height: 360, ..Default::default() };
        v1::MediaFormat { id: 7, run: 1, video: Some(video), audio: None }
    }

    fn message(event: Event) -> Option<v1::MediaEvent> {
        Some(v1::MediaEvent { event: Some(event) })
    }

    fn picture() -> Option<v1::MediaEvent> {
        let sample = v1::Sample { track: v1::Track::Video.into(), wall_ns: 5, key: true, ..Default::default() };
        message(Event::Samples(v1::SampleBatch { samples: vec![sample] }))
    }

    #[test]
    fn samples_carry_the_format_that_came_before_them() {
        let mut format = None;
        assert_eq!(media_event(picture(), &mut format).unwrap_err().field, "event.format");
        media_event(message(Event::Format(video_format())), &mut format).unwrap();
        match media_event(picture(), &mut format).unwrap() {
            MediaEvent::Samples(samples) => {
                assert_eq!(samples.len(), 1);
                assert_eq!(samples[0].format.id.0, 7);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_gap_without_end_lasts() {
        let sent = event::gap(WallTime(5), None, GapCause::DiskFull);
        match media_event(Some(sent), &mut None).unwrap() {
            MediaEvent::Gap { start, end, cause } => {
                assert_eq!((start, end, cause), (WallTime(5), None, GapCause::DiskFull));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_of_another_release_is_an_error_and_not_silence() {
        assert!(media_event(None, &mut None).is_err());
        assert!(media_event(Some(v1::MediaEvent { event: None }), &mut None).is_err());
    }
}
