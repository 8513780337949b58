//! The configuration: defaults, then the file, then the command line.
//!
//! What a person can set belongs here, with its unit in its name and its limits. An unknown key is an error with its line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use minhbach_ingest::IngestOptions;
use minhbach_store::StoreOptions;
use serde::{Deserialize, Serialize};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not readable.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be; the message names line and column.
    #[error("{path}: {message}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// A value is outside its limits.
    #[error("{key} is {value}: {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// It cannot be printed.
    #[error("the configuration cannot be printed")]
    Print(#[from] toml::ser::Error),
}

/// What the command line says.
#[derive(Debug, Default)]
pub struct Overrides {
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--http`
    pub http: Option<SocketAddr>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder for footage and database.
    pub data_dir: PathBuf,
    /// Where the server listens.
    pub listen: Listen,
    /// How footage is written.
    pub recording: Recording,
    /// Limits towards cameras.
    pub camera: Camera,
    /// How long footage is kept where nothing else was said.
    pub retention: Retention,
    /// How full the disk may become.
    pub disk: Disk,
}

/// Section `[listen]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// gRPC, for the console and minhbachctl.
    pub grpc: SocketAddr,
    /// HTTP, for /metrics and /healthz.
    pub http: SocketAddr,
}

/// Section `[recording]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recording {
    /// A segment closes at the first key picture after this.
    pub segment_secs: u32,
    /// Time between group syncs.
    pub sync_secs: u32,
}

/// Section `[camera]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Camera {
    /// For looking up the name, connecting, and each RTSP request.
    pub step_timeout_secs: u32,
    /// Without a picture for this long a camera counts as stalled.
    pub stall_timeout_secs: u32,
    /// Longest pause between two attempts to connect.
    pub backoff_max_secs: u32,
}

/// Section `[retention]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Promised: before that footage goes only when the disk is full.
    pub min_days: u32,
    /// Older footage is deleted; 0 keeps it as long as there is room.
    pub max_days: u32,
}

/// Section `[disk]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Disk {
    /// From here on there is an alarm.
    pub alarm_percent: u32,
    /// From here on the oldest footage that is not held goes.
    pub delete_percent: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            listen: Listen::default(),
            recording: Recording::default(),
            camera: Camera::default(),
            retention: Retention::default(),
            disk: Disk::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { grpc: SocketAddr::from(([127, 0, 0, 1], 7878)), http: SocketAddr::from(([127, 0, 0, 1], 7879)) }
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self { segment_secs: 60, sync_secs: 1 }
    }
}

impl Default for Camera {
    fn default() -> Self {
        Self { step_timeout_secs: 8, stall_timeout_secs: 8, backoff_max_secs: 30 }
    }
}

impl Default for Retention {
    fn default() -> Self {
        let minhbach_model::Retention { min_days, max_days } = minhbach_model::Retention::DEFAULT;
        Self { min_days, max_days: max_days.unwrap_or(0) }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self { alarm_percent: 90, delete_percent: 95 }
    }
}

/// The XDG data folder; the current folder where no home is known.
fn default_data_dir() -> PathBuf {
    let home =
        || std::env::var_os("HOME").filter(|h| !h.is_empty()).map(|home| PathBuf::from(home).join(".local/share"));
    let xdg = std::env::var_os("XDG_DATA_HOME").filter(|d| !d.is_empty()).map(PathBuf::from);
    xdg.or_else(home).unwrap_or_default().join("minhbach")
}

