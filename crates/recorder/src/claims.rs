//! Which segments are being moved or deleted at this moment: one at a time works on a segment.
//!
//! Without it a segment could be deleted while its upload is under way, and the upload would bring it back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The segments that somebody works on, by storage key. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub struct Claims(Arc<Mutex<HashSet<String>>>);

/// The right to work on a segment, until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    claims: Claims,
    key: String,
}

impl Claims {
    /// The right to work on a segment; `None` while another one has it.
    pub(crate) fn claim(&self, key: &str) -> Option<Claim> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.to_owned()).then(|| Claim { claims: self.clone(), key: key.to_owned() })
    }
}

impl Claim {
    /// Storage key of the segment.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_claimed_by_one_until_it_lets_go() {
        let claims = Claims::default();
        let first = claims.claim("a");
        assert!(first.is_some() && claims.clone().claim("a").is_none());
        assert!(claims.claim("b").is_some());
        drop(first);
        assert!(claims.claim("a").is_some());
    }
}
