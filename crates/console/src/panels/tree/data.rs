//! Rows of the tree, worked out from places, cameras, search and what is folded.

use std::collections::HashSet;

use minhbach_model::{Agency, AgencyId, CameraId, CameraStatus, ContactPointId, PlaceTree};

use crate::search;
use crate::state::cameras::{Cameras, Health, Node, health};

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
    /// A place, or those cameras that have none.
    Place {
        /// Its node.
        node: Node,
        /// Its name; empty for the cameras without a place.
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
        /// How it is.
        health: Health,
    },
}

/// Every row to show. While a search is typed, only what it finds is shown, unfolded.
#[must_use]
pub fn rows(cameras: &Cameras) -> Vec<Row> {
    let query = cameras.tree_query.trim();
    let build = Build { places: &cameras.places, list: &cameras.list, query, folded: &cameras.folded };
    let mut rows = Vec::new();
    for agency in &cameras.places.agencies {
        let known = |id: AgencyId| cameras.places.agencies.iter().any(|agency| agency.id == id);
        // An agency whose parent is gone is shown at the top rather than not at all.
        if agency.parent.is_none_or(|parent| !known(parent)) {
            build.agency(agency, 0, "", &mut rows);
        }
    }
    build.unplaced(&mut rows);
    rows
}

struct Build<'a> {
    places: &'a PlaceTree,
    list: &'a [CameraStatus],
    query: &'a str,
    folded: &'a HashSet<Node>,
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
            for site in self.places.sites.iter().filter(|site| site.agency == agency.id) {
                let path = format!("{path} {}", site.name);
                self.place(Node::Site(site.id), &site.name, depth + 1, out, |out| {
                    for point in self.places.contact_points.iter().filter(|point| point.site == site.id) {
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
        self.places.agencies.iter().filter(move |agency| agency.parent == Some(parent))
    }

    fn unplaced(&self, out: &mut Vec<Row>) {
        let before = out.len();
        self.place(Node::Unplaced, "", 0, out, |out| {
            let known = |id: ContactPointId| self.places.contact_points.iter().any(|point| point.id == id);
            for status in self.list {
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

    /// A place with what `fill` puts below it; nothing at all when a search finds nothing there.
    fn place(&self, node: Node, name: &str, depth: usize, out: &mut Vec<Row>, fill: impl FnOnce(&mut Vec<Row>)) {
        let mut below = Vec::new();
        fill(&mut below);
        let (mut cameras, mut troubled) = (0, 0);
        for row in &below {
            match &row.kind {
                Kind::Camera { health, .. } => {
                    cameras += 1;
                    let bad = !matches!(health, Health::Recording | Health::Connecting | Health::Paused);
                    troubled += usize::from(bad);
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
        let open = searching || !self.folded.contains(&node);
        out.push(Row { depth, kind: Kind::Place { node, name: name.to_owned(), cameras, troubled, open } });
        if open {
            out.append(&mut below);
        }
    }

    fn cameras(&self, point: Option<ContactPointId>, depth: usize, path: &str, out: &mut Vec<Row>) {
        for status in self.list.iter().filter(|status| status.camera.draft.contact_point == point) {
            self.camera(status, depth, path, out);
        }
    }

    fn camera(&self, status: &CameraStatus, depth: usize, path: &str, out: &mut Vec<Row>) {
        let name = &status.camera.draft.name;
        // A search also finds the cameras of a place by the place's name.
        if search::matches(self.query, &format!("{path} {name}")) {
            let kind = Kind::Camera { id: status.camera.id, name: name.clone(), health: health(status) };
            out.push(Row { depth, kind });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use minhbach_model::{
        Camera, CameraDraft, CameraState, ContactPoint, FailureKind, Params, Secret, Site, SiteId, Sound, SoundState,
        StreamKind, StreamSource, StreamStatus, WallTime,
    };

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
        let line = |row: Row| {
            let text = match row.kind {
                Kind::Place { name, cameras, troubled, .. } => format!("{name} {cameras}/{troubled}"),
                Kind::Camera { name, .. } => name,
            };
            format!("{}{text}", "-".repeat(row.depth))
        };
        rows(cameras).into_iter().map(line).collect()
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
}
