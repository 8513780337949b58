//! The way of closed segments in SQLite: archived, suspect, deleted, damaged; and the journal of deletions.
//!
//! Marking a segment moves its row from `segments` to `deleting`, so no other query has to know of marks.

use async_trait::async_trait;
use minhbach_model::{
    CameraId, Damage, DamageKind, Deletion, DeletionReason, Segment, SegmentId, StreamKind, WallRange, WallTime,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::growing::grown;
use super::segments::{segment, segment_columns};
use super::{BEGIN_WRITE, Durability, SqliteIndex, rows};
use crate::{ArchiveIndex, DeletionFilter, IndexError, MAX_PAGE, RecordedSince, names};

/// Whether a row of `segments` is under a hold that stands at the moment in that parameter.
macro_rules! held {
    ($now:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM hold_cameras AS c JOIN holds AS h ON h.hold_id = c.hold_id
                     WHERE c.camera_id = segments.camera_id AND h.start_wall_ns < segments.end_wall_ns
                       AND h.end_wall_ns > segments.start_wall_ns AND h.released_wall_ns IS NULL
                       AND (h.expires_wall_ns IS NULL OR h.expires_wall_ns > ",
            $now,
            ")) "
        )
    };
}

/// The part of the journal decided before (?1, ?2) that shares an instant with (?3, ?4) if given, newest first.
macro_rules! journal {
    ($camera:literal) => {
        concat!(
            "SELECT decided_wall_ns, segment_id, camera_id, stream, start_wall_ns, end_wall_ns, storage_key, bytes,
                    reason FROM deletions ",
            $camera,
            " (decided_wall_ns, segment_id) < (?1, ?2)
              AND (?3 IS NULL OR end_wall_ns > ?3) AND (?4 IS NULL OR start_wall_ns < ?4)
             ORDER BY decided_wall_ns DESC, segment_id DESC LIMIT ?5"
        )
    };
}

/// The streams with the start of their oldest segment.
///
/// A step a camera, then a step a stream of it, each a seek in the primary key: a DISTINCT would read the whole table.
pub(super) const RECORDED_SINCE: &str = "WITH RECURSIVE known (camera_id) AS (
         SELECT min(camera_id) FROM segments
         UNION ALL
         SELECT (SELECT min(s.camera_id) FROM segments AS s WHERE s.camera_id > known.camera_id)
         FROM known WHERE known.camera_id IS NOT NULL)
     SELECT camera_id, stream, oldest_wall_ns FROM (
         SELECT k.camera_id, t.stream,
                (SELECT min(s.start_wall_ns) FROM segments AS s
                 WHERE s.camera_id = k.camera_id AND s.stream = t.stream) AS oldest_wall_ns
         FROM known AS k CROSS JOIN (SELECT 0 AS stream UNION ALL SELECT 1) AS t
         WHERE k.camera_id IS NOT NULL)
     WHERE oldest_wall_ns IS NOT NULL ORDER BY camera_id, stream";

/// Damage of segments that are not being deleted.
macro_rules! standing_damage {
    () => {
        "FROM damages WHERE NOT EXISTS (SELECT 1 FROM deleting AS d WHERE d.segment_id = damages.segment_id) "
    };
}

#[async_trait]
impl ArchiveIndex for SqliteIndex {
    async fn spooled(&self, after: Option<(WallTime, SegmentId)>, limit: u32) -> Result<Vec<Segment>, IndexError> {
        // Before every segment: an empty blob sorts before every id.
        let (after_end, after_id) = after.map_or((i64::MIN, Vec::new()), |(end, id)| (end.0, id.as_bytes().to_vec()));
        sqlx::query(concat!(
            segment_columns!(),
            "FROM segments INDEXED BY segments_spooled
             WHERE tier = 0 AND state <> 0 AND (end_wall_ns, segment_id) > (?1, ?2)
             ORDER BY end_wall_ns, segment_id LIMIT ?3"
        ))
        .bind(after_end)
        .bind(after_id)
        .bind(limit.min(MAX_PAGE))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(segment)
        .collect()
    }

    async fn set_archived(&self, key: &str) -> Result<(), IndexError> {
        self.change_closed("UPDATE segments SET tier = 1 WHERE storage_key = ?1 AND state <> 0", key).await
    }

    async fn set_suspect(&self, key: &str) -> Result<(), IndexError> {
        self.change_closed("UPDATE segments SET state = 2 WHERE storage_key = ?1 AND state <> 0", key).await
    }

    async fn clear_suspect(&self, key: &str) -> Result<(), IndexError> {
        let statement = "UPDATE segments SET state = 1 WHERE storage_key = ?1 AND state <> 0 AND tier = 0
                         AND NOT EXISTS (SELECT 1 FROM damages AS d WHERE d.segment_id = segments.segment_id)";
        self.change_closed(statement, key).await
    }

