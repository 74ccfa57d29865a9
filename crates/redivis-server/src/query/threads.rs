//! Threads that run queries and nothing else.
//!
//! A join may compute for long without a pause, and must not keep requests from being answered meanwhile.

use std::{future::Future, io};

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// The threads; they end with this.
#[derive(Debug)]
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("queries")
            .enable_all()
            .build()?;
        Ok(Threads(Some(runtime)))
    }

    /// Runs a future on them.
    pub(super) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        self.0.as_ref().map(|runtime| runtime.spawn(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
