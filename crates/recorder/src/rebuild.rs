//! `rebuild-index`: makes an index again from the sidecars alone, in the spool and in the archive.
//!
//! What only a database knows is taken from the old one where that can still be read ([`carry_over`]): cameras, also those
//! that were removed, places, incidents, holds, retention, causes of gaps. Without it a camera is known by its footage alone,
//! as one that was removed, and a stretch without footage is a gap `rebuilt`, as its cause is not known. Footage is never
//! changed but for the torn end a crash left, and never deleted.

use std::collections::{HashSet, VecDeque};

use minhbach_index::{Index, IndexError, IndexErrorKind, MAX_PAGE};
use minhbach_model::{
    Agency, CameraId, Gap, GapCause, IncidentId, Segment, SegmentId, SegmentState, StreamKind, Tier, WallRange,
    WallTime,
};
use minhbach_store::{SegmentKey, StoreError};
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::audit::{OnProgress, Progress, deleted_segments};
use crate::interlock::{chain, import_journal, is_the_one, sign_for};
use crate::repair::{Told, UNFINISHED, examine};
use crate::stream::GAP_MIN_NS;
use crate::tiers::{Stored, Tiers, blocking, is_unavailable};

/// Everything that can have been recorded.
const ALL: WallRange = WallRange { start: WallTime(0), end: WallTime(i64::MAX) };
/// Problems named in a report; more are counted only.
const PROBLEMS_MAX: usize = 1000;

/// What the files of a segment say of it.
pub(crate) enum Seed {
    /// It holds no fragment.
    Empty,
    /// Its row.
    Footage(Segment),
    /// Why it says nothing.
    Unreadable(String),
}

/// Makes a row from a sidecar, changing nothing.
pub(crate) async fn seed(tiers: &Tiers, stored: &Stored) -> Result<Seed, RecorderError> {
    Ok(read_seed(tiers, stored).await?.0)
}

/// As [`seed`], and the stretches inside in which nothing was recorded.
async fn read_seed(tiers: &Tiers, stored: &Stored) -> Result<(Seed, Vec<WallRange>), StoreError> {
    let unreadable = |problem: String| Ok((Seed::Unreadable(problem), Vec::new()));
    let sidecar = match tiers.sidecar(&stored.key, stored.tier()).await {
        Ok(sidecar) => sidecar,
        Err(error) if is_unavailable(&error) => return Err(error),
        Err(error) => return unreadable(chain(&error)),
    };
    let header = &sidecar.header;
    let parsed = (header.camera.parse::<CameraId>(), header.stream.parse::<StreamKind>(), stored.key.segment());
    let (Ok(camera), Ok(stream), Some(id)) = parsed else {
        return unreadable("the sidecar does not name camera and stream".to_owned());
    };
    if header.key != stored.key.as_str() {
        return unreadable(format!("the sidecar is that of {}", header.key));
    }
    let (Some(first), Some(last)) = (sidecar.fragments.first(), sidecar.fragments.last()) else {
        return Ok((Seed::Empty, Vec::new()));
    };
    let Some(range) = WallRange::new(WallTime(first.start_wall_ns), WallTime(last.end_wall_ns)) else {
        return Ok((Seed::Empty, Vec::new()));
    };
    let spooled = tiers.media_len(&stored.key, Tier::Spool).await?;
    let len = match spooled {
        Some(len) => Some(len),
        None => tiers.media_len(&stored.key, Tier::Archive).await?,
    };
    let Some(len) = len else { return unreadable("the media file is not there".to_owned()) };
    let whole = len == last.end_offset();
    let segment = Segment {
        id,
        camera,
        stream,
        range,
        key: stored.key.to_string(),
        bytes: last.end_offset(),
        video_samples: sidecar.fragments.iter().map(|record| u64::from(record.video)).sum(),
        audio_samples: sidecar.fragments.iter().map(|record| u64::from(record.audio)).sum(),
        state: if whole { SegmentState::Closed } else { SegmentState::Suspect },
        tier: stored.tier(),
    };
    let pairs = sidecar.fragments.iter().zip(sidecar.fragments.iter().skip(1));
    let holes = pairs.filter_map(|(a, b)| missing(WallTime(a.end_wall_ns), WallTime(b.start_wall_ns)));
    Ok((Seed::Footage(segment), holes.collect()))
}

