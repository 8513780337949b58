//! The interlock of deletion: a missing, empty, older or foreign database deletes nothing, and says so.
//!
//! Which footage may go is decided by rows and holds. A database that is not the one that belongs to the footage, or an
//! older copy of it, does not know the holds; so the spool and the archive each carry a note of the database they belong to
//! ([`Identity`]) and how often it had been opened. At every start, before anything is recorded or deleted:
//!
//! 1. what spool and archive say, and what is there, is looked at ([`Findings`]);
//! 2. all agree, or all is new: the note is written again with this opening, and only then deletion is allowed;
//! 3. anything else locks deletion until a person decides: the spool keeps that this database is not to be trusted, so that
//!    no later start finds it in order because the recording has gone on meanwhile. Recording goes on, and so do uploads
//!    into an archive that is the right one: they only add.
//!
//! Every disk of the spool carries the note, the journal and what is not to be trusted, and all are asked. A disk that
//! belonged to the spool and is not there locks deletion, too: what it has is not gone.
//!
//! Copies that are too young to be told by the count of openings are told by what they lack: the last deletion of the
//! spool's journal, or the last few files of a stream.

use std::sync::Arc;
use std::time::Duration;

use minhbach_index::{DeletionFilter, Index, IndexError};
use minhbach_model::{CameraId, Deletion, SegmentId, StreamKind, WallTime};
use minhbach_runtime::Clock;
use minhbach_store::{
    Identity, JournalFile, SegmentKey, StoreError, read_identity, read_locks, read_sidecar, write_identity, write_locks,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::repair::keys_since;
use crate::seen::SeenTime;
use crate::status::ArchiveTeller;
use crate::tiers::{Tiers, blocking, is_unavailable};

/// So many files of one stream after the last that the database knows make it an older copy. A crash can leave two: the
/// last row is told when its first fragment is on the disk.
const FILES_AHEAD: usize = 3;
/// Entries of the journal read at once.
const JOURNAL_PAGE: usize = 1000;
/// Between two attempts to ask an archive that does not answer.
const RETRY: Duration = Duration::from_secs(10);

/// Whether anything may be deleted. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Interlock {
    gate: Arc<watch::Sender<Gate>>,
    seen: SeenTime,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Gate {
    /// Not known yet: nothing is deleted and nothing uploaded.
    Undecided,
    Open,
    /// Nothing is deleted.
    Locked {
        /// Whether the archive is the right one.
        uploads: bool,
    },
}

impl Default for Interlock {
    fn default() -> Self {
        Self { gate: Arc::new(watch::Sender::new(Gate::Undecided)), seen: SeenTime::default() }
    }
}

impl Interlock {
    /// Undecided until [`guard`] has run.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether footage may be deleted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.gate.borrow() == Gate::Open
    }

    /// What time it is for certain.
    pub(crate) fn seen(&self) -> &SeenTime {
        &self.seen
    }

    /// Waits until something may be put into the archive; that may be never.
    pub(crate) async fn uploads(&self) {
        let mut gate = self.gate.subscribe();
        // The sender lives as long as this.
        let _ = gate.wait_for(|gate| matches!(gate, Gate::Open | Gate::Locked { uploads: true })).await;
    }

    /// Waits until footage may be deleted, and with it until spool and archive are those that the rows tell of; that may be never.
    pub(crate) async fn opened(&self) {
        let mut gate = self.gate.subscribe();
        // The sender lives as long as this.
        let _ = gate.wait_for(|gate| *gate == Gate::Open).await;
    }

    pub(crate) fn decide(&self, open: bool) {
        self.gate.send_replace(if open { Gate::Open } else { Gate::Locked { uploads: true } });
    }

    fn lock(&self, locked: &Locked) {
        self.gate.send_replace(Gate::Locked { uploads: !locked.is_of_archive() });
    }
}

