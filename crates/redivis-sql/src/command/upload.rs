//! `\upload`: files to a table, as `redivis-sql upload` sends them.

use super::{Command, Next, words};
use crate::args::Upload;
use crate::upload;

pub(super) const COMMAND: Command = Command {
    name: r"\upload",
    arguments: "FILE… TABLE [--OPTION…]",
    summary: "files to a table, with the options of redivis-sql upload",
    run: |session, _, arguments| {
        Box::pin(async move {
            let upload = Upload::of_words(words(arguments)?)?;
            upload::within(session, upload).await?;
            Ok(Next::Continue)
        })
    },
};
