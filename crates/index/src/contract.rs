//! The contract of an index: what every backend promises, whatever its database.
//!
//! One trait a noun, and [`Index`], which is all of them; programs hold an `Arc<dyn Index>`. The promises are checked
//! by the `conformance` module on every backend.
//!
//! For all methods: a call that returns an error kept nothing, except that one that returns `Unavailable` may have been
//! kept, wholly, as a connection may be lost before its answer. A call that returned is seen by every later call. A
//! call whose future is dropped may or may not have been kept, wholly. Ranges are half-open. Names are ordered by code
//! point; who shows them sorts them as the language asks. Values are kept as given: names and notes are checked before.

use async_trait::async_trait;
use minhbach_model::{
    Agency, AgencyId, Camera, CameraDraft, CameraId, ContactPoint, ContactPointId, Damage, Deletion, DeletionReason,
    Gap, GapCause, Hold, HoldId, Incident, IncidentCategory, IncidentId, IncidentState, PlaceTree, Release,
    RemovedCamera, Retention, RetentionScope, Segment, SegmentId, SegmentState, Site, SiteId, StreamKind, WallRange,
    WallTime,
};
use uuid::Uuid;

use crate::IndexError;

/// Most rows a paged call returns, whatever limit it is given.
pub const MAX_PAGE: u32 = 1000;

/// How far a segment that is being written has come. Counts are totals, not increments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentProgress {
    /// The segment.
    pub id: SegmentId,
    /// End of the last picture that is on the disk.
    pub end: WallTime,
    /// Bytes of media on the disk.
    pub bytes: u64,
    /// Pictures on the disk.
    pub video_samples: u64,
    /// Frames or packets of sound on the disk.
    pub audio_samples: u64,
}

/// Sums over all segments of every state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SegmentTotals {
    /// Segments.
    pub segments: u64,
    /// Bytes of media.
    pub bytes: u64,
}

/// A stream of which something is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedSince {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// Start of its oldest segment that is not being deleted.
    pub oldest: WallTime,
}

/// Which deletions are asked for; what is `None` is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeletionFilter {
    /// Those of footage that shares an instant with this range.
    pub range: Option<WallRange>,
    /// Those of this camera.
    pub camera: Option<CameraId>,
}

/// Which incidents are asked for; what is `None` is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IncidentFilter {
    /// Those about a time that shares an instant with this range.
    pub range: Option<WallRange>,
    /// Those in this state.
    pub state: Option<IncidentState>,
    /// Those about this camera.
    pub camera: Option<CameraId>,
}

/// What is changed about an incident; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentChange {
    /// The time it is about.
    pub range: Option<WallRange>,
    /// The cameras, at least one, each once.
    pub cameras: Option<Vec<CameraId>>,
    /// What it is about.
    pub category: Option<IncidentCategory>,
    /// Free text.
    pub note: Option<String>,
    /// Its state.
    pub state: Option<IncidentState>,
}

/// Everything an index keeps.
#[async_trait]
pub trait Index:
    CameraIndex + PlaceIndex + SegmentIndex + GapIndex + IncidentIndex + ArchiveIndex + HoldIndex + RetentionIndex
{
    /// Names this database; a new or another database has another id.
    fn database_id(&self) -> Uuid;

    /// Counts the openings of this database, from 1. A value lower than one seen before tells an older copy.
    fn generation(&self) -> u64;

    /// Makes durable what was told before and was not durable when its call returned: openings and closings of segments and
    /// gaps. Costs nothing when there is nothing.
    async fn sync(&self) -> Result<(), IndexError>;

    /// Writes everything out and closes. Every later call fails with `Unavailable`; closing again does nothing.
    async fn close(&self) -> Result<(), IndexError>;
}

/// The cameras. Kept durably: a call that returned survives a power loss.
#[async_trait]
pub trait CameraIndex: Send + Sync + 'static {
    /// Adds a camera. `Exists` when the id is taken, also by a removed camera; `NotFound` for an unknown contact point.
    /// Two cameras may have the same name and the same URL.
    async fn insert_camera(&self, camera: &Camera) -> Result<(), IndexError>;

    /// Replaces what is configured. `NotFound` for an unknown or removed camera or an unknown contact point.
    async fn update_camera(&self, id: CameraId, draft: &CameraDraft) -> Result<(), IndexError>;

    /// Pauses or resumes; no error when it is so already. `NotFound` for an unknown or removed camera.
    async fn set_camera_paused(&self, id: CameraId, paused: bool) -> Result<(), IndexError>;

    /// Removes a camera. Its footage, gaps and incidents stay listed; its user name and password are erased.
    /// `NotFound` for an unknown or removed camera.
    async fn remove_camera(&self, id: CameraId, at: WallTime) -> Result<(), IndexError>;

    /// The cameras that are not removed, with their passwords, by name and then by id.
    async fn cameras(&self) -> Result<Vec<Camera>, IndexError>;

    /// The cameras that were removed, the last one first.
    async fn removed_cameras(&self) -> Result<Vec<RemovedCamera>, IndexError>;

    /// Adds a camera that was removed, as another index listed it. `Invalid` without a time of removal, otherwise as
    /// [`insert_camera`](Self::insert_camera).
    async fn insert_removed_camera(&self, camera: &RemovedCamera) -> Result<(), IndexError>;
}

