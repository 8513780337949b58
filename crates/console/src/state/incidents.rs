//! Incidents: the list as the server tells it, its filter, the selected one and its unsent changes.

use minhbach_model::{Incident, IncidentCategory, IncidentId, IncidentState};

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
        }
    }

    /// Whether it differs from what the server has.
    #[must_use]
    pub fn differs(&self, incident: &Incident) -> bool {
        self.state != incident.state || self.category != incident.draft.category || self.note != incident.draft.note
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
}

impl Incidents {
    /// An incident.
    #[must_use]
    pub fn get(&self, id: IncidentId) -> Option<&Incident> {
        self.list.iter().find(|incident| incident.id == id)
    }

    /// Takes one in, new or changed.
    pub fn put(&mut self, incident: Incident) {
        if self.edit.as_ref().is_some_and(|edit| edit.id == incident.id) {
            self.edit = Some(Edit::of(&incident));
        }
        match self.list.iter_mut().find(|known| known.id == incident.id) {
            Some(known) => *known = incident,
            None => self.list.insert(0, incident),
        }
    }

    /// Takes the whole list in. Changes not yet sent stay, unless the incident is gone or was changed elsewhere
    /// while nothing was typed here.
    pub fn replace(&mut self, list: Vec<Incident>) {
        if let Some(edit) = self.edit.take() {
            let before = self.list.iter().find(|incident| incident.id == edit.id);
            let typed = before.is_some_and(|before| edit.differs(before));
            let after = list.iter().find(|incident| incident.id == edit.id);
            self.edit = after.map(|after| if typed { edit } else { Edit::of(after) });
        }
        self.list = list;
        self.loaded = true;
    }

    /// Takes one out.
    pub fn remove(&mut self, id: IncidentId) {
        self.list.retain(|incident| incident.id != id);
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
