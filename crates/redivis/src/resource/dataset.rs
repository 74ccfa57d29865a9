//! Datasets, their versions, and who owns them.

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt};
use serde::Deserialize;

use super::lenient::{flag, integer, text, timestamp};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::page::deferred;
use crate::reference::{DatasetReference, path_segment};
use crate::request::Call;

/// A dataset (redivis-api §3.5). Listings leave some fields out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Dataset {
    /// The path below the endpoint that every call on this dataset starts with.
    pub uri: String,
    /// The name, in the service's spelling.
    pub name: String,
    /// The reference with id and version.
    #[serde(default)]
    pub qualified_reference: String,
    /// The reference without its owner.
    #[serde(default)]
    pub scoped_reference: String,
    /// The id that tells apart datasets that had the same name over time.
    #[serde(default, deserialize_with = "text")]
    pub reference_id: Option<String>,
    /// The user or organization it belongs to.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// The page for people.
    #[serde(default)]
    pub url: Option<String>,
    /// What everybody may see: `none`, `overview`, `metadata`, `sample` or `data`.
    #[serde(default)]
    pub public_access_level: Option<String>,
    /// What the caller may see.
    #[serde(default)]
    pub access_level: Option<String>,
    /// Tables.
    #[serde(default, deserialize_with = "integer")]
    pub table_count: Option<u64>,
    /// Size of this version, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub num_bytes: Option<u64>,
    /// The version shown.
    #[serde(default)]
    pub version: Option<DatasetVersion>,
    /// The version after it, which may be unreleased.
    #[serde(default)]
    pub next_version: Option<DatasetVersion>,
    /// The version before it.
    #[serde(default)]
    pub previous_version: Option<DatasetVersion>,
    /// When it was created.
    #[serde(default, deserialize_with = "timestamp")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "timestamp")]
    pub updated_at: Option<DateTime<Utc>>,
}

/// The user or organization that something belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Owner {
    /// The name that references start with.
    pub name: String,
    /// User or organization, where the service says so.
    #[serde(default)]
    pub kind: Option<OwnerKind>,
}

/// What an owner can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum OwnerKind {
    /// A person.
    User,
    /// An organization.
    Organization,
    /// Something that this version of the crate does not know.
    #[serde(other)]
    Other,
}

/// A version of a dataset (redivis-api §3.5).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DatasetVersion {
    /// `v1.0`, or `next` for the unreleased one; [`Version`](crate::Version) reads it.
    #[serde(default)]
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

impl Client {
    /// The dataset that a reference means: `GET /datasets/:dataset` (redivis-api §4).
    pub async fn dataset(&self, reference: &DatasetReference) -> Result<Dataset> {
        let path = format!("/datasets/{}", reference.path_segment());
        self.json(&Call::get("get dataset", reference.to_string(), path))
            .await
    }

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

    /// The datasets of a user or organization that the caller may see, fetched as they are consumed.
    ///
    /// Only the service knows which of the two an owner is: the organization is asked for first (redivis-api §2.1).
    pub fn owner_datasets(&self, owner: &str) -> BoxStream<'static, Result<Dataset>> {
        let client = self.clone();
        let owner = owner.to_owned();
        let list = move |kind: &str| {
            let path = format!("/{kind}/{}/datasets", path_segment(&owner));
            client.list::<Dataset>(Call::get("list the datasets of", &owner, path), 100)
        };
        deferred(async move {
            let mut of_organization = list("organizations").peekable();
            let is_user = matches!(
                std::pin::Pin::new(&mut of_organization).peek().await,
                Some(Err(error)) if error.kind() == ErrorKind::NotFound
            );
            Ok(match is_user {
                true => list("users"),
                false => of_organization.boxed(),
            })
        })
    }
}