/// The places. Kept durably, as cameras are.
///
/// Inserting fails with `Exists` when the id is taken and with `NotFound` when what it belongs to is unknown; renaming
/// and removing with `NotFound`; removing with `InUse` while the place holds something.
#[async_trait]
pub trait PlaceIndex: Send + Sync + 'static {
    /// All places, each list by name and then by id, as of one moment.
    async fn places(&self) -> Result<PlaceTree, IndexError>;

    /// Adds an agency.
    async fn insert_agency(&self, agency: &Agency) -> Result<(), IndexError>;
    /// Renames an agency.
    async fn rename_agency(&self, id: AgencyId, name: &str) -> Result<(), IndexError>;
    /// Removes an agency without agencies and sites.
    async fn remove_agency(&self, id: AgencyId) -> Result<(), IndexError>;

    /// Adds a site.
    async fn insert_site(&self, site: &Site) -> Result<(), IndexError>;
    /// Renames a site.
    async fn rename_site(&self, id: SiteId, name: &str) -> Result<(), IndexError>;
    /// Removes a site without contact points.
    async fn remove_site(&self, id: SiteId) -> Result<(), IndexError>;

    /// Adds a contact point.
    async fn insert_contact_point(&self, point: &ContactPoint) -> Result<(), IndexError>;
    /// Renames a contact point.
    async fn rename_contact_point(&self, id: ContactPointId, name: &str) -> Result<(), IndexError>;
    /// Removes a contact point that no camera watches; removed cameras do not count.
    async fn remove_contact_point(&self, id: ContactPointId) -> Result<(), IndexError>;
}

/// The recorded segments: a cache of the files.
///
/// A power loss may lose what was opened and closed in the last seconds, and a crash of the process as much progress of the
/// segments that are being written: the files tell both again. The camera need not be known.
///
/// The segments of a stream follow each other. Where a clock that was set back makes them overlap, those that start
/// within five minutes before the range or moment asked for are found, and of those that start earlier the last.
#[async_trait]
pub trait SegmentIndex: Send + Sync + 'static {
    /// Adds a segment in state `Recording` and tier `Spool` (else `Invalid`); its range may still be empty. `Exists` when its storage
    /// key is taken, or its id by another one in that state.
    async fn open_segment(&self, segment: &Segment) -> Result<(), IndexError>;

    /// Moves on the segments that are being written: every answer counts it from now on. It may be kept in memory for some
    /// seconds, because the files tell it as well.
    ///
    /// Nothing is ever taken back: a value lower than the one kept leaves it. Progress of a segment that is not in
    /// state `Recording` is passed over, so that one late report does not hold up the others. Returns how many moved.
    async fn advance_segments(&self, progress: &[SegmentProgress]) -> Result<u64, IndexError>;

    /// Sets the final values, lower ones too, and the state `Closed` or `Suspect` (else `Invalid`).
    /// `NotFound` when the segment is not in state `Recording`.
    async fn close_segment(&self, last: &SegmentProgress, state: SegmentState) -> Result<(), IndexError>;

    /// Forgets a segment in state `Recording` whose file holds nothing. `NotFound` when there is none.
    async fn discard_segment(&self, id: SegmentId) -> Result<(), IndexError>;

    /// Adds a segment found on a disk or in the archive, `Closed` or `Suspect` (else `Invalid`), with the tier given.
    /// `Exists` when its storage key is taken, also by one that is being deleted.
    async fn insert_adopted(&self, segment: &Segment) -> Result<(), IndexError>;

    /// The segments that share an instant with the range, of every state, by start and then by id: those after `after`,
    /// at most `limit` and at most [`MAX_PAGE`]. A segment whose range is still empty shares nothing.
    async fn segments_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
        after: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Segment>, IndexError>;

    /// The segment that holds the moment (of several, the one that starts last), else the first that starts after it.
    async fn segment_at_or_after(
        &self,
        camera: CameraId,
        stream: StreamKind,
        at: WallTime,
    ) -> Result<Option<Segment>, IndexError>;

    /// The segment with that storage key.
    async fn segment_by_key(&self, key: &str) -> Result<Option<Segment>, IndexError>;

    /// The segments in state `Recording`, by camera, stream and start: at a start, those a crash left behind.
    async fn recording_segments(&self) -> Result<Vec<Segment>, IndexError>;

    /// Where the recording of a stream ends so far.
    async fn last_recorded_end(&self, camera: CameraId, stream: StreamKind) -> Result<Option<WallTime>, IndexError>;

    /// The recorded stretches inside the range, in order and cut at its ends. Segments of every state count; those with
    /// at most [`JOIN_NS`](crate::JOIN_NS) between them are one stretch.
    async fn timeline(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<WallRange>, IndexError>;

    /// The sums over all segments. Takes no longer with more of them.
    async fn totals(&self) -> Result<SegmentTotals, IndexError>;
}

