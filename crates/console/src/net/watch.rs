//! The two standing questions: does the server answer, and how are the cameras.

use std::time::{Duration, Instant};

use super::{Link, Reply};

const EVERY: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(8);

/// Asks for the server's status again and again; what it finds is the state of the link.
pub async fn status(link: Link) {
    let mut retry = FIRST_RETRY;
    loop {
        let wait = match link.client.status().await {
            Ok(status) => {
                retry = FIRST_RETRY;
                link.tell(Reply::Status(Box::new(status))).await;
                EVERY
            }
            Err(error) => {
                let wait = retry;
                retry = (retry * 2).min(LAST_RETRY);
                link.tell(Reply::Down(Instant::now() + wait, error.to_string())).await;
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Watches the cameras; opens the watch again whenever it ends.
pub async fn cameras(link: Link) {
    loop {
        match link.client.watch_cameras().await {
            Ok(mut watch) => loop {
                match watch.next().await {
                    Ok(Some(list)) => link.tell(Reply::Cameras(list)).await,
                    Ok(None) => break,
                    Err(error) => {
                        tracing::info!(%error, "the watch of the cameras ended");
                        break;
                    }
                }
            },
            // Said by `status` already, which sees the same server.
            Err(error) => tracing::debug!(%error, "the cameras cannot be watched"),
        }
        tokio::time::sleep(FIRST_RETRY).await;
    }
}
