//! Samples into segments and back: what the cutter writes, the reader must give back to the tick, whatever a camera sends.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_media::cut::{Cut, Cutter};
use minhbach_media::{init, read};
use minhbach_model::{
    AudioCodec, AudioParams, FormatId, MediaFormat, RunId, Sample, Ticks, Timescale, Track, VideoCodec, VideoParams,
    WallTime,
};

const T0: i64 = 1_790_000_000_000_000_000;

fn format(run: u64, width: u32) -> Arc<MediaFormat> {
    let video = VideoParams {
        codec: VideoCodec::H264,
        width,
        height: 1080,
        config: Bytes::from_static(&[1, 0x64, 0, 0x2A]),
        rfc6381: "avc1.64002A".into(),
    };
    let audio = AudioParams {
        codec: AudioCodec::Pcma,
        sample_rate_hz: NonZeroU32::new(8000).expect("not zero"),
        channels: 1,
        config: Bytes::new(),
    };
    Arc::new(MediaFormat { id: FormatId(run), run: RunId(run), video, audio: Some(audio) })
}

fn video(format: &Arc<MediaFormat>, pts: i64, key: bool) -> Sample {
    let wall = WallTime(T0 + Timescale::VIDEO.to_ns(Ticks(pts)));
    let data = Bytes::from(pts.to_be_bytes().to_vec());
    Sample {
        track: Track::Video,
        pts: Ticks(pts),
        duration: 0,
        wall,
        received: wall,
        key,
        lost_packets: 0,
        data,
        format: Arc::clone(format),
    }
}

fn audio(format: &Arc<MediaFormat>, packet: i64) -> Sample {
    let pts = Ticks(packet * 160);
    let wall = WallTime(T0 + format.timescale(Track::Audio).to_ns(pts));
    let data = Bytes::from(packet.to_be_bytes().to_vec());
    Sample {
        track: Track::Audio,
        pts,
        duration: 160,
        wall,
        received: wall,
        key: true,
        lost_packets: 0,
        data,
        format: Arc::clone(format),
    }
}

/// A file, read back: presentation times relative to the run, and the numbers in the samples.
#[derive(Debug, Default)]
struct File {
    start: i64,
    end: Option<i64>,
    video: Vec<(i64, i64, i64)>,
    audio: Vec<(i64, i64)>,
    holes: usize,
    longest_fragment: i64,
}

fn files(cuts: Vec<Cut>) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for cut in cuts {
        match cut {
            Cut::Open { format, start } => {
                assert_eq!(init::read(&init::write(&format), format.id, format.run).expect("an init segment"), *format);
                files.push(File { start: start.0 - T0, ..File::default() });
            }
            Cut::Append(fragment) => {
                let file = files.last_mut().expect("a file is open");
                assert!(file.end.is_none(), "appended after it was closed");
                let bytes = [vec![fragment.header.clone()], fragment.payload.clone()].concat().concat();
                assert_eq!(bytes.len() as u64, fragment.len());
                let entries = read::samples(&bytes).expect("a fragment");
                let mut last_dts = None;
                for entry in &entries {
                    let number = i64::from_be_bytes(bytes[entry.bytes.clone()].try_into().expect("eight bytes"));
                    match entry.track {
                        Track::Video => {
                            assert!(last_dts.is_none_or(|last| entry.dts.0 > last), "decoding times ascend");
                            last_dts = Some(entry.dts.0);
                            file.video.push((number, entry.pts.0, entry.dts.0));
                        }
                        Track::Audio => file.audio.push((number, entry.pts.0)),
                    }
                }
                file.holes += fragment.holes.len();
                file.longest_fragment = file.longest_fragment.max(fragment.range.end.ns_since(fragment.range.start));
            }
            Cut::Close { end } => files.last_mut().expect("a file is open").end = Some(end.0 - T0),
        }
    }
    files
}

