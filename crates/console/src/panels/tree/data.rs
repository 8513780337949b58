//! Rows of the tree, worked out from places, cameras, search and what is folded; and what is told of a removed camera.

use std::collections::HashSet;

use minhbach_model::{Agency, AgencyId, CameraId, CameraStatus, ContactPointId, RemovedCamera};

use crate::search;
use crate::state::cameras::{Cameras, Health, Node, health, removed_name};
use crate::state::shell::Page;
use crate::text::{Message, Text};
use crate::when;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// How far it is indented.
    pub depth: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A place, or those cameras that have none, or those that were removed.
    Place {
        /// Its node.
        node: Node,
        /// Its name; empty for what is no place.
        name: String,
        /// Cameras below it.
        cameras: usize,
        /// Those of them that fail or are not recorded. A camera that is being connected may still do so: it is not counted.
        troubled: usize,
        /// It is unfolded.
        open: bool,
    },
    /// A camera.
    Camera {
        /// Its id.
        id: CameraId,
        /// Its name.
        name: String,
        /// How it is; `None` for one that was removed.
        health: Option<Health>,
    },
}

/// Every row to show on a page: removed cameras only where footage is played. While a search is typed, only what it
/// finds is shown, unfolded.
#[must_use]
pub fn rows(cameras: &Cameras, page: Page) -> Vec<Row> {
    let query = cameras.tree_query.trim();
    let build = Build { all: cameras, query };
    let mut rows = Vec::new();
    for agency in &cameras.places.agencies {
        let known = |id: AgencyId| cameras.places.agencies.iter().any(|agency| agency.id == id);
        // An agency whose parent is gone is shown at the top rather than not at all.
        if agency.parent.is_none_or(|parent| !known(parent)) {
            build.agency(agency, 0, "", &mut rows);
        }
    }
    build.unplaced(&mut rows);
    if page == Page::Playback {
        build.removed(&mut rows);
    }
    rows
}

/// What is told of a removed camera: its name, where it stood and the day it was removed; of one without a name the
/// whole id, by which it is known elsewhere.
#[must_use]
pub fn removed_words(cameras: &Cameras, camera: &RemovedCamera, text: &Text) -> String {
    let mut lines = vec![removed_name(camera)];
    lines.extend(cameras.place_line(camera.contact_point));
    lines.push(match camera.removed {
        Some(at) => Message::new("tree-removed-on").text("day", when::date(at)).show(text),
        None => text.get("tree-removed-unknown", None),
    });
    if camera.name.is_empty() {
        lines.push(Message::new("tree-removed-id").text("id", camera.id.to_string()).show(text));
    }
    lines.join("\n")
}

struct Build<'a> {
    all: &'a Cameras,
    query: &'a str,
}

/// Deeper than any administration; stops a circle of parents.
const MAX_DEPTH: usize = 12;

