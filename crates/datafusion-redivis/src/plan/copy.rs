//! `COPY … TO 'redivis://owner.dataset:next.table/name.csv'`: one file, verified.
//!
//! DataFusion's writers keep the reason to themselves when a store refuses a finished file, and do not tell it how many rows
//! the file has. So the file is written to the disk first, by the same writers, and sent from there: a failure is told in
//! the service's words, and an upload must have as many rows as were copied, in columns of their types.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::datasource::file_format::file_type_to_format;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::datasource::physical_plan::{FileGroup, FileOutputMode, FileSinkConfig};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::{CopyTo, InsertOp};
use datafusion::physical_plan::{ExecutionPlan, collect};
use object_store::path::Path;
use redivis::write::Content;

use super::carried::TextFormat;
use crate::catalog::MetadataCache;
use crate::catalog::store::Target;
use crate::catalog::store::url::{SCHEME, decoded};
use crate::error::failed;
use crate::write::{Columns, Destination, Expected};

/// A copy of a query's rows to one file on Redivis.
#[derive(Clone)]
pub(super) struct Copy {
    target: Target,
    location: Path,
    /// The statement, whose input is planned apart.
    copy: CopyTo,
    /// The variables that the file must have as an upload; `None` for a file among files, which may hold anything.
    columns: Option<Columns>,
}

impl Copy {
    /// A statement's copy, and the query whose rows it takes; `None` where the statement copies to somewhere else, or into a
    /// folder of files, which the object store takes.
    ///
    /// Fails for what would not be one upload with all columns of the query.
    pub(super) async fn of(
        copy: &CopyTo,
        metadata: &MetadataCache,
    ) -> Result<Option<(Self, LogicalPlan)>> {
        let url = match ListingTableUrl::parse(&copy.output_url) {
            Ok(url) if url.scheme() == SCHEME => url,
            _ => return Ok(None),
        };
        let store = url.object_store();
        let store: &::url::Url = store.as_ref();
        let reference = decoded(store.host_str().unwrap_or_default())?;
        let target = Target::find(&metadata.client(), &reference, metadata.writes()).await?;
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
        let (input, columns) = match (target.table.is_file_index, TextFormat::of(copy)) {
            (true, _) => (copy.input.as_ref().clone(), None),
            (false, format) => {
                let columns = Columns::of_query(copy.input.schema().as_arrow())?;
                let input = match format {
                    Some(format) => format.checked(copy)?,
                    None => copy.input.as_ref().clone(),
                };
                (input, Some(columns))
            }
        };
        let copy = Self {
            target,
            location: url.prefix().clone(),
            copy: copy.clone(),
            columns,
        };
        Ok(Some((copy, input)))
    }

    /// Writes the file and sends it; returns the number of rows.
    pub(super) async fn run(
        &self,
        input: Arc<dyn ExecutionPlan>,
        state: &SessionState,
        context: Arc<TaskContext>,
    ) -> Result<u64> {
        self.target.check_free(&self.location).await?;
        let folder = match context.runtime_env().disk_manager.temp_dir_paths().first() {
            Some(path) => tempfile::tempdir_in(path),
            None => tempfile::tempdir(),
        };
        let folder = folder.map_err(DataFusionError::IoError)?;
        // Not the upload's name, which may have wildcards.
        let file = folder.path().join("rows");
        let writer = self.writer(input, &file, state).await?;
        let written = collect(writer, context).await?;
        let rows = count(&written);
        let content = Content::file(&file).await.map_err(failed)?;
        let expected = Expected {
            rows: Some(rows),
            columns: self.columns.clone(),
        };
        let upload_type = upload_type(&self.copy);
        self.target
            .write(&self.location, &content, upload_type, &expected)
            .await?;
        Ok(rows)
    }

    /// What writes the rows to a local file, as DataFusion would for a `COPY` to it.
    async fn writer(
        &self,
        input: Arc<dyn ExecutionPlan>,
        file: &std::path::Path,
        state: &SessionState,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let format =
            file_type_to_format(&self.copy.file_type)?.create(state, &self.copy.options)?;
        let url = ListingTableUrl::parse(file.to_string_lossy())?;
        let config = FileSinkConfig {
            original_url: url.to_string(),
            object_store_url: url.object_store(),
            table_paths: vec![url],
            file_group: FileGroup::default(),
            output_schema: input.schema(),
            table_partition_cols: vec![],
            insert_op: InsertOp::Append,
            keep_partition_by_columns: false,
            file_extension: format.get_ext(),
            file_output_mode: FileOutputMode::SingleFile,
        };
        let ordering = input.properties().output_ordering().cloned();
        format
            .create_writer_physical_plan(input, state, config, ordering.map(Into::into))
            .await
    }
}

impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination { table, .. } = &self.target.destination;
        let format = self.copy.file_type.get_ext();
        write!(
            f,
            "COPY TO {SCHEME}://{table}/{}, format={format}",
            self.location
        )
    }
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Copy {
    fn eq(&self, other: &Self) -> bool {
        self.copy == other.copy
    }
}

impl Eq for Copy {}

impl Hash for Copy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.copy.hash(state);
    }
}

/// What Redivis calls the format that is written, whatever the name ends with.
fn upload_type(copy: &CopyTo) -> Option<&'static str> {
    match copy.file_type.get_ext().as_str() {
        "csv" | "tsv" | "tab" => Some("delimited"),
        // One object a line.
        "json" | "ndjson" | "jsonl" => Some("ndjson"),
        "parquet" => Some("parquet"),
        _ => None,
    }
}

/// The number of rows that a plan which writes returns.
fn count(counts: &[RecordBatch]) -> u64 {
    counts
        .iter()
        .filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>())
        .flat_map(|counts| counts.iter().flatten())
        .sum()
}
