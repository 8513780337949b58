//! The contract of `minhbachctl` and of the server's own command line: exit status, JSON, persistence.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minhbach_model::WallTime;
use minhbach_testkit::harness::{Cameras, Server, program, wait_for};
use serde_json::Value;

/// An id that nobody has.
const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// minhbachctl as a person calls it who has chosen no zone: in text.
fn in_text(url: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program("minhbachctl"));
    command.args(["--server", url]).args(args).env_remove("TZ").stdin(Stdio::null());
    command.output().expect("minhbachctl starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn get(http: &str, path: &str) -> String {
    let address = http.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).expect("the side door is open");
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn cameras_are_managed_while_the_server_runs_and_outlive_it() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = Cameras::start(1, &dir.path().join("truth"), &["--profile", "plain"]).unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, "").unwrap();

    let id = |lines: Vec<Value>| lines[0]["id"].as_str().expect("an id").to_owned();
    let agency = id(server.ask(&["place", "add-agency", "--name", "UBND phường"]).unwrap());
    let site = id(server.ask(&["place", "add-site", "--name", "Một cửa", "--agency", &agency]).unwrap());
    let point = id(server.ask(&["place", "add-contact-point", "--name", "Quầy 1", "--site", &site]).unwrap());
    let camera = server.add_camera("Camera 1", &cameras.stream(0, "main"), &["--contact-point", &point]).unwrap();
    // A place that holds something stays.
    assert_eq!(server.ctl(&["place", "remove", "--contact-point", &point]).status.code(), Some(1));

    let recording = |l: &[Value]| l[0]["state"] == "recording" && l[0]["fps"].as_f64().is_some_and(|fps| fps > 20.0);
    let shown = server.until(&["camera", "list"], Duration::from_secs(30), recording).unwrap();
    assert!(shown[0]["codec"].as_str().unwrap().contains("H.264"), "{shown:?}");
    assert!(shown[0]["since"].as_str().unwrap().ends_with('Z'), "{shown:?}");

    let live = server.ask(&["live", "--camera", &camera, "--stream", "main", "--seconds", "2"]).unwrap();
    assert!(live[0]["first_picture_ms"].as_f64().unwrap() < 1000.0, "{live:?}");
    assert!(live[0]["video_samples"].as_u64().unwrap() >= 45 && live[0]["audio_samples"].as_u64().unwrap() >= 25);

    server.ask(&["camera", "pause", &camera]).unwrap();
    let paused = |l: &[Value]| l[0]["state"] == "paused";
    server.until(&["camera", "show", &camera], Duration::from_secs(5), paused).unwrap();
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());

    let server = Server::start(&data, "").unwrap();
    let shown = server.ask(&["camera", "show", &camera]).unwrap();
    assert_eq!((shown[0]["state"].as_str(), shown[0]["name"].as_str()), (Some("paused"), Some("Camera 1")));
    server.ask(&["camera", "resume", &camera]).unwrap();
    server.until(&["camera", "list"], Duration::from_secs(30), recording).unwrap();
    // It keeps everything since it was added, seconds ago: that is not short of thirty days.
    let judged = |l: &[Value]| l.iter().any(|l| l["type"] == "camera" && l["promise"] == "not_yet_due");
    server.until(&["retention", "list"], Duration::from_secs(60), judged).unwrap();
    let kept = text(&in_text(&server.url, &["retention", "list"]));
    assert!(kept.contains("30 promised, 0.0 kept (since it was added)"), "{kept}");
    assert!(!text(&in_text(&server.url, &["status"])).contains("less than promised"));
    // A range may end in the future; what is recorded of it is said.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let later = WallTime::from_secs(i64::try_from(now).unwrap() + 3600).to_string();
    let range = ["--camera", &camera, "--from", "-1h", "--to", &later];
    let listed = text(&in_text(&server.url, &[&["recordings", "list"][..], &range].concat()));
    assert!(listed.contains("Recorded up to ") && listed.contains("ends in the future"), "{listed}");
    let file = dir.path().join("a.mp4").display().to_string();
    let exported = text(&in_text(&server.url, &[&["export"][..], &range, &["--out", &file]].concat()));
    assert!(exported.contains("is in the future: the file ends with"), "{exported}");
    let args = ["recordings", "list", "--camera", &camera, "--from", "-1h", "--to", "now"];
    let lines = server.ask(&args).unwrap();
    assert!(lines.iter().any(|l| l["cause"] == "paused_by_operator" && l["end"].is_string()), "{lines:?}");

    server.ask(&["camera", "set", &camera, "--name", "Camera một"]).unwrap();
    assert_eq!(server.ask(&["camera", "show", &camera]).unwrap()[0]["name"], "Camera một");
    server.ask(&["camera", "remove", &camera]).unwrap();
    assert!(server.ask(&["camera", "list"]).unwrap().is_empty());
    // Its footage stays.
    assert!(server.ask(&args).unwrap().iter().any(|l| l["type"] == "segment"));
}

