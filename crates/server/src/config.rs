//! The configuration: defaults, then the file, then the command line.
//!
//! What a person can set belongs here, with its unit in its name and its limits. An unknown key is an error with its line.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use minhbach_ingest::IngestOptions;
use minhbach_model::Retention;
use minhbach_store::{ArchiveOptions, StoreOptions};
use serde::{Deserialize, Serialize};

/// Most disks of a spool: each has a thread and a queue of its own.
const DISKS_MAX: usize = 64;

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
    /// A key that another one asks for is missing, or has no use.
    #[error("{key} {problem}")]
    Key {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
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
    /// Where cameras, places, incidents and the index of footage are kept.
    pub database: Database,
    /// Where closed footage goes.
    pub archive: Archive,
    /// How full the disk may become.
    pub spool: Spool,
    /// How long footage is kept where nothing is said of a camera, a place or everything.
    pub retention: RetentionDefault,
    /// How stored footage is read back.
    pub patrol: Patrol,
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

/// Section `[database]`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user:password@host:port/name`; empty for SQLite in the data folder.
    pub url: String,
}

/// Without the password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &without_password(&self.url)).finish()
    }
}

/// Which archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchiveKind {
    /// Footage stays where it was recorded.
    #[default]
    None,
    /// A folder.
    Folder,
    /// A bucket of an S3-compatible store.
    S3,
}

/// Section `[archive]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Archive {
    /// Which kind.
    pub kind: ArchiveKind,
    /// Folder, for kind `folder`.
    pub path: PathBuf,
    /// `https://host:port`, for kind `s3`. Without TLS only on a loopback address.
    pub endpoint: String,
    /// Bucket, for kind `s3`; it must be there.
    pub bucket: String,
    /// Region, for kind `s3`.
    pub region: String,
    /// Access key, for kind `s3`; empty for a store that asks nobody.
    pub access_key_id: String,
    /// File with the secret key, for kind `s3`.
    pub secret_access_key_file: PathBuf,
    /// Segments brought at the same time.
    pub parallel: u32,
}

/// Section `[spool]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spool {
    /// From here on there is an alarm, percent of the disk or of `max_mib`.
    pub alarm_percent: u8,
    /// From here on the oldest footage that is archived and not held goes.
    pub delete_percent: u8,
    /// What footage may use of the disk, MiB; 0 for the whole disk.
    pub max_mib: u64,
    /// Folders that footage is recorded into, each on a disk of its own; none for the folder `footage` in the data folder.
    pub disks: Vec<PathBuf>,
}

/// Section `[retention]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionDefault {
    /// Promised days: before that footage goes only when a disk is full.
    pub min_days: u32,
    /// Older footage is deleted; 0 keeps it as long as there is room.
    pub max_days: u32,
}

/// Section `[patrol]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patrol {
    /// How fast stored footage is read back and compared, MiB a second; 0 for not at all.
    pub mib_per_second: u32,
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            kind: ArchiveKind::None,
            path: PathBuf::new(),
            endpoint: String::new(),
            bucket: String::new(),
            region: "us-east-1".to_owned(),
            access_key_id: String::new(),
            secret_access_key_file: PathBuf::new(),
            parallel: 4,
        }
    }
}

impl Default for Spool {
    fn default() -> Self {
        Self { alarm_percent: 80, delete_percent: 90, max_mib: 0, disks: Vec::new() }
    }
}

impl Default for RetentionDefault {
    fn default() -> Self {
        Self { min_days: Retention::DEFAULT.min_days, max_days: Retention::DEFAULT.max_days.unwrap_or(0) }
    }
}

