//! Tells the index what is recorded, in order, without ever making the recorder wait.
//!
//! When the index does not answer the same batch is tried again until it does. What does not fit into the queue meanwhile
//! is left out and counted: the sidecars hold it, and rows can be made from them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minhbach_index::{Index, IndexError, IndexErrorKind, SegmentProgress};
use minhbach_model::{CameraId, Gap, GapCause, Segment, SegmentState, StreamKind, WallTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Entries that may wait: openings and closings of segments and gaps of 256 streams for a day. Room is taken as it is
/// needed.
const QUEUE: usize = 1 << 20;
/// Beyond this progress is left out: the next one says it too, and the last one comes with the closing.
const QUEUE_PROGRESS: usize = 1 << 14;
/// Entries taken at once.
const BATCH: usize = 1024;
/// What was told is durable after at most this.
const SYNC: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(1);
/// Tries each entry still has once the program is ending.
const LAST_TRIES: u32 = 3;

#[derive(Debug)]
pub(crate) enum Entry {
    Open(Box<Segment>),
    Progress(SegmentProgress),
    Close(SegmentProgress, SegmentState),
    /// A suspect segment, by its storage key, is what its row says.
    Whole(String),
    OpenGap(CameraId, StreamKind, WallTime, GapCause),
    CloseGap(CameraId, StreamKind, WallTime),
    InsertGap(Gap),
    /// Answered when everything before it is written.
    Barrier(oneshot::Sender<()>),
    /// Nothing comes after it.
    End,
}

/// How the ledger does.
#[derive(Debug, Default)]
pub struct LedgerStats {
    written: AtomicU64,
    left_out: AtomicU64,
    refused: AtomicU64,
}

impl LedgerStats {
    /// Entries the index took.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Entries that found no room while the index did not answer.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Entries the index refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// The way to the index. Clones are the same queue.
#[derive(Debug, Clone)]
pub struct Ledger {
    entries: mpsc::Sender<Entry>,
    stats: Arc<LedgerStats>,
    ending: CancellationToken,
}

impl Ledger {
    /// A ledger and its writer, which must be run by a task of its own until it returns.
    pub fn new(index: Arc<dyn Index>) -> (Self, impl Future<Output = ()> + Send) {
        let (entries, receiver) = mpsc::channel(QUEUE);
        let stats = Arc::new(LedgerStats::default());
        let ending = CancellationToken::new();
        let ledger = Self { entries, stats: Arc::clone(&stats), ending: ending.clone() };
        (ledger, Writer { index, stats, ending }.run(receiver))
    }

    /// How it does.
    #[must_use]
    pub fn stats(&self) -> Arc<LedgerStats> {
        Arc::clone(&self.stats)
    }

    /// Ends the writer once everything told so far is written. An index that does not answer gets a few more tries: what it
    /// does not take then can be made from the sidecars.
    pub async fn end(&self) {
        self.ending.cancel();
        // The writer may have ended by itself; then there is nothing to end.
        let _ = self.entries.send(Entry::End).await;
    }

    /// Waits until everything told so far is written, so that a question to the index has a true answer.
    pub(crate) async fn settled(&self) {
        let (sender, written) = oneshot::channel();
        if self.entries.send(Entry::Barrier(sender)).await.is_ok() {
            // An error means that the writer has ended: then nothing more is going to be written.
            let _ = written.await;
        }
    }

    pub(crate) fn tell(&self, entry: Entry) {
        if matches!(entry, Entry::Progress(_)) && QUEUE - self.entries.capacity() > QUEUE_PROGRESS {
            return;
        }
        if self.entries.try_send(entry).is_err() {
            let before = self.stats.left_out.fetch_add(1, Ordering::Relaxed);
            if before.is_power_of_two() || before == 0 {
                tracing::error!(
                    left_out = before + 1,
                    "the index does not keep up; rows must be made from the sidecars"
                );
            }
        }
    }
}

struct Writer {
    index: Arc<dyn Index>,
    stats: Arc<LedgerStats>,
    ending: CancellationToken,
}

impl Writer {
    async fn run(self, mut entries: mpsc::Receiver<Entry>) {
        let index = &self.index;
        let mut batch = Vec::new();
        let mut sync = tokio::time::interval(SYNC);
        sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let received = tokio::select! {
                received = entries.recv_many(&mut batch, BATCH) => received,
                _ = sync.tick() => {
                    self.insist("sync", || index.sync()).await;
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            let mut progress: Vec<SegmentProgress> = Vec::new();
            for entry in batch.drain(..) {
                self.stats.written.fetch_add(1, Ordering::Relaxed);
                match entry {
                    Entry::Progress(new) => match progress.iter_mut().find(|old| old.id == new.id) {
                        Some(old) => *old = new,
                        None => progress.push(new),
                    },
                    Entry::Close(last, state) => {
                        progress.retain(|p| p.id != last.id);
                        self.insist("close segment", || index.close_segment(&last, state)).await;
                    }
                    Entry::Open(segment) => self.insist("open segment", || index.open_segment(&segment)).await,
                    Entry::Whole(key) => self.insist("clear suspect", || index.clear_suspect(&key)).await,
                    Entry::OpenGap(camera, stream, start, cause) => {
                        self.insist("open gap", || index.open_gap(camera, stream, start, cause)).await;
                    }
                    Entry::CloseGap(camera, stream, end) => {
                        self.insist("close gap", || index.close_gap(camera, stream, end)).await;
                    }
                    Entry::InsertGap(gap) => self.insist("insert gap", || index.insert_gap(&gap)).await,
                    Entry::Barrier(answer) => {
                        self.advance(&mut progress).await;
                        // Whoever asked may have gone.
                        let _ = answer.send(());
                    }
                    Entry::End => return self.advance(&mut progress).await,
                }
            }
            self.advance(&mut progress).await;
        }
    }

    async fn advance(&self, progress: &mut Vec<SegmentProgress>) {
        if !progress.is_empty() {
            self.insist("advance segments", || self.index.advance_segments(progress)).await;
            progress.clear();
        }
    }

    /// Tries until the index answers. What it refuses is logged: trying again would not change it.
    async fn insist<T, F>(&self, what: &'static str, mut call: impl FnMut() -> F)
    where
        F: Future<Output = Result<T, IndexError>>,
    {
        let mut told = false;
        let mut last_tries = LAST_TRIES;
        loop {
            match call().await {
                Ok(_) => return,
                Err(error) if error.kind() == IndexErrorKind::Unavailable && last_tries > 0 => {
                    if !told {
                        tracing::warn!(
                            what,
                            error = &error as &dyn std::error::Error,
                            "the index does not answer; trying on"
                        );
                        told = true;
                    }
                    if self.ending.is_cancelled() {
                        last_tries -= 1;
                    }
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    self.stats.refused.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(what, error = &error as &dyn std::error::Error, "the index refused");
                    return;
                }
            }
        }
    }
}
