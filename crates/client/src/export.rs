//! Export of a range as a plain MP4: first what the file will be, then its bytes.
//!
//! Where the bytes go is the caller's business.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use minhbach_api::convert::recording::gap;
use minhbach_api::convert::{ConvertError, START_END, span};
use minhbach_api::v1;
use minhbach_api::v1::export_response::Part;
use minhbach_api::v1::recording_service_client::RecordingServiceClient;
use minhbach_model::{CameraId, Gap, StreamKind, WallRange};
use tonic::transport::Channel;
use tonic::{Request, Streaming};

use crate::{Client, ClientError, ClientErrorKind, MESSAGE_MAX_BYTES};

/// For the header, and between two pieces: the server may have to read a long index from a busy disk.
const PIECE_LIMIT: Duration = Duration::from_secs(60);

/// What is to be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportRequest {
    /// The camera.
    pub camera: CameraId,
    /// The stream.
    pub stream: StreamKind,
    /// Exact to the frame.
    pub range: WallRange,
    /// Leave the sound out.
    pub without_audio: bool,
}

/// What the file will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeader {
    /// Its size.
    pub total_bytes: u64,
    /// Exactly what it shows.
    pub range: WallRange,
    /// Pictures.
    pub video_samples: u64,
    /// Frames or packets of sound.
    pub audio_samples: u64,
    /// What is missing inside the range; players show the last picture there.
    pub gaps: Vec<Gap>,
}

/// An export that is being received. Dropping it stops it.
#[derive(Debug)]
pub struct ExportStream {
    /// What the file will be.
    pub header: ExportHeader,
    stream: Streaming<v1::ExportResponse>,
    url: Arc<str>,
    received_bytes: u64,
    // Owned, so that the connection lives exactly as long as the export.
    _connection: Channel,
}

impl ExportStream {
    /// The next bytes of the file, in order; `None` when it is complete.
    ///
    /// # Errors
    /// [`ClientError`], also when the server ends before or after `total_bytes`: the file is no good then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        match next_part(&mut self.stream, &self.url).await? {
            Some(Part::Data(data)) => {
                self.received_bytes += data.len() as u64;
                if self.received_bytes > self.header.total_bytes {
                    return Err(self.wrong_size("more than"));
                }
                Ok(Some(data))
            }
            Some(Part::Header(_)) => Err(broken("a second header")),
            None if self.received_bytes == self.header.total_bytes => Ok(None),
            None => Err(self.wrong_size("not all of")),
        }
    }

    fn wrong_size(&self, how: &str) -> ClientError {
        broken(&format!(
            "{how} the {} bytes that were promised ({} received)",
            self.header.total_bytes, self.received_bytes
        ))
    }
}

impl Client {
    /// Starts an export and waits for its header.
    ///
    /// # Errors
    /// [`ClientErrorKind::NotFound`] when nothing is recorded there, and as from every call.
    pub async fn export(&self, request: &ExportRequest) -> Result<ExportStream, ClientError> {
        let message = v1::ExportRequest {
            camera_id: request.camera.to_string(),
            stream: v1::StreamKind::from(request.stream).into(),
            from_wall_ns: request.range.start.0,
            to_wall_ns: request.range.end.0,
            without_audio: request.without_audio,
        };
        let connection = self.bulk_channel();
        let mut service = RecordingServiceClient::new(connection.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES);
        let mut stream = self.answer(PIECE_LIMIT, service.export(Request::new(message))).await?;
        let header = match next_part(&mut stream, &self.url).await? {
            Some(Part::Header(header)) => export_header(header, request).map_err(ClientError::answer)?,
            Some(Part::Data(_)) => return Err(broken("data before the header")),
            None => return Err(broken("nothing")),
        };
        Ok(ExportStream { header, stream, url: Arc::clone(&self.url), received_bytes: 0, _connection: connection })
    }
}

async fn next_part(stream: &mut Streaming<v1::ExportResponse>, url: &str) -> Result<Option<Part>, ClientError> {
    match tokio::time::timeout(PIECE_LIMIT, stream.message()).await {
        Ok(Ok(Some(message))) => {
            message.part.map(Some).ok_or_else(|| ClientError::answer(ConvertError::missing("part", "a header or data")))
        }
        Ok(Ok(None)) => Ok(None),
        Ok(Err(status)) => Err(ClientError::from_status(url, &status)),
        Err(_) => Err(ClientError::timed_out(url, PIECE_LIMIT)),
    }
}

fn broken(what: &str) -> ClientError {
    ClientError::new(ClientErrorKind::Broken, format!("the server sent {what} in an export"))
}

fn export_header(message: v1::ExportHeader, request: &ExportRequest) -> Result<ExportHeader, ConvertError> {
    Ok(ExportHeader {
        total_bytes: message.total_bytes,
        range: span(START_END, message.start_wall_ns, message.end_wall_ns)?,
        video_samples: message.video_samples,
        audio_samples: message.audio_samples,
        gaps: message
            .gaps
            .iter()
            .map(|message| gap(message, request.camera, request.stream).map_err(|error| error.within("gaps")))
            .collect::<Result<_, _>>()?,
    })
}