/// The gaps, kept as durably as segments. At most one gap of a stream is open. The camera need not be known.
#[async_trait]
pub trait GapIndex: Send + Sync + 'static {
    /// Opens a gap. Opening the one that is open again, with the same start and cause, is no error; a closed one with
    /// the same start and cause is opened again; `Exists` while another one is open.
    async fn open_gap(
        &self,
        camera: CameraId,
        stream: StreamKind,
        start: WallTime,
        cause: GapCause,
    ) -> Result<(), IndexError>;

    /// Closes the open gap and returns it. `None` when none was open, or when it ends at or before its start: such a
    /// gap is removed.
    async fn close_gap(&self, camera: CameraId, stream: StreamKind, end: WallTime) -> Result<Option<Gap>, IndexError>;

    /// Adds a gap that was noticed afterwards. One without an end is opened; one of no length is left out; one that
    /// ends before it starts is `Invalid`. When there is one with the same start and cause, the longer one is kept.
    async fn insert_gap(&self, gap: &Gap) -> Result<(), IndexError>;

    /// The gaps that share an instant with the range, uncut, by start and then by the name of the cause. An open gap
    /// has no end.
    async fn gaps_in(&self, camera: CameraId, stream: StreamKind, range: WallRange) -> Result<Vec<Gap>, IndexError>;

    /// The open gap of a stream.
    async fn open_gap_of(&self, camera: CameraId, stream: StreamKind) -> Result<Option<Gap>, IndexError>;
}

/// The way of closed segments from the spool into the archive, and out of it. Kept durably, as cameras are.
///
/// The order of a deletion: [`mark_for_deletion`](Self::mark_for_deletion), which also writes the journal; then the files
/// go; then [`forget`](Self::forget). A segment marked for deletion is in no other answer of the index: for every other
/// question it is gone. Who deletes after a crash begins with [`marked`](Self::marked).
#[async_trait]
pub trait ArchiveIndex: Send + Sync + 'static {
    /// Segments in the spool that are closed or suspect, by end and then by id: those after `after`, at most `limit` and
    /// at most [`MAX_PAGE`].
    async fn spooled(&self, after: Option<(WallTime, SegmentId)>, limit: u32) -> Result<Vec<Segment>, IndexError>;

    /// Notes that the files with that storage key are in the archive, verified there. No error when it is noted already.
    /// `NotFound` when there is none, or when it is being recorded or deleted.
    async fn set_archived(&self, key: &str) -> Result<(), IndexError>;

    /// Notes that a closed segment is not what was recorded. No error when it is noted already. `NotFound` as above.
    async fn set_suspect(&self, key: &str) -> Result<(), IndexError>;

    /// Takes back that a segment in the spool is suspect: its files are now what its row says, and nothing else about it
    /// changes. No error when it is closed already. `NotFound` as above, and when it is archived or noted as damaged.
    async fn clear_suspect(&self, key: &str) -> Result<(), IndexError>;

    /// The streams of which something is recorded that is not being deleted, by camera and stream. Takes one step a
    /// stream, however much is recorded.
    async fn recorded_since(&self) -> Result<Vec<RecordedSince>, IndexError>;

    /// Segments of a stream that may be deleted: closed or suspect, ending at or before `before`, and under no hold that
    /// stands at `now`; by start and then by id, at most `limit` and at most [`MAX_PAGE`].
    async fn deletable(
        &self,
        camera: CameraId,
        stream: StreamKind,
        before: WallTime,
        now: WallTime,
        limit: u32,
    ) -> Result<Vec<Segment>, IndexError>;

    /// Marks the segments with these storage keys and writes them into the journal, all in one transaction. Those that are
    /// unknown, being recorded, marked already, or under a hold that stands at `at` are left alone: asked again here,
    /// because a hold may have come since. Returns those it marked.
    async fn mark_for_deletion(
        &self,
        keys: &[String],
        reason: DeletionReason,
        at: WallTime,
    ) -> Result<Vec<Segment>, IndexError>;

    /// Segments that are marked and whose rows still stand, at most `limit` and at most [`MAX_PAGE`].
    async fn marked(&self, limit: u32) -> Result<Vec<Segment>, IndexError>;

    /// Takes away the rows of marked segments, once their files are gone; their damages go with them. Keys that are not
    /// marked are passed over. Returns how many went.
    async fn forget(&self, keys: &[String]) -> Result<u64, IndexError>;

    /// The journal, newest first (by time of decision, then by id of the segment): those before `before`, at most `limit`
    /// and at most [`MAX_PAGE`].
    async fn deletions(
        &self,
        filter: &DeletionFilter,
        before: Option<(WallTime, SegmentId)>,
        limit: u32,
    ) -> Result<Vec<Deletion>, IndexError>;

    /// Adds an entry to the journal again, from its copy on a disk. No error when it is there.
    async fn insert_deletion(&self, deletion: &Deletion) -> Result<(), IndexError>;

    /// Every segment in the order of storage keys, of every state, marked ones not: those after `after`, at most `limit`
    /// and at most [`MAX_PAGE`].
    async fn segments_by_key(&self, after: Option<&str>, limit: u32) -> Result<Vec<Segment>, IndexError>;

    /// Notes damage. When the same stretch of the same segment was noted already, the first note stays.
    async fn insert_damage(&self, damage: &Damage) -> Result<(), IndexError>;

    /// Damage that shares an instant with the range, by start.
    async fn damages_in(
        &self,
        camera: CameraId,
        stream: StreamKind,
        range: WallRange,
    ) -> Result<Vec<Damage>, IndexError>;

    /// How many segments are noted as damaged.
    async fn damaged_segments(&self) -> Result<u64, IndexError>;
}

