//! `check`: rows against files, in one merge by storage key, without changing anything; and giving rows to files without.
//!
//! Rows come by key and files come by key, so a page of each is all that is in memory, however much is stored.

use std::collections::{HashSet, VecDeque};

use minhbach_index::{Index, IndexErrorKind, MAX_PAGE};
use minhbach_model::{Segment, SegmentId, SegmentState, WallTime};
use minhbach_store::JournalFile;
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::rebuild::{Seed, seed};
use crate::tiers::{Stored, Tiers, blocking};
use crate::verify::{Depth, FindingKind, Pace, verify};

/// Findings kept in a report; more are counted only.
const FINDINGS_MAX: usize = 10_000;

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Storage key of the segment.
    pub key: String,
    /// More about it, in English.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Rows looked at.
    pub rows: u64,
    /// Segments of which there are files.
    pub files: u64,
    /// Media of the rows, bytes.
    pub bytes: u64,
    /// What does not agree, the first ten thousand.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub found: u64,
    /// It was stopped before its end.
    pub interrupted: bool,
}

impl Report {
    /// Whether everything was looked at and agrees.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.found == 0 && !self.interrupted
    }

    fn find(&mut self, kind: FindingKind, key: &str, detail: impl Into<String>) {
        self.found += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { kind, key: key.to_owned(), detail: detail.into() });
        }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Segments done.
    pub done: u64,
    /// Segments in the index, if that is known.
    pub total: Option<u64>,
}

/// What is told how far it has come.
pub type OnProgress<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// What a check looks at.
#[derive(Debug, Clone, Copy)]
pub struct CheckOptions {
    /// Every byte is read and its hash compared.
    pub deep: bool,
    /// What starts later is left out: a server that is running is just writing it.
    pub until: Option<WallTime>,
}

/// The rows by key, a page at a time.
struct Rows<'a> {
    index: &'a dyn Index,
    after: Option<String>,
    page: VecDeque<Segment>,
    ended: bool,
}

impl<'a> Rows<'a> {
    fn new(index: &'a dyn Index) -> Self {
        Self { index, after: None, page: VecDeque::new(), ended: false }
    }

    async fn next(&mut self) -> Result<Option<Segment>, RecorderError> {
        if self.page.is_empty() && !self.ended {
            let page = self.index.segments_by_key(self.after.as_deref(), MAX_PAGE).await?;
            self.ended = page.is_empty();
            self.after = page.last().map(|last| last.key.clone());
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }
}

/// Compares rows with files. What changes meanwhile is asked again before it becomes a finding.
///
/// # Errors
/// When the index or what holds the footage does not answer.
pub async fn check(
    index: &dyn Index,
    tiers: &Tiers,
    options: CheckOptions,
    progress: OnProgress<'_>,
    stop: &CancellationToken,
) -> Result<Report, RecorderError> {
    let total = Some(index.totals().await?.segments);
    let deleted = deleted_segments(tiers).await?;
    let (mut rows, mut files) = (Rows::new(index), tiers.keys());
    let (mut row, mut file) = (rows.next().await?, files.next().await?);
    let mut report = Report::default();
    let mut done = 0;
    loop {
        if stop.is_cancelled() {
            report.interrupted = true;
            return Ok(report);
        }
        let order = match (&row, &file) {
            (None, None) => return Ok(report),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(row), Some(file)) => row.key.as_str().cmp(file.key.as_str()),
        };
        if order.is_ge() {
            let stored = file.take();
            file = files.next().await?;
            report.files += 1;
            if let Some(stored) = stored.filter(|_| order.is_gt()) {
                file_alone(index, tiers, &stored, options, &deleted, &mut report).await?;
            }
        }
        if order.is_le() {
            let segment = row.take();
            row = rows.next().await?;
            if let Some(segment) = segment {
                report.rows += 1;
                report.bytes += segment.bytes;
                check_row(index, tiers, &segment, options, &mut report).await?;
            }
        }
        done += 1;
        progress(Progress { done, total });
    }
}

