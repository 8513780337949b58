//! What the index of a large installation holds: each row made from its place alone, so that any of them can be asked
//! for again and two runs have the same.
//!
//! No database here. Rows are what a server would have told of cameras that record all day: files that follow each
//! other, cut at a key picture about once a minute, each stream at a moment of its own. One camera in a hundred loses
//! its connection three times an hour.

use minhbach_model::{
    CameraId, Gap, GapCause, Hold, HoldId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange, WallTime,
};
use minhbach_store::SegmentKey;

/// Start of the oldest day, 2026-01-01T00:00:00Z. The same in every run.
const BEGIN: WallTime = WallTime(1_767_225_600_000_000_000);
const MS: i64 = 1_000_000;
const SECOND: i64 = 1000 * MS;
const DAY: i64 = 86_400 * SECOND;
/// Length of a file, nanoseconds.
pub const FILE_NS: i64 = 60 * SECOND;
/// Files of a stream in a day.
pub const FILES_A_DAY: u32 = 1440;
/// One camera in so many has a poor connection.
const POOR_ONE_IN: u32 = 100;
/// One file in so many of such a camera ends early, with a gap behind it: three an hour.
const INTERRUPTED_ONE_IN: u64 = 20;
/// Holds that stand.
const HOLDS: u32 = 5;

/// A stream of a camera.
#[derive(Debug)]
pub struct Stream {
    /// Its camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub kind: StreamKind,
    /// When in a minute its files begin, nanoseconds.
    phase_ns: i64,
    seed: u64,
    /// The same for both streams of a camera: they lose their connection together.
    camera_seed: u64,
    is_poor: bool,
}

/// Cameras that record all day, for some days.
#[derive(Debug)]
pub struct Plan {
    /// The cameras.
    pub cameras: Vec<CameraId>,
    /// Whole days.
    pub days: u32,
    /// Their streams, in the order in which files begin within a minute: the order in which rows come.
    pub streams: Vec<Stream>,
}

impl Plan {
    /// A plan of so many cameras with two streams each, and so many days.
    pub fn new(cameras: u32, days: u32) -> Self {
        let id = |number: u32| {
            // Each was added a second after the one before, before the first day.
            let added = BEGIN.offset_ns((i64::from(number) - i64::from(cameras)) * SECOND);
            CameraId::from_bytes(uuid_v7(added, u64::from(number)))
        };
        let mut streams: Vec<Stream> = (0..cameras)
            .flat_map(|number| StreamKind::ALL.map(|kind| (number, kind)))
            .map(|(number, kind)| Stream {
                camera: id(number),
                kind,
                phase_ns: 0,
                seed: mix(u64::from(number) * 2 + u64::from(kind == StreamKind::Sub)),
                camera_seed: mix(!u64::from(number)),
                is_poor: number.is_multiple_of(POOR_ONE_IN),
            })
            .collect();
        // Neighbours in time are no neighbours in the key.
        streams.sort_unstable_by_key(|stream| stream.seed);
        let count = i64::try_from(streams.len()).unwrap_or(i64::MAX).max(1);
        for (position, stream) in (0_i64..).zip(&mut streams) {
            stream.phase_ns = FILE_NS / count * position;
        }
        Self { cameras: (0..cameras).map(id).collect(), days, streams }
    }

    /// Files of each stream.
    pub fn files(&self) -> u32 {
        self.days * FILES_A_DAY
    }

    /// Files of all streams.
    pub fn rows(&self) -> u64 {
        self.streams.len() as u64 * u64::from(self.files())
    }

    /// The end of the last day: now.
    pub fn end(&self) -> WallTime {
        BEGIN.offset_ns(i64::from(self.days) * DAY)
    }

    /// What begins before this lies in the archive: all but the last day.
    pub fn archived_before(&self) -> WallTime {
        self.end().offset_ns(-DAY)
    }

    /// The end of the oldest hour.
    pub fn oldest_hour(&self) -> WallTime {
        BEGIN.offset_ns(60 * FILE_NS)
    }

    /// One of the days.
    pub fn day(&self, day: u32) -> WallRange {
        let start = BEGIN.offset_ns(i64::from(day) * DAY);
        WallRange { start, end: start.offset_ns(DAY) }
    }

    /// So many seconds after the moment in which files of that number begin.
    pub fn moment(&self, file: u32, seconds: usize) -> WallTime {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        BEGIN.offset_ns(i64::from(file) * FILE_NS).offset_ns(seconds.saturating_mul(SECOND))
    }

