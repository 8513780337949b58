//! What the status bar says when spool or archive need somebody: what is wrong in words, and what to do when pointed at.
//!
//! What is wrong most comes first. Where there is no archive, a disk that fills up to its watermarks is how it works, and
//! only asks for attention.

use egui::{RichText, Ui};
use minhbach_client::{ArchiveStatus, SpoolState};

use super::Ctx;
use crate::t;
use crate::text::{Message, Text};
use crate::theme::{fonts, tokens};
use crate::when;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What, in a few words.
    pub words: String,
    /// What it means and what to do.
    pub advice: String,
    /// What the server says, in English, for a technician; may be empty.
    pub detail: String,
    /// It is an alarm; otherwise it asks for attention.
    pub alarm: bool,
}

/// Everything that is wrong.
#[must_use]
pub fn notes(status: &ArchiveStatus, text: &Text) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |words: Message, advice: Message, detail: &str, alarm: bool| {
        let (words, advice) = (words.show(text), advice.show(text));
        notes.push(Note { words, advice, detail: detail.to_owned(), alarm });
    };
    if !status.interlock.is_empty() {
        note(Message::new("storage-locked"), Message::new("storage-locked-advice"), &status.interlock, true);
    }
    if !status.age_locked.is_empty() {
        note(Message::new("storage-age-locked"), Message::new("storage-age-locked-advice"), &status.age_locked, true);
    }
    if let Some((words, advice)) = spool(status) {
        let words = Message::new(words).text("percent", status.spool_used_percent.to_string());
        let full = matches!(status.spool, SpoolState::FullOfHeld | SpoolState::FullOfUnarchived);
        note(words, Message::new(advice), "", full || status.has_archive());
    }
    if status.has_archive() && !status.available {
        let words = match status.waiting_since {
            Some(since) => Message::new("storage-archive-lost-since").text("time", when::date_time(since)),
            None => Message::new("storage-archive-lost"),
        };
        let advice = Message::new("storage-archive-lost-advice").text("size", text.bytes(status.waiting_bytes));
        note(words, advice, &status.problem, true);
    }
    if status.damaged_segments > 0 {
        let count = usize::try_from(status.damaged_segments).unwrap_or(usize::MAX);
        note(Message::new("storage-damaged").count("count", count), Message::new("storage-damaged-advice"), "", true);
    }
    notes
}

/// The words and the advice about the spool; nothing while there is room.
fn spool(status: &ArchiveStatus) -> Option<(&'static str, &'static str)> {
    match status.spool {
        SpoolState::Fine => None,
        SpoolState::Alarm if status.has_archive() => Some(("storage-spool-alarm", "storage-spool-alarm-advice")),
        SpoolState::Alarm => Some(("storage-spool-alarm", "storage-disk-alarm-advice")),
        SpoolState::Deleting => Some(("storage-deleting", "storage-deleting-advice")),
        SpoolState::FullOfHeld => Some(("storage-full-of-held", "storage-full-of-held-advice")),
        SpoolState::FullOfUnarchived => Some(("storage-full-of-unarchived", "storage-full-of-unarchived-advice")),
    }
}

/// Draws them.
pub fn ui(ctx: &Ctx<'_>, ui: &mut Ui) {
    let Some(server) = &ctx.state.server else { return };
    for note in notes(&server.archive, ctx.text) {
        let color = if note.alarm { tokens::ALARM } else { tokens::ATTENTION };
        let label = ui.label(RichText::new(note.words).font(fonts::regular(12.0)).color(color));
        let mut tip = note.advice;
        if !note.detail.is_empty() {
            tip = format!("{tip}\n\n{}\n{}", t!(ctx, "technical-detail"), note.detail);
        }
        label.on_hover_text(tip);
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::WallTime;

    use super::*;
    use crate::text::Lang;

    fn fine(kind: &str) -> ArchiveStatus {
        ArchiveStatus {
            kind: kind.to_owned(),
            available: true,
            problem: String::new(),
            waiting_segments: 0,
            waiting_bytes: 0,
            waiting_since: None,
            spool_used_percent: 40,
            spool: SpoolState::Fine,
            interlock: String::new(),
            age_locked: String::new(),
            damaged_segments: 0,
            patrol_percent: None,
        }
    }

    fn of(status: &ArchiveStatus) -> Vec<Note> {
        notes(status, &Text::new(Lang::Vi))
    }

    #[test]
    fn nothing_is_said_while_all_is_well() {
        assert_eq!(of(&fine("s3")), Vec::new());
        assert_eq!(of(&ArchiveStatus { available: false, ..fine("none") }), Vec::new(), "there is none to be lost");
    }

    #[test]
    fn a_lost_archive_says_since_when_how_much_waits_and_why() {
        let since = "2026-11-24T07:05:09Z".parse::<WallTime>().unwrap();
        let status = ArchiveStatus {
            available: false,
            problem: "connection refused".to_owned(),
            waiting_since: Some(since),
            waiting_bytes: 3_400_000_000,
            ..fine("s3")
        };
        let notes = of(&status);
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(note.alarm && note.words.contains("24/11/2026 14:05:09"), "{note:?}");
        assert!(note.advice.contains("3,4 GB"), "{note:?}");
        assert_eq!(note.detail, "connection refused");
        let unknown = ArchiveStatus { waiting_since: None, ..status };
        assert!(!of(&unknown)[0].words.contains('{'), "{:?}", of(&unknown));
    }

    #[test]
    fn a_disk_that_rotates_is_no_alarm_and_one_that_cannot_is() {
        for spool in [SpoolState::Alarm, SpoolState::Deleting] {
            assert!(of(&ArchiveStatus { spool, ..fine("folder") })[0].alarm, "{spool:?}");
            assert!(!of(&ArchiveStatus { spool, ..fine("none") })[0].alarm, "{spool:?}");
        }
        for spool in [SpoolState::FullOfHeld, SpoolState::FullOfUnarchived] {
            assert!(of(&ArchiveStatus { spool, ..fine("none") })[0].alarm, "{spool:?}");
        }
    }

    #[test]
    fn what_is_wrong_most_comes_first_and_each_says_what_to_do_in_both_languages() {
        let status = ArchiveStatus {
            available: false,
            interlock: "another database".to_owned(),
            age_locked: "the clock".to_owned(),
            spool: SpoolState::FullOfUnarchived,
            damaged_segments: 2,
            ..fine("s3")
        };
        assert_eq!(of(&status)[0].detail, "another database");
        for lang in [Lang::Vi, Lang::En] {
            let notes = notes(&status, &Text::new(lang));
            assert_eq!(notes.len(), 5);
            for note in notes {
                assert!(!note.words.starts_with("storage-") && !note.advice.starts_with("storage-"), "{note:?}");
                assert!(!note.words.contains('{') && !note.advice.contains('{'), "{note:?}");
            }
        }
    }
}
