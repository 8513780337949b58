//! The decoding half of a player: a named thread that turns messages into pictures and sound.
//!
//! Live, each picture replaces the one before: at once, or when its sound is heard. In playback, pictures wait in order
//! until the playhead gets there, and what lies before the target of a jump is decoded but not shown, except the last of
//! it, which is the picture at the target.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use minhbach_client::MediaEvent;
use minhbach_decode::{AudioDecoder, DecodeError, Threads, VideoDecoder, VideoFrame};
use minhbach_model::{FormatId, MediaFormat, RunId, Sample, Track, VideoParams, WallTime};
use tokio::sync::mpsc;

use super::PlayerId;
use super::net::{Body, Message};
use super::repaint::Repaint;
use super::state::{Hole, Item, Shared};
use crate::video::sound::SoundHandle;
use crate::video::sound_mix::Pace;

/// Broken access units in a row after which the tile says so.
const BROKEN_MAX: u32 = 25;

/// Live pictures that come so much later than the fastest one are "catching up", nanoseconds.
const BEHIND_NS: i64 = 1_000_000_000;

/// What the decoding thread owns.
pub(super) struct Worker {
    id: PlayerId,
    live: bool,
    shared: Arc<Shared>,
    sound: SoundHandle,
    repaint: Repaint,
    format: Option<FormatId>,
    /// What the video decoder was opened for.
    source: Option<(RunId, VideoParams)>,
    video: Option<VideoDecoder>,
    audio: Option<AudioDecoder>,
    broken: u32,
    keys_only: bool,
    lag: Lag,
    aim: Aim,
}

impl Worker {
    pub(super) fn new(id: PlayerId, live: bool, shared: Arc<Shared>, sound: SoundHandle, repaint: Repaint) -> Self {
        Self {
            id,
            live,
            shared,
            sound,
            repaint,
            format: None,
            source: None,
            video: None,
            audio: None,
            broken: 0,
            keys_only: false,
            lag: Lag::new(Instant::now()),
            aim: Aim::default(),
        }
    }

