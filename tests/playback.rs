//! Playback and export of what was recorded.
