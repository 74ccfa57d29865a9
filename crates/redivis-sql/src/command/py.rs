//! `\py`: a statement in the words of the official Python client.

use super::{Command, Next};
use crate::official::Said;

pub(super) const COMMAND: Command = Command {
    name: r"\py",
    arguments: "[STATEMENT]",
    summary: "the same in Python, for the official client; alone, the last statement",
    run: |session, output, arguments| {
        Box::pin(async move {
            let sql = super::given_or_last(session, arguments, COMMAND.name)?;
            let said = Said::of(session, &sql)?;
            output.deliver_lines(&said.python()).await?;
            Ok(Next::Continue)
        })
    },
};