async fn check_row(
    index: &dyn Index,
    tiers: &Tiers,
    segment: &Segment,
    options: CheckOptions,
    report: &mut Report,
) -> Result<(), RecorderError> {
    let young = options.until.is_some_and(|until| segment.range.start > until);
    if young || segment.state == SegmentState::Recording {
        return Ok(());
    }
    let mut pace = Pace::new(0);
    let depth = if options.deep { Depth::Deep(&mut pace) } else { Depth::Shallow };
    match verify(index, tiers, segment, depth).await {
        Ok(wrong) => {
            for wrong in wrong {
                report.find(wrong.what, &segment.key, wrong.detail);
            }
            Ok(())
        }
        Err(RecorderError::Store(error)) if !crate::tiers::is_unavailable(&error) => {
            report.find(FindingKind::Unreadable, &segment.key, crate::interlock::chain(&error));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn file_alone(
    index: &dyn Index,
    tiers: &Tiers,
    stored: &Stored,
    options: CheckOptions,
    deleted: &HashSet<SegmentId>,
    report: &mut Report,
) -> Result<(), RecorderError> {
    let key = stored.key.as_str();
    // It may have got its row since the rows were read, and one that is being deleted has none.
    if index.segment_by_key(key).await?.is_some() || is_marked(index, key).await? {
        return Ok(());
    }
    if is_deleted(stored, deleted) {
        report.find(FindingKind::DeletedButThere, key, "its deletion is in the journal, and its files are there again");
        return Ok(());
    }
    match seed(tiers, stored).await? {
        // A file with nothing but its start holds no footage.
        Seed::Empty => {}
        Seed::Footage(segment) => {
            if options.until.is_none_or(|until| segment.range.start <= until) {
                report.find(FindingKind::FileWithoutRow, key, format!("{} of footage", seconds(&segment)));
            }
        }
        Seed::Unreadable(problem) => report.find(FindingKind::SidecarBroken, key, problem),
    }
    Ok(())
}

fn seconds(segment: &Segment) -> String {
    format!("{:.1} s", segment.range.duration().as_secs_f64())
}

async fn is_marked(index: &dyn Index, key: &str) -> Result<bool, RecorderError> {
    Ok(index.marked(MAX_PAGE).await?.iter().any(|segment| segment.key == key))
}

fn is_deleted(stored: &Stored, deleted: &HashSet<SegmentId>) -> bool {
    stored.key.segment().is_some_and(|id| deleted.contains(&id))
}

/// Segments of which the spool's journal says that they were deleted: some 30 bytes each in memory.
pub(crate) async fn deleted_segments(tiers: &Tiers) -> Result<HashSet<SegmentId>, RecorderError> {
    let mut deleted = HashSet::new();
    for Tiers { spool: root, .. } in tiers.each_disk() {
        // A torn line is what a crash leaves; the database's journal has the entry.
        let read =
            move || Ok(JournalFile::entries(&root)?.filter_map(Result::ok).map(|d| d.segment).collect::<Vec<_>>());
        deleted.extend(blocking(read).await?);
    }
    Ok(deleted)
}

/// Gives rows to all footage that has none, and changes nothing else. Returns how many it gave.
///
/// # Errors
/// When the index or what holds the footage does not answer.
pub async fn adopt_all(
    index: &dyn Index,
    tiers: &Tiers,
    progress: OnProgress<'_>,
    stop: &CancellationToken,
) -> Result<u64, RecorderError> {
    let deleted = deleted_segments(tiers).await?;
    let mut files = tiers.keys();
    let (mut done, mut adopted) = (0, 0);
    while let Some(stored) = files.next().await? {
        if stop.is_cancelled() {
            return Err(RecorderError::Interrupted);
        }
        adopted += u64::from(adopt_one(index, tiers, &stored, &deleted).await?);
        done += 1;
        progress(Progress { done, total: None });
    }
    Ok(adopted)
}

async fn adopt_one(
    index: &dyn Index,
    tiers: &Tiers,
    stored: &Stored,
    deleted: &HashSet<SegmentId>,
) -> Result<bool, RecorderError> {
    let key = stored.key.as_str();
    if is_deleted(stored, deleted) || index.segment_by_key(key).await?.is_some() {
        return Ok(false);
    }
    let Seed::Footage(segment) = seed(tiers, stored).await? else { return Ok(false) };
    match index.insert_adopted(&segment).await {
        Ok(()) => Ok(true),
        // It is being deleted.
        Err(error) if error.kind() == IndexErrorKind::Exists => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use minhbach_store::SegmentKey;

    use super::*;
    use crate::testing::Yard;

    async fn report(yard: &Yard, deep: bool) -> Report {
        let options = CheckOptions { deep, until: None };
        let mut progress = |_: Progress| {};
        let stop = CancellationToken::new();
        check(yard.index.as_ref(), &yard.tiers, options, &mut progress, &stop).await.expect("all answer")
    }

    fn kinds(report: &Report) -> Vec<(FindingKind, &str)> {
        report.findings.iter().map(|finding| (finding.kind, finding.key.as_str())).collect()
    }

    #[tokio::test]
    async fn what_agrees_is_clean_in_both_tiers() {
        let yard = Yard::with_archive().await;
        let (spooled, archived) = (yard.record(0, 2).await, yard.record(10, 3).await);
        yard.archive(&archived).await;
        let (key, at) = yard.key(20);
        yard.write(&key, at, 0);
        let report = report(&yard, true).await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.rows, report.files, report.bytes), (2, 3, spooled.bytes + archived.bytes));
    }

    #[tokio::test]
    async fn each_kind_of_disagreement_is_found() {
        let yard = Yard::new().await;
        let mut segments = Vec::new();
        for number in 0..5 {
            segments.push(yard.record(number * 10, 2).await);
        }
        let path = |number: usize| SegmentKey::parse(&segments[number].key).unwrap().media_path(&yard.tiers.spool);
        let sidecar = |number: usize| SegmentKey::parse(&segments[number].key).unwrap().sidecar_path(&yard.tiers.spool);
        let media = |number: usize| std::fs::read(path(number)).unwrap();
        std::fs::remove_file(path(0)).unwrap();
        std::fs::remove_file(sidecar(0)).unwrap();
        std::fs::write(path(1), &media(1)[..20]).unwrap();
        std::fs::write(sidecar(2), b"{}\n").unwrap();
        let mut flipped = media(3);
        *flipped.last_mut().unwrap() ^= 1;
        std::fs::write(path(3), flipped).unwrap();
        let (alone, at) = yard.key(60);
        yard.write(&alone, at, 2);

        let key = |number: usize| segments[number].key.as_str();
        let shallow = [
            (FindingKind::RowWithoutFile, key(0)),
            (FindingKind::SizeDiffers, key(1)),
            (FindingKind::SidecarBroken, key(2)),
            (FindingKind::FileWithoutRow, alone.as_str()),
        ];
        assert_eq!(kinds(&report(&yard, false).await), shallow);
        let deep = report(&yard, true).await;
        assert!(kinds(&deep).contains(&(FindingKind::HashDiffers, key(3))), "{deep:?}");
        assert!(!kinds(&deep).iter().any(|(_, found)| *found == key(4)));
        assert_eq!(deep.found, 5);
    }

    #[tokio::test]
    async fn what_is_being_deleted_is_no_finding_and_what_came_back_is() {
        let yard = Yard::new().await;
        yard.context.interlock.decide(true);
        let segment = yard.record(0, 2).await;
        let reason = minhbach_model::DeletionReason::Expired;
        yard.index.mark_for_deletion(std::slice::from_ref(&segment.key), reason, yard.clock.now()).await.unwrap();
        assert!(report(&yard, true).await.is_clean());
        yard.deleter().finish().await.unwrap();
        let key = SegmentKey::parse(&segment.key).unwrap();
        yard.write(&key, segment.range.start, 2);
        assert_eq!(kinds(&report(&yard, false).await), [(FindingKind::DeletedButThere, segment.key.as_str())]);
    }

    #[tokio::test]
    async fn footage_without_a_row_gets_one_and_what_was_deleted_does_not() {
        let yard = Yard::with_archive().await;
        yard.context.interlock.decide(true);
        let (known, gone) = (yard.record(0, 2).await, yard.record(10, 2).await);
        yard.deleter().delete(std::slice::from_ref(&gone), minhbach_model::DeletionReason::Expired).await.unwrap();
        yard.write(&SegmentKey::parse(&gone.key).unwrap(), gone.range.start, 2);
        let (key, at) = yard.key(20);
        let bytes = yard.write(&key, at, 3);
        let archive = yard.tiers.archive.clone().expect("it has one");
        archive.put(&yard.tiers.spool, &key).await.unwrap();
        let stop = CancellationToken::new();
        let adopted = adopt_all(yard.index.as_ref(), &yard.tiers, &mut |_| {}, &stop).await.unwrap();
        assert_eq!(adopted, 1);
        let rows = yard.rows().await;
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].id, rows[1].bytes, rows[1].tier), (known.id, bytes, minhbach_model::Tier::Archive));
    }
}
