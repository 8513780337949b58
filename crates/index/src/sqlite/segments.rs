//! Recorded segments in SQLite. The largest table by far: see the migration for how it is laid out and why.

use async_trait::async_trait;
use futures::TryStreamExt;
use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row};

use super::growing::grown;
use super::{BEGIN_WRITE, Durability, SqliteIndex, rows};
use crate::error::explain;
use crate::stretch::Stretches;
use crate::{IndexError, MAX_PAGE, SegmentIndex, SegmentProgress, SegmentTotals, names};

const SEGMENT: &str = "segment";

/// How far before a moment segments that overlap each other are looked for, nanoseconds (5 minutes).
///
/// The segments of a stream follow each other, so the one that holds a moment is the last that starts at or before it.
/// Only a clock that was set back makes them overlap; then the last to start is not the only one to look at.
pub(super) const LOOK_BACK_NS: i64 = 300_000_000_000;
/// Rows looked at for a moment: the one that is meant, and those being written that do not reach so far.
const CANDIDATES: i64 = 8;

/// The columns that [`segment`] reads, up to the table they come from.
macro_rules! segment_columns {
    () => {
        "SELECT camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples,
                audio_samples, state, tier "
    };
}

/// The segments of a stream (?1, ?2) that share an instant with the range (?3, ?4) and start at ?6 or later; ?5 is ?3
/// less the look-back.
///
/// A row that is being written may end later than it says: it is among them, and looked at again by the caller.
///
/// The one lower bound of the start makes it one seek: either the segment that starts last before the range, however
/// long, or the look-back, whichever is earlier; on a later page, where the page before ended.
macro_rules! intersecting {
    () => {
        "FROM segments
         WHERE camera_id = ?1 AND stream = ?2 AND start_wall_ns < ?4
         AND (state = 0 OR (end_wall_ns > ?3 AND end_wall_ns > start_wall_ns)) AND start_wall_ns >= max(?6, min(?5, coalesce(
             (SELECT max(s.start_wall_ns) FROM segments AS s
              WHERE s.camera_id = ?1 AND s.stream = ?2 AND s.start_wall_ns <= ?3), ?3))) "
    };
}

pub(super) use intersecting;
pub(super) use segment_columns;

#[async_trait]
impl SegmentIndex for SqliteIndex {
    async fn open_segment(&self, segment: &Segment) -> Result<(), IndexError> {
        if segment.state != SegmentState::Recording {
            return Err(IndexError::invalid(SEGMENT, "it is opened and not in the state recording"));
        }
        if segment.tier != Tier::Spool {
            return Err(IndexError::invalid(SEGMENT, "it is opened and not in the spool"));
        }
        self.insert_segment(segment).await?;
        self.growing.begin(segment);
        Ok(())
    }

    async fn advance_segments(&self, progress: &[SegmentProgress]) -> Result<u64, IndexError> {
        for step in progress {
            // Refused before anything is taken over.
            rows::count_to_sql(SEGMENT, step.bytes)?;
            rows::count_to_sql(SEGMENT, step.video_samples)?;
            rows::count_to_sql(SEGMENT, step.audio_samples)?;
        }
        if self.readers.is_closed() {
            return Err(IndexError::closed());
        }
        let moved = self.growing.advance(progress);
        if let Some(due) = self.growing.due() {
            self.write_progress(&due).await?;
        }
        Ok(moved)
    }

    async fn close_segment(&self, last: &SegmentProgress, state: SegmentState) -> Result<(), IndexError> {
        if state == SegmentState::Recording {
            return Err(IndexError::invalid(SEGMENT, "it is closed and still in the state recording"));
        }
        let mut writer = self.writer(Durability::Deferred).await?;
        let changed = sqlx::query(
            "UPDATE segments SET end_wall_ns = ?2, bytes = ?3, video_samples = ?4, audio_samples = ?5, state = ?6
             WHERE segment_id = ?1 AND state = 0",
        )
        .bind(last.id.as_bytes().as_slice())
        .bind(last.end.0)
        .bind(rows::count_to_sql(SEGMENT, last.bytes)?)
        .bind(rows::count_to_sql(SEGMENT, last.video_samples)?)
        .bind(rows::count_to_sql(SEGMENT, last.audio_samples)?)
        .bind(names::segment_state_code(state))
        .execute(&mut *writer)
        .await?;
        found(last.id, changed.rows_affected())?;
        self.growing.end(last.id);
        Ok(())
    }

