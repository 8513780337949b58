//! One connection to one camera stream, from DESCRIBE to its end. Knows no retry.
//!
//! RFC 2326 (RTSP), with RTP interleaved in the TCP connection (§10.12).

use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use minhbach_model::{
    AudioCodec, AudioParams, FailureKind, FormatId, MAX_ACCESS_UNIT_BYTES, MediaFormat, RunId, Sample, Sound,
    SoundState, Timescale, Track, VideoCodec, VideoParams, WallTime,
};
use minhbach_runtime::Clock;
use retina::client::{
    Credentials, Demuxed, Described, InitialTimestampPolicy, PlayOptions, Session, SessionGroup, SessionOptions,
    SetupOptions, Stream, Transport,
};
use retina::codec::{CodecItem, FrameFormat, ParametersRef};
use tokio::time::Instant;

use crate::access;
use crate::clock::RunClock;
use crate::failure::Failure;
use crate::source::{IngestOptions, StreamConfig};

/// Runs and formats are counted over the whole process, so that equal numbers mean the same.
static NEXT_RUN: AtomicU64 = AtomicU64::new(1);
static NEXT_FORMAT: AtomicU64 = AtomicU64::new(1);

/// How long pictures may come without one that can be decoded alone: longer than the longest group of pictures in use.
const KEY_LIMIT: Duration = Duration::from_secs(40);
/// Packets that cannot be used, before the connection is given up.
const BAD_PACKETS_MAX: u32 = 50;
const BAD_PACKETS_WINDOW: Duration = Duration::from_secs(10);

/// Sender reports count from 1900 (RFC 3550 §4); any epoch will do for differences.
const NTP_FRACTION: i128 = 1 << 32;

/// What an attempt hands over.
pub(crate) enum Delivery {
    /// A picture or a piece of sound.
    Sample(Sample),
    /// Once a connection, before the first sample: what carries it, and whether there will be sound. Unknown: the camera
    /// agreed to send it.
    Connected(Carrier, Sound),
}

/// Takes what comes; may break off.
pub(crate) type Taker<'a> = dyn FnMut(Delivery) -> ControlFlow<()> + Send + 'a;

/// Connects and hands over samples until something fails or `sink` breaks off.
///
/// Returns `Ok` only when `sink` asked to stop.
pub(crate) async fn attempt(
    config: &StreamConfig,
    options: &IngestOptions,
    clock: &Clock,
    sink: &mut Taker<'_>,
) -> Result<(), Failure> {
    let group = Arc::new(SessionGroup::default());
    let mut result = connect_and_run(config, options, clock, (&group, Carrier::Tcp), sink).await;
    if matches!(result, Err(Ended::TcpRefused)) {
        tracing::info!(camera = %config.camera, stream = %config.stream, "the camera refuses RTP over TCP; trying UDP");
        result = connect_and_run(config, options, clock, (&group, Carrier::Udp), sink).await;
    }
    let result = result.map_err(|ended| match ended {
        Ended::Failed(failure) => failure,
        Ended::TcpRefused => Failure::new(
            FailureKind::Protocol,
            "the camera refuses to send over TCP and over UDP (461 Unsupported Transport)",
        ),
    });
    // Old cameras keep a session until it is torn down and refuse the next one meanwhile; new ones answer at once.
    let teardown = tokio::time::timeout(Duration::from_millis(500), group.await_teardown()).await;
    if let Ok(Err(error)) = teardown {
        tracing::debug!(camera = %config.camera, stream = %config.stream, %error, "teardown failed");
    }
    result
}

/// What carries the RTP packets. TCP is asked for first: nothing is lost on the way and one port is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Interleaved in the RTSP connection.
    Tcp,
    /// A socket of its own.
    Udp,
}

