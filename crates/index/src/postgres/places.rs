//! Agencies, sites and contact points in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{Agency, AgencyId, ContactPoint, ContactPointId, PlaceTree, Site, SiteId};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::connections::Statement;
use super::{PostgresIndex, rows};
use crate::error::explain;
use crate::{IndexError, PlaceIndex};

const AGENCY: &str = "agency";
const SITE: &str = "site";
const CONTACT_POINT: &str = "contact point";

#[async_trait]
impl PlaceIndex for PostgresIndex {
    async fn places(&self) -> Result<PlaceTree, IndexError> {
        // One statement: all three lists are of one moment.
        let statement = sqlx::query(
            "SELECT 0 AS kind, agency_id AS id, parent_id AS within, name FROM agencies
             UNION ALL SELECT 1, site_id, agency_id, name FROM sites
             UNION ALL SELECT 2, contact_point_id, site_id, name FROM contact_points
             ORDER BY kind, name, id",
        );
        let mut tree = PlaceTree::default();
        for row in &self.readers.all(statement).await? {
            place(row, &mut tree)?;
        }
        Ok(tree)
    }

    async fn insert_agency(&self, agency: &Agency) -> Result<(), IndexError> {
        let statement = sqlx::query("INSERT INTO agencies (agency_id, parent_id, name) VALUES ($1, $2, $3)")
            .bind(rows::uuid(agency.id.as_bytes()))
            .bind(agency.parent.map(|id| rows::uuid(id.as_bytes())))
            .bind(agency.name.as_str());
        self.writers.execute(statement).await.map_err(|error| {
            let parent = || agency.parent.map(|id| id.to_string()).unwrap_or_default();
            explain(error, || IndexError::exists(AGENCY, agency.id), || IndexError::not_found(AGENCY, parent()))
        })?;
        Ok(())
    }

    async fn rename_agency(&self, id: AgencyId, name: &str) -> Result<(), IndexError> {
        self.rename("UPDATE agencies SET name = $2 WHERE agency_id = $1", AGENCY, id.as_bytes(), name).await
    }

    async fn remove_agency(&self, id: AgencyId) -> Result<(), IndexError> {
        self.remove(sqlx::query("DELETE FROM agencies WHERE agency_id = $1"), AGENCY, id.as_bytes()).await
    }

    async fn insert_site(&self, site: &Site) -> Result<(), IndexError> {
        let statement = sqlx::query("INSERT INTO sites (site_id, agency_id, name) VALUES ($1, $2, $3)")
            .bind(rows::uuid(site.id.as_bytes()))
            .bind(rows::uuid(site.agency.as_bytes()))
            .bind(site.name.as_str());
        self.writers.execute(statement).await.map_err(|error| {
            explain(error, || IndexError::exists(SITE, site.id), || IndexError::not_found(AGENCY, site.agency))
        })?;
        Ok(())
    }

    async fn rename_site(&self, id: SiteId, name: &str) -> Result<(), IndexError> {
        self.rename("UPDATE sites SET name = $2 WHERE site_id = $1", SITE, id.as_bytes(), name).await
    }

    async fn remove_site(&self, id: SiteId) -> Result<(), IndexError> {
        self.remove(sqlx::query("DELETE FROM sites WHERE site_id = $1"), SITE, id.as_bytes()).await
    }

    async fn insert_contact_point(&self, point: &ContactPoint) -> Result<(), IndexError> {
        let statement = sqlx::query("INSERT INTO contact_points (contact_point_id, site_id, name) VALUES ($1, $2, $3)")
            .bind(rows::uuid(point.id.as_bytes()))
            .bind(rows::uuid(point.site.as_bytes()))
            .bind(point.name.as_str());
        self.writers.execute(statement).await.map_err(|error| {
            explain(error, || IndexError::exists(CONTACT_POINT, point.id), || IndexError::not_found(SITE, point.site))
        })?;
        Ok(())
    }

    async fn rename_contact_point(&self, id: ContactPointId, name: &str) -> Result<(), IndexError> {
        let sql = "UPDATE contact_points SET name = $2 WHERE contact_point_id = $1";
        self.rename(sql, CONTACT_POINT, id.as_bytes(), name).await
    }

    async fn remove_contact_point(&self, id: ContactPointId) -> Result<(), IndexError> {
        // Cameras that were removed let go of their place; only those still there hold it, by the foreign key, which is
        // looked at when the whole statement has run.
        let statement = sqlx::query(
            "WITH freed AS (
                 UPDATE cameras SET contact_point_id = NULL
                 WHERE contact_point_id = $1 AND removed_wall_ns IS NOT NULL)
             DELETE FROM contact_points WHERE contact_point_id = $1",
        );
        self.remove(statement, CONTACT_POINT, id.as_bytes()).await
    }
}

impl PostgresIndex {
    async fn rename(&self, sql: &'static str, what: &'static str, id: &[u8; 16], name: &str) -> Result<(), IndexError> {
        let changed = self.writers.execute(sqlx::query(sql).bind(rows::uuid(id)).bind(name)).await?;
        if changed == 0 { Err(IndexError::not_found(what, rows::uuid(id))) } else { Ok(()) }
    }

    async fn remove(&self, statement: Statement<'_>, what: &'static str, id: &[u8; 16]) -> Result<(), IndexError> {
        let in_use = || IndexError::in_use(what, rows::uuid(id));
        let removed = self
            .writers
            .execute(statement.bind(rows::uuid(id)))
            .await
            .map_err(|error| explain(error, in_use, in_use))?;
        if removed == 0 { Err(IndexError::not_found(what, rows::uuid(id))) } else { Ok(()) }
    }
}

/// Adds a place to its list.
fn place(row: &PgRow, tree: &mut PlaceTree) -> Result<(), IndexError> {
    let (id, within) = (rows::id_bytes(row, "id")?, rows::optional_id_bytes(row, "within")?);
    let name = row.try_get("name")?;
    let kind: i32 = row.try_get("kind")?;
    match (kind, within) {
        (0, parent) => {
            tree.agencies.push(Agency { id: AgencyId::from_bytes(id), parent: parent.map(AgencyId::from_bytes), name });
        }
        (1, Some(agency)) => {
            tree.sites.push(Site { id: SiteId::from_bytes(id), agency: AgencyId::from_bytes(agency), name });
        }
        (2, Some(site)) => {
            let id = ContactPointId::from_bytes(id);
            tree.contact_points.push(ContactPoint { id, site: SiteId::from_bytes(site), name });
        }
        _ => return Err(IndexError::corrupt(format!("a place of the kind {kind} is in nothing"))),
    }
    Ok(())
}
