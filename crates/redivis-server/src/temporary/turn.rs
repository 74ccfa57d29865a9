//! Whose turn it is to write to a session: the newest request's.
//!
//! A client that lost its connection comes back while the server may still wait for more on the old one. So the newcomer
//! ends the former's turn, and waits only until what it is just writing is written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// The turns of all sessions that are being written to.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<Queue>>>);

/// The requests of one session.
#[derive(Debug, Default)]
struct Queue {
    writing: Arc<tokio::sync::Mutex<()>>,
    newest: Mutex<CancellationToken>,
}

/// A request's turn; nobody else writes while it is held.
#[derive(Debug)]
pub(super) struct Turn {
    ended: CancellationToken,
    _writing: OwnedMutexGuard<()>,
    /// Keeps the queue known while somebody is in it.
    _queue: Arc<Queue>,
}

impl Turns {
    /// Waits for the turn; `None` when a still newer request comes first.
    pub(super) async fn next(&self, session: &str) -> Option<Turn> {
        let queue = self.queue(session);
        let ended = CancellationToken::new();
        {
            let mut newest = queue.newest.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *newest, ended.clone()).cancel();
        }
        let writing = ended
            .run_until_cancelled(Arc::clone(&queue.writing).lock_owned())
            .await?;
        Some(Turn {
            ended,
            _writing: writing,
            _queue: queue,
        })
    }

    fn queue(&self, session: &str) -> Arc<Queue> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(session).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(Queue::default());
        queues.insert(session.to_owned(), Arc::downgrade(&queue));
        queue
    }
}

impl Turn {
    /// Cancelled when a newer request ends this turn.
    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_goes_on_once_the_former_stopped_writing() {
        let turns = Turns::default();
        let first = turns.next("s").await.unwrap();
        let second = turns.next("s");
        tokio::pin!(second);
        assert!(futures::poll!(&mut second).is_pending());
        assert!(first.ended().is_cancelled());
        let third = turns.next("s");
        tokio::pin!(third);
        assert!(futures::poll!(&mut third).is_pending());
        assert!(second.await.is_none());
        drop(first);
        let third = third.await.unwrap();
        assert!(!third.ended().is_cancelled());
    }

    #[tokio::test]
    async fn sessions_do_not_wait_for_each_other_and_are_forgotten() {
        let turns = Turns::default();
        let one = turns.next("one").await.unwrap();
        let two = turns.next("two").await.unwrap();
        drop((one, two));
        drop(turns.next("three").await);
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
