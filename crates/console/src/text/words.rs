//! The text key of each state, cause and failure: facts of the model in the words of a person.
//!
//! What belongs here: exhaustive tables from enums to keys, nothing else.

use minhbach_model::{
    CameraState, DamageKind, FailureKind, GapCause, IncidentCategory, IncidentState, RefusalReason, SoundState,
};

use crate::net::ErrorKind;

/// Why footage is missing.
#[must_use]
pub fn gap_cause(cause: GapCause) -> &'static str {
    match cause {
        GapCause::CameraUnreachable => "gap-camera-unreachable",
        GapCause::AuthRefused => "gap-auth-refused",
        GapCause::Stalled => "gap-stalled",
        GapCause::Disconnected => "gap-disconnected",
        GapCause::PacketLoss => "gap-packet-loss",
        GapCause::Unsupported => "gap-unsupported",
        GapCause::RecorderDown => "gap-recorder-down",
        GapCause::RecorderBehind => "gap-recorder-behind",
        GapCause::DiskFull => "gap-disk-full",
        GapCause::DiskError => "gap-disk-error",
        GapCause::PausedByOperator => "gap-paused-by-operator",
        GapCause::CameraClock => "gap-camera-clock",
        GapCause::Starting => "gap-starting",
        GapCause::Rebuilt => "gap-rebuilt",
    }
}

/// What is wrong with footage.
#[must_use]
pub fn damage_kind(kind: DamageKind) -> &'static str {
    match kind {
        DamageKind::Altered => "damage-altered",
        DamageKind::Truncated => "damage-truncated",
        DamageKind::Missing => "damage-missing",
    }
}

/// Why a stream does not flow, or is not recorded, in a few words.
#[must_use]
pub fn failure(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::UnknownHost => "failure-unknown-host",
        FailureKind::ConnectionRefused => "failure-connection-refused",
        FailureKind::Unreachable => "failure-unreachable",
        FailureKind::TimedOut => "failure-timed-out",
        FailureKind::AuthRefused => "failure-auth-refused",
        FailureKind::NotFound => "failure-not-found",
        FailureKind::NoVideo => "failure-no-video",
        FailureKind::UnsupportedCodec => "failure-unsupported-codec",
        FailureKind::AccessUnitTooLarge => "failure-access-unit-too-large",
        FailureKind::Stalled => "failure-stalled",
        FailureKind::Closed => "failure-closed",
        FailureKind::ClockJump => "failure-clock-jump",
        FailureKind::Protocol => "failure-protocol",
        FailureKind::NoKeyPicture => "failure-no-key-picture",
        FailureKind::DiskFull => "failure-disk-full",
        FailureKind::DiskError => "failure-disk-error",
        FailureKind::RecorderBehind => "failure-recorder-behind",
    }
}

/// What to do about it.
#[must_use]
pub fn failure_advice(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::UnknownHost => "advice-unknown-host",
        FailureKind::ConnectionRefused => "advice-connection-refused",
        FailureKind::Unreachable => "advice-unreachable",
        FailureKind::TimedOut => "advice-timed-out",
        FailureKind::AuthRefused => "advice-auth-refused",
        FailureKind::NotFound => "advice-not-found",
        FailureKind::NoVideo => "advice-no-video",
        FailureKind::UnsupportedCodec => "advice-unsupported-codec",
        FailureKind::AccessUnitTooLarge => "advice-access-unit-too-large",
        FailureKind::Stalled => "advice-stalled",
        FailureKind::Closed => "advice-closed",
        FailureKind::ClockJump => "advice-clock-jump",
        FailureKind::Protocol => "advice-protocol",
        FailureKind::NoKeyPicture => "advice-no-key-picture",
        FailureKind::DiskFull => "advice-disk-full",
        FailureKind::DiskError => "advice-disk-error",
        FailureKind::RecorderBehind => "advice-recorder-behind",
    }
}

/// The text that tells what exactly happened, for failures that come with facts.
#[must_use]
pub fn exact_failure(kind: FailureKind) -> Option<&'static str> {
    match kind {
        FailureKind::UnknownHost => Some("exact-unknown-host"),
        FailureKind::TimedOut => Some("exact-timed-out"),
        FailureKind::UnsupportedCodec => Some("exact-unsupported-codec"),
        FailureKind::AccessUnitTooLarge => Some("exact-access-unit-too-large"),
        FailureKind::Stalled => Some("exact-stalled"),
        FailureKind::ClockJump => Some("exact-clock-jump"),
        FailureKind::ConnectionRefused
        | FailureKind::Unreachable
        | FailureKind::AuthRefused
        | FailureKind::NotFound
        | FailureKind::NoVideo
        | FailureKind::Closed
        | FailureKind::Protocol
        | FailureKind::NoKeyPicture
        | FailureKind::DiskFull
        | FailureKind::DiskError
        | FailureKind::RecorderBehind => None,
    }
}

/// What a stream is doing.
#[must_use]
pub fn camera_state(state: CameraState) -> &'static str {
    match state {
        CameraState::Connecting => "camera-connecting",
        CameraState::Recording => "camera-recording",
        CameraState::Failed(kind) | CameraState::NotRecording(kind) => failure(kind),
        CameraState::Paused => "camera-paused",
    }
}

