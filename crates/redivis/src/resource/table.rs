//! Tables: what a reference leads to, and where its variables and rows are found.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::lenient::{flag, hint, integer, milliseconds_of, text, text_or_empty, timestamp};
use super::{checked_uri, reference_in};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::reference::{DatasetReference, TableReference, Version, WorkflowReference, escaped};
use crate::request::Call;

/// A table, as `GET /tables/:table` and listings show it (redivis-api §3.1). Listings leave some fields out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Table {
    /// The path below the endpoint that every call on this table starts with.
    pub uri: String,
    /// The name, in the service's spelling.
    pub name: String,
    /// The whole reference with ids and version, such as `demo.us_data:1q86:v1_0.counties:g2q3`.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub qualified_reference: String,
    /// The reference within its dataset or workflow, such as `counties:g2q3`.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub scoped_reference: String,
    /// The id that tells apart tables that had the same name over time.
    #[serde(default, deserialize_with = "text")]
    pub reference_id: Option<String>,
    /// The resource's id.
    #[serde(default, deserialize_with = "text")]
    pub id: Option<String>,
    /// The page for people.
    #[serde(default, deserialize_with = "hint")]
    pub url: Option<String>,
    /// A hash that changes with the content.
    #[serde(default, deserialize_with = "hint")]
    pub hash: Option<String>,
    /// What it is about.
    #[serde(default, deserialize_with = "hint")]
    pub description: Option<String>,
    /// Rows; exact for released versions, possibly stale for an unreleased one.
    #[serde(default, deserialize_with = "integer")]
    pub num_rows: Option<u64>,
    /// Size as stored, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub num_bytes: Option<u64>,
    /// Variables.
    #[serde(default, deserialize_with = "integer")]
    pub variable_count: Option<u64>,
    /// Whether it belongs to a dataset's sample.
    #[serde(default, deserialize_with = "flag")]
    pub is_sample: bool,
    /// Whether its rows stand for files.
    #[serde(default, deserialize_with = "flag")]
    pub is_file_index: bool,
    /// What the caller may see: `none`, `overview`, `metadata`, `sample` or more, where the service says so.
    #[serde(default, deserialize_with = "text")]
    pub access_level: Option<String>,
    /// What uploads do to the rows of the version before.
    #[serde(default, deserialize_with = "hint")]
    pub upload_merge_strategy: Option<UploadMergeStrategy>,
    /// The dataset or workflow it is in.
    #[serde(default, deserialize_with = "hint")]
    pub container: Option<Container>,
    /// When it was created.
    #[serde(
        default,
        deserialize_with = "timestamp",
        serialize_with = "milliseconds_of"
    )]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(
        default,
        deserialize_with = "timestamp",
        serialize_with = "milliseconds_of"
    )]
    pub updated_at: Option<DateTime<Utc>>,
}

/// What uploads do to the rows of the version before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum UploadMergeStrategy {
    /// They are added to them.
    #[default]
    Append,
    /// They take their place.
    Replace,
    /// One that this version of the crate does not know.
    #[serde(other)]
    Other,
}

/// The dataset or workflow that a table is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Container {
    /// Which of the two.
    #[serde(default, deserialize_with = "hint")]
    pub kind: ContainerKind,
    /// Its path below the endpoint.
    #[serde(default, deserialize_with = "hint")]
    pub uri: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "hint")]
    pub name: Option<String>,
    /// Its reference with id and version.
    #[serde(default, deserialize_with = "hint")]
    pub qualified_reference: Option<String>,
}

/// Where tables can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ContainerKind {
    /// In a dataset, which has versions.
    Dataset,
    /// In a workflow, where running a transform changes them.
    Workflow,
    /// The service does not say, or names what this version of the crate does not know.
    #[default]
    #[serde(other)]
    Other,
}

/// A table to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTable {
    /// The name; the dataset has no other that differs only in case or characters that are no word characters.
    pub name: String,
    /// What it is about, in up to 5000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What uploads do to the rows of the version before.
    pub upload_merge_strategy: UploadMergeStrategy,
    /// Whether its rows stand for files.
    pub is_file_index: bool,
}

