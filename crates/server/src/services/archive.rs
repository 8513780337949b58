//! Holds, retention, the journal of deletions, and how spool and archive do.

use std::sync::Arc;
use std::time::Duration;

use minhbach_api::convert::{self, ConvertError, archive as messages};
use minhbach_api::v1;
use minhbach_api::v1::archive_service_server::ArchiveService;
use minhbach_index::DeletionFilter;
use minhbach_model::{CameraId, Hold, HoldId, Release, Retention, RetentionScope, SegmentId, WallRange, WallTime};
use minhbach_recorder::{ArchiveStatus, SpoolState};
use tonic::{Request, Response, Status};

use super::refuse::{
    bad_page_token, bad_request, check_name, check_text, expiry_past, index_status, no_such_place, range_empty,
    range_too_long, release_status, retention_impossible, too_many_cameras,
};
use super::{Shared, known};

/// Longest range of a hold.
const RANGE_MAX: Duration = Duration::from_secs(400 * 86_400);
/// Most cameras of one hold.
const CAMERAS_MAX: usize = 64;
/// Most characters of a reason.
const REASON_MAX_CHARS: usize = 1000;
/// A hundred years: any longer is a slip, and times are kept in 64 bits.
const DAYS_MAX: u32 = 36_500;

pub(super) struct Archives(pub Arc<Shared>);

impl Archives {
    /// Whether there is what a retention is said of.
    async fn is_known(&self, scope: RetentionScope) -> Result<(), Status> {
        if let RetentionScope::Camera(camera) = scope {
            return known::check(&self.0, &[camera]).await;
        }
        let places = self.0.index.places().await.map_err(index_status)?;
        let known = match scope {
            RetentionScope::Default | RetentionScope::Camera(_) => true,
            RetentionScope::Agency(id) => places.agencies.iter().any(|agency| agency.id == id),
            RetentionScope::Site(id) => places.sites.iter().any(|site| site.id == id),
            RetentionScope::ContactPoint(id) => places.contact_points.iter().any(|point| point.id == id),
        };
        if known { Ok(()) } else { Err(no_such_place()) }
    }
}

#[tonic::async_trait]
impl ArchiveService for Archives {
    async fn place_hold(
        &self,
        request: Request<v1::PlaceHoldRequest>,
    ) -> Result<Response<v1::PlaceHoldResponse>, Status> {
        let now = self.0.clock.now();
        let hold = messages::placed(request.into_inner(), HoldId::generate(), now).map_err(bad_request)?;
        let hold = checked(hold, now)?;
        known::check(&self.0, &hold.cameras).await?;
        self.0.index.insert_hold(&hold).await.map_err(index_status)?;
        tracing::info!(hold = %hold.id, owner = hold.owner, cameras = hold.cameras.len(), "hold placed");
        Ok(Response::new(v1::PlaceHoldResponse { hold: Some((&hold).into()) }))
    }

    async fn release_hold(
        &self,
        request: Request<v1::ReleaseHoldRequest>,
    ) -> Result<Response<v1::ReleaseHoldResponse>, Status> {
        let request = request.into_inner();
        let id = convert::id("id", &request.id).map_err(bad_request)?;
        let release = Release {
            at: self.0.clock.now(),
            by: check_name("by", &request.by)?,
            reason: check_reason(&request.reason)?,
        };
        let hold = self.0.index.release_hold(id, &release).await.map_err(release_status)?;
        tracing::info!(hold = %id, by = release.by, "hold released");
        Ok(Response::new(v1::ReleaseHoldResponse { hold: Some((&hold).into()) }))
    }

    async fn get_hold(&self, request: Request<v1::GetHoldRequest>) -> Result<Response<v1::GetHoldResponse>, Status> {
        let id = convert::id("id", &request.into_inner().id).map_err(bad_request)?;
        let hold = self.0.index.hold(id).await.map_err(index_status)?;
        Ok(Response::new(v1::GetHoldResponse { hold: Some((&hold).into()) }))
    }

    async fn list_holds(
        &self,
        request: Request<v1::ListHoldsRequest>,
    ) -> Result<Response<v1::ListHoldsResponse>, Status> {
        let request = request.into_inner();
        let camera = convert::optional_id("camera_id", &request.camera_id).map_err(bad_request)?;
        let standing_at = request.standing_only.then(|| self.0.clock.now());
        let holds = self.0.index.holds(standing_at, camera).await.map_err(index_status)?;
        Ok(Response::new(v1::ListHoldsResponse { holds: holds.iter().map(Into::into).collect() }))
    }

