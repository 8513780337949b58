//! Sample entries: codec parameters as they stand in `stsd` (ISO/IEC 14496-12 §8.5.2, 14496-14, 14496-15), both ways.
//!
//! Only the entries this program writes; a foreign file is not read here.

use std::num::NonZeroU32;

use bytes::Bytes;
use minhbach_model::{AudioCodec, AudioParams, VideoCodec, VideoParams};

use crate::boxes::{BoxWriter, Boxes, Reader};
use crate::{FourCc, MediaError};

/// Where the codec boxes start in a VisualSampleEntry: 8 (SampleEntry) + 70.
const VISUAL_HEADER_BYTES: usize = 78;
/// Where the codec boxes start in an AudioSampleEntry: 8 (SampleEntry) + 20.
const AUDIO_HEADER_BYTES: usize = 28;

pub(crate) fn write_video(w: &mut BoxWriter, params: &VideoParams) {
    // `hvc1` and not `hev1`: parameter sets are only in the entry, which is what browsers and Apple players want.
    let kind = match params.codec {
        VideoCodec::H264 => b"avc1",
        VideoCodec::H265 => b"hvc1",
        VideoCodec::Mjpeg => b"mp4v",
    };
    w.boxed(kind, |w| {
        w.zeros(6);
        w.u16(1); // data_reference_index
        w.zeros(16);
        w.u16(u16::try_from(params.width).unwrap_or(u16::MAX));
        w.u16(u16::try_from(params.height).unwrap_or(u16::MAX));
        w.u32(0x0048_0000); // 72 dpi
        w.u32(0x0048_0000);
        w.u32(0);
        w.u16(1); // frames a sample
        w.zeros(32); // compressor name
        w.u16(0x18); // depth
        w.u16(0xFFFF);
        match params.codec {
            VideoCodec::H264 => w.boxed(b"avcC", |w| w.bytes(&params.config)),
            VideoCodec::H265 => w.boxed(b"hvcC", |w| w.bytes(&params.config)),
            // ISO/IEC 14496-1 table 5: object type 0x6C is JPEG, stream type 4 is video.
            VideoCodec::Mjpeg => write_esds(w, 0x6C, 4, &[]),
        }
    });
}

pub(crate) fn write_audio(w: &mut BoxWriter, params: &AudioParams) {
    let kind = match params.codec {
        AudioCodec::Aac => b"mp4a",
        AudioCodec::Pcma => b"alaw",
        AudioCodec::Pcmu => b"ulaw",
        AudioCodec::Opus => b"Opus",
        AudioCodec::L16 => b"twos",
    };
    w.boxed(kind, |w| {
        w.zeros(6);
        w.u16(1); // data_reference_index
        w.zeros(8);
        w.u16(params.channels);
        w.u16(16); // sample size; fixed by 14496-12 for compressed sound
        w.u32(0);
        // 16.16; a rate of 64 kHz or more does not fit and is told by the codec's own configuration.
        w.u32(u32::from(u16::try_from(params.sample_rate_hz.get()).unwrap_or(0)) << 16);
        match params.codec {
            AudioCodec::Aac => write_esds(w, 0x40, 5, &params.config),
            AudioCodec::Opus => write_dops(w, params),
            AudioCodec::Pcma | AudioCodec::Pcmu | AudioCodec::L16 => write_chan(w, params),
        }
    });
}

/// `chan` of the QuickTime File Format: which channel is which, so that no player has to guess and warn of it. Players that
/// do not know the box skip it.
fn write_chan(w: &mut BoxWriter, params: &AudioParams) {
    // CoreAudio layout tags: mono and stereo, the low half is the number of channels.
    let layout = match params.channels {
        1 => 0x0064_0001,
        2 => 0x0065_0002,
        _ => return,
    };
    w.full(b"chan", 0, 0, |w| {
        w.u32(layout);
        w.u32(0); // bitmap
        w.u32(0); // descriptions
    });
}

/// `dOps` of "Encapsulation of Opus in ISO BMFF" §4.3.2, for one or two channels.
fn write_dops(w: &mut BoxWriter, params: &AudioParams) {
    w.boxed(b"dOps", |w| {
        w.u8(0); // version
        w.u8(u8::try_from(params.channels).unwrap_or(2));
        w.u16(0); // pre-skip: a camera's stream has no start to skip
        w.u32(params.sample_rate_hz.get());
        w.u16(0); // gain
        w.u8(0); // mapping family
    });
}

/// `esds` of ISO/IEC 14496-14 §5.6 with the descriptors of 14496-1 §7.2.6.
fn write_esds(w: &mut BoxWriter, object_type: u8, stream_type: u8, config: &[u8]) {
    // Descriptor lengths below fit in one byte: an AudioSpecificConfig has 2 to 7 bytes.
    let config_len = u8::try_from(config.len()).unwrap_or(0).min(64);
    let specific_len = if config.is_empty() { 0 } else { 2 + config_len };
    w.full(b"esds", 0, 0, |w| {
        w.u8(3); // ES_Descriptor
        w.u8(3 + 2 + 13 + specific_len + 3);
        w.u16(0); // ES_ID
        w.u8(0);
        w.u8(4); // DecoderConfigDescriptor
        w.u8(13 + specific_len);
        w.u8(object_type);
        w.u8(stream_type << 2 | 1);
        w.zeros(3); // bufferSizeDB
        w.u32(0); // maxBitrate: unknown
        w.u32(0); // avgBitrate: unknown
        if !config.is_empty() {
            w.u8(5); // DecoderSpecificInfo
            w.u8(config_len);
            w.bytes(&config[..usize::from(config_len)]);
        }
        w.u8(6); // SLConfigDescriptor
        w.u8(1);
        w.u8(2);
    });
}

