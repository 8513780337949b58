//! Recorded segments in PostgreSQL: see the migration for the tables and why there are three.

use async_trait::async_trait;
use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::connections::Statement;
use super::{PostgresIndex, rows};
use crate::error::explain;
use crate::stretch::Stretches;
use crate::{IndexError, SegmentIndex, SegmentProgress, SegmentTotals, names};

const SEGMENT: &str = "segment";

/// How far before a moment segments that overlap each other are looked for, nanoseconds (5 minutes).
///
/// The segments of a stream follow each other, so the one that holds a moment is the last that starts at or before it.
/// Only a clock that was set back makes them overlap; then the last to start is not the only one to look at.
const LOOK_BACK_NS: i64 = 300_000_000_000;

/// The columns that [`segment`] reads, and those of the tables `segments` and `deleting`.
macro_rules! segment_columns {
    () => {
        "camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples, audio_samples,
         state, tier "
    };
}

/// The segments of a stream ($1, $2) that share an instant with the range ($3, $4) and start at $6 or later; $5 is $3
/// less the look-back.
///
/// The one lower bound of the start makes it one seek: either the segment that starts last before the range, however
/// long, or the look-back, whichever is earlier; on a later page, where the page before ended.
macro_rules! intersecting {
    () => {
        "FROM footage
         WHERE camera_id = $1 AND stream = $2 AND start_wall_ns < $4 AND end_wall_ns > $3
         AND end_wall_ns > start_wall_ns AND start_wall_ns >= greatest($6, least($5, coalesce(
             (SELECT max(s.start_wall_ns) FROM footage AS s
              WHERE s.camera_id = $1 AND s.stream = $2 AND s.start_wall_ns <= $3), $3))) "
    };
}

/// What a timeline reads. All of it is in the primary key with its included column.
pub(super) const TIMELINE: &str =
    concat!("SELECT start_wall_ns, end_wall_ns ", intersecting!(), "ORDER BY start_wall_ns, segment_id");

pub(super) use segment_columns;

#[async_trait]
impl SegmentIndex for PostgresIndex {
    async fn open_segment(&self, segment: &Segment) -> Result<(), IndexError> {
        if segment.state != SegmentState::Recording {
            return Err(IndexError::invalid(SEGMENT, "it is opened and not in the state recording"));
        }
        if segment.tier != Tier::Spool {
            return Err(IndexError::invalid(SEGMENT, "it is opened and not in the spool"));
        }
        let statement = sqlx::query(
            "INSERT INTO recording (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes,
                                    video_samples, audio_samples)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        self.insert_segment(bind_segment(statement, segment)?, segment).await
    }

    async fn advance_segments(&self, progress: &[SegmentProgress]) -> Result<u64, IndexError> {
        if progress.is_empty() {
            return Ok(0);
        }
        let counts = |of: fn(&SegmentProgress) -> u64| {
            progress.iter().map(|step| rows::count_to_sql(SEGMENT, of(step))).collect::<Result<Vec<_>, _>>()
        };
        // A segment that is named twice moves once, as far as the further of the two.
        let statement = sqlx::query(
            "UPDATE recording AS r
             SET end_wall_ns = greatest(r.end_wall_ns, p.end_wall_ns), bytes = greatest(r.bytes, p.bytes),
                 video_samples = greatest(r.video_samples, p.video_samples),
                 audio_samples = greatest(r.audio_samples, p.audio_samples)
             FROM (SELECT segment_id, max(end_wall_ns) AS end_wall_ns, max(bytes) AS bytes,
                          max(video_samples) AS video_samples, max(audio_samples) AS audio_samples
                   FROM unnest($1, $2, $3, $4, $5)
                        AS step (segment_id, end_wall_ns, bytes, video_samples, audio_samples)
                   GROUP BY segment_id) AS p
             WHERE r.segment_id = p.segment_id",
        )
        .bind(progress.iter().map(|step| rows::uuid(step.id.as_bytes())).collect::<Vec<_>>())
        .bind(progress.iter().map(|step| step.end.0).collect::<Vec<_>>())
        .bind(counts(|step| step.bytes)?)
        .bind(counts(|step| step.video_samples)?)
        .bind(counts(|step| step.audio_samples)?);
        Ok(self.writers.execute(statement).await?)
    }

