//! Random seeks over gRPC into recorded footage: how soon something comes, and how soon the wanted picture is there.
//!
//! A viewer asks for a random moment as the console does, with sound and without an end, on a connection of its own.
//! Three times are taken, from that call on: the first message with a picture (the key frame before the moment), that
//! key frame decoded, and the first decoded picture that is not before the moment, for which everything from the key
//! frame on is decoded.
//!
//! *Warm*: all footage is in the memory of the machine. *Cold*: before each seek the kernel forgets all media and
//! sidecars, so that the server reads them from the disk; the index stays in its cache, names and inodes stay known,
//! and what a disk or a host caches is out of reach. A cold run in which the server reads nothing from a disk is
//! refused. The server's patrol reads 2 MiB a second meanwhile, as it does in use.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use minhbach_client::{Client, MediaEvent, PlayRequest};
use minhbach_decode::{Threads, VideoDecoder};
use minhbach_model::{CameraId, StreamKind, Track, WallRange, WallTime};

use crate::cache::State;
use crate::footage::{FootageOptions, Kept, runtime, told};
use crate::meter::{disk_read_bytes, percentile};
use crate::{Outcome, cache, failed};

/// Seeks before those that are measured: connections, statements and threads are made once.
const BEFORE: u32 = 10;
/// How long the server gets to notice that the last viewer has gone, so that it reads nothing more.
const LET_GO: Duration = Duration::from_millis(50);
/// So long before the end of the footage no moment is asked for: the wanted picture must come.
const END_NS: i64 = 3_000_000_000;
/// Between two lines about how far it has come.
const TELL: u32 = 50;

/// Measure seeks.
#[derive(Debug, clap::Args)]
pub struct Playback {
    /// Seeks into footage that is in memory.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    warm: u32,
    /// Seeks into footage that is not.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    cold: u32,
    /// The same moments for the same number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    #[command(flatten)]
    footage: FootageOptions,
}

/// Who is asked, and for what.
struct Target<'a> {
    address: &'a str,
    server: u32,
    cameras: &'a [CameraId],
    moments: WallRange,
    files: &'a [(PathBuf, u64)],
}

/// Times of some seeks, milliseconds from the call on.
#[derive(Debug, Default)]
struct Seeks {
    first_sample: Vec<f64>,
    first_picture: Vec<f64>,
    wanted_picture: Vec<f64>,
    /// Bytes the server had read from a disk in each.
    disk_bytes: Vec<f64>,
}

impl Playback {
    pub fn run(self) -> Outcome {
        let kept = Kept::ready(&self.footage)?;
        let files = cache::files(&kept.spool())?;
        // What is not on the disk yet cannot be forgotten.
        rustix::fs::sync();
        let (server, address) = kept.serve(&self.server)?;
        let range = kept.range();
        let target = Target {
            address: &address,
            server: server.pid(),
            cameras: kept.cameras(),
            moments: WallRange { start: range.start, end: range.end.offset_ns(-END_NS) },
            files: &files,
        };
        let runtime = runtime()?;
        let mut moments = Moments(self.seed);
        runtime.block_on(target.seeks(State::Warm, BEFORE, &mut moments))?;
        let warm = if cache::fits(cache::size(&files))? {
            cache::load(&files)?;
            Some(runtime.block_on(target.seeks(State::Warm, self.warm, &mut moments))?)
        } else {
            None
        };
        let cold = runtime.block_on(target.seeks(State::Cold, self.cold, &mut moments))?;
        let from_disk = cold.disk_bytes.iter().filter(|&&bytes| bytes > 0.0).count();
        let warm = warm.map(|seeks| seeks.report(State::Warm));
        if from_disk * 2 < cold.disk_bytes.len() {
            let (of, folder) = (self.cold, kept.root().display());
            return Err(format!(
                "only in {from_disk} of {of} cold seeks did the server read from a disk: {folder} may be in memory \
                 (tmpfs); name a folder on a disk with --dir"
            ));
        }
        let cold = cold.report(State::Cold);
        let line = serde_json::json!({
            "bench": "playback", "cameras": kept.cameras().len(), "footage_secs": range.duration().as_secs(),
            "footage_bytes": cache::size(&files), "seed": self.seed, "seeks_warm": self.warm, "seeks_cold": self.cold,
            "warm": warm, "cold": cold,
        });
        println!("{line}");
        Ok(())
    }
}

