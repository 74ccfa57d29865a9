//! `\g` and `\gx`: a statement's rows somewhere else, or below each other.
//!
//! They end a statement as `;` does; alone they are about the last result.

use std::sync::Arc;

use super::{Command, Next, last};
use crate::failure::Failure;
use crate::output::{Output, Target};
use crate::session::Session;
use crate::statement::Ending;

pub(super) const COMMAND: Command = Command {
    name: r"\g",
    arguments: "[FILE or |COMMAND]",
    summary: "end a statement, its rows to a file or a command; alone: the last result",
    run: |session, output, arguments| {
        Box::pin(async move { send(session, output, None, arguments, false).await })
    },
};

pub(super) const VERTICAL: Command = Command {
    name: r"\gx",
    arguments: "[FILE or |COMMAND]",
    summary: r"the same with values below each other; so does \G",
    run: |session, output, arguments| {
        Box::pin(async move { send(session, output, None, arguments, true).await })
    },
};

/// Runs a statement that ends in one of these.
pub(crate) async fn end(
    session: &Session,
    output: &Output,
    sql: &str,
    ending: &Ending<'_>,
) -> Result<Next, Failure> {
    send(
        session,
        output,
        Some(sql),
        ending.arguments,
        ending.is_vertical,
    )
    .await
}

async fn send(
    session: &Session,
    output: &Output,
    sql: Option<&str>,
    to: &str,
    is_vertical: bool,
) -> Result<Next, Failure> {
    let _expanded = is_vertical.then(|| output.expand());
    if to.is_empty() {
        return rows(session, output, sql).await;
    }
    let name = match to.starts_with('|') {
        true => to,
        false => super::unquoted(to),
    };
    let target = Arc::new(Target::named(name, output.asked_format())?);
    {
        let _diverted = output.divert(Arc::clone(&target));
        rows(session, output, sql).await?;
    }
    commit(target).await?;
    Ok(Next::Continue)
}

/// Sends the rows of a statement, or of the last result, to the output.
async fn rows(session: &Session, output: &Output, sql: Option<&str>) -> Result<Next, Failure> {
    match sql {
        Some(sql) => super::statement(session, output, sql).await,
        None => {
            last::show(session, output).await?;
            Ok(Next::Continue)
        }
    }
}

/// What was sent is complete. A command may take its time.
pub(super) async fn commit(target: Arc<Target>) -> Result<(), Failure> {
    let committed = tokio::task::spawn_blocking(move || target.commit()).await;
    committed.map_err(|error| datafusion::error::DataFusionError::ExecutionJoin(Box::new(error)))?
}