/// How a connection ended.
enum Ended {
    Failed(Failure),
    /// 461 Unsupported Transport (RFC 2326 §11.3.14).
    TcpRefused,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn connect_and_run(
    config: &StreamConfig,
    options: &IngestOptions,
    clock: &Clock,
    (group, carrier): (&Arc<SessionGroup>, Carrier),
    sink: &mut Taker<'_>,
) -> Result<(), Ended> {
    resolve(config, options).await?;
    let credentials = (!config.username.is_empty())
        .then(|| Credentials { username: config.username.clone(), password: config.password.reveal().to_owned() });
    let session_options = SessionOptions::default()
        .creds(credentials)
        .user_agent(concat!("minhbach/", env!("CARGO_PKG_VERSION")).to_owned())
        .session_group(Arc::clone(group));
    let mut session = step("DESCRIBE", options, Session::describe(config.url.clone(), session_options)).await?;
    let (video, audio, mut sound) = choose(&session)?;
    let setup = || {
        let transport = match carrier {
            Carrier::Tcp => Transport::Tcp(Default::default()),
            Carrier::Udp => Transport::Udp(Default::default()),
        };
        SetupOptions::default().transport(transport).frame_format(FrameFormat::MP4)
    };
    let set_up = tokio::time::timeout(options.step_timeout, session.setup(video, setup())).await;
    match set_up {
        Err(_) => return Err(Failure::timed_out("SETUP", options.step_timeout).into()),
        Ok(Err(error)) if error.status_code() == Some(461) => return Err(Ended::TcpRefused),
        Ok(Err(error)) => return Err(Failure::from_retina("SETUP", &error).into()),
        Ok(Ok(())) => {}
    }
    let audio = match audio {
        Some(index) => match step("SETUP of the sound", options, session.setup(index, setup())).await {
            Ok(()) => Some(index),
            // After a time-out the answer may still come and be taken for that to the next request.
            Err(failure) if matches!(failure.kind, FailureKind::TimedOut | FailureKind::Closed) => {
                return Err(failure.into());
            }
            Err(failure) => {
                tracing::warn!(camera = %config.camera, %failure, "the camera refuses its sound; recording goes on without");
                sound = Sound { state: SoundState::Refused, detail: failure.message };
                None
            }
        },
        None => None,
    };
    let play = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Permissive);
    let session = step("PLAY", options, session.play(play)).await?;
    let demuxed = session.demuxed().map_err(|e| Failure::from_retina("stream set-up", &e))?;
    if sink(Delivery::Connected(carrier, sound)).is_break() {
        return Ok(());
    }
    let mut run = Run::new(demuxed, video, audio, clock);
    Ok(run.pump(options, sink).await?)
}

/// Looks the name up first, so that a wrong name is told from a camera that is off.
async fn resolve(config: &StreamConfig, options: &IngestOptions) -> Result<(), Failure> {
    let host = config.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = config.url.port().unwrap_or(554);
    let lookup = tokio::time::timeout(options.step_timeout, tokio::net::lookup_host((host.clone(), port))).await;
    match lookup {
        Err(_) => Err(Failure::timed_out("looking up the name", options.step_timeout)),
        Ok(Err(error)) => Err(unknown_host(&host, format!("the name {host} is not known: {error}"))),
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(_) => Ok(()),
            None => Err(unknown_host(&host, format!("the name {host} has no address"))),
        },
    }
}

fn unknown_host(host: &str, message: String) -> Failure {
    Failure::new(FailureKind::UnknownHost, message).with("host", host)
}

async fn step<T>(
    name: &str,
    options: &IngestOptions,
    request: impl Future<Output = Result<T, retina::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(options.step_timeout, request).await {
        Ok(result) => result.map_err(|error| Failure::from_retina(name, &error)),
        Err(_) => Err(Failure::timed_out(name, options.step_timeout)),
    }
}

