//! `\d`: the columns of a table, with what Redivis says about them.
//!
//! Takes a table however SQL would, a bare reference too, and asks the planner: what it shows is what a query gets.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::error::Result;
use redivis::TableReference;

use super::{Command, Next};
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\d",
    arguments: "[TABLE]",
    summary: "describe a table's columns; without a table, as \\dt",
    run: |session, output, arguments| {
        Box::pin(async move {
            let description = match arguments {
                "" => super::tables::local(session).await?,
                table => describe(session, table).await?,
            };
            output.deliver_batch(description).await?;
            Ok(Next::Continue)
        })
    },
};

async fn describe(session: &Session, table: &str) -> Result<RecordBatch> {
    // A version's colon is no SQL: a reference is quoted as a whole.
    let table = match super::unquoted(table).parse::<TableReference>() {
        Ok(_) => quoted(super::unquoted(table)),
        Err(_) => table.to_owned(),
    };
    columns(session, &table, &[("label", "redivis.label")]).await
}

/// A reference as SQL names its table.
pub(super) fn quoted(reference: &str) -> String {
    format!("redivis.\"{reference}\"")
}

/// Names and types of a table's columns, and what the metadata of their fields says under these keys.
pub(super) async fn columns(
    session: &Session,
    table: &str,
    told: &[(&str, &str)],
) -> Result<RecordBatch> {
    let frame = session
        .redivis
        .sql(&format!("SELECT * FROM {table}"))
        .await?;
    let fields = frame.schema().fields();
    let metadata = |key: &str| -> ArrayRef {
        let values = fields.iter().map(|field| field.metadata().get(key));
        Arc::new(values.collect::<StringArray>())
    };
    let names: StringArray = fields.iter().map(|field| Some(field.name())).collect();
    let arrow_types: StringArray = fields
        .iter()
        .map(|field| Some(field.data_type().to_string()))
        .collect();
    let mut columns = vec![
        ("name", Arc::new(names) as ArrayRef),
        ("type", metadata("redivis.type")),
        ("arrow_type", Arc::new(arrow_types)),
    ];
    columns.extend(told.iter().map(|(name, key)| (*name, metadata(key))));
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, values)| (name, values, true)),
    )?)
}
