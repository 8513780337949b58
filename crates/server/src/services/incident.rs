//! Incidents: flagged, listed, changed, closed.

use std::sync::Arc;
use std::time::Duration;

use minhbach_api::convert;
use minhbach_api::v1;
use minhbach_api::v1::incident_service_server::IncidentService;
use minhbach_index::{IncidentChange, IncidentFilter};
use minhbach_model::{Incident, IncidentDraft, IncidentId, IncidentState, WallRange, WallTime};
use tonic::{Request, Response, Status};

use super::refuse::{
    bad_page_token, bad_request, check_name, check_note, index_status, range_empty, range_future, range_too_long,
    too_many_cameras, undo_too_late,
};
use super::{Shared, known};

/// Longest flagged range.
const RANGE_MAX: Duration = Duration::from_secs(86_400);
/// Most cameras of one incident.
const CAMERAS_MAX: usize = 64;
/// A flag can be taken back for so long …
const UNDO_SECS: u64 = 10;
/// … and a little longer for the way to the server.
const UNDO_NS: i64 = 12_000_000_000;
/// What was flagged may end so much later than now: the clock of a console is not the server's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

pub(super) struct Incidents(pub Arc<Shared>);

impl Incidents {
    fn id(text: &str) -> Result<IncidentId, Status> {
        convert::id("id", text).map_err(bad_request)
    }
}

#[tonic::async_trait]
impl IncidentService for Incidents {
    async fn flag_incident(
        &self,
        request: Request<v1::FlagIncidentRequest>,
    ) -> Result<Response<v1::FlagIncidentResponse>, Status> {
        let mut draft = IncidentDraft::try_from(request.into_inner()).map_err(bad_request)?;
        draft.author = check_name("author", &draft.author)?;
        check_note(&draft.note)?;
        if draft.range.duration() > RANGE_MAX {
            return Err(range_too_long(RANGE_MAX));
        }
        if draft.cameras.len() > CAMERAS_MAX {
            return Err(too_many_cameras(draft.cameras.len(), CAMERAS_MAX));
        }
        known::check(&self.0, &draft.cameras).await?;
        let now = self.0.clock.now();
        if draft.range.end > now + CLOCKS_DIFFER {
            return Err(range_future());
        }
        let incident = Incident {
            id: IncidentId::generate(),
            draft,
            state: IncidentState::New,
            created: now,
            updated: now,
            version: 1,
        };
        self.0.index.insert_incident(&incident).await.map_err(index_status)?;
        tracing::info!(incident = %incident.id, author = incident.draft.author, "incident flagged");
        Ok(Response::new(v1::FlagIncidentResponse { incident: Some((&incident).into()) }))
    }

    async fn list_incidents(
        &self,
        request: Request<v1::ListIncidentsRequest>,
    ) -> Result<Response<v1::ListIncidentsResponse>, Status> {
        let request = request.into_inner();
        let from = convert::optional_wall(request.from_wall_ns).unwrap_or(WallTime(i64::MIN));
        let to = convert::optional_wall(request.to_wall_ns).unwrap_or(WallTime(i64::MAX));
        let range = match WallRange::new(from, to) {
            None => return Err(range_empty("to_wall_ns: must be later than from_wall_ns")),
            Some(range) if range.start.0 == i64::MIN && range.end.0 == i64::MAX => None,
            some => some,
        };
        let state = convert::unless_unspecified("state", request.state, convert::incident::incident_state)
            .map_err(bad_request)?;
        let camera = convert::optional_id("camera_id", &request.camera_id).map_err(bad_request)?;
        if let Some(camera) = camera {
            known::check(&self.0, &[camera]).await?;
        }
        let before = page_token(&request.page_token)?;
        let limit = if request.page_size == 0 { 200 } else { request.page_size.min(1000) };
        let filter = IncidentFilter { range, state, camera };
        let incidents = self.0.index.incidents(&filter, before, limit).await.map_err(index_status)?;
        let full = incidents.len() >= limit as usize;
        let next_page_token = incidents
            .last()
            .filter(|_| full)
            .map_or_else(String::new, |last| format!("{}:{}", last.created.0, last.id));
        let incidents = incidents.iter().map(Into::into).collect();
        Ok(Response::new(v1::ListIncidentsResponse { incidents, next_page_token }))
    }

    async fn get_incident(
        &self,
        request: Request<v1::GetIncidentRequest>,
    ) -> Result<Response<v1::GetIncidentResponse>, Status> {
        let id = Self::id(&request.into_inner().id)?;
        let incident = self.0.index.incident(id).await.map_err(index_status)?;
        Ok(Response::new(v1::GetIncidentResponse { incident: Some((&incident).into()) }))
    }

    async fn update_incident(
        &self,
        request: Request<v1::UpdateIncidentRequest>,
    ) -> Result<Response<v1::UpdateIncidentResponse>, Status> {
        let request = request.into_inner();
        let id = Self::id(&request.id)?;
        let state = convert::unless_unspecified("state", request.state, convert::incident::incident_state)
            .map_err(bad_request)?;
        let category = convert::unless_unspecified("category", request.category, convert::incident::incident_category)
            .map_err(bad_request)?;
        if let Some(note) = &request.note {
            check_note(note)?;
        }
        let change = IncidentChange { state, category, note: request.note, ..IncidentChange::default() };
        let now = self.0.clock.now();
        let incident = self.0.index.update_incident(id, request.version, &change, now).await.map_err(index_status)?;
        tracing::info!(incident = %id, state = ?incident.state, "incident changed");
        Ok(Response::new(v1::UpdateIncidentResponse { incident: Some((&incident).into()) }))
    }

    async fn undo_incident(
        &self,
        request: Request<v1::UndoIncidentRequest>,
    ) -> Result<Response<v1::UndoIncidentResponse>, Status> {
        let id = Self::id(&request.into_inner().id)?;
        let incident = self.0.index.incident(id).await.map_err(index_status)?;
        if self.0.clock.now().ns_since(incident.created) > UNDO_NS {
            return Err(undo_too_late(UNDO_SECS));
        }
        self.0.index.remove_incident(id).await.map_err(index_status)?;
        Ok(Response::new(v1::UndoIncidentResponse {}))
    }
}

/// `<created>:<id>` of the last incident sent.
fn page_token(token: &str) -> Result<Option<(WallTime, IncidentId)>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parsed = token.split_once(':').and_then(|(at, id)| Some((WallTime(at.parse().ok()?), id.parse().ok()?)));
    parsed.map(Some).ok_or_else(bad_page_token)
}
