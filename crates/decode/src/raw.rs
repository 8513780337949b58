//! The few things FFmpeg's safe wrapper does not offer: codec parameters set by hand, and planes without copying.
//!
//! The only module of the workspace that may hold `unsafe`; each block says why it is sound.
#![allow(unsafe_code)]

use ffmpeg_next::codec::Context;
use ffmpeg_next::ffi::{AV_INPUT_BUFFER_PADDING_SIZE, av_mallocz};
use ffmpeg_next::software::scaling;
use ffmpeg_next::{ChannelLayout, frame};

use crate::DecodeError;

/// Largest decoder configuration accepted; real ones have tens to a few hundred bytes.
const MAX_EXTRADATA_BYTES: usize = 1 << 20;

/// Gives a context that is not open yet its out-of-band configuration (avcC, hvcC, AudioSpecificConfig).
pub(crate) fn set_extradata(context: &mut Context, bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.is_empty() {
        return Ok(());
    }
    let size = match i32::try_from(bytes.len()) {
        Ok(size) if bytes.len() <= MAX_EXTRADATA_BYTES => size,
        _ => return Err(DecodeError::Size { what: format!("decoder configuration of {} bytes", bytes.len()) }),
    };
    // SAFETY: `context` is a live, exclusively borrowed AVCodecContext that is not open and has no extradata yet (callers
    // build it just before). The memory comes from av_mallocz as avcodec_open2 requires, is larger than the data by the
    // required zeroed padding, and is freed by avcodec_free_context, which `Context` calls when it is dropped.
    unsafe {
        let memory = av_mallocz(bytes.len() + AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
        if memory.is_null() {
            return Err(DecodeError::NoMemory);
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
        let context = context.as_mut_ptr();
        (*context).extradata = memory;
        (*context).extradata_size = size;
    }
    Ok(())
}

/// Gives a sound context that is not open yet its rate and channels, which plain PCM codecs need from outside.
pub(crate) fn set_audio_shape(context: &mut Context, rate_hz: i32, channels: u16) {
    let layout = ChannelLayout::default(i32::from(channels));
    // SAFETY: plain integer fields of a live, exclusively borrowed AVCodecContext that is not open yet; avcodec_open2
    // checks their values.
    unsafe {
        let context = context.as_mut_ptr();
        (*context).sample_rate = rate_hz;
        (*context).channels = i32::from(channels);
        (*context).channel_layout = layout.bits();
    }
}

/// One plane of a decoded 8-bit planar picture: its bytes (the last row without the padding after it) and its line size.
/// `None` when the picture has no such plane or it is stored bottom-up.
pub(crate) fn plane(picture: &frame::Video, index: usize, width: usize, height: usize) -> Option<(&[u8], usize)> {
    if index >= 3 || width == 0 || height == 0 {
        return None;
    }
    // SAFETY: `picture` owns a live AVFrame; `data` and `linesize` are arrays of eight. For a planar 8-bit format libav
    // guarantees `height` rows of at least `width` bytes at `data[index] + row * linesize[index]`, which is the length
    // taken. The slice borrows `picture`, so the buffers stay referenced, and nothing writes to them any more: the decoder
    // runs without frame threads and hands a picture out only when it is finished.
    unsafe {
        let raw = picture.as_ptr();
        let data = (*raw).data[index];
        let stride = usize::try_from((*raw).linesize[index]).ok()?;
        if data.is_null() || stride < width {
            return None;
        }
        Some((std::slice::from_raw_parts(data, stride * (height - 1) + width), stride))
    }
}

/// A picture converter that may move between threads with its decoder.
pub(crate) struct Scaler(pub(crate) scaling::Context);

// SAFETY: an SwsContext has no thread affinity and no shared state; `Scaler` is its only owner and every use of it needs
// `&mut`, so it is only ever used by one thread at a time.
unsafe impl Send for Scaler {}

#[cfg(test)]
mod tests {
    use super::*;
    use ffmpeg_next::format::Pixel;

    #[test]
    fn a_plane_ends_with_its_last_pixel() {
        let picture = frame::Video::new(Pixel::YUV420P, 18, 10);
        let (luma, stride) = plane(&picture, 0, 18, 10).unwrap();
        assert!(stride >= 18);
        assert_eq!(luma.len(), stride * 9 + 18);
        assert!(plane(&picture, 3, 9, 5).is_none());
        assert!(plane(&picture, 0, stride + 1, 10).is_none());
    }

    #[test]
    fn a_monstrous_configuration_is_refused() {
        let mut context = Context::new();
        assert!(set_extradata(&mut context, &vec![0; MAX_EXTRADATA_BYTES + 1]).is_err());
        assert!(set_extradata(&mut context, &[1, 2, 3]).is_ok());
    }
}