/// The holds. Kept durably, as cameras are. A hold that has ended stays listed.
///
/// A hold without a camera, with one twice, or of an empty or reversed range is `Invalid`. Its cameras need not be known.
#[async_trait]
pub trait HoldIndex: Send + Sync + 'static {
    /// Adds a hold, as given. `Exists` when the id is taken.
    async fn insert_hold(&self, hold: &Hold) -> Result<(), IndexError>;

    /// The hold with that id, else `NotFound`. Its cameras are in the order they were given.
    async fn hold(&self, id: HoldId) -> Result<Hold, IndexError>;

    /// The holds, newest first (by time of creation, then by id); only those that stand at `standing_at` if given, only
    /// those of `camera` if given.
    async fn holds(&self, standing_at: Option<WallTime>, camera: Option<CameraId>) -> Result<Vec<Hold>, IndexError>;

    /// Ends a hold and returns it as it is now. `NotFound` when there is none, `Conflict` when it was released before.
    async fn release_hold(&self, id: HoldId, release: &Release) -> Result<Hold, IndexError>;

    /// Bytes of segments under a hold that stands at `now`, each counted once.
    async fn held_bytes(&self, now: WallTime) -> Result<u64, IndexError>;
}

/// How long footage is kept. Kept durably, as cameras are. Places and cameras need not be known.
#[async_trait]
pub trait RetentionIndex: Send + Sync + 'static {
    /// Says how long footage of a scope is kept; `None` says nothing of it any more. One that is not possible is `Invalid`.
    async fn set_retention(&self, scope: RetentionScope, retention: Option<Retention>) -> Result<(), IndexError>;

    /// What was said, by scope.
    async fn retentions(&self) -> Result<Vec<(RetentionScope, Retention)>, IndexError>;
}

/// The incidents. Kept durably, as cameras are. The cameras of an incident need not be known.
///
/// An incident without a camera, with one twice, or about an empty or reversed range is `Invalid`.
#[async_trait]
pub trait IncidentIndex: Send + Sync + 'static {
    /// Adds an incident, as given. `Exists` when the id is taken.
    async fn insert_incident(&self, incident: &Incident) -> Result<(), IndexError>;

    /// The incident with that id, else `NotFound`. Its cameras are in the order they were given.
    async fn incident(&self, id: IncidentId) -> Result<Incident, IndexError>;

    /// The incidents that pass the filter, newest first (by time of creation, then by id): those before `before`, at
    /// most `limit` and at most [`MAX_PAGE`].
    async fn incidents(
        &self,
        filter: &IncidentFilter,
        before: Option<(WallTime, IncidentId)>,
        limit: u32,
    ) -> Result<Vec<Incident>, IndexError>;

    /// Changes an incident and returns it as it is now, with the next version. `NotFound` when there is none,
    /// `Conflict` when its version is not the expected one.
    async fn update_incident(
        &self,
        id: IncidentId,
        expected_version: u64,
        change: &IncidentChange,
        at: WallTime,
    ) -> Result<Incident, IndexError>;

    /// Takes an incident back, wholly. `NotFound` when there is none. Who may, and how long after, is not decided here.
    async fn remove_incident(&self, id: IncidentId) -> Result<(), IndexError>;
}