    async fn set_retention(
        &self,
        request: Request<v1::SetRetentionRequest>,
    ) -> Result<Response<v1::SetRetentionResponse>, Status> {
        let request = request.into_inner();
        let scope = messages::retention_scope("scope", request.scope).map_err(bad_request)?;
        let retention = request.retention.map(Retention::from);
        if let Some(retention) = retention {
            check_retention(retention)?;
            // What is said of something that has gone can be taken back, but not be said anew.
            self.is_known(scope).await?;
        }
        self.0.index.set_retention(scope, retention).await.map_err(index_status)?;
        tracing::info!(?scope, ?retention, "retention set");
        Ok(Response::new(v1::SetRetentionResponse {}))
    }

    async fn list_retentions(
        &self,
        _: Request<v1::ListRetentionsRequest>,
    ) -> Result<Response<v1::ListRetentionsResponse>, Status> {
        let said = self.0.index.retentions().await.map_err(index_status)?;
        let scoped = |(scope, retention): (RetentionScope, Retention)| v1::ScopedRetention {
            scope: Some(scope.into()),
            retention: Some(retention.into()),
        };
        Ok(Response::new(v1::ListRetentionsResponse { retentions: said.into_iter().map(scoped).collect() }))
    }

    async fn list_deletions(
        &self,
        request: Request<v1::ListDeletionsRequest>,
    ) -> Result<Response<v1::ListDeletionsResponse>, Status> {
        let request = request.into_inner();
        let range = open_range(request.from_wall_ns, request.to_wall_ns)?;
        let camera = convert::optional_id("camera_id", &request.camera_id).map_err(bad_request)?;
        let before = page_token(&request.page_token)?;
        let limit = if request.page_size == 0 { 1000 } else { request.page_size.min(1000) };
        let filter = DeletionFilter { range, camera };
        let deletions = self.0.index.deletions(&filter, before, limit).await.map_err(index_status)?;
        let full = deletions.len() >= limit as usize;
        let next_page_token = deletions
            .last()
            .filter(|_| full)
            .map_or_else(String::new, |last| format!("{}:{}", last.at.0, last.segment));
        let deletions = deletions.iter().map(Into::into).collect();
        Ok(Response::new(v1::ListDeletionsResponse { deletions, next_page_token }))
    }

    async fn get_archive_status(
        &self,
        _: Request<v1::GetArchiveStatusRequest>,
    ) -> Result<Response<v1::GetArchiveStatusResponse>, Status> {
        let held_bytes = self.0.index.held_bytes(self.0.clock.now()).await.map_err(index_status)?;
        let status = self.0.archive.borrow().clone();
        let days = status.days.iter().map(|days| v1::CameraDays {
            camera_id: days.camera.to_string(),
            promised_days: days.promised_days,
            actual_days: days.actual_days,
            short: days.short,
        });
        let days = days.collect();
        Ok(Response::new(v1::GetArchiveStatusResponse { status: Some(message(&status)), days, held_bytes }))
    }
}

/// The hold with its texts trimmed, once it is found to be one that can be kept.
fn checked(hold: Hold, now: WallTime) -> Result<Hold, Status> {
    if hold.range.duration() > RANGE_MAX {
        return Err(range_too_long(RANGE_MAX));
    }
    if hold.cameras.len() > CAMERAS_MAX {
        return Err(too_many_cameras(hold.cameras.len(), CAMERAS_MAX));
    }
    if hold.expires.is_some_and(|end| end <= now) {
        return Err(expiry_past());
    }
    // A case may have no code; one that has is a name like any other.
    let case_code = match hold.case_code.trim() {
        "" => String::new(),
        code => check_name("case_code", code)?,
    };
    Ok(Hold { owner: check_name("owner", &hold.owner)?, reason: check_reason(&hold.reason)?, case_code, ..hold })
}

/// Whether so long can be promised and kept.
fn check_retention(retention: Retention) -> Result<(), Status> {
    if !retention.is_possible() {
        return Err(retention_impossible(retention));
    }
    let longest = retention.max_days.unwrap_or(0).max(retention.min_days);
    if longest > DAYS_MAX {
        let reason = format!("at most {DAYS_MAX} days are accepted");
        return Err(bad_request(ConvertError::invalid("retention", reason)));
    }
    Ok(())
}

/// Checks and trims a reason, which must be given.
fn check_reason(text: &str) -> Result<String, Status> {
    let reason = text.trim();
    check_text("reason", reason, 1..=REASON_MAX_CHARS)?;
    Ok(reason.to_owned())
}

/// A range whose ends may be left out; `None` when both are.
fn open_range(from_ns: i64, to_ns: i64) -> Result<Option<WallRange>, Status> {
    let (from, to) = (convert::optional_wall(from_ns), convert::optional_wall(to_ns));
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let range = WallRange::new(from.unwrap_or(WallTime(i64::MIN)), to.unwrap_or(WallTime(i64::MAX)));
    range.map(Some).ok_or_else(|| range_empty("to_wall_ns: must be later than from_wall_ns"))
}

