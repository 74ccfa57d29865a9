//! Runs one piece of what a person or a script wrote.

use crate::command::{self, Next};
use crate::execute;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::statement::{Ending, Kind};

/// Runs a statement or a meta command.
pub(crate) async fn run(session: &Session, output: &Output, kind: &Kind) -> Result<Next, Failure> {
    match kind {
        Kind::Statement(sql) => {
            let (sql, ending) = Ending::split(sql);
            match ending {
                Some(ending) => command::go::end(session, output, sql, &ending).await,
                None => {
                    execute::statement(session, output, sql).await?;
                    Ok(Next::Continue)
                }
            }
        }
        Kind::Command(line) => command::run(session, output, line).await,
    }
}