    /// Runs until the network task is gone or the player stops.
    pub(super) fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        while let Some(Message { generation, body }) = messages.blocking_recv() {
            if !self.shared.lock().is_current(generation) {
                continue;
            }
            match body {
                Body::Opened { target, keys_only } => {
                    (self.format, self.source) = (None, None);
                    (self.video, self.audio) = (None, None);
                    self.broken = 0;
                    self.keys_only = keys_only;
                    self.aim = Aim::new(target);
                    self.lag = Lag::new(Instant::now());
                }
                Body::Media(event) => self.event(generation, event),
            }
        }
    }

    fn event(&mut self, generation: u64, event: MediaEvent) {
        match event {
            MediaEvent::Format(format) => self.open(generation, &format),
            MediaEvent::Samples(samples) => {
                for sample in samples {
                    // A jump or the end of the player leaves the rest of the batch.
                    if !self.shared.lock().is_current(generation) {
                        return;
                    }
                    if self.format != Some(sample.format.id) {
                        self.open(generation, &sample.format);
                    }
                    match sample.track {
                        Track::Video => self.picture(generation, &sample),
                        Track::Audio => self.sound(&sample),
                    }
                }
            }
            MediaEvent::Skipped { video_samples, .. } => {
                if self.live && video_samples > 0 {
                    // What comes next is a key frame; the pictures it would refer to are missing.
                    if let Some(video) = &mut self.video {
                        video.flush();
                    }
                    self.shared.lock().set_catching_up(true);
                }
            }
            MediaEvent::Gap { start, end, cause } => self.hole(generation, Hole { start, end, cause }),
            MediaEvent::Interrupted(cause) => {
                let start = self.aim.last.unwrap_or_default();
                self.hole(generation, Hole { start, end: None, cause });
            }
            MediaEvent::EndOfRange => {
                self.finish(generation);
                self.release(generation);
                self.shared.lock().set_ended();
                self.repaint.request();
            }
            MediaEvent::LiveEdge => {
                // The decoder is not emptied: what follows refers to what came before.
                self.release(generation);
                self.shared.lock().set_at_edge();
            }
        }
    }

    /// New parameters: what the old decoders hold back is shown first.
    fn open(&mut self, generation: u64, format: &MediaFormat) {
        if self.format == Some(format.id) {
            return;
        }
        if self.live && self.video.is_some() && continues(self.source.as_ref(), format) {
            // Sound has joined: a new video decoder would show nothing until the next key frame.
            self.format = Some(format.id);
            if let Some(refused) = self.open_audio(format) {
                self.shared.lock().set_error(Some(refused));
            }
            return;
        }
        self.finish(generation);
        self.format = Some(format.id);
        self.source = Some((format.run, format.video.clone()));
        let params = &format.video;
        let video = if self.live {
            VideoDecoder::new(params, Threads::One)
        } else {
            VideoDecoder::for_playback(params, Threads::One)
        };
        let (video, mut error) = match video {
            Ok(mut video) => {
                video.skip_non_key(self.keys_only);
                (Some(video), None)
            }
            Err(error) => (None, Some(describe(&error))),
        };
        self.video = video;
        let refused = self.open_audio(format);
        error = error.or(refused);
        self.broken = 0;
        let mut state = self.shared.lock();
        state.set_video_text(format!("{}×{} {}", params.width, params.height, params.codec));
        state.set_error(error);
    }

    /// The decoder of the sound, when there is any; why not, when it is refused.
    fn open_audio(&mut self, format: &MediaFormat) -> Option<String> {
        let (audio, refused) = match format.audio.as_ref().map(AudioDecoder::new) {
            None => (None, None),
            Some(Ok(audio)) => (Some(audio), None),
            Some(Err(refused)) => (None, Some(describe(&refused))),
        };
        self.audio = audio;
        refused
    }

    fn picture(&mut self, generation: u64, sample: &Sample) {
        let Some(video) = &mut self.video else {
            return;
        };
        match video.decode(sample) {
            Ok(frames) => {
                if self.broken >= BROKEN_MAX && !frames.is_empty() {
                    self.shared.lock().set_error(None);
                }
                if !frames.is_empty() {
                    self.broken = 0;
                }
                if self.live {
                    self.show_live(frames, sample.received);
                } else {
                    self.show_later(generation, frames);
                }
            }
            Err(error) => {
                self.broken = self.broken.saturating_add(1);
                tracing::debug!(player = self.id.0, error = describe(&error), "picture left out");
                if self.broken == BROKEN_MAX {
                    self.shared.lock().set_error(Some(describe(&error)));
                }
            }
        }
    }

    fn show_live(&mut self, frames: Vec<VideoFrame>, received: WallTime) {
        let now = Instant::now();
        // Told by when pictures come out of the decoder: that they then wait for their sound is no lag.
        let behind = self.lag.behind_ns(now, received) > BEHIND_NS;
        let Some(newest) = frames.last().map(VideoFrame::wall) else {
            return;
        };
        self.aim.last = Some(newest);
        let heard = self.sound.picture(self.id, newest, now).map(|clock| clock.ahead(self.repaint.ahead()));
        let mut state = self.shared.lock();
        let mut changed = false;
        for frame in frames {
            changed |= state.set_newest(frame, heard, now);
        }
        state.set_catching_up(behind);
        let wait = state.next_held(heard, now).filter(|_| !changed);
        drop(state);
        self.repaint.after(wait.unwrap_or_default(), now);
    }

    fn show_later(&mut self, generation: u64, frames: Vec<VideoFrame>) {
        for frame in frames {
            for due in self.aim.pass(frame) {
                self.enqueue(generation, Item::Frame(due));
            }
        }
    }

    fn hole(&mut self, generation: u64, hole: Hole) {
        if self.live {
            self.shared.lock().interrupt(hole.cause);
            self.repaint.request();
            return;
        }
        if self.aim.concerns(&hole) {
            self.release(generation);
            self.enqueue(generation, Item::Gap(hole));
        }
    }

    /// Playback: gets out of the decoder what it holds back; it goes on with a key frame.
    fn finish(&mut self, generation: u64) {
        if self.live {
            return;
        }
        match self.video.as_mut().map(VideoDecoder::finish) {
            Some(Ok(frames)) => self.show_later(generation, frames),
            Some(Err(error)) => tracing::debug!(player = self.id.0, error = describe(&error), "the rest was left out"),
            None => {}
        }
    }

    /// Playback: shows the last picture before the target when nothing after it is to come soon.
    fn release(&mut self, generation: u64) {
        if let Some(held) = self.aim.held.take() {
            self.enqueue(generation, Item::Frame(held));
        }
    }

    fn enqueue(&self, generation: u64, item: Item) {
        if self.shared.enqueue(generation, item, Instant::now()) == Some(true) {
            self.repaint.request();
        }
    }

    fn sound(&mut self, sample: &Sample) {
        if self.aim.is_before(sample.wall) {
            return;
        }
        let Some(audio) = &mut self.audio else {
            return;
        };
        let blocks = match audio.decode(sample) {
            Ok(blocks) => blocks,
            Err(error) => {
                tracing::debug!(player = self.id.0, error = describe(&error), "sound left out");
                return;
            }
        };
        let mut state = self.shared.lock();
        for block in &blocks {
            state.feed_meter(&block.samples, Instant::now());
        }
        let wanted = self.live || state.sounding();
        drop(state);
        let pace = if self.live { Pace::Live } else { Pace::Playhead };
        for block in blocks.iter().filter(|_| wanted) {
            self.sound.push(self.id, pace, block);
        }
    }
}

