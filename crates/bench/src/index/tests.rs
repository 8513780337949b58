//! Three cameras and three days, made as a large index is: every row against the plan, on both databases.

use std::collections::BTreeSet;
use std::path::Path;

use minhbach_index::{MAX_PAGE, SqliteIndex};
use minhbach_model::{Segment, StreamKind, Tier, WallRange};
use minhbach_store::SegmentKey;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection};

use super::plan::Stream;
use super::*;

/// Every row of a stream, page by page.
async fn rows(index: &dyn Index, stream: &Stream, range: WallRange) -> Vec<Segment> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = index.segments_in(stream.camera, stream.kind, range, after, MAX_PAGE).await.expect("a page");
        let Some(last) = page.last() else { return found };
        after = Some((last.range.start, last.id));
        found.extend(page);
    }
}

async fn is_as_planned(kind: Kind) {
    let plan = Arc::new(Plan::new(3, 3));
    let mut home = Home::new(kind, &std::env::temp_dir()).expect("a database");
    let (_, mut sums) = first_day(&plan, &mut home).await.expect("a day");
    sums.add(other_days(&plan, &mut home).await.expect("the other days"));
    assert!(home.bytes().await.expect("its size") > sums.segments * 100);
    let index = home.open(plan.end()).await.expect("it opens");
    check(index.as_ref(), &plan, sums).await.expect("the totals agree");
    assert_eq!(sums.segments, 3 * 2 * 3 * 1440);

    let always = WallRange { start: plan.day(0).start, end: plan.day(3).end };
    let (mut gaps_seen, mut spooled_expected) = (0, Vec::new());
    for stream in &plan.streams {
        let expected: Vec<Segment> = (0..plan.files()).map(|file| plan.segment(stream, file)).collect();
        assert_eq!(rows(index.as_ref(), stream, always).await, expected);
        let waiting = expected.iter().filter(|segment| segment.tier == Tier::Spool);
        spooled_expected.extend(waiting.map(|segment| segment.id));

        let gaps: Vec<_> = (0..plan.files()).filter_map(|file| plan.gap(stream, file)).collect();
        assert_eq!(index.gaps_in(stream.camera, stream.kind, always).await.expect("gaps"), gaps);
        gaps_seen += gaps.len();

        // Recorded is what is no gap: from the end of each to the start of the next.
        let (first, last) = (expected[0].range.start, expected[expected.len() - 1].range.end);
        let starts = std::iter::once(first).chain(gaps.iter().filter_map(|gap| gap.end));
        let ends = gaps.iter().map(|gap| gap.start).chain([last]);
        let stretches: Vec<_> = starts.zip(ends).filter_map(|(start, end)| WallRange::new(start, end)).collect();
        let timeline = index.timeline(stream.camera, stream.kind, always).await.expect("a timeline");
        assert_eq!(timeline, stretches);
    }
    // One camera in a hundred, at least one: three an hour, both streams at once.
    assert!((2 * 3 * 24..6 * 2 * 3 * 24).contains(&gaps_seen), "{gaps_seen} gaps");

    let mut spooled = Vec::new();
    let mut after = None;
    loop {
        let page = index.spooled(after, MAX_PAGE).await.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some((last.range.end, last.id));
        spooled.extend(page.into_iter().map(|segment| segment.id));
    }
    spooled.sort_unstable();
    spooled_expected.sort_unstable();
    assert_eq!(spooled, spooled_expected, "the last day waits for the archive");

    measured_as_a_server_would(&plan, Arc::clone(&index)).await;
    index.close().await.expect("it closes");
}

