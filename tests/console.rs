//! The console in a real window of a virtual display, against a real server and cameras: what it shows is looked at.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use minhbach_testkit::harness::{Cameras, Server, program};

/// Runs the console for some seconds and returns its picture: width, height, RGB or RGBA rows, bytes a pixel.
fn picture(server: &Server, dir: &Path, page: &str) -> (usize, usize, Vec<u8>, usize) {
    let file = dir.join(format!("{page}.png"));
    let status = Command::new("xvfb-run")
        .args(["--auto-servernum", "--server-args", "-screen 0 1280x720x24"])
        .arg(program("minhbach-console"))
        .args(["--server", &server.url, "--page", page, "--wall", "1", "--after", "8", "--screenshot"])
        .arg(&file)
        // Settings of whoever runs the test are not read and not written.
        .env("XDG_CONFIG_HOME", dir.join("config"))
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .env("XDG_RUNTIME_DIR", dir)
        .status()
        .expect("xvfb-run is installed by `cargo xtask setup`");
    assert!(status.success(), "the console ended with {status}");
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&file).expect("a picture")));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut rows = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rows).expect("whole");
    let bytes = rows.len() / (info.width as usize * info.height as usize);
    (info.width as usize, info.height as usize, rows, bytes)
}

/// Different colours in the middle of the window, where the picture of the camera is.
fn colours((width, height, rows, bytes): &(usize, usize, Vec<u8>, usize)) -> usize {
    let mut seen = std::collections::HashSet::new();
    for y in height / 4..height * 3 / 5 {
        for x in width * 2 / 5..width * 4 / 5 {
            let at = (y * width + x) * bytes;
            seen.insert((rows[at], rows[at + 1], rows[at + 2]));
        }
    }
    seen.len()
}

#[test]
fn live_view_and_playback_show_the_picture_of_the_camera() {
    let dir = tempfile::tempdir().unwrap();
    let cameras = Cameras::start(1, &dir.path().join("truth"), &["--profile", "plain"]).unwrap();
    let server = Server::start(&dir.path().join("data"), "").unwrap();
    // Text and icons on a calm ground: what a wall without a picture has.
    let empty = colours(&picture(&server, dir.path(), "live"));

    let sub = cameras.stream(0, "sub");
    let id = server.add_camera("Quầy 1", &cameras.stream(0, "main"), &["--sub", &sub]).unwrap();
    let recording = |l: &[serde_json::Value]| l[0]["state"] == "recording";
    server.until(&["camera", "show", &id], Duration::from_secs(30), recording).unwrap();
    let live = colours(&picture(&server, dir.path(), "live"));
    assert!(live > empty * 4, "live view has {live} colours, an empty wall {empty}");
    let args = ["recordings", "list", "--camera", &id, "--from", "-1h", "--to", "now"];
    let long = |l: &[serde_json::Value]| l.iter().filter_map(|l| l["video_samples"].as_u64()).sum::<u64>() > 25 * 62;
    server.until(&args, Duration::from_secs(120), long).unwrap();
    let playback = colours(&picture(&server, dir.path(), "playback"));
    assert!(playback > empty * 4, "playback has {playback} colours, an empty wall {empty}");
}
