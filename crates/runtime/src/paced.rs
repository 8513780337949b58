//! A thread whose tasks run in step: they are looked after at a fixed pace and not whenever a packet arrives.
//!
//! A hundred cameras send thousands of packets a second. A runtime that wakes for each spends a good part of its time on
//! waking up; one that looks every few hundredths of a second finds them all at once and reads each socket with few calls.
//! What is given up is time: a task sees what came up to one pace later. Whoever needs it sooner says so ([`Pace::hurry`]),
//! and while anybody does, the pace is quick.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;

/// The pace while nobody is in a hurry, and while somebody is.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    /// For work that may wait: what arrives in between must fit into the buffers of the system.
    pub steady: Duration,
    /// For somebody who watches.
    pub quick: Duration,
}

/// Where a hurry is said. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// The pace is quick until the answer is dropped.
    #[must_use]
    pub fn hurry(&self) -> Hurry {
        self.0.fetch_add(1, Ordering::Relaxed);
        Hurry(Arc::clone(&self.0))
    }

    fn is_quick(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Somebody is in a hurry.
#[derive(Debug)]
pub struct Hurry(Arc<AtomicUsize>);

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A thread with tasks that run in step.
#[derive(Debug)]
pub struct PacedThread {
    handle: Handle,
    pace: Pace,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl PacedThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread or no event queue.
    pub fn start(name: &str, paces: Paces, pace: Pace) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (handle, stop) = (runtime.handle().clone(), CancellationToken::new());
        let (stopped, told) = (stop.clone(), pace.clone());
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&runtime, paces, &told, &stopped))?;
        Ok(Self { handle, pace, stop, thread: Some(thread) })
    }

    /// Where tasks for this thread are spawned.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Where a hurry is said.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.pace
    }
}

impl Drop for PacedThread {
    /// Ends the thread within one pace. Its tasks have ended before: who spawned them waits for them.
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(Err(_)) = self.thread.take().map(std::thread::JoinHandle::join) {
            tracing::error!("a paced thread panicked");
        }
    }
}

fn run(runtime: &Runtime, paces: Paces, pace: &Pace, stop: &CancellationToken) {
    let mut next = Instant::now();
    while !stop.is_cancelled() {
        // The first turn looks what arrived and wakes whom it concerns, the second runs them and whom they wake.
        runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        let step = if pace.is_quick() { paces.quick } else { paces.steady };
        let now = Instant::now();
        // In step with the clock; after a long turn the steps that were missed are left out.
        next = (next + step).max(now);
        std::thread::sleep(next.saturating_duration_since(now).min(step));
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const PACES: Paces = Paces { steady: Duration::from_millis(200), quick: Duration::from_millis(1) };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_arrives_is_found_at_the_next_step_and_sooner_for_who_is_in_a_hurry() {
        let thread = PacedThread::start("paced", PACES, Pace::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = thread.handle().spawn(async move {
            let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut byte = [0];
            while socket.read_exact(&mut byte).await.is_ok() {
                socket.write_all(&byte).await.unwrap();
            }
        });
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut ask = async || {
            let asked = Instant::now();
            socket.write_all(b"x").await.unwrap();
            socket.read_exact(&mut [0]).await.unwrap();
            asked.elapsed()
        };
        let mut slowest = Duration::ZERO;
        for _ in 0..3 {
            slowest = slowest.max(ask().await);
        }
        assert!(slowest >= Duration::from_millis(50), "nobody was woken for it: {slowest:?}");
        let hurry = thread.pace().hurry();
        ask().await;
        let quickest = ask().await.min(ask().await).min(ask().await);
        assert!(quickest < Duration::from_millis(50), "{quickest:?}");
        drop((hurry, socket));
        echo.await.unwrap();
    }

    #[test]
    fn a_pace_is_quick_while_anybody_is_in_a_hurry() {
        let pace = Pace::default();
        let (one, other) = (pace.hurry(), pace.hurry());
        drop(one);
        assert!(pace.is_quick());
        drop(other);
        assert!(!pace.is_quick());
    }
}
