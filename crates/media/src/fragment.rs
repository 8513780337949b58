//! One fragment of a segment: `prft moof mdat` (ISO/IEC 14496-12 §8.8, §8.16.5), laid out for a vectored write.
//!
//! Sample bytes are never copied: a [`Fragment`] is its header and the samples' own buffers, in the order of the file.
//! Which samples make a fragment is decided in [`crate::cut`].

use bytes::Bytes;
use minhbach_model::{Ticks, Track, WallRange, WallTime};

use crate::boxes::BoxWriter;
use crate::init::track_id;

/// NTP counts from 1900 (RFC 5905 §6), Unix from 1970.
const NTP_UNIX_SECS: u64 = 2_208_988_800;

/// A sample as it stands in a file.
#[derive(Debug, Clone)]
pub struct FileSample {
    /// Its bytes.
    pub data: Bytes,
    /// Ticks until the next sample of the track.
    pub duration: u32,
    /// Presentation time minus decoding time, ticks.
    pub composition_offset: i32,
    /// Decoding can start here.
    pub key: bool,
}

/// Samples of one track that follow each other.
#[derive(Debug, Clone)]
pub struct TrackFragment {
    /// The track.
    pub track: Track,
    /// Decoding time of the first sample, in ticks from the start of the segment; never negative.
    pub base_decode_time: Ticks,
    /// At least one sample.
    pub samples: Vec<FileSample>,
}

/// A fragment, ready to be appended.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// `prft`, `moof` and the header of `mdat`.
    pub header: Bytes,
    /// The content of `mdat`.
    pub payload: Vec<Bytes>,
    /// Wall time of the pictures.
    pub range: WallRange,
    /// Presentation time of the first picture, ticks of 90 kHz from the start of the segment.
    pub media_start: Ticks,
    /// Pictures.
    pub video_samples: u32,
    /// Frames or packets of sound.
    pub audio_samples: u32,
    /// RTP packets lost before or within it.
    pub lost_packets: u32,
    /// Its first picture can be decoded alone.
    pub starts_with_key: bool,
    /// Stretches inside it for which the camera sent nothing.
    pub holes: Vec<WallRange>,
}

impl Fragment {
    /// Its size in the file.
    #[must_use]
    pub fn len(&self) -> u64 {
        let payload: usize = self.payload.iter().map(Bytes::len).sum();
        (self.header.len() + payload) as u64
    }

    /// Always false: a fragment has at least one sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Sample flags (§8.8.3.1): a sample that depends on no other, and one that is not a sync sample.
const FLAGS_KEY: u32 = 0x0200_0000;
const FLAGS_DELTA: u32 = 0x0101_0000;

/// Lays out the header; `wall` is the wall time of the video's `media_start`.
#[must_use]
pub fn header(sequence: u32, wall: WallTime, media_start: Ticks, tracks: &[TrackFragment]) -> Vec<u8> {
    let mut w = BoxWriter::new();
    w.full(b"prft", 1, 24, |w| {
        // Flags 24: the time the picture was taken, as exactly as it is known.
        w.u32(track_id(Track::Video));
        w.u64(ntp(wall));
        w.u64(u64::try_from(media_start.0).unwrap_or(0));
    });
    let moof_start = w.len();
    // Where each `trun` keeps its data offset, to be filled in when the size of `moof` is known.
    let mut offset_fields = Vec::with_capacity(tracks.len());
    w.boxed(b"moof", |w| {
        w.full(b"mfhd", 0, 0, |w| w.u32(sequence));
        for run in tracks {
            w.boxed(b"traf", |w| {
                // Flags: data offsets count from the start of `moof`.
                w.full(b"tfhd", 0, 0x02_0000, |w| w.u32(track_id(run.track)));
                w.full(b"tfdt", 1, 0, |w| w.u64(u64::try_from(run.base_decode_time.0).unwrap_or(0)));
                trun(w, run, &mut offset_fields);
            });
        }
    });
    let mut offset = w.len() - moof_start + 8;
    for (at, run) in offset_fields.into_iter().zip(tracks) {
        w.patch_u32(at, u32::try_from(offset).unwrap_or(u32::MAX));
        offset += run.samples.iter().map(|s| s.data.len()).sum::<usize>();
    }
    let payload = offset - (w.len() - moof_start + 8);
    // A fragment is one second of pictures of at most 16 MiB; the cutter bounds their sum far below 4 GiB.
    w.u32(u32::try_from(payload + 8).unwrap_or(u32::MAX));
    w.bytes(b"mdat");
    w.into_bytes()
}

fn trun(w: &mut BoxWriter, run: &TrackFragment, offset_fields: &mut Vec<usize>) {
    let reordered = run.samples.iter().any(|s| s.composition_offset != 0);
    let video = run.track == Track::Video;
    let mut flags = 0x001 | 0x100 | 0x200; // data offset, duration, size
    if video {
        flags |= 0x400; // sample flags
    }
    if reordered {
        flags |= 0x800; // composition offsets, signed in version 1
    }
    w.full(b"trun", 1, flags, |w| {
        w.u32(u32::try_from(run.samples.len()).unwrap_or(u32::MAX));
        offset_fields.push(w.len());
        w.u32(0);
        for sample in &run.samples {
            w.u32(sample.duration);
            w.u32(u32::try_from(sample.data.len()).unwrap_or(u32::MAX));
            if video {
                w.u32(if sample.key { FLAGS_KEY } else { FLAGS_DELTA });
            }
            if reordered {
                w.i32(sample.composition_offset);
            }
        }
    });
}

/// RFC 5905 §6: 32 bits of seconds since 1900, 32 bits of fraction.
fn ntp(wall: WallTime) -> u64 {
    let secs = u64::try_from(wall.0.div_euclid(1_000_000_000)).unwrap_or(0) + NTP_UNIX_SECS;
    let nanos = u64::try_from(wall.0.rem_euclid(1_000_000_000)).unwrap_or(0);
    (secs << 32) | ((nanos << 32) / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_of_the_unix_epoch() {
        assert_eq!(ntp(WallTime(0)), 2_208_988_800 << 32);
        assert_eq!(ntp(WallTime(500_000_000)), (2_208_988_800 << 32) | 1 << 31);
    }
}
