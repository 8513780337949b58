//! Footage wherever it is: in the spool, in the archive, or just on its way from one to the other.
//!
//! What belongs here: where to look, and in which order. What does not: moving anything (see `archive`).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use minhbach_evidence::{Digest, FragmentRecord, Sidecar};
use minhbach_model::Tier;
use tokio::sync::Mutex;

use crate::read::{self, FRAGMENT_BYTES_MAX};
use crate::{Archive, ArchiveOptions, SegmentKey, SegmentReader, Spool, StoreError, blocking, read_sidecar};

/// Bytes asked of a store of objects at once at least: a request takes longer than a fragment of a small stream.
const AHEAD_BYTES: u64 = 1024 * 1024;

/// The spool and the archive as one.
#[derive(Debug, Clone)]
pub struct Footage {
    spool: Spool,
    archive: Option<Arc<Archive>>,
}

impl Footage {
    /// Reads from that folder and that archive.
    #[must_use]
    pub fn new(spool: impl Into<PathBuf>, archive: Option<Arc<Archive>>) -> Self {
        Self::over(Spool::of(spool), archive)
    }

    /// Reads from those disks and that archive.
    #[must_use]
    pub fn over(spool: Spool, archive: Option<Arc<Archive>>) -> Self {
        Self { spool, archive }
    }

    /// The same with an archive that is opened first, if there is one.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn open_with(spool: PathBuf, options: ArchiveOptions) -> Result<Self, StoreError> {
        let archive = match options {
            ArchiveOptions::None => None,
            options => Some(Arc::new(Archive::open(options)?)),
        };
        Ok(Self::new(spool, archive))
    }

    /// The disks of the spool.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The archive.
    #[must_use]
    pub fn archive(&self) -> Option<&Arc<Archive>> {
        self.archive.as_ref()
    }

    /// The sidecar of a segment; that tier is looked at first.
    ///
    /// # Errors
    /// When neither has it (see [`StoreError::is_missing`]), it cannot be read, or it is damaged.
    pub async fn sidecar(&self, key: &SegmentKey, tier: Tier) -> Result<Sidecar, StoreError> {
        match (tier, &self.archive) {
            (Tier::Archive, Some(archive)) => match archive.sidecar(key).await {
                Err(error) if error.is_missing() => self.spooled_sidecar(key).await,
                other => other,
            },
            (_, Some(archive)) => match self.spooled_sidecar(key).await {
                Err(error) if error.is_missing() => archive.sidecar(key).await,
                other => other,
            },
            (_, None) => self.spooled_sidecar(key).await,
        }
    }

    /// Opens the media of a segment; that tier is looked at first.
    ///
    /// # Errors
    /// When neither has it (see [`StoreError::is_missing`]), or it cannot be opened.
    pub async fn open(&self, key: &SegmentKey, tier: Tier) -> Result<FootageReader, StoreError> {
        match (tier, &self.archive) {
            (Tier::Archive, Some(archive)) => match self.open_archived(archive, key).await {
                Err(error) if error.is_missing() => self.open_spooled(key).await,
                other => other,
            },
            (_, Some(archive)) => match self.open_spooled(key).await {
                Err(error) if error.is_missing() => self.open_archived(archive, key).await,
                other => other,
            },
            (_, None) => self.open_spooled(key).await,
        }
    }

    async fn spooled_sidecar(&self, key: &SegmentKey) -> Result<Sidecar, StoreError> {
        let (spool, key) = (self.spool.clone(), key.clone());
        blocking(move || spool.ask(&key, |root| read_sidecar(root, &key))).await
    }

    async fn open_spooled(&self, key: &SegmentKey) -> Result<FootageReader, StoreError> {
        let (spool, wanted) = (self.spool.clone(), key.clone());
        let reader = blocking(move || spool.ask(&wanted, |root| SegmentReader::open(root, &wanted))).await?;
        Ok(FootageReader { key: key.clone(), media: Media::File(Arc::new(reader)) })
    }

    async fn open_archived(&self, archive: &Arc<Archive>, key: &SegmentKey) -> Result<FootageReader, StoreError> {
        let media = match archive.open_file(key).await? {
            Some(reader) => Media::File(Arc::new(reader)),
            // Nothing is open there; each read asks.
            None => Media::Object { archive: Arc::clone(archive), ahead: Mutex::new((0, Bytes::new())) },
        };
        Ok(FootageReader { key: key.clone(), media })
    }
}

