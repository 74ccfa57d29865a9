//! `\next`: opens the next version of a dataset, as what is released never changes.

use super::{Command, call};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\next",
    arguments: "OWNER.DATASET",
    summary: "open a dataset's next version, to change it",
    run: |session, output, arguments| {
        Box::pin(async move {
            if arguments.is_empty() {
                return Err(Failure::Usage(r"write \next OWNER.DATASET".to_owned()));
            }
            call(session, output, "next_version", &[arguments]).await
        })
    },
};