pub(crate) fn read_video(kind: FourCc, content: &[u8]) -> Result<VideoParams, MediaError> {
    let (codec, config_box) = match &kind.0 {
        b"avc1" => (VideoCodec::H264, Some(b"avcC")),
        b"hvc1" => (VideoCodec::H265, Some(b"hvcC")),
        b"mp4v" => (VideoCodec::Mjpeg, None),
        other => {
            return Err(MediaError::Unsupported {
                what: "video sample entry",
                value: u32::from_be_bytes(*other).into(),
            });
        }
    };
    let mut r = Reader::new(content, "video sample entry");
    r.take(24)?;
    let width = r.u16()?.into();
    let height = r.u16()?.into();
    let boxes = content
        .get(VISUAL_HEADER_BYTES..)
        .ok_or(MediaError::Truncated { what: "video sample entry", offset: content.len() })?;
    let config = match config_box {
        Some(kind) => Bytes::copy_from_slice(Boxes::new(boxes).find(kind)?.content),
        None => Bytes::new(),
    };
    let rfc6381 = rfc6381(codec, &config);
    Ok(VideoParams { codec, width, height, config, rfc6381 })
}

/// The codec string of RFC 6381 §3.3 and ISO/IEC 14496-15 annex E, as far as H.264 needs it; H.265 gets its short form.
fn rfc6381(codec: VideoCodec, config: &[u8]) -> String {
    match (codec, config) {
        (VideoCodec::H264, [_, profile, compatibility, level, ..]) => {
            format!("avc1.{profile:02X}{compatibility:02X}{level:02X}")
        }
        (VideoCodec::H264, _) => "avc1".to_owned(),
        (VideoCodec::H265, _) => "hvc1".to_owned(),
        (VideoCodec::Mjpeg, _) => "mp4v.6C".to_owned(),
    }
}

pub(crate) fn read_audio(kind: FourCc, content: &[u8], timescale: NonZeroU32) -> Result<AudioParams, MediaError> {
    let codec = match &kind.0 {
        b"mp4a" => AudioCodec::Aac,
        b"alaw" => AudioCodec::Pcma,
        b"ulaw" => AudioCodec::Pcmu,
        b"Opus" => AudioCodec::Opus,
        b"twos" => AudioCodec::L16,
        other => {
            return Err(MediaError::Unsupported {
                what: "audio sample entry",
                value: u32::from_be_bytes(*other).into(),
            });
        }
    };
    let mut r = Reader::new(content, "audio sample entry");
    r.take(16)?;
    let channels = r.u16()?;
    let boxes = content
        .get(AUDIO_HEADER_BYTES..)
        .ok_or(MediaError::Truncated { what: "audio sample entry", offset: content.len() })?;
    let config = match codec {
        AudioCodec::Aac => read_esds(Boxes::new(boxes).find(b"esds")?.content)?,
        _ => Bytes::new(),
    };
    Ok(AudioParams { codec, sample_rate_hz: timescale, channels, config })
}

fn read_esds(content: &[u8]) -> Result<Bytes, MediaError> {
    let mut r = Reader::new(content, "esds");
    r.version_flags()?;
    r.take(2 + 3)?; // ES_Descriptor header, ES_ID, flags
    r.take(2 + 13)?; // DecoderConfigDescriptor
    let tag = r.u8()?;
    if tag != 5 {
        return Ok(Bytes::new());
    }
    let len = r.u8()?;
    Ok(Bytes::copy_from_slice(r.take(usize::from(len))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_writing_and_reading() {
        let video = VideoParams {
            codec: VideoCodec::H264,
            width: 1920,
            height: 1080,
            config: Bytes::from_static(&[1, 0x64, 0, 0x2A, 0xFF, 0xE0, 0]),
            rfc6381: "avc1.64002A".into(),
        };
        let mut w = BoxWriter::new();
        write_video(&mut w, &video);
        let bytes = w.into_bytes();
        let found = Boxes::new(&bytes).next().unwrap().unwrap();
        assert_eq!(read_video(found.kind, found.content).unwrap(), video);

        for (codec, config) in [
            (AudioCodec::Aac, Bytes::from_static(&[0x14, 0x08])),
            (AudioCodec::Pcma, Bytes::new()),
            (AudioCodec::Pcmu, Bytes::new()),
            (AudioCodec::Opus, Bytes::new()),
            (AudioCodec::L16, Bytes::new()),
        ] {
            let rate = NonZeroU32::new(16_000).unwrap();
            let audio = AudioParams { codec, sample_rate_hz: rate, channels: 1, config };
            let mut w = BoxWriter::new();
            write_audio(&mut w, &audio);
            let bytes = w.into_bytes();
            let found = Boxes::new(&bytes).next().unwrap().unwrap();
            assert_eq!(read_audio(found.kind, found.content, rate).unwrap(), audio);
        }
    }
}
