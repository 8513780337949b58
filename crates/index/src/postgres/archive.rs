//! Tiers, deletion and its journal, and damage in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{
    CameraId, Damage, DamageKind, Deletion, DeletionReason, Segment, SegmentId, StreamKind, WallRange, WallTime,
};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::holds::stands;
use super::segments::{segment, segment_columns};
use super::{PostgresIndex, rows};
use crate::{ArchiveIndex, DeletionFilter, IndexError, RecordedSince, names};

/// Whether the row `s` of `segments` shares an instant with a hold that stands at a moment.
macro_rules! held {
    ($at:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM holds AS h
                     WHERE s.camera_id = ANY (h.camera_ids) AND h.start_wall_ns < s.end_wall_ns
                       AND h.end_wall_ns > s.start_wall_ns AND ",
            stands!($at),
            ") "
        )
    };
}

/// The journal: those decided before ($1, $2), of footage that shares an instant with ($3, $4) if that is given.
macro_rules! journal {
    ($and:literal) => {
        concat!(
            "SELECT decided_wall_ns, segment_id, camera_id, stream, start_wall_ns, end_wall_ns, storage_key, bytes,
                    reason
             FROM deletions WHERE (decided_wall_ns, segment_id) < ($1, $2)
               AND ($3 IS NULL OR end_wall_ns > $3) AND ($4 IS NULL OR start_wall_ns < $4) ",
            $and,
            " ORDER BY decided_wall_ns DESC, segment_id DESC LIMIT $5"
        )
    };
}

/// Damage of segments that are not being deleted.
macro_rules! standing_damage {
    () => {
        "FROM damages AS d
         WHERE NOT EXISTS (SELECT 1 FROM deleting AS g WHERE g.segment_id = d.segment_id) "
    };
}

