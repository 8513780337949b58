//! Pictures out of access units, at once: one thread or slice threads, never frame threads, which hold pictures back.

use std::collections::VecDeque;

use ffmpeg_next::codec::threading;
use ffmpeg_next::codec::{Context, Flags, Id};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{color, decoder, frame, packet};
use minhbach_model::{Sample, Ticks, VideoCodec, VideoParams, WallTime};

use crate::color::{ColorMatrix, ColorRange};
use crate::frame::{FrameInfo, VideoFrame};
use crate::raw::{self, Scaler};
use crate::{DecodeError, prepare};

/// Pictures in the decoder at a time, above which the oldest time is forgotten; codecs reorder at most 16.
const PENDING_MAX: usize = 64;

/// How many threads one decoder may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threads {
    /// The caller's thread only: best when many cameras are decoded side by side.
    #[default]
    One,
    /// Slices of one picture side by side; helps only where the camera makes slices.
    Slices(u8),
}

/// A decoder for one run of samples with the same parameters. A new format needs a new decoder.
pub struct VideoDecoder {
    decoder: decoder::Video,
    codec: VideoCodec,
    /// Presentation and wall time of what is in the decoder.
    pending: VecDeque<(i64, WallTime)>,
    last_wall: WallTime,
    scaler: Option<Scaler>,
    skip_non_key: bool,
}

impl VideoDecoder {
    /// A decoder for live pictures: each picture comes out with its own access unit.
    ///
    /// # Errors
    /// [`DecodeError`] when there is no such decoder or it refuses the parameters.
    pub fn new(params: &VideoParams, threads: Threads) -> Result<Self, DecodeError> {
        Self::open(params, threads, Flags::LOW_DELAY)
    }

    /// A decoder for recorded pictures: those stored out of order (B-frames) come out in order.
    ///
    /// # Errors
    /// As [`VideoDecoder::new`].
    pub fn for_playback(params: &VideoParams, threads: Threads) -> Result<Self, DecodeError> {
        Self::open(params, threads, Flags::empty())
    }

    fn open(params: &VideoParams, threads: Threads, flags: Flags) -> Result<Self, DecodeError> {
        prepare();
        let name = params.codec.to_string();
        let id = match params.codec {
            VideoCodec::H264 => Id::H264,
            VideoCodec::H265 => Id::HEVC,
            VideoCodec::Mjpeg => Id::MJPEG,
        };
        let codec = decoder::find(id).ok_or_else(|| DecodeError::NoDecoder { codec: name.clone() })?;
        let mut context = Context::new_with_codec(codec);
        raw::set_extradata(&mut context, &params.config)?;
        context.set_flags(flags);
        context.set_threading(threading::Config {
            kind: threading::Type::Slice,
            count: match threads {
                Threads::One => 1,
                Threads::Slices(count) => usize::from(count.max(1)),
            },
            ..threading::Config::default()
        });
        let decoder = context
            .decoder()
            .open_as(codec)
            .and_then(|opened| opened.video())
            .map_err(|source| DecodeError::Open { codec: name, source })?;
        Ok(Self {
            decoder,
            codec: params.codec,
            pending: VecDeque::new(),
            last_wall: WallTime::default(),
            scaler: None,
            skip_non_key: false,
        })
    }

    /// Whether to decode key frames only, each of which then comes out at once.
    pub fn skip_non_key(&mut self, skip: bool) {
        self.skip_non_key = skip;
    }

    /// Decodes one whole access unit; gives the pictures that are finished by it, usually one.
    ///
    /// # Errors
    /// [`DecodeError::Broken`] for data that cannot be decoded; the decoder can go on with the next key frame.
    pub fn decode(&mut self, sample: &Sample) -> Result<Vec<VideoFrame>, DecodeError> {
        if sample.data.is_empty() || (self.skip_non_key && !sample.key) {
            return Ok(Vec::new());
        }
        let mut packet = packet::Packet::copy(&sample.data);
        packet.set_pts(Some(sample.pts.0));
        if sample.key {
            packet.set_flags(packet::Flags::KEY);
        }
        self.pending.push_back((sample.pts.0, sample.wall));
        if self.pending.len() > PENDING_MAX {
            self.pending.pop_front();
        }
        let sent = self.decoder.send_packet(&packet);
        if let Err(source) = sent {
            return Err(self.broken(source));
        }
        if self.skip_non_key { self.finish() } else { self.receive() }
    }

    /// The pictures still held back; afterwards the decoder is empty and starts with a key frame.
    ///
    /// # Errors
    /// [`DecodeError`] when the rest cannot be decoded.
    pub fn finish(&mut self) -> Result<Vec<VideoFrame>, DecodeError> {
        let sent = self.decoder.send_eof();
        let frames = match sent {
            Ok(()) | Err(ffmpeg_next::Error::Eof) => self.receive(),
            Err(source) => Err(self.broken(source)),
        };
        self.flush();
        frames
    }

    /// Forgets everything: the next access unit has to be a key frame.
    pub fn flush(&mut self) {
        self.decoder.flush();
        self.pending.clear();
    }

    fn broken(&self, source: ffmpeg_next::Error) -> DecodeError {
        DecodeError::Broken { codec: self.codec.to_string(), source }
    }

    fn receive(&mut self) -> Result<Vec<VideoFrame>, DecodeError> {
        let mut frames = Vec::new();
        loop {
            let mut picture = frame::Video::empty();
            match self.decoder.receive_frame(&mut picture) {
                Ok(()) => frames.push(self.take(picture)?),
                Err(ffmpeg_next::Error::Eof) => return Ok(frames),
                Err(ffmpeg_next::Error::Other { errno }) if errno == ffmpeg_next::error::EAGAIN => return Ok(frames),
                // What came out before the broken part is still good.
                Err(_) if !frames.is_empty() => return Ok(frames),
                Err(source) => return Err(self.broken(source)),
            }
        }
    }

