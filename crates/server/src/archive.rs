//! Builds what stands behind the recorders: index, tiers, and the tasks that archive, keep, delete and patrol.
//!
//! Only putting together: the rules are in `recorder`. The commands that work on the same parts without a server are in
//! [`crate::offline`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use minhbach_index::{Index, IndexError, PostgresIndex, SqliteIndex};
use minhbach_model::{Tier, WallTime};
use minhbach_recorder::{
    ArchiveContext, ArchiveStatus, ArchiveTeller, Archiver, Claims, Findings, Interlock, Keeper, Patrol, Pool,
    RecorderError, RetentionOptions, Tiers, guard,
};
use minhbach_runtime::{Clock, Tasks};
use minhbach_store::{Archive, Spool, StoreError, Stores};
use tokio::sync::watch;

use crate::config::{ArchiveKind, Config, ConfigError};

/// What is under way gets this long to end; each step of it may be left and is gone on with at the next start.
const PATIENCE: Duration = Duration::from_secs(10);
const MIB: u64 = 1024 * 1024;

/// Why what holds the footage could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file the configuration names cannot be used.
    #[error("cannot use the configuration of the archive")]
    Config(#[from] ConfigError),
    /// Spool or archive cannot be opened.
    #[error("cannot open the archive")]
    Store(#[from] StoreError),
    /// Footage was recorded where the configuration does not look for it.
    #[error("{0} holds footage and is not in [spool] disks: name it there, too")]
    LeftOut(PathBuf),
}

/// File of the SQLite index.
pub fn sqlite_path(config: &Config) -> PathBuf {
    config.data_dir.join("index.sqlite")
}

/// Folder of the spool where no disks are named.
fn usual_spool(config: &Config) -> PathBuf {
    config.data_dir.join("footage")
}

/// Folders of the spool.
pub fn spool_paths(config: &Config) -> Vec<PathBuf> {
    if config.spool.disks.is_empty() { vec![usual_spool(config)] } else { config.spool.disks.clone() }
}

/// Folders of the spool that share a file system with another one: they fill up and fail together. None of those that are
/// not there yet.
pub fn sharing_disks(paths: &[PathBuf]) -> Vec<&Path> {
    let is_shared = |&(at, path): &(usize, &PathBuf)| paths[..at].iter().any(|other| is_one_disk(path, other));
    paths.iter().enumerate().filter(is_shared).map(|(_, path)| path.as_path()).collect()
}

/// Opens the index that is configured; `now` is when a new one was made.
///
/// # Errors
/// When it cannot be opened.
pub async fn open_index(config: &Config, now: WallTime) -> Result<Arc<dyn Index>, IndexError> {
    if config.database.url.is_empty() {
        Ok(Arc::new(SqliteIndex::open(&sqlite_path(config), now).await?))
    } else {
        Ok(Arc::new(PostgresIndex::open(&config.database.url, now).await?))
    }
}

/// Opens spool and archive. A bucket is not asked for: it may be out of reach.
///
/// # Errors
/// When one of them cannot be used.
pub fn open_tiers(config: &Config) -> Result<Tiers, ArchiveError> {
    let archive = match config.archive.kind {
        ArchiveKind::None => None,
        ArchiveKind::Folder | ArchiveKind::S3 => Some(Arc::new(Archive::open(config.archive.options()?)?)),
    };
    let (paths, usual) = (spool_paths(config), usual_spool(config));
    if !paths.contains(&usual) && usual.join("v1").exists() {
        return Err(ArchiveError::LeftOut(usual));
    }
    Ok(Tiers::new(Spool::open(&paths)?, archive))
}

/// The tasks behind the recorders.
pub struct Background {
    tasks: Tasks,
    /// How they do.
    pub status: watch::Receiver<ArchiveStatus>,
}

impl Background {
    /// Starts them. `findings` are from before anything was recorded.
    #[must_use]
    pub fn start(config: &Config, index: &Arc<dyn Index>, tiers: &Tiers, clock: &Clock, findings: Findings) -> Self {
        let kind = tiers.archive.as_ref().map_or("none", |archive| archive.kind());
        let (teller, status) = ArchiveTeller::new(kind);
        let interlock = Interlock::new();
        let context = ArchiveContext {
            index: Arc::clone(index),
            tiers: tiers.clone(),
            clock: clock.clone(),
            claims: Claims::default(),
            interlock: interlock.clone(),
            teller: teller.clone(),
        };
        let tasks = Tasks::new();
        let stop = || tasks.stop_token();
        tasks.spawn("interlock", guard(findings, tiers.clone(), interlock, teller, stop()));
        if let Some(archiver) = Archiver::new(context.clone(), config.archive.parallel as usize) {
            tasks.spawn("archiver", archiver.run(stop()));
        }
        let keeper = Keeper::new(context.clone(), retention(config, tiers));
        tasks.spawn("retention", keeper.run(stop()));
        if let Some(patrol) = Patrol::new(context, u64::from(config.patrol.mib_per_second) * MIB) {
            tasks.spawn("patrol", patrol.run(stop()));
        }
        Self { tasks, status }
    }

    /// Looks after the disks of the spool, too.
    pub fn watch(&self, stores: &Arc<Stores>) {
        let (stores, stop) = (Arc::clone(stores), self.tasks.stop_token());
        self.tasks.spawn("disks", async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = stores.watch() => {}
            }
        });
    }

    /// Looks at database and spool before anything is recorded.
    ///
    /// # Errors
    /// When one of them does not answer.
    pub async fn look(index: &Arc<dyn Index>, tiers: &Tiers, clock: &Clock) -> Result<Findings, RecorderError> {
        Findings::look(index.as_ref(), tiers, clock).await
    }

    /// Ends them.
    pub async fn stop(&self) {
        let left = self.tasks.stop(PATIENCE).await;
        if left > 0 {
            tracing::warn!(left, "the archive did not let go; what was under way is gone on with at the next start");
        }
    }
}

