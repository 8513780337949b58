//! Places samples in time: RTP ticks become media time of the run, and media time is tied to wall time.
//!
//! Three things are kept apart. **Media time** follows the camera's RTP clock to the tick, so that pictures and sound keep
//! their distances; a jump of that clock is bridged by the time of arrival. **The tie** says which wall time media time
//! zero has; it follows the least delayed arrivals and moves slowly, so that wall time never runs backwards within a run.
//! **The offset of the sound** to the picture comes from the camera's RTCP sender reports (RFC 3550 §6.4.1), once two agree.

use minhbach_model::{Ticks, Timescale, Track, WallTime};

const MS: i64 = 1_000_000;
const SEC: i64 = 1_000_000_000;

/// Media time that runs ahead of arrival by more than this cannot be delay: the camera's clock has jumped.
const AHEAD_NS: i64 = 2 * SEC;
/// Media time that steps back further than B pictures ever do.
const BACK_NS: i64 = 2 * SEC;
/// How fast the tie may move: quickly while it is being found (this much media time takes off most of the error), then at
/// the rate NTP allows itself (500 ppm).
const SETTLING_NS: i64 = 20 * SEC;
const SETTLING_TIME_NS: i64 = 2 * SEC;
const SETTLED_DIVISOR: i64 = 2000;
/// Longest stretch of media time that counts for one step of the tie.
const STEP_MAX_NS: i64 = 2 * SEC;
/// The least delay is looked for in windows of this length.
const WINDOW_NS: i64 = 5 * SEC;
/// A tie that is further off than this was broken by a step of the server's or the camera's clock.
const BROKEN_NS: i64 = 5 * SEC;
/// Sound is moved when two sender reports agree that it is off by more than this.
const SKEW_MIN_NS: i64 = 15 * MS;
/// A skew beyond this says that the camera's reports are wrong.
const SKEW_MAX_NS: i64 = 2 * SEC;
/// Sound and picture come over one connection: when their delays differ by more than this, the camera told their common
/// start wrongly (`rtptime`, RFC 2326 §12.33).
const APART_NS: i64 = 2 * SEC;

/// Where a sample belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub pts: Ticks,
    pub wall: WallTime,
    /// The tie was broken: what follows belongs to a new run.
    pub broken: bool,
}

#[derive(Debug)]
struct TrackClock {
    scale: Timescale,
    /// Added to the camera's ticks.
    shift: i64,
    /// Media time and arrival of the last sample, nanoseconds.
    last: Option<(i64, i64)>,
    /// Newest sender report: media time and the camera's own wall time, nanoseconds.
    report: Option<(i64, i64)>,
}

/// The clock of one run.
#[derive(Debug)]
pub(crate) struct RunClock {
    video: TrackClock,
    audio: Option<TrackClock>,
    /// Wall time of media time zero.
    tie_ns: Option<i64>,
    started_ns: i64,
    window_end_ns: i64,
    window_min: Option<i64>,
    previous_min: Option<i64>,
    /// Media time of the last picture.
    last_media_ns: i64,
    /// Arrival minus media time of the last picture.
    last_seen_ns: Option<i64>,
    /// The last jump that was bridged: when, and by how much.
    jump: Option<(i64, i64)>,
    suspected_skew: Option<i64>,
    jumps: u64,
}

impl RunClock {
    pub fn new(audio: Option<Timescale>) -> Self {
        let track = |scale| TrackClock { scale, shift: 0, last: None, report: None };
        Self {
            video: track(Timescale::VIDEO),
            audio: audio.map(track),
            tie_ns: None,
            started_ns: 0,
            window_end_ns: 0,
            window_min: None,
            previous_min: None,
            last_media_ns: 0,
            last_seen_ns: None,
            jump: None,
            suspected_skew: None,
            jumps: 0,
        }
    }

