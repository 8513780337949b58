//! Marks that simulated cameras carry in the media itself, so that a test knows which picture or packet it holds.
//!
//! Video: an SEI message of user data (ITU-T H.264 §D.1.7, H.265 §D.2.7). AAC: a data stream element in front of the
//! frame (ISO/IEC 14496-3 table 4.10). G.711: the lowest bit of the first octets, below what an ear notices.
//! All numbers are big endian. What was really sent is written elsewhere, in [`crate::truth`].

use crate::nal::{NalKind, VideoCodec, escape_into, length_prefixed, unescape};

/// Names our SEI message among those of encoders.
pub const MARK_UUID: [u8; 16] =
    [0x4d, 0x69, 0x6e, 0x68, 0x42, 0xa1, 0x43, 0x68, 0x9e, 0x21, 0x6b, 0x05, 0xd7, 0x3c, 0x88, 0xf4];

const VERSION: u8 = 1;
/// Version, camera, stream, frame, time.
const VIDEO_BODY: usize = 1 + 2 + 1 + 8 + 8;
/// user_data_unregistered.
const SEI_USER_DATA: usize = 5;

/// "MB": what a marked audio packet starts with.
const AUDIO_MAGIC: [u8; 2] = *b"MB";
const AUDIO_BODY: usize = 2 + 2 + 8;
/// id_syn_ele 100b (DSE), element_instance_tag 0000b, data_byte_align_flag 1b.
const DSE_HEAD: u8 = 0b1000_0001;
/// Octets of a G.711 packet that carry one bit each.
const G711_OCTETS: usize = AUDIO_BODY * 8;

/// Which of a camera's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MarkStream {
    /// The large one.
    Main,
    /// The small one.
    Sub,
}

impl MarkStream {
    /// As it stands in URLs and file names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

/// The mark of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoMark {
    /// The camera's number.
    pub camera: u16,
    /// The stream of the camera.
    pub stream: MarkStream,
    /// Counts pictures of the stream from its start, sent or not.
    pub frame: u64,
    /// When it was handed to the network, nanoseconds since the Unix epoch.
    pub send_wall_ns: i64,
}

/// The mark of one AAC frame or G.711 packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioMark {
    /// The camera's number.
    pub camera: u16,
    /// Counts packets from the start of the camera, sent or not.
    pub packet: u64,
}

/// The SEI NAL unit for a mark, without start code or length.
#[must_use]
pub fn build_sei(codec: VideoCodec, mark: &VideoMark) -> Vec<u8> {
    let size = MARK_UUID.len() + VIDEO_BODY;
    let mut rbsp = Vec::with_capacity(size + 3);
    rbsp.push(SEI_USER_DATA as u8);
    rbsp.push(size as u8);
    rbsp.extend_from_slice(&MARK_UUID);
    rbsp.push(VERSION);
    rbsp.extend_from_slice(&mark.camera.to_be_bytes());
    rbsp.push(u8::from(mark.stream == MarkStream::Sub));
    rbsp.extend_from_slice(&mark.frame.to_be_bytes());
    rbsp.extend_from_slice(&mark.send_wall_ns.to_be_bytes());
    // rbsp_trailing_bits
    rbsp.push(0x80);
    let mut nal = match codec {
        VideoCodec::H264 => vec![6],
        VideoCodec::H265 => vec![39 << 1, 1],
    };
    escape_into(&rbsp, &mut nal);
    nal
}

/// The first mark of ours among NAL units without start codes.
pub fn find_video_mark<'a>(codec: VideoCodec, nals: impl IntoIterator<Item = &'a [u8]>) -> Option<VideoMark> {
    let header = match codec {
        VideoCodec::H264 => 1,
        VideoCodec::H265 => 2,
    };
    nals.into_iter()
        .filter(|nal| NalKind::of(codec, nal) == NalKind::Sei)
        .find_map(|nal| mark_in_sei(&unescape(nal.get(header..)?)))
}

/// The mark in a sample as a recorder stores it: NAL units behind four-byte lengths.
#[must_use]
pub fn find_video_mark_in_sample(codec: VideoCodec, sample: &[u8]) -> Option<VideoMark> {
    find_video_mark(codec, length_prefixed(sample))
}

/// Walks the messages of one SEI RBSP (ITU-T H.264 §7.3.2.3.1).
fn mark_in_sei(rbsp: &[u8]) -> Option<VideoMark> {
    let mut rest = rbsp;
    // One byte of rbsp_trailing_bits is left at the end.
    while rest.len() > 2 {
        let (kind, after) = sei_number(rest)?;
        let (size, after) = sei_number(after)?;
        let (payload, tail) = after.split_at_checked(size)?;
        if kind == SEI_USER_DATA
            && let Some(body) = payload.strip_prefix(&MARK_UUID)
        {
            return parse_video(body);
        }
        rest = tail;
    }
    None
}

fn sei_number(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    let mut rest = data;
    loop {
        let (&byte, after) = rest.split_first()?;
        value += usize::from(byte);
        rest = after;
        if byte != 0xff {
            return Some((value, rest));
        }
    }
}

fn parse_video(body: &[u8]) -> Option<VideoMark> {
    let (&version, rest) = body.split_first()?;
    if version != VERSION {
        return None;
    }
    let (camera, rest) = rest.split_first_chunk::<2>()?;
    let (&stream, rest) = rest.split_first()?;
    let (frame, rest) = rest.split_first_chunk::<8>()?;
    let (time, _) = rest.split_first_chunk::<8>()?;
    Some(VideoMark {
        camera: u16::from_be_bytes(*camera),
        stream: match stream {
            0 => MarkStream::Main,
            1 => MarkStream::Sub,
            _ => return None,
        },
        frame: u64::from_be_bytes(*frame),
        send_wall_ns: i64::from_be_bytes(*time),
    })
}

