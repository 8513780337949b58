//! Many cheap cameras in one process: `rtsp://127.0.0.1:PORT/camN/main`, 1080p25 H.264 of about 4 Mbit/s with AAC sound.
//!
//! Not a camera to test against (that is `minhbach-camsim`), but a load whose own cost is small and steady. A client that
//! reads too slowly holds up its own stream only.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use minhbach_camsim::clips::{Clip, ClipKey, ClipSettings, ClipStore};
use minhbach_camsim::profile::{AudioCodec, Size};
use minhbach_camsim::scene::Look;
use minhbach_camsim::sound::Sound;
use minhbach_testkit::nal::VideoCodec;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use crate::packets::{Track, Unit, aac, h264};
use crate::{Outcome, failed};

struct Media {
    video: Track,
    audio: Track,
}

/// The clip that is sent, 12 s of it, and its sound; made now if the folder does not have them.
pub fn clips(media_dir: &Path) -> Outcome<(Arc<Clip>, Arc<Sound>)> {
    let settings = ClipSettings { media_dir: media_dir.to_owned(), main_size: Size::new(1920, 1080), clip_seconds: 12 };
    let store = ClipStore::open(settings).map_err(failed("clips"))?;
    let key = ClipKey { scene: 0, look: Look::Normal, codec: VideoCodec::H264, other_size: false };
    let clip = store.clip(key).map_err(failed("clips"))?;
    Ok((clip, store.sound(0, AudioCodec::Aac).map_err(failed("sound"))?))
}

/// Serves until it is killed.
pub fn run(cameras: u32, media_dir: &Path) -> Outcome {
    let (clip, sound) = clips(media_dir)?;
    let media = Arc::new(Media { video: h264(&clip.main, 25), audio: aac(&sound.talk) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed("runtime"))?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed("listen"))?;
        let address = listener.local_addr().map_err(failed("listen"))?;
        println!("ready rtsp://{address} cameras={cameras}");
        let mut sessions = JoinSet::new();
        loop {
            let (socket, _) = listener.accept().await.map_err(failed("accept"))?;
            sessions.spawn(session(socket, Arc::clone(&media)));
            while sessions.try_join_next().is_some() {}
        }
    })
}

async fn session(socket: TcpStream, media: Arc<Media>) {
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let (reader, writer) = socket.into_split();
    let writer = Arc::new(Mutex::new(writer));
    let play = Arc::new(Notify::new());
    // Whichever ends first ends the session: the client has gone.
    tokio::select! {
        () = answer(reader, &writer, &media, &play) => {}
        () = send(&writer, &media, &play) => {}
    }
}

/// Answers requests; each gets what it needs and no more.
async fn answer(reader: OwnedReadHalf, writer: &Mutex<OwnedWriteHalf>, media: &Media, play: &Notify) {
    let mut reader = BufReader::new(reader);
    loop {
        let mut first = [0];
        if reader.read_exact(&mut first).await.is_err() {
            return;
        }
        if first[0] == b'$' {
            // A receiver report.
            let mut header = [0; 3];
            if reader.read_exact(&mut header).await.is_err() {
                return;
            }
            let mut body = vec![0; usize::from(u16::from_be_bytes([header[1], header[2]]))];
            if reader.read_exact(&mut body).await.is_err() {
                return;
            }
            continue;
        }
        let mut head = String::from(char::from(first[0]));
        while !head.ends_with("\r\n\r\n") {
            if !matches!(reader.read_line(&mut head).await, Ok(n) if n > 0) {
                return;
            }
        }
        let reply = reply(&head, media);
        if writer.lock().await.write_all(reply.as_bytes()).await.is_err() || head.starts_with("TEARDOWN") {
            return;
        }
        if head.starts_with("PLAY") {
            play.notify_one();
        }
    }
}

fn reply(head: &str, media: &Media) -> String {
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    };
    let url = head.split_whitespace().nth(1).unwrap_or_default();
    let mut extra = "Session: bench;timeout=60\r\n".to_owned();
    let mut body = String::new();
    match head.split_whitespace().next() {
        Some("OPTIONS") => extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n".to_owned(),
        Some("DESCRIBE") => {
            let (video, audio) = (&media.video.sdp, &media.audio.sdp);
            body = format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=bench\r\nt=0 0\r\na=control:*\r\n{video}a=control:track0\r\n{audio}a=control:track1\r\n"
            );
            extra = format!("Content-Type: application/sdp\r\nContent-Base: {url}/\r\n");
        }
        Some("SETUP") => {
            let channels = if url.ends_with("track1") { "2-3" } else { "0-1" };
            extra.push_str(&format!("Transport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n"));
        }
        Some("PLAY") => {
            extra.push_str(&format!("RTP-Info: url={url}track0;seq=0;rtptime=0,url={url}track1;seq=0;rtptime=0\r\n"));
        }
        _ => {}
    }
    format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\n{extra}Content-Length: {}\r\n\r\n{body}", header("cseq"), body.len())
}

/// One track of one client.
struct Place<'a> {
    track: &'a Track,
    count: u64,
    sequence: u16,
    next_report: Instant,
}

impl Place<'_> {
    fn due(&self, start: Instant) -> Instant {
        let ns = u128::from(self.count) * u128::from(self.track.ticks) * 1_000_000_000 / u128::from(self.track.clock);
        start + Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    #[allow(clippy::cast_possible_truncation)] // RTP timestamps wrap
    fn timestamp(&self) -> u32 {
        (self.count * u64::from(self.track.ticks)) as u32
    }

    fn next(&mut self, buffer: &mut Vec<u8>) {
        let unit: &Unit = &self.track.units[usize::try_from(self.count).unwrap_or(0) % self.track.units.len()];
        let at = buffer.len();
        buffer.extend_from_slice(&unit.bytes);
        for header in &unit.headers {
            let header = at + header;
            buffer[header + 2..header + 4].copy_from_slice(&self.sequence.to_be_bytes());
            buffer[header + 4..header + 8].copy_from_slice(&self.timestamp().to_be_bytes());
            self.sequence = self.sequence.wrapping_add(1);
        }
    }
}

async fn send(writer: &Mutex<OwnedWriteHalf>, media: &Media, play: &Notify) {
    play.notified().await;
    let start = Instant::now();
    let place = |track| Place { track, count: 0, sequence: 0, next_report: start };
    let mut places = [place(&media.video), place(&media.audio)];
    let mut buffer = Vec::new();
    loop {
        let which = usize::from(places[1].due(start) < places[0].due(start));
        let due = places[which].due(start);
        tokio::time::sleep_until(due).await;
        buffer.clear();
        places[which].next(&mut buffer);
        if due >= places[which].next_report {
            places[which].next_report = due + Duration::from_secs(5);
            sender_report(&mut buffer, u8::try_from(which * 2 + 1).unwrap_or(1), places[which].timestamp());
        }
        places[which].count += 1;
        if writer.lock().await.write_all(&buffer).await.is_err() {
            return;
        }
    }
}

/// RFC 3550 §6.4.1.
fn sender_report(buffer: &mut Vec<u8>, channel: u8, timestamp: u32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ntp = ((now.as_secs() + 2_208_988_800) << 32) | ((u64::from(now.subsec_nanos()) << 32) / 1_000_000_000);
    buffer.extend([b'$', channel, 0, 28, 0x80, 200, 0, 6]);
    buffer.extend(*b"BNCH");
    buffer.extend(ntp.to_be_bytes());
    buffer.extend(timestamp.to_be_bytes());
    buffer.extend([0; 8]);
}
