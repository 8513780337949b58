//! Whether a stored segment is what was recorded: its sidecar, its length, and the hash of every fragment.
//!
//! Asked by the patrol, slowly, by the archiver where it met something, and by `minhbach-server check`.

use std::ops::Range;

use minhbach_evidence::Sidecar;
use minhbach_index::{Index, IndexErrorKind};
use minhbach_model::{Damage, DamageKind, Segment, SegmentState, Tier, WallRange, WallTime};
use minhbach_store::{SegmentKey, StoreError};
use tokio::time::Instant;

use crate::RecorderError;
use crate::archive::ArchiveContext;
use crate::interlock::chain;
use crate::tiers::Tiers;

/// What does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// A row whose files are not there.
    RowWithoutFile,
    /// Footage without a row.
    FileWithoutRow,
    /// Files of footage whose deletion is in the journal.
    DeletedButThere,
    /// Row, sidecar and media file have different lengths.
    SizeDiffers,
    /// The sidecar is damaged, or belongs to another segment.
    SidecarBroken,
    /// Bytes are not those that were recorded; found with `deep` only.
    HashDiffers,
    /// A segment cannot be read.
    Unreadable,
}

impl FindingKind {
    /// The stable name used on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RowWithoutFile => "row_without_file",
            Self::FileWithoutRow => "file_without_row",
            Self::DeletedButThere => "deleted_but_there",
            Self::SizeDiffers => "size_differs",
            Self::SidecarBroken => "sidecar_broken",
            Self::HashDiffers => "hash_differs",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A stretch of a segment that is not what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub what: FindingKind,
    pub kind: DamageKind,
    /// The footage concerned.
    pub range: WallRange,
    /// The bytes of the media file concerned; empty when that is not known.
    pub bytes: Range<u64>,
    /// For the log and the report.
    pub detail: String,
}

impl Wrong {
    /// The same, as it is noted in the index.
    pub fn damage(&self, segment: &Segment, found: WallTime) -> Damage {
        let Segment { id, camera, stream, .. } = *segment;
        Damage { segment: id, camera, stream, range: self.range, kind: self.kind, found }
    }

    /// A segment that the disk does not give.
    pub fn unreadable(segment: &Segment, error: &StoreError) -> Self {
        Self::whole(segment, FindingKind::Unreadable, chain(error))
    }

    fn whole(segment: &Segment, what: FindingKind, detail: impl Into<String>) -> Self {
        let kind = match what {
            FindingKind::RowWithoutFile | FindingKind::Unreadable => DamageKind::Missing,
            _ => DamageKind::Altered,
        };
        Self { what, kind, range: segment.range, bytes: 0..0, detail: detail.into() }
    }
}

/// Holds reading down to a rate, so that recording has the disk.
#[derive(Debug)]
pub(crate) struct Pace {
    /// `None` reads as fast as it goes.
    bytes_per_second: Option<f64>,
    free_at: Instant,
}

impl Pace {
    /// So many bytes a second; 0 for as fast as it goes.
    pub fn new(bytes_per_second: u64) -> Self {
        let rate = (bytes_per_second > 0).then_some(bytes_per_second as f64);
        Self { bytes_per_second: rate, free_at: Instant::now() }
    }

    /// Waits until so many more bytes may be read.
    pub async fn take(&mut self, bytes: u64) {
        let Some(rate) = self.bytes_per_second else { return };
        let start = self.free_at.max(Instant::now());
        tokio::time::sleep_until(start).await;
        self.free_at = start + std::time::Duration::from_secs_f64(bytes as f64 / rate);
    }
}

/// How much of a segment is looked at.
pub(crate) enum Depth<'a> {
    /// Sidecar and lengths.
    Shallow,
    /// Every byte, at that pace.
    Deep(&'a mut Pace),
}

