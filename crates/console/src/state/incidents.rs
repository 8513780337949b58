//! Incidents: the list as the server tells it, its filter, the selected one and its unsent changes.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use minhbach_client::IncidentChange;
use minhbach_model::{Incident, IncidentCategory, IncidentId, IncidentState};

use crate::search::compose;

/// How often the list is asked for while it is looked at.
const REFRESH: Duration = Duration::from_secs(10);

/// Changes typed into the detail editor and not yet sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The incident.
    pub id: IncidentId,
    /// The version the changes are based on.
    pub version: u64,
    /// State.
    pub state: IncidentState,
    /// Category.
    pub category: IncidentCategory,
    /// Note.
    pub note: String,
    /// What the changes are based on.
    base: Base,
}

/// What the server had when the changes were begun.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    state: IncidentState,
    category: IncidentCategory,
    note: String,
}

impl Edit {
    /// No change yet.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self {
            id: incident.id,
            version: incident.version,
            state: incident.state,
            category: incident.draft.category,
            note: incident.draft.note.clone(),
            base: Base { state: incident.state, category: incident.draft.category, note: incident.draft.note.clone() },
        }
    }

    /// Whether anything was changed here.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.state != self.base.state || self.category != self.base.category || self.note != self.base.note
    }

    /// The changes to send.
    #[must_use]
    pub fn change(&self) -> IncidentChange {
        let note = compose(self.note.trim());
        IncidentChange {
            state: (self.state != self.base.state).then_some(self.state),
            category: (self.category != self.base.category).then_some(self.category),
            note: (note != self.base.note).then_some(note),
        }
    }

    /// The same changes, based on what the server has now. What was not touched follows the server.
    #[must_use]
    pub fn rebased(&self, incident: &Incident) -> Self {
        let now = Self::of(incident);
        let change = self.change();
        let note =
            if change.note.as_ref().is_some_and(|note| *note != now.note) { self.note.clone() } else { now.note };
        Self {
            state: change.state.unwrap_or(now.state),
            category: change.category.unwrap_or(now.category),
            note,
            ..now
        }
    }
}

/// State of the incidents page.
#[derive(Debug, Default)]
pub struct Incidents {
    /// Newest first.
    pub list: Vec<Incident>,
    /// The server has told them.
    pub loaded: bool,
    /// Only this state.
    pub filter: Option<IncidentState>,
    /// Search.
    pub query: String,
    /// The selected one, with its changes.
    pub edit: Option<Edit>,
    /// Changes of others that are not sent yet.
    pub drafts: HashMap<IncidentId, Edit>,
    /// Those that somebody else changed meanwhile: their changes here are based on the next list.
    pub conflicts: HashSet<IncidentId>,
    /// When the list was asked for last.
    pub asked: Option<Instant>,
}

impl Incidents {
    /// An incident.
    #[must_use]
    pub fn get(&self, id: IncidentId) -> Option<&Incident> {
        self.list.iter().find(|incident| incident.id == id)
    }

    /// Selects one. What was typed for another is kept for when it is selected again.
    pub fn select(&mut self, id: IncidentId) {
        if self.edit.as_ref().is_some_and(|edit| edit.id == id) {
            return;
        }
        let Some(next) = self.get(id).map(Edit::of) else { return };
        let next = self.drafts.remove(&id).unwrap_or(next);
        if let Some(before) = self.edit.replace(next)
            && before.is_changed()
        {
            self.drafts.insert(before.id, before);
        }
    }

