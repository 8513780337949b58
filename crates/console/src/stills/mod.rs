//! The last picture of each camera, kept on this workstation: a wall that has just been opened shows at once what was
//! seen last, marked as old, until live view has a picture of its own.
//!
//! What belongs here: when a picture is kept (`data`), its file (`store`), the one thread that reads and writes them,
//! and the textures of those that are shown. What does not: the words beside a still and how it is dimmed
//! (`panels::tile`). It is a convenience: whatever fails here is logged, and live view goes on without.

mod data;
mod store;

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use egui::{ColorImage, TextureHandle, TextureOptions};
use minhbach_decode::VideoFrame;
use minhbach_model::{CameraId, WallTime};

use crate::state::settings;
use data::{Kept, Pace};
use store::Store;

pub use data::Occasion;

/// Stills that may wait to be written or read: a full wall that is left while another one is opened.
const JOBS: usize = 32;
/// Stills read that may wait for the next frame.
const LOADED: usize = 32;
/// At the end of the console what cannot be written within this time is left out.
const END_LIMIT: Duration = Duration::from_secs(2);

/// A kept still, ready to be drawn.
pub struct Still {
    /// The picture, in its displayed shape.
    pub texture: TextureHandle,
    /// When it was taken, by the server's clock.
    pub taken: WallTime,
    /// The camera's name at that time: known before the server has answered.
    pub name: String,
}

/// What is known of the still of a camera that has no picture of its own.
enum Slot {
    Asked,
    Absent,
    Here(Still),
}

/// Work for the thread.
enum Job {
    Load(CameraId),
    Keep { camera: CameraId, name: String, frame: VideoFrame },
    Forget,
}

/// A still that was looked for.
struct Loaded {
    camera: CameraId,
    still: Option<Picture>,
}

/// A still that was found.
struct Picture {
    image: ColorImage,
    taken: WallTime,
    name: String,
}

/// The thread and the ways to it and back.
struct Line {
    jobs: SyncSender<Job>,
    loaded: Receiver<Loaded>,
    /// Since when the console ends.
    ending: Arc<OnceLock<Instant>>,
    thread: JoinHandle<()>,
}

/// The kept stills of one server's cameras. Dropping it ends the thread once it has written what waits.
pub struct Stills {
    /// `None` where there is no folder for them, or no thread.
    line: Option<Line>,
    egui: egui::Context,
    on: bool,
    /// Everything kept is to be deleted as soon as the queue has room.
    forgetting: bool,
    paces: HashMap<CameraId, Pace>,
    slots: HashMap<CameraId, Slot>,
}

impl Stills {
    /// Starts the thread. Without a cache folder nothing is kept or shown.
    #[must_use]
    pub fn start(server: &str, egui: egui::Context) -> Self {
        match settings::cache_folder() {
            Some(folder) => Self::over(Store::new(folder.join("stills"), server), egui),
            None => {
                tracing::info!("no cache folder: the last pictures are not kept");
                Self::new(None, egui)
            }
        }
    }

    fn new(line: Option<Line>, egui: egui::Context) -> Self {
        Self { line, egui, on: true, forgetting: false, paces: HashMap::new(), slots: HashMap::new() }
    }

    fn over(store: Store, egui: egui::Context) -> Self {
        let (jobs, inbox) = sync_channel(JOBS);
        let (outbox, loaded) = sync_channel(LOADED);
        let ending = Arc::new(OnceLock::new());
        let work = Work { store, loaded: outbox, ending: Arc::clone(&ending), egui: egui.clone(), failing: false };
        let thread = std::thread::Builder::new().name("stills".to_owned()).spawn(move || work.run(&inbox));
        let line = match thread {
            Ok(thread) => Some(Line { jobs, loaded, ending, thread }),
            Err(error) => {
                tracing::warn!(%error, "the last pictures are not kept: no thread");
                None
            }
        };
        Self::new(line, egui)
    }

    /// Whether stills are kept and shown. Turned off, those that are kept are deleted. To be called once a frame.
    pub fn set_on(&mut self, on: bool) {
        if self.on && !on {
            self.paces.clear();
            self.slots.clear();
            self.forgetting = true;
        }
        self.on = on;
        if self.forgetting && self.send(Job::Forget) {
            self.forgetting = false;
        }
    }

