//! Faults that a Linux machine can be made to show: power loss, a full disk, a disk that hangs, and damaged files.
//!
//! Mounting needs root. Where a fault cannot be made, that is said ([`NotAvailable`]) and never passed over in silence.
//! Everything that was mounted is taken off when it is dropped.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::HarnessError;

/// Puts the file system off at once without writing its log: what was synced is there after the next mount, the rest
/// may not be. `FS_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`, linux/fs/ext4/ext4.h; a Python one-liner, because an
/// ioctl from Rust is `unsafe`.
const SHUTDOWN: &str = "import fcntl,os,struct,sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
fcntl.ioctl(fd, 0x8004587D, struct.pack('I', 2))
os.close(fd)";

/// Why a fault cannot be made on this machine.
#[derive(Debug, thiserror::Error)]
#[error("not available here: {0}")]
pub struct NotAvailable(String);

impl NotAvailable {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The fault, or a line on standard output that says what was skipped and why.
#[must_use]
pub fn available<T>(what: &str, made: Result<T, NotAvailable>) -> Option<T> {
    made.inspect_err(|why| println!("SKIPPED {what}: {why}")).ok()
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn make_dir(path: &Path) -> Result<(), NotAvailable> {
    std::fs::create_dir_all(path).map_err(|error| NotAvailable(format!("{}: {error}", path.display())))
}

/// Takes a mount off; lazily when somebody still holds a file of it, so that nothing stays behind a failed test.
fn unmount(mount: &Path) -> Result<(), String> {
    run(Command::new("umount").arg(mount)).or_else(|why| {
        run(Command::new("umount").arg("--lazy").arg(mount)).map_err(|also| format!("{why}; lazily: {also}"))
    })
}

/// An ext4 file system in an image file: a disk whose power can be cut.
#[derive(Debug)]
pub struct LoopDisk {
    image: PathBuf,
    mount: PathBuf,
    mounted: bool,
}

impl LoopDisk {
    /// Makes a disk of `mib` MiB in the file `image` and mounts it at `mount`.
    ///
    /// # Errors
    /// [`NotAvailable`] when this machine does not allow it.
    pub fn create(image: &Path, mount: &Path, mib: u64) -> Result<Self, NotAvailable> {
        make_dir(mount)?;
        let sized = File::create(image).and_then(|file| file.set_len(mib * 1024 * 1024));
        sized.map_err(|error| NotAvailable(format!("{}: {error}", image.display())))?;
        // Tables are written now and not by a kernel thread later, which would add to what a test measures.
        let options = "lazy_itable_init=0,lazy_journal_init=0";
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-E", options]).arg(image)).map_err(NotAvailable)?;
        let mut disk = Self { image: image.to_owned(), mount: mount.to_owned(), mounted: false };
        disk.attach().map_err(NotAvailable)?;
        Ok(disk)
    }

    fn attach(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))?;
        self.mounted = true;
        Ok(())
    }

    /// Cuts the power: nothing reaches the disk from now on, and every access fails.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn cut_power(&self) -> Result<(), HarnessError> {
        run(Command::new("python3").args(["-c", SHUTDOWN]).arg(&self.mount)).map_err(HarnessError::new)
    }

    /// Switches it on again: the log is replayed as after a real power loss. Nobody may hold a file of it any more.
    ///
    /// # Errors
    /// When it cannot be mounted.
    pub fn power_on(&mut self) -> Result<(), HarnessError> {
        run(Command::new("umount").arg(&self.mount)).map_err(HarnessError::new)?;
        self.mounted = false;
        self.attach().map_err(HarnessError::new)
    }

    /// Makes the disk hang: writes wait, and who waits cannot be killed. Another process thaws it at the latest after
    /// `limit`, whatever becomes of this one.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn freeze(&self, limit: Duration) -> Result<Frozen, HarnessError> {
        let script = "sleep \"$1\"; fsfreeze --unfreeze \"$2\"";
        let watchdog = Command::new("sh")
            .args(["-c", script, "watchdog", &limit.as_secs_f64().to_string()])
            .arg(&self.mount)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| HarnessError::new(format!("no watchdog: {error}")))?;
        let frozen = Frozen { mount: self.mount.clone(), watchdog };
        run(Command::new("fsfreeze").arg("--freeze").arg(&self.mount)).map_err(HarnessError::new)?;
        Ok(frozen)
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        if self.mounted
            && let Err(why) = unmount(&self.mount)
        {
            eprintln!("{} stays mounted: {why}", self.mount.display());
        }
    }
}