/// `<at>:<segment>` of the last deletion sent.
fn page_token(token: &str) -> Result<Option<(WallTime, SegmentId)>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parsed = token.split_once(':').and_then(|(at, id)| Some((WallTime(at.parse().ok()?), id.parse().ok()?)));
    parsed.map(Some).ok_or_else(bad_page_token)
}

/// How spool and archive do, as it goes over the wire.
pub(super) fn message(status: &ArchiveStatus) -> v1::ArchiveStatus {
    let spool = match status.spool.state {
        SpoolState::Fine => v1::SpoolState::Fine,
        SpoolState::Alarm => v1::SpoolState::Alarm,
        SpoolState::Deleting => v1::SpoolState::Deleting,
        SpoolState::FullOfHeld => v1::SpoolState::FullOfHeld,
        SpoolState::FullOfUnarchived => v1::SpoolState::FullOfUnarchived,
    };
    v1::ArchiveStatus {
        kind: status.kind.to_string(),
        available: status.available,
        problem: status.last_error.clone().filter(|_| !status.available).unwrap_or_default(),
        waiting_segments: status.waiting_segments,
        waiting_bytes: status.waiting_bytes,
        waiting_since_wall_ns: convert::wall_or_zero(status.waiting_since),
        spool_used_percent: status.spool.used_percent.into(),
        spool_state: spool.into(),
        interlock: status.interlock.clone().unwrap_or_default(),
        damaged_segments: status.damaged_segments,
        patrol_percent: status.patrol_position_percent.map(Into::into),
        age_locked: status.age_locked.clone().unwrap_or_default(),
    }
}

/// What must not be missed: deletion is locked, or nothing is left that may be deleted.
pub(crate) fn emergency(status: &ArchiveStatus) -> Option<String> {
    let used = status.spool.used_percent;
    match (&status.interlock, status.spool.state) {
        (Some(why), _) => Some(format!("nothing is deleted: {why}")),
        (None, SpoolState::FullOfHeld) => {
            Some(format!("the spool is {used} % full and all that is left is held: release holds or add a disk"))
        }
        (None, SpoolState::FullOfUnarchived) => Some(format!(
            "the spool is {used} % full and all that is left is not in the archive: bring the archive back or add a disk"
        )),
        (None, SpoolState::Fine | SpoolState::Alarm | SpoolState::Deleting) => None,
    }
}

