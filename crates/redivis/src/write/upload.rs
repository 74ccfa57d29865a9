//! Uploads: rows of an unreleased table, made of bytes that were sent (redivis-api §6.4).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::content::Content;
use super::progress::SendProgress;
use super::temp_upload::{NewTempUpload, TempUpload};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::reference::escaped;
use crate::request::Call;
use crate::resource::{Upload, UploadStatus, VariableType, checked_uri};
use crate::retry::Attempts;

const OPERATION: &str = "create upload";
const WAIT: &str = "wait for upload";
const FIRST_POLL: Duration = Duration::from_millis(250);
const LAST_POLL: Duration = Duration::from_secs(2);
/// How long a completed upload is asked for its count.
const COUNT_PATIENCE: Duration = Duration::from_secs(2);

/// An upload to be created (redivis-api §6.4). What is `None` is the service's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRequest {
    /// The name, unique within the table's version.
    pub name: String,
    /// The format, such as `parquet` or `delimited`. Default: by the name's extension, else `delimited`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub upload_type: Option<String>,
    /// The variables of an upload of type `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Vec<UploadField>>,
    /// What variables mean, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, VariableMetadata>,
    /// Delimited: whether the first row has the variables' names. Default: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_header_row: Option<bool>,
    /// Whether records that cannot be read are left out, rather than failing the upload. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_bad_records: Option<bool>,
    /// Delimited: whether quoted values may contain line breaks. Default: found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_quoted_newlines: Option<bool>,
    /// Delimited: whether rows may be shorter than the header. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_jagged_rows: Option<bool>,
    /// Delimited: the character around values that contain delimiters. Default: found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_character: Option<String>,
    /// Delimited: the character before a quote character within a value. Default: found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape_character: Option<String>,
    /// Delimited: texts that stand for null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_markers: Option<Vec<String>>,
    /// Delimited: the character between values. Default: found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Where the service fetches the bytes itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_specification: Option<TransferSpecification>,
    /// What to do where an upload has that name.
    #[serde(skip)]
    pub on_conflict: OnConflict,
}

/// A variable of an upload of type `stream`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UploadField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub variable_type: VariableType,
}

/// What a variable means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VariableMetadata {
    /// A short explanation, in up to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A long explanation, in up to 5000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What single values mean, by value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub value_labels: BTreeMap<String, String>,
}

/// Where the service fetches an upload's bytes itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferSpecification {
    /// The kind of place, such as `gcs` or `redivis`.
    pub source_type: String,
    /// The place.
    pub source_path: String,
    /// As whom to fetch it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// What to do where the table has an upload of the same name already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Fail, and change nothing.
    #[default]
    Fail,
    /// Let the service choose another name.
    Rename,
    /// Delete the one that is there, once the new one's bytes have arrived.
    Replace,
    /// Leave it, and create none.
    Skip,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(flatten)]
    request: &'a UploadRequest,
    #[serde(skip_serializing_if = "Option::is_none")]
    temp_upload_id: Option<&'a str>,
}

impl Client {
    /// Makes an upload of bytes that were sent: `POST <table>/uploads` (redivis-api §6.4). It is read in afterwards:
    /// [`wait_for_upload`](Self::wait_for_upload).
    ///
    /// What happens where an upload has that name is [`UploadRequest::on_conflict`]'s to say. Bytes never become two uploads:
    /// where no answer comes the upload is looked for by name and size, and asked for again only if it is not there; should
    /// both requests be carried out in the end, the second upload is removed. One that was found is
    /// [`recognized`](Upload::recognized): another writer may have been quicker. Where it stays open what came of it, the error
    /// says so ([`Error::may_have_happened`]).
    pub async fn create_upload(
        &self,
        table_uri: &str,
        request: &UploadRequest,
        temp_upload: Option<&TempUpload>,
    ) -> Result<Upload> {
        let path = format!("{}/uploads", checked_uri(OPERATION, table_uri)?);
        let body = Body {
            request,
            temp_upload_id: temp_upload.map(TempUpload::id),
        };
        let mut call = Call::post(OPERATION, &request.name, path, &body)?.not_repeatable();
        if let Some(temp_upload) = temp_upload {
            call = call.secret(temp_upload.id());
        }
        let creation = Creation {
            client: self,
            table_uri,
            request,
            size: temp_upload.map(TempUpload::size),
            call,
        };
        creation.run().await
    }

