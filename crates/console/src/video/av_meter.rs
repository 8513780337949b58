//! How far the picture of the camera that is heard is from its sound, measured where both leave the program: the wall
//! time of each picture when it is drawn for the first time, minus that of the sound that leaves the loudspeaker then.
//!
//! What the display and its driver add after that is not seen from here. Pure apart from the trace: instants are passed
//! in. To read it: `RUST_LOG=minhbach_console::av=debug`.

use std::time::{Duration, Instant};

use minhbach_model::CameraId;

use super::clock::Clock;
use super::paint::{Drawn, TileKey};
use super::sound_live::LiveReport;

/// Where the trace goes.
const TARGET: &str = "minhbach_console::av";

/// How often a summary is made.
const EVERY: Duration = Duration::from_secs(1);

/// The pictures of about a second. Positive offsets: the picture is ahead of the sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Pictures drawn for the first time while sound had a clock.
    pub pictures: u32,
    /// Pictures drawn while it had none.
    pub unclocked: u32,
    /// Mean offset, milliseconds.
    pub mean_ms: f64,
    /// The picture most behind its sound, milliseconds.
    pub least_ms: f64,
    /// The picture most ahead of its sound, milliseconds.
    pub most_ms: f64,
}

impl Summary {
    const EMPTY: Self =
        Self { pictures: 0, unclocked: 0, mean_ms: 0.0, least_ms: f64::INFINITY, most_ms: f64::NEG_INFINITY };

    /// Writes it to the trace, with how the sound stands and how much of it is kept, nanoseconds.
    pub fn trace(&self, camera: CameraId, sound: Option<(LiveReport, i64)>) {
        let tenths = |value: f64| (value * 10.0).round() / 10.0;
        let Some((sound, kept_ns)) = sound.filter(|_| self.pictures > 0) else {
            tracing::debug!(target: TARGET, %camera, pictures = self.unclocked, "pictures, and no sound to keep to");
            return;
        };
        tracing::debug!(
            target: TARGET,
            %camera,
            offset_ms = tenths(self.mean_ms),
            least_ms = tenths(self.least_ms),
            most_ms = tenths(self.most_ms),
            pictures = self.pictures,
            unclocked = self.unclocked,
            kept_ms = tenths(kept_ns as f64 / 1e6),
            device_ms = tenths(sound.latency.as_secs_f64() * 1e3),
            rate_ppm = ((sound.rate - 1.0) * 1e6).round(),
            jumps = sound.jumps,
            dry = sound.dry,
            "picture against sound"
        );
    }
}

/// Whether anybody reads what would be measured.
#[must_use]
pub fn is_read() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
}

/// Measures pictures as they are drawn.
#[derive(Debug, Default)]
pub struct AvMeter {
    last: Option<(TileKey, Drawn)>,
    /// Since when, and what.
    running: Option<(Instant, Summary)>,
}

impl AvMeter {
    /// Takes note of the picture that a tile drew last and of the sound heard; a summary about once a second.
    pub fn note(&mut self, key: TileKey, drawn: Drawn, heard: Option<Clock>, now: Instant) -> Option<Summary> {
        let (begun, mut sum) = self.running.unwrap_or((now, Summary::EMPTY));
        if self.last != Some((key, drawn)) {
            self.last = Some((key, drawn));
            match heard {
                None => sum.unclocked += 1,
                Some(heard) => {
                    let offset_ms = drawn.wall.ns_since(heard.wall_at(drawn.at)) as f64 / 1e6;
                    sum.pictures += 1;
                    sum.mean_ms += (offset_ms - sum.mean_ms) / f64::from(sum.pictures);
                    sum.least_ms = sum.least_ms.min(offset_ms);
                    sum.most_ms = sum.most_ms.max(offset_ms);
                }
            }
        }
        let over = now.saturating_duration_since(begun) >= EVERY;
        self.running = (!over).then_some((begun, sum));
        over.then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::WallTime;

    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn each_picture_counts_once_with_the_sound_of_the_moment_it_was_drawn() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let heard = Some(Clock { wall: WallTime(5000 * MS), at: start });
        let mut meter = AvMeter::default();
        // Drawn when the sound of 5,100 ms is heard, and looked at 16 ms later, twice.
        let ahead = Drawn { wall: WallTime(5110 * MS), at: at(100) };
        assert_eq!(meter.note(TileKey(1), ahead, heard, at(116)), None);
        assert_eq!(meter.note(TileKey(1), ahead, heard, at(132)), None);
        let behind = Drawn { wall: WallTime(5170 * MS), at: at(200) };
        assert_eq!(meter.note(TileKey(1), behind, heard, at(216)), None);
        let unclocked = Drawn { wall: WallTime(5900 * MS), at: at(1100) };
        let summary = Summary { pictures: 2, unclocked: 1, mean_ms: -10.0, least_ms: -30.0, most_ms: 10.0 };
        assert_eq!(meter.note(TileKey(1), unclocked, None, at(1116)), Some(summary));
        assert_eq!(meter.note(TileKey(1), unclocked, heard, at(1132)), None, "the next second begins");
    }
}