/// The first video stream that can be recorded, the first sound, and why there is none.
fn choose(session: &Session<Described>) -> Result<(usize, Option<usize>, Sound), Failure> {
    let streams = session.streams();
    let find = |media: &str, known: fn(&Stream) -> bool| streams.iter().position(|s| s.media() == media && known(s));
    let Some(video) = find("video", |s| video_codec(s.encoding_name()).is_some()) else {
        let offered: Vec<&str> = streams.iter().filter(|s| s.media() == "video").map(Stream::encoding_name).collect();
        return Err(if offered.is_empty() {
            Failure::new(FailureKind::NoVideo, "the camera offers no video at this address")
        } else {
            let offered = offered.join(", ");
            Failure::new(
                FailureKind::UnsupportedCodec,
                format!("the camera offers video as {offered}; H.264, H.265 and JPEG are supported"),
            )
            .with("offered", offered)
        });
    };
    // Without parameters there is no way to take its packets apart; that must not cost the pictures.
    let audio = find("audio", |s| audio_codec(s.encoding_name()).is_some() && s.parameters().is_some());
    let sound = match (audio, streams.iter().find(|s| s.media() == "audio")) {
        (Some(_), _) => Sound::default(),
        (None, None) => Sound::new(SoundState::NotOffered),
        (None, Some(other)) => {
            tracing::warn!(
                encoding = other.encoding_name(),
                "the camera's sound has a codec or settings that are not supported"
            );
            Sound { state: SoundState::Unsupported, detail: other.encoding_name().to_owned() }
        }
    };
    Ok((video, audio, sound))
}

fn video_codec(encoding: &str) -> Option<VideoCodec> {
    match encoding {
        "h264" => Some(VideoCodec::H264),
        "h265" => Some(VideoCodec::H265),
        "jpeg" => Some(VideoCodec::Mjpeg),
        _ => None,
    }
}

fn audio_codec(encoding: &str) -> Option<AudioCodec> {
    match encoding {
        "mpeg4-generic" => Some(AudioCodec::Aac),
        "pcma" => Some(AudioCodec::Pcma),
        "pcmu" => Some(AudioCodec::Pcmu),
        "l16" => Some(AudioCodec::L16),
        _ => None,
    }
}

/// A playing session.
struct Run {
    demuxed: Demuxed,
    video: usize,
    audio: Option<usize>,
    id: RunId,
    format: Option<Arc<MediaFormat>>,
    times: RunClock,
    wall: Clock,
    /// Arrivals are measured by the monotonic clock, so that a step of the wall clock is noticed and not believed.
    anchor: (Instant, WallTime),
    checked: Instant,
    /// A picture that can be decoded alone has come.
    key_seen: bool,
    /// Packets that could not be used, within the seconds since then.
    bad_packets: (Instant, u32),
}

impl Run {
    fn new(demuxed: Demuxed, video: usize, audio: Option<usize>, clock: &Clock) -> Self {
        let audio_scale = audio.and_then(|i| NonZeroU32::new(demuxed.streams()[i].clock_rate_hz())).map(Timescale);
        let now = Instant::now();
        Self {
            demuxed,
            video,
            audio,
            id: RunId(NEXT_RUN.fetch_add(1, Ordering::Relaxed)),
            format: None,
            times: RunClock::new(audio_scale),
            wall: clock.clone(),
            anchor: (now, clock.now()),
            checked: now,
            key_seen: false,
            bad_packets: (now, 0),
        }
    }

