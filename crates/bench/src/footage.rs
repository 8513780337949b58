//! Hours of footage as a server writes them, as fast as a disk takes them: the recorder of the product takes a looped
//! clip out of a feed that holds all of it at once; store, index and chain of hashes get what they get from cameras.
//!
//! Kept for the next run. What belongs here: making, keeping and serving footage. What does not: measuring.

use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_camsim::elementary::AccessUnit;
use minhbach_feed::{Feed, Limits, feed};
use minhbach_index::{Index, MAX_PAGE, SqliteIndex};
use minhbach_model::{
    AudioCodec, AudioParams, CameraId, FormatId, MediaFormat, RunId, Sample, SegmentState, StreamKind, Ticks,
    Timescale, Track, VideoCodec, VideoParams, WallRange, WallTime,
};
use minhbach_recorder::{
    HealthTeller, Ledger, RecordedStream, RecorderContext, StopWith, StreamRecorder, Tiers, chain, trust,
};
use minhbach_runtime::Clock;
use minhbach_store::{Spool, StoreOptions, Stores};
use minhbach_testkit::harness::Running;
use minhbach_testkit::nal::{NalKind, VideoCodec as NalCodec};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::ingest::start_configured;
use crate::{Outcome, cache, failed, replay};

/// To be raised when what is recorded here, or what a server writes, changes: what was kept is then made again.
const VERSION: u32 = 1;
/// In the folder that is given. Everything in it is this program's own.
const FOLDER: &str = "minhbach-bench-footage";
const STAMP: &str = "made.json";
/// Of the clip.
const PICTURES_A_SECOND: u32 = 25;
const PICTURE_TICKS: i64 = 90_000 / PICTURES_A_SECOND as i64;
const SOUND_HZ: NonZeroU32 = NonZeroU32::new(16_000).expect("it is not zero");
/// An AAC frame.
const SOUND_TICKS: u32 = 1024;
/// Length of a segment, as the server's default is.
const SEGMENT: Duration = Duration::from_secs(60);
/// Between two lines about how far it has come.
const TELL: Duration = Duration::from_secs(5);

/// The footage that is measured.
#[derive(Debug, clap::Args)]
pub struct FootageOptions {
    /// Cameras of which there is footage.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    cameras: u32,
    /// Hours of each; an hour is about 1.8 GB.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=6))]
    hours: u32,
    /// Make the footage again although some is kept.
    #[arg(long)]
    fresh: bool,
    /// Where encoded clips are kept.
    #[arg(long)]
    media_dir: PathBuf,
    /// Where the footage is kept for the next run, on the disk that is measured.
    #[arg(long, overrides_with = "dir")]
    dir: PathBuf,
}

/// What was made, as it is written beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    version: u32,
    cameras: Vec<CameraId>,
    start: WallTime,
    seconds: u32,
}

/// Footage in the data folder of a server.
#[derive(Debug)]
pub struct Kept {
    root: PathBuf,
    made: Made,
}

impl Kept {
    /// Takes what an earlier run made, if it is enough, or makes it.
    ///
    /// # Errors
    /// When there is too little room, or something cannot be written.
    pub fn ready(options: &FootageOptions) -> Outcome<Self> {
        let seconds = options.hours * 3600;
        let root = options.dir.join(FOLDER);
        if !options.fresh
            && let Some(mut made) = stamp(&root)?
            && made.seconds >= seconds
            && made.cameras.len() >= options.cameras as usize
        {
            eprintln!("footage: taken from {}; --fresh makes it again", root.display());
            made.seconds = seconds;
            made.cameras.truncate(options.cameras as usize);
            return Ok(Self { root, made });
        }
        if let Err(error) = std::fs::remove_dir_all(&root)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(format!("old footage: {error}"));
        }
        let clip = Clip::load(&options.media_dir)?;
        let expected = clip.bytes(seconds) * u64::from(options.cameras);
        let kept = Self { made: Made::new(options.cameras, seconds), root };
        std::fs::create_dir_all(kept.data()).map_err(failed("folder of the footage"))?;
        // Boxes, sidecars and rows are a hundredth of it.
        cache::need_room(&kept.root, expected + expected / 50, "the footage")?;
        let shown = (options.cameras, options.hours, cache::gigabytes(expected));
        eprintln!("footage: {} camera(s) × {} h, {}, into {}", shown.0, shown.1, shown.2, kept.root.display());
        runtime()?.block_on(make(&kept.data(), &clip, &kept.made))?;
        // The last step: what was interrupted has no stamp, and is made again.
        let stamp = serde_json::to_string(&kept.made).map_err(failed("stamp"))?;
        std::fs::write(kept.root.join(STAMP), stamp).map_err(failed("stamp"))?;
        Ok(kept)
    }

    /// The cameras of which there is footage; their main stream.
    pub fn cameras(&self) -> &[CameraId] {
        &self.made.cameras
    }

    /// What is recorded of each, without a gap.
    pub fn range(&self) -> WallRange {
        self.made.range()
    }

    fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where keys are paths.
    pub fn spool(&self) -> PathBuf {
        self.data().join("footage")
    }

    /// A folder on the same disk, for what a measurement writes.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Starts a server on the footage, on a free port; returns its address. Its configuration is the default, but that
    /// the disk may be fuller than a server leaves it: it must not delete what is measured.
    ///
    /// # Errors
    /// When it does not start.
    pub fn serve(&self, program: &Path) -> Outcome<(Running, String)> {
        let config = self.root.join("server.toml");
        std::fs::write(&config, "[spool]\nalarm_percent = 99\ndelete_percent = 99\n")
            .map_err(failed("configuration"))?;
        start_configured(program, &self.data(), Some(&config))
    }
}

