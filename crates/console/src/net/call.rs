//! One request, one answer.

use std::path::Path;

use minhbach_client::{Client, ClientError, ExportRequest, IncidentFilter, StreamTest};
use minhbach_decode::{RgbaImage, frame_to_rgba, still};
use minhbach_model::{CameraDraft, CameraId, CameraStatus, StreamKind, WallRange, WallTime};

use super::{Link, Problem, Reply, Request, SaveCamera};
use crate::state::cameras::{NewPlace, TestRow};
use crate::state::export::Measured;

/// Width of a test's still, pixels.
const STILL_WIDTH: u32 = 640;

/// Does what is asked and tells what came of it.
pub async fn run(link: Link, request: Request) {
    let client = &link.client;
    let reply = match request {
        Request::Places => Reply::Places(client.places().await.map_err(Problem::from)),
        Request::RemovedCameras => Reply::RemovedCameras(client.removed_cameras().await.map_err(Problem::from)),
        Request::Incidents => {
            let filter = IncidentFilter { range: Some(recent(crate::when::now())), ..IncidentFilter::default() };
            Reply::Incidents(client.incidents(&filter).await.map_err(Problem::from))
        }
        Request::Holds => Reply::Holds(client.holds(false, None).await.map_err(Problem::from)),
        Request::PlaceHold(draft) => Reply::HoldPlaced(client.place_hold(&draft).await.map_err(Problem::from)),
        Request::ReleaseHold(id, by, reason) => {
            Reply::HoldReleased(id, client.release_hold(id, &by, &reason).await.map_err(Problem::from))
        }
        Request::Timeline(cameras, range) => {
            Reply::Timeline(client.timeline(&cameras, StreamKind::Main, range).await.map_err(Problem::from))
        }
        Request::FirstRecorded(cameras) => {
            Reply::FirstRecorded(first_recorded(client, &cameras).await.map_err(Problem::from))
        }
        Request::Flag(draft) => Reply::Flagged(client.flag_incident(&draft).await.map_err(Problem::from)),
        Request::Undo(id) => Reply::Undone(id, client.undo_incident(id).await.map_err(Problem::from)),
        Request::Change(from, id, version, change) => {
            Reply::Changed(from, id, client.update_incident(id, version, change).await.map_err(Problem::from))
        }
        Request::Save(save) => {
            let new = save.id.is_none();
            Reply::Saved(new, save_camera(client, *save).await.map_err(Problem::from))
        }
        Request::Pause(id, pause) => {
            let done = if pause { client.pause_camera(id).await } else { client.resume_camera(id).await };
            Reply::Paused(id, pause, done.map(drop).map_err(Problem::from))
        }
        Request::Remove(id) => Reply::Removed(id, client.remove_camera(id).await.map_err(Problem::from)),
        Request::Test(number, id, draft) => {
            Reply::Tested(number, test(client, id, &draft).await.map_err(Problem::from))
        }
        Request::Measure(question, cameras, range, without_audio) => {
            for camera in cameras {
                let answer = measure(client, camera, range, without_audio).await.map_err(Problem::from);
                link.tell(Reply::Measured(question, camera, answer)).await;
            }
            return;
        }
        Request::Write(kind, path, text) => {
            let done = write(&path, &text).await.map_err(Problem::from);
            Reply::Written(kind, path, done)
        }
        // The dispatcher keeps these to itself.
        Request::Export(..) | Request::CancelExport(_) => return,
    };
    link.tell(reply).await;
}

const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// What the list of incidents reaches over: three months back, and a day ahead for clocks that differ.
fn recent(now: WallTime) -> WallRange {
    WallRange { start: now.offset_ns(-90 * DAY_NS), end: now.offset_ns(DAY_NS) }
}

/// The longest stretch the server answers for (400 days), and a day less for clocks that differ.
const REACH_NS: i64 = 399 * DAY_NS;

fn reach_back(now: WallTime) -> WallRange {
    WallRange { start: now.offset_ns(-REACH_NS), end: now }
}

