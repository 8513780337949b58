//! The suite on a real PostgreSQL, a database for each promise, and what only PostgreSQL does.
//!
//! The databases sort as Vietnamese does, so that an order left to the database would not be the promised one.

use std::process::Command;
use std::time::Duration;

use futures::future::join_all;
use minhbach_model::{
    Camera, CameraDraft, CameraId, DeletionReason, Secret, Segment, SegmentId, SegmentState, StreamKind, StreamSource,
    Tier, WallRange, WallTime,
};
use minhbach_testkit::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::connections::Patience;
use super::segments::{TIMELINE, bind_range};
use super::{PostgresIndex, READERS};
use crate::{ArchiveIndex, CameraIndex, Index, IndexErrorKind, SegmentIndex, SegmentProgress, conformance};

const START_S: i64 = 1_795_503_600;

fn server() -> Postgres {
    Postgres::start().expect("PostgreSQL starts: `cargo xtask setup` installs it")
}

/// Runs statements on a database.
async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
}

async fn database(server: &Postgres, name: &str) -> String {
    let sorted = "LOCALE_PROVIDER icu ICU_LOCALE 'vi' LOCALE 'C.UTF-8'";
    run(&server.url(), format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {sorted}")).await;
    server.url_of(name)
}

async fn open(url: &str) -> PostgresIndex {
    PostgresIndex::open(url, WallTime(1)).await.expect("it opens")
}

async fn open_impatient(url: &str) -> PostgresIndex {
    let patience = Patience { acquire: Duration::from_secs(3), answer: Duration::from_secs(1) };
    PostgresIndex::open_with(url, WallTime(1), patience).await.expect("it opens")
}

async fn kind_of_opening(url: &str) -> IndexErrorKind {
    PostgresIndex::open(url, WallTime(1)).await.err().expect("it must fail").kind()
}

macro_rules! conforms {
    ($($name:ident),* $(,)?) => {
        #[tokio::test]
        async fn every_promise_is_kept() {
            let server = server();
            $({
                eprintln!("{}", stringify!($name));
                let index = open(&database(&server, stringify!($name)).await).await;
                // Boxed: the futures of all of them would not fit on a stack.
                Box::pin(conformance::$name(&index)).await;
                index.close().await.expect("it closes");
            })*
        }
    };
}

crate::conformance_cases!(conforms);

fn recording(key: &str) -> Segment {
    let at = WallTime::from_secs(START_S);
    Segment {
        id: SegmentId::generate(),
        camera: CameraId::generate(),
        stream: StreamKind::Main,
        range: WallRange { start: at, end: at },
        key: key.to_owned(),
        bytes: 0,
        video_samples: 0,
        audio_samples: 0,
        state: SegmentState::Recording,
        tier: Tier::Spool,
    }
}

fn camera() -> Camera {
    Camera {
        id: CameraId::generate(),
        draft: CameraDraft {
            name: "A".to_owned(),
            contact_point: None,
            main: StreamSource { url: "rtsp://192.0.2.7/main".to_owned() },
            sub: None,
            username: "viewer".to_owned(),
            password: Secret::new("secret"),
        },
        paused: false,
        created: WallTime(1),
    }
}

#[tokio::test]
async fn what_was_kept_is_there_after_the_next_opening_and_the_openings_are_counted() {
    let server = server();
    let url = database(&server, "one").await;
    let first = open(&url).await;
    let segment = recording("v1/a");
    first.open_segment(&segment).await.expect("opened");
    first.close().await.expect("it closes");
    let second = open(&url).await;
    conformance::openings_are_counted(&first, &second).await;
    assert_eq!(second.recording_segments().await.expect("listed"), [segment]);
    second.close().await.expect("it closes");

    let other = open(&database(&server, "other").await).await;
    assert_ne!(other.database_id(), second.database_id());
    other.close().await.expect("it closes");
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let mut server = server();
    assert_eq!(kind_of_opening("no address").await, IndexErrorKind::Invalid);

    let sql = "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'".to_owned();
    run(&server.url(), sql).await;
    assert_eq!(kind_of_opening(&server.url_of("ascii")).await, IndexErrorKind::Incompatible);

    let url = database(&server, "later").await;
    open(&url).await.close().await.expect("it closes");
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'later', TRUE, '\\x00', 0)";
    run(&url, later.to_owned()).await;
    assert_eq!(kind_of_opening(&url).await, IndexErrorKind::Incompatible);

    assert_eq!(kind_of_opening(&server.url_of("not_there")).await, IndexErrorKind::Unavailable);
    server.stop().expect("it ends");
    assert_eq!(kind_of_opening(&url).await, IndexErrorKind::Unavailable);
}

