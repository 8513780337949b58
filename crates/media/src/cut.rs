//! Samples in, fragments and segment borders out: a pure state machine with no clock.
//!
//! A **segment** starts with a key picture and closes about every minute at a key picture, or when the codec parameters or
//! the run change. A **fragment** is at most a second of pictures and the sound that belongs to it. Where files are written
//! and what becomes visible when is decided in the recorder.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_model::{MediaFormat, Sample, Ticks, Timescale, Track, WallRange, WallTime};

use crate::fragment::{self, FileSample, Fragment, TrackFragment};
use crate::reorder::Reorder;

/// Longest fragment, 0.7 s in ticks of 90 kHz: with the time until the recorder looks (0.1 s), less than a second is in memory
/// only when the process is killed.
const FRAGMENT_TICKS: i64 = 63_000;
/// How long a new segment waits for the sound that belongs to the old one, in ticks of 90 kHz of newer pictures.
const LATE_AUDIO_TICKS: i64 = 36_000;
/// Pictures further apart than this leave a hole, unless the camera usually sends them that slowly.
const HOLE_TICKS: i64 = 90_000;
/// A fragment is cut early when it holds this much, so that memory stays bounded whatever a camera sends.
const FRAGMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The same by number: a camera whose time stands still sends pictures without end into one fragment.
const FRAGMENT_SAMPLES_MAX: usize = 2000;
/// Sound that waits for its pictures: more than a minute of the shortest packets.
const WAITING_AUDIO_MAX: usize = 4000;
/// A key picture starts a new fragment only in the second half of one.
const KEY_CUT_TICKS: i64 = FRAGMENT_TICKS / 2;

/// What the recorder must do next, in this order.
#[derive(Debug)]
pub enum Cut {
    /// Open a file with this format; its first picture was taken at this time.
    Open {
        /// The parameters.
        format: Arc<MediaFormat>,
        /// Wall time of the first picture.
        start: WallTime,
    },
    /// Append to the open file.
    Append(Fragment),
    /// Close the open file; the last picture ends at this time.
    Close {
        /// Wall time of its end.
        end: WallTime,
    },
}

/// Counts of what could not be put into a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Pictures that came before the first key picture.
    pub video_before_key: u64,
    /// Sound that came before the first picture.
    pub audio_before_key: u64,
    /// Sound for which no picture came in more than a minute.
    pub audio_without_picture: u64,
}

/// Cuts one stream.
#[derive(Debug)]
pub struct Cutter {
    segment_ticks: i64,
    open: Option<Open>,
    /// Sound that came before the picture it belongs to.
    early_audio: Vec<Sample>,
    dropped: Dropped,
}

#[derive(Debug)]
struct Open {
    format: Arc<MediaFormat>,
    /// Zero of the file, in run time.
    origin_ns: i64,
    first_pts: Ticks,
    announced: bool,
    sequence: u32,
    reorder: Reorder,
    video: Vec<Sample>,
    video_bytes: usize,
    audio: Vec<Sample>,
    /// Pictures from the next segment's key picture on, while sound of this one may still come.
    next: Vec<Sample>,
    /// Usual distance of pictures, ticks.
    step: i64,
    /// Length of the last hole: two alike are no holes but the way this camera sends.
    last_hole: Option<i64>,
    last_pts: Option<Ticks>,
    pending_hole: Vec<WallRange>,
    end: WallTime,
}

impl Cutter {
    /// A cutter that closes segments at the first key picture after `segment`.
    #[must_use]
    pub fn new(segment: Duration) -> Self {
        let segment_ticks = i64::try_from(segment.as_millis()).unwrap_or(i64::MAX / 90).saturating_mul(90);
        Self { segment_ticks, open: None, early_audio: Vec::new(), dropped: Dropped::default() }
    }