/// The stretch between two that are recorded, if it is one.
fn missing(end: WallTime, next: WallTime) -> Option<WallRange> {
    WallRange::new(end, next).filter(|range| range.end.ns_since(range.start) > GAP_MIN_NS)
}

/// As [`read_seed`]; in the spool the torn end a crash left is cut off first, where a crash can have left one.
async fn cut_seed(tiers: &Tiers, stored: &Stored, told: Told) -> Result<(Seed, Vec<WallRange>), StoreError> {
    let spooled = tiers.media_len(&stored.key, Tier::Spool).await?;
    let mut state = None;
    if let (true, Some(_), Some(id)) = (stored.spooled, spooled, stored.key.segment()) {
        let (root, key) = (tiers.spool_of(&stored.key).await?, stored.key.clone());
        match blocking(move || examine(&root, &key, id, told)).await {
            Ok(found) => state = Some(found.state),
            // What a damaged sidecar still says is asked below.
            Err(StoreError::Sidecar { .. }) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
    }
    let (mut seed, holes) = read_seed(tiers, stored).await?;
    if let (Seed::Footage(segment), Some(SegmentState::Suspect)) = (&mut seed, state) {
        segment.state = SegmentState::Suspect;
    }
    Ok((seed, holes))
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RebuildReport {
    /// Segments that got a row.
    pub segments: u64,
    /// Gaps whose cause is not known.
    pub gaps: u64,
    /// Entries of the journal of deletions, as read from the spool.
    pub journal: u64,
    /// Files of footage whose deletion is in the journal; they got no row.
    pub deleted: u64,
    /// Cameras taken from the old database.
    pub cameras: u64,
    /// Cameras that were removed, taken from the old database.
    pub removed_cameras: u64,
    /// Holds taken from the old database.
    pub holds: u64,
    /// Incidents taken from the old database.
    pub incidents: u64,
    /// The new index may not delete until a person says so: not all holds are known for certain.
    pub locked: bool,
    /// What could not be used, as `<key or thing>: <why>`; the first thousand.
    pub problems: Vec<String>,
}

impl RebuildReport {
    fn problem(&mut self, what: &str, why: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(format!("{what}: {why}"));
        }
    }
}

/// Fills an empty index from the files; from `old` comes what only a database knows. At the end spool and archive are noted
/// as belonging to it, so a rebuild that was interrupted deletes nothing and is simply begun again. They are not when the holds
/// are not known for certain: without the old database, or with one that is not the one they belong to.
///
/// # Errors
/// When an index or what holds the footage does not answer, or when it is stopped.
pub async fn rebuild(
    index: &dyn Index,
    tiers: &Tiers,
    old: Option<&dyn Index>,
    progress: OnProgress<'_>,
    stop: &CancellationToken,
) -> Result<RebuildReport, RecorderError> {
    let mut report = RebuildReport::default();
    let mut all_taken = false;
    if let Some(old) = old {
        carry_over(old, index, &mut report).await?;
        // What could not be read is a problem by now.
        all_taken = report.problems.is_empty() && is_the_one(old, tiers).await?;
    }
    report.journal = import_journal(index, tiers).await?;
    let deleted = deleted_segments(tiers).await?;
    let mut streams = Streams { index, old, known: HashSet::new(), current: None, gaps: Vec::new() };
    if let Some(old) = old {
        let cameras = read(old.cameras().await, "cameras", &mut report).into_iter().map(|camera| camera.id);
        let removed = read(old.removed_cameras().await, "removed cameras", &mut report);
        for camera in cameras.chain(removed.into_iter().map(|camera| camera.id)) {
            for stream in StreamKind::ALL {
                streams.begin(camera, stream, &mut report).await?;
            }
        }
    }
    let mut files = tiers.keys();
    let mut done = 0;
    // Those behind one tell whether it can have been unfinished when a crash came.
    let mut ahead: VecDeque<Stored> = VecDeque::new();
    loop {
        if stop.is_cancelled() {
            return Err(RecorderError::Interrupted);
        }
        while ahead.len() <= UNFINISHED
            && let Some(next) = files.next().await?
        {
            ahead.push_back(next);
        }
        let Some(stored) = ahead.pop_front() else { break };
        let others = ahead.iter().filter(|next| is_one_stream(&next.key, &stored.key)).count();
        let told = if others >= UNFINISHED { Told::All } else { Told::Bytes(0) };
        if stored.key.segment().is_some_and(|id| deleted.contains(&id)) {
            report.deleted += 1;
        } else {
            row(&mut streams, tiers, (&stored, told), &mut report).await?;
        }
        done += 1;
        progress(Progress { done, total: None });
    }
    if all_taken {
        sign_for(index, tiers).await?;
    }
    report.locked = !all_taken;
    Ok(report)
}

fn is_one_stream(a: &SegmentKey, b: &SegmentKey) -> bool {
    // v1/<camera>/<stream>/…
    a.as_str().splitn(4, '/').take(3).eq(b.as_str().splitn(4, '/').take(3))
}

async fn row(
    streams: &mut Streams<'_>,
    tiers: &Tiers,
    (stored, told): (&Stored, Told),
    report: &mut RebuildReport,
) -> Result<(), RecorderError> {
    let (mut segment, holes) = match cut_seed(tiers, stored, told).await? {
        (Seed::Empty, _) => return Ok(()),
        (Seed::Footage(segment), holes) => (segment, holes),
        (Seed::Unreadable(problem), _) => {
            report.problem(stored.key.as_str(), &problem);
            return Ok(());
        }
    };
    if let Some(old) = streams.old
        && let Ok(Some(known)) = old.segment_by_key(&segment.key).await
        && known.state == SegmentState::Suspect
    {
        segment.state = SegmentState::Suspect;
    }
    match streams.index.insert_adopted(&segment).await {
        Ok(()) => report.segments += 1,
        Err(error) if error.kind() == IndexErrorKind::Exists => {}
        Err(error) => return Err(error.into()),
    }
    streams.add(&segment, holes, report).await
}

/// Follows the streams, whose segments come in order, and notes what is missing in between.
struct Streams<'a> {
    index: &'a dyn Index,
    old: Option<&'a dyn Index>,
    /// Those whose gaps were taken from the old database.
    known: HashSet<(CameraId, StreamKind)>,
    /// The stream of the last segment, and where it ends.
    current: Option<(CameraId, StreamKind, WallTime)>,
    /// Its gaps with known causes.
    gaps: Vec<Gap>,
}