    fn take(&mut self, picture: frame::Video) -> Result<VideoFrame, DecodeError> {
        let pts = picture.pts().or_else(|| picture.timestamp());
        let wall = self.wall_of(pts);
        let format = picture.format();
        let (width, height) = (picture.width(), picture.height());
        let aspect = picture.aspect_ratio();
        let info = FrameInfo {
            width,
            height,
            matrix: matrix_of(picture.color_space(), height),
            range: range_of(format, picture.color_range()),
            sample_aspect: sample_aspect(aspect.numerator(), aspect.denominator()),
            wall,
            pts: Ticks(pts.unwrap_or(0)),
        };
        let picture = match format {
            Pixel::YUV420P | Pixel::YUVJ420P => picture,
            _ => self.convert(&picture)?,
        };
        VideoFrame::decoded(picture, info)
            .ok_or_else(|| DecodeError::Size { what: format!("picture of {width}×{height} pixels") })
    }

    fn wall_of(&mut self, pts: Option<i64>) -> WallTime {
        let at = self.pending.iter().position(|&(pending, _)| Some(pending) == pts);
        if let Some((_, wall)) = at.and_then(|index| self.pending.remove(index)) {
            self.last_wall = wall;
        }
        self.last_wall
    }

    /// Anything else becomes 8-bit 4:2:0; pictures of full range keep it.
    fn convert(&mut self, picture: &frame::Video) -> Result<frame::Video, DecodeError> {
        let convert = |source| DecodeError::Convert { source };
        let (format, width, height) = (picture.format(), picture.width(), picture.height());
        let target = if is_full_range_format(format) { Pixel::YUVJ420P } else { Pixel::YUV420P };
        let fits = self.scaler.as_ref().is_some_and(|scaler| {
            let input = scaler.0.input();
            input.format == format && input.width == width && input.height == height
        });
        if !fits {
            let context = scaling::Context::get(format, width, height, target, width, height, scaling::Flags::BILINEAR)
                .map_err(convert)?;
            self.scaler = Some(Scaler(context));
        }
        let mut output = frame::Video::empty();
        if let Some(scaler) = &mut self.scaler {
            scaler.0.run(picture, &mut output).map_err(convert)?;
        }
        Ok(output)
    }
}

/// One picture out of one key frame.
///
/// # Errors
/// [`DecodeError`] when it cannot be decoded, [`DecodeError::NoPicture`] when nothing came out.
pub fn still(params: &VideoParams, sample: &Sample) -> Result<VideoFrame, DecodeError> {
    let mut decoder = VideoDecoder::new(params, Threads::One)?;
    let first = decoder.decode(sample)?.pop();
    match first {
        Some(frame) => Ok(frame),
        None => decoder.finish()?.pop().ok_or(DecodeError::NoPicture),
    }
}

/// The `yuvj` formats, whose name says that they are of full range.
fn is_full_range_format(format: Pixel) -> bool {
    matches!(format, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P)
}

fn range_of(format: Pixel, range: color::Range) -> ColorRange {
    if is_full_range_format(format) || range == color::Range::JPEG { ColorRange::Full } else { ColorRange::Limited }
}

fn matrix_of(space: color::Space, height: u32) -> ColorMatrix {
    match space {
        color::Space::BT709 => ColorMatrix::Bt709,
        color::Space::BT470BG | color::Space::SMPTE170M | color::Space::FCC => ColorMatrix::Bt601,
        color::Space::BT2020NCL | color::Space::BT2020CL => ColorMatrix::Bt2020,
        // The converter turns RGB into BT.601.
        color::Space::RGB => ColorMatrix::Bt601,
        _ => ColorMatrix::assumed(height),
    }
}

/// 0:1 means "not said"; anything beyond 4:1 is nonsense from a broken stream.
fn sample_aspect(numerator: i32, denominator: i32) -> (u32, u32) {
    match (u32::try_from(numerator), u32::try_from(denominator)) {
        (Ok(num), Ok(den)) if num > 0 && den > 0 && num <= den.saturating_mul(4) && den <= num.saturating_mul(4) => {
            (num, den)
        }
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsaid_or_absurd_pixel_shape_is_square() {
        assert_eq!(sample_aspect(0, 1), (1, 1));
        assert_eq!(sample_aspect(16, 11), (16, 11));
        assert_eq!(sample_aspect(1, 500), (1, 1));
        assert_eq!(sample_aspect(-1, 1), (1, 1));
    }

    #[test]
    fn jpeg_formats_are_of_full_range_whatever_the_flag_says() {
        assert_eq!(range_of(Pixel::YUVJ422P, color::Range::Unspecified), ColorRange::Full);
        assert_eq!(range_of(Pixel::YUV420P, color::Range::JPEG), ColorRange::Full);
        assert_eq!(range_of(Pixel::YUV420P, color::Range::Unspecified), ColorRange::Limited);
    }

    #[test]
    fn the_matrix_is_what_the_stream_says_or_goes_by_height() {
        assert_eq!(matrix_of(color::Space::SMPTE170M, 1080), ColorMatrix::Bt601);
        assert_eq!(matrix_of(color::Space::Unspecified, 1080), ColorMatrix::Bt709);
        assert_eq!(matrix_of(color::Space::BT2020NCL, 2160), ColorMatrix::Bt2020);
    }

    #[test]
    fn decoders_move_between_threads() {
        fn sendable<T: Send>() {}
        sendable::<VideoDecoder>();
    }
}
