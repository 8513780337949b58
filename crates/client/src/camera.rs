//! Cameras: add, change, pause, remove, test, and watch their state.

use std::sync::Arc;

use minhbach_api::convert::camera::{failure_kind, sound, spec_with_password};
use minhbach_api::convert::media::{sample, stream_kind};
use minhbach_api::convert::{ConvertError, required, unless_unspecified};
use minhbach_api::v1;
use minhbach_api::v1::camera_service_client::CameraServiceClient;
use minhbach_model::{
    CameraDraft, CameraId, CameraStatus, FailureKind, MediaFormat, Params, RemovedCamera, Sample, Sound, StreamKind,
};
use tonic::transport::Channel;
use tonic::{Request, Streaming};

use crate::{CALL_LIMIT, CAMERA_TEST_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES, Pages, unary};

/// What one stream of a camera answered to a test.
#[derive(Debug, Clone)]
pub struct StreamTest {
    /// Which stream.
    pub stream: StreamKind,
    /// Why it does not work; `None` when it does.
    pub failure: Option<FailureKind>,
    /// The exact failure in English, for a technician.
    pub message: String,
    /// What a text about the failure can tell, see [`FailureKind::params`].
    pub params: Params,
    /// Description of the video, e.g. `H.264 1920×1080`.
    pub video: String,
    /// Description of the sound; empty when there is none.
    pub audio: String,
    /// Whether sound comes.
    pub sound: Sound,
    /// Bits a second while it was watched.
    pub bit_rate_bps: u64,
    /// Thousandths of a picture a second.
    pub frame_rate_milli: u32,
    /// What a decoder needs for the still.
    pub format: Option<Arc<MediaFormat>>,
    /// A key frame, not decoded.
    pub still: Option<Sample>,
    /// From connecting to the first picture.
    pub first_picture_ms: u32,
}

/// All cameras with their state, again and again.
#[derive(Debug)]
pub struct CameraWatch {
    stream: Streaming<v1::WatchCamerasResponse>,
    url: Arc<str>,
}

impl CameraWatch {
    /// Every camera, in the order of their names: at once, and then whenever something changes. `None` when the
    /// server ends the stream, as it does when it stops.
    ///
    /// # Errors
    /// [`ClientError`]; the watch is over then.
    pub async fn next(&mut self) -> Result<Option<Vec<CameraStatus>>, ClientError> {
        match self.stream.message().await {
            Ok(Some(message)) => statuses(message.cameras).map(Some),
            Ok(None) => Ok(None),
            Err(status) => Err(ClientError::from_status(&self.url, &status)),
        }
    }
}

