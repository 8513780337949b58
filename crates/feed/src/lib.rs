//! A stream's ring of recent pictures and sound: the only way from a camera to anyone who wants its samples.
//!
//! One publisher, any number of subscribers. The ring holds at least the current group of pictures, so that a new viewer
//! gets a picture at once, and is bounded in bytes. Nobody has a queue of his own: a subscriber is a place in the ring, and
//! one who is too slow loses samples of his own and nobody else's, which is counted and told to him.
//!
//! What belongs here: order, bounds, loss. What does not: codecs, files, network.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minhbach_model::{GapCause, Sample, Track};
use tokio::sync::Notify;

/// What a subscriber gets, in order.
#[derive(Debug, Clone)]
pub enum Event {
    /// A sample.
    Sample(Sample),
    /// The camera's stream stopped; what follows starts with a key picture of a new run.
    Interrupted(GapCause),
    /// Samples were lost because this subscriber was too slow; what follows starts with a key picture.
    Skipped(Skipped),
}

/// What a subscriber that is too slow has lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Samples of pictures and sound together, as they left the ring unread.
    pub samples: u64,
}

/// Where a subscriber starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// With the newest key picture, and everything after it.
    KeyFrame,
    /// With everything the ring still holds from the oldest key picture on.
    Oldest,
    /// With everything the ring still holds, whether or not it can be decoded: for a reader who knows what he has already.
    Everything,
}

/// What a subscriber that was overtaken goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// The newest key picture: a viewer wants now.
    SkipToNewestKey,
    /// The oldest key picture that is still there: a recorder wants all it can get.
    SkipToOldestKey,
}

/// Bounds of a ring.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// History is kept up to this size even when it is older than the current group of pictures.
    pub history_bytes: usize,
    /// The ring never grows past this, however long a group of pictures is.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { history_bytes: 1024 * 1024, max_bytes: 24 * 1024 * 1024 }
    }
}

#[derive(Debug, Clone)]
enum Entry {
    Sample(Sample),
    Interrupted(GapCause),
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            // A rough size of the entry itself, so that a flood of tiny samples is bounded too.
            Self::Sample(sample) => sample.data.len() + 160,
            Self::Interrupted(_) => 160,
        }
    }

    fn is_key_picture(&self) -> bool {
        matches!(self, Self::Sample(s) if s.track == Track::Video && s.key)
    }
}

#[derive(Debug)]
struct Ring {
    entries: VecDeque<Entry>,
    /// Sequence number of the first entry.
    base: u64,
    bytes: usize,
    /// Sequence number of the newest key picture still in the ring.
    newest_key: Option<u64>,
    limits: Limits,
    closed: bool,
    /// Set while the stream does not flow.
    interrupted: Option<GapCause>,
}

impl Ring {
    fn end(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    fn get(&self, seq: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(seq.checked_sub(self.base)?).ok()?)
    }

    fn push(&mut self, entry: Entry) {
        if entry.is_key_picture() {
            self.newest_key = Some(self.end());
        }
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while let Some(front) = self.entries.front() {
            let front_bytes = front.bytes();
            let needed = self.newest_key.is_none_or(|key| self.base >= key);
            let over_history = self.bytes > self.limits.history_bytes && !needed;
            if !over_history && self.bytes <= self.limits.max_bytes {
                break;
            }
            self.entries.pop_front();
            self.base += 1;
            self.bytes -= front_bytes;
            if self.newest_key.is_some_and(|key| key < self.base) {
                self.newest_key = None;
            }
        }
    }

    fn start(&self, at: StartAt) -> u64 {
        let oldest_key = || {
            let found = self.entries.iter().position(Entry::is_key_picture);
            found.map_or(self.end(), |i| self.base + i as u64)
        };
        match at {
            StartAt::KeyFrame => self.newest_key.unwrap_or(self.end()),
            StartAt::Oldest => oldest_key(),
            StartAt::Everything => self.base,
        }
    }
}

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    /// Told of every new entry; who only looks now and then does not wait on it.
    arrived: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        // A panic while the lock is held leaves the ring in order: every change is one push.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream others can subscribe to. Clones are the same stream.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Shared>);

/// The one who puts samples in. Dropping it closes the feed.
#[derive(Debug)]
pub struct Publisher(Arc<Shared>);

/// Makes an empty feed.
#[must_use]
pub fn feed(limits: Limits) -> (Publisher, Feed) {
    let ring = Ring {
        entries: VecDeque::new(),
        base: 0,
        bytes: 0,
        newest_key: None,
        limits,
        closed: false,
        interrupted: Some(GapCause::Starting),
    };
    let shared = Arc::new(Shared { ring: Mutex::new(ring), arrived: Notify::new() });
    (Publisher(Arc::clone(&shared)), Feed(shared))
}

