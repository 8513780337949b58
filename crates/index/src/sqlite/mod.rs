//! The index on SQLite: one file, one writer, a few readers.
//!
//! Here: opening, migrations, the two kinds of connection. Each noun has a file of its own with its queries.
//!
//! Write-ahead log, so readers do not wait for the writer. All writes go through one connection behind a lock: SQLite
//! has one writer anyway, and a lock is fair where its busy handler sleeps and tries again.
//!
//! What a power loss may lose: cameras, places, incidents, holds and the journal of deletions exist only here, so their
//! transactions are synced before they return (`synchronous = FULL`), and so is what becomes of a closed segment.
//! Opening and closing a segment or a gap is not synced (`NORMAL`): at a thousand cameras that would be some seventy
//! syncs a second, on a disk that has footage to write. One sync of the log each second covers everything before it
//! ([`Index::sync`]). Progress of segments is written every ten seconds ([`growing`]): the files tell it as well. So a power loss
//! costs what happened since the last sync, and the segments among it are made true from their files. The database is never
//! damaged by it.

mod archive;
mod cameras;
mod gaps;
mod growing;
mod holds;
mod incidents;
mod places;
mod retention;
mod rows;
mod segments;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use minhbach_model::WallTime;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlSafeStr, SqliteConnection, SqlitePool};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use uuid::Uuid;

use self::growing::Growing;
use crate::{Index, IndexError, SegmentIndex};

/// Readers at a time; more wait their turn. SQLite reads are short and come from the page cache.
const READERS: u32 = 4;
/// How long a call waits for a reader before it is `Unavailable`.
const READER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a lock another process holds on the file, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Page cache of a connection, negative for KiB. Two thousand streams write to as many pages of 4 KiB in two trees.
const CACHE_SIZE: &str = "-65536";
/// Takes the write lock at once: a transaction that reads first cannot find it taken later.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// An index in an SQLite file.
pub struct SqliteIndex {
    readers: SqlitePool,
    /// `None` once closed.
    writer: Mutex<Option<Writer>>,
    growing: Growing,
    /// Something was written that is not synced yet.
    unsynced: AtomicBool,
    database_id: Uuid,
    generation: u64,
}

/// The one connection that writes.
struct Writer {
    connection: SqliteConnection,
    /// What the connection is set to; `None` while that is being changed.
    durability: Option<Durability>,
}

/// When a write is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// Before the call returns.
    Synced,
    /// With the next synced write.
    Deferred,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Self::Synced => "PRAGMA synchronous = FULL",
            Self::Deferred => "PRAGMA synchronous = NORMAL",
        }
    }
}

/// Every version of the schema, oldest first. Listed by hand so that a build notices a change of any of them.
fn migrations() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "initial", include_str!("../../migrations/sqlite/0001_initial.sql")),
        migration(2, "archive", include_str!("../../migrations/sqlite/0002_archive.sql")),
    ])
}

impl SqliteIndex {
    /// Opens the database in the file, made when it is not there (its folder must be), and brings it to this version.
    /// `now` is the time of creation of a new one.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be opened or written, `Corrupt` when it is no database or a damaged one,
    /// `Incompatible` when a newer version of the program made it.
    pub async fn open(path: &Path, now: WallTime) -> Result<Self, IndexError> {
        create_private(path).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("cache_size", CACHE_SIZE);
        let write_options = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .thread_name(|id| format!("index-write-{id}"));
        // No reader may write, not even by mistake.
        let read_options = options.pragma("query_only", "ON").thread_name(|id| format!("index-read-{id}"));

        migrate(write_options.clone()).await?;
        let mut connection = SqliteConnection::connect_with(&write_options).await?;
        let (database_id, generation) = identify(&mut connection, now).await?;
        // Without lifetimes and idle limits the pool needs no task of its own, and statements stay prepared.
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(READER_TIMEOUT)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .test_before_acquire(false)
            .connect_with(read_options)
            .await?;
        tracing::info!(%database_id, generation, path = %path.display(), "index opened");
        let writer = Writer { connection, durability: Some(Durability::Synced) };
        let growing = Growing::default();
        let unsynced = AtomicBool::new(false);
        let index = Self { readers, writer: Mutex::new(Some(writer)), growing, unsynced, database_id, generation };
        // Left behind by a process that ended without closing them.
        for segment in index.recording_segments().await? {
            index.growing.begin(&segment);
        }
        Ok(index)
    }