    async fn close_segment(&self, last: &SegmentProgress, state: SegmentState) -> Result<(), IndexError> {
        if state == SegmentState::Recording {
            return Err(IndexError::invalid(SEGMENT, "it is closed and still in the state recording"));
        }
        let statement = sqlx::query(concat!(
            "WITH closed AS (
                 DELETE FROM recording WHERE segment_id = $1
                 RETURNING camera_id, stream, start_wall_ns, segment_id, storage_key)
             INSERT INTO segments (",
            segment_columns!(),
            ") SELECT camera_id, stream, start_wall_ns, segment_id, $2, storage_key, $3, $4, $5, $6, 0 FROM closed"
        ))
        .bind(rows::uuid(last.id.as_bytes()))
        .bind(last.end.0)
        .bind(rows::count_to_sql(SEGMENT, last.bytes)?)
        .bind(rows::count_to_sql(SEGMENT, last.video_samples)?)
        .bind(rows::count_to_sql(SEGMENT, last.audio_samples)?)
        .bind(names::segment_state_code(state));
        found(last.id, self.writers.execute(statement).await?)
    }

    async fn discard_segment(&self, id: SegmentId) -> Result<(), IndexError> {
        let statement = sqlx::query("DELETE FROM recording WHERE segment_id = $1").bind(rows::uuid(id.as_bytes()));
        found(id, self.writers.execute(statement).await?)
    }

    async fn insert_adopted(&self, segment: &Segment) -> Result<(), IndexError> {
        if segment.state == SegmentState::Recording {
            return Err(IndexError::invalid(SEGMENT, "it is adopted and still in the state recording"));
        }
        let statement = sqlx::query(concat!(
            "INSERT INTO segments (",
            segment_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ));
        let statement = bind_segment(statement, segment)?
            .bind(names::segment_state_code(segment.state))
            .bind(names::tier_code(segment.tier));
        self.insert_segment(statement, segment).await
    }

    async fn segments_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
        after: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Segment>, IndexError> {
        // Before every segment: no time is earlier.
        let (after_start, after_id) =
            after.map_or((i64::MIN, Uuid::nil()), |(start, id)| (start.0, rows::uuid(id.as_bytes())));
        // Not as (start, id) > ($6, $7): that would be a second lower bound beside the one that makes it one seek.
        let statement = sqlx::query(concat!(
            "SELECT ",
            segment_columns!(),
            intersecting!(),
            "AND (start_wall_ns > $6 OR segment_id > $7) ORDER BY start_wall_ns, segment_id LIMIT $8"
        ));
        let statement = bind_range(statement, camera, stream, range).bind(after_start).bind(after_id);
        self.readers.all(statement.bind(rows::page(limit))).await?.iter().map(segment).collect()
    }

    async fn segment_at_or_after(
        &self,
        camera: CameraId,
        stream: StreamKind,
        at: WallTime,
    ) -> Result<Option<Segment>, IndexError> {
        let holds = sqlx::query(concat!(
            "SELECT ",
            segment_columns!(),
            intersecting!(),
            "ORDER BY start_wall_ns DESC, segment_id DESC LIMIT 1"
        ));
        let moment = WallRange { start: at, end: at.offset_ns(1) };
        let holds = bind_range(holds, camera, stream, moment).bind(i64::MIN);
        if let Some(row) = self.readers.optional(holds).await? {
            return segment(&row).map(Some);
        }
        let next = sqlx::query(concat!(
            "SELECT ",
            segment_columns!(),
            "FROM footage WHERE camera_id = $1 AND stream = $2 AND start_wall_ns > $3 AND end_wall_ns > start_wall_ns
             ORDER BY start_wall_ns, segment_id LIMIT 1"
        ))
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(at.0);
        self.readers.optional(next).await?.as_ref().map(segment).transpose()
    }

    async fn segment_by_key(&self, key: &str) -> Result<Option<Segment>, IndexError> {
        let statement =
            sqlx::query(concat!("SELECT ", segment_columns!(), "FROM footage WHERE storage_key = $1")).bind(key);
        self.readers.optional(statement).await?.as_ref().map(segment).transpose()
    }

    async fn recording_segments(&self) -> Result<Vec<Segment>, IndexError> {
        let statement = sqlx::query(
            "SELECT camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples,
                    audio_samples, 0::SMALLINT AS state, 0::SMALLINT AS tier
             FROM recording ORDER BY camera_id, stream, start_wall_ns, segment_id",
        );
        self.readers.all(statement).await?.iter().map(segment).collect()
    }

