//! The suite on SQLite, in real files, and what only SQLite does.

use std::path::{Path, PathBuf};

use minhbach_model::{
    CameraId, DeletionReason, GapCause, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::archive::RECORDED_SINCE;
use super::{Durability, SqliteIndex};
use crate::{
    ArchiveIndex, CameraIndex, DeletionFilter, GapIndex, IncidentFilter, IncidentIndex, Index, IndexErrorKind,
    PlaceIndex, SegmentIndex, SegmentProgress, SegmentTotals, conformance,
};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("index.sqlite")
    }
}

async fn open(path: &Path) -> SqliteIndex {
    SqliteIndex::open(path, WallTime(1)).await.expect("it opens")
}

macro_rules! conforms {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let home = Home::new();
                let index = open(&home.file()).await;
                conformance::$name(&index).await;
                index.close().await.expect("it closes");
            }
        )*
    };
}

crate::conformance_cases!(conforms);

fn recording() -> Segment {
    let at = WallTime::from_secs(1_795_503_600);
    Segment {
        id: SegmentId::generate(),
        camera: CameraId::generate(),
        stream: StreamKind::Main,
        range: WallRange { start: at, end: at },
        key: "v1/camera/main/2026/11/24/start-session.mp4".to_owned(),
        bytes: 0,
        video_samples: 0,
        audio_samples: 0,
        state: SegmentState::Recording,
        tier: Tier::Spool,
    }
}

#[tokio::test]
async fn what_was_kept_is_there_after_the_next_opening_and_the_openings_are_counted() {
    let home = Home::new();
    let first = open(&home.file()).await;
    let segment = recording();
    first.open_segment(&segment).await.expect("opened");
    first.close().await.expect("it closes");
    let second = open(&home.file()).await;
    conformance::openings_are_counted(&first, &second).await;
    assert_eq!(second.recording_segments().await.expect("listed"), [segment]);
    second.close().await.expect("it closes");

    let elsewhere = Home::new();
    let other = open(&elsewhere.file()).await;
    assert_ne!(other.database_id(), second.database_id());
    other.close().await.expect("it closes");
}

#[tokio::test]
async fn a_file_that_is_no_database_and_a_folder_that_is_not_there_are_told_apart() {
    let home = Home::new();
    std::fs::write(home.file(), vec![b'x'; 8192]).expect("written");
    let error = SqliteIndex::open(&home.file(), WallTime(1)).await.err().expect("it must fail");
    assert_eq!(error.kind(), IndexErrorKind::Corrupt);
    let nowhere = home.0.path().join("none").join("index.sqlite");
    let error = SqliteIndex::open(&nowhere, WallTime(1)).await.err().expect("it must fail");
    assert_eq!(error.kind(), IndexErrorKind::Unavailable);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let home = Home::new();
    let index = open(&home.file()).await;
    {
        let mut writer = index.writer(Durability::Synced).await.expect("the writer");
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, x'00', 0)",
        )
        .execute(&mut *writer)
        .await
        .expect("inserted");
    }
    index.close().await.expect("it closes");
    let error = SqliteIndex::open(&home.file(), WallTime(1)).await.err().expect("it must fail");
    assert_eq!(error.kind(), IndexErrorKind::Incompatible);
}