/// What to change about a table; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableChanges {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about, in up to 5000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What uploads do to the rows of the version before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_merge_strategy: Option<UploadMergeStrategy>,
}

impl Table {
    /// The table's reference as the service writes it, in its own field or in the URI; `None` if it wrote none that can be
    /// read.
    pub fn reference(&self) -> Option<TableReference> {
        self.qualified_reference
            .parse()
            .ok()
            .or_else(|| reference_in(&self.uri, "/tables/"))
    }

    /// Whether the caller sees less than all rows, so that counts may be of more than can be read.
    ///
    /// `false` where the service does not say so.
    pub fn is_access_limited(&self) -> bool {
        let level = self.access_level.as_deref();
        matches!(level, Some("none" | "overview" | "metadata" | "sample"))
    }

    /// Whether the rows can no longer change: the table belongs to a released version of a dataset.
    ///
    /// `false` where the service does not say so: then counts are hints, and the table may change between two looks. Only
    /// datasets have versions, so a reference with a version says so too, where the kind of the parent is missing.
    pub fn is_released(&self) -> bool {
        if let Some(container) = &self.container
            && container.kind == ContainerKind::Workflow
        {
            return false;
        }
        let version = self
            .reference()
            .and_then(|reference| reference.version())
            .or_else(|| {
                let container = self.container.as_ref()?.qualified_reference.as_ref()?;
                container.parse::<DatasetReference>().ok()?.version()
            });
        matches!(version, Some(Version::Numbered { .. } | Version::Current))
    }
}

impl Client {
    /// The table that a reference means: `GET /tables/:table` (redivis-api §4).
    ///
    /// A workflow's table that comes from a data source may be found only by `GET /workflows/:workflow/tables/:table`
    /// (redivis-api §14). Only the service knows whether the parent is a workflow, so this is asked too where the first answer
    /// is 404 and the reference could be a workflow's: one without version and sample. Where neither finds a table, the error
    /// is the first answer's.
    pub async fn table(&self, reference: &TableReference) -> Result<Table> {
        let get = |path: String| Call::get("get table", reference.to_string(), path);
        let path = format!("/tables/{}", reference.path_segment());
        let missing = match self.json(&get(path)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => error,
            answer => return answer,
        };
        let Some((workflow, table)) = reference.in_workflow() else {
            return Err(missing);
        };
        let path = format!("/workflows/{workflow}/tables/{table}");
        match self.json(&get(path)).await {
            Err(error) if !error.is_retryable() => Err(missing),
            answer => answer,
        }
    }

