//! Rows as they come: record batches in one schema.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream::{BoxStream, Stream, StreamExt};

use super::progress::ReadProgress;
use crate::error::Result;

/// Record batches in the schema that was asked for.
///
/// Nothing is sent before the first poll, nothing runs between polls, and dropping it closes its connection. After an error
/// or the end it yields nothing more.
pub struct ArrowStream {
    batches: BoxStream<'static, Result<RecordBatch>>,
    schema: SchemaRef,
    progress: Arc<ReadProgress>,
}

impl ArrowStream {
    pub(super) fn new(
        batches: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
        schema: SchemaRef,
        progress: Arc<ReadProgress>,
    ) -> Self {
        Self {
            batches: batches.boxed(),
            schema,
            progress,
        }
    }

    /// The schema of every batch.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What reading has cost so far; it stays up to date and outlives the stream.
    pub fn progress(&self) -> Arc<ReadProgress> {
        Arc::clone(&self.progress)
    }
}

impl Stream for ArrowStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_next_unpin(cx)
    }
}

impl fmt::Debug for ArrowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrowStream")
            .field("schema", &self.schema)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
