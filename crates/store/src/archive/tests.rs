//! Every kind of archive does the same, and goes on from whatever a crash or a bad store leaves.

use std::sync::Mutex;

use futures::StreamExt;
use futures::stream::BoxStream;
use minhbach_model::{CameraId, SegmentId, StreamKind, Tier, WallTime};
use object_store::memory::InMemory;
use object_store::path::Path as Name;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use tempfile::TempDir;

use super::*;
use crate::Footage;
use crate::testing::{new_key, write_segment};

const FRAGMENTS: [&[u8]; 3] = [b"first fragment", b"second", b"the third fragment"];
/// Enough for parts of their own, see `ObjectArchive::over`.
const LARGE: [&[u8]; 3] = [&[1; 50], &[2; 30], &[3; 17]];

/// A spool, an archive of each kind, and the folders they lie in.
fn kinds() -> Vec<(TempDir, Archive, &'static str)> {
    let folder = || tempfile::tempdir().unwrap();
    let (renaming, copying, objects) = (folder(), folder(), folder());
    let path = |dir: &TempDir| dir.path().join("archive");
    let spool = |dir: &TempDir| std::fs::create_dir(dir.path().join("spool")).unwrap();
    [&renaming, &copying, &objects].into_iter().for_each(spool);
    let renames = Archive::open(ArchiveOptions::Folder { path: path(&renaming) }).unwrap();
    let copies = Archive::of_folder(FolderArchive::copying(path(&copying)));
    let puts = Archive::over(Arc::new(InMemory::new()));
    vec![(renaming, renames, "renaming"), (copying, copies, "copying"), (objects, puts, "objects")]
}

fn spool(dir: &TempDir) -> PathBuf {
    dir.path().join("spool")
}

fn files_below(path: &Path) -> usize {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

async fn is_whole(archive: &Archive, key: &SegmentKey, media: &[u8]) -> bool {
    let sidecar = archive.sidecar(key).await.unwrap();
    let read = archive.read(key, 0..media.len() as u64).await.unwrap();
    sidecar.fragments.len() == 3 && read == media && archive.list(None, 9).await.unwrap() == [key.clone()]
}

#[tokio::test]
async fn a_segment_goes_in_is_read_and_goes_out_and_every_step_may_be_repeated() {
    for (dir, archive, kind) in kinds() {
        for fragments in [FRAGMENTS, LARGE] {
            let (spool, key) = (spool(&dir), new_key());
            let (_, media) = write_segment(&spool, &key, &fragments);
            let len = media.len() as u64;
            assert!(archive.list(None, 9).await.unwrap().is_empty());
            for _ in 0..2 {
                let put = archive.put(&spool, &key).await.unwrap();
                assert_eq!((put.bytes, put.moved, put.altered.len()), (len, kind == "renaming", 0), "{kind}");
            }
            assert_eq!(files_below(&spool), if kind == "renaming" { 0 } else { 2 });
            for _ in 0..2 {
                archive.remove_spooled(&spool, &key).await.unwrap();
            }
            assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0, "no empty folder is left");
            archive.put(&spool, &key).await.expect("it is there already");
            assert!(is_whole(&archive, &key, &media).await, "{kind}");
            assert_eq!(archive.size(&key).await.unwrap(), len);
            assert_eq!(archive.read(&key, 5..9).await.unwrap(), media[5..9]);
            for beyond in [len - 1..len + 1, len..len + 1] {
                assert!(matches!(archive.read(&key, beyond).await, Err(StoreError::Altered { .. })), "{kind}");
            }
            for _ in 0..2 {
                archive.delete(&key).await.unwrap();
            }
            assert!(archive.size(&key).await.unwrap_err().is_missing());
            assert!(archive.sidecar(&key).await.unwrap_err().is_missing());
            assert!(archive.read(&key, 0..1).await.unwrap_err().is_missing());
            assert!(archive.put(&spool, &key).await.unwrap_err().is_missing());
        }
    }
}

