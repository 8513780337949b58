//! An archive in a bucket of an S3-compatible store.
//!
//! Objects are put only where nothing is, read back whole, and compared with what was sent by our own hashes; what a
//! store says of itself is not relied on. Every request ends in time. Uploads in parts that a crash left behind cost
//! room until the store's own rule for abandoned uploads takes them away.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use minhbach_evidence::{Digest, Sidecar};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Name;
use object_store::{
    ClientOptions, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, RetryConfig,
};

use super::pieces::{PieceHasher, Pieces};
use super::{ArchiveOptions, Put};
use crate::{SegmentKey, StoreError, blocking, read_sidecar};

/// A viewer waits for these.
const READ_MAX: Duration = Duration::from_secs(15);
/// One page of a list, or a small object.
const ASK_MAX: Duration = Duration::from_secs(30);
/// A part of an upload, or all of an object read back: at 32 MiB no slower than 2.3 Mbit/s.
const MOVE_MAX: Duration = Duration::from_secs(120);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Bytes read from the disk at once, and of one part. All parts but the last must have one size and at least 5 MiB.
const PART_BYTES: usize = 16 * 1024 * 1024;
/// Larger media goes in parts; it would have to be held in memory as a whole.
const WHOLE_BYTES_MAX: u64 = 2 * PART_BYTES as u64;
/// Every key begins so.
const PREFIX: &str = "v1";

/// A bucket.
pub(super) struct ObjectArchive {
    store: Arc<dyn ObjectStore>,
    /// Media of more bytes is uploaded in parts.
    whole_bytes_max: u64,
    part_bytes: usize,
}

impl fmt::Debug for ObjectArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not its `Debug`, which has the credentials.
        f.debug_struct("ObjectArchive").field("store", &self.store.to_string()).finish_non_exhaustive()
    }
}

/// The media of a segment as the spool has it.
struct Spooled {
    path: PathBuf,
    pieces: Pieces,
}

impl ObjectArchive {
    /// A client of a bucket; nothing is asked yet.
    pub fn open(options: ArchiveOptions) -> Result<Self, StoreError> {
        let ArchiveOptions::S3 { endpoint, bucket, region, access_key, secret_key, allow_http } = options else {
            return Err(StoreError::Options("it is no bucket".to_owned()));
        };
        // The one provider of TLS in this program; another one that was there first is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = endpoint.starts_with("http://");
        if plain && !allow_http {
            return Err(StoreError::Options(format!("{endpoint} is without TLS, which is not allowed")));
        }
        let client =
            ClientOptions::new().with_connect_timeout(CONNECT_MAX).with_timeout(MOVE_MAX).with_allow_http(allow_http);
        // Without TLS no certificates are needed, and a machine that has none must not fail for it.
        let client = if plain { client.with_no_system_certificates(true) } else { client };
        // One more try bridges a connection that had been closed; waiting longer is the business of who calls.
        let retry = RetryConfig { max_retries: 1, retry_timeout: ASK_MAX, ..RetryConfig::default() };
        let builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_allow_http(allow_http)
            .with_client_options(client)
            .with_retry(retry)
            // The plain request, which every store knows.
            .with_disable_bulk_delete(true);
        // Without one it is Amazon's own for the region.
        let builder = match endpoint.trim_end_matches('/') {
            "" => builder,
            endpoint => builder.with_endpoint(endpoint),
        };
        let builder = if access_key.is_empty() {
            builder.with_skip_signature(true)
        } else {
            builder.with_access_key_id(access_key).with_secret_access_key(secret_key)
        };
        let store = builder.build().map_err(|error| StoreError::Options(error.to_string()))?;
        Ok(Self { store: Arc::new(store), whole_bytes_max: WHOLE_BYTES_MAX, part_bytes: PART_BYTES })
    }

