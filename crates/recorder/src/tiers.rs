//! Where the files of a segment are: on a disk of the spool and in the archive, looked at as one.
//!
//! Here: measuring, listing and erasing on both. Reading with checked hashes is `store::Footage`; the way from one to the
//! other is [`crate::archiver`], and whether anything may be erased is [`crate::deletion`].

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minhbach_evidence::Sidecar;
use minhbach_model::Tier;
use minhbach_store::{Archive, DiskState, Footage, SegmentKey, Spool, SpoolDisk, StoreError};

/// Keys asked of an archive at once.
const PAGE: usize = 1000;

/// The spool and the archive.
#[derive(Clone)]
pub struct Tiers {
    /// Folder of the spool's first disk, where small files of the program's own are.
    pub spool: PathBuf,
    /// All its disks: footage is on any of them.
    pub disks: Spool,
    /// The archive; `None` where footage stays on the disk it was recorded on.
    pub archive: Option<Arc<Archive>>,
    /// Reads from both.
    pub footage: Arc<Footage>,
}

/// Whether nothing can be said of the footage, because what holds it does not answer.
pub(crate) fn is_unavailable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { .. } | StoreError::Stopped)
}

/// Runs what blocks on a thread where that is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // A join error is a panic, already logged with its place, or the runtime ending.
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)?
}

impl Tiers {
    /// Those disks and that archive.
    #[must_use]
    pub fn new(disks: Spool, archive: Option<Arc<Archive>>) -> Self {
        let footage = Arc::new(Footage::over(disks.clone(), archive.clone()));
        Self { spool: disks.first_root().to_owned(), disks, archive, footage }
    }

    /// Each disk of the spool that is there, as if it were alone: each carries its own notes.
    pub(crate) fn each_disk(&self) -> Vec<Self> {
        let alone = |disk: &Arc<SpoolDisk>| {
            let (spool, disks) = (disk.root().to_owned(), self.disks.only(disk));
            Self { spool, disks, ..self.clone() }
        };
        self.disks.present().map(alone).collect()
    }

    /// The folder of the spool with files of that segment; where they would be when there are none.
    pub(crate) async fn spool_of(&self, key: &SegmentKey) -> Result<PathBuf, StoreError> {
        let (disks, key) = (self.disks.clone(), key.clone());
        blocking(move || Ok(disks.root_of(&key))).await
    }

    /// What to say besides of something that is not found: disks that may have it.
    pub(crate) fn or_away(&self) -> String {
        let away = self.disks.disks().iter().filter(|disk| disk.is_away());
        let told = |disk: &Arc<SpoolDisk>| format!("; the disk {} is away: {}", disk.root().display(), disk.problem());
        away.map(told).collect()
    }

    /// Length of the media file in that tier, bytes; `None` when it is not there.
    pub(crate) async fn media_len(&self, key: &SegmentKey, tier: Tier) -> Result<Option<u64>, StoreError> {
        let measured = match (tier, &self.archive) {
            (Tier::Archive, Some(archive)) => archive.size(key).await,
            (Tier::Archive, None) => return Ok(None),
            (Tier::Spool, _) => {
                let (disks, key) = (self.disks.clone(), key.clone());
                blocking(move || {
                    disks.ask(&key, |root| {
                        let path = key.media_path(root);
                        std::fs::metadata(&path).map(|m| m.len()).map_err(|source| io("measure", &path, source))
                    })
                })
                .await
            }
        };
        match measured {
            Ok(len) => Ok(Some(len)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The sidecar, wherever it is; that tier is looked at first.
    pub(crate) async fn sidecar(&self, key: &SegmentKey, tier: Tier) -> Result<Sidecar, StoreError> {
        self.footage.sidecar(key, tier).await
    }

    /// Erases the files of a segment in both tiers: after a crash on the way they can be in both. What is gone already is
    /// done.
    pub(crate) async fn erase(&self, key: &SegmentKey) -> Result<(), StoreError> {
        let mut archived = false;
        if let Some(archive) = &self.archive {
            // Asked only where it matters: a disk that is away may have what is not found.
            archived = self.disks.is_any_away() && archive.size(key).await.is_ok();
            archive.delete(key).await?;
        }
        let (disks, key) = (self.disks.clone(), key.clone());
        blocking(move || disks.delete(&key, archived)).await
    }

    /// Every segment of which there is a file, in the order of keys.
    pub(crate) fn keys(&self) -> FootageKeys {
        let of = |root: &Path| SpoolKeys { root: root.to_owned(), folders: None, page: VecDeque::new() };
        let there = self.disks.disks().iter().filter(|disk| disk.state() != DiskState::Missing);
        let spools = there.map(|disk| (of(disk.root()), None)).collect();
        let archive = self.archive.clone().map(|archive| ArchiveKeys {
            archive,
            after: None,
            page: VecDeque::new(),
            ended: false,
        });
        FootageKeys { spools, archive, next_archived: None }
    }
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), source }
}

/// A segment of which there is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub key: SegmentKey,
    /// It has a file in the spool; otherwise it is in the archive only.
    pub spooled: bool,
}

