//! The threads that statements run on, and what stops them: signals, served by the one thread that no statement can occupy.
//!
//! An operator may compute for minutes without a pause, on as many threads as there are processors. So statements have a
//! runtime of their own, and the main thread, which only waits, notices Ctrl-C, answers the prompt and ends the process.

use std::future::Future;
use std::time::Duration;

use datafusion::error::DataFusionError;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::output::pager_may_have_keys;
use crate::signal::Signal;

/// How long what was stopped may take to clean up. What takes longer computes, and stops at its next batch.
const GRACE: Duration = Duration::from_millis(600);

/// Where statements run.
pub(crate) struct Workers {
    runtime: Runtime,
    /// The signal that ends the process, once it has come.
    end: watch::Receiver<Option<Signal>>,
    /// How often Ctrl-C came.
    interrupts: Interrupts,
}

/// Ctrl-C, as often as it came since somebody looked last.
pub(crate) type Interrupts = watch::Receiver<usize>;

impl Workers {
    /// Starts the threads, and to listen for signals on the current runtime.
    pub(crate) fn start() -> std::io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            // A query computes on as many threads as there are processors: one more drives sockets and drops what was stopped.
            .worker_threads(processors + 1)
            .enable_all()
            .build()?;
        let (sender, end) = watch::channel(None);
        listen(sender)?;
        let (sender, interrupts) = watch::channel(0);
        count(sender)?;
        Ok(Self {
            runtime,
            end,
            interrupts,
        })
    }

    /// Ctrl-C from now on.
    pub(crate) fn interrupts(&self) -> Interrupts {
        let mut interrupts = self.interrupts.clone();
        interrupts.mark_unchanged();
        interrupts
    }

    /// Runs to the end or to the first signal, which drops the work with its requests, streams and temporary files.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.run_within(work, None, &mut self.interrupts()).await
    }

    /// The same, to the end of a time, or to a signal that may have come already.
    pub(crate) async fn run_within<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
        limit: Option<Duration>,
        interrupts: &mut Interrupts,
    ) -> Result<T, Failure> {
        let mut task = self.runtime.spawn(work);
        let too_long = async {
            match limit {
                Some(limit) => {
                    tokio::time::sleep(limit).await;
                    limit
                }
                None => std::future::pending().await,
            }
        };
        let failure = tokio::select! {
            outcome = &mut task => return match outcome {
                Ok(outcome) => outcome,
                Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error)).into()),
            },
            signal = self.stopped(interrupts) => Failure::Signal(signal),
            limit = too_long => Failure::Timeout(limit),
        };
        task.abort();
        let _ = tokio::time::timeout(GRACE, task).await;
        Err(failure)
    }

    /// Ctrl-C, or the signal that ends the process, when it comes.
    pub(crate) async fn stopped(&self, interrupts: &mut Interrupts) -> Signal {
        tokio::select! {
            Ok(()) = interrupts.changed() => Signal::Interrupt,
            signal = self.ended() => signal,
        }
    }

    /// The signal that ends the process, when it comes.
    pub(crate) async fn ended(&self) -> Signal {
        let mut end = self.end.clone();
        let signal = end.wait_for(Option::is_some).await;
        match signal.ok().and_then(|signal| *signal) {
            Some(signal) => signal,
            // Nobody listens any more, so none comes.
            None => std::future::pending().await,
        }
    }

    /// Leaves what still computes to the end of the process.
    pub(crate) fn leave(self) {
        self.runtime.shutdown_background();
    }
}

#[cfg(unix)]
fn count(sender: watch::Sender<usize>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        while interrupt.recv().await.is_some() {
            // A pager that has the terminal has its keys too.
            if !pager_may_have_keys() {
                sender.send_modify(|count| *count += 1);
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn count(sender: watch::Sender<usize>) -> std::io::Result<()> {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            sender.send_modify(|count| *count += 1);
        }
    });
    Ok(())
}

#[cfg(unix)]
fn listen(sender: watch::Sender<Option<Signal>>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let signal = tokio::select! {
            _ = hangup.recv() => Signal::Hangup,
            _ = terminate.recv() => Signal::Terminate,
        };
        let _ = sender.send(Some(signal));
    });
    Ok(())
}

#[cfg(not(unix))]
fn listen(_sender: watch::Sender<Option<Signal>>) -> std::io::Result<()> {
    Ok(())
}
