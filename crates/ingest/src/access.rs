//! Where decoding can start: random access points that are no IDR pictures.
//!
//! Retina marks IDR pictures only. Encoders with open groups of pictures send one IDR picture when they start and from then on
//! CRA pictures (H.265) or pictures with a recovery point (H.264); without these a segment, a viewer and an export would wait
//! for ever. Reads NAL unit headers and SEI, nothing deeper.

use minhbach_model::VideoCodec;

/// Payload type of a recovery point (ITU-T H.264 §D.1.8).
const RECOVERY_POINT: u32 = 6;

/// Whether decoding can start with this access unit, of NAL units with four bytes of length before each.
///
/// H.265: all coded slices are of an IRAP picture, types 16 to 23 (ITU-T H.265 table 7-1); leading pictures that refer to what
/// came before are left out by decoders. H.264: an IDR picture, or a recovery point in an SEI message; where it asks for some
/// more pictures (gradual refresh), a decoder shows the picture once it is whole.
pub(crate) fn can_start(codec: VideoCodec, access_unit: &[u8]) -> bool {
    match codec {
        VideoCodec::Mjpeg => true,
        VideoCodec::H264 => nal_units(access_unit).any(|nal| match nal.first().map(|header| header & 0x1F) {
            Some(5) => true,
            Some(6) => sei_types(&payload_bytes(&nal[1..])).any(|payload| payload == RECOVERY_POINT),
            _ => false,
        }),
        VideoCodec::H265 => {
            let mut slices = nal_units(access_unit)
                .filter_map(|nal| nal.first())
                .map(|header| (header >> 1) & 0x3F)
                .filter(|kind| *kind < 32)
                .peekable();
            slices.peek().is_some() && slices.all(|kind| (16..=23).contains(&kind))
        }
    }
}

/// The NAL units of an access unit; ends at the first length that does not fit.
fn nal_units(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (nal, next) = after.split_at_checked(length)?;
        rest = next;
        Some(nal)
    })
}

/// A NAL unit's payload without the bytes that keep start codes out of it (ITU-T H.264 §7.4.1).
fn payload_bytes(nal: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let kept = nal.iter().filter(|byte| {
        let prevention = zeros >= 2 && **byte == 3;
        zeros = if **byte == 0 { zeros + 1 } else { 0 };
        !prevention
    });
    kept.copied().collect()
}

/// Payload types of the messages in an SEI (ITU-T H.264 §7.3.2.3.1).
fn sei_types(mut rest: &[u8]) -> impl Iterator<Item = u32> {
    fn number(rest: &mut &[u8]) -> Option<u32> {
        let mut sum = 0_u32;
        loop {
            let (byte, next) = rest.split_first()?;
            *rest = next;
            sum = sum.checked_add(u32::from(*byte))?;
            if *byte != 0xFF {
                return Some(sum);
            }
        }
    }
    std::iter::from_fn(move || {
        // What is left at the end is the trailing bit.
        if rest.len() <= 1 {
            return None;
        }
        let kind = number(&mut rest)?;
        let size = usize::try_from(number(&mut rest)?).ok()?;
        rest = rest.get(size..)?;
        Some(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&u32::try_from(nal.len()).unwrap().to_be_bytes(), *nal].concat()).collect()
    }

    #[test]
    fn h265_starts_at_every_irap_picture() {
        let of = |kinds: &[u8]| {
            let nals: Vec<[u8; 3]> = kinds.iter().map(|kind| [kind << 1, 1, 0xAF]).collect();
            can_start(VideoCodec::H265, &unit(&nals.iter().map(|nal| &nal[..]).collect::<Vec<_>>()))
        };
        // SEI with IDR, CRA, BLA.
        assert!(of(&[39, 19]) && of(&[21]) && of(&[16, 16]));
        // Trailing picture, a leading one, only SEI.
        assert!(!of(&[1]) && !of(&[9]) && !of(&[39]) && !of(&[21, 1]));
    }

    #[test]
    fn h264_starts_at_idr_pictures_and_recovery_points() {
        let of = |nals: &[&[u8]]| can_start(VideoCodec::H264, &unit(nals));
        assert!(of(&[&[0x65, 0x88]]));
        assert!(!of(&[&[0x41, 0x9A]]));
        // A message of 300 bytes before the recovery point.
        let mut sei = vec![0x06, 5, 0xFF, 45];
        sei.extend([0x11; 300]);
        sei.extend([6, 1, 0x84, 0x80]);
        assert!(of(&[&sei, &[0x41, 0x9A]]));
        assert!(!of(&[&[0x06, 5, 2, 6, 6, 0x80], &[0x41, 0x9A]]), "a payload is taken for a type");
        // Four bytes of payload are five in the stream.
        assert!(of(&[&[0x06, 5, 4, 0, 0, 3, 0, 1, 6, 1, 0x84, 0x80], &[0x41, 0x9A]]));
    }

    #[test]
    fn damaged_units_end_the_search() {
        assert!(!can_start(VideoCodec::H264, &[0, 0, 0, 9, 0x65]));
        assert!(!can_start(VideoCodec::H264, &unit(&[&[0x06, 0xFF, 0xFF]])));
        assert!(!can_start(VideoCodec::H265, &[]));
    }
}
