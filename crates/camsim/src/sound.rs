//! The sound of a scene: a talk at the counter spoken by espeak-ng, with the faint noise of a room, coded once.
//!
//! The talk is laid on a ring of exactly [`RING_SECONDS`], so it repeats without a seam. The ring is given to the
//! encoder three times and the middle turn is kept: its first and last packets know their neighbours.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;

use crate::clips::{ClipError, Ffmpeg, ffmpeg_command, partial_path};
use crate::elementary::{split_adts, split_g711};
use crate::profile::AudioCodec;

/// To be raised when the talk or the coding changes.
const CONTENT_VERSION: u32 = 1;
/// A whole number of AAC frames (375) and of G.711 packets (1200).
const RING_SECONDS: u32 = 24;
/// espeak-ng speaks at this rate.
const SPEECH_RATE: u32 = 22_050;
const RING_SAMPLES: usize = (RING_SECONDS * SPEECH_RATE) as usize;
/// Turns of the ring that are given to the encoder.
const TURNS: usize = 3;
/// Least silence between two sentences.
const PAUSE_SAMPLES: usize = (SPEECH_RATE / 4) as usize;
/// Largest value of the room's noise; speech reaches some ten thousand.
const ROOM_NOISE: i32 = 60;

/// Who says a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Officer,
    Citizen,
}

use Speaker::{Citizen, Officer};

