//! How long footage is kept, in PostgreSQL.

use async_trait::async_trait;
use minhbach_model::{Retention, RetentionScope};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PostgresIndex;
use crate::{IndexError, RetentionIndex, names};

#[async_trait]
impl RetentionIndex for PostgresIndex {
    async fn set_retention(&self, scope: RetentionScope, retention: Option<Retention>) -> Result<(), IndexError> {
        let (code, id) = names::retention_scope_code(scope);
        if retention.is_some_and(|retention| !retention.is_possible()) {
            return Err(IndexError::invalid("retention", "it promises more than it keeps, or keeps nothing"));
        }
        let statement = match retention {
            Some(retention) => sqlx::query(
                "INSERT INTO retentions (scope, scope_id, min_days, max_days) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (scope, scope_id)
                 DO UPDATE SET min_days = excluded.min_days, max_days = excluded.max_days",
            )
            .bind(code)
            .bind(id)
            .bind(i64::from(retention.min_days))
            .bind(retention.max_days.map(i64::from)),
            None => sqlx::query("DELETE FROM retentions WHERE scope = $1 AND scope_id = $2").bind(code).bind(id),
        };
        self.writers.execute(statement).await?;
        Ok(())
    }

    async fn retentions(&self) -> Result<Vec<(RetentionScope, Retention)>, IndexError> {
        let statement =
            sqlx::query("SELECT scope, scope_id, min_days, max_days FROM retentions ORDER BY scope, scope_id");
        self.readers.all(statement).await?.iter().map(retention).collect()
    }
}

fn retention(row: &PgRow) -> Result<(RetentionScope, Retention), IndexError> {
    let code: i16 = row.try_get("scope")?;
    let id: &[u8] = row.try_get("scope_id")?;
    let scope = names::retention_scope_from_code(i64::from(code), id)
        .ok_or_else(|| IndexError::corrupt(format!("column scope holds {code} with an id of {} bytes", id.len())))?;
    let min: i64 = row.try_get("min_days")?;
    let max: Option<i64> = row.try_get("max_days")?;
    Ok((scope, Retention { min_days: days(min)?, max_days: max.map(days).transpose()? }))
}

fn days(value: i64) -> Result<u32, IndexError> {
    u32::try_from(value).map_err(|_| IndexError::corrupt(format!("a retention of {value} days")))
}