impl Stored {
    /// Where its row should say it is: a file that is in both is verified in the archive before it is freed.
    pub fn tier(&self) -> Tier {
        if self.spooled { Tier::Spool } else { Tier::Archive }
    }
}

/// Walks the disks of the spool and the archive side by side.
pub(crate) struct FootageKeys {
    /// Each with its next one.
    spools: Vec<(SpoolKeys, Option<SegmentKey>)>,
    archive: Option<ArchiveKeys>,
    next_archived: Option<SegmentKey>,
}

impl FootageKeys {
    /// The next segment; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Stored>, StoreError> {
        for (spool, next) in &mut self.spools {
            if next.is_none() {
                *next = spool.next().await?;
            }
        }
        let heads = self.spools.iter().filter_map(|(_, next)| next.as_ref());
        let next_spooled = heads.min_by(|a, b| a.as_str().cmp(b.as_str())).cloned();
        if self.next_archived.is_none()
            && let Some(archive) = &mut self.archive
        {
            self.next_archived = archive.next().await?;
        }
        let (spooled, archived) = match (&next_spooled, &self.next_archived) {
            (None, None) => return Ok(None),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(a), Some(b)) => (a.as_str() <= b.as_str(), b.as_str() <= a.as_str()),
        };
        let in_spool = next_spooled.filter(|_| spooled);
        if let Some(taken) = &in_spool {
            // A copy on another disk is the same segment.
            self.spools.iter_mut().for_each(|(_, next)| drop(next.take_if(|next| *next == *taken)));
        }
        let in_archive = if archived { self.next_archived.take() } else { None };
        Ok(in_spool.or(in_archive).map(|key| Stored { key, spooled }))
    }
}

/// Walks the folders of the spool, a day of a stream at a time.
struct SpoolKeys {
    root: PathBuf,
    /// Folders of days, relative; `None` until listed.
    folders: Option<VecDeque<String>>,
    page: VecDeque<SegmentKey>,
}

impl SpoolKeys {
    async fn next(&mut self) -> Result<Option<SegmentKey>, StoreError> {
        if self.folders.is_none() {
            let root = self.root.clone();
            self.folders = Some(blocking(move || day_folders(&root)).await?);
        }
        while self.page.is_empty() {
            let Some(folder) = self.folders.as_mut().and_then(VecDeque::pop_front) else { return Ok(None) };
            let root = self.root.clone();
            self.page = blocking(move || keys_of_day(&root, &folder)).await?;
        }
        Ok(self.page.pop_front())
    }
}

/// Names in a folder, in order; none when it is not there.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // A stray file where a folder is expected holds no keys.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(source) => return Err(io("list", folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| io("list", folder, source))?;
        // A name that is not Unicode is no part of a key.
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// `v1/<camera>/<stream>/<yyyy>/<mm>/<dd>`, in order.
fn day_folders(root: &Path) -> Result<VecDeque<String>, StoreError> {
    let mut folders = vec!["v1".to_owned()];
    for _ in ["camera", "stream", "year", "month", "day"] {
        let mut deeper = Vec::new();
        for folder in folders {
            deeper.extend(names(&root.join(&folder))?.into_iter().map(|name| format!("{folder}/{name}")));
        }
        folders = deeper;
    }
    Ok(folders.into())
}

