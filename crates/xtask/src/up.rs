//! `cargo xtask up`: a real PostgreSQL (Debian's) and a real SeaweedFS on the loopback, without containers.
//!
//! Data lies in `target/up` and is still there the next time. What is killed comes back after a while, as a service manager
//! would bring it: that is how one sees that nothing is lost meanwhile.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use minhbach_testkit::postgres::{Durability, Postgres, exists_for_user};
use minhbach_testkit::seaweed::{ACCESS_KEY, REGION, SECRET_KEY, SeaweedFs};

use crate::setup::{self, Scope};
use crate::shell::{Outcome, say, target_dir};

const BUCKET: &str = "minhbach";
/// What has ended comes back after this.
const AWAY: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(500);

/// Start PostgreSQL and SeaweedFS, and print what a server has to be told to use them.
#[derive(Debug, clap::Args)]
pub struct Up {}

impl Up {
    /// Runs until Ctrl-C, which the two hear as well.
    pub fn run(self) -> Outcome {
        setup::run(Scope::Scale)?;
        let mut scale = Scale::start(&target_dir().join("up"))?;
        println!("{}", scale.config()?);
        say(&format!("the lines above are in {}; Ctrl-C ends both", scale.config_file().display()));
        loop {
            std::thread::sleep(LOOK);
            scale.bring_back()?;
        }
    }
}

/// The two, running.
pub struct Scale {
    dir: PathBuf,
    seaweed: SeaweedFs,
    database: Postgres,
    /// Since when each is seen to be away: SeaweedFS, PostgreSQL.
    away: [Option<Instant>; 2],
}

impl Scale {
    /// Starts both with their data below `dir`, and makes a bucket and a database when there are none.
    pub fn start(dir: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
        say("starting PostgreSQL and SeaweedFS on 127.0.0.1");
        let password = password(&dir.join("postgres-password"))?;
        let database = Postgres::start_in(&database_folder(dir)?, &password, Durability::PowerLoss);
        let database = database.map_err(|error| error.to_string())?;
        let seaweed = SeaweedFs::start_with(&setup::tool("weed"), &dir.join("seaweedfs"), BUCKET);
        let seaweed = seaweed.map_err(|error| error.to_string())?;
        let scale = Self { dir: dir.to_owned(), seaweed, database, away: [None; 2] };
        let (database, seaweed) = (shown(scale.database.pid()), shown(scale.seaweed.pid()));
        say(&format!("PostgreSQL is process {database}, SeaweedFS {seaweed}; what is killed is back {AWAY:?} later"));
        std::fs::write(scale.dir.join("s3-secret"), format!("{SECRET_KEY}\n"))
            .and_then(|()| std::fs::write(scale.config_file(), scale.config_text()))
            .map_err(|error| format!("cannot write into {}: {error}", dir.display()))?;
        Ok(scale)
    }

    /// Where the lines for a server are.
    pub fn config_file(&self) -> PathBuf {
        self.dir.join("server.toml")
    }

    fn config(&self) -> Outcome<String> {
        std::fs::read_to_string(self.config_file()).map_err(|error| error.to_string())
    }

    fn config_text(&self) -> String {
        format!(
            "[database]\nurl = \"{}\"\n\n[archive]\nkind = \"s3\"\nendpoint = \"{}\"\nbucket = \"{BUCKET}\"\n\
             region = \"{REGION}\"\naccess_key_id = \"{ACCESS_KEY}\"\nsecret_access_key_file = \"{}\"\n",
            self.database.url(),
            self.seaweed.endpoint(),
            self.dir.join("s3-secret").display()
        )
    }

    /// Starts again what has ended and was away for a while.
    fn bring_back(&mut self) -> Outcome {
        let ended = [self.seaweed.has_ended(), self.database.has_ended()];
        for (part, name) in ["SeaweedFS", "PostgreSQL"].into_iter().enumerate() {
            if !ended[part] {
                self.away[part] = None;
                continue;
            }
            let since = *self.away[part].get_or_insert_with(|| {
                say(&format!("{name} has ended; it comes back in {AWAY:?}"));
                Instant::now()
            });
            if since.elapsed() < AWAY {
                continue;
            }
            match part {
                0 => self.seaweed.restart().map_err(|error| error.to_string())?,
                _ => self.database.restart().map_err(|error| error.to_string())?,
            }
            say(&format!("{name} is back"));
        }
        Ok(())
    }

    /// Hands both to a thread that brings back what is killed, until the answer is dropped.
    pub fn watched(mut self) -> Outcome<Watched> {
        let (stop, stopped) = sync_channel::<()>(1);
        let watch = move || {
            while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if let Err(message) = self.bring_back() {
                    eprintln!("xtask: {message}");
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("database and object store".to_owned()).spawn(watch);
        Ok(Watched { stop: Some(stop), thread: Some(thread.map_err(|error| error.to_string())?) })
    }
}

fn shown(pid: Option<u32>) -> String {
    pid.map_or_else(|| "none".to_owned(), |pid| pid.to_string())
}

/// Both, watched by a thread; they end when this is dropped.
pub struct Watched {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Without its sender the thread ends, and with the thread the two.
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("xtask: the watch over database and object store panicked");
        }
    }
}

/// Where the database lies: below `dir`, unless PostgreSQL's user cannot get there (root's home is closed to it).
fn database_folder(dir: &Path) -> Outcome<PathBuf> {
    let made = |folder: PathBuf| match std::fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(error) => Err(format!("cannot make {}: {error}", folder.display())),
    };
    let folder = made(dir.join("postgres"))?;
    if exists_for_user(&folder) {
        return Ok(folder);
    }
    let folder = made(outside(dir))?;
    say(&format!("PostgreSQL's user cannot get into {}: its data lies in {}", dir.display(), folder.display()));
    Ok(folder)
}

/// Where the database of `dir` lies when it cannot lie there.
fn outside(dir: &Path) -> PathBuf {
    let name = dir.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    Path::new("/var/tmp").join(format!("minhbach{name}"))
}

/// Removes everything that [`Scale::start`] with the same folder left, so that the next start begins with nothing.
pub fn clear(dir: &Path) -> Outcome {
    for folder in [dir.to_owned(), outside(dir)] {
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| format!("cannot clear {}: {error}", folder.display()))?;
        }
    }
    Ok(())
}

/// The password of the database: made once, kept beside it.
fn password(file: &Path) -> Outcome<String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    if file.exists() {
        return std::fs::read_to_string(file).map(|text| text.trim().to_owned()).map_err(failed);
    }
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).map_err(failed)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
    Ok(text)
}
