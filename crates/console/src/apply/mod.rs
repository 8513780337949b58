//! The only place where the state changes: commands of a person, results of the network, the passing of time.
//!
//! What belongs here: one file a topic. No drawing, and no waiting for anything.

mod export;
mod holds;
mod playback;
mod reply;
mod server;
mod shell;
mod wall;

use std::time::Instant;

use minhbach_model::WallTime;

pub use reply::reply;

use crate::command::Command;
use crate::net::{Net, Problem, Request};
use crate::players::Players;
use crate::state::State;
use crate::state::export::Trouble;
use crate::state::holds::Dialog as HoldDialog;
use crate::state::shell::{Link, Page, Tone};
use crate::text::{Message, Text, refusal, server_error};

/// What a change may touch.
pub struct Target<'a> {
    /// The state.
    pub state: &'a mut State,
    /// The texts; replaced when the language changes.
    pub text: &'a mut Text,
    /// To ask the server.
    pub net: &'a Net,
    /// To step.
    pub players: &'a Players,
    /// The window.
    pub egui: &'a egui::Context,
    /// This frame.
    pub now: Instant,
    /// This frame, as wall time.
    pub wall_now: WallTime,
}

impl Target<'_> {
    /// Asks the server; says so when that is not possible.
    fn ask(&mut self, request: Request) -> bool {
        let asked = self.net.ask(request);
        if !asked {
            self.state.shell.say(Tone::Attention, Message::new("error-busy"), self.now);
        }
        asked
    }

    /// Shows why something failed, with the exact failure for a technician.
    fn fail(&mut self, what: &'static str, problem: &Problem) {
        tracing::warn!(what, kind = ?problem.kind, detail = %problem.detail, "a request failed");
        let why = why(problem).show(self.text);
        self.state.shell.complain(Message::new(what).text("why", why), problem.detail.clone(), self.now);
    }

    /// Asks for the list of incidents.
    fn ask_incidents(&mut self) {
        if self.ask(Request::Incidents) {
            self.state.incidents.asked = Some(self.now);
        }
    }

    fn say(&mut self, message: Message) {
        self.state.shell.say(Tone::Info, message, self.now);
    }
}

/// Why a request failed, in words: the reason the server gives, else what kind of failure it is. The server's own
/// sentence is in [`Problem::detail`].
fn why(problem: &Problem) -> Message {
    match &problem.refusal {
        Some(reason) => refusal(reason),
        None => Message::new(server_error(problem.kind)),
    }
}

/// The same, kept with the exact failure.
fn trouble(problem: Problem) -> Trouble {
    Trouble { message: why(&problem), detail: problem.detail }
}

/// Applies one command.
pub fn command(target: &mut Target<'_>, command: Command) {
    match command {
        Command::Wall(command) => wall::apply(target, command),
        Command::Playback(command) => playback::apply(target, command),
        Command::Export(command) => export::apply(target, command),
        Command::Hold(command) => holds::apply(target, command),
        Command::Server(command) => server::apply(target, command),
        Command::Shell(command) => shell::apply(target, command),
    }
}

/// What happens by itself as time passes. Once a frame.
pub fn tick(target: &mut Target<'_>) {
    let now = target.now;
    target.state.shell.toasts.retain(|toast| !toast.is_over(now));
    let shell = &target.state.shell;
    if shell.page == Page::Incidents && shell.link == Link::Up && target.state.incidents.is_old(now) {
        // Asked for at most every few seconds even when the network has no room: said once, not each frame.
        target.state.incidents.asked = Some(now);
        target.ask_incidents();
    }
    removed_cameras(target);
    holds::tick(target);
    playback::tick(target);
}

/// Asks for the cameras that were removed: at once when that is due, and again while they are looked at, in the tree of
/// the playback page or by their names in the lists.
fn removed_cameras(target: &mut Target<'_>) {
    let shell = &target.state.shell;
    let listed = matches!(target.state.holds.dialog, Some(HoldDialog::List));
    let looked_at = listed || matches!(shell.page, Page::Playback | Page::Incidents);
    if shell.link == Link::Up && target.state.cameras.removed_is_due(looked_at, target.now) {
        // At most every few seconds even when the network has no room: said once, not each frame.
        target.state.cameras.removed_asked = Some(target.now);
        target.ask(Request::RemovedCameras);
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{Refusal, RefusalReason};

    use super::*;
    use crate::net::ErrorKind;
    use crate::text::Lang;

    #[test]
    fn a_refusal_says_the_servers_reason_in_the_operators_words_and_keeps_its_own_for_a_technician() {
        let detail = "main_url: the address starts with `http:`, which is not supported: only rtsp:// is";
        let reason = Refusal::new(RefusalReason::UrlScheme).with("field", "main_url").with("scheme", "http");
        let known = Problem { kind: ErrorKind::Refused, detail: detail.to_owned(), refusal: Some(reason) };
        let unknown = Problem { refusal: None, ..known.clone() };
        for lang in [Lang::Vi, Lang::En] {
            let text = Text::new(lang);
            let (told, not_told) = (why(&known).show(&text), why(&unknown).show(&text));
            assert!(told.contains("http:") && told.contains("rtsp://") && !told.contains("not supported"), "{told}");
            assert!(!not_told.contains("http:") && not_told != told, "{not_told}");
        }
        assert_eq!(trouble(known).detail, detail);
    }
}
