//! `\dt`: the tables that have local names, or those of a dataset or workflow.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use datafusion::datasource::TableType;
use redivis::DatasetReference;

use super::{Command, Next};
use crate::failure::{Failure, external};
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\dt",
    arguments: "[OWNER.DATASET]",
    summary: "list local tables and views, or the tables of a dataset or workflow",
    run: |session, output, arguments| {
        Box::pin(async move {
            let tables = match super::unquoted(arguments) {
                "" => local(session).await?,
                dataset => of_parent(session, dataset).await?,
            };
            output.deliver_batch(tables).await?;
            Ok(Next::Continue)
        })
    },
};

/// The tables of the default schema by name: what `-r`, `\register`, CREATE and views made.
pub(super) async fn local(session: &Session) -> Result<RecordBatch, Failure> {
    let state = session.context.state();
    let options = state.config().options();
    let schema = session
        .context
        .catalog(&options.catalog.default_catalog)
        .and_then(|catalog| catalog.schema(&options.catalog.default_schema));
    let (mut names, mut kinds) = (Vec::new(), Vec::new());
    if let Some(schema) = schema {
        names = schema.table_names();
        names.sort_unstable();
        for name in &names {
            let kind = match schema.table(name).await? {
                Some(table) if table.is::<datafusion_redivis::RedivisTable>() => "redivis",
                Some(table) => match table.table_type() {
                    TableType::View => "view",
                    _ => "local",
                },
                None => "",
            };
            kinds.push(kind);
        }
    }
    Ok(RecordBatch::try_from_iter([
        ("name", Arc::new(StringArray::from(names)) as ArrayRef),
        ("kind", Arc::new(StringArray::from(kinds)) as ArrayRef),
    ])?)
}

async fn of_parent(session: &Session, dataset: &str) -> Result<RecordBatch, Failure> {
    let reference: DatasetReference = dataset
        .parse()
        .map_err(|error| Failure::Usage(format!("{dataset}: {error}")))?;
    let client = session.redivis.client();
    let tables = client.tables(&reference).await.map_err(external)?;
    let names: StringArray = tables
        .iter()
        .map(|table| Some(table.name.as_str()))
        .collect();
    let rows: UInt64Array = tables.iter().map(|table| table.num_rows).collect();
    let bytes: UInt64Array = tables.iter().map(|table| table.num_bytes).collect();
    Ok(RecordBatch::try_from_iter([
        ("name", Arc::new(names) as ArrayRef),
        ("rows", Arc::new(rows) as ArrayRef),
        ("bytes", Arc::new(bytes) as ArrayRef),
    ])?)
}
