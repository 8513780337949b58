//! The suite on SQLite, in real files, and what only SQLite does.

use std::path::{Path, PathBuf};

use minhbach_model::{CameraId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};
use sqlx::Row;

use super::{Durability, SqliteIndex};
use crate::{CameraIndex, Index, IndexErrorKind, SegmentIndex, SegmentProgress, conformance};

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

conforms!(
    cameras_come_and_go,
    cameras_refuse_nonsense,
    places_form_a_tree,
    places_hold_what_is_in_them,
    segments_grow_and_close,
    segments_are_found,
    segments_page,
    segments_of_streams_are_apart,
    timelines_join,
    gaps_open_and_close,
    gaps_reach_into_ranges,
    incidents_change,
    incidents_filter_and_page,
    incidents_refuse_nonsense,
    deletions_are_marked_journaled_and_forgotten,
    holds_win,
    holds_refuse_nonsense,
    segments_move_into_the_archive,
    damage_is_noted,
    retention_is_said_and_unsaid,
    closes,
);

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

/// Everything the database is made of, as text.
async fn schema(path: &Path) -> Vec<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("it opens");
    let rows =
        sqlx::query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name").fetch_all(&pool).await;
    let schema = rows.expect("a schema").iter().map(|row| row.get::<String, _>("sql")).collect();
    pool.close().await;
    schema
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_brought_to_this_one_and_keeps_its_footage() {
    let (old, new) = (Home::new(), Home::new());
    let first: Vec<_> = super::migrations().iter().take(1).cloned().collect();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(old.file()).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("it opens");
    sqlx::migrate::Migrator::with_migrations(first).run(&pool).await.expect("the first schema");
    let camera = CameraId::generate();
    sqlx::query(
        "INSERT INTO segments (camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples,
                               audio_samples, state) VALUES (?1, 0, 10, ?2, 20, 'v1/a.mp4', 7, 1, 2, 1)",
    )
    .bind(camera.as_bytes().as_slice())
    .bind(SegmentId::generate().as_bytes().as_slice())
    .execute(&pool)
    .await
    .expect("a segment");
    pool.close().await;

    let index = open(&old.file()).await;
    let kept = index.segment_by_key("v1/a.mp4").await.expect("an answer").expect("it is there");
    assert_eq!((kept.camera, kept.bytes, kept.state, kept.tier), (camera, 7, SegmentState::Closed, Tier::Spool));
    assert_eq!(index.totals().await.expect("an answer").segments, 1);
    index.close().await.expect("it closes");
    open(&new.file()).await.close().await.expect("it closes");
    assert_eq!(schema(&old.file()).await, schema(&new.file()).await);
}