async fn first_recorded(client: &Client, cameras: &[CameraId]) -> Result<Option<WallTime>, ClientError> {
    let timelines = client.timeline(cameras, StreamKind::Main, reach_back(crate::when::now())).await?;
    Ok(timelines.iter().filter_map(|timeline| timeline.recorded.first()).map(|range| range.start).min())
}

async fn save_camera(client: &Client, save: SaveCamera) -> Result<CameraStatus, ClientError> {
    let mut draft = save.draft;
    if let Some(place) = &save.new_place {
        draft.contact_point = Some(ensure_place(client, place).await?);
    }
    match save.id {
        None => client.add_camera(&draft).await,
        Some(id) => client.update_camera(id, &draft, save.keep_password).await,
    }
}

/// Finds the contact point of that name, or makes it and what it lies in.
async fn ensure_place(client: &Client, place: &NewPlace) -> Result<minhbach_model::ContactPointId, ClientError> {
    let tree = client.places().await?;
    let agency = match tree.agencies.iter().find(|known| same(&known.name, &place.agency)) {
        Some(known) => known.id,
        None => client.create_agency(&name(&place.agency), None).await?.id,
    };
    let site = match tree.sites.iter().find(|known| known.agency == agency && same(&known.name, &place.site)) {
        Some(known) => known.id,
        None => client.create_site(&name(&place.site), agency).await?.id,
    };
    let known = tree.contact_points.iter().find(|known| known.site == site && same(&known.name, &place.contact_point));
    match known {
        Some(known) => Ok(known.id),
        None => Ok(client.create_contact_point(&name(&place.contact_point), site).await?.id),
    }
}

fn name(text: &str) -> String {
    crate::search::compose(text.trim())
}

fn same(known: &str, typed: &str) -> bool {
    known.to_lowercase() == name(typed).to_lowercase()
}

async fn test(
    client: &Client,
    id: Option<CameraId>,
    draft: &CameraDraft,
) -> Result<(Vec<TestRow>, Option<RgbaImage>), ClientError> {
    let mut answers = client.test_camera(id, draft).await?;
    let rows = answers.iter().map(row).collect();
    let picture = answers.iter_mut().find_map(|answer| answer.still.take().zip(answer.format.take()));
    let image = match picture {
        None => None,
        Some((sample, format)) => {
            let work = tokio::task::spawn_blocking(move || {
                still(&format.video, &sample).map(|frame| frame_to_rgba(&frame, STILL_WIDTH))
            });
            match work.await {
                Ok(Ok(image)) => Some(image),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the still cannot be decoded");
                    None
                }
                Err(error) => {
                    tracing::error!(%error, "decoding the still failed");
                    None
                }
            }
        }
    };
    Ok((rows, image))
}

fn row(test: &StreamTest) -> TestRow {
    TestRow {
        stream: test.stream,
        failure: test.failure,
        message: test.message.clone(),
        params: test.params.clone(),
        video: test.video.clone(),
        audio: test.audio.clone(),
        sound: test.sound.clone(),
        bit_rate_bps: test.bit_rate_bps,
        frame_rate_milli: test.frame_rate_milli,
        first_picture_ms: test.first_picture_ms,
    }
}

/// Opens the export, reads what the server announces, and lets it go.
async fn measure(
    client: &Client,
    camera: CameraId,
    range: WallRange,
    without_audio: bool,
) -> Result<Measured, ClientError> {
    let stream = client.export(&ExportRequest { camera, stream: StreamKind::Main, range, without_audio }).await?;
    let header = &stream.header;
    Ok(Measured { bytes: header.total_bytes, gaps: header.gaps.len(), sound: header.audio_samples > 0 })
}

/// Writes beside the file first, so that a file is never seen half written.
async fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let beside = path.with_extension("part");
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_recording_is_looked_for_within_what_the_server_answers() {
        let range = reach_back(WallTime::from_secs(1_795_000_000));
        let days = range.duration().as_secs() / 86_400;
        assert_eq!(days, 399);
    }

    #[test]
    fn an_incident_of_now_is_in_the_list() {
        let now = WallTime::from_secs(1_795_000_000);
        assert!(recent(now).start < now && now < recent(now).end);
    }
}
