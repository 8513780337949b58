//! What the archiver, retention and the patrol share.
//!
//! Plain data: the parts themselves are in [`crate::archiver`], [`crate::retention`] and [`crate::patrol`].

use std::sync::Arc;

use minhbach_index::Index;
use minhbach_runtime::Clock;

use crate::claims::Claims;
use crate::interlock::Interlock;
use crate::status::ArchiveTeller;
use crate::tiers::Tiers;

/// What the parts behind the recorders share. Clones share everything.
#[derive(Clone)]
pub struct ArchiveContext {
    /// Rows and holds.
    pub index: Arc<dyn Index>,
    /// Files.
    pub tiers: Tiers,
    /// The wall clock.
    pub clock: Clock,
    /// Who works on which segment.
    pub claims: Claims,
    /// Whether anything may be deleted.
    pub interlock: Interlock,
    /// Where it is told how all this does.
    pub teller: ArchiveTeller,
}