    async fn pump(&mut self, options: &IngestOptions, sink: &mut Taker<'_>) -> Result<(), Failure> {
        let started = Instant::now();
        let mut deadline = started + options.stall_timeout;
        loop {
            let item = match tokio::time::timeout_at(deadline, self.demuxed.next()).await {
                Err(_) if self.format.is_none() && self.demuxed.streams()[self.video].parameters().is_none() => {
                    return Err(Failure::new(
                        FailureKind::NoKeyPicture,
                        "the camera sends no parameter sets: none that can be read in its SDP, none with its pictures",
                    ));
                }
                Err(_) => {
                    let secs = options.stall_timeout.as_secs();
                    return Err(Failure::new(
                        FailureKind::Stalled,
                        format!("the camera is connected and sent no picture for {secs} s"),
                    )
                    .with("seconds", secs));
                }
                Ok(None) => return Err(Failure::new(FailureKind::Closed, "the camera ended the stream")),
                Ok(Some(Err(error))) => {
                    self.tolerate(&error)?;
                    continue;
                }
                Ok(Some(Ok(item))) => item,
            };
            if !self.key_seen && started.elapsed() > KEY_LIMIT {
                let secs = KEY_LIMIT.as_secs();
                return Err(Failure::new(
                    FailureKind::NoKeyPicture,
                    format!(
                        "pictures come, but for {secs} s none from which decoding can start (key frame, parameter sets)"
                    ),
                ));
            }
            let arrival = self.arrival()?;
            let sample = match item {
                CodecItem::VideoFrame(frame) => {
                    deadline = Instant::now() + options.stall_timeout;
                    self.video_sample(frame, arrival)?
                }
                CodecItem::AudioFrame(frame) => self.audio_sample(&frame, arrival),
                CodecItem::Rtcp(packet) => {
                    self.report(&packet);
                    None
                }
                _ => None,
            };
            if let Some(sample) = sample
                && sink(Delivery::Sample(sample)).is_break()
            {
                return Ok(());
            }
        }
    }

