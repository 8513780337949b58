//! Sound out of frames and packets: always 48 kHz stereo, interleaved, whatever the camera sends.

use ffmpeg_next::codec::{Context, Id};
use ffmpeg_next::format::sample::Type as Layout;
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, decoder, format, frame, packet};
use minhbach_model::{AudioCodec, AudioParams, Sample, WallTime};

use crate::{DecodeError, prepare, raw};

/// Samples a second and channel of what comes out.
pub const OUTPUT_RATE_HZ: u32 = 48_000;

/// Channels of what comes out, interleaved.
pub const OUTPUT_CHANNELS: usize = 2;

/// A stretch of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioBlock {
    /// When its first sample was taken.
    pub wall: WallTime,
    /// Left and right in turn, −1 to 1.
    pub samples: Vec<f32>,
}

impl AudioBlock {
    /// How long it lasts, nanoseconds.
    #[must_use]
    pub fn duration_ns(&self) -> i64 {
        frames_to_ns(self.samples.len() / OUTPUT_CHANNELS)
    }
}

/// A decoder for one run of sound with the same parameters.
pub struct AudioDecoder {
    decoder: decoder::Audio,
    codec: AudioCodec,
    rate_hz: u32,
    channels: u16,
    resampler: Option<(Shape, resampling::Context)>,
}

/// What a resampler was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    format: format::Sample,
    rate_hz: u32,
    channels: u16,
}

impl AudioDecoder {
    /// A decoder for sound of these parameters.
    ///
    /// # Errors
    /// [`DecodeError`] when there is no such decoder or it refuses the parameters.
    pub fn new(params: &AudioParams) -> Result<Self, DecodeError> {
        prepare();
        let name = params.codec.to_string();
        let id = match params.codec {
            AudioCodec::Aac => Id::AAC,
            AudioCodec::Pcma => Id::PCM_ALAW,
            AudioCodec::Pcmu => Id::PCM_MULAW,
            AudioCodec::Opus => Id::OPUS,
            AudioCodec::L16 => Id::PCM_S16BE,
        };
        let rate_hz = params.sample_rate_hz.get();
        let rate =
            i32::try_from(rate_hz).map_err(|_| DecodeError::Size { what: format!("sample rate {rate_hz} Hz") })?;
        if params.channels == 0 || params.channels > 8 {
            return Err(DecodeError::Size { what: format!("{} channels", params.channels) });
        }
        let codec = decoder::find(id).ok_or_else(|| DecodeError::NoDecoder { codec: name.clone() })?;
        let mut context = Context::new_with_codec(codec);
        raw::set_audio_shape(&mut context, rate, params.channels);
        raw::set_extradata(&mut context, &params.config)?;
        let decoder = context
            .decoder()
            .open_as(codec)
            .and_then(|opened| opened.audio())
            .map_err(|source| DecodeError::Open { codec: name, source })?;
        Ok(Self { decoder, codec: params.codec, rate_hz, channels: params.channels, resampler: None })
    }

    /// Decodes one frame or packet of sound.
    ///
    /// # Errors
    /// [`DecodeError`] for data that cannot be decoded; the next packet may do.
    pub fn decode(&mut self, sample: &Sample) -> Result<Vec<AudioBlock>, DecodeError> {
        if sample.data.is_empty() {
            return Ok(Vec::new());
        }
        let mut packet = packet::Packet::copy(&sample.data);
        packet.set_pts(Some(sample.pts.0));
        self.decoder.send_packet(&packet).map_err(|source| self.broken(source))?;
        let mut blocks = Vec::new();
        let mut wall = sample.wall;
        loop {
            let mut sound = frame::Audio::empty();
            match self.decoder.receive_frame(&mut sound) {
                Ok(()) => {
                    let samples = self.resample(&mut sound)?;
                    let block = AudioBlock { wall, samples };
                    wall = wall.offset_ns(block.duration_ns());
                    blocks.push(block);
                }
                Err(ffmpeg_next::Error::Eof) => return Ok(blocks),
                Err(ffmpeg_next::Error::Other { errno }) if errno == ffmpeg_next::error::EAGAIN => return Ok(blocks),
                Err(source) => return Err(self.broken(source)),
            }
        }
    }

    /// Forgets what is held back, for a jump in time.
    pub fn flush(&mut self) {
        self.decoder.flush();
        self.resampler = None;
    }

    fn broken(&self, source: ffmpeg_next::Error) -> DecodeError {
        DecodeError::Broken { codec: self.codec.to_string(), source }
    }

