//! Writes exports to files: beside the final name first, renamed when complete, removed when stopped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use minhbach_client::ExportRequest;
use minhbach_model::{CameraId, StreamKind, WallRange};
use tokio::fs::File;
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

async fn one(link: &Link, job: u64, index: usize, path: &Path, request: ExportRequest) -> Result<(), Problem> {
    let mut stream = link.client.export(&request).await?;
    let total = stream.header.total_bytes;
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let beside = path.with_extension("mp4.part");
    let mut out = File::create(&beside).await?;
    let mut part = Part { path: beside, kept: false };
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
    tokio::fs::rename(&part.path, path).await?;
    part.kept = true;
    link.tell(Reply::ExportProgress(job, index, written, total)).await;
    Ok(())
}