impl Streams<'_> {
    /// Takes gaps and damages of a stream from the old database, once.
    async fn begin(
        &mut self,
        camera: CameraId,
        stream: StreamKind,
        report: &mut RebuildReport,
    ) -> Result<(), RecorderError> {
        let Some(old) = self.old else { return Ok(()) };
        self.gaps = read(old.gaps_in(camera, stream, ALL).await, "gaps", report);
        if !self.known.insert((camera, stream)) {
            return Ok(());
        }
        for gap in &self.gaps {
            self.index.insert_gap(gap).await?;
        }
        for damage in read(old.damages_in(camera, stream, ALL).await, "damages", report) {
            self.index.insert_damage(&damage).await?;
        }
        Ok(())
    }

    async fn add(
        &mut self,
        segment: &Segment,
        holes: Vec<WallRange>,
        report: &mut RebuildReport,
    ) -> Result<(), RecorderError> {
        let (camera, stream) = (segment.camera, segment.stream);
        let before = match self.current {
            Some((c, s, end)) if (c, s) == (camera, stream) => Some(end),
            _ => {
                self.begin(camera, stream, report).await?;
                None
            }
        };
        let between = before.and_then(|end| missing(end, segment.range.start));
        for range in between.into_iter().chain(holes) {
            for unknown in without(range, &self.gaps) {
                let (start, end) = (unknown.start, Some(unknown.end));
                self.index.insert_gap(&Gap { camera, stream, start, end, cause: GapCause::Rebuilt }).await?;
                report.gaps += 1;
            }
        }
        let end = before.map_or(segment.range.end, |end| end.max(segment.range.end));
        self.current = Some((camera, stream, end));
        Ok(())
    }
}

