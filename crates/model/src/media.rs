//! Codecs, codec parameters and samples, as a camera sends them.
//!
//! Nothing here reads inside a sample: that is done in the `media` crate (boxes, parameter sets) and in `decode`.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;

use crate::{FormatId, RunId, WallTime};

/// The largest access unit accepted from a camera; one that is larger ends the run.
pub const MAX_ACCESS_UNIT_BYTES: usize = 16 * 1024 * 1024;

/// A count of ticks of a track's [`Timescale`], from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticks(pub i64);

/// Ticks a second of a track: 90,000 for video (RFC 6184 §8.2.1), the sample rate for sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timescale(pub NonZeroU32);

impl Timescale {
    /// The RTP clock of H.264, H.265 and MJPEG.
    pub const VIDEO: Self = Self(NonZeroU32::new(90_000).expect("90000 is not zero"));

    /// Ticks a second.
    #[must_use]
    pub fn hz(self) -> u32 {
        self.0.get()
    }

    /// Ticks as nanoseconds, rounded down.
    #[must_use]
    pub fn to_ns(self, ticks: Ticks) -> i64 {
        let ns = (i128::from(ticks.0) * 1_000_000_000).div_euclid(i128::from(self.hz()));
        i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
    }

    /// Nanoseconds as ticks, rounded to the nearest.
    #[must_use]
    pub fn from_ns(self, ns: i64) -> Ticks {
        let scaled = i128::from(ns) * i128::from(self.hz());
        let ticks = (scaled + 500_000_000).div_euclid(1_000_000_000);
        Ticks(i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// Video codecs that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// ITU-T H.264, RTP payload RFC 6184.
    H264,
    /// ITU-T H.265, RTP payload RFC 7798.
    H265,
    /// Motion JPEG, RTP payload RFC 2435.
    Mjpeg,
}

/// Audio codecs that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// MPEG-4 AAC, RTP payload RFC 3640.
    Aac,
    /// ITU-T G.711 A-law, RTP payload RFC 3551 §4.5.14.
    Pcma,
    /// ITU-T G.711 µ-law.
    Pcmu,
    /// Opus, RTP payload RFC 7587.
    Opus,
    /// Linear PCM, 16 bit, big endian (RFC 3551 §4.5.11).
    L16,
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Mjpeg => "MJPEG",
        })
    }
}

impl fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aac => "AAC",
            Self::Pcma => "G.711 A-law",
            Self::Pcmu => "G.711 µ-law",
            Self::Opus => "Opus",
            Self::L16 => "L16",
        })
    }
}

/// What a decoder needs before the first picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoParams {
    /// The codec.
    pub codec: VideoCodec,
    /// Displayed width, pixels.
    pub width: u32,
    /// Displayed height, pixels.
    pub height: u32,
    /// H.264: AVCDecoderConfigurationRecord; H.265: HEVCDecoderConfigurationRecord (ISO/IEC 14496-15); MJPEG: empty.
    pub config: Bytes,
    /// Codec string of RFC 6381, e.g. `avc1.64002A`.
    pub rfc6381: String,
}

/// What a decoder needs before the first sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioParams {
    /// The codec.
    pub codec: AudioCodec,
    /// Samples a second, which is also the track's timescale.
    pub sample_rate_hz: NonZeroU32,
    /// Channels.
    pub channels: u16,
    /// AAC: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1); otherwise empty.
    pub config: Bytes,
}

impl AudioParams {
    /// The track's timescale.
    #[must_use]
    pub fn timescale(&self) -> Timescale {
        Timescale(self.sample_rate_hz)
    }
}

/// The parameters in force for a stretch of samples. A change of any of them makes a new format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFormat {
    /// Differs for each format of a process.
    pub id: FormatId,
    /// The connection it belongs to; media times of different runs are not comparable.
    pub run: RunId,
    /// Video parameters.
    pub video: VideoParams,
    /// Audio parameters, when the camera sends sound.
    pub audio: Option<AudioParams>,
}

impl MediaFormat {
    /// The timescale of a track of this format.
    #[must_use]
    pub fn timescale(&self, track: Track) -> Timescale {
        match (track, &self.audio) {
            (Track::Audio, Some(audio)) => audio.timescale(),
            _ => Timescale::VIDEO,
        }
    }

    /// Whether both hold the same parameters, whatever their ids.
    #[must_use]
    pub fn same_parameters(&self, other: &Self) -> bool {
        self.video == other.video && self.audio == other.audio
    }
}

/// Which track a sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One access unit of video or one frame or packet of sound, bytes as the camera sent them.
///
/// H.264 and H.265 units are NAL units, each after a four-byte big-endian length, parameter sets taken out
/// (they are in [`VideoParams::config`]), SEI left in. AAC frames are raw (no ADTS).
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its track.
    pub track: Track,
    /// Presentation time in ticks of the track's timescale; both tracks of a run share zero.
    pub pts: Ticks,
    /// How long it lasts, in ticks, where the codec says so (sound); 0 for video, whose length the next picture tells.
    pub duration: u32,
    /// The same instant as wall time, from the camera's RTP clock tied to the server's clock.
    pub wall: WallTime,
    /// When its last packet arrived.
    pub received: WallTime,
    /// A picture from which decoding can start; always true for sound.
    pub key: bool,
    /// RTP packets that were lost just before it.
    pub lost_packets: u16,
    /// The bytes.
    pub data: Bytes,
    /// The parameters in force.
    pub format: Arc<MediaFormat>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_and_nanoseconds_agree_over_a_year_without_drift() {
        let year_ticks = Ticks(365 * 86_400 * 90_000 + 3600);
        let ns = Timescale::VIDEO.to_ns(year_ticks);
        assert_eq!(ns, 365 * 86_400 * 1_000_000_000 + 40_000_000);
        assert_eq!(Timescale::VIDEO.from_ns(ns), year_ticks);
    }

    #[test]
    fn rounding_is_to_nearest_and_negative_times_round_alike() {
        let scale = Timescale(NonZeroU32::new(8000).unwrap());
        assert_eq!(scale.from_ns(124_999), Ticks(1));
        assert_eq!(scale.from_ns(-125_000), Ticks(-1));
        assert_eq!(scale.to_ns(Ticks(-1)), -125_000);
    }
}
