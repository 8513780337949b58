//! What is recorded and what is missing.

use minhbach_api::convert::recording::{damage, gap, segment};
use minhbach_api::convert::{ConvertError, id};
use minhbach_api::v1;
use minhbach_api::v1::recording_service_client::RecordingServiceClient;
use minhbach_model::{CameraId, Damage, Gap, Segment, StreamKind, WallRange};
use tonic::transport::Channel;

use crate::{CALL_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES, Pages, unary};

/// The server's limit of cameras in one call; more are asked for in several.
const TIMELINE_CAMERAS_MAX: usize = 64;

/// One camera's recorded stretches and gaps, for drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraTimeline {
    /// The camera.
    pub camera: CameraId,
    /// Recorded stretches, oldest first; files that follow each other are one.
    pub recorded: Vec<WallRange>,
    /// What is missing, oldest first.
    pub gaps: Vec<Gap>,
    /// What is not as it was recorded, by start.
    pub damages: Vec<Damage>,
    /// What is under a hold that stands, oldest first; holds that overlap are one.
    pub held: Vec<WallRange>,
}

impl Client {
    fn recording_service(&self) -> RecordingServiceClient<Channel> {
        RecordingServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES)
    }

    /// Recorded files and gaps in a range, oldest first.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn recordings(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<(Vec<Segment>, Vec<Gap>), ClientError> {
        let mut service = self.recording_service();
        let (mut segments, mut gaps) = (Vec::new(), Vec::new());
        let mut pages = Pages::new();
        loop {
            let message = v1::ListRecordingsRequest {
                camera_id: camera.to_string(),
                stream: v1::StreamKind::from(stream).into(),
                from_wall_ns: range.start.0,
                to_wall_ns: range.end.0,
                page_size: 0,
                page_token: pages.token(),
            };
            let answer = self.answer(CALL_LIMIT, service.list_recordings(unary(message, CALL_LIMIT))).await?;
            for message in answer.segments {
                segments.push(segment(message, camera, stream).map_err(|error| within("segments", error))?);
            }
            for message in &answer.gaps {
                gaps.push(gap(message, camera, stream).map_err(|error| within("gaps", error))?);
            }
            if !pages.advance(answer.next_page_token)? {
                return Ok((segments, gaps));
            }
        }
    }

    /// Recorded stretches and gaps of several cameras.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn timeline(
        &self,
        cameras: &[CameraId],
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<CameraTimeline>, ClientError> {
        let mut service = self.recording_service();
        let mut timelines = Vec::with_capacity(cameras.len());
        for chunk in cameras.chunks(TIMELINE_CAMERAS_MAX) {
            let message = v1::GetTimelineRequest {
                camera_ids: chunk.iter().map(ToString::to_string).collect(),
                stream: v1::StreamKind::from(stream).into(),
                from_wall_ns: range.start.0,
                to_wall_ns: range.end.0,
            };
            let answer = self.answer(CALL_LIMIT, service.get_timeline(unary(message, CALL_LIMIT))).await?;
            for message in answer.cameras {
                timelines.push(camera_timeline(message, stream).map_err(|error| within("cameras", error))?);
            }
        }
        Ok(timelines)
    }
}

fn within(field: &str, error: ConvertError) -> ClientError {
    ClientError::answer(error.within(field))
}

fn camera_timeline(message: v1::CameraTimeline, stream: StreamKind) -> Result<CameraTimeline, ConvertError> {
    let camera = id("camera_id", &message.camera_id)?;
    Ok(CameraTimeline {
        camera,
        recorded: message.recorded.into_iter().map(WallRange::try_from).collect::<Result<_, _>>()?,
        gaps: message.gaps.iter().map(|message| gap(message, camera, stream)).collect::<Result<_, _>>()?,
        damages: message.damages.iter().map(|message| damage(message, camera, stream)).collect::<Result<_, _>>()?,
        held: message.held.into_iter().map(WallRange::try_from).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use minhbach_model::{DamageKind, GapCause, SegmentId, WallTime};

    use super::*;

    #[test]
    fn a_timeline_carries_camera_and_stream_into_its_gaps_and_damages() {
        let (camera, segment) = (CameraId::generate(), SegmentId::generate());
        let message = v1::CameraTimeline {
            camera_id: camera.to_string(),
            recorded: vec![v1::Stretch { start_wall_ns: 10, end_wall_ns: 20 }],
            gaps: vec![v1::Gap { start_wall_ns: 20, end_wall_ns: 0, cause: "stalled".to_owned() }],
            damages: vec![v1::Damage {
                segment_id: segment.to_string(),
                start_wall_ns: 12,
                end_wall_ns: 13,
                kind: v1::DamageKind::Altered.into(),
                found_wall_ns: 30,
            }],
            held: vec![v1::Stretch { start_wall_ns: 11, end_wall_ns: 15 }],
        };
        let expected = CameraTimeline {
            camera,
            recorded: vec![WallRange { start: WallTime(10), end: WallTime(20) }],
            gaps: vec![Gap {
                camera,
                stream: StreamKind::Sub,
                start: WallTime(20),
                end: None,
                cause: GapCause::Stalled,
            }],
            damages: vec![Damage {
                segment,
                camera,
                stream: StreamKind::Sub,
                range: WallRange { start: WallTime(12), end: WallTime(13) },
                kind: DamageKind::Altered,
                found: WallTime(30),
            }],
            held: vec![WallRange { start: WallTime(11), end: WallTime(15) }],
        };
        assert_eq!(camera_timeline(message, StreamKind::Sub), Ok(expected));
    }
}
