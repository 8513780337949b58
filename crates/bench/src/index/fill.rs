//! Rows in bulk, past the contract: each as the server would have left it, in the order in which it would have come.
//!
//! The tables, and all about them, were made by the product itself; this knows their columns and codes, and keeps by
//! hand what triggers keep otherwise. What is slow about safety is left out: a fill that was cut off is thrown away.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use minhbach_model::{Gap, Segment, StreamKind, Tier, WallTime};
use sqlx::postgres::PgConnectOptions;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, Sqlite, SqliteConnection};

use super::plan::Plan;
use crate::{Outcome, failed};

/// Rows of one statement in SQLite: 10 values each, of 32,766 that a statement may have.
const STATEMENT: usize = 512;
/// Rows of one transaction; a multiple of the above, so that statements are prepared once.
const TRANSACTION: usize = 200 * STATEMENT;
/// Page cache of SQLite while filling, negative for KiB: what a transaction changes is written once, at its end.
const CACHE_SIZE: &str = "-524288";
/// The trigger that counts each row in SQLite.
const COUNTING: &str = "segments_inserted";
/// Bytes of a message to PostgreSQL.
const MESSAGE: usize = 1 << 18;
/// Between two lines of progress.
const LINE: Duration = Duration::from_secs(5);

/// What was put into an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Segments.
    pub segments: u64,
    /// Their bytes of media.
    pub bytes: u64,
}

impl Sums {
    /// Counts a segment.
    pub fn count(&mut self, segment: &Segment) {
        self.segments += 1;
        self.bytes += segment.bytes;
    }

    /// Counts what another counted.
    pub fn add(&mut self, other: Self) {
        self.segments += other.segments;
        self.bytes += other.bytes;
    }
}

/// The one connection to a database that is being filled; nobody else uses it meanwhile.
pub enum Filler {
    /// To an SQLite file.
    Sqlite {
        /// The connection.
        connection: SqliteConnection,
        /// The statement that makes the trigger that was taken away.
        counting: String,
    },
    /// To a PostgreSQL database.
    Postgres(PgConnection),
}

impl Filler {
    /// Begins to fill the SQLite file of an index that is closed.
    pub async fn sqlite(path: &Path) -> Outcome<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .pragma("cache_size", CACHE_SIZE);
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed("open the file"))?;
        // It runs for each row, and makes SQLite put the rows of a statement aside before it inserts the first.
        let row = sqlx::query("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?1")
            .bind(COUNTING)
            .fetch_one(&mut connection)
            .await
            .map_err(failed("the trigger that counts"))?;
        let counting = row.try_get("sql").map_err(failed("the trigger that counts"))?;
        execute_sqlite(&mut connection, format!("DROP TRIGGER {COUNTING}")).await?;
        Ok(Self::Sqlite { connection, counting })
    }

    /// Begins to fill the PostgreSQL database of an index that is closed.
    pub async fn postgres(url: &str) -> Outcome<Self> {
        let options: PgConnectOptions = url.parse().map_err(failed("address of the database"))?;
        // A replica runs no triggers: one of them takes a lock for each row, more than a transaction can have.
        let options = options.options([("synchronous_commit", "off"), ("session_replication_role", "replica")]);
        let connection = PgConnection::connect_with(&options).await.map_err(failed("connect to the database"))?;
        Ok(Self::Postgres(connection))
    }

    /// Adds those files of all streams, and tells on standard error how far it is.
    pub async fn fill(&mut self, plan: &Plan, files: Range<u32>) -> Outcome<Sums> {
        let mut progress = Progress::new(plan.streams.len() as u64 * u64::from(files.end - files.start));
        let (mut all, mut sums) = (Sums::default(), Sums::default());
        let (mut segments, mut gaps) = (Vec::with_capacity(TRANSACTION), Vec::new());
        for file in files {
            for stream in &plan.streams {
                let segment = plan.segment(stream, file);
                sums.count(&segment);
                segments.push(segment);
                gaps.extend(plan.gap(stream, file));
                if segments.len() >= TRANSACTION {
                    self.write(&segments, &gaps, sums).await?;
                    progress.count(sums.segments);
                    all.add(std::mem::take(&mut sums));
                    segments.clear();
                    gaps.clear();
                }
            }
        }
        if !segments.is_empty() {
            self.write(&segments, &gaps, sums).await?;
            all.add(sums);
        }
        progress.end();
        Ok(all)
    }

    /// Lets what was told as recorded, and begins before then, have reached the archive.
    pub async fn archive_before(&mut self, at: WallTime) -> Outcome {
        let error = failed("move into the archive");
        match self {
            Self::Sqlite { connection, .. } => {
                sqlx::query("UPDATE segments SET tier = 1 WHERE tier = 0 AND state <> 0 AND start_wall_ns < ?1")
                    .bind(at.0)
                    .execute(connection)
                    .await
                    .map_err(error)?;
            }
            Self::Postgres(connection) => {
                sqlx::query("UPDATE segments SET tier = 1 WHERE tier = 0 AND start_wall_ns < $1")
                    .bind(at.0)
                    .execute(&mut *connection)
                    .await
                    .map_err(&error)?;
                sqlx::query("DELETE FROM spool WHERE start_wall_ns < $1")
                    .bind(at.0)
                    .execute(connection)
                    .await
                    .map_err(error)?;
            }
        }
        Ok(())
    }

    /// Leaves the database as it would have become by itself, and closes the connection.
    pub async fn end(self) -> Outcome {
        match self {
            Self::Sqlite { mut connection, counting } => {
                execute_sqlite(&mut connection, counting).await?;
                connection.close().await.map_err(failed("close the file"))
            }
            Self::Postgres(mut connection) => {
                // What autovacuum does all the time while rows come slowly.
                sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut connection).await.map_err(failed("vacuum"))?;
                connection.close().await.map_err(failed("close the connection"))
            }
        }
    }

    async fn write(&mut self, segments: &[Segment], gaps: &[Gap], sums: Sums) -> Outcome {
        let sums = [signed(sums.segments)?, signed(sums.bytes)?];
        match self {
            Self::Sqlite { connection, .. } => write_sqlite(connection, segments, gaps, sums).await,
            Self::Postgres(connection) => write_postgres(connection, segments, gaps, sums).await,
        }
    }
}

