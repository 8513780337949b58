//! Promises about how long footage is kept.

use minhbach_model::{AgencyId, CameraId, ContactPointId, Retention, RetentionScope, SiteId};

use super::refused;
use crate::{Index, IndexErrorKind};

/// What is said of a scope is kept, replaced and taken back; the list is in the order of the scopes.
pub async fn retentions_are_kept(index: &dyn Index) {
    assert_eq!(index.retentions().await.expect("listed"), []);
    let agencies = [AgencyId::generate(), AgencyId::generate()];
    let month = Retention { min_days: 30, max_days: Some(90) };
    let widest = Retention { min_days: u32::MAX, max_days: Some(u32::MAX) };
    let mut said = vec![
        (RetentionScope::Camera(CameraId::generate()), month),
        (RetentionScope::Agency(agencies[1]), widest),
        (RetentionScope::Default, Retention::DEFAULT),
        (RetentionScope::ContactPoint(ContactPointId::generate()), Retention { min_days: 0, max_days: Some(1) }),
        (RetentionScope::Site(SiteId::generate()), Retention { min_days: 7, max_days: None }),
        (RetentionScope::Agency(agencies[0]), month),
    ];
    for &(scope, retention) in &said {
        index.set_retention(scope, Some(retention)).await.expect("said");
    }
    said.sort_by_key(|&(scope, _)| scope);
    assert_eq!(index.retentions().await.expect("listed"), said);

    // Said again, the last one counts, also where it takes the end away.
    said[1].1 = Retention { min_days: 1, max_days: None };
    index.set_retention(said[1].0, Some(said[1].1)).await.expect("said again");
    assert_eq!(index.retentions().await.expect("listed"), said);

    let (default, _) = said.remove(0);
    index.set_retention(default, None).await.expect("taken back");
    index.set_retention(default, None).await.expect("nothing to take back");
    assert_eq!(index.retentions().await.expect("listed"), said);
}

/// A retention that cannot be kept is refused and leaves the one before.
pub async fn retentions_refuse_nonsense(index: &dyn Index) {
    let camera = RetentionScope::Camera(CameraId::generate());
    let kept = Retention { min_days: 3, max_days: Some(3) };
    index.set_retention(camera, Some(kept)).await.expect("said");
    for max in [0, 2] {
        let broken = Retention { min_days: if max == 0 { 0 } else { 3 }, max_days: Some(max) };
        assert_eq!(refused(index.set_retention(camera, Some(broken)).await), IndexErrorKind::Invalid);
    }
    assert_eq!(index.retentions().await.expect("listed"), [(camera, kept)]);
}
