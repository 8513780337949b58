//! The players of the tiles now shown: started and stopped to match the wall, switched between streams without a
//! dark moment.
//!
//! What belongs here: which players exist. What a player does is in `video::player`.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use minhbach_model::{CameraId, CameraState, CameraStatus, StreamKind};

use crate::state::cameras::stream;
use crate::video::av_meter::{self, AvMeter};
use crate::video::paint::{Backend, TileKey};
use crate::video::player::{Phase, Player, PlayerCtx, PlayerId, PlayerSnapshot, Step};
use crate::video::playhead::Playhead;

/// After this time the new stream is shown even without a picture: its words say why there is none.
const SWITCH_LIMIT: Duration = Duration::from_secs(5);

/// Which kind of picture the tiles show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Now.
    Live,
    /// At the playhead.
    Playback,
    /// At the playhead of the incidents page.
    Review,
}

/// A camera that must be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// It stands in for the other one, which fails.
    pub instead: bool,
}

/// What a tile draws.
pub struct Shown {
    /// The player's state now.
    pub snapshot: PlayerSnapshot,
    /// Tells its textures apart.
    pub key: TileKey,
    /// The stream that is shown.
    pub stream: StreamKind,
    /// It stands in for the other one, which fails.
    pub instead: bool,
}

struct Slot {
    wanted: Wanted,
    current: Player,
    next: Option<(Player, Instant)>,
}

/// All players.
// Fields are dropped in this order: the players before what joins their threads.
pub struct Players {
    slots: HashMap<CameraId, Slot>,
    shown: HashMap<CameraId, Shown>,
    /// Recorded cameras whose sub stream was found missing where the main stream may not be.
    without_sub: HashSet<CameraId>,
    mode: Mode,
    av: AvMeter,
    ctx: PlayerCtx,
}

impl Players {
    /// No player yet.
    #[must_use]
    pub fn new(ctx: PlayerCtx) -> Self {
        Self {
            slots: HashMap::new(),
            shown: HashMap::new(),
            without_sub: HashSet::new(),
            mode: Mode::Live,
            av: AvMeter::default(),
            ctx,
        }
    }

    /// A frame begins: new pictures ask for the next one no sooner than it can be drawn.
    pub fn frame_begins(&self, now: Instant) {
        self.ctx.repaint.frame(now);
    }

    /// Makes the players match what is shown. Once a frame.
    pub fn reconcile(&mut self, mode: Mode, wanted: &[Wanted], playhead: &Arc<Mutex<Playhead>>, now: Instant) {
        if mode != self.mode {
            self.slots.clear();
            self.without_sub.clear();
            self.mode = mode;
        }
        // What is not seen is not decoded.
        let seen = |camera: &CameraId| wanted.iter().any(|wanted| wanted.camera == *camera);
        self.slots.retain(|camera, _| seen(camera));
        self.without_sub.retain(seen);
        for wanted in wanted {
            if let Some(slot) = self.slots.get_mut(&wanted.camera) {
                slot.wanted = *wanted;
            }
            match self.slots.get_mut(&wanted.camera) {
                None => {
                    let current = start(&self.ctx, mode, *wanted, playhead);
                    self.slots.insert(wanted.camera, Slot { wanted: *wanted, current, next: None });
                }
                Some(slot) if slot.current.stream() == wanted.stream => slot.next = None,
                Some(slot) => {
                    let other = slot.next.as_ref().is_none_or(|(next, _)| next.stream() != wanted.stream);
                    if other {
                        slot.next = Some((start(&self.ctx, mode, *wanted, playhead), now));
                    }
                }
            }
        }
        self.look(now);
    }

    /// Takes every player's state, and changes to the new stream where it has a picture.
    fn look(&mut self, now: Instant) {
        self.shown.clear();
        for (camera, slot) in &mut self.slots {
            if let Some((next, since)) = slot.next.take() {
                let ready = next.snapshot(now).frame.is_some() || now.saturating_duration_since(since) > SWITCH_LIMIT;
                if ready {
                    slot.current = next;
                } else {
                    slot.next = Some((next, since));
                }
            }
            let snapshot = slot.current.snapshot(now);
            let stream = slot.current.stream();
            let missing = matches!(snapshot.phase, Phase::Gap { .. } | Phase::Before(_));
            if self.mode != Mode::Live && stream == StreamKind::Sub && missing {
                self.without_sub.insert(*camera);
            }
            let instead = slot.wanted.instead && stream == slot.wanted.stream;
            let shown = Shown { snapshot, key: key(slot.current.id()), stream, instead };
            debug_assert_eq!(slot.current.camera(), *camera, "a player sits in its camera's slot");
            self.shown.insert(*camera, shown);
        }
    }

    /// What a camera's tile draws.
    #[must_use]
    pub fn shown(&self, camera: CameraId) -> Option<&Shown> {
        self.shown.get(&camera)
    }

    /// What the tiles of live view drew last.
    pub fn live_shown(&self) -> impl Iterator<Item = (CameraId, &Shown)> {
        let live = self.mode == Mode::Live;
        self.shown.iter().filter(move |_| live).map(|(camera, shown)| (*camera, shown))
    }

