//! `export`: a range of a camera as an MP4 file.
//!
//! The file appears under its name only when it is complete; until then it has a temporary name beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use minhbach_client::{Client, ExportHeader, ExportRequest, ExportStream};
use minhbach_model::{WallRange, WallTime};
use serde_json::{Value, json};

use crate::args::ExportArgs;
use crate::error::CtlError;
use crate::output::{Output, bytes};
use crate::recordings::gap_json;
use crate::when;

/// Runs the command.
pub async fn run(client: &Client, output: &mut Output, args: ExportArgs) -> Result<(), CtlError> {
    // All that is wrong on this machine is told before the server is asked, and not after a long transfer.
    refuse_bad_target(&args.out)?;
    refuse_existing(&args)?;
    let now = when::now();
    let range = when::range(args.from, args.to, now)?;
    refuse_future(range, now)?;
    let request = ExportRequest { camera: args.camera, stream: args.stream, range, without_audio: args.without_audio };
    let mut stream = client.export(&request).await?;
    let mut partial = PartialFile::create(&args.out)?;
    tokio::select! {
        received = receive(&mut stream, &mut partial) => received?,
        signal = tokio::signal::ctrl_c() => {
            // Dropping `partial` removes the temporary file.
            return Err(match signal {
                Ok(()) => CtlError::Failed("stopped: nothing was written".to_owned()),
                Err(error) => CtlError::Failed(format!("cannot listen for Ctrl-C: {error}")),
            });
        }
    }
    refuse_existing(&args)?;
    partial.finish()?;
    if output.is_json() {
        return output.object(&export_json(&args.out, &stream.header));
    }
    let header = &stream.header;
    output.line(&format!("Wrote {}: {}", args.out.display(), bytes(header.total_bytes)))?;
    output.line(&format!("From {} to {}", when::local(header.range.start), when::local(header.range.end)))?;
    if range.end > now {
        let asked = when::local(range.end);
        output.line(&format!("{asked} is in the future: the file ends with what was recorded until now"))?;
    }
    output.line(&format!("{} pictures, {} packets of sound", header.video_samples, header.audio_samples))?;
    for gap in &header.gaps {
        let end = gap.end.map_or_else(|| "now".to_owned(), when::local);
        output.line(&format!("Missing from {} to {end}: {}", when::local(gap.start), gap.cause.as_str()))?;
    }
    Ok(())
}

