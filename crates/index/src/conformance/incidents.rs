//! Promises about incidents.

use minhbach_model::{CameraId, Incident, IncidentCategory, IncidentDraft, IncidentId, IncidentState};

use super::{at, range, refused};
use crate::{IncidentChange, IncidentFilter, Index, IndexErrorKind};

fn incident(created: i64, cameras: &[CameraId]) -> Incident {
    Incident {
        id: IncidentId::generate(),
        draft: IncidentDraft {
            range: range(created - 30, created),
            cameras: cameras.to_vec(),
            category: IncidentCategory::Payment,
            note: "Nghi nhận phong bì tại quầy 3 – cần xem lại".to_owned(),
            author: "Trạm giám sát số 2".to_owned(),
        },
        state: IncidentState::New,
        created: at(created),
        updated: at(created),
        version: 1,
    }
}

/// An incident is kept whole, changed by whoever knows its version, and taken back.
pub async fn incidents_change(index: &dyn Index) {
    // Not in the order of their ids: the order is the author's.
    let (low, high) = (CameraId::generate(), CameraId::generate());
    let kept = incident(100, &[high, low]);
    index.insert_incident(&kept).await.expect("inserted");
    assert_eq!(refused(index.insert_incident(&kept).await), IndexErrorKind::Exists);
    assert_eq!(index.incident(kept.id).await.expect("found"), kept);

    let change = IncidentChange {
        state: Some(IncidentState::InProgress),
        note: Some(String::new()),
        ..IncidentChange::default()
    };
    let changed = index.update_incident(kept.id, 1, &change, at(200)).await.expect("changed");
    assert_eq!((changed.version, changed.updated, changed.created), (2, at(200), at(100)));
    assert_eq!((changed.state, changed.draft.note.as_str()), (IncidentState::InProgress, ""));
    assert_eq!(changed.draft.cameras, [high, low]);
    assert_eq!(index.incident(kept.id).await.expect("found"), changed);
    assert_eq!(refused(index.update_incident(kept.id, 1, &change, at(300)).await), IndexErrorKind::Conflict);
    assert_eq!(index.incident(kept.id).await.expect("found"), changed);

    let change = IncidentChange {
        range: Some(range(0, 5)),
        cameras: Some(vec![low]),
        category: Some(IncidentCategory::Absence),
        ..IncidentChange::default()
    };
    let changed = index.update_incident(kept.id, 2, &change, at(400)).await.expect("changed");
    assert_eq!((changed.version, changed.draft.range), (3, range(0, 5)));
    assert_eq!((changed.draft.cameras.as_slice(), changed.draft.category), (&[low][..], IncidentCategory::Absence));
    assert_eq!(index.incident(kept.id).await.expect("found"), changed);

    index.remove_incident(kept.id).await.expect("taken back");
    assert_eq!(refused(index.incident(kept.id).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.remove_incident(kept.id).await), IndexErrorKind::NotFound);
    assert_eq!(refused(index.update_incident(kept.id, 3, &change, at(500)).await), IndexErrorKind::NotFound);
    assert_eq!(index.incidents(&IncidentFilter::default(), None, 10).await.expect("listed"), []);
    index.insert_incident(&kept).await.expect("its id is free again");
}

/// Incidents come newest first, page by page, and only those asked for.
pub async fn incidents_filter_and_page(index: &dyn Index) {
    let (one, two) = (CameraId::generate(), CameraId::generate());
    let mut all = vec![
        incident(100, &[one]),
        incident(300, &[one, two]),
        incident(200, &[two]),
        // At the same time as the one before: the later id comes first.
        incident(200, &[one]),
        incident(400, &[two]),
    ];
    all[1].state = IncidentState::Closed;
    for incident in &all {
        index.insert_incident(incident).await.expect("inserted");
    }
    all.sort_by_key(|incident| std::cmp::Reverse((incident.created, incident.id)));

    let everything = IncidentFilter::default();
    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = index.incidents(&everything, before, 2).await.expect("listed");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        before = Some((last.created, last.id));
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(index.incidents(&everything, None, 0).await.expect("listed"), []);

    let ids = async |filter: IncidentFilter| {
        let incidents = index.incidents(&filter, None, 10).await.expect("listed");
        incidents.into_iter().map(|incident| incident.created).collect::<Vec<_>>()
    };
    assert_eq!(ids(IncidentFilter { camera: Some(one), ..everything }).await, [at(300), at(200), at(100)]);
    assert_eq!(ids(IncidentFilter { state: Some(IncidentState::Closed), ..everything }).await, [at(300)]);
    // About 170 to 200 and 370 to 400: the first only touches the range.
    assert_eq!(ids(IncidentFilter { range: Some(range(200, 371)), ..everything }).await, [at(400), at(300)]);
    let both = IncidentFilter { camera: Some(two), range: Some(range(0, 250)), state: Some(IncidentState::New) };
    assert_eq!(ids(both).await, [at(200)]);
    assert_eq!(ids(IncidentFilter { camera: Some(CameraId::generate()), ..everything }).await, []);
}

/// Incidents about no camera, one camera twice or no time are refused, also as a change.
pub async fn incidents_refuse_nonsense(index: &dyn Index) {
    let camera = CameraId::generate();
    assert_eq!(refused(index.insert_incident(&incident(100, &[])).await), IndexErrorKind::Invalid);
    assert_eq!(refused(index.insert_incident(&incident(100, &[camera, camera])).await), IndexErrorKind::Invalid);
    let mut reversed = incident(100, &[camera]);
    reversed.draft.range = range(10, 10);
    assert_eq!(refused(index.insert_incident(&reversed).await), IndexErrorKind::Invalid);
    assert_eq!(index.incidents(&IncidentFilter::default(), None, 10).await.expect("listed"), []);

    let kept = incident(100, &[camera]);
    index.insert_incident(&kept).await.expect("inserted");
    let change =
        IncidentChange { state: Some(IncidentState::Closed), cameras: Some(Vec::new()), ..IncidentChange::default() };
    assert_eq!(refused(index.update_incident(kept.id, 1, &change, at(200)).await), IndexErrorKind::Invalid);
    assert_eq!(index.incident(kept.id).await.expect("found"), kept);
}
