//! An upload that takes the place of all rows of a table: as [`redivis::write::Replacement`] does it, also where a statement is
//! dropped on the way.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use redivis::Client;
use redivis::resource::{TableChanges, Upload, UploadMergeStrategy};
use redivis::write::Replacement;

use super::undo::Undo;
use super::upload::Destination;
use crate::error::failed;

/// Rows that are about to be replaced. Dropped, the table's rows are as they were.
pub(super) struct Replacing {
    destination: Destination,
    replacement: Replacement,
    /// Gives the table the merge strategy that it had.
    undo: Undo,
}

impl Replacing {
    /// Makes the table, whose merge strategy is this one, ready for an upload in the place of all its rows.
    pub(super) async fn begin(
        destination: &Destination,
        strategy: Option<UploadMergeStrategy>,
    ) -> Result<Self> {
        let Destination { client, uri, .. } = destination;
        let undo = Undo::new(&destination.writes, {
            let (client, uri, name) = (client.clone(), uri.clone(), destination.table.clone());
            move || merge_as_before(client.clone(), uri.clone(), strategy, name.clone())
        });
        match client.begin_replacement(uri).await {
            Ok(replacement) => Ok(Self {
                destination: destination.clone(),
                replacement,
                undo,
            }),
            Err(error) => Err(undo.because_of(failed(error)).await),
        }
    }

    /// Takes the old rows away, now that the new upload is completed. Goes on where it is dropped.
    pub(super) async fn finish(self, new: Upload) -> Result<()> {
        let finishing = Undo::new(&self.destination.writes, {
            let (replacement, new) = (self.replacement.clone(), Arc::new(new.clone()));
            move || {
                let (replacement, new) = (replacement.clone(), Arc::clone(&new));
                async move { Some(replacement.finish(&new).await.err()?.to_string()) }
            }
        });
        self.undo.keep();
        let finished = self.replacement.finish(&new).await;
        finishing.keep();
        finished.map_err(failed)
    }

    /// Sets the table back for an error, which then says what is left.
    pub(super) async fn cancel(self, error: DataFusionError) -> DataFusionError {
        self.undo.because_of(error).await
    }
}

/// Gives a table the merge strategy that it had. Says what is left where that fails.
async fn merge_as_before(
    client: Client,
    uri: String,
    before: Option<UploadMergeStrategy>,
    name: String,
) -> Option<String> {
    if before == Some(UploadMergeStrategy::Replace) {
        return None;
    }
    let append = TableChanges {
        upload_merge_strategy: Some(UploadMergeStrategy::Append),
        ..TableChanges::default()
    };
    let error = client.update_table(&uri, &append).await.err()?;
    Some(format!(
        "the merge strategy of {name} may be `replace` now ({error}), under which its next upload takes the place of the rows of \
         the version before: set it to `append` on Redivis"
    ))
}