    /// What could not be put into a file so far.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Whether a segment is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes a sample, in the order in which it came.
    pub fn push(&mut self, sample: Sample, out: &mut Vec<Cut>) {
        if let Some(open) = &self.open
            && !Arc::ptr_eq(&open.format, &sample.format)
            && (open.format.run != sample.format.run || !open.format.same_parameters(&sample.format))
        {
            self.finish(out);
        }
        match sample.track {
            Track::Video => self.push_video(sample, out),
            Track::Audio => self.push_audio(sample, out),
        }
    }

    /// Cuts what is waiting into a fragment although it is not full, because nothing has come for a while.
    pub fn flush(&mut self, out: &mut Vec<Cut>) {
        self.switch_segment(true, out);
        if let Some(open) = &mut self.open {
            open.cut(None, out);
        }
    }

    /// Cuts what is waiting and closes the segment.
    pub fn finish(&mut self, out: &mut Vec<Cut>) {
        self.switch_segment(true, out);
        if let Some(mut open) = self.open.take() {
            open.cut(None, out);
            if open.announced {
                out.push(Cut::Close { end: open.end });
            }
        }
    }

    /// Lets go of the open segment, whose file was given up: of what waits, the first key picture and what follows it begin the
    /// next one.
    pub fn begin_anew(&mut self, out: &mut Vec<Cut>) {
        let Some(open) = self.open.take() else { return };
        let waiting = open.video.into_iter().chain(open.next);
        let mut pictures = waiting.skip_while(|picture| !picture.key).peekable();
        if pictures.peek().is_none() {
            return;
        }
        // Where the first picture comes, what has sounded before it is left out.
        self.early_audio.splice(0..0, open.audio);
        for picture in pictures {
            self.push_video(picture, out);
        }
    }

    fn push_audio(&mut self, sample: Sample, out: &mut Vec<Cut>) {
        match &mut self.open {
            Some(open) => {
                open.audio.push(sample);
                if open.audio.len() > WAITING_AUDIO_MAX {
                    open.audio.remove(0);
                    self.dropped.audio_without_picture += 1;
                }
                self.switch_segment(false, out);
            }
            None => {
                // Two seconds of sound at most can belong to a picture that is still to come.
                self.early_audio.push(sample);
                if self.early_audio.len() > 200 {
                    self.early_audio.remove(0);
                    self.dropped.audio_before_key += 1;
                }
            }
        }
    }

    fn push_video(&mut self, sample: Sample, out: &mut Vec<Cut>) {
        let Some(open) = &mut self.open else {
            if sample.key {
                self.start(sample);
            } else {
                self.dropped.video_before_key += 1;
            }
            return;
        };
        if !open.next.is_empty() {
            open.next.push(sample);
            self.switch_segment(false, out);
            return;
        }
        if sample.key && sample.pts.0 - open.first_pts.0 >= self.segment_ticks {
            open.next.push(sample);
            self.switch_segment(false, out);
            return;
        }
        open.take_video(sample, out);
    }

    fn start(&mut self, sample: Sample) {
        let format = Arc::clone(&sample.format);
        let mut open = Open {
            format,
            origin_ns: 0,
            first_pts: sample.pts,
            announced: false,
            sequence: 0,
            reorder: Reorder::default(),
            video: Vec::new(),
            video_bytes: 0,
            audio: Vec::new(),
            next: Vec::new(),
            step: 3600,
            last_hole: None,
            last_pts: None,
            pending_hole: Vec::new(),
            end: sample.wall,
        };
        // Sound that is still sounding when the first picture is shown belongs to this segment.
        let start_ns = Timescale::VIDEO.to_ns(sample.pts);
        for audio in mem::take(&mut self.early_audio) {
            let scale = audio.format.timescale(Track::Audio);
            let end_ns = scale.to_ns(Ticks(audio.pts.0 + i64::from(audio.duration)));
            if audio.format.run == sample.format.run && end_ns > start_ns {
                open.audio.push(audio);
            } else {
                self.dropped.audio_before_key += 1;
            }
        }
        open.note_time(&sample);
        open.video.push(sample);
        self.open = Some(open);
    }