/// Why nothing may be deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    /// An earlier start found that this database is not the right one.
    #[error(
        "this database was locked at an earlier start ({reason}); place holds that were lost again, then run `minhbach-server trust-database`"
    )]
    Remembered {
        /// What was found then.
        reason: String,
    },
    /// The archive that was used is not there.
    #[error(
        "the archive says nothing and holds nothing, and one was used before: is its disk mounted, its path or bucket right? {ADVICE}"
    )]
    ArchiveMissing,
    /// A disk of the spool is not there.
    #[error(
        "the disk {disk} of the spool is not there ({problem}): nothing is deleted; mount it and start the server again; if it is \
         lost for good, take it out of `[spool] disks` and run `minhbach-server trust-database`"
    )]
    DiskMissing {
        /// Its folder.
        disk: String,
        /// What is wrong.
        problem: String,
    },
    /// The spool had a disk that it is not opened with.
    #[error(
        "the disk {disk} belonged to the spool and is not in `[spool] disks`: nothing is deleted; name it there again, or run \
         `minhbach-server trust-database` if what is on it is not needed any more"
    )]
    DiskLeftOut {
        /// Its folder.
        disk: String,
    },
    /// There is footage, and no note of the database it belongs to.
    #[error("the {place} holds footage and does not say to which database it belongs: {ADVICE}")]
    Unnamed {
        /// `spool` or `archive`.
        place: &'static str,
    },
    /// It belongs to another database.
    #[error("the {place} belongs to database {found}, and this is database {database}: {ADVICE}")]
    Foreign {
        /// `spool` or `archive`.
        place: &'static str,
        /// The database it belongs to.
        found: String,
        /// The one in use.
        database: String,
    },
    /// The database was opened more often than this copy of it.
    #[error("the {place} was used with a newer copy of this database (opening {seen}, this is {now}): {ADVICE}")]
    Older {
        /// `spool` or `archive`.
        place: &'static str,
        /// The opening it was used with.
        seen: u64,
        /// This opening.
        now: u64,
    },
    /// The journal in the spool holds a deletion the database does not know.
    #[error(
        "the journal in the spool has a deletion of {key} that this database does not know, so it is an older copy: {ADVICE}"
    )]
    JournalAhead {
        /// Storage key of what was deleted.
        key: String,
    },
    /// There is footage after the last the database knows.
    #[error("there is footage such as {key} after the last this database knows of, so it is an older copy: {ADVICE}")]
    FootageAhead {
        /// Storage key of a segment.
        key: String,
    },
    /// The note is not readable.
    #[error("the {place} does not tell to which database it belongs ({problem}): {ADVICE}")]
    Unreadable {
        /// `spool` or `archive`.
        place: &'static str,
        /// What was wrong.
        problem: String,
    },
}

impl Locked {
    /// Whether what is there may not be the archive at all: then nothing is put into it.
    fn is_of_archive(&self) -> bool {
        match self {
            Self::ArchiveMissing => true,
            Self::Unnamed { place }
            | Self::Foreign { place, .. }
            | Self::Older { place, .. }
            | Self::Unreadable { place, .. } => *place == "archive",
            Self::Remembered { .. }
            | Self::DiskMissing { .. }
            | Self::DiskLeftOut { .. }
            | Self::JournalAhead { .. }
            | Self::FootageAhead { .. } => false,
        }
    }
}

const ADVICE: &str = "nothing is deleted; stop the server, then bring the right database back, or make the index again with \
                      `minhbach-server rebuild-index`, or accept this one with `minhbach-server trust-database`";

/// What a place says, and whether it holds footage.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    name: &'static str,
    identity: Option<Identity>,
    /// Counts only where there is no identity.
    has_footage: bool,
}

