//! New rows in the place of all rows of a table that stays the same one: its id, labels and descriptions are kept.
//!
//! In: a table of an unreleased version, and a new upload. Out: a table of the new rows alone. There is no call that does it
//! at once, so the order of the calls makes every one of them safe to fail (redivis-api §4, §6.4):
//!
//! 1. The bytes are sent; nobody sees them.
//! 2. Where the table has rows of the version before and no uploads of this one, its merge strategy is set to `replace`: that
//!    changes no rows, and lets the new upload take their place at the moment when it is completed.
//! 3. The upload is created and waited for. If it fails it is deleted, and the strategy is set back.
//! 4. Where the table has rows of the version before and uploads of this one, the strategy is set to `replace` now. Until here
//!    everything can be taken back.
//! 5. The old uploads are deleted, one by one. If the first is refused, all is taken back; from then on what fails leaves the
//!    new rows with those of the uploads that the error names, and deleting these completes it.
//!
//! The strategy stays `replace` where rows of the version before are to stay hidden: set it to `append` in the next version
//! to add rows to these.

use std::sync::Arc;

use futures::stream::TryStreamExt;

use super::content::Content;
use super::progress::SendProgress;
use super::temp_upload::NewTempUpload;
use super::upload::{OnConflict, UploadRequest};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::reference::Version;
use crate::request::Call;
use crate::resource::{Table, TableChanges, Upload, UploadMergeStrategy, checked_uri};

const HIDES_PERHAPS: &str =
    "the table has its old rows, and its merge strategy may be `replace` now: set it to `append`";

/// A table whose rows are about to be replaced: made by [`Client::begin_replacement`], and ended by
/// [`finish`](Self::finish) with a new upload that is completed, or by [`cancel`](Self::cancel) without one.
///
/// Dropped in between it leaves the table's rows as they are, and its merge strategy perhaps set to `replace`. A clone ends it
/// as well, also where another one was dropped halfway.
#[derive(Debug, Clone)]
pub struct Replacement {
    client: Client,
    table: Table,
    /// The uploads that go.
    old: Vec<Upload>,
    /// The strategy that hides the rows of the version before has to be set, or has been.
    hides: Option<Hiding>,
}

/// When the rows of the version before are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hiding {
    /// By the new upload: the strategy is set before it.
    ByUpload,
    /// By the strategy: it is set when the new upload is there.
    ByStrategy,
}

impl Client {
    /// Sends content to a table of an unreleased version, in the place of all rows that it has, and waits until that is done.
    /// The table stays the same one: see [Replacing rows](crate::write#replacing-rows).
    ///
    /// The upload's name must be new, whatever [`UploadRequest::on_conflict`] says. An error leaves the old rows, unless
    /// [`Error::may_have_happened`]: then its message says what is there. Dropping the future may leave the old rows, or both.
    pub async fn replace_uploads(
        &self,
        table_uri: &str,
        request: &UploadRequest,
        content: &Content,
        progress: &Arc<SendProgress>,
    ) -> Result<Upload> {
        let request = UploadRequest {
            on_conflict: OnConflict::Fail,
            ..request.clone()
        };
        self.needless_upload(table_uri, &request).await?;
        let new = NewTempUpload::new(&request.name, content.len());
        let sent = self.create_temp_uploads(table_uri, &[new]).await?;
        if let Some(sent) = sent.first() {
            self.send(sent, content, progress).await?;
        }
        let replacement = self.begin_replacement(table_uri).await?;
        let new = match self.create_upload(table_uri, &request, sent.first()).await {
            Ok(new) => new,
            // If it is there after all, it should take the old rows' place rather than join them.
            Err(error) if error.may_have_happened() => return Err(error),
            Err(error) => return Err(replacement.cancel_for(error).await),
        };
        match self.wait_for_upload(&new).await {
            Ok(new) => {
                replacement.finish(&new).await?;
                Ok(new)
            }
            Err(error) => Err(replacement.undo(&new, error).await),
        }
    }

