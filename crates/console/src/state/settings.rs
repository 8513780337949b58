//! Settings of this workstation, kept as JSON in the user's configuration folder.
//!
//! What belongs here: the data, where it is kept, reading it. Writing is done off the UI thread, by `net`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use minhbach_model::CameraId;
use serde::{Deserialize, Serialize};

use super::wall::Layout;
use crate::keys::Keys;
use crate::text::Lang;
use crate::typing::{Method, Typing};

/// What is kept from one start to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Address of the server.
    pub server: String,
    /// Language.
    pub lang: Lang,
    /// Scale of the whole console, 0.8 to 2.
    pub scale: f32,
    /// Name of this workstation: the author of incidents flagged here.
    pub workstation: String,
    /// Layout of the live wall; `None` before one was chosen.
    pub layout: Option<Layout>,
    /// Its cameras.
    pub tiles: Vec<Option<CameraId>>,
    /// Walls of other servers this workstation has shown, by address.
    pub walls: BTreeMap<String, KeptWall>,
    /// Loudness, 0 to 1.
    pub volume: f32,
    /// Sound is off.
    pub muted: bool,
    /// The last picture of each camera is kept on this workstation.
    pub keep_stills: bool,
    /// Folder exports go to.
    pub export_folder: String,
    /// Keys of commands that were given others.
    pub keys: Keys,
    /// Whether Vietnamese is composed in text fields, and how.
    pub typing: Typing,
    /// The method used last: what composing is switched on with.
    pub typing_method: Method,
}

/// The live wall of a server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptWall {
    /// Layout.
    pub layout: Option<Layout>,
    /// Cameras.
    pub tiles: Vec<Option<CameraId>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: "http://127.0.0.1:7878".to_owned(),
            lang: Lang::Vi,
            scale: 1.0,
            workstation: host_name(),
            layout: None,
            tiles: Vec::new(),
            walls: BTreeMap::new(),
            volume: 0.8,
            muted: false,
            keep_stills: true,
            export_folder: home().map(|home| home.join("MinhBach")).unwrap_or_default().to_string_lossy().into_owned(),
            keys: Keys::default(),
            typing: Typing::Off,
            typing_method: Method::Telex,
        }
    }
}

impl Settings {
    /// Where they are kept, when the user has such a folder.
    #[must_use]
    pub fn path() -> Option<PathBuf> {
        let folder = if cfg!(windows) {
            variable("APPDATA").map(PathBuf::from)
        } else {
            variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".config")))
        };
        folder.map(|folder| folder.join("minhbach").join("console.json"))
    }

    /// As they were kept; defaults when there are none or they cannot be read.
    #[must_use]
    pub fn load() -> Self {
        let Some(path) = Self::path() else { return Self::default() };
        let json = match std::fs::read_to_string(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the settings cannot be read");
                return Self::default();
            }
        };
        Self::from_json(&json).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "the settings are damaged");
            Self::default()
        })
    }

    /// Goes over to another server. Its cameras are others: the wall of the one before is kept for when it is shown again.
    pub fn switch_server(&mut self, server: String) {
        if server == self.server {
            return;
        }
        let next = self.walls.remove(&server).unwrap_or_default();
        let layout = std::mem::replace(&mut self.layout, next.layout);
        let tiles = std::mem::replace(&mut self.tiles, next.tiles);
        let before = std::mem::replace(&mut self.server, server);
        if tiles.iter().any(Option::is_some) {
            self.walls.insert(before, KeptWall { layout, tiles });
        }
    }

    /// Composes Vietnamese this way from now on.
    pub fn set_typing(&mut self, typing: Typing) {
        self.typing = typing;
        self.typing_method = typing.method().unwrap_or(self.typing_method);
    }

    /// Composes Vietnamese with the method used last, or no longer.
    pub fn toggle_typing(&mut self) {
        self.typing = if self.typing == Typing::Off { self.typing_method.into() } else { Typing::Off };
    }

    /// From JSON, with values brought into their limits.
    ///
    /// # Errors
    /// When it is no JSON of settings.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        let mut settings: Self = serde_json::from_str(json)?;
        settings.scale = if settings.scale.is_finite() { settings.scale.clamp(0.8, 2.0) } else { 1.0 };
        settings.volume = if settings.volume.is_finite() { settings.volume.clamp(0.0, 1.0) } else { 0.8 };
        Ok(settings)
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The user's home folder.
#[must_use]
pub fn home() -> Option<PathBuf> {
    variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from)
}

/// Where this program may keep what can be had again or missed, when the user has such a folder.
#[must_use]
pub fn cache_folder() -> Option<PathBuf> {
    let folder = if cfg!(windows) {
        variable("LOCALAPPDATA").map(PathBuf::from)
    } else {
        variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".cache")))
    };
    folder.map(|folder| folder.join("minhbach"))
}

fn host_name() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    variable("COMPUTERNAME")
        .or_else(|| variable("HOSTNAME"))
        .or_else(from_file)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "console".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_being_kept() {
        let settings = Settings {
            layout: Some(Layout::OnePlusSeven),
            tiles: vec![Some(CameraId::generate()), None],
            scale: 1.25,
            ..Settings::default()
        };
        assert_eq!(Settings::from_json(&settings.to_json()).ok(), Some(settings));
    }

    #[test]
    fn composing_is_switched_on_with_the_method_used_last() {
        let mut settings = Settings::default();
        settings.toggle_typing();
        assert_eq!(settings.typing, Typing::Telex);
        settings.set_typing(Typing::Vni);
        settings.toggle_typing();
        assert_eq!(settings.typing, Typing::Off);
        let mut settings = Settings::from_json(&settings.to_json()).unwrap();
        settings.toggle_typing();
        assert_eq!(settings.typing, Typing::Vni, "also after a restart");
        settings.set_typing(Typing::Off);
        assert_eq!(settings.typing_method, Method::Vni);
    }

    #[test]
    fn another_server_has_another_wall_and_the_first_one_comes_back() {
        let tiles = vec![Some(CameraId::generate())];
        let mut settings = Settings { layout: Some(Layout::Nine), tiles: tiles.clone(), ..Settings::default() };
        let first = settings.server.clone();
        settings.switch_server("http://127.0.0.1:9".to_owned());
        assert_eq!((settings.layout, settings.tiles.len()), (None, 0));
        settings.switch_server(first);
        assert_eq!((settings.layout, settings.tiles, settings.walls.len()), (Some(Layout::Nine), tiles, 0));
    }

    #[test]
    fn old_and_odd_files_are_read_as_far_as_they_go() {
        let settings = Settings::from_json(r#"{"lang":"en","scale":9.0,"unknown":1}"#).unwrap();
        assert_eq!((settings.lang, settings.scale), (Lang::En, 2.0));
        assert!(settings.keep_stills, "as for those who never chose");
        let settings = Settings::from_json(r#"{"lang":"en","keys":{"cmd-flag":"F8","cmd-nothing":3}}"#).unwrap();
        assert_eq!((settings.lang, settings.keys.are_default()), (Lang::En, false), "odd keys do no harm to the rest");
        assert!(Settings::from_json("{").is_err());
    }
}
