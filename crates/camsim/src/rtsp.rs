//! The RTSP server: gst-rtsp-server with a shared media for each stream, Digest authentication, and the ways in which
//! a camera refuses or drops its clients.
//!
//! What flows through a media comes from `camera`; this module only opens and closes the way to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use gstreamer as gst;
use gstreamer::glib;
use gstreamer_app::AppSrc;
use gstreamer_rtsp::{RTSPAuthMethod, RTSPLowerTrans, RTSPStatusCode};
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::prelude::*;
use minhbach_testkit::marks::MarkStream;
use minhbach_testkit::nal::VideoCodec;

use crate::auth::CameraAuth;
use crate::camera::Camera;
use crate::outlet::{Jumps, Outlet};
use crate::profile::{AudioCodec, CameraSpec};

/// How often sessions that have timed out are looked for; their timeout is gst-rtsp-server's 60 s.
const SESSION_CLEANUP_S: u32 = 5;
/// The role that may watch every camera.
const ROLE: &str = "viewer";

/// The server cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum RtspError {
    /// GStreamer did not start.
    #[error("gstreamer cannot be started")]
    Init(#[source] glib::Error),
    /// The address is taken or not ours.
    #[error("no RTSP server on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: glib::BoolError,
    },
    /// Its thread.
    #[error("the RTSP server's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// A user name and its password.
#[derive(Clone)]
pub struct Credentials {
    /// Name.
    pub username: String,
    /// Password, for Digest authentication.
    pub password: String,
}

/// A connection that may have to be closed.
struct Client {
    client: glib::WeakRef<rtsp::RTSPClient>,
    /// The loop that serves it; a connection is closed there, between two requests.
    context: Option<glib::MainContext>,
    /// The camera it has asked for last.
    camera: usize,
}

#[derive(Default)]
struct Clients(Mutex<Vec<Client>>);

impl Clients {
    fn note(&self, client: &rtsp::RTSPClient, camera: usize) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|known| known.client.upgrade().is_some_and(|known| known != *client));
        let context = glib::main_current_source().and_then(|source| source.context());
        clients.push(Client { client: client.downgrade(), context, camera });
    }

    fn forget(&self, client: &rtsp::RTSPClient) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|known| known.client.upgrade().is_some_and(|known| known != *client));
    }

    fn close(&self, concerns: impl Fn(usize) -> bool) {
        let closing = {
            let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (closing, staying): (Vec<Client>, Vec<Client>) =
                std::mem::take(&mut *clients).into_iter().partition(|known| concerns(known.camera));
            *clients = staying;
            closing
        };
        for known in closing {
            match (known.client.upgrade(), known.context) {
                (Some(client), Some(context)) => context.invoke(move || client.close()),
                (Some(client), None) => client.close(),
                // It has gone by itself.
                (None, _) => {}
            }
        }
    }
}

/// The running server; it ends on drop.
pub struct RtspServer {
    address: SocketAddr,
    clients: Arc<Clients>,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
    /// Keeps the mount points and the listening socket.
    server: rtsp::RTSPServer,
}

impl RtspServer {
    /// Serves the cameras at an address; port 0 takes any.
    pub fn start(
        listen: SocketAddr,
        cameras: &Arc<[Arc<Camera>]>,
        credentials: Option<&Credentials>,
    ) -> Result<Self, RtspError> {
        let server = new_server(listen)?;
        server.set_auth(Some(&authentication(cameras, credentials)));
        let mounts = rtsp::RTSPMountPoints::new();
        for camera in cameras.iter() {
            mount(&mounts, camera);
        }
        server.set_mount_points(Some(&mounts));
        let clients = Arc::new(Clients::default());
        watch_clients(&server, cameras, &clients);
        Self::run(server, clients, listen)
    }

    /// Serves pipelines by name, written as for `gst-launch-1.0`; everybody may watch.
    pub fn launch(listen: SocketAddr, streams: &[(String, String)]) -> Result<Self, RtspError> {
        let server = new_server(listen)?;
        let mounts = rtsp::RTSPMountPoints::new();
        for (name, pipeline) in streams {
            let factory = rtsp::RTSPMediaFactory::new();
            factory.set_launch(&format!("( {pipeline} )"));
            factory.set_shared(true);
            factory.set_protocols(RTSPLowerTrans::TCP | RTSPLowerTrans::UDP);
            mounts.add_factory(&format!("/{name}"), factory);
        }
        server.set_mount_points(Some(&mounts));
        Self::run(server, Arc::new(Clients::default()), listen)
    }

