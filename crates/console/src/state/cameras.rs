//! Cameras and places as the server tells them, and the form in which a camera is added or changed.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use minhbach_model::{
    AgencyId, CameraDraft, CameraId, CameraState, CameraStatus, ContactPointId, FailureKind, Params, PlaceTree,
    RemovedCamera, Secret, SiteId, Sound, SoundState, StreamKind, StreamSource, StreamStatus,
};

use crate::text::{Message, Text};

/// How often the removed cameras are asked for while they are looked at.
const REFRESH: Duration = Duration::from_secs(10);

/// A node of the tree that can be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// An agency.
    Agency(AgencyId),
    /// A site.
    Site(SiteId),
    /// A contact point.
    ContactPoint(ContactPointId),
    /// Cameras without a place.
    Unplaced,
    /// Cameras that were removed.
    Removed,
}

/// How a camera is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// All its streams are recorded.
    Recording,
    /// Pictures are recorded without sound.
    Soundless(SoundState),
    /// The main stream is recorded, the sub stream is not.
    Partly,
    /// It is being connected.
    Connecting,
    /// It fails.
    Failed(FailureKind),
    /// Its pictures come and can be watched, and are not recorded.
    NotRecorded(FailureKind),
    /// An operator paused it.
    Paused,
}

/// How a camera is.
#[must_use]
pub fn health(status: &CameraStatus) -> Health {
    if status.camera.paused {
        return Health::Paused;
    }
    let sound = stream(status, StreamKind::Main).map(|stream| stream.sound.state).filter(|sound| sound.is_lacking());
    let main = stream(status, StreamKind::Main).map(|stream| stream.state);
    let sub = stream(status, StreamKind::Sub).map(|stream| stream.state);
    match main {
        Some(CameraState::Failed(kind)) => Health::Failed(kind),
        Some(CameraState::NotRecording(kind)) => Health::NotRecorded(kind),
        Some(CameraState::Paused) => Health::Paused,
        Some(CameraState::Recording) if let Some(sound) = sound => Health::Soundless(sound),
        Some(CameraState::Recording) if sub.is_some_and(|sub| sub.failure().is_some()) => Health::Partly,
        Some(CameraState::Recording) => Health::Recording,
        Some(CameraState::Connecting) | None => Health::Connecting,
    }
}

/// The status of one stream.
#[must_use]
pub fn stream(status: &CameraStatus, kind: StreamKind) -> Option<&StreamStatus> {
    status.streams.iter().find(|stream| stream.stream == kind)
}

/// One stream's answer to a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRow {
    /// Which stream.
    pub stream: StreamKind,
    /// What failed.
    pub failure: Option<FailureKind>,
    /// The exact failure in English, for a technician.
    pub message: String,
    /// What a text about the failure can tell.
    pub params: Params,
    /// Codec and size.
    pub video: String,
    /// Codec of the sound.
    pub audio: String,
    /// Whether it comes.
    pub sound: Sound,
    /// Bits a second.
    pub bit_rate_bps: u64,
    /// Thousandths of a picture a second.
    pub frame_rate_milli: u32,
    /// Until the first picture, milliseconds.
    pub first_picture_ms: u32,
}

/// The test of the camera in the form.
#[derive(Default)]
pub enum Test {
    /// Not asked for.
    #[default]
    None,
    /// Under way.
    Running(Instant),
    /// Answered.
    Done {
        /// One row a stream.
        rows: Vec<TestRow>,
        /// The first picture.
        still: Option<egui::TextureHandle>,
    },
}

/// A place that is being added in the form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewPlace {
    /// Agency, new or known.
    pub agency: String,
    /// Site, new or known.
    pub site: String,
    /// Contact point.
    pub contact_point: String,
}

impl NewPlace {
    /// Whether each of its names can be given.
    fn is_whole(&self) -> bool {
        [&self.agency, &self.site, &self.contact_point].iter().all(|name| minhbach_model::check_name(name).is_ok())
    }
}

/// The form in which a camera is added or changed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// The camera that is changed; `None` adds one.
    pub id: Option<CameraId>,
    /// Name.
    pub name: String,
    /// URL of the main stream.
    pub main_url: String,
    /// URL of the sub stream, or empty.
    pub sub_url: String,
    /// Account on the camera.
    pub username: String,
    /// New password; empty keeps the old one of a known camera.
    pub password: String,
    /// Where it stands.
    pub contact_point: Option<ContactPointId>,
    /// A place that is added with it.
    pub new_place: Option<NewPlace>,
}

/// Why a form cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormProblem {
    /// The name is empty, too long, or holds control characters.
    Name,
    /// The main URL is not `rtsp://…`.
    MainUrl,
    /// The sub URL is not `rtsp://…`.
    SubUrl,
    /// A URL carries the user name or password.
    Credentials,
    /// A new place is named in part only.
    Place,
}