#[test]
fn incidents_are_flagged_listed_changed_and_closed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let camera = server.add_camera("Quầy 1", "rtsp://127.0.0.1:1/x", &[]).unwrap();
    let flagged = server
        .ask(&["incident", "flag", "--camera", &camera, "--seconds-back", "30", "--note", "nghi đưa phong bì"])
        .unwrap();
    let id = flagged[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.ask(&["incident", "show", &id]).unwrap()[0]["note"], "nghi đưa phong bì");
    let changed = server.ask(&["incident", "set", &id, "--state", "in_progress", "--category", "payment"]).unwrap();
    assert_eq!((changed[0]["state"].as_str(), changed[0]["category"].as_str()), (Some("in_progress"), Some("payment")));
    server.ask(&["incident", "close", &id]).unwrap();
    assert_eq!(server.ask(&["incident", "list", "--state", "closed"]).unwrap().len(), 1);
    assert!(server.ask(&["incident", "list", "--state", "new"]).unwrap().is_empty());
}

#[test]
fn holds_are_placed_listed_and_released_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let camera = server.add_camera("Quầy 1", "rtsp://127.0.0.1:1/x", &[]).unwrap();
    let add = ["hold", "add", "--camera", &camera, "--from", "-1h", "--to", "now", "--reason", "phản ánh"];
    let placed = server.ask(&[&add[..], &["--case", "PA-7", "--owner", "Bàn 1"]].concat()).unwrap();
    let id = placed[0]["id"].as_str().unwrap().to_owned();
    assert_eq!((placed[0]["state"].as_str(), placed[0]["case_code"].as_str()), (Some("standing"), Some("PA-7")));
    let of_camera = ["hold", "list", "--standing", "--camera", &camera];
    assert_eq!(server.ask(&of_camera).unwrap().len(), 1);

    let release = ["hold", "release", &id, "--reason", "đã giải quyết", "--by", "Bàn 2"];
    assert_eq!(server.ask(&release).unwrap()[0]["released"]["by"], "Bàn 2");
    assert!(server.ask(&of_camera).unwrap().is_empty());
    assert_eq!(server.ask(&["hold", "show", &id]).unwrap()[0]["state"], "released");
    let again = server.ctl(&release);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again));

    // A hold that would hold nothing is no hold: an id that nobody knows, and an end that is over.
    let nowhere = ["hold", "add", "--camera", UNKNOWN, "--from", "-1h", "--to", "now", "--reason", "x"];
    assert_eq!(server.ctl(&nowhere).status.code(), Some(1));
    assert_eq!(server.ctl(&[&add[..], &["--expires", "-1h"]].concat()).status.code(), Some(1));
}

#[test]
fn how_long_footage_is_kept_is_said_by_scope() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let camera = server.add_camera("Quầy 1", "rtsp://127.0.0.1:1/x", &[]).unwrap();
    let scope = format!("camera:{camera}");
    server.ask(&["retention", "set", "--scope", "default", "--min-days", "30"]).unwrap();
    server.ask(&["retention", "set", "--scope", &scope, "--min-days", "60", "--max-days", "90"]).unwrap();
    let said = |server: &Server| -> Vec<Value> {
        server.ask(&["retention", "list"]).unwrap().into_iter().filter(|l| l["type"] == "retention").collect()
    };
    let mine = said(&server).into_iter().find(|l| l["scope"] == scope.as_str()).unwrap();
    assert_eq!((mine["min_days"].as_u64(), mine["max_days"].as_u64()), (Some(60), Some(90)));
    let impossible = server.ctl(&["retention", "set", "--scope", "default", "--min-days", "31", "--max-days", "30"]);
    assert_eq!(impossible.status.code(), Some(1), "{}", text(&impossible));
    server.ask(&["retention", "unset", "--scope", &scope]).unwrap();
    assert_eq!(said(&server).len(), 1);
    assert!(server.ask(&["deletions", "list"]).unwrap().is_empty());
    let status = server.ask(&["status"]).unwrap();
    assert!(status.iter().any(|l| l["type"] == "archive" && l["spool_used_percent"].is_u64()), "{status:?}");
}