/// Pitch of officer and citizen (espeak-ng: 0 to 99), and what they say.
type Talk = ([u32; 2], [(Speaker, &'static str); 6]);

const TALKS: [Talk; crate::profile::SCENES as usize] = [
    (
        [68, 28],
        [
            (Officer, "Dạ, cháu chào bác. Bác cần làm thủ tục gì ạ?"),
            (Citizen, "Chào cháu. Bác muốn chứng thực bản sao giấy khai sinh."),
            (Officer, "Bác cho cháu xem bản chính và căn cước công dân ạ."),
            (Citizen, "Giấy tờ đây, cháu xem giúp bác."),
            (Officer, "Hồ sơ của bác đủ rồi ạ. Mời bác ngồi chờ khoảng mười phút."),
            (Citizen, "Ừ, cảm ơn cháu nhé."),
        ],
    ),
    (
        [62, 35],
        [
            (Officer, "Chào anh, mời anh ngồi. Anh nộp hồ sơ gì ạ?"),
            (Citizen, "Chào chị, tôi đăng ký hộ kinh doanh."),
            (Officer, "Vâng, anh cho tôi xem tờ khai và hợp đồng thuê nhà."),
            (Citizen, "Tất cả ở đây, chị kiểm tra giúp tôi."),
            (Officer, "Hồ sơ hợp lệ rồi. Đây là giấy hẹn, ba ngày nữa anh đến nhận kết quả."),
            (Citizen, "Vâng, cảm ơn chị."),
        ],
    ),
    (
        [38, 66],
        [
            (Officer, "Mời chị đến quầy số ba."),
            (Citizen, "Dạ, em muốn hỏi về thủ tục tách thửa đất ạ."),
            (Officer, "Chị điền vào mẫu đơn này giúp tôi, chỗ nào chưa rõ thì cứ hỏi."),
            (Citizen, "Dạ, lệ phí bao nhiêu ạ?"),
            (Officer, "Lệ phí niêm yết ở bảng bên cạnh, chị có thể chuyển khoản."),
            (Citizen, "Vâng, em cảm ơn anh."),
        ],
    ),
    (
        [70, 32],
        [
            (Officer, "Chào anh, chúc mừng gia đình có thêm cháu nhỏ."),
            (Citizen, "Cảm ơn chị. Tôi đến đăng ký khai sinh cho cháu."),
            (Officer, "Anh cho tôi giấy chứng sinh và giấy đăng ký kết hôn."),
            (Citizen, "Giấy tờ đây ạ."),
            (Officer, "Thông tin đúng cả rồi. Mời anh ký vào đây."),
            (Citizen, "Vâng, cảm ơn chị nhiều."),
        ],
    ),
];

/// Packets of a scene's sound, as talk and as silence; both repeat without a seam.
#[derive(Debug)]
pub struct Sound {
    /// With speech.
    pub talk: Vec<Bytes>,
    /// Muted.
    pub silence: Vec<Bytes>,
}

impl Sound {
    /// Takes it from the media folder, or makes it there.
    pub(crate) fn load_or_make(folder: &Path, scene: u8, codec: AudioCodec) -> Result<Self, ClipError> {
        let extension = match codec {
            AudioCodec::Aac => "aac",
            AudioCodec::Pcma => "alaw",
            AudioCodec::Pcmu => "ulaw",
        };
        let name = |what: &str| folder.join(format!("v{CONTENT_VERSION}-sound-{what}-{RING_SECONDS}s.{extension}"));
        let talk_path = name(&format!("scene{scene}"));
        if !talk_path.exists() {
            eprintln!("camsim: speaking for scene {scene} {codec:?}");
            encode(&speak(folder, scene)?, codec, &talk_path)?;
        }
        let silence = match codec {
            AudioCodec::Aac => {
                let path = name("silence");
                if !path.exists() {
                    encode(&vec![0; RING_SAMPLES], codec, &path)?;
                }
                load(&path, codec)?
            }
            // ITU-T G.711: the code of zero.
            AudioCodec::Pcma => vec![Bytes::from(vec![0xd5; crate::elementary::G711_PACKET_BYTES])],
            AudioCodec::Pcmu => vec![Bytes::from(vec![0xff; crate::elementary::G711_PACKET_BYTES])],
        };
        Ok(Self { talk: load(&talk_path, codec)?, silence })
    }
}

/// The middle turn of a coded file.
fn load(path: &Path, codec: AudioCodec) -> Result<Vec<Bytes>, ClipError> {
    let data = fs::read(path).map_err(|source| ClipError::File { path: path.to_path_buf(), source })?;
    let data = Bytes::from(data);
    let packets = match codec {
        AudioCodec::Aac => {
            split_adts(&data).map_err(|source| ClipError::Content { path: path.to_path_buf(), source })?
        }
        AudioCodec::Pcma | AudioCodec::Pcmu => split_g711(&data),
    };
    middle_turn(&packets, codec).ok_or_else(|| ClipError::Short { path: path.to_path_buf() })
}

fn middle_turn(packets: &[Bytes], codec: AudioCodec) -> Option<Vec<Bytes>> {
    let turn = usize::try_from(u64::from(RING_SECONDS) * 1_000_000_000 / codec.packet_ns()).ok()?;
    packets.get(turn..2 * turn).map(<[Bytes]>::to_vec)
}

fn encode(ring: &[i16], codec: AudioCodec, target: &Path) -> Result<(), ClipError> {
    let partial = partial_path(target);
    let coder = match codec {
        AudioCodec::Aac => ["aac", "adts"],
        AudioCodec::Pcma => ["pcm_alaw", "alaw"],
        AudioCodec::Pcmu => ["pcm_mulaw", "mulaw"],
    };
    let mut command = ffmpeg_command();
    command.args(["-f", "s16le", "-ac", "1", "-ar"]).arg(SPEECH_RATE.to_string()).args(["-i", "pipe:0"]);
    command.args(["-c:a", coder[0], "-ac", "1", "-ar"]).arg(codec.rate().to_string());
    if codec == AudioCodec::Aac {
        command.args(["-b:a", "32k"]);
    }
    command.args(["-f", coder[1]]).arg(&partial);
    let mut ffmpeg = Ffmpeg::start(&mut command, &target.display().to_string())?;
    let bytes: Vec<u8> = ring.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let written = (0..TURNS)
        .try_for_each(|_| ffmpeg.input().write_all(&bytes))
        .map_err(|source| ClipError::Program { program: "ffmpeg", source });
    ffmpeg.finish(written)?;
    fs::rename(&partial, target).map_err(|source| ClipError::File { path: target.to_path_buf(), source })
}

/// The talk of a scene on the ring, with the noise of the room.
fn speak(folder: &Path, scene: u8) -> Result<Vec<i16>, ClipError> {
    let (pitch, sentences) = &TALKS[usize::from(scene) % TALKS.len()];
    let mut spoken = Vec::with_capacity(sentences.len());
    for (i, (speaker, text)) in sentences.iter().enumerate() {
        let pitch = match speaker {
            Officer => pitch[0],
            Citizen => pitch[1],
        };
        let path = partial_path(&folder.join(format!("speech-{scene}-{i}.wav")));
        let samples = say(text, pitch, &path);
        // A file that stays is overwritten by the next talk; it is not read again.
        let _ = fs::remove_file(&path);
        spoken.push(samples?);
    }
    Ok(lay_on_ring(&spoken))
}

fn say(text: &str, pitch: u32, path: &Path) -> Result<Vec<i16>, ClipError> {
    let status = Command::new("espeak-ng")
        .args(["-v", "vi", "-s", "165", "-p", &pitch.to_string(), "-w"])
        .arg(path)
        .arg(text)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|source| ClipError::Program { program: "espeak-ng", source })?;
    if !status.success() {
        return Err(ClipError::Failed { program: "espeak-ng", what: text.to_owned() });
    }
    let data = fs::read(path).map_err(|source| ClipError::File { path: path.to_path_buf(), source })?;
    wave_samples(&data).ok_or_else(|| ClipError::Wave { path: path.to_path_buf() })
}

/// Samples of a RIFF wave file, if it is 16-bit mono at [`SPEECH_RATE`].
fn wave_samples(data: &[u8]) -> Option<Vec<i16>> {
    let mut rest = data.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut fits = false;
    loop {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (len, after) = after.split_first_chunk::<4>()?;
        let len = u32::from_le_bytes(*len) as usize;
        match name {
            b"fmt " => {
                let rate = after.get(4..8)?;
                fits = after.get(..4)? == [1, 0, 1, 0]
                    && rate == SPEECH_RATE.to_le_bytes()
                    && after.get(14..16)? == [16, 0];
            }
            b"data" => {
                let body = after.get(..len).unwrap_or(after);
                let samples = body.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
                return fits.then(|| samples.collect());
            }
            _ => {}
        }
        // Chunks are padded to even lengths.
        rest = after.get(len + len % 2..)?;
    }
}

/// Sentences one after the other with equal pauses; those that do not fit any more are left out.
fn lay_on_ring(sentences: &[Vec<i16>]) -> Vec<i16> {
    let mut used = 0;
    let fitting: Vec<&Vec<i16>> = sentences
        .iter()
        .take_while(|sentence| {
            used += sentence.len() + PAUSE_SAMPLES;
            used <= RING_SAMPLES
        })
        .collect();
    let speech: usize = fitting.iter().map(|sentence| sentence.len()).sum();
    let pause = (RING_SAMPLES - speech) / fitting.len().max(1);
    let mut ring = room_noise();
    let mut at = pause / 2;
    for sentence in fitting {
        for (place, sample) in ring.iter_mut().skip(at).zip(sentence) {
            *place = place.saturating_add(*sample);
        }
        at += sentence.len() + pause;
    }
    ring
}

/// The same faint noise each time: a cached file must not depend on chance.
fn room_noise() -> Vec<i16> {
    let mut state: u32 = 0x1234_5678;
    let mut smooth = 0;
    (0..RING_SAMPLES)
        .map(|_| {
            // Numerical Recipes' generator; the high bits are the random ones.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (state >> 16) as i32 % (8 * ROOM_NOISE) - 4 * ROOM_NOISE;
            smooth += (white - smooth) / 4;
            smooth.clamp(-ROOM_NOISE, ROOM_NOISE) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_file_is_read() {
        let mut data = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x22\x56\0\0\x44\xac\0\0\x02\0\x10\0".to_vec();
        data.extend_from_slice(b"LIST\x03\0\0\0abc\0data\x04\0\0\0\x01\0\xff\xff");
        assert_eq!(wave_samples(&data), Some(vec![1, -1]));
        data[22] = 2;
        assert_eq!(wave_samples(&data), None, "stereo");
        assert_eq!(wave_samples(b"RIFF"), None);
    }

    #[test]
    fn the_ring_is_full_and_holds_what_fits() {
        let ring = lay_on_ring(&[vec![20_000; 1000], vec![20_000; 2000], vec![20_000; RING_SAMPLES]]);
        assert_eq!(ring.len(), RING_SAMPLES);
        assert_eq!(ring.iter().filter(|sample| **sample > 15_000).count(), 3000);
        assert!(ring[0] < 1000);
    }

    #[test]
    fn a_turn_is_whole_packets() {
        for (codec, turn) in [(AudioCodec::Aac, 375), (AudioCodec::Pcma, 1200)] {
            assert_eq!(codec.packet_ns() * turn, u64::from(RING_SECONDS) * 1_000_000_000);
            let packets: Vec<Bytes> = (0..3 * turn).map(|i| Bytes::from(i.to_le_bytes().to_vec())).collect();
            let middle = middle_turn(&packets, codec).expect("a turn");
            assert_eq!((middle.len() as u64, &middle[0]), (turn, &packets[turn as usize]));
            assert_eq!(middle_turn(&packets[..10], codec), None);
        }
    }
}
