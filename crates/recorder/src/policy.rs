//! How long the footage of a camera is kept: what is said nearest to it counts.
//!
//! Camera, then contact point, site, agency and those above it, then what is said of everything, then the configuration.

use std::collections::{BTreeMap, HashMap};

use minhbach_index::{Index, IndexError};
use minhbach_model::{AgencyId, CameraId, ContactPointId, PlaceTree, Retention, RetentionScope, SiteId};

/// Most agencies above each other that are followed.
const DEPTH_MAX: usize = 64;

/// What is said, and where cameras stand.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    said: BTreeMap<RetentionScope, Retention>,
    fallback: Option<Retention>,
    contact_points: HashMap<CameraId, ContactPointId>,
    sites: HashMap<ContactPointId, SiteId>,
    agencies: HashMap<SiteId, AgencyId>,
    parents: HashMap<AgencyId, AgencyId>,
}

impl Policy {
    /// As the index says now; `fallback` counts where nothing is said.
    pub async fn load(index: &dyn Index, fallback: Retention) -> Result<Self, IndexError> {
        let said = index.retentions().await?;
        let places = index.places().await?;
        let cameras = index.cameras().await?;
        // What stood there is kept as long as what stands there.
        let removed = index.removed_cameras().await?;
        let stands = cameras.into_iter().map(|camera| (camera.id, camera.draft.contact_point));
        let stood = removed.into_iter().map(|camera| (camera.id, camera.contact_point));
        let stands = stands.chain(stood).filter_map(|(camera, point)| Some((camera, point?)));
        Ok(Self::new(said, fallback, stands, places))
    }

    fn new(
        said: Vec<(RetentionScope, Retention)>,
        fallback: Retention,
        stands: impl IntoIterator<Item = (CameraId, ContactPointId)>,
        places: PlaceTree,
    ) -> Self {
        Self {
            said: said.into_iter().collect(),
            fallback: Some(fallback),
            contact_points: stands.into_iter().collect(),
            sites: places.contact_points.into_iter().map(|point| (point.id, point.site)).collect(),
            agencies: places.sites.into_iter().map(|site| (site.id, site.agency)).collect(),
            parents: places.agencies.into_iter().filter_map(|agency| Some((agency.id, agency.parent?))).collect(),
        }
    }

    /// What counts for a camera. A camera that was removed stands where it stood.
    pub fn of(&self, camera: CameraId) -> Retention {
        let said = |scope| self.said.get(&scope).copied();
        let point = self.contact_points.get(&camera).copied();
        let site = point.and_then(|point| self.sites.get(&point).copied());
        let first = site.and_then(|site| self.agencies.get(&site).copied());
        // Bounded, so that a circle in damaged data ends.
        let up = std::iter::successors(first, |agency| self.parents.get(agency).copied()).take(DEPTH_MAX);
        said(RetentionScope::Camera(camera))
            .or_else(|| said(RetentionScope::ContactPoint(point?)))
            .or_else(|| said(RetentionScope::Site(site?)))
            .or_else(|| up.map(RetentionScope::Agency).find_map(said))
            .or_else(|| said(RetentionScope::Default))
            .or(self.fallback)
            .unwrap_or(Retention::DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::{Agency, ContactPoint, Site};

    use super::*;

    fn days(days: u32) -> Retention {
        Retention { min_days: days, max_days: Some(days) }
    }

    #[test]
    fn the_nearest_that_is_said_counts() {
        let (ministry, office) = (AgencyId::generate(), AgencyId::generate());
        let (site, point, camera) = (SiteId::generate(), ContactPointId::generate(), CameraId::generate());
        let agency = |id, parent| Agency { id, parent, name: String::new() };
        let places = PlaceTree {
            agencies: vec![agency(ministry, None), agency(office, Some(ministry))],
            sites: vec![Site { id: site, agency: office, name: String::new() }],
            contact_points: vec![ContactPoint { id: point, site, name: String::new() }],
        };
        // From far to near: each is said in addition, and counts from then on.
        let scopes = [
            RetentionScope::Default,
            RetentionScope::Agency(ministry),
            RetentionScope::Agency(office),
            RetentionScope::Site(site),
            RetentionScope::ContactPoint(point),
            RetentionScope::Camera(camera),
        ];
        let mut said = Vec::new();
        let policy = |said: &Vec<_>| Policy::new(said.clone(), days(1), [(camera, point)], places.clone());
        assert_eq!(policy(&said).of(camera), days(1));
        for (number, scope) in (10..).zip(scopes) {
            said.push((scope, days(number)));
            assert_eq!(policy(&said).of(camera), days(number));
        }
        assert_eq!(policy(&said).of(CameraId::generate()), days(10), "a camera that stands nowhere");
    }
}
