//! Puts the cameras together: clips, pacing threads, RTSP server, control; and turns commands into states of a camera.
//!
//! The order of building is the order in which media moves; the order of ending is on [`Simulator`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use minhbach_testkit::control::{Command, Reply, Request};

use crate::camera::{Camera, RunningCamera, StartError};
use crate::clips::{ClipError, ClipKey, ClipSettings, ClipStore};
use crate::control::ControlListener;
use crate::profile::{CameraSpec, Profile};
use crate::rtsp::{Credentials, RtspError, RtspServer};
use crate::scene::Look;

/// Everything that `serve` can be told.
#[derive(Clone)]
pub struct ServeOptions {
    /// How many cameras.
    pub cameras: u16,
    /// Where RTSP listens; port 0 takes any.
    pub listen: SocketAddr,
    /// Where control listens; the loopback, port 0 takes any.
    pub control: SocketAddr,
    /// Where truth files go; none are written without it.
    pub truth_dir: Option<PathBuf>,
    /// Asked for by Digest authentication; without it everybody may watch.
    pub credentials: Option<Credentials>,
    /// Which codecs.
    pub profile: Profile,
    /// How clips are made.
    pub clips: ClipSettings,
    /// Makes the clips of all disturbances before the cameras start, so that no command has to wait.
    pub prepare_effects: bool,
}

