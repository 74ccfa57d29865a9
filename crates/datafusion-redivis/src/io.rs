//! Where requests to Redivis run: on the current runtime, or on one that is given for it.
//!
//! Programs may execute plans on a runtime that drives no sockets, or keep one for computing alone. Work that is handed to
//! another runtime ends when whoever waits for it goes. Uses `error` only.

use datafusion::common::{Result, exec_err};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use crate::error::failed;

/// How many items of a stream wait on their way from the other runtime.
const IN_TRANSIT: usize = 1;

/// The runtime that requests run on, with the decoding of their answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct IoRuntime(Option<Handle>);

impl From<Handle> for IoRuntime {
    fn from(handle: Handle) -> Self {
        Self(Some(handle))
    }
}

impl IoRuntime {
    /// Runs a future to its end; dropping the wait aborts it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = redivis::Result<T>> + Send + 'static,
    ) -> Result<T> {
        let Some(handle) = &self.0 else {
            return work.await.map_err(failed);
        };
        let mut task = JoinSet::new();
        task.spawn_on(work, handle);
        match task.join_next().await {
            Some(Ok(outcome)) => outcome.map_err(failed),
            Some(Err(error)) => stopped(error),
            None => exec_err!("{GONE}"),
        }
    }

    /// Starts work now, where there is a runtime to run it, and else when its outcome is awaited; dropping the wait aborts it.
    /// `None` where the runtime went away before it was done.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, Option<T>> {
        let Some(handle) = self.0.clone().or_else(|| Handle::try_current().ok()) else {
            return work.map(Some).boxed();
        };
        let mut task = JoinSet::new();
        task.spawn_on(work, &handle);
        let outcome = async move {
            match task.join_next().await? {
                Ok(outcome) => Some(outcome),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => None,
                },
            }
        };
        outcome.boxed()
    }

    /// Runs a stream from its first poll on, a little ahead of its reader; dropping it aborts it.
    pub(crate) fn stream<T: Send + 'static>(
        &self,
        mut items: BoxStream<'static, Result<T>>,
    ) -> BoxStream<'static, Result<T>> {
        let Some(handle) = self.0.clone() else {
            return items;
        };
        let start = async move {
            let (sender, receiver) = mpsc::channel(IN_TRANSIT);
            let mut task = JoinSet::new();
            let send = async move {
                while let Some(item) = items.next().await {
                    if sender.send(item).await.is_err() {
                        break;
                    }
                }
            };
            task.spawn_on(send, &handle);
            stream::unfold((receiver, task), |(mut receiver, mut task)| async move {
                if let Some(item) = receiver.recv().await {
                    return Some((item, (receiver, task)));
                }
                // The end, unless the task could not say so.
                let failed = task.join_next().await?.err()?;
                Some((stopped(failed), (receiver, task)))
            })
        };
        stream::once(start).flatten().boxed()
    }
}

const GONE: &str = "the runtime that reads from Redivis has shut down";

/// A panic goes on where the outcome is awaited, as if the work ran there.
fn stopped<T>(error: JoinError) -> Result<T> {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => exec_err!("{GONE}"),
    }
}
