//! `\use`: the dataset or workflow that bare table names are looked up in.

use datafusion_redivis::DefaultParent;
use redivis::{DatasetReference, ErrorKind, WorkflowReference};

use super::{Command, Next};
use crate::failure::{Failure, external};
use crate::report::narrate;
use crate::session::Session;

const NONE: &str = r"no default dataset or workflow; \use OWNER.DATASET sets one";

pub(super) const COMMAND: Command = Command {
    name: r"\use",
    arguments: "[OWNER.DATASET | none]",
    summary: "find bare table names in this dataset or workflow; none ends that",
    run: |session, _, arguments| {
        Box::pin(async move {
            match super::unquoted(arguments) {
                "" => narrate(match session.default_parent() {
                    Some(parent) => format!("tables are found in {parent}"),
                    None => NONE.to_owned(),
                }),
                "none" => session.redivis.set_default_parent(None),
                parent => {
                    let parent = find(session, parent).await?;
                    session.redivis.set_default_parent(Some(parent));
                }
            }
            Ok(Next::Continue)
        })
    },
};

/// The dataset or workflow of this name: only Redivis knows which it is.
pub(super) async fn find(session: &Session, name: &str) -> Result<DefaultParent, Failure> {
    let client = session.redivis.client();
    let dataset: DatasetReference = name
        .parse()
        .map_err(|error| Failure::Usage(format!("{error}")))?;
    let missing = match client.dataset(&dataset).await {
        Ok(_) => return Ok(DefaultParent::Dataset(dataset)),
        Err(error) if error.kind() == ErrorKind::NotFound => error,
        Err(error) => return Err(external(error)),
    };
    let Ok(workflow) = name.parse::<WorkflowReference>() else {
        return Err(external(missing));
    };
    match client.workflow(&workflow).await {
        Ok(_) => Ok(DefaultParent::Workflow(workflow)),
        Err(_) => Err(external(missing)),
    }
}
