//! Joins the threads of players that have ended, so that the UI thread never waits for one.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Threads that may wait to be joined; each ends within one picture.
const WAITING: usize = 256;

/// The owner of ended players' threads. Cloned freely; the last clone joins them all.
#[derive(Clone)]
pub struct Decoders {
    inner: Arc<Inner>,
}

struct Inner {
    ended: Option<SyncSender<JoinHandle<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Decoders {
    /// Starts the joining thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (ended, inbox) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("player-reaper".to_owned()).spawn(move || reap_all(&inbox))?;
        Ok(Self { inner: Arc::new(Inner { ended: Some(ended), thread: Some(thread) }) })
    }

    /// Takes over the thread of a player that was told to stop.
    pub(super) fn reap(&self, thread: JoinHandle<()>) {
        let Some(ended) = &self.inner.ended else {
            return join(thread);
        };
        match ended.try_send(thread) {
            Ok(()) => {}
            // Hundreds of players ended at once: waiting for one makes room.
            Err(TrySendError::Full(thread) | TrySendError::Disconnected(thread)) => join(thread),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Closing the channel ends the thread once it has joined what is waiting.
        self.ended = None;
        if let Some(thread) = self.thread.take() {
            join(thread);
        }
    }
}

fn reap_all(inbox: &Receiver<JoinHandle<()>>) {
    while let Ok(thread) = inbox.recv() {
        join(thread);
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a player's thread panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_thread_is_joined_before_the_last_owner_is_gone() {
        let done = Arc::new(AtomicUsize::new(0));
        let decoders = Decoders::start().unwrap();
        for _ in 0..20 {
            let done = Arc::clone(&done);
            decoders.clone().reap(std::thread::spawn(move || {
                done.fetch_add(1, Ordering::SeqCst);
            }));
        }
        drop(decoders);
        assert_eq!(done.load(Ordering::SeqCst), 20);
    }
}