#[tokio::test]
async fn the_writer_is_set_as_each_write_asks() {
    let home = Home::new();
    let index = open(&home.file()).await;
    // 1 is NORMAL, 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
    for (durability, expected) in [(Durability::Deferred, 1), (Durability::Synced, 2), (Durability::Deferred, 1)] {
        let mut writer = index.writer(durability).await.expect("the writer");
        let row = sqlx::query("PRAGMA synchronous").fetch_one(&mut *writer).await.expect("asked");
        let level: i64 = row.try_get(0).expect("a number");
        assert_eq!(level, expected);
    }
    {
        let mut writer = index.writer(Durability::Synced).await.expect("the writer");
        let row = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *writer).await.expect("asked");
        let mode: String = row.try_get(0).expect("a name");
        assert_eq!(mode, "wal");
        let row = sqlx::query("PRAGMA foreign_keys").fetch_one(&mut *writer).await.expect("asked");
        let on: i64 = row.try_get(0).expect("a number");
        assert_eq!(on, 1);
    }
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn readers_cannot_write() {
    let home = Home::new();
    let index = open(&home.file()).await;
    assert!(sqlx::query("DELETE FROM meta").execute(&index.readers).await.is_err());
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn removing_a_camera_erases_its_credentials() {
    let home = Home::new();
    let index = open(&home.file()).await;
    let camera = minhbach_model::Camera {
        id: CameraId::generate(),
        draft: minhbach_model::CameraDraft {
            name: "A".to_owned(),
            contact_point: None,
            main: minhbach_model::StreamSource { url: "rtsp://192.0.2.7/main".to_owned() },
            sub: None,
            username: "viewer".to_owned(),
            password: minhbach_model::Secret::new("secret"),
        },
        paused: false,
        created: WallTime(1),
    };
    index.insert_camera(&camera).await.expect("inserted");
    index.remove_camera(camera.id, WallTime(2)).await.expect("removed");
    let row = sqlx::query("SELECT name, username || password AS credentials FROM cameras")
        .fetch_one(&index.readers)
        .await
        .expect("still there");
    let name: String = row.try_get("name").expect("a name");
    let credentials: String = row.try_get("credentials").expect("a text");
    assert_eq!((name.as_str(), credentials.as_str()), ("A", ""));
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn a_batch_with_a_value_that_cannot_be_kept_keeps_nothing_and_frees_the_writer() {
    let home = Home::new();
    let index = open(&home.file()).await;
    let segment = recording();
    index.open_segment(&segment).await.expect("opened");
    let good = SegmentProgress {
        id: segment.id,
        end: segment.range.start.offset_ns(1),
        bytes: 10,
        video_samples: 1,
        audio_samples: 1,
    };
    let bad = SegmentProgress { bytes: u64::MAX, ..good };
    let error = index.advance_segments(&[good, bad]).await.expect_err("it must fail");
    assert_eq!(error.kind(), IndexErrorKind::Invalid);
    assert_eq!(index.recording_segments().await.expect("listed"), [segment]);
    assert_eq!(index.advance_segments(&[good]).await.expect("advanced"), 1);
    index.close().await.expect("it closes");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    let index = open(&home.file()).await;
    let mode = std::fs::metadata(home.file()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    index.close().await.expect("it closes");
}

/// Makes a database file from the dump of one.
async fn restore(path: &Path, dump: &'static str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("it opens");
    sqlx::raw_sql(dump).execute(&mut connection).await.expect("restored");
    connection.close().await.expect("it closes");
}

/// The text of everything in the schema but the list of migrations.
async fn schema(index: &SqliteIndex) -> Vec<(String, String, Option<String>)> {
    sqlx::query_as("SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> '_sqlx_migrations' ORDER BY type, name")
        .fetch_all(&index.readers)
        .await
        .expect("listed")
}

#[tokio::test]
async fn a_database_of_schema_1_is_upgraded_to_what_a_new_one_is_and_keeps_its_data() {
    let (old, new) = (Home::new(), Home::new());
    restore(&old.file(), include_str!("../../fixtures/sqlite_0001.sql")).await;
    let upgraded = open(&old.file()).await;
    let fresh = open(&new.file()).await;
    assert_eq!(schema(&upgraded).await, schema(&fresh).await);
    fresh.close().await.expect("it closes");

    assert_eq!(upgraded.generation(), 4);
    assert_eq!(upgraded.database_id().to_string(), "01890a5d-ac96-774b-bcce-b30200000001");
    let cameras = upgraded.cameras().await.expect("listed");
    assert_eq!(cameras.len(), 1);
    assert_eq!((cameras[0].draft.password.reveal(), cameras[0].paused), ("mật khẩu", false));
    let places = upgraded.places().await.expect("listed");
    assert_eq!((places.agencies.len(), places.sites.len(), places.contact_points.len()), (1, 1, 1));
    let incidents = upgraded.incidents(&IncidentFilter::default(), None, 10).await.expect("listed");
    assert_eq!((incidents.len(), incidents[0].draft.cameras[0]), (1, cameras[0].id));
    let open_gap = upgraded.open_gap_of(cameras[0].id, StreamKind::Sub).await.expect("asked");
    assert_eq!(open_gap.map(|gap| gap.cause), Some(GapCause::Stalled));

    let second = |second: i64| WallTime::from_secs(1_795_503_600 + second);
    let day = WallRange { start: second(-1000), end: second(1000) };
    let segments = upgraded.segments_in(cameras[0].id, StreamKind::Main, day, None, 10).await.expect("listed");
    let told: Vec<_> = segments.iter().map(|segment| (segment.bytes, segment.state, segment.tier)).collect();
    let (closed, suspect) = ((6000, SegmentState::Closed), (7000, SegmentState::Suspect));
    let recording = (8000, SegmentState::Recording);
    assert_eq!(told, [closed, suspect, recording].map(|(bytes, state)| (bytes, state, Tier::Spool)));
    assert_eq!(upgraded.totals().await.expect("summed"), SegmentTotals { segments: 4, bytes: 30_000 });
    // What was closed before there was an archive waits for it, by its end, whatever its stream.
    let waiting = upgraded.spooled(None, 10).await.expect("listed");
    assert_eq!(waiting.iter().map(|segment| segment.bytes).collect::<Vec<_>>(), [6000, 9000, 7000]);
    upgraded.close().await.expect("it closes");

    let again = open(&old.file()).await;
    assert_eq!(again.generation(), 5);
    again.close().await.expect("it closes");
}

#[tokio::test]
async fn the_oldest_of_each_stream_is_found_without_reading_the_table() {
    let home = Home::new();
    let index = open(&home.file()).await;
    let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {RECORDED_SINCE}")))
        .fetch_all(&index.readers)
        .await
        .expect("explained");
    let steps: Vec<String> = plan.iter().map(|row| row.try_get("detail").expect("a text")).collect();
    assert!(steps.iter().filter(|step| step.contains("USING PRIMARY KEY")).count() >= 3, "{steps:?}");
    // Neither `segments` nor `s`, its other name.
    assert!(!steps.iter().any(|step| step.starts_with("SCAN s")), "{steps:?}");
    index.close().await.expect("it closes");
}

#[tokio::test]
async fn a_deletion_that_cannot_be_journalled_marks_nothing() {
    let home = Home::new();
    let index = open(&home.file()).await;
    let mut segments = [recording(), recording()];
    for (segment, key) in segments.iter_mut().zip(["v1/a", "v1/b"]) {
        segment.state = SegmentState::Closed;
        segment.range.end = segment.range.start.offset_ns(1);
        key.clone_into(&mut segment.key);
        index.insert_adopted(segment).await.expect("adopted");
    }
    {
        let mut writer = index.writer(Durability::Synced).await.expect("the writer");
        sqlx::query(
            "CREATE TEMP TRIGGER refuse BEFORE INSERT ON deletions WHEN NEW.storage_key = 'v1/b' BEGIN
                 SELECT RAISE(ABORT, 'no room');
             END",
        )
        .execute(&mut *writer)
        .await
        .expect("made");
    }
    let keys = segments.clone().map(|segment| segment.key);
    let refused = index.mark_for_deletion(&keys, DeletionReason::Expired, WallTime(1)).await;
    assert_eq!(refused.expect_err("it must fail").kind(), IndexErrorKind::Unavailable);
    assert_eq!(index.marked(10).await.expect("listed"), []);
    assert_eq!(index.deletions(&DeletionFilter::default(), None, 10).await.expect("listed"), []);
    assert_eq!(index.segments_by_key(None, 10).await.expect("listed"), segments);
    index.close().await.expect("it closes");
}
