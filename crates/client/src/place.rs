//! Places: agency, site, contact point.

use minhbach_api::convert::{id_or_empty, required};
use minhbach_api::v1;
use minhbach_api::v1::place_service_client::PlaceServiceClient;
use minhbach_api::v1::{remove_place_request, rename_place_request};
use minhbach_model::{Agency, AgencyId, ContactPoint, ContactPointId, PlaceTree, Site, SiteId};
use tonic::transport::Channel;

use crate::{CALL_LIMIT, Client, ClientError, MESSAGE_MAX_BYTES, unary};

/// A place of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceId {
    /// An agency.
    Agency(AgencyId),
    /// A site.
    Site(SiteId),
    /// A contact point.
    ContactPoint(ContactPointId),
}

impl Client {
    fn place_service(&self) -> PlaceServiceClient<Channel> {
        PlaceServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX_BYTES)
    }

    /// Every place.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn places(&self) -> Result<PlaceTree, ClientError> {
        let mut service = self.place_service();
        let call = service.list_places(unary(v1::ListPlacesRequest {}, CALL_LIMIT));
        let answer = self.answer(CALL_LIMIT, call).await?;
        PlaceTree::try_from(answer).map_err(ClientError::answer)
    }

    /// Adds an agency, at the top or below another.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn create_agency(&self, name: &str, parent: Option<AgencyId>) -> Result<Agency, ClientError> {
        let message = v1::CreateAgencyRequest { name: name.to_owned(), parent_id: id_or_empty(parent) };
        let mut service = self.place_service();
        let answer = self.answer(CALL_LIMIT, service.create_agency(unary(message, CALL_LIMIT))).await?;
        required("agency", answer.agency, "the agency").and_then(Agency::try_from).map_err(ClientError::answer)
    }

    /// Adds a site to an agency.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn create_site(&self, name: &str, agency: AgencyId) -> Result<Site, ClientError> {
        let message = v1::CreateSiteRequest { name: name.to_owned(), agency_id: agency.to_string() };
        let mut service = self.place_service();
        let answer = self.answer(CALL_LIMIT, service.create_site(unary(message, CALL_LIMIT))).await?;
        required("site", answer.site, "the site").and_then(Site::try_from).map_err(ClientError::answer)
    }

    /// Adds a contact point to a site.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn create_contact_point(&self, name: &str, site: SiteId) -> Result<ContactPoint, ClientError> {
        let message = v1::CreateContactPointRequest { name: name.to_owned(), site_id: site.to_string() };
        let mut service = self.place_service();
        let answer = self.answer(CALL_LIMIT, service.create_contact_point(unary(message, CALL_LIMIT))).await?;
        required("contact_point", answer.contact_point, "the contact point")
            .and_then(ContactPoint::try_from)
            .map_err(ClientError::answer)
    }

    /// Gives a place another name.
    ///
    /// # Errors
    /// [`ClientError`], as from every call.
    pub async fn rename_place(&self, place: PlaceId, name: &str) -> Result<(), ClientError> {
        use rename_place_request::Place;
        let place = match place {
            PlaceId::Agency(id) => Place::AgencyId(id.to_string()),
            PlaceId::Site(id) => Place::SiteId(id.to_string()),
            PlaceId::ContactPoint(id) => Place::ContactPointId(id.to_string()),
        };
        let message = v1::RenamePlaceRequest { name: name.to_owned(), place: Some(place) };
        let mut service = self.place_service();
        self.answer(CALL_LIMIT, service.rename_place(unary(message, CALL_LIMIT))).await?;
        Ok(())
    }

    /// Removes a place that holds nothing any more.
    ///
    /// # Errors
    /// [`crate::ClientErrorKind::Refused`] while it still holds something.
    pub async fn remove_place(&self, place: PlaceId) -> Result<(), ClientError> {
        use remove_place_request::Place;
        let place = match place {
            PlaceId::Agency(id) => Place::AgencyId(id.to_string()),
            PlaceId::Site(id) => Place::SiteId(id.to_string()),
            PlaceId::ContactPoint(id) => Place::ContactPointId(id.to_string()),
        };
        let message = v1::RemovePlaceRequest { place: Some(place) };
        let mut service = self.place_service();
        self.answer(CALL_LIMIT, service.remove_place(unary(message, CALL_LIMIT))).await?;
        Ok(())
    }
}
