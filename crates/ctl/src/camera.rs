//! `camera`: add, list, show, set, test, pause, resume, remove.

use minhbach_client::{Client, StreamTest};
use minhbach_model::{
    CameraDraft, CameraId, CameraStatus, ContactPointId, RemovedCamera, Secret, StreamKind, StreamSource, StreamStatus,
};
use serde_json::{Value, json};

use crate::args::{CameraChange, CameraCommand};
use crate::error::CtlError;
use crate::output::{Output, Table, bit_rate, fps, fps_cell};
use crate::{password, when, words};

/// Runs a command on cameras.
pub async fn run(client: &Client, output: &mut Output, command: CameraCommand) -> Result<(), CtlError> {
    match command {
        CameraCommand::Add { name, main, sub, username, password_file, contact_point } => {
            let draft = CameraDraft {
                name,
                contact_point,
                main: StreamSource { url: main },
                sub: sub.filter(|url| !url.is_empty()).map(|url| StreamSource { url }),
                username: username.unwrap_or_default(),
                password: password_file.as_deref().map(password::read).transpose()?.unwrap_or_default(),
            };
            refuse_password_alone(&draft)?;
            let added = client.add_camera(&draft).await?;
            if output.is_json() {
                output.object(&json!({ "id": added.camera.id.to_string() }))
            } else {
                output.line(&format!("Added camera {}.", added.camera.id))
            }
        }
        CameraCommand::List { removed: false } => list(output, &client.cameras().await?),
        CameraCommand::List { removed: true } => list_removed(output, &client.removed_cameras().await?),
        CameraCommand::Show { id } => show(client, output, &client.camera(id).await?).await,
        CameraCommand::Set { id, change } => {
            if change == CameraChange::nothing() {
                return Err(CtlError::Usage(
                    "nothing to change: give --name, --main, --sub, --username, --password-file or --contact-point"
                        .to_owned(),
                ));
            }
            let keep_password = keeps_password(&change);
            let draft = changed(client.camera(id).await?.camera.draft, change)?;
            show(client, output, &client.update_camera(id, &draft, keep_password).await?).await
        }
        CameraCommand::Test { id, change } => test(client, output, id, change).await,
        CameraCommand::Pause { id } => show(client, output, &client.pause_camera(id).await?).await,
        CameraCommand::Resume { id } => show(client, output, &client.resume_camera(id).await?).await,
        CameraCommand::Remove { id } => {
            client.remove_camera(id).await?;
            if output.is_json() {
                output.object(&json!({ "id": id.to_string(), "removed": true }))
            } else {
                output.line(&format!("Removed camera {id}; its footage stays."))
            }
        }
    }
}

impl CameraChange {
    fn nothing() -> Self {
        Self { name: None, main: None, sub: None, username: None, password_file: None, contact_point: None }
    }
}

/// The draft with what was given put in.
fn changed(mut draft: CameraDraft, change: CameraChange) -> Result<CameraDraft, CtlError> {
    if let Some(name) = change.name {
        draft.name = name;
    }
    if let Some(url) = change.main {
        draft.main = StreamSource { url };
    }
    if let Some(sub) = change.sub {
        draft.sub = sub.0.filter(|url| !url.0.is_empty()).map(|url| StreamSource { url: url.0 });
    }
    if let Some(username) = change.username {
        draft.username = username;
    }
    if let Some(path) = change.password_file {
        draft.password = password::read(&path)?;
    }
    if let Some(contact_point) = change.contact_point {
        draft.contact_point = contact_point.0;
    }
    refuse_password_alone(&draft)?;
    Ok(draft)
}

/// Without an account there is no password either: it would lie in the server for nothing.
fn keeps_password(change: &CameraChange) -> bool {
    change.password_file.is_none() && change.username.as_deref() != Some("")
}

/// The server sends no password, so one that is in the draft was given now.
fn refuse_password_alone(draft: &CameraDraft) -> Result<(), CtlError> {
    if draft.username.is_empty() && !draft.password.is_empty() {
        return Err(CtlError::Usage("a password without an account is never sent: give --username as well".to_owned()));
    }
    Ok(())
}