fn audio_body(mark: &AudioMark) -> [u8; AUDIO_BODY] {
    let mut body = [0; AUDIO_BODY];
    body[..2].copy_from_slice(&AUDIO_MAGIC);
    body[2..4].copy_from_slice(&mark.camera.to_be_bytes());
    body[4..].copy_from_slice(&mark.packet.to_be_bytes());
    body
}

fn parse_audio(body: &[u8]) -> Option<AudioMark> {
    let rest = body.strip_prefix(&AUDIO_MAGIC)?;
    let (camera, rest) = rest.split_first_chunk::<2>()?;
    let (packet, _) = rest.split_first_chunk::<8>()?;
    Some(AudioMark { camera: u16::from_be_bytes(*camera), packet: u64::from_be_bytes(*packet) })
}

/// An AAC raw_data_block with the mark in front. The element ends on a byte, so the frame itself is not shifted.
#[must_use]
pub fn mark_aac(frame: &[u8], mark: &AudioMark) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + AUDIO_BODY + frame.len());
    out.push(DSE_HEAD);
    out.push(AUDIO_BODY as u8);
    out.extend_from_slice(&audio_body(mark));
    out.extend_from_slice(frame);
    out
}

/// The mark of an AAC frame, if it has one.
#[must_use]
pub fn read_aac(frame: &[u8]) -> Option<AudioMark> {
    parse_audio(frame.strip_prefix(&[DSE_HEAD, AUDIO_BODY as u8])?)
}

/// A G.711 packet with the mark in its lowest bits; a packet under 96 octets is returned as it is.
#[must_use]
pub fn mark_g711(packet: &[u8], mark: &AudioMark) -> Vec<u8> {
    let mut out = packet.to_vec();
    if let Some(carrier) = out.get_mut(..G711_OCTETS) {
        for (octets, byte) in carrier.chunks_exact_mut(8).zip(audio_body(mark)) {
            for (bit, octet) in octets.iter_mut().enumerate() {
                *octet = (*octet & 0xfe) | ((byte >> (7 - bit)) & 1);
            }
        }
    }
    out
}

/// The mark of a G.711 packet, if it has one.
#[must_use]
pub fn read_g711(packet: &[u8]) -> Option<AudioMark> {
    let carrier = packet.get(..G711_OCTETS)?;
    let body: Vec<u8> =
        carrier.chunks_exact(8).map(|octets| octets.iter().fold(0, |byte, octet| (byte << 1) | (octet & 1))).collect();
    parse_audio(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: VideoMark =
        VideoMark { camera: 3, stream: MarkStream::Sub, frame: 1, send_wall_ns: 1_790_000_000_000_000_000 };
    const AUDIO: AudioMark = AudioMark { camera: 513, packet: 0x0102_0304_0506_0708 };

    #[test]
    fn video_mark_is_found_behind_other_units() {
        for (codec, other_sei) in
            [(VideoCodec::H264, vec![6, 5, 2, 1, 1, 0x80]), (VideoCodec::H265, vec![78, 1, 5, 2, 1, 1, 0x80])]
        {
            let sei = build_sei(codec, &VIDEO);
            assert!(!sei.windows(3).any(|w| w[0] == 0 && w[1] == 0 && w[2] <= 2), "start code inside the SEI");
            let mut sample = Vec::new();
            for nal in [&other_sei, &sei] {
                sample.extend_from_slice(&(nal.len() as u32).to_be_bytes());
                sample.extend_from_slice(nal);
            }
            assert_eq!(find_video_mark_in_sample(codec, &sample), Some(VIDEO));
            assert_eq!(find_video_mark(codec, [other_sei.as_slice()]), None);
        }
    }

    #[test]
    fn a_second_message_of_one_unit_is_read() {
        let sei = build_sei(VideoCodec::H264, &VIDEO);
        let mut both = vec![6, 1, 2, 9, 9];
        both.extend_from_slice(&sei[1..]);
        assert_eq!(find_video_mark(VideoCodec::H264, [both.as_slice()]), Some(VIDEO));
    }

    #[test]
    fn a_foreign_version_is_not_read() {
        let mut sei = build_sei(VideoCodec::H264, &VIDEO);
        sei[3 + MARK_UUID.len()] = 9;
        assert_eq!(find_video_mark(VideoCodec::H264, [sei.as_slice()]), None);
    }

    #[test]
    fn aac_mark_goes_in_front_and_keeps_the_frame() {
        let frame = [1, 2, 3];
        let marked = mark_aac(&frame, &AUDIO);
        assert_eq!(read_aac(&marked), Some(AUDIO));
        assert!(marked.ends_with(&frame));
        assert_eq!(marked.len(), frame.len() + 14);
        assert_eq!(read_aac(&frame), None);
    }

    #[test]
    fn g711_mark_changes_lowest_bits_only() {
        let packet: Vec<u8> = (0..160).map(|i| (i * 7) as u8).collect();
        let marked = mark_g711(&packet, &AUDIO);
        assert_eq!(read_g711(&marked), Some(AUDIO));
        assert_eq!(read_g711(&packet), None);
        assert!(packet.iter().zip(&marked).all(|(a, b)| a & 0xfe == b & 0xfe));
        assert_eq!(packet[96..], marked[96..]);
        assert_eq!(mark_g711(&packet[..40], &AUDIO), packet[..40]);
    }
}
