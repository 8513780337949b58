//! Between the messages of [`crate::v1`] and the model: one file a topic, both directions.
//!
//! The model's side always converts; a message may be refused with a [`ConvertError`]: an unknown or unspecified enum
//! and a missing field are errors, never a silent default. Conversions that need nothing but the value are `From` and
//! `TryFrom`; those that need more (the format of a sample, the camera of a gap) are functions.
//! What does not belong here: limits of names and rights, which the server checks.

use std::str::FromStr;

use minhbach_model::{IdError, WallRange, WallTime};

pub mod archive;
pub mod camera;
pub mod event;
pub mod incident;
pub mod media;
pub mod place;
pub mod recording;
pub mod refusal;

/// A message that does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct ConvertError {
    /// The field, with the path to it, e.g. `spec.main_url`.
    pub field: String,
    /// What is wrong with it, and what is expected.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not set, empty, zero, or an unspecified enum.
    #[error("is missing: expected {expected}")]
    Missing {
        /// What belongs there.
        expected: &'static str,
    },
    /// A value that this release does not know.
    #[error("has the unknown value `{value}`: expected {expected}")]
    Unknown {
        /// What was given (cut at 64 characters).
        value: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A value that cannot be.
    #[error("is not valid: {reason}")]
    Invalid {
        /// Why, and what is expected.
        reason: String,
    },
    /// The end of a range that is asked for is not later than its start.
    #[error("is not valid: expected a time later than {start}")]
    EmptyRange {
        /// The other field, with its value.
        start: String,
    },
}

impl ConvertError {
    /// A field that is not set.
    #[must_use]
    pub fn missing(field: impl Into<String>, expected: &'static str) -> Self {
        Self { field: field.into(), problem: Problem::Missing { expected } }
    }

    /// A value that is not known.
    #[must_use]
    pub fn unknown(field: impl Into<String>, value: &str, expected: &'static str) -> Self {
        Self { field: field.into(), problem: Problem::Unknown { value: value.chars().take(64).collect(), expected } }
    }

    /// A value that cannot be.
    #[must_use]
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), problem: Problem::Invalid { reason: reason.into() } }
    }

    /// The same error seen from the message that contains the field.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

/// The message in a field that must be set.
///
/// # Errors
/// [`Problem::Missing`] when it is not.
pub fn required<T>(field: &str, value: Option<T>, expected: &'static str) -> Result<T, ConvertError> {
    value.ok_or_else(|| ConvertError::missing(field, expected))
}

/// An id that must be set.
///
/// # Errors
/// When it is empty or no id.
pub fn id<T: FromStr<Err = IdError>>(field: &str, text: &str) -> Result<T, ConvertError> {
    if text.is_empty() {
        return Err(ConvertError::missing(field, "an id"));
    }
    text.parse().map_err(|error: IdError| ConvertError::invalid(field, error.to_string()))
}

/// An id that may be left out.
///
/// # Errors
/// When it is set and no id.
pub fn optional_id<T: FromStr<Err = IdError>>(field: &str, text: &str) -> Result<Option<T>, ConvertError> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// Ids, at least one.
///
/// # Errors
/// When there is none, or one of them is no id.
pub fn ids<T: FromStr<Err = IdError>>(field: &str, texts: &[String]) -> Result<Vec<T>, ConvertError> {
    if texts.is_empty() {
        return Err(ConvertError::missing(field, "at least one id"));
    }
    texts.iter().map(|text| id(field, text)).collect()
}

/// An id or nothing as it goes over the wire.
#[must_use]
pub fn id_or_empty<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// A time that must be set.
///
/// # Errors
/// [`Problem::Missing`] when it is zero.
pub fn wall(field: &str, ns: i64) -> Result<WallTime, ConvertError> {
    optional_wall(ns).ok_or_else(|| ConvertError::missing(field, "nanoseconds since the Unix epoch"))
}

/// A time where zero stands for none.
#[must_use]
pub fn optional_wall(ns: i64) -> Option<WallTime> {
    (ns != 0).then_some(WallTime(ns))
}

/// A time or nothing as it goes over the wire.
#[must_use]
pub fn wall_or_zero(at: Option<WallTime>) -> i64 {
    at.map_or(0, |at| at.0)
}