    async fn discard_segment(&self, id: SegmentId) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Deferred).await?;
        let removed = sqlx::query("DELETE FROM segments WHERE segment_id = ?1 AND state = 0")
            .bind(id.as_bytes().as_slice())
            .execute(&mut *writer)
            .await?;
        found(id, removed.rows_affected())?;
        self.growing.end(id);
        Ok(())
    }

    async fn insert_adopted(&self, segment: &Segment) -> Result<(), IndexError> {
        if segment.state == SegmentState::Recording {
            return Err(IndexError::invalid(SEGMENT, "it is adopted and still in the state recording"));
        }
        self.insert_segment(segment).await
    }

    async fn segments_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
        after: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Segment>, IndexError> {
        let growing = self.growing.of(camera, stream);
        let limit = limit.min(MAX_PAGE);
        let (mut found, mut after) = (Vec::new(), after);
        loop {
            let page = self.rows_in(camera, stream, range, after, limit).await?;
            let is_last = page.len() < limit as usize;
            after = page.last().map(|segment| (segment.range.start, segment.id));
            let page = page.into_iter().map(|segment| grown(segment, &growing));
            found.extend(
                page.filter(|segment| segment.range.start < segment.range.end && segment.range.end > range.start),
            );
            // A row that turned out not to reach into the range leaves room for another one.
            if is_last || found.len() >= limit as usize {
                found.truncate(limit as usize);
                return Ok(found);
            }
        }
    }

    async fn segment_at_or_after(
        &self,
        camera: CameraId,
        stream: StreamKind,
        at: WallTime,
    ) -> Result<Option<Segment>, IndexError> {
        let growing = self.growing.of(camera, stream);
        let rows = sqlx::query(concat!(
            segment_columns!(),
            intersecting!(),
            "ORDER BY start_wall_ns DESC, segment_id DESC LIMIT ?7"
        ))
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(at.0)
        .bind(at.offset_ns(1).0)
        .bind(at.offset_ns(-LOOK_BACK_NS).0)
        .bind(i64::MIN)
        .bind(CANDIDATES)
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let found = grown(segment(row)?, &growing);
            if found.range.end > at {
                return Ok(Some(found));
            }
        }
        let rows = sqlx::query(concat!(
            segment_columns!(),
            "FROM segments WHERE camera_id = ?1 AND stream = ?2 AND start_wall_ns > ?3
               AND (state = 0 OR end_wall_ns > start_wall_ns)
             ORDER BY start_wall_ns, segment_id LIMIT ?4"
        ))
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(at.0)
        .bind(CANDIDATES)
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let found = grown(segment(row)?, &growing);
            if found.range.end > found.range.start {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn segment_by_key(&self, key: &str) -> Result<Option<Segment>, IndexError> {
        let growing = self.growing.now();
        let row = sqlx::query(concat!(segment_columns!(), "FROM segments WHERE storage_key = ?1"))
            .bind(key)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.as_ref().map(segment).transpose()?.map(|segment| grown(segment, &growing)))
    }

    async fn recording_segments(&self) -> Result<Vec<Segment>, IndexError> {
        let growing = self.growing.now();
        sqlx::query(concat!(
            segment_columns!(),
            "FROM segments INDEXED BY segments_recording WHERE state = 0
             ORDER BY camera_id, stream, start_wall_ns, segment_id"
        ))
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(|row| Ok(grown(segment(row)?, &growing)))
        .collect()
    }

    async fn last_recorded_end(&self, camera: CameraId, stream: StreamKind) -> Result<Option<WallTime>, IndexError> {
        let growing = self.growing.of(camera, stream);
        // A few of the last, in case a clock that was set back made them overlap.
        let rows = sqlx::query(concat!(
            segment_columns!(),
            "FROM segments WHERE camera_id = ?1 AND stream = ?2 AND (state = 0 OR end_wall_ns > start_wall_ns)
             ORDER BY start_wall_ns DESC LIMIT 16"
        ))
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .fetch_all(&self.readers)
        .await?;
        let mut last = None;
        for row in &rows {
            let range = grown(segment(row)?, &growing).range;
            if range.end > range.start {
                last = last.max(Some(range.end));
            }
        }
        Ok(last)
    }

    async fn timeline(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<WallRange>, IndexError> {
        let growing = self.growing.of(camera, stream);
        let mut stretches = Stretches::new(range);
        // Row by row: a quarter of a year is 130,000 segments, and often a single stretch.
        let mut found = sqlx::query(concat!(segment_columns!(), intersecting!(), "ORDER BY start_wall_ns, segment_id"))
            .bind(camera.as_bytes().as_slice())
            .bind(names::stream_code(stream))
            .bind(range.start.0)
            .bind(range.end.0)
            .bind(range.start.offset_ns(-LOOK_BACK_NS).0)
            .bind(i64::MIN)
            .fetch(&self.readers);
        while let Some(row) = found.try_next().await? {
            // Only one that is being written can have come further than its row says.
            let is_growing = row.try_get::<i64, _>("state")? == 0;
            let end = match is_growing {
                true => grown(segment(&row)?, &growing).range.end,
                false => rows::wall(&row, "end_wall_ns")?,
            };
            stretches.add(rows::wall(&row, "start_wall_ns")?, end);
        }
        Ok(stretches.finish())
    }

    async fn totals(&self) -> Result<SegmentTotals, IndexError> {
        let row =
            sqlx::query("SELECT segments, bytes FROM segment_totals WHERE one = 1").fetch_one(&self.readers).await?;
        let bytes = rows::count(&row, "bytes")?.saturating_add(self.growing.bytes_ahead());
        Ok(SegmentTotals { segments: rows::count(&row, "segments")?, bytes })
    }
}

