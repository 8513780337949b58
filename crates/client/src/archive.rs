//! Holds, retention, the journal of deletions, and how spool and archive do.

use minhbach_api::convert::archive::retention_scope;
use minhbach_api::convert::{ConvertError, id, id_or_empty, optional_wall, required, wall_or_zero};
use minhbach_api::v1;
use minhbach_api::v1::archive_service_client::ArchiveServiceClient;
use minhbach_model::{CameraId, Deletion, Hold, HoldId, Retention, RetentionScope, WallRange, WallTime};
use tonic::transport::Channel;

use crate::{CALL_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES, Pages, unary};

/// A hold to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldDraft {
    /// The cameras, at least one, each once.
    pub cameras: Vec<CameraId>,
    /// What is held.
    pub range: WallRange,
    /// Why.
    pub reason: String,
    /// The case it belongs to; may be empty.
    pub case_code: String,
    /// Who sets it: the name of a workstation or account.
    pub owner: String,
    /// When it ends by itself; `None` for never.
    pub expires: Option<WallTime>,
}

/// Which deletions; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeletionFilter {
    /// Those of this camera.
    pub camera: Option<CameraId>,
    /// Those of footage of this moment or later.
    pub from: Option<WallTime>,
    /// Those of footage before this moment.
    pub to: Option<WallTime>,
}

/// How full the spool is, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpoolState {
    /// There is room.
    Fine,
    /// Fuller than the first watermark.
    Alarm,
    /// Fuller than the second: the oldest footage goes that is archived and not held.
    Deleting,
    /// Nothing may be deleted any more: all that is left is held.
    FullOfHeld,
    /// Nothing may be deleted any more: all that is left is not in the archive yet.
    FullOfUnarchived,
}

impl SpoolState {
    /// Every state, for tests and for tables.
    pub const ALL: [Self; 5] = [Self::Fine, Self::Alarm, Self::Deleting, Self::FullOfHeld, Self::FullOfUnarchived];
}

/// How spool and archive do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// `none`, `folder` or `s3`.
    pub kind: String,
    /// Whether the archive took what was brought to it last.
    pub available: bool,
    /// Why it did not, in English; empty when it did.
    pub problem: String,
    /// Closed files that are not in the archive yet; with very many of them a lower bound.
    pub waiting_segments: u64,
    /// Their media, bytes.
    pub waiting_bytes: u64,
    /// End of the oldest of them.
    pub waiting_since: Option<WallTime>,
    /// How full the spool is, 0 to 100.
    pub spool_used_percent: u32,
    /// What follows from it.
    pub spool: SpoolState,
    /// Why nothing is deleted and what to do, in English; empty when deletion is open.
    pub interlock: String,
    /// Why nothing is deleted by its age although deletion is open, and what to do, in English; empty when it is.
    pub age_locked: String,
    /// Files found to differ from what was recorded.
    pub damaged_segments: u64,
    /// How far the reading back of everything has come in this round, 0 to 100; `None` when it is off.
    pub patrol_percent: Option<u32>,
}

impl ArchiveStatus {
    /// Whether there is an archive behind the spool.
    #[must_use]
    pub fn has_archive(&self) -> bool {
        self.kind != "none"
    }
}

/// How long the footage of a camera is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraDays {
    /// The camera.
    pub camera: CameraId,
    /// Days that are promised.
    pub promised_days: u32,
    /// Days that its footage reaches back now.
    pub actual_days: f64,
    /// Footage went that is promised to be there.
    pub short: bool,
}

/// How spool and archive do, with what takes longer to find out.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchiveReport {
    /// Spool and archive.
    pub status: ArchiveStatus,
    /// Each camera of which something is recorded.
    pub days: Vec<CameraDays>,
    /// Bytes under a hold that stands, each counted once.
    pub held_bytes: u64,
}

