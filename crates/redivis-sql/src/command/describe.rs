//! `\d`: the columns of a table, with what Redivis says about them.
//!
//! Takes a table however SQL would, a bare reference too, and asks the planner: what it shows is what a query gets.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, Fields};
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
                "" => super::tables::short(session).await?,
                table => describe(session, table).await?,
            };
            output.deliver_batch(description).await?;
            Ok(Next::Continue)
        })
    },
};

async fn describe(session: &Session, table: &str) -> Result<RecordBatch> {
    let name = super::unquoted(table);
    // A version's colon is no SQL: such a reference is quoted as a whole.
    let is_plain = |character: char| character.is_alphanumeric() || "_.".contains(character);
    let table = match name.parse::<TableReference>() {
        Ok(_) if name != table || !name.chars().all(is_plain) => quoted(name),
        _ => table.to_owned(),
    };
    columns(session, &table, &[("label", "redivis.label")]).await
}

fn types(fields: &Fields) -> ArrayRef {
    let types = fields.iter().map(|field| Some(type_of(field)));
    Arc::new(types.collect::<StringArray>())
}

/// What Redivis calls the type of a column; of one that is not its own, what Arrow does.
pub(super) fn type_of(field: &Field) -> String {
    match field.metadata().get("redivis.type") {
        Some(kind) => kind.clone(),
        None => field.data_type().to_string().to_lowercase(),
    }
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
        ("type", types(fields)),
    ];
    columns.extend(told.iter().map(|(name, key)| (*name, metadata(key))));
    columns.push(("arrow_type", Arc::new(arrow_types)));
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, values)| (name, values, true)),
    )?)
}
