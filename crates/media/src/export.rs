//! A plain MP4 of a range: sample bytes as recorded, `moov` first, exact to the picture by edit lists (ISO/IEC 14496-12 §8.6.6).
//!
//! Plans only: given where the samples lie in recorded files, it computes the header and which pieces of which files follow it.
//! Whoever exports reads those pieces and sends them; the size is known before the first byte.

use std::ops::Range;
use std::sync::Arc;

use minhbach_model::{MediaFormat, Ticks, Timescale, Track, WallRange, WallTime};

use crate::MediaError;
use crate::boxes::BoxWriter;
use crate::init::{self, MOVIE_TIMESCALE, TrackHeader};
use crate::read::SampleEntry;

/// A fragment that may contribute to an export.
#[derive(Debug, Clone)]
pub struct SourceFragment {
    /// Which file, a number the caller chose.
    pub file: usize,
    /// Where the fragment starts in the file.
    pub offset: u64,
    /// Wall time of zero of the file's media time.
    pub zero: WallTime,
    /// The parameters in force.
    pub format: Arc<MediaFormat>,
    /// Its samples, with bytes counted from `offset`.
    pub samples: Vec<SampleEntry>,
}

/// Bytes of a recorded file that go into the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which file.
    pub file: usize,
    /// Where in it.
    pub bytes: Range<u64>,
}

/// A planned export.
#[derive(Debug)]
pub struct Plan {
    /// `ftyp`, `moov` and the header of `mdat`.
    pub header: Vec<u8>,
    /// What follows it, in order.
    pub pieces: Vec<Piece>,
    /// Size of the whole file.
    pub total_bytes: u64,
    /// What a player shows.
    pub range: WallRange,
    /// Pictures shown.
    pub video_samples: u64,
    /// Frames or packets of sound.
    pub audio_samples: u64,
}

struct Picked {
    at: i64,
    composition_offset: i64,
    key: bool,
    /// A picture that is to be seen, and not only serves to decode others.
    shown: bool,
    duration: u32,
    size: u32,
    entry: usize,
}

impl Picked {
    /// When it is shown, in the time of the track.
    fn presented(&self) -> i64 {
        self.at + self.composition_offset
    }
}

struct Chunk {
    offset: u64,
    samples: u32,
    entry: usize,
}

struct TrackPlan {
    track: Track,
    scale: Timescale,
    samples: Vec<Picked>,
    chunks: Vec<Chunk>,
}

impl TrackPlan {
    fn last_duration(&self) -> u32 {
        self.samples.last().map_or(1, |s| s.duration)
    }
}

/// What is seen of the track of pictures: from when on, and for how long, nanoseconds of that track.
///
/// It follows the pictures that belong to the range, not the range itself: files are joined without a seam, so that a
/// picture may lie some milliseconds from where its wall time says, and one at the very end would be cut off.
fn seen(video: &TrackPlan, wanted_ns: i64) -> Option<(i64, i64)> {
    let start = video.samples.iter().filter(|s| s.shown).map(Picked::presented).min()?;
    let last = video.samples.iter().filter(|s| s.shown).max_by_key(|s| s.presented())?;
    let until = |ticks: i64| video.scale.to_ns(Ticks(ticks - start));
    let duration = i64::from(last.duration);
    // The last picture ends where the range does, but is seen.
    let (half, whole) = (until(last.presented() + (duration + 1) / 2), until(last.presented() + duration));
    Some((video.scale.to_ns(Ticks(start)), wanted_ns.clamp(half, whole)))
}