/// The segments in a folder: a sidecar alone is one too.
fn keys_of_day(root: &Path, folder: &str) -> Result<VecDeque<SegmentKey>, StoreError> {
    let key = |name: &String| {
        let media = name.strip_suffix(".jsonl").unwrap_or(name);
        SegmentKey::parse(&format!("{folder}/{media}")).ok()
    };
    let mut keys: Vec<SegmentKey> = names(&root.join(folder))?.iter().filter_map(key).collect();
    keys.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    keys.dedup();
    Ok(keys.into())
}

/// Walks the archive, a page at a time.
struct ArchiveKeys {
    archive: Arc<Archive>,
    after: Option<SegmentKey>,
    page: VecDeque<SegmentKey>,
    ended: bool,
}

impl ArchiveKeys {
    async fn next(&mut self) -> Result<Option<SegmentKey>, StoreError> {
        if self.page.is_empty() && !self.ended {
            let page = self.archive.list(self.after.as_ref().map(SegmentKey::as_str), PAGE).await?;
            self.ended = page.is_empty();
            self.after = page.last().cloned().or(self.after.take());
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, SegmentId, StreamKind, WallTime};

    use super::*;
    use crate::testing::Yard;

    #[tokio::test]
    async fn both_tiers_are_walked_in_the_order_of_keys_and_a_sidecar_alone_is_seen() {
        let yard = Yard::with_archive().await;
        let camera = CameraId::generate();
        let at = |secs: i64| WallTime::from_secs(1_795_503_600 + secs);
        let mut keys = Vec::new();
        for number in 0..4 {
            let key = SegmentKey::new(camera, StreamKind::Main, at(number * 86_400), SegmentId::generate());
            yard.write(&key, at(number * 86_400), 2);
            keys.push(key);
        }
        let archive = yard.tiers.archive.clone().expect("it has one");
        archive.put(&yard.tiers.spool, &keys[1]).await.expect("put");
        std::fs::remove_file(keys[2].media_path(&yard.tiers.spool)).unwrap();
        std::fs::write(yard.tiers.spool.join("v1/stray"), b"").unwrap();

        let mut walk = yard.tiers.keys();
        let mut seen = Vec::new();
        while let Some(stored) = walk.next().await.expect("listed") {
            seen.push((stored.key.clone(), stored.tier()));
        }
        assert_eq!(seen.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), keys);
        let tiers: Vec<Tier> = seen.iter().map(|&(_, tier)| tier).collect();
        assert_eq!(tiers, [Tier::Spool, Tier::Archive, Tier::Spool, Tier::Spool]);
    }

    #[tokio::test]
    async fn what_is_erased_is_gone_from_both_and_erasing_again_is_done() {
        let yard = Yard::with_archive().await;
        let start = WallTime::from_secs(1_795_503_600);
        let key = SegmentKey::new(CameraId::generate(), StreamKind::Main, start, SegmentId::generate());
        yard.write(&key, start, 2);
        assert!(yard.tiers.media_len(&key, Tier::Spool).await.unwrap().is_some());
        yard.tiers.archive.as_ref().expect("it has one").put(&yard.tiers.spool, &key).await.expect("put");
        assert!(yard.tiers.media_len(&key, Tier::Archive).await.unwrap().is_some());
        for _ in 0..2 {
            yard.tiers.erase(&key).await.expect("erased");
        }
        assert_eq!(yard.tiers.media_len(&key, Tier::Archive).await.unwrap(), None);
        assert_eq!(yard.tiers.media_len(&key, Tier::Spool).await.unwrap(), None);
        assert_eq!(yard.tiers.keys().next().await.unwrap(), None);
    }
}
