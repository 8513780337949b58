//! Cameras beyond those that run: removed ones, and those that nothing but their footage tells of.
//!
//! Their footage is found, held and flagged like any other; a wrong id must not be taken for a camera without footage.

use std::collections::BTreeSet;

use minhbach_model::{CameraId, RemovedCamera};
use tonic::Status;

use super::Shared;
use super::refuse::{index_status, no_camera};

/// The cameras that are in no list any more: the last removed first, then those that only footage tells of.
pub(super) async fn removed(shared: &Shared) -> Result<Vec<RemovedCamera>, Status> {
    let mut removed = shared.index.removed_cameras().await.map_err(index_status)?;
    let named: BTreeSet<CameraId> = removed.iter().map(|camera| camera.id).collect();
    let recorded = shared.index.recorded_since().await.map_err(index_status)?;
    let recorded: BTreeSet<CameraId> = recorded.into_iter().map(|stream| stream.camera).collect();
    let nameless = |id: &CameraId| !named.contains(id) && shared.cameras.get(*id).is_none();
    let unknown = |id| RemovedCamera { id, name: String::new(), contact_point: None, removed: None };
    removed.extend(recorded.into_iter().filter(nameless).map(unknown));
    Ok(removed)
}

/// Refuses ids of cameras that never were.
pub(super) async fn check(shared: &Shared, cameras: &[CameraId]) -> Result<(), Status> {
    let strange: Vec<CameraId> = cameras.iter().copied().filter(|id| shared.cameras.get(*id).is_none()).collect();
    if strange.is_empty() {
        return Ok(());
    }
    let removed = removed(shared).await?;
    let missing = strange.into_iter().find(|id| removed.iter().all(|camera| camera.id != *id));
    missing.map_or(Ok(()), |id| Err(no_camera(id)))
}
