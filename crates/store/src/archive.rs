//! The archive: where closed segments go from the spool, a folder or a bucket of an S3-compatible store.
//!
//! What belongs here: the move of one segment, taking it out again, and reading it. What does not: which segment, when,
//! how many at a time and how often again (see `recorder`). Every call may be repeated after a crash at any of its
//! steps; none retries by itself what may take long.
//!
//! *Put*, in both kinds: 1. media → 2. verified → 3. its name is durable → 4. sidecar → 5. verified → 6. durable →
//! told. So a sidecar in the archive means a whole segment, and what a crash leaves is media without one, with which
//! the next put goes on. *Remove from the spool*: media → sidecar, so that a sidecar in the spool shows that something
//! is left to do.
//! *Delete*: sidecar → media, so that what is half deleted claims nothing.

mod folder;
mod objects;
mod pieces;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use minhbach_evidence::Sidecar;

use crate::identity::{IDENTITY_NAME, Identity};
use crate::{SegmentKey, SegmentReader, StoreError, blocking};

use folder::FolderArchive;
pub use folder::delete_files;
use objects::ObjectArchive;

/// Which archive.
#[derive(Clone, PartialEq, Eq)]
pub enum ArchiveOptions {
    /// None: footage stays on the disk it was recorded on.
    None,
    /// A folder; on the file system of the spool it costs no copy.
    Folder {
        /// Where; made when it is not there.
        path: PathBuf,
    },
    /// A bucket, which must be there.
    S3 {
        /// `https://host:port` of the store, without the bucket.
        endpoint: String,
        /// Its name.
        bucket: String,
        /// Its region, as the store wants it signed.
        region: String,
        /// Who signs; empty for a store that asks nobody.
        access_key: String,
        /// With what.
        secret_key: String,
        /// Whether an endpoint without TLS is accepted.
        allow_http: bool,
    },
}

impl fmt::Debug for ArchiveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Folder { path } => f.debug_struct("Folder").field("path", path).finish(),
            // Without the secret.
            Self::S3 { endpoint, bucket, region, access_key, allow_http, .. } => f
                .debug_struct("S3")
                .field("endpoint", endpoint)
                .field("bucket", bucket)
                .field("region", region)
                .field("access_key", access_key)
                .field("allow_http", allow_http)
                .finish_non_exhaustive(),
        }
    }
}

/// A segment that is in the archive now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Bytes of its media.
    pub bytes: u64,
    /// Whether it was moved, so that nothing of it is left in the spool.
    pub moved: bool,
    /// Stretches of its media that are not what was recorded, found while it was read; what is moved is not read. The
    /// copy in the archive is as the one in the spool was.
    pub altered: Vec<Range<u64>>,
}

#[derive(Debug)]
enum Kind {
    Folder(Arc<FolderArchive>),
    Objects(ObjectArchive),
}

/// An archive.
#[derive(Debug)]
pub struct Archive(Kind);

impl Archive {
    /// Opens an archive. A bucket is not asked for: it may be out of reach for now.
    ///
    /// # Errors
    /// [`StoreError::Options`] when there is none or it cannot be, otherwise why its folder cannot be used.
    pub fn open(options: ArchiveOptions) -> Result<Self, StoreError> {
        match options {
            ArchiveOptions::None => Err(StoreError::Options("none is configured".to_owned())),
            ArchiveOptions::Folder { path } => Ok(Self(Kind::Folder(Arc::new(FolderArchive::open(path)?)))),
            options @ ArchiveOptions::S3 { .. } => ObjectArchive::open(options).map(Kind::Objects).map(Self),
        }
    }

