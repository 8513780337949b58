//! Clips: encoded once by the ffmpeg program, kept in the media folder, cut into pictures and packets in memory.
//!
//! A file's name holds everything its content depends on, so a changed parameter never meets an old file. One clip is
//! made at a time. What a picture looks like is decided in `scene`, what is said in `sound`.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use minhbach_testkit::marks::MarkStream;
use minhbach_testkit::nal::VideoCodec;

use crate::elementary::{AccessUnit, ElementaryError, split_video};
use crate::profile::{AudioCodec, MAIN_FPS, MAIN_GOP, SUB_GOP, Size, stream_size};
use crate::scene::{FRAME_HEIGHT, FRAME_WIDTH, Fonts, Look, Scene, SceneError};
use crate::sound::Sound;

/// To be raised when drawing or encoding changes: old files are then left alone and new ones made.
const CONTENT_VERSION: u32 = 1;
/// Clips of disturbances are this many groups of pictures long.
const EFFECT_GOPS: u32 = 2;
/// Threads that draw, and threads that encode.
const WORKERS: usize = 2;

/// Failures of making or reading clips.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// A file or folder.
    #[error("{} cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program did not start or its pipe broke.
    #[error("{program} cannot be run; is it installed?")]
    Program {
        /// Its name.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A program ended with an error; what it said is on standard error.
    #[error("{program} failed to make {what}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// What was to be made.
        what: String,
    },
    /// The pictures could not be drawn.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// The speech program wrote something else than a wave file.
    #[error("{} is not a wave file of 16-bit mono speech", path.display())]
    Wave {
        /// Which.
        path: PathBuf,
    },
    /// The encoder made less sound than it was given.
    #[error("{} has too little sound", path.display())]
    Short {
        /// Which.
        path: PathBuf,
    },
    /// A file is not what was asked for.
    #[error("{} is not a usable clip", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        source: ElementaryError,
    },
    /// A file has another number of pictures, or key frames elsewhere.
    #[error("{} has {found} pictures where {wanted} with a key frame every {gop} were asked for", path.display())]
    Layout {
        /// Which.
        path: PathBuf,
        /// Pictures it has.
        found: usize,
        /// Pictures it should have.
        wanted: u32,
        /// Pictures from key frame to key frame.
        gop: u32,
    },
    /// The simulator is being stopped.
    #[error("stopped while a clip was being made")]
    Stopped,
}

/// The pictures of one scene under one look, both streams; both start with a key frame and repeat without a seam.
#[derive(Debug)]
pub struct Clip {
    /// A multiple of [`MAIN_GOP`] pictures.
    pub main: Vec<AccessUnit>,
    /// A multiple of [`SUB_GOP`] pictures.
    pub sub: Vec<AccessUnit>,
}

impl Clip {
    /// The pictures of a stream.
    #[must_use]
    pub fn stream(&self, stream: MarkStream) -> &[AccessUnit] {
        match stream {
            MarkStream::Main => &self.main,
            MarkStream::Sub => &self.sub,
        }
    }
}

/// Which clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClipKey {
    /// The scene's number.
    pub scene: u8,
    /// What has happened to the camera.
    pub look: Look,
    /// Of both streams.
    pub codec: VideoCodec,
    /// In the other size.
    pub other_size: bool,
}

/// How clips are made.
#[derive(Debug, Clone)]
pub struct ClipSettings {
    /// Where they are kept.
    pub media_dir: PathBuf,
    /// Size of the main stream.
    pub main_size: Size,
    /// Length of the normal clip; rounded to whole groups of pictures.
    pub clip_seconds: u32,
}

impl ClipSettings {
    /// Main pictures of the normal clip.
    fn normal_frames(&self) -> u32 {
        (self.clip_seconds * MAIN_FPS / MAIN_GOP).max(1) * MAIN_GOP
    }

    fn frames(&self, look: Look) -> u32 {
        match look {
            Look::Normal => self.normal_frames(),
            Look::Frozen => MAIN_GOP,
            Look::Black | Look::Covered | Look::Blurred | Look::Shifted => EFFECT_GOPS * MAIN_GOP,
        }
    }
}