impl Default for Patrol {
    fn default() -> Self {
        Self { mib_per_second: 2 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            listen: Listen::default(),
            recording: Recording::default(),
            camera: Camera::default(),
            database: Database::default(),
            archive: Archive::default(),
            spool: Spool::default(),
            retention: RetentionDefault::default(),
            patrol: Patrol::default(),
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
        if self.data_dir.as_os_str().is_empty() {
            return Err(ConfigError::Key { key: "data_dir", problem: "is empty: name a folder, or leave the key out" });
        }
        if self.listen.grpc == self.listen.http && self.listen.grpc.port() != 0 {
            return Err(ConfigError::Value {
                key: "listen.http",
                value: self.listen.http.to_string(),
                expected: "another port than that of listen.grpc is accepted",
            });
        }
        let limits = [
            ("recording.segment_secs", self.recording.segment_secs, 2..=300, "from 2 to 300 are accepted"),
            ("recording.sync_secs", self.recording.sync_secs, 1..=10, "from 1 to 10 are accepted"),
            ("camera.step_timeout_secs", self.camera.step_timeout_secs, 1..=60, "from 1 to 60 are accepted"),
            ("camera.stall_timeout_secs", self.camera.stall_timeout_secs, 2..=60, "from 2 to 60 are accepted"),
            ("retention.min_days", self.retention.min_days, 0..=36_500, "up to 36500 are accepted"),
            ("retention.max_days", self.retention.max_days, 0..=36_500, "up to 36500 are accepted"),
            ("camera.backoff_max_secs", self.camera.backoff_max_secs, 1..=300, "from 1 to 300 are accepted"),
        ];
        for (key, value, accepted, expected) in limits {
            if !accepted.contains(&value) {
                return Err(ConfigError::Value { key, value: value.to_string(), expected });
            }
        }
        self.check_storage()
    }

    /// Database, archive, watermarks, retention.
    fn check_storage(&self) -> Result<(), ConfigError> {
        let value = |key, value: &dyn fmt::Display, expected| {
            Err(ConfigError::Value { key, value: value.to_string(), expected })
        };
        if let Some(disk) = self.spool.impossible() {
            let expected = "absolute paths are accepted, none twice and none inside another, at most 64";
            return value("spool.disks", &disk.display(), expected);
        }
        let Spool { alarm_percent, delete_percent, .. } = self.spool;
        if !(1..=99).contains(&delete_percent) {
            return value("spool.delete_percent", &delete_percent, "from 1 to 99 are accepted");
        }
        if !(1..=delete_percent).contains(&alarm_percent) {
            return value("spool.alarm_percent", &alarm_percent, "from 1 to spool.delete_percent are accepted");
        }
        if self.patrol.mib_per_second > 10_000 {
            return value("patrol.mib_per_second", &self.patrol.mib_per_second, "up to 10000 are accepted");
        }
        if !self.retention().is_possible() {
            return value(
                "retention.max_days",
                &self.retention.max_days,
                "0, or at least retention.min_days is accepted",
            );
        }
        let url = &self.database.url;
        if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return value(
                "database.url",
                &without_password(url),
                "postgres://user:password@host:port/name is accepted",
            );
        }
        self.archive.check()
    }

    /// As a file that would give the same configuration.
    ///
    /// # Errors
    /// When a path is not Unicode.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        Ok(toml::to_string_pretty(self)?)
    }

    /// The same without secrets, for printing.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let database = Database { url: without_password(&self.database.url) };
        Self { database, ..self.clone() }
    }

    /// How long footage is kept where nothing is said.
    #[must_use]
    pub fn retention(&self) -> Retention {
        let RetentionDefault { min_days, max_days } = self.retention;
        Retention { min_days, max_days: (max_days > 0).then_some(max_days) }
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

    /// How the store writes.
    #[must_use]
    pub fn store(&self) -> StoreOptions {
        StoreOptions { sync_interval: Duration::from_secs(self.recording.sync_secs.into()), ..StoreOptions::default() }
    }
}

impl Spool {
    /// A folder among the disks that cannot be one.
    fn impossible(&self) -> Option<&Path> {
        let others = |at: usize| self.disks.iter().enumerate().filter(move |(other, _)| *other != at);
        let is_bad = |(at, disk): &(usize, &PathBuf)| {
            !disk.is_absolute() || *at >= DISKS_MAX || others(*at).any(|(_, other)| disk.starts_with(other))
        };
        self.disks.iter().enumerate().find(is_bad).map(|(_, disk)| disk.as_path())
    }
}

