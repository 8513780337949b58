//! The parts of the console and how they are put together. What happens each frame is in `logic` and `draw`.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use eframe::CreationContext;

use crate::Start;
use crate::command::Command;
use crate::net::Net;
use crate::players::Players;
use crate::state::State;
use crate::state::cameras::Cameras;
use crate::state::export::Exports;
use crate::state::holds::Holds;
use crate::state::incidents::Incidents;
use crate::state::playback::Playback;
use crate::state::settings::Settings;
use crate::state::shell::Shell;
use crate::state::wall::{Layout, Wall};
use crate::stills::Stills;
use crate::text::Text;
use crate::typing::Composer;
use crate::video::paint::Backend;
use crate::video::player::{Decoders, PlayerCtx, Repaint};
use crate::video::sound::Sound;
use crate::{theme, when};

/// Frames a second at most for new pictures …
const FRAMES: u32 = 60;
/// … and where a program pretends to be the graphics card: the rest of the processor is for decoding.
const SOFTWARE_FRAMES: u32 = 15;

/// Why the console cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address of the server is none, or threads cannot be started.
    #[error("{0}")]
    Network(String),
    /// The threads that end the decoders cannot be started.
    #[error("the decoders cannot be started")]
    Decoders(#[source] std::io::Error),
}

/// A picture of the window that was asked for on the command line.
pub struct Screenshot {
    /// Where it goes.
    pub file: std::path::PathBuf,
    /// When it is taken.
    pub at: Instant,
    /// It was asked for.
    pub asked: bool,
    /// Where egui hands it over.
    pub sender: mpsc::SyncSender<std::sync::Arc<egui::ColorImage>>,
    /// Where it is taken from.
    pub receiver: mpsc::Receiver<std::sync::Arc<egui::ColorImage>>,
}

/// The console.
// Fields are dropped in this order: players first, then what they use.
pub struct App {
    /// Players of the tiles shown.
    pub players: Players,
    /// The last picture of each camera, kept from one start to the next.
    pub stills: Stills,
    /// Sound output.
    pub sound: Sound,
    /// The network.
    pub net: Net,
    /// How pictures are drawn.
    pub backend: Backend,
    /// Everything that is known.
    pub state: State,
    /// The texts.
    pub text: Text,
    /// Commands of the last frame.
    pub commands: Vec<Command>,
    /// Composes Vietnamese in text fields.
    pub composer: Composer,
    /// Settings as they were written last, and when.
    pub saved: (Settings, Instant),
    /// A picture to take.
    pub screenshot: Option<Screenshot>,
}

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`StartError`] when threads cannot be started or the server's address is none.
    pub fn new(cc: &CreationContext<'_>, start: Start) -> Result<Self, StartError> {
        let egui = cc.egui_ctx.clone();
        let settings = start.settings;
        theme::apply(&egui);
        egui.set_zoom_factor(settings.scale);
        let net = Net::start(&settings.server, egui.clone()).map_err(|problem| StartError::Network(problem.detail))?;
        let runtime = net.handle().ok_or_else(|| StartError::Network("the network has ended".to_owned()))?;
        let decoders = Decoders::start().map_err(StartError::Decoders)?;
        let sound = Sound::start(egui.clone());
        let backend = Backend::new(cc);
        let a_second = if backend.is_software_rasteriser() { SOFTWARE_FRAMES } else { FRAMES };
        let stills = Stills::start(&settings.server, egui.clone());
        let repaint = Repaint::new(egui, a_second);
        let players =
            Players::new(PlayerCtx { client: net.client(), runtime, repaint, sound: sound.handle(), decoders });
        let now = Instant::now();
        let layout = start.layout.or(settings.layout);
        let mut shell = Shell::new(start.page, settings.clone());
        shell.fullscreen = start.fullscreen;
        shell.fixed_layout = start.layout.is_some();
        shell.settings.layout = layout;
        let state = State {
            shell,
            live: Wall::restored(layout.unwrap_or(Layout::Four), &settings.tiles),
            playback: Playback::new(when::now()),
            review: Playback::new(when::now()),
            cameras: Cameras::default(),
            incidents: Incidents::default(),
            exports: Exports::default(),
            holds: Holds::default(),
            server: None,
            clock_ahead_ns: 0,
        };
        let screenshot = start.screenshot.map(|(file, after)| {
            let (sender, receiver) = mpsc::sync_channel(1);
            Screenshot { file, at: now + after, asked: false, sender, receiver }
        });
        Ok(Self {
            players,
            stills,
            sound,
            net,
            backend,
            text: Text::new(settings.lang),
            state,
            commands: Vec::new(),
            composer: Composer::default(),
            saved: (settings, now),
            screenshot,
        })
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        crate::logic::run(self, ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.composer.before_drawing(self.state.shell.settings.typing, ui.ctx());
        crate::draw::run(self, ui);
        self.composer.after_drawing(ui.ctx());
        self.backend.end_frame();
        self.state.shell.typed = ui.ctx().text_edit_focused();
        // Clocks and the age of a state go on without new pictures.
        ui.ctx().request_repaint_after(Duration::from_millis(500));
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        crate::logic::save_at_end(self);
        crate::logic::keep_at_end(self);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        theme::tokens::GROUND.to_normalized_gamma_f32()
    }
}
