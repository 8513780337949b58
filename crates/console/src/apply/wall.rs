//! Changes of the wall of the page shown.

use super::Target;
use crate::command::WallCommand;
use crate::state::shell::{Page, Tone};
use crate::text::Message;

pub fn apply(target: &mut Target<'_>, command: WallCommand) {
    if let WallCommand::Show(_) = command
        && !target.state.shell.page.has_wall()
    {
        target.state.shell.page = Page::Live;
    }
    let wall = target.state.wall_mut();
    match command {
        WallCommand::Layout(layout) => wall.set_layout(layout),
        WallCommand::Show(camera) => wall.show(camera),
        WallCommand::Place(camera, slot) => wall.place(camera, slot),
        WallCommand::Swap(a, b) => wall.swap(a, b),
        WallCommand::Clear(slot) => wall.clear(slot),
        WallCommand::ClearSelected => {
            if let Some(slot) = wall.selected() {
                wall.clear(slot);
            }
        }
        WallCommand::Select(slot) => wall.select(slot),
        WallCommand::SelectNext(by) => wall.select_next(by),
        WallCommand::Promote(slot) => wall.promote(slot),
        WallCommand::PromoteSelected => {
            let leading = wall.leading().and_then(|camera| wall.slot_of(camera));
            if let Some(slot) = leading {
                wall.promote(slot);
            }
        }
        WallCommand::Zoom(camera, zoom) => wall.set_zoom(camera, zoom),
        WallCommand::Measured(camera, height_px) => wall.measure(camera, height_px),
        WallCommand::Listen(camera) => listen(target, Some(camera)),
        WallCommand::ListenSelected => {
            let leading = wall.leading();
            listen(target, leading);
        }
    }
}

/// Hears a camera, or stops when it is the one that is heard.
fn listen(target: &mut Target<'_>, camera: Option<minhbach_model::CameraId>) {
    let wall = target.state.wall_mut();
    wall.audible = if wall.audible == camera { None } else { camera };
    let heard = wall.audible;
    if let Some(camera) = heard
        && target.state.shell.settings.muted
    {
        // Who asks to hear a tile wants to hear it.
        target.state.shell.settings.muted = false;
        let name = target.state.camera_name(camera, target.text);
        target.state.shell.say(Tone::Info, Message::new("toast-sound-on").text("camera", name), target.now);
    }
}