/// What is wrong with a segment. When its files moved or went while they were read, it is asked again or nothing is wrong.
pub(crate) async fn verify(
    index: &dyn Index,
    tiers: &Tiers,
    segment: &Segment,
    mut depth: Depth<'_>,
) -> Result<Vec<Wrong>, RecorderError> {
    let mut row = segment.clone();
    loop {
        let wrong = look(tiers, &row, &mut depth).await?;
        if wrong.is_empty() {
            return Ok(wrong);
        }
        match index.segment_by_key(&row.key).await? {
            None => return Ok(Vec::new()),
            Some(now) if now.tier == row.tier => return Ok(wrong),
            // It goes one way only, so this ends.
            Some(now) => row = now,
        }
    }
}

/// Notes what is wrong with a segment, so that it is seen on the timeline and never served as good.
pub(crate) async fn note(context: &ArchiveContext, segment: &Segment, wrong: &[Wrong]) -> Result<(), RecorderError> {
    if wrong.is_empty() {
        return Ok(());
    }
    match context.index.set_suspect(&segment.key).await {
        Ok(()) => {}
        // It is being deleted.
        Err(error) if error.kind() == IndexErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let found = context.clock.now();
    for wrong in wrong {
        let (from, to) = (wrong.range.start, wrong.range.end);
        tracing::error!(
            camera = %segment.camera, stream = %segment.stream, key = segment.key, kind = wrong.kind.as_str(), %from, %to,
            detail = wrong.detail, "stored footage is not what was recorded"
        );
        context.index.insert_damage(&wrong.damage(segment, found)).await?;
    }
    let damaged = context.index.damaged_segments().await?;
    context.teller.tell(|status| status.damaged_segments = damaged);
    Ok(())
}

async fn look(tiers: &Tiers, segment: &Segment, depth: &mut Depth<'_>) -> Result<Vec<Wrong>, StoreError> {
    let Ok(key) = SegmentKey::parse(&segment.key) else {
        return Ok(vec![Wrong::whole(segment, FindingKind::RowWithoutFile, "the row has a storage key that is none")]);
    };
    let sidecar = match tiers.sidecar(&key, segment.tier).await {
        Ok(sidecar) => sidecar,
        Err(error) if error.is_missing() => {
            let detail = format!("the sidecar is not there{}", tiers.or_away());
            return Ok(vec![Wrong::whole(segment, FindingKind::RowWithoutFile, detail)]);
        }
        Err(StoreError::Sidecar { source, .. }) => {
            let detail = format!("the sidecar is damaged: {source}");
            return Ok(vec![Wrong::whole(segment, FindingKind::SidecarBroken, detail)]);
        }
        Err(error) => return Err(error),
    };
    if sidecar.header.key != segment.key {
        let detail = format!("the sidecar is that of {}", sidecar.header.key);
        return Ok(vec![Wrong::whole(segment, FindingKind::SidecarBroken, detail)]);
    }
    let Some(len) = media_len(tiers, &key, segment).await? else {
        let detail = format!("the media file is not there{}", tiers.or_away());
        return Ok(vec![Wrong::whole(segment, FindingKind::RowWithoutFile, detail)]);
    };
    let mut wrong = lengths(segment, &sidecar, len);
    if let Depth::Deep(pace) = depth {
        wrong.extend(altered(tiers, &key, segment, &sidecar, len, pace).await?);
    }
    Ok(wrong)
}

/// Length of the media file where the row says it is, else in the other tier: it may have just moved.
async fn media_len(tiers: &Tiers, key: &SegmentKey, segment: &Segment) -> Result<Option<u64>, StoreError> {
    let other = if segment.tier == Tier::Spool { Tier::Archive } else { Tier::Spool };
    match tiers.media_len(key, segment.tier).await? {
        Some(len) => Ok(Some(len)),
        None => tiers.media_len(key, other).await,
    }
}

/// Compares row, sidecar and file without reading the media.
fn lengths(segment: &Segment, sidecar: &Sidecar, len: u64) -> Vec<Wrong> {
    use DamageKind::Truncated;
    let told = sidecar.fragments.last().map_or(sidecar.header.init_len, |record| record.end_offset());
    if segment.bytes > told {
        // Lines were cut off: what they told of is not known to be good.
        let range = WallRange::new(end_of(sidecar), segment.range.end).unwrap_or(segment.range);
        let detail = format!("the row has {} bytes, the sidecar tells of {told}", segment.bytes);
        return vec![Wrong {
            what: FindingKind::SizeDiffers,
            kind: Truncated,
            range,
            bytes: told..segment.bytes,
            detail,
        }];
    }
    if len < told {
        let start = sidecar.fragments.iter().find(|record| record.end_offset() > len);
        let start = start.map_or(segment.range.start, |record| WallTime(record.start_wall_ns));
        let range = WallRange::new(start, end_of(sidecar)).unwrap_or(segment.range);
        let detail = format!("the media file has {len} bytes of {told}");
        return vec![Wrong { what: FindingKind::SizeDiffers, kind: Truncated, range, bytes: len..told, detail }];
    }
    // A file given up after a failed sync can be longer than what was told as durable.
    if segment.state == SegmentState::Closed && (len > told || segment.bytes != told) {
        let range = sidecar
            .fragments
            .last()
            .and_then(|record| WallRange::new(WallTime(record.start_wall_ns), WallTime(record.end_wall_ns)));
        let detail = format!("row, sidecar and media file have {}, {told} and {len} bytes", segment.bytes);
        let range = range.unwrap_or(segment.range);
        let bytes = told.min(len)..told.max(len);
        return vec![Wrong { what: FindingKind::SizeDiffers, kind: DamageKind::Altered, range, bytes, detail }];
    }
    Vec::new()
}

fn end_of(sidecar: &Sidecar) -> WallTime {
    let start = || sidecar.header.start.parse().unwrap_or_default();
    sidecar.fragments.last().map_or_else(start, |record| WallTime(record.end_wall_ns))
}

/// Reads every fragment that is there and compares its hash. Neighbours that differ are one stretch.
async fn altered(
    tiers: &Tiers,
    key: &SegmentKey,
    segment: &Segment,
    sidecar: &Sidecar,
    len: u64,
    pace: &mut Pace,
) -> Result<Vec<Wrong>, StoreError> {
    let reader = match tiers.footage.open(key, segment.tier).await {
        Ok(reader) => reader,
        Err(error) if error.is_missing() => {
            return Ok(vec![Wrong::whole(segment, FindingKind::RowWithoutFile, "the media file is not there")]);
        }
        Err(error) => return Err(error),
    };
    pace.take(sidecar.header.init_len).await;
    match reader.init(sidecar).await {
        Ok(_) => {}
        Err(StoreError::Altered { offset, end, .. }) => {
            // Without its parameters nothing in the file can be shown.
            let detail = "the start of the media file is not what was recorded".to_owned();
            let (what, kind, range) = (FindingKind::HashDiffers, DamageKind::Altered, segment.range);
            return Ok(vec![Wrong { what, kind, range, bytes: offset..end, detail }]);
        }
        Err(error) => return Err(error),
    }
    let mut wrong: Vec<Wrong> = Vec::new();
    for record in sidecar.fragments.iter().take_while(|record| record.end_offset() <= len) {
        pace.take(record.len).await;
        match reader.fragment(record).await {
            Ok(_) => {}
            Err(StoreError::Altered { offset, end, .. }) => {
                let (from, to) = (WallTime(record.start_wall_ns), WallTime(record.end_wall_ns));
                match wrong.last_mut() {
                    Some(last) if last.bytes.end == offset => {
                        last.bytes.end = end;
                        last.range.end = to.max(last.range.end);
                    }
                    _ => wrong.push(Wrong {
                        what: FindingKind::HashDiffers,
                        kind: DamageKind::Altered,
                        range: WallRange::new(from, to).unwrap_or(segment.range),
                        bytes: offset..end,
                        detail: "bytes of the media file are not what was recorded".to_owned(),
                    }),
                }
            }
            Err(error) if error.is_missing() => {
                return Ok(vec![Wrong::whole(segment, FindingKind::RowWithoutFile, "the media file is not there")]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{SECOND, Yard, start};

    async fn found(yard: &Yard, segment: &Segment) -> Vec<(DamageKind, i64, i64)> {
        let mut pace = Pace::new(0);
        let wrong =
            verify(yard.index.as_ref(), &yard.tiers, segment, Depth::Deep(&mut pace)).await.expect("it answers");
        let second = |at: WallTime| at.ns_since(start()) / SECOND;
        wrong.iter().map(|wrong| (wrong.kind, second(wrong.range.start), second(wrong.range.end))).collect()
    }

    fn media(yard: &Yard, segment: &Segment) -> std::path::PathBuf {
        SegmentKey::parse(&segment.key).unwrap().media_path(&yard.tiers.spool)
    }

    fn sidecar(yard: &Yard, segment: &Segment) -> std::path::PathBuf {
        SegmentKey::parse(&segment.key).unwrap().sidecar_path(&yard.tiers.spool)
    }

    #[tokio::test]
    async fn what_is_whole_is_whole_in_both_tiers() {
        let yard = Yard::with_archive().await;
        let mut segment = yard.record(0, 3).await;
        assert_eq!(found(&yard, &segment).await, []);
        yard.archive(&segment).await;
        assert_eq!(found(&yard, &segment).await, [], "it moved since the row was read");
        segment.tier = Tier::Archive;
        assert_eq!(found(&yard, &segment).await, []);
    }

    #[tokio::test]
    async fn a_flipped_bit_is_found_where_it_is_and_neighbours_are_one() {
        let yard = Yard::new().await;
        let segment = yard.record(0, 4).await;
        let path = media(&yard, &segment);
        let whole = std::fs::read(&path).unwrap();
        let fragment = (whole.len() - 4) / 4;
        let flip = |fragments: &[usize]| {
            let mut bytes = whole.clone();
            for number in fragments {
                bytes[4 + number * fragment] ^= 1;
            }
            std::fs::write(&path, bytes).unwrap();
        };
        flip(&[1]);
        assert_eq!(found(&yard, &segment).await, [(DamageKind::Altered, 1, 2)]);
        flip(&[0, 2, 3]);
        assert_eq!(found(&yard, &segment).await, [(DamageKind::Altered, 0, 1), (DamageKind::Altered, 2, 4)]);
        let mut bytes = whole.clone();
        bytes[0] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(found(&yard, &segment).await, [(DamageKind::Altered, 0, 4)], "without its start nothing is shown");
    }

    #[tokio::test]
    async fn a_truncated_file_a_cut_sidecar_and_a_tail_are_found() {
        let yard = Yard::new().await;
        let segment = yard.record(0, 4).await;
        let path = media(&yard, &segment);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(found(&yard, &segment).await, [(DamageKind::Truncated, 3, 4)]);
        std::fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
        assert_eq!(found(&yard, &segment).await, [(DamageKind::Altered, 3, 4)]);
        std::fs::write(&path, &whole).unwrap();
        let lines = std::fs::read(sidecar(&yard, &segment)).unwrap();
        let kept: Vec<u8> = lines.split_inclusive(|&byte| byte == b'\n').take(3).flatten().copied().collect();
        std::fs::write(sidecar(&yard, &segment), kept).unwrap();
        assert_eq!(found(&yard, &segment).await, [(DamageKind::Truncated, 2, 4)]);
    }

    #[tokio::test]
    async fn swapped_and_missing_files_are_found() {
        let yard = Yard::new().await;
        let (a, b) = (yard.record(0, 2).await, yard.record(10, 2).await);
        let swap = |x: std::path::PathBuf, y: std::path::PathBuf| {
            let (first, second) = (std::fs::read(&x).unwrap(), std::fs::read(&y).unwrap());
            std::fs::write(x, second).unwrap();
            std::fs::write(y, first).unwrap();
        };
        swap(media(&yard, &a), media(&yard, &b));
        assert_eq!(found(&yard, &a).await, [(DamageKind::Altered, 0, 2)]);
        swap(sidecar(&yard, &a), sidecar(&yard, &b));
        assert_eq!(found(&yard, &b).await, [(DamageKind::Altered, 10, 12)], "a whole segment in the wrong place");
        std::fs::remove_file(sidecar(&yard, &a)).unwrap();
        assert_eq!(found(&yard, &a).await, [(DamageKind::Missing, 0, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_kept() {
        let begun = Instant::now();
        let mut pace = Pace::new(1000);
        for _ in 0..11 {
            pace.take(500).await;
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    }
}
