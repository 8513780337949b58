//! How long footage stays: the interlock, and who deletes what, in which order.
//!
//! The order of a deletion, each step safe to repeat after a crash between any two:
//!
//! 1. the interlock is open: this database is the one the footage belongs to;
//! 2. rows are marked and written into the journal of the database, in one transaction, which asks the holds once more;
//! 3. the journal beside the footage is appended and synced;
//! 4. the files go;
//! 5. the rows go.
//!
//! A start begins with what was marked before. What is under a hold is never marked: neither because it is old nor because a
//! disk is full. A missing, empty, older or foreign database deletes nothing: it does not know the holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use minhbach_index::{Index, MAX_PAGE, RecordedSince};
use minhbach_model::{
    Camera, CameraId, Deletion, DeletionReason, PlaceTree, Retention, RetentionScope, Segment, WallTime,
};
use minhbach_runtime::Clock;
use minhbach_store::{Identity, JournalEntry, SegmentKey, Store, StoreError, append_journal, erase, has_footage};
use minhbach_store::{read_identity, write_identity};
use tokio_util::sync::CancellationToken;

use crate::RecorderError;
use crate::status::{ArchiveTeller, CameraDays, Fill, Reminder, SpoolState};

/// Between two looks at ages and at the disk.
const ROUND: Duration = Duration::from_secs(30);
/// Segments deleted in one transaction: few enough that whoever inserts does not wait.
const BATCH: u32 = 100;
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// How full the disk of the footage may become, percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// From here on there is an alarm.
    pub alarm_percent: u8,
    /// From here on the oldest footage that is not held goes.
    pub delete_percent: u8,
}

/// Why nothing may be deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    /// There is footage, and no note of the database it belongs to.
    #[error("the footage does not say to which database it belongs: {ADVICE}")]
    Unnamed,
    /// It belongs to another database.
    #[error("the footage belongs to database {found}, and this is database {database}: {ADVICE}")]
    Foreign {
        /// The database it belongs to.
        found: String,
        /// The one in use.
        database: String,
    },
    /// The database was opened more often than this copy of it.
    #[error("the footage was used with a newer copy of this database (opening {seen}, this is {now}): {ADVICE}")]
    Older {
        /// The opening it was used with.
        seen: u64,
        /// This opening.
        now: u64,
    },
    /// The note is not readable.
    #[error("the footage does not tell to which database it belongs ({0}): {ADVICE}")]
    Unreadable(String),
}

const ADVICE: &str = "nothing is deleted; stop the server, then bring the right database back, or accept this one with \
                      `minhbach-server trust-database`";

/// Whether the footage belongs to this database.
#[derive(Debug)]
pub struct Interlock(Result<(), Locked>);

impl Interlock {
    /// Looks at the note beside the footage, and signs it when it agrees. Must be done before anything is recorded.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn look(root: &Path, database: &Identity) -> Result<Self, StoreError> {
        let verdict = match read_identity(root) {
            Err(error) => Err(Locked::Unreadable(chain(&error))),
            Ok(None) if has_footage(root)? => Err(Locked::Unnamed),
            Ok(None) => Ok(()),
            Ok(Some(found)) if found.database_id != database.database_id => Err(Locked::Foreign {
                found: found.database_id.to_string(),
                database: database.database_id.to_string(),
            }),
            // Every opening counts: the right database is further on than at the last start.
            Ok(Some(found)) if found.generation >= database.generation => {
                Err(Locked::Older { seen: found.generation, now: database.generation })
            }
            Ok(Some(_)) => Ok(()),
        };
        if verdict.is_ok() {
            write_identity(root, database)?;
        }
        Ok(Self(verdict))
    }

    /// Why nothing may be deleted; `None` when the footage belongs to this database.
    #[must_use]
    pub fn locked(&self) -> Option<&Locked> {
        self.0.as_ref().err()
    }
}

/// An error and everything behind it, in one line.
#[must_use]
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

