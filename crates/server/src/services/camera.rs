//! Cameras: add, change, pause, remove, test, watch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use minhbach_api::convert;
use minhbach_api::convert::camera::{GivenSpec, sound_state};
use minhbach_api::v1;
use minhbach_api::v1::camera_service_server::CameraService;
use minhbach_index::IndexError;
use minhbach_ingest::{Failure, ProbeReport, StreamConfig, probe};
use minhbach_model::{CameraDraft, CameraId, CameraStatus, Secret, StreamKind, StreamSource};
use tonic::{Request, Response, Status};

use super::refuse::{bad_page_token, bad_request, bad_url, check_name, index_status, no_camera, not_completed};
use super::{ANSWERS_WAITING, Answers, Shared, known};
use crate::cameras::has_password;

/// A change is told at most this often.
const WATCH_PERIOD: Duration = Duration::from_secs(1);
/// Page size when none is asked for, and the largest one.
const PAGE: usize = 500;

pub(super) struct CameraRpc(pub Arc<Shared>);

/// Makes a change to its end even when whoever asked for it hangs up in the middle: a camera whose streams were stopped
/// must be started again. Stopping the server waits for it, because that waits for every change.
async fn complete<T: Send + 'static>(
    change: impl Future<Output = Result<T, IndexError>> + Send + 'static,
) -> Result<T, Status> {
    match tokio::spawn(change).await {
        Ok(result) => result.map_err(index_status),
        Err(error) => {
            tracing::error!(%error, "a change of a camera did not end");
            Err(not_completed())
        }
    }
}

fn answer(status: &CameraStatus) -> v1::Camera {
    convert::camera::camera(status, has_password(status))
}

impl CameraRpc {
    fn get(&self, id: CameraId) -> Result<v1::Camera, Status> {
        let status = self.0.cameras.get(id).ok_or_else(|| no_camera(id))?;
        Ok(answer(&status))
    }

    fn id(text: &str) -> Result<CameraId, Status> {
        convert::id("id", text).map_err(bad_request)
    }

    /// Checks what a person typed about a camera.
    fn given(spec: Option<v1::CameraSpec>) -> Result<GivenSpec, Status> {
        let spec = convert::required("spec", spec, "the camera's settings").map_err(bad_request)?;
        let mut given = GivenSpec::try_from(spec).map_err(bad_request)?;
        given.draft.name = check_name("name", &given.draft.name)?;
        check_urls(&mut given.draft)?;
        Ok(given)
    }
}

fn check_urls(draft: &mut CameraDraft) -> Result<(), Status> {
    let check = |field: &str, source: &mut StreamSource| match StreamConfig::check_url(&source.url) {
        Ok(_) => {
            source.url = source.url.trim().to_owned();
            Ok(())
        }
        Err(error) => Err(bad_url(field, &error)),
    };
    check("main_url", &mut draft.main)?;
    draft.sub.as_mut().map_or(Ok(()), |sub| check("sub_url", sub))
}

#[tonic::async_trait]
impl CameraService for CameraRpc {
    async fn add_camera(
        &self,
        request: Request<v1::AddCameraRequest>,
    ) -> Result<Response<v1::AddCameraResponse>, Status> {
        let given = Self::given(request.into_inner().spec)?;
        let cameras = Arc::clone(&self.0.cameras);
        let id = complete(async move { cameras.add(given.draft).await }).await?;
        Ok(Response::new(v1::AddCameraResponse { camera: Some(self.get(id)?) }))
    }

    async fn update_camera(
        &self,
        request: Request<v1::UpdateCameraRequest>,
    ) -> Result<Response<v1::UpdateCameraResponse>, Status> {
        let request = request.into_inner();
        let id = Self::id(&request.id)?;
        let mut given = Self::given(request.spec)?;
        if !given.password_given {
            given.draft.password = self.0.cameras.password(id).unwrap_or_default();
        }
        let cameras = Arc::clone(&self.0.cameras);
        complete(async move { cameras.update(id, given.draft).await }).await?;
        Ok(Response::new(v1::UpdateCameraResponse { camera: Some(self.get(id)?) }))
    }

    async fn get_camera(
        &self,
        request: Request<v1::GetCameraRequest>,
    ) -> Result<Response<v1::GetCameraResponse>, Status> {
        let id = Self::id(&request.into_inner().id)?;
        Ok(Response::new(v1::GetCameraResponse { camera: Some(self.get(id)?) }))
    }

    async fn list_cameras(
        &self,
        request: Request<v1::ListCamerasRequest>,
    ) -> Result<Response<v1::ListCamerasResponse>, Status> {
        let request = request.into_inner();
        let size = match request.page_size as usize {
            0 => PAGE,
            asked => asked.min(PAGE),
        };
        let all = self.0.cameras.list();
        // The token is the id of the last camera sent; should it be gone meanwhile, the list starts again after its place.
        let start = if request.page_token.is_empty() {
            0
        } else {
            let after = Self::id(&request.page_token).map_err(|_| bad_page_token())?;
            all.iter().position(|s| s.camera.id == after).map_or(0, |at| at + 1)
        };
        let page = &all[start..all.len().min(start + size)];
        let more = start + page.len() < all.len();
        let next_page_token = page.last().filter(|_| more).map_or_else(String::new, |last| last.camera.id.to_string());
        Ok(Response::new(v1::ListCamerasResponse { cameras: page.iter().map(answer).collect(), next_page_token }))
    }