async fn test(
    client: &Client,
    output: &mut Output,
    id: Option<CameraId>,
    change: CameraChange,
) -> Result<(), CtlError> {
    let stored = match id {
        Some(id) => client.camera(id).await?.camera.draft,
        None => CameraDraft {
            name: "test".to_owned(),
            contact_point: None,
            main: StreamSource { url: String::new() },
            sub: None,
            username: String::new(),
            password: Secret::default(),
        },
    };
    let tests = client.test_camera(id, &changed(stored, change)?).await?;
    if output.is_json() {
        for test in &tests {
            output.object(&test_json(test))?;
        }
    } else {
        let mut table =
            Table::new(&["STREAM", "RESULT", "VIDEO", "SOUND", "BIT RATE", "FPS", "FIRST PICTURE", "MESSAGE"]);
        for test in &tests {
            let works = test.failure.is_none();
            table.row([
                test.stream.to_string(),
                words::plain(test.failure.map_or("ok", words::failure)),
                test.video.clone(),
                words::sound_cell(&test.audio, &test.sound),
                bit_rate(test.bit_rate_bps),
                fps_cell(test.frame_rate_milli),
                if works { format!("{} ms", test.first_picture_ms) } else { String::new() },
                test.message.clone(),
            ]);
        }
        output.table(&table)?;
    }
    match tests.iter().find_map(|test| test.failure.map(|failure| (test.stream, failure))) {
        Some((stream, failure)) => {
            Err(CtlError::Failed(format!("the {stream} stream does not work: {}", words::advice(failure))))
        }
        None => Ok(()),
    }
}

fn test_json(test: &StreamTest) -> Value {
    json!({
        "stream": test.stream.as_str(),
        "ok": test.failure.is_none(),
        "reason": test.failure.map(words::failure),
        "message": test.message,
        "codec": test.video,
        "audio": test.audio,
        "sound": words::sound(test.sound.state),
        "sound_detail": test.sound.detail,
        "bit_rate_bps": test.bit_rate_bps,
        "fps": fps(test.frame_rate_milli),
        "first_picture_ms": test.failure.is_none().then_some(test.first_picture_ms),
    })
}

fn list_removed(output: &mut Output, cameras: &[RemovedCamera]) -> Result<(), CtlError> {
    if output.is_json() {
        for camera in cameras {
            output.object(&json!({
                "id": camera.id.to_string(),
                "name": camera.name,
                "contact_point": camera.contact_point.map(|id| id.to_string()),
                "removed": camera.removed.map(|at| at.to_string()),
            }))?;
        }
        return Ok(());
    }
    if cameras.is_empty() {
        return output.line("No camera was removed.");
    }
    let mut table = Table::new(&["ID", "NAME", "REMOVED"]);
    for camera in cameras {
        let removed = camera.removed.map(when::local).unwrap_or_default();
        table.row([camera.id.to_string(), camera.name.clone(), removed]);
    }
    output.table(&table)
}

fn list(output: &mut Output, cameras: &[CameraStatus]) -> Result<(), CtlError> {
    if output.is_json() {
        for camera in cameras {
            output.object(&camera_json(camera))?;
        }
        return Ok(());
    }
    if cameras.is_empty() {
        return output.line("No cameras yet: add one with `minhbachctl camera add`.");
    }
    let mut table = Table::new(&["ID", "NAME", "STATE", "REASON", "SINCE", "VIDEO", "SOUND", "BIT RATE", "FPS"]);
    for camera in cameras {
        let Some(main) = main_stream(camera) else {
            let mut row: [String; 9] = Default::default();
            row[0] = camera.camera.id.to_string();
            row[1].clone_from(&camera.camera.draft.name);
            table.row(row);
            continue;
        };
        table.row([
            camera.camera.id.to_string(),
            camera.camera.draft.name.clone(),
            words::plain(words::camera_state(main.state)),
            words::plain(words::reason(main.state).unwrap_or_default()),
            when::local(main.since),
            main.video.clone(),
            words::sound_cell(&main.audio, &main.sound),
            bit_rate(main.bit_rate_bps),
            fps_cell(main.frame_rate_milli),
        ]);
    }
    output.table(&table)?;
    let failing = cameras.iter().filter(|camera| is_failing(camera)).count();
    if failing > 0 {
        output.line("")?;
        output.line(&format!(
            "{failing} of {} cameras with a stream that fails: `minhbachctl camera show ID` says why and what to do.",
            cameras.len()
        ))?;
    }
    Ok(())
}

/// Of either stream: the list itself shows the main one.
fn is_failing(camera: &CameraStatus) -> bool {
    camera.streams.iter().any(|stream| stream.state.failure().is_some())
}