/// Makes clips on first use and remembers them.
pub struct ClipStore {
    settings: ClipSettings,
    made: Mutex<Made>,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Made {
    fonts: Option<Fonts>,
    clips: HashMap<ClipKey, Arc<Clip>>,
    sounds: HashMap<(u8, AudioCodec), Arc<Sound>>,
}

impl ClipStore {
    /// A store over a folder, which is made if it is missing.
    pub fn open(settings: ClipSettings) -> Result<Self, ClipError> {
        fs::create_dir_all(&settings.media_dir)
            .map_err(|source| ClipError::File { path: settings.media_dir.clone(), source })?;
        Ok(Self { settings, made: Mutex::default(), stopped: AtomicBool::new(false) })
    }

    /// Ends a clip that is being made with [`ClipError::Stopped`].
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// A clip; made now if the folder does not have it. Others wait meanwhile: one clip at a time.
    pub fn clip(&self, key: ClipKey) -> Result<Arc<Clip>, ClipError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clip) = made.clips.get(&key) {
            return Ok(Arc::clone(clip));
        }
        let [main, sub] = [MarkStream::Main, MarkStream::Sub].map(|stream| self.video_path(key, stream));
        if !(main.exists() && sub.exists()) {
            let fonts = match &made.fonts {
                Some(fonts) => fonts.clone(),
                None => made.fonts.insert(Fonts::load()?).clone(),
            };
            self.encode(key, &fonts, [&main, &sub])?;
        }
        let frames = self.settings.frames(key.look);
        let clip = Arc::new(Clip {
            main: load(key.codec, &main, frames, MAIN_GOP)?,
            sub: load(key.codec, &sub, frames / 2, SUB_GOP)?,
        });
        made.clips.insert(key, Arc::clone(&clip));
        Ok(clip)
    }

    /// The sound of a scene; made now if the folder does not have it.
    pub fn sound(&self, scene: u8, codec: AudioCodec) -> Result<Arc<Sound>, ClipError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sound) = made.sounds.get(&(scene, codec)) {
            return Ok(Arc::clone(sound));
        }
        let sound = Arc::new(Sound::load_or_make(&self.settings.media_dir, scene, codec)?);
        made.sounds.insert((scene, codec), Arc::clone(&sound));
        Ok(sound)
    }

    fn video_path(&self, key: ClipKey, stream: MarkStream) -> PathBuf {
        let size = stream_size(self.settings.main_size, key.other_size, stream);
        let extension = match key.codec {
            VideoCodec::H264 => "h264",
            VideoCodec::H265 => "h265",
        };
        // Both files come out of one run, so both depend on the size of the main stream.
        let main = stream_size(self.settings.main_size, key.other_size, MarkStream::Main);
        self.settings.media_dir.join(format!(
            "v{CONTENT_VERSION}-scene{}-{}-{}of{}-{main}-{}-{size}.{extension}",
            key.scene,
            key.look.as_str(),
            self.settings.frames(key.look),
            // A disturbance shows the scene at the pace of the normal clip.
            self.settings.normal_frames(),
            stream.as_str(),
        ))
    }

    fn encode(&self, key: ClipKey, fonts: &Fonts, targets: [&Path; 2]) -> Result<(), ClipError> {
        let started = Instant::now();
        let what = format!("scene {} {} {:?}", key.scene, key.look.as_str(), key.codec);
        eprintln!("camsim: encoding {what}");
        let scene = Scene::new(key.scene, key.look, fonts)?;
        let partial = targets.map(partial_path);
        let mut ffmpeg = Ffmpeg::start(&mut self.video_command(key, [&partial[0], &partial[1]]), &what)?;
        let frames = self.settings.frames(key.look);
        let written = self.write_frames(&scene, frames, self.settings.normal_frames(), ffmpeg.input());
        if let Err(error) = ffmpeg.finish(written) {
            for path in &partial {
                // What cannot be removed is in nobody's way: its name is never read.
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
        for (from, to) in partial.iter().zip(targets) {
            fs::rename(from, to).map_err(|source| ClipError::File { path: to.to_path_buf(), source })?;
        }
        eprintln!("camsim: {what} ready after {:.1} s", started.elapsed().as_secs_f32());
        Ok(())
    }

    /// Draws on two threads and writes in order; the channels hold one picture each.
    fn write_frames(&self, scene: &Scene, frames: u32, period: u32, out: &mut dyn Write) -> Result<(), ClipError> {
        thread::scope(|scope| {
            let mut drawn = Vec::with_capacity(WORKERS);
            for worker in 0..WORKERS {
                let (sender, receiver) = sync_channel(1);
                thread::Builder::new()
                    .name(format!("draw-{worker}"))
                    .spawn_scoped(scope, move || {
                        for n in (worker as u32..frames).step_by(WORKERS) {
                            // The other side hangs up when it has failed; there is nobody to draw for then.
                            if sender.send(scene.frame(n, period)).is_err() {
                                return;
                            }
                        }
                    })
                    .map_err(|source| ClipError::Program { program: "drawing thread", source })?;
                drawn.push(receiver);
            }
            for n in 0..frames as usize {
                if self.stopped.load(Ordering::Relaxed) {
                    return Err(ClipError::Stopped);
                }
                let Some(Ok(frame)) = drawn.get(n % WORKERS).map(|receiver| receiver.recv()) else {
                    return Err(ClipError::Scene(SceneError::Picture));
                };
                out.write_all(frame?.data()).map_err(|source| ClipError::Program { program: "ffmpeg", source })?;
            }
            Ok(())
        })
    }

    /// One run makes both streams from the same pictures.
    fn video_command(&self, key: ClipKey, targets: [&Path; 2]) -> Command {
        let [main, sub] = [MarkStream::Main, MarkStream::Sub]
            .map(|stream| stream_size(self.settings.main_size, key.other_size, stream));
        let noise = |strength: u32| {
            if strength == 0 { "null".to_owned() } else { format!("noise=alls={strength}:allf=t") }
        };
        let graph = format!(
            "[0:v]scale={}:{}:flags=area:out_color_matrix=bt709:out_range=tv,format=yuv420p,split=2[a][b];\
             [a]{}[main];[b]framestep=2,scale={}:{}:flags=area,{}[sub]",
            main.width,
            main.height,
            noise(key.look.noise()),
            sub.width,
            sub.height,
            noise(key.look.noise() * 3 / 4),
        );
        let mut command = ffmpeg_command();
        command.args(["-f", "rawvideo", "-pixel_format", "rgba", "-framerate"]).arg(MAIN_FPS.to_string());
        command.args([
            "-video_size",
            &format!("{FRAME_WIDTH}x{FRAME_HEIGHT}"),
            "-i",
            "pipe:0",
            "-filter_complex",
            &graph,
        ]);
        for (label, rate_kbps, gop, target) in
            [("[main]", 4000, MAIN_GOP, targets[0]), ("[sub]", 400, SUB_GOP, targets[1])]
        {
            command.args(["-map", label]);
            command.args(video_options(key.codec, rate_kbps, gop)).arg(target);
        }
        command
    }
}

/// ffmpeg, quiet but for errors.
pub(crate) fn ffmpeg_command() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostats", "-nostdin", "-loglevel", "error", "-y"]);
    command
}

