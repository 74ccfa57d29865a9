//! Versions of a dataset: what is released never changes, what comes next is where rows are written.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::lenient::{flag, text_or_empty, timestamp};
use super::{Dataset, checked_uri};
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::reference::DatasetReference;
use crate::request::Call;

/// A release may rewrite tables before it answers.
const STEP_PATIENCE: Duration = Duration::from_secs(125);

/// A version of a dataset (redivis-api §3.5).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DatasetVersion {
    /// `v1.0`, or `next` for the unreleased one; [`Version`](crate::Version) reads it.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub tag: String,
    /// The path below the endpoint.
    #[serde(default)]
    pub uri: Option<String>,
    /// The path of the dataset in this version.
    #[serde(default)]
    pub dataset_uri: Option<String>,
    /// The owner's label for it.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it has been released.
    #[serde(default, deserialize_with = "flag")]
    pub is_released: bool,
    /// Whether it has been deleted.
    #[serde(default, deserialize_with = "flag")]
    pub is_deleted: bool,
    /// When it was created.
    #[serde(default, deserialize_with = "timestamp")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was released.
    #[serde(default, deserialize_with = "timestamp")]
    pub released_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseRequest<'a> {
    release_notes: Option<&'a str>,
}

impl Client {
    /// The versions of a dataset, fetched as they are consumed.
    pub fn dataset_versions(
        &self,
        reference: &DatasetReference,
    ) -> BoxStream<'static, Result<DatasetVersion>> {
        let path = format!("/datasets/{}/versions", reference.path_segment());
        self.list(
            Call::get("list the versions of", reference.to_string(), path),
            100,
        )
    }

    /// Opens the next version of a dataset, where tables and rows can be changed: `POST <dataset>/versions` (redivis-api §4).
    ///
    /// Sent once. Where a next version is open already the service refuses.
    pub async fn create_version(&self, dataset_uri: &str) -> Result<DatasetVersion> {
        const OPERATION: &str = "open the next version of";
        let uri = checked_uri(OPERATION, dataset_uri)?;
        let path = format!("{uri}/versions");
        self.json(&Call::post_nothing(OPERATION, dataset_uri, path).not_repeatable())
            .await
    }

    /// Releases the next version of a dataset, and returns the dataset in it: `POST <dataset>/versions/next/release`
    /// (redivis-api §4).
    ///
    /// Sent once. What is released can no longer be changed.
    pub async fn release(&self, dataset_uri: &str, notes: Option<&str>) -> Result<Dataset> {
        const OPERATION: &str = "release the next version of";
        let uri = checked_uri(OPERATION, dataset_uri)?;
        let call = Call::post(
            OPERATION,
            dataset_uri,
            format!("{uri}/versions/next/release"),
            &ReleaseRequest {
                release_notes: notes,
            },
        )?;
        self.dataset_of(call).await
    }

    /// Takes the release of a dataset's current version back, and returns the dataset with that version unreleased:
    /// `POST <dataset>/versions/current/unrelease` (redivis-api §4).
    pub async fn unrelease(&self, dataset_uri: &str) -> Result<Dataset> {
        const OPERATION: &str = "unrelease the current version of";
        let uri = checked_uri(OPERATION, dataset_uri)?;
        let path = format!("{uri}/versions/current/unrelease");
        self.dataset_of(Call::post_nothing(OPERATION, dataset_uri, path))
            .await
    }

    /// The dataset in the version that a step of its life cycle answers with.
    async fn dataset_of(&self, step: Call) -> Result<Dataset> {
        let step = step.not_repeatable().patience(STEP_PATIENCE);
        let version: DatasetVersion = self.json(&step).await?;
        let Some(uri) = version.dataset_uri else {
            return Err(step
                .error(
                    ErrorKind::Protocol,
                    "it is done, but the service does not say where the dataset is now",
                )
                .with_retry(Retry::No));
        };
        let path = checked_uri("get dataset", &uri)?;
        self.json(&Call::get("get dataset", uri, path)).await
    }
}