    async fn recorded_since(&self) -> Result<Vec<RecordedSince>, IndexError> {
        sqlx::query(RECORDED_SINCE).fetch_all(&self.readers).await?.iter().map(recorded_since).collect()
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
        sqlx::query(concat!(
            segment_columns!(),
            "FROM segments
             WHERE camera_id = ?1 AND stream = ?2 AND start_wall_ns <= ?3 AND end_wall_ns <= ?3 AND state <> 0
               AND NOT ",
            held!("?4"),
            "ORDER BY start_wall_ns, segment_id LIMIT ?5"
        ))
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(before.0)
        .bind(now.0)
        .bind(limit.min(MAX_PAGE))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(segment)
        .collect()
    }

    async fn mark_for_deletion(
        &self,
        keys: &[String],
        reason: DeletionReason,
        at: WallTime,
    ) -> Result<Vec<Segment>, IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        let mut marked = Vec::with_capacity(keys.len());
        for key in keys {
            // At most one row; read to its end, so that the statement has run wholly.
            let taken = sqlx::query(concat!(
                "DELETE FROM segments WHERE storage_key = ?1 AND state <> 0 AND NOT ",
                held!("?2"),
                "RETURNING camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples,
                           audio_samples, state, tier"
            ))
            .bind(key.as_str())
            .bind(at.0)
            .fetch_all(&mut *tx)
            .await?;
            for row in &taken {
                let segment = segment(row)?;
                insert_deleting(&mut tx, &segment).await?;
                insert_deletion(&mut tx, &deletion_of(&segment, reason, at)).await?;
                marked.push(segment);
            }
        }
        tx.commit().await?;
        Ok(marked)
    }

    async fn marked(&self, limit: u32) -> Result<Vec<Segment>, IndexError> {
        sqlx::query(concat!(segment_columns!(), "FROM deleting ORDER BY storage_key LIMIT ?1"))
            .bind(limit.min(MAX_PAGE))
            .fetch_all(&self.readers)
            .await?
            .iter()
            .map(segment)
            .collect()
    }

    async fn forget(&self, keys: &[String]) -> Result<u64, IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        let mut gone = 0;
        for key in keys {
            sqlx::query(
                "DELETE FROM damages WHERE segment_id IN (SELECT segment_id FROM deleting WHERE storage_key = ?1)",
            )
            .bind(key.as_str())
            .execute(&mut *tx)
            .await?;
            gone += sqlx::query("DELETE FROM deleting WHERE storage_key = ?1")
                .bind(key.as_str())
                .execute(&mut *tx)
                .await?
                .rows_affected();
        }
        tx.commit().await?;
        Ok(gone)
    }

    async fn deletions(
        &self,
        filter: &DeletionFilter,
        before: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Deletion>, IndexError> {
        // After every entry: seventeen bytes of the highest value sort after every id.
        let (before_decided, before_id) =
            before.map_or((i64::MAX, vec![0xff; 17]), |(decided, id)| (decided.0, id.as_bytes().to_vec()));
        // Two statements, so that each has one plan: the journal grows for as long as there is footage.
        let statement = if filter.camera.is_some() {
            journal!("INDEXED BY deletions_camera WHERE camera_id = ?6 AND")
        } else {
            journal!("WHERE")
        };
        let mut query = sqlx::query(statement)
            .bind(before_decided)
            .bind(before_id)
            .bind(filter.range.map(|range| range.start.0))
            .bind(filter.range.map(|range| range.end.0))
            .bind(limit.min(MAX_PAGE));
        if let Some(camera) = filter.camera {
            query = query.bind(camera.as_bytes().to_vec());
        }
        query.fetch_all(&self.readers).await?.iter().map(deletion).collect()
    }

    async fn insert_deletion(&self, deletion: &Deletion) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        insert_deletion(&mut writer, deletion).await
    }

    async fn segments_by_key(&self, after: Option<&str>, limit: u32) -> Result<Vec<Segment>, IndexError> {
        let growing = self.growing.now();
        // No key is empty, so the empty text comes before all of them.
        sqlx::query(concat!(
            segment_columns!(),
            "FROM segments INDEXED BY segments_key WHERE storage_key > ?1 ORDER BY storage_key LIMIT ?2"
        ))
        .bind(after.unwrap_or_default())
        .bind(limit.min(MAX_PAGE))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(|row| Ok(grown(segment(row)?, &growing)))
        .collect()
    }

    async fn insert_damage(&self, damage: &Damage) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        sqlx::query(
            "INSERT INTO damages (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, kind, found_wall_ns)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (camera_id, stream, start_wall_ns, segment_id, end_wall_ns) DO NOTHING",
        )
        .bind(damage.camera.as_bytes().as_slice())
        .bind(names::stream_code(damage.stream))
        .bind(damage.range.start.0)
        .bind(damage.segment.as_bytes().as_slice())
        .bind(damage.range.end.0)
        .bind(damage.kind.as_str())
        .bind(damage.found.0)
        .execute(&mut *writer)
        .await?;
        Ok(())
    }

    async fn damages_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<Damage>, IndexError> {
        sqlx::query(concat!(
            "SELECT camera_id, stream, start_wall_ns, segment_id, end_wall_ns, kind, found_wall_ns ",
            standing_damage!(),
            "AND camera_id = ?1 AND stream = ?2 AND start_wall_ns < ?4 AND end_wall_ns > ?3
             ORDER BY start_wall_ns, segment_id, end_wall_ns"
        ))
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(range.start.0)
        .bind(range.end.0)
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(damage)
        .collect()
    }

    async fn damaged_segments(&self) -> Result<u64, IndexError> {
        let row = sqlx::query(concat!("SELECT count(DISTINCT segment_id) AS segments ", standing_damage!()))
            .fetch_one(&self.readers)
            .await?;
        rows::count(&row, "segments")
    }
}

