//! How spool and archive do, for whoever shows it: told by the archiver, by retention and by the patrol, each its part.
//!
//! Plain data and the one place it is told through. Nothing here decides anything.

use std::time::Duration;

use minhbach_model::{CameraId, WallTime};
use tokio::sync::watch;
use tokio::time::Instant;

/// What cannot be overlooked is written into the log this often.
const REMIND: Duration = Duration::from_secs(60);

/// How full the disk of the spool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Used, percent of the disk or of the quota, whichever is more.
    pub used_percent: u8,
    /// What that means.
    pub state: SpoolState,
}

/// What the fill of the spool's disk means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpoolState {
    /// There is room.
    Fine,
    /// Beyond the first watermark: soon the oldest footage goes.
    Alarm,
    /// Beyond the second watermark: the oldest footage that is archived and not held goes.
    Deleting,
    /// Beyond the second watermark, and everything that is left is held.
    FullOfHeld,
    /// Beyond the second watermark, and what is left and not held is not in the archive yet.
    FullOfUnarchived,
}

/// What is promised of a camera's footage, and what is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraDays {
    /// The camera.
    pub camera: CameraId,
    /// Promised, days of 24 hours.
    pub promised_days: u32,
    /// Since the start of its oldest footage, days of 24 hours.
    pub actual_days: f64,
    /// Footage went that is promised to be there.
    pub short: bool,
}

/// How spool and archive do.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchiveStatus {
    /// `none`, `folder` or `s3`.
    pub kind: &'static str,
    /// Whether the archive took or answered what it was last given; true where there is none.
    pub available: bool,
    /// Why the last attempt failed, in English; kept until one succeeds.
    pub last_error: Option<String>,
    /// Closed segments that wait for the archive. With very many waiting this is a lower bound.
    pub waiting_segments: u64,
    /// Their media, bytes.
    pub waiting_bytes: u64,
    /// End of the oldest of them.
    pub waiting_since: Option<WallTime>,
    /// The disk of the spool.
    pub spool: Fill,
    /// Why nothing is deleted and what to do, in English; `None` while deletion is allowed.
    pub interlock: Option<String>,
    /// Why nothing is deleted by its age although deletion is allowed, and what to do, in English.
    pub age_locked: Option<String>,
    /// Segments found to differ from what was recorded.
    pub damaged_segments: u64,
    /// How far the patrol's round has come; `None` when it is off or has not begun.
    pub patrol_position_percent: Option<u8>,
    /// Promised against actual days, by camera.
    pub days: Vec<CameraDays>,
}

impl ArchiveStatus {
    /// Before anything is known.
    #[must_use]
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            available: true,
            last_error: None,
            waiting_segments: 0,
            waiting_bytes: 0,
            waiting_since: None,
            spool: Fill { used_percent: 0, state: SpoolState::Fine },
            interlock: None,
            age_locked: None,
            damaged_segments: 0,
            patrol_position_percent: None,
            days: Vec::new(),
        }
    }
}

/// Where the parts tell how they do. Clones tell the same status.
#[derive(Debug, Clone)]
pub struct ArchiveTeller(watch::Sender<ArchiveStatus>);

impl ArchiveTeller {
    /// A teller and what it tells. `kind` is the archive's, see [`ArchiveStatus::kind`].
    #[must_use]
    pub fn new(kind: &'static str) -> (Self, watch::Receiver<ArchiveStatus>) {
        let (sender, receiver) = watch::channel(ArchiveStatus::new(kind));
        (Self(sender), receiver)
    }

    pub(crate) fn tell(&self, change: impl FnOnce(&mut ArchiveStatus)) {
        self.0.send_modify(change);
    }

    /// What was last told to wait for the archive, bytes.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.0.borrow().waiting_bytes
    }
}

/// Lets something into the log at once, and then once a minute while it lasts.
#[derive(Debug, Default)]
pub(crate) struct Reminder(Option<Instant>);

impl Reminder {
    /// Whether it is time to say it.
    pub fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self.0.is_none_or(|said| now.saturating_duration_since(said) >= REMIND);
        if due {
            self.0 = Some(now);
        }
        due
    }

    /// It is over: the next time it is said at once.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_said_at_once_and_then_once_a_minute() {
        let mut reminder = Reminder::default();
        assert!(reminder.is_due() && !reminder.is_due());
        tokio::time::advance(REMIND).await;
        assert!(reminder.is_due() && !reminder.is_due());
        reminder.clear();
        assert!(reminder.is_due());
    }
}