#[async_trait]
impl ArchiveIndex for PostgresIndex {
    async fn spooled(&self, after: Option<(WallTime, SegmentId)>, limit: u32) -> Result<Vec<Segment>, IndexError> {
        // Before every segment: no time is earlier.
        let (after_end, after_id) =
            after.map_or((i64::MIN, Uuid::nil()), |(end, id)| (end.0, rows::uuid(id.as_bytes())));
        let statement = sqlx::query(concat!(
            "WITH next AS (
                 SELECT end_wall_ns, segment_id, camera_id, stream, start_wall_ns FROM spool
                 WHERE (end_wall_ns, segment_id) > ($1, $2) ORDER BY end_wall_ns, segment_id LIMIT $3)
             SELECT ",
            segment_columns!(),
            "FROM next JOIN segments USING (camera_id, stream, start_wall_ns, segment_id, end_wall_ns)
             ORDER BY end_wall_ns, segment_id"
        ))
        .bind(after_end)
        .bind(after_id)
        .bind(rows::page(limit));
        self.readers.all(statement).await?.iter().map(segment).collect()
    }

    async fn set_archived(&self, key: &str) -> Result<(), IndexError> {
        self.change_closed(
            "WITH found AS (SELECT storage_key FROM segments WHERE storage_key = $1),
             changed AS (UPDATE segments SET tier = 1 WHERE storage_key = $1 AND tier <> 1)
             SELECT count(*) AS found FROM found",
            key,
        )
        .await
    }

    async fn set_suspect(&self, key: &str) -> Result<(), IndexError> {
        self.change_closed(
            "WITH found AS (SELECT storage_key FROM segments WHERE storage_key = $1),
             changed AS (UPDATE segments SET state = 2 WHERE storage_key = $1 AND state <> 2)
             SELECT count(*) AS found FROM found",
            key,
        )
        .await
    }

    async fn clear_suspect(&self, key: &str) -> Result<(), IndexError> {
        self.change_closed(
            "WITH found AS (
                 SELECT s.storage_key FROM segments AS s WHERE s.storage_key = $1 AND s.tier = 0
                   AND NOT EXISTS (SELECT 1 FROM damages AS d WHERE d.segment_id = s.segment_id)),
             changed AS (
                 UPDATE segments SET state = 1 WHERE state <> 1 AND storage_key IN (SELECT storage_key FROM found))
             SELECT count(*) AS found FROM found",
            key,
        )
        .await
    }

    async fn recorded_since(&self) -> Result<Vec<RecordedSince>, IndexError> {
        // From each stream to the next by one seek in the key: a DISTINCT would read it all.
        let statement = sqlx::query(
            "WITH RECURSIVE streams AS (
                 (SELECT camera_id, stream, start_wall_ns FROM footage
                  ORDER BY camera_id, stream, start_wall_ns LIMIT 1)
                 UNION ALL
                 SELECT next.camera_id, next.stream, next.start_wall_ns FROM streams AS s CROSS JOIN LATERAL (
                     SELECT f.camera_id, f.stream, f.start_wall_ns FROM footage AS f
                     WHERE (f.camera_id, f.stream) > (s.camera_id, s.stream)
                     ORDER BY f.camera_id, f.stream, f.start_wall_ns LIMIT 1) AS next)
             SELECT camera_id, stream, start_wall_ns FROM streams ORDER BY camera_id, stream",
        );
        self.readers.all(statement).await?.iter().map(recorded_since).collect()
    }

    async fn deletable(
        &self,
        camera: CameraId,
        stream: StreamKind,
        before: WallTime,
        now: WallTime,
        limit: u32,
    ) -> Result<Vec<Segment>, IndexError> {
        // The bound of the start follows from that of the end; it is what ends the scan of the key.
        let statement = sqlx::query(concat!(
            "SELECT ",
            segment_columns!(),
            "FROM segments AS s
             WHERE camera_id = $1 AND stream = $2 AND start_wall_ns <= $3 AND end_wall_ns <= $3 AND NOT ",
            held!("$4"),
            "ORDER BY start_wall_ns, segment_id LIMIT $5"
        ))
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(before.0)
        .bind(now.0)
        .bind(rows::page(limit));
        self.readers.all(statement).await?.iter().map(segment).collect()
    }

    async fn mark_for_deletion(
        &self,
        keys: &[String],
        reason: DeletionReason,
        at: WallTime,
    ) -> Result<Vec<Segment>, IndexError> {
        let statement = sqlx::query(concat!(
            "WITH gone AS (
                 DELETE FROM segments AS s WHERE storage_key = ANY ($1) AND NOT ",
            held!("$3"),
            "RETURNING ",
            segment_columns!(),
            "), kept AS (INSERT INTO deleting (",
            segment_columns!(),
            ") SELECT ",
            segment_columns!(),
            "FROM gone),
             told AS (
                 INSERT INTO deletions (decided_wall_ns, segment_id, camera_id, stream, start_wall_ns, end_wall_ns,
                                        storage_key, bytes, reason)
                 SELECT $3, segment_id, camera_id, stream, start_wall_ns, end_wall_ns, storage_key, bytes, $2 FROM gone
                 ON CONFLICT (decided_wall_ns, segment_id) DO NOTHING)
             SELECT ",
            segment_columns!(),
            "FROM gone ORDER BY camera_id, stream, start_wall_ns, segment_id"
        ))
        .bind(keys)
        .bind(reason.as_str())
        .bind(at.0);
        self.writers.all(statement).await?.iter().map(segment).collect()
    }

    async fn marked(&self, limit: u32) -> Result<Vec<Segment>, IndexError> {
        let statement =
            sqlx::query(concat!("SELECT ", segment_columns!(), "FROM deleting ORDER BY storage_key LIMIT $1"))
                .bind(rows::page(limit));
        self.readers.all(statement).await?.iter().map(segment).collect()
    }

    async fn forget(&self, keys: &[String]) -> Result<u64, IndexError> {
        let statement = sqlx::query(
            "WITH gone AS (DELETE FROM deleting WHERE storage_key = ANY ($1) RETURNING segment_id),
             cleared AS (DELETE FROM damages WHERE segment_id IN (SELECT segment_id FROM gone))
             SELECT count(*) AS gone FROM gone",
        )
        .bind(keys);
        rows::count(&self.writers.one(statement).await?, "gone")
    }

    async fn deletions(
        &self,
        filter: &DeletionFilter,
        before: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Deletion>, IndexError> {
        // After every entry: no time is later, and no id is that one.
        let (before_decided, before_id) =
            before.map_or((i64::MAX, Uuid::max()), |(decided, id)| (decided.0, rows::uuid(id.as_bytes())));
        // Two statements, so that each has one plan: the journal grows for as long as there is footage.
        let sql = if filter.camera.is_some() { journal!("AND camera_id = $6") } else { journal!("") };
        let mut statement = sqlx::query(sql)
            .bind(before_decided)
            .bind(before_id)
            .bind(filter.range.map(|range| range.start.0))
            .bind(filter.range.map(|range| range.end.0))
            .bind(rows::page(limit));
        if let Some(camera) = filter.camera {
            statement = statement.bind(rows::uuid(camera.as_bytes()));
        }
        self.readers.all(statement).await?.iter().map(deletion).collect()
    }

    async fn insert_deletion(&self, deletion: &Deletion) -> Result<(), IndexError> {
        let statement = sqlx::query(
            "INSERT INTO deletions (decided_wall_ns, segment_id, camera_id, stream, start_wall_ns, end_wall_ns,
                                    storage_key, bytes, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (decided_wall_ns, segment_id) DO NOTHING",
        )
        .bind(deletion.at.0)
        .bind(rows::uuid(deletion.segment.as_bytes()))
        .bind(rows::uuid(deletion.camera.as_bytes()))
        .bind(names::stream_code(deletion.stream))
        .bind(deletion.range.start.0)
        .bind(deletion.range.end.0)
        .bind(deletion.key.as_str())
        .bind(rows::count_to_sql("deletion", deletion.bytes)?)
        .bind(deletion.reason.as_str());
        self.writers.execute(statement).await?;
        Ok(())
    }

    async fn segments_by_key(&self, after: Option<&str>, limit: u32) -> Result<Vec<Segment>, IndexError> {
        // No key is empty, so the empty text comes before all of them.
        let statement = sqlx::query(concat!(
            "SELECT ",
            segment_columns!(),
            "FROM footage WHERE storage_key > $1 ORDER BY storage_key LIMIT $2"
        ))
        .bind(after.unwrap_or_default())
        .bind(rows::page(limit));
        self.readers.all(statement).await?.iter().map(segment).collect()
    }

    async fn insert_damage(&self, damage: &Damage) -> Result<(), IndexError> {
        let statement = sqlx::query(
            "INSERT INTO damages (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, kind, found_wall_ns)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (camera_id, stream, start_wall_ns, segment_id, end_wall_ns) DO NOTHING",
        )
        .bind(rows::uuid(damage.camera.as_bytes()))
        .bind(names::stream_code(damage.stream))
        .bind(damage.range.start.0)
        .bind(rows::uuid(damage.segment.as_bytes()))
        .bind(damage.range.end.0)
        .bind(damage.kind.as_str())
        .bind(damage.found.0);
        self.writers.execute(statement).await?;
        Ok(())
    }

    async fn damages_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<Damage>, IndexError> {
        let statement = sqlx::query(concat!(
            "SELECT camera_id, stream, start_wall_ns, segment_id, end_wall_ns, kind, found_wall_ns ",
            standing_damage!(),
            "AND camera_id = $1 AND stream = $2 AND start_wall_ns < $4 AND end_wall_ns > $3
             ORDER BY start_wall_ns, segment_id, end_wall_ns"
        ))
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(range.start.0)
        .bind(range.end.0);
        self.readers.all(statement).await?.iter().map(damage).collect()
    }

    async fn damaged_segments(&self) -> Result<u64, IndexError> {
        let statement = sqlx::query(concat!("SELECT count(DISTINCT segment_id) AS segments ", standing_damage!()));
        rows::count(&self.readers.one(statement).await?, "segments")
    }
}