    /// One odd packet costs a picture, not the connection; many in a short time do.
    fn tolerate(&mut self, error: &retina::Error) -> Result<(), Failure> {
        // Retina keeps its kinds to itself: what concerns one packet names it.
        if !error.to_string().contains("\npkt: ") {
            return Err(Failure::from_retina("stream", error));
        }
        let (since, count) = &mut self.bad_packets;
        if since.elapsed() > BAD_PACKETS_WINDOW {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        if *count == 1 {
            tracing::warn!(failure = %Failure::from_retina("packet", error), "a packet cannot be used");
        }
        if *count > BAD_PACKETS_MAX { Err(Failure::from_retina("stream", error)) } else { Ok(()) }
    }

    fn arrival(&mut self) -> Result<WallTime, Failure> {
        let now = Instant::now();
        let arrival = self.anchor.1 + now.duration_since(self.anchor.0);
        if now.duration_since(self.checked) >= Duration::from_secs(1) {
            self.checked = now;
            let apart_ns = self.wall.now().ns_since(arrival);
            if apart_ns.abs() > 1_000_000_000 {
                let apart_ms = apart_ns / 1_000_000;
                return Err(Failure::new(
                    FailureKind::ClockJump,
                    format!(
                        "the server's clock was set by {apart_ms} ms; the recording starts anew with the right time"
                    ),
                )
                .with("milliseconds", apart_ms));
            }
        }
        Ok(arrival)
    }

    fn video_sample(
        &mut self,
        frame: retina::codec::VideoFrame,
        received: WallTime,
    ) -> Result<Option<Sample>, Failure> {
        if frame.data().len() > MAX_ACCESS_UNIT_BYTES {
            return Err(Failure::new(
                FailureKind::AccessUnitTooLarge,
                format!("a picture has {} bytes; at most {MAX_ACCESS_UNIT_BYTES} are accepted", frame.data().len()),
            )
            .with("megabytes", frame.data().len().div_ceil(1_000_000))
            .with("max", MAX_ACCESS_UNIT_BYTES / 1_000_000));
        }
        if frame.has_new_parameters() || self.format.is_none() {
            self.read_format();
        }
        // 90 kHz is what every payload format for video says; other rates are brought to it.
        let timestamp = frame.timestamp();
        let rate = i64::from(timestamp.clock_rate().get());
        let ticks = if rate == 90_000 { timestamp.elapsed() } else { timestamp.elapsed() * 90_000 / rate };
        let placed = self.times.place(Track::Video, ticks, received);
        if placed.broken {
            self.id = RunId(NEXT_RUN.fetch_add(1, Ordering::Relaxed));
            self.read_format();
        }
        let Some(format) = &self.format else {
            // Parameter sets only in band, and none has come yet.
            return Ok(None);
        };
        let key = frame.is_random_access_point() || access::can_start(format.video.codec, frame.data());
        self.key_seen |= key;
        Ok(Some(Sample {
            track: Track::Video,
            pts: placed.pts,
            duration: 0,
            wall: placed.wall,
            received,
            key,
            lost_packets: frame.loss(),
            format: Arc::clone(format),
            data: Bytes::from(frame.into_data()),
        }))
    }

    fn audio_sample(&mut self, frame: &retina::codec::AudioFrame, received: WallTime) -> Option<Sample> {
        let placed = self.times.place(Track::Audio, frame.timestamp().elapsed(), received);
        let format = self.format.as_ref()?;
        Some(Sample {
            track: Track::Audio,
            pts: placed.pts,
            duration: frame.frame_length().get(),
            wall: placed.wall,
            received,
            key: true,
            lost_packets: frame.loss(),
            data: Bytes::copy_from_slice(frame.data()),
            format: Arc::clone(format),
        })
    }

    fn report(&mut self, packet: &retina::rtcp::ReceivedCompoundPacket) {
        let track = match packet.stream_id() {
            id if id == self.video => Track::Video,
            id if Some(id) == self.audio => Track::Audio,
            _ => return,
        };
        let Some(timestamp) = packet.rtp_timestamp() else { return };
        let reports = packet.pkts().filter_map(|p| p.as_sender_report().ok().flatten());
        for report in reports {
            let ntp_ns = (i128::from(report.ntp_timestamp().0) * 1_000_000_000 / NTP_FRACTION) as i64;
            let rate = i64::from(timestamp.clock_rate().get());
            let ticks = if track == Track::Video && rate != 90_000 {
                timestamp.elapsed() * 90_000 / rate
            } else {
                timestamp.elapsed()
            };
            self.times.report(track, ticks, ntp_ns);
        }
    }

    /// Takes over the parameters in force; keeps the format when they are the same.
    fn read_format(&mut self) {
        let streams = self.demuxed.streams();
        let Some(ParametersRef::Video(video)) = streams[self.video].parameters() else { return };
        let Some(codec) = video_codec(streams[self.video].encoding_name()) else { return };
        let (width, height) = video.pixel_dimensions();
        let video = VideoParams {
            codec,
            width,
            height,
            config: Bytes::copy_from_slice(video.extra_data()),
            rfc6381: video.rfc6381_codec().to_owned(),
        };
        let audio = self.audio.and_then(|i| audio_params(&streams[i]));
        let format = MediaFormat { id: FormatId(0), run: self.id, video, audio };
        if self.format.as_ref().is_some_and(|old| old.run == format.run && old.same_parameters(&format)) {
            return;
        }
        let id = FormatId(NEXT_FORMAT.fetch_add(1, Ordering::Relaxed));
        self.format = Some(Arc::new(MediaFormat { id, ..format }));
    }
}

fn audio_params(stream: &Stream) -> Option<AudioParams> {
    let codec = audio_codec(stream.encoding_name())?;
    let (channels, config) = match stream.parameters() {
        Some(ParametersRef::Audio(audio)) => (audio.channels().get(), audio.extra_data()),
        _ => (stream.channels().map_or(1, std::num::NonZeroU16::get), &[][..]),
    };
    Some(AudioParams {
        codec,
        sample_rate_hz: NonZeroU32::new(stream.clock_rate_hz())?,
        channels,
        // For the others retina has nothing a file needs.
        config: if codec == AudioCodec::Aac { Bytes::copy_from_slice(config) } else { Bytes::new() },
    })
}

/// How a stream is described to people.
pub(crate) fn describe(format: &MediaFormat) -> (String, String) {
    let video = format!("{} {}×{}", format.video.codec, format.video.width, format.video.height);
    let audio = format.audio.as_ref().map_or_else(String::new, |audio| {
        let hz = audio.sample_rate_hz.get();
        let rate =
            if hz % 1000 == 0 { format!("{} kHz", hz / 1000) } else { format!("{:.1} kHz", f64::from(hz) / 1000.0) };
        let channels = if audio.channels > 1 { " stereo" } else { "" };
        format!("{} {rate}{channels}", audio.codec)
    });
    (video, audio)
}
