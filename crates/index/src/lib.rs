//! What exists and when: cameras, places, recorded segments, gaps and incidents, in an SQL database.
//!
//! What belongs here: the contract ([`Index`] and the traits it is made of), its backends, and the suite every backend
//! must pass. What does not: files and objects (`store`), any order across stores (`recorder`), checks of what a person
//! typed (`model`, `api`). The index of footage is a cache of what the files say and can be rebuilt from them; cameras,
//! places, incidents, holds and the journal of deletions exist only here. No other crate of the product names `sqlx`.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contract;
mod error;
mod names;
mod postgres;
mod sqlite;
mod stretch;

pub use contract::{
    ArchiveIndex, CameraIndex, DeletionFilter, GapIndex, HoldIndex, IncidentChange, IncidentFilter, IncidentIndex,
    Index, MAX_PAGE, PlaceIndex, RecordedSince, RetentionIndex, SegmentIndex, SegmentProgress, SegmentTotals,
};
pub use error::{IndexError, IndexErrorKind};
pub use postgres::PostgresIndex;
pub use sqlite::SqliteIndex;
pub use stretch::JOIN_NS;
