//! `\ls`: what an owner has, or what is in a dataset or workflow.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use futures::TryStreamExt;
use redivis::DatasetReference;

use super::{Command, Next};
use crate::directory::name;
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

/// Datasets, workflows and owners.
#[derive(Default)]
pub(super) struct Listing {
    names: Vec<String>,
    kinds: Vec<&'static str>,
    tables: Vec<Option<u64>>,
    bytes: Vec<Option<u64>>,
    descriptions: Vec<Option<String>>,
}

impl Listing {
    pub(super) fn push(
        &mut self,
        name: &str,
        kind: &'static str,
        tables: Option<u64>,
        bytes: Option<u64>,
        description: Option<String>,
    ) {
        self.names.push(name.to_owned());
        self.kinds.push(kind);
        self.tables.push(tables);
        self.bytes.push(bytes);
        self.descriptions.push(description);
    }

    pub(super) fn batch(self) -> Result<RecordBatch, Failure> {
        let columns: [(&str, ArrayRef); 5] = [
            ("name", Arc::new(StringArray::from(self.names))),
            ("kind", Arc::new(StringArray::from(self.kinds))),
            ("tables", Arc::new(UInt64Array::from(self.tables))),
            ("bytes", Arc::new(UInt64Array::from(self.bytes))),
            (
                "description",
                Arc::new(StringArray::from(self.descriptions)),
            ),
        ];
        let columns = columns.map(|(name, values)| (name, values, true));
        Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
    }
}

/// The datasets and workflows of an owner.
pub(super) async fn of_owner(session: &Session, owner: &str) -> Result<Listing, Failure> {
    let reference = format!("{owner}.d").parse::<DatasetReference>();
    reference
        .map_err(|error| Failure::Usage(format!("{owner} is no owner: {}", error.reason())))?;
    let client = session.redivis.client();
    let mut listing = Listing::default();
    let mut datasets = client.owner_datasets(owner);
    while let Some(dataset) = datasets.try_next().await.map_err(external)? {
        let name = name(&dataset.qualified_reference, &dataset.name);
        listing.push(
            &format!("{owner}.{name}"),
            "dataset",
            dataset.table_count,
            dataset.num_bytes,
            dataset.description,
        );
    }
    // Not every service has workflows; then there are none to list.
    let mut workflows = client.owner_workflows(owner);
    while let Ok(Some(workflow)) = workflows.try_next().await {
        let name = name(&workflow.qualified_reference, &workflow.name);
        let reference = format!("{owner}.{name}");
        listing.push(&reference, "workflow", None, None, workflow.description);
    }
    Ok(listing)
}

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
