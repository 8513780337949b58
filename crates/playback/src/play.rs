//! Plays one stream: recorded fragments one after another, and the feed's ring where the files end.
//!
//! The reader decides the speed by how fast it takes events; nothing is read ahead of it by more than a fragment.

use std::sync::Arc;
use std::time::Duration;

use minhbach_feed::{self as feed, Feed, StartAt, Subscription};
use minhbach_index::Index;
use minhbach_model::{
    CameraId, FormatId, Gap, GapCause, MediaFormat, Sample, SegmentState, StreamKind, Track, WallRange, WallTime,
};
use minhbach_store::Footage;

use crate::PlaybackError;
use crate::open::{OpenSegment, is_damage};

/// How long to wait for the next fragment of a file that is still being written.
const WAIT: Duration = Duration::from_millis(150);
/// How often the next file is looked for before playback goes on live without it: twice the time a sync may take.
const WAITS_MAX: u32 = 40;
/// A picture in a file and in the ring are the same when their times differ by less: the tie of media time to wall time
/// moves a little within a fragment.
const TIE_NS: i64 = 15_000_000;
/// The same for sound, whose packets may last only 20 ms.
const TICK_NS: i64 = 9_000_000;
/// A border smaller than this is no gap.
const GAP_MIN_NS: i64 = 150_000_000;
/// Until then: a gap that lasts is looked for in all time to come.
const FAR_FUTURE_NS: i64 = 365 * 86_400 * 1_000_000_000;

/// What to play.
#[derive(Debug, Clone, Copy)]
pub struct PlayRequest {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// The key picture at or before this comes first.
    pub from: WallTime,
    /// Where to stop; `None` goes on live.
    pub to: Option<WallTime>,
    /// With sound.
    pub audio: bool,
    /// Only pictures that can be decoded alone, for fast playback.
    pub key_frames_only: bool,
}

/// What comes out.
#[derive(Debug, Clone)]
pub enum Event {
    /// New parameters; before the first sample and where they change.
    Format(Arc<MediaFormat>),
    /// Samples in the order of decoding.
    Samples(Vec<Sample>),
    /// Nothing is recorded here.
    Gap(Gap),
    /// What follows is live.
    LiveEdge,
    /// The camera does not deliver at the moment.
    Interrupted(GapCause),
    /// Samples were lost because the reader was too slow at the live edge.
    Skipped(u64),
    /// The end of the range.
    EndOfRange,
}

/// What was given out last, by which the ring's samples are recognised: files give media times of their own.
#[derive(Debug, Clone, Copy, Default)]
struct Given {
    video: Option<(WallTime, usize)>,
    audio: Option<WallTime>,
}

impl Given {
    fn note(&mut self, samples: &[Sample]) {
        for sample in samples {
            match sample.track {
                Track::Video => self.video = Some((sample.wall, sample.data.len())),
                Track::Audio => self.audio = self.audio.max(Some(sample.wall)),
            }
        }
    }

    fn is_last_picture(&self, sample: &Sample) -> bool {
        self.video.is_some_and(|(wall, len)| {
            sample.track == Track::Video && sample.data.len() == len && sample.wall.ns_since(wall).abs() < TIE_NS
        })
    }
}

enum Place {
    /// Looking for the segment that holds this moment or comes next.
    Search(WallTime),
    Segment {
        segment: Box<OpenSegment>,
        next: usize,
        recording: bool,
        end: WallTime,
    },
    Live(Subscription),
    Ended,
}

/// A playback in progress.
pub struct Player {
    index: Arc<dyn Index>,
    footage: Arc<Footage>,
    feed: Option<Feed>,
    request: PlayRequest,
    place: Place,
    /// End of what was given out.
    position: WallTime,
    format: Option<Arc<MediaFormat>>,
    formats: u64,
    pending: std::collections::VecDeque<Event>,
    /// A gap was told that has no end yet.
    waiting_in_gap: bool,
    started: bool,
    /// The last picture that was given out, in the order of decoding, and the newest sound.
    given: Given,
    /// While going live: the ring is read up to that picture without giving anything out.
    catching_up: bool,
    edge_told: bool,
    /// Looks for a file that has no row yet.
    waits: u32,
}

impl Player {
    /// Prepares a playback; nothing is read before [`Self::next`].
    #[must_use]
    pub fn new(index: Arc<dyn Index>, footage: Arc<Footage>, feed: Option<Feed>, request: PlayRequest) -> Self {
        Self {
            index,
            footage,
            feed,
            request,
            place: Place::Search(request.from),
            position: request.from,
            format: None,
            formats: 0,
            pending: std::collections::VecDeque::new(),
            waiting_in_gap: false,
            started: false,
            given: Given::default(),
            catching_up: false,
            edge_told: false,
            waits: 0,
        }
    }

