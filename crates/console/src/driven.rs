//! The whole console driven by mouse and keyboard against a real server and real cameras: what a person does, and what the
//! server then knows. Widgets are found by the names a screen reader says.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use minhbach_model::CameraId;
use minhbach_testkit::harness::{Cameras, Server};
use serde_json::Value;

use crate::Start;
use crate::app::App;
use crate::state::settings::Settings;
use crate::state::shell::Page;
use crate::state::wall::Layout;

const PATIENCE: Duration = Duration::from_secs(30);
/// As a keyboard sends it.
const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };

/// A console with its server and two cameras, `Quầy 1` and `Quầy 2`.
struct Room {
    console: Harness<'static, App>,
    server: Server,
    cameras: Vec<CameraId>,
    dir: tempfile::TempDir,
    _sources: Cameras,
}

impl Room {
    fn open(page: Page, wall: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sources = Cameras::start(2, &dir.path().join("truth"), &["--profile", "plain"]).unwrap();
        let server = Server::start(&dir.path().join("data"), "[recording]\nsegment_secs = 4\n").unwrap();
        let add = |n: u32| {
            let sub = sources.stream(n, "sub");
            let id =
                server.add_camera(&format!("Quầy {}", n + 1), &sources.stream(n, "main"), &["--sub", &sub]).unwrap();
            let recording = |l: &[Value]| l[0]["state"] == "recording";
            server.until(&["camera", "show", &id], PATIENCE, recording).unwrap();
            id.parse().unwrap()
        };
        let cameras: Vec<CameraId> = (0..2).map(add).collect();
        let mut settings = Settings {
            server: server.url.clone(),
            workstation: "Bàn 3".to_owned(),
            export_folder: dir.path().join("export").display().to_string(),
            layout: Some(Layout::Four),
            keep_stills: false,
            ..Settings::default()
        };
        if wall {
            settings.tiles = cameras.iter().copied().map(Some).collect();
        }
        let start = Start { settings, page, layout: Some(Layout::Four), fullscreen: false, screenshot: None };
        let console = Harness::builder()
            .with_size(vec2(1600.0, 900.0))
            .with_os(egui::os::OperatingSystem::Nix)
            // Two clicks within 0.3 s are a double click: four frames are, and what `click` waits is not.
            .with_step_dt(0.05)
            .build_eframe(move |cc| App::new(cc, start).unwrap());
        let mut room = Self { console, server, cameras, dir, _sources: sources };
        room.until("the list of cameras", |room| room.state().cameras.list.len() == 2);
        room
    }

    fn state(&self) -> &crate::state::State {
        &self.console.state().state
    }

    /// Draws until something is so.
    fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.console.step();
            if is(self) {
                return;
            }
            assert!(Instant::now() < deadline, "{what} did not come; on the screen: {:?}", self.texts());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Everything a screen reader could say.
    fn texts(&self) -> Vec<String> {
        let nodes = self.console.root().children_recursive();
        let text = |node: egui_kittest::Node<'_>| node.accesskit_node().label().or(node.accesskit_node().value());
        nodes.filter_map(text).collect()
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.console.key_press_modifiers(modifiers, key);
        self.console.run_steps(3);
    }

    fn drag(&mut self, from: Pos2, to: Pos2) {
        self.console.drag_at(from);
        self.console.run_steps(2);
        for step in 1_u8..=5 {
            self.console.hover_at(from.lerp(to, f32::from(step) / 5.0));
            self.console.run_steps(1);
        }
        self.console.drop_at(to);
        self.console.run_steps(3);
    }

    fn click(&mut self, at: Pos2) {
        self.console.drag_at(at);
        self.console.drop_at(at);
        self.console.run_steps(15);
    }

    fn double_click(&mut self, at: Pos2) {
        for pressed in [true, false, true, false] {
            let button = egui::PointerButton::Primary;
            self.console.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE });
        }
        self.console.run_steps(4);
    }

    fn press_button(&mut self, name: &str) {
        let at = self.at(egui::Role::Button, name);
        self.click(at);
    }

    /// The middle of the widget whose name begins so, once there is one.
    fn at(&mut self, role: egui::Role, name: &str) -> Pos2 {
        let find = |room: &Self| {
            let named = |node: &egui_kittest::Node<'_>| {
                node.accesskit_node().label().is_some_and(|label| label.starts_with(name))
            };
            room.console.query_all_by_role(role).find(named).map(|node| node.rect().center())
        };
        self.until(name, |room| find(room).is_some());
        find(self).unwrap()
    }

    /// Cameras of the live wall, by their number from 1; 0 where a tile is empty.
    fn wall(&self) -> Vec<usize> {
        let number = |id: &CameraId| self.cameras.iter().position(|known| known == id).map_or(99, |n| n + 1);
        self.state().live.slots().iter().take(4).map(|slot| slot.as_ref().map_or(0, number)).collect()
    }

    fn incidents(&self) -> Vec<Value> {
        self.server.ask(&["incident", "list"]).unwrap()
    }
}

