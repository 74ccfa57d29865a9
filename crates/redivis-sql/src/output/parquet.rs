//! A Parquet file, compressed with zstd.
//!
//! Encoding and compressing takes longer than reading, so the columns of a batch are written side by side, on as many threads as
//! there are processors.

use std::io::Write;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{DEFAULT_MAX_ROW_GROUP_ROW_COUNT, WriterProperties};
use parquet::file::writer::SerializedFileWriter;

use super::ResultWriter;

/// Encoded bytes after which a row group is written: what is held in memory, however wide the table.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// Writes row groups as they fill.
pub(crate) struct ParquetFileWriter<W: Write + Send> {
    schema: SchemaRef,
    file: SerializedFileWriter<W>,
    row_groups: ArrowRowGroupWriterFactory,
    /// The leaf columns of the row group that fills, and its rows.
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
    threads: usize,
}

impl<W: Write + Send> ParquetFileWriter<W> {
    pub(crate) fn new(schema: &SchemaRef, out: W) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties))?;
        let (file, row_groups) = writer.into_serialized_writer()?;
        Ok(Self {
            schema: SchemaRef::clone(schema),
            columns: vec![],
            file,
            row_groups,
            rows: 0,
            threads: available_parallelism().map_or(1, NonZero::get),
        })
    }

    /// Ends the row group.
    fn flush(&mut self) -> Result<()> {
        self.rows = 0;
        let columns = std::mem::take(&mut self.columns);
        let chunks = side_by_side(self.threads, columns, ArrowColumnWriter::close)?;
        let mut row_group = self.file.next_row_group()?;
        for chunk in chunks {
            ArrowColumnChunk::append_to_row_group(chunk, &mut row_group)?;
        }
        row_group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> ResultWriter for ParquetFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            if self.columns.is_empty() {
                let index = self.file.flushed_row_groups().len();
                self.columns = self.row_groups.create_column_writers(index)?;
            }
            let rows = rest
                .num_rows()
                .min(DEFAULT_MAX_ROW_GROUP_ROW_COUNT - self.rows);
            let part = rest.slice(0, rows);
            rest = rest.slice(rows, rest.num_rows() - rows);
            let mut leaves = vec![];
            for (field, column) in self.schema.fields().iter().zip(part.columns()) {
                leaves.extend(compute_leaves(field, column)?);
            }
            let columns = self.columns.iter_mut().zip(leaves).collect();
            side_by_side(self.threads, columns, |(column, leaf)| column.write(&leaf))?;
            self.rows += rows;
            let bytes: usize = self.columns.iter().map(|column| column.memory_size()).sum();
            if self.rows >= DEFAULT_MAX_ROW_GROUP_ROW_COUNT || bytes > ROW_GROUP_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.rows > 0 {
            self.flush()?;
        }
        let mut out = self.file.into_inner()?;
        Ok(out.flush()?)
    }
}

/// Does the work on each item on so many threads, and gives the outcomes in the items' order.
fn side_by_side<T: Send, U: Send>(
    threads: usize,
    items: Vec<T>,
    work: impl Fn(T) -> Result<U, ParquetError> + Sync,
) -> Result<Vec<U>, ParquetError> {
    let count = items.len();
    let waiting = Mutex::new(items.into_iter().enumerate());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    // Whoever is done with one takes the next: columns differ in what they take.
    let share = || {
        let mut outcomes = vec![];
        while let Some((place, item)) = next() {
            outcomes.push((place, work(item)?));
        }
        Ok::<_, ParquetError>(outcomes)
    };
    let mut outcomes = scope(|scope| {
        let others: Vec<_> = (1..threads.min(count))
            .map(|_| scope.spawn(share))
            .collect();
        let mut outcomes = share()?;
        for other in others {
            outcomes.extend(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            );
        }
        Ok::<_, ParquetError>(outcomes)
    })?;
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}