    /// Starts the next segment once the sound of the old one is complete, or at once when `now`.
    fn switch_segment(&mut self, now: bool, out: &mut Vec<Cut>) {
        let Some(open) = &mut self.open else { return };
        let (Some(first), Some(last)) = (open.next.first(), open.next.last()) else { return };
        let border_ns = Timescale::VIDEO.to_ns(first.pts);
        let scale = open.format.timescale(Track::Audio);
        let audio_complete = open.format.audio.is_none() || open.audio.iter().any(|a| scale.to_ns(a.pts) >= border_ns);
        let waited = last.pts.0 - first.pts.0 >= LATE_AUDIO_TICKS || open.next.len() > FRAGMENT_SAMPLES_MAX;
        if !now && !audio_complete && !waited {
            return;
        }
        let first = first.clone();
        let next = mem::take(&mut open.next);
        open.cut(if open.is_hole(&first) { None } else { Some(&first) }, out);
        if open.announced {
            out.push(Cut::Close { end: open.end });
        }
        let reorder = mem::take(&mut open.reorder);
        let (step, late) = (open.step, mem::take(&mut open.audio));
        self.open = None;
        self.early_audio = late;
        let mut samples = next.into_iter();
        if let Some(key) = samples.next() {
            self.start(key);
            if let Some(open) = &mut self.open {
                // Decoding times go on where they were: a segment border is none for the camera.
                open.reorder = reorder;
                open.step = step;
            }
        }
        for sample in samples {
            self.push_video(sample, out);
        }
    }
}

impl Open {
    fn take_video(&mut self, sample: Sample, out: &mut Vec<Cut>) {
        let length = self.video.first().map_or(0, |first| sample.pts.0 - first.pts.0);
        let full = length + self.step > FRAGMENT_TICKS
            || self.video.len() >= FRAGMENT_SAMPLES_MAX
            || self.video_bytes > FRAGMENT_BYTES_MAX;
        // At a key picture a new fragment starts early, so that seeking reads less.
        let at_key = sample.key && length >= KEY_CUT_TICKS;
        if self.is_hole(&sample) {
            self.cut(None, out);
            self.pending_hole.extend(WallRange::new(self.end, sample.wall));
        } else if !self.video.is_empty() && (full || at_key) {
            self.cut(Some(&sample), out);
        }
        self.note_time(&sample);
        self.video_bytes += sample.data.len();
        self.video.push(sample);
    }

    /// Whether the camera sent nothing for a while before this picture.
    fn is_hole(&self, sample: &Sample) -> bool {
        self.last_pts.is_some_and(|last| sample.pts.0 - last.0 > HOLE_TICKS.max(self.step * 3))
    }

    /// Learns the usual distance of pictures.
    fn note_time(&mut self, sample: &Sample) {
        let Some(last) = self.last_pts else {
            self.last_pts = Some(sample.pts);
            return;
        };
        let delta = sample.pts.0 - last.0;
        if delta > 0 {
            if self.is_hole(sample) {
                let alike = self.last_hole.is_some_and(|before| (before - delta).abs() < delta / 4);
                self.last_hole = Some(delta);
                if alike {
                    self.step = delta;
                }
            } else {
                self.last_hole = None;
                // With B pictures the distances vary; the smallest of late is the picture period.
                self.step = if delta < self.step { delta } else { self.step + (delta - self.step) / 8 };
            }
            self.last_pts = Some(sample.pts);
        }
    }

