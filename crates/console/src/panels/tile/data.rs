//! What a tile says, worked out from the player's phase. A frozen picture never says "live".

use std::time::Duration;

use minhbach_model::{GapCause, WallTime};

use crate::state::cameras::Health;
use crate::text::{Message, gap_cause};
use crate::video::player::Phase;
use crate::when;

/// A step or a jump that is answered sooner does not make the picture flicker.
const LOADING_GRACE: Duration = Duration::from_millis(250);

/// How urgent a state is: its colour, beside its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Quiet,
    /// Needs attention.
    Attention,
    /// Broken.
    Alarm,
}

/// What a tile says.
#[derive(Debug, Clone, PartialEq)]
pub struct Caption {
    /// The state in words.
    pub message: Message,
    /// Why, if there is more to say.
    pub reason: Option<&'static str>,
    /// Its colour.
    pub mood: Mood,
    /// The picture is old: it is dimmed.
    pub dimmed: bool,
}

/// What the player knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Its phase.
    pub phase: Phase,
    /// For how long.
    pub since: Duration,
    /// Moment of the picture shown.
    pub picture: Option<WallTime>,
    /// It plays what was recorded.
    pub playback: bool,
}

/// The words for a tile.
#[must_use]
pub fn caption(seen: &Seen, health: Option<Health>) -> Caption {
    let new = |key, mood, dimmed| Caption { message: Message::new(key), reason: None, mood, dimmed };
    let has_picture = seen.picture.is_some();
    match seen.phase {
        // The player only sees that nothing comes; the server knows why.
        Phase::Connecting | Phase::Stalled | Phase::Interrupted(_) | Phase::Failed
            if matches!(health, Some(Health::Paused)) =>
        {
            new("tile-paused", Mood::Quiet, has_picture)
        }
        Phase::Connecting => new("tile-connecting", Mood::Attention, has_picture),
        Phase::Live => match health {
            Some(Health::Recording | Health::Partly) => new("tile-live-recording", Mood::Good, false),
            // There is a picture, and nothing of it will be there tomorrow.
            Some(Health::Failed(_) | Health::Paused) => new("tile-live-not-recording", Mood::Alarm, false),
            Some(Health::Connecting) | None => new("tile-live", Mood::Good, false),
        },
        // In playback the picture may be one from before a jump: another place in time.
        Phase::CatchingUp if seen.playback => {
            new("tile-loading", Mood::Quiet, has_picture && seen.since >= LOADING_GRACE)
        }
        Phase::CatchingUp => new("tile-catching-up", Mood::Attention, false),
        Phase::Stalled => frozen(seen),
        Phase::Interrupted(cause) => Caption { reason: Some(gap_cause(cause)), ..lost(seen) },
        Phase::Gap { cause, .. } => {
            Caption { reason: Some(gap_cause(cause)), ..new("tile-gap", gap_mood(cause), has_picture) }
        }
        Phase::Before(_) => new("tile-gap", Mood::Quiet, has_picture),
        Phase::Replay => new("tile-replay", Mood::Quiet, false),
        Phase::EndOfRange => new("tile-end", Mood::Quiet, true),
        Phase::Failed => new("tile-failed", Mood::Alarm, has_picture),
    }
}

fn frozen(seen: &Seen) -> Caption {
    let message = match seen.picture {
        Some(at) => Message::new("tile-frozen").text("time", when::clock(at)),
        None => Message::new("tile-no-picture").text("length", when::length(seen.since)),
    };
    Caption { message, reason: None, mood: Mood::Alarm, dimmed: true }
}

fn lost(seen: &Seen) -> Caption {
    let message = Message::new("tile-lost").text("length", when::length(seen.since));
    Caption { message, reason: None, mood: Mood::Alarm, dimmed: true }
}

fn gap_mood(cause: GapCause) -> Mood {
    match cause {
        GapCause::PausedByOperator | GapCause::Starting => Mood::Quiet,
        _ => Mood::Attention,
    }
}

/// Zoom as `×2,5`, without a decimal where there is none.
#[must_use]
pub fn zoom_text(scale: f32, decimal: impl Fn(f64) -> String) -> String {
    format!("×{}", decimal(f64::from((scale * 10.0).round() / 10.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(phase: Phase, picture: bool) -> Seen {
        let at: WallTime = "2026-11-24T07:05:09Z".parse().unwrap();
        Seen { phase, since: Duration::from_secs(42), picture: picture.then_some(at), playback: false }
    }

    fn text(message: &Message) -> String {
        message.show(&crate::text::Text::new(crate::text::Lang::Vi))
    }

    #[test]
    fn only_a_moving_picture_is_called_live() {
        let quiet = [
            Phase::Connecting,
            Phase::Stalled,
            Phase::Interrupted(GapCause::Stalled),
            Phase::EndOfRange,
            Phase::Failed,
        ];
        for phase in quiet {
            let caption = caption(&seen(phase, true), Some(Health::Recording));
            assert!(caption.dimmed, "{phase:?} shows an old picture");
            assert_ne!(caption.mood, Mood::Good, "{phase:?}");
        }
        assert!(!caption(&seen(Phase::Live, true), None).dimmed);
    }

    #[test]
    fn a_picture_from_before_a_jump_is_dimmed_in_playback() {
        let live = seen(Phase::CatchingUp, true);
        assert!(!caption(&live, None).dimmed);
        let replay = Seen { playback: true, ..live };
        assert!(caption(&replay, None).dimmed);
        assert!(!caption(&Seen { since: Duration::from_millis(40), ..replay }, None).dimmed, "a step does not flicker");
        assert_ne!(text(&caption(&replay, None).message), text(&caption(&live, None).message));
    }

    #[test]
    fn a_frozen_picture_says_since_when() {
        let caption = caption(&seen(Phase::Stalled, true), None);
        assert!(text(&caption.message).contains("14:05:09"), "{}", text(&caption.message));
    }

    #[test]
    fn a_lost_camera_says_for_how_long_and_why() {
        let caption = caption(&seen(Phase::Interrupted(GapCause::AuthRefused), true), None);
        assert!(text(&caption.message).contains("00:42"));
        assert_eq!(caption.reason, Some("gap-auth-refused"));
    }

    #[test]
    fn a_paused_camera_is_no_alarm() {
        let caption = caption(&seen(Phase::Stalled, true), Some(Health::Paused));
        assert_eq!(caption.mood, Mood::Quiet);
    }

    #[test]
    fn a_live_picture_that_is_not_recorded_is_an_alarm() {
        let failed = Health::Failed(minhbach_model::FailureKind::Closed);
        for health in [failed, Health::Paused] {
            let caption = caption(&seen(Phase::Live, true), Some(health));
            assert_eq!((caption.mood, caption.dimmed), (Mood::Alarm, false));
            assert_ne!(text(&caption.message), text(&Message::new("tile-live")));
        }
    }

    #[test]
    fn zoom_is_written_with_one_decimal() {
        assert_eq!(zoom_text(2.52, |value| format!("{value:.1}").replace('.', ",")), "×2,5");
    }
}
