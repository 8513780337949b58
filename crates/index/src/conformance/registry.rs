//! Promises about cameras and places.

use minhbach_model::{
    Agency, AgencyId, Camera, CameraDraft, CameraId, ContactPoint, ContactPointId, RemovedCamera, Secret, Site, SiteId,
    StreamSource,
};

use super::{at, refused};
use crate::{Index, IndexErrorKind};

fn camera(name: &str) -> Camera {
    Camera {
        id: CameraId::generate(),
        draft: CameraDraft {
            name: name.to_owned(),
            contact_point: None,
            main: StreamSource { url: "rtsp://192.0.2.7:554/main".to_owned() },
            sub: Some(StreamSource { url: "rtsp://192.0.2.7:554/sub".to_owned() }),
            username: "người xem".to_owned(),
            password: Secret::new("mật khẩu '; --"),
        },
        paused: false,
        created: at(0),
    }
}

fn agency(name: &str, parent: Option<AgencyId>) -> Agency {
    Agency { id: AgencyId::generate(), parent, name: name.to_owned() }
}

/// Cameras are kept whole, listed by name and id, changed, paused and removed.
pub async fn cameras_come_and_go(index: &dyn Index) {
    assert_eq!(index.cameras().await.expect("listed"), []);
    let late = camera("Quầy 2: tiếp nhận hồ sơ");
    let mut early = camera("Quầy 1: trả kết quả");
    early.draft.sub = None;
    let twin = camera("Quầy 2: tiếp nhận hồ sơ");
    for camera in [&twin, &late, &early] {
        index.insert_camera(camera).await.expect("inserted");
    }
    // `late` was made before `twin`, so its id is the lower one.
    assert_eq!(index.cameras().await.expect("listed"), [early.clone(), late.clone(), twin.clone()]);

    let mut changed = late.clone();
    changed.draft.name = "Quầy 0".to_owned();
    changed.draft.sub = None;
    changed.draft.password = Secret::default();
    index.update_camera(late.id, &changed.draft).await.expect("updated");
    index.set_camera_paused(late.id, true).await.expect("paused");
    index.set_camera_paused(late.id, true).await.expect("paused again");
    changed.paused = true;
    assert_eq!(index.cameras().await.expect("listed"), [changed.clone(), early, twin.clone()]);

    index.set_camera_paused(late.id, false).await.expect("resumed");
    index.remove_camera(twin.id, at(10)).await.expect("removed");
    index.remove_camera(late.id, at(20)).await.expect("removed");
    let removed = |camera: &Camera, second| RemovedCamera {
        id: camera.id,
        name: camera.draft.name.clone(),
        contact_point: camera.draft.contact_point,
        removed: Some(at(second)),
    };
    let gone = index.removed_cameras().await.expect("listed");
    assert_eq!(gone, [removed(&changed, 20), removed(&twin, 10)]);
    let left = index.cameras().await.expect("listed");
    assert_eq!(left.len(), 1);
    assert!(left.iter().all(|camera| camera.id != twin.id && !camera.paused));
}

/// Cameras that were removed are taken over from another index as they were listed there.
pub async fn removed_cameras_are_taken_over(index: &dyn Index) {
    let agency = agency("Sở", None);
    let site = Site { id: SiteId::generate(), agency: agency.id, name: "Một cửa".to_owned() };
    let point = ContactPoint { id: ContactPointId::generate(), site: site.id, name: "Quầy 1".to_owned() };
    index.insert_agency(&agency).await.expect("inserted");
    index.insert_site(&site).await.expect("inserted");
    index.insert_contact_point(&point).await.expect("inserted");
    let removed = |name: &str, contact_point, second| RemovedCamera {
        id: CameraId::generate(),
        name: name.to_owned(),
        contact_point,
        removed: Some(at(second)),
    };
    let (early, late) = (removed("Camera 1", Some(point.id), 10), removed("Camera 2", None, 20));
    for camera in [&early, &late] {
        index.insert_removed_camera(camera).await.expect("inserted");
    }
    assert_eq!(refused(index.insert_removed_camera(&early).await), IndexErrorKind::Exists);
    let astray = removed("Camera 3", Some(ContactPointId::generate()), 30);
    assert_eq!(refused(index.insert_removed_camera(&astray).await), IndexErrorKind::NotFound);
    let unknown = RemovedCamera { removed: None, ..removed("Camera 4", None, 0) };
    assert_eq!(refused(index.insert_removed_camera(&unknown).await), IndexErrorKind::Invalid);
    assert_eq!(index.removed_cameras().await.expect("listed"), [late, early]);
    assert_eq!(index.cameras().await.expect("listed"), []);
    index.remove_contact_point(point.id).await.expect("removed cameras hold no place");
}