impl Place {
    /// Rule 2 and 3 of the module, for one place.
    fn judge(&self, database: &Identity) -> Result<(), Locked> {
        let place = self.name;
        match &self.identity {
            None if self.has_footage => Err(Locked::Unnamed { place }),
            None => Ok(()),
            Some(found) if found.database_id != database.database_id => Err(Locked::Foreign {
                place,
                found: found.database_id.to_string(),
                database: database.database_id.to_string(),
            }),
            // Every opening counts: the database that belongs to it is further on than at the last start.
            Some(found) if found.generation >= database.generation => {
                Err(Locked::Older { place, seen: found.generation, now: database.generation })
            }
            Some(_) => Ok(()),
        }
    }
}

/// Where the recording of a stream ends, as the database says.
#[derive(Debug, Clone, Copy)]
struct KnownEnd {
    camera: CameraId,
    stream: StreamKind,
    end: WallTime,
}

/// What was found at the start, before this process changed anything.
#[derive(Debug)]
pub struct Findings {
    database: Identity,
    ends: Vec<KnownEnd>,
    /// Keys whose deletion was begun: their files may be there without a row.
    marked: Vec<String>,
    verdict: Result<(), Locked>,
    /// The spool says that there is an archive.
    archive_used: bool,
}

impl Findings {
    /// Looks at database and spool. Must be done before anything is recorded: afterwards rows and files differ anyway.
    ///
    /// # Errors
    /// When the index or the spool does not answer.
    pub async fn look(index: &dyn Index, tiers: &Tiers, clock: &Clock) -> Result<Self, RecorderError> {
        let database = identity_of(index, tiers);
        let mut ends = Vec::new();
        for known in index.recorded_since().await? {
            let (camera, stream) = (known.camera, known.stream);
            let end = index.last_recorded_end(camera, stream).await?;
            ends.extend(end.map(|end| KnownEnd { camera, stream, end }));
        }
        let marked = index.marked(minhbach_index::MAX_PAGE).await?.into_iter().map(|segment| segment.key).collect();
        let mut findings = Self { database, ends, marked, verdict: Ok(()), archive_used: false };
        for Tiers { spool: root, .. } in tiers.each_disk() {
            // What cannot be read is told by the judgement.
            let noted = blocking(move || Ok(read_identity(&root).ok().flatten())).await?;
            findings.archive_used |= noted.is_some_and(|identity| identity.archive);
        }
        findings.verdict = findings.judge_disks(index, tiers, clock.now()).await?;
        Ok(findings)
    }

    /// All disks of the spool. That one is missing is said last: it says nothing of the database.
    async fn judge_disks(
        &self,
        index: &dyn Index,
        tiers: &Tiers,
        now: WallTime,
    ) -> Result<Result<(), Locked>, RecorderError> {
        for disk in tiers.each_disk() {
            if let Err(locked) = self.judge_spool(index, &disk, now).await? {
                return Ok(Err(locked));
            }
        }
        let shown = |root: &std::path::Path| root.display().to_string();
        if let Some(disk) = tiers.disks.missing().next() {
            return Ok(Err(Locked::DiskMissing { disk: shown(disk.root()), problem: disk.problem() }));
        }
        let left_out = tiers.disks.left_out().first();
        Ok(left_out.map_or(Ok(()), |root| Err(Locked::DiskLeftOut { disk: shown(root) })))
    }

    /// One disk of it.
    async fn judge_spool(
        &self,
        index: &dyn Index,
        tiers: &Tiers,
        now: WallTime,
    ) -> Result<Result<(), Locked>, RecorderError> {
        let root = tiers.spool.clone();
        match blocking(move || read_locks(&root)).await {
            Ok(locks) => {
                if let Some(reason) = locks.get(&self.database.database_id) {
                    return Ok(Err(Locked::Remembered { reason: reason.clone() }));
                }
            }
            Err(error) => return Ok(Err(Locked::Unreadable { place: "spool", problem: error.to_string() })),
        }
        let root = tiers.spool.clone();
        let identity = match blocking(move || read_identity(&root)).await {
            Ok(identity) => identity,
            Err(error) => return Ok(Err(Locked::Unreadable { place: "spool", problem: error.to_string() })),
        };
        // Asked only when it decides: it walks through folders.
        let has_footage = identity.is_none() && spool_has_footage(tiers).await?;
        let place = Place { name: "spool", identity, has_footage };
        if let Err(locked) = place.judge(&self.database) {
            return Ok(Err(locked));
        }
        if let Some(key) = last_deletion_unknown(index, tiers).await? {
            return Ok(Err(Locked::JournalAhead { key }));
        }
        let (root, ends, marked) = (tiers.spool.clone(), self.ends.clone(), self.marked.clone());
        let ahead = blocking(move || Ok(spooled_ahead(&root, &ends, &marked, now))).await?;
        Ok(ahead.map_or(Ok(()), |key| Err(Locked::FootageAhead { key })))
    }

