//! Bit rate and picture rate over the last ten seconds.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(10);

/// Counts per second, for the last ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Start of the second, bytes, pictures.
    seconds: VecDeque<(Instant, u64, u32)>,
}

impl Meter {
    pub fn count(&mut self, now: Instant, bytes: usize, pictures: u32) {
        let fresh = self.seconds.back().is_none_or(|(start, ..)| now.duration_since(*start) >= Duration::from_secs(1));
        if fresh {
            self.seconds.push_back((now, 0, 0));
        }
        if let Some((_, b, p)) = self.seconds.back_mut() {
            *b += bytes as u64;
            *p += pictures;
        }
        while self.seconds.front().is_some_and(|(start, ..)| now.duration_since(*start) > WINDOW) {
            self.seconds.pop_front();
        }
    }

    /// Bits a second and thousandths of a picture a second.
    pub fn rates(&self, now: Instant) -> (u64, u32) {
        let Some((first, ..)) = self.seconds.front() else { return (0, 0) };
        let span_ms = u64::try_from(now.duration_since(*first).as_millis()).unwrap_or(u64::MAX).max(500);
        let bytes: u64 = self.seconds.iter().map(|(_, b, _)| b).sum();
        let pictures: u64 = self.seconds.iter().map(|&(.., p)| u64::from(p)).sum();
        (bytes * 8 * 1000 / span_ms, u32::try_from(pictures * 1_000_000 / span_ms).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_last_ten_seconds() {
        let start = Instant::now();
        let mut meter = Meter::default();
        for n in 0..1000u32 {
            meter.count(start + Duration::from_millis(40) * n, 20_000, 1);
        }
        let (bps, milli) = meter.rates(start + Duration::from_millis(40) * 1000);
        assert!((3_900_000..4_100_000).contains(&bps), "{bps}");
        assert!((24_300..25_700).contains(&milli), "{milli}");
    }
}
