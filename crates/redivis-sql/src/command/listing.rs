//! Datasets, workflows and owners as rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use futures::TryStreamExt;
use redivis::DatasetReference;

use crate::directory::name;
use crate::failure::{Failure, external};
use crate::session::Session;

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
