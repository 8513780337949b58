//! `minhbach-camsim`: the command line of the simulated cameras. What it does is in the library.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use minhbach_camsim::clips::{ClipSettings, ClipStore};
use minhbach_camsim::profile::{Profile, Size};
use minhbach_camsim::rtsp::{Credentials, RtspServer};
use minhbach_camsim::serve::{ServeOptions, Simulator, prepare};
use minhbach_testkit::control::{Command, ControlClient};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Simulated RTSP cameras that show a service counter, for demonstration and tests.
///
/// Needs the programs ffmpeg and espeak-ng, Debian's fonts-dejavu-core, and GStreamer with its base and good plugins.
#[derive(Parser)]
#[command(name = "minhbach-camsim", version)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Serve cameras at rtsp://ADDRESS/camI/main and /camI/sub until SIGTERM or SIGINT.
    ///
    /// Prints one line when clients can connect: `ready rtsp://ADDRESS control=ADDRESS cameras=N`.
    Serve(Serve),
    /// Serve any pipelines at rtsp://ADDRESS/NAME, for cameras unlike the simulated ones.
    ///
    /// Prints `ready rtsp://ADDRESS` when clients can connect.
    Launch(Launch),
    /// Only encode the clips, so that a later start is quick.
    Media(Media),
    /// Do something to a camera of a running simulation.
    Command(Control),
}

#[derive(Args)]
struct Media {
    /// Where encoded clips are kept from run to run.
    #[arg(long, default_value = "target/camsim-media")]
    media_dir: PathBuf,
    /// How many cameras.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    cameras: u16,
    /// Codecs: mixed and demo vary them, plain is H.264 with AAC throughout.
    #[arg(long, value_enum, default_value_t = Profile::Demo)]
    profile: Profile,
    /// Size of the main stream.
    #[arg(long, default_value_t = Size::new(1920, 1080))]
    main_size: Size,
    /// After how long the scene repeats.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=120))]
    clip_seconds: u32,
    /// Also encode what the commands freeze, black, cover, blur, shift and resolution show.
    #[arg(long)]
    prepare_effects: bool,
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    media: Media,
    /// Where RTSP listens; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where commands are taken, on this machine only.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Write what was really sent into this folder, a file for each camera and stream.
    #[arg(long)]
    truth_dir: Option<PathBuf>,
    /// Ask clients for this name (Digest).
    #[arg(long, requires = "password")]
    username: Option<String>,
    /// And for this password.
    #[arg(long, requires = "username")]
    password: Option<String>,
}

#[derive(Args)]
struct Launch {
    /// Where RTSP listens; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// NAME=PIPELINE in the words of gst-launch-1.0, whose last elements are named pay0, pay1, …
    #[arg(required = true, value_parser = parse_stream)]
    streams: Vec<(String, String)>,
}

fn parse_stream(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, pipeline)| !name.is_empty() && pipeline.contains("pay0"));
    let (name, pipeline) = parts.ok_or_else(|| "expected NAME=PIPELINE with an element named pay0".to_owned())?;
    Ok((name.to_owned(), pipeline.to_owned()))
}

#[derive(Args)]
struct Control {
    /// The address after `control=` in the line that `serve` printed.
    #[arg(long)]
    control: SocketAddr,
    /// The camera's number, from 0.
    #[arg(long)]
    camera: u16,
    /// What to do.
    #[arg(value_enum)]
    command: Verb,
    /// Seconds for stall and offline.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Milliseconds for jump; negative goes back.
    #[arg(long, default_value_t = 5000, allow_negative_numbers = true)]
    ms: i64,
}

/// The commands, without their numbers.
#[derive(Clone, Copy, ValueEnum)]
enum Verb {
    Normal,
    Stall,
    Drop,
    Offline,
    Freeze,
    Black,
    Cover,
    Blur,
    Shift,
    Mute,
    Unmute,
    Resolution,
    Codec,
    Jump,
    RefusePassword,
    AcceptPassword,
}

impl Control {
    fn command(&self) -> Command {
        match self.command {
            Verb::Normal => Command::Normal,
            Verb::Stall => Command::Stall { seconds: self.seconds },
            Verb::Drop => Command::Drop,
            Verb::Offline => Command::Offline { seconds: self.seconds },
            Verb::Freeze => Command::Freeze,
            Verb::Black => Command::Black,
            Verb::Cover => Command::Cover,
            Verb::Blur => Command::Blur,
            Verb::Shift => Command::Shift,
            Verb::Mute => Command::Mute,
            Verb::Unmute => Command::Unmute,
            Verb::Resolution => Command::Resolution,
            Verb::Codec => Command::Codec,
            Verb::Jump => Command::Jump { ms: self.ms },
            Verb::RefusePassword => Command::RefusePassword,
            Verb::AcceptPassword => Command::AcceptPassword,
        }
    }
}

impl Media {
    fn settings(&self) -> ClipSettings {
        ClipSettings { media_dir: self.media_dir.clone(), main_size: self.main_size, clip_seconds: self.clip_seconds }
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let done = match Cli::parse().action {
        Action::Serve(serve) => run(serve),
        Action::Launch(launch) => run_launch(&launch),
        Action::Media(media) => ClipStore::open(media.settings())
            .and_then(|store| prepare(&store, media.profile, media.cameras, media.prepare_effects))
            .map_err(Into::into),
        Action::Command(control) => {
            ControlClient::new(control.control).send(control.camera, control.command()).map_err(Into::into)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("minhbach-camsim: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn run(serve: Serve) -> Result<(), Box<dyn Error>> {
    let credentials = serve.username.zip(serve.password).map(|(username, password)| Credentials { username, password });
    let options = ServeOptions {
        cameras: serve.media.cameras,
        listen: serve.listen,
        control: serve.control,
        truth_dir: serve.truth_dir,
        credentials,
        profile: serve.media.profile,
        clips: serve.media.settings(),
        prepare_effects: serve.media.prepare_effects,
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve_until_told(options))
}

fn run_launch(launch: &Launch) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = RtspServer::launch(launch.listen, &launch.streams)?;
        let mut out = std::io::stdout();
        writeln!(out, "ready rtsp://{}", server.address())?;
        out.flush()?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

async fn serve_until_told(options: ServeOptions) -> Result<(), Box<dyn Error>> {
    // Before anything else, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let store = Arc::new(ClipStore::open(options.clips.clone())?);
    let stopper = Arc::clone(&store);
    let cameras = options.cameras;
    // The first start encodes clips, which takes a while: signals are heard meanwhile.
    let mut starting = tokio::task::spawn_blocking(move || Simulator::start_with(&options, store));
    let simulator = tokio::select! {
        started = &mut starting => started??,
        _ = terminate.recv() => return stop_early(&stopper, starting).await,
        _ = interrupt.recv() => return stop_early(&stopper, starting).await,
    };
    let control = simulator.control_address().map(|address| address.to_string()).unwrap_or_default();
    let mut out = std::io::stdout();
    writeln!(out, "ready rtsp://{} control={control} cameras={cameras}", simulator.rtsp_address())?;
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(simulator);
    Ok(())
}

/// Ends a start that is still encoding; being told to stop is no failure.
async fn stop_early(
    store: &ClipStore,
    starting: tokio::task::JoinHandle<Result<Simulator, minhbach_camsim::serve::ServeError>>,
) -> Result<(), Box<dyn Error>> {
    store.stop();
    match starting.await? {
        Ok(simulator) => drop(simulator),
        Err(error) => tracing::info!(%error, "stopped before the cameras were ready"),
    }
    Ok(())
}
