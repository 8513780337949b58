//! `retention`: set, unset, and list with the days promised and kept.

use std::collections::BTreeMap;

use minhbach_client::{CameraDays, Client};
use minhbach_model::{CameraId, Retention, RetentionScope};
use serde_json::{Value, json};

use crate::args::RetentionCommand;
use crate::error::CtlError;
use crate::output::{Output, Table};
use crate::words;

/// Runs a command on how long footage is kept.
pub async fn run(client: &Client, output: &mut Output, command: RetentionCommand) -> Result<(), CtlError> {
    match command {
        RetentionCommand::Set { scope, min_days, max_days } => {
            let retention = Retention { min_days, max_days };
            client.set_retention(scope.0, Some(retention)).await?;
            if output.is_json() {
                return output.object(&retention_json(scope.0, retention));
            }
            output.line(&format!("{}: {}.", words::scope(scope.0), days(retention)))
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
    let kept = client.archive().await?.days;
    if output.is_json() {
        for (scope, retention) in said {
            output.object(&retention_json(scope, retention))?;
        }
        for days in &kept {
            output.object(&days_json(days))?;
        }
        return Ok(());
    }
    if said.is_empty() {
        let default = days(Retention::DEFAULT);
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
    let cameras = client.cameras().await?;
    let names: BTreeMap<CameraId, &str> =
        cameras.iter().map(|camera| (camera.camera.id, camera.camera.draft.name.as_str())).collect();
    let mut table = Table::new(&["CAMERA", "ID", "PROMISED DAYS", "ACTUAL DAYS", "SHORT"]);
    for days in &kept {
        table.row([
            names.get(&days.camera).copied().unwrap_or_default().to_owned(),
            days.camera.to_string(),
            days.promised_days.to_string(),
            format!("{:.1}", days.actual_days),
            if is_short(days) { "yes".to_owned() } else { String::new() },
        ]);
    }
    output.line("")?;
    output.table(&table)
}

fn days(retention: Retention) -> String {
    let min = retention.min_days;
    match retention.max_days {
        Some(max) => format!("{min} days promised, deleted after {max}"),
        None => format!("{min} days promised, kept as long as there is room"),
    }
}

/// Footage reaches back less far than promised: some of it was deleted early, or the camera is younger than that.
fn is_short(days: &CameraDays) -> bool {
    days.actual_days < f64::from(days.promised_days)
}

fn retention_json(scope: RetentionScope, retention: Retention) -> Value {
    json!({
        "type": "retention",
        "scope": words::scope(scope),
        "min_days": retention.min_days,
        "max_days": retention.max_days,
    })
}

fn days_json(days: &CameraDays) -> Value {
    json!({
        "type": "camera",
        "camera_id": days.camera.to_string(),
        "promised_days": days.promised_days,
        "actual_days": days.actual_days,
        "short": is_short(days),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_and_days_in_json_have_stable_keys() {
        let site = minhbach_model::SiteId::generate();
        assert_eq!(
            retention_json(RetentionScope::Site(site), Retention { min_days: 30, max_days: None }),
            json!({ "type": "retention", "scope": format!("site:{site}"), "min_days": 30, "max_days": null })
        );
        let camera = CameraId::generate();
        let kept = |actual_days| days_json(&CameraDays { camera, promised_days: 30, actual_days });
        assert_eq!(
            kept(12.5),
            json!({
                "type": "camera", "camera_id": camera.to_string(), "promised_days": 30, "actual_days": 12.5,
                "short": true,
            })
        );
        assert_eq!(kept(30.0)["short"], false);
    }
}
