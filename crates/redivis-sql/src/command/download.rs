//! `\download`: all rows of a table in a file.

use std::sync::Arc;

use redivis::TableReference;

use super::{Command, Next, words};
use crate::amounts;
use crate::execute;
use crate::failure::Failure;
use crate::output::Target;
use crate::report::narrate;
use crate::state;

pub(super) const COMMAND: Command = Command {
    name: r"\download",
    arguments: "TABLE FILE [overwrite]",
    summary: "all rows of a table in a file, whose suffix decides the format",
    run: |session, output, arguments| {
        Box::pin(async move {
            let words = words(arguments)?;
            let (table, file, overwrites) = match words.as_slice() {
                [table, file] => (table, file, false),
                [table, file, word] if word == "overwrite" => (table, file, true),
                _ => {
                    return Err(Failure::Usage(
                        r"write \download TABLE FILE, for example \download demo.nycflights13.flights flights.parquet"
                            .to_owned(),
                    ));
                }
            };
            if !overwrites && state::at_home(file).exists() {
                return Err(Failure::Usage(format!(
                    r"{file} is there already; \download {table} {file} overwrite replaces it"
                )));
            }
            let target = Arc::new(Target::named(file, None)?);
            let rows = {
                let _diverted = output.divert(Arc::clone(&target));
                let all = format!("SELECT * FROM {}", in_sql(table));
                execute::whole(session, output, &all).await?
            };
            super::go::commit(target).await?;
            let rows = amounts::rows(rows);
            narrate(format_args!("downloaded {rows} to {file}"));
            Ok(Next::Continue)
        })
    },
};

/// A table as SQL names it: one of Redivis by its reference, another as it was written.
fn in_sql(table: &str) -> String {
    let table = super::unquoted(table);
    let reference = table.strip_prefix("redivis.").unwrap_or(table);
    let reference = super::unquoted(reference);
    match reference.parse::<TableReference>() {
        Ok(_) => format!("redivis.'{reference}'"),
        Err(_) => table.to_owned(),
    }
}
