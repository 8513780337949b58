//! A media file in the pieces of which its sidecar knows the hashes, and their hashes as the bytes go by.
//!
//! Two copies are compared by these: one pass over each, and what differs from the sidecar is known on the way.

use std::ops::Range;
use std::sync::Arc;

use minhbach_evidence::{Digest, Hasher, Sidecar};

/// A stretch of a media file.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// First byte after it.
    end: u64,
    /// What the sidecar says; `None` where it says nothing.
    expected: Option<Digest>,
}

/// How a media file is cut up.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    pieces: Arc<[Piece]>,
    /// Fragments that should be there and begin after the end of the file.
    beyond: Option<Range<u64>>,
    len: u64,
}

impl Pieces {
    /// Cuts up a file of `len` bytes: the initialisation segment, the fragments, and what comes after them. Without a
    /// readable sidecar it is one piece of which nothing is known.
    pub fn of(sidecar: Option<&Sidecar>, len: u64) -> Self {
        let mut pieces = Vec::new();
        let mut at = 0;
        let mut claimed = 0;
        if let Some(sidecar) = sidecar {
            let init = (sidecar.header.init_len, sidecar.header.init_sha256);
            let fragments = sidecar.fragments.iter().map(|record| (record.end_offset(), record.sha256));
            for (end, expected) in std::iter::once(init).chain(fragments) {
                claimed = end;
                // A piece that is cut short cannot have the hash of the whole one.
                if at < len || end <= len {
                    at = end.min(len);
                    pieces.push(Piece { end: at, expected: Some(expected) });
                }
            }
        }
        if at < len {
            pieces.push(Piece { end: len, expected: None });
        }
        Self { pieces: pieces.into(), beyond: (claimed > len).then_some(len..claimed), len }
    }

    /// Starts to hash a copy.
    pub fn hasher(&self) -> PieceHasher {
        PieceHasher { pieces: Arc::clone(&self.pieces), at: 0, digests: Vec::new(), hasher: Hasher::default(), next: 0 }
    }

    /// Stretches of bytes that are not what was recorded, or not there.
    pub fn altered(&self, digests: &[Digest]) -> Vec<Range<u64>> {
        let mut start = 0;
        let mut altered = Vec::new();
        for (piece, digest) in self.pieces.iter().zip(digests) {
            if piece.expected.is_some_and(|expected| expected != *digest) {
                altered.push(start..piece.end);
            }
            start = piece.end;
        }
        altered.extend(self.beyond.clone());
        altered
    }

    /// Length of the file, bytes.
    pub fn len(&self) -> u64 {
        self.len
    }
}

/// Takes the bytes of a copy in order.
#[derive(Debug)]
pub(crate) struct PieceHasher {
    pieces: Arc<[Piece]>,
    at: u64,
    next: usize,
    hasher: Hasher,
    digests: Vec<Digest>,
}

impl PieceHasher {
    /// Takes more bytes. Those after the end of the last piece are counted only.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.close();
        while let Some(piece) = self.pieces.get(self.next).filter(|_| !bytes.is_empty()) {
            let room = usize::try_from(piece.end - self.at).unwrap_or(usize::MAX);
            let (taken, rest) = bytes.split_at(room.min(bytes.len()));
            self.hasher.update(taken);
            self.at += taken.len() as u64;
            bytes = rest;
            self.close();
        }
        self.at += bytes.len() as u64;
    }

    /// Ends every piece that ends here; one can be empty.
    fn close(&mut self) {
        while self.pieces.get(self.next).is_some_and(|piece| piece.end == self.at) {
            self.digests.push(std::mem::take(&mut self.hasher).finish());
            self.next += 1;
        }
    }

    /// The hashes of all pieces; `None` when the copy has another length.
    pub fn finish(mut self) -> Option<Vec<Digest>> {
        self.close();
        let len = self.pieces.last().map_or(0, |piece| piece.end);
        (self.at == len).then_some(self.digests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sidecar_of;

    fn digests(pieces: &Pieces, bytes: &[u8], step: usize) -> Option<Vec<Digest>> {
        let mut hasher = pieces.hasher();
        for part in bytes.chunks(step) {
            hasher.update(part);
        }
        hasher.finish()
    }

    #[test]
    fn pieces_are_hashed_however_the_bytes_come() {
        let (sidecar, mut media) = sidecar_of(b"init", &[b"first", b"", b"third"]);
        media.extend_from_slice(b"tail");
        let pieces = Pieces::of(Some(&sidecar), media.len() as u64);
        let whole = digests(&pieces, &media, media.len()).unwrap();
        assert_eq!(whole.len(), 5);
        assert!(pieces.altered(&whole).is_empty());
        for step in 1..media.len() {
            assert_eq!(digests(&pieces, &media, step).as_ref(), Some(&whole), "{step}");
        }
        media[5] ^= 1;
        let changed = digests(&pieces, &media, 3).unwrap();
        assert_eq!(format!("{:?}", pieces.altered(&changed)), "[4..9]");
        *media.last_mut().unwrap() ^= 1;
        assert_ne!(digests(&pieces, &media, 3).unwrap(), changed, "what the sidecar does not name counts as well");
    }

    #[test]
    fn another_length_is_no_copy() {
        let (sidecar, media) = sidecar_of(b"", &[b"first", b"second"]);
        let pieces = Pieces::of(Some(&sidecar), media.len() as u64);
        assert!(digests(&pieces, &media, 4).is_some());
        assert!(digests(&pieces, &media[1..], 4).is_none());
        assert!(digests(&pieces, &[&media[..], b"x"].concat(), 4).is_none());
        let unknown = Pieces::of(None, media.len() as u64);
        assert_eq!(digests(&unknown, &media, 4).map(|digests| digests.len()), Some(1));
    }

    #[test]
    fn what_a_short_file_lacks_is_told() {
        let (sidecar, media) = sidecar_of(b"init", &[b"first", b"second", b"third"]);
        let short = &media[..12];
        let pieces = Pieces::of(Some(&sidecar), short.len() as u64);
        let found = digests(&pieces, short, 5).unwrap();
        assert_eq!(pieces.altered(&found), [9..12, 12..20]);
    }
}
