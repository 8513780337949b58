//! Entries of the palette and what a query finds.

use crate::command::{Command, ServerCommand, ShellCommand, TABLE, WallCommand, keys_text};
use crate::search;
use crate::state::State;
use crate::state::shell::Page;
use crate::text::Text;

/// Entries shown at most: who sees more reads none.
const SHOWN: usize = 12;

/// A found entry.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says.
    pub title: String,
    /// Where a camera stands, or the keys of a command.
    pub detail: String,
    /// What it does.
    pub commands: Vec<Command>,
}

/// Commands first while nothing is typed, then cameras; best matches first.
#[must_use]
pub fn found(state: &State, text: &Text, query: &str) -> Vec<Found> {
    let keys = &state.shell.settings.keys;
    let commands = TABLE.iter().filter(|entry| entry.palette).map(|entry| {
        let mut commands = vec![entry.command.clone()];
        if !entry.on.covers(state.shell.page) {
            // A command of another page takes one there first.
            let page = Page::ALL.into_iter().find(|page| entry.on.covers(*page)).unwrap_or_default();
            commands.insert(0, ShellCommand::Page(page).into());
        }
        Found { title: text.get(entry.key, None), detail: keys_text(keys, entry, text), commands }
    });
    let cameras = state.cameras.list.iter().map(|status| {
        let id = status.camera.id;
        let show: Command = match state.shell.page {
            Page::Cameras => ServerCommand::SelectCamera(id).into(),
            Page::Live | Page::Playback | Page::Incidents => WallCommand::Show(id).into(),
        };
        let detail = state.cameras.place_line(status.camera.draft.contact_point).unwrap_or_default();
        Found { title: status.camera.draft.name.clone(), detail, commands: vec![show] }
    });
    let mut found: Vec<(usize, Found)> = cameras
        .chain(commands)
        .filter(|entry| search::matches(query, &format!("{} {}", entry.title, entry.detail)))
        .map(|entry| (rank(query, &entry.title), entry))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).take(SHOWN).collect()
}

/// Lower is better: the title begins with the query, a word of it does, it only contains it.
fn rank(query: &str, title: &str) -> usize {
    let (query, title) = (search::fold(query.trim()), search::fold(title));
    if title.starts_with(&query) {
        0
    } else if title.split_whitespace().any(|word| word.starts_with(&query)) {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_begin_with_the_query_come_first() {
        assert_eq!(rank("quay", "Quầy 1"), 0);
        assert_eq!(rank("mot", "Quầy Một cửa"), 1);
        assert_eq!(rank("ay", "Quầy 1"), 2);
    }
}
