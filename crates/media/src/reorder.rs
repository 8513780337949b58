//! Decoding times from presentation times: RTP carries only the latter (RFC 6184 §5.1).
//!
//! With no reordering both are the same. With B pictures the decoding times are the presentation times in ascending order,
//! delayed by the depth of the reordering, which is learned from the pictures themselves: what a stream's header says about
//! it is optional in H.264 and wrong in some cameras.

use std::collections::VecDeque;

/// Gives each picture, in the order of decoding, its decoding time.
#[derive(Debug, Default)]
pub(crate) struct Reorder {
    /// Presentation times not yet given out as decoding times, ascending.
    window: VecDeque<i64>,
    depth: usize,
    last: Option<i64>,
    given: usize,
    first_pts: i64,
}

impl Reorder {
    /// The depth of the reordering seen in these presentation times: the largest number of pictures that are decoded
    /// before a picture and shown after it.
    pub fn depth_of(pts: &[i64]) -> usize {
        // A picture refers back at most 16 pictures (H.264 A.3.1), so looking further back finds nothing.
        pts.iter()
            .enumerate()
            .map(|(i, &own)| pts[i.saturating_sub(16)..i].iter().filter(|&&earlier| earlier > own).count())
            .max()
            .unwrap_or(0)
    }

    /// Raises the depth; it never falls within a run.
    pub fn learn(&mut self, depth: usize) {
        self.depth = self.depth.max(depth);
    }

    /// The decoding time of the next picture; `step` is the usual distance between pictures.
    pub fn next(&mut self, pts: i64, step: i64) -> i64 {
        if self.given == 0 {
            self.first_pts = pts;
        }
        let at = self.window.partition_point(|&earlier| earlier <= pts);
        self.window.insert(at, pts);
        let candidate = if self.window.len() > self.depth {
            self.window.pop_front().unwrap_or(pts)
        } else {
            // The first pictures: earlier than the first one shown, by as many steps as are still missing.
            let missing = self.depth + 1 - self.window.len();
            self.first_pts - i64::try_from(missing).unwrap_or(0) * step
        };
        self.given += 1;
        // Decoding times ascend strictly (ISO/IEC 14496-12 §8.6.1.2 has no negative durations), whatever a camera does.
        let dts = self.last.map_or(candidate, |last| candidate.max(last + 1));
        self.last = Some(dts);
        dts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pts: &[i64]) -> Vec<i64> {
        let mut reorder = Reorder::default();
        reorder.learn(Reorder::depth_of(pts));
        pts.iter().map(|&p| reorder.next(p, 10)).collect()
    }

    #[test]
    fn without_b_pictures_both_times_are_the_same() {
        assert_eq!(run(&[0, 10, 20, 30]), [0, 10, 20, 30]);
    }

    #[test]
    fn with_b_pictures_decoding_ascends_and_never_follows_presentation() {
        // I0 P3 B1 B2 P6 B4 B5, shown 40 ticks late or not: depth 1.
        let pts = [0, 30, 10, 20, 60, 40, 50];
        let dts = run(&pts);
        assert_eq!(dts, [-10, 0, 10, 20, 30, 40, 50]);
        assert!(dts.iter().zip(&pts).all(|(d, p)| d <= p));
        // Pyramid: I0 P4 B2 B1 B3: depth 2.
        let pts = [0, 40, 20, 10, 30];
        let dts = run(&pts);
        assert_eq!(dts, [-20, -10, 0, 10, 20]);
    }

    #[test]
    fn a_clock_that_steps_back_still_gives_ascending_times() {
        let mut reorder = Reorder::default();
        assert_eq!([100, 50, 60].map(|p| reorder.next(p, 10)), [100, 101, 102]);
    }
}