    /// Makes a fragment of what is waiting; `next` is the picture that follows, if it is known already.
    fn cut(&mut self, next: Option<&Sample>, out: &mut Vec<Cut>) {
        if self.video.is_empty() {
            return;
        }
        let video = mem::take(&mut self.video);
        self.video_bytes = 0;
        let mut pts: Vec<i64> = video.iter().map(|s| s.pts.0).collect();
        pts.extend(next.map(|n| n.pts.0));
        self.reorder.learn(Reorder::depth_of(&pts));
        let dts: Vec<i64> = video.iter().map(|s| self.reorder.next(s.pts.0, self.step)).collect();

        let border_ns = next.map(|n| Timescale::VIDEO.to_ns(n.pts));
        let audio = self.take_audio(border_ns);
        let scale = self.format.timescale(Track::Audio);
        let first = &video[0];
        if !self.announced {
            let video_ns = Timescale::VIDEO.to_ns(Ticks(dts[0]));
            self.origin_ns = audio.first().map_or(video_ns, |a| video_ns.min(scale.to_ns(a.pts)));
            self.announced = true;
            out.push(Cut::Open { format: Arc::clone(&self.format), start: first.wall });
        }
        let origin = Timescale::VIDEO.from_ns(self.origin_ns).0;
        let step = self.step;
        let last_dts = *dts.last().unwrap_or(&0);
        // Without the next picture the last one lasts as long as pictures usually do.
        let end_dts = next.map_or(last_dts + step, |n| (n.pts.0 - video[video.len() - 1].pts.0).max(1) + last_dts);
        let file_video: Vec<FileSample> = video
            .iter()
            .enumerate()
            .map(|(i, s)| FileSample {
                data: s.data.clone(),
                duration: u32::try_from(dts.get(i + 1).unwrap_or(&end_dts) - dts[i]).unwrap_or(1),
                composition_offset: i32::try_from(s.pts.0 - dts[i]).unwrap_or(0),
                key: s.key,
            })
            .collect();
        let media_start = Ticks(first.pts.0 - origin);
        let mut tracks = vec![TrackFragment {
            track: Track::Video,
            base_decode_time: Ticks((dts[0] - origin).max(0)),
            samples: file_video,
        }];
        tracks.extend(audio_track(&audio, scale, self.origin_ns));

        let last_shown = video.iter().max_by_key(|s| s.pts);
        self.end = match (next, last_shown) {
            (Some(next), _) => next.wall,
            (_, Some(last)) => last.wall.offset_ns(Timescale::VIDEO.to_ns(Ticks(step))),
            (_, None) => first.wall,
        };
        self.sequence += 1;
        let header = fragment::header(self.sequence, first.wall, media_start, &tracks);
        let lost = video.iter().chain(&audio).map(|s| u32::from(s.lost_packets)).sum();
        let fragment = Fragment {
            header: Bytes::from(header),
            payload: tracks.iter().flat_map(|t| t.samples.iter().map(|s| s.data.clone())).collect(),
            range: WallRange { start: first.wall, end: self.end.max(first.wall.offset_ns(1)) },
            media_start,
            video_samples: u32::try_from(video.len()).unwrap_or(u32::MAX),
            audio_samples: u32::try_from(audio.len()).unwrap_or(u32::MAX),
            lost_packets: lost,
            starts_with_key: first.key,
            holes: mem::take(&mut self.pending_hole),
        };
        out.push(Cut::Append(fragment));
    }

    /// The sound up to the border, all of it when there is none.
    fn take_audio(&mut self, border_ns: Option<i64>) -> Vec<Sample> {
        let scale = self.format.timescale(Track::Audio);
        let before = border_ns.map_or(self.audio.len(), |border| {
            self.audio.iter().position(|a| scale.to_ns(a.pts) >= border).unwrap_or(self.audio.len())
        });
        self.audio.drain(..before).collect()
    }
}

fn audio_track(audio: &[Sample], scale: Timescale, origin_ns: i64) -> Option<TrackFragment> {
    let first = audio.first()?;
    // One rounding for the whole run of samples: their distances stay the camera's own ticks.
    let base = (first.pts.0 - scale.from_ns(origin_ns).0).max(0);
    let samples = audio
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let until_next = audio.get(i + 1).and_then(|n| u32::try_from(n.pts.0 - s.pts.0).ok());
            FileSample {
                data: s.data.clone(),
                duration: until_next.filter(|&d| d > 0).unwrap_or(s.duration),
                composition_offset: 0,
                key: true,
            }
        })
        .collect();
    Some(TrackFragment { track: Track::Audio, base_decode_time: Ticks(base), samples })
}