impl Client {
    fn archive_service(&self) -> ArchiveServiceClient<Channel> {
        ArchiveServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES)
    }

    /// Places a hold: nothing deletes its footage while it stands.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn place_hold(&self, draft: &HoldDraft) -> Result<Hold, ClientError> {
        let mut service = self.archive_service();
        let call = service.place_hold(unary(request(draft), CALL_LIMIT));
        hold(self.answer(CALL_LIMIT, call).await?.hold)
    }

    /// Ends a hold; it stays listed.
    ///
    /// # Errors
    /// [`crate::ClientErrorKind::Refused`] when it was released before.
    pub async fn release_hold(&self, id: HoldId, by: &str, reason: &str) -> Result<Hold, ClientError> {
        let message = v1::ReleaseHoldRequest { id: id.to_string(), by: by.to_owned(), reason: reason.to_owned() };
        let mut service = self.archive_service();
        hold(self.answer(CALL_LIMIT, service.release_hold(unary(message, CALL_LIMIT))).await?.hold)
    }

    /// One hold.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn hold(&self, id: HoldId) -> Result<Hold, ClientError> {
        let message = v1::GetHoldRequest { id: id.to_string() };
        let mut service = self.archive_service();
        hold(self.answer(CALL_LIMIT, service.get_hold(unary(message, CALL_LIMIT))).await?.hold)
    }

    /// Holds, newest first: all of them or only those that stand now, of every camera or of one.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn holds(&self, standing_only: bool, camera: Option<CameraId>) -> Result<Vec<Hold>, ClientError> {
        let message = v1::ListHoldsRequest { standing_only, camera_id: id_or_empty(camera) };
        let mut service = self.archive_service();
        let answer = self.answer(CALL_LIMIT, service.list_holds(unary(message, CALL_LIMIT))).await?;
        answer.holds.into_iter().map(|message| hold(Some(message))).collect()
    }

    /// Says how long footage is kept; `None` says nothing of the scope any more.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn set_retention(&self, scope: RetentionScope, retention: Option<Retention>) -> Result<(), ClientError> {
        let message = v1::SetRetentionRequest { scope: Some(scope.into()), retention: retention.map(Into::into) };
        let mut service = self.archive_service();
        self.answer(CALL_LIMIT, service.set_retention(unary(message, CALL_LIMIT))).await?;
        Ok(())
    }

    /// What was said about how long footage is kept, by scope.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn retentions(&self) -> Result<Vec<(RetentionScope, Retention)>, ClientError> {
        let mut service = self.archive_service();
        let call = service.list_retentions(unary(v1::ListRetentionsRequest {}, CALL_LIMIT));
        let answer = self.answer(CALL_LIMIT, call).await?;
        let said: Result<Vec<_>, ConvertError> = answer.retentions.into_iter().map(scoped).collect();
        said.map_err(|error| ClientError::answer(error.within("retentions")))
    }

    /// The journal of deletions, newest first.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn deletions(&self, filter: &DeletionFilter) -> Result<Vec<Deletion>, ClientError> {
        let mut service = self.archive_service();
        let mut deletions = Vec::new();
        let mut pages = Pages::new();
        loop {
            let message = v1::ListDeletionsRequest {
                from_wall_ns: wall_or_zero(filter.from),
                to_wall_ns: wall_or_zero(filter.to),
                camera_id: id_or_empty(filter.camera),
                page_size: 0,
                page_token: pages.token(),
            };
            let answer = self.answer(CALL_LIMIT, service.list_deletions(unary(message, CALL_LIMIT))).await?;
            for message in answer.deletions {
                let deletion = Deletion::try_from(message).map_err(|error| error.within("deletions"));
                deletions.push(deletion.map_err(ClientError::answer)?);
            }
            if !pages.advance(answer.next_page_token)? {
                return Ok(deletions);
            }
        }
    }

    /// How spool and archive do, how many days are kept of each camera, and how much is held.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn archive(&self) -> Result<ArchiveReport, ClientError> {
        let mut service = self.archive_service();
        let call = service.get_archive_status(unary(v1::GetArchiveStatusRequest {}, CALL_LIMIT));
        let answer = self.answer(CALL_LIMIT, call).await?;
        report(answer).map_err(ClientError::answer)
    }
}

fn request(draft: &HoldDraft) -> v1::PlaceHoldRequest {
    v1::PlaceHoldRequest {
        camera_ids: draft.cameras.iter().map(ToString::to_string).collect(),
        start_wall_ns: draft.range.start.0,
        end_wall_ns: draft.range.end.0,
        reason: draft.reason.clone(),
        case_code: draft.case_code.clone(),
        owner: draft.owner.clone(),
        expires_wall_ns: wall_or_zero(draft.expires),
    }
}

fn hold(message: Option<v1::Hold>) -> Result<Hold, ClientError> {
    required("hold", message, "the hold")
        .and_then(|message| Hold::try_from(message).map_err(|error| error.within("hold")))
        .map_err(ClientError::answer)
}

fn scoped(message: v1::ScopedRetention) -> Result<(RetentionScope, Retention), ConvertError> {
    let retention = required("retention", message.retention, "days")?;
    Ok((retention_scope("scope", message.scope)?, retention.into()))
}

