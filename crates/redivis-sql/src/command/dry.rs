//! `\dry`: what a statement would read from Redivis.

use super::{Command, Next};
use crate::execute;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\dry",
    arguments: "STATEMENT",
    summary: "show what a statement would read, without running it",
    run: |session, output, arguments| {
        Box::pin(async move {
            if arguments.is_empty() {
                return Err(Failure::Usage(r"write \dry SELECT …".to_owned()));
            }
            execute::dry(session, output, arguments).await?;
            Ok(Next::Continue)
        })
    },
};