impl SqliteIndex {
    /// Brings rows up to date, all in one transaction that is durable when the call returns.
    pub(super) async fn write_progress(&self, progress: &[SegmentProgress]) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        for step in progress {
            sqlx::query(
                "UPDATE segments SET end_wall_ns = max(end_wall_ns, ?2), bytes = max(bytes, ?3),
                                     video_samples = max(video_samples, ?4), audio_samples = max(audio_samples, ?5)
                 WHERE segment_id = ?1 AND state = 0",
            )
            .bind(step.id.as_bytes().as_slice())
            .bind(step.end.0)
            .bind(rows::count_to_sql(SEGMENT, step.bytes)?)
            .bind(rows::count_to_sql(SEGMENT, step.video_samples)?)
            .bind(rows::count_to_sql(SEGMENT, step.audio_samples)?)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.growing.written(progress);
        Ok(())
    }

    /// One page of rows for [`SegmentIndex::segments_in`].
    async fn rows_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
        after: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Segment>, IndexError> {
        // Before every segment: an empty blob sorts before every id.
        let (after_start, after_id) =
            after.map_or((i64::MIN, Vec::new()), |(start, id)| (start.0, id.as_bytes().to_vec()));
        // Not as (start, id) > (?6, ?7): that would be a second lower bound, and SQLite might seek by the worse one.
        sqlx::query(concat!(
            segment_columns!(),
            intersecting!(),
            "AND (start_wall_ns > ?6 OR segment_id > ?7) ORDER BY start_wall_ns, segment_id LIMIT ?8"
        ))
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(range.start.0)
        .bind(range.end.0)
        .bind(range.start.offset_ns(-LOOK_BACK_NS).0)
        .bind(after_start)
        .bind(after_id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(segment)
        .collect()
    }

    async fn insert_segment(&self, segment: &Segment) -> Result<(), IndexError> {
        let exists = || IndexError::exists(SEGMENT, &segment.key);
        let mut writer = self.writer(Durability::Deferred).await?;
        // The key of one that is being deleted is taken too: its files may still be there.
        let inserted = sqlx::query(
            "INSERT INTO segments (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes,
                                   video_samples, audio_samples, state, tier)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
             WHERE NOT EXISTS (SELECT 1 FROM deleting WHERE storage_key = ?6)",
        )
        .bind(segment.camera.as_bytes().as_slice())
        .bind(names::stream_code(segment.stream))
        .bind(segment.range.start.0)
        .bind(segment.id.as_bytes().as_slice())
        .bind(segment.range.end.0)
        .bind(segment.key.as_str())
        .bind(rows::count_to_sql(SEGMENT, segment.bytes)?)
        .bind(rows::count_to_sql(SEGMENT, segment.video_samples)?)
        .bind(rows::count_to_sql(SEGMENT, segment.audio_samples)?)
        .bind(names::segment_state_code(segment.state))
        .bind(names::tier_code(segment.tier))
        .execute(&mut *writer)
        .await
        // The table has no foreign key: only the first meaning can arise.
        .map_err(|error| explain(error, exists, exists))?;
        if inserted.rows_affected() == 0 { Err(exists()) } else { Ok(()) }
    }
}

fn found(id: SegmentId, changed: u64) -> Result<(), IndexError> {
    if changed == 0 { Err(IndexError::not_found("segment being recorded", id)) } else { Ok(()) }
}

pub(super) fn segment(row: &SqliteRow) -> Result<Segment, IndexError> {
    let state: i64 = row.try_get("state")?;
    let tier: i64 = row.try_get("tier")?;
    Ok(Segment {
        id: SegmentId::from_bytes(rows::id_bytes(row, "segment_id")?),
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        // Not through `WallRange::new`: the range of a segment just opened is empty.
        range: WallRange { start: rows::wall(row, "start_wall_ns")?, end: rows::wall(row, "end_wall_ns")? },
        key: row.try_get("storage_key")?,
        bytes: rows::count(row, "bytes")?,
        video_samples: rows::count(row, "video_samples")?,
        audio_samples: rows::count(row, "audio_samples")?,
        state: names::segment_state_from_code(state)
            .ok_or_else(|| IndexError::corrupt(format!("column state holds {state}")))?,
        tier: names::tier_from_code(tier).ok_or_else(|| IndexError::corrupt(format!("column tier holds {tier}")))?,
    })
}