/// By hand, so that no log ever shows a password that is being typed.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Form {
    /// The form of a known camera.
    #[must_use]
    pub fn of(status: &CameraStatus) -> Self {
        let draft = &status.camera.draft;
        Self {
            id: Some(status.camera.id),
            name: draft.name.clone(),
            main_url: draft.main.url.clone(),
            sub_url: draft.sub.as_ref().map(|sub| sub.url.clone()).unwrap_or_default(),
            username: draft.username.clone(),
            password: String::new(),
            contact_point: draft.contact_point,
            new_place: None,
        }
    }

    /// What is sent, or why nothing is.
    ///
    /// # Errors
    /// [`FormProblem`] for the first field that is wrong.
    pub fn draft(&self) -> Result<CameraDraft, FormProblem> {
        let name = minhbach_model::check_name(&crate::search::compose(&self.name)).map_err(|_| FormProblem::Name)?;
        let main = source(&self.main_url).map_err(|problem| problem.unwrap_or(FormProblem::MainUrl))?;
        let sub = match self.sub_url.trim() {
            "" => None,
            url => Some(source(url).map_err(|problem| problem.unwrap_or(FormProblem::SubUrl))?),
        };
        if self.new_place.as_ref().is_some_and(|place| !place.is_whole()) {
            return Err(FormProblem::Place);
        }
        Ok(CameraDraft {
            name,
            contact_point: self.contact_point,
            main,
            sub,
            username: self.username.trim().to_owned(),
            password: Secret::new(self.password.clone()),
        })
    }

    /// Whether both lead to the same camera with the same account: a test of one then holds for the other.
    #[must_use]
    pub fn same_source(&self, other: &Self) -> bool {
        self.main_url == other.main_url
            && self.sub_url == other.sub_url
            && self.username == other.username
            && self.password == other.password
    }

    /// Whether the password the server has is kept.
    #[must_use]
    pub fn keep_password(&self) -> bool {
        self.id.is_some() && self.password.is_empty()
    }
}

/// `Err(None)`: no RTSP URL.
fn source(url: &str) -> Result<StreamSource, Option<FormProblem>> {
    let url = url.trim();
    let rest = url.strip_prefix("rtsp://").ok_or(None)?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return Err(Some(FormProblem::Credentials));
    }
    if host.is_empty() || host.starts_with(':') || url.chars().any(char::is_whitespace) {
        return Err(None);
    }
    Ok(StreamSource { url: url.to_owned() })
}

/// What tells a camera apart that has no name: the end of its id. Ids begin with the time at which they were made, so
/// those of cameras added within a minute begin alike.
#[must_use]
pub fn short_id(id: CameraId) -> String {
    let id = id.to_string();
    id.chars().skip(id.len().saturating_sub(8)).collect()
}

/// The name a removed camera had, or its short id.
#[must_use]
pub fn removed_name(camera: &RemovedCamera) -> String {
    if camera.name.is_empty() { short_id(camera.id) } else { camera.name.clone() }
}

/// State of the cameras page and of the tree.
#[derive(Default)]
pub struct Cameras {
    /// Cameras, as last told by the server.
    pub list: Vec<CameraStatus>,
    /// The server has told them.
    pub loaded: bool,
    /// Cameras that were removed and whose footage may still be there, the last removed first. One that was removed
    /// just now may be in `list` as well: then that counts.
    pub removed: Vec<RemovedCamera>,
    /// When those were asked for last; `None` when they are to be asked for at once.
    pub removed_asked: Option<Instant>,
    /// Their group of the tree is unfolded.
    pub removed_open: bool,
    /// Places.
    pub places: PlaceTree,
    /// Folded nodes of the tree, see [`Self::is_open`].
    pub folded: HashSet<Node>,
    /// Search in the tree.
    pub tree_query: String,
    /// Search in the table.
    pub table_query: String,
    /// Selected row of the table.
    pub selected: Option<CameraId>,
    /// The form, when it is open.
    pub form: Option<Form>,
    /// The form is being sent.
    pub saving: bool,
    /// Its test.
    pub test: Test,
    /// Counts the tests; an answer to an older one is dropped.
    pub tests: u64,
    /// The camera whose removal is asked about.
    pub removing: Option<CameraId>,
    /// The camera about whose pause is asked.
    pub pausing: Option<CameraId>,
    /// Counts what changes the tree, so that its rows are worked out only then.
    pub changes: u64,
}

impl Cameras {
    /// A camera.
    #[must_use]
    pub fn get(&self, id: CameraId) -> Option<&CameraStatus> {
        self.list.iter().find(|status| status.camera.id == id)
    }

