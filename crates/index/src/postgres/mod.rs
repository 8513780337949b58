//! The index on PostgreSQL: for an installation that has outgrown one machine, and for one that has a database anyway.
//!
//! Here: opening, migrations, closing. Each noun has a file of its own with its queries; [`connections`] says how a
//! call that gets no answer ends.
//!
//! **One statement a call.** A call is whole or not at all, whenever its future is dropped or its connection is lost,
//! without a transaction left open between two round trips. Moves between tables are one statement too.
//!
//! **Everything is synced.** With SQLite the database ends with the process; a PostgreSQL may be killed while the
//! server lives on, and with `synchronous_commit = off` it would forget what this program takes for kept: a segment
//! that it never heard closed would be listed as being recorded until the next start. At a thousand cameras these are
//! some seventy commits a second, which a database on a disk of its own, and commits of several connections in one
//! sync, stand easily.
//!
//! **Segments are three tables**, for 259 million rows (1,000 cameras x 2 streams x 90 days): the few being recorded,
//! which are changed every second and are small; those that are closed, which come once and go once; those whose files
//! are being deleted. So the large table is next to never updated, its key can carry the end of the segment, and a
//! timeline reads the key alone. A view puts the first two together, and a trigger holds that a storage key is in one
//! of the three at most.
//!
//! **Not partitioned by time.** Dropping a partition is the cheap way to delete what is old, and here it is not open:
//! what is old goes camera by camera, each with its own promise, holds stay in between, and each row is written into
//! the journal. A unique storage key over partitions would have to contain the start as well, and every question by
//! key would ask each partition. The B-trees stand the inserts: a stream writes at its own end of them, so the pages
//! written to are as many as there are streams, whatever is kept.
//!
//! Holds and deletions meet in the database: a hold that was set before a marking begins is obeyed by it. One set at
//! the same instant comes before it or after it, as anywhere.

mod archive;
mod cameras;
mod connections;
mod gaps;
mod holds;
mod incidents;
mod places;
mod retention;
mod rows;
mod segments;

use std::time::Duration;

use async_trait::async_trait;
use minhbach_model::WallTime;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, Row, SqlSafeStr};
use uuid::Uuid;

use self::connections::{Connections, Patience};
use crate::{Index, IndexError};

/// Connections that read; more callers wait their turn.
const READERS: u32 = 8;
/// Connections that write. Apart from the others, so that what is recorded does not wait for who looks at it.
const WRITERS: u32 = 4;
/// How long a new connection may take when the index is opened.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for calls that are still under way when the index is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// What connections are called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "minhbach-server";
/// Oldest PostgreSQL this works with, as `server_version_num`: 13 vacuums tables that are only inserted into.
const SERVER_VERSION_MIN: i32 = 130_000;

/// An index in a PostgreSQL database.
pub struct PostgresIndex {
    readers: Connections,
    writers: Connections,
    database_id: Uuid,
    generation: u64,
}

/// Every version of the schema, oldest first. Listed by hand so that a build notices a change of any of them.
fn migrations() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![migration(1, "initial", include_str!("../../migrations/postgres/0001_initial.sql"))])
}

impl PostgresIndex {
    /// Opens the database at `postgres://user:password@host:port/database` (parameters as libpq has them, such as
    /// `sslmode=verify-full`) and brings it to this version. The database must be there, be in UTF-8, and belong to the
    /// user. `now` is the time of creation of a new one.
    ///
    /// # Errors
    /// `Invalid` for an address that is none, `Unavailable` when the database cannot be reached, `Incompatible` when a
    /// newer version of the program made it, or its server is too old or its encoding another.
    pub async fn open(url: &str, now: WallTime) -> Result<Self, IndexError> {
        Self::open_with(url, now, Patience::USUAL).await
    }

    async fn open_with(url: &str, now: WallTime, patience: Patience) -> Result<Self, IndexError> {
        let options: PgConnectOptions = url
            .parse()
            .map_err(|error: sqlx::Error| IndexError::invalid("address of the database", error.to_string()))?;
        // Compiling a plan (`jit`) costs more than any statement here.
        let options = options.application_name(APPLICATION_NAME).options([
            ("synchronous_commit", "on"),
            ("lock_timeout", "5s"),
            ("jit", "off"),
        ]);
        check_server(&options).await?;
        migrate(options.clone()).await?;

        let options = options.options([("statement_timeout", "10s")]);
        // No reader may write, not even by mistake.
        let read_options = options.clone().options([("default_transaction_read_only", "on")]);
        let writers = Connections::open(options.clone(), WRITERS, patience).await?;
        let (database_id, generation) = identify(&writers, now).await?;
        let readers = Connections::open(read_options, READERS, patience).await?;
        // Its parts and never its address, which holds the password.
        let (host, port, database) = (options.get_host(), options.get_port(), options.get_database());
        tracing::info!(%database_id, generation, host, port, database, "index opened");
        Ok(Self { readers, writers, database_id, generation })
    }
}

#[async_trait]
impl Index for PostgresIndex {
    fn database_id(&self) -> Uuid {
        self.database_id
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    async fn sync(&self) -> Result<(), IndexError> {
        // Each call was synced before it returned.
        Ok(())
    }

    async fn close(&self) -> Result<(), IndexError> {
        // Nothing is left to write: each call was synced before it returned.
        for connections in [&self.readers, &self.writers] {
            if tokio::time::timeout(CLOSE_TIMEOUT, connections.close()).await.is_err() {
                tracing::warn!(database_id = %self.database_id, "connections to the index did not close in time");
            }
        }
        tracing::info!(database_id = %self.database_id, "index closed");
        Ok(())
    }
}

/// Refuses a server or a database that cannot keep what is given. The first connection: what it fails with says why.
async fn check_server(options: &PgConnectOptions) -> Result<(), IndexError> {
    let check = async {
        let mut connection = PgConnection::connect_with(options).await?;
        let row = sqlx::query(
            "SELECT current_setting('server_version_num')::INTEGER AS version,
                    current_setting('server_encoding') AS encoding",
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>((row.try_get::<i32, _>("version")?, row.try_get::<String, _>("encoding")?))
    };
    let (version, encoding) = tokio::time::timeout(CONNECT_TIMEOUT, check)
        .await
        .map_err(|_| IndexError::Unavailable("the database did not answer in time".into()))??;
    if version < SERVER_VERSION_MIN {
        return Err(IndexError::Incompatible(format!("the server is version {version}, 130000 is needed").into()));
    }
    if encoding != "UTF8" {
        return Err(IndexError::Incompatible(format!("the database is encoded in {encoding}, not in UTF8").into()));
    }
    Ok(())
}

async fn migrate(options: PgConnectOptions) -> Result<(), IndexError> {
    // Without a limit for a statement: a migration may have to read all there is.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
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
async fn identify(writers: &Connections, now: WallTime) -> Result<(Uuid, u64), IndexError> {
    let statement = sqlx::query(
        "INSERT INTO meta (one, database_id, generation, created_wall_ns) VALUES (1, $1, 1, $2)
         ON CONFLICT (one) DO UPDATE SET generation = meta.generation + 1
         RETURNING database_id, generation",
    )
    .bind(Uuid::now_v7())
    .bind(now.0);
    let row = writers.one(statement).await?;
    Ok((row.try_get("database_id")?, rows::count(&row, "generation")?))
}

#[cfg(test)]
mod tests;
