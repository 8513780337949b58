//! Incidents.

use minhbach_model::{Incident, IncidentDraft};

use super::{ConvertError, START_END, id, ids, range, same_enum, wall};
use crate::v1;

same_enum!(incident_state, IncidentState, "new, in progress, shelved or closed", [New, InProgress, Shelved, Closed]);
same_enum!(
    incident_category,
    IncidentCategory,
    "a category of incidents",
    [Unsorted, Conduct, Payment, Obstruction, Absence, Tampering, Safety, Other]
);

impl From<&IncidentDraft> for v1::FlagIncidentRequest {
    fn from(draft: &IncidentDraft) -> Self {
        Self {
            start_wall_ns: draft.range.start.0,
            end_wall_ns: draft.range.end.0,
            camera_ids: draft.cameras.iter().map(ToString::to_string).collect(),
            category: v1::IncidentCategory::from(draft.category).into(),
            note: draft.note.clone(),
            author: draft.author.clone(),
        }
    }
}

impl TryFrom<v1::FlagIncidentRequest> for IncidentDraft {
    type Error = ConvertError;

    fn try_from(request: v1::FlagIncidentRequest) -> Result<Self, ConvertError> {
        Ok(Self {
            range: range(START_END, request.start_wall_ns, request.end_wall_ns)?,
            cameras: ids("camera_ids", &request.camera_ids)?,
            category: incident_category("category", request.category)?,
            note: request.note,
            author: request.author,
        })
    }
}

impl From<&Incident> for v1::Incident {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id.to_string(),
            start_wall_ns: incident.draft.range.start.0,
            end_wall_ns: incident.draft.range.end.0,
            camera_ids: incident.draft.cameras.iter().map(ToString::to_string).collect(),
            category: v1::IncidentCategory::from(incident.draft.category).into(),
            note: incident.draft.note.clone(),
            author: incident.draft.author.clone(),
            state: v1::IncidentState::from(incident.state).into(),
            created_wall_ns: incident.created.0,
            updated_wall_ns: incident.updated.0,
            version: incident.version,
        }
    }
}

impl TryFrom<v1::Incident> for Incident {
    type Error = ConvertError;

    fn try_from(incident: v1::Incident) -> Result<Self, ConvertError> {
        Ok(Self {
            id: id("id", &incident.id)?,
            draft: IncidentDraft {
                range: range(START_END, incident.start_wall_ns, incident.end_wall_ns)?,
                cameras: ids("camera_ids", &incident.camera_ids)?,
                category: incident_category("category", incident.category)?,
                note: incident.note,
                author: incident.author,
            },
            state: incident_state("state", incident.state)?,
            created: wall("created_wall_ns", incident.created_wall_ns)?,
            updated: wall("updated_wall_ns", incident.updated_wall_ns)?,
            version: incident.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, IncidentCategory, IncidentId, IncidentState, WallRange, WallTime};

    use super::*;
    use crate::convert::unless_unspecified;

    fn incident() -> Incident {
        Incident {
            id: IncidentId::generate(),
            draft: IncidentDraft {
                range: WallRange { start: WallTime(10), end: WallTime(70) },
                cameras: vec![CameraId::generate(), CameraId::generate()],
                category: IncidentCategory::Payment,
                note: "phong bì".to_owned(),
                author: "truc-ban-1".to_owned(),
            },
            state: IncidentState::InProgress,
            created: WallTime(80),
            updated: WallTime(90),
            version: 3,
        }
    }

    #[test]
    fn an_incident_and_its_draft_come_back_as_they_were() {
        let incident = incident();
        let draft = incident.draft.clone();
        assert_eq!(IncidentDraft::try_from(v1::FlagIncidentRequest::from(&draft)), Ok(draft));
        assert_eq!(Incident::try_from(v1::Incident::from(&incident)), Ok(incident));
    }

    #[test]
    fn a_flag_needs_a_camera_a_range_and_a_category() {
        let good = v1::FlagIncidentRequest::from(&incident().draft);
        let field = |request: v1::FlagIncidentRequest| IncidentDraft::try_from(request).unwrap_err().field;
        assert_eq!(field(v1::FlagIncidentRequest { camera_ids: Vec::new(), ..good.clone() }), "camera_ids");
        assert_eq!(field(v1::FlagIncidentRequest { end_wall_ns: 10, ..good.clone() }), "end_wall_ns");
        assert_eq!(field(v1::FlagIncidentRequest { category: 0, ..good }), "category");
    }

    #[test]
    fn unspecified_can_stand_for_any_state_and_unknown_cannot() {
        assert_eq!(unless_unspecified("state", 0, incident_state), Ok(None));
        let closed = v1::IncidentState::Closed.into();
        assert_eq!(unless_unspecified("state", closed, incident_state), Ok(Some(IncidentState::Closed)));
        assert!(unless_unspecified("state", 55, incident_state).is_err());
    }
}
