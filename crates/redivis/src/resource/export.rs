//! Exports: a whole table as files, which the service writes first (redivis-api §3.6, §6.6).

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::checked_uri;
use super::job::JobStatus;
use super::lenient::{hint, integer, text};
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::reference::path_segment;
use crate::request::Call;

/// The pauses grow by this, as the official client's do.
const FIRST_POLL: Duration = Duration::from_millis(500);
const LAST_POLL: Duration = Duration::from_secs(2);

/// A table's rows as files (redivis-api §3.6).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Export {
    /// The export's id.
    pub id: String,
    /// How far it has come.
    #[serde(default, deserialize_with = "hint")]
    pub status: JobStatus,
    /// Why it failed.
    #[serde(default, deserialize_with = "text")]
    pub error_message: Option<String>,
    /// Bytes of all files together.
    #[serde(default, deserialize_with = "integer")]
    pub size: Option<u64>,
    /// How many files there are; there is no number before it has completed.
    #[serde(default, deserialize_with = "integer")]
    pub file_count: Option<u64>,
}

impl Client {
    /// Has the service write a table's rows into Parquet files, and waits until it has: `POST <parent>/exports`, then
    /// `GET /exports/:id`. [`read_export_file`](Self::read_export_file) reads them.
    ///
    /// `parent` is the [`uri`](super::Table::uri) of a table. An export that fails is an error of kind [`ErrorKind::Invalid`] with
    /// the service's message. Dropping the future stops the waiting, not the export.
    pub async fn export_parquet(&self, parent: &str) -> Result<Export> {
        let path = format!("{}/exports", checked_uri("export", parent)?);
        let body = json!({"format": "parquet"});
        let call = Call::post("export", parent, path, &body)?.not_repeatable();
        let mut export: Export = self.json(&call).await?;
        let mut wait = FIRST_POLL;
        while export.status.is_pending() {
            tokio::time::sleep(wait).await;
            wait = (wait + FIRST_POLL).min(LAST_POLL);
            let path = format!("/exports/{}", path_segment(&export.id));
            export = self.json(&Call::get("export", parent, path)).await?;
        }
        if export.status == JobStatus::Completed {
            return Ok(export);
        }
        let message = export.status.why(self, export.error_message.as_deref());
        Err(call
            .error(ErrorKind::Invalid, message)
            .with_retry(Retry::No))
    }
}
