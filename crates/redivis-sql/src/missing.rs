//! Tables and datasets that are not on Redivis, and those that were meant.
//!
//! Asked only once something was not found: what the owner, or the dataset, does have.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use datafusion::error::DataFusionError;
use futures::{StreamExt, TryStreamExt};
use redivis::{DatasetReference, ErrorKind, TableReference, Version};

use crate::directory::name;
use crate::failure::{Failure, service_error};
use crate::session::Session;

/// How long a person waits for a suggestion.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many names are looked at.
const LISTED: usize = 1000;

/// What is not there.
#[derive(Debug)]
pub(crate) struct Missing {
    message: String,
    hint: String,
    source: redivis::Error,
}

impl Missing {
    /// What was looked for.
    pub(crate) fn resource(&self) -> &str {
        self.source.resource()
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Missing {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The failure with what may have been meant, where a table or dataset was not found.
pub(crate) async fn explained(session: &Session, failure: Failure) -> Failure {
    let Failure::Query(error) = &failure else {
        return failure;
    };
    let Some(source) = service_error(error).filter(|error| error.kind() == ErrorKind::NotFound)
    else {
        return failure;
    };
    let found = match source.operation() {
        "get table" => {
            let Ok(table) = source.resource().parse() else {
                return failure;
            };
            tokio::time::timeout(PATIENCE, table_meant(session, &table)).await
        }
        "get dataset" | "list the tables of" => {
            let Ok(dataset) = source.resource().parse() else {
                return failure;
            };
            tokio::time::timeout(PATIENCE, dataset_meant(session, &dataset, None)).await
        }
        _ => return failure,
    };
    match found {
        Ok(Some((message, hint))) => DataFusionError::External(Box::new(Missing {
            message,
            hint,
            source: source.clone(),
        }))
        .into(),
        _ => failure,
    }
}

type Words = (String, String);

async fn table_meant(session: &Session, table: &TableReference) -> Option<Words> {
    if table.version() == Some(Version::Next) {
        return None;
    }
    let parent = table.parent();
    let tables = match session.redivis.client().tables(parent).await {
        Ok(tables) => tables,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return dataset_meant(session, parent, Some(table.name())).await;
        }
        Err(_) => return None,
    };
    let names: Vec<String> = tables
        .iter()
        .map(|table| match table.reference() {
            Some(reference) => reference.name().to_owned(),
            None => table.name.clone(),
        })
        .collect();
    let message = format!("table {table} does not exist on Redivis, or you cannot see it");
    let lists = format!(r"\ls {parent} lists {}", counted(names.len(), "table"));
    let hint = match nearest(table.name(), &names) {
        Some(near) => format!("did you mean redivis.'{parent}.{near}'?   ({lists})"),
        None => lists,
    };
    Some((message, hint))
}

async fn dataset_meant(
    session: &Session,
    dataset: &DatasetReference,
    table: Option<&str>,
) -> Option<Words> {
    if dataset.version() == Some(Version::Next) {
        return None;
    }
    let owner = dataset.owner();
    let datasets = session.redivis.client().owner_datasets(owner).take(LISTED);
    let names: Vec<String> = match datasets.try_collect::<Vec<_>>().await {
        Ok(datasets) => datasets
            .iter()
            .map(|dataset| name(&dataset.qualified_reference, &dataset.name))
            .collect(),
        Err(_) => return None,
    };
    let message = match table {
        Some(table) => {
            format!("table {dataset}.{table} does not exist on Redivis, or you cannot see it")
        }
        None => {
            format!("dataset or workflow {dataset} does not exist on Redivis, or you cannot see it")
        }
    };
    if names
        .iter()
        .any(|name| name.eq_ignore_ascii_case(dataset.name()))
    {
        let version = dataset.version()?;
        let hint = format!(
            "{} has no version {version}; without one, the current version is read",
            dataset.by_name()
        );
        return Some((message, hint));
    }
    let lists = format!(r"\ls {owner} lists {}", counted(names.len(), "dataset"));
    let hint = match (nearest(dataset.name(), &names), table) {
        (Some(near), Some(table)) => {
            format!("did you mean redivis.'{owner}.{near}.{table}'?   ({lists})")
        }
        (Some(near), None) => format!("did you mean {owner}.{near}?   ({lists})"),
        (None, _) => lists,
    };
    Some((message, hint))
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// The name that is at most a third of the letters away.
fn nearest<'n>(wanted: &str, names: &'n [String]) -> Option<&'n str> {
    let wanted = wanted.to_lowercase();
    let near = names.iter().map(|name| {
        let distance = strsim::damerau_levenshtein(&wanted, &name.to_lowercase());
        (distance, name.as_str())
    });
    let (distance, name) = near.min()?;
    (distance * 3 <= wanted.chars().count()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_what_is_near_is_suggested() {
        let names = ["flights", "airlines", "planes"].map(str::to_owned);
        assert_eq!(nearest("fligths", &names), Some("flights"));
        assert_eq!(nearest("Airline", &names), Some("airlines"));
        assert_eq!(nearest("penguin", &names), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
