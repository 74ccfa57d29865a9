//! Datasets, and who owns them.

use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lenient::{hint, integer, text, text_or_empty, timestamp};
use super::{DatasetVersion, checked_uri};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::page::deferred;
use crate::reference::{DatasetReference, Version, escaped, path_segment};
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
    #[serde(default, deserialize_with = "text_or_empty")]
    pub qualified_reference: String,
    /// The reference without its owner.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub scoped_reference: String,
    /// The id that tells apart datasets that had the same name over time.
    #[serde(default, deserialize_with = "text")]
    pub reference_id: Option<String>,
    /// The user or organization it belongs to.
    #[serde(default, deserialize_with = "hint")]
    pub owner: Option<Owner>,
    /// What it is about.
    #[serde(default, deserialize_with = "hint")]
    pub description: Option<String>,
    /// The page for people.
    #[serde(default, deserialize_with = "hint")]
    pub url: Option<String>,
    /// What everybody may see: `none`, `overview`, `metadata`, `sample` or `data`.
    #[serde(default, deserialize_with = "hint")]
    pub public_access_level: Option<String>,
    /// What the caller may see.
    #[serde(default, deserialize_with = "hint")]
    pub access_level: Option<String>,
    /// Tables.
    #[serde(default, deserialize_with = "integer")]
    pub table_count: Option<u64>,
    /// Size of this version, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub num_bytes: Option<u64>,
    /// The version shown.
    #[serde(default, deserialize_with = "hint")]
    pub version: Option<DatasetVersion>,
    /// The version after it, which may be unreleased.
    #[serde(default, deserialize_with = "hint")]
    pub next_version: Option<DatasetVersion>,
    /// The version before it.
    #[serde(default, deserialize_with = "hint")]
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
    #[serde(default, deserialize_with = "hint")]
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

/// How much of a dataset somebody may see, each level including those before it (redivis-api §4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum AccessLevel {
    /// Nothing, not even that it exists.
    #[default]
    None,
    /// That it exists, and what it is about.
    Overview,
    /// Variables and statistics.
    Metadata,
    /// The sample's rows.
    Sample,
    /// All rows.
    Data,
}

/// A dataset to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewDataset {
    /// The name; the owner has no other that differs only in case or characters that are no word characters.
    pub name: String,
    /// What everybody may see.
    pub public_access_level: AccessLevel,
    /// What it is about, in up to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What to change about a dataset; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetChanges {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What everybody may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_access_level: Option<AccessLevel>,
    /// What it is about, in up to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Client {
    /// The dataset that a reference means: `GET /datasets/:dataset` (redivis-api §4).
    pub async fn dataset(&self, reference: &DatasetReference) -> Result<Dataset> {
        let path = format!("/datasets/{}", reference.path_segment());
        self.json(&Call::get("get dataset", reference.to_string(), path))
            .await
    }

    /// The datasets of a user or organization that the caller may see, fetched as they are consumed.
    ///
    /// Only the service knows which of the two an owner is: the organization is asked for first (redivis-api §2.1).
    pub fn owner_datasets(&self, owner: &str) -> BoxStream<'static, Result<Dataset>> {
        self.of_owner("list the datasets of", owner, "datasets")
    }

    /// What an owner has of a kind.
    pub(super) fn of_owner<T>(
        &self,
        operation: &'static str,
        owner: &str,
        kind: &'static str,
    ) -> BoxStream<'static, Result<T>>
    where
        T: DeserializeOwned + Clone + PartialEq + Send + 'static,
    {
        let client = self.clone();
        let owner = owner.to_owned();
        let list = move |owners: &str| {
            let path = format!("/{owners}/{}/{kind}", path_segment(&owner));
            client.list::<T>(Call::get(operation, &owner, path), 100)
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

    /// Creates a dataset of a user or organization, with an unreleased first version: `POST /users/:owner/datasets` or
    /// `POST /organizations/:owner/datasets` (redivis-api §4).
    ///
    /// Sent once. Where no answer comes the dataset is looked for by its name: it is taken if there was none before and it has
    /// no tables, and else the error says that it may have been created
    /// ([`Error::may_have_happened`](crate::Error::may_have_happened)).
    pub async fn create_dataset(&self, owner: &str, new: &NewDataset) -> Result<Dataset> {
        let resource = format!("{owner}.{}", new.name);
        let reference = format!("{owner}.{}", escaped(&new.name)).parse();
        let reference: Option<DatasetReference> = reference.ok();
        let segment = path_segment(owner);
        let path = match self.owner_kind(owner).await? {
            OwnerKind::Organization => format!("/organizations/{segment}/datasets"),
            _ => format!("/users/{segment}/datasets"),
        };
        let call = Call::post("create dataset", &resource, path, new)?.not_repeatable();
        // What has no release may be found as the next version alone.
        let there = async || {
            let Some(reference) = &reference else {
                return Ok(None);
            };
            for version in [Some(Version::Next), None] {
                let reference = reference.clone().with_version(version);
                let path = format!("/datasets/{}", reference.path_segment());
                let call = Call::get("look for dataset", &resource, path);
                if let Some(dataset) = self.found::<Dataset>(&call).await? {
                    return Ok(Some(dataset));
                }
            }
            Ok(None)
        };
        let was_there = there().await?.is_some();
        let created = async || {
            let found = there().await?;
            Ok(found.filter(|dataset| !was_there && dataset.table_count.unwrap_or(0) == 0))
        };
        let remedy = format!("it may have been created: look for {resource} before trying again");
        self.step(&call, &remedy, created).await
    }

    /// Changes what is said about a dataset: `PATCH <dataset>` (redivis-api §4).
    pub async fn update_dataset(
        &self,
        dataset_uri: &str,
        changes: &DatasetChanges,
    ) -> Result<Dataset> {
        const OPERATION: &str = "change dataset";
        let uri = checked_uri(OPERATION, dataset_uri)?;
        self.json(&Call::patch(OPERATION, dataset_uri, uri, changes)?)
            .await
    }

    /// Deletes a dataset with all its versions: `DELETE <dataset>` (redivis-api §4).
    pub async fn delete_dataset(&self, dataset_uri: &str) -> Result<()> {
        self.delete("delete dataset", dataset_uri).await
    }

    /// Whether an owner is an organization, which only listing its datasets tells (redivis-api §2.1); all others are users.
    async fn owner_kind(&self, owner: &str) -> Result<OwnerKind> {
        let path = format!("/organizations/{}/datasets", path_segment(owner));
        let call = Call::get("find the owner", owner, path).query("maxResults", 1);
        match self.json::<serde::de::IgnoredAny>(&call).await {
            Ok(_) => Ok(OwnerKind::Organization),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(OwnerKind::User),
            Err(error) => Err(error),
        }
    }
}
