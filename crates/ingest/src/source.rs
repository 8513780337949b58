//! What is needed to fetch one stream, and its limits.

use std::time::Duration;

use minhbach_model::{CameraId, Secret, StreamKind};
use url::Url;

/// Where a stream comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// `rtsp://host[:port]/path`, without user name and password.
    pub url: Url,
    /// Account on the camera; empty for none.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not a URL.
    #[error("`{0}` is not an address: expected rtsp://host/path")]
    Syntax(String),
    /// Not RTSP.
    #[error("the address starts with `{0}:`, which is not supported: only rtsp:// is")]
    Scheme(String),
    /// A password in a URL would end up in lists and logs.
    #[error("the address contains a user name or password: give them in their own fields")]
    Credentials,
}

impl StreamConfig {
    /// Checks an address a person typed.
    ///
    /// # Errors
    /// [`SourceError`] that says what to write instead.
    pub fn check_url(text: &str) -> Result<Url, SourceError> {
        // Whatever a wrong text contains, only a short start of it is repeated, and nothing after an `@`.
        let shown: String = text.split('@').next().unwrap_or_default().chars().take(60).collect();
        let url = Url::parse(text.trim()).map_err(|_| SourceError::Syntax(shown.clone()))?;
        if url.scheme() != "rtsp" {
            return Err(SourceError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SourceError::Credentials);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(SourceError::Syntax(shown));
        }
        Ok(url)
    }
}

/// Time limits of a stream.
#[derive(Debug, Clone, Copy)]
pub struct IngestOptions {
    /// For looking up the name and connecting, and for each RTSP request.
    pub step_timeout: Duration,
    /// Without a picture for this long the stream counts as stalled.
    pub stall_timeout: Duration,
    /// First pause before connecting again.
    pub backoff_min: Duration,
    /// Longest pause.
    pub backoff_max: Duration,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self {
            step_timeout: Duration::from_secs(8),
            stall_timeout: Duration::from_secs(8),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_passwords_never_repeated() {
        assert!(StreamConfig::check_url(" rtsp://10.0.0.7/main ").is_ok());
        assert_eq!(StreamConfig::check_url("rtsp://u:hunter2@h/x"), Err(SourceError::Credentials));
        assert_eq!(StreamConfig::check_url("http://h/x"), Err(SourceError::Scheme("http".into())));
        let error = StreamConfig::check_url("rtsp:/u:p w@hunter2").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(StreamConfig::check_url("10.0.0.7").is_err());
    }
}