async fn show(client: &Client, output: &mut Output, status: &CameraStatus) -> Result<(), CtlError> {
    if output.is_json() {
        return output.object(&camera_json(status));
    }
    let draft = &status.camera.draft;
    let contact_point = contact_point(client, draft.contact_point).await?;
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let mut table = Table::new(&["CAMERA", &status.camera.id.to_string()]);
    let mut row = |name: &str, text: String| table.row([name.to_owned(), text]);
    row("name", draft.name.clone());
    row("contact point", contact_point);
    row("main stream", draft.main.url.clone());
    row("sub stream", or_none(draft.sub.as_ref().map_or("", |source| source.url.as_str())));
    row("user name", or_none(&draft.username));
    row("added", when::local(status.camera.created));
    row("paused", if status.camera.paused { "yes: nothing is recorded until it is resumed" } else { "no" }.to_owned());
    output.table(&table)?;
    for stream in &status.streams {
        output.line("")?;
        let mut table = Table::new(&["STREAM", stream.stream.as_str()]);
        for (name, text) in stream_rows(stream) {
            table.row([name.to_owned(), text]);
        }
        output.table(&table)?;
    }
    Ok(())
}

/// Its name with its id; the name alone need not be unique.
async fn contact_point(client: &Client, id: Option<ContactPointId>) -> Result<String, CtlError> {
    let Some(id) = id else { return Ok("none".to_owned()) };
    let places = client.places().await?;
    let point = places.contact_points.iter().find(|point| point.id == id);
    Ok(point.map_or_else(|| id.to_string(), |point| format!("{} ({id})", point.name)))
}

/// What a stream does, and what is wrong with it only when something is.
fn stream_rows(stream: &StreamStatus) -> Vec<(&'static str, String)> {
    let failure = stream.state.failure();
    let mut rows = vec![("state", words::plain(words::camera_state(stream.state)))];
    let when_wrong = [
        ("reason", failure.map(|kind| words::plain(words::failure(kind))).unwrap_or_default()),
        ("message", stream.message.clone()),
        ("what to do", failure.map(words::advice).unwrap_or_default().to_owned()),
        ("next attempt", stream.retry_at.map(when::local).unwrap_or_default()),
    ];
    rows.extend(when_wrong.into_iter().filter(|(_, text)| !text.is_empty()));
    rows.extend([
        ("in this state since", when::local(stream.since)),
        ("video", stream.video.clone()),
        ("sound", words::sound_cell(&stream.audio, &stream.sound)),
        ("bit rate", bit_rate(stream.bit_rate_bps)),
        ("pictures a second", fps_cell(stream.frame_rate_milli)),
        // Both start again with the server, which is what a person compares them by.
        ("lost packets", format!("{} since the server started", stream.lost_packets)),
        ("connections made", format!("{} since the server started", stream.runs)),
    ]);
    rows
}

/// The main stream's state: what stands for a camera in a list.
pub fn main_stream(status: &CameraStatus) -> Option<&StreamStatus> {
    status.streams.iter().find(|stream| stream.stream == StreamKind::Main)
}

/// A camera; the state of its main stream is repeated at the top.
pub fn camera_json(status: &CameraStatus) -> Value {
    let draft = &status.camera.draft;
    let main = main_stream(status);
    json!({
        "id": status.camera.id.to_string(),
        "name": draft.name,
        "contact_point_id": draft.contact_point.map(|id| id.to_string()),
        "main_url": draft.main.url,
        "sub_url": draft.sub.as_ref().map(|source| source.url.as_str()),
        "username": draft.username,
        "paused": status.camera.paused,
        "created": status.camera.created.to_string(),
        "state": main.map(|stream| words::camera_state(stream.state)),
        "reason": main.and_then(|stream| words::reason(stream.state)),
        "message": main.map(|stream| stream.message.as_str()),
        "since": main.map(|stream| stream.since.to_string()),
        "codec": main.map(|stream| stream.video.as_str()),
        "audio": main.map(|stream| stream.audio.as_str()),
        "sound": main.map(|stream| words::sound(stream.sound.state)),
        "bit_rate_bps": main.map(|stream| stream.bit_rate_bps),
        "fps": main.map(|stream| fps(stream.frame_rate_milli)),
        "streams": status.streams.iter().map(stream_json).collect::<Vec<_>>(),
    })
}

fn stream_json(stream: &StreamStatus) -> Value {
    json!({
        "stream": stream.stream.as_str(),
        "state": words::camera_state(stream.state),
        "reason": words::reason(stream.state),
        "message": stream.message,
        "since": stream.since.to_string(),
        "retry_at": stream.retry_at.map(|at| at.to_string()),
        "codec": stream.video,
        "audio": stream.audio,
        "sound": words::sound(stream.sound.state),
        "sound_detail": stream.sound.detail,
        "bit_rate_bps": stream.bit_rate_bps,
        "fps": fps(stream.frame_rate_milli),
        "lost_packets": stream.lost_packets,
        "runs": stream.runs,
    })
}

