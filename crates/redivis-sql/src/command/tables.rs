//! `\dt` and `SHOW TABLES`: the tables that have short names, or those of a dataset or workflow.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use datafusion::datasource::TableType;
use datafusion_redivis::RedivisTable;
use redivis::DatasetReference;

use super::{Command, Next, list_in};
use crate::failure::{Failure, external};
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\dt",
    arguments: "[OWNER.DATASET]",
    summary: "list your tables and views and those of the default dataset, or those of another one",
    run: |session, output, arguments| {
        Box::pin(async move {
            let tables = match super::unquoted(arguments) {
                "" => short(session).await?,
                dataset => list_in::tables(session, dataset).await?,
            };
            output.deliver_batch(tables).await?;
            Ok(Next::Continue)
        })
    },
};

/// The tables that a short name finds: what `-r`, `\register`, CREATE and views made, and behind them the default dataset's.
pub(crate) async fn short(session: &Session) -> Result<RecordBatch, Failure> {
    let state = session.context.state();
    let options = state.config().options();
    let schema = session
        .context
        .catalog(&options.catalog.default_catalog)
        .and_then(|catalog| catalog.schema(&options.catalog.default_schema));
    let (mut names, mut kinds, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(schema) = schema {
        names = schema.table_names();
        names.sort_unstable();
        for name in &names {
            let table = schema.table(name).await?;
            let remote = table
                .as_ref()
                .and_then(|table| table.downcast_ref::<RedivisTable>());
            rows.push(remote.and_then(|table| table.table().num_rows));
            kinds.push(match &table {
                Some(_) if remote.is_some() => "redivis".to_owned(),
                Some(table) if table.table_type() == TableType::View => "view".to_owned(),
                Some(_) => "local".to_owned(),
                None => String::new(),
            });
        }
    }
    if let Some(parent) = session.default_parent() {
        let reference: DatasetReference = parent
            .parse()
            .map_err(|error| Failure::Usage(format!("{error}")))?;
        let client = session.redivis.client();
        for table in client.tables(&reference).await.map_err(external)? {
            let name = table
                .reference()
                .map_or_else(|| table.name.clone(), |table| table.name().to_owned());
            // A name of one's own wins.
            if !names.iter().any(|own| own.eq_ignore_ascii_case(&name)) {
                names.push(name);
                kinds.push(parent.clone());
                rows.push(table.num_rows);
            }
        }
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("name", Arc::new(StringArray::from(names))),
        ("kind", Arc::new(StringArray::from(kinds))),
        ("rows", Arc::new(UInt64Array::from(rows))),
    ];
    let columns = columns.map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
