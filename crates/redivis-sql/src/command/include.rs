//! `\i`: runs the statements of a file, which is looked for beside the script that names it.

use super::{Command, Next, unquoted};
use crate::failure::Failure;
use crate::state;

pub(super) const COMMAND: Command = Command {
    name: r"\i",
    arguments: "FILE",
    summary: "run the statements of a file",
    run: |_, _, arguments| {
        Box::pin(async move {
            match unquoted(arguments) {
                "" => Err(Failure::Usage(r"write \i FILE".to_owned())),
                file => Ok(Next::Include(state::at_home(file))),
            }
        })
    },
};