impl Target<'_> {
    async fn seeks(&self, state: State, count: u32, moments: &mut Moments) -> Outcome<Seeks> {
        let mut seeks = Seeks::default();
        for number in 0..count {
            if number.is_multiple_of(TELL) {
                eprintln!("playback: {}, {number} of {count} seeks", state.name());
            }
            tokio::time::sleep(LET_GO).await;
            if state == State::Cold {
                cache::forget(self.files)?;
            }
            let camera = self.cameras[number as usize % self.cameras.len()];
            let moment = moments.within(self.moments);
            let before = disk_read_bytes(self.server)?;
            let [first_sample, first_picture, wanted_picture] = seek(self.address, camera, moment).await?;
            seeks.first_sample.push(first_sample);
            seeks.first_picture.push(first_picture);
            seeks.wanted_picture.push(wanted_picture);
            #[allow(clippy::cast_precision_loss)] // some megabytes
            seeks.disk_bytes.push(disk_read_bytes(self.server)?.saturating_sub(before) as f64);
        }
        Ok(seeks)
    }
}

/// Milliseconds to the first message with a picture, to that picture decoded, and to the picture of the moment decoded.
async fn seek(address: &str, camera: CameraId, moment: WallTime) -> Outcome<[f64; 3]> {
    let client = Client::connect(address).await.map_err(failed("connect"))?;
    let request =
        PlayRequest { camera, stream: StreamKind::Main, from: moment, to: None, audio: true, key_frames_only: false };
    let started = Instant::now();
    let elapsed_ms = || started.elapsed().as_secs_f64() * 1000.0;
    let mut stream = client.play(&request).await.map_err(failed("play"))?;
    let (mut decoder, mut first_sample, mut first_picture) = (None, None, None);
    loop {
        let event = stream.next().await.map_err(failed("play"))?;
        match event.ok_or("the server ended the stream before the wanted picture")? {
            MediaEvent::Format(format) => {
                decoder = Some(VideoDecoder::for_playback(&format.video, Threads::One).map_err(told("decoder"))?);
            }
            MediaEvent::Samples(samples) => {
                let decoder = decoder.as_mut().ok_or("samples came before their format")?;
                for sample in samples.iter().filter(|sample| sample.track == Track::Video) {
                    let first_sample = *first_sample.get_or_insert_with(elapsed_ms);
                    for picture in decoder.decode(sample).map_err(told("decoder"))? {
                        let first_picture = *first_picture.get_or_insert_with(elapsed_ms);
                        if picture.wall() >= moment {
                            return Ok([first_sample, first_picture, elapsed_ms()]);
                        }
                    }
                }
            }
            other => return Err(format!("at {moment} came what footage without a gap does not hold: {other:?}")),
        }
    }
}

impl Seeks {
    /// Prints them for people and returns them for the line of figures.
    fn report(mut self, state: State) -> serde_json::Value {
        let shares = |figures: &mut Vec<f64>| [0.5, 0.99, 1.0].map(|share| percentile(figures, share));
        let (first, picture) = (shares(&mut self.first_sample), shares(&mut self.first_picture));
        let (wanted, disk) = (shares(&mut self.wanted_picture), shares(&mut self.disk_bytes));
        println!("{}, {} seeks, ms: p50, p99, largest", state.name(), self.first_sample.len());
        for (name, [p50, p99, largest]) in
            [("first sample", first), ("key frame decoded", picture), ("wanted picture decoded", wanted)]
        {
            println!("  {name}: {p50:.1}, {p99:.1}, {largest:.1}");
        }
        serde_json::json!({
            "first_sample_ms_p50_p99_max": first, "first_picture_ms_p50_p99_max": picture,
            "wanted_picture_ms_p50_p99_max": wanted, "disk_bytes_p50_p99_max": disk,
        })
    }
}

/// Random moments, the same for the same seed: SplitMix64 (Steele, Lea and Flood, 2014).
struct Moments(u64);

impl Moments {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn within(&mut self, range: WallRange) -> WallTime {
        let len_ns = u64::try_from(range.end.ns_since(range.start)).unwrap_or(0).max(1);
        range.start.offset_ns(i64::try_from(self.draw() % len_ns).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_published_generator_and_lie_inside() {
        let mut moments = Moments(1_234_567);
        assert_eq!([moments.draw(), moments.draw()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        let range = WallRange { start: WallTime::from_secs(100), end: WallTime::from_secs(160) };
        let asked: Vec<WallTime> = (0..1000).map(|_| moments.within(range)).collect();
        assert!(asked.iter().all(|&moment| range.contains(moment)));
        // All over it: each tenth gets its share of a hundred, more or less.
        for tenth in 0..10 {
            let of = WallTime::from_secs(100 + tenth * 6);
            let count = asked.iter().filter(|at| (0..6_000_000_000).contains(&at.ns_since(of))).count();
            assert!((50..200).contains(&count), "{count} in the tenth {tenth}");
        }
    }
}