/// Plans the export of `range`; the fragments must be in order of time.
///
/// # Errors
/// [`MediaError::EmptyRange`] when no picture is in the range, [`MediaError::CodecChanges`] when it cannot be one file.
pub fn plan(fragments: &[SourceFragment], range: WallRange, with_audio: bool) -> Result<Plan, MediaError> {
    let wall = |f: &SourceFragment, s: &SampleEntry| f.zero.offset_ns(f.format.timescale(s.track).to_ns(s.pts));
    let shown = |f: &SourceFragment, s: &SampleEntry| s.track == Track::Video && range.contains(wall(f, s));

    // The first picture shown, and the key picture it needs.
    let video: Vec<(usize, &SampleEntry)> = fragments
        .iter()
        .enumerate()
        .flat_map(|(i, f)| f.samples.iter().filter(|s| s.track == Track::Video).map(move |s| (i, s)))
        .collect();
    let first_shown = video.iter().position(|&(i, s)| shown(&fragments[i], s)).ok_or(MediaError::EmptyRange)?;
    let last_shown = video.iter().rposition(|&(i, s)| shown(&fragments[i], s)).ok_or(MediaError::EmptyRange)?;
    let start = video[first_shown..=last_shown]
        .iter()
        .filter(|(i, s)| shown(&fragments[*i], s))
        .map(|&(i, s)| wall(&fragments[i], s))
        .min()
        .ok_or(MediaError::EmptyRange)?;
    // Pictures that follow a key picture and are shown before it refer to the group before (open groups of pictures).
    let can_show = |&(i, s): &(usize, &SampleEntry)| s.key && wall(&fragments[i], s) <= start;
    let first_key = video[..=first_shown]
        .iter()
        .rposition(can_show)
        .or_else(|| video[..=first_shown].iter().rposition(|(_, s)| s.key))
        .ok_or(MediaError::EmptyRange)?;

    let base = &fragments[video[first_key].0];
    let zero_wall = wall(base, video[first_key].1);
    let entries = formats(&fragments[video[first_key].0..=video[last_shown].0])?;
    // Where no earlier group was recorded, what is shown begins with the key picture.
    let start = start.max(zero_wall);

    let mut tracks: Vec<TrackPlan> = Vec::new();
    let has_audio = with_audio && entries.iter().any(|f| f.audio.is_some());
    for track in [Track::Video, Track::Audio].into_iter().take(if has_audio { 2 } else { 1 }) {
        let with_track = entries.iter().find(|f| track == Track::Video || f.audio.is_some()).unwrap_or(&entries[0]);
        let scale = with_track.timescale(track);
        tracks.push(TrackPlan { track, scale, samples: Vec::new(), chunks: Vec::new() });
    }

    let shifts = shifts(fragments, zero_wall);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut data_bytes = 0u64;
    let mut ordinal = 0usize;
    for fragment in fragments {
        let entry = entries.iter().position(|f| f.same_parameters(&fragment.format)).unwrap_or(0);
        for plan in &mut tracks {
            let mut chunk = Chunk { offset: data_bytes, samples: 0, entry };
            for sample in fragment.samples.iter().filter(|s| s.track == plan.track) {
                let wanted = match plan.track {
                    Track::Video => {
                        ordinal += 1;
                        (first_key..=last_shown).contains(&(ordinal - 1))
                    }
                    Track::Audio => {
                        let at = wall(fragment, sample);
                        let end = at.offset_ns(plan.scale.to_ns(Ticks(i64::from(sample.duration))));
                        end > start && at < range.end
                    }
                };
                if !wanted {
                    continue;
                }
                let shift_ns = shifts.iter().find(|(file, _)| *file == fragment.file).map_or(0, |(_, shift)| *shift);
                let shift = plan.scale.from_ns(shift_ns).0;
                let size = sample.bytes.len() as u64;
                plan.samples.push(Picked {
                    at: sample.dts.0 + shift,
                    composition_offset: sample.pts.0 - sample.dts.0,
                    key: sample.key,
                    shown: shown(fragment, sample) && wall(fragment, sample) >= start,
                    duration: sample.duration.max(1),
                    size: u32::try_from(size).unwrap_or(u32::MAX),
                    entry,
                });
                chunk.samples += 1;
                let from = fragment.offset + sample.bytes.start as u64;
                match pieces.last_mut() {
                    Some(last) if last.file == fragment.file && last.bytes.end == from => last.bytes.end += size,
                    _ => pieces.push(Piece { file: fragment.file, bytes: from..from + size }),
                }
                data_bytes += size;
            }
            if chunk.samples > 0 {
                plan.chunks.push(chunk);
            }
        }
    }
    let (start_ns, shown_ns) = seen(&tracks[0], range.end.ns_since(start)).ok_or(MediaError::EmptyRange)?;

    // The header's size does not depend on the offsets in it: lay it out twice.
    let draft = header(&tracks, &entries, start_ns, shown_ns, 0, data_bytes);
    let header = header(&tracks, &entries, start_ns, shown_ns, draft.len() as u64, data_bytes);
    debug_assert_eq!(draft.len(), header.len());
    Ok(Plan {
        total_bytes: header.len() as u64 + data_bytes,
        header,
        pieces,
        range: WallRange { start, end: start.offset_ns(shown_ns) },
        video_samples: tracks[0].samples.iter().filter(|s| s.shown).count() as u64,
        audio_samples: tracks.get(1).map_or(0, |t| t.samples.len() as u64),
    })
}

