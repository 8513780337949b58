//! Decoding for people's eyes and ears: access units in, 8-bit 4:2:0 pictures and 48 kHz stereo sound out.
//!
//! What belongs here: the decoders (FFmpeg), the picture type, colour conversion and stills on the CPU.
//! What does not: network, threads, clocks, drawing. The recorder never decodes; only the console does.

mod audio;
mod color;
mod error;
mod frame;
mod raw;
mod rgba;
mod video;

pub use audio::{AudioBlock, AudioDecoder, OUTPUT_CHANNELS, OUTPUT_RATE_HZ};
pub use color::{ColorMatrix, ColorRange, ColorTransform};
pub use error::DecodeError;
pub use frame::{Plane, PlaneView, VideoFrame};
pub use rgba::{RgbaImage, frame_to_rgba};
pub use video::{Threads, VideoDecoder, still};

/// Prepares the library once a process: error texts, and nothing below an error in its log.
pub(crate) fn prepare() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        if let Err(error) = ffmpeg_next::init() {
            tracing::error!(%error, "the decoding library did not start");
        }
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Error);
    });
}
