//! One recorded file, opened for playback: its parameters, its fragments and their samples.
//!
//! The store reads it, from wherever it is, and never blocks the async threads; what is done here with the bytes is short.

use std::sync::Arc;

use bytes::Bytes;
use minhbach_evidence::FragmentRecord;
use minhbach_media::init;
use minhbach_media::read::{self, SampleEntry};
use minhbach_model::{FormatId, MediaFormat, RunId, Sample, Segment, SegmentState, Tier, Track, WallTime};
use minhbach_store::{Footage, FootageReader, SegmentKey, StoreError};

use crate::PlaybackError;

/// An opened segment.
pub(crate) struct OpenSegment {
    footage: Arc<Footage>,
    key: SegmentKey,
    /// Where it was when its row was read; it may have moved since.
    tier: Tier,
    reader: FootageReader,
    pub format: Arc<MediaFormat>,
    pub records: Arc<[FragmentRecord]>,
}

impl OpenSegment {
    pub async fn open(footage: Arc<Footage>, (key, tier): (&str, Tier), id: FormatId) -> Result<Self, PlaybackError> {
        let key = SegmentKey::parse(key)?;
        let sidecar = footage.sidecar(&key, tier).await?;
        let reader = footage.open(&key, tier).await?;
        let format = init::read(&reader.init(&sidecar).await?, id, RunId(id.0))?;
        Ok(Self { footage, key, tier, reader, format: Arc::new(format), records: sidecar.fragments.into() })
    }

    /// Without what was never told as recorded: a file that was given up may hold more, and that was written again to another
    /// one.
    pub fn told_by(mut self, segment: &Segment) -> Self {
        if segment.state == SegmentState::Suspect {
            let told = self.records.iter().take_while(|record| record.end_offset() <= segment.bytes);
            self.records = told.cloned().collect();
        }
        self
    }

    /// Looks again which fragments there are: for a file that is still being written.
    pub async fn refresh(&mut self) -> Result<(), PlaybackError> {
        self.records = self.footage.sidecar(&self.key, self.tier).await?.fragments.into();
        Ok(())
    }

    /// The fragment from which decoding must start to show `at`: the last one at or before it that starts with a key picture.
    ///
    /// A fragment may start with pictures that are shown before its key picture and refer to the group before (open groups of
    /// pictures); for these decoding starts one group earlier.
    pub async fn start_for(&self, at: WallTime) -> Result<usize, PlaybackError> {
        let is_key = |&i: &usize| self.records.get(i).is_some_and(|r| r.key);
        let shown = self.records.partition_point(|r| r.start_wall_ns <= at.0).saturating_sub(1);
        let Some(start) = (0..=shown).rev().find(is_key) else { return Ok(0) };
        let key_later = match self.fragment(start).await {
            Ok((_, entries)) => entries.iter().find(|s| s.track == Track::Video && s.key).is_some_and(|key| {
                let zero = self.records[start].media_zero();
                zero.offset_ns(self.format.timescale(Track::Video).to_ns(key.pts)) > at
            }),
            // Whoever reads it next says so.
            Err(error) if is_damage(&error) => false,
            Err(error) => return Err(error),
        };
        let earlier = key_later.then(|| (0..start).rev().find(is_key)).flatten();
        Ok(earlier.unwrap_or(start))
    }

    /// The bytes and samples of a fragment; its hash is checked.
    pub async fn fragment(&self, index: usize) -> Result<(Bytes, Vec<SampleEntry>), PlaybackError> {
        let Some(record) = self.records.get(index) else {
            return Ok((Bytes::new(), Vec::new()));
        };
        let bytes = self.reader.fragment(record).await?;
        let samples = read::samples(&bytes)?;
        Ok((bytes, samples))
    }

    /// Raw bytes of the file, for an export whose fragments were checked when it was planned.
    pub async fn bytes(&self, offset: u64, len: usize) -> Result<Bytes, PlaybackError> {
        Ok(self.reader.read(offset, len).await?)
    }

    /// The samples of a fragment, in the order in which they are to be decoded and heard.
    pub fn samples(&self, index: usize, bytes: &Bytes, entries: &[SampleEntry]) -> Vec<Sample> {
        let Some(record) = self.records.get(index) else { return Vec::new() };
        let zero = record.media_zero();
        let mut samples: Vec<Sample> = entries
            .iter()
            .map(|entry| {
                let wall = zero.offset_ns(self.format.timescale(entry.track).to_ns(entry.pts));
                Sample {
                    track: entry.track,
                    pts: entry.pts,
                    duration: entry.duration,
                    wall,
                    received: wall,
                    key: entry.key,
                    lost_packets: 0,
                    data: bytes.slice(entry.bytes.clone()),
                    format: Arc::clone(&self.format),
                }
            })
            .collect();
        // Pictures keep their order of decoding; sound goes in where its time has come. A stable sort by decoding time
        // would need one clock for both, and wall time of pictures is not ascending with B pictures.
        let audio_at = samples.iter().position(|s| s.track == Track::Audio).unwrap_or(samples.len());
        let audio = samples.split_off(audio_at);
        merge(samples, audio)
    }

    pub fn key(&self) -> &SegmentKey {
        &self.key
    }
}

/// Puts each piece of sound before the first picture that is later than it.
fn merge(video: Vec<Sample>, audio: Vec<Sample>) -> Vec<Sample> {
    let mut merged = Vec::with_capacity(video.len() + audio.len());
    let mut audio = audio.into_iter().peekable();
    for picture in video {
        while let Some(sound) = audio.next_if(|sound| sound.wall <= picture.wall) {
            merged.push(sound);
        }
        merged.push(picture);
    }
    merged.extend(audio);
    merged
}

/// Whether an error means that the bytes are damaged or gone, so that playback goes on behind them.
pub(crate) fn is_damage(error: &PlaybackError) -> bool {
    matches!(
        error,
        PlaybackError::Store(StoreError::Altered { .. } | StoreError::Sidecar { .. } | StoreError::Io { .. })
            | PlaybackError::Media(_)
            | PlaybackError::Key(_)
    )
}
