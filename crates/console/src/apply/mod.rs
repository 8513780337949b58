//! The only place where the state changes: commands of a person, results of the network, the passing of time.
//!
//! What belongs here: one file a topic. No drawing, and no waiting for anything.

mod export;
mod playback;
mod reply;
mod server;
mod shell;
mod wall;

use std::time::Instant;

use minhbach_model::WallTime;

pub use reply::reply;

use crate::command::Command;
use crate::net::{ErrorKind, Net, Problem, Request};
use crate::players::Players;
use crate::state::State;
use crate::state::shell::{Link, Page, Tone};
use crate::text::{Message, Text, server_error};

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

    /// Shows why something failed.
    fn fail(&mut self, what: &'static str, problem: &Problem) {
        tracing::warn!(what, kind = ?problem.kind, detail = %problem.detail, "a request failed");
        let why = why(problem).show(self.text);
        self.state.shell.say(Tone::Attention, Message::new(what).text("why", why), self.now);
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

/// Why a request failed, in words; where the server refuses, with the reason it gives.
fn why(problem: &Problem) -> Message {
    let message = Message::new(server_error(problem.kind));
    match problem.kind {
        ErrorKind::Refused => message.text("detail", problem.detail.as_str()),
        _ => message,
    }
}

/// Applies one command.
pub fn command(target: &mut Target<'_>, command: Command) {
    match command {
        Command::Wall(command) => wall::apply(target, command),
        Command::Playback(command) => playback::apply(target, command),
        Command::Export(command) => export::apply(target, command),
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
    playback::tick(target);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn a_refusal_says_the_servers_reason() {
        let problem = Problem { kind: ErrorKind::Refused, detail: "the name is taken".to_owned() };
        for lang in [Lang::Vi, Lang::En] {
            let text = why(&problem).show(&Text::new(lang));
            assert!(text.ends_with("the name is taken"), "{text}");
        }
    }
}