impl Publisher {
    /// Puts a sample in and wakes whoever waits.
    pub fn publish(&self, sample: Sample) {
        let mut ring = self.0.lock();
        ring.interrupted = None;
        ring.push(Entry::Sample(sample));
        drop(ring);
        self.0.arrived.notify_waiters();
    }

    /// Says that the stream stopped. Said twice without a sample in between, the newer cause counts.
    pub fn interrupt(&self, cause: GapCause) {
        let mut ring = self.0.lock();
        if ring.interrupted == Some(cause) {
            return;
        }
        ring.interrupted = Some(cause);
        ring.push(Entry::Interrupted(cause));
        // Nobody should start with pictures from before the interruption.
        ring.newest_key = None;
        drop(ring);
        self.0.arrived.notify_waiters();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.arrived.notify_waiters();
    }
}

impl Feed {
    /// A new reader.
    #[must_use]
    pub fn subscribe(&self, at: StartAt) -> Subscription {
        let next = self.0.lock().start(at);
        let (shared, lag) = (Arc::clone(&self.0), Lag::SkipToNewestKey);
        Subscription { shared, next, lag, resync: false, pending_skip: 0, skipped_total: 0 }
    }

    /// Why the stream does not flow, while it does not.
    #[must_use]
    pub fn interrupted(&self) -> Option<GapCause> {
        self.0.lock().interrupted
    }

    /// Whether a sample for which this holds is still in the ring.
    pub fn contains(&self, is: impl Fn(&Sample) -> bool) -> bool {
        let ring = self.0.lock();
        ring.entries.iter().any(|e| matches!(e, Entry::Sample(sample) if is(sample)))
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.lock().bytes
    }
}

/// A place in the ring.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    next: u64,
    lag: Lag,
    /// After a loss: wait for a key picture.
    resync: bool,
    pending_skip: u64,
    skipped_total: u64,
}

impl Subscription {
    /// The same place with another way to go on after a loss.
    #[must_use]
    pub fn with_lag(self, lag: Lag) -> Self {
        Self { lag, ..self }
    }

    /// The next event, or `None` when the feed is closed and everything is read. Safe to cancel.
    pub async fn next(&mut self) -> Option<Event> {
        let shared = Arc::clone(&self.shared);
        loop {
            // Registered before looking, so that nothing can come in between.
            let arrived = shared.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            match self.try_next() {
                Polled::Event(event) => return Some(event),
                Polled::Closed => return None,
                Polled::Empty => arrived.await,
            }
        }
    }

    /// Everything that is there now, without waiting. Returns false when the feed is closed and everything is read.
    pub fn drain(&mut self, into: &mut Vec<Event>) -> bool {
        loop {
            match self.try_next() {
                Polled::Event(event) => into.push(event),
                Polled::Empty => return true,
                Polled::Closed => return false,
            }
        }
    }

    /// Samples lost so far.
    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped_total
    }

    fn try_next(&mut self) -> Polled {
        let ring = self.shared.lock();
        if self.next < ring.base {
            // Overtaken: go on with a key picture that is still there, or with the next one to come.
            let target = match self.lag {
                Lag::SkipToNewestKey => ring.newest_key,
                Lag::SkipToOldestKey => {
                    ring.entries.iter().position(Entry::is_key_picture).map(|i| ring.base + i as u64)
                }
            };
            self.resync = target.is_none();
            let target = target.unwrap_or(ring.end());
            self.pending_skip += target - self.next;
            self.next = target;
        }
        while self.resync {
            match ring.get(self.next) {
                Some(entry) if entry.is_key_picture() => self.resync = false,
                Some(Entry::Interrupted(cause)) => {
                    self.next += 1;
                    return Polled::Event(Event::Interrupted(*cause));
                }
                Some(Entry::Sample(_)) => {
                    self.next += 1;
                    self.pending_skip += 1;
                }
                None if ring.closed => return Polled::Closed,
                None => return Polled::Empty,
            }
        }
        if self.pending_skip > 0 {
            let samples = std::mem::take(&mut self.pending_skip);
            self.skipped_total += samples;
            return Polled::Event(Event::Skipped(Skipped { samples }));
        }
        match ring.get(self.next) {
            Some(entry) => {
                self.next += 1;
                Polled::Event(match entry {
                    Entry::Sample(sample) => Event::Sample(sample.clone()),
                    Entry::Interrupted(cause) => Event::Interrupted(*cause),
                })
            }
            None if ring.closed => Polled::Closed,
            None => Polled::Empty,
        }
    }
}

enum Polled {
    Event(Event),
    Empty,
    Closed,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use minhbach_model::{FormatId, MediaFormat, RunId, Ticks, VideoCodec, VideoParams, WallTime};

    use super::*;

