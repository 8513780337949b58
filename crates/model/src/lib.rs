//! The nouns and units of Minh Bạch: ids, times, codecs, samples, cameras, places, recordings, incidents.
//!
//! What belongs here: plain data that more than one crate speaks about, its limits and its validation.
//! What does not: IO, threads, clocks, SQL, protobuf, anything that decodes or draws.

mod archive;
mod camera;
mod id;
mod incident;
mod media;
mod place;
mod recording;
mod refusal;
mod time;

pub use archive::{Damage, DamageKind, Deletion, DeletionReason, Hold, Release, Retention, RetentionScope, Tier};
pub use camera::{
    Camera, CameraDraft, CameraState, CameraStatus, FailureKind, RemovedCamera, Secret, Sound, SoundState, StreamKind,
    StreamSource, StreamStatus,
};
pub use id::{AgencyId, CameraId, ContactPointId, FormatId, HoldId, IdError, IncidentId, RunId, SegmentId, SiteId};
pub use incident::{Incident, IncidentCategory, IncidentDraft, IncidentState};
pub use media::{
    AudioCodec, AudioParams, MAX_ACCESS_UNIT_BYTES, MediaFormat, Sample, Ticks, Timescale, Track, VideoCodec,
    VideoParams,
};
pub use place::{Agency, ContactPoint, PlaceTree, Site};
pub use recording::{Gap, GapCause, Segment, SegmentState};
pub use refusal::{Params, Refusal, RefusalReason};
pub use time::{TimeError, WallRange, WallTime};

/// Longest accepted name of a camera, place or incident note title, in characters.
pub const NAME_MAX_CHARS: usize = 200;

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("the name is empty: give a name of 1 to {NAME_MAX_CHARS} characters")]
    Empty,
    /// Longer than [`NAME_MAX_CHARS`].
    #[error("the name has {chars} characters: at most {NAME_MAX_CHARS} are accepted")]
    TooLong {
        /// Characters counted.
        chars: usize,
    },
    /// A control, bidirectional-override or escape character that could deceive a reader of a list or a log.
    #[error("the name contains the control character U+{code:04X}: remove it")]
    Control {
        /// Its code point.
        code: u32,
    },
}

/// Checks and trims a name a person typed.
///
/// # Errors
/// [`NameError`] when it is empty, too long, or holds control or bidirectional override characters.
pub fn check_name(text: &str) -> Result<String, NameError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let chars = name.chars().count();
    if chars > NAME_MAX_CHARS {
        return Err(NameError::TooLong { chars });
    }
    let deceptive = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    match name.chars().find(|&c| deceptive(c)) {
        Some(c) => Err(NameError::Control { code: c as u32 }),
        None => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_hostile_characters_are_refused() {
        assert_eq!(check_name("  Quầy 1  ").as_deref(), Ok("Quầy 1"));
        assert_eq!(check_name(" \t"), Err(NameError::Empty));
        assert_eq!(check_name("a\u{202E}b"), Err(NameError::Control { code: 0x202E }));
        assert_eq!(check_name("a\u{1b}[31m"), Err(NameError::Control { code: 0x1b }));
        assert_eq!(check_name(&"ế".repeat(201)), Err(NameError::TooLong { chars: 201 }));
        assert!(check_name(&"ế".repeat(200)).is_ok());
    }
}
