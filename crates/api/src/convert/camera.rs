//! Cameras, their specification and the state of their streams.
//!
//! A password goes one way only: towards the server, by [`spec_with_password`]. The other conversions leave it out.

use minhbach_model::{
    Camera, CameraDraft, CameraState, CameraStatus, RemovedCamera, Secret, Sound, SoundState, StreamSource,
    StreamStatus,
};

use super::media::stream_kind;
use super::{ConvertError, id, id_or_empty, optional_id, optional_wall, required, same_enum, wall, wall_or_zero};
use crate::v1;

same_enum!(
    failure_kind,
    FailureKind,
    "a kind of failure",
    [
        UnknownHost,
        ConnectionRefused,
        Unreachable,
        TimedOut,
        AuthRefused,
        NotFound,
        NoVideo,
        UnsupportedCodec,
        AccessUnitTooLarge,
        Stalled,
        Closed,
        ClockJump,
        Protocol,
        NoKeyPicture,
        DiskFull,
        DiskError,
        RecorderBehind,
    ]
);

/// Whether sound comes, for an answer.
#[must_use]
pub fn sound_state(state: SoundState) -> v1::SoundState {
    match state {
        SoundState::Unknown => v1::SoundState::Unspecified,
        SoundState::Flows => v1::SoundState::Flows,
        SoundState::NotOffered => v1::SoundState::NotOffered,
        SoundState::Unsupported => v1::SoundState::Unsupported,
        SoundState::Refused => v1::SoundState::Refused,
        SoundState::Missing => v1::SoundState::Missing,
    }
}

/// Whether sound comes, from an answer.
///
/// # Errors
/// When the state is none that is known here.
pub fn sound(state: i32, detail: String) -> Result<Sound, ConvertError> {
    let state = match v1::SoundState::try_from(state) {
        Ok(v1::SoundState::Unspecified) => SoundState::Unknown,
        Ok(v1::SoundState::Flows) => SoundState::Flows,
        Ok(v1::SoundState::NotOffered) => SoundState::NotOffered,
        Ok(v1::SoundState::Unsupported) => SoundState::Unsupported,
        Ok(v1::SoundState::Refused) => SoundState::Refused,
        Ok(v1::SoundState::Missing) => SoundState::Missing,
        Err(_) => return Err(ConvertError::unknown("sound", &state.to_string(), "whether sound comes")),
    };
    Ok(Sound { state, detail })
}

impl From<&RemovedCamera> for v1::RemovedCamera {
    fn from(camera: &RemovedCamera) -> Self {
        Self {
            id: camera.id.to_string(),
            name: camera.name.clone(),
            contact_point_id: id_or_empty(camera.contact_point),
            removed_wall_ns: wall_or_zero(camera.removed),
        }
    }
}

impl TryFrom<v1::RemovedCamera> for RemovedCamera {
    type Error = ConvertError;

    fn try_from(camera: v1::RemovedCamera) -> Result<Self, ConvertError> {
        Ok(Self {
            id: id("id", &camera.id)?,
            name: camera.name,
            contact_point: optional_id("contact_point_id", &camera.contact_point_id)?,
            removed: optional_wall(camera.removed_wall_ns),
        })
    }
}

/// A specification as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenSpec {
    /// What it says; the password is empty when it was left out.
    pub draft: CameraDraft,
    /// Whether a password was sent, which may be an empty one. Left out means unchanged in an update.
    pub password_given: bool,
}

impl TryFrom<v1::CameraSpec> for GivenSpec {
    type Error = ConvertError;

    fn try_from(spec: v1::CameraSpec) -> Result<Self, ConvertError> {
        if spec.main_url.is_empty() {
            return Err(ConvertError::missing("main_url", "rtsp://host[:port]/path"));
        }
        let draft = CameraDraft {
            name: spec.name,
            contact_point: optional_id("contact_point_id", &spec.contact_point_id)?,
            main: StreamSource { url: spec.main_url },
            sub: (!spec.sub_url.is_empty()).then_some(StreamSource { url: spec.sub_url }),
            username: spec.username,
            password: Secret::new(spec.password.as_deref().unwrap_or_default()),
        };
        Ok(Self { draft, password_given: spec.password.is_some() })
    }
}

