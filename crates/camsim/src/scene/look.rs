//! What a scene can look like: the disturbances of a camera, and the variants of the counter.

use super::canvas::{Ink, rgb};

/// What has happened to the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// Nothing.
    Normal,
    /// The picture stands still, with its clock.
    Frozen,
    /// No light.
    Black,
    /// Something hangs before the lens.
    Covered,
    /// Out of focus.
    Blurred,
    /// Turned to another view.
    Shifted,
}

impl Look {
    /// In file names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Frozen => "frozen",
            Self::Black => "black",
            Self::Covered => "covered",
            Self::Blurred => "blurred",
            Self::Shifted => "shifted",
        }
    }

    /// Strength of the sensor noise that the encoder adds. A frozen picture repeats itself exactly.
    #[must_use]
    pub fn noise(self) -> u32 {
        match self {
            Self::Frozen => 0,
            Self::Black => 9,
            Self::Normal | Self::Covered | Self::Blurred | Self::Shifted => 4,
        }
    }
}

/// How a person looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) skin: Ink,
    pub(super) hair: Ink,
    pub(super) cloth: Ink,
    pub(super) long_hair: bool,
}

/// One counter with its people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant {
    pub(super) camera_name: &'static str,
    pub(super) counter_name: &'static str,
    pub(super) field: &'static str,
    /// Called in the first and in the second half of the clip.
    pub(super) numbers: [&'static str; 2],
    pub(super) mirrored: bool,
    pub(super) wall: (Ink, Ink),
    /// Ground and letters.
    pub(super) sign: (Ink, Ink),
    pub(super) counter: Ink,
    pub(super) officer: Person,
    pub(super) citizen: Person,
    pub(super) walkers: [Person; 2],
}

const BLACK_HAIR: Ink = rgb(0x1d1a1a);
const GREY_HAIR: Ink = rgb(0x8a8784);

const fn person(skin: u32, hair: Ink, cloth: u32, long_hair: bool) -> Person {
    Person { skin: rgb(skin), hair, cloth: rgb(cloth), long_hair }
}

pub(super) const VARIANTS: [Variant; crate::profile::SCENES as usize] = [
    Variant {
        camera_name: "CAM 1 · Quầy 1",
        counter_name: "QUẦY 1",
        field: "Lĩnh vực Tư pháp – Chứng thực",
        numbers: ["1042", "1043"],
        mirrored: false,
        wall: (rgb(0xe6ebee), rgb(0xd3dade)),
        sign: (rgb(0xb3202a), rgb(0xffe27a)),
        counter: rgb(0xb08a5c),
        officer: person(0xe2b48c, BLACK_HAIR, 0xdfe9f2, true),
        citizen: person(0xcf9f78, GREY_HAIR, 0x56697d, false),
        walkers: [person(0xd8a880, BLACK_HAIR, 0x7d4f50, true), person(0xd2a27a, BLACK_HAIR, 0x3f5a4b, false)],
    },
    Variant {
        camera_name: "CAM 2 · Quầy 2",
        counter_name: "QUẦY 2",
        field: "Lĩnh vực Tài chính – Kế hoạch",
        numbers: ["2017", "2018"],
        mirrored: true,
        wall: (rgb(0xf0ebe0), rgb(0xe0d8c8)),
        sign: (rgb(0x1c4f8f), rgb(0xffffff)),
        counter: rgb(0x8a6a52),
        officer: person(0xdcae86, BLACK_HAIR, 0xf2f4f4, true),
        citizen: person(0xd2a27a, BLACK_HAIR, 0x2f4a6d, false),
        walkers: [person(0xcf9f78, BLACK_HAIR, 0xc9a24a, false), person(0xe2b48c, BLACK_HAIR, 0x8c3f5d, true)],
    },
    Variant {
        camera_name: "CAM 3 · Quầy 3",
        counter_name: "QUẦY 3",
        field: "Lĩnh vực Đất đai – Môi trường",
        numbers: ["3107", "3108"],
        mirrored: false,
        wall: (rgb(0xe4efe8), rgb(0xcfdfd5)),
        sign: (rgb(0x1f6b4a), rgb(0xfff3c2)),
        counter: rgb(0x9d8f80),
        officer: person(0xd8a880, BLACK_HAIR, 0xd5e3d8, false),
        citizen: person(0xe2b48c, BLACK_HAIR, 0xa5484e, true),
        walkers: [person(0xd2a27a, GREY_HAIR, 0x5b6a77, false), person(0xdcae86, BLACK_HAIR, 0x3c6e8f, true)],
    },
    Variant {
        camera_name: "CAM 4 · Quầy 4",
        counter_name: "QUẦY 4",
        field: "Lĩnh vực Hộ tịch – Khai sinh",
        numbers: ["4026", "4027"],
        mirrored: true,
        wall: (rgb(0xece8f0), rgb(0xd9d4e0)),
        sign: (rgb(0x9c1f35), rgb(0xffffff)),
        counter: rgb(0xa67c50),
        officer: person(0xe2b48c, BLACK_HAIR, 0xe8eef6, true),
        citizen: person(0xcf9f78, BLACK_HAIR, 0x47705a, false),
        walkers: [person(0xdcae86, BLACK_HAIR, 0x6a5b9c, true), person(0xd2a27a, BLACK_HAIR, 0x7a6a4a, false)],
    },
];
