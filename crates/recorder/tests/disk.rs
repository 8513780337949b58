//! A recorder over a store that refuses: it tells the exact error, and goes on by itself when the store works again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_feed::{Limits, Publisher, feed};
use minhbach_index::{Index, SqliteIndex};
use minhbach_model::{
    CameraId, FailureKind, FormatId, Gap, GapCause, MediaFormat, RunId, Sample, SegmentState, StreamKind, Ticks,
    Timescale, Track, VideoCodec, VideoParams, WallRange, WallTime,
};
use minhbach_recorder::{
    HealthTeller, Ledger, RecordedStream, RecorderContext, RecorderHealth, StopWith, StreamRecorder,
};
use minhbach_runtime::Clock;
use minhbach_store::{Store, StoreOptions};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);
/// 25 pictures a second.
const PICTURE_TICKS: i64 = 3600;

/// A recorder of one camera, and what it records from and into.
struct Bench {
    _dir: tempfile::TempDir,
    store: Arc<Store>,
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
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let started = clock.now();
        let index: Arc<dyn Index> =
            Arc::new(SqliteIndex::open(&dir.path().join("index.sqlite"), started).await.expect("an index"));
        let options = StoreOptions { sync_interval: Duration::from_millis(20), ..StoreOptions::default() };
        let store = Arc::new(Store::open(&dir.path().join("footage"), options).expect("a store"));
        let (ledger, writer) = Ledger::new(Arc::clone(&index));
        let ledger_task = tokio::spawn(writer);
        let context = RecorderContext {
            store: Arc::clone(&store),
            index: Arc::clone(&index),
            ledger: ledger.clone(),
            clock,
            segment: Duration::from_secs(60),
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
        let (publisher, feed) = feed(Limits::default());
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
    assert!(fault.message.contains("has ended"), "{fault:?}");
    running.stop().await;
    bench.settle().await;
    let gaps = bench.gaps().await;
    assert!(gaps.iter().any(|gap| gap.cause == GapCause::DiskError && gap.start > bench.started), "{gaps:?}");
}
