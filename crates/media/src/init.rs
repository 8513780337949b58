//! What stands before the first fragment of a segment: `ftyp` and a `moov` without samples (ISO/IEC 14496-12 §8.8).
//!
//! The samples themselves are in [`crate::fragment`].

use std::num::NonZeroU32;

use minhbach_model::{AudioParams, FormatId, MediaFormat, RunId, Track, VideoParams};

use crate::boxes::{BoxWriter, Boxes, Reader};
use crate::{MediaError, entry};

/// Track number of the pictures.
pub const VIDEO_TRACK_ID: u32 = 1;
/// Track number of the sound.
pub const AUDIO_TRACK_ID: u32 = 2;
/// Ticks a second of `mvhd` and of edit lists.
pub(crate) const MOVIE_TIMESCALE: u32 = 90_000;

/// `ftyp` and `moov` of a segment with this format.
#[must_use]
pub fn write(format: &MediaFormat) -> Vec<u8> {
    let mut w = BoxWriter::new();
    // iso6: tfdt and signed composition offsets; mp41: plain players.
    ftyp(&mut w, b"iso6", &[b"iso6", b"mp41"]);
    w.boxed(b"moov", |w| {
        mvhd(w, 0);
        for track in tracks(format) {
            let header = TrackHeader { track, format, movie_duration: 0, media_duration: 0 };
            trak(
                w,
                &header,
                |_| {},
                |w| {
                    stsd(w, track, &[format]);
                    // The tables every `stbl` must have, all of them empty (§8.8.1).
                    w.full(b"stts", 0, 0, |w| w.u32(0));
                    w.full(b"stsc", 0, 0, |w| w.u32(0));
                    w.full(b"stsz", 0, 0, |w| w.u64(0));
                    w.full(b"stco", 0, 0, |w| w.u32(0));
                },
            );
        }
        w.boxed(b"mvex", |w| {
            for track in tracks(format) {
                w.full(b"trex", 0, 0, |w| {
                    w.u32(track_id(track));
                    w.u32(1); // sample description
                    w.zeros(12); // duration, size and flags are told in each fragment
                });
            }
        });
    });
    w.into_bytes()
}

/// The tracks a format has, in the order of their numbers.
pub(crate) fn tracks(format: &MediaFormat) -> impl Iterator<Item = Track> + use<> {
    let audio = format.audio.is_some().then_some(Track::Audio);
    std::iter::once(Track::Video).chain(audio)
}

pub(crate) fn track_id(track: Track) -> u32 {
    match track {
        Track::Video => VIDEO_TRACK_ID,
        Track::Audio => AUDIO_TRACK_ID,
    }
}

pub(crate) fn ftyp(w: &mut BoxWriter, major: &[u8; 4], compatible: &[&[u8; 4]]) {
    w.boxed(b"ftyp", |w| {
        w.bytes(major);
        w.u32(0);
        for brand in compatible {
            w.bytes(*brand);
        }
    });
}

/// `mvhd`, version 1; duration in ticks of [`MOVIE_TIMESCALE`], 0 when fragments tell it.
pub(crate) fn mvhd(w: &mut BoxWriter, duration: u64) {
    w.full(b"mvhd", 1, 0, |w| {
        w.zeros(16); // creation and modification: the exact wall time is in `prft` and in the sidecar
        w.u32(MOVIE_TIMESCALE);
        w.u64(duration);
        w.u32(0x0001_0000); // rate 1.0
        w.u16(0x0100); // volume 1.0
        w.zeros(10);
        w.unity_matrix();
        w.zeros(24);
        w.u32(AUDIO_TRACK_ID + 1); // next track
    });
}

/// What the headers of a track say.
pub(crate) struct TrackHeader<'a> {
    pub track: Track,
    pub format: &'a MediaFormat,
    /// In ticks of [`MOVIE_TIMESCALE`].
    pub movie_duration: u64,
    /// In ticks of the track.
    pub media_duration: u64,
}