impl Archive {
    fn check(&self) -> Result<(), ConfigError> {
        let missing = |key| Err(ConfigError::Key { key, problem: "is missing: this kind of archive needs it" });
        if !(1..=64).contains(&self.parallel) {
            let (key, value) = ("archive.parallel", self.parallel.to_string());
            return Err(ConfigError::Value { key, value, expected: "from 1 to 64 are accepted" });
        }
        let is_there = |path: &Path| !path.as_os_str().is_empty();
        match self.kind {
            ArchiveKind::None => Ok(()),
            ArchiveKind::Folder if !is_there(&self.path) => missing("archive.path"),
            ArchiveKind::Folder => Ok(()),
            ArchiveKind::S3 if self.endpoint.is_empty() => missing("archive.endpoint"),
            ArchiveKind::S3 if self.bucket.is_empty() => missing("archive.bucket"),
            ArchiveKind::S3 if !self.access_key_id.is_empty() && !is_there(&self.secret_access_key_file) => {
                missing("archive.secret_access_key_file")
            }
            ArchiveKind::S3 if !self.is_private() => Err(ConfigError::Key {
                key: "archive.endpoint",
                problem: "has no TLS: https:// is needed, but for a loopback address such as http://127.0.0.1:8333",
            }),
            ArchiveKind::S3 => Ok(()),
        }
    }

    /// Whether nobody on the way can read along.
    fn is_private(&self) -> bool {
        let Some(rest) = self.endpoint.strip_prefix("http://") else { return self.endpoint.starts_with("https://") };
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// Its options; reads the file with the secret.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub fn options(&self) -> Result<ArchiveOptions, ConfigError> {
        Ok(match self.kind {
            ArchiveKind::None => ArchiveOptions::None,
            ArchiveKind::Folder => ArchiveOptions::Folder { path: self.path.clone() },
            ArchiveKind::S3 => ArchiveOptions::S3 {
                endpoint: self.endpoint.clone(),
                bucket: self.bucket.clone(),
                region: self.region.clone(),
                access_key: self.access_key_id.clone(),
                secret_key: self.secret()?,
                allow_http: self.endpoint.starts_with("http://"),
            },
        })
    }

    fn secret(&self) -> Result<String, ConfigError> {
        if self.access_key_id.is_empty() {
            return Ok(String::new());
        }
        let path = self.secret_access_key_file.clone();
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path, source })?;
        Ok(text.trim().to_owned())
    }
}