impl Client {
    fn camera_service(&self) -> CameraServiceClient<Channel> {
        CameraServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES)
    }

    /// Adds a camera; recording starts at once.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn add_camera(&self, draft: &CameraDraft) -> Result<CameraStatus, ClientError> {
        let message = v1::AddCameraRequest { spec: Some(spec_with_password(draft)) };
        let mut service = self.camera_service();
        let answer = self.answer(CALL_LIMIT, service.add_camera(unary(message, CALL_LIMIT))).await?;
        status(answer.camera)
    }

    /// Changes a camera. With `keep_password` the draft's password is not sent and the server keeps the one it has.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn update_camera(
        &self,
        id: CameraId,
        draft: &CameraDraft,
        keep_password: bool,
    ) -> Result<CameraStatus, ClientError> {
        let spec = if keep_password { draft.into() } else { spec_with_password(draft) };
        let message = v1::UpdateCameraRequest { id: id.to_string(), spec: Some(spec) };
        let mut service = self.camera_service();
        let answer = self.answer(CALL_LIMIT, service.update_camera(unary(message, CALL_LIMIT))).await?;
        status(answer.camera)
    }

    /// One camera.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn camera(&self, id: CameraId) -> Result<CameraStatus, ClientError> {
        let message = v1::GetCameraRequest { id: id.to_string() };
        let mut service = self.camera_service();
        let answer = self.answer(CALL_LIMIT, service.get_camera(unary(message, CALL_LIMIT))).await?;
        status(answer.camera)
    }

    /// Every camera, in the order of their names.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn cameras(&self) -> Result<Vec<CameraStatus>, ClientError> {
        let mut service = self.camera_service();
        let mut cameras = Vec::new();
        let mut pages = Pages::new();
        loop {
            let message = v1::ListCamerasRequest { page_size: 0, page_token: pages.token() };
            let answer = self.answer(CALL_LIMIT, service.list_cameras(unary(message, CALL_LIMIT))).await?;
            cameras.extend(statuses(answer.cameras)?);
            if !pages.advance(answer.next_page_token)? {
                return Ok(cameras);
            }
        }
    }

    /// The cameras that are in no list any more and whose footage may still be there, the last removed first.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn removed_cameras(&self) -> Result<Vec<RemovedCamera>, ClientError> {
        let mut service = self.camera_service();
        let call = service.list_removed_cameras(unary(v1::ListRemovedCamerasRequest {}, CALL_LIMIT));
        let answer = self.answer(CALL_LIMIT, call).await?;
        let removed =
            |camera: v1::RemovedCamera| RemovedCamera::try_from(camera).map_err(|error| error.within("cameras"));
        answer.cameras.into_iter().map(|camera| removed(camera).map_err(ClientError::answer)).collect()
    }

    /// Stops recording a camera until it is resumed.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn pause_camera(&self, id: CameraId) -> Result<CameraStatus, ClientError> {
        let message = v1::PauseCameraRequest { id: id.to_string() };
        let mut service = self.camera_service();
        let answer = self.answer(CALL_LIMIT, service.pause_camera(unary(message, CALL_LIMIT))).await?;
        status(answer.camera)
    }

    /// Records a paused camera again.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn resume_camera(&self, id: CameraId) -> Result<CameraStatus, ClientError> {
        let message = v1::ResumeCameraRequest { id: id.to_string() };
        let mut service = self.camera_service();
        let answer = self.answer(CALL_LIMIT, service.resume_camera(unary(message, CALL_LIMIT))).await?;
        status(answer.camera)
    }

    /// Takes a camera out of the lists; its footage stays.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn remove_camera(&self, id: CameraId) -> Result<(), ClientError> {
        let message = v1::RemoveCameraRequest { id: id.to_string() };
        let mut service = self.camera_service();
        self.answer(CALL_LIMIT, service.remove_camera(unary(message, CALL_LIMIT))).await?;
        Ok(())
    }

    /// Connects to a camera with these settings and waits for a picture; changes and stores nothing.
    ///
    /// With an id and an empty password, the server uses the password it has for that camera.
    ///
    /// # Errors
    /// [`ClientError`] when the test could not be made; that the camera does not work is an answer, not an error.
    pub async fn test_camera(&self, id: Option<CameraId>, draft: &CameraDraft) -> Result<Vec<StreamTest>, ClientError> {
        let stored_password = id.is_some() && draft.password.is_empty();
        let spec = if stored_password { draft.into() } else { spec_with_password(draft) };
        let message = v1::TestCameraRequest { spec: Some(spec), id: id.map(|id| id.to_string()).unwrap_or_default() };
        let mut service = self.camera_service();
        let call = service.test_camera(unary(message, CAMERA_TEST_LIMIT));
        let answer = self.answer(CAMERA_TEST_LIMIT, call).await?;
        answer.streams.into_iter().map(|test| stream_test(test).map_err(ClientError::answer)).collect()
    }

    /// Watches the state of all cameras.
    ///
    /// # Errors
    /// [`ClientError`] when the stream could not be opened.
    pub async fn watch_cameras(&self) -> Result<CameraWatch, ClientError> {
        let mut service = self.camera_service();
        // No deadline in the request: it would end the stream.
        let call = service.watch_cameras(Request::new(v1::WatchCamerasRequest {}));
        let stream = self.answer(CALL_LIMIT, call).await?;
        Ok(CameraWatch { stream, url: Arc::clone(&self.url) })
    }
}

fn status(camera: Option<v1::Camera>) -> Result<CameraStatus, ClientError> {
    required("camera", camera, "the camera")
        .and_then(|camera| CameraStatus::try_from(camera).map_err(|error| error.within("camera")))
        .map_err(ClientError::answer)
}

fn statuses(cameras: Vec<v1::Camera>) -> Result<Vec<CameraStatus>, ClientError> {
    cameras
        .into_iter()
        .map(|camera| CameraStatus::try_from(camera).map_err(|error| ClientError::answer(error.within("cameras"))))
        .collect()
}

fn stream_test(test: v1::StreamTest) -> Result<StreamTest, ConvertError> {
    let format =
        test.format.map(MediaFormat::try_from).transpose().map_err(|error| error.within("format"))?.map(Arc::new);
    let still = match (test.still, &format) {
        (Some(still), Some(format)) => Some(sample(still, format).map_err(|error| error.within("still"))?),
        (Some(_), None) => return Err(ConvertError::missing("format", "the parameters of the still")),
        (None, _) => None,
    };
    Ok(StreamTest {
        stream: stream_kind("stream", test.stream)?,
        failure: unless_unspecified("failure", test.failure, failure_kind)?,
        message: test.message,
        params: test.failure_params.into_iter().collect(),
        video: test.video,
        audio: test.audio,
        sound: sound(test.sound, test.sound_detail)?,
        bit_rate_bps: test.bit_rate_bps,
        frame_rate_milli: test.frame_rate_milli,
        format,
        still,
        first_picture_ms: test.first_picture_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_still_without_its_format_cannot_be_shown_and_is_refused() {
        let test = v1::StreamTest {
            stream: v1::StreamKind::Main.into(),
            still: Some(v1::Sample::default()),
            ..Default::default()
        };
        assert_eq!(stream_test(test).unwrap_err().field, "format");
    }

    #[test]
    fn an_unspecified_failure_means_that_it_works() {
        let test = v1::StreamTest { stream: v1::StreamKind::Sub.into(), ..Default::default() };
        assert_eq!(stream_test(test).unwrap().failure, None);
        let test = v1::StreamTest {
            stream: v1::StreamKind::Sub.into(),
            failure: v1::FailureKind::AuthRefused.into(),
            ..Default::default()
        };
        assert_eq!(stream_test(test).unwrap().failure, Some(FailureKind::AuthRefused));
    }
}
