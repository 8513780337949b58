//! Whether what comes from a camera reaches the disk: told by the recorder, asked by whoever shows a stream's state.
//!
//! A connection that works is no recording. A stream counts as recorded while the disk confirms what it is given; when it
//! refuses, or confirms nothing for too long, the stream says so with the exact error, and goes back by itself. Nothing
//! here waits or decides what is written; the recorder ([`crate::stream`]) tells what it sees.

use std::time::Duration;

use minhbach_model::{CameraState, FailureKind, Params, StreamStatus, WallTime};
use tokio::sync::watch;
use tokio::time::Instant;

/// On top of the time between two syncs: a fragment (1 s), sound a new file waits for (1 s), the recorder's look at its
/// feed (0.2 s), and the sync itself on a busy disk.
const CONFIRM_SLACK: Duration = Duration::from_secs(4);
/// A recorder that looks at its feed and has nothing to hand over yet waits for the camera: one that sends a picture
/// every few seconds fills its first fragment late. Then this many times the limit pass before that counts as a fault.
const FIRST_FRAGMENT: u32 = 4;

/// How long the disk may take to confirm what it was given.
#[must_use]
pub fn confirm_limit(sync_interval: Duration) -> Duration {
    sync_interval + CONFIRM_SLACK
}

/// A moment by both clocks: ages are measured by the first, which is never set; people are shown the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Monotonic.
    pub at: Instant,
    /// Wall time.
    pub wall: WallTime,
}

impl Mark {
    fn is_older(self, than: Duration, now: Self) -> bool {
        now.at.saturating_duration_since(self.at) > than
    }
}

/// Why nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For decisions and for texts.
    pub kind: FailureKind,
    /// What the operating system or the recorder says, in English.
    pub message: String,
    /// Since when nothing is recorded.
    pub since: WallTime,
}

/// How the recording of one stream stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecorderHealth {
    /// The last look at the feed; `None` until the recorder has begun.
    looked: Option<Mark>,
    /// When the oldest fragment that the disk has not confirmed yet was handed over.
    waiting: Option<Mark>,
    /// Why nothing is recorded; gone with the next fragment that is confirmed.
    fault: Option<Fault>,
    /// The stretch in which the disk confirms: since when, and when it last did. `None` until it does for this run.
    confirmed: Option<(WallTime, WallTime)>,
}

impl RecorderHealth {
    /// Why nothing is recorded, if the recorder knows of a reason.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// Whether the disk has confirmed footage of the run that now flows, and refused nothing since.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.fault.is_none() && self.confirmed.is_some()
    }

    fn fail(&mut self, kind: FailureKind, message: String, now: WallTime) {
        let since = self.fault.as_ref().map_or(now, |fault| fault.since);
        self.fault = Some(Fault { kind, message, since });
        self.confirmed = None;
    }

    fn confirm(&mut self, now: WallTime) {
        self.fault = None;
        self.confirmed = Some((self.confirmed.map_or(now, |(since, _)| since), now));
    }

    /// A stream's status as it is shown, from that of its connection. `alive`: the recorder has not ended. `limit`: see
    /// [`confirm_limit`].
    ///
    /// Only what flows can be recorded: any other state is passed on as it is.
    #[must_use]
    pub fn shown(&self, mut status: StreamStatus, alive: bool, limit: Duration, now: Mark) -> StreamStatus {
        if status.state != CameraState::Recording {
            return status;
        }
        let flowing = status.since;
        if let Some(fault) = self.trouble(flowing, alive, limit, now) {
            status.state = CameraState::NotRecording(fault.kind);
            status.message = fault.message;
            status.params = Params::new();
            status.since = fault.since.max(flowing);
            return status;
        }
        match self.confirmed {
            Some((since, last)) if last >= flowing => status.since = since.max(flowing),
            // The first pictures are on their way to the disk.
            _ => status.state = CameraState::Connecting,
        }
        status
    }

    fn trouble(&self, flowing: WallTime, alive: bool, limit: Duration, now: Mark) -> Option<Fault> {
        if let Some(fault) = &self.fault {
            return Some(fault.clone());
        }
        let last = self.confirmed.map_or(flowing, |(_, last)| last);
        let behind = |since: WallTime, message: &str| {
            Some(Fault { kind: FailureKind::RecorderBehind, message: message.to_owned(), since })
        };
        if !alive {
            return behind(last, "the recorder of this stream has ended; see the server's log");
        }
        if let Some(waiting) = self.waiting.filter(|mark| mark.is_older(limit, now)) {
            return behind(waiting.wall, "the disk does not confirm what it was given");
        }
        if let Some(looked) = self.looked.filter(|mark| mark.is_older(limit, now)) {
            return behind(looked.wall, "the recorder takes nothing from the camera; it may be waiting for the disk");
        }
        let unconfirmed = self.confirmed.is_none_or(|(_, last)| last < flowing);
        let patience = if self.looked.is_some() { limit * FIRST_FRAGMENT } else { limit };
        if unconfirmed && now.wall.saturating_since(flowing) > patience {
            return behind(flowing, "pictures come, and none is on the disk yet");
        }
        None
    }
}

