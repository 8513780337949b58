//! A recorder over a store that refuses: it tells the exact error, and goes on by itself when the store works again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_evidence::SidecarWriter;
use minhbach_feed::{Feed, Limits, Publisher, feed};
use minhbach_index::{Index, SqliteIndex};
use minhbach_model::{
    CameraId, FailureKind, FormatId, Gap, GapCause, MediaFormat, RunId, Sample, Segment, SegmentId, SegmentState,
    StreamKind, Ticks, Tier, Timescale, Track, VideoCodec, VideoParams, WallRange, WallTime,
};
use minhbach_recorder::{
    HealthTeller, Ledger, RecordedStream, RecorderContext, RecorderHealth, StopWith, StreamRecorder,
};
use minhbach_runtime::Clock;
use minhbach_store::{DiskState, Footage, SegmentKey, Spool, StoreOptions, Stores, read_sidecar};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);
/// 25 pictures a second.
const PICTURE_TICKS: i64 = 3600;

/// A recorder of one camera, and what it records from and into.
struct Bench {
    _dir: tempfile::TempDir,
    store: Arc<Stores>,
    index: Arc<dyn Index>,
    ledger: Ledger,
    ledger_task: JoinHandle<()>,
    camera: CameraId,
    context: RecorderContext,
    started: WallTime,
    format: Arc<MediaFormat>,
}

impl Bench {
    async fn new() -> Self {
        Self::syncing_every(Duration::from_millis(20)).await
    }

    async fn syncing_every(sync_interval: Duration) -> Self {
        Self::on(&["footage"], sync_interval).await
    }

    /// With several disks.
    async fn on(disks: &[&str], sync_interval: Duration) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let started = clock.now();
        let index: Arc<dyn Index> =
            Arc::new(SqliteIndex::open(&dir.path().join("index.sqlite"), started).await.expect("an index"));
        let options = StoreOptions { sync_interval, ..StoreOptions::default() };
        let roots: Vec<PathBuf> = disks.iter().map(|name| dir.path().join(name)).collect();
        let spool = Spool::open(&roots).expect("a spool");
        let store = Arc::new(Stores::open(spool.clone(), options).expect("a store"));
        let (ledger, writer) = Ledger::new(Arc::clone(&index));
        let ledger_task = tokio::spawn(writer);
        let context = RecorderContext {
            store: Arc::clone(&store),
            footage: Arc::new(Footage::over(spool, None)),
            index: Arc::clone(&index),
            ledger: ledger.clone(),
            clock,
            segment: Duration::from_secs(60),
            begun: started,
        };
        let video = VideoParams {
            codec: VideoCodec::H264,
            width: 640,
            height: 360,
            config: Bytes::from_static(&[1, 0x64, 0, 0x2A]),
            rfc6381: "avc1.64002A".into(),
        };
        let format = Arc::new(MediaFormat { id: FormatId(1), run: RunId(1), video, audio: None });
        let camera = CameraId::generate();
        Self { _dir: dir, store, index, ledger, ledger_task, camera, context, started, format }
    }

    /// Where the camera's footage goes.
    fn folder(&self) -> PathBuf {
        self.store.root().join("v1").join(self.camera.to_string())
    }

    async fn start(&self) -> Running {
        self.start_on(feed(Limits::default())).await
    }

    async fn start_on(&self, (publisher, feed): (Publisher, Feed)) -> Running {
        let (teller, health) = HealthTeller::new();
        let which = RecordedStream { camera: self.camera, stream: StreamKind::Main, started: self.started };
        let recorder =
            StreamRecorder::start(self.context.clone(), which, Vec::new(), teller).await.expect("the index answers");
        let (stop, stopped) = oneshot::channel();
        Running { publisher, health, stop, task: tokio::spawn(recorder.run(feed, stopped)) }
    }

    /// These seconds of pictures, each beginning with a key picture.
    fn publish(&self, publisher: &Publisher, seconds: std::ops::Range<i64>) {
        for number in seconds.start * 25..seconds.end * 25 {
            let pts = Ticks(number * PICTURE_TICKS);
            let wall = self.started.offset_ns(Timescale::VIDEO.to_ns(pts));
            publisher.publish(Sample {
                track: Track::Video,
                pts,
                duration: 0,
                wall,
                received: wall,
                key: number % 25 == 0,
                lost_packets: 0,
                data: Bytes::from(number.to_be_bytes().to_vec()),
                format: Arc::clone(&self.format),
            });
        }
    }

    async fn gaps(&self) -> Vec<Gap> {
        let all = WallRange { start: WallTime::from_secs(0), end: self.started.offset_ns(3_600_000_000_000) };
        self.index.gaps_in(self.camera, StreamKind::Main, all).await.expect("the index answers")
    }

    /// Everything told is in the index afterwards.
    async fn settle(&mut self) {
        self.ledger.end().await;
        (&mut self.ledger_task).await.expect("the ledger ends well");
    }
}

