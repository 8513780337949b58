//! What a kept still is, when one is due, where it belongs and which ones go: pure, clocks are passed in.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use minhbach_decode::{VideoFrame, frame_to_rgba};
use minhbach_model::WallTime;

/// The longer side of a still, pixels: enough to tell a place by, and small on the disk.
pub const SIDE_MAX_PX: u32 = 640;

/// A camera's picture is kept when it has been seen for so long: what comes first may be broken …
const SETTLE: Duration = Duration::from_secs(5);
/// … and then again after this time …
const EVERY: Duration = Duration::from_secs(60);
/// … and when it is about to go, unless that was only just done.
const LEAVING_EVERY: Duration = Duration::from_secs(5);

/// Stills on this workstation, of all servers together; the oldest go.
const STILLS_MAX: usize = 200;
/// Older ones go as well: they help nobody any more, and they are footage.
const AGE_MAX: Duration = Duration::from_secs(30 * 86_400);
/// A half-written file of that age was left by a console that was killed.
const PART_AGE_MAX: Duration = Duration::from_secs(3600);

/// Bytes of an address that name its folder; each becomes three at most.
const KEY_MAX: usize = 80;

/// A kept still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The camera's name.
    pub name: String,
    /// When it was taken, by the server's clock.
    pub taken: WallTime,
    /// Pixels in a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// `width_px × height_px × 3` bytes: red, green, blue.
    pub rgb: Vec<u8>,
}

impl Kept {
    /// A picture made small, in its displayed shape.
    #[must_use]
    pub fn of(frame: &VideoFrame, name: String) -> Self {
        let image = frame_to_rgba(frame, width_px(frame.display_aspect()));
        let rgb = image.pixels.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Self { name, taken: frame.wall(), width_px: image.width, height_px: image.height, rgb }
    }
}

/// The widest still of that shape (width to height) whose sides are no longer than [`SIDE_MAX_PX`].
fn width_px(aspect: f32) -> u32 {
    let side = SIDE_MAX_PX as f32;
    (side * aspect.min(1.0)).round().clamp(16.0, side) as u32
}

/// Why a picture may be kept now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It is on the wall and moves.
    Watching,
    /// Its tile is about to go.
    Leaving,
}

/// When pictures of one camera are kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// When the first picture was seen.
    first: Option<Instant>,
    /// When one was kept last, and which.
    kept: Option<(Instant, u64)>,
}

impl Pace {
    /// Whether the picture with that id is to be kept.
    pub fn is_due(&mut self, occasion: Occasion, frame_id: u64, now: Instant) -> bool {
        let first = *self.first.get_or_insert(now);
        let (wait, since) = match (occasion, self.kept) {
            (_, Some((_, id))) if id == frame_id => return false,
            (Occasion::Watching, None) => (SETTLE, first),
            (Occasion::Watching, Some((at, _))) => (EVERY, at),
            (Occasion::Leaving, None) => return true,
            (Occasion::Leaving, Some((at, _))) => (LEAVING_EVERY, at),
        };
        now.saturating_duration_since(since) >= wait
    }

    /// It was handed on to be written.
    pub fn kept(&mut self, frame_id: u64, now: Instant) {
        self.kept = Some((now, frame_id));
    }
}

/// Name of the folder for the stills of a server: no scheme, no user or password, nothing a file system minds.
#[must_use]
pub fn server_key(url: &str) -> String {
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    let address = address.rsplit('@').next().unwrap_or(address).trim_end_matches('/');
    let mut key = String::new();
    for byte in address.bytes().take(KEY_MAX) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => key.push(char::from(byte.to_ascii_lowercase())),
            // Not the first one: no key is `.`, `..` or hidden.
            b'.' if !key.is_empty() => key.push('.'),
            _ => key.push_str(&format!("_{byte:02x}")),
        }
    }
    if key.is_empty() { "_".to_owned() } else { key }
}

/// A file among the kept stills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// When it was written, by this workstation's clock.
    pub written: SystemTime,
    /// It is not, or never was, written to its end.
    pub part: bool,
}

