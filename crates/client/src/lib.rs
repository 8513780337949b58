//! The user interface's side of the API, in the model's types: one method a thing a person can ask for.
//!
//! What belongs here: the connection, its time limits, page tokens, and what an error means to the caller.
//! What does not: reconnecting a stream (whoever shows it knows when it is worth it), caching, texts for people in
//! their language, anything that draws.
//!
//! *Connections.* Ordinary calls share one connection. Each media stream has one of its own, because HTTP/2 shares
//! the window of a connection among its streams: a paused playback that is not read would stop the live tiles.
//! The windows of media streams are small on purpose: what lies in them is old before it is shown.

mod archive;
mod camera;
mod error;
mod export;
mod incident;
mod media;
mod place;
mod recording;
mod system;

use std::sync::Arc;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

pub use archive::{ArchiveReport, ArchiveStatus, CameraDays, DeletionFilter, HoldDraft, SpoolState};
pub use camera::{CameraWatch, StreamTest};
pub use error::{ClientError, ClientErrorKind};
pub use export::{ExportHeader, ExportRequest, ExportStream};
pub use incident::{IncidentChange, IncidentFilter};
pub use media::{MediaEvent, MediaStream, PlayRequest};
pub use place::PlaceId;
pub use recording::CameraTimeline;
pub use system::{DiskState, DiskStatus, ServerStatus, StoreStatus};

/// The largest message accepted: an access unit of 16 MiB and what is around it.
const MESSAGE_MAX_BYTES: usize = 32 * 1024 * 1024;

/// For ordinary calls, and for the first answer of a stream.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// For a call that itself waits for a camera.
const CAMERA_TEST_LIMIT: Duration = Duration::from_secs(40);

/// For setting up the TCP connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A dead connection is noticed after interval and limit together.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_LIMIT: Duration = Duration::from_secs(5);

/// Window of a media stream: about two seconds of a main stream of 4 Mbit/s, so that a slow reader is noticed by the
/// server early enough to skip to the newest key frame.
const MEDIA_WINDOW_BYTES: u32 = 1024 * 1024;

/// A listing that needs more pages than this does not end.
const PAGES_MAX: usize = 10_000;

/// A server. Cheap to clone; clones share the connection for ordinary calls.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: Endpoint,
    channel: Channel,
    url: Arc<str>,
}

impl Client {
    /// Names a server, e.g. `http://127.0.0.1:7878`. Connects at the first call, and again whenever it is needed.
    ///
    /// # Errors
    /// [`ClientErrorKind::Refused`] when the text is no address.
    // Async so that it can only be called where a runtime is: the channel starts its worker here.
    #[allow(clippy::unused_async)]
    pub async fn connect(url: &str) -> Result<Self, ClientError> {
        let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let bad_address = || {
            ClientError::new(
                ClientErrorKind::Refused,
                format!(
                    "`{url}` is not the address of a server: expected http://HOST:PORT such as http://127.0.0.1:7878"
                ),
            )
        };
        if !full.starts_with("http://") {
            return Err(bad_address());
        }
        let endpoint = Endpoint::from_shared(full.clone()).map_err(|_| bad_address())?;
        if endpoint.uri().host().is_none_or(str::is_empty) {
            return Err(bad_address());
        }
        let endpoint = endpoint
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_LIMIT)
            .keep_alive_while_idle(true);
        let channel = endpoint.clone().http2_adaptive_window(true).connect_lazy();
        Ok(Self { endpoint, channel, url: full.into() })
    }

    /// The address it was given.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection of its own for one media stream.
    fn media_channel(&self) -> Channel {
        self.endpoint
            .clone()
            .initial_stream_window_size(MEDIA_WINDOW_BYTES)
            .initial_connection_window_size(2 * MEDIA_WINDOW_BYTES)
            .connect_lazy()
    }

    /// A connection of its own for one export, which should be as fast as the network is.
    fn bulk_channel(&self) -> Channel {
        self.endpoint.clone().http2_adaptive_window(true).connect_lazy()
    }

    /// Waits for the answer of a call, at most `limit`. For a stream that is its first answer, not its end.
    async fn answer<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(ClientError::from_status(&self.url, &status)),
            Err(_) => Err(ClientError::timed_out(&self.url, limit)),
        }
    }
}

/// A unary request that tells the server how long its answer is waited for.
fn unary<T>(message: T, limit: Duration) -> Request<T> {
    let mut request = Request::new(message);
    // A little longer than the client itself waits, so that it is always the client that says so: a deadline the
    // transport notices comes as "cancelled", which cannot be told from a lost connection.
    request.set_timeout(limit + Duration::from_millis(500));
    request
}

/// Follows the page tokens of one listing.
struct Pages {
    token: String,
    read: usize,
}

impl Pages {
    fn new() -> Self {
        Self { token: String::new(), read: 0 }
    }

    /// The token to ask with.
    fn token(&self) -> String {
        self.token.clone()
    }

    /// Notes the token of an answer; `false` after the last page.
    fn advance(&mut self, next: String) -> Result<bool, ClientError> {
        self.read += 1;
        if next.is_empty() {
            return Ok(false);
        }
        if next == self.token || self.read >= PAGES_MAX {
            return Err(ClientError::new(ClientErrorKind::Broken, "the server's list does not end".to_owned()));
        }
        self.token = next;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_checked_before_anything_is_sent() {
        assert_eq!(Client::connect("127.0.0.1:7878").await.unwrap().url(), "http://127.0.0.1:7878");
        assert!(Client::connect("http://[::1]:7878").await.is_ok());
        for bad in ["", "https://10.0.0.1:7878", "http://", "rtsp://10.0.0.1/", "http://a b"] {
            let error = Client::connect(bad).await.unwrap_err();
            assert_eq!(error.kind(), ClientErrorKind::Refused, "{bad}");
            assert!(error.to_string().contains("expected http://HOST:PORT"), "{error}");
        }
    }

    #[test]
    fn pages_end_with_an_empty_token_and_never_go_round() {
        let mut pages = Pages::new();
        assert_eq!(pages.advance("a".to_owned()), Ok(true));
        assert_eq!(pages.token(), "a");
        assert_eq!(pages.advance(String::new()), Ok(false));
        let mut pages = Pages::new();
        assert_eq!(pages.advance("a".to_owned()), Ok(true));
        assert_eq!(pages.advance("a".to_owned()).unwrap_err().kind(), ClientErrorKind::Broken);
    }
}
