//! What is recorded and what is missing, playback and export.

use std::sync::Arc;

use minhbach_api::convert::{self, event};
use minhbach_api::v1::recording_service_server::RecordingService;
use minhbach_api::v1::{self, export_response};
use minhbach_media::MediaError;
use minhbach_model::{CameraId, Gap, SegmentId, StreamKind, WallRange, WallTime};
use minhbach_playback::{Event, PlayRequest, PlaybackError, Player, export};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::refuse::{
    bad_page_token, bad_request, exports_busy, index_status, nothing_recorded, playback_status, range_empty,
    range_too_long, too_many_cameras,
};
use super::{ANSWERS_WAITING, Answers, Shared, archive, known, media};

/// Most cameras of a timeline.
const TIMELINE_CAMERAS_MAX: usize = 64;
/// Longest range of a list, a timeline or an export.
const RANGE_MAX: std::time::Duration = std::time::Duration::from_secs(400 * 86_400);
const EXPORT_MAX: std::time::Duration = std::time::Duration::from_secs(86_400);
const NAMES: (&str, &str) = ("from_wall_ns", "to_wall_ns");

/// Exports that run at the same time: each reads a disk as fast as it can, and recording comes first.
const EXPORTS_MAX: usize = 4;

pub(super) struct Recordings {
    shared: Arc<Shared>,
    exports: Arc<Semaphore>,
}

impl Recordings {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, exports: Arc::new(Semaphore::new(EXPORTS_MAX)) }
    }
}

fn range(from_ns: i64, to_ns: i64, longest: std::time::Duration) -> Result<WallRange, Status> {
    let range = convert::range(NAMES, from_ns, to_ns).map_err(bad_request)?;
    if range.duration() > longest {
        return Err(range_too_long(longest));
    }
    Ok(range)
}

fn camera_stream(camera: &str, stream: i32) -> Result<(CameraId, StreamKind), Status> {
    let camera = convert::id("camera_id", camera).map_err(bad_request)?;
    let stream = convert::media::stream_kind("stream", stream).map_err(bad_request)?;
    Ok((camera, stream))
}

/// `<start>:<id>` of the last segment sent.
fn page_token(token: &str) -> Result<Option<(WallTime, SegmentId)>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parsed = token.split_once(':').and_then(|(start, id)| Some((WallTime(start.parse().ok()?), id.parse().ok()?)));
    parsed.map(Some).ok_or_else(bad_page_token)
}

#[tonic::async_trait]
impl RecordingService for Recordings {
    async fn list_recordings(
        &self,
        request: Request<v1::ListRecordingsRequest>,
    ) -> Result<Response<v1::ListRecordingsResponse>, Status> {
        let request = request.into_inner();
        let (camera, stream) = camera_stream(&request.camera_id, request.stream)?;
        let range = range(request.from_wall_ns, request.to_wall_ns, RANGE_MAX)?;
        known::check(&self.shared, &[camera]).await?;
        let after = page_token(&request.page_token)?;
        let limit = if request.page_size == 0 { 1000 } else { request.page_size.min(1000) };
        let index = &self.shared.index;
        let segments = index.segments_in(camera, stream, range, after, limit).await.map_err(index_status)?;
        let gaps = match after {
            None => index.gaps_in(camera, stream, range).await.map_err(index_status)?,
            Some(_) => Vec::new(),
        };
        let full = segments.len() >= limit as usize;
        let next_page_token = segments
            .last()
            .filter(|_| full)
            .map_or_else(String::new, |last| format!("{}:{}", last.range.start.0, last.id));
        Ok(Response::new(v1::ListRecordingsResponse {
            segments: segments.iter().map(Into::into).collect(),
            gaps: gaps.iter().map(Into::into).collect(),
            next_page_token,
        }))
    }

