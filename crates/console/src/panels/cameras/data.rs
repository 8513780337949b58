//! Rows of the table of cameras, in words.

use minhbach_model::{CameraId, CameraStatus, FailureKind, StreamKind};

use crate::search;
use crate::state::cameras::{Cameras, Health, health, stream};
use crate::text::{Message, Text, exactly};

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The camera.
    pub id: CameraId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: String,
    /// How it is.
    pub health: Health,
    /// Since when.
    pub since: String,
    /// Codec and size.
    pub video: String,
    /// Codec of the sound.
    pub audio: String,
    /// Bits a second.
    pub bit_rate: String,
    /// Pictures a second.
    pub frame_rate: String,
}

/// Every camera the search finds; the troubled ones first, for whom the page is opened.
#[must_use]
pub fn rows(cameras: &Cameras, text: &Text) -> Vec<Row> {
    let mut rows: Vec<Row> = cameras.list.iter().map(|status| row(cameras, status, text)).collect();
    rows.retain(|row| search::matches(&cameras.table_query, &format!("{} {} {}", row.name, row.place, row.video)));
    rows.sort_by_key(|row| urgency(row.health));
    rows
}

fn urgency(health: Health) -> u8 {
    match health {
        Health::Failed(_) | Health::NotRecorded(_) => 0,
        Health::Soundless(_) | Health::Partly => 1,
        Health::Connecting => 2,
        Health::Recording => 3,
        Health::Paused => 4,
    }
}

fn row(cameras: &Cameras, status: &CameraStatus, text: &Text) -> Row {
    let main = stream(status, StreamKind::Main);
    let flowing = main.filter(|main| main.state.flows());
    Row {
        id: status.camera.id,
        name: status.camera.draft.name.clone(),
        place: cameras.place_line(status.camera.draft.contact_point).unwrap_or_default(),
        health: health(status),
        since: main.map(|main| crate::when::date_time(main.since)).unwrap_or_default(),
        video: main.map(|main| main.video.clone()).unwrap_or_default(),
        audio: main.map(|main| main.audio.clone()).unwrap_or_default(),
        // The last figures of a stream that does not flow would look like figures of now.
        bit_rate: flowing.map(|main| text.bit_rate(main.bit_rate_bps)).unwrap_or_default(),
        frame_rate: flowing.map(|main| frame_rate(main.frame_rate_milli, text)).unwrap_or_default(),
    }
}

/// Thousandths of a picture a second as `25` or `12,5`.
#[must_use]
pub fn frame_rate(milli: u32, text: &Text) -> String {
    let rate = f64::from(milli) / 1000.0;
    let whole = (rate - rate.round()).abs() < 0.05;
    text.decimal(rate, usize::from(!whole))
}

/// What is wrong with a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// Which stream.
    pub stream: StreamKind,
    /// What fails, in a few words, and what to do about it.
    pub kind: FailureKind,
    /// What exactly happened, in the operator's words, where the server said more.
    pub exactly: Option<Message>,
    /// The exact failure in English, for a technician.
    pub detail: String,
}

/// What is wrong with a camera, main stream first.
#[must_use]
pub fn troubles(status: &CameraStatus) -> Vec<Trouble> {
    let failed = |stream: &minhbach_model::StreamStatus| {
        let kind = stream.state.failure()?;
        let exactly = exactly(kind, &stream.params);
        Some(Trouble { stream: stream.stream, kind, exactly, detail: stream.message.clone() })
    };
    status.streams.iter().filter_map(failed).collect()
}

#[cfg(test)]
mod tests {
    use minhbach_model::CameraState;

    use super::*;
    use crate::panels::tree::data::tests::camera;
    use crate::text::Lang;

    #[test]
    fn troubled_cameras_come_first_and_show_no_stale_figures() {
        let failed = CameraState::Failed(FailureKind::AuthRefused);
        let list = vec![camera("A", None, CameraState::Recording), camera("B", None, failed)];
        let cameras = Cameras { list, ..Cameras::default() };
        let rows = rows(&cameras, &Text::new(Lang::Vi));
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["B", "A"]);
        assert_eq!((rows[0].bit_rate.as_str(), rows[1].bit_rate.as_str()), ("", "4,0 Mbit/s"));
        assert_eq!(troubles(&cameras.list[1]).len(), 1);
    }

    #[test]
    fn a_camera_that_is_not_recorded_comes_first_and_keeps_the_figures_of_what_flows() {
        let full = CameraState::NotRecording(FailureKind::DiskFull);
        let list = vec![camera("A", None, CameraState::Recording), camera("B", None, full)];
        let cameras = Cameras { list, ..Cameras::default() };
        let rows = rows(&cameras, &Text::new(Lang::Vi));
        assert_eq!((rows[0].name.as_str(), rows[0].bit_rate.as_str()), ("B", "4,0 Mbit/s"));
    }

    #[test]
    fn a_trouble_says_what_happened_and_keeps_the_servers_words_for_a_technician() {
        let mut status = camera("A", None, CameraState::Failed(FailureKind::TimedOut));
        status.streams[0].message = "DESCRIBE took longer than 8 s".to_owned();
        status.streams[0].params.insert("seconds".to_owned(), "8".to_owned());
        let trouble = troubles(&status).remove(0);
        assert_eq!(trouble.detail, "DESCRIBE took longer than 8 s");
        let text = trouble.exactly.map(|message| message.show(&Text::new(Lang::Vi)));
        assert_eq!(text.as_deref(), Some("Camera không phản hồi trong 8 giây."));
    }

    #[test]
    fn frame_rates_have_a_decimal_only_when_needed() {
        let text = Text::new(Lang::Vi);
        assert_eq!(frame_rate(25_010, &text), "25");
        assert_eq!(frame_rate(12_500, &text), "12,5");
    }

    #[test]
    fn the_table_is_searched_without_marks() {
        let list = vec![camera("Quầy Đất đai", None, CameraState::Recording)];
        let mut cameras = Cameras { list, ..Cameras::default() };
        cameras.table_query = "dat dai".to_owned();
        assert_eq!(rows(&cameras, &Text::new(Lang::Vi)).len(), 1);
        cameras.table_query = "nhà".to_owned();
        assert_eq!(rows(&cameras, &Text::new(Lang::Vi)).len(), 0);
    }
}