fn retention(config: &Config, tiers: &Tiers) -> RetentionOptions {
    let spool = &config.spool;
    let folder = tiers.archive.as_ref().and_then(|archive| archive.folder());
    let quota_bytes = (spool.max_mib > 0).then(|| spool.max_mib * MIB);
    RetentionOptions {
        fallback: config.retention(),
        alarm_percent: spool.alarm_percent,
        delete_percent: spool.delete_percent,
        pools: all_pools(config.archive.kind, tiers.disks.disks().iter().map(|disk| disk.root()), folder, quota_bytes),
    }
}

/// As [`pools`], for each disk of the spool. A quota counts the footage on all of them, so it is looked at once.
fn all_pools<'a>(
    kind: ArchiveKind,
    disks: impl Iterator<Item = &'a Path>,
    folder: Option<&Path>,
    quota_bytes: Option<u64>,
) -> Vec<Pool> {
    let mut all: Vec<Pool> = Vec::new();
    for (number, disk) in disks.enumerate() {
        for pool in pools(kind, disk, folder, quota_bytes.filter(|_| number == 0)) {
            if all.iter().all(|known| known.root != pool.root) {
                all.push(pool);
            }
        }
    }
    all
}

/// The disks with footage, and which of it frees room on them when it goes.
fn pools(kind: ArchiveKind, spool: &Path, folder: Option<&Path>, quota_bytes: Option<u64>) -> Vec<Pool> {
    let pool = |root: &Path, victims, quota_bytes| Pool { root: root.to_owned(), victims, quota_bytes };
    match (kind, folder) {
        (ArchiveKind::None, _) => vec![pool(spool, Some(Tier::Spool), quota_bytes)],
        (_, Some(folder)) if is_one_disk(spool, folder) => vec![pool(spool, Some(Tier::Archive), quota_bytes)],
        // What is archived is not in the spool any more: only the archive's own disk gets room from it.
        (_, Some(folder)) => vec![pool(spool, None, None), pool(folder, Some(Tier::Archive), quota_bytes)],
        (_, None) => vec![pool(spool, None, quota_bytes)],
    }
}

/// Whether two folders are on one file system. When that cannot be told they are taken for two: then less is deleted.
fn is_one_disk(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.dev());
    matches!((device(a), device(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_frees_room_on_a_disk_may_go_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let victims = |kind, spool: &Path, folder: Option<&Path>| -> Vec<(PathBuf, Option<Tier>)> {
            let pools = pools(kind, spool, folder, Some(1));
            pools.into_iter().map(|pool| (pool.root, pool.victims)).collect()
        };
        let (spool, archive) = (dir.path().join("footage"), dir.path().join("archive"));
        std::fs::create_dir_all(&spool).unwrap();
        std::fs::create_dir_all(&archive).unwrap();
        assert_eq!(victims(ArchiveKind::None, &spool, None), [(spool.clone(), Some(Tier::Spool))]);
        assert_eq!(victims(ArchiveKind::S3, &spool, None), [(spool.clone(), None)]);
        let one = victims(ArchiveKind::Folder, &spool, Some(&archive));
        assert_eq!(one, [(spool.clone(), Some(Tier::Archive))]);
        // Another file system on every Linux.
        let elsewhere = Path::new("/proc");
        let two = victims(ArchiveKind::Folder, &spool, Some(elsewhere));
        assert_eq!(two, [(spool.clone(), None), (elsewhere.to_owned(), Some(Tier::Archive))]);

        let disks = [spool.as_path(), archive.as_path()];
        let each = all_pools(ArchiveKind::None, disks.into_iter(), None, Some(1));
        let of = |root: &Path, victims, quota_bytes| Pool { root: root.to_owned(), victims, quota_bytes };
        assert_eq!(each, [of(&spool, Some(Tier::Spool), Some(1)), of(&archive, Some(Tier::Spool), None)]);
        let each = all_pools(ArchiveKind::Folder, disks.into_iter(), Some(elsewhere), Some(1));
        let archived = of(elsewhere, Some(Tier::Archive), Some(1));
        assert_eq!(each, [of(&spool, None, None), archived, of(&archive, None, None)]);
    }

    #[test]
    fn footage_that_would_be_left_out_keeps_the_server_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: dir.path().join("data"), ..Config::default() };
        let usual = open_tiers(&config).unwrap().spool;
        assert_eq!(usual, dir.path().join("data/footage"));
        config.spool.disks = vec![dir.path().join("a"), dir.path().join("b")];
        assert_eq!(open_tiers(&config).unwrap().disks.disks().len(), 2);
        assert_eq!(sharing_disks(&config.spool.disks), [dir.path().join("b")]);
        std::fs::create_dir(usual.join("v1")).unwrap();
        assert!(matches!(open_tiers(&config), Err(ArchiveError::LeftOut(path)) if path == usual));
        config.spool.disks.push(usual);
        assert!(open_tiers(&config).is_ok());
    }
}
