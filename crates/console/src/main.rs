//! `minhbach-console`: the desktop console of the monitoring staff.
//!
//! What belongs here: the command line and the start of the window. The shape of the rest: `app` holds the parts,
//! `logic` runs before each frame, `draw` draws it, `panels` send commands, `apply` alone changes `state`.

mod app;
mod apply;
mod command;
mod draw;
#[cfg(test)]
mod driven;
mod keys;
mod logic;
mod net;
mod panels;
mod players;
mod search;
mod state;
mod stills;
mod text;
mod theme;
mod typing;
mod video;
mod when;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use egui::ViewportBuilder;

use crate::app::App;
use crate::state::settings::Settings;
use crate::state::shell::Page;
use crate::state::wall::Layout;
use crate::text::Lang;

/// Minh Bạch: live wall, playback, incidents and cameras.
#[derive(Debug, Parser)]
#[command(name = "minhbach-console", version)]
struct Args {
    /// Address of the server, such as http://127.0.0.1:7878 [default: the one used last]
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// Language of the console [default: the one used last]
    #[arg(long, value_enum)]
    lang: Option<Lang>,

    /// What draws the window; glow where wgpu does not work
    #[arg(long, value_enum, default_value_t = Renderer::Wgpu)]
    renderer: Renderer,

    /// Size of everything, 0.8 to 2 [default: the one used last]
    #[arg(long, value_name = "FACTOR", value_parser = parse_scale)]
    scale: Option<f32>,

    /// Tiles of the live wall; 8 is one large and seven small [default: the layout used last]
    #[arg(long, value_name = "1|4|8|9|16", value_parser = parse_wall)]
    wall: Option<Layout>,

    /// The page shown first
    #[arg(long, value_enum, default_value_t = Page::Live)]
    page: Page,

    /// Start in full screen: the wall alone
    #[arg(long)]
    fullscreen: bool,

    /// Write a picture of the window to this PNG file and quit
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,

    /// When the picture is taken, seconds after the start
    #[arg(long, value_name = "SECS", default_value_t = 5.0, requires = "screenshot", value_parser = parse_seconds)]
    after: f64,
}

/// What draws the window.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Renderer {
    /// Vulkan, Metal, Direct3D or OpenGL through wgpu.
    Wgpu,
    /// Plain OpenGL.
    Glow,
}

fn parse_scale(text: &str) -> Result<f32, String> {
    let scale = text.parse::<f32>().ok().filter(|scale| (0.8..=2.0).contains(scale));
    scale.ok_or_else(|| "expected a number from 0.8 to 2".to_owned())
}

fn parse_wall(text: &str) -> Result<Layout, String> {
    let layout = text.parse().ok().and_then(Layout::from_tiles);
    layout.ok_or_else(|| "expected 1, 4, 8, 9 or 16".to_owned())
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "expected seconds from 0 to 3600".to_owned())
}

/// What the start decides, after flags and kept settings.
struct Start {
    settings: Settings,
    page: Page,
    layout: Option<Layout>,
    fullscreen: bool,
    screenshot: Option<(PathBuf, Duration)>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,minhbach_console=info")),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("minhbach-console: {error}");
            eprintln!("  {}", advice(&error));
            ExitCode::FAILURE
        }
    }
}

/// What to do about a window that cannot be opened. In English, as all that is told before there is a window.
fn advice(error: &eframe::Error) -> &'static str {
    match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            "There is no screen to open a window on: start it in a desktop session (DISPLAY or WAYLAND_DISPLAY is set there)."
        }
        _ => "The graphics driver refuses: try `--renderer glow`.",
    }
}

fn run(args: Args) -> Result<(), eframe::Error> {
    let mut settings = Settings::load();
    if let Some(server) = args.server {
        settings.switch_server(server);
    }
    if let Some(lang) = args.lang {
        settings.lang = lang;
    }
    if let Some(scale) = args.scale {
        settings.scale = scale;
    }
    let start = Start {
        settings,
        page: args.page,
        layout: args.wall,
        fullscreen: args.fullscreen,
        screenshot: args.screenshot.map(|file| (file, Duration::from_secs_f64(args.after))),
    };
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Minh Bạch")
            .with_app_id("minhbach-console")
            .with_inner_size([1920.0, 1080.0])
            .with_min_inner_size([960.0, 600.0])
            .with_fullscreen(args.fullscreen),
        renderer: match args.renderer {
            Renderer::Wgpu => eframe::Renderer::Wgpu,
            Renderer::Glow => eframe::Renderer::Glow,
        },
        // Every letter that is shown is bundled; the same picture on every workstation.
        system_font_fallback: false,
        persist_window: false,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native("minhbach-console", options, Box::new(|cc| Ok(Box::new(App::new(cc, start)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn limits_of_the_flags_are_kept() {
        assert_eq!(parse_wall("8"), Ok(Layout::OnePlusSeven));
        assert!(parse_wall("7").is_err());
        assert!(parse_scale("2.5").is_err() && parse_scale("x").is_err());
        assert_eq!(parse_seconds("2.5"), Ok(2.5));
    }
}
