//! Runs scripts: everything in the order given, with what it includes.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc;

use crate::command::Next;
use crate::failure::{Failure, OnError};
use crate::input::Stage;
use crate::output::Output;
use crate::report::{Place, note, report};
use crate::script::Source;
use crate::statement::Input;
use crate::workers::Interrupts;

/// How deep scripts include each other: one that includes itself never ends.
const DEPTH: usize = 50;

/// Scripts that run.
pub(crate) struct Batch<'a, 'w> {
    stage: &'a Stage<'w>,
    on_error: OnError,
    /// The status of the first failure after which it went on, or 0.
    failed: AtomicU8,
}

/// Runs the sources and puts the output file in its place. Failures have been reported when it returns.
pub(crate) async fn run(
    stage: Stage<'_>,
    sources: Vec<Source>,
    on_error: OnError,
) -> Result<(), ExitCode> {
    let batch = Batch::new(&stage, on_error);
    let mut interrupts = stage.workers.interrupts();
    for source in sources {
        match batch.play(source, None, 0, &mut interrupts).await {
            Ok(Next::Quit) => break,
            Ok(_) => {}
            Err(failure) => return Err(failure.exit_code()),
        }
    }
    if !stage.output.is_terminal() {
        // Rows that are kept should say of which version they are; on a screen, it would be noise.
        stage.session.pins.notes().into_iter().for_each(note);
    }
    let failed = batch.failed.into_inner();
    let Some(output) = Arc::into_inner(stage.output) else {
        return Ok(());
    };
    if failed > 0 {
        leave(output);
        return Err(ExitCode::from(failed));
    }
    output.commit().map_err(|failure| {
        report(&failure, &Place::default());
        failure.exit_code()
    })
}

/// Leaves the output file as it was: what a statement that failed had written may be in the new one.
fn leave(output: Output) {
    if let Some(path) = output.path() {
        note(format_args!(
            "{} was not written, since a statement failed",
            path.display()
        ));
    }
}

impl<'a, 'w> Batch<'a, 'w> {
    pub(crate) fn new(stage: &'a Stage<'w>, on_error: OnError) -> Self {
        Self {
            stage,
            on_error,
            failed: AtomicU8::new(0),
        }
    }

    /// Runs a source that another one may have included. Its failures have been reported when it returns.
    pub(crate) fn play<'s>(
        &'s self,
        source: Source,
        includer: Option<&'s Path>,
        depth: usize,
        interrupts: &'s mut Interrupts,
    ) -> BoxFuture<'s, Result<Next, Failure>> {
        async move {
            let source = source.seen_from(includer);
            let name = source.name();
            let path = source.path().map(Path::to_owned);
            let mut inputs = source.read();
            while let Some(input) = self.next(&mut inputs, interrupts).await? {
                let outcome = match input {
                    Ok(input) => {
                        let outcome = self.stage.run(&input, name.as_deref(), interrupts).await;
                        match outcome {
                            Ok(Next::Include(_)) if depth == DEPTH => {
                                let message = format!("scripts include each other {DEPTH} deep");
                                self.refuse(Failure::Usage(message))
                            }
                            Ok(Next::Include(included)) => {
                                let included = Source::File(included);
                                self.play(included, path.as_deref(), depth + 1, interrupts)
                                    .await
                            }
                            outcome => outcome,
                        }
                    }
                    Err(failure) => self.refuse(failure),
                };
                match outcome {
                    Ok(Next::Quit) => return Ok(Next::Quit),
                    Ok(_) => {}
                    Err(failure) => self.go_on(failure)?,
                }
            }
            Ok(Next::Continue)
        }
        .boxed()
    }

    /// The next piece, unless a signal comes first.
    async fn next(
        &self,
        inputs: &mut mpsc::Receiver<Result<Input, Failure>>,
        interrupts: &mut Interrupts,
    ) -> Result<Option<Result<Input, Failure>>, Failure> {
        tokio::select! {
            input = inputs.recv() => Ok(input),
            signal = self.stage.workers.stopped(interrupts) => Err(Failure::Signal(signal)),
        }
    }

    fn refuse(&self, failure: Failure) -> Result<Next, Failure> {
        report(&failure, &Place::default());
        Err(failure)
    }

    /// Notes a failure, if what follows is to be run all the same.
    fn go_on(&self, failure: Failure) -> Result<(), Failure> {
        if self.on_error == OnError::Stop || failure.ends_everything() {
            return Err(failure);
        }
        let _ =
            self.failed
                .compare_exchange(0, failure.status(), Ordering::Relaxed, Ordering::Relaxed);
        Ok(())
    }
}
