//! The players of the tiles now shown: started and stopped to match the wall, switched between streams without a
//! dark moment.
//!
//! What belongs here: which players exist. What a player does is in `video::player`.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use minhbach_model::{CameraId, StreamKind};

use crate::video::paint::TileKey;
use crate::video::player::{Player, PlayerCtx, PlayerId, PlayerSnapshot, Step};
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
}

/// A camera that must be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
}

/// What a tile draws.
pub struct Shown {
    /// The player's state now.
    pub snapshot: PlayerSnapshot,
    /// Tells its textures apart.
    pub key: TileKey,
    /// The stream that is shown.
    pub stream: StreamKind,
}

struct Slot {
    current: Player,
    next: Option<(Player, Instant)>,
}

/// All players.
// Fields are dropped in this order: the players before what joins their threads.
pub struct Players {
    slots: HashMap<CameraId, Slot>,
    shown: HashMap<CameraId, Shown>,
    mode: Mode,
    ctx: PlayerCtx,
}

impl Players {
    /// No player yet.
    #[must_use]
    pub fn new(ctx: PlayerCtx) -> Self {
        Self { slots: HashMap::new(), shown: HashMap::new(), mode: Mode::Live, ctx }
    }

    /// Makes the players match what is shown. Once a frame.
    pub fn reconcile(&mut self, mode: Mode, wanted: &[Wanted], playhead: &Arc<Mutex<Playhead>>, now: Instant) {
        if mode != self.mode {
            self.slots.clear();
            self.mode = mode;
        }
        // What is not seen is not decoded.
        self.slots.retain(|camera, _| wanted.iter().any(|wanted| wanted.camera == *camera));
        for wanted in wanted {
            match self.slots.get_mut(&wanted.camera) {
                None => {
                    let current = start(&self.ctx, mode, *wanted, playhead);
                    self.slots.insert(wanted.camera, Slot { current, next: None });
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
            let shown = Shown { snapshot, key: key(slot.current.id()), stream: slot.current.stream() };
            debug_assert_eq!(slot.current.camera(), *camera, "a player sits in its camera's slot");
            self.shown.insert(*camera, shown);
        }
    }

    /// What a camera's tile draws.
    #[must_use]
    pub fn shown(&self, camera: CameraId) -> Option<&Shown> {
        self.shown.get(&camera)
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
        Mode::Playback => Player::playback(ctx, wanted.camera, wanted.stream, Arc::clone(playhead)),
    }
}

fn key(id: PlayerId) -> TileKey {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    TileKey(hasher.finish())
}
