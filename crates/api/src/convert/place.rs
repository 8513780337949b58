//! Agencies, sites and contact points.

use minhbach_model::{Agency, ContactPoint, PlaceTree, Site};

use super::{ConvertError, id, id_or_empty, optional_id};
use crate::v1;

impl From<&Agency> for v1::Agency {
    fn from(agency: &Agency) -> Self {
        Self { id: agency.id.to_string(), parent_id: id_or_empty(agency.parent), name: agency.name.clone() }
    }
}

impl TryFrom<v1::Agency> for Agency {
    type Error = ConvertError;

    fn try_from(agency: v1::Agency) -> Result<Self, ConvertError> {
        Ok(Self { id: id("id", &agency.id)?, parent: optional_id("parent_id", &agency.parent_id)?, name: agency.name })
    }
}

impl From<&Site> for v1::Site {
    fn from(site: &Site) -> Self {
        Self { id: site.id.to_string(), agency_id: site.agency.to_string(), name: site.name.clone() }
    }
}

impl TryFrom<v1::Site> for Site {
    type Error = ConvertError;

    fn try_from(site: v1::Site) -> Result<Self, ConvertError> {
        Ok(Self { id: id("id", &site.id)?, agency: id("agency_id", &site.agency_id)?, name: site.name })
    }
}

impl From<&ContactPoint> for v1::ContactPoint {
    fn from(point: &ContactPoint) -> Self {
        Self { id: point.id.to_string(), site_id: point.site.to_string(), name: point.name.clone() }
    }
}

impl TryFrom<v1::ContactPoint> for ContactPoint {
    type Error = ConvertError;

    fn try_from(point: v1::ContactPoint) -> Result<Self, ConvertError> {
        Ok(Self { id: id("id", &point.id)?, site: id("site_id", &point.site_id)?, name: point.name })
    }
}

impl From<&PlaceTree> for v1::ListPlacesResponse {
    fn from(tree: &PlaceTree) -> Self {
        Self {
            agencies: tree.agencies.iter().map(Into::into).collect(),
            sites: tree.sites.iter().map(Into::into).collect(),
            contact_points: tree.contact_points.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<v1::ListPlacesResponse> for PlaceTree {
    type Error = ConvertError;

    fn try_from(message: v1::ListPlacesResponse) -> Result<Self, ConvertError> {
        Ok(Self {
            agencies: all("agencies", message.agencies)?,
            sites: all("sites", message.sites)?,
            contact_points: all("contact_points", message.contact_points)?,
        })
    }
}

fn all<M, T: TryFrom<M, Error = ConvertError>>(field: &str, messages: Vec<M>) -> Result<Vec<T>, ConvertError> {
    messages.into_iter().map(|message| T::try_from(message).map_err(|error| error.within(field))).collect()
}

#[cfg(test)]
mod tests {
    use minhbach_model::{AgencyId, ContactPointId, SiteId};

    use super::*;

    fn tree() -> PlaceTree {
        let (top, below, site) = (AgencyId::generate(), AgencyId::generate(), SiteId::generate());
        PlaceTree {
            agencies: vec![
                Agency { id: top, parent: None, name: "Sở Tư pháp".to_owned() },
                Agency { id: below, parent: Some(top), name: "Phòng Hộ tịch".to_owned() },
            ],
            sites: vec![Site { id: site, agency: below, name: "Trụ sở 1".to_owned() }],
            contact_points: vec![ContactPoint { id: ContactPointId::generate(), site, name: "Quầy 1".to_owned() }],
        }
    }

    #[test]
    fn the_tree_comes_back_as_it_was() {
        let tree = tree();
        assert_eq!(PlaceTree::try_from(v1::ListPlacesResponse::from(&tree)), Ok(tree));
    }

    #[test]
    fn a_site_without_agency_is_refused_by_name() {
        let mut message = v1::ListPlacesResponse::from(&tree());
        message.sites[0].agency_id.clear();
        assert_eq!(PlaceTree::try_from(message).unwrap_err().field, "sites.agency_id");
    }
}