/// What of a range is in none of the gaps.
fn without(range: WallRange, gaps: &[Gap]) -> Vec<WallRange> {
    let mut sorted: Vec<&Gap> = gaps.iter().collect();
    sorted.sort_unstable_by_key(|gap| gap.start);
    let mut left = Vec::new();
    let mut from = range.start;
    for gap in sorted {
        let (start, end) = (gap.start.min(range.end), gap.end.unwrap_or(range.end));
        left.extend(missing(from, start));
        from = from.max(end);
    }
    left.extend(missing(from, range.end));
    left
}

/// What the old database still gives; what it does not is a problem in the report.
fn read<T: Default>(answer: Result<T, IndexError>, what: &str, report: &mut RebuildReport) -> T {
    answer.unwrap_or_else(|error| {
        report.problem(what, &format!("the old database does not give them: {}", chain(&error)));
        T::default()
    })
}

/// Takes from the old database what footage does not tell. Things that are there already, from an attempt that was
/// interrupted, are left.
async fn carry_over(old: &dyn Index, new: &dyn Index, report: &mut RebuildReport) -> Result<(), RecorderError> {
    let places = read(old.places().await, "places", report);
    for agency in parents_first(places.agencies) {
        unless_there(new.insert_agency(&agency).await)?;
    }
    for site in &places.sites {
        unless_there(new.insert_site(site).await)?;
    }
    for point in &places.contact_points {
        unless_there(new.insert_contact_point(point).await)?;
    }
    for camera in read(old.cameras().await, "cameras", report) {
        unless_there(new.insert_camera(&camera).await)?;
        report.cameras += 1;
    }
    // Their footage keeps its name, and is kept as long as the place where they stood says.
    for camera in read(old.removed_cameras().await, "removed cameras", report) {
        unless_there(new.insert_removed_camera(&camera).await)?;
        report.removed_cameras += 1;
    }
    for (scope, retention) in read(old.retentions().await, "retention", report) {
        new.set_retention(scope, Some(retention)).await?;
    }
    for hold in read(old.holds(None, None).await, "holds", report) {
        unless_there(new.insert_hold(&hold).await)?;
        report.holds += 1;
    }
    incidents(old, new, report).await?;
    let mut before: Option<(WallTime, SegmentId)> = None;
    loop {
        let page = read(old.deletions(&Default::default(), before, MAX_PAGE).await, "deletions", report);
        let Some(last) = page.last() else { return Ok(()) };
        before = Some((last.at, last.segment));
        for deletion in &page {
            new.insert_deletion(deletion).await?;
        }
    }
}

async fn incidents(old: &dyn Index, new: &dyn Index, report: &mut RebuildReport) -> Result<(), RecorderError> {
    let mut before: Option<(WallTime, IncidentId)> = None;
    loop {
        let page = read(old.incidents(&Default::default(), before, MAX_PAGE).await, "incidents", report);
        let Some(last) = page.last() else { return Ok(()) };
        before = Some((last.created, last.id));
        for incident in &page {
            unless_there(new.insert_incident(incident).await)?;
            report.incidents += 1;
        }
    }
}

fn unless_there(result: Result<(), IndexError>) -> Result<(), IndexError> {
    match result {
        Err(error) if error.kind() == IndexErrorKind::Exists => Ok(()),
        other => other,
    }
}

/// Agencies so that each comes after the one it belongs to. One whose parent is not there, in damaged data, comes last.
fn parents_first(mut left: Vec<Agency>) -> Vec<Agency> {
    let mut ordered: Vec<Agency> = Vec::with_capacity(left.len());
    loop {
        let is_ready =
            |agency: &mut Agency| agency.parent.is_none_or(|parent| ordered.iter().any(|placed| placed.id == parent));
        let ready: Vec<Agency> = left.extract_if(.., is_ready).collect();
        if ready.is_empty() {
            ordered.extend(left);
            return ordered;
        }
        ordered.extend(ready);
    }
}

#[cfg(test)]
mod tests {
    use minhbach_index::Index;
    use minhbach_model::{
        AgencyId, ContactPoint, ContactPointId, DeletionReason, RemovedCamera, Retention, RetentionScope, Site, SiteId,
    };

