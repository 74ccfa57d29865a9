//! `\e`: a statement in the person's own editor.
//!
//! The prompt reads it itself, as it needs the text that is being typed; what comes here has no prompt.

use super::Command;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\e",
    arguments: "",
    summary: "edit the statement, or the last one, in $VISUAL or $EDITOR",
    run: |_, _, _| {
        Box::pin(async {
            Err(Failure::Usage(
                r"\e edits what is typed at the prompt, and there is none".to_owned(),
            ))
        })
    },
};