    /// A camera that was removed.
    #[must_use]
    pub fn get_removed(&self, id: CameraId) -> Option<&RemovedCamera> {
        self.removed.iter().find(|camera| camera.id == id).filter(|_| self.get(id).is_none())
    }

    /// A camera's name, also of one that was removed; the short id of one whose name is not known.
    #[must_use]
    pub fn name(&self, id: CameraId) -> String {
        match self.get(id) {
            Some(status) => status.camera.draft.name.clone(),
            None => self.get_removed(id).map_or_else(|| short_id(id), removed_name),
        }
    }

    /// The same for a person: of a camera that was removed it says so.
    #[must_use]
    pub fn told_name(&self, id: CameraId, text: &Text) -> String {
        let name = self.name(id);
        match self.get_removed(id) {
            Some(_) => Message::new("camera-removed").text("camera", name).show(text),
            None => name,
        }
    }

    /// Takes the whole list in.
    pub fn replace(&mut self, list: Vec<CameraStatus>) {
        let told: HashSet<CameraId> = list.iter().map(|status| status.camera.id).collect();
        if self.list.iter().any(|status| !told.contains(&status.camera.id)) {
            // Removed, here or elsewhere.
            self.removed_asked = None;
        }
        self.list = list;
        self.loaded = true;
        self.changes += 1;
    }

    /// Takes the removed cameras in.
    pub fn replace_removed(&mut self, removed: Vec<RemovedCamera>) {
        // They come again and again, and seldom change.
        if self.removed != removed {
            self.removed = removed;
            self.changes += 1;
        }
    }

    /// Whether the removed cameras are to be asked for: at once, or again while they are looked at.
    #[must_use]
    pub fn removed_is_due(&self, looked_at: bool, now: Instant) -> bool {
        self.removed_asked.is_none_or(|asked| looked_at && now.saturating_duration_since(asked) >= REFRESH)
    }

    /// Whether a node of the tree is unfolded: a place is until it is folded, the removed cameras are not.
    #[must_use]
    pub fn is_open(&self, node: Node) -> bool {
        if node == Node::Removed { self.removed_open } else { !self.folded.contains(&node) }
    }

    /// Folds a node of the tree, or unfolds it.
    pub fn fold(&mut self, node: Node) {
        self.changes += 1;
        if node == Node::Removed {
            self.removed_open = !self.removed_open;
        } else if !self.folded.remove(&node) {
            self.folded.insert(node);
        }
    }

    /// Every camera's id, in the order of the list.
    #[must_use]
    pub fn ids(&self) -> Vec<CameraId> {
        self.list.iter().map(|status| status.camera.id).collect()
    }

