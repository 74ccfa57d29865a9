//! Data that may not be seen, and the page where a person asks for it.
//!
//! Asked only once something was refused. The page is the one that Redivis names, or else where the dataset is on that host.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use datafusion::error::DataFusionError;
use redivis::{DatasetReference, ErrorKind, TableReference};
use url::Url;

use crate::failure::{Failure, service_error};
use crate::session::Session;

/// How long a person waits for the page's address.
const PATIENCE: Duration = Duration::from_secs(3);

/// What may not be seen.
#[derive(Debug)]
pub(crate) struct Denied {
    page: Url,
    source: redivis::Error,
}

impl Denied {
    /// Where access is asked for.
    pub(crate) fn page(&self) -> &Url {
        &self.page
    }

    /// The refusal.
    pub(crate) fn refusal(&self) -> &redivis::Error {
        &self.source
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for Denied {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The failure with the page of the dataset, where it may not be read.
pub(crate) async fn explained(session: &Session, failure: Failure) -> Failure {
    let Failure::Query(error) = &failure else {
        return failure;
    };
    let refused = |error: &&redivis::Error| error.kind() == ErrorKind::Forbidden;
    let Some(source) = service_error(error).filter(refused) else {
        return failure;
    };
    // What a login lacks is asked for by another login, and not there.
    let is_login = !source.scopes().is_empty() || !source.amr_values().is_empty();
    let Some(dataset) = dataset(source.resource()).filter(|_| !is_login) else {
        return failure;
    };
    match page(session, &dataset).await {
        Some(page) => DataFusionError::External(Box::new(Denied {
            page,
            source: source.clone(),
        }))
        .into(),
        None => failure,
    }
}

/// The dataset of what was asked for: a reference, or a path of the API.
fn dataset(resource: &str) -> Option<DatasetReference> {
    let mut steps = resource.strip_prefix('/').unwrap_or(resource).split('/');
    let first = steps.next()?;
    let reference = match first {
        "tables" | "datasets" => steps.next()?,
        reference => reference,
    };
    let of_table = reference.parse::<TableReference>();
    let of_table = of_table.map(|table| table.parent().clone()).ok();
    of_table.or_else(|| reference.parse().ok())
}

async fn page(session: &Session, dataset: &DatasetReference) -> Option<Url> {
    let client = session.redivis.client();
    let asked = tokio::time::timeout(PATIENCE, client.dataset(dataset)).await;
    let said = asked.ok().and_then(Result::ok).and_then(|told| told.url);
    let said = said.and_then(|page| Url::parse(&page).ok());
    if let Some(page) = said.filter(|page| matches!(page.scheme(), "http" | "https")) {
        return Some(page);
    }
    let mut page = Url::parse(client.endpoint()).ok()?;
    page.set_path("");
    page.set_query(None);
    let mut path = page.path_segments_mut().ok()?;
    path.clear().extend([dataset.owner(), dataset.name()]);
    drop(path);
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::dataset;

    #[test]
    fn the_dataset_is_found_in_what_was_asked_for() {
        for resource in [
            "lab.secret:v1_0.people",
            "/tables/lab.secret:1q86:v1_0.people:g2q3",
            "/datasets/lab.secret/tables",
            "lab.secret",
        ] {
            let found = dataset(resource).unwrap();
            assert_eq!(
                (found.owner(), found.name()),
                ("lab", "secret"),
                "{resource}"
            );
        }
        for resource in ["", "/queries/17", "/readStreams/abc", "users"] {
            assert_eq!(dataset(resource), None, "{resource}");
        }
    }
}