/// A disk that hangs until this is dropped.
#[derive(Debug)]
pub struct Frozen {
    mount: PathBuf,
    watchdog: Child,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // The watchdog may have been faster; then this fails and nothing is frozen any more.
        let _ = run(Command::new("fsfreeze").arg("--unfreeze").arg(&self.mount));
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

/// A small file system in memory: a disk that gets full.
#[derive(Debug)]
pub struct SmallDisk {
    mount: PathBuf,
}

impl SmallDisk {
    /// Makes a disk of `mib` MiB at `mount`.
    ///
    /// # Errors
    /// [`NotAvailable`] when this machine does not allow it.
    pub fn create(mount: &Path, mib: u64) -> Result<Self, NotAvailable> {
        make_dir(mount)?;
        let size = format!("size={mib}m");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "minhbach-test"]).arg(mount))
            .map_err(NotAvailable)?;
        Ok(Self { mount: mount.to_owned() })
    }

    /// Fills it to the last byte with a file; the room comes back when the answer is dropped.
    ///
    /// # Errors
    /// When writing fails otherwise than for want of room.
    pub fn fill(&self) -> Result<Ballast, HarnessError> {
        let path = self.mount.join("ballast");
        let failed = |error: std::io::Error| HarnessError::new(format!("{}: {error}", path.display()));
        let mut file = File::create(&path).map_err(failed)?;
        let ballast = Ballast { path: path.clone() };
        let mut block = vec![0x5a; 1024 * 1024];
        while !block.is_empty() {
            match file.write_all(&block) {
                Ok(()) => {}
                // Smaller and smaller pieces, so that nothing is left.
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => block.truncate(block.len() / 2),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(ballast)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Err(why) = unmount(&self.mount) {
            eprintln!("{} stays mounted: {why}", self.mount.display());
        }
    }
}

/// What fills a disk until this is dropped.
#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
}

impl Drop for Ballast {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            eprintln!("{} stays: {error}", self.path.display());
        }
    }
}

/// Turns one bit of a file: the lowest of the byte at `offset`.
///
/// # Errors
/// When the file cannot be read or written there.
pub fn flip_bit(file: &Path, offset: u64) -> std::io::Result<()> {
    let opened = OpenOptions::new().read(true).write(true).open(file)?;
    let mut byte = [0];
    opened.read_exact_at(&mut byte, offset)?;
    byte[0] ^= 1;
    opened.write_all_at(&byte, offset)
}

/// Cuts the last `bytes` off a file.
///
/// # Errors
/// When it cannot be written.
pub fn truncate(file: &Path, bytes: u64) -> std::io::Result<()> {
    let mut opened = OpenOptions::new().write(true).open(file)?;
    let len = opened.seek(SeekFrom::End(0))?;
    opened.set_len(len.saturating_sub(bytes))
}

/// Gives each of two files in one folder the other's name.
///
/// # Errors
/// When they cannot be renamed.
pub fn swap(one: &Path, other: &Path) -> std::io::Result<()> {
    let aside = one.with_extension("aside");
    std::fs::rename(one, &aside)?;
    std::fs::rename(other, one)?;
    std::fs::rename(&aside, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_damaged_exactly_so_far() {
        let dir = tempfile::tempdir().expect("a folder");
        let (one, other) = (dir.path().join("1.mp4"), dir.path().join("2.mp4"));
        std::fs::write(&one, [0, 1, 2, 3]).expect("written");
        std::fs::write(&other, [9, 9]).expect("written");
        flip_bit(&one, 2).expect("flipped");
        assert_eq!(std::fs::read(&one).expect("read"), [0, 1, 3, 3]);
        assert!(flip_bit(&one, 4).is_err(), "there is no fifth byte");
        truncate(&one, 3).expect("cut");
        swap(&one, &other).expect("swapped");
        assert_eq!((std::fs::read(&one).expect("read"), std::fs::read(&other).expect("read")), (vec![9, 9], vec![0]));
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 2, "nothing is left over");
    }

    #[test]
    fn what_was_synced_survives_a_power_cut_and_the_rest_does_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let mount = dir.path().join("disk");
        let made = LoopDisk::create(&dir.path().join("image"), &mount, 16);
        let Some(mut disk) = available("power cut", made) else { return };
        let synced = File::create(mount.join("synced")).and_then(|mut file| {
            file.write_all(b"kept")?;
            file.sync_all()?;
            File::open(&mount)?.sync_all()
        });
        synced.expect("synced");
        std::fs::write(mount.join("unsynced"), b"lost").expect("written");
        disk.cut_power().expect("cut");
        assert!(std::fs::write(mount.join("late"), b"").is_err(), "a disk without power takes nothing");
        disk.power_on().expect("on again");
        assert_eq!(std::fs::read(mount.join("synced")).expect("kept"), b"kept");
        assert_ne!(std::fs::read(mount.join("unsynced")).unwrap_or_default(), b"lost");
    }

    #[test]
    fn a_small_disk_gets_full_and_has_room_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let mount = dir.path().join("disk");
        let Some(disk) = available("full disk", SmallDisk::create(&mount, 2)) else { return };
        let ballast = disk.fill().expect("filled");
        let refused = std::fs::write(mount.join("more"), [1]).expect_err("it is full");
        assert_eq!(refused.kind(), std::io::ErrorKind::StorageFull);
        drop(ballast);
        std::fs::write(mount.join("more"), [1]).expect("there is room");
    }
}
