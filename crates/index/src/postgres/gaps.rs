//! Gaps in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{CameraId, Gap, GapCause, StreamKind, WallRange, WallTime};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{PostgresIndex, rows};
use crate::error::explain;
use crate::{GapIndex, IndexError, names};

const GAP: &str = "gap";

#[async_trait]
impl GapIndex for PostgresIndex {
    async fn open_gap(
        &self,
        camera: CameraId,
        stream: StreamKind,
        start: WallTime,
        cause: GapCause,
    ) -> Result<(), IndexError> {
        let exists = || IndexError::exists("open gap of", format!("{camera}/{stream}"));
        // Another one that is open breaks the index of open gaps; the same one is only opened again.
        let statement = sqlx::query(
            "INSERT INTO gaps (camera_id, stream, start_wall_ns, cause, end_wall_ns) VALUES ($1, $2, $3, $4, NULL)
             ON CONFLICT (camera_id, stream, start_wall_ns, cause) DO UPDATE SET end_wall_ns = NULL",
        )
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(start.0)
        .bind(cause.as_str());
        // The table has no foreign key: only the first meaning can arise.
        self.writers.execute(statement).await.map_err(|error| explain(error, exists, exists))?;
        Ok(())
    }

    async fn close_gap(&self, camera: CameraId, stream: StreamKind, end: WallTime) -> Result<Option<Gap>, IndexError> {
        let statement = sqlx::query(
            "WITH closed AS (
                 UPDATE gaps SET end_wall_ns = $3
                 WHERE camera_id = $1 AND stream = $2 AND end_wall_ns IS NULL AND start_wall_ns < $3
                 RETURNING camera_id, stream, start_wall_ns, end_wall_ns, cause),
             emptied AS (
                 DELETE FROM gaps
                 WHERE camera_id = $1 AND stream = $2 AND end_wall_ns IS NULL AND start_wall_ns >= $3)
             SELECT camera_id, stream, start_wall_ns, end_wall_ns, cause FROM closed",
        )
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(end.0);
        self.writers.optional(statement).await?.as_ref().map(gap).transpose()
    }

    async fn insert_gap(&self, gap: &Gap) -> Result<(), IndexError> {
        let Some(end) = gap.end else {
            return self.open_gap(gap.camera, gap.stream, gap.start, gap.cause).await;
        };
        if end < gap.start {
            return Err(IndexError::invalid(GAP, "it ends before it starts"));
        }
        if end == gap.start {
            return Ok(());
        }
        // An open gap stays open, which greatest() alone would not do: it passes over NULL.
        let statement = sqlx::query(
            "INSERT INTO gaps (camera_id, stream, start_wall_ns, cause, end_wall_ns) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (camera_id, stream, start_wall_ns, cause) DO UPDATE SET end_wall_ns =
                 CASE WHEN gaps.end_wall_ns IS NOT NULL THEN greatest(gaps.end_wall_ns, excluded.end_wall_ns) END",
        )
        .bind(rows::uuid(gap.camera.as_bytes()))
        .bind(names::stream_code(gap.stream))
        .bind(gap.start.0)
        .bind(gap.cause.as_str())
        .bind(end.0);
        self.writers.execute(statement).await?;
        Ok(())
    }

    async fn gaps_in(&self, camera: CameraId, stream: StreamKind, range: WallRange) -> Result<Vec<Gap>, IndexError> {
        // Reads the gaps of the stream up to the end of the range. A gap may last for weeks and have others inside it,
        // so no bound of the start is safe, and a stream has few of them.
        let statement = sqlx::query(
            "SELECT camera_id, stream, start_wall_ns, end_wall_ns, cause FROM gaps
             WHERE camera_id = $1 AND stream = $2 AND start_wall_ns < $4 AND (end_wall_ns IS NULL OR end_wall_ns > $3)
             ORDER BY start_wall_ns, cause",
        )
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream))
        .bind(range.start.0)
        .bind(range.end.0);
        self.readers.all(statement).await?.iter().map(gap).collect()
    }

    async fn open_gap_of(&self, camera: CameraId, stream: StreamKind) -> Result<Option<Gap>, IndexError> {
        let statement = sqlx::query(
            "SELECT camera_id, stream, start_wall_ns, end_wall_ns, cause FROM gaps
             WHERE camera_id = $1 AND stream = $2 AND end_wall_ns IS NULL",
        )
        .bind(rows::uuid(camera.as_bytes()))
        .bind(names::stream_code(stream));
        self.readers.optional(statement).await?.as_ref().map(gap).transpose()
    }
}

fn gap(row: &PgRow) -> Result<Gap, IndexError> {
    let end: Option<i64> = row.try_get("end_wall_ns")?;
    Ok(Gap {
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        start: rows::wall(row, "start_wall_ns")?,
        end: end.map(WallTime),
        cause: rows::named(row, "cause", GapCause::from_name)?,
    })
}
