//! Round trips, counted: requests wait until no more of them come, and then go on together.
//!
//! What takes so many rounds takes so many round trips on a line that is long enough, however fast this machine is.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// No request comes for so long: all that can be sent without an answer has been sent.
const STILL: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(20);

/// The rounds of one proxy.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// When the last of the requests that wait came.
    waiting: Mutex<Option<Instant>>,
    over: watch::Sender<usize>,
}

impl Rounds {
    /// Waits until the round that a request came in is over.
    pub(super) async fn wait(&self) {
        let mut over = self.over.subscribe();
        *self.waiting() = Some(Instant::now());
        // Fails only when the proxy is gone.
        over.changed().await.ok();
    }

    /// Ends rounds as long as it is polled.
    pub(super) async fn end(&self) {
        loop {
            tokio::time::sleep(STEP).await;
            let mut waiting = self.waiting();
            if waiting.is_some_and(|last| last.elapsed() >= STILL) {
                *waiting = None;
                self.over.send_modify(|rounds| *rounds += 1);
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        *self.over.borrow()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
