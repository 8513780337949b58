//! Incidents in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use minhbach_model::{CameraId, Incident, IncidentDraft, IncidentId, WallRange, WallTime};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{BEGIN_WRITE, Durability, SqliteIndex, rows};
use crate::error::explain;
use crate::{IncidentChange, IncidentFilter, IncidentIndex, IndexError, MAX_PAGE, names};

const INCIDENT: &str = "incident";

macro_rules! columns {
    () => {
        "SELECT incident_id, start_wall_ns, end_wall_ns, category, note, author, state, created_wall_ns,
                updated_wall_ns, version FROM incidents "
    };
}

#[async_trait]
impl IncidentIndex for SqliteIndex {
    async fn insert_incident(&self, incident: &Incident) -> Result<(), IndexError> {
        check(&incident.draft)?;
        let exists = || IndexError::exists(INCIDENT, incident.id);
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        sqlx::query(
            "INSERT INTO incidents (incident_id, start_wall_ns, end_wall_ns, category, note, author, state,
                                    created_wall_ns, updated_wall_ns, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .bind(incident.id.as_bytes().as_slice())
        .bind(incident.draft.range.start.0)
        .bind(incident.draft.range.end.0)
        .bind(names::category_name(incident.draft.category))
        .bind(incident.draft.note.as_str())
        .bind(incident.draft.author.as_str())
        .bind(names::incident_state_name(incident.state))
        .bind(incident.created.0)
        .bind(incident.updated.0)
        .bind(rows::count_to_sql(INCIDENT, incident.version)?)
        .execute(&mut *tx)
        .await
        // The table has no foreign key: only the first meaning can arise.
        .map_err(|error| explain(error, exists, exists))?;
        insert_cameras(&mut tx, incident.id, &incident.draft.cameras).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn incident(&self, id: IncidentId) -> Result<Incident, IndexError> {
        // One read transaction: the cameras belong to the version read.
        let mut tx = self.readers.begin().await?;
        let incident = load(&mut tx, id).await?;
        tx.commit().await?;
        Ok(incident)
    }

    async fn incidents(
        &self,
        filter: &IncidentFilter,
        before: Option<(WallTime, IncidentId)>,
        limit: u32,
    ) -> Result<Vec<Incident>, IndexError> {
        // After every incident: seventeen bytes of the highest value sort after every id.
        let (before_created, before_id) =
            before.map_or((i64::MAX, vec![0xff; 17]), |(created, id)| (created.0, id.as_bytes().to_vec()));
        let mut tx = self.readers.begin().await?;
        let mut incidents = sqlx::query(concat!(
            columns!(),
            "WHERE (created_wall_ns, incident_id) < (?1, ?2)
               AND (?3 IS NULL OR end_wall_ns > ?3) AND (?4 IS NULL OR start_wall_ns < ?4)
               AND (?5 IS NULL OR state = ?5)
               AND (?6 IS NULL OR EXISTS (SELECT 1 FROM incident_cameras AS c
                                          WHERE c.incident_id = incidents.incident_id AND c.camera_id = ?6))
             ORDER BY created_wall_ns DESC, incident_id DESC LIMIT ?7"
        ))
        .bind(before_created)
        .bind(before_id)
        .bind(filter.range.map(|range| range.start.0))
        .bind(filter.range.map(|range| range.end.0))
        .bind(filter.state.map(names::incident_state_name))
        .bind(filter.camera.map(|camera| camera.as_bytes().to_vec()))
        .bind(limit.min(MAX_PAGE))
        .fetch_all(&mut *tx)
        .await?
        .iter()
        .map(incident)
        .collect::<Result<Vec<_>, _>>()?;
        fill_cameras(&mut tx, &mut incidents).await?;
        tx.commit().await?;
        Ok(incidents)
    }

    async fn update_incident(
        &self,
        id: IncidentId,
        expected_version: u64,
        change: &IncidentChange,
        at: WallTime,
    ) -> Result<Incident, IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        let mut incident = load(&mut tx, id).await?;
        if incident.version != expected_version {
            return Err(IndexError::conflict(INCIDENT, id));
        }
        apply(&mut incident, change, at);
        check(&incident.draft)?;
        sqlx::query(
            "UPDATE incidents SET start_wall_ns = ?2, end_wall_ns = ?3, category = ?4, note = ?5, state = ?6,
                                  updated_wall_ns = ?7, version = ?8
             WHERE incident_id = ?1",
        )
        .bind(id.as_bytes().as_slice())
        .bind(incident.draft.range.start.0)
        .bind(incident.draft.range.end.0)
        .bind(names::category_name(incident.draft.category))
        .bind(incident.draft.note.as_str())
        .bind(names::incident_state_name(incident.state))
        .bind(incident.updated.0)
        .bind(rows::count_to_sql(INCIDENT, incident.version)?)
        .execute(&mut *tx)
        .await?;
        if change.cameras.is_some() {
            sqlx::query("DELETE FROM incident_cameras WHERE incident_id = ?1")
                .bind(id.as_bytes().as_slice())
                .execute(&mut *tx)
                .await?;
            insert_cameras(&mut tx, id, &incident.draft.cameras).await?;
        }
        tx.commit().await?;
        Ok(incident)
    }

    async fn remove_incident(&self, id: IncidentId) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        // Its cameras go with it, by the foreign key.
        let removed = sqlx::query("DELETE FROM incidents WHERE incident_id = ?1")
            .bind(id.as_bytes().as_slice())
            .execute(&mut *writer)
            .await?;
        if removed.rows_affected() == 0 {
            return Err(IndexError::not_found(INCIDENT, id));
        }
        Ok(())
    }
}