    /// Over any store, with parts so small that tests have some.
    #[cfg(test)]
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, whole_bytes_max: 64, part_bytes: 24 }
    }

    /// See [`super::Archive::put`].
    pub async fn put(&self, spool: &Path, key: &SegmentKey) -> Result<Put, StoreError> {
        let Some((sidecar_bytes, spooled)) = look(spool, key).await? else {
            return self.verify_alone(spool, key).await;
        };
        let has_sidecar = self.is_finished(key, &sidecar_bytes).await?;
        let finished = has_sidecar && self.length(&media_name(key)).await?.is_some();
        // 1. media, 2. read back: 3. a store that has answered has it for good.
        let digests = if finished { hash(&spooled).await? } else { self.upload(key, &spooled).await? };
        let found = self.hash_object(&media_name(key), &spooled.pieces).await?;
        let same = found.as_ref() == Some(&digests);
        // The spool's copy may be the one that has suffered since.
        let good = found.as_ref().is_some_and(|found| spooled.pieces.altered(found).is_empty());
        if !same && finished && !good {
            return Err(StoreError::Differs { name: key.to_string() });
        }
        if !same && !finished {
            // Ours, or what an earlier attempt left: nothing refers to it, and the spool has the segment.
            self.delete_object(&media_name(key)).await?;
            return Err(unavailable("verify", &media_name(key), "what is read back is not what was sent".to_owned()));
        }
        // 4. to 6.
        if !finished {
            self.put_sidecar(key, &sidecar_bytes).await?;
        }
        let altered = spooled.pieces.altered(found.as_ref().unwrap_or(&digests));
        Ok(Put { bytes: spooled.pieces.len(), moved: false, altered })
    }

    /// The spool has nothing of the segment any more: what the archive has must be whole by itself.
    async fn verify_alone(&self, spool: &Path, key: &SegmentKey) -> Result<Put, StoreError> {
        let (bytes, sidecar) = match (self.lengths(key).await?, self.sidecar(key).await) {
            ((Some(bytes), Some(_)), Ok(sidecar)) => (bytes, Some(sidecar)),
            ((Some(bytes), Some(_)), Err(StoreError::Sidecar { .. })) => (bytes, None),
            ((Some(_), Some(_)), Err(error)) => return Err(error),
            _ => return Err(StoreError::io("find both files of", &key.media_path(spool))(ErrorKind::NotFound.into())),
        };
        let pieces = Pieces::of(sidecar.as_ref(), bytes);
        let Some(found) = self.hash_object(&media_name(key), &pieces).await? else {
            let name = media_name(key);
            return Err(unavailable("verify", &name, "it is not as the store says".to_owned()));
        };
        Ok(Put { bytes, moved: false, altered: pieces.altered(&found) })
    }

    /// Whether the archive has the sidecar already, and so the whole segment.
    async fn is_finished(&self, key: &SegmentKey, sidecar: &Bytes) -> Result<bool, StoreError> {
        let name = sidecar_name(key);
        match self.get(&name, None, ASK_MAX).await {
            Ok(found) if found == *sidecar => Ok(true),
            // Cut short by the store, before it was read back.
            Ok(found) if sidecar.starts_with(&found) => self.delete_object(&name).await.map(|()| false),
            Ok(_) => Err(StoreError::Differs { name: name.to_string() }),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn put_sidecar(&self, key: &SegmentKey, sidecar: &Bytes) -> Result<(), StoreError> {
        let name = sidecar_name(key);
        self.create(&name, PutPayload::from(sidecar.clone())).await?;
        if self.get(&name, None, ASK_MAX).await? == *sidecar {
            return Ok(());
        }
        self.delete_object(&name).await?;
        Err(unavailable("verify", &name, "what is read back is not what was sent".to_owned()))
    }

    /// Uploads media that is not there; returns the hashes of what was sent.
    async fn upload(&self, key: &SegmentKey, spooled: &Spooled) -> Result<Vec<Digest>, StoreError> {
        let name = media_name(key);
        let mut source = Source::open(spooled, self.part_bytes).await?;
        if spooled.pieces.len() > self.whole_bytes_max {
            // There is no put-if-absent in parts. Keys are never given twice, and what is there already is read back
            // below.
            return match self.length(&name).await? {
                None => self.upload_parts(&name, source).await,
                Some(_) => source.rest().await,
            };
        }
        let mut chunks = Vec::new();
        while let Some(chunk) = source.next().await? {
            chunks.push(chunk);
        }
        self.create(&name, PutPayload::from_iter(chunks)).await?;
        source.finish()
    }

    async fn upload_parts(&self, name: &Name, mut source: Source) -> Result<Vec<Digest>, StoreError> {
        let begun = self.store.put_multipart_opts(name, PutMultipartOptions::default());
        let mut upload = within(ASK_MAX, "begin to upload", name, begun).await?;
        let sent = send_parts(upload.as_mut(), name, &mut source).await;
        if let Err(error) = sent {
            // Its failure changes nothing: the store's own rule for abandoned uploads comes later.
            if let Err(abort) = within(ASK_MAX, "abort the upload of", name, upload.abort()).await {
                let error = &abort as &dyn std::error::Error;
                tracing::warn!(%name, error, "parts of an upload are left in the store");
            }
            return Err(error);
        }
        source.finish()
    }

    /// Puts an object where none is. One that is there already is looked at by who reads back.
    async fn create(&self, name: &Name, payload: PutPayload) -> Result<(), StoreError> {
        let request = async {
            match self.store.put_opts(name, payload, PutOptions::from(PutMode::Create)).await {
                Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        };
        within(MOVE_MAX, "write", name, request).await
    }

    /// The hashes of an object as it is read back; `None` when it has another length or is gone.
    async fn hash_object(&self, name: &Name, pieces: &Pieces) -> Result<Option<Vec<Digest>>, StoreError> {
        let mut hasher = pieces.hasher();
        let read = async {
            let mut stream = self.store.get_opts(name, GetOptions::default()).await?.into_stream();
            while let Some(bytes) = stream.next().await {
                hasher.update(&bytes?);
            }
            Ok::<(), object_store::Error>(())
        };
        match asking(MOVE_MAX, "read back", name, read).await {
            Ok(()) => Ok(hasher.finish()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// See [`super::Archive::delete`].
    pub async fn delete(&self, key: &SegmentKey) -> Result<(), StoreError> {
        self.delete_object(&sidecar_name(key)).await?;
        self.delete_object(&media_name(key)).await
    }

    async fn delete_object(&self, name: &Name) -> Result<(), StoreError> {
        match asking(ASK_MAX, "delete", name, self.store.delete(name)).await {
            Err(error) if error.is_missing() => Ok(()),
            other => other,
        }
    }

    /// See [`super::Archive::list`].
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<SegmentKey>, StoreError> {
        let prefix = Name::from(PREFIX);
        let mut found = match after {
            Some(after) => self.store.list_with_offset(Some(&prefix), &Name::from(format!("{after}.jsonl"))),
            None => self.store.list(Some(&prefix)),
        };
        let mut keys = Vec::new();
        while keys.len() < limit {
            let next = async { found.next().await.transpose() };
            let Some(object) = within(ASK_MAX, "list", &prefix, next).await? else { break };
            // Media without a sidecar is not whole.
            let key = object.location.as_ref().strip_suffix(".jsonl").map(SegmentKey::parse);
            let Some(Ok(key)) = key else { continue };
            // Not every store begins where it is asked to.
            keys.extend(Some(key).filter(|key| after.is_none_or(|after| key.as_str() > after)));
        }
        Ok(keys)
    }

    /// See [`super::Archive::sidecar`].
    pub async fn sidecar(&self, key: &SegmentKey) -> Result<Sidecar, StoreError> {
        let bytes = self.get(&sidecar_name(key), None, READ_MAX).await?;
        Sidecar::parse(&bytes).map_err(|source| StoreError::Sidecar { key: key.to_string(), source })
    }

    /// Bytes of the media, fewer where it ends.
    pub async fn read_up_to(&self, key: &SegmentKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let start = range.start;
        match self.get(&media_name(key), Some(range), READ_MAX).await {
            // A range that begins behind the end is refused.
            Err(error @ StoreError::Unavailable { .. }) => {
                if self.size(key).await? <= start {
                    Ok(Bytes::new())
                } else {
                    Err(error)
                }
            }
            other => other,
        }
    }

    /// See [`super::Archive::size`].
    pub async fn size(&self, key: &SegmentKey) -> Result<u64, StoreError> {
        let name = media_name(key);
        self.length(&name).await?.ok_or_else(|| missing("find", &name))
    }

    /// Lengths of media and sidecar, bytes.
    pub async fn lengths(&self, key: &SegmentKey) -> Result<(Option<u64>, Option<u64>), StoreError> {
        Ok((self.length(&media_name(key)).await?, self.length(&sidecar_name(key)).await?))
    }

    async fn length(&self, name: &Name) -> Result<Option<u64>, StoreError> {
        let head = GetOptions { head: true, ..GetOptions::default() };
        match asking(READ_MAX, "look at", name, self.store.get_opts(name, head)).await {
            Ok(found) => Ok(Some(found.meta.size)),
            // The answer has no words; a bucket that is gone looks the same, and must not look like lost footage.
            Err(error) if error.is_missing() => self.list(None, 1).await.map(|_| None),
            Err(error) => Err(error),
        }
    }

    /// A small object beside the segments.
    pub async fn document(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        match self.get(&Name::from(name), None, ASK_MAX).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a small object beside the segments, over the one that is there.
    pub async fn replace(&self, name: &str, content: Vec<u8>) -> Result<(), StoreError> {
        let name = Name::from(name);
        let request = self.store.put_opts(&name, PutPayload::from(content), PutOptions::default());
        within(ASK_MAX, "write", &name, request).await.map(|_| ())
    }

    async fn get(&self, name: &Name, range: Option<Range<u64>>, limit: Duration) -> Result<Bytes, StoreError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let request = async { self.store.get_opts(name, options).await?.bytes().await };
        asking(limit, "read", name, request).await
    }
}

/// What the spool has of a segment; `None` when it has no sidecar or no media of it.
async fn look(spool: &Path, key: &SegmentKey) -> Result<Option<(Bytes, Spooled)>, StoreError> {
    let (spool, key) = (spool.to_owned(), key.clone());
    blocking(move || {
        let (sidecar_path, path) = (key.sidecar_path(&spool), key.media_path(&spool));
        let bytes = match std::fs::read(&sidecar_path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(StoreError::io("read", &sidecar_path))?,
        };
        let len = match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(StoreError::io("look at", &path))?.len(),
        };
        // A damaged one says nothing of the media, which is kept as it is.
        let sidecar = match read_sidecar(&spool, &key) {
            Err(StoreError::Sidecar { .. }) => None,
            other => Some(other?),
        };
        Ok(Some((Bytes::from(bytes), Spooled { path, pieces: Pieces::of(sidecar.as_ref(), len) })))
    })
    .await
}

/// The hashes of what the spool has.
async fn hash(spooled: &Spooled) -> Result<Vec<Digest>, StoreError> {
    Source::open(spooled, PART_BYTES).await?.rest().await
}

async fn send_parts(upload: &mut dyn MultipartUpload, name: &Name, source: &mut Source) -> Result<(), StoreError> {
    while let Some(chunk) = source.next().await? {
        within(MOVE_MAX, "write", name, upload.put_part(PutPayload::from(chunk))).await?;
    }
    within(MOVE_MAX, "finish", name, upload.complete()).await.map(|_| ())
}

/// The media in the spool, read in parts and hashed on the way.
struct Source {
    path: PathBuf,
    /// Away while a part is read.
    open: Option<(File, PieceHasher)>,
    part_bytes: usize,
}

impl Source {
    async fn open(spooled: &Spooled, part_bytes: usize) -> Result<Self, StoreError> {
        let (path, hasher) = (spooled.path.clone(), spooled.pieces.hasher());
        blocking(move || {
            let file = File::open(&path).map_err(StoreError::io("open", &path))?;
            Ok(Self { path, open: Some((file, hasher)), part_bytes })
        })
        .await
    }

    /// The next part; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        // Gone after an error or a dropped call: neither goes on.
        let (file, mut hasher) = self.open.take().ok_or(StoreError::Stopped)?;
        let (path, len) = (self.path.clone(), self.part_bytes);
        let (part, open) = blocking(move || {
            let mut part = Vec::with_capacity(len);
            let limit = u64::try_from(len).unwrap_or(u64::MAX);
            (&file).take(limit).read_to_end(&mut part).map_err(StoreError::io("read", &path))?;
            hasher.update(&part);
            Ok((part, (file, hasher)))
        })
        .await?;
        self.open = Some(open);
        Ok((!part.is_empty()).then(|| Bytes::from(part)))
    }

    /// Reads to the end without keeping anything.
    async fn rest(mut self) -> Result<Vec<Digest>, StoreError> {
        while self.next().await?.is_some() {}
        self.finish()
    }

    /// The hashes of all that was read.
    fn finish(self) -> Result<Vec<Digest>, StoreError> {
        let (_, hasher) = self.open.ok_or(StoreError::Stopped)?;
        hasher.finish().ok_or_else(|| StoreError::io("read all of", &self.path)(ErrorKind::UnexpectedEof.into()))
    }
}

fn media_name(key: &SegmentKey) -> Name {
    Name::from(key.as_str())
}

fn sidecar_name(key: &SegmentKey) -> Name {
    Name::from(format!("{key}.jsonl"))
}

/// Ends a request in time, and says what its failure means here: something that may work later.
async fn within<T>(
    limit: Duration,
    action: &'static str,
    name: &Name,
    request: impl Future<Output = object_store::Result<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, request).await {
        Ok(Ok(value)) => Ok(value),
        // Its text tells its sources as well. Refused credentials count among these: somebody may put them right.
        Ok(Err(error)) => Err(unavailable(action, name, error.to_string())),
        Err(_) => Err(unavailable(action, name, format!("no answer within {} s", limit.as_secs()))),
    }
}

/// The same for a request about an object that may not be there.
async fn asking<T>(
    limit: Duration,
    action: &'static str,
    name: &Name,
    request: impl Future<Output = object_store::Result<T>>,
) -> Result<T, StoreError> {
    let answer = async {
        match request.await {
            Ok(value) => Ok(Some(value)),
            // A bucket that is gone has nothing to say about what is in it.
            Err(error @ object_store::Error::NotFound { .. }) if !error.to_string().contains("NoSuchBucket") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    };
    let found = within(limit, action, name, answer).await?;
    found.ok_or_else(|| missing(action, name))
}

fn missing(action: &'static str, name: &Name) -> StoreError {
    StoreError::io(action, &PathBuf::from(name.to_string()))(ErrorKind::NotFound.into())
}

fn unavailable(action: &'static str, name: &Name, problem: String) -> StoreError {
    StoreError::Unavailable { action, what: name.to_string(), source: problem.into() }
}