fn video_options(codec: VideoCodec, rate_kbps: u32, gop: u32) -> Vec<String> {
    let rate = format!("{rate_kbps}k");
    let mut options: Vec<String> = Vec::new();
    let mut add = |parts: &[&str]| options.extend(parts.iter().map(|part| (*part).to_owned()));
    let (group, threads) = (gop.to_string(), WORKERS.to_string());
    add(&["-b:v", &rate, "-maxrate", &rate, "-bufsize", &rate, "-g", &group, "-bf", "0", "-threads", &threads]);
    add(&["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]);
    match codec {
        VideoCodec::H264 => {
            add(&["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high"]);
            add(&["-keyint_min", &group, "-sc_threshold", "0"]);
            add(&["-x264-params", "sliced-threads=0:slices=1:force-cfr=1:repeat-headers=1:aud=0:open-gop=0"]);
            add(&["-f", "h264"]);
        }
        VideoCodec::H265 => {
            let params = format!(
                "keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:open-gop=0:repeat-headers=1:aud=0:slices=1:\
                 info=0:pools={WORKERS}:frame-threads=1:log-level=error:\
                 vbv-maxrate={rate_kbps}:vbv-bufsize={rate_kbps}"
            );
            add(&["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", &params]);
            add(&["-f", "hevc"]);
        }
    }
    options
}

/// A run of ffmpeg that is fed through its standard input; killed if it is dropped before its end.
pub(crate) struct Ffmpeg {
    child: Child,
    input: Option<ChildStdin>,
    sink: io::Sink,
    what: String,
}

impl Ffmpeg {
    pub(crate) fn start(command: &mut Command, what: &str) -> Result<Self, ClipError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| ClipError::Program { program: "ffmpeg", source })?;
        let input = child.stdin.take();
        Ok(Self { child, input, sink: io::sink(), what: what.to_owned() })
    }

    pub(crate) fn input(&mut self) -> &mut dyn Write {
        match &mut self.input {
            Some(input) => input,
            // Not reached: standard input was asked for and is taken in `finish` alone.
            None => &mut self.sink,
        }
    }

    /// Closes the input and waits. ffmpeg's own failure explains a broken pipe, so it is told first.
    pub(crate) fn finish(mut self, written: Result<(), ClipError>) -> Result<(), ClipError> {
        let failed = || ClipError::Failed { program: "ffmpeg", what: self.what.clone() };
        match written {
            Ok(()) => {}
            Err(ClipError::Program { .. }) => return Err(failed()),
            Err(error) => return Err(error),
        }
        drop(self.input.take());
        let status = self.child.wait().map_err(|source| ClipError::Program { program: "ffmpeg", source })?;
        if status.success() { Ok(()) } else { Err(ClipError::Failed { program: "ffmpeg", what: self.what.clone() }) }
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        self.input = None;
        if let Ok(None) = self.child.try_wait() {
            // It may end between the two calls; then there is nothing left to kill or to wait for.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The name a file has while it is being written.
pub(crate) fn partial_path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    PathBuf::from(name)
}

fn load(codec: VideoCodec, path: &Path, wanted: u32, gop: u32) -> Result<Vec<AccessUnit>, ClipError> {
    let data = fs::read(path).map_err(|source| ClipError::File { path: path.to_path_buf(), source })?;
    let units = split_video(codec, &Bytes::from(data))
        .map_err(|source| ClipError::Content { path: path.to_path_buf(), source })?;
    let keys_fit = units.iter().enumerate().all(|(i, unit)| unit.key == i.is_multiple_of(gop as usize));
    if units.len() == wanted as usize && keys_fit {
        Ok(units)
    } else {
        Err(ClipError::Layout { path: path.to_path_buf(), found: units.len(), wanted, gop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &Path, clip_seconds: u32) -> ClipStore {
        let settings = ClipSettings { media_dir: folder.to_path_buf(), main_size: Size::new(1920, 1080), clip_seconds };
        ClipStore::open(settings).expect("store")
    }

    #[test]
    fn names_differ_wherever_content_differs() {
        let folder = std::env::temp_dir();
        let key = ClipKey { scene: 1, look: Look::Normal, codec: VideoCodec::H264, other_size: false };
        let keys = [
            key,
            ClipKey { scene: 2, ..key },
            ClipKey { look: Look::Black, ..key },
            ClipKey { codec: VideoCodec::H265, ..key },
            ClipKey { other_size: true, ..key },
        ];
        let mut names: Vec<PathBuf> = Vec::new();
        for seconds in [12, 20] {
            for key in keys {
                names.extend([MarkStream::Main, MarkStream::Sub].map(|s| store(&folder, seconds).video_path(key, s)));
            }
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn lengths_are_whole_groups() {
        let store = store(&std::env::temp_dir(), 13);
        assert_eq!(store.settings.frames(Look::Normal), 300);
        assert_eq!(store.settings.frames(Look::Shifted), 100);
    }
}
