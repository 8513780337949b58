//! The figures of a fault test: one JSON line a run, made from the truth of the cameras and never from what the server
//! says of itself.
//!
//! Finding out what is in the files belongs to [`crate::oracle`].

use std::fs::OpenOptions;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use crate::oracle::Verdict;

/// Where lines are added besides standard output, which a test runner swallows: `cargo xtask test` shows them at its
/// end.
const FILE_VARIABLE: &str = "MINHBACH_FIGURES";

/// One line. What does not apply to a test is left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// The test.
    pub test: &'static str,
    /// Faults that were made.
    pub faults: u64,
    /// Seconds of pictures lost, over all faults and cameras.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_s_total: Option<f64>,
    /// The most that one fault cost one camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_s_max: Option<f64>,
    /// What 95 of 100 faults did not exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_s_p95: Option<f64>,
    /// Samples that are there more than once.
    pub duplicated: u64,
    /// Samples that come after a later one.
    pub reordered: u64,
    /// Samples given out whose bytes no camera sent.
    pub bad_served: u64,
    /// The longest stretch that is neither recorded nor a gap, or both, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_mismatch_s: Option<f64>,
    /// The longest time until everything recorded again, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recover_ms: Option<u64>,
    /// Bytes written to the disk for each byte of footage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_amplification: Option<f64>,
}

impl Figures {
    /// A line without figures yet.
    #[must_use]
    pub fn new(test: &'static str) -> Self {
        Self { test, ..Self::default() }
    }

    /// Adds what the checker found in files that were recorded or given out.
    pub fn judge(&mut self, verdict: &Verdict) {
        self.duplicated += verdict.doubled;
        self.reordered += verdict.reordered;
        self.bad_served += verdict.unknown;
    }

    /// Sets what was lost: seconds for each fault and camera.
    pub fn losses(&mut self, seconds: &[f64]) {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        self.lost_s_total = Some(sorted.iter().sum());
        self.lost_s_max = sorted.last().copied();
        // The smallest value that at least 95 of 100 do not exceed.
        let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
        self.lost_s_p95 = sorted.get(at).copied();
    }

    /// Keeps the longest time to recover.
    pub fn recovered(&mut self, after: std::time::Duration) {
        let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        self.recover_ms = self.recover_ms.max(Some(ms));
    }

    /// Keeps the largest mismatch.
    pub fn mismatch(&mut self, seconds: f64) {
        self.gap_mismatch_s = Some(self.gap_mismatch_s.map_or(seconds, |before| before.max(seconds)));
    }

    /// Prints the line.
    ///
    /// # Panics
    /// When the file that was asked for cannot be written: figures must not get lost in silence.
    pub fn print(&self) {
        let line = serde_json::to_string(self).expect("figures are JSON");
        println!("{line}");
        if let Some(path) = std::env::var_os(FILE_VARIABLE) {
            let file = OpenOptions::new().create(true).append(true).open(&path);
            let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
            written.expect("the file of figures can be written");
        }
    }
}

/// Seconds of pictures that a fault at `at_ns` cost a camera: from the last picture in the files that was sent before
/// it. `None` when there is none. Times are nanoseconds since the Unix epoch, `sent` in order.
#[must_use]
pub fn lost_before(sent: &[i64], at_ns: i64) -> Option<f64> {
    let last = sent.iter().rev().find(|&&sent| sent <= at_ns)?;
    Some(seconds(at_ns - last))
}

/// The longest stretch between segments and gaps of `recordings list` that is neither or both, seconds. An open gap or
/// segment ends the list.
///
/// # Panics
/// When a line has no start that can be read.
#[must_use]
pub fn gap_mismatch_s(lines: &[Value], parse: impl Fn(&str) -> Option<i64>) -> f64 {
    let at = |line: &Value, key: &str| line[key].as_str().and_then(&parse);
    let mut spans: Vec<(i64, Option<i64>)> =
        lines.iter().map(|line| (at(line, "start").expect("a start"), at(line, "end"))).collect();
    spans.sort_unstable();
    let mut covered_to: Option<i64> = None;
    let mut worst = 0.0_f64;
    for (start, end) in spans {
        if let Some(before) = covered_to {
            worst = worst.max(seconds((start - before).abs()));
        }
        covered_to = covered_to.max(end);
    }
    worst
}

#[allow(clippy::cast_precision_loss)] // nanoseconds of a test run
fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_holds_what_applies_and_nothing_else() {
        let mut figures = Figures::new("kill");
        figures.losses(&[0.25, 0.5, 0.25]);
        figures.judge(&Verdict { doubled: 1, unknown: 2, ..Verdict::default() });
        figures.recovered(std::time::Duration::from_millis(1500));
        figures.recovered(std::time::Duration::from_millis(900));
        assert_eq!(
            serde_json::to_value(&figures).expect("JSON"),
            json!({
                "test": "kill", "faults": 0, "lost_s_total": 1.0, "lost_s_max": 0.5, "lost_s_p95": 0.5, "duplicated": 1,
                "reordered": 0, "bad_served": 2, "recover_ms": 1500,
            })
        );
    }

    #[test]
    fn the_95th_of_a_hundred_is_told() {
        let mut figures = Figures::new("kill");
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        figures.losses(&hundred);
        assert_eq!((figures.lost_s_p95, figures.lost_s_max), (Some(95.0), Some(100.0)));
    }

    #[test]
    fn a_loss_reaches_back_to_the_last_picture_that_is_kept() {
        let sent = [1_000_000_000, 1_040_000_000, 9_000_000_000];
        assert_eq!(lost_before(&sent, 1_540_000_000), Some(0.5));
        assert_eq!(lost_before(&sent, 999_999_999), None);
    }

    #[test]
    fn holes_and_overlaps_between_recordings_and_gaps_are_found() {
        let number = |text: &str| text.parse::<i64>().ok().map(|s| s * 1_000_000_000);
        let line = |start: &str, end: Option<&str>| json!({ "start": start, "end": end });
        let whole = [line("10", Some("20")), line("20", Some("22")), line("22", None)];
        assert!(gap_mismatch_s(&whole, number) < 1e-9);
        let hole = [line("25", Some("30")), line("10", Some("20"))];
        assert!((gap_mismatch_s(&hole, number) - 5.0).abs() < 1e-9);
        let overlap = [line("10", Some("20")), line("17", Some("30"))];
        assert!((gap_mismatch_s(&overlap, number) - 3.0).abs() < 1e-9);
    }
}
