//! ISO/IEC 14496-12 §4.2 boxes: writing with sizes filled in afterwards, and walking through them with every length checked.
//!
//! Which boxes a file of ours has is decided in the modules that write and read them.

use crate::{FourCc, MediaError};

/// Appends boxes to a buffer.
#[derive(Debug, Default)]
pub struct BoxWriter {
    buf: Vec<u8>,
}

impl BoxWriter {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buf.len()
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.buf
    }

    /// Writes a box whose content the closure writes.
    ///
    /// A box here is at most some megabytes; a content past 4 GiB would be a bug, not bad input.
    pub fn boxed(&mut self, kind: &[u8; 4], content: impl FnOnce(&mut Self)) {
        let start = self.buf.len();
        self.u32(0);
        self.bytes(kind);
        content(self);
        let size = u32::try_from(self.buf.len() - start).expect("a box written in memory is smaller than 4 GiB");
        self.patch_u32(start, size);
    }

    /// Writes a full box (§4.2): version and 24 bits of flags before the content.
    pub fn full(&mut self, kind: &[u8; 4], version: u8, flags: u32, content: impl FnOnce(&mut Self)) {
        self.boxed(kind, |w| {
            w.u32(u32::from(version) << 24 | (flags & 0x00FF_FFFF));
            content(w);
        });
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Appends zeros.
    pub fn zeros(&mut self, count: usize) {
        self.buf.resize(self.buf.len() + count, 0);
    }

    /// Appends a byte.
    pub fn u8(&mut self, value: u8) {
        self.buf.push(value);
    }

    /// Appends 16 bits, big endian.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends 32 bits, big endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends 32 signed bits, big endian.
    pub fn i32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends 64 bits, big endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends the unity matrix of `mvhd` and `tkhd` (§6.2.2).
    pub fn unity_matrix(&mut self) {
        for value in [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] {
            self.u32(value);
        }
    }

    /// Overwrites 32 bits written before.
    pub fn patch_u32(&mut self, at: usize, value: u32) {
        self.buf[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
}

/// Reads fields from a slice; every read is checked.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `data`; `what` names it in errors.
    #[must_use]
    pub fn new(data: &'a [u8], what: &'static str) -> Self {
        Self { data, at: 0, what }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`MediaError::Truncated`] when fewer are left; so it is for every method here.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], MediaError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.data.len());
        let Some(end) = end else {
            return Err(MediaError::Truncated { what: self.what, offset: self.at });
        };
        let bytes = &self.data[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MediaError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, MediaError> {
        Ok(self.array::<1>()?[0])
    }

    /// 16 bits.
    pub fn u16(&mut self) -> Result<u16, MediaError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// 32 bits.
    pub fn u32(&mut self) -> Result<u32, MediaError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// 32 signed bits.
    pub fn i32(&mut self) -> Result<i32, MediaError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// 64 bits.
    pub fn u64(&mut self) -> Result<u64, MediaError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Version and flags of a full box.
    pub fn version_flags(&mut self) -> Result<(u8, u32), MediaError> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00FF_FFFF))
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.at..]
    }
}

/// A box found in a slice.
#[derive(Debug, Clone, Copy)]
pub struct BoxRef<'a> {
    /// Its type.
    pub kind: FourCc,
    /// Where it starts in the slice that was walked.
    pub offset: usize,
    /// Its whole size, header included.
    pub size: usize,
    /// Its content.
    pub content: &'a [u8],
}

/// Walks through the boxes of a slice.
#[derive(Debug, Clone)]
pub struct Boxes<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Boxes<'a> {
    /// Walks `data`.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// The first box of that type.
    ///
    /// # Errors
    /// [`MediaError::Missing`], or what is wrong with a box before it.
    pub fn find(self, kind: &[u8; 4]) -> Result<BoxRef<'a>, MediaError> {
        for found in self {
            let found = found?;
            if found.kind.0 == *kind {
                return Ok(found);
            }
        }
        Err(MediaError::Missing(FourCc(*kind)))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<BoxRef<'a>, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.data[self.at..];
        if rest.is_empty() {
            return None;
        }
        let offset = self.at;
        // Whatever is wrong ends the walk: after a bad size nothing that follows can be trusted.
        self.at = self.data.len();
        let mut reader = Reader::new(rest, "box header");
        let header = (|| {
            let size32 = reader.u32()?;
            let kind = FourCc(reader.array()?);
            let (size, header_len) = match size32 {
                1 => (reader.u64()?, 16),
                0 => (rest.len() as u64, 8),
                size => (u64::from(size), 8),
            };
            let fits = usize::try_from(size).ok().filter(|&size| size >= header_len && size <= rest.len());
            match fits {
                Some(size) => Ok((kind, size, header_len)),
                None => Err(MediaError::BadSize { kind, offset, size }),
            }
        })();
        match header {
            Ok((kind, size, header_len)) => {
                self.at = offset + size;
                Some(Ok(BoxRef { kind, offset, size, content: &rest[header_len..size] }))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_nest_and_are_found_again() {
        let mut w = BoxWriter::new();
        w.boxed(b"moov", |w| {
            w.full(b"mvhd", 1, 7, |w| w.u32(42));
            w.boxed(b"trak", |_| {});
        });
        let bytes = w.into_bytes();
        let moov = Boxes::new(&bytes).find(b"moov").unwrap();
        assert_eq!(moov.size, bytes.len());
        let mvhd = Boxes::new(moov.content).find(b"mvhd").unwrap();
        let mut r = Reader::new(mvhd.content, "mvhd");
        assert_eq!(r.version_flags().unwrap(), (1, 7));
        assert_eq!(r.u32().unwrap(), 42);
        assert!(matches!(r.u8(), Err(MediaError::Truncated { what: "mvhd", .. })));
        assert_eq!(Boxes::new(moov.content).find(b"udta").unwrap_err(), MediaError::Missing(FourCc(*b"udta")));
    }

    #[test]
    fn impossible_sizes_end_the_walk() {
        for size in [4u32, 100] {
            let mut bytes = size.to_be_bytes().to_vec();
            bytes.extend_from_slice(b"free");
            let all: Vec<_> = Boxes::new(&bytes).collect();
            assert!(matches!(all[..], [Err(MediaError::BadSize { .. })]), "{all:?}");
        }
        let all: Vec<_> = Boxes::new(&[0, 0, 0]).collect();
        assert!(matches!(all[..], [Err(MediaError::Truncated { .. })]));
    }
}