/// Whether the pictures of a format go on where those of the decoder left off.
fn continues(source: Option<&(RunId, VideoParams)>, format: &MediaFormat) -> bool {
    source.is_some_and(|(run, video)| *run == format.run && *video == format.video)
}

/// The error with its cause.
fn describe(error: &DecodeError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The fastest way is remembered in stretches of that length, nanoseconds …
const LAG_STRETCH_NS: i64 = 10_000_000_000;
/// … and that many of them: a minute. The clocks drift, and a server's clock may be set.
const LAG_STRETCHES: i64 = 6;

/// How late pictures come, measured against the one that came fastest in the last minute: the clocks of server and
/// workstation may differ.
struct Lag {
    start: Instant,
    /// Number of a stretch, and the fastest way in it.
    fastest: VecDeque<(i64, i64)>,
}

impl Lag {
    fn new(start: Instant) -> Self {
        Self { start, fastest: VecDeque::new() }
    }

    fn behind_ns(&mut self, now: Instant, received: WallTime) -> i64 {
        let elapsed_ns = i64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(i64::MAX);
        let way_ns = elapsed_ns.saturating_sub(received.0);
        let stretch = elapsed_ns / LAG_STRETCH_NS;
        self.fastest.retain(|(old, _)| stretch - old < LAG_STRETCHES);
        match self.fastest.back_mut() {
            Some((known, fastest_ns)) if *known == stretch => *fastest_ns = way_ns.min(*fastest_ns),
            _ => self.fastest.push_back((stretch, way_ns)),
        }
        let fastest_ns = self.fastest.iter().map(|(_, way_ns)| *way_ns).min().unwrap_or(way_ns);
        way_ns.saturating_sub(fastest_ns)
    }
}

/// Where playback is to begin: holds pictures back until the target is reached.
#[derive(Default)]
struct Aim {
    target: Option<WallTime>,
    /// The last picture at or before the target.
    held: Option<VideoFrame>,
    /// The last picture at all.
    last: Option<WallTime>,
}

impl Aim {
    fn new(target: Option<WallTime>) -> Self {
        Self { target, held: None, last: target }
    }

    /// What is to be shown when that picture comes.
    fn pass(&mut self, frame: VideoFrame) -> Vec<VideoFrame> {
        self.last = Some(frame.wall());
        if self.is_before(frame.wall()) || self.target == Some(frame.wall()) {
            self.held = Some(frame);
            return Vec::new();
        }
        self.target = None;
        self.held.take().into_iter().chain([frame]).collect()
    }

    fn is_before(&self, wall: WallTime) -> bool {
        self.target.is_some_and(|target| wall < target)
    }

    /// Whether a hole reaches to the target or beyond.
    fn concerns(&self, hole: &Hole) -> bool {
        match (self.target, hole.end) {
            (Some(target), Some(end)) => end > target,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minhbach_model::GapCause;
    use std::time::Duration;

    fn frame(wall: i64) -> VideoFrame {
        VideoFrame::solid(2, 2, [0, 0, 0], WallTime(wall))
    }

    fn walls(frames: &[VideoFrame]) -> Vec<i64> {
        frames.iter().map(|frame| frame.wall().0).collect()
    }

    #[test]
    fn of_the_pictures_before_the_target_only_the_last_is_shown() {
        let mut aim = Aim::new(Some(WallTime(100)));
        assert!(aim.pass(frame(20)).is_empty());
        assert!(aim.pass(frame(60)).is_empty());
        assert_eq!(walls(&aim.pass(frame(120))), [60, 120]);
        assert_eq!(walls(&aim.pass(frame(160))), [160]);
    }

    #[test]
    fn a_picture_exactly_at_the_target_wins_over_the_one_before() {
        let mut aim = Aim::new(Some(WallTime(100)));
        assert!(aim.pass(frame(60)).is_empty());
        assert!(aim.pass(frame(100)).is_empty());
        assert_eq!(walls(&aim.pass(frame(140))), [100, 140]);
    }

    #[test]
    fn without_a_target_everything_is_shown() {
        assert_eq!(walls(&Aim::default().pass(frame(5))), [5]);
    }

    #[test]
    fn a_hole_that_ends_before_the_target_is_not_shown() {
        let aim = Aim::new(Some(WallTime(100)));
        let hole = |end: Option<i64>| Hole { start: WallTime(10), end: end.map(WallTime), cause: GapCause::Stalled };
        assert!(!aim.concerns(&hole(Some(100))));
        assert!(aim.concerns(&hole(Some(101))));
        assert!(aim.concerns(&hole(None)));
    }

    #[test]
    fn lateness_is_measured_against_the_fastest_picture() {
        let start = Instant::now();
        let mut lag = Lag::new(start);
        assert_eq!(lag.behind_ns(start + Duration::from_millis(10), WallTime(1_000_000_000)), 0);
        // The second was received 40 ms later and comes 1,540 ms later.
        assert_eq!(lag.behind_ns(start + Duration::from_millis(1550), WallTime(1_040_000_000)), 1_500_000_000);
    }
    #[test]
    fn the_fastest_picture_is_forgotten_after_a_minute() {
        let start = Instant::now();
        let mut lag = Lag::new(start);
        let mut at = |secs: u64, late_ms: i64| {
            let received = WallTime((secs as i64) * 1_000_000_000 - late_ms * 1_000_000);
            lag.behind_ns(start + Duration::from_secs(secs), received)
        };
        assert_eq!(at(1, 0), 0);
        assert_eq!(at(40, 2000), 2_000_000_000);
        assert_eq!(at(75, 2000), 0, "the server's clock was set back two seconds");
    }

    #[test]
    fn pictures_go_on_when_only_sound_joins() {
        let video = VideoParams {
            codec: minhbach_model::VideoCodec::H264,
            width: 640,
            height: 360,
            config: Default::default(),
            rfc6381: "avc1.64002A".to_owned(),
        };
        let format = |run: u64, video: &VideoParams| MediaFormat {
            id: FormatId(7),
            run: RunId(run),
            video: video.clone(),
            audio: None,
        };
        let source = (RunId(1), video.clone());
        assert!(continues(Some(&source), &format(1, &video)));
        assert!(!continues(Some(&source), &format(2, &video)), "another connection");
        assert!(!continues(Some(&source), &format(1, &VideoParams { width: 1280, ..video.clone() })));
        assert!(!continues(None, &format(1, &video)));
    }
}