/// The files that go.
#[must_use]
pub fn surplus(entries: Vec<Entry>, now: SystemTime) -> Vec<PathBuf> {
    // A file of the future, after the clock was set back, counts as new.
    let age = |entry: &Entry| now.duration_since(entry.written).unwrap_or_default();
    let (parts, mut stills): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.part);
    stills.sort_by_key(|entry| Reverse(entry.written));
    let old = stills.into_iter().enumerate().filter(|(newer, entry)| *newer >= STILLS_MAX || age(entry) > AGE_MAX);
    let lost = parts.into_iter().filter(|entry| age(entry) > PART_AGE_MAX);
    old.map(|(_, entry)| entry).chain(lost).map(|entry| entry.path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_picture_that_is_watched_is_kept_once_a_minute() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut due = |at: u64, id: u64| {
            let due = pace.is_due(Occasion::Watching, id, start + secs(at));
            if due {
                pace.kept(id, start + secs(at));
            }
            due
        };
        assert!(!due(0, 1), "the first pictures may be broken");
        assert!(due(5, 2));
        assert!(!due(64, 3));
        assert!(!due(65, 2), "the same picture again");
        assert!(due(66, 4));
    }

    #[test]
    fn what_could_not_be_handed_on_stays_due() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert!(!pace.is_due(Occasion::Watching, 1, start));
        assert!(pace.is_due(Occasion::Watching, 2, start + secs(5)));
        assert!(pace.is_due(Occasion::Watching, 3, start + secs(6)));
    }

    #[test]
    fn a_tile_that_goes_keeps_its_last_picture_unless_it_was_just_kept() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert!(pace.is_due(Occasion::Leaving, 1, start), "even when it was seen for a moment only");
        pace.kept(1, start);
        assert!(!pace.is_due(Occasion::Leaving, 2, start + secs(4)));
        assert!(pace.is_due(Occasion::Leaving, 2, start + secs(5)));
        assert!(!pace.is_due(Occasion::Leaving, 1, start + secs(500)), "nothing has come since");
    }

    #[test]
    fn a_still_is_small_and_keeps_its_shape() {
        let wide = Kept::of(&VideoFrame::solid(1920, 1080, [235, 128, 128], WallTime(7)), "Cổng".to_owned());
        assert_eq!((wide.width_px, wide.height_px, wide.rgb.len()), (640, 360, 640 * 360 * 3));
        assert_eq!((wide.taken, &wide.rgb[..3]), (WallTime(7), &[255, 255, 255][..]));
        let tall = Kept::of(&VideoFrame::solid(1080, 1920, [16, 128, 128], WallTime(7)), String::new());
        assert_eq!((tall.width_px, tall.height_px), (360, 640));
        assert_eq!(width_px(f32::NAN), SIDE_MAX_PX);
    }

    #[test]
    fn each_server_has_a_folder_whose_name_tells_no_password() {
        let cases = [
            ("http://127.0.0.1:7878", "127.0.0.1_3a7878"),
            ("HTTP://Server-1.example:7878/", "server-1.example_3a7878"),
            ("http://user:secret@camera.example", "camera.example"),
            ("..", "_2e."),
            ("http://a/../b", "a_2f.._2fb"),
            ("", "_"),
        ];
        for (url, key) in cases {
            assert_eq!(server_key(url), key, "{url}");
        }
        assert!(server_key(&"/ü".repeat(500)).len() < 255);
    }

    fn entry(name: &str, age: Duration, now: SystemTime) -> Entry {
        let part = name.ends_with("part");
        Entry { path: PathBuf::from(name), written: now - age, part }
    }

    #[test]
    fn the_oldest_stills_go_when_there_are_too_many() {
        let now = SystemTime::UNIX_EPOCH + secs(1_795_000_000);
        let mut entries: Vec<Entry> =
            (0..STILLS_MAX as u64).map(|index| entry(&format!("{index}.png"), secs(index), now)).collect();
        assert!(surplus(entries.clone(), now).is_empty());
        entries.insert(0, entry("oldest.png", secs(5000), now));
        entries.push(entry("newest.png", secs(0), now));
        let gone = surplus(entries, now);
        assert_eq!(gone, [PathBuf::from(format!("{}.png", STILLS_MAX - 1)), PathBuf::from("oldest.png")]);
    }

    #[test]
    fn stills_of_last_month_and_what_a_killed_console_left_go() {
        let now = SystemTime::UNIX_EPOCH + secs(1_795_000_000);
        let entries = vec![
            entry("today.png", secs(60), now),
            entry("old.png", secs(31 * 86_400), now),
            entry("being-written.part", secs(1), now),
            entry("left.part", secs(7200), now),
            Entry { path: PathBuf::from("future.png"), written: now + secs(7200), part: false },
        ];
        assert_eq!(surplus(entries, now), [PathBuf::from("old.png"), PathBuf::from("left.part")]);
    }
}
