//! `\r`: a statement in the words of the official R client.

use super::{Command, Next};
use crate::official::Said;

pub(super) const COMMAND: Command = Command {
    name: r"\r",
    arguments: "[STATEMENT]",
    summary: "the same in R, for the official client; alone, the last statement",
    run: |session, output, arguments| {
        Box::pin(async move {
            let sql = super::given_or_last(session, arguments, COMMAND.name)?;
            let said = Said::of(session, &sql)?;
            output.deliver_lines(&said.r()).await?;
            Ok(Next::Continue)
        })
    },
};