/// What can never become the file that is asked for.
fn refuse_bad_target(target: &Path) -> Result<(), CtlError> {
    let shown = target.display();
    if target.is_dir() {
        let example = target.join("export.mp4");
        return Err(CtlError::Usage(format!(
            "--out {shown} is a folder: name a file in it, such as {}",
            example.display()
        )));
    }
    let is_mp4 = target.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mp4"));
    if !is_mp4 {
        return Err(CtlError::Usage(format!("--out {shown}: an export is an MP4 file, give a name that ends in .mp4")));
    }
    let folder = folder_of(target);
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(CtlError::Failed(format!("--out {shown}: {} is not a folder", folder.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder.display();
            Err(CtlError::Failed(format!("--out {shown}: there is no folder {folder}; make it, or choose another")))
        }
        Err(error) => Err(CtlError::Write { path: target.to_owned(), error }),
    }
}

fn folder_of(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn refuse_future(range: WallRange, now: WallTime) -> Result<(), CtlError> {
    if range.start < now {
        return Ok(());
    }
    Err(CtlError::Failed(format!("{} is in the future: nothing is recorded there yet", when::local(range.start))))
}

fn refuse_existing(args: &ExportArgs) -> Result<(), CtlError> {
    if !args.force && fs::symlink_metadata(&args.out).is_ok() {
        return Err(CtlError::Failed(format!(
            "{} exists already: choose another name, or replace it with --force",
            args.out.display()
        )));
    }
    Ok(())
}

async fn receive(stream: &mut ExportStream, partial: &mut PartialFile) -> Result<(), CtlError> {
    let bar = progress(stream.header.total_bytes);
    while let Some(data) = stream.next().await? {
        partial.write(&data)?;
        bar.inc(data.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// On standard error, and only where a person sees it.
fn progress(total_bytes: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total_bytes);
    let template = "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// A file under its temporary name; removed when it is dropped before it is finished. Errors name the file that was asked
/// for: a person has never heard of the other one.
#[derive(Debug)]
struct PartialFile {
    target: PathBuf,
    path: PathBuf,
    file: File,
    finished: bool,
}

impl PartialFile {
    /// In the same folder as `target`, so that it can be renamed.
    fn create(target: &Path) -> Result<Self, CtlError> {
        let Some(name) = target.file_name() else {
            return Err(CtlError::Usage(format!("--out {} does not name a file", target.display())));
        };
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}.partial", std::process::id()));
        let path = target.with_file_name(temporary);
        let target = target.to_owned();
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => Ok(Self { target, path, file, finished: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CtlError::Failed(format!(
                "cannot write {}: an export that was killed left {} behind; remove it and repeat the command",
                target.display(),
                path.display()
            ))),
            Err(error) => Err(CtlError::Write { path: target, error }),
        }
    }

    fn write(&mut self, data: &[u8]) -> Result<(), CtlError> {
        self.file.write_all(data).map_err(|error| self.error(error))
    }

    /// Syncs the file and gives it its name.
    fn finish(mut self) -> Result<(), CtlError> {
        self.file.sync_all().and_then(|()| fs::rename(&self.path, &self.target)).map_err(|error| self.error(error))?;
        self.finished = true;
        Ok(())
    }

    fn error(&self, error: io::Error) -> CtlError {
        CtlError::Write { path: self.target.clone(), error }
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            eprintln!("minhbachctl: cannot remove the unfinished file {}: {error}", self.path.display());
        }
    }
}

fn export_json(file: &Path, header: &ExportHeader) -> Value {
    json!({
        "file": file.to_string_lossy(),
        "bytes": header.total_bytes,
        "start": header.range.start.to_string(),
        "end": header.range.end.to_string(),
        "video_samples": header.video_samples,
        "audio_samples": header.audio_samples,
        "gaps": header.gaps.iter().map(gap_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use minhbach_model::{CameraId, Gap, GapCause, StreamKind};

    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.mp4");
        let mut partial = PartialFile::create(&target).unwrap();
        partial.write(b"abc").unwrap();
        assert!(!target.exists());
        partial.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abc");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut partial = PartialFile::create(&folder.path().join("a.mp4")).unwrap();
        partial.write(b"abc").unwrap();
        drop(partial);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_target_that_cannot_be_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for good in ["a.mp4", "A.MP4", "x.y.Mp4"] {
            refuse_bad_target(&at(good)).unwrap();
        }
        refuse_bad_target(Path::new("a.mp4")).unwrap();
        fs::write(at("file"), "").unwrap();
        for (target, status, part) in [
            (at(""), 2, "export.mp4"),
            (at("a.avi"), 2, "ends in .mp4"),
            (at("a"), 2, "ends in .mp4"),
            (at(".mp4"), 2, "ends in .mp4"),
            (at("missing/a.mp4"), 1, "there is no folder"),
        ] {
            let error = refuse_bad_target(&target).unwrap_err();
            assert_eq!(error.exit_status(), status, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        let error = refuse_bad_target(&at("file/a.mp4")).unwrap_err();
        assert_eq!(error.exit_status(), 1, "{error}");
    }

    #[test]
    fn an_error_names_the_file_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("gone").join("a.mp4");
        let error = PartialFile::create(&target).unwrap_err();
        assert!(error.to_string().contains(&target.display().to_string()), "{error}");
        assert!(!error.to_string().contains(".partial"), "{error}");
        assert!(error.advice(crate::error::Subject::Camera).is_some_and(|advice| advice.contains("--out")));
    }

    #[test]
    fn a_range_that_is_yet_to_come_is_not_asked_for() {
        let second = WallTime::from_secs;
        let range = WallRange { start: second(100), end: second(200) };
        assert!(refuse_future(range, second(101)).is_ok());
        assert!(refuse_future(range, second(100)).unwrap_err().to_string().contains("in the future"));
    }

    #[test]
    fn the_final_object_has_the_keys_of_the_contract() {
        let gap = Gap {
            camera: CameraId::generate(),
            stream: StreamKind::Main,
            start: WallTime::from_secs(1_800_000_001),
            end: Some(WallTime::from_secs(1_800_000_002)),
            cause: GapCause::PacketLoss,
        };
        let header = ExportHeader {
            total_bytes: 9,
            range: WallRange { start: WallTime::from_secs(1_800_000_000), end: WallTime::from_secs(1_800_000_060) },
            video_samples: 1500,
            audio_samples: 900,
            gaps: vec![gap],
        };
        assert_eq!(
            export_json(Path::new("a.mp4"), &header),
            json!({
                "file": "a.mp4", "bytes": 9, "start": "2027-01-15T08:00:00.000Z", "end": "2027-01-15T08:01:00.000Z",
                "video_samples": 1500, "audio_samples": 900,
                "gaps": [{"start": "2027-01-15T08:00:01.000Z", "end": "2027-01-15T08:00:02.000Z", "cause": "packet_loss"}],
            })
        );
    }
}
