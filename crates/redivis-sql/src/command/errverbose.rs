//! `\errverbose`: the last error with all its causes.

use super::{Command, Next};
use crate::report::narrate;

pub(super) const COMMAND: Command = Command {
    name: r"\errverbose",
    arguments: "",
    summary: "show the last error with its causes",
    run: |session, _, _| {
        Box::pin(async move {
            let causes = session.recent.error();
            if causes.is_empty() {
                narrate("no statement has failed");
            }
            for (depth, cause) in causes.iter().enumerate() {
                let lead = if depth == 0 { "error: " } else { "  because: " };
                narrate(format_args!("{lead}{cause}"));
            }
            Ok(Next::Continue)
        })
    },
};