    fn resample(&mut self, sound: &mut frame::Audio) -> Result<Vec<f32>, DecodeError> {
        let convert = |source| DecodeError::Convert { source };
        // What the frame says wins: HE-AAC doubles the rate that the session description names.
        let shape = Shape {
            format: sound.format(),
            rate_hz: if sound.rate() == 0 { self.rate_hz } else { sound.rate() },
            channels: if sound.channels() == 0 { self.channels } else { sound.channels() },
        };
        let layout = ChannelLayout::default(i32::from(shape.channels));
        sound.set_channel_layout(layout);
        sound.set_rate(shape.rate_hz);
        // One channel stays one and is doubled below: the mixer would make it 3 dB quieter.
        let mono = shape.channels == 1;
        let target = if mono { ChannelLayout::MONO } else { ChannelLayout::STEREO };
        let packed = format::Sample::F32(Layout::Packed);
        if self.resampler.as_ref().is_none_or(|(made_for, _)| *made_for != shape) {
            let made = resampling::Context::get(shape.format, layout, shape.rate_hz, packed, target, OUTPUT_RATE_HZ)
                .map_err(convert)?;
            self.resampler = Some((shape, made));
        }
        let Some((_, resampler)) = &mut self.resampler else {
            return Ok(Vec::new());
        };
        let held = resampler.delay().map_or(0, |delay| usize::try_from(delay.output).unwrap_or(0));
        let room = output_room(sound.samples(), shape.rate_hz) + held;
        let mut output = frame::Audio::new(packed, room, target);
        resampler.run(sound, &mut output).map_err(convert)?;
        if output.samples() == 0 {
            return Ok(Vec::new());
        }
        let samples = output.plane::<f32>(0);
        Ok(if mono { doubled(samples) } else { samples.to_vec() })
    }
}

/// Room for one frame after resampling, with some to spare for the filter.
fn output_room(samples: usize, rate_hz: u32) -> usize {
    let scaled = (samples as u64 * u64::from(OUTPUT_RATE_HZ)).div_ceil(u64::from(rate_hz.max(1)));
    usize::try_from(scaled).unwrap_or(0) + 64
}

fn doubled(samples: &[f32]) -> Vec<f32> {
    samples.iter().flat_map(|&value| [value, value]).collect()
}

fn frames_to_ns(frames: usize) -> i64 {
    i64::try_from(frames as u64 * 1_000_000_000 / u64::from(OUTPUT_RATE_HZ)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use minhbach_model::{FormatId, MediaFormat, RunId, Ticks, Track, VideoCodec, VideoParams};
    use std::num::NonZeroU32;
    use std::sync::Arc;

    fn sample(data: Vec<u8>, params: &AudioParams) -> Sample {
        let video =
            VideoParams { codec: VideoCodec::H264, width: 2, height: 2, config: Bytes::new(), rfc6381: String::new() };
        Sample {
            track: Track::Audio,
            pts: Ticks(0),
            duration: 0,
            wall: WallTime(5),
            received: WallTime(5),
            key: true,
            lost_packets: 0,
            data: Bytes::from(data),
            format: Arc::new(MediaFormat { id: FormatId(1), run: RunId(1), video, audio: Some(params.clone()) }),
        }
    }

    fn params(codec: AudioCodec, rate_hz: u32, channels: u16) -> AudioParams {
        let sample_rate_hz = NonZeroU32::new(rate_hz).unwrap();
        AudioParams { codec, sample_rate_hz, channels, config: Bytes::new() }
    }

    #[test]
    fn telephone_sound_becomes_six_times_as_many_samples_of_the_same_level() {
        let params = params(AudioCodec::Pcmu, 8000, 1);
        let mut decoder = AudioDecoder::new(&params).unwrap();
        // G.711 µ-law 0x00 is −32,124 of 32,768: a constant, so level is easy to check.
        let mut total = 0;
        let mut last = Vec::new();
        for _ in 0..10 {
            for block in decoder.decode(&sample(vec![0x00; 160], &params)).unwrap() {
                assert_eq!(block.wall, WallTime(5));
                total += block.samples.len();
                last = block.samples;
            }
        }
        assert!(total.abs_diff(1600 * 6 * 2) <= 512, "{total}");
        let middle = last[last.len() / 2];
        assert!((middle + 32_124.0 / 32_768.0).abs() < 0.02, "{middle}");
        assert!(last.chunks_exact(2).all(|pair| (pair[0] - pair[1]).abs() < f32::EPSILON));
    }

    #[test]
    fn linear_sound_at_the_output_rate_comes_through_as_it_is() {
        let params = params(AudioCodec::L16, 48_000, 2);
        let mut decoder = AudioDecoder::new(&params).unwrap();
        let data = [0x40, 0x00, 0xC0, 0x00].repeat(480);
        let blocks = decoder.decode(&sample(data, &params)).unwrap();
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].samples.len(), 960);
        assert!((blocks[0].samples[0] - 0.5).abs() < 0.001 && (blocks[0].samples[1] + 0.5).abs() < 0.001);
        assert_eq!(blocks[0].duration_ns(), 10_000_000);
    }

    #[test]
    fn impossible_parameters_are_refused() {
        assert!(AudioDecoder::new(&params(AudioCodec::Pcma, 8000, 0)).is_err());
        assert!(AudioDecoder::new(&params(AudioCodec::L16, 48_000, 99)).is_err());
    }
}
