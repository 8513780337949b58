//! Access units and sound as RTP packets interleaved in TCP (RFC 2326 §10.12), laid out once; only sequence number and
//! timestamp are patched for each client.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minhbach_camsim::elementary::AccessUnit;

/// Largest RTP payload.
const MTU: usize = 1400;

/// One access unit or frame of sound: its packets back to back.
pub struct Unit {
    /// `$`, channel, length, RTP header and payload of each packet.
    pub bytes: Vec<u8>,
    /// Where each packet's RTP header starts.
    pub headers: Vec<usize>,
    /// Bytes of media in it.
    pub media: usize,
}

/// A looped track.
pub struct Track {
    /// Its units.
    pub units: Vec<Unit>,
    /// RTP clock.
    pub clock: u32,
    /// Ticks from one unit to the next.
    pub ticks: u32,
    /// Lines of the SDP.
    pub sdp: String,
}

fn packet(unit: &mut Unit, channel: u8, payload_type: u8, marker: bool, parts: [&[u8]; 2]) {
    let len = u16::try_from(12 + parts[0].len() + parts[1].len()).unwrap_or(u16::MAX);
    unit.bytes.extend([b'$', channel]);
    unit.bytes.extend(len.to_be_bytes());
    unit.headers.push(unit.bytes.len());
    unit.bytes.extend([0x80, payload_type | if marker { 0x80 } else { 0 }]);
    unit.bytes.extend([0; 6]); // sequence number and timestamp
    unit.bytes.extend(*b"BNCH"); // SSRC
    unit.bytes.extend(parts[0]);
    unit.bytes.extend(parts[1]);
}

/// H.264 by RFC 6184, packetization mode 1.
pub fn h264(units: &[AccessUnit], frames_a_second: u32) -> Track {
    let mut sets = (Vec::new(), Vec::new());
    let units = units
        .iter()
        .map(|access_unit| {
            let mut unit = Unit { bytes: Vec::new(), headers: Vec::new(), media: 0 };
            for (i, nal) in access_unit.nals.iter().enumerate() {
                match nal[0] & 0x1F {
                    7 if sets.0.is_empty() => sets.0 = nal.to_vec(),
                    8 if sets.1.is_empty() => sets.1 = nal.to_vec(),
                    _ => {}
                }
                unit.media += nal.len() + 4;
                nal_packets(&mut unit, nal, i + 1 == access_unit.nals.len());
            }
            unit
        })
        .collect();
    let (sps, pps) = (BASE64.encode(&sets.0), BASE64.encode(&sets.1));
    let sdp = format!(
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sps},{pps}\r\n"
    );
    Track { units, clock: 90_000, ticks: 90_000 / frames_a_second, sdp }
}

fn nal_packets(unit: &mut Unit, nal: &[u8], last: bool) {
    if nal.len() <= MTU {
        packet(unit, 0, 96, last, [nal, &[]]);
        return;
    }
    let (header, body) = (nal[0], &nal[1..]);
    let pieces = body.chunks(MTU - 2).collect::<Vec<_>>();
    for (i, piece) in pieces.iter().enumerate() {
        // RFC 6184 §5.8: FU indicator of type 28, FU header with start and end bits.
        let (start, end) = (i == 0, i + 1 == pieces.len());
        let bits = if start { 0x80 } else { 0 } | if end { 0x40 } else { 0 };
        let fu = [(header & 0xE0) | 28, bits | (header & 0x1F)];
        packet(unit, 0, 96, last && end, [&fu, piece]);
    }
}

/// AAC by RFC 3640, mode AAC-hbr, one frame a packet; 16 kHz, mono.
pub fn aac(frames: &[impl AsRef<[u8]>]) -> Track {
    let units = frames
        .iter()
        .map(|frame| {
            let frame = frame.as_ref();
            let mut unit = Unit { bytes: Vec::new(), headers: Vec::new(), media: frame.len() };
            let size = u16::try_from(frame.len() << 3).unwrap_or(u16::MAX).to_be_bytes();
            packet(&mut unit, 2, 97, true, [&[0, 16, size[0], size[1]], frame]);
            unit
        })
        .collect();
    let sdp = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;profile-level-id=1;\
               mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408\r\n"
        .to_owned();
    Track { units, clock: 16_000, ticks: 1024, sdp }
}
