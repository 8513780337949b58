//! Agencies, sites and contact points in SQLite.

use async_trait::async_trait;
use minhbach_model::{Agency, AgencyId, ContactPoint, ContactPointId, PlaceTree, Site, SiteId};
use sqlx::{Connection, Row};

use super::{BEGIN_WRITE, Durability, SqliteIndex, rows};
use crate::error::explain;
use crate::{IndexError, PlaceIndex};

const AGENCY: &str = "agency";
const SITE: &str = "site";
const CONTACT_POINT: &str = "contact point";

#[async_trait]
impl PlaceIndex for SqliteIndex {
    async fn places(&self) -> Result<PlaceTree, IndexError> {
        // One read transaction: all three lists are of one moment.
        let mut tx = self.readers.begin().await?;
        let agencies = sqlx::query("SELECT agency_id, parent_id, name FROM agencies ORDER BY name, agency_id")
            .fetch_all(&mut *tx)
            .await?;
        let sites = sqlx::query("SELECT site_id, agency_id, name FROM sites ORDER BY name, site_id")
            .fetch_all(&mut *tx)
            .await?;
        let points =
            sqlx::query("SELECT contact_point_id, site_id, name FROM contact_points ORDER BY name, contact_point_id")
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;

        let mut tree = PlaceTree::default();
        for row in &agencies {
            tree.agencies.push(Agency {
                id: AgencyId::from_bytes(rows::id_bytes(row, "agency_id")?),
                parent: rows::optional_id_bytes(row, "parent_id")?.map(AgencyId::from_bytes),
                name: row.try_get("name")?,
            });
        }
        for row in &sites {
            tree.sites.push(Site {
                id: SiteId::from_bytes(rows::id_bytes(row, "site_id")?),
                agency: AgencyId::from_bytes(rows::id_bytes(row, "agency_id")?),
                name: row.try_get("name")?,
            });
        }
        for row in &points {
            tree.contact_points.push(ContactPoint {
                id: ContactPointId::from_bytes(rows::id_bytes(row, "contact_point_id")?),
                site: SiteId::from_bytes(rows::id_bytes(row, "site_id")?),
                name: row.try_get("name")?,
            });
        }
        Ok(tree)
    }

    async fn insert_agency(&self, agency: &Agency) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        sqlx::query("INSERT INTO agencies (agency_id, parent_id, name) VALUES (?1, ?2, ?3)")
            .bind(agency.id.as_bytes().as_slice())
            .bind(agency.parent.map(|id| id.as_bytes().to_vec()))
            .bind(agency.name.as_str())
            .execute(&mut *writer)
            .await
            .map_err(|error| {
                let parent = || agency.parent.map(|id| id.to_string()).unwrap_or_default();
                explain(error, || IndexError::exists(AGENCY, agency.id), || IndexError::not_found(AGENCY, parent()))
            })?;
        Ok(())
    }

    async fn rename_agency(&self, id: AgencyId, name: &str) -> Result<(), IndexError> {
        self.rename("UPDATE agencies SET name = ?2 WHERE agency_id = ?1", AGENCY, id.as_bytes(), name).await
    }

    async fn remove_agency(&self, id: AgencyId) -> Result<(), IndexError> {
        self.remove("DELETE FROM agencies WHERE agency_id = ?1", AGENCY, id.as_bytes()).await
    }

    async fn insert_site(&self, site: &Site) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        sqlx::query("INSERT INTO sites (site_id, agency_id, name) VALUES (?1, ?2, ?3)")
            .bind(site.id.as_bytes().as_slice())
            .bind(site.agency.as_bytes().as_slice())
            .bind(site.name.as_str())
            .execute(&mut *writer)
            .await
            .map_err(|error| {
                explain(error, || IndexError::exists(SITE, site.id), || IndexError::not_found(AGENCY, site.agency))
            })?;
        Ok(())
    }

    async fn rename_site(&self, id: SiteId, name: &str) -> Result<(), IndexError> {
        self.rename("UPDATE sites SET name = ?2 WHERE site_id = ?1", SITE, id.as_bytes(), name).await
    }

    async fn remove_site(&self, id: SiteId) -> Result<(), IndexError> {
        self.remove("DELETE FROM sites WHERE site_id = ?1", SITE, id.as_bytes()).await
    }

    async fn insert_contact_point(&self, point: &ContactPoint) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        sqlx::query("INSERT INTO contact_points (contact_point_id, site_id, name) VALUES (?1, ?2, ?3)")
            .bind(point.id.as_bytes().as_slice())
            .bind(point.site.as_bytes().as_slice())
            .bind(point.name.as_str())
            .execute(&mut *writer)
            .await
            .map_err(|error| {
                explain(
                    error,
                    || IndexError::exists(CONTACT_POINT, point.id),
                    || IndexError::not_found(SITE, point.site),
                )
            })?;
        Ok(())
    }

    async fn rename_contact_point(&self, id: ContactPointId, name: &str) -> Result<(), IndexError> {
        let sql = "UPDATE contact_points SET name = ?2 WHERE contact_point_id = ?1";
        self.rename(sql, CONTACT_POINT, id.as_bytes(), name).await
    }

    async fn remove_contact_point(&self, id: ContactPointId) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let mut tx = writer.begin_with(BEGIN_WRITE).await?;
        // Cameras that were removed let go of their place; only those still there hold it, by the foreign key.
        sqlx::query(
            "UPDATE cameras SET contact_point_id = NULL WHERE contact_point_id = ?1 AND removed_wall_ns IS NOT NULL",
        )
        .bind(id.as_bytes().as_slice())
        .execute(&mut *tx)
        .await?;
        let removed = sqlx::query("DELETE FROM contact_points WHERE contact_point_id = ?1")
            .bind(id.as_bytes().as_slice())
            .execute(&mut *tx)
            .await
            .map_err(|error| {
                let in_use = || IndexError::in_use(CONTACT_POINT, id);
                explain(error, in_use, in_use)
            })?;
        if removed.rows_affected() == 0 {
            return Err(IndexError::not_found(CONTACT_POINT, id));
        }
        tx.commit().await?;
        Ok(())
    }
}

impl SqliteIndex {
    async fn rename(&self, sql: &'static str, what: &'static str, id: &[u8; 16], name: &str) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let changed = sqlx::query(sql).bind(id.as_slice()).bind(name).execute(&mut *writer).await?;
        if changed.rows_affected() == 0 {
            return Err(IndexError::not_found(what, uuid::Uuid::from_bytes(*id)));
        }
        Ok(())
    }

    async fn remove(&self, sql: &'static str, what: &'static str, id: &[u8; 16]) -> Result<(), IndexError> {
        let mut writer = self.writer(Durability::Synced).await?;
        let in_use = || IndexError::in_use(what, uuid::Uuid::from_bytes(*id));
        let removed = sqlx::query(sql)
            .bind(id.as_slice())
            .execute(&mut *writer)
            .await
            .map_err(|error| explain(error, in_use, in_use))?;
        if removed.rows_affected() == 0 {
            return Err(IndexError::not_found(what, uuid::Uuid::from_bytes(*id)));
        }
        Ok(())
    }
}
