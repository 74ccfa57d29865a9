//! The rows of a result that are held to be shown: how they are laid out depends on all of them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

/// What is held of a result at most, in bytes: what is larger is shown by its first rows.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Rows of a result, from the first on.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
    pub(crate) rows: u64,
    /// Whether these are all of them.
    pub(crate) is_complete: bool,
}

/// Reads no more rows than these: then the stream is dropped, which stops the work behind it.
pub(crate) async fn gather(mut stream: SendableRecordBatchStream, most: usize) -> Result<Gathered> {
    let mut gathered = Gathered {
        schema: stream.schema(),
        batches: Vec::new(),
        rows: 0,
        is_complete: true,
    };
    let (mut left, mut bytes) = (most, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        let taken = batch.num_rows().min(left);
        gathered.is_complete = taken == batch.num_rows();
        left -= taken;
        gathered.rows += taken as u64;
        bytes += batch.get_array_memory_size();
        gathered.batches.push(batch.slice(0, taken));
        if bytes > MOST_BYTES {
            gathered.is_complete = false;
        }
        if !gathered.is_complete {
            break;
        }
    }
    Ok(gathered)
}

impl Gathered {
    pub(super) fn of(batch: RecordBatch) -> Self {
        Self {
            schema: batch.schema(),
            rows: batch.num_rows() as u64,
            batches: vec![batch],
            is_complete: true,
        }
    }

    /// So many rows from one on.
    pub(super) fn slice(&self, mut from: usize, mut rows: usize) -> Vec<RecordBatch> {
        let mut slices = Vec::new();
        for batch in &self.batches {
            let skipped = from.min(batch.num_rows());
            let taken = rows.min(batch.num_rows() - skipped);
            if taken > 0 {
                slices.push(batch.slice(skipped, taken));
            }
            (from, rows) = (from - skipped, rows - taken);
        }
        slices
    }
}
