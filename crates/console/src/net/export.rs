//! Writes exports to files: beside the final name first, renamed when complete, removed when stopped.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use minhbach_client::ExportRequest;
use minhbach_model::{CameraId, StreamKind, WallRange};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::{ExportFile, Link, Problem, Reply};

const TELL_EVERY: Duration = Duration::from_millis(200);

/// A file that is removed again unless it was kept.
struct Part {
    path: PathBuf,
    kept: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Runs also when the task is aborted, where nothing can be awaited; it is one unlink.
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a half-written export is left behind");
        }
    }
}

/// Writes the files of a job, one after the other: the disk and the network are shared with recording.
pub async fn run(link: Link, job: u64, files: Vec<ExportFile>, range: WallRange, without_audio: bool) {
    for (index, file) in files.into_iter().enumerate() {
        let result = one(&link, job, index, &file.path, request(file.camera, range, without_audio)).await;
        link.tell(Reply::ExportEnded(job, index, result)).await;
    }
}

fn request(camera: CameraId, range: WallRange, without_audio: bool) -> ExportRequest {
    ExportRequest { camera, stream: StreamKind::Main, range, without_audio }
}

/// Files of one name that may lie in a folder.
const SAME_NAMES: u32 = 999;

/// A name that is free, and the file beside it that holds it: another job may write the same camera and range, and what
/// was exported before is never overwritten.
async fn reserve(path: &Path) -> Result<(PathBuf, Part, File), Problem> {
    for number in 1..=SAME_NAMES {
        let name = numbered(path, number);
        let beside = name.with_extension("mp4.part");
        let out = match OpenOptions::new().write(true).create_new(true).open(&beside).await {
            Ok(out) => out,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error.into()),
        };
        let part = Part { path: beside, kept: false };
        if !tokio::fs::try_exists(&name).await? {
            return Ok((name, part, out));
        }
    }
    Err(std::io::Error::from(ErrorKind::AlreadyExists).into())
}

/// The path with a number before its extension, from the second on.
fn numbered(path: &Path, number: u32) -> PathBuf {
    match path.file_stem() {
        Some(stem) if number > 1 => {
            let mut name = stem.to_owned();
            name.push(format!("_{number}.mp4"));
            path.with_file_name(name)
        }
        _ => path.to_owned(),
    }
}

async fn one(link: &Link, job: u64, index: usize, path: &Path, request: ExportRequest) -> Result<(), Problem> {
    let mut stream = link.client.export(&request).await?;
    let total = stream.header.total_bytes;
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let (path, mut part, mut out) = reserve(path).await?;
    let mut written = 0_u64;
    let mut told = Instant::now();
    link.tell(Reply::ExportProgress(job, index, written, total)).await;
    while let Some(bytes) = stream.next().await? {
        out.write_all(&bytes).await?;
        written += bytes.len() as u64;
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            link.tell(Reply::ExportProgress(job, index, written, total)).await;
        }
    }
    out.sync_all().await?;
    drop(out);
    tokio::fs::rename(&part.path, &path).await?;
    part.kept = true;
    link.tell(Reply::ExportProgress(job, index, written, total)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_file_of_a_name_gets_a_number() {
        let path = Path::new("/exports/quay-1_20261124.mp4");
        assert_eq!(numbered(path, 1), path);
        assert_eq!(numbered(path, 2), Path::new("/exports/quay-1_20261124_2.mp4"));
    }
}
