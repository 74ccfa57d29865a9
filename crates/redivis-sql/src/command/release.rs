//! `\release`: releases the next version of a dataset, for good.

use super::{Command, call};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\release",
    arguments: "OWNER.DATASET [NOTES]",
    summary: "release a dataset's next version",
    run: |session, output, arguments| {
        Box::pin(async move {
            match arguments.split_once(char::is_whitespace) {
                Some((dataset, notes)) => call(session, output, "release", &[dataset, notes]).await,
                None if arguments.is_empty() => Err(Failure::Usage(
                    r"write \release OWNER.DATASET, and notes after it if you like".to_owned(),
                )),
                None => call(session, output, "release", &[arguments]).await,
            }
        })
    },
};
