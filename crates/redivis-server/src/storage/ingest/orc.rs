//! ORC files that are to become tables.

use std::{fs::File, path::Path};

use arrow::datatypes::SchemaRef;
use orc_rust::{ArrowReaderBuilder, schema::TimestampPrecision};

use super::{IngestError, columnar::Batches};

/// Bytes of stored values that are read at once, and rows.
const BATCH_BYTES: u64 = 16 << 20;
const BATCH_ROWS: u64 = 8192;

pub(super) fn open(source: &Path) -> Result<(SchemaRef, Batches), IngestError> {
    let file = File::open(source).map_err(IngestError::Io)?;
    let builder = ArrowReaderBuilder::try_new(file).map_err(IngestError::rejected)?;
    let stripes = builder.file_metadata().stripe_metadatas().iter();
    let widest = stripes
        .map(|stripe| stripe.data_length() / stripe.number_of_rows().max(1))
        .max();
    let rows = (BATCH_BYTES / widest.unwrap_or(0).max(1)).clamp(1, BATCH_ROWS);
    let reader = builder
        // Nanoseconds since 1970 end in 2262; microseconds are what is kept anyway.
        .with_timestamp_precision(TimestampPrecision::Microsecond)
        .with_batch_size(usize::try_from(rows).unwrap_or(1))
        .build();
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    Ok((
        schema,
        Box::new(reader.map(|batch| batch.map_err(IngestError::rejected))),
    ))
}
