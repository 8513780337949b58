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
        },
        archive: archive_status(archive).map_err(|error| error.within("archive"))?,
    })
}
