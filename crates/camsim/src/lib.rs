//! Simulated cameras: service counters that are drawn, encoded once, and served over RTSP by gst-rtsp-server, which is
//! independent of every line of code under test.
//!
//! Each picture and packet carries a mark, what was sent is written down, and a camera can be disturbed by command.
//! For demonstration and tests; never linked into the server.
//!
//! `profile` says which camera speaks what · `scene` draws · `clips` and `sound` encode and keep · `elementary` cuts ·
//! `camera` paces · `outlet` stamps · `rtsp` and `auth` serve · `control` listens · `serve` puts it together.

mod auth;
pub mod camera;
pub mod clips;
pub mod control;
pub mod elementary;
pub mod outlet;
pub mod profile;
pub mod rtsp;
pub mod scene;
pub mod serve;
pub mod sound;
