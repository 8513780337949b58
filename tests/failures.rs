//! Cameras that fail in every way they can.
