//! Questions to a full index, as the server's services ask them, and how long the answers take.

use std::time::Instant;

use minhbach_index::Index;
use minhbach_model::{StreamKind, WallTime};

use super::plan::{Numbers, Plan};
use super::refused;
use crate::Outcome;

/// Cameras of a timeline, as many as the console shows at once.
const TIMELINE_CAMERAS: usize = 16;
const TIMELINES: usize = 300;
const MOMENTS: usize = 5000;

/// The timelines of sixteen random cameras on a random day, milliseconds each: everything that the server asks the
/// index for such a request, one after another as it does.
pub async fn timelines(index: &dyn Index, plan: &Plan) -> Outcome<Vec<f64>> {
    let mut numbers = Numbers::new(1);
    let mut took_ms = Vec::with_capacity(TIMELINES);
    for _ in 0..TIMELINES {
        let cameras = numbers.some(&plan.cameras, TIMELINE_CAMERAS);
        let day = plan.day(u32::try_from(numbers.below(u64::from(plan.days))).unwrap_or(0));
        let asked = Instant::now();
        index.holds(Some(plan.end()), None).await.map_err(refused("holds"))?;
        for camera in cameras {
            let recorded = index.timeline(camera, StreamKind::Main, day).await.map_err(refused("timeline"))?;
            index.gaps_in(camera, StreamKind::Main, day).await.map_err(refused("gaps"))?;
            index.damages_in(camera, StreamKind::Main, day).await.map_err(refused("damages"))?;
            if recorded.is_empty() {
                return Err(format!("camera {camera} has nothing recorded on the day that begins at {}", day.start));
            }
        }
        took_ms.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(took_ms)
}

/// What is at a random moment of a random stream, milliseconds each: the question playback begins with.
pub async fn moments(index: &dyn Index, plan: &Plan) -> Outcome<Vec<f64>> {
    let mut numbers = Numbers::new(2);
    let begin = plan.moment(0, 0);
    let length_ns = plan.end().ns_since(begin).unsigned_abs();
    // Every stream has a file that ends later than this.
    let last = plan.moment(plan.files() - 1, 0);
    let mut took_ms = Vec::with_capacity(MOMENTS);
    for _ in 0..MOMENTS {
        let stream = numbers.one(&plan.streams);
        let offset_ns = i64::try_from(numbers.below(length_ns)).unwrap_or(0);
        let at: WallTime = begin.offset_ns(offset_ns).min(last);
        let asked = Instant::now();
        let found = index.segment_at_or_after(stream.camera, stream.kind, at).await.map_err(refused("a moment"))?;
        took_ms.push(asked.elapsed().as_secs_f64() * 1000.0);
        if found.is_none_or(|segment| segment.range.end <= at) {
            return Err(format!("camera {} has nothing at {at} or after it", stream.camera));
        }
    }
    Ok(took_ms)
}
