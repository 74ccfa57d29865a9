//! `\ls`: what an owner has, or what is in a dataset or workflow.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use redivis::DatasetReference;

use super::listing::of_owner;
use super::{Command, Next};
use crate::failure::{Failure, external};
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\ls",
    arguments: "[OWNER | OWNER.DATASET]",
    summary: "list an owner's datasets and workflows, or the tables in one; alone, those of the default one",
    run: |session, output, arguments| {
        Box::pin(async move {
            let default = session.default_parent();
            let batch = match (super::unquoted(arguments), &default) {
                ("", None) => return (super::list::COMMAND.run)(session, output, "").await,
                ("", Some(parent)) => tables(session, parent).await?,
                (parent, _) if parent.contains('.') => tables(session, parent).await?,
                (owner, _) => of_owner(session, owner).await?.batch()?,
            };
            output.deliver_batch(batch).await?;
            Ok(Next::Continue)
        })
    },
};

/// The tables of a dataset or workflow.
pub(super) async fn tables(session: &Session, parent: &str) -> Result<RecordBatch, Failure> {
    let reference: DatasetReference = parent
        .parse()
        .map_err(|error| Failure::Usage(format!("{error}")))?;
    let client = session.redivis.client();
    let tables = client.tables(&reference).await.map_err(external)?;
    let names: StringArray = tables
        .iter()
        .map(|table| {
            Some(
                table
                    .reference()
                    .map_or_else(|| table.name.clone(), |table| table.name().to_owned()),
            )
        })
        .collect();
    let rows: UInt64Array = tables.iter().map(|table| table.num_rows).collect();
    let bytes: UInt64Array = tables.iter().map(|table| table.num_bytes).collect();
    let columns: UInt64Array = tables.iter().map(|table| table.variable_count).collect();
    let descriptions: StringArray = tables
        .iter()
        .map(|table| table.description.as_deref())
        .collect();
    let columns: [(&str, ArrayRef); 5] = [
        ("name", Arc::new(names)),
        ("rows", Arc::new(rows)),
        ("bytes", Arc::new(bytes)),
        ("columns", Arc::new(columns)),
        ("description", Arc::new(descriptions)),
    ];
    let columns = columns.map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