    /// The tables of a dataset, in the service's order, fetched as they are consumed.
    pub fn dataset_tables(&self, dataset: &DatasetReference) -> BoxStream<'static, Result<Table>> {
        let path = format!("/datasets/{}/tables", dataset.path_segment());
        self.list(
            Call::get("list the tables of", dataset.to_string(), path),
            100,
        )
    }

    /// The tables of a workflow, those of its data sources included (redivis-api §4).
    pub fn workflow_tables(
        &self,
        workflow: &WorkflowReference,
    ) -> BoxStream<'static, Result<Table>> {
        let path = format!("/workflows/{}/tables", workflow.path_segment());
        let call = Call::get("list the tables of", workflow.to_string(), path);
        self.list(call.query("includeDataSources", true), 100)
    }

    /// The tables of a dataset, or of a workflow: whichever goes by this reference, as only the service knows.
    ///
    /// A workflow is asked for where there is no such dataset and the reference has no version and sample; where there is no
    /// workflow either, the error is the dataset's.
    pub async fn tables(&self, parent: &DatasetReference) -> Result<Vec<Table>> {
        let missing = match self.dataset_tables(parent).try_collect().await {
            Err(error) if error.kind() == ErrorKind::NotFound => error,
            answer => return answer,
        };
        let Ok(workflow) = parent.to_string().parse() else {
            return Err(missing);
        };
        match self.workflow_tables(&workflow).try_collect().await {
            Err(error) if !error.is_retryable() => Err(missing),
            answer => answer,
        }
    }

    /// Creates a table in the unreleased version of a dataset: `POST <dataset>/tables` (redivis-api §4).
    ///
    /// Sent once. Where no answer comes the table is looked for by its name: it is taken if there was none before and it has no
    /// rows, and else the error says that it may have been created ([`Error::may_have_happened`](crate::Error::may_have_happened)).
    pub async fn create_table(&self, dataset_uri: &str, new: &NewTable) -> Result<Table> {
        const OPERATION: &str = "create a table in";
        let path = format!("{}/tables", checked_uri(OPERATION, dataset_uri)?);
        let call = Call::post(OPERATION, dataset_uri, path, new)?.not_repeatable();
        let reference = reference_in::<DatasetReference>(dataset_uri, "/datasets/")
            .and_then(|dataset| dataset.table(&escaped(&new.name)).ok())
            .map(|table| format!("/tables/{}", table.path_segment()));
        let there = async || match &reference {
            Some(path) => {
                self.found::<Table>(&Call::get("look for table", &new.name, path))
                    .await
            }
            None => Ok(None),
        };
        let was_there = there().await?.is_some();
        let created = async || {
            Ok(there().await?.filter(|table| {
                let is_empty = table.num_rows.unwrap_or(0) == 0;
                !was_there && is_empty && table.is_file_index == new.is_file_index
            }))
        };
        let remedy = format!(
            "it may have been created: look for `{}` among the tables of the dataset before trying again",
            new.name
        );
        self.step(&call, &remedy, created).await
    }

    /// Changes what is said about a table: `PATCH <table>` (redivis-api §4).
    pub async fn update_table(&self, table_uri: &str, changes: &TableChanges) -> Result<Table> {
        const OPERATION: &str = "change table";
        let uri = checked_uri(OPERATION, table_uri)?;
        self.json(&Call::patch(OPERATION, table_uri, uri, changes)?)
            .await
    }

    /// Deletes a table of an unreleased version, with its uploads: `DELETE <table>` (redivis-api §4).
    pub async fn delete_table(&self, table_uri: &str) -> Result<()> {
        self.delete("delete table", table_uri).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: serde_json::Value) -> Table {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn unknown_missing_and_oddly_written_fields() {
        let table = table(serde_json::json!({
            "kind": "table", "uri": "/tables/o.d:v1_0.t", "name": "t", "qualifiedReference": "o.d:v1_0.t",
            "id": 12, "numRows": "1e+05", "numBytes": 12.0, "isSample": null, "surprise": [1, {}],
            "uploadMergeStrategy": "somethingNew", "container": {"kind": "galaxy", "extra": 1},
        }));
        assert_eq!(table.num_rows, Some(100_000));
        assert_eq!(table.num_bytes, Some(12));
        assert_eq!(table.id.as_deref(), Some("12"));
        assert_eq!(
            table.upload_merge_strategy,
            Some(UploadMergeStrategy::Other)
        );
        assert_eq!(table.container.unwrap().kind, ContainerKind::Other);
    }

    #[test]
    fn only_numbered_and_current_versions_of_datasets_are_released() {
        for (reference, container, released) in [
            ("o.d:1q86:v1_0.t:ab12", "dataset", true),
            ("o.d:current.t", "dataset", true),
            ("o.d:next.t", "dataset", false),
            ("o.d.t", "dataset", false),
            ("o.w:v1_0.t", "workflow", false),
            ("o.d:v1_0.t", "galaxy", true),
            ("o.d.t", "galaxy", false),
            ("", "dataset", false),
        ] {
            let table = table(serde_json::json!({
                "uri": "/tables/x", "name": "t", "qualifiedReference": reference,
                "container": {"kind": container},
            }));
            assert_eq!(table.is_released(), released, "{reference}");
        }
        let by_container = table(serde_json::json!({
            "uri": "/tables/x", "name": "t",
            "container": {"kind": "dataset", "qualifiedReference": "o.d:1q86:v2_1"},
        }));
        assert!(by_container.is_released());
        let by_uri = table(serde_json::json!({
            "uri": "/tables/o.d:1q86:v1_0.My%20table:ab12", "name": "t", "qualifiedReference": null,
            "container": {"kind": null},
        }));
        assert!(by_uri.is_released());
        let reference = by_uri.reference().unwrap();
        assert_eq!(reference.to_string(), "o.d:1q86:v1_0.My table:ab12");
    }
}