fn check(draft: &IncidentDraft) -> Result<(), IndexError> {
    if draft.range.start >= draft.range.end {
        return Err(IndexError::invalid(INCIDENT, "its time is empty"));
    }
    if draft.cameras.is_empty() {
        return Err(IndexError::invalid(INCIDENT, "it names no camera"));
    }
    let mut sorted = draft.cameras.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(IndexError::invalid(INCIDENT, "it names a camera twice"));
    }
    Ok(())
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

async fn insert_cameras(
    connection: &mut SqliteConnection,
    id: IncidentId,
    cameras: &[CameraId],
) -> Result<(), IndexError> {
    for (position, camera) in (0_i64..).zip(cameras) {
        sqlx::query("INSERT INTO incident_cameras (incident_id, position, camera_id) VALUES (?1, ?2, ?3)")
            .bind(id.as_bytes().as_slice())
            .bind(position)
            .bind(camera.as_bytes().as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn load(connection: &mut SqliteConnection, id: IncidentId) -> Result<Incident, IndexError> {
    let row = sqlx::query(concat!(columns!(), "WHERE incident_id = ?1"))
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| IndexError::not_found(INCIDENT, id))?;
    let mut found = [incident(&row)?];
    fill_cameras(connection, &mut found).await?;
    let [incident] = found;
    Ok(incident)
}

/// Fills in the cameras of at most [`MAX_PAGE`] incidents: each id is a bound value, and those are limited in number.
async fn fill_cameras(connection: &mut SqliteConnection, incidents: &mut [Incident]) -> Result<(), IndexError> {
    if incidents.is_empty() {
        return Ok(());
    }
    let mut query: QueryBuilder<Sqlite> =
        QueryBuilder::new("SELECT incident_id, camera_id FROM incident_cameras WHERE incident_id IN (");
    let mut ids = query.separated(", ");
    for incident in incidents.iter() {
        ids.push_bind(incident.id.as_bytes().to_vec());
    }
    query.push(") ORDER BY incident_id, position");
    // Not kept prepared: there would be one statement for each number of incidents.
    let found = query.build().persistent(false).fetch_all(connection).await?;
    let mut cameras: HashMap<IncidentId, Vec<CameraId>> = HashMap::new();
    for row in &found {
        let incident = IncidentId::from_bytes(rows::id_bytes(row, "incident_id")?);
        let camera = CameraId::from_bytes(rows::id_bytes(row, "camera_id")?);
        cameras.entry(incident).or_default().push(camera);
    }
    for incident in incidents {
        incident.draft.cameras = cameras.remove(&incident.id).unwrap_or_default();
    }
    Ok(())
}

/// An incident without its cameras.
fn incident(row: &SqliteRow) -> Result<Incident, IndexError> {
    Ok(Incident {
        id: IncidentId::from_bytes(rows::id_bytes(row, "incident_id")?),
        draft: IncidentDraft {
            range: WallRange { start: rows::wall(row, "start_wall_ns")?, end: rows::wall(row, "end_wall_ns")? },
            cameras: Vec::new(),
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