    async fn last_recorded_end(&self, camera: CameraId, stream: StreamKind) -> Result<Option<WallTime>, IndexError> {
        // A few of the last, in case a clock that was set back made them overlap.
        let statement = sqlx::query(
            "SELECT max(last.end_wall_ns) AS last_end_wall_ns FROM (
                 SELECT end_wall_ns FROM footage
                 WHERE camera_id = $1 AND stream = $2 AND end_wall_ns > start_wall_ns
                 ORDER BY start_wall_ns DESC LIMIT 16) AS last",
        )
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream));
        let end: Option<i64> = self.readers.one(statement).await?.try_get("last_end_wall_ns")?;
        Ok(end.map(WallTime))
    }

    async fn timeline(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<WallRange>, IndexError> {
        let mut stretches = Stretches::new(range);
        let statement = bind_range(sqlx::query(TIMELINE), camera, stream, range).bind(i64::MIN);
        // Row by row: a quarter of a year is 130,000 segments, and often a single stretch.
        self.readers
            .each(statement, |row| {
                stretches.add(rows::wall(row, "start_wall_ns")?, rows::wall(row, "end_wall_ns")?);
                Ok(())
            })
            .await?;
        Ok(stretches.finish())
    }

    async fn totals(&self) -> Result<SegmentTotals, IndexError> {
        // Those being recorded are few and change every second: they are summed, and not kept as a sum.
        let statement = sqlx::query(
            "SELECT sum(segments)::BIGINT AS segments, sum(bytes)::BIGINT AS bytes FROM (
                 SELECT segments, bytes FROM segment_totals
                 UNION ALL
                 SELECT count(*), coalesce(sum(bytes), 0)::BIGINT FROM recording) AS part",
        );
        let row = self.readers.one(statement).await?;
        Ok(SegmentTotals { segments: rows::count(&row, "segments")?, bytes: rows::count(&row, "bytes")? })
    }
}

impl PostgresIndex {
    async fn insert_segment(&self, statement: Statement<'_>, segment: &Segment) -> Result<(), IndexError> {
        let exists = || IndexError::exists(SEGMENT, &segment.key);
        // The tables have no foreign key: only the first meaning can arise.
        self.writers.execute(statement).await.map_err(|error| explain(error, exists, exists))?;
        Ok(())
    }
}

/// Binds $1 to $9.
fn bind_segment<'q>(statement: Statement<'q>, segment: &Segment) -> Result<Statement<'q>, IndexError> {
    Ok(statement
        .bind(rows::uuid(segment.camera.as_bytes()))
        .bind(names::stream_code(segment.stream))
        .bind(segment.range.start.0)
        .bind(rows::uuid(segment.id.as_bytes()))
        .bind(segment.range.end.0)
        .bind(segment.key.as_str())
        .bind(rows::count_to_sql(SEGMENT, segment.bytes)?)
        .bind(rows::count_to_sql(SEGMENT, segment.video_samples)?)
        .bind(rows::count_to_sql(SEGMENT, segment.audio_samples)?))
}

/// Binds $1 to $5 of [`intersecting`].
pub(super) fn bind_range(
    statement: Statement<'_>,
    camera: CameraId,
    stream: StreamKind,
    range: WallRange,
) -> Statement<'_> {
    statement
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(range.start.0)
        .bind(range.end.0)
        .bind(range.start.offset_ns(-LOOK_BACK_NS).0)
}

fn found(id: SegmentId, changed: u64) -> Result<(), IndexError> {
    if changed == 0 { Err(IndexError::not_found("segment being recorded", id)) } else { Ok(()) }
}

pub(super) fn segment(row: &PgRow) -> Result<Segment, IndexError> {
    Ok(Segment {
        id: SegmentId::from_bytes(rows::id_bytes(row, "segment_id")?),
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        range: rows::range(row)?,
        key: row.try_get("storage_key")?,
        bytes: rows::count(row, "bytes")?,
        video_samples: rows::count(row, "video_samples")?,
        audio_samples: rows::count(row, "audio_samples")?,
        state: rows::coded(row, "state", names::segment_state_from_code)?,
        tier: rows::coded(row, "tier", names::tier_from_code)?,
    })
}
