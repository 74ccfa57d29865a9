//! From bytes to an upload that is part of its table, or to none.
//!
//! The bytes are sent first; the service holds them for a day and shows them to nobody. Only then an upload is made of them,
//! and from that moment it becomes part of the table by itself: whatever goes wrong later, it is taken back.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use datafusion::common::{Result, exec_err};
use redivis::resource::{RowCount, Upload};
use redivis::write::{Content, NewTempUpload, SendProgress, UploadRequest};
use redivis::{Client, ErrorKind};

use super::columns::Columns;
use super::undo::{Undo, Writes};
use crate::error::{WriteError, failed};

/// How long the service may take to show an upload whose creation was not answered any more.
const SHOWS_WITHIN: Duration = Duration::from_secs(2);

/// The table that uploads go to.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) client: Client,
    /// What people call the table.
    pub(crate) table: String,
    pub(crate) uri: String,
    pub(crate) writes: Arc<Writes>,
}

/// What an upload must be when it is completed.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// How many rows it has; `None` where nobody counted them.
    pub(crate) rows: Option<u64>,
    /// Which variables, where the service finds them by itself in values that are text.
    pub(crate) columns: Option<Columns>,
}

impl Expected {
    pub(crate) fn rows(rows: u64) -> Self {
        Self {
            rows: Some(rows),
            columns: None,
        }
    }
}

impl Destination {
    /// Fails if the table has an upload of this name, before anything is sent.
    pub(crate) async fn check_name(&self, name: &str) -> Result<()> {
        let upload = self
            .client
            .find_upload(&self.uri, name)
            .await
            .map_err(failed)?;
        if upload.is_none() {
            return Ok(());
        }
        exec_err!(
            "{} has an upload `{name}` already; choose another name (for INSERT: SET redivis.upload_name), or remove the upload \
             with CALL redivis.delete_upload('{}', '{}')",
            self.table,
            self.table,
            name.replace('\'', "''")
        )
    }

    /// Sends the content, makes an upload of it and waits until it is completed, as `expected`.
    ///
    /// On failure, and when the future is dropped, the table is as it was; or the error says what is left.
    pub(crate) async fn upload(
        &self,
        request: &UploadRequest,
        content: &Content,
        expected: &Expected,
        progress: &Arc<SendProgress>,
    ) -> Result<Upload> {
        self.check_name(&request.name).await?;
        let new = NewTempUpload::new(&request.name, content.len());
        let sent = self.client.create_temp_uploads(&self.uri, &[new]).await;
        let sent = sent.map_err(failed)?;
        let Some(sent) = sent.first() else {
            return exec_err!(
                "Redivis gave no place to send the rows for {} to",
                self.table
            );
        };
        self.client
            .send(sent, content, progress)
            .await
            .map_err(failed)?;

        let created = self.client.create_upload(&self.uri, request, Some(sent));
        let undo = Undo::new(
            &self.writes,
            self.clone().find_and_remove(request.name.clone()),
        );
        let upload = match created.await {
            Ok(upload) => upload,
            // Refused, so there is nothing to take back; another one's upload may have the name.
            Err(error)
                if error
                    .status()
                    .is_some_and(|status| (400..500).contains(&status)) =>
            {
                undo.keep();
                return Err(failed(error));
            }
            Err(error) => return Err(undo.because_of(failed(error)).await),
        };
        let known = Undo::new(
            &self.writes,
            self.clone().remove(upload.clone(), request.name.clone()),
        );
        undo.keep();
        match self.completed(&upload, &request.name, expected).await {
            Ok(upload) => {
                known.keep();
                Ok(upload)
            }
            Err(error) => Err(known.because_of(error).await),
        }
    }

    async fn completed(&self, upload: &Upload, name: &str, expected: &Expected) -> Result<Upload> {
        let upload = self.client.wait_for_upload(upload).await.map_err(failed)?;
        if let Some(rows) = expected.rows {
            match upload.row_count(rows) {
                RowCount::Confirmed => {}
                RowCount::Unconfirmed => tracing::warn!(
                    table = self.table,
                    upload = name,
                    "{rows} rows sent; Redivis did not confirm the count"
                ),
                RowCount::Different(stored) => {
                    return Err(WriteError::RowCount {
                        table: self.table.clone(),
                        upload: name.to_owned(),
                        sent: rows,
                        stored,
                    }
                    .into());
                }
            }
        }
        if let Some(columns) = &expected.columns {
            let variables = self.client.variables(&upload.uri).await.map_err(failed)?;
            if let Some((column, sent, stored)) = columns.other(&variables) {
                return Err(WriteError::Type {
                    table: self.table.clone(),
                    upload: name.to_owned(),
                    column: column.to_owned(),
                    sent: sent.clone(),
                    stored: stored.cloned(),
                }
                .into());
            }
        }
        Ok(upload)
    }

    /// Removes an upload that may have been created without an answer. Says what is left where that fails.
    async fn find_and_remove(self, name: String) -> Option<String> {
        for wait in [Duration::ZERO, SHOWS_WITHIN] {
            tokio::time::sleep(wait).await;
            match self.client.find_upload(&self.uri, &name).await {
                Ok(Some(upload)) => return self.remove(upload, name).await,
                Ok(None) => {}
                Err(error) => return self.left(&error, &name),
            }
        }
        None
    }

    /// Removes an upload. Says what is left where that fails.
    async fn remove(self, upload: Upload, name: String) -> Option<String> {
        let error = self.client.delete_upload(&upload.uri).await.err()?;
        self.left(&error, &name)
    }

    fn left(&self, error: &redivis::Error, name: &str) -> Option<String> {
        let table = &self.table;
        (error.kind() != ErrorKind::NotFound).then(|| {
            format!(
                "the upload `{name}` may be left in {table} ({error}): remove it with CALL redivis.delete_upload('{table}', \
                 '{}')",
                name.replace('\'', "''")
            )
        })
    }
}

/// A name for an upload that says when and what, and that no other upload has: `insert-2026-11-21T07-12-03Z-ab12`.
pub(crate) fn unique(what: &str) -> String {
    let id: String = (0..4)
        .map(|_| fastrand::alphanumeric().to_ascii_lowercase())
        .collect();
    format!("{what}-{}-{id}", Utc::now().format("%Y-%m-%dT%H-%M-%SZ"))
}

/// What is asked of the service for a spool file.
pub(crate) fn parquet(name: String) -> UploadRequest {
    UploadRequest {
        name,
        upload_type: Some("parquet".to_owned()),
        ..UploadRequest::default()
    }
}
