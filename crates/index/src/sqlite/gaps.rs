//! Gaps in SQLite.

use async_trait::async_trait;
use minhbach_model::{CameraId, Gap, GapCause, StreamKind, WallRange, WallTime};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use super::{BEGIN_WRITE, Durability, SqliteIndex, rows};
use crate::{GapIndex, IndexError, names};

const GAP: &str = "gap";

#[async_trait]
impl GapIndex for SqliteIndex {
    async fn open_gap(
        &self,
        camera: CameraId,
        stream: StreamKind,
        start: WallTime,
        cause: GapCause,
    ) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Deferred).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        if let Some(open) = open_gap_in(&mut tx, camera, stream).await? {
            if open.start == start && open.cause == cause {
                return Ok(());
            }
            return Err(IndexError::exists("open gap of", format!("{camera}/{stream}")));
        }
        sqlx::query(
            "INSERT INTO gaps (camera_id, stream, start_wall_ns, cause, end_wall_ns) VALUES (?1, ?2, ?3, ?4, NULL)
             ON CONFLICT (camera_id, stream, start_wall_ns, cause) DO UPDATE SET end_wall_ns = NULL",
        )
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(start.0)
        .bind(cause.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn close_gap(&self, camera: CameraId, stream: StreamKind, end: WallTime) -> Result<Option<Gap>, IndexError> {
        let mut writer = self.writer(Durability::Deferred).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        let Some(open) = open_gap_in(&mut tx, camera, stream).await? else {
            return Ok(None);
        };
        let closed = (end > open.start).then_some(Gap { end: Some(end), ..open });
        let statement = if closed.is_some() {
            sqlx::query("UPDATE gaps SET end_wall_ns = ?3 WHERE camera_id = ?1 AND stream = ?2 AND end_wall_ns IS NULL")
                .bind(camera.as_bytes().as_slice())
                .bind(names::stream_code(stream))
                .bind(end.0)
        } else {
            sqlx::query("DELETE FROM gaps WHERE camera_id = ?1 AND stream = ?2 AND end_wall_ns IS NULL")
                .bind(camera.as_bytes().as_slice())
                .bind(names::stream_code(stream))
        };
        statement.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(closed)
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
        let mut writer = self.writer(Durability::Deferred).await?;
        // An open gap stays open: max() of nothing and something is nothing.
        sqlx::query(
            "INSERT INTO gaps (camera_id, stream, start_wall_ns, cause, end_wall_ns) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (camera_id, stream, start_wall_ns, cause)
             DO UPDATE SET end_wall_ns = max(end_wall_ns, excluded.end_wall_ns)",
        )
        .bind(gap.camera.as_bytes().as_slice())
        .bind(names::stream_code(gap.stream))
        .bind(gap.start.0)
        .bind(gap.cause.as_str())
        .bind(end.0)
        .execute(&mut *writer)
        .await?;
        Ok(())
    }

    async fn gaps_in(&self, camera: CameraId, stream: StreamKind, range: WallRange) -> Result<Vec<Gap>, IndexError> {
        // Reads the gaps of the stream up to the end of the range. A gap may last for weeks and have others inside it,
        // so no bound of the start is safe, and a stream has few of them.
        sqlx::query(
            "SELECT camera_id, stream, start_wall_ns, end_wall_ns, cause FROM gaps
             WHERE camera_id = ?1 AND stream = ?2 AND start_wall_ns < ?4 AND (end_wall_ns IS NULL OR end_wall_ns > ?3)
             ORDER BY start_wall_ns, cause",
        )
        .bind(camera.as_bytes().as_slice())
        .bind(names::stream_code(stream))
        .bind(range.start.0)
        .bind(range.end.0)
        .fetch_all(&self.readers)
        .await?
        .iter()
        .map(gap)
        .collect()
    }

    async fn open_gap_of(&self, camera: CameraId, stream: StreamKind) -> Result<Option<Gap>, IndexError> {
        let mut reader = self.readers.acquire().await?;
        open_gap_in(&mut reader, camera, stream).await
    }
}

async fn open_gap_in(
    connection: &mut SqliteConnection,
    camera: CameraId,
    stream: StreamKind,
) -> Result<Option<Gap>, IndexError> {
    let row = sqlx::query(
        "SELECT camera_id, stream, start_wall_ns, end_wall_ns, cause FROM gaps
         WHERE camera_id = ?1 AND stream = ?2 AND end_wall_ns IS NULL",
    )
    .bind(camera.as_bytes().as_slice())
    .bind(names::stream_code(stream))
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(gap).transpose()
}

fn gap(row: &SqliteRow) -> Result<Gap, IndexError> {
    let end: Option<i64> = row.try_get("end_wall_ns")?;
    Ok(Gap {
        camera: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        stream: rows::stream(row)?,
        start: rows::wall(row, "start_wall_ns")?,
        end: end.map(WallTime),
        cause: rows::named(row, "cause", GapCause::from_name)?,
    })
}