    use super::*;
    use crate::testing::{SECOND, Yard, start};

    async fn rebuilt(yard: &Yard, new: &dyn Index, old: Option<&dyn Index>) -> RebuildReport {
        let stop = CancellationToken::new();
        rebuild(new, &yard.tiers, old, &mut |_| {}, &stop).await.expect("all answer")
    }

    async fn gaps(yard: &Yard, index: &dyn Index) -> Vec<(i64, i64, GapCause)> {
        let gaps = index.gaps_in(yard.camera, StreamKind::Main, ALL).await.unwrap();
        let second = |at: WallTime| at.ns_since(start()) / SECOND;
        gaps.iter().map(|gap| (second(gap.start), gap.end.map_or(-1, second), gap.cause)).collect()
    }

    #[tokio::test]
    async fn the_rows_are_what_they_were_in_both_tiers() {
        let yard = Yard::with_archive().await;
        for number in 0..4 {
            let segment = yard.record(number * 10, 2 + u32::try_from(number).unwrap()).await;
            if number < 2 {
                yard.archive(&segment).await;
            }
        }
        let gone = yard.record(50, 2).await;
        yard.context.interlock.decide(true);
        yard.deleter().delete(std::slice::from_ref(&gone), DeletionReason::Expired).await.unwrap();
        // A backup put the file back: what was deleted stays deleted.
        let key = minhbach_store::SegmentKey::parse(&gone.key).unwrap();
        yard.write(&key, gone.range.start, 2);

        let new = yard.another_index().await;
        let report = rebuilt(&yard, new.as_ref(), None).await;
        assert_eq!((report.segments, report.journal, report.deleted, report.gaps), (4, 1, 1, 3));
        assert_eq!(new.segments_by_key(None, 100).await.unwrap(), yard.rows().await);
        let unknown = GapCause::Rebuilt;
        assert_eq!(gaps(&yard, new.as_ref()).await, [(2, 10, unknown), (13, 20, unknown), (24, 30, unknown)]);
        let filter = Default::default();
        let old_journal = yard.index.deletions(&filter, None, 10).await.unwrap();
        assert_eq!(new.deletions(&filter, None, 10).await.unwrap(), old_journal);
        assert!(report.locked, "holds may be lost: a person decides");
        let known = new.recorded_since().await.unwrap();
        assert_eq!(known.iter().map(|stream| stream.camera).collect::<Vec<_>>(), [yard.camera], "by its footage alone");
        assert_eq!(minhbach_store::read_identity(&yard.tiers.spool).unwrap(), None, "so it is not signed");
        // Again, over what is there: nothing changes.
        assert_eq!(rebuilt(&yard, new.as_ref(), None).await.segments, 0);
        assert_eq!(new.segments_by_key(None, 100).await.unwrap(), yard.rows().await);
    }

