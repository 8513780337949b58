//! Tasks with a name, an owner and an end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A group of tasks that are told to stop together and waited for together.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    set: Arc<Mutex<JoinSet<()>>>,
    stop: CancellationToken,
}

impl Tasks {
    /// An empty group.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the group stops; a task ends soon after.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task. A panic in it is logged under its name, and noticed by nobody else.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        // Tasks that ended by themselves are collected here, so that the set does not grow.
        while set.try_join_next().is_some() {}
        set.spawn(async move {
            // A task owns what it works on, so nothing half-changed is left behind for others.
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "task panicked");
            }
        });
    }

    /// Tells all tasks to stop and waits for them. Returns how many did not end in time.
    pub async fn stop(&self, patience: Duration) -> usize {
        self.stop.cancel();
        let mut set = std::mem::take(&mut *self.set.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while set.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            return set.len();
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_task_is_told_and_waited_for() {
        let tasks = Tasks::new();
        let stop = tasks.stop_token();
        tasks.spawn("waits", async move { stop.cancelled().await });
        tasks.spawn("panics", async { panic!("on purpose") });
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_listen_is_counted() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending());
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, 1);
    }
}