    /// Whether a picture now on the wall is to be kept.
    pub fn is_due(&mut self, camera: CameraId, frame: &VideoFrame, occasion: Occasion, now: Instant) -> bool {
        self.on && self.line.is_some() && self.paces.entry(camera).or_default().is_due(occasion, frame.id(), now)
    }

    /// Keeps a picture, off this thread. While too many wait it is left out, and the next one is due at once.
    pub fn keep(&mut self, camera: CameraId, name: String, frame: &VideoFrame, now: Instant) {
        if self.send(Job::Keep { camera, name, frame: frame.clone() }) {
            self.paces.entry(camera).or_default().kept(frame.id(), now);
        }
    }

    /// Fetches the stills of these cameras, which have no picture of their own, and lets go of all others. To be called
    /// once a frame.
    pub fn show(&mut self, cameras: &[CameraId]) {
        let cameras = if self.on { cameras } else { &[] };
        self.slots.retain(|camera, _| cameras.contains(camera));
        for camera in cameras {
            if !self.slots.contains_key(camera) && self.send(Job::Load(*camera)) {
                self.slots.insert(*camera, Slot::Asked);
            }
        }
        while let Some(loaded) = self.line.as_ref().and_then(|line| line.loaded.try_recv().ok()) {
            self.place(loaded);
        }
    }

    fn place(&mut self, Loaded { camera, still }: Loaded) {
        // Otherwise the camera has left the wall meanwhile, or has a picture.
        let Some(slot) = self.slots.get_mut(&camera) else { return };
        *slot = match still {
            None => Slot::Absent,
            Some(Picture { image, taken, name }) => {
                let texture = self.egui.load_texture(format!("still {camera}"), image, TextureOptions::LINEAR);
                Slot::Here(Still { texture, taken, name })
            }
        };
    }

    /// The still to draw for a camera asked for with [`Stills::show`].
    #[must_use]
    pub fn get(&self, camera: CameraId) -> Option<&Still> {
        match self.slots.get(&camera) {
            Some(Slot::Here(still)) => Some(still),
            Some(Slot::Asked | Slot::Absent) | None => None,
        }
    }

    /// Whether some camera asked for has a still, or may have one.
    #[must_use]
    pub fn may_show(&self) -> bool {
        self.slots.values().any(|slot| !matches!(slot, Slot::Absent))
    }

    /// False when the queue is full or there is no thread.
    fn send(&self, job: Job) -> bool {
        self.line.as_ref().is_some_and(|line| line.jobs.try_send(job).is_ok())
    }
}

impl Drop for Stills {
    fn drop(&mut self) {
        let Some(Line { jobs, loaded, ending, thread }) = self.line.take() else { return };
        // A thread that waits to hand something over must not hold up the end.
        drop(loaded);
        if self.forgetting && jobs.send(Job::Forget).is_err() {
            tracing::warn!("the kept stills were not deleted: their thread is gone");
        }
        ending.get_or_init(Instant::now);
        drop(jobs);
        if thread.join().is_err() {
            tracing::error!("the thread of the kept stills panicked");
        }
    }
}

/// What the thread works with.
struct Work {
    store: Store,
    loaded: SyncSender<Loaded>,
    ending: Arc<OnceLock<Instant>>,
    egui: egui::Context,
    /// The last still could not be written.
    failing: bool,
}

impl Work {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Load(camera) => self.load(camera),
                Job::Keep { camera, name, frame } => self.keep(camera, name, &frame),
                Job::Forget => self.forget(),
            }
        }
    }

    fn load(&self, camera: CameraId) {
        let still = match self.store.read(camera) {
            Ok(kept) => kept.map(picture),
            Err(error) => {
                tracing::warn!(%camera, %error, "a kept still cannot be read");
                None
            }
        };
        // The receiver is gone only when the console ends: then nobody is left to be shown it.
        if self.loaded.send(Loaded { camera, still }).is_ok() {
            self.egui.request_repaint();
        }
    }

    fn keep(&mut self, camera: CameraId, name: String, frame: &VideoFrame) {
        if self.ending.get().is_some_and(|since| since.elapsed() > END_LIMIT) {
            return;
        }
        let written = self.store.write(camera, &Kept::of(frame, name));
        match written.and_then(|()| self.store.sweep(SystemTime::now())) {
            Ok(()) => self.failing = false,
            // Said once until it works again: a full disk would say so for each camera, each minute.
            Err(_) if self.failing => {}
            Err(error) => {
                self.failing = true;
                tracing::warn!(%camera, %error, "a still cannot be kept");
            }
        }
    }

    fn forget(&self) {
        match self.store.forget() {
            Ok(()) => tracing::debug!("no still is kept any more"),
            Err(error) => tracing::warn!(%error, "the kept stills cannot be deleted"),
        }
    }
}

