//! Rows on disk as one Parquet file, between the query and the upload.
//!
//! The service wants to know the size of an upload before its first byte, and a query may take longer than a session of the
//! service lives or fail at its last row: so all rows are written aside first, and nothing is sent before they are there.
//! Memory is bounded by a row group; the file is a temporary one of the session, which counts it and removes it.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, SpillWriter, TaskContext};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::columns::Columns;
use crate::options::{RedivisOptions, UploadCompression};

/// A row group is written when it has taken so much memory.
const ROW_GROUP_BYTES: usize = 64 << 20;
/// Rows that are encoded between two looks at the memory.
const ROWS_AT_ONCE: usize = 1024;
/// Batches that may wait for the disk.
const WAITING_BATCHES: usize = 2;

/// A file of rows, which is removed when this is dropped.
pub(crate) struct Spool {
    _file: Arc<dyn SpillFile>,
    path: PathBuf,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Its size.
    pub(crate) bytes: u64,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Spool {
    /// Writes all rows of a query, as the table's variables.
    ///
    /// Fails, with nothing left behind, for a value that does not fit and for a disk or a limit of temporary files that is
    /// full.
    pub(crate) async fn write(
        mut rows: SendableRecordBatchStream,
        columns: Columns,
        table: &str,
        context: &TaskContext,
    ) -> Result<Self> {
        let runtime = context.runtime_env();
        let file = runtime
            .disk_manager
            .create_tmp_file(&format!("writing to {table}"))?;
        let path = file.path().map(Path::to_owned).ok_or_else(|| {
            exec_datafusion_err!(
                "writing to {table} needs a local temporary file, and this session's temporary files are elsewhere"
            )
        })?;
        let memory =
            MemoryConsumer::new(format!("RedivisSink[{table}]")).register(context.memory_pool());
        let (sender, mut receiver) = mpsc::channel::<RecordBatch>(WAITING_BATCHES);
        let spool = Arc::clone(&file);
        let options = RedivisOptions::of(context.session_config().options());
        let writing = SpawnedTask::spawn_blocking(move || {
            let compression = options.upload_compression;
            let mut writer = SpoolWriter::new(&spool, columns, memory, compression)?;
            while let Some(batch) = receiver.blocking_recv() {
                writer.write(&batch)?;
            }
            writer.finish()
        });
        while let Some(batch) = rows.next().await {
            // The writer has stopped only for an error, which it tells itself.
            if sender.send(batch?).await.is_err() {
                break;
            }
        }
        drop(sender);
        let rows = writing
            .join()
            .await
            .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??;
        let bytes = tokio::fs::metadata(&path).await.map_err(full)?.len();
        Ok(Self {
            _file: file,
            path,
            rows,
            bytes,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Encodes rows; lives on a thread that may block.
struct SpoolWriter {
    parquet: ArrowWriter<Box<dyn SpillWriter>>,
    columns: Columns,
    memory: MemoryReservation,
    rows: u64,
}

impl SpoolWriter {
    fn new(
        file: &Arc<dyn SpillFile>,
        columns: Columns,
        memory: MemoryReservation,
        compression: UploadCompression,
    ) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(match compression {
                UploadCompression::Snappy => Compression::SNAPPY,
                UploadCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
            })
            .build();
        let schema = Arc::clone(columns.schema());
        Ok(Self {
            parquet: ArrowWriter::try_new(file.open_writer()?, schema, Some(properties))
                .map_err(failed)?,
            columns,
            memory,
            rows: 0,
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for start in (0..batch.num_rows()).step_by(ROWS_AT_ONCE) {
            let rows = ROWS_AT_ONCE.min(batch.num_rows() - start);
            let rows = self.columns.convert(&batch.slice(start, rows), self.rows)?;
            self.parquet.write(&rows).map_err(failed)?;
            self.rows += rows.num_rows() as u64;
            let taken = self.parquet.memory_size();
            if taken >= ROW_GROUP_BYTES || self.memory.try_resize(taken).is_err() {
                self.parquet.flush().map_err(failed)?;
                self.memory.free();
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<u64> {
        let mut file = self.parquet.into_inner().map_err(failed)?;
        file.flush().map_err(full)?;
        file.finish()?;
        Ok(self.rows)
    }
}

fn failed(error: ParquetError) -> DataFusionError {
    match error {
        ParquetError::External(error) => full(error),
        other => other.into(),
    }
}

/// The spool file cannot be written: what to do about it.
fn full(error: impl Display) -> DataFusionError {
    resources_datafusion_err!(
        "the rows cannot be written to a temporary file before they are sent: {error}. Make room, or name another folder with \
         SET datafusion.runtime.temp_directory"
    )
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    #[tokio::test]
    async fn the_file_is_compressed_as_the_session_says() {
        let mut config = SessionConfig::new();
        let extensions = &mut config.options_mut().extensions;
        extensions.insert(RedivisOptions::default());
        let session = SessionContext::new_with_config(config);
        for (name, is_named) in [
            (
                "",
                (|it| it == Compression::SNAPPY) as fn(Compression) -> bool,
            ),
            ("zstd", |it| matches!(it, Compression::ZSTD(_))),
            ("SNAPPY", |it| it == Compression::SNAPPY),
        ] {
            if !name.is_empty() {
                let set = format!("SET redivis.upload_compression = '{name}'");
                session.sql(&set).await.unwrap();
            }
            let rows = session.sql("SELECT 1 AS x").await.unwrap();
            let columns = Columns::of_query(rows.schema().as_arrow()).unwrap();
            let rows = rows.execute_stream().await.unwrap();
            let spool = Spool::write(rows, columns, "t", &session.task_ctx())
                .await
                .unwrap();
            let file = SerializedFileReader::new(File::open(spool.path()).unwrap()).unwrap();
            let compression = file.metadata().row_group(0).column(0).compression();
            assert!(is_named(compression), "{name}: {compression:?}");
        }
    }
}
