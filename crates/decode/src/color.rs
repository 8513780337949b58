//! From Y′CbCr to R′G′B′: which matrix, which range, and the twelve numbers a shader or a loop needs.

/// The luma coefficients a picture was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorMatrix {
    /// ITU-R BT.601, standard definition.
    Bt601,
    /// ITU-R BT.709, high definition.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// Which values black and white have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorRange {
    /// Luma 16–235, chroma 16–240.
    Limited,
    /// 0–255.
    Full,
}

/// An affine map of (Y, Cb, Cr), each 0–1 as a texture gives them, to (R, G, B), each 0–1 before clamping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColorTransform {
    /// For R, G and B: factors of Y, Cb, Cr, and an offset.
    pub rows: [[f32; 4]; 3],
}

impl ColorMatrix {
    /// Red and blue luma coefficients.
    fn kr_kb(self) -> (f32, f32) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }

    /// What is meant when the stream does not say: BT.709 from 720 lines up, as players do.
    #[must_use]
    pub fn assumed(height: u32) -> Self {
        if height >= 720 { Self::Bt709 } else { Self::Bt601 }
    }
}

impl ColorTransform {
    /// The map for a matrix and a range.
    #[must_use]
    pub fn new(matrix: ColorMatrix, range: ColorRange) -> Self {
        let (kr, kb) = matrix.kr_kb();
        let kg = 1.0 - kr - kb;
        let (luma, luma_zero, chroma) = match range {
            ColorRange::Limited => (255.0 / 219.0, 16.0 / 255.0, 255.0 / 224.0),
            ColorRange::Full => (1.0, 0.0, 1.0),
        };
        let chroma_zero = 128.0 / 255.0;
        let row = |cb: f32, cr: f32| {
            let (cb, cr) = (cb * chroma, cr * chroma);
            [luma, cb, cr, -luma * luma_zero - (cb + cr) * chroma_zero]
        };
        Self {
            rows: [
                row(0.0, 2.0 * (1.0 - kr)),
                row(-2.0 * kb * (1.0 - kb) / kg, -2.0 * kr * (1.0 - kr) / kg),
                row(2.0 * (1.0 - kb), 0.0),
            ],
        }
    }

    /// One pixel of eight-bit values.
    #[must_use]
    pub fn apply(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let [y, cb, cr] = [y, cb, cr].map(|value| f32::from(value) / 255.0);
        self.rows.map(|[fy, fcb, fcr, offset]| {
            let value = fy * y + fcb * cb + fcr * cr + offset;
            (value.clamp(0.0, 1.0) * 255.0).round() as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_grey_have_no_colour_in_any_matrix() {
        for matrix in [ColorMatrix::Bt601, ColorMatrix::Bt709, ColorMatrix::Bt2020] {
            let limited = ColorTransform::new(matrix, ColorRange::Limited);
            assert_eq!(limited.apply(16, 128, 128), [0, 0, 0]);
            assert_eq!(limited.apply(235, 128, 128), [255, 255, 255]);
            let full = ColorTransform::new(matrix, ColorRange::Full);
            assert_eq!(full.apply(0, 128, 128), [0, 0, 0]);
            assert_eq!(full.apply(77, 128, 128), [77, 77, 77]);
        }
    }

    #[test]
    fn primaries_come_out_as_the_recommendations_say() {
        // 100 % red of BT.709 in limited range is (63, 102, 240); of BT.601 (81, 90, 240).
        let near = |got: [u8; 3], want: [u8; 3]| got.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= 2);
        let hd = ColorTransform::new(ColorMatrix::Bt709, ColorRange::Limited);
        assert!(near(hd.apply(63, 102, 240), [255, 0, 0]), "{:?}", hd.apply(63, 102, 240));
        let sd = ColorTransform::new(ColorMatrix::Bt601, ColorRange::Limited);
        assert!(near(sd.apply(81, 90, 240), [255, 0, 0]), "{:?}", sd.apply(81, 90, 240));
        assert!(!near(sd.apply(63, 102, 240), [255, 0, 0]));
    }

    #[test]
    fn a_silent_stream_is_taken_by_its_height() {
        assert_eq!(ColorMatrix::assumed(576), ColorMatrix::Bt601);
        assert_eq!(ColorMatrix::assumed(720), ColorMatrix::Bt709);
    }
}
