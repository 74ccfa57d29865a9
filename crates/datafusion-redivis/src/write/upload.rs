//! From bytes to an upload that is part of its table, or to none.
//!
//! The bytes are sent first; the service holds them for a day and shows them to nobody. Only then an upload is made of them,
//! and from that moment it becomes part of the table by itself: whatever goes wrong later, it is taken back.

use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{Result, exec_datafusion_err, exec_err};
use redivis::resource::{RowCount, Upload};
use redivis::write::{Content, NewTempUpload, SendProgress, TempUpload, UploadRequest};
use redivis::{Client, ErrorKind};

use super::columns::Columns;
use super::name::UploadName;
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
             with {}",
            self.table,
            self.removal(name)
        )
    }

    /// What removes the upload of this name.
    fn removal(&self, name: &str) -> String {
        format!(
            "CALL redivis.delete_upload('{}', '{}')",
            self.table,
            name.replace('\'', "''")
        )
    }

    /// Fails if the service gave an upload another name because somebody else's has this one (redivis-api §6.4): whoever names
    /// an upload means that there is one of it.
    async fn check_named(&self, upload: &Upload, name: &UploadName) -> Result<()> {
        if name.is_unique || upload.name.as_deref() == Some(&name.text) {
            return Ok(());
        }
        let named = self.client.find_upload(&self.uri, &name.text).await;
        match named.map_err(failed)? {
            Some(other) if other.uri != upload.uri => exec_err!(
                "another writer has made an upload `{}` of {} in the meantime; nothing was added to it",
                name.text,
                self.table
            ),
            _ => Ok(()),
        }
    }

    /// Sends the content, makes an upload of it and waits until it is completed, as `expected`. `format` is the content's, where
    /// the name does not say it.
    ///
    /// On failure, and when the future is dropped, the table is as it was; or the error says what is left.
    pub(crate) async fn upload(
        &self,
        name: &UploadName,
        format: Option<&str>,
        content: &Content,
        expected: &Expected,
        progress: &Arc<SendProgress>,
    ) -> Result<Upload> {
        self.check_name(&name.text).await?;
        self.writes.sends(progress);
        let new = NewTempUpload::new(&name.text, content.len());
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

        let request = UploadRequest {
            name: name.text.clone(),
            upload_type: format.map(str::to_owned),
            ..UploadRequest::default()
        };
        let (upload, undo) = self.create(&request, Some(sent), name).await?;
        match self.completed(&upload, &name.text, expected).await {
            Ok(upload) => {
                undo.keep();
                Ok(upload)
            }
            Err(error) => Err(undo.because_of(error).await),
        }
    }

    /// Creates an upload, of what was sent if something was, and returns it with its removal.
    pub(super) async fn create(
        &self,
        request: &UploadRequest,
        sent: Option<&TempUpload>,
        name: &UploadName,
    ) -> Result<(Upload, Undo)> {
        let asked = Arc::new(Asked {
            destination: self.clone(),
            name: name.clone(),
            size: sent.map(TempUpload::size),
        });
        let created = self.client.create_upload(&self.uri, request, sent);
        let undo = Undo::new(&self.writes, {
            let asked = Arc::clone(&asked);
            move || Arc::clone(&asked).find_and_remove()
        });
        let upload = match created.await {
            Ok(upload) if upload.recognized && !name.is_unique => {
                let unanswered = exec_datafusion_err!(
                    "Redivis did not answer whether it created upload `{}` of {}",
                    name.text,
                    self.table
                );
                return Err(undo.because_of(unanswered).await);
            }
            Ok(upload) => upload,
            Err(error) if error.may_have_happened() => {
                return Err(undo.because_of(failed(error)).await);
            }
            // Refused, so there is nothing to take back; another one's upload may have the name.
            Err(error) => {
                undo.keep();
                return Err(failed(error));
            }
        };
        let known = Undo::new(&self.writes, {
            let uri = upload.uri.clone();
            move || Arc::clone(&asked).remove(uri.clone())
        });
        undo.keep();
        match self.check_named(&upload, name).await {
            Ok(()) => Ok((upload, known)),
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
}

/// An upload whose creation was asked for.
struct Asked {
    destination: Destination,
    name: UploadName,
    size: Option<u64>,
}

impl Asked {
    /// Removes the upload if it was created without an answer, and if it is certainly this one: an upload of another writer may
    /// have the same name and size. Says what is left.
    async fn find_and_remove(self: Arc<Self>) -> Option<String> {
        let Destination { client, uri, .. } = &self.destination;
        for wait in [Duration::ZERO, SHOWS_WITHIN] {
            tokio::time::sleep(wait).await;
            let upload = match client.find_upload(uri, &self.name.text).await {
                Ok(Some(upload)) => upload,
                Ok(None) => continue,
                Err(error) => return self.left(&error),
            };
            if self.name.is_unique {
                return self.remove(upload.uri).await;
            }
            let is_others = upload.size.is_some() && upload.size != self.size;
            return (!is_others).then(|| {
                format!(
                    "the upload `{}` that {} has now may be this one or another writer's, and this one may be there under \
                     another name: look at the table's uploads, and remove what should not be there, as with {}",
                    self.name.text,
                    self.destination.table,
                    self.destination.removal(&self.name.text)
                )
            });
        }
        None
    }

    /// Removes the upload. Says what is left where that fails.
    async fn remove(self: Arc<Self>, uri: String) -> Option<String> {
        let error = self.destination.client.delete_upload(&uri).await.err()?;
        self.left(&error)
    }

    fn left(&self, error: &redivis::Error) -> Option<String> {
        (error.kind() != ErrorKind::NotFound).then(|| {
            format!(
                "the upload `{}` may be left in {} ({error}): remove it with {}",
                self.name.text,
                self.destination.table,
                self.destination.removal(&self.name.text)
            )
        })
    }
}
