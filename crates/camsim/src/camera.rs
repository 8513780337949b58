//! One simulated camera: a thread that hands over each picture and packet when it is due, and what can be done to it.
//!
//! Time never stops for a camera: its counters go on whether somebody listens or not, as those of a real one do.
//! Clips come from `clips`, pipelines from `rtsp`; commands are turned into states in `serve`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use minhbach_testkit::marks::{AudioMark, MarkStream, VideoMark, build_sei, mark_aac, mark_g711};
use minhbach_testkit::truth::{TruthError, TruthLine, TruthWriter, sample_digest, sha256_hex};

use crate::clips::Clip;
use crate::outlet::{Handed, Outlet, Times};
use crate::profile::{AudioCodec, CameraSpec, MAIN_FRAME_NS, MAIN_GOP, SUB_FRAME_NS, SUB_GOP};
use crate::sound::Sound;

/// Events that wait for the camera's thread; it takes them within a frame.
const MAX_EVENTS: usize = 256;

/// What a camera does, changed by commands and read by its thread.
struct State {
    spec: CameraSpec,
    clip: Arc<Clip>,
    sound: Arc<Sound>,
    muted: bool,
    stalled_until: Option<Instant>,
    offline_until: Option<Instant>,
    /// Not yet carried out, milliseconds.
    jump_ms: i64,
    /// For the truth files.
    events: Vec<(i64, String)>,
    stop: bool,
}

/// The side of a camera that commands and the RTSP server see.
pub struct Camera {
    /// From zero; never changes.
    number: u16,
    state: Mutex<State>,
    wake: Condvar,
    refuses_password: AtomicBool,
    outlets: [Mutex<Option<Outlet>>; 2],
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since the Unix epoch.
fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn outlet_index(stream: MarkStream) -> usize {
    match stream {
        MarkStream::Main => 0,
        MarkStream::Sub => 1,
    }
}

impl Camera {
    /// A camera that shows a clip and lets a sound be heard.
    #[must_use]
    pub fn new(spec: CameraSpec, clip: Arc<Clip>, sound: Arc<Sound>) -> Self {
        let state = State {
            spec,
            clip,
            sound,
            muted: false,
            stalled_until: None,
            offline_until: None,
            jump_ms: 0,
            events: Vec::new(),
            stop: false,
        };
        Self {
            number: spec.number,
            state: Mutex::new(state),
            wake: Condvar::new(),
            refuses_password: AtomicBool::new(false),
            outlets: [Mutex::new(None), Mutex::new(None)],
        }
    }

    /// What it speaks and shows now.
    #[must_use]
    pub fn spec(&self) -> CameraSpec {
        lock(&self.state).spec
    }

    /// Speaks other codecs from now on. Pipelines that are open get nothing more: they were built for those before.
    pub fn speak(&self, spec: CameraSpec, clip: Arc<Clip>, sound: Arc<Sound>) {
        let mut state = lock(&self.state);
        (state.spec, state.clip, state.sound) = (spec, clip, sound);
    }

    /// Writes an event into both truth files.
    pub fn note(&self, command: &str) {
        let mut state = lock(&self.state);
        if state.events.len() < MAX_EVENTS {
            state.events.push((wall_ns(), command.to_owned()));
        } else {
            tracing::warn!(camera = self.number, command, "too many events at once, one is not in the truth");
        }
    }

    /// Shows another clip from the next key frame on.
    pub fn show(&self, clip: Arc<Clip>) {
        lock(&self.state).clip = clip;
    }

    /// Makes the sound silent, or not.
    pub fn mute(&self, muted: bool) {
        lock(&self.state).muted = muted;
    }

    /// Sends nothing until then; goes on at a key frame. None ends a stall.
    pub fn stall(&self, until: Option<Instant>) {
        lock(&self.state).stalled_until = until;
    }

    /// Accepts no session until then.
    pub fn set_offline(&self, until: Option<Instant>) {
        lock(&self.state).offline_until = until;
    }

    /// Whether it accepts no session now.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        lock(&self.state).offline_until.is_some_and(|until| Instant::now() < until)
    }

    /// Lets the timestamps jump.
    pub fn jump(&self, ms: i64) {
        lock(&self.state).jump_ms += ms;
    }

    /// Refuses the right password, or not.
    pub fn refuse_password(&self, refuse: bool) {
        self.refuses_password.store(refuse, Ordering::Relaxed);
    }

    /// Whether it refuses the right password.
    #[must_use]
    pub fn refuses_password(&self) -> bool {
        self.refuses_password.load(Ordering::Relaxed)
    }

    /// A pipeline for a stream has been built.
    pub fn open(&self, stream: MarkStream, outlet: Outlet) {
        *lock(&self.outlets[outlet_index(stream)]) = Some(outlet);
    }

