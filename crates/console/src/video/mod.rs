//! Pictures and sound in the console: from the server's samples to a tile on the screen and a loudspeaker.
//!
//! What belongs here: a tile's source (`player`), the shared playhead of playback (`playhead`), the sound output
//! (`sound`), how far picture and sound are apart (`av_meter`), the microphone meter (`meter`) and painting a picture
//! on the GPU (`paint`).
//! What does not: layout, panels, words for people, anything that decides what is shown where.

pub mod av_meter;
pub mod clock;
pub mod meter;
pub mod paint;
mod paint_gpu;
pub mod player;
pub mod playhead;
pub mod sound;
mod sound_live;
mod sound_mix;
