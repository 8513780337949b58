//! A disk that hangs: it takes what it is given, or does not even do that, and confirms nothing.
//!
//! Where there are other disks, a file on it is given up as if the disk had refused: what was handed over and is not durable
//! is in memory, and is written to another one. Where there is none, it is waited for. What the disk does with the file
//! when it answers again is the same as after a failed sync: it may be longer than what was told as durable.

use minhbach_store::{Durable, FileState, Stores};

use super::Writing;

/// The state of a file, as its recorder is to take it.
pub(super) fn state_of(file: &Writing, told: FileState, store: &Stores) -> FileState {
    if told != FileState::Open || !(file.stuck || hangs(file, store)) {
        return told;
    }
    FileState::Failed { disk_full: false, message: "the disk does not confirm what it was given".to_owned() }
}

/// Waits until a file that is being closed has come to its end; where there are other disks, not for long.
pub(super) async fn wait_for_end(file: &mut Writing, store: &Stores) {
    let ended = file.writer.durable().wait_for(|durable: &Durable| durable.state != FileState::Open);
    match store.patience() {
        None => file.failed |= ended.await.is_err(),
        Some(patience) => match tokio::time::timeout(patience, ended).await.map(|ended| ended.is_err()) {
            Ok(gone) => file.failed |= gone,
            Err(_) => file.stuck = true,
        },
    }
}

/// Whether a fragment has been waiting for too long, and can go elsewhere.
fn hangs(file: &Writing, store: &Stores) -> bool {
    let Some(patience) = store.patience() else { return false };
    let oldest = file.waiting.front().map(|waiting| waiting.handed_over.at);
    oldest.is_some_and(|at| at.elapsed() >= patience) && store.spool().has_another(file.disk)
}
