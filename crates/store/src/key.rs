//! Storage keys: where a segment lies, below a folder or in a bucket. Keys are never rewritten.

use std::fmt;
use std::path::{Path, PathBuf};

use minhbach_model::{CameraId, SegmentId, StreamKind, WallTime};

/// A text that is not a storage key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a storage key")]
pub struct KeyError(pub String);

/// `v1/<camera>/<stream>/<yyyy>/<mm>/<dd>/<hhmmss.mmm>-<segment>.mp4`, times in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SegmentKey(String);

impl SegmentKey {
    /// The key of a segment.
    #[must_use]
    pub fn new(camera: CameraId, stream: StreamKind, start: WallTime, segment: SegmentId) -> Self {
        let (year, month, day) = start.utc_date();
        let ms_of_day = start.as_ms().rem_euclid(86_400_000);
        let (h, m, s, ms) = (ms_of_day / 3_600_000, ms_of_day / 60_000 % 60, ms_of_day / 1000 % 60, ms_of_day % 1000);
        Self(format!("v1/{camera}/{stream}/{year:04}/{month:02}/{day:02}/{h:02}{m:02}{s:02}.{ms:03}-{segment}.mp4"))
    }

    /// Checks a key that comes from outside: only the shape above, nothing that climbs out of the store.
    ///
    /// # Errors
    /// [`KeyError`] when it has another shape.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '.');
        let parts: Vec<&str> = text.split('/').collect();
        let plain = parts.iter().all(|part| !part.is_empty() && !part.starts_with('.'));
        let shape = parts.len() == 7 && parts[0] == "v1" && parts[6].ends_with(".mp4");
        if text.len() <= 200 && text.chars().all(safe) && plain && shape {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyError(text.chars().take(200).collect()))
        }
    }

    /// The segment it names.
    #[must_use]
    pub fn segment(&self) -> Option<SegmentId> {
        let name = self.0.strip_suffix(".mp4")?;
        // The id is the last 36 characters; see `new`.
        name.get(name.len().checked_sub(36)?..)?.parse().ok()
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the media file lies below `root`.
    #[must_use]
    pub fn media_path(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// Where the sidecar lies below `root`.
    #[must_use]
    pub fn sidecar_path(&self, root: &Path) -> PathBuf {
        root.join(format!("{}.jsonl", self.0))
    }
}

impl fmt::Display for SegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_camera_day_and_time() {
        let (camera, segment) = (CameraId::generate(), SegmentId::generate());
        let start: WallTime = "2026-11-24T07:05:09.040Z".parse().unwrap();
        let key = SegmentKey::new(camera, StreamKind::Main, start, segment);
        assert_eq!(key.as_str(), format!("v1/{camera}/main/2026/11/24/070509.040-{segment}.mp4"));
        assert_eq!(key.segment(), Some(segment));
        assert_eq!(SegmentKey::parse(key.as_str()), Ok(key));
    }

    #[test]
    fn keys_that_climb_out_are_refused() {
        for bad in [
            "v1/a/main/2026/11/../x.mp4",
            "/v1/a/main/2026/11/24/x.mp4",
            "v1/a/main/2026/11/24/x.txt",
            "v1/a/main/2026/11/24/x\0.mp4",
            "v2/a/main/2026/11/24/x.mp4",
            "",
        ] {
            assert!(SegmentKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
