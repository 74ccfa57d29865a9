//! `COPY … TO 'redivis://owner.dataset:next.table/name.csv'`: one file, verified.
//!
//! DataFusion's writers keep the reason to themselves when a store refuses a finished file, and do not tell it how many rows
//! the file has. So the file is written to the disk first, by the same writers, and sent from there: a failure is told in
//! the service's words, and an upload must have as many rows as were copied, in columns of their types.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use object_store::path::Path;
use redivis::Client;
use redivis::write::Content;

use super::carried::TextFormat;
use crate::catalog::store::Target;
use crate::catalog::store::url::{SCHEME, decoded};
use crate::error::failed;
use crate::write::{Columns, Expected, Writes};

/// One file on Redivis to copy to.
pub(crate) struct Copy {
    target: Target,
    location: Path,
}

impl Copy {
    /// `None` where the statement copies to somewhere else, or into a folder of files, which the object store takes.
    ///
    /// Fails for what would not be one upload with all columns of the query.
    pub(crate) async fn of(
        copy: &CopyTo,
        client: &Client,
        writes: &Arc<Writes>,
    ) -> Result<Option<Self>> {
        let url = match ListingTableUrl::parse(&copy.output_url) {
            Ok(url) if url.scheme() == SCHEME => url,
            _ => return Ok(None),
        };
        let store = url.object_store();
        let store: &::url::Url = store.as_ref();
        let reference = decoded(store.host_str().unwrap_or_default())?;
        let target = Target::find(client, &reference, writes).await?;
        let in_folders = url.is_collection() || !copy.partition_by.is_empty();
        if in_folders && target.table.is_file_index {
            return Ok(None);
        }
        if !copy.partition_by.is_empty() {
            return plan_err!(
                "PARTITIONED BY takes columns out of the rows, and {reference} has no folders to keep them in; leave it out"
            );
        }
        if in_folders {
            return plan_err!(
                "an upload of {reference} has a name; write it, as in 'redivis://{reference}/rows.{}'",
                copy.file_type.get_ext()
            );
        }
        Ok(Some(Self {
            target,
            location: url.prefix().clone(),
        }))
    }

    /// Runs the query, writes the file and sends it; returns the number of rows.
    pub(crate) async fn run(self, state: &SessionState, copy: CopyTo) -> Result<u64> {
        self.target.check_free(&self.location).await?;
        // A file among files may hold anything; an upload has variables.
        let (input, columns) = match (self.target.table.is_file_index, TextFormat::of(&copy)) {
            (true, _) => (Arc::clone(&copy.input), None),
            (false, format) => {
                let columns = Columns::of_query(copy.input.schema().as_arrow())?;
                let input = match format {
                    Some(format) => Arc::new(format.checked(&copy)?),
                    None => Arc::clone(&copy.input),
                };
                (input, Some(columns))
            }
        };
        let folder = match state.runtime_env().disk_manager.temp_dir_paths().first() {
            Some(path) => tempfile::tempdir_in(path),
            None => tempfile::tempdir(),
        };
        let folder = folder.map_err(DataFusionError::IoError)?;
        // Not the upload's name, which may have wildcards.
        let file = folder.path().join("rows");
        let upload_type = upload_type(&copy);
        let copy = CopyTo {
            input,
            output_url: file.to_string_lossy().into_owned(),
            options: std::iter::once(("single_file_output".to_owned(), "true".to_owned()))
                .chain(copy.options)
                .collect(),
            ..copy
        };
        let copied = DataFrame::new(state.clone(), LogicalPlan::Copy(copy))
            .collect()
            .await?;
        let rows = count(&copied);
        let content = Content::file(&file).await.map_err(failed)?;
        let expected = Expected {
            rows: Some(rows),
            columns,
        };
        self.target
            .write(&self.location, &content, upload_type, &expected)
            .await?;
        Ok(rows)
    }
}

/// What Redivis calls the format that is written, whatever the name ends with.
fn upload_type(copy: &CopyTo) -> Option<&'static str> {
    match copy.file_type.get_ext().as_str() {
        "csv" => Some("delimited"),
        // One object a line.
        "json" => Some("ndjson"),
        "parquet" => Some("parquet"),
        _ => None,
    }
}

/// The number of rows that a plan which writes tells.
fn count(told: &[RecordBatch]) -> u64 {
    told.iter()
        .filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>())
        .flat_map(|counts| counts.iter().flatten())
        .sum()
}
