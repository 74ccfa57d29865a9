//! What a session has written, for the rest of it: tables that have changed, and uploads that are being taken back.
//!
//! A statement that is dropped halfway cannot wait for anything, and an upload that the service has been told of would
//! become part of the table all the same. So taking it back goes on for itself, and [`Redivis::settle`](crate::Redivis::settle)
//! waits for it.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::DataFusionError;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::error::WriteError;

/// More writes than a session takes back at once.
const AT_ONCE: u32 = 1 << 20;

/// The writes of a session.
#[derive(Debug)]
pub(crate) struct Writes {
    count: AtomicU64,
    /// Each write that is being taken back holds one.
    permits: Arc<Semaphore>,
    /// What could not be taken back.
    left: Mutex<Vec<String>>,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            permits: Arc::new(Semaphore::new(AT_ONCE as usize)),
            left: Mutex::default(),
        }
    }
}

impl Writes {
    /// How often something was written: what was known of unreleased tables before is out of date.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Something was written.
    pub(crate) fn changed(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes a write back in the background. `work` says what is left, if something is.
    fn take_back(self: &Arc<Self>, work: impl Future<Output = Option<String>> + Send + 'static) {
        // Without a runtime the program is at its end, and nothing can be done any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let writes = Arc::clone(self);
        runtime.spawn(async move {
            if let Some(left) = work.await {
                tracing::warn!("{left}");
                writes.left().push(left);
            }
            writes.changed();
            drop(permit);
        });
    }

    /// Waits until everything is taken back that can be, and says what could not.
    pub(crate) async fn settle(&self) -> Vec<String> {
        // The semaphore is never closed.
        drop(self.permits.acquire_many(AT_ONCE).await);
        std::mem::take(&mut *self.left())
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way back from something that was written, and that must not stay unless it is kept.
///
/// Dropped without either, as when a statement is dropped halfway, it is taken back in the background.
pub(crate) struct Undo {
    writes: Arc<Writes>,
    work: Option<BoxFuture<'static, Option<String>>>,
}

impl Undo {
    /// `work` takes it back, and says what is left if something is.
    pub(crate) fn new(
        writes: &Arc<Writes>,
        work: impl Future<Output = Option<String>> + Send + 'static,
    ) -> Self {
        Self {
            writes: Arc::clone(writes),
            work: Some(work.boxed()),
        }
    }

    /// It is as it should be.
    pub(crate) fn keep(mut self) {
        self.work = None;
        self.writes.changed();
    }

    /// Takes it back for an error, which then says what is left.
    pub(crate) async fn because_of(mut self, error: DataFusionError) -> DataFusionError {
        let left = match &mut self.work {
            Some(work) => work.await,
            None => None,
        };
        self.work = None;
        self.writes.changed();
        match left {
            None => error,
            Some(left) => still_there(error, left),
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.writes.take_back(work);
        }
    }
}

/// The error with what is left of the write that failed.
pub(crate) fn still_there(error: DataFusionError, left: String) -> DataFusionError {
    let source = match error {
        DataFusionError::External(error) => error,
        other => Box::new(other),
    };
    WriteError::Left { left, source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn settling_waits_for_what_is_taken_back_and_says_what_is_left() {
        let writes = Arc::new(Writes::default());
        assert!(writes.settle().await.is_empty());
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let undone = |work| drop(Undo::new(&writes, work));
        let left = async move {
            wait.await.ok();
            Some("upload x".to_owned())
        };
        undone(left.boxed());
        undone(async { None }.boxed());
        Undo::new(&writes, async { unreachable!("it is kept") }).keep();
        let settling = tokio::spawn({
            let writes = Arc::clone(&writes);
            async move { writes.settle().await }
        });
        tokio::task::yield_now().await;
        assert!(!settling.is_finished());
        go.send(()).unwrap();
        assert_eq!(settling.await.unwrap(), ["upload x"]);
        assert_eq!(writes.count(), 3);
        assert!(writes.settle().await.is_empty());
    }
}