#[derive(Debug)]
enum Media {
    /// Stays readable when its name is moved or deleted.
    File(Arc<SegmentReader>),
    Object {
        archive: Arc<Archive>,
        /// What was read last, and where it begins: mostly more than was asked for.
        ahead: Mutex<(u64, Bytes)>,
    },
}

/// The media of a segment, opened.
#[derive(Debug)]
pub struct FootageReader {
    key: SegmentKey,
    media: Media,
}

impl FootageReader {
    /// Length of the media, bytes.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn size(&self) -> Result<u64, StoreError> {
        match &self.media {
            Media::File(reader) => {
                let reader = Arc::clone(reader);
                blocking(move || reader.len()).await
            }
            Media::Object { archive, .. } => archive.size(&self.key).await,
        }
    }

    /// Bytes from a place in the media, unchecked.
    ///
    /// # Errors
    /// When they are not there or cannot be read.
    pub async fn read(&self, offset: u64, len: usize) -> Result<Bytes, StoreError> {
        match &self.media {
            Media::File(reader) => {
                let reader = Arc::clone(reader);
                blocking(move || reader.read(offset, len)).await
            }
            Media::Object { archive, ahead } => self.read_object(archive, ahead, offset, len).await,
        }
    }

    /// The initialisation segment, its hash checked.
    ///
    /// # Errors
    /// As [`Self::fragment`].
    pub async fn init(&self, sidecar: &Sidecar) -> Result<Bytes, StoreError> {
        self.checked(0, sidecar.header.init_len, sidecar.header.init_sha256).await
    }

    /// A fragment, its hash checked.
    ///
    /// # Errors
    /// [`StoreError::Altered`] when the bytes are not those that were recorded, otherwise why they cannot be read.
    pub async fn fragment(&self, record: &FragmentRecord) -> Result<Bytes, StoreError> {
        self.checked(record.offset, record.len, record.sha256).await
    }

    async fn checked(&self, offset: u64, len: u64, expected: Digest) -> Result<Bytes, StoreError> {
        let (archive, ahead) = match &self.media {
            Media::File(reader) => {
                let reader = Arc::clone(reader);
                return blocking(move || reader.checked(offset, len, &expected)).await;
            }
            Media::Object { archive, ahead } => (archive, ahead),
        };
        let altered = || read::altered(&self.key, offset, len);
        let len = usize::try_from(len).ok().filter(|&len| len <= FRAGMENT_BYTES_MAX).ok_or_else(altered)?;
        let bytes = match self.read_object(archive, ahead, offset, len).await {
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::UnexpectedEof => return Err(altered()),
            other => other?,
        };
        let key = self.key.clone();
        blocking(move || read::check(&key, offset, bytes, &expected)).await
    }

    async fn read_object(
        &self,
        archive: &Archive,
        ahead: &Mutex<(u64, Bytes)>,
        offset: u64,
        len: usize,
    ) -> Result<Bytes, StoreError> {
        // One reader at a time: the next one wants what this one reads, as a rule.
        let mut ahead = ahead.lock().await;
        if let Some(bytes) = within(&ahead, offset, len) {
            return Ok(bytes);
        }
        let end = offset.saturating_add((len as u64).max(AHEAD_BYTES));
        *ahead = (offset, archive.read_up_to(&self.key, offset..end).await?);
        within(&ahead, offset, len).ok_or_else(|| {
            let path = Path::new(self.key.as_str());
            StoreError::io("read", path)(ErrorKind::UnexpectedEof.into())
        })
    }
}

/// Those bytes, if they are among the ones that were read.
fn within((start, bytes): &(u64, Bytes), offset: u64, len: usize) -> Option<Bytes> {
    let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
    let to = from.checked_add(len)?;
    (to <= bytes.len()).then(|| bytes.slice(from..to))
}