#[test]
fn what_is_wrong_is_said_with_the_right_exit_status() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    for (args, code) in [
        (&["camera", "show", UNKNOWN][..], 1),
        (&["camera", "show", "khong-phai-id"], 2),
        (&["camera", "add", "--name", "x", "--main", "http://h/x"], 1),
        (&["camera", "add", "--name", "x", "--main", "rtsp://u:p@h/x"], 1),
        (&["camera", "add", "--name", "\u{202e}x", "--main", "rtsp://h/x"], 1),
        (&["recordings", "list", "--camera", UNKNOWN, "--from", "hôm qua", "--to", "now"], 2),
        (&["live", "--camera", UNKNOWN, "--stream", "main", "--seconds", "1"], 1),
        (&["no-such-command"], 2),
    ] {
        let output = server.ctl(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output));
        assert!(!output.stderr.is_empty(), "{args:?} says nothing");
    }
    let ctl = |url: &str| Command::new(program("minhbachctl")).args(["--server", url, "status"]).output().unwrap();
    assert_eq!(ctl("http://127.0.0.1:1").status.code(), Some(1));

    let run = |args: &[&str]| Command::new(program("minhbach-server")).args(args).output().unwrap();
    let data = server.data.display().to_string();
    let twice = run(&["run", "--listen", "127.0.0.1:0", "--data-dir", &data]);
    assert!(!twice.status.success() && text(&twice).contains("another server"), "{}", text(&twice));
    let open = run(&["run", "--listen", "0.0.0.0:0", "--data-dir", &data]);
    assert!(!open.status.success() && text(&open).contains("loopback"), "{}", text(&open));
    assert!(run(&["config", "print", "--redacted"]).status.success());
    assert!(run(&["config", "check"]).status.success());

    assert!(get(&server.http, "/healthz").ends_with("ok\n"));
    assert!(get(&server.http, "/metrics").contains("minhbach_cameras 0"));
}

#[test]
fn a_person_reads_times_of_viet_nam_and_a_script_utc() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let camera = server.add_camera("Quầy 1", "rtsp://127.0.0.1:1/x", &[]).unwrap();
    let show = ["camera", "show", &camera];
    let shown = text(&in_text(&server.url, &show));
    assert!(shown.contains("+07:00") && !shown.contains("+00:00"), "{shown}");
    let mut chosen = Command::new(program("minhbachctl"));
    chosen.args(["--server", &server.url]).args(show).env("TZ", "UTC");
    let shown = text(&chosen.output().unwrap());
    assert!(shown.contains("+00:00") && !shown.contains("+07:00"), "{shown}");
    assert!(server.ask(&show).unwrap()[0]["created"].as_str().unwrap().ends_with('Z'));
    // A stream that does not flow says why, and what to do.
    let refused = |l: &[Value]| l[0]["reason"] == "connection_refused";
    server.until(&show, Duration::from_secs(20), refused).unwrap();
    let shown = text(&in_text(&server.url, &show));
    assert!(shown.contains("connection refused") && shown.contains("what to do"), "{shown}");
    assert!(text(&in_text(&server.url, &["camera", "list"])).contains("1 of 1 cameras with a stream that fails"));

    let naked = in_text(&server.url, &["recordings", "list", "--camera", UNKNOWN, "--from", "2026-11-24T14:05:09"]);
    assert_eq!(naked.status.code(), Some(2));
    assert!(text(&naked).contains("2026-11-24T14:05:09+07:00"), "{}", text(&naked));
    assert_eq!(in_text(&server.url, &["deletions", "list", "--from", "-1d"]).status.code(), Some(0));
}

#[test]
fn an_id_that_is_not_known_is_looked_up_in_the_right_list() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    for (args, list) in [
        (&["camera", "show", UNKNOWN][..], "`minhbachctl camera list`"),
        (&["incident", "show", UNKNOWN], "`minhbachctl incident list`"),
        (&["hold", "show", UNKNOWN], "`minhbachctl hold list`"),
        (&["place", "rename", "--site", UNKNOWN, "--name", "x"], "`minhbachctl place list`"),
    ] {
        let output = in_text(&server.url, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output));
        assert!(text(&output).contains(list), "{args:?}: {}", text(&output));
    }
    let wrong = text(&in_text(&server.url, &["incident", "show", "x"]));
    assert!(wrong.contains("`x` is not an incident id"), "{wrong}");
}

