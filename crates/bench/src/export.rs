//! Export of an hour by minhbachctl, in turn with `cp` of the same segment files to the same disk.
//!
//! The server checks the hash of every fragment and sends the file over gRPC; minhbachctl writes it, syncs it and
//! renames it. `cp` copies the media files into a folder (without sharing blocks), and each copy is synced as well:
//! both times end when the bytes are on the disk. Before each of them what was written before is deleted and the disk is
//! at rest.
//!
//! *Warm*: the files are in memory before each. *Cold*: the kernel has forgotten them before each, as in
//! [`crate::playback`]. As many bytes a second as `cp` is a ratio of 1.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use minhbach_client::Client;
use minhbach_model::{CameraId, StreamKind, WallRange};

use crate::cache::State;
use crate::footage::{FootageOptions, Kept, runtime};
use crate::meter::spread;
use crate::{Outcome, cache, failed};

/// What a player says of the length may differ by so much: a frame of sound that reaches over the end.
const LENGTH_SLACK_SECS: f64 = 0.2;

/// Measure exports.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Times each is measured, warm and cold.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// minhbachctl.
    #[arg(long)]
    ctl: PathBuf,
    #[command(flatten)]
    footage: FootageOptions,
}

/// What is exported and copied.
struct Hour {
    camera: CameraId,
    range: WallRange,
    files: Vec<(PathBuf, u64)>,
    video_samples: u64,
    audio_samples: u64,
}

/// Seconds and bytes a second of some rounds.
#[derive(Debug, Default)]
struct Rounds {
    export_secs: Vec<f64>,
    cp_secs: Vec<f64>,
    export_mb_s: Vec<f64>,
    cp_mb_s: Vec<f64>,
    /// Speed of the export as a share of that of `cp` in the same round.
    ratio: Vec<f64>,
}

impl Export {
    pub fn run(self) -> Outcome {
        let kept = Kept::ready(&self.footage)?;
        let (_server, address) = kept.serve(&self.server)?;
        let hour = runtime()?.block_on(Hour::of(&kept, &address))?;
        let work = kept.root().join("work");
        clear(&work)?;
        let bytes = cache::size(&hour.files);
        cache::need_room(kept.root(), bytes + bytes / 10, "an export of an hour")?;
        std::fs::create_dir(&work).map_err(failed("folder"))?;
        let measured = self.measure(&hour, &address, &work);
        clear(&work)?;
        println!("{}", measured?);
        Ok(())
    }

    /// Returns the line of figures.
    fn measure(&self, hour: &Hour, address: &str, work: &Path) -> Outcome<serde_json::Value> {
        let bytes = cache::size(&hour.files);
        // What is written stays in memory beside what is read.
        let warm = if cache::fits(bytes * 2)? {
            Some(self.rounds(hour, address, work, State::Warm)?.report(State::Warm))
        } else {
            None
        };
        let cold = self.rounds(hour, address, work, State::Cold)?.report(State::Cold);
        let target = work.join("hour.mp4");
        self.export(hour, address, &target)?;
        let length = length_secs(&target)?;
        let wanted = hour.range.duration().as_secs_f64();
        match length {
            Some(length) if (length - wanted).abs() > LENGTH_SLACK_SECS => {
                return Err(format!("ffprobe finds {length:.3} s in an export of {wanted:.3} s"));
            }
            Some(length) => println!("every export was whole; ffprobe finds {length:.3} s in one of {wanted:.3} s"),
            None => println!("every export was whole by size and number of pictures; ffprobe is not installed"),
        }
        Ok(serde_json::json!({
            "bench": "export", "footage_secs": wanted, "bytes": bytes, "files": hour.files.len(), "rounds": self.rounds,
            "synced": "both", "ffprobe_secs": length, "warm": warm, "cold": cold,
        }))
    }

