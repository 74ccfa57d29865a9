//! What can be written to, and what to do about what cannot.

use datafusion::common::{Result, plan_err};
use redivis::Client;
use redivis::resource::{ContainerKind, Table};

/// Fails for a table, called `name`, that no rows can go to.
pub(crate) fn check_insertable(client: &Client, name: &str, table: &Table) -> Result<()> {
    check_writable(client, name, table)?;
    if table.is_file_index {
        return plan_err!(
            "the rows of {name} stand for files; add files with COPY … TO 'redivis://{name}/…'"
        );
    }
    Ok(())
}

/// Fails for a table, called `name`, that neither uploads nor files can go to.
pub(crate) fn check_writable(client: &Client, name: &str, table: &Table) -> Result<()> {
    if client.is_anonymous() {
        return plan_err!(
            "writing to {name} needs a token: sign in by `redivis-sql login`, or set REDIVIS_API_TOKEN to one with the scope data.edit"
        );
    }
    if table
        .container
        .as_ref()
        .is_some_and(|container| container.kind == ContainerKind::Workflow)
    {
        return plan_err!(
            "{name} is in a workflow, where only its transforms make rows; write to a dataset's table"
        );
    }
    if table.is_sample {
        return plan_err!(
            "{name} is a sample, which Redivis makes from the dataset's tables; write to the dataset itself"
        );
    }
    if table.is_released() {
        let reference = table.reference();
        let (dataset, next) = match &reference {
            Some(reference) => (
                reference.parent().by_name().to_string(),
                reference.in_next_version().to_string(),
            ),
            None => (
                "owner.dataset".to_owned(),
                format!("owner.dataset:next.{}", table.name),
            ),
        };
        return plan_err!(
            "{name} is released, and released versions never change; open the next version with CALL \
             redivis.next_version('{dataset}') and write to redivis.'{next}'"
        );
    }
    Ok(())
}
