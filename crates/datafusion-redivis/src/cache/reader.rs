//! How DataFusion's Parquet source gets at the bytes of an entry: all of them checked.

use std::io::ErrorKind;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::{BoxFuture, FutureExt};

use super::entry::Entry;

/// The files of an entry, which the Parquet source knows by their number.
#[derive(Debug)]
pub(super) struct EntryFiles(pub(super) Arc<Entry>);

impl EntryFiles {
    /// The files as the Parquet source is to name them.
    pub(super) fn files(&self) -> impl Iterator<Item = PartitionedFile> {
        let files = self.0.files.iter().enumerate();
        files.map(|(number, part)| PartitionedFile::new(number.to_string(), part.file.bytes()))
    }
}

impl ParquetFileReaderFactory for EntryFiles {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let number = file.object_meta.location.as_ref();
        Ok(Box::new(PartReader {
            entry: Arc::clone(&self.0),
            number: number.parse().unwrap_or(usize::MAX),
            metrics: ParquetFileMetrics::new(partition, number, metrics),
        }))
    }
}

/// Reads one file.
struct PartReader {
    entry: Arc<Entry>,
    number: usize,
    metrics: ParquetFileMetrics,
}

impl AsyncFileReader for PartReader {
    fn get_bytes(
        &mut self,
        range: Range<u64>,
    ) -> BoxFuture<'_, datafusion::parquet::errors::Result<Bytes>> {
        let read = self.get_byte_ranges(vec![range]);
        async move { Ok(read.await?.pop().unwrap_or_default()) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, datafusion::parquet::errors::Result<Vec<Bytes>>> {
        let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.metrics
            .bytes_scanned
            .add(usize::try_from(bytes).unwrap_or(usize::MAX));
        let (entry, number) = (Arc::clone(&self.entry), self.number);
        let read = move || {
            let Some(part) = entry.files.get(number) else {
                return Err(ParquetError::General(format!("there is no file {number}")));
            };
            let read = ranges.into_iter().map(|range| part.file.read(range));
            read.collect::<Result<_, _>>().map_err(|error| {
                if error.kind() == ErrorKind::InvalidData {
                    entry.damaged();
                }
                ParquetError::External(Box::new(error))
            })
        };
        let read = SpawnedTask::spawn_blocking(read);
        async move {
            read.join_unwind()
                .await
                .map_err(|error| ParquetError::External(Box::new(error)))?
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, datafusion::parquet::errors::Result<Arc<ParquetMetaData>>> {
        let metadata = self
            .entry
            .files
            .get(self.number)
            .map(|part| Arc::clone(&part.metadata));
        let missing = || ParquetError::General(format!("there is no file {}", self.number));
        let metadata = metadata.ok_or_else(missing);
        async move { metadata }.boxed()
    }
}
