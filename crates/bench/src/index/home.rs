//! The databases of a run: an SQLite file, or a PostgreSQL started for it, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minhbach_index::{Index, PostgresIndex, SqliteIndex};
use minhbach_model::WallTime;
use minhbach_testkit::postgres::{Durability, Postgres, exists_for_user};
use sqlx::{Connection, PgConnection, Row};
use tempfile::TempDir;

use super::fill::Filler;
use super::refused;
use crate::{Outcome, failed};

/// Bytes a row takes, in all tables and indexes, as asked for beforehand; with some room, as no fill is to end on a
/// full disk. What it really took is among the figures.
const ROW_BYTES: u64 = 600;
/// Asked for besides: logs of the database, rows that come while it is measured, and what others need.
const SPARE_BYTES: u64 = 2 << 30;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In a file.
    Sqlite,
    /// A server of its own.
    Postgres,
}

impl Kind {
    /// As in figures and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A database of a run.
pub struct Home {
    /// Ended before its folder goes.
    server: Option<Postgres>,
    dir: TempDir,
}

impl Home {
    /// Makes one below a folder, without a schema. It is meant to be filled: it does not survive a loss of power.
    pub fn new(kind: Kind, parent: &Path) -> Outcome<Self> {
        let dir = tempfile::Builder::new().prefix("minhbach-bench-").tempdir_in(parent);
        let dir = dir.map_err(failed(&format!("make a folder in {}", parent.display())))?;
        let server = match kind {
            Kind::Sqlite => None,
            Kind::Postgres if exists_for_user(dir.path()) => Some(start(dir.path(), Durability::Kill)?),
            Kind::Postgres => {
                let shown = parent.display();
                return Err(format!("PostgreSQL's user cannot get into {shown}: name another folder with --dir"));
            }
        };
        Ok(Self { server, dir })
    }

    /// From here on it keeps what was told as for real data, or only as long as the machine runs. It must not be open.
    pub fn keep(&mut self, durability: Durability) -> Outcome {
        if let Some(mut server) = self.server.take() {
            server.stop().map_err(failed("stop PostgreSQL"))?;
            self.server = Some(start(self.dir.path(), durability)?);
        }
        if durability == Durability::PowerLoss {
            // What was filled in is on the disk before anything is measured.
            rustix::fs::sync();
        }
        Ok(())
    }

    /// Opens it as the server does.
    pub async fn open(&self, now: WallTime) -> Outcome<Arc<dyn Index>> {
        let index: Arc<dyn Index> = match &self.server {
            None => Arc::new(SqliteIndex::open(&self.file(), now).await.map_err(refused("open the index"))?),
            Some(server) => Arc::new(PostgresIndex::open(&server.url(), now).await.map_err(refused("open the index"))?),
        };
        Ok(index)
    }

    /// Begins to fill it. It must have been opened before, and be closed.
    pub async fn filler(&self) -> Outcome<Filler> {
        match &self.server {
            None => Filler::sqlite(&self.file()).await,
            Some(server) => Filler::postgres(&server.url()).await,
        }
    }

    /// Bytes it takes on the disk, its logs left out. It must be closed.
    pub async fn bytes(&self) -> Outcome<u64> {
        let error = failed("size of the database");
        let Some(server) = &self.server else {
            return std::fs::metadata(self.file()).map(|file| file.len()).map_err(failed("size of the database"));
        };
        let mut connection = PgConnection::connect(&server.url()).await.map_err(&error)?;
        let row = sqlx::query("SELECT pg_database_size(current_database()) AS bytes")
            .fetch_one(&mut connection)
            .await
            .map_err(&error)?;
        let bytes: i64 = row.try_get("bytes").map_err(&error)?;
        connection.close().await.map_err(error)?;
        u64::try_from(bytes).map_err(failed("size of the database"))
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("index.sqlite")
    }
}

fn start(dir: &Path, durability: Durability) -> Outcome<Postgres> {
    Postgres::start_in(dir, "khong-phai-bi-mat", durability).map_err(failed("start PostgreSQL"))
}

/// Refuses when a folder has too little room for so many rows.
pub fn check_room(dir: &Path, rows: u64) -> Outcome {
    let stat = rustix::fs::statvfs(dir).map_err(failed(&format!("room in {}", dir.display())))?;
    enough_room(dir, rows, stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn enough_room(dir: &Path, rows: u64, available_bytes: u64) -> Outcome {
    let needed_bytes = rows.saturating_mul(ROW_BYTES).saturating_add(SPARE_BYTES);
    if available_bytes >= needed_bytes {
        return Ok(());
    }
    let gigabytes = |bytes: u64| bytes.div_ceil(1_000_000_000);
    Err(format!(
        "{rows} rows of some {ROW_BYTES} bytes need {} GB, and {} has {} GB left: name a folder on a larger disk with \
         --dir, or take fewer --cameras or --days",
        gigabytes(needed_bytes),
        dir.display(),
        available_bytes / 1_000_000_000
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_too_little_room_is_refused_with_what_to_do() {
        let rows = 259_200_000;
        let needed = rows * ROW_BYTES + SPARE_BYTES;
        assert_eq!(enough_room(Path::new("/somewhere"), rows, needed), Ok(()));
        let refused = enough_room(Path::new("/somewhere"), rows, needed - 1).expect_err("a byte is missing");
        assert!(refused.contains("/somewhere") && refused.contains("--dir") && refused.contains("158 GB"), "{refused}");
    }
}