#[test]
fn one_key_flags_what_is_seen_and_another_takes_it_back() {
    let mut room = Room::open(Page::Live, true);
    let seen = room.cameras.clone();
    let newest = move |room: &Room| {
        let walls = seen.iter().map(|id| room.console.state().players.shown(*id)?.snapshot.shown_wall);
        walls.collect::<Option<Vec<_>>>()
    };
    room.until("pictures of both", |room| newest(room).is_some());
    let before = newest(&room).unwrap();

    room.press(Modifiers::NONE, Key::F);
    room.until("the flag", |room| room.incidents().len() == 1);
    let flagged = room.incidents().remove(0);
    assert_eq!(flagged["author"], "Bàn 3");
    assert_eq!(flagged["camera_ids"].as_array().map(Vec::len), Some(2), "{flagged}");
    room.until("pictures that go on", |room| {
        newest(room).is_some_and(|now| now.iter().zip(&before).all(|(n, b)| n > b))
    });

    // A note is typed into the message: no key of it is a command.
    let note = room.at(egui::Role::TextInput, "Ghi chú");
    room.click(note);
    room.console.event(egui::Event::Text("Fm đưa phong bì".to_owned()));
    room.press(Modifiers::NONE, Key::F);
    room.press(Modifiers::NONE, Key::Enter);
    room.until("the note", |room| room.incidents()[0]["note"] == "Fm đưa phong bì");
    assert_eq!(room.incidents().len(), 1, "a letter in the note flagged another one");

    room.press(Modifiers::NONE, Key::F);
    room.until("another flag", |room| room.incidents().len() == 2);
    room.press(CTRL, Key::Z);
    room.until("the flag taken back", |room| room.incidents().len() == 1);
    assert_eq!(room.incidents()[0]["id"], flagged["id"], "the newest is taken back");
}

#[test]
fn cameras_come_to_the_wall_by_double_click_drag_and_the_palette() {
    let mut room = Room::open(Page::Live, false);
    room.until("the cameras on a new wall", |room| room.wall() == [1, 2, 0, 0]);
    for _ in 0..2 {
        let tile = room.at(egui::Role::Pane, "Quầy");
        room.click(tile);
        room.press(Modifiers::NONE, Key::Delete);
    }
    assert_eq!(room.wall(), [0, 0, 0, 0]);

    let row = room.at(egui::Role::TreeItem, "Quầy 2");
    room.double_click(row);
    assert_eq!(room.wall(), [2, 0, 0, 0]);
    let (row, tile) = (room.at(egui::Role::TreeItem, "Quầy 1"), room.at(egui::Role::Pane, "Kéo camera vào đây"));
    room.drag(row, tile);
    assert_eq!(room.wall(), [2, 1, 0, 0]);
    let (first, second) = (room.at(egui::Role::Pane, "Quầy 2"), room.at(egui::Role::Pane, "Quầy 1"));
    room.drag(first, second);
    assert_eq!(room.wall(), [1, 2, 0, 0]);

    let tile = room.at(egui::Role::Pane, "Quầy 2");
    room.double_click(tile);
    assert_eq!(room.state().live.visible_cameras(), [room.cameras[1]], "promoted");
    room.press(Modifiers::NONE, Key::Escape);
    assert_eq!(room.state().live.visible_cameras().len(), 2);

    // Without marks on the letters.
    room.press(Modifiers::NONE, Key::Delete);
    assert_eq!(room.wall(), [1, 0, 0, 0]);
    room.press(CTRL, Key::K);
    room.console.event(egui::Event::Text("quay 2".to_owned()));
    room.console.run_steps(3);
    room.press(Modifiers::NONE, Key::Enter);
    assert_eq!(room.wall(), [1, 2, 0, 0]);

    room.press(Modifiers::NONE, Key::M);
    assert!(room.state().live.audible.is_some(), "M hears the selected tile");
}

