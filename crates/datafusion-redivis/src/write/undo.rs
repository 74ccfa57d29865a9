//! What a session has written, for the rest of it: tables that have changed, and uploads that are being taken back.
//!
//! A statement that is dropped halfway cannot wait for anything, and an upload that the service has been told of would
//! become part of the table all the same. So taking it back goes on for itself, on the runtime of the statement; where that is
//! gone, it is left to [`Redivis::settle`](crate::Redivis::settle), which waits for all of it.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use datafusion::common::DataFusionError;
use datafusion::prelude::SessionConfig;
use futures::FutureExt;
use futures::future::BoxFuture;
use redivis::write::SendProgress;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::WriteError;

/// More writes than a session takes back at once.
const AT_ONCE: u32 = 1 << 20;

/// Takes something back, and says what is left if something is. May be begun again where it was interrupted.
type Work = Arc<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// The writes of a session.
pub(crate) struct Writes {
    count: AtomicU64,
    /// Each write that is being taken back holds one.
    permits: Arc<Semaphore>,
    /// What is to be taken back, and has no runtime to be taken back on.
    waiting: Mutex<Vec<Work>>,
    /// What could not be taken back.
    left: Mutex<Vec<String>>,
    /// What is being sent.
    sending: Mutex<Vec<Weak<SendProgress>>>,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            permits: Arc::new(Semaphore::new(AT_ONCE as usize)),
            waiting: Mutex::default(),
            left: Mutex::default(),
            sending: Mutex::default(),
        }
    }
}

impl fmt::Debug for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writes")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl Writes {
    /// Those of the session that a plan is made in. A session without Redivis has none, and nobody waits for what is taken back.
    pub(crate) fn of(session: &SessionConfig) -> Arc<Self> {
        session.get_extension().unwrap_or_default()
    }

    /// How often something was written: what was known of unreleased tables before is out of date.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Something was written.
    pub(crate) fn changed(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Something is sent: it can be watched for as long as somebody has it.
    pub(super) fn sends(&self, progress: &Arc<SendProgress>) {
        let mut sending = locked(&self.sending);
        sending.retain(|progress| progress.strong_count() > 0);
        sending.push(Arc::downgrade(progress));
    }

    /// What is being sent, or has been and is being read in.
    pub(crate) fn sending(&self) -> Vec<Arc<SendProgress>> {
        locked(&self.sending)
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    /// Waits until everything is taken back that can be, and says what could not.
    pub(crate) async fn settle(self: &Arc<Self>) -> Vec<String> {
        loop {
            // The semaphore is never closed.
            drop(self.permits.acquire_many(AT_ONCE).await);
            let Some(work) = locked(&self.waiting).pop() else {
                return std::mem::take(&mut *locked(&self.left));
            };
            Undoing::new(self, work).run().await;
        }
    }
}

/// No code panics while it holds one of these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that is being taken back. Interrupted, as when its runtime ends, it waits to be begun again.
struct Undoing {
    writes: Arc<Writes>,
    work: Option<Work>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Undoing {
    fn new(writes: &Arc<Writes>, work: Work) -> Self {
        Self {
            writes: Arc::clone(writes),
            work: Some(work),
            _permit: Arc::clone(&writes.permits).try_acquire_owned().ok(),
        }
    }

    async fn run(mut self) {
        let Some(work) = self.work.clone() else {
            return;
        };
        if let Some(left) = work().await {
            tracing::warn!("{left}");
            locked(&self.writes.left).push(left);
        }
        self.writes.changed();
        self.work = None;
    }
}

impl Drop for Undoing {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            locked(&self.writes.waiting).push(work);
        }
    }
}

/// The way back from something that was written, and that must not stay unless it is kept.
///
/// Dropped without either, as when a statement is dropped halfway, it is taken back in the background.
pub(crate) struct Undo {
    writes: Arc<Writes>,
    work: Option<Work>,
    /// Where the statement runs.
    runtime: Option<Handle>,
}

impl Undo {
    /// `work` takes it back, and says what is left if something is.
    pub(crate) fn new<F>(writes: &Arc<Writes>, work: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<String>> + Send + 'static,
    {
        Self {
            writes: Arc::clone(writes),
            work: Some(Arc::new(move || work().boxed())),
            runtime: Handle::try_current().ok(),
        }
    }

    /// It is as it should be.
    pub(crate) fn keep(mut self) {
        self.work = None;
        self.writes.changed();
    }

    /// Takes it back now, and says what is left if something is.
    pub(crate) async fn carry_out(mut self) -> Option<String> {
        let work = self.work.clone()?;
        let left = work().await;
        self.work = None;
        self.writes.changed();
        left
    }

    /// Takes it back for an error, which then says what is left.
    pub(crate) async fn because_of(self, error: DataFusionError) -> DataFusionError {
        match self.carry_out().await {
            None => error,
            Some(left) => still_there(error, left),
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else {
            return;
        };
        let undoing = Undoing::new(&self.writes, work);
        // A runtime of one thread does nothing unless it is entered.
        let goes_on = |runtime: &Handle| runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
        let runtime = self.runtime.take().filter(goes_on);
        if let Some(runtime) = runtime.or_else(|| Handle::try_current().ok()) {
            runtime.spawn(undoing.run());
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
    use tokio::runtime::Builder;
    use tokio::sync::Notify;

    use super::*;

    fn leaves(writes: &Arc<Writes>, left: Option<&'static str>) -> Undo {
        Undo::new(writes, move || async move { left.map(str::to_owned) })
    }

    #[tokio::test]
    async fn settling_waits_for_what_is_taken_back_and_says_what_is_left() {
        let writes = Arc::new(Writes::default());
        assert!(writes.settle().await.is_empty());
        let go = Arc::new(Notify::new());
        let waits = Arc::clone(&go);
        drop(Undo::new(&writes, move || {
            let waits = Arc::clone(&waits);
            async move {
                waits.notified().await;
                Some("upload x".to_owned())
            }
        }));
        drop(leaves(&writes, None));
        leaves(&writes, Some("it is kept")).keep();
        let settling = tokio::spawn({
            let writes = Arc::clone(&writes);
            async move { writes.settle().await }
        });
        tokio::task::yield_now().await;
        assert!(!settling.is_finished());
        go.notify_one();
        assert_eq!(settling.await.unwrap(), ["upload x"]);
        assert_eq!(writes.count(), 3);
        assert!(writes.settle().await.is_empty());
    }

    #[test]
    fn what_its_runtime_cannot_take_back_is_left_to_settling() {
        let writes = Arc::new(Writes::default());
        let one = Builder::new_current_thread().build().unwrap();
        let dropped = one.block_on(async { leaves(&writes, Some("on one thread")) });
        let many = Builder::new_multi_thread().build().unwrap();
        let late = many.block_on(async { leaves(&writes, Some("too late")) });
        let interrupted = Undo::new(&writes, {
            let times = AtomicU64::new(0);
            move || {
                let first = times.fetch_add(1, Ordering::AcqRel) == 0;
                async move {
                    if first {
                        futures::future::pending::<()>().await;
                    }
                    Some("interrupted".to_owned())
                }
            }
        });
        many.block_on(async { drop(interrupted) });
        many.shutdown_background();
        drop((dropped, late));
        let other = Builder::new_current_thread().build().unwrap();
        let mut left = other.block_on(writes.settle());
        left.sort();
        assert_eq!(left, ["interrupted", "on one thread", "too late"]);
        drop(one);
    }
}
