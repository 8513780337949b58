//! Holds in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{CameraId, Hold, HoldId, Release, WallTime};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{PostgresIndex, rows};
use crate::error::explain;
use crate::{HoldIndex, IndexError};

const HOLD: &str = "hold";

macro_rules! columns {
    () => {
        "hold_id, camera_ids, start_wall_ns, end_wall_ns, reason, case_code, owner, created_wall_ns, expires_wall_ns,
         released_wall_ns, released_by, release_reason "
    };
}

/// Whether the row `h` of `holds` stands at a moment.
macro_rules! stands {
    ($at:literal) => {
        concat!("h.released_wall_ns IS NULL AND (h.expires_wall_ns IS NULL OR h.expires_wall_ns > ", $at, ") ")
    };
}

pub(super) use stands;

#[async_trait]
impl HoldIndex for PostgresIndex {
    async fn insert_hold(&self, hold: &Hold) -> Result<(), IndexError> {
        rows::check_subject(HOLD, hold.range, &hold.cameras)?;
        let exists = || IndexError::exists(HOLD, hold.id);
        let statement = sqlx::query(concat!(
            "INSERT INTO holds (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ))
        .bind(rows::uuid(hold.id.as_bytes()))
        .bind(rows::camera_uuids(&hold.cameras))
        .bind(hold.range.start.0)
        .bind(hold.range.end.0)
        .bind(hold.reason.as_str())
        .bind(hold.case_code.as_str())
        .bind(hold.owner.as_str())
        .bind(hold.created.0)
        .bind(hold.expires.map(|end| end.0))
        .bind(hold.release.as_ref().map(|release| release.at.0))
        .bind(hold.release.as_ref().map(|release| release.by.as_str()))
        .bind(hold.release.as_ref().map(|release| release.reason.as_str()));
        // The table has no foreign key: only the first meaning can arise.
        self.writers.execute(statement).await.map_err(|error| explain(error, exists, exists))?;
        Ok(())
    }

    async fn hold(&self, id: HoldId) -> Result<Hold, IndexError> {
        let statement = sqlx::query(concat!("SELECT ", columns!(), "FROM holds WHERE hold_id = $1"))
            .bind(rows::uuid(id.as_bytes()));
        let row = self.readers.optional(statement).await?.ok_or_else(|| IndexError::not_found(HOLD, id))?;
        hold(&row)
    }

    async fn holds(&self, standing_at: Option<WallTime>, camera: Option<CameraId>) -> Result<Vec<Hold>, IndexError> {
        let statement = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            "FROM holds AS h WHERE ($1 IS NULL OR (",
            stands!("$1"),
            ")) AND ($2 IS NULL OR $2 = ANY (h.camera_ids)) ORDER BY h.created_wall_ns DESC, h.hold_id DESC"
        ))
        .bind(standing_at.map(|at| at.0))
        .bind(camera.map(|camera| rows::uuid(camera.as_bytes())));
        self.readers.all(statement).await?.iter().map(hold).collect()
    }

    async fn release_hold(&self, id: HoldId, release: &Release) -> Result<Hold, IndexError> {
        let statement = sqlx::query(concat!(
            "UPDATE holds SET released_wall_ns = $2, released_by = $3, release_reason = $4
             WHERE hold_id = $1 AND released_wall_ns IS NULL RETURNING ",
            columns!()
        ))
        .bind(rows::uuid(id.as_bytes()))
        .bind(release.at.0)
        .bind(release.by.as_str())
        .bind(release.reason.as_str());
        let Some(row) = self.writers.optional(statement).await? else {
            // Not there, or released before: the one that is there tells.
            self.hold(id).await?;
            return Err(IndexError::conflict(HOLD, id));
        };
        hold(&row)
    }

    async fn held_bytes(&self, now: WallTime) -> Result<u64, IndexError> {
        // For each camera and stream of each hold one seek, as with `segments_in`: OFFSET 0 keeps the planner from
        // reading everything once instead. The five minutes are LOOK_BACK_NS; the 0 keeps a range that starts at the
        // beginning of time from leaving it.
        let statement = sqlx::query(concat!(
            "WITH standing AS (
                 SELECT unnest(h.camera_ids) AS camera_id, h.start_wall_ns, h.end_wall_ns FROM holds AS h WHERE ",
            stands!("$1"),
            ") SELECT coalesce(sum(held.bytes), 0)::BIGINT AS bytes FROM (
                 SELECT DISTINCT f.camera_id, f.stream, f.start_wall_ns, f.segment_id, f.bytes
                 FROM standing AS h CROSS JOIN (VALUES (0::SMALLINT), (1::SMALLINT)) AS t (stream)
                 CROSS JOIN LATERAL (
                     SELECT g.camera_id, g.stream, g.start_wall_ns, g.segment_id, g.bytes FROM footage AS g
                     WHERE g.camera_id = h.camera_id AND g.stream = t.stream AND g.start_wall_ns < h.end_wall_ns
                       AND g.end_wall_ns > h.start_wall_ns AND g.end_wall_ns > g.start_wall_ns
                       AND g.start_wall_ns >= least(greatest(h.start_wall_ns, 0) - 300000000000, coalesce(
                           (SELECT max(s.start_wall_ns) FROM footage AS s
                            WHERE s.camera_id = h.camera_id AND s.stream = t.stream
                              AND s.start_wall_ns <= h.start_wall_ns), h.start_wall_ns))
                     OFFSET 0) AS f) AS held"
        ))
        .bind(now.0);
        rows::count(&self.readers.one(statement).await?, "bytes")
    }
}

fn hold(row: &PgRow) -> Result<Hold, IndexError> {
    let expires: Option<i64> = row.try_get("expires_wall_ns")?;
    Ok(Hold {
        id: HoldId::from_bytes(rows::id_bytes(row, "hold_id")?),
        cameras: rows::cameras(row)?,
        range: rows::range(row)?,
        reason: row.try_get("reason")?,
        case_code: row.try_get("case_code")?,
        owner: row.try_get("owner")?,
        created: rows::wall(row, "created_wall_ns")?,
        expires: expires.map(WallTime),
        release: release(row)?,
    })
}

fn release(row: &PgRow) -> Result<Option<Release>, IndexError> {
    let at: Option<i64> = row.try_get("released_wall_ns")?;
    let Some(at) = at else {
        return Ok(None);
    };
    Ok(Some(Release { at: WallTime(at), by: row.try_get("released_by")?, reason: row.try_get("release_reason")? }))
}
