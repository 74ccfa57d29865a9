//! `\format`: a statement laid out over lines.

use super::{Command, Next};
use crate::layout::laid_out;

pub(super) const COMMAND: Command = Command {
    name: r"\format",
    arguments: "[STATEMENT]",
    summary: "lay a statement out over lines; alone, the last one",
    run: |session, output, arguments| {
        Box::pin(async move {
            let sql = super::given_or_last(session, arguments, COMMAND.name)?;
            let text = format!("{};\n", laid_out(&sql));
            output.deliver_lines(&text).await?;
            Ok(Next::Continue)
        })
    },
};