    /// Whether the list is to be asked for again.
    #[must_use]
    pub fn is_old(&self, now: Instant) -> bool {
        self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= REFRESH)
    }

    /// Takes one in, new or changed here.
    pub fn put(&mut self, incident: Incident) {
        self.conflicts.remove(&incident.id);
        if let Some(edit) = self.edit.as_mut().filter(|edit| edit.id == incident.id) {
            *edit = edit.rebased(&incident);
        }
        if let Some(draft) = self.drafts.get_mut(&incident.id) {
            *draft = draft.rebased(&incident);
        }
        match self.list.iter_mut().find(|known| known.id == incident.id) {
            Some(known) => *known = incident,
            None => self.list.insert(0, incident),
        }
    }

    /// Takes the whole list in. Changes not yet sent stay, unless the incident is gone or was changed elsewhere
    /// while nothing was typed here.
    pub fn replace(&mut self, list: Vec<Incident>) {
        let conflicts = std::mem::take(&mut self.conflicts);
        let follow = |edit: Edit| {
            let after = list.iter().find(|incident| incident.id == edit.id)?;
            // A version of somebody else is taken over only after the server has refused: until then the person here
            // does not know of it.
            let keep = edit.is_changed() && !conflicts.contains(&edit.id);
            Some(if keep { edit } else { edit.rebased(after) })
        };
        self.edit = self.edit.take().and_then(follow);
        let drafts = std::mem::take(&mut self.drafts);
        self.drafts = drafts.into_values().filter_map(follow).map(|edit| (edit.id, edit)).collect();
        self.list = list;
        self.loaded = true;
    }

    /// Takes one out.
    pub fn remove(&mut self, id: IncidentId) {
        self.list.retain(|incident| incident.id != id);
        self.drafts.remove(&id);
        self.edit = self.edit.take().filter(|edit| edit.id != id);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use minhbach_model::{CameraId, IncidentDraft, WallRange, WallTime};

    pub(crate) fn incident(note: &str, state: IncidentState) -> Incident {
        Incident {
            id: IncidentId::generate(),
            draft: IncidentDraft {
                range: WallRange { start: WallTime::from_secs(1_795_000_000), end: WallTime::from_secs(1_795_000_060) },
                cameras: vec![CameraId::generate()],
                category: IncidentCategory::Unsorted,
                note: note.to_owned(),
                author: "ca-truc-1".to_owned(),
            },
            state,
            created: WallTime::from_secs(1_795_000_060),
            updated: WallTime::from_secs(1_795_000_060),
            version: 1,
        }
    }

    #[test]
    fn what_is_typed_survives_a_refresh() {
        let one = incident("", IncidentState::New);
        let mut page = Incidents::default();
        page.replace(vec![one.clone()]);
        page.edit = Some(Edit { note: "đang gõ".to_owned(), ..Edit::of(&one) });
        page.replace(vec![one.clone()]);
        assert_eq!(page.edit.as_ref().map(|edit| edit.note.as_str()), Some("đang gõ"));
        page.replace(Vec::new());
        assert_eq!(page.edit, None, "the incident is gone");
    }

    #[test]
    fn an_untouched_editor_follows_the_server() {
        let one = incident("", IncidentState::New);
        let mut page = Incidents::default();
        page.replace(vec![one.clone()]);
        page.edit = Some(Edit::of(&one));
        let closed = Incident { state: IncidentState::Closed, version: 2, ..one };
        page.replace(vec![closed]);
        assert_eq!(page.edit.as_ref().map(|edit| (edit.state, edit.version)), Some((IncidentState::Closed, 2)));
    }

    #[test]
    fn after_a_conflict_the_typed_text_goes_with_the_new_version() {
        let one = incident("", IncidentState::New);
        let mut page = Incidents::default();
        page.replace(vec![one.clone()]);
        page.edit = Some(Edit { note: "đang gõ ".to_owned(), ..Edit::of(&one) });
        let closed = Incident { state: IncidentState::Closed, version: 2, ..one.clone() };
        page.replace(vec![closed.clone()]);
        assert_eq!(page.edit.as_ref().map(|edit| edit.version), Some(1), "nobody was told yet");
        page.conflicts.insert(one.id);
        page.replace(vec![closed]);
        let edit = page.edit.clone().unwrap();
        assert_eq!((edit.version, edit.state, edit.note.as_str()), (2, IncidentState::Closed, "đang gõ "));
        let change = edit.change();
        assert_eq!((change.state, change.note.as_deref()), (None, Some("đang gõ")));
        let mut saved = Incident { state: IncidentState::Closed, version: 3, ..one };
        saved.draft.note = "đang gõ".to_owned();
        page.put(saved);
        assert!(page.edit.as_ref().is_some_and(|edit| edit.version == 3 && !edit.is_changed()));
    }

    #[test]
    fn what_is_typed_for_one_is_there_again_when_it_is_selected_again() {
        let (one, two) = (incident("1", IncidentState::New), incident("2", IncidentState::New));
        let mut page = Incidents::default();
        page.replace(vec![one.clone(), two.clone()]);
        page.select(one.id);
        page.edit = Some(Edit { note: "đang gõ".to_owned(), ..Edit::of(&one) });
        page.select(two.id);
        assert_eq!(page.edit.as_ref().map(|edit| edit.note.as_str()), Some("2"));
        page.replace(vec![one.clone(), two]);
        page.select(one.id);
        assert_eq!(page.edit.as_ref().map(|edit| edit.note.as_str()), Some("đang gõ"));
        assert!(page.drafts.is_empty());
    }

    #[test]
    fn the_list_is_asked_for_every_ten_seconds() {
        let now = Instant::now();
        let page = Incidents { asked: Some(now), ..Incidents::default() };
        assert!(!page.is_old(now + Duration::from_secs(9)) && page.is_old(now + Duration::from_secs(10)));
        assert!(Incidents::default().is_old(now));
    }

    #[test]
    fn a_new_one_comes_first_and_a_changed_one_keeps_its_place() {
        let (one, two) = (incident("1", IncidentState::New), incident("2", IncidentState::New));
        let mut page = Incidents::default();
        page.put(one.clone());
        page.put(two.clone());
        page.put(Incident { version: 2, ..one.clone() });
        assert_eq!(page.list.iter().map(|incident| incident.id).collect::<Vec<_>>(), vec![two.id, one.id]);
        page.remove(two.id);
        assert_eq!(page.list.len(), 1);
    }
}