/// What of a range is under one of these holds for a camera: in order, merged, cut at its ends.
pub(super) fn held(holds: &[Hold], camera: CameraId, range: &WallRange) -> Vec<WallRange> {
    let mine = holds.iter().filter(|hold| hold.cameras.contains(&camera));
    let mut stretches: Vec<WallRange> = mine.filter_map(|hold| hold.range.intersection(range)).collect();
    stretches.sort_unstable_by_key(|stretch| (stretch.start, stretch.end));
    let mut merged: Vec<WallRange> = Vec::with_capacity(stretches.len());
    for next in stretches {
        match merged.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use minhbach_api::convert::refusal;
    use minhbach_model::RefusalReason;
    use minhbach_recorder::Fill;

    use super::*;

    const NOW: WallTime = WallTime(1_800_000_000_000_000_000);

    fn hold(camera: CameraId, start: i64, end: i64) -> Hold {
        Hold {
            id: HoldId::generate(),
            cameras: vec![camera],
            range: WallRange { start: WallTime(start), end: WallTime(end) },
            reason: " phản ánh ".to_owned(),
            case_code: " ".to_owned(),
            owner: " Bàn 1".to_owned(),
            created: NOW,
            expires: None,
            release: None,
        }
    }

    fn refused(hold: Hold) -> Option<RefusalReason> {
        checked(hold, NOW).err().and_then(|status| refusal::of(&status)).map(|refusal| refusal.reason)
    }

    #[test]
    fn a_hold_is_kept_with_its_texts_trimmed() {
        let kept = checked(hold(CameraId::generate(), 10, 20), NOW).unwrap();
        assert_eq!((kept.reason.as_str(), kept.case_code.as_str(), kept.owner.as_str()), ("phản ánh", "", "Bàn 1"));
    }

    #[test]
    fn a_hold_needs_a_reason_an_owner_and_an_end_that_is_to_come() {
        let good = hold(CameraId::generate(), 10, 20);
        assert_eq!(refused(good.clone()), None);
        assert_eq!(refused(Hold { reason: "  ".to_owned(), ..good.clone() }), Some(RefusalReason::NameEmpty));
        let long = "x".repeat(REASON_MAX_CHARS + 1);
        assert_eq!(refused(Hold { reason: long, ..good.clone() }), Some(RefusalReason::NoteTooLong));
        assert_eq!(refused(Hold { owner: String::new(), ..good.clone() }), Some(RefusalReason::NameEmpty));
        assert_eq!(
            refused(Hold { case_code: "a\u{202E}b".to_owned(), ..good.clone() }),
            Some(RefusalReason::NameControl)
        );
        assert_eq!(refused(Hold { expires: Some(NOW), ..good.clone() }), Some(RefusalReason::ExpiryPast));
        assert_eq!(refused(Hold { expires: Some(NOW.offset_ns(1)), ..good.clone() }), None);
        let cameras = (0..=CAMERAS_MAX).map(|_| CameraId::generate()).collect();
        assert_eq!(refused(Hold { cameras, ..good.clone() }), Some(RefusalReason::TooManyCameras));
        let range = WallRange { start: WallTime(1), end: WallTime(1).offset_ns(401 * 86_400 * 1_000_000_000) };
        assert_eq!(refused(Hold { range, ..good }), Some(RefusalReason::RangeTooLong));
    }

    #[test]
    fn holds_of_a_camera_are_merged_and_cut() {
        let (mine, other) = (CameraId::generate(), CameraId::generate());
        let stretch = |start, end| WallRange { start: WallTime(start), end: WallTime(end) };
        let holds =
            [hold(mine, 50, 80), hold(other, 0, 100), hold(mine, 10, 30), hold(mine, 20, 50), hold(mine, 95, 200)];
        assert_eq!(held(&holds, mine, &stretch(20, 100)), [stretch(20, 80), stretch(95, 100)]);
        assert!(held(&holds, mine, &stretch(300, 400)).is_empty());
    }

    #[test]
    fn a_retention_is_possible_and_within_a_hundred_years() {
        let reason = |min_days, max_days| {
            let refused = check_retention(Retention { min_days, max_days }).err()?;
            refusal::of(&refused).map(|refusal| refusal.reason)
        };
        assert_eq!(reason(30, None), None);
        assert_eq!(reason(31, Some(30)), Some(RefusalReason::RetentionImpossible));
        assert_eq!(reason(DAYS_MAX + 1, None), Some(RefusalReason::FieldInvalid));
        assert_eq!(reason(30, Some(DAYS_MAX + 1)), Some(RefusalReason::FieldInvalid));
    }

    #[test]
    fn the_ends_of_a_range_of_deletions_may_be_left_out() {
        assert_eq!(open_range(0, 0).unwrap(), None);
        assert_eq!(open_range(5, 0).unwrap().map(|range| range.end), Some(WallTime(i64::MAX)));
        assert_eq!(open_range(0, 5).unwrap().map(|range| range.start), Some(WallTime(i64::MIN)));
        assert!(open_range(5, 5).is_err());
    }

    #[test]
    fn only_what_must_not_be_missed_is_an_emergency() {
        let status = |state, interlock: Option<&str>| {
            let spool = Fill { used_percent: 91, state };
            ArchiveStatus { spool, interlock: interlock.map(str::to_owned), ..ArchiveStatus::new("s3") }
        };
        for state in [SpoolState::Fine, SpoolState::Alarm, SpoolState::Deleting] {
            assert_eq!(emergency(&status(state, None)), None, "{state:?}");
            assert!(emergency(&status(state, Some("another database"))).unwrap().contains("another database"));
        }
        for state in [SpoolState::FullOfHeld, SpoolState::FullOfUnarchived] {
            assert!(emergency(&status(state, None)).unwrap().contains("91 % full"), "{state:?}");
        }
    }

    #[test]
    fn the_last_error_is_told_only_while_the_archive_is_away() {
        let mut status = ArchiveStatus::new("folder");
        status.last_error = Some("connection refused".to_owned());
        status.patrol_position_percent = Some(40);
        status.age_locked = Some("the clock".to_owned());
        let sent = message(&status);
        assert_eq!((sent.age_locked.as_str(), emergency(&status)), ("the clock", None), "a full disk still gets room");
        assert_eq!((sent.kind.as_str(), sent.problem.as_str(), sent.patrol_percent), ("folder", "", Some(40)));
        status.available = false;
        assert_eq!(message(&status).problem, "connection refused");
    }

    #[test]
    fn a_page_token_is_one_that_was_given_out() {
        let id = SegmentId::generate();
        assert_eq!(page_token(&format!("7:{id}")).unwrap(), Some((WallTime(7), id)));
        assert_eq!(page_token("").unwrap(), None);
        for bad in ["7", "x:y", "7:", ":"] {
            assert!(page_token(bad).is_err(), "{bad}");
        }
    }
}
