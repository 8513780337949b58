//! Incidents in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{Incident, IncidentDraft, IncidentId, WallTime};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{PostgresIndex, rows};
use crate::error::explain;
use crate::{IncidentChange, IncidentFilter, IncidentIndex, IndexError, names};

const INCIDENT: &str = "incident";

macro_rules! columns {
    () => {
        "SELECT incident_id, camera_ids, start_wall_ns, end_wall_ns, category, note, author, state, created_wall_ns,
                updated_wall_ns, version FROM incidents "
    };
}

#[async_trait]
impl IncidentIndex for PostgresIndex {
    async fn insert_incident(&self, incident: &Incident) -> Result<(), IndexError> {
        check(&incident.draft)?;
        let exists = || IndexError::exists(INCIDENT, incident.id);
        let statement = sqlx::query(
            "INSERT INTO incidents (incident_id, camera_ids, start_wall_ns, end_wall_ns, category, note, author, state,
                                    created_wall_ns, updated_wall_ns, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(rows::uuid(incident.id.as_bytes()))
        .bind(rows::camera_uuids(&incident.draft.cameras))
        .bind(incident.draft.range.start.0)
        .bind(incident.draft.range.end.0)
        .bind(names::category_name(incident.draft.category))
        .bind(incident.draft.note.as_str())
        .bind(incident.draft.author.as_str())
        .bind(names::incident_state_name(incident.state))
        .bind(incident.created.0)
        .bind(incident.updated.0)
        .bind(rows::count_to_sql(INCIDENT, incident.version)?);
        // The table has no foreign key: only the first meaning can arise.
        self.writers.execute(statement).await.map_err(|error| explain(error, exists, exists))?;
        Ok(())
    }

    async fn incident(&self, id: IncidentId) -> Result<Incident, IndexError> {
        let statement = sqlx::query(concat!(columns!(), "WHERE incident_id = $1")).bind(rows::uuid(id.as_bytes()));
        let row = self.readers.optional(statement).await?.ok_or_else(|| IndexError::not_found(INCIDENT, id))?;
        incident(&row)
    }

    async fn incidents(
        &self,
        filter: &IncidentFilter,
        before: Option<(WallTime, IncidentId)>,
        limit: u32,
    ) -> Result<Vec<Incident>, IndexError> {
        // After every incident: no time is later, and no id is that one.
        let (before_created, before_id) =
            before.map_or((i64::MAX, Uuid::max()), |(created, id)| (created.0, rows::uuid(id.as_bytes())));
        let statement = sqlx::query(concat!(
            columns!(),
            "WHERE (created_wall_ns, incident_id) < ($1, $2)
               AND ($3 IS NULL OR end_wall_ns > $3) AND ($4 IS NULL OR start_wall_ns < $4)
               AND ($5 IS NULL OR state = $5) AND ($6 IS NULL OR $6 = ANY (camera_ids))
             ORDER BY created_wall_ns DESC, incident_id DESC LIMIT $7"
        ))
        .bind(before_created)
        .bind(before_id)
        .bind(filter.range.map(|range| range.start.0))
        .bind(filter.range.map(|range| range.end.0))
        .bind(filter.state.map(names::incident_state_name))
        .bind(filter.camera.map(|camera| rows::uuid(camera.as_bytes())))
        .bind(rows::page(limit));
        self.readers.all(statement).await?.iter().map(incident).collect()
    }

    async fn update_incident(
        &self,
        id: IncidentId,
        expected_version: u64,
        change: &IncidentChange,
        at: WallTime,
    ) -> Result<Incident, IndexError> {
        let mut incident = self.incident(id).await?;
        if incident.version != expected_version {
            return Err(IndexError::conflict(INCIDENT, id));
        }
        apply(&mut incident, change, at);
        check(&incident.draft)?;
        // Somebody else may have been faster since it was read: then its version is no longer the expected one.
        let statement = sqlx::query(
            "UPDATE incidents SET camera_ids = $3, start_wall_ns = $4, end_wall_ns = $5, category = $6, note = $7,
                                  state = $8, updated_wall_ns = $9, version = $10
             WHERE incident_id = $1 AND version = $2",
        )
        .bind(rows::uuid(id.as_bytes()))
        .bind(rows::count_to_sql(INCIDENT, expected_version)?)
        .bind(rows::camera_uuids(&incident.draft.cameras))
        .bind(incident.draft.range.start.0)
        .bind(incident.draft.range.end.0)
        .bind(names::category_name(incident.draft.category))
        .bind(incident.draft.note.as_str())
        .bind(names::incident_state_name(incident.state))
        .bind(incident.updated.0)
        .bind(rows::count_to_sql(INCIDENT, incident.version)?);
        if self.writers.execute(statement).await? == 0 {
            // Gone, or changed: the one that is still there tells.
            self.incident(id).await?;
            return Err(IndexError::conflict(INCIDENT, id));
        }
        Ok(incident)
    }

    async fn remove_incident(&self, id: IncidentId) -> Result<(), IndexError> {
        let statement = sqlx::query("DELETE FROM incidents WHERE incident_id = $1").bind(rows::uuid(id.as_bytes()));
        if self.writers.execute(statement).await? == 0 {
            return Err(IndexError::not_found(INCIDENT, id));
        }
        Ok(())
    }
}

fn check(draft: &IncidentDraft) -> Result<(), IndexError> {
    rows::check_subject(INCIDENT, draft.range, &draft.cameras)
}

fn apply(incident: &mut Incident, change: &IncidentChange, at: WallTime) {
    let draft = &mut incident.draft;
    if let Some(range) = change.range {
        draft.range = range;
    }
    if let Some(cameras) = &change.cameras {
        draft.cameras.clone_from(cameras);
    }
    if let Some(category) = change.category {
        draft.category = category;
    }
    if let Some(note) = &change.note {
        draft.note.clone_from(note);
    }
    if let Some(state) = change.state {
        incident.state = state;
    }
    incident.updated = at;
    incident.version += 1;
}

fn incident(row: &PgRow) -> Result<Incident, IndexError> {
    Ok(Incident {
        id: IncidentId::from_bytes(rows::id_bytes(row, "incident_id")?),
        draft: IncidentDraft {
            range: rows::range(row)?,
            cameras: rows::cameras(row)?,
            category: rows::named(row, "category", names::category_from_name)?,
            note: row.try_get("note")?,
            author: row.try_get("author")?,
        },
        state: rows::named(row, "state", names::incident_state_from_name)?,
        created: rows::wall(row, "created_wall_ns")?,
        updated: rows::wall(row, "updated_wall_ns")?,
        version: rows::count(row, "version")?,
    })
}
