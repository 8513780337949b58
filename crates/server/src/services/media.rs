//! What live view and playback share: batches of samples as messages, split so that none is too large.

use minhbach_api::convert::event;
use minhbach_api::v1;
use minhbach_model::Sample;

/// A message is cut behind the sample that reaches this size.
const BATCH_BYTES: usize = 512 * 1024;

/// Messages for these samples, in order.
pub(super) fn batches(samples: &[Sample]) -> Vec<v1::MediaEvent> {
    let mut messages = Vec::new();
    let mut rest = samples;
    while !rest.is_empty() {
        let mut bytes = 0;
        let cut = rest
            .iter()
            .position(|sample| {
                bytes += sample.data.len();
                bytes >= BATCH_BYTES
            })
            .map_or(rest.len(), |at| at + 1);
        let (batch, others) = rest.split_at(cut);
        messages.push(event::samples(batch));
        rest = others;
    }
    messages
}