    /// Jumps of the camera's clock bridged so far.
    #[cfg(test)]
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Places a sample; `ticks` as the camera counts them since the start of the connection.
    pub fn place(&mut self, track: Track, ticks: i64, received: WallTime) -> Placed {
        let arrival = received.0;
        self.bridge_jump(track, ticks, arrival);
        if track == Track::Audio {
            self.bring_together(ticks, arrival);
        }
        let clock = self.track(track);
        let pts = Ticks(ticks + clock.shift);
        let media = clock.scale.to_ns(pts);
        clock.last = Some((clock.last.map_or(media, |(last, _)| last.max(media)), arrival));
        let broken = track == Track::Video && self.follow(media, arrival);
        // Sound before the first picture is tied by its own arrival until then.
        let tie = self.tie_ns.unwrap_or(arrival - media);
        Placed { pts, wall: WallTime(tie.saturating_add(media)), broken }
    }

    /// Takes a sender report: at `ticks` the camera's own clock showed `ntp_ns` (any epoch).
    pub fn report(&mut self, track: Track, ticks: i64, ntp_ns: i64) {
        let clock = self.track(track);
        clock.report = Some((clock.scale.to_ns(Ticks(ticks + clock.shift)), ntp_ns));
        let Some(audio) = &self.audio else { return };
        let (Some(v), Some(a)) = (self.video.report, audio.report) else { return };
        if track != Track::Audio {
            return;
        }
        let skew = (a.1 - a.0) - (v.1 - v.0);
        if skew.abs() < SKEW_MIN_NS || skew.abs() > SKEW_MAX_NS {
            self.suspected_skew = None;
            return;
        }
        match self.suspected_skew {
            Some(before) if (before - skew).abs() < SKEW_MIN_NS => {
                self.suspected_skew = None;
                if let Some(audio) = &mut self.audio {
                    audio.shift += audio.scale.from_ns(skew).0;
                    audio.report = None;
                    // No jump of the camera's: the next packet is compared with nothing.
                    audio.last = None;
                }
                tracing::info!(skew_ms = skew / MS, "sound moved to where the camera's sender reports put it");
            }
            _ => self.suspected_skew = Some(skew),
        }
    }

    /// Moves sound whose delay differs wildly from that of the pictures.
    fn bring_together(&mut self, ticks: i64, arrival: i64) {
        let (Some(seen), Some(audio)) = (self.last_seen_ns, &mut self.audio) else { return };
        let own = arrival - audio.scale.to_ns(Ticks(ticks + audio.shift));
        let apart = own - seen;
        if apart.abs() <= APART_NS {
            return;
        }
        tracing::warn!(
            apart_ms = apart / MS,
            "the camera told the start of its sound wrongly; it is placed by arrival"
        );
        audio.shift += audio.scale.from_ns(apart).0;
        audio.last = None;
        audio.report = None;
    }

    fn track(&mut self, track: Track) -> &mut TrackClock {
        match (track, &mut self.audio) {
            (Track::Audio, Some(audio)) => audio,
            _ => &mut self.video,
        }
    }

    fn bridge_jump(&mut self, track: Track, ticks: i64, arrival: i64) {
        let recent = self.jump;
        let clock = self.track(track);
        let Some((last_media, last_arrival)) = clock.last else { return };
        let media = clock.scale.to_ns(Ticks(ticks + clock.shift));
        let media_delta = media - last_media;
        let arrival_delta = arrival - last_arrival;
        if media_delta - arrival_delta <= AHEAD_NS && media_delta >= -BACK_NS {
            return;
        }
        let own = arrival_delta - media_delta;
        // Both tracks jump by the same amount; the one seen first decides, so that sound and picture stay together.
        let bridge = match recent {
            Some((at, by)) if (arrival - at).abs() < 2 * SEC && (by - own).abs() < SEC => by,
            _ => own,
        };
        clock.shift += clock.scale.from_ns(bridge).0;
        clock.report = None;
        self.jump = Some((arrival, bridge));
        self.jumps += 1;
        tracing::warn!(jump_ms = -own / MS, ?track, "the camera's clock jumped; times go on by arrival");
    }

