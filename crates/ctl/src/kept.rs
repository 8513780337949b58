//! How far the footage of a camera reaches back against the days that are promised, and whether less is a fault.
//!
//! A promise is not due before a camera is as old as it: what a young camera keeps is little, and all there ever was.

use std::time::Duration;

use minhbach_client::CameraDays;
use minhbach_model::{CameraStatus, WallTime};

const DAY_SECS: u32 = 86_400;

/// Days are shown with one digit behind the point; what differs by less is the same.
const SAME_DAYS: f64 = 0.05;

/// What became of a promise so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Footage reaches back as far as promised.
    Kept,
    /// It does not, and nothing of it went too early.
    NotYetDue,
    /// It does not, although it should.
    Short,
}

impl Promise {
    /// The stable name that scripts see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NotYetDue => "not_yet_due",
            Self::Short => "short",
        }
    }
}

/// The days of a camera, judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept<'a> {
    /// Days promised and kept.
    pub days: &'a CameraDays,
    /// The camera's name; nothing once it was removed.
    pub name: Option<&'a str>,
    /// What became of the promise.
    pub promise: Promise,
    /// Footage reaches back to when the camera was added.
    pub since_added: bool,
}

impl Kept<'_> {
    /// In words, for a cell of a table.
    pub fn text(&self) -> String {
        let remark = match self.promise {
            Promise::Kept => "",
            Promise::NotYetDue if self.since_added => " (since it was added)",
            Promise::NotYetDue => " (nothing was deleted early)",
            Promise::Short => ": short",
        };
        format!("{} promised, {:.1} kept{remark}", self.days.promised_days, self.days.actual_days)
    }
}

/// Judges each camera's days.
pub fn judge<'a>(days: &'a [CameraDays], cameras: &'a [CameraStatus], now: WallTime) -> Vec<Kept<'a>> {
    let kept = |days: &'a CameraDays| {
        let camera = cameras.iter().map(|status| &status.camera).find(|camera| camera.id == days.camera);
        let age_days = camera.map(|camera| in_days(now.saturating_since(camera.created)));
        let since_added = age_days.is_some_and(|age| age - days.actual_days < SAME_DAYS);
        Kept { days, name: camera.map(|camera| camera.draft.name.as_str()), promise: promise(days), since_added }
    };
    days.iter().map(kept).collect()
}

fn promise(days: &CameraDays) -> Promise {
    // The server knows from its journal what went early.
    if days.short {
        Promise::Short
    } else if days.actual_days + SAME_DAYS >= f64::from(days.promised_days) {
        Promise::Kept
    } else {
        Promise::NotYetDue
    }
}

fn in_days(duration: Duration) -> f64 {
    duration.as_secs_f64() / f64::from(DAY_SECS)
}

#[cfg(test)]
mod tests {
    use minhbach_model::CameraId;

    use super::*;

    fn days(actual_days: f64) -> CameraDays {
        CameraDays { camera: CameraId::generate(), promised_days: 30, actual_days, short: false }
    }

    #[test]
    fn a_young_camera_is_not_short_by_its_age_alone() {
        assert_eq!(promise(&days(29.96)), Promise::Kept);
        assert_eq!(promise(&days(0.1)), Promise::NotYetDue);
        assert_eq!(promise(&CameraDays { short: true, ..days(12.5) }), Promise::Short);
    }

    #[test]
    fn what_is_kept_is_said_with_its_reason() {
        let text = |actual, promise, since_added| {
            let days = days(actual);
            Kept { days: &days, name: None, promise, since_added }.text()
        };
        assert_eq!(text(0.1, Promise::NotYetDue, true), "30 promised, 0.1 kept (since it was added)");
        assert_eq!(text(0.1, Promise::NotYetDue, false), "30 promised, 0.1 kept (nothing was deleted early)");
        assert_eq!(text(12.5, Promise::Short, false), "30 promised, 12.5 kept: short");
        assert_eq!(text(31.0, Promise::Kept, true), "30 promised, 31.0 kept");
    }
}
