//! Kept stills on the disk: one PNG a camera, in a folder a server, readable by this user alone.
//!
//! When it was taken and the camera's name are in the file itself, so that a still never gets another one's time.
//! Nothing is synced: a still that a power cut spoils is one that is not shown.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use minhbach_model::{CameraId, WallTime};

use super::data::{Entry, Kept, SIDE_MAX_PX, server_key, surplus};

/// Keyword of the moment, a `tEXt` chunk in RFC 3339 (PNG, third edition, §11.3.3.1).
const TAKEN: &str = "Creation Time";
/// Keyword of the camera's name, an `iTXt` chunk.
const NAME: &str = "Title";
/// A file while it is written; each process has its own.
const PART: &str = "part";
/// No still of ours is larger.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why a still cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// The file system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The picture cannot be made a PNG.
    #[error(transparent)]
    Encode(#[from] png::EncodingError),
    /// The file is damaged.
    #[error(transparent)]
    Decode(#[from] png::DecodingError),
    /// A PNG of another kind, or without its time.
    #[error("the picture was not kept by this program")]
    Foreign,
}

/// The stills of one server, among those of others.
#[derive(Debug)]
pub struct Store {
    /// All servers.
    root: PathBuf,
    /// This one.
    folder: PathBuf,
}

impl Store {
    /// In that folder, which holds nothing else. Nothing is created before something is kept.
    #[must_use]
    pub fn new(root: PathBuf, server: &str) -> Self {
        let folder = root.join(server_key(server));
        Self { root, folder }
    }

    fn file(&self, camera: CameraId) -> PathBuf {
        self.folder.join(format!("{camera}.png"))
    }

    /// Keeps a camera's still in place of the one before. Whoever reads meanwhile reads one of the two.
    ///
    /// # Errors
    /// [`StillError`] when it cannot be written; then the one before is still there.
    pub fn write(&self, camera: CameraId, kept: &Kept) -> Result<(), StillError> {
        let bytes = encode(kept)?;
        private_folder(&self.root)?;
        private_folder(&self.folder)?;
        let part = self.folder.join(format!("{camera}.{}.{PART}", std::process::id()));
        let written = write_private(&part, &bytes).and_then(|()| fs::rename(&part, self.file(camera)));
        if written.is_err() {
            // The failure before is the one to tell; what cannot be removed now goes with a later sweep.
            let _ = fs::remove_file(&part);
        }
        Ok(written?)
    }

    /// A camera's still; `None` when there is none.
    ///
    /// # Errors
    /// [`StillError`] when there is one that cannot be read.
    pub fn read(&self, camera: CameraId) -> Result<Option<Kept>, StillError> {
        let file = match File::open(self.file(camera)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        decode(&bytes).map(Some)
    }

    /// Deletes what is too much or too old, of all servers.
    ///
    /// # Errors
    /// [`StillError::Io`] when something cannot be listed or deleted.
    pub fn sweep(&self, now: SystemTime) -> Result<(), StillError> {
        let mut entries = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            if folder.file_type()?.is_dir() {
                list(&folder.path(), &mut entries)?;
            }
        }
        for path in surplus(entries, now) {
            absent_is_fine(fs::remove_file(path))?;
        }
        Ok(())
    }

    /// Deletes every still, of all servers.
    ///
    /// # Errors
    /// [`StillError::Io`] when something cannot be deleted.
    pub fn forget(&self) -> Result<(), StillError> {
        Ok(absent_is_fine(fs::remove_dir_all(&self.root))?)
    }
}

/// Another console of this user may have been faster.
fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn list(folder: &Path, into: &mut Vec<Entry>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let part = match path.extension().and_then(OsStr::to_str) {
            Some("png") => false,
            Some(PART) => true,
            _ => continue,
        };
        match entry.metadata().and_then(|metadata| metadata.modified()) {
            Ok(written) => into.push(Entry { path, written, part }),
            // Another console has replaced or removed it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // One that was there before may be open to others.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// The folder of local application data is the user's own.
#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(bytes)
}

fn encode(kept: &Kept) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, kept.width_px, kept.height_px);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.add_text_chunk(TAKEN.to_owned(), kept.taken.to_string())?;
    encoder.add_itxt_chunk(NAME.to_owned(), kept.name.clone())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&kept.rgb)?;
    writer.finish()?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Kept, StillError> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info()?;
    let info = reader.info();
    let (width_px, height_px) = (info.width, info.height);
    // Rounding may make the longer side a little longer than it was meant to be.
    let sized = width_px.max(height_px) <= 2 * SIDE_MAX_PX;
    let plain = info.color_type == png::ColorType::Rgb && info.bit_depth == png::BitDepth::Eight;
    let taken = info.uncompressed_latin1_text.iter().find(|text| text.keyword == TAKEN);
    let taken = taken.and_then(|text| text.text.parse::<WallTime>().ok()).filter(|_| sized && plain);
    let Some(taken) = taken else { return Err(StillError::Foreign) };
    let name = info.utf8_text.iter().find(|text| text.keyword == NAME && !text.compressed);
    let name = name.and_then(|text| text.get_text().ok()).unwrap_or_default();
    let mut rgb = vec![0; width_px as usize * height_px as usize * 3];
    reader.next_frame(&mut rgb)?;
    Ok(Kept { name, taken, width_px, height_px, rgb })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SERVER: &str = "http://127.0.0.1:7878";

    fn kept(taken_ns: i64) -> Kept {
        let rgb = (0..32 * 18 * 3).map(|value| (value % 251) as u8).collect();
        let name = "Quầy tiếp dân số 1".to_owned();
        Kept { name, taken: WallTime(taken_ns), width_px: 32, height_px: 18, rgb }
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_still_comes_back_with_its_time_and_name() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join("stills"), SERVER);
        let camera = CameraId::generate();
        assert_eq!(store.read(camera).unwrap(), None);
        // To the nanosecond, and the newer one in place of the older.
        for taken_ns in [1_795_000_000_040_000_001, 1_795_000_060_000_000_000] {
            store.write(camera, &kept(taken_ns)).unwrap();
            assert_eq!(store.read(camera).unwrap(), Some(kept(taken_ns)));
        }
        assert_eq!(names(&store.folder), [format!("{camera}.png")], "nothing half-written is left");
        let other = Store::new(dir.path().join("stills"), "http://127.0.0.1:7879");
        assert_eq!(other.read(camera).unwrap(), None, "another server's camera");
    }

    #[test]
    fn a_damaged_or_foreign_file_is_an_error_and_no_picture() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().to_owned(), SERVER);
        let camera = CameraId::generate();
        store.write(camera, &kept(1_795_000_000_000_000_000)).unwrap();
        let whole = fs::read(store.file(camera)).unwrap();
        for length in [0, 8, 60, whole.len() / 2] {
            fs::write(store.file(camera), &whole[..length]).unwrap();
            assert!(store.read(camera).is_err(), "cut at {length} of {} bytes", whole.len());
        }
        let mut untimed = Vec::new();
        let mut encoder = png::Encoder::new(&mut untimed, 1, 1);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[1, 2, 3]).unwrap();
        writer.finish().unwrap();
        fs::write(store.file(camera), &untimed).unwrap();
        assert!(matches!(store.read(camera), Err(StillError::Foreign)), "a still without a time would have no age");
    }

    #[test]
    fn a_sweep_takes_old_stills_of_every_server_and_leaves_other_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("stills");
        let (store, other) = (Store::new(root.clone(), SERVER), Store::new(root, "http://127.0.0.1:7879"));
        let camera = CameraId::generate();
        store.write(camera, &kept(1)).unwrap();
        other.write(camera, &kept(2)).unwrap();
        let note = store.folder.join("note.txt");
        fs::write(&note, "x").unwrap();
        store.sweep(SystemTime::now()).unwrap();
        assert!(store.file(camera).exists() && other.file(camera).exists());
        store.sweep(SystemTime::now() + Duration::from_secs(40 * 86_400)).unwrap();
        assert!(!store.file(camera).exists() && !other.file(camera).exists());
        assert!(note.exists());
    }

    #[test]
    fn forgetting_leaves_nothing_and_may_be_done_twice() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join("stills"), SERVER);
        store.write(CameraId::generate(), &kept(1)).unwrap();
        store.forget().unwrap();
        assert!(!store.root.exists() && dir.path().exists());
        store.forget().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("stills");
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let store = Store::new(root, SERVER);
        let camera = CameraId::generate();
        store.write(camera, &kept(1)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&store.root), mode(&store.folder), mode(&store.file(camera))), (0o700, 0o700, 0o600));
    }
}
