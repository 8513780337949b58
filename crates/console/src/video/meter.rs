//! The microphone meter: level and peak of the sound of one tile, falling slowly enough to be read.
//!
//! Pure: the instant is passed in.

use std::time::{Duration, Instant};

/// The quietest level that is told apart, dBFS.
pub const FLOOR_DB: f32 = -60.0;

/// How fast a shown level falls, decibels a second.
const FALL_DB_PER_SECOND: f32 = 26.0;

/// How long a peak stays before it falls.
const PEAK_HOLD: Duration = Duration::from_millis(1200);

/// After so long without sound the camera counts as silent on the wire, not as quiet.
const ABSENT_AFTER: Duration = Duration::from_secs(3);

/// What a meter shows at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeterReading {
    /// Level of the sound, dBFS, −60 to 0.
    pub rms_db: f32,
    /// Highest sample of late, dBFS, −60 to 0.
    pub peak_db: f32,
    /// Whether sound arrives at all; without it there is nothing to show.
    pub has_audio: bool,
}

impl Default for MeterReading {
    fn default() -> Self {
        Self { rms_db: FLOOR_DB, peak_db: FLOOR_DB, has_audio: false }
    }
}

impl MeterReading {
    /// The level as the length of a bar, 0 to 1.
    #[must_use]
    pub fn rms_fraction(&self) -> f32 {
        fraction(self.rms_db)
    }

    /// The peak as a position on the bar, 0 to 1.
    #[must_use]
    pub fn peak_fraction(&self) -> f32 {
        fraction(self.peak_db)
    }
}

fn fraction(db: f32) -> f32 {
    ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
}

/// A meter that is fed with samples and read at any time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    fed: Option<Fed>,
}

#[derive(Debug, Clone, Copy)]
struct Fed {
    at: Instant,
    rms_db: f32,
    peak_db: f32,
    peak_at: Instant,
}

impl Meter {
    /// Takes a stretch of samples, −1 to 1, any number of channels.
    pub fn feed(&mut self, samples: &[f32], now: Instant) {
        if samples.is_empty() {
            return;
        }
        let (mut squares, mut peak) = (0.0_f64, 0.0_f32);
        for &sample in samples {
            squares += f64::from(sample) * f64::from(sample);
            peak = peak.max(sample.abs());
        }
        let rms_db = decibels((squares / samples.len() as f64).sqrt() as f32);
        let peak_db = decibels(peak);
        let shown = self.read(now);
        let (peak_db, peak_at) = match self.fed {
            Some(fed) if shown.peak_db > peak_db => (fed.peak_db, fed.peak_at),
            _ => (peak_db, now),
        };
        self.fed = Some(Fed { at: now, rms_db: rms_db.max(shown.rms_db), peak_db, peak_at });
    }

    /// What to show now.
    #[must_use]
    pub fn read(&self, now: Instant) -> MeterReading {
        let Some(fed) = self.fed else {
            return MeterReading::default();
        };
        let age = now.saturating_duration_since(fed.at);
        let peak_age = now.saturating_duration_since(fed.peak_at).saturating_sub(PEAK_HOLD);
        MeterReading {
            rms_db: (fed.rms_db - FALL_DB_PER_SECOND * age.as_secs_f32()).max(FLOOR_DB),
            peak_db: (fed.peak_db - FALL_DB_PER_SECOND * peak_age.as_secs_f32()).max(FLOOR_DB),
            has_audio: age < ABSENT_AFTER,
        }
    }
}

fn decibels(amplitude: f32) -> f32 {
    if amplitude <= 0.001 { FLOOR_DB } else { (20.0 * amplitude.log10()).min(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_and_half_scale_read_as_they_should() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.feed(&[0.5, -0.5, 0.5, -0.5], now);
        let reading = meter.read(now);
        assert!((reading.rms_db + 6.02).abs() < 0.05 && (reading.peak_db + 6.02).abs() < 0.05, "{reading:?}");
        assert!(reading.has_audio);
        meter.feed(&[1.0, -1.0], now);
        assert!((meter.read(now).rms_fraction() - 1.0).abs() < 0.001);
    }

    #[test]
    fn the_level_falls_at_once_and_the_peak_only_after_a_while() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.feed(&[1.0; 64], start);
        let second = start + Duration::from_secs(1);
        meter.feed(&[0.0; 64], second);
        let reading = meter.read(second);
        assert!((reading.rms_db + FALL_DB_PER_SECOND).abs() < 0.1, "{reading:?}");
        assert!(reading.peak_db.abs() < 0.1, "{reading:?}");
        let later = meter.read(start + Duration::from_millis(2200));
        assert!((later.peak_db + FALL_DB_PER_SECOND).abs() < 0.1, "{later:?}");
    }

    #[test]
    fn silence_on_the_wire_differs_from_a_quiet_room() {
        let start = Instant::now();
        let mut meter = Meter::default();
        assert!(!meter.read(start).has_audio);
        meter.feed(&[0.0; 16], start);
        assert_eq!(meter.read(start), MeterReading { rms_db: FLOOR_DB, peak_db: FLOOR_DB, has_audio: true });
        assert!(!meter.read(start + Duration::from_secs(4)).has_audio);
    }
}