#[test]
fn footage_is_played_stepped_through_and_exported() {
    let mut room = Room::open(Page::Playback, true);
    for camera in &room.cameras {
        let args = ["recordings", "list", "--camera", &camera.to_string(), "--from", "-1h", "--to", "now"];
        let frames = |l: &[Value]| l.iter().filter_map(|l| l["video_samples"].as_u64()).sum::<u64>() > 400;
        room.server.until(&args, PATIENCE, frames).unwrap();
    }
    let shown = |room: &Room| room.console.state().players.shown(room.cameras[0]).and_then(|s| s.snapshot.shown_wall);

    room.press(Modifiers::NONE, Key::Home);
    room.until("the first picture", |room| shown(room).is_some());
    if room.state().playback.playhead.lock().unwrap().is_playing() {
        room.press(Modifiers::NONE, Key::Space);
    }
    room.console.run_steps(5);
    let still = shown(&room).unwrap();
    room.press(Modifiers::NONE, Key::Period);
    room.until("the next picture", |room| shown(room).is_some_and(|at| at > still));
    let step_ms = shown(&room).unwrap().ns_since(still) as f64 / 1e6;
    assert!((step_ms - 40.0).abs() < 25.0, "a step forward moved by {step_ms} ms");
    room.press(Modifiers::NONE, Key::Comma);
    room.until("the picture before", |room| shown(room) == Some(still));

    room.press(Modifiers::NONE, Key::Space);
    room.until("two seconds of play", |room| shown(room).is_some_and(|at| at.ns_since(still) > 2_000_000_000));
    room.press(Modifiers::NONE, Key::Space);

    room.press(Modifiers::NONE, Key::Home);
    // Where both cameras are recorded.
    room.press(Modifiers::NONE, Key::ArrowRight);
    room.press(Modifiers::NONE, Key::OpenBracket);
    room.press(Modifiers::NONE, Key::Space);
    room.until("three seconds of play", |room| shown(room).is_some_and(|at| at.ns_since(still) > 13_000_000_000));
    room.press(Modifiers::NONE, Key::CloseBracket);
    room.press(CTRL, Key::E);
    room.until("the size of the export", |room| {
        room.state().exports.dialog.as_ref().is_some_and(|dialog| dialog.total_bytes().is_some_and(|bytes| bytes > 0))
    });
    room.console.get_by_role_and_label(egui::Role::Button, "Trích xuất").click();
    let folder = room.dir.path().join("export");
    room.until("the end of the export", |room| {
        room.state().exports.jobs.iter().any(crate::state::export::Job::is_over)
    });
    let states: Vec<_> = room.state().exports.jobs[0].files.iter().map(|file| format!("{:?}", file.state)).collect();
    assert_eq!((states, count(&folder, "mp4")), (vec!["Done".to_owned(); 2], 2));
}

#[test]
fn a_camera_is_added_with_a_test_that_shows_what_fails() {
    let mut room = Room::open(Page::Cameras, false);
    room.press_button("Thêm camera");
    room.console.run_steps(3);
    let main = room._sources.stream(0, "main");
    let fill = |room: &mut Room, field: &str, text: &str| {
        let at = room.at(egui::Role::TextInput, field);
        room.click(at);
        room.console.key_press_modifiers(CTRL, Key::A);
        room.console.event(egui::Event::Text(text.to_owned()));
        room.console.run_steps(3);
    };
    fill(&mut room, "Tên", "Phòng tiếp dân");
    fill(&mut room, "Luồng chính", &main.replace("/main", "/nowhere"));
    room.press_button("Kiểm tra");
    room.until("the failure", |room| room.console.query_by_label("Sai đường dẫn luồng").is_some());
    fill(&mut room, "Luồng chính", &main);
    room.press_button("Kiểm tra");
    room.until("the still", |room| room.console.query_by_label("Ảnh chụp thử từ camera").is_some());
    // The dialog has grown with the still.
    room.console.run_steps(5);
    room.press_button("Lưu");
    room.until("the camera", |room| room.server.ask(&["camera", "list"]).unwrap().len() == 3);
}

#[test]
fn a_removed_camera_is_found_below_the_others_and_its_footage_played() {
    let mut room = Room::open(Page::Playback, true);
    let gone = room.cameras[1];
    let id = gone.to_string();
    let args = ["recordings", "list", "--camera", &id, "--from", "-1h", "--to", "now"];
    let frames = |l: &[Value]| l.iter().filter_map(|l| l["video_samples"].as_u64()).sum::<u64>() > 100;
    room.server.until(&args, PATIENCE, frames).unwrap();
    room.server.ask(&["camera", "remove", &id]).unwrap();

    // Its tile stays, and tells what has become of it.
    let tile = room.at(egui::Role::Pane, "Quầy 2 (đã gỡ)");
    room.click(tile);
    room.press(Modifiers::NONE, Key::Delete);
    assert_eq!(room.state().playback.wall.slot_of(gone), None);

    let group = room.at(egui::Role::TreeItem, "Camera đã gỡ");
    room.click(group);
    let row = room.at(egui::Role::TreeItem, "Quầy 2 (đã gỡ)");
    room.double_click(row);
    assert!(room.state().playback.wall.slot_of(gone).is_some());
    room.press(Modifiers::NONE, Key::Home);
    room.until("its footage", |room| {
        room.console.state().players.shown(gone).is_some_and(|shown| shown.snapshot.shown_wall.is_some())
    });

    room.press(CTRL, Key::Num1);
    room.until("the live page", |room| room.state().shell.page == Page::Live);
    room.console.run_steps(3);
    assert!(room.console.query_by_label("Camera đã gỡ").is_none(), "there is nothing live of it");
}

fn count(folder: &Path, extension: &str) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|e| e == extension)).count()
}