    /// A file of a stream, as its row says when it is closed. Numbers may go on beyond the last day.
    pub fn segment(&self, stream: &Stream, file: u32) -> Segment {
        let (start, end) = (begin(stream, file), end(stream, file));
        let number = mix(stream.seed ^ mix(u64::from(file)));
        let id = SegmentId::from_bytes(uuid_v7(start, number));
        let length_us = u64::try_from(end.ns_since(start) / 1000).unwrap_or(0);
        // 4 Mbit/s and half a one, give or take a tenth; 25 pictures, and 48,000 samples of AAC in frames of 1024.
        let bytes_a_second = if stream.kind == StreamKind::Main { 500_000 } else { 62_500 };
        Segment {
            id,
            camera: stream.camera,
            stream: stream.kind,
            range: WallRange { start, end },
            key: SegmentKey::new(stream.camera, stream.kind, start, id).as_str().to_owned(),
            bytes: length_us * bytes_a_second / 1_000_000 * (90 + number % 21) / 100,
            video_samples: length_us / 40_000,
            audio_samples: length_us * 48_000 / 1024 / 1_000_000,
            state: SegmentState::Closed,
            tier: if start < self.archived_before() { Tier::Archive } else { Tier::Spool },
        }
    }

    /// The gap between a file of a stream and the next, if there is one.
    pub fn gap(&self, stream: &Stream, file: u32) -> Option<Gap> {
        is_interrupted(stream, file).then(|| Gap {
            camera: stream.camera,
            stream: stream.kind,
            start: end(stream, file),
            end: Some(begin(stream, file + 1)),
            cause: if file.is_multiple_of(2) { GapCause::Disconnected } else { GapCause::Stalled },
        })
    }

    /// Holds: one inside the oldest hour, the others of two hours each, spread over the days.
    pub fn holds(&self) -> Vec<Hold> {
        let hold = |number: u32| {
            let minutes = |from, to| WallRange { start: self.moment(from, 0), end: self.moment(to, 0) };
            let from = self.files() / HOLDS * number;
            let range = if number == 0 { minutes(10, 40) } else { minutes(from, from + 120) };
            let camera = self.cameras[number as usize * 7 % self.cameras.len()];
            Hold {
                id: HoldId::from_bytes(uuid_v7(self.end(), u64::from(number))),
                cameras: vec![camera],
                range,
                reason: "bench".to_owned(),
                case_code: String::new(),
                owner: "bench".to_owned(),
                created: self.end(),
                expires: None,
                release: None,
            }
        };
        (0..HOLDS).map(hold).collect()
    }
}

/// When a file begins: about once a minute, at the key picture that comes next.
fn begin(stream: &Stream, file: u32) -> WallTime {
    let pictures = i64::try_from(mix(stream.seed.wrapping_add(u64::from(file))) % 50).unwrap_or(0);
    BEGIN.offset_ns(i64::from(file) * FILE_NS + stream.phase_ns + pictures * 40 * MS)
}

/// When a file ends: just before the next, as the end of the last picture is an estimate; or when the connection is
/// lost.
fn end(stream: &Stream, file: u32) -> WallTime {
    let number = mix(stream.seed ^ u64::from(file));
    let some = |limit: u64| i64::try_from(number % limit).unwrap_or(0);
    if is_interrupted(stream, file) {
        begin(stream, file).offset_ns((5 + some(40)) * SECOND)
    } else {
        begin(stream, file + 1).offset_ns(-some(20) * MS)
    }
}

fn is_interrupted(stream: &Stream, file: u32) -> bool {
    stream.is_poor && mix(stream.camera_seed ^ u64::from(file)).is_multiple_of(INTERRUPTED_ONE_IN)
}

/// An id made at that time (RFC 9562 §5.7), whose random part comes from a number.
fn uuid_v7(at: WallTime, number: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&at.as_ms().to_be_bytes()[2..]);
    bytes[6..8].copy_from_slice(&mix(!number).to_be_bytes()[..2]);
    bytes[8..].copy_from_slice(&mix(number).to_be_bytes());
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes
}

/// A number that looks random (the finaliser of splitmix64): the same for the same number, another for another one.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Numbers that look random, the same in each run.
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Those that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one, below a limit that is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0) % limit
    }

    /// One of a list that is not empty.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len() as u64);
        &of[usize::try_from(at).unwrap_or(0)]
    }

    /// So many of a list, each at most once.
    pub fn some<T: Copy>(&mut self, of: &[T], count: usize) -> Vec<T> {
        let mut left = of.to_vec();
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count && !left.is_empty() {
            let at = self.below(left.len() as u64);
            taken.push(left.swap_remove(usize::try_from(at).unwrap_or(0)));
        }
        taken
    }
}
