//! The commands that look after index and footage without serving: `check`, `rebuild-index`, `trust-database`,
//! `trust-clock`.
//!
//! Only putting together and telling a person; what they do is in `recorder`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use minhbach_index::{Index, IndexError, SqliteIndex};
use minhbach_model::WallTime;
use minhbach_recorder::{CheckOptions, Progress, RebuildReport, RecorderError, Report, Tiers};
use minhbach_runtime::Clock;
use tokio_util::sync::CancellationToken;

use crate::archive::{open_index, open_tiers, spool_paths, sqlite_path};
use crate::config::Config;
use crate::run::{RunError, lock, signals};

/// What a running server wrote within this time is left out of a check: it is just being told to the index.
const JUST_NOW: Duration = Duration::from_secs(120);
/// Between two lines about how far it has come.
const TELL: Duration = Duration::from_millis(200);

/// Why a command did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// What it works on cannot be opened.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An index, the spool or the archive failed.
    #[error("cannot go on")]
    Recorder(#[from] RecorderError),
    /// The database already has an index of footage.
    #[error("the database of the configuration has {0} segments: give an empty one, this one is left as it is")]
    NotEmpty(u64),
    /// A disk of the spool is not there.
    #[error("the disk {disk} of the spool is not there ({problem}): mount it, or take it out of [spool] disks")]
    DiskMissing {
        /// Its folder.
        disk: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file of the index cannot be moved.
    #[error("cannot move {path}")]
    Move {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl From<IndexError> for OfflineError {
    fn from(error: IndexError) -> Self {
        Self::Recorder(error.into())
    }
}

/// One line on a terminal that says how far it has come; nothing where nobody watches.
struct Line {
    on: bool,
    told: Option<Instant>,
}

impl Line {
    fn new() -> Self {
        Self { on: std::io::stderr().is_terminal(), told: None }
    }

    fn tell(&mut self, progress: Progress) {
        if !self.on || self.told.is_some_and(|told| told.elapsed() < TELL) {
            return;
        }
        self.told = Some(Instant::now());
        let of = progress.total.map_or_else(String::new, |total| format!(" of {total}"));
        eprint!("\r{}{of} segments", progress.done);
        // Nobody is harmed when a terminal takes no progress.
        let _ = std::io::stderr().flush();
    }

    fn end(&self) {
        if self.told.is_some() {
            eprintln!();
        }
    }
}

/// Looked for before anything is made: a mistyped folder must stay untouched.
fn footage_is_there(config: &Config) -> Result<(), RunError> {
    let mut missing = None;
    for path in spool_paths(config) {
        match std::fs::metadata(&path) {
            Ok(_) => return Ok(()),
            Err(source) => missing = Some(RunError::DataDir { path, source }),
        }
    }
    missing.map_or(Ok(()), Err)
}

/// Spool and archive, with every disk of the spool: without one, its footage would be taken for gone.
fn whole_tiers(config: &Config) -> Result<Tiers, OfflineError> {
    let tiers = open_tiers(config).map_err(RunError::from)?;
    if let Some(disk) = tiers.disks.missing().next() {
        return Err(OfflineError::DiskMissing { disk: disk.root().to_owned(), problem: disk.problem() });
    }
    Ok(tiers)
}

/// Compares rows with files. Works beside a running server.
///
/// # Errors
/// When something cannot be opened or does not answer.
pub async fn check(config: &Config, deep: bool) -> Result<Report, OfflineError> {
    let stop = signals()?;
    footage_is_there(config)?;
    let tiers = open_tiers(config).map_err(RunError::from)?;
    let (_lock, live) = match lock(config) {
        Ok(file) => (Some(file), false),
        Err(RunError::InUse(_)) => (None, true),
        Err(error) => return Err(error.into()),
    };
    let now = Clock::system().now();
    let until = live.then(|| now - JUST_NOW);
    let index = open_index(config, now).await?;
    let mut line = Line::new();
    let options = CheckOptions { deep, until };
    let mut tell = |progress| line.tell(progress);
    let report = minhbach_recorder::check(index.as_ref(), &tiers, options, &mut tell, &stop).await;
    line.end();
    index.close().await?;
    Ok(report?)
}

/// Makes the index again from the files. Returns what was made and where the old one is now.
///
/// # Errors
/// When a server runs, when a PostgreSQL database is not empty, or when something does not answer.
pub async fn rebuild(config: &Config) -> Result<(RebuildReport, Option<PathBuf>), OfflineError> {
    let stop = signals()?;
    footage_is_there(config)?;
    let _lock = lock(config)?;
    let tiers = whole_tiers(config)?;
    let now = Clock::system().now();
    if !config.database.url.is_empty() {
        let index = open_index(config, now).await?;
        let report = fill(index.as_ref(), &tiers, None, &stop).await;
        index.close().await?;
        return Ok((report?, None));
    }
    rebuild_sqlite(&sqlite_path(config), &tiers, now, &stop).await
}

/// Made beside the old one, which is put aside only when the new one is whole: what is interrupted can be begun again.
async fn rebuild_sqlite(
    path: &Path,
    tiers: &Tiers,
    now: WallTime,
    stop: &CancellationToken,
) -> Result<(RebuildReport, Option<PathBuf>), OfflineError> {
    let fresh = path.with_extension("sqlite.rebuilding");
    remove_database(&fresh)?;
    let (old, unread) = open_old(path, now).await;
    let index = SqliteIndex::open(&fresh, now).await?;
    let report = fill(&index, tiers, old.as_deref(), stop).await;
    index.close().await?;
    if let Some(old) = &old {
        old.close().await?;
    }
    let mut report = report?;
    report.problems.extend(unread);
    let aside = path.exists().then(|| path.with_extension(format!("sqlite.before-{}", now.as_ms())));
    if let Some(aside) = &aside {
        move_database(path, aside)?;
    }
    move_database(&fresh, path)?;
    Ok((report, aside))
}

async fn fill(
    index: &dyn Index,
    tiers: &Tiers,
    old: Option<&dyn Index>,
    stop: &CancellationToken,
) -> Result<RebuildReport, OfflineError> {
    let there = index.totals().await?.segments;
    if there > 0 {
        return Err(OfflineError::NotEmpty(there));
    }
    let mut line = Line::new();
    let mut tell = |progress| line.tell(progress);
    let report = minhbach_recorder::rebuild(index, tiers, old, &mut tell, stop).await;
    line.end();
    Ok(report?)
}

/// The old index, if there is one that can still be opened, and what is wrong with it otherwise.
async fn open_old(path: &Path, now: WallTime) -> (Option<Arc<dyn Index>>, Option<String>) {
    if !path.exists() {
        return (None, None);
    }
    match SqliteIndex::open(path, now).await {
        Ok(index) => (Some(Arc::new(index)), None),
        Err(error) => {
            let why = minhbach_recorder::chain(&error);
            let lost = "it cannot be opened, so no cameras, holds, retention and incidents are taken from it";
            (None, Some(format!("{}: {lost}: {why}", path.display())))
        }
    }
}

/// A database and the files SQLite may have left beside it.
fn files_of(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

fn move_database(from: &Path, to: &Path) -> Result<(), OfflineError> {
    for (from, to) in files_of(from).into_iter().zip(files_of(to)) {
        match std::fs::rename(&from, to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(OfflineError::Move { path: from, source }),
        }
    }
    Ok(())
}

/// Takes away what a rebuild that was interrupted left.
fn remove_database(path: &Path) -> Result<(), OfflineError> {
    for path in files_of(path) {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(OfflineError::Move { path, source }),
        }
    }
    Ok(())
}

/// Gives rows to footage the database does not know, and accepts it as the one that belongs to spool and archive. Returns
/// how many rows it gave.
///
/// # Errors
/// When a server runs, or something does not answer.
pub async fn trust(config: &Config) -> Result<u64, OfflineError> {
    let stop = signals()?;
    footage_is_there(config)?;
    let _lock = lock(config)?;
    let tiers = whole_tiers(config)?;
    let index = open_index(config, Clock::system().now()).await?;
    let mut line = Line::new();
    let mut tell = |progress| line.tell(progress);
    let adopted = minhbach_recorder::adopt_all(index.as_ref(), &tiers, &mut tell, &stop).await;
    line.end();
    let trusted = match &adopted {
        Ok(_) => minhbach_recorder::trust(index.as_ref(), &tiers).await.map(drop),
        Err(_) => Ok(()),
    };
    index.close().await?;
    trusted?;
    Ok(adopted?)
}

/// Accepts what the clock says. Returns that, and the newest time that was accepted before.
///
/// # Errors
/// When a server runs, or the spool cannot be written to.
pub async fn trust_clock(config: &Config) -> Result<(WallTime, Option<WallTime>), OfflineError> {
    footage_is_there(config)?;
    let _lock = lock(config)?;
    let tiers = open_tiers(config).map_err(RunError::from)?;
    Ok(minhbach_recorder::trust_clock(&tiers, &Clock::system()).await?)
}

/// A report for people.
pub fn print_report(report: &Report) {
    for finding in &report.findings {
        println!("{}\t{}\t{}", finding.kind.as_str(), finding.key, finding.detail);
    }
    let (rows, files, bytes, found) = (report.rows, report.files, report.bytes, report.found);
    let listed = report.findings.len() as u64;
    if found > listed {
        println!("… and {} more", found - listed);
    }
    let end = if report.interrupted { "; interrupted before its end" } else { "" };
    println!("{rows} rows, {files} segments with files, {bytes} bytes: {found} findings{end}");
}

/// A report for programs: one JSON object.
pub fn print_report_json(report: &Report) {
    let findings = report.findings.iter().map(
        |finding| serde_json::json!({ "kind": finding.kind.as_str(), "key": finding.key, "detail": finding.detail }),
    );
    let json = serde_json::json!({
        "type": "check",
        "rows": report.rows,
        "files": report.files,
        "bytes": report.bytes,
        "found": report.found,
        "interrupted": report.interrupted,
        "findings": findings.collect::<Vec<_>>(),
    });
    println!("{json}");
}

/// What was made again.
pub fn print_rebuilt(report: &RebuildReport, aside: Option<&Path>) {
    let RebuildReport { segments, gaps, journal, deleted, locked, problems, .. } = report;
    let RebuildReport { cameras, removed_cameras, holds, incidents, .. } = report;
    println!("{segments} segments, {gaps} gaps of unknown cause, {journal} entries of the journal of deletions");
    if *deleted > 0 {
        println!("{deleted} segments have files although their deletion is in the journal; they got no row");
    }
    for problem in problems {
        println!("problem\t{problem}");
    }
    match aside {
        Some(aside) => {
            println!(
                "from the old database: {cameras} cameras, {removed_cameras} that were removed, {holds} holds, \
                 {incidents} incidents"
            );
            println!("the old database is {} now", aside.display());
        }
        None => println!("no old database was read: set cameras, retention and above all holds again"),
    }
    if *locked {
        println!(
            "not all holds are known for certain, so nothing is deleted until `minhbach-server trust-database` is run"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_old_database_is_put_aside_only_when_the_new_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        let now = WallTime::from_secs(1_795_503_600);
        let path = sqlite_path(&config);
        let old = SqliteIndex::open(&path, now).await.unwrap();
        let id = old.database_id();
        old.close().await.unwrap();
        let tiers = open_tiers(&config).unwrap();
        let stop = CancellationToken::new();
        let (_, aside) = rebuild_sqlite(&path, &tiers, now, &stop).await.unwrap();
        let aside = aside.expect("there was one");
        assert_eq!(SqliteIndex::open(&aside, now).await.unwrap().database_id(), id);
        let new = SqliteIndex::open(&path, now).await.unwrap();
        assert_ne!(new.database_id(), id);
        // Nothing told that it is the database of this footage.
        assert_eq!(minhbach_store::read_identity(&tiers.spool).unwrap(), None);
        new.close().await.unwrap();
        assert!(files_of(&path.with_extension("sqlite.rebuilding")).iter().all(|file| !file.exists()));

        // No database at all, and one that is none.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(rebuild_sqlite(&path, &tiers, now, &stop).await.unwrap().1, None);
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        let later = now + Duration::from_secs(9);
        let (report, aside) = rebuild_sqlite(&path, &tiers, later, &stop).await.unwrap();
        let aside = aside.expect("it is kept");
        let told = report.problems.iter().any(|problem| problem.contains("no cameras, holds"));
        assert!(report.locked && told, "{report:?}");
        assert_eq!(std::fs::read(aside).unwrap(), vec![b'x'; 8192]);
    }
}