/// Pictures with these presentation times in groups of `gop`, sound of the same length that arrives `late_ms` later.
fn record(pts: &[i64], gop: usize, late_ms: i64, segment_secs: u64) -> Vec<File> {
    let format = format(1, 1920);
    let end_ms = pts.iter().max().expect("pictures") / 90 + 40;
    // A picture arrives when the latest one before it in the order of decoding was taken.
    let mut latest = 0;
    let mut arrivals: Vec<(i64, Sample)> = Vec::new();
    for (i, &p) in pts.iter().enumerate() {
        latest = latest.max(p / 90);
        arrivals.push((latest, video(&format, p, i % gop == 0)));
    }
    arrivals.extend((0..end_ms / 20).map(|n| (n * 20 + late_ms, audio(&format, n))));
    arrivals.sort_by_key(|(at, _)| *at);
    let mut cutter = Cutter::new(Duration::from_secs(segment_secs));
    let mut cuts = Vec::new();
    for (_, sample) in arrivals {
        cutter.push(sample, &mut cuts);
    }
    cutter.finish(&mut cuts);
    assert_eq!(cutter.dropped(), Default::default());
    files(cuts)
}

fn check_complete(files: &[File], pts: &[i64]) {
    let seen: Vec<i64> = files.iter().flat_map(|f| f.video.iter().map(|v| v.0)).collect();
    assert_eq!(seen, pts, "every picture once, in the order of decoding");
    let packets: Vec<i64> = files.iter().flat_map(|f| f.audio.iter().map(|a| a.0)).collect();
    let expected: Vec<i64> = (0..packets.len() as i64).collect();
    assert_eq!(packets, expected, "every packet of sound once, in order");
    for file in files {
        let origin = file.video[0].0 - file.video[0].1;
        for &(number, pts, dts) in &file.video {
            assert_eq!(number - pts, origin, "media time follows the camera to the tick");
            assert!(dts <= pts && dts >= 0);
        }
        for &(packet, pts) in &file.audio {
            let run_ns = packet * 20_000_000;
            let file_ns = pts * 125_000;
            let origin_ns = Timescale::VIDEO.to_ns(Ticks(origin));
            assert!((run_ns - file_ns - origin_ns).abs() < 130_000, "sound keeps its place beside the pictures");
        }
        assert!(file.longest_fragment <= 1_050_000_000, "{} ns", file.longest_fragment);
    }
    for pair in files.windows(2) {
        assert_eq!(pair[0].end, Some(pair[1].start), "files follow each other without a gap");
    }
}

#[test]
fn plain_video_with_sound_that_comes_in_time_or_late() {
    let pts: Vec<i64> = (0..1500).map(|n| n * 3600).collect();
    for late_ms in [0, 60, 300, 900] {
        let files = record(&pts, 50, late_ms, 10);
        assert_eq!(files.len(), 6);
        check_complete(&files, &pts);
    }
}

#[test]
fn b_pictures_keep_their_times_and_their_order_of_decoding() {
    // I B B P … shown in order, decoded P before B; groups of 25 pictures, closed.
    let mut pts = Vec::new();
    for gop in 0..40i64 {
        let base = gop * 25;
        pts.push(base);
        for p in 0..8 {
            pts.extend([base + p * 3 + 3, base + p * 3 + 1, base + p * 3 + 2]);
        }
    }
    let pts: Vec<i64> = pts.into_iter().map(|n| n * 3600).collect();
    let files = record(&pts, 25, 0, 10);
    assert!(files.len() >= 4);
    check_complete(&files, &pts);
}

#[test]
fn a_long_group_of_pictures_is_cut_into_fragments_of_a_second() {
    let pts: Vec<i64> = (0..1000).map(|n| n * 3600).collect();
    let files = record(&pts, 500, 0, 10);
    check_complete(&files, &pts);
    assert_eq!(files.len(), 2);
}

