//! The way of one stream's media into its RTSP pipeline: timestamps, the limit of what may wait, and jumps of the clock.
//!
//! What is sent and when is decided in `camera`; building pipelines belongs to `rtsp`.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;

use crate::profile::CameraSpec;

/// What may wait in a pipeline, a track: about 16 s of the main stream. A client that has described and never plays
/// fills it.
const MAX_WAITING_BYTES: u64 = 8 * 1024 * 1024;

/// Jumps of the RTP clock of one pipeline: from which presentation time on, and by how much in all.
///
/// They are put into the RTP packets and not into the pipeline's own timestamps: a pipeline would wait until a
/// timestamp from the future is due.
#[derive(Debug, Clone, Default)]
pub struct Jumps(Arc<Mutex<Vec<(u64, i64)>>>);

impl Jumps {
    fn add(&self, from_pts_ns: u64, total_ms: i64) {
        let mut jumps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jumps.push((from_pts_ns, total_ms));
    }

    /// The shift of a packet with this presentation time, milliseconds.
    fn at(&self, pts_ns: u64) -> i64 {
        let jumps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jumps.iter().rev().find(|(from, _)| *from <= pts_ns).map_or(0, |(_, ms)| *ms)
    }

    /// Shifts the packets that leave a payloader. `clock_rate` is that of its RTP clock, a multiple of 1000.
    pub fn watch(&self, pad: &gst::Pad, clock_rate: u32) {
        let jumps = self.clone();
        let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        // The probe lives as long as the pad; its id is needed by nobody.
        let _id = pad.add_probe(mask, move |_, info| {
            if let Some(buffer) = info.buffer_mut() {
                let shift = jumps.shift_of(buffer, clock_rate);
                if shift != 0 {
                    shift_rtp(buffer.make_mut(), shift);
                }
            } else if let Some(list) = info.buffer_list_mut() {
                let shifts: Vec<u32> = list.iter().map(|buffer| jumps.shift_of(buffer, clock_rate)).collect();
                if shifts.iter().any(|shift| *shift != 0) {
                    let list = list.make_mut();
                    for (i, shift) in shifts.into_iter().enumerate() {
                        if let Some(buffer) = list.get_mut(i) {
                            shift_rtp(buffer, shift);
                        }
                    }
                }
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn shift_of(&self, buffer: &gst::BufferRef, clock_rate: u32) -> u32 {
        let ms = buffer.pts().map_or(0, |pts| self.at(pts.nseconds()));
        rtp_shift(ms, clock_rate)
    }
}

/// Milliseconds as ticks of an RTP clock, which runs modulo 2³².
fn rtp_shift(ms: i64, clock_rate: u32) -> u32 {
    ms.wrapping_mul(i64::from(clock_rate / 1000)) as u32
}

/// The timestamp is octets 4 to 7 (RFC 3550 §5.1).
fn shift_rtp(buffer: &mut gst::BufferRef, shift: u32) {
    // A packet that cannot be mapped keeps its time: the jump is then seen one packet later.
    if let Ok(mut map) = buffer.map_writable()
        && let Some(field) = map.get_mut(4..8)
    {
        let time = u32::from_be_bytes([field[0], field[1], field[2], field[3]]).wrapping_add(shift);
        field.copy_from_slice(&time.to_be_bytes());
    }
}

/// What became of a picture or packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// Sent, with this presentation time including jumps, nanoseconds.
    Sent(i64),
    /// Nobody is connected, or the pipeline has not begun.
    NotOpen,
    /// Too much is waiting.
    Full,
}

/// The open pipeline of one stream.
#[derive(Debug)]
pub struct Outlet {
    /// Tells pipelines of one stream apart.
    pub id: u64,
    /// What its pipeline was built for: nothing else may be put into it.
    pub spec: CameraSpec,
    video: AppSrc,
    audio: Option<AppSrc>,
    jumps: Jumps,
    /// Camera time minus running time of the pipeline, nanoseconds; set by the first key frame.
    offset_ns: Option<i64>,
    /// Camera time of the first picture: sound begins with it.
    began_ns: u64,
    jump_total_ms: i64,
}

impl Outlet {
    /// An outlet that begins at the next key frame.
    #[must_use]
    pub fn new(id: u64, spec: CameraSpec, video: AppSrc, audio: Option<AppSrc>, jumps: Jumps) -> Self {
        for source in std::iter::once(&video).chain(&audio) {
            source.set_format(gst::Format::Time);
            source.set_is_live(true);
            source.set_do_timestamp(false);
            source.set_block(false);
            source.set_max_bytes(MAX_WAITING_BYTES);
        }
        Self { id, spec, video, audio, jumps, offset_ns: None, began_ns: 0, jump_total_ms: 0 }
    }

    /// Hands over a picture that is due at camera time `due_ns`; it is `now_ns`. The first must be a key frame.
    pub fn video(&mut self, data: Vec<u8>, key: bool, times: Times) -> Handed {
        if self.offset_ns.is_none() {
            let running =
                self.video.current_running_time().filter(|_| self.video.current_state() == gst::State::Playing);
            let Some(running) = running.filter(|_| key) else {
                return Handed::NotOpen;
            };
            // With this offset a picture handed over exactly in time is due in the pipeline now, a late one earlier.
            let offset = signed(times.now_ns) - signed(running.nseconds());
            if signed(times.due_ns) < offset {
                return Handed::NotOpen;
            }
            self.offset_ns = Some(offset);
            self.began_ns = times.due_ns;
        }
        self.push(&self.video, data, key, times)
    }

    /// Hands over a packet of sound.
    pub fn audio(&self, data: Vec<u8>, times: Times) -> Handed {
        match &self.audio {
            Some(audio) if self.offset_ns.is_some() && times.due_ns >= self.began_ns => {
                self.push(audio, data, true, times)
            }
            _ => Handed::NotOpen,
        }
    }

    /// Lets timestamps jump from camera time `from_ns` on.
    pub fn jump(&mut self, from_ns: u64, ms: i64) {
        // Before the first picture there is nothing that a jump could be measured against.
        if let Some(offset) = self.offset_ns {
            self.jump_total_ms += ms;
            self.jumps.add(u64::try_from(signed(from_ns) - offset).unwrap_or(0), self.jump_total_ms);
        }
    }

    fn push(&self, source: &AppSrc, data: Vec<u8>, key: bool, times: Times) -> Handed {
        let Some(pts) = self.offset_ns.and_then(|offset| u64::try_from(signed(times.due_ns) - offset).ok()) else {
            return Handed::NotOpen;
        };
        if source.current_level_bytes() + data.len() as u64 > MAX_WAITING_BYTES {
            return Handed::Full;
        }
        let mut buffer = gst::Buffer::from_slice(data);
        {
            let buffer = buffer.make_mut();
            buffer.set_pts(gst::ClockTime::from_nseconds(pts));
            buffer.set_duration(gst::ClockTime::from_nseconds(times.duration_ns));
            if !key {
                buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
        }
        match source.push_buffer(buffer) {
            Ok(_) => Handed::Sent(signed(pts) + self.jumps.at(pts) * 1_000_000),
            // The pipeline is being taken down: its client has gone.
            Err(_) => Handed::NotOpen,
        }
    }
}

/// Times of a picture or packet, nanoseconds since the camera started.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When it should be handed over.
    pub due_ns: u64,
    /// When it is.
    pub now_ns: u64,
    /// Until the next.
    pub duration_ns: u64,
}

/// Times since the start fit for some 290 years.
fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_add_up_and_reach_only_what_follows() {
        let jumps = Jumps::default();
        jumps.add(1000, 500);
        jumps.add(2000, -300);
        assert_eq!([jumps.at(999), jumps.at(1000), jumps.at(1999), jumps.at(5000)], [0, 500, 500, -300]);
    }

    #[test]
    fn a_shift_is_in_ticks_and_wraps() {
        assert_eq!(rtp_shift(1000, 90_000), 90_000);
        assert_eq!(10u32.wrapping_add(rtp_shift(-1, 16_000)), 10u32.wrapping_sub(16));
    }

    #[test]
    fn the_rtp_timestamp_is_moved() {
        gst::init().expect("gstreamer");
        let mut buffer = gst::Buffer::from_mut_slice(vec![0x80, 96, 0, 1, 0xff, 0xff, 0xff, 0xff, 9, 9]);
        shift_rtp(buffer.make_mut(), 2);
        let map = buffer.map_readable().expect("map");
        assert_eq!(map[..], [0x80, 96, 0, 1, 0, 0, 0, 1, 9, 9]);
    }
}
