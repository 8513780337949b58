//! The gRPC services: each translates requests to the model, calls one function, and translates the answer.
//!
//! What belongs here: translation, checks of what a person typed, and flow control of answer streams. Rules about footage
//! do not; they are in the crates below. What a refused request is told is in [`refuse`].

mod archive;
mod camera;
mod incident;
mod known;
mod live;
mod media;
mod place;
mod recording;
mod refuse;
mod system;

use std::sync::Arc;
use std::time::Duration;

use minhbach_api::FILE_DESCRIPTOR_SET;
use minhbach_api::v1::archive_service_server::ArchiveServiceServer;
use minhbach_api::v1::camera_service_server::CameraServiceServer;
use minhbach_api::v1::incident_service_server::IncidentServiceServer;
use minhbach_api::v1::live_service_server::LiveServiceServer;
use minhbach_api::v1::place_service_server::PlaceServiceServer;
use minhbach_api::v1::recording_service_server::RecordingServiceServer;
use minhbach_api::v1::system_service_server::SystemServiceServer;
use minhbach_index::Index;
use minhbach_model::WallTime;
use minhbach_recorder::{ArchiveStatus, LedgerStats};
use minhbach_runtime::{Clock, Tasks};
use minhbach_store::{Footage, Stores};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub(crate) use archive::emergency;
pub(crate) use system::disk_trouble;

use crate::cameras::Cameras;

/// What every service needs.
pub struct Shared {
    /// The running cameras.
    pub cameras: Arc<Cameras>,
    /// Cameras, places, footage, incidents.
    pub index: Arc<dyn Index>,
    /// Where footage is written.
    pub store: Arc<Stores>,
    /// Where it is read from: there, and in the archive.
    pub footage: Arc<Footage>,
    /// How the recorder's way to the index does.
    pub ledger: Arc<LedgerStats>,
    /// How spool and archive do.
    pub archive: watch::Receiver<ArchiveStatus>,
    /// The wall clock.
    pub clock: Clock,
    /// When the server started.
    pub started: WallTime,
    /// Every task that serves a client.
    pub tasks: Tasks,
}

/// An answer stream: two messages wait at most, so that a slow reader is noticed at once.
pub(crate) type Answers<T> = ReceiverStream<Result<T, Status>>;
/// Messages that wait for a reader.
pub(crate) const ANSWERS_WAITING: usize = 2;

/// Serves the API until it is stopped.
///
/// # Errors
/// When reflection cannot read the descriptors.
pub fn serve(shared: &Arc<Shared>, listener: TcpListener) -> Result<(), tonic_reflection::server::Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let (health_reporter, health) = tonic_health::server::health_reporter();
    let service = || Arc::clone(shared);
    let router = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .add_service(health)
        .add_service(reflection)
        .add_service(PlaceServiceServer::new(place::Places(service())))
        .add_service(CameraServiceServer::new(camera::CameraRpc(service())))
        .add_service(LiveServiceServer::new(live::Live(service())))
        .add_service(RecordingServiceServer::new(recording::Recordings::new(service())))
        .add_service(IncidentServiceServer::new(incident::Incidents(service())))
        .add_service(ArchiveServiceServer::new(archive::Archives(service())))
        .add_service(SystemServiceServer::new(system::System(service())));
    let stop = shared.tasks.stop_token();
    shared.tasks.spawn("grpc", async move {
        health_reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        // Set here and not on the server, which only knows it for sockets it opened itself: without it every second picture
        // waits 40 ms for the reader's delayed acknowledgement.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        if let Err(error) = router.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await {
            tracing::error!(%error, "gRPC ended");
        }
    });
    Ok(())
}