/// Deletes what may not or cannot be kept, and tells how long footage is kept.
pub struct Keeper {
    /// What is recorded and held.
    pub index: Arc<dyn Index>,
    /// Where footage lies.
    pub store: Arc<Store>,
    /// The wall clock.
    pub clock: Clock,
    /// Whether anything may be deleted.
    pub interlock: Interlock,
    /// What is kept where nothing else was said.
    pub default: Retention,
    /// How full the disk may become.
    pub watermarks: Watermarks,
    /// Told how it stands.
    pub teller: ArchiveTeller,
}

impl Keeper {
    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut full = Reminder::default();
        let mut locked = Reminder::default();
        let mut failing = Reminder::default();
        self.teller.tell(|status| status.interlock = self.interlock.locked().map(ToString::to_string));
        loop {
            if let Some(reason) = self.interlock.locked()
                && locked.is_due()
            {
                tracing::error!(%reason, "deletion is locked");
            }
            match self.round().await {
                Ok(state) => {
                    failing.clear();
                    if !matches!(state, SpoolState::FullOfHeld | SpoolState::FullOfUnarchived) {
                        full.clear();
                    } else if full.is_due() {
                        tracing::error!("the disk is full, and everything that is left is held");
                    }
                }
                Err(error) if failing.is_due() => {
                    tracing::error!(error = &error as &dyn std::error::Error, "footage could not be looked through");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    /// Looks at everything once.
    async fn round(&self) -> Result<SpoolState, RecorderError> {
        let now = self.clock.now();
        let recorded = self.index.recorded_since().await?;
        let kept = self.kept(&recorded).await?;
        let days = recorded.iter().map(|r| r.camera).collect::<std::collections::BTreeSet<_>>();
        let days = days.into_iter().map(|camera| self.days(camera, &recorded, &kept, now)).collect();
        let damaged = self.index.damaged_segments().await?;
        self.teller.tell(|status| {
            status.days = days;
            status.damaged_segments = damaged;
        });
        if self.interlock.locked().is_none() {
            self.finish_marked().await?;
            self.expire(&recorded, &kept, now).await?;
        }
        let state = self.make_room(now).await?;
        Ok(state)
    }

    /// What is promised of each camera of which something is recorded.
    async fn kept(&self, recorded: &[RecordedSince]) -> Result<BTreeMap<CameraId, Retention>, RecorderError> {
        let said: BTreeMap<RetentionScope, Retention> = self.index.retentions().await?.into_iter().collect();
        let (cameras, places) = (self.index.cameras().await?, self.index.places().await?);
        let of =
            |id: CameraId| resolve(id, cameras.iter().find(|c| c.id == id), &places, &said).unwrap_or(self.default);
        Ok(recorded.iter().map(|r| (r.camera, of(r.camera))).collect())
    }

    fn days(
        &self,
        camera: CameraId,
        recorded: &[RecordedSince],
        kept: &BTreeMap<CameraId, Retention>,
        now: WallTime,
    ) -> CameraDays {
        let oldest = recorded.iter().filter(|r| r.camera == camera).map(|r| r.oldest).min().unwrap_or(now);
        CameraDays {
            camera,
            promised_days: kept.get(&camera).unwrap_or(&self.default).min_days,
            actual_days: now.saturating_since(oldest).as_secs_f64() / 86_400.0,
        }
    }

    /// Finishes what a crash or an error left marked.
    async fn finish_marked(&self) -> Result<(), RecorderError> {
        loop {
            let marked = self.index.marked(BATCH).await?;
            if marked.is_empty() {
                return Ok(());
            }
            self.erase(&marked).await?;
        }
    }

    /// Deletes what is older than it may be kept.
    async fn expire(
        &self,
        recorded: &[RecordedSince],
        kept: &BTreeMap<CameraId, Retention>,
        now: WallTime,
    ) -> Result<(), RecorderError> {
        for stream in recorded {
            let Some(days) = kept.get(&stream.camera).and_then(|retention| retention.max_days) else { continue };
            let before = now.offset_ns(-i64::from(days).saturating_mul(DAY_NS));
            loop {
                let old = self.index.deletable(stream.camera, stream.stream, before, now, BATCH).await?;
                if old.is_empty() || self.delete(&old, DeletionReason::Expired, now).await? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Deletes the oldest footage while the disk is fuller than it may be; tells how full it is.
    async fn make_room(&self, now: WallTime) -> Result<SpoolState, RecorderError> {
        loop {
            let space = self.store.space()?;
            let used = used_percent(space.free_bytes, space.total_bytes);
            let state = if used >= self.watermarks.delete_percent {
                if self.interlock.locked().is_some() {
                    // Nothing was tried, so nothing is known of what is held; that deletion is locked is told by itself.
                    SpoolState::Alarm
                } else if self.delete_oldest(now).await? == 0 {
                    SpoolState::FullOfHeld
                } else {
                    SpoolState::Deleting
                }
            } else if used >= self.watermarks.alarm_percent {
                SpoolState::Alarm
            } else {
                SpoolState::Fine
            };
            self.teller.tell(|status| status.spool = Fill { used_percent: used, state });
            if state != SpoolState::Deleting {
                return Ok(state);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Deletes some of the oldest footage of all streams. Returns how many segments went.
    async fn delete_oldest(&self, now: WallTime) -> Result<usize, RecorderError> {
        let mut streams = self.index.recorded_since().await?;
        streams.sort_by_key(|stream| stream.oldest);
        for stream in streams {
            // So much of one stream at once that another's oldest is not much older.
            let few = BATCH / 10;
            let old = self.index.deletable(stream.camera, stream.stream, now, now, few).await?;
            let gone = self.delete(&old, DeletionReason::DiskFull, now).await?;
            if gone > 0 {
                return Ok(gone);
            }
        }
        Ok(0)
    }

    /// Steps 2 to 5 of the module. Returns how many segments went.
    async fn delete(
        &self,
        segments: &[Segment],
        reason: DeletionReason,
        now: WallTime,
    ) -> Result<usize, RecorderError> {
        if segments.is_empty() {
            return Ok(0);
        }
        let keys: Vec<String> = segments.iter().map(|segment| segment.key.clone()).collect();
        let marked = self.index.mark_for_deletion(&keys, reason, now).await?;
        if marked.is_empty() {
            return Ok(0);
        }
        let bytes: u64 = marked.iter().map(|segment| segment.bytes).sum();
        self.write_journal(&marked, reason, now).await?;
        self.erase(&marked).await?;
        tracing::info!(segments = marked.len(), bytes, reason = reason.as_str(), "footage deleted");
        Ok(marked.len())
    }

    async fn write_journal(
        &self,
        marked: &[Segment],
        reason: DeletionReason,
        at: WallTime,
    ) -> Result<(), RecorderError> {
        let entries: Vec<JournalEntry> = marked.iter().map(|segment| (&entry(segment, reason, at)).into()).collect();
        let root = self.store.root().to_owned();
        blocking(move || append_journal(&root, &entries)).await
    }

    /// Steps 4 and 5.
    async fn erase(&self, marked: &[Segment]) -> Result<(), RecorderError> {
        let keys: Vec<String> = marked.iter().map(|segment| segment.key.clone()).collect();
        let (root, files) = (self.store.root().to_owned(), keys.clone());
        blocking(move || {
            for file in &files {
                match SegmentKey::parse(file) {
                    Ok(key) => erase(&root, &key)?,
                    Err(error) => tracing::error!(key = file, %error, "a marked row has a storage key that is none"),
                }
            }
            Ok(())
        })
        .await?;
        self.index.forget(&keys).await?;
        Ok(())
    }
}

fn entry(segment: &Segment, reason: DeletionReason, at: WallTime) -> Deletion {
    Deletion {
        segment: segment.id,
        camera: segment.camera,
        stream: segment.stream,
        range: segment.range,
        key: segment.key.clone(),
        bytes: segment.bytes,
        at,
        reason,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, RecorderError> {
    // A join error is a panic, already logged with its place, or the runtime ending.
    Ok(tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)??)
}

fn used_percent(free_bytes: u64, total_bytes: u64) -> u8 {
    let used = u128::from(total_bytes.saturating_sub(free_bytes)) * 100;
    // Rounded up: a disk without a byte left is full.
    u8::try_from(used.div_ceil(u128::from(total_bytes.max(1)))).unwrap_or(100)
}

/// What was said nearest to a camera: of itself, its contact point, its site, its agency or one above, or of everything.
fn resolve(
    id: CameraId,
    camera: Option<&Camera>,
    places: &PlaceTree,
    said: &BTreeMap<RetentionScope, Retention>,
) -> Option<Retention> {
    let mut scopes = vec![RetentionScope::Camera(id)];
    let point = camera.and_then(|camera| camera.draft.contact_point);
    scopes.extend(point.map(RetentionScope::ContactPoint));
    let site = places.contact_points.iter().find(|p| Some(p.id) == point).map(|p| p.site);
    scopes.extend(site.map(RetentionScope::Site));
    let mut agency = places.sites.iter().find(|s| Some(s.id) == site).map(|s| s.agency);
    // No longer than there are agencies, whatever the tree looks like.
    for _ in 0..places.agencies.len() {
        let Some(id) = agency else { break };
        scopes.push(RetentionScope::Agency(id));
        agency = places.agencies.iter().find(|a| a.id == id).and_then(|a| a.parent);
    }
    scopes.push(RetentionScope::Default);
    scopes.iter().find_map(|scope| said.get(scope).copied())
}

const _: () = assert!(BATCH <= MAX_PAGE);

#[cfg(test)]
mod tests {
    use minhbach_index::{SegmentProgress, SqliteIndex};
    use minhbach_model::{Hold, HoldId, SegmentId, SegmentState, StreamKind, Tier, WallRange};
    use minhbach_store::{StoreOptions, read_journal};

    use super::*;

    const START: i64 = 1_795_503_600;

    struct Yard {
        dir: tempfile::TempDir,
        keeper: Keeper,
        status: tokio::sync::watch::Receiver<crate::ArchiveStatus>,
        camera: CameraId,
    }

    fn at(days: f64) -> WallTime {
        WallTime::from_secs(START + (days * 86_400.0) as i64)
    }

    impl Yard {
        async fn new(watermarks: Watermarks) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let index = SqliteIndex::open(&dir.path().join("index.sqlite"), at(0.0)).await.unwrap();
            let store = Store::open(&dir.path().join("footage"), StoreOptions::default()).unwrap();
            let identity = Identity { database_id: index.database_id(), generation: index.generation() };
            let (teller, status) = ArchiveTeller::new("none");
            let keeper = Keeper {
                interlock: Interlock::look(store.root(), &identity).unwrap(),
                index: Arc::new(index),
                store: Arc::new(store),
                clock: Clock::system(),
                default: Retention { min_days: 1, max_days: Some(10) },
                watermarks,
                teller,
            };
            Self { dir, keeper, status, camera: CameraId::generate() }
        }

        /// A closed segment of a minute, with its files.
        async fn footage(&self, day: f64) -> Segment {
            let id = SegmentId::generate();
            let range = WallRange { start: at(day), end: at(day).offset_ns(60_000_000_000) };
            let key = SegmentKey::new(self.camera, StreamKind::Main, range.start, id);
            let segment = Segment {
                id,
                camera: self.camera,
                stream: StreamKind::Main,
                range,
                key: key.to_string(),
                bytes: 4,
                video_samples: 1,
                audio_samples: 0,
                state: SegmentState::Closed,
                tier: Tier::Spool,
            };
            self.keeper.index.insert_adopted(&segment).await.unwrap();
            let media = key.media_path(self.keeper.store.root());
            std::fs::create_dir_all(media.parent().unwrap()).unwrap();
            std::fs::write(&media, b"film").unwrap();
            std::fs::write(key.sidecar_path(self.keeper.store.root()), b"line\n").unwrap();
            segment
        }

        fn is_there(&self, segment: &Segment) -> bool {
            let key = SegmentKey::parse(&segment.key).unwrap();
            key.media_path(self.keeper.store.root()).exists()
        }

        async fn hold(&self, day: f64) {
            let hold = Hold {
                id: HoldId::generate(),
                cameras: vec![self.camera],
                range: WallRange { start: at(day), end: at(day).offset_ns(1) },
                reason: "phản ánh".to_owned(),
                case_code: String::new(),
                owner: "Bàn 1".to_owned(),
                created: at(0.0),
                expires: None,
                release: None,
            };
            self.keeper.index.insert_hold(&hold).await.unwrap();
        }
    }

    const NEVER: Watermarks = Watermarks { alarm_percent: 101, delete_percent: 101 };
    const ALWAYS: Watermarks = Watermarks { alarm_percent: 0, delete_percent: 0 };

    async fn expire(yard: &Yard, now: WallTime) {
        let recorded = yard.keeper.index.recorded_since().await.unwrap();
        let kept = yard.keeper.kept(&recorded).await.unwrap();
        yard.keeper.expire(&recorded, &kept, now).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_too_old_goes_with_an_entry_in_both_journals_and_what_is_held_stays() {
        let yard = Yard::new(NEVER).await;
        let (old, held, young) = (yard.footage(0.0).await, yard.footage(1.0).await, yard.footage(9.0).await);
        yard.hold(1.0).await;
        expire(&yard, at(12.0)).await;
        assert_eq!([&old, &held, &young].map(|s| yard.is_there(s)), [false, true, true]);
        let page = yard.keeper.index.deletions(&minhbach_index::DeletionFilter::default(), None, 10).await.unwrap();
        assert_eq!(page.iter().map(|d| (&d.key, d.reason)).collect::<Vec<_>>(), [(&old.key, DeletionReason::Expired)]);
        let beside = read_journal(yard.keeper.store.root()).unwrap();
        assert_eq!(beside.iter().map(|e| (&e.key, e.reason.as_str())).collect::<Vec<_>>(), [(&old.key, "expired")]);
        assert_eq!(yard.keeper.index.segment_by_key(&old.key).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_full_disk_takes_the_oldest_and_never_what_is_held() {
        let yard = Yard::new(ALWAYS).await;
        let (first, second) = (yard.footage(0.0).await, yard.footage(1.0).await);
        yard.hold(1.0).await;
        // It stays full whatever goes: in the end only what is held is left, and that is said.
        let state = yard.keeper.make_room(at(2.0)).await.unwrap();
        assert_eq!((state, yard.is_there(&first), yard.is_there(&second)), (SpoolState::FullOfHeld, false, true));
        assert_eq!(yard.status.borrow().spool.state, SpoolState::FullOfHeld);
        let page = yard.keeper.index.deletions(&minhbach_index::DeletionFilter::default(), None, 10).await.unwrap();
        assert_eq!(page.iter().map(|d| d.reason).collect::<Vec<_>>(), [DeletionReason::DiskFull]);
    }

    #[tokio::test]
    async fn what_is_being_recorded_is_not_deleted() {
        let yard = Yard::new(ALWAYS).await;
        let closed = yard.footage(0.0).await;
        let mut open = yard.footage(1.0).await;
        open.id = SegmentId::generate();
        open.state = SegmentState::Recording;
        open.key = SegmentKey::new(yard.camera, StreamKind::Main, at(2.0), open.id).to_string();
        open.range = WallRange { start: at(2.0), end: at(2.0) };
        yard.keeper.index.open_segment(&open).await.unwrap();
        let progress = SegmentProgress { id: open.id, end: at(2.1), bytes: 9, video_samples: 2, audio_samples: 0 };
        yard.keeper.index.advance_segments(&[progress]).await.unwrap();
        yard.keeper.make_room(at(3.0)).await.unwrap();
        assert!(!yard.is_there(&closed));
        assert!(yard.keeper.index.segment_by_key(&open.key).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_crash_between_any_two_steps_is_finished_at_the_next_start() {
        let yard = Yard::new(NEVER).await;
        let (marked, journaled) = (yard.footage(0.0).await, yard.footage(1.0).await);
        let keys = [marked.key.clone(), journaled.key.clone()];
        let rows = yard.keeper.index.mark_for_deletion(&keys, DeletionReason::Expired, at(20.0)).await.unwrap();
        assert_eq!(rows.len(), 2);
        yard.keeper.write_journal(&rows[1..], DeletionReason::Expired, at(20.0)).await.unwrap();
        // Half of the files of the second are gone already.
        let key = SegmentKey::parse(&journaled.key).unwrap();
        std::fs::remove_file(key.media_path(yard.keeper.store.root())).unwrap();
        yard.keeper.finish_marked().await.unwrap();
        assert!(!yard.is_there(&marked) && !yard.is_there(&journaled));
        assert_eq!(yard.keeper.index.marked(10).await.unwrap(), []);
        assert!(!has_footage(yard.keeper.store.root()).unwrap());
    }

    #[tokio::test]
    async fn another_or_older_database_deletes_nothing() {
        let yard = Yard::new(ALWAYS).await;
        let (root, id) = (yard.keeper.store.root(), yard.keeper.index.database_id());
        assert_eq!(yard.keeper.interlock.locked(), None);
        let look = |database_id, generation| Interlock::look(root, &Identity { database_id, generation }).unwrap().0;
        assert_eq!(look(id, 1), Err(Locked::Older { seen: 1, now: 1 }), "a copy put back after this opening");
        let other = uuid::Uuid::from_bytes([9; 16]);
        assert!(matches!(look(other, 5), Err(Locked::Foreign { .. })));
        assert_eq!(look(id, 2), Ok(()));
        let film = yard.footage(0.0).await;
        std::fs::remove_file(root.join("minhbach.json")).unwrap();
        assert_eq!(look(id, 3), Err(Locked::Unnamed));

        let mut keeper = yard.keeper;
        keeper.interlock = Interlock(Err(Locked::Unnamed));
        assert_eq!(keeper.round().await.unwrap(), SpoolState::Alarm, "nothing is said of holds that were not asked");
        assert!(keeper.index.segment_by_key(&film.key).await.unwrap().is_some(), "a locked keeper deletes nothing");
        drop(yard.dir);
    }

    #[test]
    fn the_nearest_word_counts() {
        use minhbach_model::{Agency, AgencyId, ContactPoint, ContactPointId, Secret, Site, SiteId, StreamSource};
        let (above, agency, site) = (AgencyId::generate(), AgencyId::generate(), SiteId::generate());
        let point = ContactPointId::generate();
        let name = String::new;
        let places = PlaceTree {
            agencies: vec![
                Agency { id: above, parent: None, name: name() },
                Agency { id: agency, parent: Some(above), name: name() },
            ],
            sites: vec![Site { id: site, agency, name: name() }],
            contact_points: vec![ContactPoint { id: point, site, name: name() }],
        };
        let camera = Camera {
            id: CameraId::generate(),
            draft: minhbach_model::CameraDraft {
                name: name(),
                contact_point: Some(point),
                main: StreamSource { url: name() },
                sub: None,
                username: name(),
                password: Secret::default(),
            },
            paused: false,
            created: at(0.0),
        };
        let days = |min_days| Retention { min_days, max_days: None };
        let mut said = BTreeMap::new();
        let of = |said: &BTreeMap<_, _>| resolve(camera.id, Some(&camera), &places, said).map(|r| r.min_days);
        assert_eq!(of(&said), None);
        let scopes = [
            RetentionScope::Default,
            RetentionScope::Agency(above),
            RetentionScope::Agency(agency),
            RetentionScope::Site(site),
            RetentionScope::ContactPoint(point),
            RetentionScope::Camera(camera.id),
        ];
        for (number, scope) in (1..).zip(scopes) {
            said.insert(scope, days(number));
            assert_eq!(of(&said), Some(number), "{scope:?}");
        }
    }

    #[test]
    fn a_disk_without_room_is_full() {
        assert_eq!((used_percent(0, 1000), used_percent(1, 1000), used_percent(1000, 1000)), (100, 100, 0));
        assert_eq!(used_percent(500, 1000), 50);
    }
}
