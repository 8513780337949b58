//! Cameras in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{Camera, CameraDraft, CameraId, ContactPointId, RemovedCamera, Secret, StreamSource, WallTime};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{PostgresIndex, rows};
use crate::error::explain;
use crate::{CameraIndex, IndexError};

const CAMERA: &str = "camera";
const NO_REMOVAL: &str = "it has no time of removal";

#[async_trait]
impl CameraIndex for PostgresIndex {
    async fn insert_camera(&self, camera: &Camera) -> Result<(), IndexError> {
        let draft = &camera.draft;
        let statement = sqlx::query(
            "INSERT INTO cameras (camera_id, name, contact_point_id, main_url, sub_url, username, password, paused,
                                  created_wall_ns)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(rows::uuid(camera.id.as_bytes()))
        .bind(draft.name.as_str())
        .bind(contact_point(draft))
        .bind(draft.main.url.as_str())
        .bind(draft.sub.as_ref().map(|sub| sub.url.as_str()))
        .bind(draft.username.as_str())
        .bind(draft.password.reveal())
        .bind(camera.paused)
        .bind(camera.created.0);
        self.writers.execute(statement).await.map_err(|error| {
            explain(error, || IndexError::exists(CAMERA, camera.id), || unknown_contact_point(draft))
        })?;
        Ok(())
    }

    async fn update_camera(&self, id: CameraId, draft: &CameraDraft) -> Result<(), IndexError> {
        let statement = sqlx::query(
            "UPDATE cameras SET name = $2, contact_point_id = $3, main_url = $4, sub_url = $5, username = $6,
                                password = $7
             WHERE camera_id = $1 AND removed_wall_ns IS NULL",
        )
        .bind(rows::uuid(id.as_bytes()))
        .bind(draft.name.as_str())
        .bind(contact_point(draft))
        .bind(draft.main.url.as_str())
        .bind(draft.sub.as_ref().map(|sub| sub.url.as_str()))
        .bind(draft.username.as_str())
        .bind(draft.password.reveal());
        let changed = self
            .writers
            .execute(statement)
            .await
            .map_err(|error| explain(error, || IndexError::exists(CAMERA, id), || unknown_contact_point(draft)))?;
        found(id, changed)
    }

    async fn set_camera_paused(&self, id: CameraId, paused: bool) -> Result<(), IndexError> {
        let statement = sqlx::query("UPDATE cameras SET paused = $2 WHERE camera_id = $1 AND removed_wall_ns IS NULL")
            .bind(rows::uuid(id.as_bytes()))
            .bind(paused);
        found(id, self.writers.execute(statement).await?)
    }

    async fn remove_camera(&self, id: CameraId, at: WallTime) -> Result<(), IndexError> {
        let statement = sqlx::query(
            "UPDATE cameras SET removed_wall_ns = $2, username = '', password = ''
             WHERE camera_id = $1 AND removed_wall_ns IS NULL",
        )
        .bind(rows::uuid(id.as_bytes()))
        .bind(at.0);
        found(id, self.writers.execute(statement).await?)
    }

    async fn cameras(&self) -> Result<Vec<Camera>, IndexError> {
        let statement = sqlx::query(
            "SELECT camera_id, name, contact_point_id, main_url, sub_url, username, password, paused, created_wall_ns
             FROM cameras WHERE removed_wall_ns IS NULL ORDER BY name, camera_id",
        );
        self.readers.all(statement).await?.iter().map(camera).collect()
    }

    async fn removed_cameras(&self) -> Result<Vec<RemovedCamera>, IndexError> {
        self.readers.all(sqlx::query(REMOVED)).await?.iter().map(removed).collect()
    }

    async fn insert_removed_camera(&self, camera: &RemovedCamera) -> Result<(), IndexError> {
        let removed = camera.removed.ok_or_else(|| IndexError::invalid(CAMERA, NO_REMOVAL))?;
        let statement = sqlx::query(
            "INSERT INTO cameras (camera_id, name, contact_point_id, main_url, username, password, paused,
                                  created_wall_ns, removed_wall_ns)
             VALUES ($1, $2, $3, '', '', '', FALSE, $4, $4)",
        )
        .bind(rows::uuid(camera.id.as_bytes()))
        .bind(camera.name.as_str())
        .bind(camera.contact_point.map(|id| rows::uuid(id.as_bytes())))
        .bind(removed.0);
        self.writers.execute(statement).await.map_err(|error| {
            let point = camera.contact_point.map(|id| id.to_string()).unwrap_or_default();
            explain(error, || IndexError::exists(CAMERA, camera.id), || IndexError::not_found("contact point", point))
        })?;
        Ok(())
    }
}

const REMOVED: &str = "SELECT camera_id, name, contact_point_id, removed_wall_ns FROM cameras
    WHERE removed_wall_ns IS NOT NULL ORDER BY removed_wall_ns DESC, camera_id";

fn removed(row: &PgRow) -> Result<RemovedCamera, IndexError> {
    Ok(RemovedCamera {
        id: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        name: row.try_get("name")?,
        contact_point: rows::optional_id_bytes(row, "contact_point_id")?.map(ContactPointId::from_bytes),
        removed: Some(rows::wall(row, "removed_wall_ns")?),
    })
}

fn found(id: CameraId, changed: u64) -> Result<(), IndexError> {
    if changed == 0 { Err(IndexError::not_found(CAMERA, id)) } else { Ok(()) }
}

fn contact_point(draft: &CameraDraft) -> Option<Uuid> {
    draft.contact_point.map(|id| rows::uuid(id.as_bytes()))
}

fn unknown_contact_point(draft: &CameraDraft) -> IndexError {
    IndexError::not_found("contact point", draft.contact_point.map(|id| id.to_string()).unwrap_or_default())
}

fn camera(row: &PgRow) -> Result<Camera, IndexError> {
    let sub: Option<String> = row.try_get("sub_url")?;
    let password: String = row.try_get("password")?;
    Ok(Camera {
        id: CameraId::from_bytes(rows::id_bytes(row, "camera_id")?),
        draft: CameraDraft {
            name: row.try_get("name")?,
            contact_point: rows::optional_id_bytes(row, "contact_point_id")?.map(ContactPointId::from_bytes),
            main: StreamSource { url: row.try_get("main_url")? },
            sub: sub.map(|url| StreamSource { url }),
            username: row.try_get("username")?,
            password: Secret::new(password),
        },
        paused: row.try_get("paused")?,
        created: rows::wall(row, "created_wall_ns")?,
    })
}