/// Leaves the password out.
impl From<&CameraDraft> for v1::CameraSpec {
    fn from(draft: &CameraDraft) -> Self {
        Self {
            name: draft.name.clone(),
            contact_point_id: id_or_empty(draft.contact_point),
            main_url: draft.main.url.clone(),
            sub_url: draft.sub.as_ref().map(|source| source.url.clone()).unwrap_or_default(),
            username: draft.username.clone(),
            password: None,
        }
    }
}

/// With the password, for a request to the server.
#[must_use]
pub fn spec_with_password(draft: &CameraDraft) -> v1::CameraSpec {
    v1::CameraSpec { password: Some(draft.password.reveal().to_owned()), ..draft.into() }
}

/// A camera with its state, for an answer; `has_password` because the model's password may be blanked already.
#[must_use]
pub fn camera(status: &CameraStatus, has_password: bool) -> v1::Camera {
    v1::Camera {
        id: status.camera.id.to_string(),
        spec: Some((&status.camera.draft).into()),
        paused: status.camera.paused,
        created_wall_ns: status.camera.created.0,
        has_password,
        streams: status.streams.iter().map(Into::into).collect(),
    }
}

impl TryFrom<v1::Camera> for CameraStatus {
    type Error = ConvertError;

    fn try_from(camera: v1::Camera) -> Result<Self, ConvertError> {
        let spec = required("spec", camera.spec, "what is configured")?;
        let given = GivenSpec::try_from(spec).map_err(|error| error.within("spec"))?;
        Ok(Self {
            camera: Camera {
                id: id("id", &camera.id)?,
                draft: given.draft,
                paused: camera.paused,
                created: wall("created_wall_ns", camera.created_wall_ns)?,
            },
            streams: camera
                .streams
                .into_iter()
                .map(|stream| StreamStatus::try_from(stream).map_err(|error| error.within("streams")))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl From<&StreamStatus> for v1::StreamStatus {
    fn from(status: &StreamStatus) -> Self {
        let (state, failure) = match status.state {
            CameraState::Connecting => (v1::StreamState::Connecting, v1::FailureKind::Unspecified),
            CameraState::Recording => (v1::StreamState::Recording, v1::FailureKind::Unspecified),
            CameraState::Failed(kind) => (v1::StreamState::Failed, kind.into()),
            CameraState::Paused => (v1::StreamState::Paused, v1::FailureKind::Unspecified),
            CameraState::NotRecording(kind) => (v1::StreamState::NotRecording, kind.into()),
        };
        Self {
            stream: v1::StreamKind::from(status.stream).into(),
            state: state.into(),
            failure: failure.into(),
            message: status.message.clone(),
            since_wall_ns: status.since.0,
            retry_at_wall_ns: wall_or_zero(status.retry_at),
            video: status.video.clone(),
            audio: status.audio.clone(),
            sound: sound_state(status.sound.state).into(),
            sound_detail: status.sound.detail.clone(),
            bit_rate_bps: status.bit_rate_bps,
            frame_rate_milli: status.frame_rate_milli,
            lost_packets: status.lost_packets,
            runs: status.runs,
            failure_params: status.params.clone().into_iter().collect(),
        }
    }
}

impl TryFrom<v1::StreamStatus> for StreamStatus {
    type Error = ConvertError;

    fn try_from(status: v1::StreamStatus) -> Result<Self, ConvertError> {
        let expected = "connecting, recording, failed, paused or not recording";
        let state = match v1::StreamState::try_from(status.state) {
            Ok(v1::StreamState::Connecting) => CameraState::Connecting,
            Ok(v1::StreamState::Recording) => CameraState::Recording,
            Ok(v1::StreamState::Failed) => CameraState::Failed(failure_kind("failure", status.failure)?),
            Ok(v1::StreamState::Paused) => CameraState::Paused,
            Ok(v1::StreamState::NotRecording) => CameraState::NotRecording(failure_kind("failure", status.failure)?),
            Ok(v1::StreamState::Unspecified) => return Err(ConvertError::missing("state", expected)),
            Err(_) => return Err(ConvertError::unknown("state", &status.state.to_string(), expected)),
        };
        Ok(Self {
            stream: stream_kind("stream", status.stream)?,
            state,
            message: status.message,
            params: status.failure_params.into_iter().collect(),
            since: wall("since_wall_ns", status.since_wall_ns)?,
            retry_at: optional_wall(status.retry_at_wall_ns),
            video: status.video,
            audio: status.audio,
            sound: sound(status.sound, status.sound_detail)?,
            bit_rate_bps: status.bit_rate_bps,
            frame_rate_milli: status.frame_rate_milli,
            lost_packets: status.lost_packets,
            runs: status.runs,
        })
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, ContactPointId, FailureKind, Params, Sound, SoundState, StreamKind, WallTime};

    use super::*;

    fn draft() -> CameraDraft {
        CameraDraft {
            name: "Quầy 1".to_owned(),
            contact_point: Some(ContactPointId::generate()),
            main: StreamSource { url: "rtsp://10.0.0.7/main".to_owned() },
            sub: Some(StreamSource { url: "rtsp://10.0.0.7/sub".to_owned() }),
            username: "view".to_owned(),
            password: Secret::new("s3cret"),
        }
    }

    fn status() -> CameraStatus {
        let stream = |stream, state| StreamStatus {
            stream,
            state,
            message: "OPTIONS: timed out after 5 s".to_owned(),
            params: Params::from([("seconds".to_owned(), "5".to_owned())]),
            since: WallTime::from_secs(1_800_000_000),
            retry_at: Some(WallTime::from_secs(1_800_000_009)),
            video: "H.264 1920×1080".to_owned(),
            audio: "AAC 16 kHz".to_owned(),
            sound: Sound { state: SoundState::Unsupported, detail: "opus".to_owned() },
            bit_rate_bps: 4_000_000,
            frame_rate_milli: 25_000,
            lost_packets: 3,
            runs: 2,
        };
        CameraStatus {
            camera: Camera {
                id: CameraId::generate(),
                draft: CameraDraft { password: Secret::default(), ..draft() },
                paused: true,
                created: WallTime::from_secs(1_700_000_000),
            },
            streams: vec![
                stream(StreamKind::Main, CameraState::Failed(FailureKind::TimedOut)),
                stream(StreamKind::Sub, CameraState::Recording),
            ],
        }
    }

    #[test]
    fn a_camera_comes_back_as_it_was() {
        let status = status();
        assert_eq!(CameraStatus::try_from(camera(&status, true)), Ok(status));
    }

    #[test]
    fn every_failure_comes_back_in_both_states_that_have_one() {
        for kind in FailureKind::ALL {
            for state in [CameraState::Failed(kind), CameraState::NotRecording(kind)] {
                let sent = StreamStatus { state, ..status().streams[0].clone() };
                assert_eq!(StreamStatus::try_from(v1::StreamStatus::from(&sent)), Ok(sent));
            }
        }
    }

    #[test]
    fn every_state_of_the_sound_comes_back() {
        for state in SoundState::ALL {
            assert_eq!(sound(sound_state(state).into(), String::new()), Ok(Sound::new(state)));
        }
        assert!(sound(99, String::new()).is_err());
    }

    #[test]
    fn a_password_is_sent_only_where_it_is_meant_to_be() {
        let draft = draft();
        assert_eq!(v1::CameraSpec::from(&draft).password, None);
        let given = GivenSpec::try_from(spec_with_password(&draft)).unwrap();
        assert_eq!(given, GivenSpec { draft, password_given: true });
    }

    #[test]
    fn an_empty_password_differs_from_none() {
        let draft = CameraDraft { password: Secret::default(), ..draft() };
        assert!(GivenSpec::try_from(spec_with_password(&draft)).unwrap().password_given);
        assert!(!GivenSpec::try_from(v1::CameraSpec::from(&draft)).unwrap().password_given);
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused_by_name() {
        let mut message = camera(&status(), false);
        message.streams[0].failure = 0;
        assert_eq!(CameraStatus::try_from(message).unwrap_err().field, "streams.failure");
        let mut message = camera(&status(), false);
        message.streams[1].state = 77;
        assert_eq!(CameraStatus::try_from(message).unwrap_err().field, "streams.state");
        let mut message = camera(&status(), false);
        message.spec = None;
        assert_eq!(CameraStatus::try_from(message).unwrap_err().field, "spec");
        let spec = v1::CameraSpec { main_url: String::new(), ..(&draft()).into() };
        assert_eq!(GivenSpec::try_from(spec).unwrap_err().field, "main_url");
    }
}