/// A `trak`; `edits` writes an `edts` if there is one, `tables` writes what is in `stbl`.
pub(crate) fn trak(
    w: &mut BoxWriter,
    header: &TrackHeader<'_>,
    edits: impl FnOnce(&mut BoxWriter),
    tables: impl FnOnce(&mut BoxWriter),
) {
    let video = header.track == Track::Video;
    w.boxed(b"trak", |w| {
        // Flags: enabled and in the presentation.
        w.full(b"tkhd", 1, 3, |w| {
            w.zeros(16);
            w.u32(track_id(header.track));
            w.u32(0);
            w.u64(header.movie_duration);
            w.zeros(8);
            w.u16(0); // layer
            w.u16(0); // alternate group
            w.u16(if video { 0 } else { 0x0100 }); // volume
            w.u16(0);
            w.unity_matrix();
            // 16.16 pixels; zero for sound.
            w.u32(if video { header.format.video.width << 16 } else { 0 });
            w.u32(if video { header.format.video.height << 16 } else { 0 });
        });
        edits(w);
        w.boxed(b"mdia", |w| {
            w.full(b"mdhd", 1, 0, |w| {
                w.zeros(16);
                w.u32(header.format.timescale(header.track).hz());
                w.u64(header.media_duration);
                w.u16(0x55C4); // "und"
                w.u16(0);
            });
            w.full(b"hdlr", 0, 0, |w| {
                w.u32(0);
                w.bytes(if video { b"vide" } else { b"soun" });
                w.zeros(12);
                w.bytes(b"\0");
            });
            w.boxed(b"minf", |w| {
                if video {
                    w.full(b"vmhd", 0, 1, |w| w.zeros(8));
                } else {
                    w.full(b"smhd", 0, 0, |w| w.zeros(4));
                }
                w.boxed(b"dinf", |w| {
                    w.full(b"dref", 0, 0, |w| {
                        w.u32(1);
                        w.full(b"url ", 0, 1, |_| {}); // in this file
                    });
                });
                w.boxed(b"stbl", tables);
            });
        });
    });
}

/// `stsd` with one entry a format.
pub(crate) fn stsd(w: &mut BoxWriter, track: Track, formats: &[&MediaFormat]) {
    w.full(b"stsd", 0, 0, |w| {
        w.u32(u32::try_from(formats.len()).unwrap_or(u32::MAX));
        for format in formats {
            match (track, &format.audio) {
                (Track::Audio, Some(audio)) => entry::write_audio(w, audio),
                _ => entry::write_video(w, &format.video),
            }
        }
    });
}

/// The parameters in an initialisation segment written by [`write`].
///
/// # Errors
/// What is missing or wrong in it.
pub fn read(bytes: &[u8], id: FormatId, run: RunId) -> Result<MediaFormat, MediaError> {
    let moov = Boxes::new(bytes).find(b"moov")?;
    let mut video: Option<VideoParams> = None;
    let mut audio: Option<AudioParams> = None;
    for found in Boxes::new(moov.content) {
        let found = found?;
        if found.kind.0 != *b"trak" {
            continue;
        }
        let mdia = Boxes::new(found.content).find(b"mdia")?;
        let mdhd = Boxes::new(mdia.content).find(b"mdhd")?;
        let mut r = Reader::new(mdhd.content, "mdhd");
        let (version, _) = r.version_flags()?;
        r.take(if version == 1 { 16 } else { 8 })?;
        let timescale = NonZeroU32::new(r.u32()?).ok_or(MediaError::Unsupported { what: "timescale", value: 0 })?;
        let minf = Boxes::new(mdia.content).find(b"minf")?;
        let stbl = Boxes::new(minf.content).find(b"stbl")?;
        let stsd = Boxes::new(stbl.content).find(b"stsd")?;
        let entries =
            stsd.content.get(8..).ok_or(MediaError::Truncated { what: "stsd", offset: stsd.content.len() })?;
        let Some(first) = Boxes::new(entries).next() else {
            return Err(MediaError::Unsupported { what: "number of sample entries", value: 0 });
        };
        let first = first?;
        let hdlr = Boxes::new(mdia.content).find(b"hdlr")?;
        if hdlr.content.get(8..12) == Some(b"vide") {
            video = Some(entry::read_video(first.kind, first.content)?);
        } else {
            audio = Some(entry::read_audio(first.kind, first.content, timescale)?);
        }
    }
    match video {
        Some(video) => Ok(MediaFormat { id, run, video, audio }),
        None => Err(MediaError::Missing(crate::FourCc(*b"trak"))),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use minhbach_model::{AudioCodec, VideoCodec};

    use super::*;

    #[test]
    fn parameters_survive_the_file() {
        let format = MediaFormat {
            id: FormatId(3),
            run: RunId(4),
            video: VideoParams {
                codec: VideoCodec::H265,
                width: 640,
                height: 360,
                config: Bytes::from_static(&[1, 2, 3]),
                rfc6381: "hvc1".into(),
            },
            audio: Some(AudioParams {
                codec: AudioCodec::Pcma,
                sample_rate_hz: NonZeroU32::new(8000).unwrap(),
                channels: 1,
                config: Bytes::new(),
            }),
        };
        let bytes = write(&format);
        assert_eq!(read(&bytes, FormatId(3), RunId(4)).unwrap(), format);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut], FormatId(0), RunId(0)).is_err(), "cut at {cut} must not read as whole");
        }
    }
}
