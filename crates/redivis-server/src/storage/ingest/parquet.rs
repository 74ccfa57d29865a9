//! Parquet files that are to become tables.
//!
//! Texts are read as views: a long one that a dictionary holds once is then in memory once, whatever number of rows has it.

use std::{fs::File, path::Path, sync::Arc};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::{
    arrow::arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    },
    file::metadata::ParquetMetaData,
};

use super::{IngestError, columnar::Batches, geometry};

/// Bytes of stored values that are read at once, and rows.
const BATCH_BYTES: u64 = 16 << 20;
const BATCH_ROWS: u64 = 8192;

pub(super) fn open(source: &Path) -> Result<(SchemaRef, Batches), IngestError> {
    let file = File::open(source).map_err(IngestError::Io)?;
    let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(IngestError::rejected)?;
    let options = ArrowReaderOptions::new().with_schema(views(found.schema()));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), options);
    let metadata = metadata.unwrap_or(found);
    let rows = batch_rows(metadata.metadata());
    let geometry = geometry::columns(metadata.metadata())?;
    let schema = geometry::as_text(metadata.schema(), &geometry);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(rows)
        .build()
        .map_err(IngestError::rejected)?;
    let written = Arc::clone(&schema);
    let batches = reader.map(move |batch| match batch {
        Ok(batch) => geometry::batch_as_text(&batch, &written),
        Err(error) => Err(IngestError::rejected(error)),
    });
    Ok((schema, Box::new(batches)))
}

/// The schema with all texts as views.
fn views(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let text = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => true,
            DataType::Dictionary(_, values) => {
                matches!(**values, DataType::Utf8 | DataType::LargeUtf8)
            }
            _ => false,
        };
        match text {
            true => Arc::new(Field::new(
                field.name(),
                DataType::Utf8View,
                field.is_nullable(),
            )),
            false => Arc::clone(field),
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Rows that are read at once, so that those of the widest row group are bounded.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let width = |group: &parquet::file::metadata::RowGroupMetaData| {
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
        bytes / u64::try_from(group.num_rows()).unwrap_or(0).max(1)
    };
    let widest = metadata.row_groups().iter().map(width).max().unwrap_or(0);
    let rows = BATCH_BYTES / widest.max(1);
    usize::try_from(rows.clamp(1, BATCH_ROWS)).unwrap_or(1)
}
