//! Joining segments into recorded stretches, as a timeline shows them.

use minhbach_model::{WallRange, WallTime};

/// Stretches with no more than this between them are shown as one, nanoseconds.
///
/// The end of a segment is the estimated end of its last picture; at 10 pictures a second it may lie this far off.
pub const JOIN_NS: i64 = 100_000_000;

/// Collects segments, given in the order of their starts, into stretches inside a range.
pub(crate) struct Stretches {
    within: WallRange,
    done: Vec<WallRange>,
}

impl Stretches {
    pub(crate) fn new(within: WallRange) -> Self {
        Self { within, done: Vec::new() }
    }

    /// Adds a segment that does not start before those added earlier; it may overlap them.
    pub(crate) fn add(&mut self, start: WallTime, end: WallTime) {
        let Some(part) = WallRange::new(start.max(self.within.start), end.min(self.within.end)) else {
            return;
        };
        match self.done.last_mut() {
            Some(last) if part.start.ns_since(last.end) <= JOIN_NS => last.end = last.end.max(part.end),
            _ => self.done.push(part),
        }
    }

    pub(crate) fn finish(self) -> Vec<WallRange> {
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches(within: (i64, i64), segments: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let within = WallRange { start: WallTime(within.0), end: WallTime(within.1) };
        let mut stretches = Stretches::new(within);
        for &(start, end) in segments {
            stretches.add(WallTime(start), WallTime(end));
        }
        stretches.finish().into_iter().map(|range| (range.start.0, range.end.0)).collect()
    }

    #[test]
    fn a_hole_of_up_to_the_limit_is_joined_and_a_longer_one_is_kept() {
        let second = 1_000_000_000;
        assert_eq!(stretches((0, 10 * second), &[(0, second), (second + JOIN_NS, 2 * second)]), [(0, 2 * second)]);
        assert_eq!(
            stretches((0, 10 * second), &[(0, second), (second + JOIN_NS + 1, 2 * second)]),
            [(0, second), (second + JOIN_NS + 1, 2 * second)]
        );
    }

    #[test]
    fn a_segment_inside_another_does_not_shorten_it() {
        let second = 1_000_000_000;
        let found = stretches((0, 100 * second), &[(0, 60 * second), (second, 2 * second), (60 * second, 70 * second)]);
        assert_eq!(found, [(0, 70 * second)]);
    }

    #[test]
    fn stretches_are_cut_at_the_range_and_empty_ones_left_out() {
        assert_eq!(stretches((10, 20), &[(0, 12), (15, 15), (18, 30)]), [(10, 20)]);
        assert_eq!(stretches((10, 20), &[(0, 10), (20, 30), (5, 5)]), []);
    }
}