fn report(answer: v1::GetArchiveStatusResponse) -> Result<ArchiveReport, ConvertError> {
    let status = required("status", answer.status, "the state of the archive")?;
    let days = answer.days.into_iter().map(|days| {
        Ok(CameraDays {
            camera: id("camera_id", &days.camera_id)?,
            promised_days: days.promised_days,
            actual_days: days.actual_days,
            short: days.short,
        })
    });
    let days: Result<Vec<_>, ConvertError> = days.collect();
    Ok(ArchiveReport {
        status: archive_status(status).map_err(|error| error.within("status"))?,
        days: days.map_err(|error| error.within("days"))?,
        held_bytes: answer.held_bytes,
    })
}

/// Spool and archive, from the message.
pub(crate) fn archive_status(message: v1::ArchiveStatus) -> Result<ArchiveStatus, ConvertError> {
    let expected = "how full the spool is";
    let spool = match v1::SpoolState::try_from(message.spool_state) {
        Ok(v1::SpoolState::Fine) => SpoolState::Fine,
        Ok(v1::SpoolState::Alarm) => SpoolState::Alarm,
        Ok(v1::SpoolState::Deleting) => SpoolState::Deleting,
        Ok(v1::SpoolState::FullOfHeld) => SpoolState::FullOfHeld,
        Ok(v1::SpoolState::FullOfUnarchived) => SpoolState::FullOfUnarchived,
        Ok(v1::SpoolState::Unspecified) => return Err(ConvertError::missing("spool_state", expected)),
        Err(_) => return Err(ConvertError::unknown("spool_state", &message.spool_state.to_string(), expected)),
    };
    Ok(ArchiveStatus {
        kind: message.kind,
        available: message.available,
        problem: message.problem,
        waiting_segments: message.waiting_segments,
        waiting_bytes: message.waiting_bytes,
        waiting_since: optional_wall(message.waiting_since_wall_ns),
        spool_used_percent: message.spool_used_percent,
        spool,
        interlock: message.interlock,
        age_locked: message.age_locked,
        damaged_segments: message.damaged_segments,
        patrol_percent: message.patrol_percent,
    })
}

#[cfg(test)]
mod tests {
    use minhbach_api::convert::archive::placed;

    use super::*;

    #[test]
    fn the_server_understands_the_hold_that_is_asked_for() {
        let draft = HoldDraft {
            cameras: vec![CameraId::generate()],
            range: WallRange { start: WallTime(10), end: WallTime(70) },
            reason: "phản ánh".to_owned(),
            case_code: "PA-7".to_owned(),
            owner: "Bàn 1".to_owned(),
            expires: None,
        };
        let (id, now) = (HoldId::generate(), WallTime(80));
        let hold = placed(request(&draft), id, now).unwrap();
        assert_eq!((hold.cameras, hold.range, hold.expires), (draft.cameras, draft.range, None));
        assert_eq!((hold.reason, hold.case_code, hold.owner), (draft.reason, draft.case_code, draft.owner));
    }

    #[test]
    fn the_report_is_read_and_an_unknown_state_is_refused_by_its_field() {
        let camera = CameraId::generate();
        let status = v1::ArchiveStatus {
            kind: "s3".to_owned(),
            problem: "connection refused".to_owned(),
            waiting_segments: 7,
            waiting_bytes: 100,
            waiting_since_wall_ns: 5,
            spool_used_percent: 81,
            spool_state: v1::SpoolState::Alarm.into(),
            damaged_segments: 1,
            ..v1::ArchiveStatus::default()
        };
        let days =
            vec![v1::CameraDays { camera_id: camera.to_string(), promised_days: 30, actual_days: 12.5, short: true }];
        let answer = v1::GetArchiveStatusResponse { status: Some(status.clone()), days, held_bytes: 9 };
        let read = report(answer).unwrap();
        assert_eq!(read.days, [CameraDays { camera, promised_days: 30, actual_days: 12.5, short: true }]);
        assert_eq!((read.status.spool, read.status.waiting_since), (SpoolState::Alarm, Some(WallTime(5))));
        assert_eq!((read.status.has_archive(), read.status.patrol_percent, read.held_bytes), (true, None, 9));
        for spool_state in [0, 77] {
            let odd = v1::ArchiveStatus { spool_state, ..status.clone() };
            assert_eq!(archive_status(odd).unwrap_err().field, "spool_state");
        }
        assert_eq!(report(v1::GetArchiveStatusResponse::default()).unwrap_err().field, "status");
    }
}
