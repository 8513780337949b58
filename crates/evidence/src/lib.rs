//! Proof that footage is what was recorded: hashes and chains over it, computed and checked without any IO.
//!
//! What belongs here: the sidecar's records and their chain. What does not: reading or writing files (see `store`), and what
//! the footage shows.

mod digest;
mod sidecar;

pub use digest::{Digest, Hasher};
pub use sidecar::{ClockState, FragmentRecord, Sidecar, SidecarError, SidecarHeader, SidecarWriter};
