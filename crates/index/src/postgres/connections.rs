//! Connections to the database, and how long anything waits for it.
//!
//! Architecture invariant: no call waits without an end, and none holds a connection after it. A server that is gone is
//! noticed at once; one that is frozen, or behind a cable that was cut, says nothing at all, so each call has a time of
//! its own. A connection whose call did not come to its end is closed and not used again: what is still to come over it
//! belongs to nobody. Who calls is told `Unavailable` and asks again; nothing is tried twice here.

use std::io;
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{PgPool, Postgres};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::IndexError;

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// How long a call waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a connection, tried and found to live.
    pub(super) acquire: Duration,
    /// For the whole answer. Longer than what the server itself allows a statement.
    pub(super) answer: Duration,
}

impl Patience {
    pub(super) const USUAL: Self = Self { acquire: Duration::from_secs(5), answer: Duration::from_secs(15) };
}

/// A limited number of connections that are all set up alike.
pub(super) struct Connections {
    pool: PgPool,
    patience: Patience,
}

impl Connections {
    pub(super) async fn open(options: PgConnectOptions, max: u32, patience: Patience) -> Result<Self, sqlx::Error> {
        // Without lifetimes and idle limits the pool needs no task of its own, and statements stay prepared. Trying a
        // connection before it is used costs a round trip and spares the first calls after a restart of the server.
        let pool = PgPoolOptions::new()
            .max_connections(max)
            .acquire_timeout(patience.acquire)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .test_before_acquire(true)
            .connect_with(options)
            .await?;
        Ok(Self { pool, patience })
    }

    /// Every row.
    pub(super) async fn all(&self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut lease = self.lease().await?;
        let answer = timeout(self.patience.answer, statement.fetch_all(&mut *lease.connection)).await;
        lease.settle(answer)
    }

    /// The first row, if there is one.
    pub(super) async fn optional(&self, statement: Statement<'_>) -> Result<Option<PgRow>, sqlx::Error> {
        let mut lease = self.lease().await?;
        let answer = timeout(self.patience.answer, statement.fetch_optional(&mut *lease.connection)).await;
        lease.settle(answer)
    }

    /// The row of a statement that always has one.
    pub(super) async fn one(&self, statement: Statement<'_>) -> Result<PgRow, sqlx::Error> {
        self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// How many rows were changed.
    pub(super) async fn execute(&self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        let mut lease = self.lease().await?;
        let answer = timeout(self.patience.answer, statement.execute(&mut *lease.connection)).await;
        lease.settle(answer).map(|done| done.rows_affected())
    }

    /// Gives each row to `take` as it comes, so that many of them are never held at once.
    pub(super) async fn each(
        &self,
        statement: Statement<'_>,
        mut take: impl FnMut(&PgRow) -> Result<(), IndexError> + Send,
    ) -> Result<(), IndexError> {
        let mut lease = self.lease().await?;
        let answer = timeout(self.patience.answer, async {
            let mut found = statement.fetch(&mut *lease.connection);
            while let Some(row) = found.try_next().await? {
                take(&row)?;
            }
            Ok::<_, IndexError>(())
        })
        .await;
        lease.settle(answer)
    }

    /// Closes all connections, those in use when they come back.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Connections nobody uses at the moment.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.pool.num_idle()
    }

    async fn lease(&self) -> Result<Lease, sqlx::Error> {
        Ok(Lease { connection: self.pool.acquire().await?, settled: false })
    }
}

/// A connection that goes back when its call has come to an end, and is closed when it has not: when the call took too
/// long, or who waited for it was ended.
struct Lease {
    connection: PoolConnection<Postgres>,
    settled: bool,
}

impl Lease {
    fn settle<T, E: From<sqlx::Error>>(mut self, answer: Result<Result<T, E>, Elapsed>) -> Result<T, E> {
        self.settled = answer.is_ok();
        answer.unwrap_or_else(|_| {
            let late = io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time");
            Err(sqlx::Error::Io(late).into())
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.settled {
            // Would else be tried before it goes back, for as long as TCP is patient.
            self.connection.close_on_drop();
        }
    }
}