    /// A pipeline has been taken down; a newer one stays.
    pub fn close(&self, stream: MarkStream, id: u64) {
        let mut outlet = lock(&self.outlets[outlet_index(stream)]);
        if outlet.as_ref().is_some_and(|open| open.id == id) {
            *outlet = None;
        }
    }
}

/// A camera whose thread runs; it ends on drop.
pub struct RunningCamera {
    camera: Arc<Camera>,
    thread: Option<JoinHandle<()>>,
}

impl RunningCamera {
    /// Starts the thread. All cameras that are given the same `epoch` run in step.
    pub fn start(camera: Arc<Camera>, truth_dir: Option<&Path>, epoch: Instant) -> Result<Self, StartError> {
        let number = camera.number;
        let truth = match truth_dir {
            Some(folder) => Some([
                TruthWriter::create(folder, number, MarkStream::Main)?,
                TruthWriter::create(folder, number, MarkStream::Sub)?,
            ]),
            None => None,
        };
        let mut pacer = Pacer::new(Arc::clone(&camera), truth, epoch);
        let thread = thread::Builder::new()
            .name(format!("camera-{number}"))
            .spawn(move || pacer.run())
            .map_err(StartError::Thread)?;
        Ok(Self { camera, thread: Some(thread) })
    }

    /// The camera.
    #[must_use]
    pub fn camera(&self) -> &Arc<Camera> {
        &self.camera
    }
}

impl Drop for RunningCamera {
    fn drop(&mut self) {
        lock(&self.camera.state).stop = true;
        self.camera.wake.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(camera = self.camera.number, "the camera's thread had panicked");
        }
    }
}

/// A camera cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its truth files.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// Its thread.
    #[error("a camera's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// A stream of pictures on its way through its clip.
struct Track {
    stream: MarkStream,
    gop: u64,
    frame_ns: u64,
    /// The next picture.
    n: u64,
    clip: Arc<Clip>,
    /// Pictures were left out; the next to be sent is a key frame.
    broken: bool,
}

/// What goes out now.
#[derive(Clone, Copy)]
enum Due {
    Video(usize),
    Audio,
}

/// When packets of sound are due: their length changes with the codec, their numbers go on.
struct AudioClock {
    codec: AudioCodec,
    /// The first packet of this codec, and when it was due.
    base: (u64, u64),
}

impl AudioClock {
    fn due_ns(&self, packet: u64) -> u64 {
        let (first, at_ns) = self.base;
        at_ns + packet.saturating_sub(first) * self.codec.packet_ns()
    }
}

struct Pacer {
    camera: Arc<Camera>,
    truth: Option<[TruthWriter; 2]>,
    epoch: Instant,
    tracks: [Track; 2],
    /// The next packet of sound.
    packet: u64,
    audio_clock: AudioClock,
    /// Sound was full before: said once until it flows again.
    audio_full: bool,
}

/// What the thread needs of the state for one picture or packet.
struct Now {
    spec: CameraSpec,
    muted: bool,
    stalled: bool,
    clip: Arc<Clip>,
    sound: Arc<Sound>,
}

impl Pacer {
    fn new(camera: Arc<Camera>, truth: Option<[TruthWriter; 2]>, epoch: Instant) -> Self {
        let (clip, codec) = {
            let state = lock(&camera.state);
            (Arc::clone(&state.clip), state.spec.audio)
        };
        let audio_clock = AudioClock { codec, base: (0, 0) };
        let track = |stream, gop: u32, frame_ns| Track {
            stream,
            gop: u64::from(gop),
            frame_ns,
            n: 0,
            clip: Arc::clone(&clip),
            broken: false,
        };
        let tracks = [track(MarkStream::Main, MAIN_GOP, MAIN_FRAME_NS), track(MarkStream::Sub, SUB_GOP, SUB_FRAME_NS)];
        Self { camera, truth, epoch, tracks, packet: 0, audio_clock, audio_full: false }
    }

    fn run(&mut self) {
        loop {
            let (due, due_ns) = self.next();
            if !self.wait_until(due_ns) {
                break;
            }
            self.take_commands(due_ns);
            match due {
                Due::Video(index) => self.send_video(index, due_ns),
                Due::Audio => self.send_audio(due_ns),
            }
            self.write_truth(|writers| writers.iter_mut().try_for_each(TruthWriter::tick));
        }
        self.take_commands(self.now_ns());
        self.write_truth(|writers| writers.iter_mut().try_for_each(TruthWriter::flush));
    }

