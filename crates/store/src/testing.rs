//! Segments for tests: small, whole, and with true hashes.

use std::path::Path;

use minhbach_evidence::{ClockState, Digest, FragmentRecord, Sidecar, SidecarHeader, SidecarWriter};
use minhbach_model::{CameraId, SegmentId, StreamKind, WallTime};

use crate::SegmentKey;

/// A key of a camera of its own.
pub(crate) fn new_key() -> SegmentKey {
    SegmentKey::new(CameraId::generate(), StreamKind::Main, WallTime::from_secs(1_795_503_600), SegmentId::generate())
}

fn lines(init: &[u8], fragments: &[&[u8]]) -> Vec<u8> {
    let header = SidecarHeader {
        version: 0,
        camera: String::new(),
        stream: String::new(),
        segment: String::new(),
        key: String::new(),
        start: String::new(),
        video: String::new(),
        audio: String::new(),
        init_len: init.len() as u64,
        init_sha256: Digest::of(init),
        prev: Digest([0; 32]),
    };
    let (mut writer, mut lines) = SidecarWriter::start(header).unwrap();
    for fragment in fragments {
        let mut record = FragmentRecord {
            offset: 0,
            len: fragment.len() as u64,
            media_start_90k: 0,
            start_wall_ns: 0,
            end_wall_ns: 1,
            video: 1,
            audio: 0,
            lost: 0,
            key: true,
            clock: ClockState::Tied,
            sha256: Digest::of(fragment),
            prev: Digest([0; 32]),
        };
        lines.extend(writer.append(&mut record).unwrap());
    }
    lines
}

/// The sidecar and the media bytes of a segment of these fragments.
pub(crate) fn sidecar_of(init: &[u8], fragments: &[&[u8]]) -> (Sidecar, Vec<u8>) {
    (Sidecar::parse(&lines(init, fragments)).unwrap(), [init, &fragments.concat()[..]].concat())
}

/// Writes a segment below `root` and returns its sidecar and its media bytes.
pub(crate) fn write_segment(root: &Path, key: &SegmentKey, fragments: &[&[u8]]) -> (Sidecar, Vec<u8>) {
    let (sidecar, media) = sidecar_of(b"init", fragments);
    std::fs::create_dir_all(key.media_path(root).parent().unwrap()).unwrap();
    std::fs::write(key.media_path(root), &media).unwrap();
    std::fs::write(key.sidecar_path(root), lines(b"init", fragments)).unwrap();
    (sidecar, media)
}