#[tokio::test]
async fn segments_are_listed_in_the_order_of_keys_and_in_pages() {
    for (dir, archive, kind) in kinds() {
        let (spool, camera) = (spool(&dir), CameraId::generate());
        let mut keys = Vec::new();
        for number in 0..6 {
            for stream in StreamKind::ALL {
                let start = WallTime::from_secs(1_795_503_600 + number * 40_000);
                let key = SegmentKey::new(camera, stream, start, SegmentId::generate());
                write_segment(&spool, &key, &FRAGMENTS);
                archive.put(&spool, &key).await.unwrap();
                keys.push(key);
            }
        }
        keys.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        let mut listed: Vec<SegmentKey> = Vec::new();
        loop {
            let after = listed.last().map(SegmentKey::as_str);
            let page = archive.list(after, 5).await.unwrap();
            assert!(page.len() <= 5);
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed, keys, "{kind}");
        // Between keys as well, as a search for the end of a stream does.
        let between = SegmentKey::new(camera, StreamKind::Sub, WallTime(0), SegmentId::from_bytes([0; 16]));
        let subs = archive.list(Some(between.as_str()), 99).await.unwrap();
        assert_eq!(subs, keys[6..], "{kind}");
    }
}

#[tokio::test]
async fn the_identity_is_kept_beside_the_footage() {
    for (_dir, archive, _) in kinds() {
        assert_eq!(archive.read_identity().await.unwrap(), None);
        for generation in 1..3 {
            let identity = Identity { database_id: uuid::Uuid::from_u128(9), generation, archive: false };
            archive.write_identity(&identity).await.unwrap();
            assert_eq!(archive.read_identity().await.unwrap(), Some(identity));
        }
        assert!(archive.list(None, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_spool_is_not_freed_of_what_the_archive_does_not_have() {
    for (dir, archive, kind) in kinds() {
        let (spool, key) = (spool(&dir), new_key());
        write_segment(&spool, &key, &FRAGMENTS);
        assert!(archive.remove_spooled(&spool, &key).await.unwrap_err().is_missing());
        archive.put(&spool, &key).await.unwrap();
        write_segment(&spool, &key, &LARGE);
        assert!(matches!(archive.remove_spooled(&spool, &key).await, Err(StoreError::Differs { .. })), "{kind}");
        assert!(matches!(archive.put(&spool, &key).await, Err(StoreError::Differs { .. })), "{kind}");
        assert_eq!(files_below(&spool), 2);
    }
}

#[tokio::test]
async fn freeing_the_spool_is_finished_after_a_crash() {
    for (dir, archive, kind) in kinds() {
        let (spool, key) = (spool(&dir), new_key());
        let (_, media) = write_segment(&spool, &key, &FRAGMENTS);
        archive.put(&spool, &key).await.unwrap();
        // The media is gone, the sidecar not yet.
        write_segment(&spool, &key, &FRAGMENTS);
        std::fs::remove_file(key.media_path(&spool)).unwrap();
        archive.put(&spool, &key).await.unwrap();
        archive.remove_spooled(&spool, &key).await.unwrap();
        assert_eq!(files_below(&spool), 0);
        assert!(is_whole(&archive, &key, &media).await, "{kind}");
    }
}

#[tokio::test]
async fn a_move_goes_on_where_a_crash_came_and_is_readable_meanwhile() {
    for (dir, archive, kind) in kinds().into_iter().filter(|(_, _, kind)| *kind != "objects") {
        let (spool, key) = (spool(&dir), new_key());
        let (sidecar, media) = write_segment(&spool, &key, &FRAGMENTS);
        let root = archive.folder().unwrap().to_owned();
        let archive = Arc::new(archive);
        let footage = Footage::new(&spool, Some(Arc::clone(&archive)));
        // Steps 1 to 3 done, and half a copy of the sidecar.
        std::fs::create_dir_all(key.media_path(&root).parent().unwrap()).unwrap();
        std::fs::rename(key.media_path(&spool), key.media_path(&root)).unwrap();
        std::fs::write(root.join(format!("{key}.jsonl.part")), b"{").unwrap();
        assert!(archive.list(None, 9).await.unwrap().is_empty(), "not whole, so not there");
        assert_eq!(footage.sidecar(&key, Tier::Spool).await.unwrap(), sidecar);
        let reader = footage.open(&key, Tier::Spool).await.unwrap();
        assert_eq!(&reader.fragment(&sidecar.fragments[1]).await.unwrap()[..], b"second");
        archive.put(&spool, &key).await.unwrap();
        archive.remove_spooled(&spool, &key).await.unwrap();
        assert!(is_whole(&archive, &key, &media).await, "{kind}");
        assert_eq!(files_below(&spool), 0);
        archive.delete(&key).await.unwrap();
        assert_eq!(files_below(&root), 0, "half a copy goes as well");
    }
}

#[tokio::test]
async fn a_copy_that_was_begun_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, root, key) = (dir.path().join("spool"), dir.path().join("archive"), new_key());
    let (_, media) = write_segment(&spool, &key, &FRAGMENTS);
    let archive = Archive::of_folder(FolderArchive::copying(root.clone()));
    std::fs::create_dir_all(key.media_path(&root).parent().unwrap()).unwrap();
    std::fs::write(root.join(format!("{key}.part")), [7_u8; 500]).unwrap();
    archive.put(&spool, &key).await.unwrap();
    assert!(is_whole(&archive, &key, &media).await);
    assert_eq!((files_below(&spool), files_below(&root)), (2, 2));
}

#[tokio::test]
async fn a_deletion_of_which_a_crash_left_half_claims_nothing_and_is_finished() {
    for (dir, archive, kind) in kinds().into_iter().filter(|(_, _, kind)| *kind != "objects") {
        let (spool, key) = (spool(&dir), new_key());
        write_segment(&spool, &key, &FRAGMENTS);
        archive.put(&spool, &key).await.unwrap();
        let root = archive.folder().unwrap().to_owned();
        std::fs::remove_file(key.sidecar_path(&root)).unwrap();
        assert!(archive.list(None, 9).await.unwrap().is_empty(), "{kind}");
        archive.delete(&key).await.unwrap();
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_disk_that_is_gone_is_neither_empty_nor_filled_up_underneath() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, root, key) = (dir.path().join("spool"), dir.path().join("archive"), new_key());
    write_segment(&spool, &key, &FRAGMENTS);
    let archive = Archive::of_folder(FolderArchive::unmounted(root.clone()));
    let unavailable = |error: StoreError| matches!(error, StoreError::Unavailable { .. });
    assert!(unavailable(archive.put(&spool, &key).await.unwrap_err()));
    assert!(unavailable(archive.list(None, 9).await.unwrap_err()));
    assert!(unavailable(archive.size(&key).await.unwrap_err()));
    assert!(unavailable(archive.sidecar(&key).await.unwrap_err()));
    assert!(unavailable(archive.delete(&key).await.unwrap_err()));
    assert!(unavailable(archive.read_identity().await.unwrap_err()));
    assert_eq!((files_below(&spool), files_below(&root)), (2, 0));
}

#[tokio::test]
async fn a_folder_that_is_spool_and_archive_at_once_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let key = new_key();
    write_segment(dir.path(), &key, &FRAGMENTS);
    let archive = Archive::open(ArchiveOptions::Folder { path: dir.path().to_owned() }).unwrap();
    assert!(matches!(archive.put(dir.path(), &key).await, Err(StoreError::Options(_))));
    assert!(matches!(archive.remove_spooled(dir.path(), &key).await, Err(StoreError::Options(_))));
    assert_eq!(files_below(dir.path()), 2);
}

#[tokio::test]
async fn damaged_footage_is_archived_as_it_is_and_told() {
    for (dir, archive, kind) in kinds().into_iter().filter(|(_, _, kind)| *kind != "renaming") {
        let (spool, key) = (spool(&dir), new_key());
        let (_, mut media) = write_segment(&spool, &key, &FRAGMENTS);
        media[20] ^= 1;
        std::fs::write(key.media_path(&spool), &media).unwrap();
        let put = archive.put(&spool, &key).await.unwrap();
        assert_eq!(format!("{:?}", put.altered), "[18..24]", "{kind}");
        assert_eq!(archive.read(&key, 0..media.len() as u64).await.unwrap(), media);
    }
}

#[tokio::test]
async fn media_without_a_sidecar_stays_where_it_is() {
    for (dir, archive, kind) in kinds() {
        let (spool, key) = (spool(&dir), new_key());
        write_segment(&spool, &key, &FRAGMENTS);
        std::fs::remove_file(key.sidecar_path(&spool)).unwrap();
        assert!(archive.put(&spool, &key).await.unwrap_err().is_missing(), "{kind}");
        assert!(key.media_path(&spool).exists(), "{kind}");
        assert!(archive.size(&key).await.unwrap_err().is_missing(), "{kind}");
    }
}

#[tokio::test]
async fn what_an_interrupted_upload_left_is_used_or_replaced() {
    let (dir, store) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let (spool, key) = (dir.path().join("spool"), new_key());
    let (_, media) = write_segment(&spool, &key, &FRAGMENTS);
    let archive = Archive::over(store.clone());
    let media_name = Name::from(key.as_str());
    let sidecar_name = Name::from(format!("{key}.jsonl"));

    // Media without a sidecar: whole, then not.
    store.put(&media_name, media.clone().into()).await.unwrap();
    assert!(archive.list(None, 9).await.unwrap().is_empty());
    archive.put(&spool, &key).await.unwrap();
    assert!(is_whole(&archive, &key, &media).await);
    archive.delete(&key).await.unwrap();
    store.put(&media_name, media[..9].to_vec().into()).await.unwrap();
    assert!(matches!(archive.put(&spool, &key).await, Err(StoreError::Unavailable { .. })));
    archive.put(&spool, &key).await.unwrap();
    assert!(is_whole(&archive, &key, &media).await);

    // A sidecar that was cut short, one without media, and one of something else.
    let sidecar = std::fs::read(key.sidecar_path(&spool)).unwrap();
    store.put(&sidecar_name, sidecar[..40].to_vec().into()).await.unwrap();
    archive.put(&spool, &key).await.unwrap();
    assert!(is_whole(&archive, &key, &media).await);
    store.delete(&media_name).await.unwrap();
    archive.put(&spool, &key).await.unwrap();
    assert!(is_whole(&archive, &key, &media).await);
    store.put(&sidecar_name, b"{}\n".to_vec().into()).await.unwrap();
    assert!(matches!(archive.put(&spool, &key).await, Err(StoreError::Differs { .. })));
    assert_eq!(files_below(&spool), 2);
}

#[tokio::test]
async fn a_finished_segment_that_has_rotted_in_the_archive_is_told_and_kept_in_both() {
    let (dir, store) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let (spool, key) = (dir.path().join("spool"), new_key());
    let (_, media) = write_segment(&spool, &key, &FRAGMENTS);
    let archive = Archive::over(store.clone());
    archive.put(&spool, &key).await.unwrap();
    let mut rotten = media.clone();
    rotten[5] ^= 1;
    store.put(&Name::from(key.as_str()), rotten.clone().into()).await.unwrap();
    assert!(matches!(archive.put(&spool, &key).await, Err(StoreError::Differs { .. })));
    assert_eq!(archive.read(&key, 0..media.len() as u64).await.unwrap(), rotten);
    // The other way round the archive has the good one.
    store.put(&Name::from(key.as_str()), media.clone().into()).await.unwrap();
    std::fs::write(key.media_path(&spool), &rotten).unwrap();
    assert!(archive.put(&spool, &key).await.unwrap().altered.is_empty());
}

#[tokio::test]
async fn a_store_that_cuts_off_what_it_is_given_is_found_out() {
    for fragments in [FRAGMENTS, LARGE] {
        let (dir, store) = (tempfile::tempdir().unwrap(), Arc::new(Faulty::default()));
        let (spool, key) = (dir.path().join("spool"), new_key());
        let (_, media) = write_segment(&spool, &key, &fragments);
        let archive = Archive::over(store.clone());
        // Media first, then the sidecar.
        store.set(Fault::CutsNext);
        assert!(matches!(archive.put(&spool, &key).await, Err(StoreError::Unavailable { .. })));
        if fragments == LARGE {
            // Parts went through, so the sidecar was cut; now there is nothing to cut.
            assert!(archive.sidecar(&key).await.unwrap_err().is_missing());
        }
        archive.put(&spool, &key).await.unwrap();
        assert!(is_whole(&archive, &key, &media).await);
    }
}

#[tokio::test]
async fn a_store_that_fails_is_unavailable_and_never_empty() {
    let (dir, store) = (tempfile::tempdir().unwrap(), Arc::new(Faulty::default()));
    let (spool, key) = (dir.path().join("spool"), new_key());
    write_segment(&spool, &key, &FRAGMENTS);
    let archive = Archive::over(store.clone());
    for fault in [Fault::Down, Fault::NoBucket] {
        store.set(fault);
        let unavailable = |error: StoreError| matches!(error, StoreError::Unavailable { .. });
        assert!(unavailable(archive.put(&spool, &key).await.unwrap_err()), "{fault:?}");
        assert!(unavailable(archive.list(None, 9).await.unwrap_err()), "{fault:?}");
        assert!(unavailable(archive.size(&key).await.unwrap_err()), "{fault:?}");
        assert!(unavailable(archive.sidecar(&key).await.unwrap_err()), "{fault:?}");
        assert!(unavailable(archive.delete(&key).await.unwrap_err()), "{fault:?}");
        assert!(unavailable(archive.remove_spooled(&spool, &key).await.unwrap_err()), "{fault:?}");
        assert!(unavailable(archive.read_identity().await.unwrap_err()), "{fault:?}");
    }
    assert_eq!(files_below(&spool), 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_not_waited_for_for_ever() {
    let store = Arc::new(Faulty::default());
    store.set(Fault::Hangs);
    let archive = Archive::over(store);
    let error = archive.size(&new_key()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn footage_is_found_in_either_place_and_checked_in_both() {
    for (dir, archive, kind) in kinds() {
        let (spool, key) = (spool(&dir), new_key());
        let (sidecar, media) = write_segment(&spool, &key, &FRAGMENTS);
        let archive = Arc::new(archive);
        let footage = Footage::new(&spool, Some(Arc::clone(&archive)));
        let before = footage.open(&key, Tier::Spool).await.unwrap();
        archive.put(&spool, &key).await.unwrap();
        archive.remove_spooled(&spool, &key).await.unwrap();
        // Opened before it moved, and by a row that is older than the move.
        let after = footage.open(&key, Tier::Spool).await.unwrap();
        assert_eq!(footage.sidecar(&key, Tier::Spool).await.unwrap(), sidecar);
        for reader in [before, after] {
            assert_eq!(&reader.init(&sidecar).await.unwrap()[..], b"init", "{kind}");
            for (record, fragment) in sidecar.fragments.iter().zip(FRAGMENTS) {
                assert_eq!(&reader.fragment(record).await.unwrap()[..], fragment);
            }
            assert_eq!(&reader.read(2, 5).await.unwrap()[..], &media[2..7]);
            assert_eq!(reader.size().await.unwrap(), media.len() as u64);
            let mut wrong = sidecar.fragments[0].clone();
            wrong.sha256 = sidecar.fragments[1].sha256;
            assert!(matches!(reader.fragment(&wrong).await, Err(StoreError::Altered { .. })));
            let mut beyond = sidecar.fragments[2].clone();
            beyond.len += 1;
            assert!(matches!(reader.fragment(&beyond).await, Err(StoreError::Altered { .. })), "{kind}");
        }
        let other = new_key();
        for tier in [Tier::Spool, Tier::Archive] {
            assert!(footage.sidecar(&other, tier).await.unwrap_err().is_missing());
        }
    }
}

#[test]
fn no_secret_is_printed_and_no_plain_endpoint_taken_by_accident() {
    let options = |endpoint: &str, allow_http| ArchiveOptions::S3 {
        endpoint: endpoint.to_owned(),
        bucket: "footage".to_owned(),
        region: "us-east-1".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "geheim".to_owned(),
        allow_http,
    };
    assert!(!format!("{:?}", options("http://127.0.0.1:1", true)).contains("geheim"));
    let refused = Archive::open(options("http://127.0.0.1:1", false));
    assert!(matches!(refused, Err(StoreError::Options(_))));
    let archive = Archive::open(options("http://127.0.0.1:1", true)).unwrap();
    assert_eq!(archive.kind(), "s3");
    assert!(!format!("{archive:?}").contains("geheim"));
    assert!(matches!(Archive::open(ArchiveOptions::None), Err(StoreError::Options(_))));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Fault {
    #[default]
    None,
    /// The next object is stored by half.
    CutsNext,
    /// Every request fails.
    Down,
    /// As a store says that has no such bucket.
    NoBucket,
    /// No request ends.
    Hangs,
}

/// A store of objects with faults on demand.
#[derive(Debug, Default)]
struct Faulty {
    inner: InMemory,
    fault: Mutex<Fault>,
}

impl Faulty {
    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn now(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    fn error(&self) -> Option<object_store::Error> {
        match self.now() {
            Fault::Down => Some(object_store::Error::Generic { store: "faulty", source: "is down".into() }),
            Fault::NoBucket => {
                Some(object_store::Error::NotFound { path: String::new(), source: "<Code>NoSuchBucket</Code>".into() })
            }
            Fault::None | Fault::CutsNext | Fault::Hangs => None,
        }
    }

    async fn answer(&self) -> object_store::Result<()> {
        if self.now() == Fault::Hangs {
            std::future::pending::<()>().await;
        }
        self.error().map_or(Ok(()), Err)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, name: &Name, payload: PutPayload, options: PutOptions) -> object_store::Result<PutResult> {
        self.answer().await?;
        let mut bytes = Bytes::from(payload);
        if self.now() == Fault::CutsNext {
            self.set(Fault::None);
            bytes.truncate(bytes.len() / 2);
        }
        self.inner.put_opts(name, bytes.into(), options).await
    }

    async fn put_multipart_opts(
        &self,
        name: &Name,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.answer().await?;
        self.inner.put_multipart_opts(name, options).await
    }

    async fn get_opts(&self, name: &Name, options: GetOptions) -> object_store::Result<GetResult> {
        self.answer().await?;
        self.inner.get_opts(name, options).await
    }

    fn delete_stream(
        &self,
        names: BoxStream<'static, object_store::Result<Name>>,
    ) -> BoxStream<'static, object_store::Result<Name>> {
        match self.error() {
            Some(error) => futures::stream::iter([Err(error)]).boxed(),
            None => self.inner.delete_stream(names),
        }
    }

    fn list(&self, prefix: Option<&Name>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        match self.error() {
            Some(error) => futures::stream::iter([Err(error)]).boxed(),
            None => self.inner.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Name>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Name, to: &Name, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