    /// The connection that writes, set to the durability asked for.
    async fn writer(&self, durability: Durability) -> Result<MappedMutexGuard<'_, SqliteConnection>, IndexError> {
        let guard = self.writer.lock().await;
        let mut writer = MutexGuard::try_map(guard, |slot| slot.as_mut()).map_err(|_| IndexError::closed())?;
        if durability == Durability::Deferred {
            self.unsynced.store(true, Ordering::Relaxed);
        }
        if writer.durability != Some(durability) {
            // Unknown until the change is through: this future may be dropped while it waits.
            writer.durability = None;
            sqlx::query(durability.pragma()).execute(&mut writer.connection).await?;
            writer.durability = Some(durability);
        }
        Ok(MappedMutexGuard::map(writer, |writer| &mut writer.connection))
    }
}

#[async_trait]
impl Index for SqliteIndex {
    fn database_id(&self) -> Uuid {
        self.database_id
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    async fn sync(&self) -> Result<(), IndexError> {
        if !self.unsynced.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut writer = self.writer(Durability::Synced).await?;
        // SQLite syncs with a transaction that writes something: this is the smallest, and nothing else uses it. It writes
        // its page whatever the value is.
        sqlx::query("PRAGMA user_version = 1").execute(&mut *writer).await?;
        // Only once it is done, so that a failure is tried again; the next deferred write waits for the writer.
        self.unsynced.store(false, Ordering::Relaxed);
        Ok(())
    }

    async fn close(&self) -> Result<(), IndexError> {
        if !self.readers.is_closed() {
            self.write_progress(&self.growing.all()).await?;
        }
        let writer = self.writer.lock().await.take();
        // Readers first: the last connection to go writes the log back into the file.
        self.readers.close().await;
        if let Some(writer) = writer {
            writer.connection.close().await?;
            tracing::info!(database_id = %self.database_id, "index closed");
        }
        Ok(())
    }
}

/// Makes the file readable by its owner only, as it holds passwords; SQLite gives its log files the same mode.
async fn create_private(path: &Path) -> Result<(), IndexError> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await.map_err(|error| IndexError::Unavailable(Box::new(error)))?;
    Ok(())
}

async fn migrate(options: SqliteConnectOptions) -> Result<(), IndexError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .connect_with(options)
        .await?;
    let result = migrations().run(&pool).await;
    pool.close().await;
    result.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => IndexError::Incompatible(Box::new(other)),
    })
}

/// Gives a new database its id, counts this opening, and returns both.
async fn identify(connection: &mut SqliteConnection, now: WallTime) -> Result<(Uuid, u64), IndexError> {
    let mut tx = connection.begin_with(BEGIN_WRITE).await?;
    sqlx::query(
        "INSERT INTO meta (one, database_id, generation, created_wall_ns) VALUES (1, ?1, 1, ?2)
         ON CONFLICT (one) DO UPDATE SET generation = generation + 1",
    )
    .bind(Uuid::now_v7().as_bytes().as_slice())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query("SELECT database_id, generation FROM meta WHERE one = 1").fetch_one(&mut *tx).await?;
    let id = Uuid::from_bytes(rows::id_bytes(&row, "database_id")?);
    let generation = rows::count(&row, "generation")?;
    tx.commit().await?;
    Ok((id, generation))
}

#[cfg(test)]
mod tests;
