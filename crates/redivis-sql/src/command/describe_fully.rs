//! `\d+`: the columns of a table with descriptions and value labels.
//!
//! Apart from `\d` because Redivis tells these one variable at a time.

use datafusion_redivis::RedivisTable;
use redivis::TableReference;

use super::{Command, Next, describe};
use crate::failure::Failure;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\d+",
    arguments: "TABLE",
    summary: "describe it with descriptions and value labels",
    run: |session, output, arguments| {
        Box::pin(async move {
            if arguments.is_empty() {
                return Err(Failure::Usage(
                    r"write \d+ TABLE, for example \d+ demo.nycflights13.airports".to_owned(),
                ));
            }
            let table = described(session, arguments).await?;
            let told = [
                ("label", "redivis.label"),
                ("description", "redivis.description"),
                ("value_labels", "redivis.valueLabels"),
            ];
            let columns = describe::columns(session, &table, &told).await?;
            output.deliver_batch(columns).await?;
            Ok(Next::Continue)
        })
    },
};

/// Has a table of Redivis described, also one with a local name, and says how SQL names it.
async fn described(session: &Session, table: &str) -> Result<String, Failure> {
    let mut reference = super::unquoted(table).to_owned();
    if reference.parse::<TableReference>().is_err() {
        let provider = session.context.table_provider(table).await?;
        match provider.downcast_ref::<RedivisTable>() {
            Some(remote) => reference = remote.table().qualified_reference.clone(),
            None => return Ok(table.to_owned()),
        }
    }
    session.redivis.describe(&reference).await?;
    Ok(describe::quoted(&reference))
}
