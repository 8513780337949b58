//! Holds in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use minhbach_model::{CameraId, Hold, HoldId, Release, StreamKind, WallRange, WallTime};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::segments::{LOOK_BACK_NS, intersecting};
use super::{BEGIN_WRITE, Durability, SqliteIndex, rows};
use crate::error::explain;
use crate::{HoldIndex, IndexError, names};

const HOLD: &str = "hold";
/// Ids bound to one statement; those are limited in number.
const IDS_AT_ONCE: usize = 1000;

macro_rules! columns {
    () => {
        "SELECT hold_id, start_wall_ns, end_wall_ns, reason, case_code, owner, created_wall_ns, expires_wall_ns,
                released_wall_ns, released_by, release_reason FROM holds "
    };
}

#[async_trait]
impl HoldIndex for SqliteIndex {
    async fn insert_hold(&self, hold: &Hold) -> Result<(), IndexError> {
        check(hold)?;
        let exists = || IndexError::exists(HOLD, hold.id);
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        sqlx::query(
            "INSERT INTO holds (hold_id, start_wall_ns, end_wall_ns, reason, case_code, owner, created_wall_ns,
                                expires_wall_ns, released_wall_ns, released_by, release_reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(hold.id.as_bytes().as_slice())
        .bind(hold.range.start.0)
        .bind(hold.range.end.0)
        .bind(hold.reason.as_str())
        .bind(hold.case_code.as_str())
        .bind(hold.owner.as_str())
        .bind(hold.created.0)
        .bind(hold.expires.map(|end| end.0))
        .bind(hold.release.as_ref().map(|release| release.at.0))
        .bind(hold.release.as_ref().map(|release| release.by.as_str()))
        .bind(hold.release.as_ref().map(|release| release.reason.as_str()))
        .execute(&mut *tx)
        .await
        // The table has no foreign key: only the first meaning can arise.
        .map_err(|error| explain(error, exists, exists))?;
        for (position, camera) in (0_i64..).zip(&hold.cameras) {
            sqlx::query("INSERT INTO hold_cameras (hold_id, position, camera_id) VALUES (?1, ?2, ?3)")
                .bind(hold.id.as_bytes().as_slice())
                .bind(position)
                .bind(camera.as_bytes().as_slice())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn hold(&self, id: HoldId) -> Result<Hold, IndexError> {
        let mut tx = self.readers.begin().await?;
        let hold = load(&mut tx, id).await?;
        tx.commit().await?;
        Ok(hold)
    }

    async fn holds(&self, standing_at: Option<WallTime>, camera: Option<CameraId>) -> Result<Vec<Hold>, IndexError> {
        let mut tx = self.readers.begin().await?;
        let mut holds = sqlx::query(concat!(
            columns!(),
            "WHERE (?1 IS NULL OR (released_wall_ns IS NULL AND (expires_wall_ns IS NULL OR expires_wall_ns > ?1)))
               AND (?2 IS NULL OR EXISTS (SELECT 1 FROM hold_cameras AS c
                                          WHERE c.camera_id = ?2 AND c.hold_id = holds.hold_id))
             ORDER BY created_wall_ns DESC, hold_id DESC"
        ))
        .bind(standing_at.map(|at| at.0))
        .bind(camera.map(|camera| camera.as_bytes().to_vec()))
        .fetch_all(&mut *tx)
        .await?
        .iter()
        .map(hold)
        .collect::<Result<Vec<_>, _>>()?;
        for some in holds.chunks_mut(IDS_AT_ONCE) {
            fill_cameras(&mut tx, some).await?;
        }
        tx.commit().await?;
        Ok(holds)
    }

    async fn release_hold(&self, id: HoldId, release: &Release) -> Result<Hold, IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        let mut hold = load(&mut tx, id).await?;
        if hold.release.is_some() {
            return Err(IndexError::conflict(HOLD, id));
        }
        sqlx::query("UPDATE holds SET released_wall_ns = ?2, released_by = ?3, release_reason = ?4 WHERE hold_id = ?1")
            .bind(id.as_bytes().as_slice())
            .bind(release.at.0)
            .bind(release.by.as_str())
            .bind(release.reason.as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        hold.release = Some(release.clone());
        Ok(hold)
    }

    async fn held_bytes(&self, now: WallTime) -> Result<u64, IndexError> {
        let standing = sqlx::query(
            "SELECT c.camera_id, h.start_wall_ns, h.end_wall_ns
             FROM holds AS h JOIN hold_cameras AS c ON c.hold_id = h.hold_id
             WHERE h.released_wall_ns IS NULL AND (h.expires_wall_ns IS NULL OR h.expires_wall_ns > ?1)
             ORDER BY c.camera_id, h.start_wall_ns",
        )
        .bind(now.0)
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(held_range)
        .collect::<Result<Vec<_>, _>>()?;
        let mut bytes = 0;
        for stretch in joined(standing) {
            for stream in StreamKind::ALL {
                bytes += self.bytes_in(&stretch, stream).await?;
            }
        }
        Ok(bytes)
    }
}

/// What is held of a camera, without holes.
#[derive(Debug, PartialEq, Eq)]
struct HeldStretch {
    camera: CameraId,
    range: WallRange,
    /// Segments that start earlier share an instant with the stretch before this one and are counted there.
    starts_from: WallTime,
}

/// Joins what overlaps or touches. Takes the ranges by camera and start.
fn joined(held: Vec<(CameraId, WallRange)>) -> Vec<HeldStretch> {
    let mut stretches: Vec<HeldStretch> = Vec::new();
    for (camera, range) in held {
        match stretches.last_mut() {
            Some(last) if last.camera == camera && range.start <= last.range.end => {
                last.range.end = last.range.end.max(range.end);
            }
            last => {
                let starts_from = last.filter(|last| last.camera == camera).map_or(WallTime(i64::MIN), |l| l.range.end);
                stretches.push(HeldStretch { camera, range, starts_from });
            }
        }
    }
    stretches
}

impl SqliteIndex {
    async fn bytes_in(&self, held: &HeldStretch, stream: StreamKind) -> Result<u64, IndexError> {
        let row = sqlx::query(concat!("SELECT coalesce(sum(bytes), 0) AS bytes ", intersecting!()))
            .bind(held.camera.as_bytes().as_slice())
            .bind(names::stream_code(stream))
            .bind(held.range.start.0)
            .bind(held.range.end.0)
            .bind(held.range.start.offset_ns(-LOOK_BACK_NS).0)
            .bind(held.starts_from.0)
            .fetch_one(&self.readers)
            .await?;
        rows::count(&row, "bytes")
    }
}

fn check(hold: &Hold) -> Result<(), IndexError> {
    if hold.range.start >= hold.range.end {
        return Err(IndexError::invalid(HOLD, "its time is empty"));
    }
    if hold.cameras.is_empty() {
        return Err(IndexError::invalid(HOLD, "it names no camera"));
    }
    let mut sorted = hold.cameras.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(IndexError::invalid(HOLD, "it names a camera twice"));
    }
    Ok(())
}

async fn load(connection: &mut SqliteConnection, id: HoldId) -> Result<Hold, IndexError> {
    let row = sqlx::query(concat!(columns!(), "WHERE hold_id = ?1"))
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| IndexError::not_found(HOLD, id))?;
    let mut found = [hold(&row)?];
    fill_cameras(connection, &mut found).await?;
    let [hold] = found;
    Ok(hold)
}

/// Fills in the cameras of at most [`IDS_AT_ONCE`] holds, at least one.
async fn fill_cameras(connection: &mut SqliteConnection, holds: &mut [Hold]) -> Result<(), IndexError> {
    let mut query: QueryBuilder<Sqlite> =
        QueryBuilder::new("SELECT hold_id, camera_id FROM hold_cameras WHERE hold_id IN (");
    let mut ids = query.separated(", ");
    for hold in holds.iter() {
        ids.push_bind(hold.id.as_bytes().to_vec());
    }
    query.push(") ORDER BY hold_id, position");
    // Not kept prepared: there would be one statement for each number of holds.
    let found = query.build().persistent(false).fetch_all(connection).await?;
    let mut cameras: HashMap<HoldId, Vec<CameraId>> = HashMap::new();
    for row in &found {
        let hold = HoldId::from_bytes(rows::id_bytes(row, "hold_id")?);
        let camera = CameraId::from_bytes(rows::id_bytes(row, "camera_id")?);
        cameras.entry(hold).or_default().push(camera);
    }
    for hold in holds {
        hold.cameras = cameras.remove(&hold.id).unwrap_or_default();
    }
    Ok(())
}

/// A hold without its cameras.
fn hold(row: &SqliteRow) -> Result<Hold, IndexError> {
    let expires: Option<i64> = row.try_get("expires_wall_ns")?;
    Ok(Hold {
        id: HoldId::from_bytes(rows::id_bytes(row, "hold_id")?),
        cameras: Vec::new(),
        range: WallRange { start: rows::wall(row, "start_wall_ns")?, end: rows::wall(row, "end_wall_ns")? },
        reason: row.try_get("reason")?,
        case_code: row.try_get("case_code")?,
        owner: row.try_get("owner")?,
        created: rows::wall(row, "created_wall_ns")?,
        expires: expires.map(WallTime),
        release: release(row)?,
    })
}

fn release(row: &SqliteRow) -> Result<Option<Release>, IndexError> {
    let at: Option<i64> = row.try_get("released_wall_ns")?;
    let Some(at) = at else {
        return Ok(None);
    };
    Ok(Some(Release { at: WallTime(at), by: row.try_get("released_by")?, reason: row.try_get("release_reason")? }))
}

fn held_range(row: &SqliteRow) -> Result<(CameraId, WallRange), IndexError> {
    let range = WallRange { start: rows::wall(row, "start_wall_ns")?, end: rows::wall(row, "end_wall_ns")? };
    Ok((CameraId::from_bytes(rows::id_bytes(row, "camera_id")?), range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_ranges_of_a_camera_are_joined_and_a_segment_over_two_is_counted_in_the_first() {
        let (one, two) = (CameraId::generate(), CameraId::generate());
        let range = |start, end| WallRange { start: WallTime(start), end: WallTime(end) };
        let held = vec![(one, range(0, 10)), (one, range(2, 5)), (one, range(10, 20)), (one, range(30, 40))];
        let stretches = joined([held, vec![(two, range(35, 50))]].concat());
        let beginning = WallTime(i64::MIN);
        let expected = [
            HeldStretch { camera: one, range: range(0, 20), starts_from: beginning },
            HeldStretch { camera: one, range: range(30, 40), starts_from: WallTime(20) },
            HeldStretch { camera: two, range: range(35, 50), starts_from: beginning },
        ];
        assert_eq!(stretches, expected);
    }
}