/// An address with its password, and parameters that may hold one, replaced by `***`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".repeat(usize::from(!url.is_empty())) };
    // The last one: a password that was not written as it must be can hold any character.
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let shown = rest.split_once('?').map_or_else(|| rest.to_owned(), |(rest, _)| format!("{rest}?***"));
    let Some(user) = user else { return format!("{scheme}://{shown}") };
    let name = user.split([':', '@', '/', '?']).next().unwrap_or_default();
    let secret = if name.len() < user.len() { ":***" } else { "" };
    format!("{scheme}://{name}{secret}@{shown}")
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
        assert!(load("[spool]\nalarm_percent = 95\n").is_err());
        assert!(load("").is_ok());
        assert!(load("data_dir = \"\"\n").is_err());
        let error = load("[listen]\ngrpc = \"127.0.0.1:7\"\nhttp = \"127.0.0.1:7\"\n").unwrap_err().to_string();
        assert!(error.contains("listen.http") && error.contains("another port"), "{error}");
        assert!(load("[listen]\ngrpc = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n").is_ok());
    }

    #[test]
    fn what_is_printed_reads_back_the_same() {
        let config = Config::default();
        assert_eq!(load(&config.to_toml().unwrap()).unwrap(), config);
    }

    #[test]
    fn a_password_is_never_printed() {
        for (url, shown) in [
            ("postgres://u:hunter2@h:1/d", "postgres://u:***@h:1/d"),
            ("postgres://u@h/d?password=hunter2", "postgres://u@h/d?***"),
            ("postgres://u:se/c?r@et@h/d?x=hunter2", "postgres://u:***@h/d?***"),
            ("postgresql:///d", "postgresql:///d"),
            ("u:hunter2@h", "***"),
            ("", ""),
        ] {
            assert_eq!(without_password(url), shown);
        }
        let config = load("[database]\nurl = \"postgres://u:hunter2@h:1/d\"\n").unwrap();
        assert!(!config.redacted().to_toml().unwrap().contains("hunter2"));
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(config.to_toml().unwrap().contains("u:hunter2@"));
        let error = load("[database]\nurl = \"mysql://u:hunter2@h/d\"\n").unwrap_err().to_string();
        assert!(error.contains("database.url") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_archive_needs_what_its_kind_needs() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "s3cr3t\n").unwrap();
        let s3 = |endpoint: &str| {
            load(&format!(
                "[archive]\nkind = \"s3\"\nendpoint = \"{endpoint}\"\nbucket = \"b\"\naccess_key_id = \"k\"\n\
                 secret_access_key_file = \"{}\"\n",
                secret.display()
            ))
        };
        for endpoint in ["http://127.0.0.1:8333", "http://[::1]:8333/", "http://localhost", "https://s3.example"] {
            let options = s3(endpoint).unwrap().archive.options().unwrap();
            let ArchiveOptions::S3 { secret_key, allow_http, .. } = options else { panic!("{options:?}") };
            assert_eq!((secret_key.as_str(), allow_http), ("s3cr3t", endpoint.starts_with("http://")));
        }
        for endpoint in ["http://s3.example", "s3.example", ""] {
            let error = s3(endpoint).unwrap_err().to_string();
            assert!(error.contains("archive.endpoint"), "{error}");
        }
        let error = load("[archive]\nkind = \"folder\"\n").unwrap_err().to_string();
        assert!(error.contains("archive.path"), "{error}");
        assert_eq!(load("").unwrap().archive.options().unwrap(), ArchiveOptions::None);
        assert!(load("[archive]\nkind = \"tape\"\n").is_err());
    }

    #[test]
    fn watermarks_and_retention_must_be_possible() {
        assert!(load("[spool]\nalarm_percent = 91\n").is_err());
        assert!(load("[spool]\ndelete_percent = 100\n").is_err());
        assert!(load("[retention]\nmin_days = 31\nmax_days = 30\n").is_err());
        assert_eq!(load("").unwrap().retention(), Retention::DEFAULT);
        let kept = load("[retention]\nmin_days = 7\nmax_days = 30\n").unwrap().retention();
        assert_eq!(kept, Retention { min_days: 7, max_days: Some(30) });
    }

    #[test]
    fn disks_are_folders_of_their_own() {
        let disks = |list: &str| load(&format!("[spool]\ndisks = [{list}]\n")).map(|config| config.spool.disks);
        assert_eq!(disks("\"/mnt/a\", \"/mnt/b\"").unwrap(), [PathBuf::from("/mnt/a"), PathBuf::from("/mnt/b")]);
        assert_eq!(load("").unwrap().spool.disks, Vec::<PathBuf>::new());
        for bad in ["\"a\"", "\"\"", "\"/mnt/a\", \"/mnt/a/\"", "\"/mnt/a\", \"/mnt/a/b\"", "\"/mnt/a/b\", \"/mnt/a\""]
        {
            let error = disks(bad).unwrap_err().to_string();
            assert!(error.contains("spool.disks"), "{bad}: {error}");
        }
    }

    #[test]
    fn the_reference_file_has_every_key_with_its_default() {
        let text = include_str!("../../../deploy/server.toml");
        assert_eq!(load(text).unwrap(), Config::default());
        let defaults = Config::default().to_toml().unwrap();
        for key in defaults.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key) {
            assert!(text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = "))), "{key}");
        }
    }
}
