//! The index of a large installation: made in bulk, then asked and changed as the server does it.
//!
//! Here: the order of a run, and what is printed. What the rows are is in [`plan`], how they get there in [`fill`].
//! Each figure stands beside its bar; nothing passes or fails here. Everything that is measured goes through the
//! contract of `minhbach-index`, in this process, without the server around it.

mod fill;
mod home;
mod measure;
mod plan;
mod retention;
mod turnover;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use minhbach_index::{Index, IndexError};
use minhbach_testkit::postgres::Durability;
use serde::Serialize;
use tokio::task::JoinSet;

use self::fill::Sums;
use self::home::{Home, Kind};
use self::plan::{FILES_A_DAY, Plan};
use self::turnover::{Told, Turnover};
use crate::meter::percentile;
use crate::{Outcome, failed};

/// The first answers after the index was opened, told apart.
const FIRST: usize = 100;
/// Minutes of recording told as fast as the index takes them.
const MINUTES: u32 = 3;
/// Seconds of recording in real time with nothing beside it.
const ALONE_SECS: u32 = 60;
/// Bars of the 99th percentile, milliseconds.
const TIMELINE_BAR_MS: f64 = 50.0;
const MOMENT_BAR_MS: f64 = 5.0;

/// Measure the index of a large installation: two streams a camera, files of 60 s.
#[derive(Debug, clap::Args)]
pub struct LargeIndex {
    /// Cameras.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    cameras: u32,
    /// Days that are kept.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(2..=3650))]
    days: u32,
    /// Where it is kept.
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    database: Databases,
    /// A folder on the disk to be measured, with room for one database at a time. What is made in it goes at the end.
    #[arg(long, default_value = "/var/tmp")]
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Databases {
    /// A file.
    Sqlite,
    /// A PostgreSQL started for it, with its default settings.
    Postgres,
    /// One after the other.
    Both,
}

/// Some figures.
#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    p50: f64,
    p99: f64,
    max: f64,
    count: usize,
}

impl Spread {
    fn of(figures: &[f64]) -> Self {
        let mut figures = figures.to_vec();
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| percentile(&mut figures, share));
        Self { p50, p99, max, count: figures.len() }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:.2}, p99 {:.2}, max {:.2} of {}", self.p50, self.p99, self.max, self.count)
    }
}

/// What a file of a stream costs the index: opened, told of once a second for a minute, closed.
#[derive(Debug, Clone, Copy, Serialize)]
struct Insert {
    /// All calls, microseconds a file.
    us_a_segment: f64,
    /// Closing one file and opening the next, milliseconds.
    turn_ms: Spread,
}

impl Insert {
    #[allow(clippy::cast_precision_loss)] // a number of files
    fn of(told: &Told) -> Self {
        let us_a_segment = told.spent.as_secs_f64() * 1e6 / told.turns.max(1) as f64;
        Self { us_a_segment, turn_ms: Spread::of(&told.waits_ms) }
    }
}

/// The figures of a database: one line of JSON.
#[derive(Debug, Serialize)]
struct Figures {
    bench: &'static str,
    database: &'static str,
    cameras: u32,
    days: u32,
    segments: u64,
    database_bytes: u64,
    bytes_a_row: f64,
    timeline_16_cameras_ms: Spread,
    timeline_first_ms: Spread,
    timeline_bar_ms_p99: f64,
    moment_ms: Spread,
    moment_first_ms: Spread,
    moment_bar_ms_p99: f64,
    insert_after_a_day: Insert,
    insert_after_all: Insert,
    insert_ratio: f64,
    insert_wait_alone_ms: Spread,
    insert_wait_beside_retention_ms: Spread,
    retired_segments: u64,
    retired_secs: f64,
}

impl LargeIndex {
    pub fn run(self) -> Outcome {
        let kinds: &[Kind] = match self.database {
            Databases::Sqlite => &[Kind::Sqlite],
            Databases::Postgres => &[Kind::Postgres],
            Databases::Both => &[Kind::Sqlite, Kind::Postgres],
        };
        let plan = Arc::new(Plan::new(self.cameras, self.days));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(failed("runtime"))?;
        for &kind in kinds {
            home::check_room(&self.dir, plan.rows())?;
            let mut home = Home::new(kind, &self.dir)?;
            let figures = runtime.block_on(measured(&plan, kind, &mut home))?;
            figures.print();
            println!("{}", serde_json::to_string(&figures).map_err(failed("figures"))?);
        }
        Ok(())
    }
}

impl Figures {
    fn print(&self) {
        let Self { database, cameras, days, segments, bytes_a_row, .. } = self;
        println!("{database}, {cameras} cameras, {days} days: {segments} segments, {bytes_a_row:.0} bytes a row");
        println!(
            "timeline of a day, 16 cameras, ms: {} (p99 at most {}); the first after opening: {}",
            self.timeline_16_cameras_ms, self.timeline_bar_ms_p99, self.timeline_first_ms
        );
        println!(
            "what is at a moment, ms: {} (p99 at most {}); the first after opening: {}",
            self.moment_ms, self.moment_bar_ms_p99, self.moment_first_ms
        );
        let (young, old) = (&self.insert_after_a_day, &self.insert_after_all);
        println!(
            "a segment opened, moved on and closed, µs: {:.0} after 1 day, {:.0} after {days}, ratio {:.2}",
            young.us_a_segment, old.us_a_segment, self.insert_ratio
        );
        println!("one closed and the next opened, ms: {} after 1 day, {} after {days}", young.turn_ms, old.turn_ms);
        println!(
            "the same at the rate of life, from when it was due, ms: {} alone; {} while {} segments of the oldest hour \
             went in {:.1} s",
            self.insert_wait_alone_ms, self.insert_wait_beside_retention_ms, self.retired_segments, self.retired_secs
        );
    }
}