/// The questions have answers, and the oldest hour goes except for what is held.
async fn measured_as_a_server_would(plan: &Arc<Plan>, index: Arc<dyn Index>) {
    for hold in plan.holds() {
        index.insert_hold(&hold).await.expect("a hold");
    }
    assert!(!measure::timelines(index.as_ref(), plan).await.expect("timelines").is_empty());
    assert!(!measure::moments(index.as_ref(), plan).await.expect("moments").is_empty());
    let before = plan.oldest_hour();
    let hour = WallRange { start: plan.day(0).start, end: before };
    let held = &plan.holds()[0];
    let is_held =
        |segment: &Segment| held.cameras.contains(&segment.camera) && held.range.intersection(&segment.range).is_some();
    let files = plan.streams.iter().flat_map(|stream| (0..61).map(move |file| plan.segment(stream, file)));
    let (stay, go): (Vec<_>, Vec<_>) = files.filter(|segment| segment.range.end <= before).partition(is_held);
    assert!(!stay.is_empty());
    let gone = retention::retire(Arc::clone(&index), before, plan.end()).await.expect("they go");
    assert_eq!(gone.segments, go.len() as u64);
    let left = index.totals().await.expect("totals").segments;
    assert_eq!(left, plan.rows() - gone.segments);
    for stream in &plan.streams {
        let rows = rows(index.as_ref(), stream, hour).await;
        let ended = rows.iter().filter(|segment| segment.range.end <= before);
        assert!(ended.clone().all(is_held), "what is not held has gone");
        let of_stream = |segment: &&Segment| (segment.camera, segment.stream) == (stream.camera, stream.kind);
        assert_eq!(ended.count(), stay.iter().filter(of_stream).count());
    }
}

#[tokio::test]
async fn a_filled_sqlite_holds_what_a_server_would_have_told() {
    is_as_planned(Kind::Sqlite).await;
}

#[tokio::test]
async fn a_filled_postgresql_holds_what_a_server_would_have_told() {
    is_as_planned(Kind::Postgres).await;
}

/// What the file of an index is made of, once the product has opened and closed it.
async fn schema(file: &Path, plan: &Plan) -> Vec<String> {
    let index = SqliteIndex::open(file, plan.end()).await.expect("it opens");
    index.close().await.expect("it closes");
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("connected");
    let statement = "SELECT coalesce(sql, name) AS made FROM sqlite_schema ORDER BY type, name";
    let rows = sqlx::query(statement).fetch_all(&mut connection).await.expect("listed");
    connection.close().await.expect("closed");
    rows.iter().map(|row| row.try_get("made").expect("a text")).collect()
}

/// An hour of all streams.
fn hour(plan: &Plan) -> impl Iterator<Item = (&Stream, u32)> {
    (0..60).flat_map(move |file| plan.streams.iter().map(move |stream| (stream, file)))
}

#[tokio::test]
async fn filling_leaves_the_schema_as_the_product_made_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("index.sqlite");
    let plan = Plan::new(1, 2);
    let before = schema(&file, &plan).await;
    let mut filler = fill::Filler::sqlite(&file).await.expect("it can be filled");
    filler.fill(&plan, 0..3).await.expect("filled");
    filler.end().await.expect("ended");
    assert!(before.iter().any(|made| made.contains("segments_inserted")));
    assert_eq!(schema(&file, &plan).await, before);
}

#[test]
fn the_streams_of_a_camera_are_told_at_different_moments_and_keys_are_storage_keys() {
    let plan = Plan::new(250, 2);
    assert_eq!((plan.cameras.len(), plan.streams.len()), (250, 500));
    let segments: Vec<Segment> = hour(&plan).map(|(stream, file)| plan.segment(stream, file)).collect();
    let ids: BTreeSet<_> = segments.iter().map(|segment| segment.id).collect();
    assert_eq!(ids.len(), segments.len());
    for segment in &segments {
        let key = SegmentKey::parse(&segment.key).expect("a storage key");
        assert_eq!(key.segment(), Some(segment.id));
        assert!(segment.range.start < segment.range.end);
    }
    let poor: BTreeSet<_> =
        hour(&plan).filter_map(|(stream, file)| plan.gap(stream, file)).map(|gap| gap.camera).collect();
    assert!((1..=3).contains(&poor.len()), "one camera in a hundred: {poor:?}");
    let mains = plan.streams.iter().take(50).filter(|stream| stream.kind == StreamKind::Main).count();
    assert!((10..40).contains(&mains), "both kinds, mixed: {mains}");
}
