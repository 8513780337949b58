//! Incidents: flag, list, change, take back.

use minhbach_api::convert::{id_or_empty, required};
use minhbach_api::v1;
use minhbach_api::v1::incident_service_client::IncidentServiceClient;
use minhbach_model::{CameraId, Incident, IncidentCategory, IncidentDraft, IncidentId, IncidentState, WallRange};
use tonic::transport::Channel;

use crate::{CALL_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES, Pages, unary};

/// Which incidents; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentFilter {
    /// Those that touch this range.
    pub range: Option<WallRange>,
    /// Those in this state.
    pub state: Option<IncidentState>,
    /// Those of this camera.
    pub camera: Option<CameraId>,
}

/// A change of an incident; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentChange {
    /// Its new state.
    pub state: Option<IncidentState>,
    /// Its new category.
    pub category: Option<IncidentCategory>,
    /// Its new note, which may be empty.
    pub note: Option<String>,
}

impl Client {
    fn incident_service(&self) -> IncidentServiceClient<Channel> {
        IncidentServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES)
    }

    /// Flags an incident.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn flag_incident(&self, draft: &IncidentDraft) -> Result<Incident, ClientError> {
        let message = v1::FlagIncidentRequest::from(draft);
        let mut service = self.incident_service();
        let answer = self.answer(CALL_LIMIT, service.flag_incident(unary(message, CALL_LIMIT))).await?;
        incident(answer.incident)
    }

    /// Takes back a flag within ten seconds of setting it.
    ///
    /// # Errors
    /// [`crate::ClientErrorKind::Refused`] when it is too late.
    pub async fn undo_incident(&self, id: IncidentId) -> Result<(), ClientError> {
        let message = v1::UndoIncidentRequest { id: id.to_string() };
        let mut service = self.incident_service();
        self.answer(CALL_LIMIT, service.undo_incident(unary(message, CALL_LIMIT))).await?;
        Ok(())
    }

    /// One incident.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn incident(&self, id: IncidentId) -> Result<Incident, ClientError> {
        let message = v1::GetIncidentRequest { id: id.to_string() };
        let mut service = self.incident_service();
        let answer = self.answer(CALL_LIMIT, service.get_incident(unary(message, CALL_LIMIT))).await?;
        incident(answer.incident)
    }

    /// Incidents that match, newest first.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, ClientError> {
        let mut service = self.incident_service();
        let mut incidents = Vec::new();
        let mut pages = Pages::new();
        loop {
            let message = v1::ListIncidentsRequest {
                from_wall_ns: filter.range.map_or(0, |range| range.start.0),
                to_wall_ns: filter.range.map_or(0, |range| range.end.0),
                state: state_or_unspecified(filter.state),
                camera_id: id_or_empty(filter.camera),
                page_size: 0,
                page_token: pages.token(),
            };
            let answer = self.answer(CALL_LIMIT, service.list_incidents(unary(message, CALL_LIMIT))).await?;
            for message in answer.incidents {
                incidents.push(incident(Some(message))?);
            }
            if !pages.advance(answer.next_page_token)? {
                return Ok(incidents);
            }
        }
    }

    /// Changes an incident; `version` is the one the change is based on.
    ///
    /// # Errors
    /// [`crate::ClientErrorKind::Conflict`] when somebody else changed it in between.
    pub async fn update_incident(
        &self,
        id: IncidentId,
        version: u64,
        change: IncidentChange,
    ) -> Result<Incident, ClientError> {
        let category = change.category.map_or(v1::IncidentCategory::Unspecified, v1::IncidentCategory::from);
        let message = v1::UpdateIncidentRequest {
            id: id.to_string(),
            version,
            state: state_or_unspecified(change.state),
            category: category.into(),
            note: change.note,
        };
        let mut service = self.incident_service();
        let answer = self.answer(CALL_LIMIT, service.update_incident(unary(message, CALL_LIMIT))).await?;
        incident(answer.incident)
    }
}

fn state_or_unspecified(state: Option<IncidentState>) -> i32 {
    state.map_or(v1::IncidentState::Unspecified, v1::IncidentState::from).into()
}

fn incident(message: Option<v1::Incident>) -> Result<Incident, ClientError> {
    required("incident", message, "the incident")
        .and_then(|message| Incident::try_from(message).map_err(|error| error.within("incident")))
        .map_err(ClientError::answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_state_means_any_and_a_state_means_itself() {
        assert_eq!(state_or_unspecified(None), 0);
        assert_eq!(state_or_unspecified(Some(IncidentState::Closed)), i32::from(v1::IncidentState::Closed));
    }

    #[test]
    fn an_empty_answer_is_refused() {
        let error = incident(None).unwrap_err();
        assert_eq!(error.kind(), crate::ClientErrorKind::Broken);
    }
}