/// Where a recorder tells how it stands. Clones tell the same one; when all are gone, the recorder has ended.
#[derive(Debug, Clone)]
pub struct HealthTeller(watch::Sender<RecorderHealth>);

impl HealthTeller {
    /// A teller and what it tells.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<RecorderHealth>) {
        let (sender, receiver) = watch::channel(RecorderHealth::default());
        (Self(sender), receiver)
    }

    /// Nothing can be recorded, and why.
    pub fn fail(&self, kind: FailureKind, message: impl Into<String>, now: WallTime) {
        let message = message.into();
        self.0.send_modify(|health| health.fail(kind, message, now));
    }

    /// The disk has confirmed footage of this run.
    pub(crate) fn confirm(&self, now: WallTime) {
        self.0.send_modify(|health| health.confirm(now));
    }

    /// The recorder is alive; what the disk owes it.
    pub(crate) fn look(&self, now: Mark, waiting: Option<Mark>) {
        self.0.send_modify(|health| {
            health.looked = Some(now);
            health.waiting = waiting;
        });
    }

    /// A stream begins, or has ended: what was wrong with the disk may have passed until pictures come.
    pub(crate) fn reset(&self) {
        self.0.send_modify(|health| {
            health.fault = None;
            health.confirmed = None;
        });
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::StreamKind;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn start() -> Mark {
        Mark { at: Instant::now(), wall: WallTime::from_secs(1_795_000_000) }
    }

    fn later(mark: Mark, secs: u64) -> Mark {
        let by = Duration::from_secs(secs);
        Mark { at: mark.at + by, wall: mark.wall + by }
    }

    fn flowing(since: WallTime) -> StreamStatus {
        StreamStatus {
            stream: StreamKind::Main,
            state: CameraState::Recording,
            message: String::new(),
            params: Params::new(),
            since,
            retry_at: None,
            video: "H.264 1920×1080".to_owned(),
            audio: String::new(),
            sound: minhbach_model::Sound::default(),
            bit_rate_bps: 4_000_000,
            frame_rate_milli: 25_000,
            lost_packets: 0,
            runs: 1,
        }
    }

    /// State and time since when, as shown `secs` after the start for a camera that flows since the start.
    fn shown(health: &RecorderHealth, alive: bool, start: Mark, secs: u64) -> (CameraState, i64) {
        let status = health.shown(flowing(start.wall), alive, LIMIT, later(start, secs));
        (status.state, status.since.ns_since(start.wall) / 1_000_000_000)
    }

    const BEHIND: CameraState = CameraState::NotRecording(FailureKind::RecorderBehind);

    #[test]
    fn the_limit_is_five_seconds_at_one_sync_a_second() {
        assert_eq!(confirm_limit(Duration::from_secs(1)), LIMIT);
    }

    #[test]
    fn a_stream_is_recording_only_once_the_disk_has_confirmed_some_of_this_run() {
        let start = start();
        let (teller, health) = HealthTeller::new();
        teller.look(later(start, 1), None);
        assert_eq!(shown(&health.borrow(), true, start, 1), (CameraState::Connecting, 0));
        teller.look(later(start, 2), Some(later(start, 2)));
        assert_eq!(shown(&health.borrow(), true, start, 2), (CameraState::Connecting, 0));
        teller.confirm(later(start, 3).wall);
        teller.look(later(start, 3), None);
        assert_eq!(shown(&health.borrow(), true, start, 3), (CameraState::Recording, 3));
        // What was confirmed before the camera came back says nothing of now.
        let again = health.borrow().shown(flowing(later(start, 4).wall), true, LIMIT, later(start, 4));
        assert_eq!(again.state, CameraState::Connecting);
    }

    #[test]
    fn a_full_disk_is_said_with_its_error_and_since_when_and_goes_by_itself() {
        let start = start();
        let (teller, health) = HealthTeller::new();
        teller.confirm(later(start, 2).wall);
        teller.fail(FailureKind::DiskFull, "No space left on device (os error 28)", later(start, 10).wall);
        teller.look(later(start, 10), None);
        let status = health.borrow().shown(flowing(start.wall), true, LIMIT, later(start, 10));
        assert_eq!(status.state, CameraState::NotRecording(FailureKind::DiskFull));
        assert_eq!(status.message, "No space left on device (os error 28)");
        // Tried again with every key picture: it is the same fault, since the same time.
        teller.fail(FailureKind::DiskError, "Input/output error (os error 5)", later(start, 12).wall);
        teller.look(later(start, 12), None);
        let disk_error = CameraState::NotRecording(FailureKind::DiskError);
        assert_eq!(shown(&health.borrow(), true, start, 12), (disk_error, 10));
        teller.confirm(later(start, 20).wall);
        teller.look(later(start, 20), None);
        assert_eq!(shown(&health.borrow(), true, start, 21), (CameraState::Recording, 20));
    }

    #[test]
    fn a_disk_that_confirms_nothing_is_noticed_although_it_reports_no_error() {
        let start = start();
        let (teller, health) = HealthTeller::new();
        teller.confirm(later(start, 2).wall);
        teller.look(later(start, 20), Some(later(start, 14)));
        assert_eq!(shown(&health.borrow(), true, start, 19), (CameraState::Recording, 2));
        assert_eq!(shown(&health.borrow(), true, start, 20), (BEHIND, 14));
    }

    #[test]
    fn a_recorder_that_hangs_or_has_ended_is_noticed() {
        let start = start();
        let (teller, health) = HealthTeller::new();
        teller.confirm(later(start, 2).wall);
        teller.look(later(start, 3), None);
        assert_eq!(shown(&health.borrow(), true, start, 8), (CameraState::Recording, 2));
        assert_eq!(shown(&health.borrow(), true, start, 9), (BEHIND, 3), "it hangs");
        assert_eq!(shown(&health.borrow(), false, start, 4), (BEHIND, 2), "it has ended");
        assert!(health.has_changed().is_ok());
        drop(teller);
        assert!(health.has_changed().is_err(), "this is how the end of a recorder is seen");
    }

    #[test]
    fn pictures_of_which_none_reaches_the_disk_are_noticed() {
        let start = start();
        let never_begun = RecorderHealth::default();
        assert_eq!(shown(&never_begun, true, start, 5), (CameraState::Connecting, 0));
        assert_eq!(shown(&never_begun, true, start, 6), (BEHIND, 0));
        // A camera that sends a picture every few seconds fills its first fragment late.
        let (teller, health) = HealthTeller::new();
        teller.look(later(start, 20), None);
        assert_eq!(shown(&health.borrow(), true, start, 20), (CameraState::Connecting, 0));
        teller.look(later(start, 21), None);
        assert_eq!(shown(&health.borrow(), true, start, 21), (BEHIND, 0));
    }

    #[test]
    fn a_camera_that_does_not_flow_is_shown_as_its_connection_says() {
        let start = start();
        let (teller, health) = HealthTeller::new();
        teller.fail(FailureKind::DiskFull, "full", start.wall);
        for state in [CameraState::Connecting, CameraState::Paused, CameraState::Failed(FailureKind::Closed)] {
            let status = StreamStatus { state, ..flowing(start.wall) };
            assert_eq!(health.borrow().shown(status.clone(), true, LIMIT, start), status);
        }
        teller.reset();
        assert_eq!(health.borrow().fault(), None, "when it is back, the disk is asked anew");
    }
}
