//! Which camera speaks what: codecs, scene and sizes by camera number. Times and rates of the streams.
//!
//! Constants that clips, pacing and the server must agree on live here and nowhere else.

use std::fmt;
use std::str::FromStr;

use minhbach_testkit::marks::MarkStream;
use minhbach_testkit::nal::VideoCodec;

/// Main pictures a second.
pub const MAIN_FPS: u32 = 25;
/// Main pictures from key frame to key frame: 2 s.
pub const MAIN_GOP: u32 = 50;
/// The sub stream takes every second picture of the main stream.
pub const SUB_GOP: u32 = MAIN_GOP / 2;
/// Time from one main picture to the next.
pub const MAIN_FRAME_NS: u64 = 1_000_000_000 / MAIN_FPS as u64;
/// Time from one sub picture to the next.
pub const SUB_FRAME_NS: u64 = 2 * MAIN_FRAME_NS;
/// Scenes there are; camera i shows scene i modulo this.
pub const SCENES: u8 = 4;

/// How codecs and scenes are given to cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// As `mixed`, with a scene for each of the first four cameras.
    Demo,
    /// Codecs vary from camera to camera.
    Mixed,
    /// Every camera speaks H.264 and AAC.
    Plain,
}

/// The sound of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// AAC LC, 16 kHz, mono.
    Aac,
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
}

impl AudioCodec {
    /// Samples a second, which is also the RTP clock.
    #[must_use]
    pub fn rate(self) -> u32 {
        match self {
            Self::Aac => 16_000,
            Self::Pcma | Self::Pcmu => 8_000,
        }
    }

    /// Time from one packet to the next: 1024 samples of AAC, 160 of G.711.
    #[must_use]
    pub fn packet_ns(self) -> u64 {
        match self {
            Self::Aac => 64_000_000,
            Self::Pcma | Self::Pcmu => 20_000_000,
        }
    }
}

/// Width and height of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl Size {
    /// A size.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = text.split_once('x').and_then(|(width, height)| {
            let size = Self { width: width.parse().ok()?, height: height.parse().ok()? };
            let fits = |n: u32| (128..=4096).contains(&n) && n.is_multiple_of(2);
            (fits(size.width) && fits(size.height)).then_some(size)
        });
        size.ok_or_else(|| "a size is WIDTHxHEIGHT, even numbers from 128 to 4096, such as 1920x1080".to_owned())
    }
}

/// The two sizes of a stream that the command `resolution` switches between.
#[must_use]
pub fn stream_size(main: Size, other: bool, stream: MarkStream) -> Size {
    match (stream, other) {
        (MarkStream::Main, false) => main,
        (MarkStream::Main, true) if main == Size::new(1280, 720) => Size::new(1920, 1080),
        (MarkStream::Main, true) => Size::new(1280, 720),
        (MarkStream::Sub, false) => Size::new(640, 360),
        (MarkStream::Sub, true) => Size::new(480, 270),
    }
}

/// What one camera speaks and shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraSpec {
    /// From zero; part of its URL.
    pub number: u16,
    /// From zero to [`SCENES`].
    pub scene: u8,
    /// Of both streams.
    pub video: VideoCodec,
    /// Of the main stream.
    pub audio: AudioCodec,
}

impl CameraSpec {
    /// The camera with a number, under a profile.
    #[must_use]
    pub fn of(profile: Profile, number: u16) -> Self {
        let (video, audio) = match (profile, number % 4) {
            (Profile::Plain, _) | (_, 0) => (VideoCodec::H264, AudioCodec::Aac),
            (_, 1) => (VideoCodec::H265, AudioCodec::Pcma),
            (_, 2) => (VideoCodec::H264, AudioCodec::Pcmu),
            _ => (VideoCodec::H265, AudioCodec::Aac),
        };
        Self { number, scene: (number % u16::from(SCENES)) as u8, video, audio }
    }

    /// The same camera after the command `codec`.
    #[must_use]
    pub fn with_other_codecs(self) -> Self {
        let video = match self.video {
            VideoCodec::H264 => VideoCodec::H265,
            VideoCodec::H265 => VideoCodec::H264,
        };
        let audio = match self.audio {
            AudioCodec::Aac => AudioCodec::Pcma,
            AudioCodec::Pcma | AudioCodec::Pcmu => AudioCodec::Aac,
        };
        Self { video, audio, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_give_codecs() {
        let mixed: Vec<_> = (0..5).map(|i| CameraSpec::of(Profile::Mixed, i)).map(|c| (c.video, c.audio)).collect();
        assert_eq!(mixed[0], mixed[4]);
        assert_eq!(mixed[1], (VideoCodec::H265, AudioCodec::Pcma));
        assert_eq!(mixed[2], (VideoCodec::H264, AudioCodec::Pcmu));
        let plain = CameraSpec::of(Profile::Plain, 3);
        assert_eq!(plain.video, VideoCodec::H264);
        let other = plain.with_other_codecs();
        assert_eq!((other.number, other.video, other.audio), (3, VideoCodec::H265, AudioCodec::Pcma));
        assert_eq!(other.with_other_codecs(), plain);
    }

    #[test]
    fn sizes_are_read_and_switched() {
        assert_eq!("1920x1080".parse(), Ok(Size::new(1920, 1080)));
        for bad in ["1920", "1921x1080", "0x0", "x", "99999x2"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
        let hd = Size::new(1280, 720);
        assert_ne!(stream_size(hd, true, MarkStream::Main), hd);
    }
}
