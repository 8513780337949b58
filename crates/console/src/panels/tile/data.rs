//! What a tile says, worked out from the player's phase. A frozen picture never says "live".

use std::time::Duration;

use minhbach_model::{GapCause, WallTime};

use crate::state::cameras::Health;
use crate::text::{Message, failure, gap_cause, sound_state};
use crate::video::player::Phase;
use crate::when;

/// A step or a jump that is answered sooner does not make the picture flicker.
const LOADING_GRACE: Duration = Duration::from_millis(250);

/// A picture that much later than now, nanoseconds, was taken by another clock: how old it is cannot be said.
const CLOCKS_DIFFER_NS: i64 = 2_000_000_000;

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
            // Half of what is to be kept is lost.
            Some(Health::Soundless(sound)) => new(sound_state(sound), Mood::Attention, false),
            // There is a picture, and nothing of it will be there tomorrow.
            Some(Health::NotRecorded(kind)) => new(failure(kind), Mood::Alarm, false),
            Some(Health::Failed(_) | Health::Paused) => new("tile-live-not-recording", Mood::Alarm, false),
            Some(Health::Connecting) | None => new("tile-live", Mood::Good, false),
        },
        // In playback the picture may be one from before a jump: another place in time.
        Phase::CatchingUp if seen.playback => {
            new("tile-loading", Mood::Quiet, has_picture && seen.since >= LOADING_GRACE)
        }
        // That it is late matters less than that it is lost.
        Phase::CatchingUp => match health {
            Some(Health::NotRecorded(kind)) => new(failure(kind), Mood::Alarm, false),
            _ => new("tile-catching-up", Mood::Attention, false),
        },
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

/// The words for a tile before the server has answered: there is no player yet.
#[must_use]
pub fn opening() -> Caption {
    Caption { message: Message::new("status-connecting"), reason: None, mood: Mood::Attention, dimmed: false }
}

/// What is said with a still that was taken before: when, and how long ago that was.
#[must_use]
pub fn still_age(taken: WallTime, now: WallTime) -> Message {
    let time = if when::date(taken) == when::date(now) { when::clock(taken) } else { when::date_time(taken) };
    let message = |key| Message::new(key).text("time", time.as_str());
    if taken.ns_since(now) > CLOCKS_DIFFER_NS {
        return message("tile-still");
    }
    let secs = now.saturating_since(taken).as_secs().max(1);
    let count = |unit_secs: u64| usize::try_from(secs / unit_secs).unwrap_or(usize::MAX);
    match secs {
        0..60 => message("tile-still-seconds").count("count", count(1)),
        60..3600 => message("tile-still-minutes").count("count", count(60)),
        3600..86_400 => message("tile-still-hours").count("count", count(3600)),
        _ => message("tile-still-days").count("count", count(86_400)),
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
    fn a_picture_that_does_not_reach_the_disk_says_so_with_the_cause() {
        let deaf = caption(&seen(Phase::Live, true), Some(Health::Soundless(minhbach_model::SoundState::Missing)));
        assert_eq!((deaf.mood, deaf.message), (Mood::Attention, Message::new("sound-missing")));
        let full = Some(Health::NotRecorded(minhbach_model::FailureKind::DiskFull));
        for phase in [Phase::Live, Phase::CatchingUp] {
            let caption = caption(&seen(phase, true), full);
            assert_eq!((caption.mood, caption.dimmed), (Mood::Alarm, false));
            assert_eq!(text(&caption.message), "Không ghi được: ổ đĩa đầy");
        }
        // What was recorded before is there to be played.
        let replay = Seen { playback: true, ..seen(Phase::Replay, true) };
        assert_eq!(caption(&replay, full).mood, Mood::Quiet);
    }

    #[test]
    fn a_still_says_when_it_was_taken_and_how_long_ago() {
        let taken: WallTime = "2026-11-24T07:05:12Z".parse().unwrap();
        let after = |secs: i64| still_age(taken, taken.offset_ns(secs * 1_000_000_000));
        let cases = [
            (0, "Hình cuối lúc 14:05:12, cách đây 1 giây"),
            (59, "Hình cuối lúc 14:05:12, cách đây 59 giây"),
            (185, "Hình cuối lúc 14:05:12, cách đây 3 phút"),
            (7_300, "Hình cuối lúc 14:05:12, cách đây 2 giờ"),
            // The next day by the clock on the wall: the time alone would mislead.
            (36_000, "Hình cuối lúc 24/11/2026 14:05:12, cách đây 10 giờ"),
            (400_000, "Hình cuối lúc 24/11/2026 14:05:12, cách đây 4 ngày"),
            (-1, "Hình cuối lúc 14:05:12, cách đây 1 giây"),
            (-60, "Hình cuối lúc 14:05:12"),
        ];
        for (secs, expected) in cases {
            assert_eq!(text(&after(secs)), expected);
        }
        let english = |secs| after(secs).show(&crate::text::Text::new(crate::text::Lang::En));
        assert_eq!(english(185), "Last picture at 14:05:12, 3 min ago");
        assert!(english(90_000).ends_with("1 day ago") && english(200_000).ends_with("2 days ago"));
    }

    #[test]
    fn a_wall_whose_server_has_not_answered_does_not_look_live() {
        let opening = opening();
        assert_ne!(opening.mood, Mood::Good);
        assert_ne!(text(&opening.message), text(&Message::new("tile-live")));
    }

    #[test]
    fn zoom_is_written_with_one_decimal() {
        assert_eq!(zoom_text(2.52, |value| format!("{value:.1}").replace('.', ",")), "×2,5");
    }
}
