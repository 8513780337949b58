//! Between columns and values: ids, times, counts, codes.
//!
//! A value that cannot have been written by this program is reported as damage, with the column it stands in.

use minhbach_model::{StreamKind, WallTime};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{IndexError, names};

/// The sixteen bytes of an id.
pub(super) fn id_bytes(row: &SqliteRow, column: &'static str) -> Result<[u8; 16], IndexError> {
    let bytes: &[u8] = row.try_get(column)?;
    sixteen(bytes, column)
}

/// The sixteen bytes of an id that may be missing.
pub(super) fn optional_id_bytes(row: &SqliteRow, column: &'static str) -> Result<Option<[u8; 16]>, IndexError> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    bytes.map(|bytes| sixteen(bytes, column)).transpose()
}

fn sixteen(bytes: &[u8], column: &'static str) -> Result<[u8; 16], IndexError> {
    bytes.try_into().map_err(|_| IndexError::corrupt(format!("column {column} holds an id of {} bytes", bytes.len())))
}

/// A time.
pub(super) fn wall(row: &SqliteRow, column: &'static str) -> Result<WallTime, IndexError> {
    Ok(WallTime(row.try_get(column)?))
}

/// A count, kept as a signed integer.
pub(super) fn count(row: &SqliteRow, column: &'static str) -> Result<u64, IndexError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| IndexError::corrupt(format!("column {column} holds the count {value}")))
}

/// A count as the database keeps it.
pub(super) fn count_to_sql(what: &'static str, value: u64) -> Result<i64, IndexError> {
    i64::try_from(value).map_err(|_| IndexError::invalid(what, format!("the count {value} is too large")))
}

/// The stream column.
pub(super) fn stream(row: &SqliteRow) -> Result<StreamKind, IndexError> {
    let code: i64 = row.try_get("stream")?;
    names::stream_from_code(code).ok_or_else(|| IndexError::corrupt(format!("column stream holds {code}")))
}

/// A column with one of a fixed set of names.
pub(super) fn named<T>(
    row: &SqliteRow,
    column: &'static str,
    from_name: impl FnOnce(&str) -> Option<T>,
) -> Result<T, IndexError> {
    let name: &str = row.try_get(column)?;
    from_name(name).ok_or_else(|| IndexError::corrupt(format!("column {column} holds `{name}`")))
}
