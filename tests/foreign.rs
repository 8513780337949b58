//! Cameras that are built otherwise than the simulated ones: other encoders, other groups of pictures, other ways to say what
//! they send. Each is recorded whole or refused with the reason.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use minhbach_testkit::harness::{Running, Server, program};
use serde_json::Value;

const VIDEO: &str =
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=25/1,format=I420";
const H264: &str = "x264enc speed-preset=veryfast bitrate=300 key-int-max=25";
const HIGH: &str = "video/x-h264,profile=high";
const PAY: &str = "rtph264pay name=pay0 pt=96 config-interval=-1";
const TONE: &str = "audiotestsrc is-live=true ! audio/x-raw";

/// What a camera sends, and what has to come of it.
struct Case {
    name: &'static str,
    pipeline: String,
    /// Codec in the file, and whether pictures come in another order than they are shown.
    video: (&'static str, bool),
    /// Codec of the sound in the file.
    audio: Option<&'static str>,
}

fn recorded() -> Vec<Case> {
    let case = |name, pipeline: String, video, audio| Case { name, pipeline, video, audio };
    let caps = |codec: &str| {
        format!(
            "capssetter name=pay0 replace=true \
             caps=application/x-rtp,media=video,clock-rate=90000,encoding-name={codec},payload=96"
        )
    };
    let h265 = "x265enc speed-preset=ultrafast bitrate=300 key-int-max=25";
    vec![
        case(
            "B pictures",
            format!("{VIDEO} ! {H264} bframes=3 b-adapt=false b-pyramid=true ! {HIGH} ! {PAY}"),
            ("h264", true),
            None,
        ),
        case(
            "open groups of pictures, AAC in stereo",
            format!(
                "{VIDEO} ! {H264} bframes=2 option-string=open-gop=1 ! {HIGH} ! {PAY} \
                 {TONE},rate=48000,channels=2 ! avenc_aac ! aacparse ! rtpmp4gpay name=pay1 pt=97"
            ),
            ("h264", true),
            Some("aac"),
        ),
        case(
            "gradual refresh",
            format!("{VIDEO} ! {H264} tune=zerolatency intra-refresh=true ! {PAY}"),
            ("h264", false),
            None,
        ),
        case(
            "eight slices a picture, small packets, µ-law",
            format!(
                "{VIDEO} ! {H264} tune=zerolatency option-string=slices=8 ! {PAY} mtu=300 \
                 {TONE},rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1"
            ),
            ("h264", false),
            Some("pcm_mulaw"),
        ),
        case(
            "parameter sets in band only, linear PCM",
            format!(
                "{VIDEO} ! {H264} tune=zerolatency ! rtph264pay pt=96 config-interval=-1 ! {} \
                 {TONE},rate=44100,channels=2 ! audioconvert ! rtpL16pay name=pay1 pt=97",
                caps("H264")
            ),
            ("h264", false),
            Some("pcm_s16be"),
        ),
        case(
            "parameter sets in the SDP only",
            format!("{VIDEO} ! {H264} tune=zerolatency ! video/x-h264,stream-format=avc ! rtph264pay name=pay0 pt=96"),
            ("h264", false),
            None,
        ),
        case(
            "H.265 with open groups of pictures, A-law",
            format!(
                "{VIDEO} ! {h265} ! rtph265pay name=pay0 pt=96 config-interval=-1 \
                 {TONE},rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1"
            ),
            ("hevc", true),
            Some("pcm_alaw"),
        ),
        case(
            "H.265, parameter sets in band only",
            format!("{VIDEO} ! {h265} tune=zerolatency ! rtph265pay pt=96 config-interval=-1 ! {}", caps("H265")),
            ("hevc", false),
            None,
        ),
        case("Motion JPEG", format!("{VIDEO} ! jpegenc ! rtpjpegpay name=pay0 pt=26"), ("mjpeg", false), None),
    ]
}

fn serve(streams: &[(String, String)]) -> (Running, String) {
    let mut command = Command::new(program("minhbach-camsim"));
    command.args(["launch", "--listen", "127.0.0.1:0"]);
    command.args(streams.iter().map(|(name, pipeline)| format!("{name}={pipeline}")));
    let running = Running::start(&mut command).expect("the cameras start");
    let url = running.ready.split_whitespace().nth(1).expect("an address").to_owned();
    (running, url)
}

/// What ffprobe counts in a file that has to decode without a warning: codec, reordering and pictures, codec of the sound.
fn probe(name: &str, file: &Path) -> (String, bool, u64, Option<String>) {
    let output = Command::new("ffprobe")
        .args(["-v", "warning", "-count_frames", "-show_streams", "-of", "json"])
        .arg(file)
        .output()
        .expect("ffprobe starts");
    let said = String::from_utf8_lossy(&output.stderr);
    // Decoding from a recovery point, FFmpeg misses pictures before it that the camera asks to forget.
    let said: String = said.lines().filter(|line| !line.ends_with("mmco: unref short failure")).collect();
    assert!(said.is_empty() && output.status.success(), "{name}, {}: {said}", file.display());
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let streams = json["streams"].as_array().expect("streams");
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let video = streams.iter().find(|s| s["codec_type"] == "video").expect("a picture");
    let audio = streams.iter().find(|s| s["codec_type"] == "audio");
    let frames = text(video, "nb_read_frames").parse().expect("a count");
    (text(video, "codec_name"), video["has_b_frames"] != 0, frames, audio.map(|a| text(a, "codec_name")))
}

#[test]
fn cameras_of_every_kind_are_recorded_and_exported() {
    let dir = tempfile::tempdir().unwrap();
    let cases = recorded();
    let streams: Vec<_> = cases.iter().enumerate().map(|(n, c)| (format!("s{n}"), c.pipeline.clone())).collect();
    let (_cameras, url) = serve(&streams);
    let mut server = Server::start(&dir.path().join("data"), "").unwrap();
    let ids: Vec<String> =
        (0..cases.len()).map(|n| server.add_camera(cases[n].name, &format!("{url}/s{n}"), &[]).unwrap()).collect();
    for (n, (case, id)) in cases.iter().zip(&ids).enumerate() {
        let args = ["recordings", "list", "--camera", id, "--from", "-1h", "--to", "now"];
        let frames = |lines: &[Value]| lines.iter().filter_map(|l| l["video_samples"].as_u64()).sum::<u64>();
        let lines = server.until(&args, Duration::from_secs(60), |lines| frames(lines) > 250).expect(case.name);

        let start: jiff::Timestamp = lines[0]["start"].as_str().unwrap().parse().unwrap();
        let at = |ms| (start + jiff::SignedDuration::from_millis(ms)).to_string();
        let out = dir.path().join(format!("{n}.mp4")).display().to_string();
        server
            .ask(&["export", "--camera", id, "--from", &at(4300), "--to", &at(7300), "--out", &out])
            .expect(case.name);
        let (codec, _, shown, audio) = probe(case.name, Path::new(&out));
        assert_eq!((codec.as_str(), audio.as_deref()), (case.video.0, case.audio), "{}", case.name);
        // A picture that is refreshed piece by piece is shown once it is whole: up to one round, here 25 pictures, later.
        let at_least = if case.name == "gradual refresh" { 50 } else { 74 };
        assert!((at_least..=76).contains(&shown), "{}: {shown} pictures in 3 s at 25 a second", case.name);
    }
    assert!(server.running.terminate(Duration::from_secs(20)).unwrap().success());
    for (case, id) in cases.iter().zip(&ids) {
        let files = server.files(id, "main");
        assert_eq!(files.len(), 1, "{}: {files:?}", case.name);
        let (codec, reordered, frames, audio) = probe(case.name, &files[0]);
        assert_eq!(
            (codec.as_str(), reordered, audio.as_deref()),
            (case.video.0, case.video.1, case.audio),
            "{}",
            case.name
        );
        assert!(frames > 250, "{}: {frames} pictures", case.name);
    }
}

#[test]
fn sound_that_is_not_recorded_is_said_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let opus = format!("{TONE},rate=48000 ! opusenc ! rtpopuspay name=pay1 pt=97");
    let streams = [
        ("opus".to_owned(), format!("{VIDEO} ! {H264} ! {PAY} {opus}")),
        ("none".to_owned(), format!("{VIDEO} ! {H264} ! {PAY}")),
    ];
    let (_cameras, url) = serve(&streams);
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    for (name, sound, detail) in [("opus", "unsupported", "opus"), ("none", "not_offered", "")] {
        let id = server.add_camera(name, &format!("{url}/{name}"), &[]).unwrap();
        let said = |lines: &[Value]| lines[0]["state"] == "recording" && lines[0]["streams"][0]["sound"] == sound;
        let lines = server.until(&["camera", "show", &id], Duration::from_secs(20), said).expect(name);
        assert_eq!(lines[0]["streams"][0]["sound_detail"], detail);
    }
}

#[test]
fn what_cannot_be_recorded_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let streams = [
        ("vp8".to_owned(), format!("{VIDEO} ! vp8enc deadline=1 ! rtpvp8pay name=pay0 pt=96")),
        ("sound".to_owned(), format!("{TONE},rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay0")),
    ];
    let (_cameras, url) = serve(&streams);
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    for (name, reason, words) in [("vp8", "unsupported_codec", "vp8"), ("sound", "no_video", "no video")] {
        let id = server.add_camera(name, &format!("{url}/{name}"), &[]).unwrap();
        let failed = |lines: &[Value]| lines[0]["state"] == "failed" && lines[0]["reason"] == reason;
        let lines = server.until(&["camera", "show", &id], Duration::from_secs(20), failed).expect(name);
        assert!(lines[0]["message"].as_str().unwrap().contains(words), "{}", lines[0]);
    }
}