    /// The same for the archive. An error means that it does not answer.
    async fn judge_archive(&self, tiers: &Tiers) -> Result<Result<(), Locked>, StoreError> {
        let Some(archive) = &tiers.archive else { return Ok(Ok(())) };
        let identity = match archive.read_identity().await {
            Ok(identity) => identity,
            Err(error) if is_unavailable(&error) => return Err(error),
            Err(error) => return Ok(Err(Locked::Unreadable { place: "archive", problem: error.to_string() })),
        };
        let has_footage = identity.is_none() && !archive.list(None, 1).await?.is_empty();
        if identity.is_none() && !has_footage && self.archive_used {
            return Ok(Err(Locked::ArchiveMissing));
        }
        if let Err(locked) = (Place { name: "archive", identity, has_footage }).judge(&self.database) {
            return Ok(Err(locked));
        }
        for known in &self.ends {
            let after = SegmentKey::new(known.camera, known.stream, known.end, SegmentId::from_bytes([0xff; 16]));
            let folder = format!("v1/{}/{}/", known.camera, known.stream);
            let page = archive.list(Some(after.as_str()), FILES_AHEAD).await?;
            let is_ahead = |key: &&SegmentKey| key.as_str().starts_with(&folder) && !self.is_marked(key);
            let ahead: Vec<&SegmentKey> = page.iter().filter(is_ahead).collect();
            if ahead.len() >= FILES_AHEAD {
                return Ok(Err(Locked::FootageAhead { key: ahead[0].to_string() }));
            }
        }
        Ok(Ok(()))
    }

    fn is_marked(&self, key: &SegmentKey) -> bool {
        self.marked.iter().any(|marked| marked == key.as_str())
    }
}

async fn spool_has_footage(tiers: &Tiers) -> Result<bool, StoreError> {
    let spool = Tiers { archive: None, ..tiers.clone() };
    Ok(spool.keys().next().await?.is_some())
}

/// The key of the last deletion in the spool's journal, if the database does not know it.
async fn last_deletion_unknown(index: &dyn Index, tiers: &Tiers) -> Result<Option<String>, RecorderError> {
    let root = tiers.spool.clone();
    let Some(last) = blocking(move || JournalFile::last(&root)).await? else { return Ok(None) };
    Ok(if knows(index, &last).await? { None } else { Some(last.key) })
}

/// Whether the database's journal has that entry. Those decided at one moment are one batch, far less than a page.
async fn knows(index: &dyn Index, deletion: &Deletion) -> Result<bool, IndexError> {
    let filter = DeletionFilter { camera: Some(deletion.camera), ..DeletionFilter::default() };
    let before = Some((deletion.at, SegmentId::from_bytes([0xff; 16])));
    let page = index.deletions(&filter, before, minhbach_index::MAX_PAGE).await?;
    Ok(page.iter().any(|entry| entry.segment == deletion.segment))
}

