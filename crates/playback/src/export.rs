//! Exports a range as a plain MP4: planned first, so that its size is known, then read piece by piece.
//!
//! Every fragment's hash is checked while planning; what is damaged is left out and told as a gap.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use minhbach_index::{Index, MAX_PAGE};
use minhbach_media::MediaError;
use minhbach_media::export::{Plan, SourceFragment, plan};
use minhbach_model::{CameraId, FormatId, Gap, GapCause, StreamKind, Tier, WallRange, WallTime};
use minhbach_store::Footage;

use crate::PlaybackError;
use crate::open::{OpenSegment, is_damage};

/// Bytes handed over at once.
const CHUNK_BYTES: u64 = 1024 * 1024;
/// How far before the range the key picture that its first picture needs may lie.
const LEAD_NS: i64 = 300 * 1_000_000_000;

/// An export that is planned and can be read.
pub struct ExportJob {
    /// Its header, size and what it shows.
    pub plan: Plan,
    /// What is missing inside it.
    pub gaps: Vec<Gap>,
    footage: Arc<Footage>,
    /// Storage keys and where the files were, by the number the plan uses.
    files: Vec<(String, Tier)>,
    /// The one file that is open: a day has more segments than a process may have open files.
    open: Option<(usize, OpenSegment)>,
    piece: usize,
    within: u64,
    header_sent: bool,
}

/// Plans an export.
///
/// # Errors
/// When nothing is recorded in the range, when it cannot become one file, or when it cannot be read.
pub async fn export(
    index: &Arc<dyn Index>,
    footage: &Arc<Footage>,
    (camera, stream): (CameraId, StreamKind),
    range: WallRange,
    with_audio: bool,
) -> Result<ExportJob, PlaybackError> {
    let lead = WallRange { start: range.start.offset_ns(-LEAD_NS), end: range.end };
    let mut files: Vec<(String, Tier)> = Vec::new();
    let mut fragments = Vec::new();
    let mut gaps = index.gaps_in(camera, stream, range).await?;
    let mut after = None;
    loop {
        let page = index.segments_in(camera, stream, lead, after, MAX_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.range.start, last.id));
        for segment in page.iter().filter(|s| s.range.end > range.start) {
            let id = FormatId(files.len() as u64 + 1);
            match OpenSegment::open(Arc::clone(footage), (segment.key.as_str(), segment.tier), id).await {
                Ok(open) => {
                    let open = open.told_by(segment);
                    let file = files.len();
                    collect(&open, file, range, &mut fragments, &mut gaps, (camera, stream)).await?;
                    files.push((segment.key.clone(), segment.tier));
                }
                Err(error) if is_damage(&error) => {
                    let (start, end) = (segment.range.start, Some(segment.range.end));
                    gaps.push(Gap { camera, stream, start, end, cause: GapCause::DiskError });
                }
                Err(error) => return Err(error),
            }
        }
    }
    if fragments.is_empty() {
        return Err(MediaError::EmptyRange.into());
    }
    gaps.sort_by_key(|gap| gap.start);
    let plan = plan(&fragments, range, with_audio)?;
    let footage = Arc::clone(footage);
    Ok(ExportJob { plan, gaps, footage, files, open: None, piece: 0, within: 0, header_sent: false })
}

async fn collect(
    open: &OpenSegment,
    file: usize,
    range: WallRange,
    fragments: &mut Vec<SourceFragment>,
    gaps: &mut Vec<Gap>,
    (camera, stream): (CameraId, StreamKind),
) -> Result<(), PlaybackError> {
    let first = open.start_for(range.start).await?;
    for index in first..open.records.len() {
        let record = &open.records[index];
        if record.start_wall_ns >= range.end.0 {
            break;
        }
        match open.fragment(index).await {
            Ok((_, samples)) => fragments.push(SourceFragment {
                file,
                offset: record.offset,
                zero: record.media_zero(),
                format: Arc::clone(&open.format),
                samples,
            }),
            Err(error) if is_damage(&error) => {
                let (start, end) = (WallTime(record.start_wall_ns), Some(WallTime(record.end_wall_ns)));
                gaps.push(Gap { camera, stream, start, end, cause: GapCause::DiskError });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl ExportJob {
    /// The next bytes of the file; `None` at its end.
    ///
    /// # Errors
    /// When a recorded file cannot be read any more.
    pub async fn next(&mut self) -> Result<Option<Bytes>, PlaybackError> {
        if !self.header_sent {
            self.header_sent = true;
            return Ok(Some(Bytes::from(std::mem::take(&mut self.plan.header))));
        }
        let Some(piece) = self.plan.pieces.get(self.piece) else { return Ok(None) };
        let Range { start, end } = piece.bytes;
        let from = start + self.within;
        let len = (end - from).min(CHUNK_BYTES);
        let open = match self.open.take() {
            Some((file, open)) if file == piece.file => open,
            _ => {
                let (key, tier) = &self.files[piece.file];
                OpenSegment::open(Arc::clone(&self.footage), (key.as_str(), *tier), FormatId(0)).await?
            }
        };
        let bytes = open.bytes(from, usize::try_from(len).unwrap_or(0)).await?;
        self.open = Some((piece.file, open));
        self.within += len;
        if from + len >= end {
            self.piece += 1;
            self.within = 0;
        }
        Ok(Some(bytes))
    }
}