/// Unknown and removed cameras, taken ids and unknown contact points are refused and change nothing.
pub async fn cameras_refuse_nonsense(index: &dyn Index) {
    let known = camera("A");
    index.insert_camera(&known).await.expect("inserted");
    assert_eq!(refused(index.insert_camera(&known).await), IndexErrorKind::Exists);
    let mut astray = camera("B");
    astray.draft.contact_point = Some(ContactPointId::generate());
    assert_eq!(refused(index.insert_camera(&astray).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.update_camera(known.id, &astray.draft).await), IndexErrorKind::NotFound);
    let unknown = CameraId::generate();
    assert_eq!(refused(index.update_camera(unknown, &known.draft).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.set_camera_paused(unknown, true).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.remove_camera(unknown, at(1)).await), IndexErrorKind::NotFound);
    assert_eq!(index.cameras().await.expect("listed"), std::slice::from_ref(&known));

    index.remove_camera(known.id, at(1)).await.expect("removed");
    assert_eq!(refused(index.remove_camera(known.id, at(2)).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.update_camera(known.id, &known.draft).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.set_camera_paused(known.id, true).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.insert_camera(&known).await), IndexErrorKind::Exists);
}

/// Agencies, sites and contact points are kept, ordered by name and renamed.
pub async fn places_form_a_tree(index: &dyn Index) {
    let city = agency("Ủy ban nhân dân thành phố", None);
    let ward = agency("Phường Một", Some(city.id));
    index.insert_agency(&city).await.expect("inserted");
    index.insert_agency(&ward).await.expect("inserted");
    let site = Site { id: SiteId::generate(), agency: ward.id, name: "Trụ sở".to_owned() };
    index.insert_site(&site).await.expect("inserted");
    let second = ContactPoint { id: ContactPointId::generate(), site: site.id, name: "Quầy 2".to_owned() };
    let first = ContactPoint { id: ContactPointId::generate(), site: site.id, name: "Quầy 1".to_owned() };
    index.insert_contact_point(&second).await.expect("inserted");
    index.insert_contact_point(&first).await.expect("inserted");

    let tree = index.places().await.expect("listed");
    assert_eq!(tree.agencies, [ward.clone(), city.clone()]);
    assert_eq!(tree.sites, std::slice::from_ref(&site));
    assert_eq!(tree.contact_points, [first.clone(), second.clone()]);

    index.rename_agency(ward.id, "Phường Hai").await.expect("renamed");
    index.rename_site(site.id, "Cơ sở 2").await.expect("renamed");
    index.rename_contact_point(first.id, "Quầy 3").await.expect("renamed");
    let tree = index.places().await.expect("listed");
    assert_eq!(tree.agencies[0].name, "Phường Hai");
    assert_eq!(tree.sites[0].name, "Cơ sở 2");
    assert_eq!(tree.contact_points.iter().map(|point| point.id).collect::<Vec<_>>(), [second.id, first.id]);

    assert_eq!(refused(index.insert_agency(&city).await), IndexErrorKind::Exists);
    assert_eq!(refused(index.insert_site(&site).await), IndexErrorKind::Exists);
    assert_eq!(refused(index.insert_contact_point(&first).await), IndexErrorKind::Exists);
    let orphan = agency("X", Some(AgencyId::generate()));
    assert_eq!(refused(index.insert_agency(&orphan).await), IndexErrorKind::NotFound);
    let orphan = Site { id: SiteId::generate(), agency: AgencyId::generate(), name: "X".to_owned() };
    assert_eq!(refused(index.insert_site(&orphan).await), IndexErrorKind::NotFound);
    let orphan = ContactPoint { id: ContactPointId::generate(), site: SiteId::generate(), name: "X".to_owned() };
    assert_eq!(refused(index.insert_contact_point(&orphan).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.rename_agency(AgencyId::generate(), "X").await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.rename_site(SiteId::generate(), "X").await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.rename_contact_point(ContactPointId::generate(), "X").await), IndexErrorKind::NotFound);
    assert_eq!(index.places().await.expect("listed"), tree);
}

/// A place that holds something is not removed; a removed camera does not hold its contact point.
pub async fn places_hold_what_is_in_them(index: &dyn Index) {
    let city = agency("Thành phố", None);
    let ward = agency("Phường", Some(city.id));
    let site = Site { id: SiteId::generate(), agency: ward.id, name: "Trụ sở".to_owned() };
    let point = ContactPoint { id: ContactPointId::generate(), site: site.id, name: "Quầy".to_owned() };
    let mut watching = camera("A");
    watching.draft.contact_point = Some(point.id);
    index.insert_agency(&city).await.expect("inserted");
    index.insert_agency(&ward).await.expect("inserted");
    index.insert_site(&site).await.expect("inserted");
    index.insert_contact_point(&point).await.expect("inserted");
    index.insert_camera(&watching).await.expect("inserted");
    assert_eq!(index.cameras().await.expect("listed"), [watching.clone()]);

    assert_eq!(refused(index.remove_agency(city.id).await), IndexErrorKind::InUse);
    assert_eq!(refused(index.remove_agency(ward.id).await), IndexErrorKind::InUse);
    assert_eq!(refused(index.remove_site(site.id).await), IndexErrorKind::InUse);
    assert_eq!(refused(index.remove_contact_point(point.id).await), IndexErrorKind::InUse);
    index.remove_camera(watching.id, at(1)).await.expect("removed");
    index.remove_contact_point(point.id).await.expect("removed");
    index.remove_site(site.id).await.expect("removed");
    index.remove_agency(ward.id).await.expect("removed");
    index.remove_agency(city.id).await.expect("removed");
    assert_eq!(index.places().await.expect("listed"), minhbach_model::PlaceTree::default());

    assert_eq!(refused(index.remove_contact_point(point.id).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.remove_site(site.id).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.remove_agency(city.id).await), IndexErrorKind::NotFound);
}
