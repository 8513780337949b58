//! Agencies, sites and contact points.

use std::sync::Arc;

use minhbach_api::convert;
use minhbach_api::v1::place_service_server::PlaceService;
use minhbach_api::v1::{self, remove_place_request, rename_place_request};
use minhbach_model::{Agency, AgencyId, ContactPoint, ContactPointId, Site, SiteId};
use tonic::{Request, Response, Status};

use super::Shared;
use super::refuse::{bad_request, check_name, index_status, no_place};

pub(super) struct Places(pub Arc<Shared>);

#[tonic::async_trait]
impl PlaceService for Places {
    async fn list_places(&self, _: Request<v1::ListPlacesRequest>) -> Result<Response<v1::ListPlacesResponse>, Status> {
        let places = self.0.index.places().await.map_err(index_status)?;
        Ok(Response::new((&places).into()))
    }

    async fn create_agency(
        &self,
        request: Request<v1::CreateAgencyRequest>,
    ) -> Result<Response<v1::CreateAgencyResponse>, Status> {
        let request = request.into_inner();
        let parent = convert::optional_id("parent_id", &request.parent_id).map_err(bad_request)?;
        let agency = Agency { id: AgencyId::generate(), parent, name: check_name("name", &request.name)? };
        self.0.index.insert_agency(&agency).await.map_err(index_status)?;
        Ok(Response::new(v1::CreateAgencyResponse { agency: Some((&agency).into()) }))
    }

    async fn create_site(
        &self,
        request: Request<v1::CreateSiteRequest>,
    ) -> Result<Response<v1::CreateSiteResponse>, Status> {
        let request = request.into_inner();
        let agency = convert::id("agency_id", &request.agency_id).map_err(bad_request)?;
        let site = Site { id: SiteId::generate(), agency, name: check_name("name", &request.name)? };
        self.0.index.insert_site(&site).await.map_err(index_status)?;
        Ok(Response::new(v1::CreateSiteResponse { site: Some((&site).into()) }))
    }

    async fn create_contact_point(
        &self,
        request: Request<v1::CreateContactPointRequest>,
    ) -> Result<Response<v1::CreateContactPointResponse>, Status> {
        let request = request.into_inner();
        let site = convert::id("site_id", &request.site_id).map_err(bad_request)?;
        let point = ContactPoint { id: ContactPointId::generate(), site, name: check_name("name", &request.name)? };
        self.0.index.insert_contact_point(&point).await.map_err(index_status)?;
        Ok(Response::new(v1::CreateContactPointResponse { contact_point: Some((&point).into()) }))
    }

    async fn rename_place(
        &self,
        request: Request<v1::RenamePlaceRequest>,
    ) -> Result<Response<v1::RenamePlaceResponse>, Status> {
        use rename_place_request::Place;
        let request = request.into_inner();
        let name = check_name("name", &request.name)?;
        let index = &self.0.index;
        match request.place.ok_or_else(no_place)? {
            Place::AgencyId(id) => {
                index.rename_agency(convert::id("agency_id", &id).map_err(bad_request)?, &name).await
            }
            Place::SiteId(id) => index.rename_site(convert::id("site_id", &id).map_err(bad_request)?, &name).await,
            Place::ContactPointId(id) => {
                index.rename_contact_point(convert::id("contact_point_id", &id).map_err(bad_request)?, &name).await
            }
        }
        .map_err(index_status)?;
        Ok(Response::new(v1::RenamePlaceResponse {}))
    }

    async fn remove_place(
        &self,
        request: Request<v1::RemovePlaceRequest>,
    ) -> Result<Response<v1::RemovePlaceResponse>, Status> {
        use remove_place_request::Place;
        let index = &self.0.index;
        match request.into_inner().place.ok_or_else(no_place)? {
            Place::AgencyId(id) => index.remove_agency(convert::id("agency_id", &id).map_err(bad_request)?).await,
            Place::SiteId(id) => index.remove_site(convert::id("site_id", &id).map_err(bad_request)?).await,
            Place::ContactPointId(id) => {
                index.remove_contact_point(convert::id("contact_point_id", &id).map_err(bad_request)?).await
            }
        }
        .map_err(index_status)?;
        Ok(Response::new(v1::RemovePlaceResponse {}))
    }
}
