//! The state of the server itself.

use minhbach_api::convert::{ConvertError, required, wall};
use minhbach_api::v1;
use minhbach_api::v1::system_service_client::SystemServiceClient;
use minhbach_model::WallTime;

use crate::archive::archive_status;
use crate::{ArchiveStatus, CALL_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES, unary};

/// The server at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// Its release.
    pub version: String,
    /// When it was started.
    pub started: WallTime,
    /// Its clock.
    pub now: WallTime,
    /// Cameras that are configured.
    pub cameras: u32,
    /// Streams that are being recorded.
    pub streams_recording: u32,
    /// Streams that should be and are not.
    pub streams_failed: u32,
    /// Where footage is kept.
    pub store: StoreStatus,
    /// How spool and archive do.
    pub archive: ArchiveStatus,
}

/// Where footage is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// The folder, on the server.
    pub path: String,
    /// Free on its disk.
    pub free_bytes: u64,
    /// Size of its disk.
    pub total_bytes: u64,
    /// Recorded files.
    pub segments: u64,
    /// Bytes of recorded media.
    pub recorded_bytes: u64,
    /// What is wrong with it; empty when all is well.
    pub problem: String,
    /// Each of its disks.
    pub disks: Vec<DiskStatus>,
}

/// How a disk of the spool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskState {
    /// Footage goes there.
    Fine,
    /// It has no room, and nothing on it may be deleted.
    Full,
    /// It refused, or does not answer; it is tried again after a while.
    Failed,
    /// It was not there when the server started.
    Missing,
}

/// A disk that footage is recorded on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskStatus {
    /// The folder, on the server.
    pub path: String,
    /// Free on it; 0 where that is not known.
    pub free_bytes: u64,
    /// Its size; 0 where that is not known.
    pub total_bytes: u64,
    /// How it does.
    pub state: DiskState,
    /// What is wrong with it, in English; empty when all is well.
    pub problem: String,
}

impl Client {
    /// The server's state.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn status(&self) -> Result<ServerStatus, ClientError> {
        let mut service = SystemServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES);
        let call = service.get_status(unary(v1::GetStatusRequest {}, CALL_LIMIT));
        let message = self.answer(CALL_LIMIT, call).await?;
        server_status(message).map_err(ClientError::answer)
    }
}

fn server_status(message: v1::GetStatusResponse) -> Result<ServerStatus, ConvertError> {
    let store = required("store", message.store, "the state of the store")?;
    let archive = required("archive", message.archive, "the state of the archive")?;
    let disks: Result<Vec<_>, ConvertError> = store.disks.into_iter().map(disk_status).collect();
    Ok(ServerStatus {
        version: message.version,
        started: wall("started_wall_ns", message.started_wall_ns)?,
        now: wall("now_wall_ns", message.now_wall_ns)?,
        cameras: message.cameras,
        streams_recording: message.streams_recording,
        streams_failed: message.streams_failed,
        store: StoreStatus {
            path: store.path,
            free_bytes: store.free_bytes,
            total_bytes: store.total_bytes,
            segments: store.segments,
            recorded_bytes: store.recorded_bytes,
            problem: store.problem,
            disks: disks.map_err(|error| error.within("store"))?,
        },
        archive: archive_status(archive).map_err(|error| error.within("archive"))?,
    })
}

fn disk_status(message: v1::DiskStatus) -> Result<DiskStatus, ConvertError> {
    let expected = "how the disk does";
    let state = match v1::DiskState::try_from(message.state) {
        Ok(v1::DiskState::Fine) => DiskState::Fine,
        Ok(v1::DiskState::Full) => DiskState::Full,
        Ok(v1::DiskState::Failed) => DiskState::Failed,
        Ok(v1::DiskState::Missing) => DiskState::Missing,
        Ok(v1::DiskState::Unspecified) => return Err(ConvertError::missing("state", expected)),
        Err(_) => return Err(ConvertError::unknown("state", &message.state.to_string(), expected)),
    };
    let v1::DiskStatus { path, free_bytes, total_bytes, problem, .. } = message;
    Ok(DiskStatus { path, free_bytes, total_bytes, state, problem })
}
