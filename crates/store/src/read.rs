//! Reading segments back: the sidecar, and fragments whose hash is checked before anyone sees them.
//!
//! Blocking calls: whoever reads does so on a thread where blocking is allowed.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use minhbach_evidence::{Digest, FragmentRecord, Sidecar};

use crate::{SegmentKey, StoreError};

/// A longer fragment cannot be: damage of the sidecar's own, which must not become an allocation.
pub(crate) const FRAGMENT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Reads and checks a sidecar.
///
/// # Errors
/// When it cannot be read or its chain is broken.
pub fn read_sidecar(root: &Path, key: &SegmentKey) -> Result<Sidecar, StoreError> {
    let path = key.sidecar_path(root);
    let bytes = std::fs::read(&path).map_err(|source| StoreError::Io { action: "read", path, source })?;
    Sidecar::parse(&bytes).map_err(|source| StoreError::Sidecar { key: key.to_string(), source })
}

/// An open media file.
#[derive(Debug)]
pub struct SegmentReader {
    file: File,
    path: PathBuf,
    key: SegmentKey,
}

impl SegmentReader {
    /// Opens the media file of a segment.
    ///
    /// # Errors
    /// When it is not there or not readable.
    pub fn open(root: &Path, key: &SegmentKey) -> Result<Self, StoreError> {
        let path = key.media_path(root);
        let file = File::open(&path).map_err(|source| StoreError::Io { action: "open", path: path.clone(), source })?;
        Ok(Self { file, path, key: key.clone() })
    }

    /// Length of the file, bytes.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn len(&self) -> Result<u64, StoreError> {
        let metadata = self.file.metadata();
        let error = |source| StoreError::Io { action: "measure", path: self.path.clone(), source };
        metadata.map(|m| m.len()).map_err(error)
    }

    /// Whether the file has no bytes at all.
    ///
    /// # Errors
    /// As [`Self::len`].
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        self.len().map(|len| len == 0)
    }

    /// Bytes from a place in the file, unchecked.
    ///
    /// # Errors
    /// When they are not there.
    pub fn read(&self, offset: u64, len: usize) -> Result<Bytes, StoreError> {
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, offset).map_err(|source| StoreError::Io {
            action: "read",
            path: self.path.clone(),
            source,
        })?;
        Ok(Bytes::from(bytes))
    }

    /// The initialisation segment, its hash checked.
    ///
    /// # Errors
    /// As [`Self::fragment`].
    pub fn init(&self, sidecar: &Sidecar) -> Result<Bytes, StoreError> {
        let header = &sidecar.header;
        self.checked(0, header.init_len, &header.init_sha256)
    }

    /// A fragment, its hash checked.
    ///
    /// # Errors
    /// [`StoreError::Altered`] when the bytes are not those that were recorded, otherwise why they cannot be read.
    pub fn fragment(&self, record: &FragmentRecord) -> Result<Bytes, StoreError> {
        self.checked(record.offset, record.len, &record.sha256)
    }

    pub(crate) fn checked(&self, offset: u64, len: u64, expected: &Digest) -> Result<Bytes, StoreError> {
        let altered = || altered(&self.key, offset, len);
        let len = usize::try_from(len).ok().filter(|&len| len <= FRAGMENT_BYTES_MAX).ok_or_else(altered)?;
        let bytes = match self.read(offset, len) {
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::UnexpectedEof => return Err(altered()),
            other => other?,
        };
        check(&self.key, offset, bytes, expected)
    }
}

/// Lets bytes through whose hash is right.
pub(crate) fn check(key: &SegmentKey, offset: u64, bytes: Bytes, expected: &Digest) -> Result<Bytes, StoreError> {
    if Digest::of(&bytes) == *expected { Ok(bytes) } else { Err(altered(key, offset, bytes.len() as u64)) }
}

pub(crate) fn altered(key: &SegmentKey, offset: u64, len: u64) -> StoreError {
    StoreError::Altered { key: key.to_string(), offset, end: offset.saturating_add(len) }
}