struct Running {
    publisher: Publisher,
    health: watch::Receiver<RecorderHealth>,
    stop: oneshot::Sender<StopWith>,
    task: JoinHandle<()>,
}

impl Running {
    async fn until(&mut self, is: impl FnMut(&RecorderHealth) -> bool) -> RecorderHealth {
        let told = tokio::time::timeout(PATIENCE, self.health.wait_for(is)).await;
        told.expect("the recorder tells it in time").expect("the recorder has not ended").clone()
    }

    async fn stop(self) {
        drop(self.publisher);
        self.stop.send(StopWith::Gap(GapCause::RecorderDown)).expect("the recorder waits for it");
        self.task.await.expect("the recorder ends well");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_is_told_with_its_error_and_recording_goes_on_when_it_works_again() {
    let mut bench = Bench::new().await;
    // A file where the camera's folder should be; that stops an administrator too.
    let folder = bench.folder();
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, b"").unwrap();
    let mut running = bench.start().await;
    bench.publish(&running.publisher, 0..2);
    let fault = running.until(|health| health.fault().is_some()).await.fault().cloned().unwrap();
    assert_eq!(fault.kind, FailureKind::DiskError);
    assert!(fault.message.contains("Not a directory"), "{fault:?}");
    assert!(fault.since >= bench.started);

    // What could not be written is tried once more in another file, and then is lost.
    let lost = async {
        while !bench.gaps().await.iter().any(|gap| gap.cause == GapCause::DiskError) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, lost).await.expect("it becomes a gap");
    std::fs::remove_file(&folder).unwrap();
    bench.publish(&running.publisher, 2..4);
    let health = running.until(RecorderHealth::is_confirmed).await;
    assert_eq!(health.fault(), None);
    running.stop().await;

    bench.settle().await;
    let gaps = bench.gaps().await;
    let refused = gaps.iter().find(|gap| gap.cause == GapCause::DiskError).expect("what was lost is a gap");
    assert_eq!((refused.start, refused.end), (bench.started, Some(bench.started.offset_ns(2_000_000_000))));
    let all = WallRange { start: WallTime::from_secs(0), end: bench.started.offset_ns(3_600_000_000_000) };
    let segments = bench.index.segments_in(bench.camera, StreamKind::Main, all, None, 10).await.unwrap();
    assert_eq!(segments.len(), 1, "{segments:?}");
    assert_eq!((segments[0].state, segments[0].video_samples), (SegmentState::Closed, 50));
    bench.store.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_has_ended_is_told_and_what_is_lost_is_a_gap() {
    let mut bench = Bench::new().await;
    let mut running = bench.start().await;
    bench.store.stop().await;
    bench.publish(&running.publisher, 0..2);
    let fault = running.until(|health| health.fault().is_some()).await.fault().cloned().unwrap();
    assert_eq!(fault.kind, FailureKind::DiskError);
    assert!(fault.message.contains("has been stopped"), "{fault:?}");
    running.stop().await;
    bench.settle().await;
    let gaps = bench.gaps().await;
    assert!(gaps.iter().any(|gap| gap.cause == GapCause::DiskError && gap.start > bench.started), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_file_was_given_up_with_is_written_again_and_nothing_is_missing() {
    // Long enough to take the folder away before its first sync, which then fails.
    let mut bench = Bench::syncing_every(Duration::from_secs(2)).await;
    let mut running = bench.start().await;
    bench.publish(&running.publisher, 0..3);
    let folder = bench.folder();
    let begun = || std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    let appear = async {
        while !begun() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, appear).await.expect("a file is begun");
    std::fs::rename(&folder, bench.store.root().join("away")).unwrap();
    running.until(RecorderHealth::is_confirmed).await;
    bench.publish(&running.publisher, 3..5);
    running.stop().await;

    bench.settle().await;
    let all = WallRange { start: WallTime::from_secs(0), end: bench.started.offset_ns(3_600_000_000_000) };
    let segments = bench.index.segments_in(bench.camera, StreamKind::Main, all, None, 10).await.unwrap();
    assert_eq!(segments.len(), 1, "{segments:?}");
    assert_eq!((segments[0].state, segments[0].video_samples), (SegmentState::Closed, 125));
    assert_eq!(segments[0].range.start, bench.started);
    assert!(!bench.gaps().await.iter().any(|gap| gap.cause == GapCause::DiskError));
    let key = minhbach_store::SegmentKey::parse(&segments[0].key).unwrap();
    let sidecar = minhbach_store::read_sidecar(bench.store.root(), &key).unwrap();
    let reader = minhbach_store::SegmentReader::open(bench.store.root(), &key).unwrap();
    assert!(sidecar.fragments.iter().all(|record| reader.fragment(record).is_ok()));
    bench.store.stop().await;
}

/// As a disk leaves a file that refused in the middle: with a fragment that was never told, and a piece of another. Returns its
/// bytes and lines as they were told.
fn tear(root: &Path, key: &SegmentKey) -> (Vec<u8>, Vec<u8>) {
    let (media, lines) = (key.media_path(root), key.sidecar_path(root));
    let told = (std::fs::read(&media).expect("read"), std::fs::read(&lines).expect("read"));
    let sidecar = read_sidecar(root, key).expect("a sidecar");
    let (mut writer, mut text) = SidecarWriter::start(sidecar.header).expect("a header");
    for record in &sidecar.fragments {
        text.extend(writer.append(&mut record.clone()).expect("a line"));
    }
    assert_eq!(text, told.1, "the same lines come out again");
    let mut beyond = sidecar.fragments.last().expect("a fragment").clone();
    text.extend(writer.append(&mut beyond).expect("a line"));
    text.extend(b"{\"offset\":");
    let fragment = told.0[usize::try_from(beyond.offset - beyond.len).expect("it fits")..].to_vec();
    std::fs::write(&media, [&told.0[..], &fragment[..], &b"piece"[..]].concat()).expect("written");
    std::fs::write(&lines, text).expect("written");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_a_disk_refused_is_cut_when_it_works_again_and_one_that_differs_stays_as_it_is() {
    for differs in [false, true] {
        let mut bench = Bench::new().await;
        let mut running = bench.start().await;
        bench.publish(&running.publisher, 0..3);
        running.until(RecorderHealth::is_confirmed).await;
        running.stop().await;
        let all = WallRange { start: WallTime::from_secs(0), end: bench.started.offset_ns(3_600_000_000_000) };
        let (index, camera) = (Arc::clone(&bench.index), bench.camera);
        let rows = async || index.segments_in(camera, StreamKind::Main, all, None, 10).await.expect("rows");
        let closed = async {
            while !rows().await.iter().any(|row| row.state == SegmentState::Closed) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.expect("it is closed");
        let before = rows().await.remove(0);
        bench.index.set_suspect(&before.key).await.unwrap();
        let (root, key) = (bench.store.root().to_owned(), SegmentKey::parse(&before.key).unwrap());
        let chain = read_sidecar(&root, &key).unwrap().last;
        let (mut media, mut lines) = tear(&root, &key);
        if differs {
            let mut bytes = std::fs::read(key.media_path(&root)).unwrap();
            bytes[usize::try_from(before.bytes).unwrap() - 1] ^= 1;
            std::fs::write(key.media_path(&root), &bytes).unwrap();
            (media, lines) = (bytes, std::fs::read(key.sidecar_path(&root)).unwrap());
        }

        let mut running = bench.start().await;
        bench.publish(&running.publisher, 5..8);
        running.until(RecorderHealth::is_confirmed).await;
        running.stop().await;
        bench.settle().await;
        let rows = rows().await;
        let state = if differs { SegmentState::Suspect } else { SegmentState::Closed };
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!(rows[0], Segment { state, ..before });
        assert_eq!(std::fs::read(key.media_path(&root)).unwrap(), media);
        assert_eq!(std::fs::read(key.sidecar_path(&root)).unwrap(), lines);
        // What follows continues what was told, whatever becomes of the rest.
        let next = read_sidecar(&root, &SegmentKey::parse(&rows[1].key).unwrap()).unwrap();
        assert_eq!(next.header.prev, chain);
        bench.store.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_fails_from_its_first_connection_on_has_one_gap_with_the_true_cause() {
    let mut bench = Bench::new().await;
    let (publisher, feed) = feed(Limits::default());
    publisher.interrupt(GapCause::AuthRefused);
    let running = bench.start_on((publisher, feed)).await;
    let told = async {
        while bench.gaps().await.iter().all(|gap| gap.cause != GapCause::AuthRefused) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the cause is told");
    bench.publish(&running.publisher, 2..3);
    running.stop().await;
    bench.settle().await;
    let all: Vec<_> = bench.gaps().await.into_iter().map(|gap| (gap.start, gap.cause)).collect();
    let at = |second: i64| bench.started.offset_ns(second * 1_000_000_000);
    assert_eq!(all, [(at(0), GapCause::AuthRefused), (at(3), GapCause::RecorderDown)]);
    bench.store.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_is_told_even_where_the_footage_seems_to_end_after_the_start_that_followed() {
    let mut bench = Bench::new().await;
    let at = |ms: i64| bench.started.offset_ns(ms * 1_000_000);
    let id = SegmentId::generate();
    let key = SegmentKey::new(bench.camera, StreamKind::Main, at(-5000), id);
    let before = Segment {
        id,
        camera: bench.camera,
        stream: StreamKind::Main,
        range: WallRange { start: at(-5000), end: at(120) },
        key: key.to_string(),
        bytes: 1,
        video_samples: 1,
        audio_samples: 0,
        state: SegmentState::Closed,
        tier: Tier::Spool,
    };
    bench.index.insert_adopted(&before).await.unwrap();
    let mut running = bench.start().await;
    bench.publish(&running.publisher, 2..4);
    running.until(RecorderHealth::is_confirmed).await;
    running.stop().await;
    let (down, starting) = (at(120), at(121));
    bench.settle().await;
    let all: Vec<_> = bench.gaps().await.into_iter().map(|gap| (gap.start, gap.cause)).collect();
    assert_eq!(all[..2], [(down, GapCause::RecorderDown), (starting, GapCause::Starting)]);
    bench.store.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_settings_make_no_second_gap() {
    let mut bench = Bench::new().await;
    for _ in 0..3 {
        let running = bench.start().await;
        drop(running.publisher);
        running.stop.send(StopWith::Gap(GapCause::Starting)).unwrap();
        running.task.await.unwrap();
    }
    bench.settle().await;
    let all: Vec<_> = bench.gaps().await.into_iter().map(|gap| (gap.start, gap.end, gap.cause)).collect();
    assert_eq!(all, [(bench.started, None, GapCause::Starting)]);
    bench.store.stop().await;
}

/// A bench with two disks: the folders of both, that of the camera first.
async fn two_disks(sync_interval: Duration) -> (Bench, PathBuf, PathBuf) {
    let bench = Bench::on(&["a", "b"], sync_interval).await;
    let key = SegmentKey::new(bench.camera, StreamKind::Main, bench.started, SegmentId::generate());
    let disks = bench.store.spool().disks();
    let own = bench.store.spool().place(&key);
    let (own, other) = (disks[own].root().to_owned(), disks[1 - own].root().to_owned());
    (bench, own, other)
}

impl Bench {
    async fn segments(&self) -> Vec<Segment> {
        let all = WallRange { start: WallTime::from_secs(0), end: self.started.offset_ns(3_600_000_000_000) };
        self.index.segments_in(self.camera, StreamKind::Main, all, None, 10).await.expect("the index answers")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_costs_nothing_where_there_is_another() {
    let (mut bench, own, other) = two_disks(Duration::from_millis(20)).await;
    // A file where the camera's folder should be: no segment can be made there.
    std::fs::create_dir_all(own.join("v1")).unwrap();
    std::fs::write(own.join("v1").join(bench.camera.to_string()), b"").unwrap();
    let mut running = bench.start().await;
    bench.publish(&running.publisher, 0..3);
    running.until(RecorderHealth::is_confirmed).await;
    running.stop().await;

    bench.settle().await;
    let segments = bench.segments().await;
    assert_eq!(segments.len(), 1, "{segments:?}");
    assert_eq!((segments[0].state, segments[0].video_samples), (SegmentState::Closed, 75));
    assert!(other.join(&segments[0].key).exists());
    assert!(!bench.gaps().await.iter().any(|gap| gap.cause == GapCause::DiskError));
    let refused = bench.store.spool().with_root(&own).expect("it is one of them");
    assert_eq!(refused.state(), DiskState::Failed);
    assert!(refused.problem().contains("Not a directory"), "{}", refused.problem());
    bench.store.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_start_a_stream_goes_on_from_whichever_disk_it_was_on() {
    let (mut bench, own, other) = two_disks(Duration::from_millis(20)).await;
    let mut running = bench.start().await;
    bench.publish(&running.publisher, 0..2);
    running.until(RecorderHealth::is_confirmed).await;
    running.stop().await;
    // From now on it is recorded on the other one.
    let number = bench.store.spool().disks().iter().position(|disk| disk.root() == own).expect("it is one of them");
    bench.store.refused(number, false, "Input/output error");
    let mut running = bench.start().await;
    bench.publish(&running.publisher, 2..4);
    running.until(RecorderHealth::is_confirmed).await;
    running.stop().await;

    bench.settle().await;
    let segments = bench.segments().await;
    assert_eq!(segments.len(), 2, "{segments:?}");
    assert!(own.join(&segments[0].key).exists() && other.join(&segments[1].key).exists());
    let key = |segment: &Segment| SegmentKey::parse(&segment.key).expect("a key");
    let first = minhbach_store::read_sidecar(&own, &key(&segments[0])).unwrap();
    let second = minhbach_store::read_sidecar(&other, &key(&segments[1])).unwrap();
    assert_eq!(second.header.prev, first.last, "the chain goes on over both disks");
    bench.store.stop().await;
}
