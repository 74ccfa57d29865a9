//! Runs one piece of what a person or a script wrote.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::command::{self, Next};
use crate::denied;
use crate::failure::Failure;
use crate::missing;
use crate::output::Output;
use crate::report::{Place, chain, narrate, report};
use crate::session::Session;
use crate::statement::{Ending, Input, Kind};
use crate::variables::Expanded;
use crate::workers::{Interrupts, Workers};

/// Where pieces are run.
pub(crate) struct Stage<'w> {
    pub(crate) workers: &'w Workers,
    pub(crate) session: Session,
    pub(crate) output: Arc<Output>,
    /// How long a statement may take.
    pub(crate) limit: Option<Duration>,
    /// Whether a person waits for a prompt.
    pub(crate) prompt: bool,
}

impl Stage<'_> {
    /// Runs a statement or a meta command, and reports its failure with its place.
    pub(crate) async fn run(
        &self,
        input: &Input,
        source: Option<&str>,
        interrupts: &mut Interrupts,
    ) -> Result<Next, Failure> {
        let (Kind::Statement(written) | Kind::Command(written)) = &input.kind;
        let expanded = match &input.kind {
            Kind::Statement(sql) => self.session.variables.expand(sql),
            Kind::Command(line) => Ok(Expanded::plain(line)),
        };
        let started = Instant::now();
        let (outcome, statement) = match expanded {
            Ok(expanded) => (self.piece(input, &expanded, interrupts).await, expanded),
            Err(refusal) => (Err(refusal.into()), Expanded::plain(written)),
        };
        let mut place = Place::of(source, input, statement);
        if self.prompt && source.is_none() {
            // A person counts from where the statement begins, not from the first prompt.
            (place.line, place.column) = (1, 1);
        }
        match &outcome {
            // The prompt asks, and may run it again.
            Err(Failure::Large(_)) if source.is_none() && self.prompt => return outcome,
            Err(failure) => {
                self.session.recent.failed(chain(failure));
                report(failure, &place);
            }
            Ok(_) => {}
        }
        if let (Some(stats), Kind::Statement(_)) = (&self.session.stats, &input.kind) {
            let (took, queries) = (
                started.elapsed(),
                self.session.redivis.waited_since(started),
            );
            stats.tell(outcome.as_ref().err(), &place, took, queries);
        }
        outcome
    }

    async fn piece(
        &self,
        input: &Input,
        expanded: &Expanded,
        interrupts: &mut Interrupts,
    ) -> Result<Next, Failure> {
        let (session, output) = (self.session.clone(), Arc::clone(&self.output));
        let text = expanded.text.clone();
        let outcome = match &input.kind {
            Kind::Statement(_) => {
                session.recent.ran(Ending::split(&text).0);
                let work = async move {
                    let outcome = match Ending::split(&text) {
                        (sql, Some(ending)) => {
                            command::go::end(&session, &output, sql, &ending).await
                        }
                        (sql, None) => command::statement(&session, &output, sql).await,
                    };
                    told(&session, outcome).await
                };
                let work = work.boxed();
                self.workers.run_within(work, self.limit, interrupts).await
            }
            Kind::Command(_) => {
                let work = async move {
                    let outcome = command::run(&session, &output, &text).await;
                    told(&session, outcome).await
                };
                let work = work.boxed();
                self.workers.run_within(work, None, interrupts).await
            }
        };
        if let Err(Failure::Signal(_) | Failure::Timeout(_)) = &outcome {
            if self.prompt {
                narrate("\ncanceled");
            }
            self.session.settle().await;
        }
        outcome
    }
}

/// The outcome, with what a service's refusal has to do with: asked for once something was refused.
async fn told(session: &Session, outcome: Result<Next, Failure>) -> Result<Next, Failure> {
    match outcome {
        Ok(next) => Ok(next),
        Err(failure) => {
            let failure = missing::explained(session, failure).await;
            Err(denied::explained(session, failure).await)
        }
    }
}
