//! A yard for the tests of this crate: an index and folders, with small segments that are whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minhbach_evidence::{ClockState, Digest, FragmentRecord, SidecarHeader, SidecarWriter};
use minhbach_index::{Index, SqliteIndex};
use minhbach_model::{CameraId, Hold, HoldId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime};
use minhbach_runtime::Clock;
use minhbach_store::{Archive, ArchiveOptions, SegmentKey, Spool};
use tokio::sync::watch;

use crate::archive::ArchiveContext;
use crate::claims::Claims;
use crate::deletion::Deleter;
use crate::interlock::Interlock;
use crate::status::{ArchiveStatus, ArchiveTeller};
use crate::tiers::Tiers;

pub(crate) const SECOND: i64 = 1_000_000_000;
const INIT: &[u8] = b"init";

/// 2026-11-24T07:00:00Z, when everything begins.
pub(crate) fn start() -> WallTime {
    WallTime::from_secs(1_795_503_600)
}

/// A fragment's bytes: some that tell it from any other.
fn fragment(key: &SegmentKey, number: u32) -> Vec<u8> {
    format!("{key}#{number}").into_bytes()
}

/// An index, a spool, and an archive if asked for.
pub(crate) struct Yard {
    dir: tempfile::TempDir,
    pub index: Arc<dyn Index>,
    pub tiers: Tiers,
    pub clock: Clock,
    pub context: ArchiveContext,
    pub status: watch::Receiver<ArchiveStatus>,
    pub camera: CameraId,
}

impl Yard {
    /// Without an archive. It is an hour after the start.
    pub async fn new() -> Self {
        Self::build(false).await
    }

    /// With a folder as archive, on the same disk.
    pub async fn with_archive() -> Self {
        Self::build(true).await
    }