    fn sample(n: i64, key: bool, bytes: usize) -> Sample {
        let video = VideoParams {
            codec: VideoCodec::H264,
            width: 16,
            height: 16,
            config: Bytes::new(),
            rfc6381: String::new(),
        };
        let format = Arc::new(MediaFormat { id: FormatId(1), run: RunId(1), video, audio: None });
        Sample {
            track: Track::Video,
            pts: Ticks(n),
            duration: 0,
            wall: WallTime(n),
            received: WallTime(n),
            key,
            lost_packets: 0,
            data: Bytes::from(vec![0; bytes]),
            format,
        }
    }

    fn times(subscription: &mut Subscription) -> Vec<i64> {
        let mut events = Vec::new();
        subscription.drain(&mut events);
        events
            .iter()
            .map(|e| match e {
                Event::Sample(s) => s.pts.0,
                Event::Skipped(s) => -i64::try_from(s.samples).unwrap(),
                Event::Interrupted(_) => i64::MIN,
            })
            .collect()
    }

    #[test]
    fn a_new_viewer_starts_with_the_newest_key_picture() {
        let (publisher, feed) = feed(Limits::default());
        for n in 0..10 {
            publisher.publish(sample(n, n % 4 == 0, 10));
        }
        assert_eq!(times(&mut feed.subscribe(StartAt::KeyFrame)), [8, 9]);
        assert_eq!(times(&mut feed.subscribe(StartAt::Oldest)), (0..10).collect::<Vec<_>>());
        assert_eq!(times(&mut feed.subscribe(StartAt::Everything)), (0..10).collect::<Vec<_>>());
        assert!(feed.contains(|s| s.pts.0 == 0) && !feed.contains(|s| s.pts.0 == 10));
    }

    #[test]
    fn a_slow_viewer_loses_only_his_own_and_is_told_how_much() {
        let limits = Limits { history_bytes: 1000, max_bytes: 100_000 };
        let (publisher, feed) = feed(limits);
        let mut slow = feed.subscribe(StartAt::KeyFrame);
        for n in 0..40 {
            publisher.publish(sample(n, n % 10 == 0, 100));
        }
        assert!(feed.bytes() < 4000, "history is bounded: {}", feed.bytes());
        assert_eq!(times(&mut slow)[..3], [-30, 30, 31]);
        assert_eq!(slow.skipped_total(), 30);
        publisher.publish(sample(40, false, 100));
        assert_eq!(times(&mut slow), [40], "a reader who keeps up loses nothing more");
    }

    #[test]
    fn a_recorder_that_was_overtaken_goes_on_with_the_oldest_that_is_left() {
        let (publisher, feed) = feed(Limits { history_bytes: 6000, max_bytes: 100_000 });
        let mut slow = feed.subscribe(StartAt::KeyFrame).with_lag(Lag::SkipToOldestKey);
        for n in 0..40 {
            publisher.publish(sample(n, n % 10 == 0, 100));
        }
        let seen = times(&mut slow);
        assert_eq!((seen[0], seen[1]), (-20, 20), "{seen:?}");
    }

    #[test]
    fn an_endless_group_of_pictures_is_bounded_and_its_readers_wait_for_a_key_picture() {
        let (publisher, feed) = feed(Limits { history_bytes: 1000, max_bytes: 5000 });
        let mut reader = feed.subscribe(StartAt::KeyFrame);
        publisher.publish(sample(0, true, 100));
        for n in 1..1000 {
            publisher.publish(sample(n, false, 100));
        }
        assert!(feed.bytes() <= 5000);
        assert_eq!(times(&mut reader), Vec::<i64>::new());
        publisher.publish(sample(1000, true, 100));
        assert_eq!(times(&mut reader), [-1000, 1000]);
    }

    #[test]
    fn nobody_starts_with_pictures_from_before_an_interruption() {
        let (publisher, feed) = feed(Limits::default());
        publisher.publish(sample(0, true, 10));
        let mut reader = feed.subscribe(StartAt::KeyFrame);
        publisher.interrupt(GapCause::Stalled);
        publisher.interrupt(GapCause::Stalled);
        assert_eq!(times(&mut reader), [0, i64::MIN]);
        assert_eq!(feed.interrupted(), Some(GapCause::Stalled));
        assert_eq!(times(&mut feed.subscribe(StartAt::KeyFrame)), Vec::<i64>::new());
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken_and_told_of_the_end() {
        let (publisher, feed) = feed(Limits::default());
        let mut reader = feed.subscribe(StartAt::KeyFrame);
        let waiting = tokio::spawn(async move {
            let first = reader.next().await.is_some();
            (first, reader.next().await.is_none())
        });
        tokio::task::yield_now().await;
        publisher.publish(sample(0, true, 10));
        drop(publisher);
        assert_eq!(waiting.await.unwrap(), (true, true));
    }
}
