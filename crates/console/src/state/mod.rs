//! Everything the console knows, as plain data with its own rules and tests.
//!
//! What belongs here: data and pure functions on it. Changing it is the business of `apply/`; drawing it of `panels/`.

pub mod cameras;
pub mod export;
pub mod holds;
pub mod incidents;
pub mod playback;
pub mod settings;
pub mod shell;
pub mod timeview;
pub mod wall;

use minhbach_client::ServerStatus;
use minhbach_model::{CameraId, WallTime};

use cameras::Cameras;
use export::Exports;
use holds::Holds;
use incidents::Incidents;
use playback::Playback;
use shell::{Page, Shell};
use wall::Wall;

/// The whole state.
pub struct State {
    /// Page, dialogs, messages, settings.
    pub shell: Shell,
    /// The live wall.
    pub live: Wall,
    /// Playback with its wall.
    pub playback: Playback,
    /// Playback of the selected incident, beside the list.
    pub review: Playback,
    /// Cameras and places.
    pub cameras: Cameras,
    /// Incidents.
    pub incidents: Incidents,
    /// Exports.
    pub exports: Exports,
    /// Holds.
    pub holds: Holds,
    /// What the server last said of itself.
    pub server: Option<ServerStatus>,
    /// How far the server's clock is ahead of this workstation's, nanoseconds. Footage carries the server's time.
    pub clock_ahead_ns: i64,
}

impl State {
    /// The wall of the page now shown.
    #[must_use]
    pub fn wall(&self) -> &Wall {
        match self.shell.page {
            Page::Playback => &self.playback.wall,
            Page::Incidents => &self.review.wall,
            Page::Live | Page::Cameras => &self.live,
        }
    }

    /// The same, to be changed.
    pub fn wall_mut(&mut self) -> &mut Wall {
        match self.shell.page {
            Page::Playback => &mut self.playback.wall,
            Page::Incidents => &mut self.review.wall,
            Page::Live | Page::Cameras => &mut self.live,
        }
    }

    /// What plays recorded footage on the page now shown.
    #[must_use]
    pub fn timed(&self) -> &Playback {
        if self.shell.page == Page::Incidents { &self.review } else { &self.playback }
    }

    /// The same, to be changed.
    pub fn timed_mut(&mut self) -> &mut Playback {
        if self.shell.page == Page::Incidents { &mut self.review } else { &mut self.playback }
    }

    /// Now, by the server's clock.
    #[must_use]
    pub fn wall_now(&self) -> WallTime {
        crate::when::now().offset_ns(self.clock_ahead_ns)
    }

    /// Who flags and holds here: the name of this workstation.
    #[must_use]
    pub fn workstation(&self) -> String {
        let name = self.shell.settings.workstation.trim();
        if name.is_empty() { "console".to_owned() } else { name.to_owned() }
    }

    /// A camera's name, or a stand-in for one that is gone.
    #[must_use]
    pub fn camera_name(&self, id: CameraId) -> String {
        match self.cameras.get(id) {
            Some(status) => status.camera.draft.name.clone(),
            // A removed camera still has footage and incidents: the start of its id tells it apart.
            None => id.to_string().chars().take(8).collect(),
        }
    }

    /// The cameras an incident flagged now would be about, and the moment it would be around.
    #[must_use]
    pub fn flag_target(&self, now: std::time::Instant, wall_now: WallTime) -> Option<(Vec<CameraId>, WallTime)> {
        let at = match self.shell.page {
            Page::Live => wall_now,
            Page::Playback => self.playback.position(now).min(wall_now),
            Page::Incidents | Page::Cameras => return None,
        };
        let mut cameras = self.wall().visible_cameras();
        // The server refuses a flag that names a camera which was removed.
        cameras.retain(|camera| !self.cameras.loaded || self.cameras.get(*camera).is_some());
        (!cameras.is_empty()).then_some((cameras, at))
    }
}
