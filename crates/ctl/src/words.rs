//! Stable names of states, causes and kinds: the words that scripts see, and what failures mean in a sentence.

use minhbach_model::{CameraState, FailureKind, IncidentCategory, IncidentState, SegmentState};

/// What a stream is doing.
pub fn camera_state(state: CameraState) -> &'static str {
    match state {
        CameraState::Connecting => "connecting",
        CameraState::Recording => "recording",
        CameraState::Failed(_) => "failed",
        CameraState::Paused => "paused",
    }
}

/// Why it does not flow; nothing unless it failed.
pub fn reason(state: CameraState) -> Option<&'static str> {
    match state {
        CameraState::Failed(kind) => Some(failure(kind)),
        CameraState::Connecting | CameraState::Recording | CameraState::Paused => None,
    }
}

/// The name of a failure.
pub fn failure(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::UnknownHost => "unknown_host",
        FailureKind::ConnectionRefused => "connection_refused",
        FailureKind::Unreachable => "unreachable",
        FailureKind::TimedOut => "timed_out",
        FailureKind::AuthRefused => "auth_refused",
        FailureKind::NotFound => "not_found",
        FailureKind::NoVideo => "no_video",
        FailureKind::UnsupportedCodec => "unsupported_codec",
        FailureKind::AccessUnitTooLarge => "access_unit_too_large",
        FailureKind::Stalled => "stalled",
        FailureKind::Closed => "closed",
        FailureKind::ClockJump => "clock_jump",
        FailureKind::Protocol => "protocol",
    }
}

/// What a failure means and what to do about it.
pub fn advice(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::UnknownHost => "The host name does not resolve: check the name in the URL, or use the address.",
        FailureKind::ConnectionRefused => "Nothing listens on that port: check the port, and that RTSP is switched on.",
        FailureKind::Unreachable => "The camera does not answer: check its power, cable and network.",
        FailureKind::TimedOut => "The camera answers too slowly: check its load and the network.",
        FailureKind::AuthRefused => "The camera refuses the user name or password: set them with `camera set`.",
        FailureKind::NotFound => "The camera does not know the path: check the path of the URL.",
        FailureKind::NoVideo => "The camera offers no video at this URL: check its stream settings.",
        FailureKind::UnsupportedCodec => "The video codec is not supported: set the camera to H.264 or H.265.",
        FailureKind::AccessUnitTooLarge => {
            "A picture was larger than 16 MiB: lower the camera's bit rate or resolution."
        }
        FailureKind::Stalled => "The camera is connected and sends no pictures: restart it if this stays.",
        FailureKind::Closed => "The camera closed the connection: it may be restarting, or have too many viewers.",
        FailureKind::ClockJump => "The camera's clock jumped: check its time server setting.",
        FailureKind::Protocol => "The camera breaks the RTSP protocol: look for a newer firmware.",
    }
}

/// How far a segment has come.
pub fn segment_state(state: SegmentState) -> &'static str {
    match state {
        SegmentState::Recording => "recording",
        SegmentState::Closed => "closed",
        SegmentState::Suspect => "suspect",
    }
}

/// The state of an incident.
pub fn incident_state(state: IncidentState) -> &'static str {
    match state {
        IncidentState::New => "new",
        IncidentState::InProgress => "in_progress",
        IncidentState::Shelved => "shelved",
        IncidentState::Closed => "closed",
    }
}

/// What an incident is about.
pub fn incident_category(category: IncidentCategory) -> &'static str {
    match category {
        IncidentCategory::Unsorted => "unsorted",
        IncidentCategory::Conduct => "conduct",
        IncidentCategory::Payment => "payment",
        IncidentCategory::Obstruction => "obstruction",
        IncidentCategory::Absence => "absence",
        IncidentCategory::Tampering => "tampering",
        IncidentCategory::Safety => "safety",
        IncidentCategory::Other => "other",
    }
}
