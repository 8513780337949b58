//! Holds, retention and the journal of deletions.

use minhbach_model::{Deletion, Hold, HoldId, Release, Retention, RetentionScope, WallTime};

use super::media::stream_kind;
use super::{ConvertError, START_END, id, ids, optional_wall, range, required, same_enum, span, wall, wall_or_zero};
use crate::v1;
use crate::v1::retention_scope::Of;

same_enum!(deletion_reason, DeletionReason, "a reason of a deletion", [Expired, DiskFull]);

impl From<&Hold> for v1::Hold {
    fn from(hold: &Hold) -> Self {
        Self {
            id: hold.id.to_string(),
            camera_ids: hold.cameras.iter().map(ToString::to_string).collect(),
            start_wall_ns: hold.range.start.0,
            end_wall_ns: hold.range.end.0,
            reason: hold.reason.clone(),
            case_code: hold.case_code.clone(),
            owner: hold.owner.clone(),
            created_wall_ns: hold.created.0,
            expires_wall_ns: wall_or_zero(hold.expires),
            release: hold.release.as_ref().map(|release| v1::HoldRelease {
                at_wall_ns: release.at.0,
                by: release.by.clone(),
                reason: release.reason.clone(),
            }),
        }
    }
}

impl TryFrom<v1::Hold> for Hold {
    type Error = ConvertError;

    fn try_from(hold: v1::Hold) -> Result<Self, ConvertError> {
        let release = hold.release.map(released).transpose().map_err(|error| error.within("release"))?;
        Ok(Self {
            id: id("id", &hold.id)?,
            cameras: ids("camera_ids", &hold.camera_ids)?,
            range: range(START_END, hold.start_wall_ns, hold.end_wall_ns)?,
            reason: hold.reason,
            case_code: hold.case_code,
            owner: hold.owner,
            created: wall("created_wall_ns", hold.created_wall_ns)?,
            expires: optional_wall(hold.expires_wall_ns),
            release,
        })
    }
}

fn released(release: v1::HoldRelease) -> Result<Release, ConvertError> {
    Ok(Release { at: wall("at_wall_ns", release.at_wall_ns)?, by: release.by, reason: release.reason })
}

/// The hold that is asked for, with the id and the time of creation it gets.
///
/// # Errors
/// When it names no camera or no range.
pub fn placed(request: v1::PlaceHoldRequest, id: HoldId, created: WallTime) -> Result<Hold, ConvertError> {
    Ok(Hold {
        id,
        cameras: ids("camera_ids", &request.camera_ids)?,
        range: range(START_END, request.start_wall_ns, request.end_wall_ns)?,
        reason: request.reason,
        case_code: request.case_code,
        owner: request.owner,
        created,
        expires: optional_wall(request.expires_wall_ns),
        release: None,
    })
}

impl From<RetentionScope> for v1::RetentionScope {
    fn from(scope: RetentionScope) -> Self {
        let of = match scope {
            RetentionScope::Default => Of::EveryCamera(v1::EveryCamera {}),
            RetentionScope::Agency(id) => Of::AgencyId(id.to_string()),
            RetentionScope::Site(id) => Of::SiteId(id.to_string()),
            RetentionScope::ContactPoint(id) => Of::ContactPointId(id.to_string()),
            RetentionScope::Camera(id) => Of::CameraId(id.to_string()),
        };
        Self { of: Some(of) }
    }
}

/// The scope in a field that must be set.
///
/// # Errors
/// When it is not, or names no id.
pub fn retention_scope(field: &str, scope: Option<v1::RetentionScope>) -> Result<RetentionScope, ConvertError> {
    let of = required(field, scope.and_then(|scope| scope.of), "what the retention is said of")?;
    let scope = match of {
        Of::EveryCamera(_) => Ok(RetentionScope::Default),
        Of::AgencyId(text) => id("agency_id", &text).map(RetentionScope::Agency),
        Of::SiteId(text) => id("site_id", &text).map(RetentionScope::Site),
        Of::ContactPointId(text) => id("contact_point_id", &text).map(RetentionScope::ContactPoint),
        Of::CameraId(text) => id("camera_id", &text).map(RetentionScope::Camera),
    };
    scope.map_err(|error| error.within(field))
}

impl From<Retention> for v1::Retention {
    fn from(retention: Retention) -> Self {
        Self { min_days: retention.min_days, max_days: retention.max_days }
    }
}

impl From<v1::Retention> for Retention {
    fn from(retention: v1::Retention) -> Self {
        Self { min_days: retention.min_days, max_days: retention.max_days }
    }
}

impl From<&Deletion> for v1::Deletion {
    fn from(deletion: &Deletion) -> Self {
        Self {
            segment_id: deletion.segment.to_string(),
            camera_id: deletion.camera.to_string(),
            stream: v1::StreamKind::from(deletion.stream).into(),
            start_wall_ns: deletion.range.start.0,
            end_wall_ns: deletion.range.end.0,
            key: deletion.key.clone(),
            bytes: deletion.bytes,
            at_wall_ns: deletion.at.0,
            reason: v1::DeletionReason::from(deletion.reason).into(),
        }
    }
}

