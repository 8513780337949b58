//! Live view: a place in the feed of a stream, and in the feed of the main stream's sound when the sub stream has none.
//!
//! At most two messages wait for the reader. One who does not keep up falls behind in the feed and goes on with its newest
//! key picture; the loss is his own, and told to him.

use std::sync::Arc;

use minhbach_api::convert::{self, event};
use minhbach_api::v1;
use minhbach_api::v1::live_service_server::LiveService;
use minhbach_feed::{Event, Feed, StartAt, Subscription};
use minhbach_model::{CameraId, FormatId, MediaFormat, Sample, StreamKind, Track};
use tokio::sync::mpsc::Sender;
use tonic::{Request, Response, Status};

use super::refuse::{bad_request, camera_changed, camera_paused, no_camera, no_stream};
use super::{ANSWERS_WAITING, Answers, Shared, media};

pub(super) struct Live(pub Arc<Shared>);

type Answer = Result<v1::WatchLiveResponse, Status>;

#[tonic::async_trait]
impl LiveService for Live {
    type WatchLiveStream = Answers<v1::WatchLiveResponse>;

    async fn watch_live(
        &self,
        request: Request<v1::WatchLiveRequest>,
    ) -> Result<Response<Self::WatchLiveStream>, Status> {
        let request = request.into_inner();
        let camera: CameraId = convert::id("camera_id", &request.camera_id).map_err(bad_request)?;
        let stream = convert::media::stream_kind("stream", request.stream).map_err(bad_request)?;
        let status = self.0.cameras.get(camera).ok_or_else(|| no_camera(camera))?;
        if status.camera.paused {
            return Err(camera_paused(camera));
        }
        let feed = self.0.cameras.feed(camera, stream).ok_or_else(|| no_stream(camera, stream))?;
        let sound = match (request.audio, stream) {
            (true, StreamKind::Sub) => self.0.cameras.feed(camera, StreamKind::Main),
            _ => None,
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(ANSWERS_WAITING);
        let stop = self.0.tasks.stop_token();
        let shared = Arc::clone(&self.0);
        let hurry = self.0.cameras.hurry();
        let viewer = Viewer::new(&feed, sound.as_ref(), request.audio);
        self.0.tasks.spawn("live", async move {
            let _hurry = hurry;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sender.closed() => {}
                () = viewer.run(&sender, &feed) => {
                    // The reader may be gone; then nobody needs to know.
                    let _ = sender.send(Err(ended(&shared, camera))).await;
                }
            }
        });
        Ok(Response::new(Answers::new(receiver)))
    }
}

/// Why a feed was closed while the server runs.
fn ended(shared: &Shared, camera: CameraId) -> Status {
    match shared.cameras.get(camera) {
        None => no_camera(camera),
        Some(status) if status.camera.paused => camera_paused(camera),
        Some(_) => camera_changed(),
    }
}

struct Viewer {
    pictures: Subscription,
    /// The main stream, for its sound, while the stream itself has none.
    sound: Option<Subscription>,
    audio: bool,
    picture_format: Option<Arc<MediaFormat>>,
    sound_format: Option<Arc<MediaFormat>>,
    sent_format: Option<MediaFormat>,
    formats: u64,
    /// Messages ready to be sent.
    ready: Vec<v1::MediaEvent>,
    samples: Vec<Sample>,
}

enum Came {
    Pictures(Option<Event>),
    Sound(Option<Event>),
}

impl Viewer {
    fn new(feed: &Feed, sound: Option<&Feed>, audio: bool) -> Self {
        Self {
            pictures: feed.subscribe(StartAt::KeyFrame),
            sound: sound.map(|feed| feed.subscribe(StartAt::KeyFrame)),
            audio,
            picture_format: None,
            sound_format: None,
            sent_format: None,
            formats: 0,
            ready: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Runs until the feed closes or the reader is gone.
    async fn run(mut self, sender: &Sender<Answer>, feed: &Feed) {
        if let Some(cause) = feed.interrupted() {
            self.ready.push(event::interrupted(cause));
        }
        let mut more = Vec::new();
        loop {
            for message in self.ready.drain(..) {
                if sender.send(Ok(v1::WatchLiveResponse { event: Some(message) })).await.is_err() {
                    return;
                }
            }
            let came = match &mut self.sound {
                None => Came::Pictures(self.pictures.next().await),
                Some(sound) => tokio::select! {
                    event = self.pictures.next() => Came::Pictures(event),
                    event = sound.next() => Came::Sound(event),
                },
            };
            match came {
                Came::Pictures(None) => return,
                Came::Pictures(Some(event)) => {
                    self.take_picture_event(event);
                    // Whatever is there already goes into the same message: at the start that is the group of pictures.
                    self.pictures.drain(&mut more);
                    for event in more.drain(..) {
                        self.take_picture_event(event);
                    }
                }
                Came::Sound(None) => self.sound = None,
                Came::Sound(Some(event)) => {
                    self.take_sound_event(event);
                    if let Some(sound) = &mut self.sound {
                        sound.drain(&mut more);
                    }
                    for event in more.drain(..) {
                        self.take_sound_event(event);
                    }
                }
            }
            self.flush();
        }
    }

    fn take_picture_event(&mut self, event: Event) {
        match event {
            Event::Sample(sample) if sample.track == Track::Audio && !self.audio => {}
            Event::Sample(sample) => {
                if sample.format.audio.is_some() {
                    self.sound = None;
                }
                if self.picture_format.as_ref().is_none_or(|old| old.id != sample.format.id) {
                    self.flush();
                    self.picture_format = Some(Arc::clone(&sample.format));
                    self.tell_format();
                }
                self.samples.push(sample);
            }
            Event::Interrupted(cause) => {
                self.flush();
                self.ready.push(event::interrupted(cause));
            }
            Event::Skipped(skipped) => {
                self.flush();
                self.ready.push(event::skipped(skipped.samples, 0));
            }
        }
    }

    fn take_sound_event(&mut self, event: Event) {
        // The main stream's pictures, pauses and losses are not this viewer's.
        let Event::Sample(sample) = event else { return };
        if sample.track != Track::Audio {
            return;
        }
        if self.sound_format.as_ref().is_none_or(|old| old.id != sample.format.id) {
            self.flush();
            self.sound_format = Some(Arc::clone(&sample.format));
            self.tell_format();
        }
        if self.picture_format.is_some() {
            self.samples.push(sample);
        }
    }

    /// Tells the parameters in force, when they are complete and differ from what was told.
    fn tell_format(&mut self) {
        let Some(pictures) = &self.picture_format else { return };
        let sound = self.sound_format.as_ref().and_then(|format| format.audio.clone());
        let audio = if self.audio { pictures.audio.clone().or(sound) } else { None };
        let format = MediaFormat { id: FormatId(0), run: pictures.run, video: pictures.video.clone(), audio };
        let known = self.sent_format.as_ref().is_some_and(|s| s.run == format.run && s.same_parameters(&format));
        if known {
            return;
        }
        self.formats += 1;
        let format = MediaFormat { id: FormatId(self.formats), ..format };
        self.ready.push(event::format(&format));
        self.sent_format = Some(format);
    }

    fn flush(&mut self) {
        self.ready.extend(media::batches(&self.samples));
        self.samples.clear();
    }
}
