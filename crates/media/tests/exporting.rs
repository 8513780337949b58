//! Exports of ranges that cross files: what the header says is seen is what belongs to the range.

use std::sync::Arc;

use bytes::Bytes;
use minhbach_media::export::{Plan, SourceFragment, plan};
use minhbach_media::read::SampleEntry;
use minhbach_model::{
    FormatId, MediaFormat, RunId, Ticks, Timescale, Track, VideoCodec, VideoParams, WallRange, WallTime,
};

const T0: WallTime = WallTime(1_790_000_000_000_000_000);
/// Ticks of a picture at 25 a second.
const PICTURE: u32 = 3600;
const MS: i64 = 1_000_000;

fn format() -> Arc<MediaFormat> {
    let video = VideoParams {
        codec: VideoCodec::H264,
        width: 1920,
        height: 1080,
        config: Bytes::from_static(&[1, 0x64, 0, 0x2A]),
        rfc6381: "avc1.64002A".into(),
    };
    Arc::new(MediaFormat { id: FormatId(1), run: RunId(1), video, audio: None })
}

/// A second of pictures in each file; the tie of media time to wall time moves by `tie_moved_ns` between the two.
fn two_files(tie_moved_ns: i64) -> Vec<SourceFragment> {
    let format = format();
    let file = |file: usize| {
        let samples = (0..25usize).map(|n| SampleEntry {
            track: Track::Video,
            dts: Ticks(i64::from(PICTURE) * n as i64),
            pts: Ticks(i64::from(PICTURE) * n as i64),
            duration: PICTURE,
            key: n == 0,
            bytes: n * 100..(n + 1) * 100,
        });
        let moved = if file == 0 { 0 } else { 1000 * MS + tie_moved_ns };
        let zero = T0.offset_ns(moved);
        SourceFragment { file, offset: 0, zero, format: Arc::clone(&format), samples: samples.collect() }
    };
    vec![file(0), file(1)]
}

/// Start and length of what the edit list shows, ticks of the track.
fn edit(plan: &Plan) -> (i64, i64) {
    let at = plan.header.windows(4).position(|w| w == b"elst").expect("an edit list") + 4;
    let number = |from: usize| i64::from_be_bytes(plan.header[at + from..at + from + 8].try_into().expect("8 octets"));
    assert_eq!(plan.header[at + 4..at + 8], [0, 0, 0, 1], "one edit");
    (number(16), number(8))
}

/// Pictures that a player shows: those that begin within the edit.
fn shown(plan: &Plan) -> u64 {
    let (start, length) = edit(plan);
    let pictures = plan.pieces.iter().map(|piece| piece.bytes.end - piece.bytes.start).sum::<u64>() / 100;
    (0..pictures).filter(|&n| (start..start + length).contains(&(n as i64 * i64::from(PICTURE)))).count() as u64
}

#[test]
fn a_tie_that_moved_between_two_files_hides_no_picture_of_the_range_and_shows_no_other() {
    for moved_ms in [-30, -7, 0, 7, 30] {
        let files = two_files(moved_ms * MS);
        for (from_ms, to_ms) in [(200, 1500), (219, 1501), (0, 1979), (480, 1006), (970, 1250), (1100, 1381)] {
            let range = WallRange { start: T0.offset_ns(from_ms * MS), end: T0.offset_ns(to_ms * MS) };
            let belong = files.iter().flat_map(|f| f.samples.iter().map(move |s| (f, s)));
            let belong =
                belong.filter(|(f, s)| range.contains(f.zero.offset_ns(Timescale::VIDEO.to_ns(s.pts)))).count();
            let plan = plan(&files, range, false).expect("a plan");
            let case = format!("tie moved by {moved_ms} ms, {from_ms} to {to_ms} ms");
            assert_eq!(plan.video_samples, belong as u64, "{case}");
            assert_eq!(shown(&plan), belong as u64, "{case}: {:?}", edit(&plan));
        }
    }
}