async fn execute_sqlite(connection: &mut SqliteConnection, statement: String) -> Outcome {
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await;
    done.map(|_| ()).map_err(failed("the trigger that counts"))
}

async fn write_sqlite(
    connection: &mut SqliteConnection,
    segments: &[Segment],
    gaps: &[Gap],
    sums: [i64; 2],
) -> Outcome {
    let error = failed("fill");
    let mut tx = connection.begin().await.map_err(&error)?;
    for rows in segments.chunks(STATEMENT) {
        // Not numbered: the name of a numbered parameter is looked for among all others. 1 is closed.
        let mut statement = "INSERT INTO segments (camera_id, stream, start_wall_ns, segment_id, end_wall_ns,
                storage_key, bytes, video_samples, audio_samples, state, tier) VALUES "
            .to_owned();
        statement.push_str(&vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)"; rows.len()].join(","));
        let mut query: Query<'_, Sqlite, SqliteArguments> = sqlx::query(AssertSqlSafe(statement));
        for row in rows {
            query = query
                .bind(row.camera.as_bytes().as_slice())
                .bind(i64::from(stream_code(row.stream)))
                .bind(row.range.start.0)
                .bind(row.id.as_bytes().as_slice())
                .bind(row.range.end.0)
                .bind(row.key.as_str())
                .bind(signed(row.bytes)?)
                .bind(signed(row.video_samples)?)
                .bind(signed(row.audio_samples)?)
                .bind(i64::from(tier_code(row.tier)));
        }
        query.execute(&mut *tx).await.map_err(&error)?;
    }
    for gap in gaps {
        sqlx::query(
            "INSERT INTO gaps (camera_id, stream, start_wall_ns, cause, end_wall_ns) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(gap.camera.as_bytes().as_slice())
        .bind(i64::from(stream_code(gap.stream)))
        .bind(gap.start.0)
        .bind(gap.cause.as_str())
        .bind(gap.end.map(|end| end.0))
        .execute(&mut *tx)
        .await
        .map_err(&error)?;
    }
    sqlx::query("UPDATE segment_totals SET segments = segments + ?1, bytes = bytes + ?2 WHERE one = 1")
        .bind(sums[0])
        .bind(sums[1])
        .execute(&mut *tx)
        .await
        .map_err(&error)?;
    tx.commit().await.map_err(error)
}