    /// Agency, site and contact point of a camera, as one line.
    #[must_use]
    pub fn place_line(&self, contact_point: Option<ContactPointId>) -> Option<String> {
        let point = self.places.contact_points.iter().find(|point| Some(point.id) == contact_point)?;
        let site = self.places.sites.iter().find(|site| site.id == point.site)?;
        let agency = self.places.agencies.iter().find(|agency| agency.id == site.agency)?;
        Some(format!("{} › {} › {}", agency.name, site.name, point.name))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::panels::tree::data::tests::camera;
    use crate::text::Lang;

    pub(crate) fn removed(name: &str) -> RemovedCamera {
        let at = minhbach_model::WallTime::from_secs(1_795_000_000);
        RemovedCamera { id: CameraId::generate(), name: name.to_owned(), contact_point: None, removed: Some(at) }
    }

    #[test]
    fn a_removed_camera_is_told_by_its_name_and_as_removed() {
        let (vi, en) = (Text::new(Lang::Vi), Text::new(Lang::En));
        let (gate, nameless) = (removed("Cổng"), removed(""));
        let list = vec![camera("Quầy 1", None, CameraState::Recording)];
        let cameras = Cameras { list, removed: vec![gate.clone(), nameless.clone()], ..Cameras::default() };
        assert_eq!(cameras.told_name(gate.id, &vi), "Cổng (đã gỡ)");
        assert_eq!(cameras.told_name(gate.id, &en), "Cổng (removed)");
        assert_eq!(cameras.name(gate.id), "Cổng", "a file name does not change with the language");
        assert_eq!(cameras.told_name(nameless.id, &vi), format!("{} (đã gỡ)", short_id(nameless.id)));
        assert_eq!(cameras.told_name(cameras.list[0].camera.id, &vi), "Quầy 1");
        let stranger = CameraId::generate();
        assert_eq!(cameras.told_name(stranger, &vi), short_id(stranger));
    }

    #[test]
    fn a_camera_in_the_list_is_not_told_as_removed() {
        let status = camera("Quầy 1", None, CameraState::Recording);
        let gone = RemovedCamera { id: status.camera.id, ..removed("Quầy 1") };
        let cameras = Cameras { list: vec![status], removed: vec![gone.clone()], ..Cameras::default() };
        assert_eq!(cameras.get_removed(gone.id), None);
        assert_eq!(cameras.told_name(gone.id, &Text::new(Lang::Vi)), "Quầy 1");
    }

    #[test]
    fn ids_made_one_after_the_other_differ_in_short() {
        let (one, two) = (CameraId::generate(), CameraId::generate());
        assert_ne!(short_id(one), short_id(two));
        assert_eq!(short_id(one).len(), 8);
    }

    #[test]
    fn removed_cameras_are_asked_for_when_one_is_gone_and_while_they_are_looked_at() {
        let now = Instant::now();
        let mut cameras = Cameras::default();
        assert!(cameras.removed_is_due(false, now), "never asked");
        cameras.removed_asked = Some(now);
        assert!(!cameras.removed_is_due(true, now) && !cameras.removed_is_due(false, now + REFRESH));
        assert!(cameras.removed_is_due(true, now + REFRESH));

        let list = vec![camera("Quầy 1", None, CameraState::Recording), camera("Cổng", None, CameraState::Recording)];
        cameras.replace(list.clone());
        cameras.replace(list.clone());
        assert!(!cameras.removed_is_due(false, now), "all are still there");
        cameras.replace(list[1..].to_vec());
        assert!(cameras.removed_is_due(false, now));
    }

    #[test]
    fn the_same_removed_cameras_leave_the_tree_as_it_is() {
        let gone = vec![removed("Cổng")];
        let mut cameras = Cameras::default();
        cameras.replace_removed(gone.clone());
        let changes = cameras.changes;
        cameras.replace_removed(gone);
        assert_eq!((changes, cameras.changes), (1, 1));
        cameras.replace_removed(Vec::new());
        assert_eq!(cameras.changes, 2);
    }

    #[test]
    fn places_are_unfolded_at_first_and_removed_cameras_folded() {
        let mut cameras = Cameras::default();
        for (node, open) in [(Node::Unplaced, true), (Node::Removed, false)] {
            assert_eq!(cameras.is_open(node), open);
            cameras.fold(node);
            assert_eq!(cameras.is_open(node), !open);
            cameras.fold(node);
            assert_eq!(cameras.is_open(node), open);
        }
    }

    fn form() -> Form {
        Form { name: " Quầy 1 ".to_owned(), main_url: "rtsp://10.0.0.5/main".to_owned(), ..Form::default() }
    }

    #[test]
    fn a_good_form_becomes_a_draft() {
        let draft = form().draft().unwrap();
        assert_eq!((draft.name.as_str(), draft.main.url.as_str(), draft.sub), ("Quầy 1", "rtsp://10.0.0.5/main", None));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let with = |change: fn(&mut Form)| {
            let mut form = form();
            change(&mut form);
            form.draft().unwrap_err()
        };
        assert_eq!(with(|form| form.name = "  ".to_owned()), FormProblem::Name);
        assert_eq!(with(|form| form.main_url = "http://10.0.0.5".to_owned()), FormProblem::MainUrl);
        assert_eq!(with(|form| form.main_url = "rtsp://:554/x".to_owned()), FormProblem::MainUrl);
        assert_eq!(with(|form| form.sub_url = "rtsp:///sub".to_owned()), FormProblem::SubUrl);
        assert_eq!(with(|form| form.sub_url = "rtsp://a:b@10.0.0.5/".to_owned()), FormProblem::Credentials);
    }

    #[test]
    fn a_new_place_is_named_whole_or_not_at_all() {
        let place = |agency: &str, site: &str, contact_point: &str| {
            let new_place =
                NewPlace { agency: agency.to_owned(), site: site.to_owned(), contact_point: contact_point.to_owned() };
            Form { new_place: Some(new_place), ..form() }.draft().err()
        };
        assert_eq!(place("UBND", "Trụ sở", "Quầy 1"), None);
        assert_eq!(place("UBND", " ", "Quầy 1"), Some(FormProblem::Place));
        assert_eq!(place("", "", ""), Some(FormProblem::Place));
    }

    #[test]
    fn a_form_hides_its_password_and_a_test_holds_for_the_same_source_only() {
        let secret = Form { password: "bí mật".to_owned(), ..form() };
        assert!(!format!("{secret:?}").contains("bí mật"));
        assert!(!secret.same_source(&form()));
        assert!(form().same_source(&Form { name: "Quầy 2".to_owned(), ..form() }));
    }

    #[test]
    fn an_empty_password_keeps_the_one_of_a_known_camera_only() {
        assert!(!form().keep_password());
        assert!(Form { id: Some(CameraId::generate()), ..form() }.keep_password());
        assert!(!Form { id: Some(CameraId::generate()), password: "x".to_owned(), ..form() }.keep_password());
    }
}
