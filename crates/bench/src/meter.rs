//! What a process costs over a stretch of time, from `/proc`: CPU time of all its threads, memory, bytes written.

use std::fs;
use std::time::{Duration, Instant};

use crate::{Outcome, failed};

/// A reading of a process.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    cpu_secs: f64,
    write_bytes: u64,
    rss_bytes: u64,
}

/// What a process cost.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Cost {
    /// Length of the stretch.
    pub window_secs: f64,
    /// CPU seconds used in it.
    pub cpu_secs: f64,
    /// Resident memory at its end.
    pub rss_bytes: u64,
    /// Bytes the process caused to be written to a disk.
    pub write_bytes: u64,
}

impl Cost {
    /// CPU seconds a camera-hour; 36 is 1 % of a core.
    pub fn per_camera_hour(&self, cameras: u32) -> f64 {
        self.cpu_secs / self.window_secs * 3600.0 / f64::from(cameras)
    }
}

/// Measures a process for a while.
pub fn measure(pid: u32, window: Duration) -> Outcome<Cost> {
    let before = read(pid)?;
    std::thread::sleep(window);
    let after = read(pid)?;
    Ok(Cost {
        window_secs: after.at.duration_since(before.at).as_secs_f64(),
        cpu_secs: after.cpu_secs - before.cpu_secs,
        rss_bytes: after.rss_bytes,
        write_bytes: after.write_bytes.saturating_sub(before.write_bytes),
    })
}

fn read(pid: u32) -> Outcome<Reading> {
    let at = Instant::now();
    let text = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).map_err(failed("the process has ended"));
    // The name in field 2 may hold spaces; fields are counted behind its closing parenthesis (proc_pid_stat(5)).
    let stat = text("stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let number =
        |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).ok_or("a field of /proc/PID/stat is missing");
    let ticks = number(11)? + number(12)?;
    let cpu_secs = ticks / rustix::param::clock_ticks_per_second() as f64;
    let statm = text("statm")?;
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|f| f.parse().ok()).unwrap_or(0);
    let io = text("io")?;
    let write_bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0);
    Ok(Reading { at, cpu_secs, write_bytes, rss_bytes: pages * rustix::param::page_size() as u64 })
}

/// Bytes a process has had read from disks so far, what was in memory left out.
pub fn disk_read_bytes(pid: u32) -> Outcome<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).map_err(failed("the process has ended"))?;
    let bytes = io.lines().find_map(|line| line.strip_prefix("read_bytes: ")?.parse().ok());
    bytes.ok_or_else(|| "/proc/PID/io does not say read_bytes".to_owned())
}

/// Smallest, median and largest of some figures.
pub fn spread(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    let at = |i: usize| figures.get(i).copied().unwrap_or(f64::NAN);
    (at(0), at(figures.len() / 2), at(figures.len().saturating_sub(1)))
}

/// The figure below which a share of all lie.
pub fn percentile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // an index
    let at = ((figures.len() as f64 * share).ceil() as usize).clamp(1, figures.len().max(1)) - 1;
    figures.get(at).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_figures_themselves() {
        let mut figures: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&mut figures, 0.5), 50.0);
        assert_eq!(percentile(&mut figures, 0.99), 99.0);
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), (1.0, 2.0, 3.0));
    }
}
