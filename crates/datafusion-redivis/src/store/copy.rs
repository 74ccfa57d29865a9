//! `COPY … TO 'redivis://owner.dataset:next.table/name.csv'`: one file, verified.
//!
//! DataFusion's writers keep the reason to themselves when a store refuses a finished file, and do not tell it how many rows
//! the file has. So the file is written to the disk first, by the same writers, and sent from there: a failure is told in
//! the service's words, and an upload must have as many rows as were copied.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use object_store::path::Path;
use redivis::Client;
use redivis::write::Content;
use tokio::io::AsyncReadExt;

use super::Target;
use super::url::{SCHEME, decoded};
use crate::lookup::failed;
use crate::writes::Writes;

/// One file on Redivis to copy to.
pub(crate) struct Copy {
    reference: redivis::TableReference,
    location: Path,
}

impl Copy {
    /// `None` where the statement copies to somewhere else, or into a folder, which the object store takes.
    pub(crate) fn of(copy: &CopyTo) -> Result<Option<Self>> {
        let url = match ListingTableUrl::parse(&copy.output_url) {
            Ok(url) if url.scheme() == SCHEME => url,
            _ => return Ok(None),
        };
        if url.is_collection() || !copy.partition_by.is_empty() {
            return Ok(None);
        }
        let store = url.object_store();
        let store: &::url::Url = store.as_ref();
        Ok(Some(Self {
            reference: decoded(store.host_str().unwrap_or_default())?,
            location: url.prefix().clone(),
        }))
    }

    /// Runs the query, writes the file and sends it; returns the number of rows.
    pub(crate) async fn run(
        self,
        state: &SessionState,
        client: &Client,
        writes: &Arc<Writes>,
        copy: CopyTo,
    ) -> Result<u64> {
        let target = Target::find(client, &self.reference, writes).await?;
        target.check_free(&self.location).await?;
        let folder = match state.runtime_env().disk_manager.temp_dir_paths().first() {
            Some(path) => tempfile::tempdir_in(path),
            None => tempfile::tempdir(),
        };
        let folder = folder.map_err(DataFusionError::IoError)?;
        let name = self.location.filename().unwrap_or("rows");
        let file = folder.path().join(name);
        let copy = CopyTo {
            output_url: file.to_string_lossy().into_owned(),
            options: std::iter::once(("single_file_output".to_owned(), "true".to_owned()))
                .chain(copy.options)
                .collect(),
            ..copy
        };
        let copied = DataFrame::new(state.clone(), LogicalPlan::Copy(copy))
            .collect()
            .await?;
        let rows = crate::sink::count(&copied);
        let content = Content::file(&file).await.map_err(failed)?;
        let mut first = [0];
        let read = tokio::fs::File::open(&file).await?.read(&mut first).await?;
        let first = (read == 1).then_some(first[0]);
        target
            .write(&self.location, &content, first, Some(rows))
            .await?;
        Ok(rows)
    }
}
