//! Stable names of states, causes and kinds: the words that scripts see, and what failures mean in a sentence.

use minhbach_client::{DiskState, SpoolState};
use minhbach_model::{
    CameraState, FailureKind, Hold, IncidentCategory, IncidentState, RetentionScope, SegmentState, Sound, SoundState,
    Tier, WallTime,
};

/// A stable name as a person reads it.
pub fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// What a stream is doing.
pub fn camera_state(state: CameraState) -> &'static str {
    match state {
        CameraState::Connecting => "connecting",
        CameraState::Recording => "recording",
        CameraState::Failed(_) => "failed",
        CameraState::Paused => "paused",
        CameraState::NotRecording(_) => "not_recording",
    }
}

/// Why it does not flow, or is not recorded; nothing when nothing is wrong.
pub fn reason(state: CameraState) -> Option<&'static str> {
    state.failure().map(failure)
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
        FailureKind::NoKeyPicture => "no_key_picture",
        FailureKind::DiskFull => "disk_full",
        FailureKind::DiskError => "disk_error",
        FailureKind::RecorderBehind => "recorder_behind",
    }
}

/// Whether sound comes.
pub fn sound(state: SoundState) -> &'static str {
    match state {
        SoundState::Unknown => "unknown",
        SoundState::Flows => "flows",
        SoundState::NotOffered => "not_offered",
        SoundState::Unsupported => "unsupported",
        SoundState::Refused => "refused",
        SoundState::Missing => "missing",
    }
}

/// The sound of a stream in a cell of a table: what it is, or why there is none.
pub fn sound_cell(audio: &str, of: &Sound) -> String {
    match (of.state.is_lacking(), of.detail.as_str()) {
        (false, _) => audio.to_owned(),
        (true, "") => format!("none ({})", plain(sound(of.state))),
        (true, detail) => format!("none ({}: {detail})", plain(sound(of.state))),
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
        FailureKind::ClockJump => "A clock jumped: let server and camera set their clocks by NTP.",
        FailureKind::Protocol => "The camera breaks the RTSP protocol: look for a newer firmware.",
        FailureKind::NoKeyPicture => {
            "No picture came from which decoding can start: set the camera's key frame interval to 1 to 4 seconds."
        }
        FailureKind::DiskFull => "The server's disk is full: free some room; recording goes on by itself.",
        FailureKind::DiskError => "The server's disk refuses to write: see the message, and the server's log.",
        FailureKind::RecorderBehind => {
            "What the camera sends is not on the server's disk in time: see the message, and look at the disk's load."
        }
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

/// Where the files of a segment are.
pub fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Spool => "spool",
        Tier::Archive => "archive",
    }
}

/// Whether a hold stands at a moment, or how it ended.
pub fn hold_state(hold: &Hold, at: WallTime) -> &'static str {
    match (hold.stands(at), &hold.release) {
        (true, _) => "standing",
        (false, Some(_)) => "released",
        (false, None) => "expired",
    }
}

/// What a retention is said of, as the command line reads it.
pub fn scope(scope: RetentionScope) -> String {
    match scope {
        RetentionScope::Default => "default".to_owned(),
        RetentionScope::Agency(id) => format!("agency:{id}"),
        RetentionScope::Site(id) => format!("site:{id}"),
        RetentionScope::ContactPoint(id) => format!("contact-point:{id}"),
        RetentionScope::Camera(id) => format!("camera:{id}"),
    }
}

/// How full the spool is.
pub fn spool(state: SpoolState) -> &'static str {
    match state {
        SpoolState::Fine => "fine",
        SpoolState::Alarm => "alarm",
        SpoolState::Deleting => "deleting",
        SpoolState::FullOfHeld => "full_of_held",
        SpoolState::FullOfUnarchived => "full_of_unarchived",
    }
}

/// How a disk of the spool does.
pub fn disk(state: DiskState) -> &'static str {
    match state {
        DiskState::Fine => "fine",
        DiskState::Full => "full",
        DiskState::Failed => "failed",
        DiskState::Missing => "missing",
    }
}

/// What a full spool means and what to do about it; nothing while there is room.
pub fn spool_advice(state: SpoolState) -> Option<&'static str> {
    match state {
        SpoolState::Fine => None,
        SpoolState::Alarm => Some("The spool fills up: see whether the archive answers, or add a disk."),
        SpoolState::Deleting => Some("The oldest footage is being deleted to make room: add a disk to keep it longer."),
        SpoolState::FullOfHeld => {
            Some("Nothing is left that may be deleted: all of it is held. Release holds, or add a disk at once.")
        }
        SpoolState::FullOfUnarchived => Some(
            "Nothing is left that may be deleted: it is not archived. Bring the archive back, or add a disk at once.",
        ),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_failure_has_a_name_of_its_own_and_says_what_to_do() {
        let names: BTreeSet<&str> = FailureKind::ALL.into_iter().map(failure).collect();
        assert_eq!(names.len(), FailureKind::ALL.len());
        assert!(FailureKind::ALL.into_iter().all(|kind| advice(kind).contains(": ")));
    }

    #[test]
    fn every_state_of_the_spool_but_the_fine_one_says_what_to_do() {
        let names: BTreeSet<&str> = SpoolState::ALL.into_iter().map(spool).collect();
        assert_eq!(names.len(), SpoolState::ALL.len());
        for state in SpoolState::ALL {
            assert_eq!(spool_advice(state).is_none(), state == SpoolState::Fine, "{state:?}");
        }
    }

    #[test]
    fn what_flows_and_is_not_recorded_is_named_with_its_reason() {
        let full = CameraState::NotRecording(FailureKind::DiskFull);
        assert_eq!((camera_state(full), reason(full)), ("not_recording", Some("disk_full")));
        assert_eq!(plain(camera_state(full)), "not recording");
    }
}
