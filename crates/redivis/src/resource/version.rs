//! Versions of a dataset: what is released never changes, what comes next is where rows are written.

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde::Deserialize;

use super::lenient::{flag, hint, text_or_empty, timestamp};
use super::{Dataset, checked_uri};
use crate::client::Client;
use crate::error::Result;
use crate::reference::DatasetReference;
use crate::request::Call;

/// A version of a dataset (redivis-api §3.5).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DatasetVersion {
    /// `v1.0`, or `next` for the unreleased one; [`Version`](crate::Version) reads it.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub tag: String,
    /// The path below the endpoint.
    #[serde(default, deserialize_with = "hint")]
    pub uri: Option<String>,
    /// The path of the dataset in this version.
    #[serde(default, deserialize_with = "hint")]
    pub dataset_uri: Option<String>,
    /// The owner's label for it.
    #[serde(default, deserialize_with = "hint")]
    pub label: Option<String>,
    /// Whether it has been released; `None` where the service does not say.
    #[serde(default, deserialize_with = "hint")]
    pub is_released: Option<bool>,
    /// How far its release has come; null before it (redivis-api §3.5).
    #[serde(default, deserialize_with = "hint")]
    pub status: ReleaseStatus,
    /// Why its release failed.
    #[serde(default, deserialize_with = "hint")]
    pub release_error_message: Option<String>,
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

/// How far the release of a version has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ReleaseStatus {
    /// It waits to be released.
    Queued,
    /// It is being released.
    Running,
    /// It is released.
    Completed,
    /// It could not be released.
    Failed,
    /// The service does not say, or names a state that this version of the crate does not know.
    #[default]
    #[serde(other)]
    Other,
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
    /// Sent once. Where a next version is open already the service refuses; where no answer comes, one that is open now and was
    /// not before is taken.
    pub async fn create_version(&self, dataset_uri: &str) -> Result<DatasetVersion> {
        const OPERATION: &str = "open the next version of";
        let uri = checked_uri(OPERATION, dataset_uri)?;
        let call = Call::post_nothing(OPERATION, dataset_uri, format!("{uri}/versions"));
        self.next_version_by(&call.not_repeatable(), dataset_uri, &uri)
            .await
    }

    /// Takes the release of a dataset's current version back, and returns the dataset with that version unreleased:
    /// `POST <dataset>/versions/current/unrelease` (redivis-api §4). Sent once, as [`create_version`](Self::create_version) is.
    pub async fn unrelease(&self, dataset_uri: &str) -> Result<Dataset> {
        const OPERATION: &str = "unrelease the current version of";
        let uri = checked_uri(OPERATION, dataset_uri)?;
        let path = format!("{uri}/versions/current/unrelease");
        let call = Call::post_nothing(OPERATION, dataset_uri, path).not_repeatable();
        let version = self.next_version_by(&call, dataset_uri, &uri).await?;
        self.dataset_in(dataset_uri, version, "next").await
    }

    /// A step after which there is a next version, and before which there is none.
    async fn next_version_by(
        &self,
        step: &Call,
        dataset_uri: &str,
        uri: &str,
    ) -> Result<DatasetVersion> {
        let was_open = self.version(dataset_uri, uri, "next").await?.is_some();
        let opened = async || match was_open {
            true => Ok(None),
            false => self.version(dataset_uri, uri, "next").await,
        };
        let remedy =
            "it may have been done: look for the dataset's next version before trying again";
        self.step(step, remedy, opened).await
    }

    /// The version of a tag, `next` or `current`, if there is one.
    pub(super) async fn version(
        &self,
        dataset_uri: &str,
        uri: &str,
        tag: &str,
    ) -> Result<Option<DatasetVersion>> {
        let path = format!("{uri}/versions/{tag}");
        self.found(&Call::get("get a version of", dataset_uri, path))
            .await
    }

    /// The dataset in a version that a step of its life has led to; `tag` finds it where the version does not say.
    pub(super) async fn dataset_in(
        &self,
        dataset_uri: &str,
        version: DatasetVersion,
        tag: &str,
    ) -> Result<Dataset> {
        const OPERATION: &str = "get dataset";
        let mut found = version.dataset_uri;
        if found.is_none() {
            let uri = checked_uri(OPERATION, dataset_uri)?;
            let version = self.version(dataset_uri, &uri, tag).await?;
            found = version.and_then(|version| version.dataset_uri);
        }
        let uri = found.unwrap_or_else(|| dataset_uri.to_owned());
        let path = checked_uri(OPERATION, &uri)?;
        self.json(&Call::get(OPERATION, uri, path)).await
    }
}
