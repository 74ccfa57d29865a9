//! `\create`: a dataset, or a table without rows that files can be uploaded to.

use super::{Command, call};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\create",
    arguments: "dataset|table REFERENCE",
    summary: "create a dataset, or an empty table in its next version",
    run: |session, output, arguments| {
        Box::pin(async move {
            match arguments.split_once(char::is_whitespace) {
                Some(("dataset", dataset)) => {
                    call(session, output, "create_dataset", &[dataset]).await
                }
                Some(("table", table)) => call(session, output, "create_table", &[table]).await,
                _ => Err(Failure::Usage(
                    r"write \create dataset OWNER.DATASET or \create table OWNER.DATASET:next.TABLE"
                        .to_owned(),
                )),
            }
        })
    },
};
