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

use crate::text::Text;

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

    /// A camera's name as a person reads it. Of one that was removed it says so: it still has footage and incidents.
    #[must_use]
    pub fn camera_name(&self, id: CameraId, text: &Text) -> String {
        self.cameras.told_name(id, text)
    }

    /// Whether there is a camera for the page shown: footage can be played of removed ones as well.
    #[must_use]
    pub fn has_cameras(&self) -> bool {
        let footage = self.shell.page == Page::Playback;
        !self.cameras.list.is_empty() || (footage && !self.cameras.removed.is_empty())
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
        // The server refuses a flag that names a camera it does not know. A removed one has footage, and nothing live.
        let footage = self.shell.page == Page::Playback;
        let known =
            |id: CameraId| self.cameras.get(id).is_some() || (footage && self.cameras.get_removed(id).is_some());
        cameras.retain(|camera| !self.cameras.loaded || known(*camera));
        (!cameras.is_empty()).then_some((cameras, at))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::cameras::tests::removed;
    use super::settings::Settings;
    use super::wall::Layout;
    use super::*;

    const AT: WallTime = WallTime(1_795_000_000_000_000_000);

    fn state(page: Page) -> State {
        State {
            shell: Shell::new(page, Settings::default()),
            live: Wall::new(Layout::Four),
            playback: Playback::new(AT),
            review: Playback::new(AT),
            cameras: Cameras { loaded: true, ..Cameras::default() },
            incidents: Incidents::default(),
            exports: Exports::default(),
            holds: Holds::default(),
            server: None,
            clock_ahead_ns: 0,
        }
    }

    #[test]
    fn a_removed_camera_is_flagged_where_its_footage_is_played_only() {
        let mut state = state(Page::Playback);
        let (gone, stranger) = (removed("Cổng"), CameraId::generate());
        for wall in [&mut state.live, &mut state.playback.wall] {
            wall.show(gone.id);
            wall.show(stranger);
        }
        state.cameras.removed = vec![gone.clone()];
        assert_eq!(state.flag_target(Instant::now(), AT).map(|(cameras, _)| cameras), Some(vec![gone.id]));
        state.shell.page = Page::Live;
        assert_eq!(state.flag_target(Instant::now(), AT), None);
    }

    #[test]
    fn removed_cameras_are_something_to_play_and_nothing_to_watch_live() {
        let mut state = state(Page::Playback);
        assert!(!state.has_cameras());
        state.cameras.removed = vec![removed("Cổng")];
        assert!(state.has_cameras());
        state.shell.page = Page::Live;
        assert!(!state.has_cameras());
    }
}
