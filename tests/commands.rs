//! The contract of `minhbachctl` and of the server's own command line: exit status, JSON, persistence.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use minhbach_testkit::harness::{Cameras, Server, program};
use serde_json::Value;

fn text(output: &std::process::Output) -> String {
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
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let nowhere = ["hold", "add", "--camera", unknown, "--from", "-1h", "--to", "now", "--reason", "x"];
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
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (args, code) in [
        (&["camera", "show", unknown][..], 1),
        (&["camera", "show", "khong-phai-id"], 2),
        (&["camera", "add", "--name", "x", "--main", "http://h/x"], 1),
        (&["camera", "add", "--name", "x", "--main", "rtsp://u:p@h/x"], 1),
        (&["camera", "add", "--name", "\u{202e}x", "--main", "rtsp://h/x"], 1),
        (&["recordings", "list", "--camera", unknown, "--from", "hôm qua", "--to", "now"], 2),
        (&["live", "--camera", unknown, "--stream", "main", "--seconds", "1"], 1),
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
