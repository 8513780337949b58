//! The one place that turns what is wrong with a request, and what fails inside, into answers.
//!
//! Each answer has three parts: a gRPC code, an exact sentence in English for a technician, and a reason with parameters
//! from which a user interface makes its own sentence. What only the makers understand goes to the log instead.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use minhbach_api::convert::{ConvertError, refusal};
use minhbach_index::{IndexError, IndexErrorKind};
use minhbach_ingest::SourceError;
use minhbach_media::MediaError;
use minhbach_model::{CameraId, Gap, Refusal, RefusalReason as Reason, Retention, StreamKind};
use minhbach_playback::PlaybackError;
use minhbach_store::StoreError;
use tonic::{Code, Status};

/// Longest accepted note, characters.
const NOTE_MAX_CHARS: usize = 4000;
/// A scheme is repeated up to this many characters.
const SCHEME_MAX_CHARS: usize = 32;

/// A refusal whose reason needs no parameters.
fn plain(code: Code, message: impl Into<String>, reason: Reason) -> Status {
    refusal::status(code, message, &Refusal::new(reason))
}

/// What a wrong request is told.
pub(super) fn bad_request(error: ConvertError) -> Status {
    refusal::status(Code::InvalidArgument, error.to_string(), &Refusal::from(&error))
}

/// A page token that is none.
pub(super) fn bad_page_token() -> Status {
    let refusal = Refusal::new(Reason::FieldInvalid).with("field", "page_token");
    refusal::status(Code::InvalidArgument, "page_token: not one that this server gave out", &refusal)
}

/// None of the fields that name a place is set.
pub(super) fn no_place() -> Status {
    let refusal = Refusal::new(Reason::FieldMissing).with("field", "place");
    let message = "place: one of agency_id, site_id and contact_point_id is needed";
    refusal::status(Code::InvalidArgument, message, &refusal)
}

/// A range of time that ends before it begins.
pub(super) fn range_empty(message: &str) -> Status {
    plain(Code::InvalidArgument, message, Reason::RangeEmpty)
}

/// A range of time that is longer than that.
pub(super) fn range_too_long(longest: std::time::Duration) -> Status {
    let hours = longest.as_secs() / 3600;
    let refusal = Refusal::new(Reason::RangeTooLong).with("hours", hours);
    let told = if hours > 48 { format!("{} days", hours / 24) } else { format!("{hours} hours") };
    refusal::status(Code::InvalidArgument, format!("the range is longer than {told}"), &refusal)
}

/// More cameras than are accepted in one request.
pub(super) fn too_many_cameras(asked: usize, max: usize) -> Status {
    let refusal = Refusal::new(Reason::TooManyCameras).with("max", max);
    refusal::status(Code::InvalidArgument, format!("{asked} cameras: at most {max} are accepted"), &refusal)
}

/// A range of time that is not over yet.
pub(super) fn range_future() -> Status {
    plain(Code::InvalidArgument, "the range ends later than now: flag what has happened", Reason::RangeFuture)
}

/// Nothing can be exported from a range, and what is known of why.
pub(super) fn nothing_recorded(gaps: &[Gap]) -> Status {
    let causes: BTreeSet<&str> = gaps.iter().map(|gap| gap.cause.as_str()).collect();
    let causes: Vec<&str> = causes.into_iter().collect();
    let why = if causes.is_empty() { String::new() } else { format!(": {}", causes.join(", ")) };
    plain(Code::NotFound, format!("nothing is recorded in this range{why}"), Reason::NothingRecorded)
}

/// A camera whose recording was paused shows nothing live.
pub(super) fn camera_paused(camera: CameraId) -> Status {
    let message = format!("the camera is paused: `minhbachctl camera resume {camera}` records and shows it again");
    plain(Code::FailedPrecondition, message, Reason::CameraPaused)
}

/// The connection to a camera was begun anew, with other settings.
pub(super) fn camera_changed() -> Status {
    plain(Code::Aborted, "the settings of the camera were changed: watch it again", Reason::Conflict)
}

/// A camera that is not there.
pub(super) fn no_camera(camera: CameraId) -> Status {
    plain(Code::NotFound, format!("there is no camera {camera}"), Reason::NotFound)
}

/// A place that is not there.
pub(super) fn no_such_place() -> Status {
    plain(Code::NotFound, "there is no such place", Reason::NotFound)
}

/// A hold that would have ended already.
pub(super) fn expiry_past() -> Status {
    plain(Code::InvalidArgument, "expires_wall_ns: must be later than now, or 0 for never", Reason::ExpiryPast)
}