impl PostgresIndex {
    /// Runs a statement that changes the segment with that key, if it is closed or suspect, and counts it as `found`
    /// even when there was nothing to change.
    async fn change_closed(&self, statement: &'static str, key: &str) -> Result<(), IndexError> {
        let row = self.writers.one(sqlx::query(statement).bind(key)).await?;
        if rows::count(&row, "found")? == 0 { Err(IndexError::not_found("closed segment", key)) } else { Ok(()) }
    }
}

fn recorded_since(row: &PgRow) -> Result<RecordedSince, IndexError> {
    Ok(RecordedSince {
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        oldest: rows::wall(row, "start_wall_ns")?,
    })
}

fn deletion(row: &PgRow) -> Result<Deletion, IndexError> {
    Ok(Deletion {
        segment: SegmentId::from_bytes(rows::id_bytes(row, "segment_id")?),
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        range: rows::range(row)?,
        key: row.try_get("storage_key")?,
        bytes: rows::count(row, "bytes")?,
        at: rows::wall(row, "decided_wall_ns")?,
        reason: rows::named(row, "reason", DeletionReason::from_name)?,
    })
}

fn damage(row: &PgRow) -> Result<Damage, IndexError> {
    Ok(Damage {
        segment: SegmentId::from_bytes(rows::id_bytes(row, "segment_id")?),
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        range: rows::range(row)?,
        kind: rows::named(row, "kind", DamageKind::from_name)?,
        found: rows::wall(row, "found_wall_ns")?,
    })
}