fn picture(kept: Kept) -> Picture {
    let size = [kept.width_px as usize, kept.height_px as usize];
    Picture { image: ColorImage::from_rgb(size, &kept.rgb), taken: kept.taken, name: kept.name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const SERVER: &str = "http://127.0.0.1:7878";
    const TAKEN: WallTime = WallTime(1_795_000_000_040_000_000);

    fn stills(dir: &Path) -> Stills {
        Stills::over(Store::new(dir.join("stills"), SERVER), egui::Context::default())
    }

    fn frame() -> VideoFrame {
        VideoFrame::solid(1280, 720, [128, 128, 128], TAKEN)
    }

    /// Asks for a camera's still until it is known whether there is one.
    fn look(stills: &mut Stills, camera: CameraId) {
        stills.show(&[camera]);
        assert!(stills.slots.contains_key(&camera));
        while matches!(stills.slots.get(&camera), Some(Slot::Asked)) {
            let line = stills.line.as_ref().unwrap();
            let loaded = line.loaded.recv_timeout(Duration::from_secs(30)).unwrap();
            stills.place(loaded);
        }
    }

    #[test]
    fn what_one_console_saw_last_the_next_one_shows() {
        let dir = tempfile::tempdir().unwrap();
        let camera = CameraId::generate();
        let mut first = stills(dir.path());
        first.keep(camera, "Quầy 1".to_owned(), &frame(), Instant::now());
        look(&mut first, camera);
        assert!(first.get(camera).is_some(), "what is kept before is found after");
        drop(first);

        let mut next = stills(dir.path());
        look(&mut next, camera);
        assert!(next.may_show());
        let still = next.get(camera).unwrap();
        assert_eq!((still.taken, still.name.as_str(), still.texture.size()), (TAKEN, "Quầy 1", [640, 360]));
        next.show(&[]);
        assert!(next.get(camera).is_none() && !next.may_show(), "live view has a picture of its own");
    }

    #[test]
    fn a_camera_never_seen_here_has_no_still() {
        let dir = tempfile::tempdir().unwrap();
        let camera = CameraId::generate();
        let mut stills = stills(dir.path());
        look(&mut stills, camera);
        assert!(!stills.may_show() && stills.get(camera).is_none());
    }

    #[test]
    fn a_still_that_is_no_longer_wanted_is_not_shown_when_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        let camera = CameraId::generate();
        let mut stills = stills(dir.path());
        let image = ColorImage::from_rgb([1, 1], &[1, 2, 3]);
        stills.place(Loaded { camera, still: Some(Picture { image, taken: TAKEN, name: String::new() }) });
        assert!(stills.get(camera).is_none());
    }

    #[test]
    fn turned_off_nothing_stays_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (camera, now) = (CameraId::generate(), Instant::now());
        let mut stills = stills(dir.path());
        assert!(stills.is_due(camera, &frame(), Occasion::Leaving, now));
        stills.keep(camera, "Quầy 1".to_owned(), &frame(), now);
        stills.set_on(false);
        let later = now + Duration::from_secs(600);
        assert!(!stills.is_due(camera, &frame(), Occasion::Leaving, later));
        stills.show(&[camera]);
        assert!(!stills.may_show());
        drop(stills);
        assert!(!dir.path().join("stills").exists());
    }

    #[test]
    fn without_a_folder_nothing_is_due() {
        let mut stills = Stills::new(None, egui::Context::default());
        let camera = CameraId::generate();
        assert!(!stills.is_due(camera, &frame(), Occasion::Leaving, Instant::now()));
        stills.show(&[camera]);
        assert!(!stills.may_show());
    }
}
