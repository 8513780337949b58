//! Fragments taken apart again: where each sample lies and when it is shown.
//!
//! Reads what [`crate::fragment`] wrote, and refuses everything that points outside the bytes it was given.

use std::ops::Range;

use minhbach_model::{Ticks, Track};

use crate::boxes::{Boxes, Reader};
use crate::init::{AUDIO_TRACK_ID, VIDEO_TRACK_ID};
use crate::{FourCc, MediaError};

/// One sample of a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleEntry {
    /// Its track.
    pub track: Track,
    /// Decoding time, ticks from the start of the segment.
    pub dts: Ticks,
    /// Presentation time, ticks from the start of the segment.
    pub pts: Ticks,
    /// Ticks until the next sample of the track.
    pub duration: u32,
    /// Decoding can start here.
    pub key: bool,
    /// Where its bytes are, counted from the start of the fragment.
    pub bytes: Range<usize>,
}

/// Most samples accepted in a fragment: a second of pictures and of sound has some hundreds.
const MAX_SAMPLES: usize = 100_000;

/// The samples of one fragment (`prft? moof mdat`), video first, each track in the order of decoding.
///
/// # Errors
/// What is missing or wrong, or points outside `bytes`.
pub fn samples(bytes: &[u8]) -> Result<Vec<SampleEntry>, MediaError> {
    let moof = Boxes::new(bytes).find(b"moof")?;
    let mdat = Boxes::new(bytes).find(b"mdat")?;
    let data = mdat.offset + (mdat.size - mdat.content.len())..mdat.offset + mdat.size;
    let mut entries = Vec::new();
    for found in Boxes::new(moof.content) {
        let found = found?;
        if found.kind.0 == *b"traf" {
            read_traf(found.content, moof.offset, &data, &mut entries)?;
        }
    }
    Ok(entries)
}

fn read_traf(
    traf: &[u8],
    moof_offset: usize,
    data: &Range<usize>,
    entries: &mut Vec<SampleEntry>,
) -> Result<(), MediaError> {
    let tfhd = Boxes::new(traf).find(b"tfhd")?;
    let mut r = Reader::new(tfhd.content, "tfhd");
    r.version_flags()?;
    let track = match r.u32()? {
        VIDEO_TRACK_ID => Track::Video,
        AUDIO_TRACK_ID => Track::Audio,
        other => return Err(MediaError::Unsupported { what: "track number", value: other.into() }),
    };
    let tfdt = Boxes::new(traf).find(b"tfdt")?;
    let mut r = Reader::new(tfdt.content, "tfdt");
    let (version, _) = r.version_flags()?;
    let base = if version == 1 { r.u64()? } else { r.u32()?.into() };
    let mut dts = i64::try_from(base).map_err(|_| MediaError::Unsupported { what: "decode time", value: base })?;

    let trun = Boxes::new(traf).find(b"trun")?;
    let mut r = Reader::new(trun.content, "trun");
    let (_, flags) = r.version_flags()?;
    if flags & 0x301 != 0x301 || flags & 0x004 != 0 {
        return Err(MediaError::Unsupported { what: "trun flags", value: flags.into() });
    }
    let count = r.u32()?;
    let offset = r.u32()? as usize;
    if entries.len().saturating_add(count as usize) > MAX_SAMPLES {
        return Err(MediaError::Unsupported { what: "number of samples in a fragment", value: count.into() });
    }
    let mut at = moof_offset.saturating_add(offset);
    for _ in 0..count {
        let duration = r.u32()?;
        let size = r.u32()? as usize;
        let key = flags & 0x400 == 0 || r.u32()? & 0x0001_0000 == 0;
        let composition_offset = if flags & 0x800 == 0 { 0 } else { r.i32()? };
        let end = at.saturating_add(size);
        if at < data.start || end > data.end {
            return Err(MediaError::BadSize { kind: FourCc(*b"trun"), offset: at, size: size as u64 });
        }
        entries.push(SampleEntry {
            track,
            dts: Ticks(dts),
            pts: Ticks(dts.saturating_add(i64::from(composition_offset))),
            duration,
            key,
            bytes: at..end,
        });
        at = end;
        dts = dts.saturating_add(i64::from(duration));
    }
    Ok(())
}

/// How many of the given bytes are whole fragments: what may be kept of a file whose end was torn off.
///
/// Counts from a place where a fragment starts. A `moof` without its whole `mdat` does not count.
#[must_use]
pub fn whole_fragments_len(bytes: &[u8]) -> usize {
    let mut whole = 0;
    for found in Boxes::new(bytes) {
        match found {
            Ok(found) if found.kind.0 == *b"mdat" => whole = found.offset + found.size,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    whole
}