    /// Moves the tie towards the least delayed arrivals; returns whether it was broken and is set anew.
    fn follow(&mut self, media: i64, arrival: i64) -> bool {
        let seen = arrival - media;
        self.last_seen_ns = Some(seen);
        let since_last = (media - self.last_media_ns).clamp(0, STEP_MAX_NS);
        self.last_media_ns = media;
        let Some(tie) = self.tie_ns else {
            self.tie_ns = Some(seen);
            self.started_ns = media;
            self.window_end_ns = media + WINDOW_NS;
            self.window_min = Some(seen);
            return false;
        };
        self.window_min = Some(self.window_min.map_or(seen, |min| min.min(seen)));
        if media >= self.window_end_ns {
            self.previous_min = self.window_min.take();
            self.window_end_ns = media + WINDOW_NS;
        }
        let target = match (self.previous_min, self.window_min) {
            (Some(a), Some(b)) => a.min(b),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return false,
        };
        let error = target - tie;
        if error.abs() > BROKEN_NS {
            self.tie_ns = Some(target);
            return true;
        }
        let settled = since_last / SETTLED_DIVISOR;
        let limit = if media - self.started_ns < SETTLING_NS {
            let share = i128::from(error.abs()) * i128::from(since_last) / i128::from(SETTLING_TIME_NS);
            // Never so fast that wall time would stand still or run back.
            settled.max(i64::try_from(share).unwrap_or(0)).min(since_last * 9 / 10)
        } else {
            settled
        };
        self.tie_ns = Some(tie + error.clamp(-limit, limit));
        false
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const T0: i64 = 1_790_000_000 * SEC;

    fn audio_scale() -> Timescale {
        Timescale(NonZeroU32::new(8000).unwrap())
    }

    #[test]
    fn media_time_follows_the_camera_to_the_tick_whatever_the_network_does() {
        let mut clock = RunClock::new(None);
        for n in 0..5000i64 {
            let jitter = (n * 7919 % 30) * MS;
            let placed = clock.place(Track::Video, n * 3600, WallTime(T0 + n * 40 * MS + jitter));
            assert_eq!(placed.pts, Ticks(n * 3600));
            assert!(!placed.broken);
        }
    }

    #[test]
    fn the_tie_finds_the_least_delay_and_wall_time_never_runs_back() {
        let mut clock = RunClock::new(None);
        let mut last = i64::MIN;
        // The first picture comes 400 ms late, as when a camera sends a buffered group of pictures first.
        for n in 0..2000i64 {
            let delay = if n == 0 { 400 * MS } else { 5 * MS + (n % 7) * MS };
            let placed = clock.place(Track::Video, n * 3600, WallTime(T0 + n * 40 * MS + delay));
            assert!(placed.wall.0 > last);
            last = placed.wall.0;
        }
        let error = last - (T0 + 1999 * 40 * MS);
        assert!((0..20 * MS).contains(&error), "{} ms", error / MS);
    }

    #[test]
    fn a_camera_clock_that_is_off_by_100_ppm_does_not_drift_away() {
        let mut clock = RunClock::new(None);
        let mut worst = 0;
        for n in 0..(25 * 3600i64) {
            let arrival = T0 + n * 40 * MS + n * 40 * MS / 10_000;
            let placed = clock.place(Track::Video, n * 3600, WallTime(arrival));
            worst = worst.max((placed.wall.0 - arrival).abs());
        }
        assert!(worst < 10 * MS, "{} ms", worst / MS);
    }

    #[test]
    fn a_jump_of_the_camera_clock_is_bridged_for_both_tracks_alike() {
        for jump in [-3600 * SEC, -3 * SEC, 7 * SEC, 86_400 * SEC] {
            let mut clock = RunClock::new(Some(audio_scale()));
            let mut offset_max = 0;
            let mut last = Ticks(-1);
            for n in 0..500i64 {
                let by = if n >= 250 { jump } else { 0 };
                let arrival = WallTime(T0 + n * 40 * MS + (n % 5) * 3 * MS);
                let video = clock.place(Track::Video, n * 3600 + Timescale::VIDEO.from_ns(by).0, arrival);
                let audio = clock.place(Track::Audio, n * 320 + audio_scale().from_ns(by).0, arrival);
                assert!(video.pts > last && !video.broken);
                last = video.pts;
                let apart = Timescale::VIDEO.to_ns(video.pts) - audio_scale().to_ns(audio.pts);
                offset_max = offset_max.max(apart.abs());
            }
            assert!(offset_max < MS, "jump {jump}: {} ms apart", offset_max / MS);
            assert_eq!(clock.jumps(), 2);
        }
    }

    #[test]
    fn a_network_that_holds_everything_back_for_a_while_is_no_jump() {
        let mut clock = RunClock::new(None);
        for n in 0..1000i64 {
            // Everything from 10 s to 14 s arrives at 14 s.
            let arrival = if (250..350).contains(&n) { 350 * 40 * MS } else { n * 40 * MS };
            assert!(!clock.place(Track::Video, n * 3600, WallTime(T0 + arrival)).broken);
        }
        assert_eq!(clock.jumps(), 0);
    }

    #[test]
    fn a_buffered_group_of_pictures_at_the_start_is_caught_up_with_in_seconds() {
        let mut clock = RunClock::new(None);
        let mut last = i64::MIN;
        for n in 0..500i64 {
            // A hundred pictures of before come at once.
            let arrival = T0 + (n - 100).max(0) * 40 * MS;
            let placed = clock.place(Track::Video, n * 3600, WallTime(arrival));
            assert!(placed.wall.0 > last);
            last = placed.wall.0;
        }
        let error = last - (T0 + 399 * 40 * MS);
        assert!(error.abs() < 50 * MS, "{} ms", error / MS);
    }

    #[test]
    fn one_picture_a_second_follows_a_clock_that_is_off_too() {
        let mut clock = RunClock::new(None);
        let mut worst = 0;
        for n in 0..7200i64 {
            let arrival = T0 + n * SEC + n * SEC / 10_000;
            worst = worst.max((clock.place(Track::Video, n * 90_000, WallTime(arrival)).wall.0 - arrival).abs());
        }
        assert!(worst < 10 * MS, "{} ms", worst / MS);
    }

    #[test]
    fn a_wrong_start_of_the_sound_is_put_right_by_arrival() {
        for wrong in [-7200 * SEC, 3600 * SEC] {
            let mut clock = RunClock::new(Some(audio_scale()));
            let mut worst = 0;
            for n in 0..100i64 {
                let arrival = WallTime(T0 + n * 40 * MS);
                let video = clock.place(Track::Video, n * 3600, arrival);
                let audio = clock.place(Track::Audio, n * 320 + audio_scale().from_ns(wrong).0, arrival);
                worst = worst.max((video.wall.0 - audio.wall.0).abs());
            }
            assert!(worst <= MS, "{wrong}: {} ms", worst / MS);
        }
    }

    #[test]
    fn a_step_of_the_server_clock_breaks_the_run() {
        let mut clock = RunClock::new(None);
        let mut broken = 0;
        for n in 0..1000i64 {
            let step = if n >= 500 { 3600 * SEC } else { 0 };
            broken += i32::from(clock.place(Track::Video, n * 3600, WallTime(T0 + n * 40 * MS + step)).broken);
        }
        assert_eq!(broken, 1);
    }

    #[test]
    fn sender_reports_move_the_sound_once_two_agree() {
        let mut clock = RunClock::new(Some(audio_scale()));
        let ntp = 3_000 * SEC;
        for n in 0..3i64 {
            // The sound is really 200 ms later than its ticks say.
            clock.report(Track::Video, n * 450_000, ntp + n * 5 * SEC);
            clock.report(Track::Audio, n * 40_000, ntp + n * 5 * SEC + 200 * MS);
        }
        assert_eq!(clock.place(Track::Audio, 0, WallTime(T0)).pts, Ticks(1600));
        // Absurd reports are ignored.
        let mut clock = RunClock::new(Some(audio_scale()));
        for n in 0..3i64 {
            clock.report(Track::Video, n * 450_000, 0);
            clock.report(Track::Audio, n * 40_000, 9_999 * SEC);
        }
        assert_eq!(clock.place(Track::Audio, 0, WallTime(T0)).pts, Ticks(0));
    }
}
