//! Identifiers, one type each so that a site cannot be passed where a camera is meant.
//!
//! Persistent things carry a UUID version 7 (RFC 9562 §5.7): unique without coordination and ordered by creation.
//! Runs and formats live only as long as the process and are plain counters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {} {kind} id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057", article(.kind))]
pub struct IdError {
    /// What was expected.
    pub kind: &'static str,
    /// What was given (cut at 64 characters).
    pub text: String,
}

/// The article in front of a kind; by its first letter, which is enough for the kinds there are.
fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, greater than every id made before it on this machine.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The sixteen bytes, as stored.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// From the sixteen bytes, as stored.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                // Only the hyphenated form: one thing has one name in logs, keys and URLs.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(IdError { kind: $kind, text: text.chars().take(64).collect() }),
                }
            }
        }
    };
}

uuid_id!(
    /// A camera.
    CameraId,
    "camera"
);
uuid_id!(
    /// An agency (*cơ quan*); agencies form a tree.
    AgencyId,
    "agency"
);
uuid_id!(
    /// A hold on footage.
    HoldId,
    "hold"
);
uuid_id!(
    /// A site: a building or office of an agency.
    SiteId,
    "site"
);
uuid_id!(
    /// A contact point (*điểm tiếp dân*): counter, desk or room where officials meet citizens.
    ContactPointId,
    "contact point"
);
uuid_id!(
    /// An incident (*sự việc*).
    IncidentId,
    "incident"
);
uuid_id!(
    /// A recorded segment: one file.
    SegmentId,
    "segment"
);

/// One unbroken connection to a camera stream, unique within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

/// One set of codec parameters within a run; changes when the camera changes its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormatId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_bytes_and_refuses_other_spellings() {
        let id = CameraId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(CameraId::from_bytes(*id.as_bytes()), id);
        let braced = format!("{{{id}}}");
        assert!(braced.parse::<CameraId>().is_err());
        assert!("not-an-id".parse::<CameraId>().is_err());
    }

    #[test]
    fn what_is_no_id_is_told_with_the_right_article() {
        let camera = "x".parse::<CameraId>().unwrap_err().to_string();
        assert!(camera.starts_with("`x` is not a camera id: "), "{camera}");
        let incident = "x".parse::<IncidentId>().unwrap_err().to_string();
        assert!(incident.starts_with("`x` is not an incident id: "), "{incident}");
        assert!("x".parse::<AgencyId>().unwrap_err().to_string().contains("an agency id"));
    }

    #[test]
    fn ids_are_ordered_by_creation() {
        let ids: Vec<SegmentId> = (0..100).map(|_| SegmentId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
