//! An hour's worth of footage leaves the index, as the server's retention does it.
//!
//! Without the files, and the journal beside them: batches follow one another faster than where each waits for a disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use minhbach_index::Index;
use minhbach_model::{DeletionReason, WallTime};

use super::refused;
use crate::Outcome;

/// Segments deleted at once, as the recorder does.
const BATCH: u32 = 100;

/// What went.
#[derive(Debug, Clone, Copy)]
pub struct Gone {
    /// Segments.
    pub segments: u64,
    /// From the first question to the last row.
    pub took: Duration,
}

/// Deletes what ends at or before a moment and is not held.
pub async fn retire(index: Arc<dyn Index>, before: WallTime, now: WallTime) -> Outcome<Gone> {
    let began = Instant::now();
    let mut segments = 0;
    let streams = index.recorded_since().await.map_err(refused("what is recorded"))?;
    for stream in streams.into_iter().filter(|stream| stream.oldest < before) {
        loop {
            let page = index.deletable(stream.camera, stream.stream, before, now, BATCH).await;
            let page = page.map_err(refused("what may be deleted"))?;
            let keys: Vec<String> = page.into_iter().map(|segment| segment.key).collect();
            let marked = index.mark_for_deletion(&keys, DeletionReason::Expired, now).await.map_err(refused("mark"))?;
            let keys: Vec<String> = marked.into_iter().map(|segment| segment.key).collect();
            index.forget(&keys).await.map_err(refused("forget"))?;
            segments += keys.len() as u64;
            tokio::task::yield_now().await;
            if keys.len() < BATCH as usize {
                break;
            }
        }
    }
    Ok(Gone { segments, took: began.elapsed() })
}
