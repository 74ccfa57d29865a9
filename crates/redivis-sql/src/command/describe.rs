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
        Ok(_) => format!("redivis.\"{}\"", super::unquoted(table)),
        Err(_) => table.to_owned(),
    };
    let frame = session
        .redivis
        .sql(&format!("SELECT * FROM {table}"))
        .await?;
    let fields = frame.schema().fields();
    let metadata = |key: &'static str| -> StringArray {
        fields
            .iter()
            .map(|field| field.metadata().get(key).cloned())
            .collect()
    };
    let names: StringArray = fields.iter().map(|field| Some(field.name())).collect();
    let arrow_types: StringArray = fields
        .iter()
        .map(|field| Some(field.data_type().to_string()))
        .collect();
    Ok(RecordBatch::try_from_iter([
        ("name", Arc::new(names) as ArrayRef),
        ("type", Arc::new(metadata("redivis.type")) as ArrayRef),
        ("arrow_type", Arc::new(arrow_types) as ArrayRef),
        ("label", Arc::new(metadata("redivis.label")) as ArrayRef),
    ])?)
}
