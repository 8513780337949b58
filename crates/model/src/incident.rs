//! Incidents (*sự việc*): a flagged range of time on one or more cameras.
//!
//! Deadlines, assignment and escalation belong to oversight.

use crate::{CameraId, IncidentId, WallRange, WallTime};

/// State of an incident: *Mới / Đang xử lý / Tạm hoãn / Đã đóng*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentState {
    /// Just flagged.
    New,
    /// Somebody works on it.
    InProgress,
    /// Put off.
    Shelved,
    /// Closed.
    Closed,
}

/// What an incident is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentCategory {
    /// Not said yet.
    Unsorted,
    /// Disrespectful conduct (*thái độ thiếu tôn trọng*).
    Conduct,
    /// Money or a gift seems to change hands (*nghi nhận tiền, quà*).
    Payment,
    /// A procedure is refused, delayed or made harder than the rules say (*gây khó khăn, kéo dài*).
    Obstruction,
    /// The place is unattended during opening hours (*bỏ vị trí*).
    Absence,
    /// Somebody interferes with camera or microphone (*can thiệp thiết bị*).
    Tampering,
    /// Safety of people (*an toàn, trật tự*).
    Safety,
    /// Anything else.
    Other,
}

/// What is said when an incident is flagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentDraft {
    /// The time it is about.
    pub range: WallRange,
    /// The cameras, at least one.
    pub cameras: Vec<CameraId>,
    /// What it is about.
    pub category: IncidentCategory,
    /// Free text, may be empty.
    pub note: String,
    /// Who flagged it; a workstation or account name.
    pub author: String,
}

/// An incident as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// What was said, as last changed.
    pub draft: IncidentDraft,
    /// Its state.
    pub state: IncidentState,
    /// When it was flagged.
    pub created: WallTime,
    /// When it was last changed.
    pub updated: WallTime,
    /// Counts the changes; a change names the version it is based on.
    pub version: u64,
}