/// Where each file's media time starts in the export, nanoseconds: one figure a file and for both tracks, so that sound and
/// picture keep the distance the camera gave them while the tie of media time to wall time moves a little.
///
/// Files that follow each other are joined without a seam as long as that is true to 150 ms.
fn shifts(fragments: &[SourceFragment], zero_wall: WallTime) -> Vec<(usize, i64)> {
    const SEAM_NS: i64 = 150_000_000;
    let mut shifts: Vec<(usize, i64)> = Vec::new();
    let mut end_ns: Option<i64> = None;
    for fragment in fragments {
        let video = || fragment.samples.iter().filter(|s| s.track == Track::Video);
        let Some(first) = video().next() else { continue };
        let shift = match shifts.last() {
            Some((file, shift)) if *file == fragment.file => *shift,
            _ => {
                let wanted = fragment.zero.ns_since(zero_wall);
                let first_ns = Timescale::VIDEO.to_ns(first.dts);
                let shift = match end_ns {
                    Some(end) if (wanted + first_ns - end).abs() < SEAM_NS || wanted + first_ns < end => end - first_ns,
                    _ => wanted,
                };
                shifts.push((fragment.file, shift));
                shift
            }
        };
        let end = video().map(|s| s.dts.0 + i64::from(s.duration)).max();
        end_ns = end.map(|end| shift + Timescale::VIDEO.to_ns(Ticks(end)));
    }
    shifts
}

/// The different parameters in the fragments.
fn formats(fragments: &[SourceFragment]) -> Result<Vec<Arc<MediaFormat>>, MediaError> {
    let mut entries: Vec<Arc<MediaFormat>> = Vec::new();
    for fragment in fragments {
        if entries.iter().any(|f| f.same_parameters(&fragment.format)) {
            continue;
        }
        for known in &entries {
            let other_audio = match (&known.audio, &fragment.format.audio) {
                (Some(a), Some(b)) => a.codec != b.codec || a.sample_rate_hz != b.sample_rate_hz,
                _ => false,
            };
            if known.video.codec != fragment.format.video.codec || other_audio {
                return Err(MediaError::CodecChanges);
            }
        }
        entries.push(Arc::clone(&fragment.format));
    }
    Ok(entries)
}

fn header(
    tracks: &[TrackPlan],
    entries: &[Arc<MediaFormat>],
    start_ns: i64,
    shown_ns: i64,
    data_offset: u64,
    data_bytes: u64,
) -> Vec<u8> {
    let movie_ticks = |ns: i64| u64::try_from(Timescale::VIDEO.from_ns(ns).0).unwrap_or(0);
    debug_assert_eq!(Timescale::VIDEO.hz(), MOVIE_TIMESCALE);
    let mut w = BoxWriter::new();
    init::ftyp(&mut w, b"isom", &[b"isom", b"iso2", b"mp41"]);
    w.boxed(b"moov", |w| {
        init::mvhd(w, movie_ticks(shown_ns));
        for plan in tracks {
            let first = plan.samples.first().map_or(0, |s| s.at);
            let media_duration = plan.samples.last().map_or(0, |s| s.at - first) + i64::from(plan.last_duration());
            let header = TrackHeader {
                track: plan.track,
                format: &entries[plan.samples.first().map_or(0, |s| s.entry)],
                movie_duration: movie_ticks(shown_ns),
                media_duration: u64::try_from(media_duration).unwrap_or(0),
            };
            let formats: Vec<&MediaFormat> =
                entries.iter().map(AsRef::as_ref).filter(|f| plan.track == Track::Video || f.audio.is_some()).collect();
            init::trak(
                w,
                &header,
                |w| edit_list(w, plan, first, start_ns, shown_ns),
                |w| {
                    init::stsd(w, plan.track, &formats);
                    tables(w, plan, data_offset, entries);
                },
            );
        }
    });
    w.u32(1); // 64-bit size follows
    w.bytes(b"mdat");
    w.u64(data_bytes + 16);
    w.into_bytes()
}