#[tokio::test]
async fn a_database_that_was_killed_comes_back_with_everything_that_was_kept() {
    let mut server = server();
    let index = open_impatient(&database(&server, "killed").await).await;
    let segment = recording("v1/a");
    index.open_segment(&segment).await.expect("opened");
    let camera = camera();
    index.insert_camera(&camera).await.expect("inserted");

    server.kill();
    // Its children end by themselves, and may still answer until they do.
    let (mut reading, mut writing) = (Ok(()), Ok(()));
    while reading.is_ok() {
        reading = index.totals().await.map(|_| ());
    }
    while writing.is_ok() {
        writing = index.set_camera_paused(camera.id, false).await;
    }
    assert_eq!(reading.map_err(|error| error.kind()), Err(IndexErrorKind::Unavailable));
    assert_eq!(writing.map_err(|error| error.kind()), Err(IndexErrorKind::Unavailable));

    server.restart().expect("it comes back");
    assert_eq!(index.recording_segments().await.expect("listed"), std::slice::from_ref(&segment));
    assert_eq!(index.cameras().await.expect("listed"), [camera]);
    let last = SegmentProgress {
        id: segment.id,
        end: segment.range.start.offset_ns(1),
        bytes: 10,
        video_samples: 1,
        audio_samples: 1,
    };
    index.close_segment(&last, SegmentState::Closed).await.expect("closed");
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn calls_that_get_no_answer_end_and_take_no_connection_with_them() {
    let server = server();
    let url = database(&server, "silent").await;
    let index = open_impatient(&url).await;
    let mut other = PgConnection::connect(&url).await.expect("a connection");
    sqlx::raw_sql("BEGIN; LOCK TABLE cameras IN ACCESS EXCLUSIVE MODE").execute(&mut other).await.expect("locked");
    for answer in join_all((0..=READERS).map(|_| index.cameras())).await {
        assert_eq!(answer.map_err(|error| error.kind()), Err(IndexErrorKind::Unavailable));
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("let go");
    assert_eq!(index.cameras().await.expect("listed"), []);
    // The connection goes back after the answer was given; until then a call would make another, that is not frozen.
    while index.readers.idle() == 0 {
        tokio::task::yield_now().await;
    }

    let backends = sqlx::query("SELECT pid FROM pg_stat_activity WHERE application_name = $1")
        .bind(super::APPLICATION_NAME)
        .fetch_all(&mut other)
        .await
        .expect("listed");
    let pids: Vec<String> = backends.iter().map(|row| row.get::<i32, _>("pid").to_string()).collect();
    let signal = |name: &str| Command::new("kill").arg(name).args(&pids).status().expect("kill runs");
    signal("-STOP");
    let frozen = index.totals().await.map_err(|error| error.kind());
    let after = index.totals().await;
    signal("-CONT");
    assert_eq!(frozen, Err(IndexErrorKind::Unavailable));
    after.expect("another connection was made");
    other.close().await.expect("it closes");
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn of_two_that_bring_the_same_key_at_once_one_is_kept() {
    let server = server();
    let index = open(&database(&server, "twice").await).await;
    for round in 0..20 {
        let opened = recording(&format!("v1/{round}"));
        let adopted = Segment { id: SegmentId::generate(), state: SegmentState::Closed, ..opened.clone() };
        let (one, two) = tokio::join!(index.open_segment(&opened), index.insert_adopted(&adopted));
        let refused = match (one, two) {
            (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
            both => panic!("not one of them: {both:?}"),
        };
        assert_eq!(refused.kind(), IndexErrorKind::Exists, "{refused:?}");
    }
    assert_eq!(index.totals().await.expect("summed").segments, 20);
    index.close().await.expect("it closes");
}

/// Fills a database as if five cameras had been recorded for a while, all at the same time.
async fn fill(url: &str) {
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO segments (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes,
                               video_samples, audio_samples, state, tier)
         SELECT lpad(to_hex(c), 32, '0')::UUID, 0, ({START_S} + m * 60) * 1000000000, gen_random_uuid(),
                ({START_S} + m * 60 + 60) * 1000000000, format('v1/%s/%s', c, m), 1000, 25, 50, 1, 1
         FROM generate_series(1, 2000::BIGINT) AS m, generate_series(1, 5) AS c"
    );
    run(url, sql).await;
    run(url, "VACUUM (ANALYZE) segments".to_owned()).await;
}

#[tokio::test]
async fn a_timeline_reads_the_key_alone_and_progress_touches_no_index() {
    let server = server();
    let url = database(&server, "plans").await;
    let index = open(&url).await;
    fill(&url).await;
    let camera = CameraId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    let day = WallRange { start: WallTime::from_secs(START_S), end: WallTime::from_secs(START_S + 86_400) };
    let stretches = index.timeline(camera, StreamKind::Main, day).await.expect("joined");
    assert_eq!(stretches, [WallRange { start: day.start.offset_ns(60_000_000_000), end: day.end }]);

    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN (ANALYZE) {TIMELINE}")));
    let rows = bind_range(explain, camera, StreamKind::Main, day).bind(i64::MIN).fetch_all(&mut connection).await;
    let plan: Vec<String> = rows.expect("explained").iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Only Scan using segments_pkey on segments "), "{plan}");
    assert!(!plan.contains("Index Scan using segments_pkey") && !plan.contains("Seq Scan on segments"), "{plan}");

    for (table, changed) in [
        ("recording", ["end_wall_ns", "bytes", "video_samples", "audio_samples"].as_slice()),
        ("segments", ["state", "tier"].as_slice()),
    ] {
        // Expressions and conditions count as well; there are none.
        let indexed = sqlx::query(
            "SELECT a.attname::TEXT AS name, i.indpred IS NULL AND i.indexprs IS NULL AS plain
             FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
             WHERE i.indrelid = $1::REGCLASS",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .expect("listed");
        assert!(indexed.len() >= 5, "{table} has its indexes");
        for row in &indexed {
            let name: String = row.get("name");
            assert!(!changed.contains(&name.as_str()) && row.get::<bool, _>("plain"), "{table}.{name}");
        }
    }
    connection.close().await.expect("it closes");
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn the_tables_are_as_the_calls_leave_them() {
    let server = server();
    let url = database(&server, "tables").await;
    let index = open(&url).await;
    let camera = camera();
    index.insert_camera(&camera).await.expect("inserted");
    index.remove_camera(camera.id, WallTime(2)).await.expect("removed");
    let row = index.readers.one(sqlx::query("SELECT name, username || password AS credentials FROM cameras")).await;
    let row = row.expect("still there");
    assert_eq!((row.get::<&str, _>("name"), row.get::<&str, _>("credentials")), ("A", ""));

    // What waits for the archive is the spool, whichever way it goes.
    let spooled = async || {
        let row = index.readers.one(sqlx::query("SELECT count(*) AS waiting FROM spool")).await.expect("counted");
        row.get::<i64, _>("waiting")
    };
    let mut keys = Vec::new();
    for number in 0..3 {
        let segment = Segment { state: SegmentState::Closed, ..recording(&format!("v1/{number}")) };
        index.insert_adopted(&segment).await.expect("adopted");
        keys.push(segment.key);
    }
    assert_eq!(spooled().await, 3);
    index.set_archived(&keys[0]).await.expect("archived");
    assert_eq!(spooled().await, 2);
    let marked = index.mark_for_deletion(&keys[..2], DeletionReason::DiskFull, WallTime(3)).await.expect("marked");
    assert_eq!((marked.len(), spooled().await), (2, 1));

    assert!(index.readers.execute(sqlx::query("DELETE FROM meta")).await.is_err(), "readers cannot write");
    let text = Segment { state: SegmentState::Closed, ..recording("v1/\0") };
    assert_eq!(index.insert_adopted(&text).await.map_err(|error| error.kind()), Err(IndexErrorKind::Invalid));
    index.close().await.expect("it closes");
}
