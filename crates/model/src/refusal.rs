//! Why the server refuses a request, as a code with parameters: what a program decides by, and what a person is told in
//! the language of the user interface. The exact sentence in English travels beside it, for technicians.
//!
//! What belongs here: the codes and the names of their parameters. Texts do not; each user interface has its own.

use std::collections::BTreeMap;

use crate::{NAME_MAX_CHARS, NameError};

/// What is filled into the text of a failure or a refusal, by name. Numbers are written in digits, without their unit.
pub type Params = BTreeMap<String, String>;

/// Why a request is refused. Each has a text of its own in the user interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// A name holds nothing but white space.
    NameEmpty,
    /// A name is too long.
    NameTooLong,
    /// A name holds a control or bidirectional override character.
    NameControl,
    /// A note is too long.
    NoteTooLong,
    /// A note holds control characters.
    NoteControl,
    /// An address of a stream is none.
    UrlSyntax,
    /// An address of a stream is not `rtsp://`.
    UrlScheme,
    /// An address of a stream holds a user name or password.
    UrlCredentials,
    /// A field that must be set is not.
    FieldMissing,
    /// A field has a value that the server does not know.
    FieldUnknown,
    /// A field has a value that cannot be.
    FieldInvalid,
    /// A range of time ends before it begins, or is empty.
    RangeEmpty,
    /// A range of time is too long.
    RangeTooLong,
    /// More cameras are named than are accepted.
    TooManyCameras,
    /// What is named is not there, or not any more.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// The place still holds something.
    PlaceInUse,
    /// Somebody else changed it in between.
    Conflict,
    /// The time in which a flag can be taken back is over.
    UndoTooLate,
    /// The camera has no such stream.
    StreamUnknown,
    /// Nothing is recorded in the range.
    NothingRecorded,
    /// The codec changes within the range, which one file cannot hold.
    CodecChanges,
    /// As many exports as are accepted are running.
    ExportsBusy,
    /// Recorded bytes cannot be read, or are not those that were recorded.
    FootageUnreadable,
    /// The footage is in the archive, which does not answer. Recording goes on.
    ArchiveUnavailable,
    /// The camera is paused: there is nothing live.
    CameraPaused,
    /// A range of time ends later than now.
    RangeFuture,
    /// The hold was released before.
    HoldReleased,
    /// The expiry of a hold is not later than now.
    ExpiryPast,
    /// Footage cannot be promised for longer than it may be kept.
    RetentionImpossible,
    /// The database does not answer. Recording goes on.
    DatabaseUnavailable,
    /// The server is stopping.
    Stopping,
    /// A fault of the server; its log says more.
    Internal,
}

impl RefusalReason {
    /// Every reason, for tests and for tables.
    pub const ALL: [Self; 33] = [
        Self::NameEmpty,
        Self::NameTooLong,
        Self::NameControl,
        Self::NoteTooLong,
        Self::NoteControl,
        Self::UrlSyntax,
        Self::UrlScheme,
        Self::UrlCredentials,
        Self::FieldMissing,
        Self::FieldUnknown,
        Self::FieldInvalid,
        Self::RangeEmpty,
        Self::RangeTooLong,
        Self::TooManyCameras,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PlaceInUse,
        Self::Conflict,
        Self::UndoTooLate,
        Self::StreamUnknown,
        Self::NothingRecorded,
        Self::CodecChanges,
        Self::ExportsBusy,
        Self::FootageUnreadable,
        Self::ArchiveUnavailable,
        Self::CameraPaused,
        Self::RangeFuture,
        Self::HoldReleased,
        Self::ExpiryPast,
        Self::RetentionImpossible,
        Self::DatabaseUnavailable,
        Self::Stopping,
        Self::Internal,
    ];

    /// The parameters its text tells. `field` is the name of the request's field, e.g. `main_url`.
    #[must_use]
    pub fn params(self) -> &'static [&'static str] {
        match self {
            Self::NameEmpty => &["field", "max"],
            Self::NameTooLong | Self::NoteTooLong => &["field", "chars", "max"],
            Self::NameControl => &["field", "code"],
            Self::NoteControl | Self::UrlSyntax | Self::UrlCredentials | Self::FieldMissing | Self::FieldInvalid => {
                &["field"]
            }
            Self::UrlScheme => &["field", "scheme"],
            Self::FieldUnknown => &["field", "value"],
            Self::RangeTooLong => &["hours"],
            Self::TooManyCameras | Self::ExportsBusy => &["max"],
            Self::UndoTooLate => &["seconds"],
            Self::RetentionImpossible => &["min", "max"],
            Self::RangeEmpty
            | Self::NotFound
            | Self::AlreadyExists
            | Self::PlaceInUse
            | Self::Conflict
            | Self::StreamUnknown
            | Self::NothingRecorded
            | Self::CodecChanges
            | Self::FootageUnreadable
            | Self::ArchiveUnavailable
            | Self::CameraPaused
            | Self::RangeFuture
            | Self::HoldReleased
            | Self::ExpiryPast
            | Self::DatabaseUnavailable
            | Self::Stopping
            | Self::Internal => &[],
        }
    }
}

/// A reason with what is filled into its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// What is filled in, see [`RefusalReason::params`].
    pub params: Params,
}

impl Refusal {
    /// A refusal without parameters yet.
    #[must_use]
    pub fn new(reason: RefusalReason) -> Self {
        Self { reason, params: Params::new() }
    }

    /// Fills in a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// Why the name in that field is refused.
    #[must_use]
    pub fn of_name(field: &str, error: &NameError) -> Self {
        let refusal = match error {
            NameError::Empty => Self::new(RefusalReason::NameEmpty).with("max", NAME_MAX_CHARS),
            NameError::TooLong { chars } => {
                Self::new(RefusalReason::NameTooLong).with("chars", chars).with("max", NAME_MAX_CHARS)
            }
            NameError::Control { code } => Self::new(RefusalReason::NameControl).with("code", format!("U+{code:04X}")),
        };
        refusal.with("field", field)
    }

    /// Whether every parameter its text tells is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.reason.params().iter().all(|name| self.params.contains_key(*name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_is_in_the_table_once() {
        let all: BTreeSet<RefusalReason> = RefusalReason::ALL.into_iter().collect();
        assert_eq!(all.len(), RefusalReason::ALL.len());
        // The last one declared: whoever adds a reason behind it is told to add it to the table.
        assert_eq!(RefusalReason::Internal as usize + 1, RefusalReason::ALL.len());
    }

    #[test]
    fn a_refused_name_says_all_that_its_text_needs() {
        for error in [NameError::Empty, NameError::TooLong { chars: 201 }, NameError::Control { code: 0x202E }] {
            let refusal = Refusal::of_name("name", &error);
            assert!(refusal.is_whole(), "{refusal:?}");
        }
        let control = Refusal::of_name("author", &NameError::Control { code: 0x1b });
        assert_eq!((control.params["field"].as_str(), control.params["code"].as_str()), ("author", "U+001B"));
        assert!(!Refusal::new(RefusalReason::NameTooLong).with("chars", 201).is_whole());
    }
}