/// The cameras cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Their media.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// Their threads or truth files.
    #[error(transparent)]
    Camera(#[from] StartError),
    /// The RTSP server.
    #[error(transparent)]
    Rtsp(#[from] RtspError),
    /// The control listener.
    #[error("no control on {address}")]
    Control {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of the truth files.
    #[error("folder {} cannot be made", path.display())]
    TruthDir {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

const LOOKS: [Look; 6] = [Look::Normal, Look::Frozen, Look::Black, Look::Covered, Look::Blurred, Look::Shifted];

/// Makes the clips and sounds that the cameras need: those of the plain scenes, or all.
pub fn prepare(store: &ClipStore, profile: Profile, cameras: u16, with_effects: bool) -> Result<(), ClipError> {
    for spec in (0..cameras).map(|number| CameraSpec::of(profile, number)) {
        store.sound(spec.scene, spec.audio)?;
        let looks = if with_effects { &LOOKS[..] } else { &LOOKS[..1] };
        for look in looks {
            store.clip(clip_key(spec, Shown { look: *look, other_size: false }))?;
        }
        if with_effects {
            store.clip(clip_key(spec, Shown { look: Look::Normal, other_size: true }))?;
        }
    }
    Ok(())
}

/// What a camera shows by command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    look: Look,
    other_size: bool,
}

const PLAIN: Shown = Shown { look: Look::Normal, other_size: false };

fn clip_key(spec: CameraSpec, shown: Shown) -> ClipKey {
    ClipKey { scene: spec.scene, look: shown.look, codec: spec.video, other_size: shown.other_size }
}

/// The running cameras. Fields are dropped in this order: no more commands, no more clients, then the cameras, whose
/// truth files are complete after that.
pub struct Simulator {
    control: Option<ControlListener>,
    rtsp: Arc<RtspServer>,
    store: Arc<ClipStore>,
    _running: Vec<RunningCamera>,
}

impl Simulator {
    /// Starts everything; returns when clients can connect.
    pub fn start(options: &ServeOptions) -> Result<Self, ServeError> {
        let store = Arc::new(ClipStore::open(options.clips.clone())?);
        Self::start_with(options, store)
    }

    /// As [`Simulator::start`], with a store that may be stopped from elsewhere while clips are being made.
    pub fn start_with(options: &ServeOptions, store: Arc<ClipStore>) -> Result<Self, ServeError> {
        if let Some(path) = &options.truth_dir {
            std::fs::create_dir_all(path).map_err(|source| ServeError::TruthDir { path: path.clone(), source })?;
        }
        prepare(&store, options.profile, options.cameras, options.prepare_effects)?;
        let mut cameras = Vec::with_capacity(usize::from(options.cameras));
        for spec in (0..options.cameras).map(|number| CameraSpec::of(options.profile, number)) {
            let sound = store.sound(spec.scene, spec.audio)?;
            cameras.push(Arc::new(Camera::new(spec, store.clip(clip_key(spec, PLAIN))?, sound)));
        }
        let cameras: Arc<[Arc<Camera>]> = cameras.into();
        let rtsp = Arc::new(RtspServer::start(options.listen, &cameras, options.credentials.as_ref())?);
        let epoch = Instant::now();
        let mut running = Vec::with_capacity(cameras.len());
        for camera in cameras.iter() {
            running.push(RunningCamera::start(Arc::clone(camera), options.truth_dir.as_deref(), epoch)?);
        }
        let director = Director {
            shown: Mutex::new(vec![PLAIN; cameras.len()]),
            cameras,
            rtsp: Arc::clone(&rtsp),
            store: Arc::clone(&store),
        };
        let control = ControlListener::start(options.control, move |request| director.carry_out(request))
            .map_err(|source| ServeError::Control { address: options.control, source })?;
        Ok(Self { control: Some(control), rtsp, store, _running: running })
    }

    /// Where RTSP listens.
    #[must_use]
    pub fn rtsp_address(&self) -> SocketAddr {
        self.rtsp.address()
    }

    /// Where control listens.
    #[must_use]
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(ControlListener::address)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // A command may be waiting for a clip.
        self.store.stop();
        self.control = None;
    }
}

/// Carries out commands.
struct Director {
    cameras: Arc<[Arc<Camera>]>,
    /// By camera.
    shown: Mutex<Vec<Shown>>,
    rtsp: Arc<RtspServer>,
    store: Arc<ClipStore>,
}

impl Director {
    fn carry_out(&self, request: Request) -> Reply {
        let number = usize::from(request.camera);
        let Some(camera) = self.cameras.get(number) else {
            return Reply::failed(format!("no camera {number}; there are {}", self.cameras.len()));
        };
        match self.apply(number, camera, request.command) {
            Ok(()) => {
                match serde_json::to_string(&request.command) {
                    Ok(text) => camera.note(&text),
                    Err(error) => return Reply::failed(error.to_string()),
                }
                Reply::done()
            }
            Err(why) => Reply::failed(why),
        }
    }

    fn apply(&self, number: usize, camera: &Arc<Camera>, command: Command) -> Result<(), String> {
        match command {
            Command::Normal => {
                camera.stall(None);
                camera.set_offline(None);
                camera.mute(false);
                camera.refuse_password(false);
                self.show(number, camera, |_| PLAIN)?;
            }
            Command::Stall { seconds } => camera.stall(Some(after(seconds)?)),
            Command::Drop => self.rtsp.drop_clients(number),
            Command::Offline { seconds } => {
                camera.set_offline(Some(after(seconds)?));
                self.rtsp.drop_clients(number);
            }
            Command::Freeze => self.look(number, camera, Look::Frozen)?,
            Command::Black => self.look(number, camera, Look::Black)?,
            Command::Cover => self.look(number, camera, Look::Covered)?,
            Command::Blur => self.look(number, camera, Look::Blurred)?,
            Command::Shift => self.look(number, camera, Look::Shifted)?,
            Command::Mute => camera.mute(true),
            Command::Unmute => camera.mute(false),
            Command::Resolution => {
                self.show(number, camera, |shown| Shown { other_size: !shown.other_size, ..shown })?;
            }
            Command::Codec => self.other_codecs(number, camera)?,
            Command::Jump { ms } => camera.jump(ms),
            Command::RefusePassword => camera.refuse_password(true),
            Command::AcceptPassword => camera.refuse_password(false),
        }
        Ok(())
    }

    fn look(&self, number: usize, camera: &Camera, look: Look) -> Result<(), String> {
        self.show(number, camera, |shown| Shown { look, ..shown })
    }

    /// Makes what the other codecs need if it is the first time, then speaks them.
    fn other_codecs(&self, number: usize, camera: &Arc<Camera>) -> Result<(), String> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).get(number).copied().unwrap_or(PLAIN);
        let spec = camera.spec().with_other_codecs();
        let clip = self.store.clip(clip_key(spec, shown)).map_err(|error| error.to_string())?;
        let sound = self.store.sound(spec.scene, spec.audio).map_err(|error| error.to_string())?;
        // The description before the connections are closed: who comes back at once finds the new one.
        camera.speak(spec, clip, sound);
        self.rtsp.describe_anew(camera);
        self.rtsp.drop_clients(number);
        Ok(())
    }

    /// Makes the clip if it is the first time, then shows it.
    fn show(&self, number: usize, camera: &Camera, change: impl Fn(Shown) -> Shown) -> Result<(), String> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = shown.get_mut(number) else {
            return Err(format!("no camera {number}"));
        };
        let wanted = change(*place);
        let clip = self.store.clip(clip_key(camera.spec(), wanted)).map_err(|error| error.to_string())?;
        *place = wanted;
        camera.show(clip);
        Ok(())
    }
}

fn after(seconds: f64) -> Result<Instant, String> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|time| Instant::now().checked_add(time))
        .ok_or_else(|| format!("{seconds} is not a number of seconds to wait"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_times_are_taken() {
        assert!(after(0.5).is_ok());
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(after(bad).is_err(), "{bad}");
        }
    }
}