    /// Waits until an upload has been read in, however long that takes: `GET <upload>` (redivis-api §6.4).
    ///
    /// An upload that fails is an error of kind [`ErrorKind::Invalid`] with the service's message. One that is completed is
    /// completed, whether or not it says how many rows it has: the count is asked for a little longer, and then left unknown
    /// ([`Upload::row_count`]). Dropping the future stops the waiting, not the upload.
    pub async fn wait_for_upload(&self, upload: &Upload) -> Result<Upload> {
        let uri = checked_uri(WAIT, &upload.uri)?;
        let name = upload.name.clone().unwrap_or_else(|| upload.uri.clone());
        let call = Call::get(WAIT, &name, uri);
        let mut upload = upload.clone();
        let mut wait = FIRST_POLL;
        while !matches!(
            upload.status,
            UploadStatus::Completed | UploadStatus::Failed
        ) {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_POLL);
            upload = self.json(&call).await?;
        }
        if upload.status == UploadStatus::Completed {
            if upload.num_rows.is_none() {
                let count = tokio::time::timeout(COUNT_PATIENCE, self.later_count(&call)).await;
                upload.num_rows = count.ok();
            }
            return Ok(upload);
        }
        let message = match &upload.error_message {
            Some(message) => self.clean(message),
            None => "it failed, and the service does not say why".to_owned(),
        };
        Err(Error::new("read in", name, ErrorKind::Invalid, message))
    }

    /// The rows of an upload, once it tells them. Its rows are there whatever comes of the question, so nothing fails.
    async fn later_count(&self, call: &Call) -> u64 {
        let mut wait = FIRST_POLL;
        loop {
            tokio::time::sleep(wait).await;
            wait *= 2;
            if let Ok(Upload {
                num_rows: Some(rows),
                ..
            }) = self.json_once(call).await
            {
                return rows;
            }
        }
    }

    /// Looks, before anything is sent, whether an upload's name is taken: an error where that is a conflict, and the upload
    /// that is there where it makes another one needless.
    pub async fn needless_upload(
        &self,
        table_uri: &str,
        request: &UploadRequest,
    ) -> Result<Option<Upload>> {
        let there = self.find_upload(table_uri, &request.name).await?;
        match request.on_conflict {
            OnConflict::Fail if there.is_some() => Err(taken(&request.name)),
            OnConflict::Skip => Ok(there),
            _ => Ok(None),
        }
    }

    /// Sends content to a table of an unreleased version, and waits until its rows are there.
    ///
    /// A name that is taken is noticed before anything is sent. Dropping the future before its end may leave an upload behind
    /// that is still being read in.
    pub async fn upload(
        &self,
        table_uri: &str,
        request: &UploadRequest,
        content: &Content,
        progress: &Arc<SendProgress>,
    ) -> Result<Upload> {
        if let Some(there) = self.needless_upload(table_uri, request).await? {
            return Ok(there);
        }
        let new = NewTempUpload::new(&request.name, content.len());
        let created = self.create_temp_uploads(table_uri, &[new]).await?;
        let temp_upload = created.first();
        if let Some(temp_upload) = temp_upload {
            self.send(temp_upload, content, progress).await?;
        }
        let upload = self.create_upload(table_uri, request, temp_upload).await?;
        self.wait_for_upload(&upload).await
    }
}

/// The creation of one upload, once whatever happens on the way.
struct Creation<'a> {
    client: &'a Client,
    table_uri: &'a str,
    request: &'a UploadRequest,
    size: Option<u64>,
    call: Call,
}