/// What cannot be kept and deleted at once.
pub(super) fn retention_impossible(retention: Retention) -> Status {
    let (min, max) = (retention.min_days, retention.max_days.unwrap_or(0));
    let refusal = Refusal::new(Reason::RetentionImpossible).with("min", min).with("max", max);
    let message =
        format!("{min} days are promised and at most {max} are kept: the most must be at least 1 and the promise");
    refusal::status(Code::InvalidArgument, message, &refusal)
}

/// What became of the release of a hold.
pub(super) fn release_status(error: IndexError) -> Status {
    match error.kind() {
        IndexErrorKind::Conflict => {
            plain(Code::FailedPrecondition, "the hold was released before", Reason::HoldReleased)
        }
        _ => index_status(error),
    }
}

/// A stream that the camera does not have.
pub(super) fn no_stream(camera: CameraId, stream: StreamKind) -> Status {
    plain(Code::NotFound, format!("camera {camera} has no {stream} stream"), Reason::StreamUnknown)
}

/// A flag that can no longer be taken back.
pub(super) fn undo_too_late(seconds: u64) -> Status {
    let refusal = Refusal::new(Reason::UndoTooLate).with("seconds", seconds);
    let message = format!("a flag can be taken back for {seconds} seconds; close the incident instead");
    refusal::status(Code::FailedPrecondition, message, &refusal)
}

/// Enough exports are running.
pub(super) fn exports_busy(max: usize) -> Status {
    let refusal = Refusal::new(Reason::ExportsBusy).with("max", max);
    let message = format!("{max} exports are running; try again when one has ended");
    refusal::status(Code::ResourceExhausted, message, &refusal)
}

/// A change of which nobody knows the outcome; the log says why.
pub(super) fn not_completed() -> Status {
    plain(Code::Internal, "the change did not end; see the server's log", Reason::Internal)
}

/// The outside message here, the inside one in the log.
pub(super) fn index_status(error: IndexError) -> Status {
    let text = error.to_string();
    match error.kind() {
        IndexErrorKind::NotFound => plain(Code::NotFound, text, Reason::NotFound),
        IndexErrorKind::Exists => plain(Code::AlreadyExists, text, Reason::AlreadyExists),
        IndexErrorKind::InUse => plain(Code::FailedPrecondition, text, Reason::PlaceInUse),
        IndexErrorKind::Conflict => plain(Code::Aborted, text, Reason::Conflict),
        IndexErrorKind::Invalid => {
            let what = if let IndexError::Invalid { what, .. } = error { what } else { "" };
            let refusal = Refusal::new(Reason::FieldInvalid).with("field", what);
            refusal::status(Code::InvalidArgument, text, &refusal)
        }
        _ => {
            tracing::error!(error = &error as &dyn std::error::Error, "index");
            let message = "the index does not answer; recording goes on; see the server's log";
            plain(Code::Unavailable, message, Reason::DatabaseUnavailable)
        }
    }
}

pub(super) fn playback_status(error: PlaybackError) -> Status {
    match error {
        PlaybackError::Index(error) => index_status(error),
        PlaybackError::Media(MediaError::EmptyRange) => {
            plain(Code::NotFound, "nothing is recorded in this range", Reason::NothingRecorded)
        }
        PlaybackError::Media(error @ MediaError::CodecChanges) => {
            plain(Code::FailedPrecondition, error.to_string(), Reason::CodecChanges)
        }
        PlaybackError::Store(error @ StoreError::Unavailable { .. }) => {
            tracing::error!(error = &error as &dyn std::error::Error, "playback");
            let message = "the archive does not answer; recording goes on; see the server's log";
            plain(Code::Unavailable, message, Reason::ArchiveUnavailable)
        }
        PlaybackError::Store(StoreError::Stopped) => {
            plain(Code::Unavailable, "the server is stopping", Reason::Stopping)
        }
        other => {
            tracing::error!(error = &other as &dyn std::error::Error, "playback");
            let message = "the footage cannot be read; see the server's log";
            plain(Code::DataLoss, message, Reason::FootageUnreadable)
        }
    }
}

/// Checks and trims the name in that field.
pub(super) fn check_name(field: &str, text: &str) -> Result<String, Status> {
    minhbach_model::check_name(text)
        .map_err(|error| refusal::status(Code::InvalidArgument, error.to_string(), &Refusal::of_name(field, &error)))
}

/// Checks the note of an incident.
pub(super) fn check_note(text: &str) -> Result<(), Status> {
    check_text("note", text, 0..=NOTE_MAX_CHARS)
}

