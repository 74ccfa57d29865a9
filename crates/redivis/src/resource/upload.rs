//! Uploads: the files that an unreleased table is made of. Each can be read like a table.

use serde::Deserialize;

use super::lenient::{integer, text};

/// An upload (redivis-api §3.4); its `uri` can be read like a table's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Upload {
    /// The path below the endpoint that every call on this upload starts with.
    pub uri: String,
    /// The name, unique within the table.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// How far it has come; rows can be read once it is completed.
    pub status: UploadStatus,
    /// The file's format, such as `parquet` or `delimited`.
    #[serde(default, rename = "type")]
    pub upload_type: Option<String>,
    /// Size of the file, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub size: Option<u64>,
    /// Rows.
    #[serde(default, deserialize_with = "integer")]
    pub num_rows: Option<u64>,
    /// Size as stored, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub num_bytes: Option<u64>,
    /// Why it failed.
    #[serde(default)]
    pub error_message: Option<String>,
}

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum UploadStatus {
    /// It waits to be read in.
    Queued,
    /// It is being read in.
    Running,
    /// Its rows are there.
    Completed,
    /// It could not be read in.
    Failed,
    /// A state that this version of the crate does not know.
    #[serde(other)]
    Other,
}