    /// Measures how far the live picture of the camera that is heard is from its sound, while somebody reads it. Once a
    /// frame; what is measured is the frame drawn before.
    pub fn measure(&mut self, camera: CameraId, backend: &Backend, now: Instant) {
        if self.mode != Mode::Live || !av_meter::is_read() {
            return;
        }
        let (Some(slot), Some(shown)) = (self.slots.get(&camera), self.shown.get(&camera)) else { return };
        let Some(drawn) = backend.drawn(shown.key) else { return };
        let sound = self.ctx.sound.report(slot.current.id(), now);
        if let Some(summary) = self.av.note(shown.key, drawn, sound.map(|(report, _)| report.told), now) {
            summary.trace(camera, sound);
        }
    }

    /// Whether some tile shows moving pictures, or footage.
    #[must_use]
    pub fn has_pictures(&self) -> bool {
        self.shown.values().any(|shown| matches!(shown.snapshot.phase, Phase::Live | Phase::Replay))
    }

    /// Whether the sub stream of a recorded camera was found missing.
    #[must_use]
    pub fn lacks_sub(&self, camera: CameraId) -> bool {
        self.without_sub.contains(&camera)
    }

    /// The player of a camera, for its sound.
    #[must_use]
    pub fn id(&self, camera: CameraId) -> Option<PlayerId> {
        self.slots.get(&camera).map(|slot| slot.current.id())
    }

    /// One picture on or back, led by this camera.
    pub fn step(&self, camera: CameraId, step: Step, now: Instant) -> bool {
        self.slots.get(&camera).is_some_and(|slot| slot.current.step(step, now))
    }
}

fn start(ctx: &PlayerCtx, mode: Mode, wanted: Wanted, playhead: &Arc<Mutex<Playhead>>) -> Player {
    match mode {
        Mode::Live => Player::live(ctx, wanted.camera, wanted.stream),
        Mode::Playback | Mode::Review => Player::playback(ctx, wanted.camera, wanted.stream, Arc::clone(playhead)),
    }
}

/// The stream to play live: the wanted one, or the other one while that fails and the other flows. `shown` is what
/// the tile shows now.
#[must_use]
pub fn live_stream(
    wanted: StreamKind,
    status: Option<&CameraStatus>,
    shown: Option<(StreamKind, Phase)>,
) -> StreamKind {
    let other = match wanted {
        StreamKind::Main => StreamKind::Sub,
        StreamKind::Sub => StreamKind::Main,
    };
    let state = |kind| status.and_then(|status| stream(status, kind)).map(|stream| stream.state);
    let fails = match state(wanted) {
        Some(CameraState::Recording | CameraState::NotRecording(_)) => false,
        Some(CameraState::Failed(_)) => true,
        // While it is tried again, what is shown stays; and the player may see a loss before the server tells of it.
        Some(CameraState::Connecting | CameraState::Paused) | None => {
            shown.is_some_and(|(shown, phase)| shown == other || matches!(phase, Phase::Failed | Phase::Interrupted(_)))
        }
    };
    if fails && state(other).is_some_and(CameraState::flows) { other } else { wanted }
}

fn key(id: PlayerId) -> TileKey {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    TileKey(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::tree::data::tests::camera;
    use minhbach_model::{FailureKind, StreamStatus};

    fn status(main: CameraState, sub: CameraState) -> CameraStatus {
        let mut status = camera("Quầy 1", None, main);
        let second = StreamStatus { stream: StreamKind::Sub, state: sub, ..status.streams[0].clone() };
        status.streams.push(second);
        status
    }

    #[test]
    fn the_other_stream_stands_in_for_one_that_fails() {
        let (recording, failed) = (CameraState::Recording, CameraState::Failed(FailureKind::Closed));
        let play = |main, sub, shown| live_stream(StreamKind::Sub, Some(&status(main, sub)), shown);
        assert_eq!(play(recording, recording, None), StreamKind::Sub);
        assert_eq!(play(recording, failed, None), StreamKind::Main);
        assert_eq!(play(failed, failed, None), StreamKind::Sub, "neither can be seen");
        let unrecorded = CameraState::NotRecording(FailureKind::DiskFull);
        assert_eq!(play(unrecorded, unrecorded, None), StreamKind::Sub, "both can be watched");
        assert_eq!(play(unrecorded, failed, None), StreamKind::Main);
        assert_eq!(live_stream(StreamKind::Sub, None, None), StreamKind::Sub);
    }

    #[test]
    fn a_stand_in_stays_until_the_wanted_stream_is_back() {
        let (recording, connecting) = (CameraState::Recording, CameraState::Connecting);
        let shown = Some((StreamKind::Main, Phase::Live));
        let play = |sub, shown| live_stream(StreamKind::Sub, Some(&status(recording, sub)), shown);
        assert_eq!(play(connecting, None), StreamKind::Sub);
        assert_eq!(play(connecting, Some((StreamKind::Sub, Phase::Failed))), StreamKind::Main);
        assert_eq!(play(connecting, shown), StreamKind::Main);
        assert_eq!(play(recording, shown), StreamKind::Sub);
    }
}
