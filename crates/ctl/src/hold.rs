//! `hold`: add, list, show, release.

use minhbach_client::{Client, HoldDraft};
use minhbach_model::{Hold, WallTime};
use serde_json::{Value, json};

use crate::args::HoldCommand;
use crate::error::CtlError;
use crate::output::{Output, Table};
use crate::{when, words};

/// Runs a command on holds.
pub async fn run(client: &Client, output: &mut Output, command: HoldCommand) -> Result<(), CtlError> {
    let now = when::now();
    match command {
        HoldCommand::Add { cameras, from, to, reason, case, expires, owner } => {
            let range = when::range(from, to, now)?;
            let expires = expires.map(|expires| expires.resolve(now));
            let draft = HoldDraft { cameras, range, reason, case_code: case, owner, expires };
            show(output, &client.place_hold(&draft).await?, now)
        }
        HoldCommand::List { standing, camera } => list(output, &client.holds(standing, camera).await?, now),
        HoldCommand::Show { id } => show(output, &client.hold(id).await?, now),
        HoldCommand::Release { id, reason, by } => show(output, &client.release_hold(id, &by, &reason).await?, now),
    }
}

fn list(output: &mut Output, holds: &[Hold], now: WallTime) -> Result<(), CtlError> {
    if output.is_json() {
        for hold in holds {
            output.object(&hold_json(hold, now))?;
        }
        return Ok(());
    }
    if holds.is_empty() {
        return output.line("No holds.");
    }
    let mut table = Table::new(&["ID", "STATE", "START", "END", "CAMERAS", "CASE", "EXPIRES", "OWNER", "REASON"]);
    for hold in holds {
        table.row([
            hold.id.to_string(),
            words::hold_state(hold, now).to_owned(),
            when::local(hold.range.start),
            when::local(hold.range.end),
            hold.cameras.len().to_string(),
            hold.case_code.clone(),
            expiry(hold),
            hold.owner.clone(),
            hold.reason.clone(),
        ]);
    }
    output.table(&table)
}

fn expiry(hold: &Hold) -> String {
    hold.expires.map_or_else(|| "never".to_owned(), when::local)
}

fn show(output: &mut Output, hold: &Hold, now: WallTime) -> Result<(), CtlError> {
    if output.is_json() {
        return output.object(&hold_json(hold, now));
    }
    let mut table = Table::new(&["HOLD", &hold.id.to_string()]);
    let mut row = |name: &str, text: String| table.row([name.to_owned(), text]);
    row("state", words::hold_state(hold, now).to_owned());
    row("start", when::local(hold.range.start));
    row("end", when::local(hold.range.end));
    for camera in &hold.cameras {
        row("camera", camera.to_string());
    }
    row("reason", hold.reason.clone());
    row("case", hold.case_code.clone());
    row("owner", hold.owner.clone());
    row("placed", when::local(hold.created));
    row("expires", expiry(hold));
    if let Some(release) = &hold.release {
        row("released", when::local(release.at));
        row("released by", release.by.clone());
        row("because", release.reason.clone());
    }
    output.table(&table)
}

fn hold_json(hold: &Hold, now: WallTime) -> Value {
    json!({
        "id": hold.id.to_string(),
        "state": words::hold_state(hold, now),
        "start": hold.range.start.to_string(),
        "end": hold.range.end.to_string(),
        "camera_ids": hold.cameras.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reason": hold.reason,
        "case_code": hold.case_code,
        "owner": hold.owner,
        "created": hold.created.to_string(),
        "expires": hold.expires.map(|end| end.to_string()),
        "released": hold.release.as_ref().map(|release| json!({
            "at": release.at.to_string(),
            "by": release.by,
            "reason": release.reason,
        })),
    })
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, HoldId, Release, WallRange};

    use super::*;

    #[test]
    fn a_hold_in_json_has_stable_words_and_times() {
        let second = WallTime::from_secs;
        let mut hold = Hold {
            id: HoldId::generate(),
            cameras: vec![CameraId::generate()],
            range: WallRange { start: second(1_800_000_000), end: second(1_800_000_060) },
            reason: "phản ánh".to_owned(),
            case_code: "PA-7".to_owned(),
            owner: "Bàn 1".to_owned(),
            created: second(1_800_000_070),
            expires: None,
            release: None,
        };
        let now = second(1_800_000_080);
        let value = hold_json(&hold, now);
        assert_eq!(
            (value["state"].as_str(), value["start"].as_str()),
            (Some("standing"), Some("2027-01-15T08:00:00.000Z"))
        );
        assert_eq!((&value["expires"], &value["released"]), (&Value::Null, &Value::Null));
        hold.expires = Some(second(1_800_000_075));
        assert_eq!(hold_json(&hold, now)["state"], "expired");
        let (by, reason) = ("Bàn 2".to_owned(), "xong".to_owned());
        hold.release = Some(Release { at: second(1_800_000_072), by, reason });
        let value = hold_json(&hold, now);
        assert_eq!((value["state"].as_str(), value["released"]["by"].as_str()), (Some("released"), Some("Bàn 2")));
        assert_eq!(value["released"]["at"], "2027-01-15T08:01:12.000Z");
    }
}
