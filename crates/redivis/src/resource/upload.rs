//! Uploads: the files that an unreleased table is made of. Each can be read like a table.

use futures::stream::BoxStream;
use serde::Deserialize;

use super::checked_uri;
use super::lenient::{hint, integer, text};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::reference::path_segment;
use crate::request::Call;

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
    #[serde(default, deserialize_with = "hint")]
    pub status: UploadStatus,
    /// The file's format, such as `parquet` or `delimited`.
    #[serde(default, rename = "type", deserialize_with = "hint")]
    pub upload_type: Option<String>,
    /// Size of the file, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub size: Option<u64>,
    /// Rows; `None` until it is completed, and where the service does not say.
    #[serde(default, deserialize_with = "integer")]
    pub num_rows: Option<u64>,
    /// Size as stored, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub num_bytes: Option<u64>,
    /// Why it failed.
    #[serde(default, deserialize_with = "hint")]
    pub error_message: Option<String>,
    /// Set where the answer to the upload's creation was lost, and this one was found by its name and size: it is the one that
    /// was asked for, unless another writer has made one of the same name and size in that moment.
    #[serde(skip)]
    pub recognized: bool,
}

/// What a completed upload says of the rows that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCount {
    /// It has as many.
    Confirmed,
    /// It does not say how many it has: they are written, and nobody confirms the count.
    Unconfirmed,
    /// It has another number of them.
    Different(u64),
}

/// How far an upload has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
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
    /// The service does not say, or names a state that this version of the crate does not know.
    #[default]
    #[serde(other)]
    Other,
}

impl Upload {
    /// Compares its rows with those that were sent.
    pub fn row_count(&self, sent: u64) -> RowCount {
        match self.num_rows {
            None => RowCount::Unconfirmed,
            Some(stored) if stored == sent => RowCount::Confirmed,
            Some(stored) => RowCount::Different(stored),
        }
    }
}

impl Client {
    /// The uploads of a table (redivis-api §6.4).
    pub fn uploads(&self, table_uri: &str) -> BoxStream<'static, Result<Upload>> {
        const OPERATION: &str = "list the uploads of";
        match checked_uri(OPERATION, table_uri) {
            Ok(uri) => self.list(
                Call::get(OPERATION, table_uri, format!("{uri}/uploads")),
                100,
            ),
            Err(error) => Box::pin(futures::stream::iter([Err(error)])),
        }
    }

    /// The upload of a table that has this name, or one that the service does not tell apart from it; `None` if there is
    /// none: `GET <table>/uploads/:name` (redivis-api §6.4).
    pub async fn find_upload(&self, table_uri: &str, name: &str) -> Result<Option<Upload>> {
        const OPERATION: &str = "get upload";
        let uri = checked_uri(OPERATION, table_uri)?;
        let segment = path_segment(&name.replace('.', "_"));
        let call = Call::get(OPERATION, name, format!("{uri}/uploads/{segment}"));
        match self.json(&call).await {
            Ok(upload) => Ok(Some(upload)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes an upload with its rows: `DELETE <upload>` (redivis-api §6.4).
    pub async fn delete_upload(&self, upload_uri: &str) -> Result<()> {
        self.delete("delete upload", upload_uri).await
    }
}