/// Starts the track at the first picture shown: hides what only serves to decode it, or waits where sound starts later.
fn edit_list(w: &mut BoxWriter, plan: &TrackPlan, first: i64, start_ns: i64, shown_ns: i64) {
    let movie = |ns: i64| u64::try_from(Timescale::VIDEO.from_ns(ns).0).unwrap_or(0);
    // Exactly at a picture: one tick before it, there is none that a player could begin with.
    let pictures = plan.samples.iter().filter(|s| s.shown).map(Picked::presented);
    let start = pictures.min().unwrap_or_else(|| plan.scale.from_ns(start_ns).0) - first;
    let wait_ns = if start < 0 { plan.scale.to_ns(Ticks(-start)) } else { 0 };
    w.boxed(b"edts", |w| {
        w.full(b"elst", 1, 0, |w| {
            w.u32(if start < 0 { 2 } else { 1 });
            if start < 0 {
                w.u64(movie(wait_ns));
                w.u64(u64::MAX); // -1: nothing is played
                w.u32(0x0001_0000);
            }
            w.u64(movie((shown_ns - wait_ns).max(0)));
            w.u64(u64::try_from(start.max(0)).unwrap_or(0));
            w.u32(0x0001_0000);
        });
    });
}

fn tables(w: &mut BoxWriter, plan: &TrackPlan, data_offset: u64, entries: &[Arc<MediaFormat>]) {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    // Equal neighbours are stored once.
    let mut durations: Vec<(u32, u32)> = Vec::new();
    for (i, sample) in plan.samples.iter().enumerate() {
        let duration = plan
            .samples
            .get(i + 1)
            .map_or(plan.last_duration(), |next| u32::try_from((next.at - sample.at).max(0)).unwrap_or(u32::MAX));
        match durations.last_mut() {
            Some((n, d)) if *d == duration => *n += 1,
            _ => durations.push((1, duration)),
        }
    }
    w.full(b"stts", 0, 0, |w| {
        w.u32(count(durations.len()));
        for (n, duration) in &durations {
            w.u32(*n);
            w.u32(*duration);
        }
    });
    if plan.samples.iter().any(|s| s.composition_offset != 0) {
        w.full(b"ctts", 1, 0, |w| {
            w.u32(count(plan.samples.len()));
            for sample in &plan.samples {
                w.u32(1);
                w.i32(i32::try_from(sample.composition_offset).unwrap_or(0));
            }
        });
    }
    if plan.track == Track::Video {
        let keys: Vec<u32> =
            plan.samples.iter().enumerate().filter(|(_, s)| s.key).map(|(i, _)| count(i + 1)).collect();
        w.full(b"stss", 0, 0, |w| {
            w.u32(count(keys.len()));
            for key in &keys {
                w.u32(*key);
            }
        });
    }
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    for (i, chunk) in plan.chunks.iter().enumerate() {
        // Entries without sound have no sample entry in the sound track.
        let description =
            entries[..=chunk.entry].iter().filter(|f| plan.track == Track::Video || f.audio.is_some()).count();
        let run = (chunk.samples, count(description.max(1)));
        if runs.last().is_none_or(|&(_, samples, description)| (samples, description) != run) {
            runs.push((count(i + 1), run.0, run.1));
        }
    }
    w.full(b"stsc", 0, 0, |w| {
        w.u32(count(runs.len()));
        for (first, samples, description) in &runs {
            w.u32(*first);
            w.u32(*samples);
            w.u32(*description);
        }
    });
    w.full(b"stsz", 0, 0, |w| {
        w.u32(0);
        w.u32(count(plan.samples.len()));
        for sample in &plan.samples {
            w.u32(sample.size);
        }
    });
    w.full(b"co64", 0, 0, |w| {
        w.u32(count(plan.chunks.len()));
        for chunk in &plan.chunks {
            w.u64(data_offset + chunk.offset);
        }
    });
}