impl Build<'_> {
    fn agency(&self, agency: &Agency, depth: usize, above: &str, out: &mut Vec<Row>) {
        if depth > MAX_DEPTH {
            return;
        }
        let path = format!("{above} {}", agency.name);
        self.place(Node::Agency(agency.id), &agency.name, depth, out, |out| {
            for child in self.children(agency.id) {
                self.agency(child, depth + 1, &path, out);
            }
            for site in self.all.places.sites.iter().filter(|site| site.agency == agency.id) {
                let path = format!("{path} {}", site.name);
                self.place(Node::Site(site.id), &site.name, depth + 1, out, |out| {
                    for point in self.all.places.contact_points.iter().filter(|point| point.site == site.id) {
                        let path = format!("{path} {}", point.name);
                        self.place(Node::ContactPoint(point.id), &point.name, depth + 2, out, |out| {
                            self.cameras(Some(point.id), depth + 3, &path, out);
                        });
                    }
                });
            }
        });
    }

    fn children(&self, parent: AgencyId) -> impl Iterator<Item = &Agency> {
        self.all.places.agencies.iter().filter(move |agency| agency.parent == Some(parent))
    }

    fn unplaced(&self, out: &mut Vec<Row>) {
        let before = out.len();
        self.place(Node::Unplaced, "", 0, out, |out| {
            let known = |id: ContactPointId| self.all.places.contact_points.iter().any(|point| point.id == id);
            for status in &self.all.list {
                if status.camera.draft.contact_point.is_none_or(|id| !known(id)) {
                    self.camera(status, 1, "", out);
                }
            }
        });
        // Nothing to say when every camera has its place.
        if out.len() == before + 1 && matches!(&out[before].kind, Kind::Place { cameras: 0, .. }) {
            out.pop();
        }
    }

    /// The cameras that were removed; nothing when there is none.
    fn removed(&self, out: &mut Vec<Row>) {
        let living: HashSet<CameraId> = self.all.list.iter().map(|status| status.camera.id).collect();
        let gone: Vec<&RemovedCamera> = self.all.removed.iter().filter(|camera| !living.contains(&camera.id)).collect();
        if gone.is_empty() {
            return;
        }
        self.place(Node::Removed, "", 0, out, |out| {
            for camera in gone {
                // One without a name is also found by the id that other programs tell.
                let own = if camera.name.is_empty() { camera.id.to_string() } else { camera.name.clone() };
                if search::matches(self.query, &format!("{} {own}", self.path(camera.contact_point))) {
                    let kind = Kind::Camera { id: camera.id, name: removed_name(camera), health: None };
                    out.push(Row { depth: 1, kind });
                }
            }
        });
    }

    /// The names of a contact point and of what it lies in, for the search; empty when it is not known.
    fn path(&self, point: Option<ContactPointId>) -> String {
        let places = &self.all.places;
        let Some(point) = places.contact_points.iter().find(|known| Some(known.id) == point) else {
            return String::new();
        };
        let mut names = vec![point.name.as_str()];
        let site = places.sites.iter().find(|site| site.id == point.site);
        names.extend(site.map(|site| site.name.as_str()));
        let mut above = site.map(|site| site.agency);
        for _ in 0..=MAX_DEPTH {
            let Some(agency) = places.agencies.iter().find(|agency| Some(agency.id) == above) else { break };
            names.push(agency.name.as_str());
            above = agency.parent;
        }
        names.join(" ")
    }

    /// A place with what `fill` puts below it; nothing at all when a search finds nothing there.
    fn place(&self, node: Node, name: &str, depth: usize, out: &mut Vec<Row>, fill: impl FnOnce(&mut Vec<Row>)) {
        let mut below = Vec::new();
        fill(&mut below);
        let (mut cameras, mut troubled) = (0, 0);
        for row in &below {
            match &row.kind {
                Kind::Camera { health, .. } => {
                    cameras += 1;
                    let fine = matches!(health, None | Some(Health::Recording | Health::Connecting | Health::Paused));
                    troubled += usize::from(!fine);
                }
                // A folded place keeps its cameras to itself.
                Kind::Place { cameras: inner, troubled: bad, open: false, .. } => {
                    cameras += inner;
                    troubled += bad;
                }
                Kind::Place { .. } => {}
            }
        }
        let searching = !self.query.is_empty();
        if searching && cameras == 0 {
            return;
        }
        let open = searching || self.all.is_open(node);
        out.push(Row { depth, kind: Kind::Place { node, name: name.to_owned(), cameras, troubled, open } });
        if open {
            out.append(&mut below);
        }
    }

    fn cameras(&self, point: Option<ContactPointId>, depth: usize, path: &str, out: &mut Vec<Row>) {
        for status in self.all.list.iter().filter(|status| status.camera.draft.contact_point == point) {
            self.camera(status, depth, path, out);
        }
    }

    fn camera(&self, status: &CameraStatus, depth: usize, path: &str, out: &mut Vec<Row>) {
        let name = &status.camera.draft.name;
        // A search also finds the cameras of a place by the place's name.
        if search::matches(self.query, &format!("{path} {name}")) {
            let kind = Kind::Camera { id: status.camera.id, name: name.clone(), health: Some(health(status)) };
            out.push(Row { depth, kind });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use minhbach_model::{
        Camera, CameraDraft, CameraState, ContactPoint, FailureKind, Params, PlaceTree, Secret, Site, SiteId, Sound,
        SoundState, StreamKind, StreamSource, StreamStatus, WallTime,
    };

    use crate::state::cameras::short_id;
    use crate::state::cameras::tests::removed;
    use crate::text::Lang;

    pub(crate) fn camera(name: &str, point: Option<ContactPointId>, state: CameraState) -> CameraStatus {
        let draft = CameraDraft {
            name: name.to_owned(),
            contact_point: point,
            main: StreamSource { url: "rtsp://10.0.0.5/main".to_owned() },
            sub: None,
            username: String::new(),
            password: Secret::default(),
        };
        let stream = StreamStatus {
            stream: StreamKind::Main,
            state,
            message: String::new(),
            params: Params::new(),
            since: WallTime::from_secs(1_795_000_000),
            retry_at: None,
            video: "H.264 1920×1080".to_owned(),
            audio: "AAC 16 kHz".to_owned(),
            sound: Sound::new(SoundState::Flows),
            bit_rate_bps: 4_000_000,
            frame_rate_milli: 25_000,
            lost_packets: 0,
            runs: 1,
        };
        let created = WallTime::from_secs(1_795_000_000);
        let camera = Camera { id: CameraId::generate(), draft, paused: false, created };
        CameraStatus { camera, streams: vec![stream] }
    }

    fn city() -> Cameras {
        let agency = Agency { id: AgencyId::generate(), parent: None, name: "UBND quận Hải Châu".to_owned() };
        let site = Site { id: SiteId::generate(), agency: agency.id, name: "Trụ sở".to_owned() };
        let point = ContactPoint { id: ContactPointId::generate(), site: site.id, name: "Một cửa".to_owned() };
        let failed = CameraState::Failed(FailureKind::TimedOut);
        let list = vec![
            camera("Quầy 1", Some(point.id), CameraState::Recording),
            camera("Quầy 2", Some(point.id), failed),
            camera("Cổng", None, CameraState::Recording),
        ];
        let places = PlaceTree { agencies: vec![agency], sites: vec![site], contact_points: vec![point] };
        Cameras { list, places, loaded: true, ..Cameras::default() }
    }

    fn outline(cameras: &Cameras) -> Vec<String> {
        outline_on(cameras, Page::Live)
    }

    fn outline_on(cameras: &Cameras, page: Page) -> Vec<String> {
        let line = |row: Row| {
            let text = match row.kind {
                Kind::Place { name, cameras, troubled, .. } => format!("{name} {cameras}/{troubled}"),
                Kind::Camera { name, .. } => name,
            };
            format!("{}{text}", "-".repeat(row.depth))
        };
        rows(cameras, page).into_iter().map(line).collect()
    }

    #[test]
    fn cameras_stand_below_their_place_and_the_others_at_the_end() {
        let expected =
            ["UBND quận Hải Châu 2/1", "-Trụ sở 2/1", "--Một cửa 2/1", "---Quầy 1", "---Quầy 2", " 1/0", "-Cổng"];
        assert_eq!(outline(&city()), expected);
    }

    #[test]
    fn a_camera_that_is_being_connected_is_no_trouble() {
        let list = vec![camera("Cổng", None, CameraState::Connecting)];
        assert_eq!(outline(&Cameras { list, ..Cameras::default() }), [" 1/0", "-Cổng"]);
    }

    #[test]
    fn a_camera_that_is_not_recorded_is_trouble_although_it_can_be_watched() {
        let list = vec![camera("Cổng", None, CameraState::NotRecording(FailureKind::DiskFull))];
        assert_eq!(outline(&Cameras { list, ..Cameras::default() }), [" 1/1", "-Cổng"]);
    }

    #[test]
    fn a_folded_place_still_counts_its_cameras() {
        let mut cameras = city();
        cameras.folded.insert(Node::Site(cameras.places.sites[0].id));
        assert_eq!(outline(&cameras), ["UBND quận Hải Châu 2/1", "-Trụ sở 2/1", " 1/0", "-Cổng"]);
    }

    #[test]
    fn a_search_without_marks_finds_cameras_and_places() {
        let mut cameras = city();
        cameras.tree_query = "quay 2".to_owned();
        cameras.folded.insert(Node::Agency(cameras.places.agencies[0].id));
        assert_eq!(outline(&cameras), ["UBND quận Hải Châu 1/1", "-Trụ sở 1/1", "--Một cửa 1/1", "---Quầy 2"]);
        cameras.tree_query = "hai chau".to_owned();
        assert_eq!(outline(&cameras).len(), 5, "both cameras of the place");
        cameras.tree_query = "không có".to_owned();
        assert_eq!(outline(&cameras), Vec::<String>::new());
    }

    #[test]
    fn removed_cameras_stand_folded_below_the_others_where_footage_is_played() {
        let mut cameras = city();
        let living = outline(&cameras);
        assert_eq!(outline_on(&cameras, Page::Playback), living, "none was removed");
        let nameless = removed("");
        // The list of cameras may still hold one that was removed just now.
        let both = RemovedCamera { id: cameras.list[0].camera.id, ..removed("Quầy 1") };
        cameras.removed = vec![both, removed("Hành lang"), nameless.clone()];
        assert_eq!(outline(&cameras), living, "there is nothing live of them");
        let shown = outline_on(&cameras, Page::Playback);
        assert_eq!((&shown[..living.len()], &shown[living.len()..]), (&living[..], &[" 2/0".to_owned()][..]));
        cameras.fold(Node::Removed);
        let shown = outline_on(&cameras, Page::Playback);
        let expected = [" 2/0".to_owned(), "-Hành lang".to_owned(), format!("-{}", short_id(nameless.id))];
        assert_eq!(shown[living.len()..], expected);
    }

    #[test]
    fn a_search_without_marks_finds_removed_cameras_by_name_place_and_id() {
        let mut cameras = city();
        let point = Some(cameras.places.contact_points[0].id);
        let nameless = removed("");
        cameras.removed = vec![RemovedCamera { contact_point: point, ..removed("Hành lang") }, nameless.clone()];
        let mut found = |query: &str| {
            cameras.tree_query = query.to_owned();
            outline_on(&cameras, Page::Playback)
        };
        assert_eq!(found("hanh lang"), [" 1/0", "-Hành lang"]);
        assert_eq!(found("hai chau hanh lang"), [" 1/0", "-Hành lang"]);
        assert_eq!(found(&nameless.id.to_string()), [" 1/0".to_owned(), format!("-{}", short_id(nameless.id))]);
        assert_eq!(found("không có"), Vec::<String>::new());
    }

    #[test]
    fn of_a_removed_camera_is_told_when_and_where_from() {
        let (cameras, text) = (city(), Text::new(Lang::Vi));
        let point = Some(cameras.places.contact_points[0].id);
        let removed_at = Some("2026-11-24T07:05:09Z".parse().unwrap());
        let camera = RemovedCamera { contact_point: point, removed: removed_at, ..removed("Hành lang") };
        let words = removed_words(&cameras, &camera, &text);
        assert_eq!(words, "Hành lang\nUBND quận Hải Châu › Trụ sở › Một cửa\nGỡ ngày 24/11/2026");
        let nameless = RemovedCamera { removed: None, ..removed("") };
        let words = removed_words(&cameras, &nameless, &text);
        assert!(words.contains(&text.get("tree-removed-unknown", None)), "{words}");
        assert!(words.contains(&nameless.id.to_string()), "{words}");
    }
}