    /// Makes a table ready for a new upload to take the place of all its rows, which stay as they are until then.
    ///
    /// Begin when the new upload's bytes have been sent, and create it next.
    pub async fn begin_replacement(&self, table_uri: &str) -> Result<Replacement> {
        const OPERATION: &str = "replace the rows of";
        let uri = checked_uri(OPERATION, table_uri)?;
        let table: Table = self.json(&Call::get(OPERATION, table_uri, uri)).await?;
        let old: Vec<Upload> = self.uploads(table_uri).try_collect().await?;
        let replaces = table.upload_merge_strategy == Some(UploadMergeStrategy::Replace);
        let hides = match !replaces && self.inherits(&table).await? {
            true if old.is_empty() => Some(Hiding::ByUpload),
            true => Some(Hiding::ByStrategy),
            false => None,
        };
        let replacement = Replacement {
            client: self.clone(),
            table,
            old,
            hides,
        };
        if hides == Some(Hiding::ByUpload)
            && let Err(error) = replacement.set(UploadMergeStrategy::Replace).await
        {
            return Err(match is_refused(&error) {
                true => error,
                false => error.with_unknown_outcome(HIDES_PERHAPS),
            });
        }
        Ok(replacement)
    }

    /// Whether a table may have rows of the version before.
    async fn inherits(&self, table: &Table) -> Result<bool> {
        let Some(reference) = table.reference() else {
            return Ok(true);
        };
        let released = reference.with_version(Some(Version::Current));
        match self.table(&released).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Replacement {
    /// The uploads whose rows go.
    pub fn old_uploads(&self) -> &[Upload] {
        &self.old
    }

    /// Takes the old rows away, now that the new upload is completed.
    ///
    /// An error leaves the old rows alone, and the new upload is deleted; or, if [`Error::may_have_happened`], its message says
    /// which rows there are.
    pub async fn finish(self, new: &Upload) -> Result<()> {
        if self.hides == Some(Hiding::ByStrategy)
            && let Err(error) = self.set(UploadMergeStrategy::Replace).await
        {
            return Err(self.undo(new, error).await);
        }
        let mut begun = false;
        for (place, upload) in self.old.iter().enumerate() {
            match self.client.delete_upload(&upload.uri).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    if is_refused(&error) && !begun {
                        return Err(self.undo(new, error).await);
                    }
                    let left: Vec<_> = self.old[place..].iter().map(name).collect();
                    return Err(error.with_unknown_outcome(&format!(
                        "the rows of upload {} are in the table, with those of the uploads that are left of {}: delete these",
                        name(new),
                        left.join(", ")
                    )));
                }
                _ => begun = true,
            }
        }
        Ok(())
    }

    /// Sets the table back, as there is no new upload.
    pub async fn cancel(self) -> Result<()> {
        match self.hides {
            Some(Hiding::ByUpload) => self.set(UploadMergeStrategy::Append).await,
            _ => Ok(()),
        }
    }

    async fn cancel_for(self, error: Error) -> Error {
        match self.cancel().await {
            Ok(()) => error,
            Err(_) => error.with_unknown_outcome(HIDES_PERHAPS),
        }
    }

    /// Takes the new upload away, where nothing of the old ones has gone.
    ///
    /// Whatever hides the old rows is undone in the order in which they are never hidden without the new ones being there.
    async fn undo(self, new: &Upload, error: Error) -> Error {
        let left =
            |what: &str| format!("{what} of upload {} are in the table: delete it", name(new));
        if self.hides == Some(Hiding::ByStrategy)
            && self.set(UploadMergeStrategy::Append).await.is_err()
        {
            return error.with_unknown_outcome(&format!(
                "the table's merge strategy may be `replace` now: set it to `append`; then {}",
                left("the old rows and those")
            ));
        }
        match self.client.delete_upload(&new.uri).await {
            Err(deletion) if deletion.kind() != ErrorKind::NotFound => {
                error.with_unknown_outcome(&left(match self.hides {
                    Some(Hiding::ByUpload) => "the rows",
                    _ => "the old rows and those",
                }))
            }
            _ => self.cancel_for(error).await,
        }
    }

    async fn set(&self, strategy: UploadMergeStrategy) -> Result<()> {
        let changes = TableChanges {
            upload_merge_strategy: Some(strategy),
            ..TableChanges::default()
        };
        self.client.update_table(&self.table.uri, &changes).await?;
        Ok(())
    }
}

/// Whether the service has answered that it did nothing.
fn is_refused(error: &Error) -> bool {
    error.status().is_some_and(|status| status < 500)
}

/// An upload for people.
fn name(upload: &Upload) -> String {
    format!("`{}`", upload.name.as_deref().unwrap_or(&upload.uri))
}
