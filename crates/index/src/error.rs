//! How an index call fails.
//!
//! What a failure means to a person is told by the user interface from [`IndexErrorKind`].

use std::error::Error;

use sqlx::error::ErrorKind;

/// An index call failed; nothing of it was kept, except as [`Unavailable`](Self::Unavailable) says.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// There is one already.
    #[error("the {what} {id} exists already")]
    Exists {
        /// What was to be made.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// It holds something and cannot go.
    #[error("the {what} {id} is in use: move or remove what it holds first")]
    InUse {
        /// What was to be removed.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Somebody else changed it in between.
    #[error("the {what} {id} was changed by somebody else: read it again")]
    Conflict {
        /// What was to be changed.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A value that cannot be kept.
    #[error("the {what} cannot be kept: {reason}")]
    Invalid {
        /// What was to be kept.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database was made or changed by another version of the program.
    #[error("the database was made by another version of this program: use that version, or an empty database")]
    Incompatible(#[source] Box<dyn Error + Send + Sync>),
    /// The database cannot be reached, is closed, or failed. What was asked may have been kept, wholly, when the
    /// connection was lost before the answer.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database holds something it cannot hold.
    #[error("the database is damaged: {detail}")]
    Corrupt {
        /// Where and how.
        detail: String,
    },
}

/// The kinds of [`IndexError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IndexErrorKind {
    /// See [`IndexError::NotFound`].
    NotFound,
    /// See [`IndexError::Exists`].
    Exists,
    /// See [`IndexError::InUse`].
    InUse,
    /// See [`IndexError::Conflict`].
    Conflict,
    /// See [`IndexError::Invalid`].
    Invalid,
    /// See [`IndexError::Incompatible`].
    Incompatible,
    /// See [`IndexError::Unavailable`].
    Unavailable,
    /// See [`IndexError::Corrupt`].
    Corrupt,
}

impl IndexError {
    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> IndexErrorKind {
        match self {
            Self::NotFound { .. } => IndexErrorKind::NotFound,
            Self::Exists { .. } => IndexErrorKind::Exists,
            Self::InUse { .. } => IndexErrorKind::InUse,
            Self::Conflict { .. } => IndexErrorKind::Conflict,
            Self::Invalid { .. } => IndexErrorKind::Invalid,
            Self::Incompatible(_) => IndexErrorKind::Incompatible,
            Self::Unavailable(_) => IndexErrorKind::Unavailable,
            Self::Corrupt { .. } => IndexErrorKind::Corrupt,
        }
    }

    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    pub(crate) fn exists(what: &'static str, id: impl ToString) -> Self {
        Self::Exists { what, id: id.to_string() }
    }

    pub(crate) fn in_use(what: &'static str, id: impl ToString) -> Self {
        Self::InUse { what, id: id.to_string() }
    }

    pub(crate) fn conflict(what: &'static str, id: impl ToString) -> Self {
        Self::Conflict { what, id: id.to_string() }
    }

    pub(crate) fn invalid(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { what, reason: reason.into() }
    }

    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt { detail: detail.into() }
    }

    /// What a call after `close` gets.
    pub(crate) fn closed() -> Self {
        Self::Unavailable("the index was closed".into())
    }
}

/// For failures that have no meaning of their own at the call: broken checks, unreachable and damaged databases.
impl From<sqlx::Error> for IndexError {
    fn from(error: sqlx::Error) -> Self {
        // A column that does not hold what it must, or is not there, is damage: every query here is tested.
        if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_)) {
            return Self::corrupt(error.to_string());
        }
        if let Some(fault) = error.as_database_error() {
            if matches!(fault.kind(), ErrorKind::CheckViolation | ErrorKind::NotNullViolation) {
                return Self::invalid("row", fault.message());
            }
            if is_bad_value(fault.code().as_deref()) {
                return Self::invalid("value", fault.message());
            }
            if is_damage(fault.code().as_deref()) {
                return Self::corrupt(fault.message());
            }
        }
        Self::Unavailable(Box::new(error))
    }
}

/// Length of an SQLSTATE, as PostgreSQL tells it. SQLite's codes have at most four digits.
const SQLSTATE_LEN: usize = 5;

/// SQLITE_CORRUPT (11) and SQLITE_NOTADB (26), with or without the extension in the upper bits; in PostgreSQL
/// data_corrupted and index_corrupted.
fn is_damage(code: Option<&str>) -> bool {
    match code {
        Some(state) if state.len() == SQLSTATE_LEN => matches!(state, "XX001" | "XX002"),
        Some(code) => matches!(code.parse::<i32>().map(|code| code & 0xff), Ok(11 | 26)),
        None => false,
    }
}

/// PostgreSQL's class 22, data exceptions: a number out of range, a text with a zero in it.
fn is_bad_value(code: Option<&str>) -> bool {
    code.is_some_and(|state| state.len() == SQLSTATE_LEN && state.starts_with("22"))
}

/// Gives the broken constraints of a statement the meaning they have there; everything else is as [`From`] says.
pub(crate) fn explain(
    error: sqlx::Error,
    unique: impl FnOnce() -> IndexError,
    foreign_key: impl FnOnce() -> IndexError,
) -> IndexError {
    match error.as_database_error().map(|fault| fault.kind()) {
        Some(ErrorKind::UniqueViolation) => unique(),
        Some(ErrorKind::ForeignKeyViolation) => foreign_key(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pool_is_unavailable_and_a_wrong_column_is_damage() {
        assert_eq!(IndexError::from(sqlx::Error::PoolClosed).kind(), IndexErrorKind::Unavailable);
        let wrong = sqlx::Error::ColumnNotFound("name".to_owned());
        assert_eq!(IndexError::from(wrong).kind(), IndexErrorKind::Corrupt);
    }

    #[test]
    fn the_codes_of_a_damaged_file_are_known_and_a_locked_one_is_not_among_them() {
        // 267 is SQLITE_CORRUPT_VTAB (11 + 256), 5 is SQLITE_BUSY.
        assert!(is_damage(Some("11")) && is_damage(Some("26")) && is_damage(Some("267")));
        assert!(!is_damage(Some("5")) && !is_damage(Some("HY000")) && !is_damage(None));
        // As a number 22027 would be one of SQLite's: 22027 & 255 is 11.
        assert!(is_damage(Some("XX001")) && !is_damage(Some("22027")) && !is_damage(Some("57P01")));
    }

    #[test]
    fn a_value_that_postgresql_cannot_keep_is_told_from_a_server_that_does_not_answer() {
        // A byte sequence that is no text; then a statement cancelled after its time, too many connections.
        assert!(is_bad_value(Some("22021")));
        assert!(!is_bad_value(Some("57014")) && !is_bad_value(Some("53300")));
        // 22 is SQLITE_NOLFS.
        assert!(!is_bad_value(Some("22")) && !is_bad_value(None));
    }

    #[test]
    fn the_source_is_not_repeated_in_the_message() {
        let error = IndexError::Unavailable("disk gone".into());
        assert!(!error.to_string().contains("disk gone"));
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("disk gone"));
    }
}
