//! Tells the index what is recorded, in order, without ever making the recorder wait.
//!
//! When the index does not answer the same batch is tried again until it does. What does not fit into the queue meanwhile
//! is left out and counted: the sidecars hold it, and rows can be made from them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minhbach_index::{Index, IndexError, IndexErrorKind, SegmentProgress};
use minhbach_model::{CameraId, Gap, GapCause, Segment, SegmentState, StreamKind, WallTime};
use tokio::sync::mpsc;

/// Entries that may wait: at 256 streams and one entry a second this is more than four minutes.
const QUEUE: usize = 65_536;
/// Entries taken at once.
const BATCH: usize = 1024;
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) enum Entry {
    Open(Box<Segment>),
    Progress(SegmentProgress),
    Close(SegmentProgress, SegmentState),
    OpenGap(CameraId, StreamKind, WallTime, GapCause),
    CloseGap(CameraId, StreamKind, WallTime),
    InsertGap(Gap),
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

/// The way to the index. Clones are the same queue; the writer ends when all of them are gone.
#[derive(Debug, Clone)]
pub struct Ledger {
    entries: mpsc::Sender<Entry>,
    stats: Arc<LedgerStats>,
}

impl Ledger {
    /// A ledger and its writer, which must be run by a task of its own until it returns.
    pub fn new(index: Arc<dyn Index>) -> (Self, impl Future<Output = ()> + Send) {
        let (entries, receiver) = mpsc::channel(QUEUE);
        let stats = Arc::new(LedgerStats::default());
        let ledger = Self { entries, stats: Arc::clone(&stats) };
        (ledger, write(index, receiver, stats))
    }

    /// How it does.
    #[must_use]
    pub fn stats(&self) -> Arc<LedgerStats> {
        Arc::clone(&self.stats)
    }

    pub(crate) fn tell(&self, entry: Entry) {
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

async fn write(index: Arc<dyn Index>, mut entries: mpsc::Receiver<Entry>, stats: Arc<LedgerStats>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        let mut progress: Vec<SegmentProgress> = Vec::new();
        for entry in batch.drain(..) {
            stats.written.fetch_add(1, Ordering::Relaxed);
            match entry {
                Entry::Progress(new) => match progress.iter_mut().find(|old| old.id == new.id) {
                    Some(old) => *old = new,
                    None => progress.push(new),
                },
                Entry::Close(last, state) => {
                    progress.retain(|p| p.id != last.id);
                    insist(&stats, "close segment", || index.close_segment(&last, state)).await;
                }
                Entry::Open(segment) => insist(&stats, "open segment", || index.open_segment(&segment)).await,
                Entry::OpenGap(camera, stream, start, cause) => {
                    insist(&stats, "open gap", || index.open_gap(camera, stream, start, cause)).await;
                }
                Entry::CloseGap(camera, stream, end) => {
                    insist(&stats, "close gap", || index.close_gap(camera, stream, end)).await;
                }
                Entry::InsertGap(gap) => insist(&stats, "insert gap", || index.insert_gap(&gap)).await,
            }
        }
        if !progress.is_empty() {
            insist(&stats, "advance segments", || index.advance_segments(&progress)).await;
        }
    }
}

/// Tries until the index answers. What it refuses is logged: trying again would not change it.
async fn insist<T, F>(stats: &LedgerStats, what: &'static str, mut call: impl FnMut() -> F)
where
    F: Future<Output = Result<T, IndexError>>,
{
    let mut told = false;
    loop {
        match call().await {
            Ok(_) => return,
            Err(error) if error.kind() == IndexErrorKind::Unavailable => {
                if !told {
                    tracing::warn!(
                        what,
                        error = &error as &dyn std::error::Error,
                        "the index does not answer; trying on"
                    );
                    told = true;
                }
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => {
                stats.refused.fetch_add(1, Ordering::Relaxed);
                tracing::error!(what, error = &error as &dyn std::error::Error, "the index refused");
                return;
            }
        }
    }
}