    /// The earliest of the three. Pictures go before sound that is due at the same time.
    fn next(&self) -> (Due, u64) {
        let mut next = (Due::Video(0), self.tracks[0].n * self.tracks[0].frame_ns);
        let sub_ns = self.tracks[1].n * self.tracks[1].frame_ns;
        if sub_ns < next.1 {
            next = (Due::Video(1), sub_ns);
        }
        let audio_ns = self.audio_clock.due_ns(self.packet);
        if audio_ns < next.1 {
            next = (Due::Audio, audio_ns);
        }
        next
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether to go on: false when the camera is to stop.
    fn wait_until(&self, due_ns: u64) -> bool {
        let mut state = lock(&self.camera.state);
        loop {
            if state.stop {
                return false;
            }
            let left = due_ns.saturating_sub(self.now_ns());
            if left == 0 {
                return true;
            }
            let waited = self.camera.wake.wait_timeout(state, Duration::from_nanos(left));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes events and lets clocks jump from camera time `from_ns` on.
    fn take_commands(&mut self, from_ns: u64) {
        let (events, jump_ms) = {
            let mut state = lock(&self.camera.state);
            (std::mem::take(&mut state.events), std::mem::take(&mut state.jump_ms))
        };
        for (wall_ns, command) in events {
            self.write_truth(|writers| {
                let line = TruthLine::Event { wall_ns, command };
                writers.iter_mut().try_for_each(|writer| writer.write(&line))
            });
        }
        if jump_ms != 0 {
            for outlet in &self.camera.outlets {
                if let Some(outlet) = lock(outlet).as_mut() {
                    outlet.jump(from_ns, jump_ms);
                }
            }
        }
    }

    fn state(&self) -> Now {
        let mut state = lock(&self.camera.state);
        if state.stalled_until.is_some_and(|until| Instant::now() >= until) {
            state.stalled_until = None;
        }
        Now {
            spec: state.spec,
            muted: state.muted,
            stalled: state.stalled_until.is_some(),
            clip: Arc::clone(&state.clip),
            sound: Arc::clone(&state.sound),
        }
    }

    fn send_video(&mut self, index: usize, due_ns: u64) {
        let now = self.state();
        let (spec, now_ns) = (now.spec, self.now_ns());
        let track = &mut self.tracks[index];
        let n = track.n;
        track.n += 1;
        if n.is_multiple_of(track.gop) {
            track.clip = now.clip;
        }
        if now.stalled {
            track.broken = true;
            return;
        }
        let units = track.clip.stream(track.stream);
        // Clips are whole groups long, so a key frame of one clip stands where one of any other stands.
        let Some(unit) = units.get((n % (units.len() as u64).max(1)) as usize) else {
            return;
        };
        if track.broken && !unit.key {
            return;
        }
        let mut outlet = lock(&self.camera.outlets[index]);
        let Some(open) = outlet.as_mut().filter(|open| open.spec == spec) else {
            track.broken = false;
            return;
        };
        let send_wall_ns = wall_ns();
        let mark = VideoMark { camera: spec.number, stream: track.stream, frame: n, send_wall_ns };
        let sei = build_sei(spec.video, &mark);
        let times = Times { due_ns, now_ns, duration_ns: track.frame_ns };
        let handed = open.video(unit.annex_b_with(&sei), unit.key, times);
        drop(outlet);
        let line = match handed {
            Handed::Sent(rtp_pts_ns) => {
                track.broken = false;
                if self.truth.is_none() {
                    return;
                }
                let (len, sha256) = sample_digest(spec.video, unit.nals_with(&sei));
                TruthLine::Video { n, key: unit.key, send_wall_ns, rtp_pts_ns, len, sha256 }
            }
            Handed::NotOpen => return,
            Handed::Full if track.broken => return,
            Handed::Full => {
                track.broken = true;
                tracing::warn!(camera = spec.number, stream = track.stream.as_str(), n, "nobody takes the pictures");
                TruthLine::Event { wall_ns: send_wall_ns, command: format!("overflow video from {n}") }
            }
        };
        self.write_truth(|writers| writers[index].write(&line));
    }

    fn send_audio(&mut self, due_ns: u64) {
        let now = self.state();
        let (spec, now_ns) = (now.spec, self.now_ns());
        let n = self.packet;
        self.packet += 1;
        if self.audio_clock.codec != spec.audio {
            self.audio_clock = AudioClock { codec: spec.audio, base: (n, due_ns) };
        }
        let packets = if now.muted { &now.sound.silence } else { &now.sound.talk };
        let Some(packet) = packets.get((n % (packets.len() as u64).max(1)) as usize).filter(|_| !now.stalled) else {
            return;
        };
        let mark = AudioMark { camera: spec.number, packet: n };
        let data = match spec.audio {
            AudioCodec::Aac => mark_aac(packet, &mark),
            AudioCodec::Pcma | AudioCodec::Pcmu => mark_g711(packet, &mark),
        };
        let digest = self.truth.as_ref().map(|_| (data.len() as u64, sha256_hex(&data)));
        let send_wall_ns = wall_ns();
        let times = Times { due_ns, now_ns, duration_ns: spec.audio.packet_ns() };
        let outlet = lock(&self.camera.outlets[0]);
        let open = outlet.as_ref().filter(|open| open.spec == spec);
        let handed = open.map_or(Handed::NotOpen, |open| open.audio(data, times));
        drop(outlet);
        let line = match handed {
            Handed::Sent(rtp_pts_ns) => {
                self.audio_full = false;
                let Some((len, sha256)) = digest else {
                    return;
                };
                TruthLine::Audio { n, send_wall_ns, rtp_pts_ns, len, sha256 }
            }
            Handed::NotOpen => return,
            Handed::Full if self.audio_full => return,
            Handed::Full => {
                self.audio_full = true;
                tracing::warn!(camera = spec.number, n, "nobody takes the sound");
                TruthLine::Event { wall_ns: send_wall_ns, command: format!("overflow audio from {n}") }
            }
        };
        self.write_truth(|writers| writers[0].write(&line));
    }

    /// A truth that cannot be written is worse than none: it ends, loudly, and the camera goes on.
    fn write_truth(&mut self, write: impl FnOnce(&mut [TruthWriter; 2]) -> Result<(), TruthError>) {
        if let Some(writers) = &mut self.truth
            && let Err(error) = write(writers)
        {
            tracing::error!(camera = self.camera.number, %error, "the truth files end here");
            self.truth = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use minhbach_testkit::truth::read_truth;

    use super::*;
    use crate::profile::Profile;

    fn camera() -> Arc<Camera> {
        let clip = Arc::new(Clip { main: Vec::new(), sub: Vec::new() });
        Arc::new(Camera::new(CameraSpec::of(Profile::Mixed, 1), clip, silent()))
    }

    fn silent() -> Arc<Sound> {
        Arc::new(Sound { talk: Vec::new(), silence: Vec::new() })
    }

    #[test]
    fn pictures_and_sound_take_turns_in_time() {
        let mut pacer = Pacer::new(camera(), None, Instant::now());
        let mut order = Vec::new();
        for _ in 0..9 {
            let (due, at_ns) = pacer.next();
            let name = match due {
                Due::Video(index) => {
                    pacer.tracks[index].n += 1;
                    ["main", "sub"][index]
                }
                Due::Audio => {
                    pacer.packet += 1;
                    "sound"
                }
            };
            order.push((name, at_ns / 1_000_000));
        }
        let expected = [
            ("main", 0),
            ("sub", 0),
            ("sound", 0),
            ("sound", 20),
            ("main", 40),
            ("sound", 40),
            ("sound", 60),
            ("main", 80),
            ("sub", 80),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn packets_of_another_codec_go_on_in_time_and_in_number() {
        let camera = camera();
        let mut pacer = Pacer::new(Arc::clone(&camera), None, Instant::now());
        // A-law: 20 ms each.
        for n in 0..4 {
            assert_eq!(pacer.audio_clock.due_ns(pacer.packet), n * 20_000_000);
            pacer.send_audio(n * 20_000_000);
        }
        let clip = Arc::clone(&lock(&camera.state).clip);
        camera.speak(camera.spec().with_other_codecs(), clip, silent());
        pacer.send_audio(80_000_000);
        assert_eq!((pacer.packet, pacer.audio_clock.due_ns(pacer.packet)), (5, 144_000_000), "AAC: 64 ms");
    }

    #[test]
    fn events_are_in_both_truths_when_the_camera_has_stopped() {
        let folder = std::env::temp_dir().join(format!("minhbach-camsim-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let running = RunningCamera::start(camera(), Some(&folder), Instant::now()).expect("a running camera");
        running.camera().note("freeze");
        drop(running);
        for name in ["cam1-main.jsonl", "cam1-sub.jsonl"] {
            let truth = read_truth(&folder.join(name)).expect("truth");
            assert!(matches!(&truth[..], [TruthLine::Event { command, .. }] if command == "freeze"), "{truth:?}");
        }
        std::fs::remove_dir_all(&folder).expect("clean");
    }

    #[test]
    fn offline_ends_by_itself() {
        let camera = camera();
        camera.set_offline(Some(Instant::now() + Duration::from_secs(600)));
        assert!(camera.is_offline());
        camera.set_offline(Some(Instant::now()));
        assert!(!camera.is_offline());
    }
}
