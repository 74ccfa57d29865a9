//! Where there is nothing to write to: what to do about it.
//!
//! A dataset that is released has no version to write to until the next one is opened, and the service says of either, and of
//! a table that is not there, only that it was not found.

use datafusion::common::{DataFusionError, Result};
use redivis::resource::{Dataset, Table};
use redivis::{Client, DatasetReference, Error, ErrorKind, TableReference, Version};

use crate::error::{WriteError, failed};

/// The dataset in its next version, which tables are made in.
pub(crate) async fn dataset(client: &Client, dataset: &DatasetReference) -> Result<Dataset> {
    let found = client.dataset(dataset).await;
    found.map_err(|error| match error.kind() {
        ErrorKind::NotFound => no_draft(dataset, error),
        _ => failed(error),
    })
}

/// The table, to be written to.
pub(crate) async fn table(client: &Client, reference: &TableReference) -> Result<Table> {
    match client.table(reference).await {
        Ok(table) => Ok(table),
        Err(error) => Err(missing(client, reference, error).await),
    }
}

/// The error for a table that could not be got, to be written to.
pub(crate) async fn missing(
    client: &Client,
    reference: &TableReference,
    error: Error,
) -> DataFusionError {
    let parent = reference.parent();
    let is_draft = reference.version() == Some(Version::Next) && !parent.is_sample();
    if !is_draft || error.kind() != ErrorKind::NotFound {
        return failed(error);
    }
    match client.dataset(parent).await {
        Ok(_) => because(
            error,
            format!(
                "CREATE TABLE redivis.'{reference}' … or CALL redivis.create_table('{reference}') makes it"
            ),
        ),
        Err(missing) if missing.kind() == ErrorKind::NotFound => no_draft(parent, error),
        Err(_) => failed(error),
    }
}

fn no_draft(dataset: &DatasetReference, error: Error) -> DataFusionError {
    let dataset = dataset.by_name();
    because(
        error,
        format!(
            "the dataset has no version that is not released: CALL redivis.next_version('{dataset}') opens one, and CALL \
             redivis.create_dataset('{dataset}') makes a new dataset"
        ),
    )
}

fn because(source: Error, remedy: String) -> DataFusionError {
    WriteError::Missing { remedy, source }.into()
}