impl Made {
    /// Ends an hour ago or more: nothing of it is in the future of any clock.
    fn new(cameras: u32, seconds: u32) -> Self {
        let now_secs = Clock::system().now().as_ms() / 1000;
        let start = (now_secs - i64::from(seconds) - 3600) / 3600 * 3600;
        let cameras = (0..cameras).map(|_| CameraId::generate()).collect();
        Self { version: VERSION, cameras, start: WallTime::from_secs(start), seconds }
    }

    fn range(&self) -> WallRange {
        WallRange { start: self.start, end: self.start + Duration::from_secs(self.seconds.into()) }
    }
}

/// What an earlier run made; `None` when there is none, or one of another version.
fn stamp(root: &Path) -> Outcome<Option<Made>> {
    match std::fs::read(root.join(STAMP)) {
        Ok(bytes) => Ok(serde_json::from_slice::<Made>(&bytes).ok().filter(|made| made.version == VERSION)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("stamp of the footage: {error}")),
    }
}

/// The threads of a client.
pub fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed("runtime"))
}

/// An error with what is behind it, and what was tried.
pub fn told<E: std::error::Error + 'static>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {}", chain(&error))
}

/// Pictures and sound as they lie in samples, repeated without a seam.
struct Clip {
    format: Arc<MediaFormat>,
    /// Whether decoding can start with it, and its bytes.
    pictures: Vec<(bool, Bytes)>,
    sounds: Vec<Bytes>,
}

impl Clip {
    fn load(media_dir: &Path) -> Outcome<Self> {
        let (clip, sound) = replay::clips(media_dir)?;
        let nals = || clip.main.iter().flat_map(|unit| &unit.nals);
        // ITU-T H.264 table 7-1: 7 is a sequence parameter set, 8 a picture parameter set.
        let set = |kind: u8| nals().find(|nal| nal.first().is_some_and(|header| header & 0x1F == kind));
        let sets = set(7).zip(set(8)).ok_or("the clip has no parameter sets")?;
        let format = format(sets.0, sets.1).ok_or("the clip's parameter sets are damaged")?;
        let pictures = clip.main.iter().map(|unit| (unit.key, sample_bytes(unit))).collect();
        Ok(Self { format: Arc::new(format), pictures, sounds: sound.talk.clone() })
    }

    /// Bytes of so long a stretch, without what holds them together.
    fn bytes(&self, seconds: u32) -> u64 {
        let pictures: usize = self.pictures.iter().map(|(_, data)| data.len()).sum();
        let sounds: usize = self.sounds.iter().map(Bytes::len).sum();
        let share = |bytes: usize, of: usize, number: u64| bytes as u64 * number / (of as u64).max(1);
        let sound_frames = u64::from(seconds) * u64::from(SOUND_HZ.get()) / u64::from(SOUND_TICKS);
        share(pictures, self.pictures.len(), u64::from(seconds * PICTURES_A_SECOND))
            + share(sounds, self.sounds.len(), sound_frames)
    }