    #[tokio::test]
    async fn what_only_the_old_database_knows_is_taken_from_it() {
        let yard = Yard::new().await;
        yard.record(0, 2).await;
        let damaged = yard.record(10, 2).await;
        yard.record(20, 2).await;
        let (start, end) = (start().offset_ns(2 * SECOND), Some(start().offset_ns(8 * SECOND)));
        let (camera, stream) = (yard.camera, StreamKind::Main);
        let gap = Gap { camera, stream, start, end, cause: GapCause::AuthRefused };
        yard.index.insert_gap(&gap).await.unwrap();
        yard.index.set_suspect(&damaged.key).await.unwrap();
        let hold = yard.hold(0, 5).await;
        let (parent, child) = (AgencyId::generate(), AgencyId::generate());
        let agency = |id, parent, name: &str| Agency { id, parent, name: name.to_owned() };
        yard.index.insert_agency(&agency(parent, None, "Sở")).await.unwrap();
        yard.index.insert_agency(&agency(child, Some(parent), "Chi cục")).await.unwrap();
        let said = (RetentionScope::Camera(camera), Retention { min_days: 3, max_days: Some(4) });
        yard.index.set_retention(said.0, Some(said.1)).await.unwrap();
        // One that was removed, whose footage is kept as long as its place says.
        let site = Site { id: SiteId::generate(), agency: child, name: "Một cửa".to_owned() };
        let point = ContactPoint { id: ContactPointId::generate(), site: site.id, name: "Quầy 1".to_owned() };
        yard.index.insert_site(&site).await.unwrap();
        yard.index.insert_contact_point(&point).await.unwrap();
        let (at, contact_point) = (Some(crate::testing::start()), Some(point.id));
        let removed = RemovedCamera { id: camera, name: "Camera 1".to_owned(), contact_point, removed: at };
        yard.index.insert_removed_camera(&removed).await.unwrap();
        let (database_id, generation) = (yard.index.database_id(), yard.index.generation() - 1);
        let noted = minhbach_store::Identity { database_id, generation, archive: false };
        minhbach_store::write_identity(&yard.tiers.spool, &noted).unwrap();

        let new = yard.another_index().await;
        let report = rebuilt(&yard, new.as_ref(), Some(yard.index.as_ref())).await;
        assert_eq!((report.segments, report.holds, report.gaps, report.problems.len()), (3, 1, 2, 0));
        assert_eq!((report.cameras, report.removed_cameras), (0, 1));
        assert_eq!(new.removed_cameras().await.unwrap(), [removed]);
        let signed = minhbach_store::read_identity(&yard.tiers.spool).unwrap().map(|identity| identity.database_id);
        assert_eq!((report.locked, signed), (false, Some(new.database_id())));
        assert_eq!(new.segments_by_key(None, 100).await.unwrap(), yard.rows().await);
        let causes = [(2, 8, GapCause::AuthRefused), (8, 10, GapCause::Rebuilt), (12, 20, GapCause::Rebuilt)];
        assert_eq!(gaps(&yard, new.as_ref()).await, causes);
        assert_eq!(new.holds(None, None).await.unwrap(), [hold]);
        assert_eq!(new.places().await.unwrap(), yard.index.places().await.unwrap());
        assert_eq!(new.retentions().await.unwrap(), [said]);
    }

    #[tokio::test]
    async fn a_torn_end_is_cut_and_a_damaged_sidecar_is_told() {
        let yard = Yard::new().await;
        let (torn, broken) = (yard.record(0, 3).await, yard.record(10, 2).await);
        let key = |segment: &Segment| minhbach_store::SegmentKey::parse(&segment.key).unwrap();
        let path = key(&torn).media_path(&yard.tiers.spool);
        let media = std::fs::read(&path).unwrap();
        std::fs::write(&path, &media[..media.len() - 3]).unwrap();
        std::fs::write(key(&broken).sidecar_path(&yard.tiers.spool), b"x\n").unwrap();
        let new = yard.another_index().await;
        let report = rebuilt(&yard, new.as_ref(), None).await;
        assert_eq!((report.segments, report.problems.len()), (1, 1));
        assert!(report.problems[0].starts_with(&broken.key), "{report:?}");
        let row = new.segment_by_key(&torn.key).await.unwrap().expect("adopted");
        assert_eq!((row.state, row.video_samples), (SegmentState::Closed, 50));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), row.bytes);
        assert!(key(&broken).media_path(&yard.tiers.spool).exists());
    }

    #[test]
    fn what_is_in_no_gap_is_left() {
        let at = |second: i64| start().offset_ns(second * SECOND);
        let gap = |from: i64, to: Option<i64>| Gap {
            camera: CameraId::from_bytes([0; 16]),
            stream: StreamKind::Main,
            start: at(from),
            end: to.map(at),
            cause: GapCause::Stalled,
        };
        let left = |gaps: &[Gap]| -> Vec<(i64, i64)> {
            let range = WallRange { start: at(10), end: at(20) };
            let second = |at: WallTime| at.ns_since(start()) / SECOND;
            without(range, gaps).iter().map(|range| (second(range.start), second(range.end))).collect()
        };
        assert_eq!(left(&[]), [(10, 20)]);
        assert_eq!(left(&[gap(15, Some(16)), gap(0, Some(12))]), [(12, 15), (16, 20)]);
        assert_eq!(left(&[gap(18, None)]), [(10, 18)]);
        assert_eq!(left(&[gap(30, Some(40))]), [(10, 20)]);
        assert_eq!(left(&[gap(0, Some(99))]), []);
    }
}
