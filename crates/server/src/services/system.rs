//! The server itself.

use std::sync::Arc;

use minhbach_api::v1;
use minhbach_api::v1::system_service_server::SystemService;
use minhbach_model::CameraState;
use tonic::{Request, Response, Status};

use super::refuse::index_status;
use super::{Shared, archive};
use crate::cameras::not_recorded;

pub(super) struct System(pub Arc<Shared>);

#[tonic::async_trait]
impl SystemService for System {
    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Result<Response<v1::GetStatusResponse>, Status> {
        let cameras = self.0.cameras.list();
        let states = || cameras.iter().flat_map(|c| &c.streams).map(|s| s.state);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let totals = self.0.index.totals().await.map_err(index_status)?;
        let (space, problem) = match self.0.store.space() {
            Ok(space) => {
                let unwritten = not_recorded(&cameras).map(|(_, stream)| stream.message.clone());
                (Some(space), unwritten.unwrap_or_default())
            }
            Err(error) => (None, error.to_string()),
        };
        Ok(Response::new(v1::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_wall_ns: self.0.started.0,
            now_wall_ns: self.0.clock.now().0,
            cameras: count(cameras.len()),
            streams_recording: count(states().filter(|&s| s == CameraState::Recording).count()),
            streams_failed: count(states().filter(|s| s.failure().is_some()).count()),
            store: Some(v1::StoreStatus {
                path: self.0.store.root().display().to_string(),
                free_bytes: space.map_or(0, |s| s.free_bytes),
                total_bytes: space.map_or(0, |s| s.total_bytes),
                segments: totals.segments,
                recorded_bytes: totals.bytes,
                problem,
            }),
            archive: Some(archive::message(&self.0.archive.borrow())),
        }))
    }
}