impl SqliteIndex {
    /// Runs a statement that changes the segment with that key if it is closed or suspect.
    async fn change_closed(&self, statement: &'static str, key: &str) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let changed = sqlx::query(statement).bind(key).execute(&mut *writer).await?;
        if changed.rows_affected() == 0 { Err(IndexError::not_found("closed segment", key)) } else { Ok(()) }
    }
}

async fn insert_deleting(connection: &mut SqliteConnection, segment: &Segment) -> Result<(), IndexError> {
    sqlx::query(
        "INSERT INTO deleting (storage_key, camera_id, stream, start_wall_ns, segment_id, end_wall_ns, bytes,
                               video_samples, audio_samples, state, tier)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )
    .bind(segment.key.as_str())
    .bind(segment.camera.as_bytes().as_slice())
    .bind(names::stream_code(segment.stream))
    .bind(segment.range.start.0)
    .bind(segment.id.as_bytes().as_slice())
    .bind(segment.range.end.0)
    .bind(rows::count_to_sql("segment", segment.bytes)?)
    .bind(rows::count_to_sql("segment", segment.video_samples)?)
    .bind(rows::count_to_sql("segment", segment.audio_samples)?)
    .bind(names::segment_state_code(segment.state))
    .bind(names::tier_code(segment.tier))
    .execute(connection)
    .await?;
    Ok(())
}

fn deletion_of(segment: &Segment, reason: DeletionReason, at: WallTime) -> Deletion {
    Deletion {
        segment: segment.id,
        camera: segment.camera,
        stream: segment.stream,
        range: segment.range,
        key: segment.key.clone(),
        bytes: segment.bytes,
        at,
        reason,
    }
}

async fn insert_deletion(connection: &mut SqliteConnection, deletion: &Deletion) -> Result<(), IndexError> {
    sqlx::query(
        "INSERT INTO deletions (decided_wall_ns, segment_id, camera_id, stream, start_wall_ns, end_wall_ns, storage_key,
                                bytes, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (decided_wall_ns, segment_id) DO NOTHING",
    )
    .bind(deletion.at.0)
    .bind(deletion.segment.as_bytes().as_slice())
    .bind(deletion.camera.as_bytes().as_slice())
    .bind(names::stream_code(deletion.stream))
    .bind(deletion.range.start.0)
    .bind(deletion.range.end.0)
    .bind(deletion.key.as_str())
    .bind(rows::count_to_sql("deletion", deletion.bytes)?)
    .bind(deletion.reason.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

fn recorded_since(row: &SqliteRow) -> Result<RecordedSince, IndexError> {
    Ok(RecordedSince {
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        oldest: rows::wall(row, "oldest_wall_ns")?,
    })
}

fn deletion(row: &SqliteRow) -> Result<Deletion, IndexError> {
    Ok(Deletion {
        segment: SegmentId::from_bytes(rows::id_bytes(row, "segment_id")?),
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        range: WallRange { start: rows::wall(row, "start_wall_ns")?, end: rows::wall(row, "end_wall_ns")? },
        key: row.try_get("storage_key")?,
        bytes: rows::count(row, "bytes")?,
        at: rows::wall(row, "decided_wall_ns")?,
        reason: rows::named(row, "reason", DeletionReason::from_name)?,
    })
}

fn damage(row: &SqliteRow) -> Result<Damage, IndexError> {
    Ok(Damage {
        segment: SegmentId::from_bytes(rows::id_bytes(row, "segment_id")?),
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        range: WallRange { start: rows::wall(row, "start_wall_ns")?, end: rows::wall(row, "end_wall_ns")? },
        kind: rows::named(row, "kind", DamageKind::from_name)?,
        found: rows::wall(row, "found_wall_ns")?,
    })
}