/// Fills a database and measures it.
async fn measured(plan: &Arc<Plan>, kind: Kind, home: &mut Home) -> Outcome<Figures> {
    eprintln!("{}: a day of {} streams, then {} days", kind.as_str(), plan.streams.len(), plan.days);
    let (young, mut sums) = first_day(plan, home).await?;
    sums.add(other_days(plan, home).await?);
    let database_bytes = home.bytes().await?;
    home.keep(Durability::PowerLoss)?;

    let index = home.open(plan.end()).await?;
    check(index.as_ref(), plan, sums).await?;
    for hold in plan.holds() {
        index.insert_hold(&hold).await.map_err(refused("insert a hold"))?;
    }
    // Opened anew, so that nothing of the above is in a cache of its own; the system's cache is as filling left it.
    index.close().await.map_err(refused("close the index"))?;
    let index = home.open(plan.end()).await?;
    let mut turnover = Turnover::begin(Arc::clone(&index), Arc::clone(plan), plan.files()).await?;
    eprintln!("questions");
    let timelines = measure::timelines(index.as_ref(), plan).await?;
    let moments = measure::moments(index.as_ref(), plan).await?;
    eprintln!("{MINUTES} minutes of recording, as fast as it goes");
    let old = Insert::of(&turnover.hurry(MINUTES).await?);
    eprintln!("recording in real time, {ALONE_SECS} s alone and then beside retention");
    let mut left = ALONE_SECS;
    let alone = turnover
        .live(|| {
            left -= 1;
            left > 0
        })
        .await?;
    let mut retiring = JoinSet::new();
    retiring.spawn(retention::retire(Arc::clone(&index), plan.oldest_hour(), plan.end()));
    let mut ended = None;
    let beside = turnover
        .live(|| {
            ended = retiring.try_join_next();
            ended.is_none()
        })
        .await?;
    let gone = ended.ok_or("retention did not end")?.map_err(failed("retention"))??;
    turnover.end().await?;
    index.close().await.map_err(refused("close the index"))?;

    #[allow(clippy::cast_precision_loss)] // bytes of a row
    let bytes_a_row = database_bytes as f64 / sums.segments as f64;
    Ok(Figures {
        bench: "index",
        database: kind.as_str(),
        cameras: u32::try_from(plan.cameras.len()).unwrap_or(u32::MAX),
        days: plan.days,
        segments: sums.segments,
        database_bytes,
        bytes_a_row,
        timeline_16_cameras_ms: Spread::of(&timelines),
        timeline_first_ms: Spread::of(&timelines[..timelines.len().min(FIRST)]),
        timeline_bar_ms_p99: TIMELINE_BAR_MS,
        moment_ms: Spread::of(&moments),
        moment_first_ms: Spread::of(&moments[..moments.len().min(FIRST)]),
        moment_bar_ms_p99: MOMENT_BAR_MS,
        insert_after_a_day: young,
        insert_after_all: old,
        insert_ratio: old.us_a_segment / young.us_a_segment,
        insert_wait_alone_ms: Spread::of(&alone.waits_ms),
        insert_wait_beside_retention_ms: Spread::of(&beside.waits_ms),
        retired_segments: gone.segments,
        retired_secs: gone.took.as_secs_f64(),
    })
}

/// Makes the schema as the product does, fills in the oldest day, and tells a little more through the contract: what
/// that costs, and what is there now.
async fn first_day(plan: &Arc<Plan>, home: &mut Home) -> Outcome<(Insert, Sums)> {
    home.open(plan.end()).await?.close().await.map_err(refused("close the index"))?;
    let mut filler = home.filler().await?;
    let mut sums = filler.fill(plan, 0..FILES_A_DAY).await?;
    filler.end().await?;
    home.keep(Durability::PowerLoss)?;
    let index = home.open(plan.end()).await?;
    let mut turnover = Turnover::begin(Arc::clone(&index), Arc::clone(plan), FILES_A_DAY).await?;
    let told = turnover.hurry(MINUTES).await?;
    sums.add(turnover.end().await?);
    index.close().await.map_err(refused("close the index"))?;
    Ok((Insert::of(&told), sums))
}

/// Fills in the other days, from where [`first_day`] ended.
async fn other_days(plan: &Plan, home: &mut Home) -> Outcome<Sums> {
    home.keep(Durability::Kill)?;
    let mut filler = home.filler().await?;
    filler.archive_before(plan.archived_before()).await?;
    // It began with one file and went on for so many minutes.
    let sums = filler.fill(plan, FILES_A_DAY + 1 + MINUTES..plan.files()).await?;
    filler.end().await?;
    Ok(sums)
}

/// Figures of an index that does not hold what it should would be worth nothing.
async fn check(index: &dyn Index, plan: &Plan, sums: Sums) -> Outcome {
    let totals = index.totals().await.map_err(refused("totals"))?;
    let found = Sums { segments: totals.segments, bytes: totals.bytes };
    if found == sums && found.segments == plan.rows() {
        return Ok(());
    }
    Err(format!("the index holds {found:?}; {} segments were planned and {sums:?} told", plan.rows()))
}

/// Turns a refusal of the index into a message that says what was tried, and every cause.
fn refused(what: &'static str) -> impl Fn(IndexError) -> String {
    move |error| {
        let mut message = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(&format!(": {error}"));
            cause = error.source();
        }
        message
    }
}

#[cfg(test)]
mod tests;