    async fn list_removed_cameras(
        &self,
        _: Request<v1::ListRemovedCamerasRequest>,
    ) -> Result<Response<v1::ListRemovedCamerasResponse>, Status> {
        let cameras = known::removed(&self.0).await?.iter().map(Into::into).collect();
        Ok(Response::new(v1::ListRemovedCamerasResponse { cameras }))
    }

    async fn pause_camera(
        &self,
        request: Request<v1::PauseCameraRequest>,
    ) -> Result<Response<v1::PauseCameraResponse>, Status> {
        let id = Self::id(&request.into_inner().id)?;
        let cameras = Arc::clone(&self.0.cameras);
        complete(async move { cameras.set_paused(id, true).await }).await?;
        Ok(Response::new(v1::PauseCameraResponse { camera: Some(self.get(id)?) }))
    }

    async fn resume_camera(
        &self,
        request: Request<v1::ResumeCameraRequest>,
    ) -> Result<Response<v1::ResumeCameraResponse>, Status> {
        let id = Self::id(&request.into_inner().id)?;
        let cameras = Arc::clone(&self.0.cameras);
        complete(async move { cameras.set_paused(id, false).await }).await?;
        Ok(Response::new(v1::ResumeCameraResponse { camera: Some(self.get(id)?) }))
    }

    async fn remove_camera(
        &self,
        request: Request<v1::RemoveCameraRequest>,
    ) -> Result<Response<v1::RemoveCameraResponse>, Status> {
        let id = Self::id(&request.into_inner().id)?;
        let cameras = Arc::clone(&self.0.cameras);
        complete(async move { cameras.remove(id).await }).await?;
        Ok(Response::new(v1::RemoveCameraResponse {}))
    }

    async fn test_camera(
        &self,
        request: Request<v1::TestCameraRequest>,
    ) -> Result<Response<v1::TestCameraResponse>, Status> {
        let request = request.into_inner();
        let id: Option<CameraId> = convert::optional_id("id", &request.id).map_err(bad_request)?;
        let spec = convert::required("spec", request.spec, "the camera's settings").map_err(bad_request)?;
        let mut given = GivenSpec::try_from(spec).map_err(bad_request)?;
        check_urls(&mut given.draft)?;
        let stored = || id.and_then(|id| self.0.cameras.password(id)).unwrap_or_default();
        let password = if given.password_given { given.draft.password.clone() } else { stored() };
        // A trial belongs to no camera; the id only labels what is logged.
        let camera = id.unwrap_or_else(CameraId::generate);
        let main = self.try_stream(camera, StreamKind::Main, Some(&given.draft.main), &given.draft, &password);
        let sub = self.try_stream(camera, StreamKind::Sub, given.draft.sub.as_ref(), &given.draft, &password);
        let (main, sub) = tokio::join!(main, sub);
        Ok(Response::new(v1::TestCameraResponse { streams: main.into_iter().chain(sub).collect() }))
    }

    type WatchCamerasStream = Answers<v1::WatchCamerasResponse>;

    async fn watch_cameras(
        &self,
        _: Request<v1::WatchCamerasRequest>,
    ) -> Result<Response<Self::WatchCamerasStream>, Status> {
        let (sender, receiver) = tokio::sync::mpsc::channel(ANSWERS_WAITING);
        let shared = Arc::clone(&self.0);
        let stop = shared.tasks.stop_token();
        self.0.tasks.spawn("watch cameras", async move {
            let mut sent = None;
            loop {
                let changed = shared.cameras.changed().notified();
                let cameras = shared.cameras.list();
                if sent.as_ref() != Some(&cameras) {
                    let message = v1::WatchCamerasResponse { cameras: cameras.iter().map(answer).collect() };
                    sent = Some(cameras);
                    if sender.send(Ok(message)).await.is_err() {
                        return;
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sender.closed() => return,
                    () = changed => {}
                    () = tokio::time::sleep(WATCH_PERIOD) => {}
                }
            }
        });
        Ok(Response::new(Answers::new(receiver)))
    }
}

impl CameraRpc {
    async fn try_stream(
        &self,
        camera: CameraId,
        stream: StreamKind,
        source: Option<&StreamSource>,
        draft: &CameraDraft,
        password: &Secret,
    ) -> Option<v1::StreamTest> {
        let url = StreamConfig::check_url(&source?.url).ok()?;
        let config = StreamConfig { camera, stream, url, username: draft.username.clone(), password: password.clone() };
        let result = probe(&config, self.0.cameras.options(), &self.0.clock).await;
        Some(stream_test(stream, result))
    }
}

fn stream_test(stream: StreamKind, result: Result<ProbeReport, Failure>) -> v1::StreamTest {
    let stream = v1::StreamKind::from(stream).into();
    match result {
        Ok(report) => v1::StreamTest {
            stream,
            failure: v1::FailureKind::Unspecified.into(),
            message: String::new(),
            video: report.video,
            audio: report.audio,
            sound: sound_state(report.sound.state).into(),
            sound_detail: report.sound.detail,
            bit_rate_bps: report.bit_rate_bps,
            frame_rate_milli: report.frame_rate_milli,
            format: Some(report.still.format.as_ref().into()),
            still: Some((&report.still).into()),
            first_picture_ms: u32::try_from(report.first_picture.as_millis()).unwrap_or(u32::MAX),
            failure_params: HashMap::new(),
        },
        Err(failure) => v1::StreamTest {
            stream,
            failure: v1::FailureKind::from(failure.kind).into(),
            message: failure.message,
            failure_params: failure.params.into_iter().collect(),
            ..v1::StreamTest::default()
        },
    }
}
