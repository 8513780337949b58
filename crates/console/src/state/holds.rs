//! Holds (*niêm phong*): the list as the server tells it, and what is typed to place or to release one.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use minhbach_client::HoldDraft;
use minhbach_model::{CameraId, Hold, HoldId, WallRange, WallTime};

use crate::search::compose;
use crate::when;

/// How often the list is asked for while it is looked at.
const REFRESH: Duration = Duration::from_secs(10);
/// The server's limit of characters of a reason.
pub const REASON_MAX_CHARS: usize = 1000;

/// What is typed to place a hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The cameras offered, in order.
    pub offered: Vec<CameraId>,
    /// Those chosen.
    pub cameras: HashSet<CameraId>,
    /// What is held.
    pub range: WallRange,
    /// Why.
    pub reason: String,
    /// Code of a case.
    pub case_code: String,
    /// When it ends by itself, as typed.
    pub until: String,
    /// It is on its way to the server.
    pub sending: bool,
    /// The reason it was opened with.
    given: String,
}

/// What was typed as the end of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Nothing: it has no end.
    Never,
    /// A moment to come.
    At(WallTime),
    /// A moment that is over.
    Past(WallTime),
    /// No moment.
    Unknown,
}

impl Form {
    /// For these cameras and this range, with a reason that may be empty.
    #[must_use]
    pub fn new(cameras: Vec<CameraId>, range: WallRange, reason: &str) -> Self {
        let reason: String = reason.trim().chars().take(REASON_MAX_CHARS).collect();
        Self {
            cameras: cameras.iter().copied().collect(),
            offered: cameras,
            range,
            given: reason.clone(),
            reason,
            case_code: String::new(),
            until: String::new(),
            sending: false,
        }
    }

    /// When the hold would end by itself.
    #[must_use]
    pub fn until(&self, now: WallTime) -> Until {
        if self.until.trim().is_empty() {
            return Until::Never;
        }
        match when::parse(&self.until, now) {
            None => Until::Unknown,
            Some(at) if at <= now => Until::Past(at),
            Some(at) => Until::At(at),
        }
    }

    /// The hold to place; `None` while something is missing.
    #[must_use]
    pub fn draft(&self, owner: String, now: WallTime) -> Option<HoldDraft> {
        let expires = match self.until(now) {
            Until::Never => None,
            Until::At(at) => Some(at),
            Until::Past(_) | Until::Unknown => return None,
        };
        let reason = compose(self.reason.trim());
        let cameras: Vec<CameraId> =
            self.offered.iter().copied().filter(|camera| self.cameras.contains(camera)).collect();
        let complete = !reason.is_empty() && !cameras.is_empty();
        let case_code = compose(self.case_code.trim());
        complete.then_some(HoldDraft { cameras, range: self.range, reason, case_code, owner, expires })
    }

    /// Whether anything was typed: then only its buttons close it.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.reason != self.given || !self.case_code.is_empty() || !self.until.is_empty()
    }
}

/// What is typed to release a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The hold.
    pub hold: HoldId,
    /// Why.
    pub reason: String,
    /// It is on its way to the server.
    pub sending: bool,
}

/// A dialog about holds; one at a time.
#[derive(Debug, Clone, PartialEq)]
pub enum Dialog {
    /// Place one.
    Place(Box<Form>),
    /// All of them.
    List,
    /// Release one; the list comes back after it.
    Release(Ending),
}

/// What is known of holds.
#[derive(Debug, Default)]
pub struct Holds {
    /// Newest first.
    pub list: Vec<Hold>,
    /// The server has told them.
    pub loaded: bool,
    /// When the list was asked for last.
    pub asked: Option<Instant>,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
}

impl Holds {
    /// A hold.
    #[must_use]
    pub fn get(&self, id: HoldId) -> Option<&Hold> {
        self.list.iter().find(|hold| hold.id == id)
    }

    /// The newest hold that stands now and is on a moment of a camera.
    #[must_use]
    pub fn standing_on(&self, camera: CameraId, at: WallTime, now: WallTime) -> Option<&Hold> {
        self.list.iter().find(|hold| hold.stands(now) && hold.cameras.contains(&camera) && hold.range.contains(at))
    }

    /// Whether the list is to be asked for again.
    #[must_use]
    pub fn is_old(&self, now: Instant) -> bool {
        self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= REFRESH)
    }

    /// Takes the whole list in.
    pub fn replace(&mut self, list: Vec<Hold>) {
        self.list = list;
        self.loaded = true;
    }

    /// Takes one in, new or changed here.
    pub fn put(&mut self, hold: Hold) {
        match self.list.iter_mut().find(|known| known.id == hold.id) {
            Some(known) => *known = hold,
            None => self.list.insert(0, hold),
        }
    }

    /// What was on its way is not any more; what was typed stays.
    pub fn nothing_is_sent(&mut self) {
        match &mut self.dialog {
            Some(Dialog::Place(form)) => form.sending = false,
            Some(Dialog::Release(ending)) => ending.sending = false,
            Some(Dialog::List) | None => {}
        }
    }

    /// The link to the server was lost and is there again.
    pub fn came_back(&mut self) {
        self.nothing_is_sent();
        self.asked = None;
    }
}