impl Config {
    /// Reads the file if there is one, applies the command line, and checks the limits.
    ///
    /// # Errors
    /// What cannot be used, and where.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        let mut config = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
                toml::from_str(&text).map_err(|error| ConfigError::Syntax {
                    path: path.to_owned(),
                    message: error.to_string().trim_end().to_owned(),
                })?
            }
            None => Self::default(),
        };
        if let Some(data_dir) = overrides.data_dir {
            config.data_dir = data_dir;
        }
        if let Some(listen) = overrides.listen {
            config.listen.grpc = listen;
            // A port chosen by hand or by the system is one for a second server: its side door must not collide.
            if overrides.http.is_none() && listen.port() != Listen::default().grpc.port() {
                config.listen.http = SocketAddr::new(listen.ip(), 0);
            }
        }
        if let Some(http) = overrides.http {
            config.listen.http = http;
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        for (key, address) in [("listen.grpc", self.listen.grpc), ("listen.http", self.listen.http)] {
            if !address.ip().is_loopback() {
                return Err(ConfigError::Value {
                    key,
                    value: address.to_string(),
                    expected: "only a loopback address such as 127.0.0.1 is accepted, because this version has no accounts",
                });
            }
        }
        let limits = [
            ("recording.segment_secs", self.recording.segment_secs, 2..=300, "from 2 to 300 are accepted"),
            ("recording.sync_secs", self.recording.sync_secs, 1..=10, "from 1 to 10 are accepted"),
            ("camera.step_timeout_secs", self.camera.step_timeout_secs, 1..=60, "from 1 to 60 are accepted"),
            ("camera.stall_timeout_secs", self.camera.stall_timeout_secs, 2..=60, "from 2 to 60 are accepted"),
            ("disk.alarm_percent", self.disk.alarm_percent, 1..=99, "from 1 to 99 are accepted"),
            ("disk.delete_percent", self.disk.delete_percent, 2..=99, "from 2 to 99 are accepted"),
            ("retention.min_days", self.retention.min_days, 0..=36_500, "up to 36500 are accepted"),
            ("retention.max_days", self.retention.max_days, 0..=36_500, "up to 36500 are accepted"),
            ("camera.backoff_max_secs", self.camera.backoff_max_secs, 1..=300, "from 1 to 300 are accepted"),
        ];
        for (key, value, accepted, expected) in limits {
            if !accepted.contains(&value) {
                return Err(ConfigError::Value { key, value: value.to_string(), expected });
            }
        }
        if !self.retention().is_possible() {
            let (key, value) = ("retention.max_days", self.retention.max_days.to_string());
            return Err(ConfigError::Value { key, value, expected: "0, or at least retention.min_days, is accepted" });
        }
        if self.disk.alarm_percent >= self.disk.delete_percent {
            let (key, value) = ("disk.alarm_percent", self.disk.alarm_percent.to_string());
            return Err(ConfigError::Value { key, value, expected: "less than disk.delete_percent is accepted" });
        }
        Ok(())
    }

    /// As a file that would give the same configuration.
    ///
    /// # Errors
    /// When a path is not Unicode.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        Ok(toml::to_string_pretty(self)?)
    }

    /// Limits towards cameras.
    #[must_use]
    pub fn ingest(&self) -> IngestOptions {
        let secs = |n: u32| Duration::from_secs(n.into());
        let default = IngestOptions::default();
        IngestOptions {
            step_timeout: secs(self.camera.step_timeout_secs),
            stall_timeout: secs(self.camera.stall_timeout_secs),
            backoff_min: default.backoff_min,
            backoff_max: secs(self.camera.backoff_max_secs),
        }
    }

    /// How long footage is kept where nothing else was said.
    #[must_use]
    pub fn retention(&self) -> minhbach_model::Retention {
        let max_days = Some(self.retention.max_days).filter(|days| *days > 0);
        minhbach_model::Retention { min_days: self.retention.min_days, max_days }
    }

    /// How full the disk may become; the limits are checked on reading.
    #[must_use]
    pub fn watermarks(&self) -> minhbach_recorder::Watermarks {
        let percent = |value: u32| u8::try_from(value).unwrap_or(100);
        minhbach_recorder::Watermarks {
            alarm_percent: percent(self.disk.alarm_percent),
            delete_percent: percent(self.disk.delete_percent),
        }
    }

    /// How the store writes.
    #[must_use]
    pub fn store(&self) -> StoreOptions {
        StoreOptions { sync_interval: Duration::from_secs(self.recording.sync_secs.into()), ..StoreOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), Overrides::default())
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error = load("[recording]\nsegment_secs = 30\nsegmnt = 1\n").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("segmnt"), "{error}");
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        std::fs::write(&path, "data_dir = \"/a\"\n[listen]\ngrpc = \"127.0.0.1:1\"\n").unwrap();
        let overrides = Overrides { data_dir: Some("/b".into()), ..Overrides::default() };
        let config = Config::load(Some(&path), overrides).unwrap();
        assert_eq!((config.data_dir, config.listen.grpc.port()), (PathBuf::from("/b"), 1));
    }

    #[test]
    fn only_loopback_is_accepted_and_limits_hold() {
        let error = load("[listen]\ngrpc = \"0.0.0.0:7878\"\n").unwrap_err().to_string();
        assert!(error.contains("loopback"), "{error}");
        assert!(load("[recording]\nsegment_secs = 0\n").is_err());
        assert!(load("[retention]\nmin_days = 30\nmax_days = 10\n").is_err());
        assert!(load("[disk]\nalarm_percent = 95\n").is_err());
        assert!(load("").is_ok());
    }

    #[test]
    fn what_is_printed_reads_back_the_same() {
        let config = Config::default();
        assert_eq!(load(&config.to_toml().unwrap()).unwrap(), config);
    }
}