    async fn get_timeline(
        &self,
        request: Request<v1::GetTimelineRequest>,
    ) -> Result<Response<v1::GetTimelineResponse>, Status> {
        let request = request.into_inner();
        let range = range(request.from_wall_ns, request.to_wall_ns, RANGE_MAX)?;
        let stream = convert::media::stream_kind("stream", request.stream).map_err(bad_request)?;
        if request.camera_ids.len() > TIMELINE_CAMERAS_MAX {
            return Err(too_many_cameras(request.camera_ids.len(), TIMELINE_CAMERAS_MAX));
        }
        let ids: Vec<CameraId> = convert::ids("camera_ids", &request.camera_ids).map_err(bad_request)?;
        known::check(&self.shared, &ids).await?;
        let index = &self.shared.index;
        let holds = index.holds(Some(self.shared.clock.now()), None).await.map_err(index_status)?;
        let mut cameras = Vec::with_capacity(ids.len());
        for id in ids {
            let recorded = index.timeline(id, stream, range).await.map_err(index_status)?;
            let gaps = index.gaps_in(id, stream, range).await.map_err(index_status)?;
            let damages = index.damages_in(id, stream, range).await.map_err(index_status)?;
            let recorded = without(recorded, &gaps);
            cameras.push(v1::CameraTimeline {
                camera_id: id.to_string(),
                recorded: recorded.into_iter().map(Into::into).collect(),
                gaps: gaps.iter().map(Into::into).collect(),
                damages: damages.iter().map(Into::into).collect(),
                held: archive::held(&holds, id, &range).into_iter().map(Into::into).collect(),
            });
        }
        Ok(Response::new(v1::GetTimelineResponse { cameras }))
    }

    type PlayStream = Answers<v1::PlayResponse>;