    /// The next event; `None` after the end of the range.
    ///
    /// # Errors
    /// When the index does not answer. Damaged footage is no error: it is told as a gap.
    pub async fn next(&mut self) -> Result<Option<Event>, PlaybackError> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Some(event));
            }
            match std::mem::replace(&mut self.place, Place::Ended) {
                Place::Ended => return Ok(None),
                Place::Search(at) => self.search(at).await?,
                Place::Segment { segment, next, recording, end } => {
                    self.read_fragment(segment, next, recording, end).await?;
                }
                Place::Live(subscription) => self.read_live(subscription).await,
            }
        }
    }

    async fn search(&mut self, at: WallTime) -> Result<(), PlaybackError> {
        let PlayRequest { camera, stream, to, .. } = self.request;
        let found = self.index.segment_at_or_after(camera, stream, at).await?;
        let found = found.filter(|segment| to.is_none_or(|to| segment.range.start < to));
        let Some(segment) = found else {
            return self.beyond_the_files(at).await;
        };
        if self.started || segment.range.start > at {
            self.tell_gap(at, segment.range.start).await?;
        }
        self.formats += 1;
        let place = (segment.key.as_str(), segment.tier);
        let opened = OpenSegment::open(Arc::clone(&self.footage), place, FormatId(self.formats)).await;
        let opened = match opened {
            Ok(opened) => opened.told_by(&segment),
            Err(error) if is_damage(&error) => {
                tracing::error!(key = segment.key, error = &error as &dyn std::error::Error, "segment not playable");
                self.tell_damage(segment.range.start, segment.range.end);
                self.place = Place::Search(segment.range.end.max(at.offset_ns(1)));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if segment.state == SegmentState::Suspect && opened.records.is_empty() {
            // Nothing of it was confirmed; the same moment would find the same file again.
            self.place = Place::Search(segment.range.end.max(at.offset_ns(1)));
            return Ok(());
        }
        self.started = true;
        self.waits = 0;
        self.waiting_in_gap = false;
        let next = opened.start_for(at).await?;
        self.place = Place::Segment {
            segment: Box::new(opened),
            next,
            recording: segment.state == SegmentState::Recording,
            end: segment.range.end,
        };
        Ok(())
    }

    /// No file holds this moment or a later one: live, or the end.
    async fn beyond_the_files(&mut self, at: WallTime) -> Result<(), PlaybackError> {
        let feed = self.feed.clone().filter(|_| self.request.to.is_none_or(|to| to > at));
        let Some(feed) = feed else {
            if let Some(to) = self.request.to {
                self.tell_gap(at, to).await?;
            }
            self.pending.push_back(Event::EndOfRange);
            return Ok(());
        };
        let flowing = feed.interrupted().is_none();
        let given = self.given;
        let reaches_back = feed.contains(|sample| given.is_last_picture(sample));
        if flowing && self.started && !reaches_back && self.waits < WAITS_MAX {
            // The next file is being written and has no row yet, and the ring has moved on: its row comes with the next sync.
            self.waits += 1;
            tokio::time::sleep(WAIT).await;
            self.place = Place::Search(at);
            return Ok(());
        }
        if !flowing {
            self.tell_gap(at, at.offset_ns(FAR_FUTURE_NS)).await?;
        }
        self.go_live(&feed);
        Ok(())
    }

    /// Goes on from the feed's ring: behind the last picture given out when that is still in it, otherwise with its oldest
    /// key picture.
    fn go_live(&mut self, feed: &Feed) {
        let given = self.given;
        self.catching_up = feed.contains(|sample| given.is_last_picture(sample));
        self.edge_told = false;
        let at = if self.catching_up { StartAt::Everything } else { StartAt::Oldest };
        self.place = Place::Live(feed.subscribe(at));
    }

    async fn read_fragment(
        &mut self,
        mut segment: Box<OpenSegment>,
        next: usize,
        recording: bool,
        end: WallTime,
    ) -> Result<(), PlaybackError> {
        if next >= segment.records.len() && recording {
            // The file may have grown; what it does not hold yet is in the feed's ring.
            if segment.refresh().await.is_err() || next >= segment.records.len() {
                let last = segment.records.last().map_or(end, |r| WallTime(r.end_wall_ns));
                return self.past_the_end_of_a_growing_file(segment, next, last).await;
            }
        }
        let Some(record) = segment.records.get(next).cloned() else {
            // Files end where the next one starts, to the picture; one nanosecond back would find the same file again.
            self.place = Place::Search(end.max(self.position));
            return Ok(());
        };
        if self.request.to.is_some_and(|to| WallTime(record.start_wall_ns) >= to) {
            self.pending.push_back(Event::EndOfRange);
            return Ok(());
        }
        match segment.fragment(next).await {
            Ok((bytes, entries)) => {
                let samples = segment.samples(next, &bytes, &entries);
                self.give(samples);
            }
            Err(error) if is_damage(&error) => {
                tracing::error!(
                    key = %segment.key(), fragment = next, error = &error as &dyn std::error::Error, "fragment not playable"
                );
                self.tell_damage(WallTime(record.start_wall_ns), WallTime(record.end_wall_ns));
            }
            Err(error) => return Err(error),
        }
        self.position = self.position.max(WallTime(record.end_wall_ns));
        self.place = Place::Segment { segment, next: next + 1, recording, end: end.max(WallTime(record.end_wall_ns)) };
        Ok(())
    }

    /// Everything written has been given out: go on from the ring when it reaches back so far, otherwise look again.
    async fn past_the_end_of_a_growing_file(
        &mut self,
        segment: Box<OpenSegment>,
        next: usize,
        last: WallTime,
    ) -> Result<(), PlaybackError> {
        let given = self.given;
        let live = self
            .feed
            .as_ref()
            .filter(|feed| feed.interrupted().is_none() && feed.contains(|sample| given.is_last_picture(sample)));
        if let Some(feed) = live {
            let feed = feed.clone();
            self.go_live(&feed);
            return Ok(());
        }
        let PlayRequest { camera, stream, .. } = self.request;
        // Closed meanwhile?
        let newer = self.index.segment_at_or_after(camera, stream, last).await?;
        match newer {
            Some(newer) if newer.key != segment.key().as_str() => self.place = Place::Search(last),
            _ if self.feed.as_ref().is_none_or(|feed| feed.interrupted().is_some()) => {
                self.place = Place::Search(last.offset_ns(1));
            }
            _ => {
                tokio::time::sleep(WAIT).await;
                self.place = Place::Segment { segment, next, recording: true, end: last };
            }
        }
        Ok(())
    }

    async fn read_live(&mut self, mut subscription: Subscription) {
        let Some(event) = subscription.next().await else {
            self.pending.push_back(Event::EndOfRange);
            return;
        };
        match event {
            feed::Event::Sample(sample) if self.given_already(&sample) => {}
            feed::Event::Sample(sample) => {
                self.waiting_in_gap = false;
                if self.request.to.is_some_and(|to| sample.wall >= to) {
                    self.pending.push_back(Event::EndOfRange);
                    return;
                }
                if !std::mem::replace(&mut self.edge_told, true) {
                    self.pending.push_back(Event::LiveEdge);
                }
                self.give(vec![sample]);
            }
            feed::Event::Interrupted(_) if self.catching_up => {}
            feed::Event::Interrupted(cause) => self.pending.push_back(Event::Interrupted(cause)),
            // Whatever was lost, the picture that was waited for is gone with it.
            feed::Event::Skipped(skipped) if std::mem::take(&mut self.catching_up) => {
                self.pending.push_back(Event::Skipped(skipped.samples));
            }
            feed::Event::Skipped(skipped) => self.pending.push_back(Event::Skipped(skipped.samples)),
        }
        self.place = Place::Live(subscription);
    }

    /// Whether a sample from the ring was given out from a file already.
    fn given_already(&mut self, sample: &Sample) -> bool {
        match sample.track {
            Track::Audio => self.given.audio.is_some_and(|last| sample.wall.ns_since(last) < TICK_NS),
            Track::Video if self.catching_up => {
                self.catching_up = !self.given.is_last_picture(sample);
                true
            }
            Track::Video => false,
        }
    }

    fn give(&mut self, mut samples: Vec<Sample>) {
        self.given.note(&samples);
        let PlayRequest { audio, key_frames_only, .. } = self.request;
        samples.retain(|s| match s.track {
            Track::Video => s.key || !key_frames_only,
            Track::Audio => audio && !key_frames_only,
        });
        let Some(first) = samples.first() else { return };
        let format = Arc::clone(&first.format);
        let same = self.format.as_ref().is_some_and(|old| Arc::ptr_eq(old, &format) || old.same_parameters(&format));
        if !same {
            self.pending.push_back(Event::Format(Arc::clone(&format)));
            self.format = Some(format);
        }
        self.pending.push_back(Event::Samples(samples));
    }

    /// Tells what is missing between two moments, with its causes.
    async fn tell_gap(&mut self, start: WallTime, end: WallTime) -> Result<(), PlaybackError> {
        let PlayRequest { camera, stream, .. } = self.request;
        let Some(range) = WallRange::new(start, end).filter(|r| r.end.ns_since(r.start) > GAP_MIN_NS) else {
            return Ok(());
        };
        if self.waiting_in_gap {
            return Ok(());
        }
        let gaps = self.index.gaps_in(camera, stream, range).await?;
        self.waiting_in_gap = gaps.iter().any(|gap| gap.end.is_none());
        self.pending.extend(gaps.into_iter().map(Event::Gap));
        Ok(())
    }

    fn tell_damage(&mut self, start: WallTime, end: WallTime) {
        let PlayRequest { camera, stream, .. } = self.request;
        let gap = Gap { camera, stream, start, end: Some(end), cause: GapCause::DiskError };
        self.pending.push_back(Event::Gap(gap));
    }
}