impl TryFrom<v1::Deletion> for Deletion {
    type Error = ConvertError;

    fn try_from(deletion: v1::Deletion) -> Result<Self, ConvertError> {
        Ok(Self {
            segment: id("segment_id", &deletion.segment_id)?,
            camera: id("camera_id", &deletion.camera_id)?,
            stream: stream_kind("stream", deletion.stream)?,
            range: span(START_END, deletion.start_wall_ns, deletion.end_wall_ns)?,
            key: deletion.key,
            bytes: deletion.bytes,
            at: wall("at_wall_ns", deletion.at_wall_ns)?,
            reason: deletion_reason("reason", deletion.reason)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{
        AgencyId, CameraId, ContactPointId, DeletionReason, SegmentId, SiteId, StreamKind, WallRange,
    };

    use super::*;

    fn hold() -> Hold {
        Hold {
            id: HoldId::generate(),
            cameras: vec![CameraId::generate(), CameraId::generate()],
            range: WallRange { start: WallTime(10), end: WallTime(70) },
            reason: "phản ánh của người dân".to_owned(),
            case_code: "PA-7".to_owned(),
            owner: "Bàn 1".to_owned(),
            created: WallTime(80),
            expires: Some(WallTime(900)),
            release: None,
        }
    }

    #[test]
    fn a_hold_comes_back_as_it_was() {
        let standing = hold();
        let release = Release { at: WallTime(90), by: "Bàn 2".to_owned(), reason: "đã giải quyết".to_owned() };
        let ended = Hold { expires: None, release: Some(release), ..hold() };
        for sent in [standing, ended] {
            assert_eq!(Hold::try_from(v1::Hold::from(&sent)), Ok(sent));
        }
    }

    #[test]
    fn a_release_without_its_time_is_refused() {
        let release = Some(v1::HoldRelease { at_wall_ns: 0, by: "x".to_owned(), reason: "y".to_owned() });
        let message = v1::Hold { release, ..v1::Hold::from(&hold()) };
        assert_eq!(Hold::try_from(message).unwrap_err().field, "release.at_wall_ns");
    }

    #[test]
    fn what_is_asked_for_becomes_a_hold_that_nobody_released() {
        let expected = hold();
        let request = v1::PlaceHoldRequest {
            camera_ids: expected.cameras.iter().map(ToString::to_string).collect(),
            start_wall_ns: 10,
            end_wall_ns: 70,
            reason: expected.reason.clone(),
            case_code: expected.case_code.clone(),
            owner: expected.owner.clone(),
            expires_wall_ns: 900,
        };
        assert_eq!(placed(request.clone(), expected.id, expected.created), Ok(expected.clone()));
        let field = |request: v1::PlaceHoldRequest| placed(request, expected.id, expected.created).unwrap_err().field;
        assert_eq!(field(v1::PlaceHoldRequest { camera_ids: Vec::new(), ..request.clone() }), "camera_ids");
        assert_eq!(field(v1::PlaceHoldRequest { end_wall_ns: 10, ..request }), "end_wall_ns");
    }

    #[test]
    fn every_scope_comes_back_and_none_is_guessed() {
        for scope in [
            RetentionScope::Default,
            RetentionScope::Agency(AgencyId::generate()),
            RetentionScope::Site(SiteId::generate()),
            RetentionScope::ContactPoint(ContactPointId::generate()),
            RetentionScope::Camera(CameraId::generate()),
        ] {
            assert_eq!(retention_scope("scope", Some(scope.into())), Ok(scope));
        }
        assert_eq!(retention_scope("scope", None).unwrap_err().field, "scope");
        assert_eq!(retention_scope("scope", Some(v1::RetentionScope { of: None })).unwrap_err().field, "scope");
        let odd = v1::RetentionScope { of: Some(Of::SiteId("seven".to_owned())) };
        assert_eq!(retention_scope("scope", Some(odd)).unwrap_err().field, "scope.site_id");
    }

    #[test]
    fn a_retention_without_an_end_is_not_one_of_no_days() {
        for max_days in [None, Some(0), Some(90)] {
            let sent = Retention { min_days: 30, max_days };
            assert_eq!(Retention::from(v1::Retention::from(sent)), sent);
        }
    }

    #[test]
    fn every_deletion_comes_back_as_it_was() {
        for reason in DeletionReason::ALL {
            let sent = Deletion {
                segment: SegmentId::generate(),
                camera: CameraId::generate(),
                stream: StreamKind::Sub,
                range: WallRange { start: WallTime(10), end: WallTime(70) },
                key: "v1/x/sub/2026/11/24/1.mp4".to_owned(),
                bytes: 30_000_000,
                at: WallTime(5000),
                reason,
            };
            assert_eq!(Deletion::try_from(v1::Deletion::from(&sent)), Ok(sent));
        }
    }
}
