//! How long footage is kept, what must not be deleted, what was deleted, and what was found damaged.

use crate::{AgencyId, CameraId, ContactPointId, HoldId, SegmentId, SiteId, StreamKind, WallRange, WallTime};

/// Where the files of a closed segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// On the disk it was recorded on.
    Spool,
    /// In the archive, verified there.
    Archive,
}

/// A hold (*niêm phong*): footage that nobody and nothing may delete while it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The cameras, at least one, each once; both streams of each.
    pub cameras: Vec<CameraId>,
    /// What is held: every segment that shares an instant with it.
    pub range: WallRange,
    /// Why.
    pub reason: String,
    /// The case it belongs to; may be empty. Never a person's name.
    pub case_code: String,
    /// Who set it: the name of a workstation until accounts exist.
    pub owner: String,
    /// When it was set.
    pub created: WallTime,
    /// When it ends by itself; `None` for never.
    pub expires: Option<WallTime>,
    /// When and why it was taken off before that.
    pub release: Option<Release>,
}

impl Hold {
    /// Whether it stands at a moment.
    #[must_use]
    pub fn stands(&self, at: WallTime) -> bool {
        self.release.is_none() && self.expires.is_none_or(|end| end > at)
    }
}

/// The end of a hold by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// When.
    pub at: WallTime,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// How long footage is kept, in days of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Promised: before that it goes only when a disk is full, and then with an alarm.
    pub min_days: u32,
    /// Footage older than that is deleted; `None` keeps it as long as there is room.
    pub max_days: Option<u32>,
}

impl Retention {
    /// When nobody has said anything: thirty days promised, no end.
    pub const DEFAULT: Self = Self { min_days: 30, max_days: None };

    /// Whether the two can both be kept.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.max_days.is_none_or(|max| max >= self.min_days && max > 0)
    }
}

/// What a retention is said of; the nearest one to a camera counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionScope {
    /// Everything of which nothing else is said.
    Default,
    /// The cameras of an agency and of those below it.
    Agency(AgencyId),
    /// The cameras of a site.
    Site(SiteId),
    /// The cameras of a contact point.
    ContactPoint(ContactPointId),
    /// One camera.
    Camera(CameraId),
}

/// Why a segment was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletionReason {
    /// Older than it may be kept.
    Expired,
    /// The disk was full and this was the oldest.
    DiskFull,
}

impl DeletionReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Expired, Self::DiskFull];

    /// The stable name used in the index, the journal and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::DiskFull => "disk_full",
        }
    }

    /// The reason with that stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// An entry of the journal of deletions, which outlives the footage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The segment.
    pub segment: SegmentId,
    /// Its camera.
    pub camera: CameraId,
    /// Its stream.
    pub stream: StreamKind,
    /// What it held.
    pub range: WallRange,
    /// Its storage key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When the deletion was decided.
    pub at: WallTime,
    /// Why.
    pub reason: DeletionReason,
}

/// What is wrong with stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DamageKind {
    /// They are not those that were recorded.
    Altered,
    /// The file ends too early.
    Truncated,
    /// The file, or its sidecar, is not there or cannot be read.
    Missing,
}

impl DamageKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Altered, Self::Truncated, Self::Missing];

    /// The stable name used in the index and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Truncated => "truncated",
            Self::Missing => "missing",
        }
    }

    /// The kind with that stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Footage that was found to differ from what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: SegmentId,
    /// Its camera.
    pub camera: CameraId,
    /// Its stream.
    pub stream: StreamKind,
    /// The fragments concerned.
    pub range: WallRange,
    /// What is wrong.
    pub kind: DamageKind,
    /// When it was found.
    pub found: WallTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_names_come_back() {
        for reason in DeletionReason::ALL {
            assert_eq!(DeletionReason::from_name(reason.as_str()), Some(reason));
        }
        for kind in DamageKind::ALL {
            assert_eq!(DamageKind::from_name(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn a_hold_stands_until_it_is_released_or_ends() {
        let (start, end) = (WallTime::from_secs(10), WallTime::from_secs(20));
        let mut hold = Hold {
            id: HoldId::generate(),
            cameras: vec![CameraId::generate()],
            range: WallRange { start, end },
            reason: "phản ánh".to_owned(),
            case_code: "PA-7".to_owned(),
            owner: "Bàn 1".to_owned(),
            created: start,
            expires: Some(WallTime::from_secs(100)),
            release: None,
        };
        assert!(hold.stands(WallTime::from_secs(99)) && !hold.stands(WallTime::from_secs(100)));
        hold.release = Some(Release { at: end, by: "Bàn 1".to_owned(), reason: String::new() });
        assert!(!hold.stands(WallTime::from_secs(99)));
    }

    #[test]
    fn a_promise_longer_than_the_limit_is_impossible() {
        assert!(Retention { min_days: 30, max_days: Some(30) }.is_possible());
        assert!(!Retention { min_days: 31, max_days: Some(30) }.is_possible());
        assert!(!Retention { min_days: 0, max_days: Some(0) }.is_possible());
        assert!(Retention::DEFAULT.is_possible());
    }
}