    /// Everything that a camera sends in a stretch, in its order, and then the end of the stream. The ring holds it at
    /// once: the bytes themselves are those of the clip and are there once.
    fn feed(&self, start: WallTime, seconds: u32) -> Feed {
        let (publisher, feed) = feed(Limits { history_bytes: usize::MAX, max_bytes: usize::MAX });
        let sounds_at = |number: i64| Ticks(number * i64::from(SOUND_TICKS));
        let sample = |track, pts, duration, key, data: &Bytes| {
            let wall = start.offset_ns(self.format.timescale(track).to_ns(pts));
            let (data, format) = (data.clone(), Arc::clone(&self.format));
            Sample { track, pts, duration, wall, received: wall, key, lost_packets: 0, data, format }
        };
        let mut sounds = (0_i64..).zip(self.sounds.iter().cycle()).peekable();
        let pictures = self.pictures.iter().cycle().take((seconds * PICTURES_A_SECOND) as usize);
        for (number, (key, data)) in (0_i64..).zip(pictures) {
            publisher.publish(sample(Track::Video, Ticks(number * PICTURE_TICKS), 0, *key, data));
            let next_ns = Timescale::VIDEO.to_ns(Ticks((number + 1) * PICTURE_TICKS));
            let is_before = |at: i64| Timescale(SOUND_HZ).to_ns(sounds_at(at)) < next_ns;
            while let Some((at, data)) = sounds.next_if(|(at, _)| is_before(*at)) {
                publisher.publish(sample(Track::Audio, sounds_at(at), SOUND_TICKS, true, data));
            }
        }
        feed
    }
}

/// A picture's NAL units, each after its length; see [`Sample`].
fn sample_bytes(unit: &AccessUnit) -> Bytes {
    let mut bytes = Vec::new();
    for nal in unit.nals.iter().filter(|nal| NalKind::of(NalCodec::H264, nal).kept_in_samples()) {
        bytes.extend(u32::try_from(nal.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(nal);
    }
    Bytes::from(bytes)
}

/// The format of the clip; `None` when a parameter set is too short or too long.
fn format(sps: &[u8], pps: &[u8]) -> Option<MediaFormat> {
    // AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1: lengths of four bytes, one set of each kind.
    let [_, profile, constraints, level, ..] = *sps else { return None };
    let mut config = vec![1, profile, constraints, level, 0xFF, 0xE1];
    config.extend(u16::try_from(sps.len()).ok()?.to_be_bytes());
    config.extend_from_slice(sps);
    config.push(1);
    config.extend(u16::try_from(pps.len()).ok()?.to_be_bytes());
    config.extend_from_slice(pps);
    let video = VideoParams {
        codec: VideoCodec::H264,
        width: 1920,
        height: 1080,
        config: Bytes::from(config),
        rfc6381: format!("avc1.{profile:02X}{constraints:02X}{level:02X}"),
    };
    // AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1: AAC LC, 16 kHz, mono.
    let config = Bytes::from_static(&[0x14, 0x08]);
    let audio = AudioParams { codec: AudioCodec::Aac, sample_rate_hz: SOUND_HZ, channels: 1, config };
    Some(MediaFormat { id: FormatId(1), run: RunId(1), video, audio: Some(audio) })
}

/// Records every camera into a new data folder and leaves it as a server does that was stopped.
async fn make(data: &Path, clip: &Clip, made: &Made) -> Outcome {
    let spool = data.join("footage");
    let index = SqliteIndex::open(&data.join("index.sqlite"), made.start).await.map_err(told("index"))?;
    let index: Arc<dyn Index> = Arc::new(index);
    let tiers = Tiers::new(Spool::open(std::slice::from_ref(&spool)).map_err(told("spool"))?, None);
    let store = Arc::new(Stores::open(tiers.disks.clone(), StoreOptions::default()).map_err(told("store"))?);
    let (ledger, writer) = Ledger::new(Arc::clone(&index));
    let writer = tokio::spawn(writer);
    let context = RecorderContext {
        store: Arc::clone(&store),
        footage: Arc::clone(&tiers.footage),
        index: Arc::clone(&index),
        ledger,
        clock: Clock::manual(made.start),
        segment: SEGMENT,
        begun: made.start,
    };
    let all = async {
        for &camera in &made.cameras {
            record(&context, camera, clip.feed(made.start, made.seconds), made.start).await?;
        }
        Ok::<(), String>(())
    };
    let recorded = telling(all, &spool, clip.bytes(made.seconds) * made.cameras.len() as u64).await;
    store.stop().await;
    context.ledger.end().await;
    writer.await.map_err(failed("ledger"))?;
    recorded?;
    for &camera in &made.cameras {
        check(index.as_ref(), camera, made).await?;
    }
    // A server that begins with an empty folder writes to which database its footage belongs.
    trust(index.as_ref(), &tiers).await.map_err(told("index"))?;
    index.close().await.map_err(told("index"))
}

async fn record(context: &RecorderContext, camera: CameraId, feed: Feed, started: WallTime) -> Outcome {
    let stream = RecordedStream { camera, stream: StreamKind::Main, started };
    let (health, _health) = HealthTeller::new();
    let recorder = StreamRecorder::start(context.clone(), stream, Vec::new(), health).await;
    let recorder = recorder.map_err(told("recorder"))?;
    let (stop, stopped) = oneshot::channel();
    // It takes all that the feed holds before it heeds this. Without a gap: nothing is missing after it.
    stop.send(StopWith::Removed).map_err(|_| "the recorder does not listen")?;
    recorder.run(feed, stopped).await;
    Ok(())
}

/// Does the work and says meanwhile how far it has come.
async fn telling<T>(work: impl Future<Output = T>, spool: &Path, expected: u64) -> T {
    let mut work = std::pin::pin!(work);
    let mut tell = tokio::time::interval(TELL);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tell.tick() => match cache::files(spool).map(|files| cache::size(&files)) {
                Ok(bytes) => eprintln!("footage: {} of {}", cache::gigabytes(bytes), cache::gigabytes(expected)),
                Err(message) => eprintln!("{message}"),
            },
        }
    }
}

