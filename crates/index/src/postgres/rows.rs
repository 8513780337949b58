//! Between columns and values: ids, times, counts, codes; and the rules that hold for more than one noun.
//!
//! A value that cannot have been written by this program is reported as damage, with the column it stands in.

use minhbach_model::{CameraId, StreamKind, WallRange, WallTime};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::{IndexError, MAX_PAGE, names};

/// An id as the database keeps it.
pub(super) fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}

/// Ids of cameras as the database keeps them, in their order.
pub(super) fn camera_uuids(cameras: &[CameraId]) -> Vec<Uuid> {
    cameras.iter().map(|camera| uuid(camera.as_bytes())).collect()
}

/// How many rows a page has, as a statement takes it.
pub(super) fn page(limit: u32) -> i64 {
    i64::from(limit.min(MAX_PAGE))
}

/// The sixteen bytes of an id.
pub(super) fn id_bytes(row: &PgRow, column: &'static str) -> Result<[u8; 16], IndexError> {
    let id: Uuid = row.try_get(column)?;
    Ok(id.into_bytes())
}

/// The sixteen bytes of an id that may be missing.
pub(super) fn optional_id_bytes(row: &PgRow, column: &'static str) -> Result<Option<[u8; 16]>, IndexError> {
    let id: Option<Uuid> = row.try_get(column)?;
    Ok(id.map(Uuid::into_bytes))
}

/// The column with the cameras of an incident or a hold.
pub(super) fn cameras(row: &PgRow) -> Result<Vec<CameraId>, IndexError> {
    let ids: Vec<Uuid> = row.try_get("camera_ids")?;
    Ok(ids.into_iter().map(|id| CameraId::from_bytes(id.into_bytes())).collect())
}

/// A time.
pub(super) fn wall(row: &PgRow, column: &'static str) -> Result<WallTime, IndexError> {
    Ok(WallTime(row.try_get(column)?))
}

/// The columns of a range. It may be empty: that of a segment just opened is.
pub(super) fn range(row: &PgRow) -> Result<WallRange, IndexError> {
    Ok(WallRange { start: wall(row, "start_wall_ns")?, end: wall(row, "end_wall_ns")? })
}

/// A count, kept as a signed integer.
pub(super) fn count(row: &PgRow, column: &'static str) -> Result<u64, IndexError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| IndexError::corrupt(format!("column {column} holds the count {value}")))
}

/// A count as the database keeps it.
pub(super) fn count_to_sql(what: &'static str, value: u64) -> Result<i64, IndexError> {
    i64::try_from(value).map_err(|_| IndexError::invalid(what, format!("the count {value} is too large")))
}

/// A column with one of a fixed set of codes.
pub(super) fn coded<T>(
    row: &PgRow,
    column: &'static str,
    from_code: impl FnOnce(i64) -> Option<T>,
) -> Result<T, IndexError> {
    let code: i16 = row.try_get(column)?;
    from_code(i64::from(code)).ok_or_else(|| IndexError::corrupt(format!("column {column} holds {code}")))
}

/// The stream column.
pub(super) fn stream(row: &PgRow) -> Result<StreamKind, IndexError> {
    coded(row, "stream", names::stream_from_code)
}

/// A column with one of a fixed set of names.
pub(super) fn named<T>(
    row: &PgRow,
    column: &'static str,
    from_name: impl FnOnce(&str) -> Option<T>,
) -> Result<T, IndexError> {
    let name: &str = row.try_get(column)?;
    from_name(name).ok_or_else(|| IndexError::corrupt(format!("column {column} holds `{name}`")))
}

/// What holds and incidents have in common: some time, and cameras, each once.
pub(super) fn check_subject(what: &'static str, range: WallRange, cameras: &[CameraId]) -> Result<(), IndexError> {
    if range.start >= range.end {
        return Err(IndexError::invalid(what, "its time is empty"));
    }
    if cameras.is_empty() {
        return Err(IndexError::invalid(what, "it names no camera"));
    }
    let mut sorted = cameras.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(IndexError::invalid(what, "it names a camera twice"));
    }
    Ok(())
}
