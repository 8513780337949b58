//! The journal of deletions on a disk without any room. Needs root for mounting; where that is not given, a line says what was
//! skipped.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use minhbach_model::{CameraId, Deletion, DeletionReason, SegmentId, StreamKind, WallRange, WallTime};
use minhbach_store::{JournalFile, StoreError};
use minhbach_testkit::faults::{SmallDisk, available};

fn deletions(count: u64) -> Vec<Deletion> {
    let deletion = |number| Deletion {
        segment: SegmentId::generate(),
        camera: CameraId::generate(),
        stream: StreamKind::Main,
        range: WallRange { start: WallTime::from_secs(10), end: WallTime::from_secs(70) },
        key: format!("v1/c/main/2026/11/24/{number}.mp4"),
        bytes: number,
        at: WallTime::from_secs(100),
        reason: DeletionReason::DiskFull,
    };
    (0..count).map(deletion).collect()
}

fn entries(root: &Path) -> Vec<Deletion> {
    JournalFile::entries(root).expect("a journal").collect::<Result<_, StoreError>>().expect("whole lines")
}

#[test]
fn room_is_kept_behind_the_end_and_is_no_part_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    JournalFile::reserve(dir.path()).unwrap();
    let metadata = || std::fs::metadata(dir.path().join("journal.jsonl")).unwrap();
    assert_eq!(metadata().len(), 0);
    assert!(metadata().blocks() * 512 >= 1024 * 1024, "{:?}", metadata());
    // Much more than is kept at once.
    let all = deletions(6000);
    for batch in all.chunks(100) {
        JournalFile::append(dir.path(), batch).unwrap();
        assert!(metadata().blocks() * 512 >= metadata().len() + 400 * 1024, "{:?}", metadata());
    }
    assert_eq!(entries(dir.path()), all);
}

#[test]
fn a_disk_filled_to_the_last_byte_takes_the_journal_and_keeps_room_again_when_it_has_some() {
    let dir = tempfile::tempdir().unwrap();
    let mount = dir.path().join("disk");
    let Some(disk) = available("a full disk", SmallDisk::create(&mount, 6)) else { return };
    JournalFile::reserve(&mount).unwrap();
    let ballast = disk.fill().unwrap();
    assert!(std::fs::write(mount.join("other"), [0; 4096]).is_err(), "it is full");
    let all = deletions(8000);
    let mut taken = 0;
    for batch in all.chunks(100) {
        match JournalFile::append(&mount, batch) {
            Ok(()) => taken += batch.len(),
            Err(error) => {
                assert!(matches!(&error, StoreError::Io { .. }), "{error:?}");
                break;
            }
        }
    }
    assert!((1000..8000).contains(&taken), "{taken} deletions of which each frees a file");
    drop(ballast);
    JournalFile::append(&mount, &all[taken..]).unwrap();
    let ballast = disk.fill().unwrap();
    // The entries that were half written when the room ended are there twice, whole or torn.
    JournalFile::append(&mount, &all[..100]).unwrap();
    drop(ballast);
    let kept: Vec<Deletion> = JournalFile::entries(&mount).unwrap().filter_map(Result::ok).collect();
    assert!(all.iter().all(|deletion| kept.contains(deletion)));
    assert_eq!(kept[kept.len() - 100..], all[..100]);
}