    async fn play(&self, request: Request<v1::PlayRequest>) -> Result<Response<Self::PlayStream>, Status> {
        let request = request.into_inner();
        let (camera, stream) = camera_stream(&request.camera_id, request.stream)?;
        known::check(&self.shared, &[camera]).await?;
        let from = convert::wall("from_wall_ns", request.from_wall_ns).map_err(bad_request)?;
        let to = convert::optional_wall(request.to_wall_ns);
        if to.is_some_and(|to| to <= from) {
            return Err(range_empty("to_wall_ns: must be later than from_wall_ns, or 0 for no end"));
        }
        let play =
            PlayRequest { camera, stream, from, to, audio: request.audio, key_frames_only: request.key_frames_only };
        let feed = self.shared.cameras.feed(camera, stream);
        let mut player = Player::new(Arc::clone(&self.shared.index), Arc::clone(&self.shared.footage), feed, play);
        let (sender, receiver) = tokio::sync::mpsc::channel(ANSWERS_WAITING);
        let stop = self.shared.tasks.stop_token();
        self.shared.tasks.spawn("playback", async move {
            loop {
                let next = tokio::select! {
                    () = stop.cancelled() => return,
                    () = sender.closed() => return,
                    next = player.next() => next,
                };
                let messages = match next {
                    Ok(Some(event)) => play_events(event),
                    Ok(None) => return,
                    Err(error) => {
                        // The reader may be gone; then nobody needs the error.
                        let _ = sender.send(Err(playback_status(error))).await;
                        return;
                    }
                };
                for message in messages {
                    let sent = tokio::select! {
                        () = stop.cancelled() => return,
                        sent = sender.send(Ok(v1::PlayResponse { event: Some(message) })) => sent,
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Answers::new(receiver)))
    }

    type ExportStream = Answers<v1::ExportResponse>;

    async fn export(&self, request: Request<v1::ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        let request = request.into_inner();
        let camera_stream = camera_stream(&request.camera_id, request.stream)?;
        known::check(&self.shared, &[camera_stream.0]).await?;
        let range = range(request.from_wall_ns, request.to_wall_ns, EXPORT_MAX)?;
        let Ok(permit) = Arc::clone(&self.exports).try_acquire_owned() else {
            return Err(exports_busy(EXPORTS_MAX));
        };
        let job = export(&self.shared.index, &self.shared.footage, camera_stream, range, !request.without_audio).await;
        let mut job = match job {
            Err(PlaybackError::Media(MediaError::EmptyRange)) => {
                let (camera, stream) = camera_stream;
                let gaps = self.shared.index.gaps_in(camera, stream, range).await.map_err(index_status)?;
                return Err(nothing_recorded(&gaps));
            }
            job => job.map_err(playback_status)?,
        };
        let header = v1::ExportHeader {
            total_bytes: job.plan.total_bytes,
            start_wall_ns: job.plan.range.start.0,
            end_wall_ns: job.plan.range.end.0,
            video_samples: job.plan.video_samples,
            audio_samples: job.plan.audio_samples,
            gaps: job.gaps.iter().map(Into::into).collect(),
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(ANSWERS_WAITING);
        let stop = self.shared.tasks.stop_token();
        self.shared.tasks.spawn("export", async move {
            let _permit = permit;
            let mut part = Some(Ok(export_response::Part::Header(header)));
            while let Some(next) = part {
                let failed = next.is_err();
                let answer = next.map(|part| v1::ExportResponse { part: Some(part) });
                let sent = tokio::select! {
                    () = stop.cancelled() => return,
                    sent = sender.send(answer) => sent,
                };
                if sent.is_err() || failed {
                    return;
                }
                let bytes = tokio::select! {
                    () = stop.cancelled() => return,
                    bytes = job.next() => bytes,
                };
                part = bytes.map_err(playback_status).transpose().map(|bytes| bytes.map(export_response::Part::Data));
            }
        });
        Ok(Response::new(Answers::new(receiver)))
    }
}

fn play_events(event: Event) -> Vec<v1::MediaEvent> {
    match event {
        Event::Format(format) => vec![event::format(&format)],
        Event::Samples(samples) => media::batches(&samples),
        Event::Gap(gap) => vec![event::gap(gap.start, gap.end, gap.cause)],
        Event::LiveEdge => vec![event::live_edge()],
        Event::Interrupted(cause) => vec![event::interrupted(cause)],
        Event::Skipped(samples) => vec![event::skipped(samples, 0)],
        Event::EndOfRange => vec![event::end_of_range()],
    }
}

/// Recorded stretches without the gaps that lie inside a file: a camera that stalled and came back without a new
/// connection.
fn without(recorded: Vec<WallRange>, gaps: &[Gap]) -> Vec<WallRange> {
    let mut left = recorded;
    for gap in gaps {
        let end = gap.end.unwrap_or(WallTime(i64::MAX));
        left = left
            .into_iter()
            .flat_map(|range| {
                let before = WallRange::new(range.start, range.end.min(gap.start));
                let after = WallRange::new(range.start.max(end), range.end);
                let apart = range.end <= gap.start || range.start >= end;
                if apart { [Some(range), None] } else { [before, after] }
            })
            .flatten()
            .collect();
    }
    left
}

#[cfg(test)]
mod tests {
    use minhbach_model::GapCause;

    use super::*;

    #[test]
    fn gaps_inside_a_stretch_are_taken_out() {
        let range = |a, b| WallRange::new(WallTime(a), WallTime(b)).unwrap();
        let gap = |a, b| Gap {
            camera: CameraId::from_bytes([1; 16]),
            stream: StreamKind::Main,
            start: WallTime(a),
            end: b,
            cause: GapCause::Stalled,
        };
        let stretches = vec![range(0, 100), range(200, 300)];
        assert_eq!(without(stretches.clone(), &[]), stretches);
        assert_eq!(
            without(stretches.clone(), &[gap(10, Some(WallTime(20))), gap(90, Some(WallTime(210)))]),
            [range(0, 10), range(20, 90), range(210, 300)]
        );
        assert_eq!(without(stretches, &[gap(250, None)]), [range(0, 100), range(200, 250)]);
    }
}
