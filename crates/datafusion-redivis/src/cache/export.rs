//! Fills an entry from an export: a large table comes whole as a few Parquet files that the service writes at once.
//!
//! Its files are read into the same kind of entry as streams are, since they may have other types, orders and encodings; each
//! waits on the disk, in a file without a name beside the entries, and goes when it was read.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::execution::TaskContext;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::executor::block_on;
use futures::stream::{self, StreamExt, TryStreamExt};
use redivis::read::Aligner;
use redivis::resource::Export;

use super::{Fill, Keep, PartitionFill};
use crate::connection::Connection;
use crate::error::failed;
use crate::options::RedivisOptions;

/// Reads all variables of a table into the cache. Ends without an entry where the export has other rows than the service counts.
pub(crate) async fn export(
    keep: &Arc<Keep>,
    schema: &SchemaRef,
    connection: &Connection,
    context: &TaskContext,
) -> Result<()> {
    let (client, uri) = (connection.client().clone(), keep.table.uri.clone());
    let asked = async move { client.export_parquet(&uri).await };
    let export = Arc::new(connection.io().run(asked).await?);
    let Some(files @ 1..) = export.file_count else {
        return exec_err!("the export is complete, and has no files");
    };
    let partitions = usize::try_from(files).unwrap_or(usize::MAX);
    let fill = Fill::new(keep, Arc::clone(schema), partitions);
    let options = RedivisOptions::of(context.session_config().options());
    let batch_size = context.session_config().batch_size();
    stream::iter(0..files)
        .map(|part| {
            let (fill, export) = (&fill, Arc::clone(&export));
            async move {
                let file = download(keep, export, part, connection).await?;
                let partition = usize::try_from(part).unwrap_or(usize::MAX);
                let Some(rows) = fill.partition(partition, context.memory_pool()) else {
                    return Ok(());
                };
                let schema = Arc::clone(schema);
                let read = move || read(file, schema, batch_size, rows);
                let rows = joined(SpawnedTask::spawn_blocking(read)).await?;
                rows.finish().await;
                Ok(())
            }
        })
        .buffer_unordered(options.max_streams)
        .try_collect()
        .await
}

/// One file of the export, on the disk.
async fn download(
    keep: &Keep,
    export: Arc<Export>,
    part: u64,
    connection: &Connection,
) -> Result<File> {
    let client = connection.client();
    let bytes = client.read_export_file(&export, part).map_err(failed);
    let mut bytes = connection.io().stream(bytes.boxed());
    let cache = keep.cache.clone();
    let mut file = joined(SpawnedTask::spawn_blocking(move || Ok(cache.spool()?))).await?;
    while let Some(bytes) = bytes.try_next().await? {
        let write = move || {
            file.write_all(&bytes)?;
            Ok(file)
        };
        file = joined(SpawnedTask::spawn_blocking(write)).await?;
    }
    Ok(file)
}

/// Hands the rows of a file on, as the table's variables. Every one must be there: to a scan of streams a missing one is null.
fn read(
    mut file: File,
    schema: SchemaRef,
    batch_size: usize,
    rows: PartitionFill,
) -> Result<PartitionFill> {
    file.rewind()?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(batch_size);
    if let Some(missing) = missing(&schema, reader.schema()) {
        return exec_err!("the export lacks the variable {missing}");
    }
    let mut aligner = Aligner::new(schema);
    for batch in reader.build()? {
        let batch = aligner.align(&batch?);
        let batch = batch.map_err(|error| exec_datafusion_err!("the export: {error}"))?;
        block_on(rows.write(&batch));
    }
    Ok(rows)
}

fn missing<'a>(wanted: &'a Schema, there: &Schema) -> Option<&'a str> {
    let is_there = |name: &str| {
        let mut fields = there.fields().iter();
        fields.any(|field| field.name().to_lowercase() == name.to_lowercase())
    };
    let mut names = wanted.fields().iter().map(|field| field.name().as_str());
    names.find(|name| !is_there(name))
}

async fn joined<T: Send + 'static>(task: SpawnedTask<Result<T>>) -> Result<T> {
    task.join_unwind()
        .await
        .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}