async fn write_postgres(connection: &mut PgConnection, segments: &[Segment], gaps: &[Gap], sums: [i64; 2]) -> Outcome {
    let error = failed("fill");
    let (mut rows, mut spooled, mut missing) = (Rows::new(), Rows::new(), Rows::new());
    for row in segments {
        rows.begin(11).uuid(row.camera.as_bytes()).int2(stream_code(row.stream)).int8(row.range.start.0);
        rows.uuid(row.id.as_bytes()).int8(row.range.end.0).text(&row.key)?.int8(signed(row.bytes)?);
        rows.int8(signed(row.video_samples)?).int8(signed(row.audio_samples)?).int2(1).int2(tier_code(row.tier));
        if row.tier == Tier::Spool {
            spooled.begin(5).int8(row.range.end.0).uuid(row.id.as_bytes()).uuid(row.camera.as_bytes());
            spooled.int2(stream_code(row.stream)).int8(row.range.start.0);
        }
    }
    for gap in gaps {
        let end = gap.end.ok_or("a gap that is filled in has an end")?;
        missing.begin(5).uuid(gap.camera.as_bytes()).int2(stream_code(gap.stream)).int8(gap.start.0);
        missing.text(gap.cause.as_str())?.int8(end.0);
    }
    let copies = [
        (
            rows,
            "COPY segments (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes,
                            video_samples, audio_samples, state, tier) FROM STDIN (FORMAT binary)",
        ),
        (spooled, "COPY spool (end_wall_ns, segment_id, camera_id, stream, start_wall_ns) FROM STDIN (FORMAT binary)"),
        (missing, "COPY gaps (camera_id, stream, start_wall_ns, cause, end_wall_ns) FROM STDIN (FORMAT binary)"),
    ];
    let mut tx = connection.begin().await.map_err(&error)?;
    for (rows, statement) in copies {
        let mut copy = tx.copy_in_raw(statement).await.map_err(&error)?;
        for part in rows.end().chunks(MESSAGE) {
            copy.send(part).await.map_err(&error)?;
        }
        copy.finish().await.map_err(&error)?;
    }
    // Any of the sixteen: their sum counts.
    sqlx::query("UPDATE segment_totals SET segments = segments + $1, bytes = bytes + $2 WHERE shard = 0")
        .bind(sums[0])
        .bind(sums[1])
        .execute(&mut *tx)
        .await
        .map_err(&error)?;
    tx.commit().await.map_err(error)
}

/// Rows in the binary format of PostgreSQL's COPY (its manual, COPY, "Binary Format").
struct Rows(Vec<u8>);

impl Rows {
    fn new() -> Self {
        // The signature, no flags, no extension.
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        bytes.extend([0; 8]);
        Self(bytes)
    }

    fn begin(&mut self, fields: i16) -> &mut Self {
        self.0.extend(fields.to_be_bytes());
        self
    }

    fn int2(&mut self, value: i16) -> &mut Self {
        self.0.extend(2_i32.to_be_bytes());
        self.0.extend(value.to_be_bytes());
        self
    }

    fn int8(&mut self, value: i64) -> &mut Self {
        self.0.extend(8_i32.to_be_bytes());
        self.0.extend(value.to_be_bytes());
        self
    }

    fn uuid(&mut self, value: &[u8; 16]) -> &mut Self {
        self.0.extend(16_i32.to_be_bytes());
        self.0.extend(value);
        self
    }

    fn text(&mut self, value: &str) -> Outcome<&mut Self> {
        self.0.extend(i32::try_from(value.len()).map_err(failed("a text that is too long"))?.to_be_bytes());
        self.0.extend(value.as_bytes());
        Ok(self)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend((-1_i16).to_be_bytes());
        self.0
    }
}

/// As both databases keep it: never given another meaning.
fn stream_code(stream: StreamKind) -> i16 {
    match stream {
        StreamKind::Main => 0,
        StreamKind::Sub => 1,
    }
}

/// As both databases keep it: never given another meaning.
fn tier_code(tier: Tier) -> i16 {
    match tier {
        Tier::Spool => 0,
        Tier::Archive => 1,
    }
}

/// A count as the databases keep it.
fn signed(count: u64) -> Outcome<i64> {
    i64::try_from(count).map_err(failed("a count that is too large"))
}

/// How far a fill is, on standard error.
struct Progress {
    total: u64,
    done: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    fn new(total: u64) -> Self {
        Self { total, done: 0, began: Instant::now(), told: Instant::now() }
    }

    fn count(&mut self, rows: u64) {
        self.done += rows;
        if self.told.elapsed() < LINE {
            return;
        }
        self.told = Instant::now();
        let (done, total, rate) = (self.done, self.total, self.rate());
        let left_secs = total.saturating_sub(done) / rate.max(1);
        eprintln!("{done} of {total} rows, {rate} rows/s, {} min {} s left", left_secs / 60, left_secs % 60);
    }

    fn end(&mut self) {
        self.done = self.total;
        eprintln!("{} rows in {} s, {} rows/s", self.done, self.began.elapsed().as_secs(), self.rate());
    }

    fn rate(&self) -> u64 {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.done.saturating_mul(1000) / ms.max(1)
    }
}