#[test]
fn an_address_is_understood_or_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let short = server.url.trim_start_matches("http://");
    assert_eq!(in_text(short, &["camera", "list"]).status.code(), Some(0));
    let metrics = in_text(&server.http, &["camera", "list"]);
    assert_eq!(metrics.status.code(), Some(1));
    assert!(text(&metrics).contains("not Minh Bạch's gRPC port"), "{}", text(&metrics));

    let from_environment = |args: &[&str]| {
        let mut command = Command::new(program("minhbachctl"));
        command.args(args).env("MINHBACH_SERVER", &server.url).output().unwrap()
    };
    assert_eq!(from_environment(&["camera", "list"]).status.code(), Some(0));
    // What comes from the environment is not part of what a person has to write.
    let usage = from_environment(&["camera", "show"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(!text(&usage).contains("--server"), "{}", text(&usage));
}

#[test]
fn a_password_file_is_used_or_refused_and_never_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let path = dir.path().join("p.txt");
    let file = path.display().to_string();
    let add = ["camera", "add", "--name", "Quầy 1", "--main", "rtsp://127.0.0.1:1/x", "--password-file", &file];
    let with_account = [&add[..], &["--username", "view"]].concat();
    std::fs::write(&path, "\r\n").unwrap();
    let empty = in_text(&server.url, &with_account);
    assert_eq!(empty.status.code(), Some(1));
    assert!(text(&empty).contains("p.txt is empty"), "{}", text(&empty));
    std::fs::write(&path, "s3cret\r\n").unwrap();
    assert_eq!(in_text(&server.url, &add).status.code(), Some(2));
    assert!(server.ask(&["camera", "list"]).unwrap().is_empty());
    assert_eq!(in_text(&server.url, &with_account).status.code(), Some(0));
}

#[test]
fn an_export_that_cannot_be_written_is_refused_before_the_server_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().display().to_string();
    let export = |from: &str, out: &str| {
        let args = ["export", "--camera", UNKNOWN, "--from", from, "--to", "2099-01-01T01:00:00Z", "--out", out];
        // Nothing listens there: an error of the connection would show that it was asked.
        let output = in_text("http://127.0.0.1:1", &args);
        (output.status.code(), text(&output))
    };
    for (name, code, part) in [
        ("", Some(2), "is a folder: name a file in it"),
        ("a.avi", Some(2), "ends in .mp4"),
        ("missing/a.mp4", Some(1), "there is no folder"),
    ] {
        let (status, said) = export("-1h", &format!("{folder}/{name}"));
        assert_eq!(status, code, "{name}: {said}");
        assert!(said.contains(part) && !said.contains(".partial"), "{name}: {said}");
    }
    let (status, said) = export("2099-01-01T00:00:00Z", &format!("{folder}/a.mp4"));
    assert_eq!(status, Some(1));
    assert!(said.contains("is in the future"), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = tokio::task::spawn_blocking(move || Server::start(&data, "").unwrap()).await.unwrap();
    let channel = tonic::transport::Channel::from_shared(server.url.clone()).unwrap().connect().await.unwrap();
    let health = HealthClient::new(channel.clone()).check(HealthCheckRequest { service: String::new() }).await.unwrap();
    assert_eq!(health.into_inner().status, 1, "SERVING");

    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    let mut answers = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list of services");
    };
    let names: Vec<&str> = list.service.iter().map(|s| s.name.as_str()).collect();
    for service in ["Archive", "Camera", "Incident", "Live", "Place", "Recording", "System"] {
        assert!(names.contains(&format!("minhbach.v1.{service}Service").as_str()), "{names:?}");
    }
}

#[test]
fn a_database_is_not_trusted_in_a_folder_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("mistyped");
    let output = std::process::Command::new(minhbach_testkit::harness::program("minhbach-server"))
        .args(["trust-database", "--data-dir"])
        .arg(&missing)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("mistyped"), "{output:?}");
    assert!(!missing.exists(), "the folder was made");
}