impl Creation<'_> {
    async fn run(self) -> Result<Upload> {
        if let Some(there) = self.find().await? {
            match self.request.on_conflict {
                OnConflict::Fail => return Err(taken(&self.request.name)),
                OnConflict::Skip => return Ok(there),
                OnConflict::Rename => return self.under_another_name().await,
                OnConflict::Replace => self.client.delete_upload(&there.uri).await?,
            }
        }
        let mut attempts = Attempts::new(self.client.retry_policy().clone());
        let mut unanswered = false;
        loop {
            let error = match self.client.json(&self.call).await {
                Ok(upload) if unanswered => return self.once(upload).await,
                Ok(upload) => return self.with_all_bytes(upload),
                Err(error) => error,
            };
            if error.leaves_open() {
                unanswered = true;
                attempts
                    .wait_after(error.with_retry(Retry::Yes))
                    .await
                    .map_err(|error| self.open(error))?;
            } else if !unanswered {
                return Err(error);
            } else {
                // It may have been refused because the first request had been carried out.
                return self.first().await?.ok_or_else(|| self.open(error));
            }
            if let Some(upload) = self.first().await? {
                return Ok(upload);
            }
        }
    }

    /// As the service chooses the name, an upload without an answer could not be recognized.
    async fn under_another_name(self) -> Result<Upload> {
        match self.client.json(&self.call).await {
            Ok(upload) => self.with_all_bytes(upload),
            Err(error) if error.leaves_open() => Err(self.open(error)),
            Err(error) => Err(error),
        }
    }

    async fn find(&self) -> Result<Option<Upload>> {
        self.client
            .find_upload(self.table_uri, &self.request.name)
            .await
    }

    /// The upload that a request without an answer has made: there was none of this name before, and it has as many bytes as
    /// were sent. An error where it may be somebody else's.
    async fn first(&self) -> Result<Option<Upload>> {
        match self.find().await.map_err(|error| self.open(error))? {
            Some(there) if there.size.is_some() && there.size == self.size => Ok(Some(Upload {
                recognized: true,
                ..there
            })),
            Some(_) => Err(self.open(taken(&self.request.name))),
            None => Ok(None),
        }
    }

    /// The one upload of the bytes, after a request without an answer. If that was carried out after all its upload has the
    /// name, and this one, which is certainly ours, got another and is removed.
    async fn once(&self, upload: Upload) -> Result<Upload> {
        let name = upload.name.as_deref().unwrap_or(&self.request.name);
        if escaped(name).to_lowercase() == escaped(&self.request.name).to_lowercase() {
            return self.with_all_bytes(upload);
        }
        let first = match self.first().await? {
            Some(first) if first.uri != upload.uri && first.name != upload.name => first,
            _ => return self.with_all_bytes(upload),
        };
        match self.client.delete_upload(&upload.uri).await {
            Ok(()) => Ok(first),
            Err(error) => Err(error.with_unknown_outcome(&format!(
                "the rows may be in the table twice, as uploads `{}` and `{name}`: delete the second",
                self.request.name
            ))),
        }
    }

    /// The upload, if it has as many bytes as were sent.
    fn with_all_bytes(&self, upload: Upload) -> Result<Upload> {
        match (upload.size, self.size) {
            (Some(there), Some(sent)) if there != sent => Err(self
                .call
                .error(
                    ErrorKind::Protocol,
                    format!("{sent} bytes were sent, and the service made an upload of {there}"),
                )
                .with_unknown_outcome("delete it before trying again")),
            _ => Ok(upload),
        }
    }

    fn open(&self, error: Error) -> Error {
        error.with_unknown_outcome(
            "it may have been created, perhaps under another name: look at the table's uploads before trying again",
        )
    }
}

fn taken(name: &str) -> Error {
    Error::new(
        OPERATION,
        name,
        ErrorKind::Invalid,
        "the table has an upload of this name already; choose another name, or have it renamed, replaced or skipped",
    )
}