    /// `folder` or `s3`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kind::Folder(_) => "folder",
            Kind::Objects(_) => "s3",
        }
    }

    /// The folder, if it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Folder(folder) => Some(folder.root()),
            Kind::Objects(_) => None,
        }
    }

    /// Brings a closed segment from the spool into the archive: both files are there, verified and durable, when it
    /// returns. Goes on where an earlier call was interrupted. A copy may be left in the spool, see
    /// [`Self::remove_spooled`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the archive cannot take it now, [`StoreError::Differs`] when it holds something
    /// else under this key, otherwise why the spool cannot be read. Nothing is lost by an error.
    pub async fn put(&self, spool_root: &Path, key: &SegmentKey) -> Result<Put, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, spool, key) = (Arc::clone(folder), spool_root.to_owned(), key.clone());
                blocking(move || folder.put(&spool, &key)).await
            }
            Kind::Objects(objects) => objects.put(spool_root, key).await,
        }
    }

    /// Frees what the spool still holds of a segment that is in the archive. What is gone already is done.
    ///
    /// # Errors
    /// When the archive does not have it in the same length, which is asked here again, or when a disk refuses.
    pub async fn remove_spooled(&self, spool_root: &Path, key: &SegmentKey) -> Result<(), StoreError> {
        let (spool, wanted) = (spool_root.to_owned(), key.clone());
        let spooled = blocking(move || folder::lengths(&spool, &wanted)).await?;
        let archived = match &self.0 {
            Kind::Folder(folder) => {
                let (folder, spool, key) = (Arc::clone(folder), spool_root.to_owned(), key.clone());
                blocking(move || folder.apart_from(&spool).and_then(|()| folder.lengths(&key))).await?
            }
            Kind::Objects(objects) => objects.lengths(key).await?,
        };
        for (spooled, archived) in [(spooled.0, archived.0), (spooled.1, archived.1)] {
            if spooled.is_some() && archived.is_none() {
                let path = Path::new(key.as_str());
                return Err(StoreError::io("find in the archive", path)(std::io::ErrorKind::NotFound.into()));
            }
            if spooled.is_some() && spooled != archived {
                return Err(StoreError::Differs { name: key.to_string() });
            }
        }
        let (spool, key) = (spool_root.to_owned(), key.clone());
        blocking(move || folder::free(&spool, &key)).await
    }

    /// Deletes a segment from the archive; its files are gone for good when it returns. What is gone already is done.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then some of it may be gone, and the call is to be repeated.
    pub async fn delete(&self, key: &SegmentKey) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, key) = (Arc::clone(folder), key.clone());
                blocking(move || folder.delete(&key)).await
            }
            Kind::Objects(objects) => objects.delete(key).await,
        }
    }

    /// Whole segments in the order of their keys: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]. An archive that cannot be read is never told as empty.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<SegmentKey>, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, after) = (Arc::clone(folder), after.map(ToOwned::to_owned));
                blocking(move || folder.list(after.as_deref(), limit)).await
            }
            Kind::Objects(objects) => objects.list(after, limit).await,
        }
    }

    /// The sidecar of a segment, its chain checked.
    ///
    /// # Errors
    /// When it is not there (see [`StoreError::is_missing`]), cannot be read, or is damaged.
    pub async fn sidecar(&self, key: &SegmentKey) -> Result<Sidecar, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, key) = (Arc::clone(folder), key.clone());
                blocking(move || folder.sidecar(&key)).await
            }
            Kind::Objects(objects) => objects.sidecar(key).await,
        }
    }

    /// Bytes of the media of a segment, unchecked.
    ///
    /// # Errors
    /// [`StoreError::Altered`] when the media ends before, otherwise why they cannot be read.
    pub async fn read(&self, key: &SegmentKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        let altered = || StoreError::Altered { key: key.to_string(), offset: range.start, end: range.end };
        let len = usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| altered())?;
        let bytes = match &self.0 {
            Kind::Folder(folder) => {
                let (folder, key, offset) = (Arc::clone(folder), key.clone(), range.start);
                let read = blocking(move || folder.reader(&key)?.read(offset, len)).await;
                match read {
                    Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                        return Err(altered());
                    }
                    other => other?,
                }
            }
            Kind::Objects(objects) => objects.read_up_to(key, range.clone()).await?,
        };
        if bytes.len() == len { Ok(bytes) } else { Err(altered()) }
    }

    /// Like [`Self::read`], but shorter where the media ends.
    pub(crate) async fn read_up_to(&self, key: &SegmentKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        match &self.0 {
            Kind::Folder(_) => {
                let end = range.end.min(self.size(key).await?).max(range.start);
                self.read(key, range.start..end).await
            }
            Kind::Objects(objects) => objects.read_up_to(key, range).await,
        }
    }

    /// The media opened as a file; `None` for an archive that is no folder.
    pub(crate) async fn open_file(&self, key: &SegmentKey) -> Result<Option<SegmentReader>, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, key) = (Arc::clone(folder), key.clone());
                blocking(move || folder.reader(&key)).await.map(Some)
            }
            Kind::Objects(_) => Ok(None),
        }
    }

    /// Length of the media of a segment, bytes.
    ///
    /// # Errors
    /// When it is not there (see [`StoreError::is_missing`]), or cannot be asked.
    pub async fn size(&self, key: &SegmentKey) -> Result<u64, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, key) = (Arc::clone(folder), key.clone());
                blocking(move || folder.reader(&key)?.len()).await
            }
            Kind::Objects(objects) => objects.size(key).await,
        }
    }

    /// The database this archive belongs to; `None` when nothing is said.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub async fn read_identity(&self) -> Result<Option<Identity>, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let folder = Arc::clone(folder);
                blocking(move || folder.read_identity()).await
            }
            Kind::Objects(objects) => match objects.document(IDENTITY_NAME).await? {
                Some(json) => Identity::parse(IDENTITY_NAME, &json).map(Some),
                None => Ok(None),
            },
        }
    }

    /// Says to which database this archive belongs.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then what was said before stands.
    pub async fn write_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let (folder, identity) = (Arc::clone(folder), identity.clone());
                blocking(move || folder.write_identity(&identity)).await
            }
            Kind::Objects(objects) => objects.replace(IDENTITY_NAME, identity.to_json()?).await,
        }
    }

    /// One over a store of objects of a test's choice.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn object_store::ObjectStore>) -> Self {
        Self(Kind::Objects(ObjectArchive::over(store)))
    }

    /// One in a folder of a test's choice.
    #[cfg(test)]
    fn of_folder(folder: FolderArchive) -> Self {
        Self(Kind::Folder(Arc::new(folder)))
    }
}