/// Checks the text of several lines in that field, which has so many characters.
pub(super) fn check_text(field: &str, text: &str, accepted: RangeInclusive<usize>) -> Result<(), Status> {
    let (chars, min, max) = (text.chars().count(), *accepted.start(), *accepted.end());
    if chars < min {
        let refusal = Refusal::new(Reason::NameEmpty).with("field", field).with("max", max);
        let message = format!("the {field} is empty: give {min} to {max} characters");
        return Err(refusal::status(Code::InvalidArgument, message, &refusal));
    }
    if chars > max {
        let refusal = Refusal::new(Reason::NoteTooLong).with("field", field).with("chars", chars).with("max", max);
        let message = format!("the {field} has {chars} characters: at most {max} are accepted");
        return Err(refusal::status(Code::InvalidArgument, message, &refusal));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        let refusal = Refusal::new(Reason::NoteControl).with("field", field);
        let message = format!("the {field} contains control characters: remove them");
        return Err(refusal::status(Code::InvalidArgument, message, &refusal));
    }
    Ok(())
}

/// What is told about an address that is refused.
pub(super) fn bad_url(field: &str, error: &SourceError) -> Status {
    let refusal = match error {
        SourceError::Syntax(_) => Refusal::new(Reason::UrlSyntax),
        SourceError::Scheme(scheme) => {
            let scheme: String = scheme.chars().take(SCHEME_MAX_CHARS).collect();
            Refusal::new(Reason::UrlScheme).with("scheme", scheme)
        }
        SourceError::Credentials => Refusal::new(Reason::UrlCredentials),
    };
    refusal::status(Code::InvalidArgument, format!("{field}: {error}"), &refusal.with("field", field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(status: &Status) -> Option<Reason> {
        refusal::of(status).map(|refusal| refusal.reason)
    }

    #[test]
    fn every_refusal_carries_its_reason_with_all_its_parameters() {
        let camera = CameraId::generate();
        let stopped = std::time::Duration::from_secs(86_400);
        let not_found = IndexError::NotFound { what: "site", id: "7".to_owned() };
        let released = IndexError::Conflict { what: "hold", id: "7".to_owned() };
        let archive_gone =
            StoreError::Unavailable { action: "read", what: "v1/x.mp4".to_owned(), source: "no route".into() };
        let invalid = IndexError::Invalid { what: "incident", reason: "it names no camera".to_owned() };
        let cases = [
            (bad_request(ConvertError::missing("camera_id", "an id")), Reason::FieldMissing),
            (bad_page_token(), Reason::FieldInvalid),
            (no_place(), Reason::FieldMissing),
            (range_empty("to_wall_ns: must be later"), Reason::RangeEmpty),
            (range_too_long(stopped), Reason::RangeTooLong),
            (too_many_cameras(65, 64), Reason::TooManyCameras),
            (no_camera(camera), Reason::NotFound),
            (range_future(), Reason::RangeFuture),
            (nothing_recorded(&[]), Reason::NothingRecorded),
            (camera_paused(camera), Reason::CameraPaused),
            (camera_changed(), Reason::Conflict),
            (no_stream(camera, StreamKind::Sub), Reason::StreamUnknown),
            (undo_too_late(10), Reason::UndoTooLate),
            (no_such_place(), Reason::NotFound),
            (expiry_past(), Reason::ExpiryPast),
            (retention_impossible(Retention { min_days: 31, max_days: Some(30) }), Reason::RetentionImpossible),
            (release_status(released), Reason::HoldReleased),
            (check_text("reason", "", 1..=9).unwrap_err(), Reason::NameEmpty),
            (exports_busy(4), Reason::ExportsBusy),
            (not_completed(), Reason::Internal),
            (index_status(not_found), Reason::NotFound),
            (index_status(invalid), Reason::FieldInvalid),
            (index_status(IndexError::Unavailable("gone".into())), Reason::DatabaseUnavailable),
            (playback_status(PlaybackError::Media(MediaError::EmptyRange)), Reason::NothingRecorded),
            (playback_status(PlaybackError::Store(StoreError::Stopped)), Reason::Stopping),
            (playback_status(PlaybackError::Store(archive_gone)), Reason::ArchiveUnavailable),
            (check_name("name", " ").unwrap_err(), Reason::NameEmpty),
            (check_note(&"x".repeat(4001)).unwrap_err(), Reason::NoteTooLong),
            (check_note("a\u{7}b").unwrap_err(), Reason::NoteControl),
            (bad_url("main_url", &SourceError::Scheme("http".to_owned())), Reason::UrlScheme),
            (bad_url("sub_url", &SourceError::Syntax("x".to_owned())), Reason::UrlSyntax),
            (bad_url("sub_url", &SourceError::Credentials), Reason::UrlCredentials),
        ];
        for (status, expected) in cases {
            assert_eq!(reason(&status), Some(expected), "{status:?}");
            assert!(!status.message().is_empty());
        }
    }

    #[test]
    fn what_is_inside_stays_inside() {
        let status = index_status(IndexError::Unavailable("/var/lib/secret.sqlite".into()));
        assert!(!status.message().contains("secret"), "{status:?}");
    }
}