#[test]
fn a_camera_that_never_connected_says_why_and_what_is_removed_stays_found() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = Cameras::start(1, &dir.path().join("truth"), &["--profile", "plain"]).unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    let refused = server.add_camera("Quầy 1", "rtsp://127.0.0.1:1/x", &[]).unwrap();
    let of = |id: &str| ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"].map(str::to_owned);
    let list = of(&refused);
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let told = |lines: &[Value]| lines.iter().any(|line| line["cause"] == "camera_unreachable");
    let gaps = server.until(&list, Duration::from_secs(10), told).unwrap();
    assert_eq!(gaps.len(), 1, "one gap from the first moment on, with its true cause: {gaps:?}");

    let camera = server.add_camera("Quầy 2", &cameras.stream(0, "main"), &[]).unwrap();
    let recording = |lines: &[Value]| lines[0]["state"] == "recording";
    server.until(&["camera", "show", &camera], Duration::from_secs(30), recording).unwrap();
    server.ask(&["camera", "pause", &camera]).unwrap();
    let live = server.ctl(&["live", "--camera", &camera, "--seconds", "1"]);
    assert!(live.status.code() == Some(1) && text(&live).contains("paused"), "{}", text(&live));
    let out = dir.path().join("later.mp4").display().to_string();
    let export = ["export", "--camera", &camera, "--from", "-0s", "--to", "2099-01-01T00:00:00Z", "--out", &out];
    assert_eq!(server.ctl(&export).status.code(), Some(1));

    server.ask(&["camera", "remove", &camera]).unwrap();
    let removed = server.ask(&["camera", "list", "--removed"]).unwrap();
    assert_eq!((removed[0]["id"].as_str(), removed[0]["name"].as_str()), (Some(&*camera), Some("Quầy 2")));
    assert!(removed[0]["removed"].is_string(), "{removed:?}");
    server.ask(&["incident", "flag", "--camera", &camera, "--seconds-back", "10"]).unwrap();

    // Nobody takes a wrong id for a camera without footage, nor the future for the past.
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for list in [&of(unknown)[..], &["incident", "list", "--camera", unknown].map(str::to_owned)] {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let answer = server.ctl(&list);
        assert!(answer.status.code() == Some(1) && text(&answer).contains("no camera"), "{}", text(&answer));
    }
    let future = ["incident", "flag", "--camera", &camera, "--from", "now", "--to", "2099-01-01T00:00:00Z"];
    assert_eq!(server.ctl(&future).status.code(), Some(1));
    assert!(get(&server.http, "/metrics").contains("# HELP minhbach_stream_recording "));
}

#[test]
fn a_clock_that_is_a_month_ahead_is_told_until_a_person_says_that_it_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let kept = data.join("footage/clock.json");
    // What is kept beside the footage: time that has passed for certain.
    let seen = || -> Option<i64> {
        let json: Value = serde_json::from_slice(&std::fs::read(&kept).ok()?).ok()?;
        json["seen_wall_ns"].as_i64()
    };
    let locked = |lines: &[Value]| lines.iter().find(|l| l["type"] == "archive").expect("a line")["age_locked"].clone();
    // It is looked at once a minute.
    let patience = Duration::from_secs(90);

    let mut server = Server::start(&data, "").unwrap();
    wait_for("the time is kept", patience, || seen().is_some()).unwrap();
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());
    let a_month_ago = seen().unwrap() - 30 * 86_400 * 1_000_000_000;
    std::fs::write(&kept, format!("{{\"seen_wall_ns\":{a_month_ago},\"ahead_ns\":0}}")).unwrap();

    let mut server = Server::start(&data, "").unwrap();
    let lines = server.until(&["status"], patience, |lines| locked(lines).is_string()).unwrap();
    assert!(locked(&lines).as_str().unwrap().contains("trust-clock"), "{lines:?}");
    assert!(text(&in_text(&server.url, &["status"])).contains("Nothing is deleted by its age"));
    assert!(get(&server.http, "/metrics").contains("minhbach_archive_age_locked 1"));
    assert!(get(&server.http, "/healthz").starts_with("HTTP/1.1 200"), "a full disk still gets room");
    let refused = Server::own_command(&data, &["trust-clock"]);
    assert_eq!(refused.status.code(), Some(1), "not while a server runs: {}", text(&refused));
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());
    assert!(seen().unwrap() < a_month_ago + 3_600_000_000_000, "only what has passed counts");

    let said = Server::own_command(&data, &["trust-clock"]);
    assert!(said.status.success(), "{}", text(&said));
    let trusted = seen().unwrap();
    let server = Server::start(&data, "").unwrap();
    wait_for("it is looked at", patience, || seen().is_some_and(|seen| seen > trusted)).unwrap();
    server.until(&["status"], patience, |lines| locked(lines).is_null()).unwrap();
}
