//! Segments, gaps and stretches. Their camera and stream are those of the request, not of each message.

use minhbach_model::{CameraId, Damage, Gap, GapCause, Segment, StreamKind, WallRange};

use super::{ConvertError, START_END, id, optional_wall, same_enum, span, wall, wall_or_zero};
use crate::v1;

same_enum!(segment_state, SegmentState, "recording, closed or suspect", [Recording, Closed, Suspect]);
same_enum!(tier, Tier, "spool or archive", [Spool, Archive]);
same_enum!(damage_kind, DamageKind, "altered, truncated or missing", [Altered, Truncated, Missing]);

impl From<&Segment> for v1::Segment {
    fn from(segment: &Segment) -> Self {
        Self {
            id: segment.id.to_string(),
            start_wall_ns: segment.range.start.0,
            end_wall_ns: segment.range.end.0,
            bytes: segment.bytes,
            state: v1::SegmentState::from(segment.state).into(),
            key: segment.key.clone(),
            video_samples: segment.video_samples,
            audio_samples: segment.audio_samples,
            tier: v1::Tier::from(segment.tier).into(),
        }
    }
}

/// A segment of the camera and stream that were asked for.
///
/// # Errors
/// When its id, times, state or tier are missing or not known.
pub fn segment(message: v1::Segment, camera: CameraId, stream: StreamKind) -> Result<Segment, ConvertError> {
    Ok(Segment {
        id: id("id", &message.id)?,
        camera,
        stream,
        range: span(START_END, message.start_wall_ns, message.end_wall_ns)?,
        key: message.key,
        bytes: message.bytes,
        video_samples: message.video_samples,
        audio_samples: message.audio_samples,
        state: segment_state("state", message.state)?,
        tier: tier("tier", message.tier)?,
    })
}

impl From<&Damage> for v1::Damage {
    fn from(damage: &Damage) -> Self {
        Self {
            segment_id: damage.segment.to_string(),
            start_wall_ns: damage.range.start.0,
            end_wall_ns: damage.range.end.0,
            kind: v1::DamageKind::from(damage.kind).into(),
            found_wall_ns: damage.found.0,
        }
    }
}

/// Damage of the camera and stream that were asked for.
///
/// # Errors
/// When its segment, times or kind are missing or not known.
pub fn damage(message: &v1::Damage, camera: CameraId, stream: StreamKind) -> Result<Damage, ConvertError> {
    Ok(Damage {
        segment: id("segment_id", &message.segment_id)?,
        camera,
        stream,
        range: span(START_END, message.start_wall_ns, message.end_wall_ns)?,
        kind: damage_kind("kind", message.kind)?,
        found: wall("found_wall_ns", message.found_wall_ns)?,
    })
}

impl From<&Gap> for v1::Gap {
    fn from(gap: &Gap) -> Self {
        Self { start_wall_ns: gap.start.0, end_wall_ns: wall_or_zero(gap.end), cause: gap.cause.as_str().to_owned() }
    }
}

/// A gap of the camera and stream that were asked for.
///
/// # Errors
/// When its start or cause is missing or not known.
pub fn gap(message: &v1::Gap, camera: CameraId, stream: StreamKind) -> Result<Gap, ConvertError> {
    Ok(Gap {
        camera,
        stream,
        start: wall("start_wall_ns", message.start_wall_ns)?,
        end: optional_wall(message.end_wall_ns),
        cause: cause("cause", &message.cause)?,
    })
}

/// The cause with that stable name.
///
/// # Errors
/// When it is empty or not known.
pub fn cause(field: &str, name: &str) -> Result<GapCause, ConvertError> {
    let expected = "the name of a cause such as camera_unreachable";
    if name.is_empty() {
        return Err(ConvertError::missing(field, expected));
    }
    GapCause::from_name(name).ok_or_else(|| ConvertError::unknown(field, name, expected))
}

impl From<WallRange> for v1::Stretch {
    fn from(range: WallRange) -> Self {
        Self { start_wall_ns: range.start.0, end_wall_ns: range.end.0 }
    }
}

impl TryFrom<v1::Stretch> for WallRange {
    type Error = ConvertError;

    fn try_from(stretch: v1::Stretch) -> Result<Self, ConvertError> {
        span(START_END, stretch.start_wall_ns, stretch.end_wall_ns)
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{DamageKind, SegmentId, SegmentState, Tier, WallTime};

    use super::*;

    #[test]
    fn a_segment_comes_back_as_it_was() {
        let sent = Segment {
            id: SegmentId::generate(),
            camera: CameraId::generate(),
            stream: StreamKind::Main,
            range: WallRange { start: WallTime(1000), end: WallTime(2000) },
            key: "v1/x/main/2026/11/24/1.mp4".to_owned(),
            bytes: 30_000_000,
            video_samples: 1500,
            audio_samples: 3000,
            state: SegmentState::Suspect,
            tier: Tier::Archive,
        };
        assert_eq!(segment((&sent).into(), sent.camera, sent.stream), Ok(sent));
    }

    #[test]
    fn every_damage_comes_back_as_it_was() {
        for kind in DamageKind::ALL {
            let sent = Damage {
                segment: SegmentId::generate(),
                camera: CameraId::generate(),
                stream: StreamKind::Sub,
                range: WallRange { start: WallTime(1000), end: WallTime(2000) },
                kind,
                found: WallTime(5000),
            };
            assert_eq!(damage(&(&sent).into(), sent.camera, sent.stream), Ok(sent));
        }
    }

    #[test]
    fn a_segment_says_where_it_is() {
        let message = v1::Segment {
            id: SegmentId::generate().to_string(),
            start_wall_ns: 1,
            end_wall_ns: 2,
            state: v1::SegmentState::Closed.into(),
            ..v1::Segment::default()
        };
        assert_eq!(segment(message, CameraId::generate(), StreamKind::Main).unwrap_err().field, "tier");
    }

    #[test]
    fn every_gap_comes_back_as_it_was() {
        let camera = CameraId::generate();
        for cause in GapCause::ALL {
            for end in [None, Some(WallTime(9))] {
                let sent = Gap { camera, stream: StreamKind::Sub, start: WallTime(5), end, cause };
                assert_eq!(gap(&(&sent).into(), camera, StreamKind::Sub), Ok(sent));
            }
        }
    }

    #[test]
    fn a_cause_of_another_release_is_refused_by_name() {
        let error = cause("cause", "solar_flare").unwrap_err();
        assert!(error.to_string().starts_with("cause has the unknown value `solar_flare`"), "{error}");
        assert!(cause("cause", "").is_err());
    }
}
