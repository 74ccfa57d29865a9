//! Batches as DataFusion wants them: near `batch_size` rows, each in memory of its own.
//!
//! All columns of a message lie in one buffer, and so would all slices of it: operators that count what they hold would count
//! the whole message for every column of every slice. So rows are copied out, once. Large messages are cut evenly, small
//! ones are merged while they come without waiting.

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{concat, concat_batches};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::utils::memory::get_record_batch_memory_size;

/// Messages are merged up to about this many bytes; from there on a batch is worth its overhead.
const WORTH_BYTES: usize = 512 << 10;

/// Makes batches of messages.
#[derive(Debug)]
pub(crate) struct Batches {
    schema: SchemaRef,
    batch_size: usize,
    /// What is left of a message that is being cut, and the rows of each part.
    message: Option<(RecordBatch, usize)>,
    /// Copies of small messages, to be merged.
    small: Vec<RecordBatch>,
}

impl Batches {
    /// Batches of `schema`: that of the messages, or without columns, where only rows are counted.
    pub(crate) fn new(schema: SchemaRef, batch_size: usize) -> Self {
        Self {
            schema,
            batch_size: batch_size.max(1),
            message: None,
            small: vec![],
        }
    }

    /// Bytes of memory in use.
    pub(crate) fn held(&self) -> usize {
        let message = self.message.iter().map(|(message, _)| message);
        message
            .chain(&self.small)
            .map(get_record_batch_memory_size)
            .sum()
    }

    /// Adds a message; [`next`](Self::next) must have given all there is of the one before.
    pub(crate) fn push(&mut self, message: RecordBatch) -> Result<()> {
        let message = match self.schema.fields().is_empty() {
            true => message.project(&[])?,
            false => message,
        };
        let rows = message.num_rows();
        let merges = self.rows() + rows <= self.batch_size
            && get_record_batch_memory_size(&message) < WORTH_BYTES;
        if merges {
            self.small.push(self.copy(&message)?);
        } else {
            let parts = rows.div_ceil(self.batch_size);
            self.message = Some((message, rows.div_ceil(parts)));
        }
        Ok(())
    }

    /// The next batch, if there is one that more messages would not make better.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let bytes = || self.small.iter().map(get_record_batch_memory_size).sum();
        if self.message.is_some() || self.rows() * 2 > self.batch_size || WORTH_BYTES <= bytes() {
            return self.flush();
        }
        Ok(None)
    }

    /// The next batch of what there is.
    pub(crate) fn flush(&mut self) -> Result<Option<RecordBatch>> {
        if !self.small.is_empty() {
            let merged = match self.small.len() {
                1 => self.small.swap_remove(0),
                _ => concat_batches(&self.schema, &self.small)?,
            };
            self.small.clear();
            return Ok(Some(merged));
        }
        let Some((message, part)) = &mut self.message else {
            return Ok(None);
        };
        let rows = message.num_rows().min(*part);
        let batch = message.slice(0, rows);
        *message = message.slice(rows, message.num_rows() - rows);
        if message.num_rows() == 0 {
            self.message = None;
        }
        self.copy(&batch).map(Some)
    }

    /// Whether all rows were given.
    pub(crate) fn is_empty(&self) -> bool {
        self.message.is_none() && self.small.is_empty()
    }

    fn rows(&self) -> usize {
        self.small.iter().map(RecordBatch::num_rows).sum()
    }

    /// The same rows in memory of their own.
    fn copy(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        // One array alone would be given back as it is; with another one, even without rows, they are copied.
        let copied = |column: &ArrayRef| concat(&[column.as_ref(), column.slice(0, 0).as_ref()]);
        let columns = batch.columns().iter().map(copied);
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            SchemaRef::clone(&self.schema),
            columns.collect::<Result<_, _>>()?,
            &options,
        )?)
    }
}