/// Whether the index knows all of it as whole.
async fn check(index: &dyn Index, camera: CameraId, made: &Made) -> Outcome {
    let (stream, range) = (StreamKind::Main, made.range());
    let rows = index.segments_in(camera, stream, range, None, MAX_PAGE).await.map_err(told("index"))?;
    let gaps = index.gaps_in(camera, stream, range).await.map_err(told("index"))?;
    let closed = rows.iter().filter(|row| row.state == SegmentState::Closed).count();
    let pictures: u64 = rows.iter().map(|row| row.video_samples).sum();
    let wanted = u64::from(made.seconds * PICTURES_A_SECOND);
    if closed == rows.len() && pictures == wanted && gaps.is_empty() {
        return Ok(());
    }
    let (files, gaps) = (rows.len(), gaps.len());
    let found = format!("{pictures} of {wanted} pictures, {closed} of {files} files closed, {gaps} gaps");
    Err(format!("the footage is not whole: {found}"))
}

#[cfg(test)]
mod tests {
    use minhbach_store::{SegmentKey, read_identity, read_sidecar};

    use super::*;

    fn clip() -> Clip {
        let format = format(&[0x67, 0x64, 0, 0x28, 1], &[0x68, 2]).expect("parameter sets");
        let pictures = (0_u8..50).map(|n| (n == 0, Bytes::from(vec![0, 0, 0, 1, n]))).collect();
        let sounds = (0_u8..125).map(|n| Bytes::from(vec![n; 3])).collect();
        Clip { format: Arc::new(format), pictures, sounds }
    }

    #[test]
    fn what_is_made_is_whole_and_what_a_server_needs_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let made = Made::new(2, 130);
        runtime().unwrap().block_on(async {
            make(dir.path(), &clip(), &made).await.unwrap();
            let index = SqliteIndex::open(&dir.path().join("index.sqlite"), made.start).await.unwrap();
            let index: &dyn Index = &index;
            for &camera in &made.cameras {
                let rows = index.segments_in(camera, StreamKind::Main, made.range(), None, MAX_PAGE).await.unwrap();
                let seconds = rows.iter().map(|row| row.range.duration().as_secs()).collect::<Vec<_>>();
                assert_eq!(seconds, [60, 60, 10]);
                // 130 s of frames of 64 ms, the last of which only begins in it.
                assert_eq!(rows.iter().map(|row| row.audio_samples).sum::<u64>(), 2032);
                for row in &rows {
                    let key = SegmentKey::parse(&row.key).unwrap();
                    let sidecar = read_sidecar(&dir.path().join("footage"), &key).unwrap();
                    assert_eq!(sidecar.fragments.last().map(|last| last.end_offset()), Some(row.bytes));
                }
            }
            let belongs = read_identity(&dir.path().join("footage")).unwrap();
            assert_eq!(belongs.map(|to| (to.database_id, to.generation)), Some((index.database_id(), 1)));
            index.close().await.unwrap();
        });
    }

    #[test]
    fn only_footage_of_this_version_that_was_finished_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(stamp(dir.path()), Ok(None));
        let made = Made::new(1, 60);
        let write = |made: &Made| std::fs::write(dir.path().join(STAMP), serde_json::to_string(made).unwrap()).unwrap();
        write(&made);
        assert_eq!(stamp(dir.path()), Ok(Some(made.clone())));
        write(&Made { version: VERSION + 1, ..made });
        assert_eq!(stamp(dir.path()), Ok(None));
        std::fs::write(dir.path().join(STAMP), "{").unwrap();
        assert_eq!(stamp(dir.path()), Ok(None));
    }

    #[test]
    fn the_size_of_a_stretch_is_that_of_what_it_holds() {
        // 50 pictures of 5 bytes in 2 s, 125 sounds of 3 bytes in 8 s.
        assert_eq!(clip().bytes(8), 4 * 250 + 375);
    }
}
