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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{AsArray, Int64Array, StringArray};
    use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use proptest::prelude::*;

    use super::*;

    fn schema() -> SchemaRef {
        let field = |name, data_type| Field::new(name, data_type, true);
        Arc::new(Schema::new(vec![
            field("id", DataType::Int64),
            field("text", DataType::Utf8),
        ]))
    }

    /// Messages of so many rows each, which are all parts of one and the same memory.
    fn messages(rows: &[usize], width: usize) -> Vec<RecordBatch> {
        let all = rows.iter().sum::<usize>() as i64;
        let ids = Int64Array::from_iter_values(0..all);
        let texts = (0..all).map(|id| (id % 3 != 0).then(|| format!("{id:width$}")));
        let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(StringArray::from_iter(texts))];
        let all = RecordBatch::try_new(schema(), columns).unwrap();
        let mut at = 0;
        let mut part = |rows: &usize| {
            at += rows;
            all.slice(at - rows, *rows)
        };
        rows.iter().map(&mut part).collect()
    }

    /// All batches of messages that come without waiting.
    fn batches(of: Vec<RecordBatch>, schema: SchemaRef, batch_size: usize) -> Vec<RecordBatch> {
        let mut batches = Batches::new(schema, batch_size);
        let mut made = vec![];
        for message in of {
            batches.push(message).unwrap();
            while let Some(batch) = batches.next().unwrap() {
                made.push(batch);
            }
        }
        while let Some(batch) = batches.flush().unwrap() {
            made.push(batch);
        }
        assert!(batches.is_empty() && batches.held() == 0);
        made
    }

    fn rows(batches: &[RecordBatch]) -> Vec<usize> {
        batches.iter().map(RecordBatch::num_rows).collect()
    }

    #[test]
    fn large_messages_are_cut_evenly_and_small_ones_are_merged() {
        let of = |sizes: &[usize]| rows(&batches(messages(sizes, 1), schema(), 100));
        assert_eq!(of(&[100]), [100]);
        assert_eq!(of(&[250]), [84, 84, 82]);
        assert_eq!(of(&[101, 99]), [51, 50, 99]);
        assert_eq!(of(&[1; 120]), [51, 51, 18]);
        assert_eq!(of(&[10, 30, 70, 5, 96]), [40, 70, 5, 96]);
        // What is large in bytes is not merged, however few its rows.
        let wide = messages(&[30, 30, 30], 40_000);
        assert_eq!(rows(&batches(wide, schema(), 100)), [30, 30, 30]);
        // Without columns, rows are counted.
        let counted = batches(messages(&[10, 250], 1), Arc::new(Schema::empty()), 100);
        assert_eq!(rows(&counted), [10, 84, 84, 82]);
    }

    proptest! {
        #[test]
        fn batches_hold_the_rows_in_order_and_take_the_memory_of_their_own(
            sizes in prop::collection::vec(1_usize..3000, 1..12),
            width in 1_usize..60,
            batch_size in 1_usize..2000,
        ) {
            let all = sizes.iter().sum::<usize>() as i64;
            let made = batches(messages(&sizes, width), schema(), batch_size);
            let ids = made.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
            prop_assert!(ids.eq(0..all));
            for batch in made {
                prop_assert!(batch.num_rows() <= batch_size);
                let column = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap();
                let own: usize = batch.columns().iter().map(column).sum();
                // Buffers are aligned, and arrays have headers.
                prop_assert!(get_record_batch_memory_size(&batch) <= own + 512);
                prop_assert!(batch.get_array_memory_size() <= own + 1024);
            }
        }
    }
}
