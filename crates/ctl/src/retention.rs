//! `retention`: set, unset, and list with the days promised and kept.

use minhbach_client::Client;
use minhbach_model::{Retention, RetentionScope};
use serde_json::{Value, json};

use crate::args::RetentionCommand;
use crate::error::CtlError;
use crate::kept::{self, Kept, Promise};
use crate::output::{Output, Table};
use crate::{when, words};

/// Runs a command on how long footage is kept.
pub async fn run(client: &Client, output: &mut Output, command: RetentionCommand) -> Result<(), CtlError> {
    match command {
        RetentionCommand::Set { scope, min_days, max_days } => {
            let retention = Retention { min_days, max_days };
            client.set_retention(scope.0, Some(retention)).await?;
            if output.is_json() {
                return output.object(&retention_json(scope.0, retention));
            }
            output.line(&format!("{}: {}.", words::scope(scope.0), in_words(retention)))
        }
        RetentionCommand::Unset { scope } => {
            client.set_retention(scope.0, None).await?;
            if output.is_json() {
                return output.object(&json!({ "scope": words::scope(scope.0), "unset": true }));
            }
            output.line(&format!("{}: nothing is said any more.", words::scope(scope.0)))
        }
        RetentionCommand::List => list(client, output).await,
    }
}

async fn list(client: &Client, output: &mut Output) -> Result<(), CtlError> {
    let said = client.retentions().await?;
    let (days, cameras) = (client.archive().await?.days, client.cameras().await?);
    let kept = kept::judge(&days, &cameras, when::now());
    if output.is_json() {
        for (scope, retention) in said {
            output.object(&retention_json(scope, retention))?;
        }
        for kept in &kept {
            output.object(&kept_json(kept))?;
        }
        return Ok(());
    }
    if said.is_empty() {
        let default = in_words(Retention::DEFAULT);
        output.line(&format!("Nothing is said; for every camera: {default}."))?;
    } else {
        let mut table = Table::new(&["SCOPE", "PROMISED DAYS", "DELETED AFTER DAYS"]);
        for (scope, retention) in said {
            let max = retention.max_days.map_or_else(|| "never".to_owned(), |max| max.to_string());
            table.row([words::scope(scope), retention.min_days.to_string(), max]);
        }
        output.table(&table)?;
    }
    if kept.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["CAMERA", "ID", "DAYS"]);
    for kept in &kept {
        let name = kept.name.unwrap_or("(removed)").to_owned();
        table.row([name, kept.days.camera.to_string(), kept.text()]);
    }
    output.line("")?;
    output.table(&table)
}

fn in_words(retention: Retention) -> String {
    let min = retention.min_days;
    match retention.max_days {
        Some(max) => format!("{min} days promised, deleted after {max}"),
        None => format!("{min} days promised, kept as long as there is room"),
    }
}

fn retention_json(scope: RetentionScope, retention: Retention) -> Value {
    json!({
        "type": "retention",
        "scope": words::scope(scope),
        "min_days": retention.min_days,
        "max_days": retention.max_days,
    })
}

fn kept_json(kept: &Kept<'_>) -> Value {
    json!({
        "type": "camera",
        "camera_id": kept.days.camera.to_string(),
        "promised_days": kept.days.promised_days,
        "actual_days": kept.days.actual_days,
        "promise": kept.promise.as_str(),
        "short": kept.promise == Promise::Short,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_in_json_has_stable_keys() {
        let site = minhbach_model::SiteId::generate();
        assert_eq!(
            retention_json(RetentionScope::Site(site), Retention { min_days: 30, max_days: None }),
            json!({ "type": "retention", "scope": format!("site:{site}"), "min_days": 30, "max_days": null })
        );
    }

    #[test]
    fn only_a_broken_promise_is_short_in_json() {
        let camera = minhbach_model::CameraId::generate();
        let days = minhbach_client::CameraDays { camera, promised_days: 30, actual_days: 12.5, short: false };
        let kept = |promise| Kept { days: &days, name: None, promise, since_added: false };
        assert_eq!(
            kept_json(&kept(Promise::Short)),
            json!({
                "type": "camera", "camera_id": camera.to_string(), "promised_days": 30, "actual_days": 12.5,
                "promise": "short", "short": true,
            })
        );
        let young = kept_json(&kept(Promise::NotYetDue));
        assert_eq!((young["promise"].as_str(), young["short"].as_bool()), (Some("not_yet_due"), Some(false)));
    }
}
