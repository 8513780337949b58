//! The stable codes and names of enumerations in the database, shared by all backends.
//!
//! A code or name that was written once is never given another meaning.

use minhbach_model::{
    AgencyId, CameraId, ContactPointId, IncidentCategory, IncidentState, RetentionScope, SegmentState, SiteId,
    StreamKind, Tier,
};

pub(crate) fn stream_code(stream: StreamKind) -> i64 {
    match stream {
        StreamKind::Main => 0,
        StreamKind::Sub => 1,
    }
}

pub(crate) fn stream_from_code(code: i64) -> Option<StreamKind> {
    StreamKind::ALL.into_iter().find(|&stream| stream_code(stream) == code)
}

const SEGMENT_STATES: [SegmentState; 3] = [SegmentState::Recording, SegmentState::Closed, SegmentState::Suspect];

pub(crate) fn segment_state_code(state: SegmentState) -> i64 {
    match state {
        SegmentState::Recording => 0,
        SegmentState::Closed => 1,
        SegmentState::Suspect => 2,
    }
}

pub(crate) fn segment_state_from_code(code: i64) -> Option<SegmentState> {
    SEGMENT_STATES.into_iter().find(|&state| segment_state_code(state) == code)
}

const TIERS: [Tier; 2] = [Tier::Spool, Tier::Archive];

pub(crate) fn tier_code(tier: Tier) -> i64 {
    match tier {
        Tier::Spool => 0,
        Tier::Archive => 1,
    }
}

pub(crate) fn tier_from_code(code: i64) -> Option<Tier> {
    TIERS.into_iter().find(|&tier| tier_code(tier) == code)
}

/// The scope of a retention as a code and the bytes of an id, empty for the default. In the order of the scopes.
pub(crate) fn retention_scope_code(scope: RetentionScope) -> (i64, Vec<u8>) {
    match scope {
        RetentionScope::Default => (0, Vec::new()),
        RetentionScope::Agency(id) => (1, id.as_bytes().to_vec()),
        RetentionScope::Site(id) => (2, id.as_bytes().to_vec()),
        RetentionScope::ContactPoint(id) => (3, id.as_bytes().to_vec()),
        RetentionScope::Camera(id) => (4, id.as_bytes().to_vec()),
    }
}

pub(crate) fn retention_scope_from_code(code: i64, id: &[u8]) -> Option<RetentionScope> {
    if code == 0 {
        return id.is_empty().then_some(RetentionScope::Default);
    }
    let id: [u8; 16] = id.try_into().ok()?;
    match code {
        1 => Some(RetentionScope::Agency(AgencyId::from_bytes(id))),
        2 => Some(RetentionScope::Site(SiteId::from_bytes(id))),
        3 => Some(RetentionScope::ContactPoint(ContactPointId::from_bytes(id))),
        4 => Some(RetentionScope::Camera(CameraId::from_bytes(id))),
        _ => None,
    }
}

const INCIDENT_STATES: [IncidentState; 4] =
    [IncidentState::New, IncidentState::InProgress, IncidentState::Shelved, IncidentState::Closed];

pub(crate) fn incident_state_name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::New => "new",
        IncidentState::InProgress => "in_progress",
        IncidentState::Shelved => "shelved",
        IncidentState::Closed => "closed",
    }
}

pub(crate) fn incident_state_from_name(name: &str) -> Option<IncidentState> {
    INCIDENT_STATES.into_iter().find(|&state| incident_state_name(state) == name)
}

const CATEGORIES: [IncidentCategory; 8] = [
    IncidentCategory::Unsorted,
    IncidentCategory::Conduct,
    IncidentCategory::Payment,
    IncidentCategory::Obstruction,
    IncidentCategory::Absence,
    IncidentCategory::Tampering,
    IncidentCategory::Safety,
    IncidentCategory::Other,
];

pub(crate) fn category_name(category: IncidentCategory) -> &'static str {
    match category {
        IncidentCategory::Unsorted => "unsorted",
        IncidentCategory::Conduct => "conduct",
        IncidentCategory::Payment => "payment",
        IncidentCategory::Obstruction => "obstruction",
        IncidentCategory::Absence => "absence",
        IncidentCategory::Tampering => "tampering",
        IncidentCategory::Safety => "safety",
        IncidentCategory::Other => "other",
    }
}

pub(crate) fn category_from_name(name: &str) -> Option<IncidentCategory> {
    CATEGORIES.into_iter().find(|&category| category_name(category) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_name_reads_back_as_what_was_written() {
        for stream in StreamKind::ALL {
            assert_eq!(stream_from_code(stream_code(stream)), Some(stream));
        }
        for state in SEGMENT_STATES {
            assert_eq!(segment_state_from_code(segment_state_code(state)), Some(state));
        }
        for tier in TIERS {
            assert_eq!(tier_from_code(tier_code(tier)), Some(tier));
        }
        for state in INCIDENT_STATES {
            assert_eq!(incident_state_from_name(incident_state_name(state)), Some(state));
        }
        for category in CATEGORIES {
            assert_eq!(category_from_name(category_name(category)), Some(category));
        }
        assert_eq!(stream_from_code(2), None);
        assert_eq!(segment_state_from_code(-1), None);
        assert_eq!(tier_from_code(2), None);
        assert_eq!(incident_state_from_name("NEW"), None);
        assert_eq!(category_from_name(""), None);
    }

    #[test]
    fn codes_of_scopes_read_back_and_sort_as_the_scopes_do() {
        let mut scopes = [
            RetentionScope::Camera(CameraId::generate()),
            RetentionScope::Site(SiteId::generate()),
            RetentionScope::Agency(AgencyId::generate()),
            RetentionScope::Default,
            RetentionScope::ContactPoint(ContactPointId::generate()),
            RetentionScope::Agency(AgencyId::generate()),
        ];
        for scope in scopes {
            let (code, id) = retention_scope_code(scope);
            assert_eq!(retention_scope_from_code(code, &id), Some(scope));
        }
        scopes.sort_unstable();
        assert!(scopes.map(retention_scope_code).is_sorted());
        assert_eq!(retention_scope_from_code(0, &[1; 16]), None);
        assert_eq!(retention_scope_from_code(1, &[]), None);
        assert_eq!(retention_scope_from_code(5, &[1; 16]), None);
    }
}