    fn run(server: rtsp::RTSPServer, clients: Arc<Clients>, listen: SocketAddr) -> Result<Self, RtspError> {
        let context = glib::MainContext::new();
        server.attach(Some(&context)).map_err(|source| RtspError::Listen { address: listen, source })?;
        let port = u16::try_from(server.bound_port()).unwrap_or(listen.port());
        if let Some(sessions) = server.session_pool() {
            let cleanup =
                glib::timeout_source_new_seconds(SESSION_CLEANUP_S, None, glib::Priority::DEFAULT, move || {
                    sessions.cleanup();
                    glib::ControlFlow::Continue
                });
            cleanup.attach(Some(&context));
        }
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let running = main_loop.clone();
        let thread = thread::Builder::new()
            .name("rtsp".to_owned())
            .spawn(move || {
                if let Err(error) = context.with_thread_default(|| running.run()) {
                    tracing::error!(%error, "the RTSP server's loop is not its own");
                }
            })
            .map_err(RtspError::Thread)?;
        let address = SocketAddr::new(listen.ip(), port);
        Ok(Self { address, clients, main_loop, thread: Some(thread), server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Describes a camera anew, as it speaks now; connections that are open go on with what they were told.
    pub fn describe_anew(&self, camera: &Arc<Camera>) {
        // Every server was given one before it was attached.
        if let Some(mounts) = self.server.mount_points() {
            mount(&mounts, camera);
        }
    }

    /// Closes all connections of a camera.
    pub fn drop_clients(&self, camera: usize) {
        self.clients.close(|of| of == camera);
    }
}

impl Drop for RtspServer {
    fn drop(&mut self) {
        self.clients.close(|_| true);
        self.main_loop.quit();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the RTSP server's thread had panicked");
        }
    }
}

/// A server that is not yet attached to a loop.
fn new_server(listen: SocketAddr) -> Result<rtsp::RTSPServer, RtspError> {
    gst::init().map_err(RtspError::Init)?;
    let server = rtsp::RTSPServer::new();
    server.set_address(&listen.ip().to_string());
    server.set_service(&listen.port().to_string());
    let pool = rtsp::RTSPThreadPool::new();
    // A thread for each connection: one that waits for a stalled camera holds up no other.
    pool.set_max_threads(-1);
    server.set_thread_pool(Some(&pool));
    Ok(server)
}

/// Authentication is always in place, so that a camera without a password can be made to refuse as well.
fn authentication(cameras: &Arc<[Arc<Camera>]>, credentials: Option<&Credentials>) -> CameraAuth {
    let auth = CameraAuth::new(Arc::clone(cameras));
    auth.set_supported_methods(RTSPAuthMethod::Digest);
    auth.set_realm(Some("camera"));
    let mut token = rtsp::RTSPToken::builder().field(rtsp::RTSP_TOKEN_MEDIA_FACTORY_ROLE.as_str(), ROLE).build();
    match credentials {
        Some(credentials) => auth.add_digest(&credentials.username, &credentials.password, &token),
        None => auth.set_default_token(Some(&mut token)),
    }
    auth
}

/// Puts both streams of a camera where they are asked for, in the place of what was there.
fn mount(mounts: &rtsp::RTSPMountPoints, camera: &Arc<Camera>) {
    let spec = camera.spec();
    for stream in [MarkStream::Main, MarkStream::Sub] {
        mounts.add_factory(&format!("/cam{}/{}", spec.number, stream.as_str()), factory(camera, spec, stream));
    }
}

fn factory(camera: &Arc<Camera>, spec: CameraSpec, stream: MarkStream) -> rtsp::RTSPMediaFactory {
    /// Unique over all factories: one that was replaced must not take down what its successor built.
    static IDS: AtomicU64 = AtomicU64::new(0);
    let factory = rtsp::RTSPMediaFactory::new();
    factory.set_launch(&launch_line(spec, stream));
    factory.set_shared(true);
    factory.set_suspend_mode(rtsp::RTSPSuspendMode::None);
    factory.set_latency(0);
    factory.set_protocols(RTSPLowerTrans::TCP | RTSPLowerTrans::UDP);
    let role = gst::Structure::builder(ROLE)
        .field(rtsp::RTSP_PERM_MEDIA_FACTORY_ACCESS.as_str(), true)
        .field(rtsp::RTSP_PERM_MEDIA_FACTORY_CONSTRUCT.as_str(), true)
        .build();
    factory.add_role_from_structure(&role);
    let camera = Arc::clone(camera);
    factory.connect_media_configure(move |_, media| {
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        match outlet(id, media, spec, stream) {
            Some(outlet) => camera.open(stream, outlet),
            None => tracing::error!(camera = spec.number, "a media without its sources; nothing will be sent"),
        }
        let camera = Arc::clone(&camera);
        media.connect_unprepared(move |_| camera.close(stream, id));
    });
    factory
}

/// The pipeline of a stream. Parameter sets go before each key frame; RTP times follow presentation times and not a
/// count of samples, so that a stall leaves a hole in them.
fn launch_line(spec: CameraSpec, stream: MarkStream) -> String {
    let (caps, pay) = match spec.video {
        VideoCodec::H264 => ("video/x-h264", "rtph264pay"),
        VideoCodec::H265 => ("video/x-h265", "rtph265pay"),
    };
    let video = format!(
        "appsrc name=video caps={caps},stream-format=byte-stream,alignment=au \
         ! {pay} name=pay0 pt=96 config-interval=-1 mtu=1400 perfect-rtptime=false"
    );
    let audio = match (stream, spec.audio) {
        (MarkStream::Sub, _) => String::new(),
        // AudioSpecificConfig 0x1408: AAC LC, 16 kHz, mono (ISO/IEC 14496-3 §1.6.2.1).
        (MarkStream::Main, AudioCodec::Aac) => " appsrc name=audio \
             caps=audio/mpeg,mpegversion=(int)4,stream-format=(string)raw,rate=(int)16000,channels=(int)1,codec_data=(buffer)1408 \
             ! rtpmp4gpay name=pay1 pt=97 perfect-rtptime=false"
            .to_owned(),
        (MarkStream::Main, AudioCodec::Pcma) => " appsrc name=audio caps=audio/x-alaw,rate=(int)8000,channels=(int)1 \
             ! rtppcmapay name=pay1 pt=8 perfect-rtptime=false"
            .to_owned(),
        (MarkStream::Main, AudioCodec::Pcmu) => " appsrc name=audio caps=audio/x-mulaw,rate=(int)8000,channels=(int)1 \
             ! rtppcmupay name=pay1 pt=0 perfect-rtptime=false"
            .to_owned(),
    };
    format!("( {video}{audio} )")
}

fn outlet(id: u64, media: &rtsp::RTSPMedia, spec: CameraSpec, stream: MarkStream) -> Option<Outlet> {
    let bin = media.element().downcast::<gst::Bin>().ok()?;
    let source = |name: &str| bin.by_name(name).and_then(|element| element.downcast::<AppSrc>().ok());
    let jumps = Jumps::default();
    let watch = |name: &str, clock_rate: u32| -> Option<()> {
        jumps.watch(&bin.by_name(name)?.static_pad("src")?, clock_rate);
        Some(())
    };
    watch("pay0", 90_000)?;
    let audio = if stream == MarkStream::Main {
        watch("pay1", spec.audio.rate())?;
        Some(source("audio")?)
    } else {
        None
    };
    Some(Outlet::new(id, spec, source("video")?, audio, jumps.clone()))
}

/// Notes which camera each connection is for, and refuses what comes for a camera that is off line.
fn watch_clients(server: &rtsp::RTSPServer, cameras: &Arc<[Arc<Camera>]>, clients: &Arc<Clients>) {
    let (cameras, clients) = (Arc::clone(cameras), Arc::clone(clients));
    server.connect_client_connected(move |_, client| {
        let admit = {
            let (cameras, clients) = (Arc::clone(&cameras), Arc::clone(&clients));
            move |client: &rtsp::RTSPClient, context: &rtsp::RTSPContext| {
                let camera = context.uri().and_then(|uri| camera_of(&uri.request_uri()));
                let Some((number, camera)) = camera.and_then(|number| Some((number, cameras.get(number)?))) else {
                    return RTSPStatusCode::Ok;
                };
                clients.note(client, number);
                if camera.is_offline() { RTSPStatusCode::ServiceUnavailable } else { RTSPStatusCode::Ok }
            }
        };
        client.connect_pre_options_request(admit.clone());
        client.connect_pre_describe_request(admit.clone());
        client.connect_pre_setup_request(admit.clone());
        client.connect_pre_play_request(admit);
        let clients = Arc::clone(&clients);
        client.connect_closed(move |client| clients.forget(client));
    });
}

/// The camera's number in a URL such as `rtsp://127.0.0.1:8554/cam3/main/stream=0`.
pub(crate) fn camera_of(url: &str) -> Option<usize> {
    let path = url.split_once("://")?.1.split_once('/')?.1;
    path.split('/').next()?.strip_prefix("cam")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn cameras_are_found_in_urls() {
        assert_eq!(camera_of("rtsp://127.0.0.1:8554/cam12/main/stream=0"), Some(12));
        assert_eq!(camera_of("rtsp://127.0.0.1:8554/cam0/sub"), Some(0));
        assert_eq!(camera_of("rtsp://cam1/other"), None);
        assert_eq!(camera_of("*"), None);
    }

    #[test]
    fn launch_lines_have_sound_on_main_only() {
        for number in 0..4 {
            let spec = CameraSpec::of(Profile::Mixed, number);
            assert!(launch_line(spec, MarkStream::Main).contains("name=pay1"));
            assert!(!launch_line(spec, MarkStream::Sub).contains("pay1"));
        }
    }
}
