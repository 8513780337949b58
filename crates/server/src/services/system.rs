//! The server itself.

use std::sync::Arc;

use minhbach_api::v1;
use minhbach_api::v1::system_service_server::SystemService;
use minhbach_model::CameraState;
use minhbach_store::{DiskState, Spool};
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
                (Some(space), unwritten.or_else(|| disk_trouble(self.0.store.spool())).unwrap_or_default())
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
                disks: disks(self.0.store.spool()),
            }),
            archive: Some(archive::message(&self.0.archive.borrow())),
        }))
    }
}

/// Each disk of the spool.
fn disks(spool: &Spool) -> Vec<v1::DiskStatus> {
    let status = |disk: &Arc<minhbach_store::SpoolDisk>| {
        let state = match disk.state() {
            DiskState::Fine => v1::DiskState::Fine,
            DiskState::Full => v1::DiskState::Full,
            DiskState::Failed => v1::DiskState::Failed,
            DiskState::Missing => v1::DiskState::Missing,
        };
        // Of one that is not mounted it would be told what the disk below has.
        let space = if disk.state() == DiskState::Missing { None } else { disk.space().ok() };
        v1::DiskStatus {
            path: disk.root().display().to_string(),
            free_bytes: space.map_or(0, |space| space.free_bytes),
            total_bytes: space.map_or(0, |space| space.total_bytes),
            state: state.into(),
            problem: disk.problem(),
        }
    };
    spool.disks().iter().map(status).collect()
}

/// What is wrong with the first disk of several that footage does not go to; recording goes on on the others.
pub(crate) fn disk_trouble(spool: &Spool) -> Option<String> {
    let disk = spool.disks().iter().find(|disk| disk.state() != DiskState::Fine).filter(|_| spool.is_spread())?;
    Some(format!("the disk {} is left out: {}", disk.root().display(), disk.problem()))
}
