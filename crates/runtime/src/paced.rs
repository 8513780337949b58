//! A thread whose tasks run in step: they are looked after at a fixed pace and not whenever a packet arrives.
//!
//! A hundred cameras send thousands of packets a second. A runtime that wakes for each spends a good part of its time on
//! waking up; one that looks ten times a second finds them all at once and reads each socket with few calls.
//! What is given up is time: a task sees what came up to one pace later. Whoever needs it sooner says so ([`Pace::hurry`]),
//! and while anybody does, the pace is quick.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;

/// Steps while nobody is in a hurry, and while somebody is.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    /// For work that may wait: what arrives in between must fit into the buffers of the system. Steps vary around it by a
    /// quarter, so that what arrives at a pace of its own is not found equally late each time.
    pub steady: Duration,
    /// For questions and answers that follow each other.
    pub exchange: Duration,
    /// For somebody who watches.
    pub live: Duration,
}

/// Why somebody is in a hurry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Questions and answers follow each other.
    Exchange,
    /// Somebody watches, or what is not taken at once is lost.
    Live,
}

/// Where a hurry is said. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Haste>);

#[derive(Debug, Default)]
struct Haste {
    exchange: AtomicUsize,
    live: AtomicUsize,
    /// Whom to wake when somebody gets into a hurry.
    threads: Mutex<Vec<Thread>>,
}

impl Haste {
    fn count(&self, why: Why) -> &AtomicUsize {
        match why {
            Why::Exchange => &self.exchange,
            Why::Live => &self.live,
        }
    }
}

impl Pace {
    /// The pace is quicker until the answer is dropped.
    #[must_use]
    pub fn hurry(&self, why: Why) -> Hurry {
        if self.0.count(why).fetch_add(1, Ordering::Relaxed) == 0 {
            for thread in self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                thread.unpark();
            }
        }
        Hurry(Arc::clone(&self.0), why)
    }

    fn is_hurried(&self, why: Why) -> bool {
        self.0.count(why).load(Ordering::Relaxed) > 0
    }

    /// How long the next step is; `turn` counts steps.
    fn step(&self, paces: Paces, turn: u32) -> Duration {
        if self.is_hurried(Why::Live) {
            paces.live
        } else if self.is_hurried(Why::Exchange) {
            paces.exchange
        } else {
            // Multiples of the golden ratio fill the range evenly and in no rhythm: 0.75 to 1.25.
            let part = turn.wrapping_mul(0x9E37_79B9) >> 24;
            paces.steady * (384 + part) / 512
        }
    }
}

/// Somebody is in a hurry.
#[derive(Debug)]
pub struct Hurry(Arc<Haste>, Why);

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.count(self.1).fetch_sub(1, Ordering::Relaxed);
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
        pace.0.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread.thread().clone());
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
    /// Ends the thread. Its tasks have ended before: who spawned them waits for them.
    fn drop(&mut self) {
        self.stop.cancel();
        let Some(thread) = self.thread.take() else { return };
        let id = thread.thread().id();
        self.pace.0.threads.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other.id() != id);
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::error!("a paced thread panicked");
        }
    }
}

fn run(runtime: &Runtime, paces: Paces, pace: &Pace, stop: &CancellationToken) {
    let (mut last, mut turn) = (Instant::now(), 0u32);
    while !stop.is_cancelled() {
        turn = turn.wrapping_add(1);
        // The first turn looks what arrived and wakes whom it concerns, the second runs them and whom they wake.
        runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        let done = Instant::now();
        let mut next = last + pace.step(paces, turn);
        while let Some(left) = next.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::park_timeout(left);
            // Woken early: to end, by somebody in a hurry, or for no reason.
            next = next.min(last + pace.step(paces, turn));
            if stop.is_cancelled() {
                return;
            }
        }
        // In step with the clock; after a long turn the steps that were missed are left out.
        last = next.max(done);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const PACES: Paces = Paces {
        steady: Duration::from_millis(400),
        exchange: Duration::from_millis(30),
        live: Duration::from_millis(1),
    };

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
        assert!(slowest >= Duration::from_millis(100), "nobody was woken for it: {slowest:?}");
        // Even the first one: whoever gets into a hurry does not wait for the step that has begun.
        let exchange = thread.pace().hurry(Why::Exchange);
        let first = ask().await;
        assert!(first < Duration::from_millis(250), "{first:?}");
        let live = thread.pace().hurry(Why::Live);
        ask().await;
        let quickest = ask().await.min(ask().await).min(ask().await);
        assert!(quickest < Duration::from_millis(20), "{quickest:?}");
        drop((exchange, live, socket));
        echo.await.unwrap();
    }

    #[test]
    fn a_pace_is_quick_while_anybody_is_in_a_hurry_and_the_steps_of_the_steady_one_differ() {
        let pace = Pace::default();
        let (one, other) = (pace.hurry(Why::Live), pace.hurry(Why::Live));
        let exchange = pace.hurry(Why::Exchange);
        drop(one);
        assert_eq!(pace.step(PACES, 0), PACES.live);
        drop(other);
        assert_eq!(pace.step(PACES, 0), PACES.exchange);
        drop(exchange);
        let mut steps: Vec<Duration> = (0..32).map(|turn| pace.step(PACES, turn)).collect();
        let mean = steps.iter().sum::<Duration>() / 32;
        assert!((385..=415).contains(&mean.as_millis()), "{mean:?}");
        steps.sort();
        assert!(steps[0] >= Duration::from_millis(300) && steps[31] <= Duration::from_millis(500), "{steps:?}");
        // They fill the range.
        assert!(steps.windows(2).all(|pair| pair[1] - pair[0] < Duration::from_millis(15)), "{steps:?}");
    }
}
