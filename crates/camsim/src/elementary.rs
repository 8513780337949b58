//! Cuts encoded files into what a camera sends: access units from Annex B, frames from ADTS, packets from raw G.711.
//!
//! Pure: bytes in, shared slices of the same bytes out. Encoding and pacing live elsewhere.

use bytes::Bytes;
use minhbach_testkit::nal::{NalKind, VideoCodec};

/// Octets of a 20 ms packet of G.711 at 8 kHz (RFC 3551 §4.5.14).
pub const G711_PACKET_BYTES: usize = 160;

/// A coded file that is not what the encoder was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElementaryError {
    /// The stream does not begin with a picture that can be decoded alone.
    #[error("the video does not start with a key frame")]
    NoKeyFrame,
    /// The sound file has a broken frame.
    #[error("the sound has no valid ADTS header at byte {0}")]
    Adts(usize),
}

/// One picture with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// Decoding can start here.
    pub key: bool,
    /// NAL units without start codes, in coded order.
    pub nals: Vec<Bytes>,
    /// Where a further SEI goes: before the first slice.
    first_slice: usize,
}

impl AccessUnit {
    /// The NAL units with an SEI before the first slice.
    pub fn nals_with<'a>(&'a self, sei: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let (before, after) = self.nals.split_at(self.first_slice);
        before.iter().map(|nal| &nal[..]).chain(std::iter::once(sei)).chain(after.iter().map(|nal| &nal[..]))
    }

    /// Annex B bytes with an SEI before the first slice.
    #[must_use]
    pub fn annex_b_with(&self, sei: &[u8]) -> Vec<u8> {
        let size = self.nals.iter().map(|nal| nal.len() + 4).sum::<usize>() + sei.len() + 4;
        let mut out = Vec::with_capacity(size);
        for nal in self.nals_with(sei) {
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(nal);
        }
        out
    }
}

/// NAL units of an Annex B stream, without start codes and trailing zeros (ITU-T H.264 §B.1.1).
#[must_use]
pub fn annex_b_nals(data: &Bytes) -> Vec<Bytes> {
    let mut nals = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at + 3 <= data.len() {
        if data[at + 2] > 1 {
            at += 3;
        } else if data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 1 {
            if let Some(start) = start {
                push_nal(&mut nals, data, start, at);
            }
            start = Some(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    if let Some(start) = start {
        push_nal(&mut nals, data, start, data.len());
    }
    nals
}

fn push_nal(nals: &mut Vec<Bytes>, data: &Bytes, start: usize, end: usize) {
    let zeros = data[start..end].iter().rev().take_while(|&&byte| byte == 0).count();
    if end - zeros > start {
        nals.push(data.slice(start..end - zeros));
    }
}

/// Access units of an Annex B stream.
pub fn split_video(codec: VideoCodec, data: &Bytes) -> Result<Vec<AccessUnit>, ElementaryError> {
    let mut units: Vec<AccessUnit> = Vec::new();
    let mut nals: Vec<Bytes> = Vec::new();
    let mut first_slice: Option<(usize, bool)> = None;
    for nal in annex_b_nals(data) {
        let kind = NalKind::of(codec, &nal);
        let starts_next = match kind {
            NalKind::Slice { first, .. } => first,
            NalKind::Trailing => false,
            _ => true,
        };
        if starts_next && let Some((at, key)) = first_slice.take() {
            units.push(AccessUnit { key, nals: std::mem::take(&mut nals), first_slice: at });
        }
        if let NalKind::Slice { key, .. } = kind
            && first_slice.is_none()
        {
            first_slice = Some((nals.len(), key));
        }
        // A delimiter says nothing that a marker bit does not say, and no camera of ours sends one.
        if kind != NalKind::Delimiter {
            nals.push(nal);
        }
    }
    if let Some((at, key)) = first_slice {
        units.push(AccessUnit { key, nals, first_slice: at });
    }
    if units.first().is_some_and(|unit| unit.key) { Ok(units) } else { Err(ElementaryError::NoKeyFrame) }
}

/// Raw AAC frames of an ADTS stream (ISO/IEC 14496-3 §1.A.2.2).
pub fn split_adts(data: &Bytes) -> Result<Vec<Bytes>, ElementaryError> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let head = data.get(at..at + 7).filter(|head| head[0] == 0xff && head[1] & 0xf6 == 0xf0);
        let Some(head) = head else {
            return Err(ElementaryError::Adts(at));
        };
        // protection_absent 0: a CRC of two bytes follows the header.
        let header_len = if head[1] & 1 == 1 { 7 } else { 9 };
        let len = usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5]) >> 5;
        if len <= header_len || at + len > data.len() {
            return Err(ElementaryError::Adts(at));
        }
        frames.push(data.slice(at + header_len..at + len));
        at += len;
    }
    Ok(frames)
}

/// Whole packets of G.711; a shorter rest is left out.
#[must_use]
pub fn split_g711(data: &Bytes) -> Vec<Bytes> {
    (0..data.len() / G711_PACKET_BYTES)
        .map(|i| data.slice(i * G711_PACKET_BYTES..(i + 1) * G711_PACKET_BYTES))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_cut_at_parameter_sets_and_first_slices() {
        let data = Bytes::from_static(&[
            0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 8, 0, 0, 1, 0x65, 0x88, 7, 0, 0, 0, 1, 0x65, 0x08, 6, 0, 0, 0, 1, 0x41,
            0x9a, 5, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x65, 0x88, 4, 0, 0,
        ]);
        let units = split_video(VideoCodec::H264, &data).expect("units");
        assert_eq!(units.iter().map(|u| u.nals.len()).collect::<Vec<_>>(), [4, 1, 2]);
        assert_eq!(units.iter().map(|u| u.key).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(units[2].nals[1], Bytes::from_static(&[0x65, 0x88, 4]), "trailing zeros are no part of a unit");
        assert_eq!(units[1].annex_b_with(&[6, 1]), [0, 0, 0, 1, 6, 1, 0, 0, 0, 1, 0x41, 0x9a, 5]);
        let kinds: Vec<u8> = units[0].nals_with(&[6, 1]).map(|nal| nal[0]).collect();
        assert_eq!(kinds, [0x67, 0x68, 6, 0x65, 0x65]);
    }

    #[test]
    fn a_stream_that_starts_in_the_middle_is_refused() {
        let data = Bytes::from_static(&[0, 0, 1, 0x41, 0x9a, 5]);
        assert_eq!(split_video(VideoCodec::H264, &data), Err(ElementaryError::NoKeyFrame));
    }

    #[test]
    fn adts_headers_are_taken_off() {
        let frame = |body: &[u8]| {
            let len = body.len() + 7;
            let mut out = vec![0xff, 0xf1, 0x60, 0x40 | (len >> 11) as u8, (len >> 3) as u8, (len << 5) as u8, 0xfc];
            out.extend_from_slice(body);
            out
        };
        let mut data = frame(&[1, 2, 3]);
        data.extend(frame(&[4; 300]));
        let frames = split_adts(&Bytes::from(data.clone())).expect("frames");
        assert_eq!(frames, [Bytes::from_static(&[1, 2, 3]), Bytes::from(vec![4; 300])]);
        data.pop();
        assert_eq!(split_adts(&Bytes::from(data)), Err(ElementaryError::Adts(10)));
    }

    #[test]
    fn g711_is_cut_in_20_ms() {
        assert_eq!(split_g711(&Bytes::from(vec![0; 500])).len(), 3);
    }
}