/// Whether sound is recorded with the pictures.
#[must_use]
pub fn sound_state(state: SoundState) -> &'static str {
    match state {
        SoundState::Unknown => "sound-unknown",
        SoundState::Flows => "sound-flows",
        SoundState::NotOffered => "sound-not-offered",
        SoundState::Unsupported => "sound-unsupported",
        SoundState::Refused => "sound-refused",
        SoundState::Missing => "sound-missing",
    }
}

/// What to do about it.
#[must_use]
pub fn sound_advice(state: SoundState) -> &'static str {
    match state {
        SoundState::Unknown | SoundState::Flows => "advice-sound-none",
        SoundState::NotOffered => "advice-sound-not-offered",
        SoundState::Unsupported => "advice-sound-unsupported",
        SoundState::Refused => "advice-sound-refused",
        SoundState::Missing => "advice-sound-missing",
    }
}

/// State of an incident.
#[must_use]
pub fn incident_state(state: IncidentState) -> &'static str {
    match state {
        IncidentState::New => "incident-new",
        IncidentState::InProgress => "incident-in-progress",
        IncidentState::Shelved => "incident-shelved",
        IncidentState::Closed => "incident-closed",
    }
}

/// What an incident is about.
#[must_use]
pub fn incident_category(category: IncidentCategory) -> &'static str {
    match category {
        IncidentCategory::Unsorted => "category-unsorted",
        IncidentCategory::Conduct => "category-conduct",
        IncidentCategory::Payment => "category-payment",
        IncidentCategory::Obstruction => "category-obstruction",
        IncidentCategory::Absence => "category-absence",
        IncidentCategory::Tampering => "category-tampering",
        IncidentCategory::Safety => "category-safety",
        IncidentCategory::Other => "category-other",
    }
}

/// Every state, in the order of the filter.
pub const INCIDENT_STATES: [IncidentState; 4] =
    [IncidentState::New, IncidentState::InProgress, IncidentState::Shelved, IncidentState::Closed];

/// Every category, in the order of the choice.
pub const INCIDENT_CATEGORIES: [IncidentCategory; 8] = [
    IncidentCategory::Unsorted,
    IncidentCategory::Conduct,
    IncidentCategory::Payment,
    IncidentCategory::Obstruction,
    IncidentCategory::Absence,
    IncidentCategory::Tampering,
    IncidentCategory::Safety,
    IncidentCategory::Other,
];

/// What became of a request.
#[must_use]
pub fn server_error(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unreachable => "error-unreachable",
        ErrorKind::NotFound => "error-not-found",
        ErrorKind::Refused => "error-refused",
        ErrorKind::Conflict => "error-conflict",
        ErrorKind::TimedOut => "error-timed-out",
        ErrorKind::Broken => "error-broken",
        ErrorKind::Local => "error-local",
    }
}

/// Why the server refuses a request.
#[must_use]
pub fn refusal_reason(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::NameEmpty => "refusal-empty",
        RefusalReason::NameTooLong | RefusalReason::NoteTooLong => "refusal-too-long",
        RefusalReason::NameControl => "refusal-name-control",
        RefusalReason::NoteControl => "refusal-note-control",
        RefusalReason::UrlSyntax => "refusal-url-syntax",
        RefusalReason::UrlScheme => "refusal-url-scheme",
        RefusalReason::UrlCredentials => "refusal-url-credentials",
        RefusalReason::FieldMissing => "refusal-field-missing",
        RefusalReason::FieldUnknown => "refusal-field-unknown",
        RefusalReason::FieldInvalid => "refusal-field-invalid",
        RefusalReason::RangeEmpty => "refusal-range-empty",
        RefusalReason::RangeTooLong => "refusal-range-too-long",
        RefusalReason::TooManyCameras => "refusal-too-many-cameras",
        RefusalReason::NotFound => "error-not-found",
        RefusalReason::AlreadyExists => "refusal-already-exists",
        RefusalReason::PlaceInUse => "refusal-place-in-use",
        RefusalReason::Conflict => "error-conflict",
        RefusalReason::UndoTooLate => "refusal-undo-too-late",
        RefusalReason::StreamUnknown => "refusal-stream-unknown",
        RefusalReason::NothingRecorded => "refusal-nothing-recorded",
        RefusalReason::CodecChanges => "refusal-codec-changes",
        RefusalReason::ExportsBusy => "refusal-exports-busy",
        RefusalReason::FootageUnreadable => "refusal-footage-unreadable",
        RefusalReason::ArchiveUnavailable => "refusal-archive-unavailable",
        RefusalReason::CameraPaused => "refusal-camera-paused",
        RefusalReason::RangeFuture => "refusal-range-future",
        RefusalReason::HoldReleased => "refusal-hold-released",
        RefusalReason::ExpiryPast => "refusal-expiry-past",
        RefusalReason::RetentionImpossible => "refusal-retention-impossible",
        RefusalReason::DatabaseUnavailable => "refusal-database-unavailable",
        RefusalReason::Stopping => "refusal-stopping",
        RefusalReason::Internal => "refusal-internal",
    }
}