#[cfg(test)]
mod tests {
    use minhbach_model::{Camera, CameraState, FailureKind, Params, Sound, WallTime};

    use super::*;
    use crate::args::{OrNone, Text};

    fn status() -> CameraStatus {
        CameraStatus {
            camera: Camera {
                id: CameraId::generate(),
                draft: CameraDraft {
                    name: "Quầy 1".to_owned(),
                    contact_point: None,
                    main: StreamSource { url: "rtsp://h/main".to_owned() },
                    sub: Some(StreamSource { url: "rtsp://h/sub".to_owned() }),
                    username: "view".to_owned(),
                    password: Secret::new("s3cret"),
                },
                paused: false,
                created: WallTime::from_secs(1_800_000_000),
            },
            streams: vec![StreamStatus {
                stream: StreamKind::Main,
                state: CameraState::Failed(FailureKind::AuthRefused),
                message: "401".to_owned(),
                params: Params::new(),
                since: WallTime::from_secs(1_800_000_000),
                retry_at: None,
                video: "H.264 1920×1080".to_owned(),
                audio: String::new(),
                sound: Sound::default(),
                bit_rate_bps: 4_000_000,
                frame_rate_milli: 25_000,
                lost_packets: 0,
                runs: 1,
            }],
        }
    }

    #[test]
    fn a_camera_in_json_has_the_keys_of_the_contract_and_no_password() {
        let value = camera_json(&status());
        assert_eq!(value["state"], "failed");
        assert_eq!(value["reason"], "auth_refused");
        assert_eq!(value["since"], "2027-01-15T08:00:00.000Z");
        assert_eq!(value["codec"], "H.264 1920×1080");
        assert_eq!(value["bit_rate_bps"], 4_000_000);
        assert_eq!(value["fps"], 25.0);
        assert_eq!(value["streams"][0]["retry_at"], Value::Null);
        assert!(!value.to_string().contains("s3cret"));
    }

    #[test]
    fn only_what_is_given_is_changed() {
        let before = status().camera.draft;
        let change = CameraChange { sub: Some(OrNone(None)), ..CameraChange::nothing() };
        let after = changed(before.clone(), change).unwrap();
        assert_eq!(after, CameraDraft { sub: None, ..before.clone() });
        let change = CameraChange { sub: Some(OrNone(Some(Text("rtsp://h/2".to_owned())))), ..CameraChange::nothing() };
        assert_eq!(changed(before, change).unwrap().sub, Some(StreamSource { url: "rtsp://h/2".to_owned() }));
    }

    #[test]
    fn a_password_needs_its_account_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.txt");
        std::fs::write(&path, "s3cret\r\n").unwrap();
        let given = || CameraChange { password_file: Some(path.clone()), ..CameraChange::nothing() };
        let before = CameraDraft { password: Secret::default(), ..status().camera.draft };
        let after = changed(before.clone(), given()).unwrap();
        assert_eq!((after.username.as_str(), after.password.reveal()), ("view", "s3cret"));
        assert!(!keeps_password(&given()));

        let nobody = CameraDraft { username: String::new(), ..before.clone() };
        assert_eq!(changed(nobody, given()).unwrap_err().exit_status(), 2);
        let forget = CameraChange { username: Some(String::new()), ..CameraChange::nothing() };
        assert!(!keeps_password(&forget) && keeps_password(&CameraChange::nothing()));
        assert!(changed(before.clone(), CameraChange { username: Some(String::new()), ..given() }).is_err());
        assert!(changed(before, forget).unwrap().password.is_empty());
    }

    #[test]
    fn a_failing_stream_says_why_and_what_to_do_and_a_good_one_does_not() {
        let mut status = status();
        assert!(is_failing(&status));
        let text = |status: &CameraStatus| format!("{:?}", stream_rows(&status.streams[0]));
        for part in ["auth refused", "401", "what to do", "`camera set`", "since the server started"] {
            assert!(text(&status).contains(part), "{part}: {}", text(&status));
        }
        status.streams[0].state = CameraState::Recording;
        status.streams[0].message.clear();
        assert!(!is_failing(&status));
        assert!(!text(&status).contains("what to do") && !text(&status).contains("message"), "{}", text(&status));
    }
}
