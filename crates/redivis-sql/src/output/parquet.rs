//! A Parquet file, compressed with zstd.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::ResultWriter;

/// Encoded bytes after which a row group is written: what is held in memory, however wide the table.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// Writes row groups as they fill.
pub(crate) struct ParquetFileWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFileWriter<W> {
    pub(crate) fn new(schema: &SchemaRef, out: W) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        Ok(Self {
            writer: ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties))?,
        })
    }
}

impl<W: Write + Send> ResultWriter for ParquetFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch)?;
        if self.writer.memory_size() > ROW_GROUP_BYTES {
            self.writer.flush()?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut out = self.writer.into_inner()?;
        Ok(out.flush()?)
    }
}