    fn rounds(&self, hour: &Hour, address: &str, work: &Path, state: State) -> Outcome<Rounds> {
        let mut rounds = Rounds::default();
        for round in 0..self.rounds {
            eprintln!("export: {}, round {} of {}", state.name(), round + 1, self.rounds);
            let export = || -> Outcome<(f64, u64)> {
                let target = work.join("hour.mp4");
                prepare(&hour.files, state)?;
                let started = Instant::now();
                let bytes = self.export(hour, address, &target)?;
                let secs = started.elapsed().as_secs_f64();
                std::fs::remove_file(&target).map_err(failed("export"))?;
                Ok((secs, bytes))
            };
            // Each goes first in every other round: neither has the disk always as the other one left it.
            let (exported, copied) = if round.is_multiple_of(2) {
                let exported = export()?;
                (exported, copy(hour, work, state)?)
            } else {
                let copied = copy(hour, work, state)?;
                (export()?, copied)
            };
            rounds.note(exported, copied);
        }
        Ok(rounds)
    }

    /// Exports as a person does and checks that the file is whole. Returns its size, bytes.
    fn export(&self, hour: &Hour, address: &str, target: &Path) -> Outcome<u64> {
        let mut command = Command::new(&self.ctl);
        command.args(["--server", address, "--json", "export", "--camera", &hour.camera.to_string()]);
        command.args(["--from", &hour.range.start.to_string(), "--to", &hour.range.end.to_string(), "--out"]);
        let output = command.arg(target).output().map_err(failed("minhbachctl"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(failed("minhbachctl"))?;
        let bytes = std::fs::metadata(target).map_err(failed("export"))?.len();
        let is_whole = answer["bytes"].as_u64() == Some(bytes)
            && answer["video_samples"].as_u64() == Some(hour.video_samples)
            && answer["audio_samples"].as_u64() == Some(hour.audio_samples)
            && answer["gaps"].as_array().is_some_and(Vec::is_empty);
        if is_whole {
            return Ok(bytes);
        }
        let wanted = format!("{} pictures and {} frames of sound", hour.video_samples, hour.audio_samples);
        Err(format!("the export is not whole: a file of {bytes} bytes, and {answer} for {wanted}"))
    }
}

impl Hour {
    /// The first hour of the first camera, in whole files.
    async fn of(kept: &Kept, address: &str) -> Outcome<Self> {
        let client = Client::connect(address).await.map_err(failed("connect"))?;
        let camera = *kept.cameras().first().ok_or("there is no footage")?;
        let start = kept.range().start;
        let range = WallRange { start, end: start + Duration::from_secs(3600) };
        let (rows, _) = client.recordings(camera, StreamKind::Main, range).await.map_err(failed("recordings"))?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err("the server knows no footage".to_owned());
        };
        Ok(Self {
            camera,
            range: WallRange { start: first.range.start, end: last.range.end },
            files: rows.iter().map(|row| (kept.spool().join(&row.key), row.bytes)).collect(),
            video_samples: rows.iter().map(|row| row.video_samples).sum(),
            audio_samples: rows.iter().map(|row| row.audio_samples).sum(),
        })
    }
}

/// Takes away what an earlier measurement wrote, if one was interrupted.
fn clear(folder: &Path) -> Outcome {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Brings disk and memory into the state in which a measurement begins.
fn prepare(files: &[(PathBuf, u64)], state: State) -> Outcome {
    rustix::fs::sync();
    match state {
        State::Warm => cache::load(files),
        State::Cold => {
            // The sidecars, too: the export reads them.
            let sidecars = files.iter().map(|(path, bytes)| {
                let mut name = path.as_os_str().to_owned();
                name.push(".jsonl");
                (PathBuf::from(name), *bytes)
            });
            cache::forget(files)?;
            cache::forget(&sidecars.collect::<Vec<_>>())
        }
    }
}

/// Copies the files and syncs the copies. Returns seconds and bytes.
fn copy(hour: &Hour, work: &Path, state: State) -> Outcome<(f64, u64)> {
    let target = work.join("copy");
    std::fs::create_dir(&target).map_err(failed("folder"))?;
    prepare(&hour.files, state)?;
    let started = Instant::now();
    let mut command = Command::new("cp");
    command.args(["--reflink=never", "--target-directory"]).arg(&target);
    let status = command.args(hour.files.iter().map(|(path, _)| path)).status().map_err(failed("cp"))?;
    if !status.success() {
        return Err(format!("cp failed ({status})"));
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(&target).map_err(failed("copy"))? {
        let file = File::open(entry.map_err(failed("copy"))?.path()).map_err(failed("copy"))?;
        file.sync_all().map_err(failed("sync"))?;
        bytes += file.metadata().map_err(failed("copy"))?.len();
    }
    let secs = started.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&target).map_err(failed("copy"))?;
    if bytes != cache::size(&hour.files) {
        return Err(format!("cp wrote {bytes} bytes of {}", cache::size(&hour.files)));
    }
    Ok((secs, bytes))
}

impl Rounds {
    fn note(&mut self, (export_secs, export_bytes): (f64, u64), (cp_secs, cp_bytes): (f64, u64)) {
        #[allow(clippy::cast_precision_loss)] // megabytes
        let (export_mb_s, cp_mb_s) = (export_bytes as f64 / 1e6 / export_secs, cp_bytes as f64 / 1e6 / cp_secs);
        self.export_secs.push(export_secs);
        self.cp_secs.push(cp_secs);
        self.export_mb_s.push(export_mb_s);
        self.cp_mb_s.push(cp_mb_s);
        self.ratio.push(export_mb_s / cp_mb_s);
    }

    /// Prints them for people and returns them for the line of figures.
    fn report(self, state: State) -> serde_json::Value {
        let Self { export_secs, cp_secs, export_mb_s, cp_mb_s, ratio } = self;
        println!("{}, {} rounds: smallest / median / largest", state.name(), ratio.len());
        for (round, ((export, cp), ratio)) in export_secs.iter().zip(&cp_secs).zip(&ratio).enumerate() {
            println!("  round {}: export {export:.2} s, cp {cp:.2} s, ratio {ratio:.2}", round + 1);
        }
        let [export_secs, cp_secs, export_mb_s, cp_mb_s, ratio] =
            [export_secs, cp_secs, export_mb_s, cp_mb_s, ratio].map(spread);
        let show = |(min, median, max): (f64, f64, f64)| format!("{min:.2} / {median:.2} / {max:.2}");
        println!("  export {} s, {} MB/s", show(export_secs), show(export_mb_s));
        println!("  cp     {} s, {} MB/s", show(cp_secs), show(cp_mb_s));
        println!("  ratio  {}", show(ratio));
        serde_json::json!({
            "export_s": export_secs, "cp_s": cp_secs, "export_mb_s": export_mb_s, "cp_mb_s": cp_mb_s, "ratio": ratio,
        })
    }
}

/// What ffprobe says of the length of a file; `None` where it is not installed.
fn length_secs(file: &Path) -> Outcome<Option<f64>> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_entries", "format=duration", "-of", "default=noprint_wrappers=1:nokey=1"]);
    let output = match command.arg(file).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("ffprobe"))?,
    };
    let text = String::from_utf8_lossy(&output.stdout);
    // It complains on standard error even where it gives a length; a file that is whole gives it no reason.
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(format!("ffprobe: {}", String::from_utf8_lossy(&output.stderr)));
    }
    text.trim().parse().map(Some).map_err(|_| format!("ffprobe says `{}` for a length", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_speeds() {
        let mut rounds = Rounds::default();
        rounds.note((4.0, 2_000_000), (1.0, 1_000_000));
        assert_eq!((rounds.export_mb_s[0], rounds.cp_mb_s[0], rounds.ratio[0]), (0.5, 1.0, 0.5));
    }
}
