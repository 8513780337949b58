//! Formats and samples: what live view, playback and camera tests carry.
//!
//! Lost packets before a sample are not told over the wire: a viewer cannot do anything about them.

use std::num::NonZeroU32;
use std::sync::Arc;

use minhbach_model::{AudioParams, FormatId, MediaFormat, RunId, Sample, Ticks, Track, VideoParams, WallTime};

use super::{ConvertError, required, same_enum, wall};
use crate::v1;

same_enum!(stream_kind, StreamKind, "main or sub", [Main, Sub]);
same_enum!(track, Track, "video or audio", [Video, Audio]);
same_enum!(video_codec, VideoCodec, "H.264, H.265 or MJPEG", [H264, H265, Mjpeg]);
same_enum!(audio_codec, AudioCodec, "AAC, G.711, Opus or L16", [Aac, Pcma, Pcmu, Opus, L16]);

impl From<&VideoParams> for v1::VideoParams {
    fn from(video: &VideoParams) -> Self {
        Self {
            codec: v1::VideoCodec::from(video.codec).into(),
            width: video.width,
            height: video.height,
            config: video.config.clone(),
            rfc6381: video.rfc6381.clone(),
        }
    }
}

impl TryFrom<v1::VideoParams> for VideoParams {
    type Error = ConvertError;

    fn try_from(video: v1::VideoParams) -> Result<Self, ConvertError> {
        Ok(Self {
            codec: video_codec("codec", video.codec)?,
            width: video.width,
            height: video.height,
            config: video.config,
            rfc6381: video.rfc6381,
        })
    }
}

impl From<&AudioParams> for v1::AudioParams {
    fn from(audio: &AudioParams) -> Self {
        Self {
            codec: v1::AudioCodec::from(audio.codec).into(),
            sample_rate_hz: audio.sample_rate_hz.get(),
            channels: u32::from(audio.channels),
            config: audio.config.clone(),
        }
    }
}

impl TryFrom<v1::AudioParams> for AudioParams {
    type Error = ConvertError;

    fn try_from(audio: v1::AudioParams) -> Result<Self, ConvertError> {
        Ok(Self {
            codec: audio_codec("codec", audio.codec)?,
            sample_rate_hz: NonZeroU32::new(audio.sample_rate_hz)
                .ok_or_else(|| ConvertError::missing("sample_rate_hz", "samples a second"))?,
            channels: u16::try_from(audio.channels)
                .ok()
                .filter(|&channels| channels > 0)
                .ok_or_else(|| ConvertError::invalid("channels", "expected 1 to 65535"))?,
            config: audio.config,
        })
    }
}

impl From<&MediaFormat> for v1::MediaFormat {
    fn from(format: &MediaFormat) -> Self {
        Self {
            id: format.id.0,
            run: format.run.0,
            video: Some((&format.video).into()),
            audio: format.audio.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<v1::MediaFormat> for MediaFormat {
    type Error = ConvertError;

    fn try_from(format: v1::MediaFormat) -> Result<Self, ConvertError> {
        let video = required("video", format.video, "the parameters of the video")?;
        Ok(Self {
            id: FormatId(format.id),
            run: RunId(format.run),
            video: VideoParams::try_from(video).map_err(|error| error.within("video"))?,
            audio: format.audio.map(AudioParams::try_from).transpose().map_err(|error| error.within("audio"))?,
        })
    }
}

impl From<&Sample> for v1::Sample {
    fn from(sample: &Sample) -> Self {
        Self {
            track: v1::Track::from(sample.track).into(),
            pts_ticks: sample.pts.0,
            wall_ns: sample.wall.0,
            duration_ticks: sample.duration,
            key: sample.key,
            data: sample.data.clone(),
            received_ns: sample.received.0,
        }
    }
}

/// A sample, with the format in force: the last one that came before it.
///
/// # Errors
/// When the track or the time is missing, or it is sound and the format has none.
pub fn sample(message: v1::Sample, format: &Arc<MediaFormat>) -> Result<Sample, ConvertError> {
    let track = track("track", message.track)?;
    if track == Track::Audio && format.audio.is_none() {
        return Err(ConvertError::invalid("track", "expected no sound, because the format in force has none"));
    }
    Ok(Sample {
        track,
        pts: Ticks(message.pts_ticks),
        duration: message.duration_ticks,
        wall: wall("wall_ns", message.wall_ns)?,
        received: WallTime(message.received_ns),
        key: message.key,
        lost_packets: 0,
        data: message.data,
        format: Arc::clone(format),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use minhbach_model::{AudioCodec, VideoCodec};

    use super::*;

    fn format() -> MediaFormat {
        MediaFormat {
            id: FormatId(4),
            run: RunId(9),
            video: VideoParams {
                codec: VideoCodec::H265,
                width: 1920,
                height: 1080,
                config: Bytes::from_static(b"hvcC"),
                rfc6381: "hvc1.1.6.L120.90".to_owned(),
            },
            audio: Some(AudioParams {
                codec: AudioCodec::Pcma,
                sample_rate_hz: NonZeroU32::new(8000).unwrap(),
                channels: 1,
                config: Bytes::new(),
            }),
        }
    }

    #[test]
    fn a_format_comes_back_as_it_was() {
        let with_sound = format();
        assert_eq!(MediaFormat::try_from(v1::MediaFormat::from(&with_sound)), Ok(with_sound));
        let silent = MediaFormat { audio: None, ..format() };
        assert_eq!(MediaFormat::try_from(v1::MediaFormat::from(&silent)), Ok(silent));
    }

    #[test]
    fn a_sample_comes_back_as_it_was() {
        let format = Arc::new(format());
        let sent = Sample {
            track: Track::Audio,
            pts: Ticks(-160),
            duration: 160,
            wall: WallTime::from_secs(1_800_000_000),
            received: WallTime::from_secs(1_800_000_001),
            key: true,
            lost_packets: 0,
            data: Bytes::from_static(&[0xd5; 160]),
            format: Arc::clone(&format),
        };
        let got = sample((&sent).into(), &format).unwrap();
        // `Sample` has no `Eq`, so that nobody compares megabytes by accident.
        assert_eq!(format!("{got:?}"), format!("{sent:?}"));
    }

    #[test]
    fn sound_without_a_format_for_it_is_refused() {
        let silent = Arc::new(MediaFormat { audio: None, ..format() });
        let message = v1::Sample { track: v1::Track::Audio.into(), wall_ns: 1, ..Default::default() };
        assert_eq!(sample(message, &silent).unwrap_err().field, "track");
    }

    #[test]
    fn impossible_sound_parameters_are_refused_by_name() {
        let mut message = v1::MediaFormat::from(&format());
        message.audio.as_mut().unwrap().sample_rate_hz = 0;
        assert_eq!(MediaFormat::try_from(message).unwrap_err().field, "audio.sample_rate_hz");
        let mut message = v1::MediaFormat::from(&format());
        message.audio.as_mut().unwrap().channels = 70_000;
        assert_eq!(MediaFormat::try_from(message).unwrap_err().field, "audio.channels");
        let mut message = v1::MediaFormat::from(&format());
        message.video.as_mut().unwrap().codec = 99;
        assert_eq!(MediaFormat::try_from(message).unwrap_err().field, "video.codec");
    }

    #[test]
    fn an_unspecified_stream_is_not_main() {
        assert!(stream_kind("stream", 0).is_err());
        assert_eq!(stream_kind("stream", v1::StreamKind::Sub.into()), Ok(minhbach_model::StreamKind::Sub));
    }
}