    async fn build(with_archive: bool) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let spool = dir.path().join("footage");
        std::fs::create_dir_all(&spool).expect("made");
        let archive = if with_archive {
            let options = ArchiveOptions::Folder { path: dir.path().join("archive") };
            Some(Arc::new(Archive::open(options).expect("an archive")))
        } else {
            None
        };
        let tiers = Tiers::new(Spool::of(spool), archive);
        let clock = Clock::manual(start().offset_ns(3600 * SECOND));
        let index = open(&dir.path().join("index.sqlite")).await;
        let (context, status) = context(&index, &tiers, &clock);
        Self { dir, index, tiers, clock, context, status, camera: CameraId::generate() }
    }

    fn database(&self) -> PathBuf {
        self.dir.path().join("index.sqlite")
    }

    /// As if the program had ended and started again; nothing else is changed.
    pub async fn reopen(&mut self) {
        self.index.close().await.expect("closed");
        self.index = open(&self.database()).await;
        (self.context, self.status) = context(&self.index, &self.tiers, &self.clock);
    }

    /// As if somebody had deleted the database.
    pub async fn replace_database(&mut self) {
        self.index.close().await.expect("closed");
        for file in self.database_files() {
            std::fs::remove_file(file).expect("removed");
        }
        self.index = open(&self.database()).await;
        (self.context, self.status) = context(&self.index, &self.tiers, &self.clock);
    }

    fn database_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.dir.path()).expect("listed").map(|entry| entry.expect("an entry").path());
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("index.sqlite") && path.is_file() && !name.ends_with("-shm")
        };
        entries.filter(is_ours).collect()
    }

    /// A copy of the database as it is, while nobody writes to it. Returns its folder.
    pub async fn copy_database(&self) -> PathBuf {
        let folder = self.dir.path().join("copy");
        std::fs::create_dir_all(&folder).expect("made");
        for file in self.database_files() {
            std::fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("copied");
        }
        folder
    }

    /// Puts a copy in place of the database.
    pub async fn restore_database(&mut self, copy: &Path) {
        self.index.close().await.expect("closed");
        for file in self.database_files() {
            std::fs::remove_file(file).expect("removed");
        }
        for entry in std::fs::read_dir(copy).expect("listed") {
            let path = entry.expect("an entry").path();
            std::fs::copy(&path, self.dir.path().join(path.file_name().expect("a name"))).expect("copied");
        }
        self.index = open(&self.database()).await;
        (self.context, self.status) = context(&self.index, &self.tiers, &self.clock);
    }

    /// An empty index beside the other one.
    pub async fn another_index(&self) -> Arc<dyn Index> {
        open(&self.dir.path().join("another.sqlite")).await
    }

    pub fn deleter(&self) -> Deleter {
        Deleter::new(self.context.clone())
    }

    /// Key and start of a segment of the yard's camera, so many seconds after the start.
    pub fn key(&self, second: i64) -> (SegmentKey, WallTime) {
        let at = start().offset_ns(second * SECOND);
        (SegmentKey::new(self.camera, StreamKind::Main, at, SegmentId::generate()), at)
    }

    /// Writes the files of a segment with so many fragments of a second each. Returns the length of its media.
    pub fn write(&self, key: &SegmentKey, at: WallTime, fragments: u32) -> u64 {
        let header = SidecarHeader {
            version: 0,
            camera: key.as_str().split('/').nth(1).unwrap_or_default().to_owned(),
            stream: key.as_str().split('/').nth(2).unwrap_or_default().to_owned(),
            segment: key.segment().expect("a segment").to_string(),
            key: key.to_string(),
            start: at.to_string(),
            video: "avc1.64002A".to_owned(),
            audio: String::new(),
            init_len: INIT.len() as u64,
            init_sha256: Digest::of(INIT),
            prev: Digest([0; 32]),
        };
        let (mut writer, mut lines) = SidecarWriter::start(header).expect("a header");
        let mut media = INIT.to_vec();
        for number in 0..fragments {
            let bytes = fragment(key, number);
            let from = at.offset_ns(i64::from(number) * SECOND);
            let mut record = FragmentRecord {
                offset: 0,
                len: bytes.len() as u64,
                media_start_90k: i64::from(number) * 90_000,
                start_wall_ns: from.0,
                end_wall_ns: from.0 + SECOND,
                video: 25,
                audio: 0,
                lost: 0,
                key: true,
                clock: ClockState::Tied,
                sha256: Digest::of(&bytes),
                prev: Digest([0; 32]),
            };
            lines.extend(writer.append(&mut record).expect("a line"));
            media.extend(bytes);
        }
        let path = key.media_path(&self.tiers.spool);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, &media).expect("written");
        std::fs::write(key.sidecar_path(&self.tiers.spool), lines).expect("written");
        media.len() as u64
    }

    /// A closed segment with files and row.
    pub async fn record(&self, second: i64, fragments: u32) -> Segment {
        let (key, at) = self.key(second);
        let bytes = self.write(&key, at, fragments);
        let segment = Segment {
            id: key.segment().expect("a segment"),
            camera: self.camera,
            stream: StreamKind::Main,
            range: WallRange { start: at, end: at.offset_ns(i64::from(fragments) * SECOND) },
            key: key.to_string(),
            bytes,
            video_samples: u64::from(fragments) * 25,
            audio_samples: 0,
            state: SegmentState::Closed,
            tier: Tier::Spool,
        };
        self.index.insert_adopted(&segment).await.expect("adopted");
        segment
    }

    /// Brings a segment into the archive.
    pub async fn archive(&self, segment: &Segment) {
        let key = SegmentKey::parse(&segment.key).expect("a key");
        let archive = self.tiers.archive.as_ref().expect("it has one");
        archive.put(&self.tiers.spool, &key).await.expect("put");
        self.index.set_archived(&segment.key).await.expect("noted");
        archive.remove_spooled(&self.tiers.spool, &key).await.expect("freed");
    }

    /// A hold on the yard's camera, in seconds from the start.
    pub async fn hold(&self, from: i64, to: i64) -> Hold {
        let hold = Hold {
            id: HoldId::generate(),
            cameras: vec![self.camera],
            range: WallRange { start: start().offset_ns(from * SECOND), end: start().offset_ns(to * SECOND) },
            reason: "phản ánh của công dân".to_owned(),
            case_code: "PA-7".to_owned(),
            owner: "Bàn 1".to_owned(),
            created: start(),
            expires: None,
            release: None,
        };
        self.index.insert_hold(&hold).await.expect("held");
        hold
    }

    /// Every row, in the order of keys.
    pub async fn rows(&self) -> Vec<Segment> {
        self.index.segments_by_key(None, 1000).await.expect("listed")
    }
}

fn context(index: &Arc<dyn Index>, tiers: &Tiers, clock: &Clock) -> (ArchiveContext, watch::Receiver<ArchiveStatus>) {
    let (teller, status) = ArchiveTeller::new(if tiers.archive.is_some() { "folder" } else { "none" });
    let context = ArchiveContext {
        index: Arc::clone(index),
        tiers: tiers.clone(),
        clock: clock.clone(),
        claims: Claims::default(),
        interlock: Interlock::new(),
        teller,
    };
    (context, status)
}

async fn open(path: &Path) -> Arc<dyn Index> {
    Arc::new(SqliteIndex::open(path, start()).await.expect("an index"))
}