/// A file in the spool of a stream that has [`FILES_AHEAD`] of them after its known end. Blocking.
fn spooled_ahead(root: &std::path::Path, ends: &[KnownEnd], marked: &[String], now: WallTime) -> Option<String> {
    ends.iter().find_map(|known| {
        // A row that was just opened may start where the one before it ends.
        let after = known.end.offset_ns(1_000_000);
        let keys = keys_since(root, known.camera, known.stream, after, now);
        // A file that never got a fragment holds no footage and has no row.
        let holds = |key: &SegmentKey| read_sidecar(root, key).is_ok_and(|sidecar| !sidecar.fragments.is_empty());
        let mut ahead = keys.iter().filter(|key| !marked.iter().any(|m| m == key.as_str()) && holds(key));
        let first = ahead.next()?;
        ahead.nth(FILES_AHEAD - 2).is_some().then(|| first.to_string())
    })
}

/// Decides the interlock; ends when it is decided. An archive that does not answer is asked until it does: until then
/// nothing is deleted.
pub async fn guard(
    findings: Findings,
    tiers: Tiers,
    interlock: Interlock,
    teller: ArchiveTeller,
    stop: CancellationToken,
) {
    let mut told = false;
    interlock.seen().recorded_until(findings.ends.iter().map(|known| known.end).max());
    loop {
        match decide(&findings, &tiers).await {
            Ok(Ok(())) => {
                tracing::info!(generation = findings.database.generation, "spool and archive belong to this database");
                return interlock.decide(true);
            }
            Ok(Err(locked)) => {
                tracing::error!(reason = %locked, "deletion is locked");
                teller.tell(|status| status.interlock = Some(locked.to_string()));
                return interlock.lock(&locked);
            }
            Err(error) => {
                if !told {
                    tracing::warn!(error = &error as &dyn std::error::Error, "deletion waits for the archive");
                    told = true;
                }
                teller.tell(|status| {
                    status.available = false;
                    status.last_error = Some(chain(&error));
                });
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

/// Steps 1 to 3 of the module. An error means: not known yet.
async fn decide(findings: &Findings, tiers: &Tiers) -> Result<Result<(), Locked>, StoreError> {
    let verdict = match &findings.verdict {
        Ok(()) => findings.judge_archive(tiers).await?,
        Err(locked) => Err(locked.clone()),
    };
    match verdict {
        // Both are judged before either is written: a foreign archive must not change what the spool says.
        Ok(()) => sign(&findings.database, tiers).await?,
        // A disk that was not mounted can be there at the next start: that says nothing of the database.
        Err(
            Locked::Remembered { .. }
            | Locked::ArchiveMissing
            | Locked::DiskMissing { .. }
            | Locked::DiskLeftOut { .. },
        ) => {}
        Err(ref locked) => remember(&findings.database, tiers, locked).await?,
    }
    Ok(verdict)
}

/// Keeps in the spool that this database is not to be trusted.
async fn remember(database: &Identity, tiers: &Tiers, locked: &Locked) -> Result<(), StoreError> {
    for Tiers { spool: root, .. } in tiers.each_disk() {
        let (id, reason) = (database.database_id, locked.to_string());
        blocking(move || {
            let mut locks = read_locks(&root)?;
            locks.insert(id, reason);
            write_locks(&root, &locks)
        })
        .await?;
    }
    Ok(())
}

/// Writes to which database spool and archive belong. The archive first: it can refuse.
async fn sign(database: &Identity, tiers: &Tiers) -> Result<(), StoreError> {
    if let Some(archive) = &tiers.archive {
        archive.write_identity(database).await?;
    }
    for Tiers { spool: root, disks, .. } in tiers.each_disk() {
        let identity = database.clone();
        match blocking(move || write_identity(&root, &identity)).await {
            // It refuses footage, too, which is told. What it says of the last opening stays true.
            Err(_) if disks.is_any_away() => {}
            written => written?,
        }
    }
    // After the identities: a disk that is named in the note and has no identity is taken for one that is not mounted.
    let disks = tiers.disks.clone();
    blocking(move || disks.note_disks()).await
}

fn identity_of(index: &dyn Index, tiers: &Tiers) -> Identity {
    Identity { database_id: index.database_id(), generation: index.generation(), archive: tiers.archive.is_some() }
}

/// Whether a database is the one the spool belongs to, and not an older copy of it: then what it says can be taken over.
pub(crate) async fn is_the_one(index: &dyn Index, tiers: &Tiers) -> Result<bool, StoreError> {
    let database = identity_of(index, tiers);
    let mut is_noted = false;
    for Tiers { spool: root, .. } in tiers.each_disk() {
        let id = database.database_id;
        let read = blocking(move || Ok((read_locks(&root)?.contains_key(&id), read_identity(&root)?))).await?;
        match read {
            (true, _) => return Ok(false),
            (false, Some(noted)) if noted.database_id != id || noted.generation >= database.generation => {
                return Ok(false);
            }
            // A disk that is new says nothing.
            (false, noted) => is_noted |= noted.is_some(),
        }
    }
    Ok(is_noted)
}

/// Writes that spool and archive belong to this database, whatever was found before.
pub(crate) async fn sign_for(index: &dyn Index, tiers: &Tiers) -> Result<(), StoreError> {
    sign(&identity_of(index, tiers), tiers).await?;
    for Tiers { spool: root, .. } in tiers.each_disk() {
        let id = index.database_id();
        blocking(move || {
            let mut locks = read_locks(&root)?;
            locks.remove(&id);
            write_locks(&root, &locks)
        })
        .await?;
    }
    Ok(())
}

/// Says on purpose that spool and archive belong to this database: its journal gets what the spool's has and it lacks.
/// Footage it does not know must have got rows before, see [`crate::adopt_all`]. Returns how many entries were
/// read.
///
/// # Errors
/// When the index or the store does not answer.
pub async fn trust(index: &dyn Index, tiers: &Tiers) -> Result<u64, RecorderError> {
    let read = import_journal(index, tiers).await?;
    sign_for(index, tiers).await?;
    Ok(read)
}

/// Gives the database what the spool's journals have. Returns how many entries were read; each disk has a copy, which count
/// once.
pub(crate) async fn import_journal(index: &dyn Index, tiers: &Tiers) -> Result<u64, RecorderError> {
    let mut most = 0;
    for disk in tiers.each_disk() {
        most = import_journal_of(index, &disk).await?.max(most);
    }
    Ok(most)
}

async fn import_journal_of(index: &dyn Index, tiers: &Tiers) -> Result<u64, RecorderError> {
    let root = tiers.spool.clone();
    let mut entries = blocking(move || JournalFile::entries(&root)).await?;
    let mut read = 0;
    loop {
        // Years of them can be more than fits into memory.
        let (page, rest) = blocking(move || {
            let page: Vec<Deletion> = entries.by_ref().take(JOURNAL_PAGE).filter_map(Result::ok).collect();
            Ok((page, entries))
        })
        .await?;
        entries = rest;
        if page.is_empty() {
            return Ok(read);
        }
        for deletion in &page {
            index.insert_deletion(deletion).await?;
        }
        read += page.len() as u64;
    }
}

/// An error and what is behind it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use minhbach_model::DeletionReason;

    use super::*;
    use crate::testing::{SECOND, Yard, start};

    async fn judged(yard: &Yard) -> Result<(), Locked> {
        let findings = Findings::look(yard.index.as_ref(), &yard.tiers, &yard.clock).await.expect("all answer");
        decide(&findings, &yard.tiers).await.expect("the archive answers")
    }

    #[tokio::test]
    async fn new_things_are_accepted_and_the_next_opening_too() {
        let mut yard = Yard::with_archive().await;
        assert_eq!(judged(&yard).await, Ok(()));
        yard.record(0, 2).await;
        yard.reopen().await;
        assert_eq!(judged(&yard).await, Ok(()));
        let written = read_identity(&yard.tiers.spool).unwrap().expect("written");
        assert_eq!((written.database_id, written.generation), (yard.index.database_id(), yard.index.generation()));
    }

    #[tokio::test]
    async fn an_emptied_database_is_another_one() {
        let mut yard = Yard::with_archive().await;
        assert_eq!(judged(&yard).await, Ok(()));
        yard.record(0, 2).await;
        yard.replace_database().await;
        assert!(matches!(judged(&yard).await, Err(Locked::Foreign { place: "spool", .. })));
        // It was not signed over, and it is remembered.
        yard.reopen().await;
        assert!(matches!(judged(&yard).await, Err(Locked::Remembered { .. })));
        trust(yard.index.as_ref(), &yard.tiers).await.expect("signed");
        yard.reopen().await;
        assert_eq!(judged(&yard).await, Ok(()));
    }

    #[tokio::test]
    async fn footage_without_a_name_is_not_touched() {
        let yard = Yard::new().await;
        yard.record(0, 2).await;
        assert_eq!(judged(&yard).await, Err(Locked::Unnamed { place: "spool" }));
        // Here only what the file says is looked at, not what was remembered.
        std::fs::remove_file(yard.tiers.spool.join("deletion-locked.json")).unwrap();
        std::fs::write(yard.tiers.spool.join("minhbach.json"), b"{").unwrap();
        assert!(matches!(judged(&yard).await, Err(Locked::Unreadable { place: "spool", .. })));
    }

    #[tokio::test]
    async fn an_archive_of_another_database_locks_and_the_spool_keeps_its_note() {
        let yard = Yard::with_archive().await;
        let foreign = Identity { database_id: uuid::Uuid::from_bytes([7; 16]), generation: 1, archive: false };
        yard.tiers.archive.as_ref().expect("it has one").write_identity(&foreign).await.unwrap();
        assert!(matches!(judged(&yard).await, Err(Locked::Foreign { place: "archive", .. })));
        assert_eq!(read_identity(&yard.tiers.spool).unwrap(), None);
    }

    #[tokio::test]
    async fn a_copy_from_before_the_last_start_is_told_by_its_openings() {
        let mut yard = Yard::new().await;
        assert_eq!(judged(&yard).await, Ok(()));
        let copy = yard.copy_database().await;
        yard.reopen().await;
        assert_eq!(judged(&yard).await, Ok(()));
        yard.restore_database(&copy).await;
        assert!(matches!(judged(&yard).await, Err(Locked::Older { place: "spool", seen: 2, now: 2 })));
        // However often it is opened.
        for _ in 0..3 {
            yard.reopen().await;
            assert!(matches!(judged(&yard).await, Err(Locked::Remembered { .. })));
        }
        trust(yard.index.as_ref(), &yard.tiers).await.expect("signed");
        yard.reopen().await;
        assert_eq!(judged(&yard).await, Ok(()));
    }

    #[tokio::test]
    async fn an_archive_that_is_not_mounted_is_not_taken_for_a_new_one() {
        let mut yard = Yard::with_archive().await;
        assert_eq!(judged(&yard).await, Ok(()));
        let archive = yard.tiers.archive.clone().expect("it has one");
        let (folder, aside) = (archive.folder().expect("a folder").to_owned(), yard.tiers.spool.join("aside"));
        std::fs::rename(&folder, &aside).unwrap();
        std::fs::create_dir_all(folder.join("v1")).unwrap();
        yard.reopen().await;
        let locked = judged(&yard).await.expect_err("it must lock");
        assert!(locked == Locked::ArchiveMissing && locked.is_of_archive());
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::rename(&aside, &folder).unwrap();
        yard.reopen().await;
        assert_eq!(judged(&yard).await, Ok(()), "mounted again, all is as it was");
    }

    #[tokio::test]
    async fn a_disk_that_is_not_mounted_locks_until_it_is_back_and_one_left_out_until_a_person_decides() {
        let mut yard = Yard::new().await;
        let first = yard.tiers.spool.clone();
        let roots = [first.clone(), first.with_file_name("second")];
        let aside = first.with_file_name("aside");
        let with = |roots: &[std::path::PathBuf]| Tiers::new(minhbach_store::Spool::open(roots).unwrap(), None);
        yard.tiers = with(&roots);
        assert_eq!(judged(&yard).await, Ok(()));
        for root in &roots {
            assert!(read_identity(root).unwrap().is_some(), "each says to whom it belongs");
        }
        std::fs::rename(&roots[1], &aside).unwrap();
        for _ in 0..2 {
            yard.reopen().await;
            yard.tiers = with(&roots);
            let missing =
                |locked: &Locked| matches!(locked, Locked::DiskMissing { disk, .. } if disk.ends_with("second"));
            assert!(judged(&yard).await.is_err_and(|locked| missing(&locked)));
            assert!(read_locks(&first).unwrap().is_empty() && !roots[1].exists(), "it says nothing of the database");
        }
        std::fs::rename(&aside, &roots[1]).unwrap();
        yard.reopen().await;
        yard.tiers = with(&roots);
        assert_eq!(judged(&yard).await, Ok(()), "mounted again, all is as it was");
        yard.reopen().await;
        yard.tiers = with(&roots[..1]);
        assert!(matches!(judged(&yard).await, Err(Locked::DiskLeftOut { .. })));
        trust(yard.index.as_ref(), &yard.tiers).await.expect("signed");
        yard.reopen().await;
        yard.tiers = with(&roots[..1]);
        assert_eq!(judged(&yard).await, Ok(()));
    }

    #[tokio::test]
    async fn a_copy_from_this_run_is_told_by_the_footage_and_the_deletions_it_lacks() {
        let mut yard = Yard::new().await;
        assert_eq!(judged(&yard).await, Ok(()));
        yard.record(0, 2).await;
        let copy = yard.copy_database().await;
        for number in 1..=3 {
            yard.record(number * 10, 2).await;
        }
        yard.restore_database(&copy).await;
        assert!(matches!(judged(&yard).await, Err(Locked::FootageAhead { .. })));

        let mut yard = Yard::new().await;
        assert_eq!(judged(&yard).await, Ok(()));
        let gone = yard.record(0, 2).await;
        yard.record(10, 2).await;
        let copy = yard.copy_database().await;
        let marked = yard
            .index
            .mark_for_deletion(std::slice::from_ref(&gone.key), DeletionReason::Expired, start().offset_ns(60 * SECOND))
            .await
            .unwrap();
        yard.deleter().log(&marked, DeletionReason::Expired, start().offset_ns(60 * SECOND)).await.unwrap();
        yard.reopen().await;
        assert_eq!(judged(&yard).await, Ok(()), "its own journal is ahead of the file at most");
        yard.restore_database(&copy).await;
        std::fs::remove_file(yard.tiers.spool.join("minhbach.json")).unwrap();
        let identity = Identity { database_id: yard.index.database_id(), generation: 1, archive: false };
        write_identity(&yard.tiers.spool, &identity).unwrap();
        assert!(matches!(judged(&yard).await, Err(Locked::JournalAhead { key }) if key == gone.key));
    }

    #[tokio::test]
    async fn what_a_crash_leaves_without_a_row_locks_nothing() {
        let yard = Yard::new().await;
        assert_eq!(judged(&yard).await, Ok(()));
        yard.record(0, 2).await;
        for number in 1..=2 {
            let (key, at) = yard.key(number * 10);
            yard.write(&key, at, 2);
        }
        for number in 3..=9 {
            let (key, at) = yard.key(number * 10);
            yard.write(&key, at, 0);
        }
        let findings = Findings::look(yard.index.as_ref(), &yard.tiers, &yard.clock).await.unwrap();
        assert_eq!(findings.verdict, Err(Locked::Older { place: "spool", seen: 1, now: 1 }), "the same opening");
        let ahead = spooled_ahead(&yard.tiers.spool, &findings.ends, &[], yard.clock.now());
        assert_eq!(ahead, None);
    }
}
