//! Just enough of H.264 and H.265 to find marks and to hash pictures: NAL unit types, emulation prevention, framing.
//!
//! Parameter sets, slice headers beyond their first bit, and decoding do not belong here.

/// The codecs that the simulated cameras speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
}

/// What a NAL unit is for, as far as framing needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NalKind {
    /// A slice of a picture.
    Slice {
        /// Of a picture at which decoding can start.
        key: bool,
        /// The first slice of its picture.
        first: bool,
    },
    /// SPS, PPS or VPS.
    ParameterSet,
    /// Access unit delimiter.
    Delimiter,
    /// SEI that goes before the slices it describes.
    Sei,
    /// Anything that belongs after the slices: suffix SEI, end of sequence, filler.
    Trailing,
    /// Anything else.
    Other,
}

impl NalKind {
    /// Reads the kind from a NAL unit without start code; an empty one is [`NalKind::Other`].
    #[must_use]
    pub fn of(codec: VideoCodec, nal: &[u8]) -> Self {
        let Some(&head) = nal.first() else {
            return Self::Other;
        };
        match codec {
            // ITU-T H.264 table 7-1; first_mb_in_slice is ue(v) at the start of the slice header: 1b is 0.
            VideoCodec::H264 => match head & 0x1f {
                1 | 5 => Self::Slice { key: head & 0x1f == 5, first: starts_with_one(nal, 1) },
                2..=4 => Self::Slice { key: false, first: false },
                6 => Self::Sei,
                7 | 8 | 13 | 15 => Self::ParameterSet,
                9 => Self::Delimiter,
                10..=12 => Self::Trailing,
                _ => Self::Other,
            },
            // ITU-T H.265 table 7-1; first_slice_segment_in_pic_flag is the first bit after the two-byte header.
            VideoCodec::H265 => match (head >> 1) & 0x3f {
                kind @ 0..=31 => Self::Slice { key: (16..=21).contains(&kind), first: starts_with_one(nal, 2) },
                32..=34 => Self::ParameterSet,
                35 => Self::Delimiter,
                36..=38 | 40 => Self::Trailing,
                39 => Self::Sei,
                _ => Self::Other,
            },
        }
    }

    /// Whether a recorder keeps it in a sample: everything but delimiters and parameter sets (ISO/IEC 14496-15 §5.3.2).
    #[must_use]
    pub fn kept_in_samples(self) -> bool {
        !matches!(self, Self::ParameterSet | Self::Delimiter)
    }
}

fn starts_with_one(nal: &[u8], at: usize) -> bool {
    nal.get(at).is_some_and(|byte| byte & 0x80 != 0)
}

/// Inserts emulation prevention bytes (ITU-T H.264 §7.4.1, H.265 §7.4.2) and appends the result to `out`.
pub fn escape_into(rbsp: &[u8], out: &mut Vec<u8>) {
    let mut zeros = 0;
    for &byte in rbsp {
        if zeros >= 2 && byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        out.push(byte);
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
}

/// Removes emulation prevention bytes.
#[must_use]
pub fn unescape(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut zeros = 0;
    for &byte in data {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        out.push(byte);
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
    out
}

/// The NAL units of a sample in which each has a four-byte big-endian length before it; ends at the first bad length.
pub fn length_prefixed(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = sample;
    std::iter::from_fn(move || {
        let (prefix, after) = rest.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_be_bytes(*prefix)).ok()?;
        let (nal, tail) = after.split_at_checked(len)?;
        rest = tail;
        Some(nal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_is_undone_and_leaves_no_start_code() {
        for plain in [&[0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 2][..], &[0, 0], &[1, 2, 3], &[0, 0, 3]] {
            let mut escaped = Vec::new();
            escape_into(plain, &mut escaped);
            assert!(!escaped.windows(3).any(|w| w[0] == 0 && w[1] == 0 && w[2] <= 2));
            assert_eq!(unescape(&escaped), plain);
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(NalKind::of(VideoCodec::H264, &[0x65, 0x88]), NalKind::Slice { key: true, first: true });
        assert_eq!(NalKind::of(VideoCodec::H264, &[0x41, 0x08]), NalKind::Slice { key: false, first: false });
        assert_eq!(NalKind::of(VideoCodec::H264, &[0x67]), NalKind::ParameterSet);
        assert_eq!(NalKind::of(VideoCodec::H265, &[0x26, 1, 0x80]), NalKind::Slice { key: true, first: true });
        assert_eq!(NalKind::of(VideoCodec::H265, &[0x02, 1, 0x00]), NalKind::Slice { key: false, first: false });
        assert_eq!(NalKind::of(VideoCodec::H265, &[0x4e, 1]), NalKind::Sei);
        assert_eq!(NalKind::of(VideoCodec::H265, &[0x50, 1]), NalKind::Trailing);
        assert_eq!(NalKind::of(VideoCodec::H265, &[]), NalKind::Other);
    }

    #[test]
    fn a_cut_sample_ends_the_walk() {
        let sample = [0, 0, 0, 1, 9, 0, 0, 0, 5, 1];
        assert_eq!(length_prefixed(&sample).collect::<Vec<_>>(), [&[9u8][..]]);
    }
}