#[cfg(test)]
pub mod tests {
    use minhbach_model::Release;

    use super::*;

    /// Now.
    pub const NOW: WallTime = WallTime(1_795_000_000_000_000_000);
    const SECOND: i64 = 1_000_000_000;

    /// A hold of the minute before now.
    pub fn hold(camera: CameraId, reason: &str) -> Hold {
        Hold {
            id: HoldId::generate(),
            cameras: vec![camera],
            range: WallRange { start: NOW.offset_ns(-60 * SECOND), end: NOW },
            reason: reason.to_owned(),
            case_code: String::new(),
            owner: "Bàn 1".to_owned(),
            created: NOW,
            expires: None,
            release: None,
        }
    }

    /// The same, released.
    pub fn released(camera: CameraId) -> Hold {
        let release = Release { at: NOW, by: "Bàn 2".to_owned(), reason: "đã giải quyết".to_owned() };
        Hold { release: Some(release), ..hold(camera, "cũ") }
    }

    fn form() -> Form {
        let cameras = vec![CameraId::generate(), CameraId::generate()];
        Form::new(cameras, WallRange { start: NOW.offset_ns(-SECOND), end: NOW }, "")
    }

    #[test]
    fn a_hold_needs_a_reason_and_a_camera() {
        let mut form = form();
        assert_eq!(form.draft("Bàn 1".to_owned(), NOW), None);
        form.reason = "  phản ánh ".to_owned();
        let draft = form.draft("Bàn 1".to_owned(), NOW).unwrap();
        assert_eq!((draft.reason.as_str(), &draft.cameras, draft.expires), ("phản ánh", &form.offered, None));
        form.cameras.remove(&form.offered[0]);
        let second = form.draft("Bàn 1".to_owned(), NOW).unwrap();
        assert_eq!(second.cameras, form.offered[1..]);
        form.cameras.clear();
        assert_eq!(form.draft("Bàn 1".to_owned(), NOW), None);
    }

    #[test]
    fn the_end_is_typed_as_a_day_or_left_out_and_lies_ahead() {
        let mut form = Form { reason: "x".to_owned(), ..form() };
        assert_eq!(form.until(NOW), Until::Never);
        form.until = "31/12/2036".to_owned();
        let Until::At(at) = form.until(NOW) else { panic!("{:?}", form.until(NOW)) };
        assert_eq!(form.draft(String::new(), NOW).unwrap().expires, Some(at));
        form.until = "31/12/2016 17:00".to_owned();
        assert!(matches!(form.until(NOW), Until::Past(_)));
        assert_eq!(form.draft(String::new(), NOW), None);
        form.until = "sang năm".to_owned();
        assert_eq!((form.until(NOW), form.draft(String::new(), NOW)), (Until::Unknown, None));
    }

    #[test]
    fn what_was_typed_is_told_from_what_was_given() {
        let range = WallRange { start: NOW.offset_ns(-SECOND), end: NOW };
        let form = Form::new(vec![CameraId::generate()], range, " nghi đưa phong bì ");
        assert_eq!((form.reason.as_str(), form.is_typed()), ("nghi đưa phong bì", false));
        assert!(Form { reason: "khác".to_owned(), ..form.clone() }.is_typed());
        assert!(Form { case_code: "PA-7".to_owned(), ..form }.is_typed());
    }

    #[test]
    fn only_a_hold_that_stands_is_found_on_a_moment() {
        let camera = CameraId::generate();
        let mut holds = Holds::default();
        holds.replace(vec![released(camera), hold(camera, "đang điều tra")]);
        let found = |at| holds.standing_on(camera, at, NOW).map(|hold| hold.reason.as_str());
        assert_eq!(found(NOW.offset_ns(-SECOND)), Some("đang điều tra"));
        assert_eq!(found(NOW.offset_ns(-61 * SECOND)), None);
        assert!(holds.standing_on(CameraId::generate(), NOW.offset_ns(-SECOND), NOW).is_none());
    }

    #[test]
    fn a_lost_link_leaves_what_was_typed() {
        let form = Form { reason: "x".to_owned(), sending: true, ..form() };
        let mut holds =
            Holds { asked: Some(Instant::now()), dialog: Some(Dialog::Place(Box::new(form))), ..Holds::default() };
        holds.came_back();
        assert!(holds.is_old(Instant::now()));
        let Some(Dialog::Place(form)) = &holds.dialog else { panic!("{:?}", holds.dialog) };
        assert_eq!((form.reason.as_str(), form.sending), ("x", false));
    }

    #[test]
    fn a_new_one_comes_first_and_a_changed_one_keeps_its_place() {
        let camera = CameraId::generate();
        let (one, two) = (hold(camera, "1"), hold(camera, "2"));
        let mut holds = Holds::default();
        holds.put(one.clone());
        holds.put(two.clone());
        holds.put(Hold { release: released(camera).release, ..one.clone() });
        assert_eq!(holds.list.iter().map(|hold| hold.id).collect::<Vec<_>>(), vec![two.id, one.id]);
        assert!(holds.get(one.id).is_some_and(|hold| !hold.stands(NOW)));
    }
}