#[test]
fn a_hole_is_noted_and_slow_cameras_have_none() {
    let pts: Vec<i64> = (0..500).map(|n| (n + if n >= 200 { 250 } else { 0 }) * 3600).collect();
    let files = record(&pts, 50, 0, 1000);
    assert_eq!((files.len(), files[0].holes), (1, 1));
    // One picture every three seconds: the first two distances are taken for holes, then it is known.
    let pts: Vec<i64> = (0..60).map(|n| n * 270_000).collect();
    let files = record(&pts, 1, 0, 1000);
    assert_eq!((files.len(), files[0].video.len()), (1, 60));
    assert!(files[0].holes <= 2, "{}", files[0].holes);
}

#[test]
fn new_parameters_and_a_new_run_start_a_new_file_at_the_next_key_picture() {
    let (first, second, third) = (format(1, 1920), format(1, 1280), format(2, 1280));
    let mut cutter = Cutter::new(Duration::from_secs(60));
    let mut cuts = Vec::new();
    for n in 0..300i64 {
        let format = [&first, &second, &third][usize::try_from(n / 100).unwrap()];
        cutter.push(video(format, n * 3600, n % 50 == 0), &mut cuts);
    }
    cutter.finish(&mut cuts);
    let files = files(cuts);
    let counts: Vec<usize> = files.iter().map(|f| f.video.len()).collect();
    assert_eq!(counts, [100, 100, 100]);
}

#[test]
fn when_a_file_is_given_up_the_key_picture_that_waits_begins_the_next_one() {
    let format = format(1, 1920);
    for key in [None, Some(55)] {
        let mut cutter = Cutter::new(Duration::from_secs(60));
        let mut cuts = Vec::new();
        for n in 0..60i64 {
            cutter.push(video(&format, n * 3600, n == 0 || Some(n) == key), &mut cuts);
            cutter.push(audio(&format, n * 2), &mut cuts);
            cutter.push(audio(&format, n * 2 + 1), &mut cuts);
        }
        cuts.clear();
        cutter.begin_anew(&mut cuts);
        for n in 60..200i64 {
            cutter.push(video(&format, n * 3600, n == 100), &mut cuts);
            cutter.push(audio(&format, n * 2), &mut cuts);
            cutter.push(audio(&format, n * 2 + 1), &mut cuts);
        }
        cutter.finish(&mut cuts);
        let files = files(cuts);
        let first = key.unwrap_or(100);
        let pictures: Vec<i64> = files[0].video.iter().map(|picture| picture.0).collect();
        assert_eq!((files.len(), pictures), (1, (first..200).map(|n| n * 3600).collect()));
        let sounds: Vec<i64> = files[0].audio.iter().map(|sound| sound.0).collect();
        assert_eq!(sounds, (first * 2..400).collect::<Vec<i64>>(), "with its sound from there on");
    }
}

#[test]
fn time_that_stands_still_fills_no_memory() {
    let format = format(1, 1920);
    let mut cutter = Cutter::new(Duration::from_secs(60));
    let mut cuts = Vec::new();
    for n in 0..10_000 {
        cutter.push(video(&format, 0, n == 0), &mut cuts);
    }
    assert!(cuts.len() >= 5, "it was cut {} times", cuts.len());
}

#[test]
fn nothing_before_the_first_key_picture_is_recorded_and_all_of_it_is_counted() {
    let format = format(1, 1920);
    let mut cutter = Cutter::new(Duration::from_secs(60));
    let mut cuts = Vec::new();
    for n in 0..100i64 {
        cutter.push(video(&format, n * 3600, n == 30), &mut cuts);
        cutter.push(audio(&format, n * 2), &mut cuts);
        cutter.push(audio(&format, n * 2 + 1), &mut cuts);
    }
    cutter.finish(&mut cuts);
    let dropped = cutter.dropped();
    let files = files(cuts);
    assert_eq!((files[0].video[0].0, dropped.video_before_key), (30 * 3600, 30));
    assert_eq!(files[0].audio.len() as u64 + dropped.audio_before_key, 200);
    assert_eq!(files[0].audio[0].0, 60, "sound starts with the picture");
}
