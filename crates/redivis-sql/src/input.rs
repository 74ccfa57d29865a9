//! Runs one piece of what a person or a script wrote.

use crate::command::{self, Next};
use crate::execute;
use crate::failure::Failure;
use crate::missing;
use crate::output::Output;
use crate::session::Session;
use crate::statement::Kind;

/// Runs a statement or a meta command.
pub(crate) async fn run(session: &Session, output: &Output, kind: &Kind) -> Result<Next, Failure> {
    let outcome = match kind {
        Kind::Statement(sql) => match command::short_for(sql) {
            Some(line) => command::run(session, output, &line).await,
            None => {
                let done = execute::statement(session, output, sql).await;
                done.map(|()| Next::Continue)
            }
        },
        Kind::Command(line) => command::run(session, output, line).await,
    };
    match outcome {
        Err(failure) => Err(missing::explained(session, failure).await),
        next => next,
    }
}