/// A range somebody asks for: both ends set, and not empty.
///
/// `names` are the two fields, [`FROM_TO`] or [`START_END`].
///
/// # Errors
/// When an end is missing, or the end is not later than the start.
pub fn range(names: (&str, &str), start_ns: i64, end_ns: i64) -> Result<WallRange, ConvertError> {
    let start = wall(names.0, start_ns)?;
    let end = wall(names.1, end_ns)?;
    WallRange::new(start, end).ok_or_else(|| ConvertError {
        field: names.1.to_owned(),
        problem: Problem::EmptyRange { start: format!("{} ({start})", names.0) },
    })
}

/// A range that exists: it may still be empty, as a file is that was just begun.
///
/// # Errors
/// When an end is missing, or the end is earlier than the start.
pub fn span(names: (&str, &str), start_ns: i64, end_ns: i64) -> Result<WallRange, ConvertError> {
    let start = wall(names.0, start_ns)?;
    let end = wall(names.1, end_ns)?;
    if end < start {
        return Err(ConvertError::invalid(names.1, format!("expected a time not earlier than {} ({start})", names.0)));
    }
    Ok(WallRange { start, end })
}

/// Names of the fields of a stretch that exists.
pub const START_END: (&str, &str) = ("start_wall_ns", "end_wall_ns");

/// Names of the fields of a range that is asked for.
pub const FROM_TO: (&str, &str) = ("from_wall_ns", "to_wall_ns");

/// An enum where unspecified has a meaning of its own (any, unchanged, none), read by one of the readers of this module.
///
/// # Errors
/// What `read` says about a value that is set.
pub fn unless_unspecified<T>(
    field: &str,
    raw: i32,
    read: fn(&str, i32) -> Result<T, ConvertError>,
) -> Result<Option<T>, ConvertError> {
    if raw == 0 { Ok(None) } else { read(field, raw).map(Some) }
}

/// Both directions of an enum that has the same variants in the model and in the proto, and `Unspecified` there.
macro_rules! same_enum {
    ($read:ident, $name:ident, $expected:literal, [$($variant:ident),+ $(,)?]) => {
        impl From<minhbach_model::$name> for crate::v1::$name {
            fn from(value: minhbach_model::$name) -> Self {
                match value {
                    $(minhbach_model::$name::$variant => Self::$variant,)+
                }
            }
        }

        #[doc = concat!("Reads an enum field as [`minhbach_model::", stringify!($name), "`].")]
        ///
        /// # Errors
        /// When it is unspecified or not known.
        pub fn $read(field: &str, raw: i32) -> Result<minhbach_model::$name, $crate::convert::ConvertError> {
            match crate::v1::$name::try_from(raw) {
                $(Ok(crate::v1::$name::$variant) => Ok(minhbach_model::$name::$variant),)+
                Ok(crate::v1::$name::Unspecified) => Err($crate::convert::ConvertError::missing(field, $expected)),
                Err(_) => Err($crate::convert::ConvertError::unknown(field, &raw.to_string(), $expected)),
            }
        }
    };
}
pub(crate) use same_enum;

#[cfg(test)]
mod tests {
    use minhbach_model::CameraId;

    use super::*;

    #[test]
    fn an_error_names_the_field_and_what_is_expected() {
        let error = id::<CameraId>("camera_id", "").unwrap_err().within("request");
        assert_eq!(error.to_string(), "request.camera_id is missing: expected an id");
        let error = id::<CameraId>("camera_id", "seven").unwrap_err();
        assert!(error.to_string().starts_with("camera_id is not valid: `seven` is not a camera id"), "{error}");
        assert_eq!(optional_id::<CameraId>("camera_id", ""), Ok(None));
        assert!(ids::<CameraId>("camera_ids", &[]).is_err());
    }

    #[test]
    fn what_is_asked_for_must_not_be_empty_and_what_exists_may_be() {
        assert_eq!(range(FROM_TO, 5, 9), Ok(WallRange { start: WallTime(5), end: WallTime(9) }));
        assert_eq!(range(FROM_TO, 5, 5).unwrap_err().field, "to_wall_ns");
        assert_eq!(range(FROM_TO, 0, 5).unwrap_err().field, "from_wall_ns");
        assert!(span(START_END, 5, 5).is_ok());
        assert!(span(START_END, 5, 4).is_err());
    }

    #[test]
    fn zero_is_no_time() {
        assert_eq!(optional_wall(0), None);
        assert_eq!(wall_or_zero(optional_wall(7)), 7);
        assert_eq!(wall_or_zero(None), 0);
    }
}
