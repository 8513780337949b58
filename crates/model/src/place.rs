//! Where cameras stand: agency → site → contact point.
//!
//! Opening hours, heads of agency and coverage rules belong to oversight, not here.

use crate::{AgencyId, ContactPointId, SiteId};

/// An agency (*cơ quan*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its id.
    pub id: AgencyId,
    /// The agency it belongs to.
    pub parent: Option<AgencyId>,
    /// Shown name.
    pub name: String,
}

/// A site of an agency: a building or an office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// The agency it belongs to.
    pub agency: AgencyId,
    /// Shown name.
    pub name: String,
}

/// A contact point (*điểm tiếp dân*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPoint {
    /// Its id.
    pub id: ContactPointId,
    /// The site it belongs to.
    pub site: SiteId,
    /// Shown name.
    pub name: String,
}

/// Every place, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaceTree {
    /// Agencies.
    pub agencies: Vec<Agency>,
    /// Sites.
    pub sites: Vec<Site>,
    /// Contact points.
    pub contact_points: Vec<ContactPoint>,
}
