//! Rows as they come: record batches in one schema.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream::{self, BoxStream, Stream, StreamExt};

use super::progress::ReadProgress;
use super::reader::{Reader, Source};
use crate::client::Client;
use crate::error::{Error, Result};

/// Record batches in the schema that was asked for.
///
/// Nothing is sent before the first poll, or [`begin`](Self::begin); nothing runs between polls, and dropping it closes its
/// connection. After an error or the end it yields nothing more.
pub struct ArrowStream {
    batches: Batches,
    schema: SchemaRef,
    progress: Arc<ReadProgress>,
}

enum Batches {
    /// None was asked for yet.
    Unread(Box<Reader>),
    Read(BoxStream<'static, Result<RecordBatch>>),
}

impl ArrowStream {
    /// The rows of `source` in `schema`.
    pub(super) fn new(client: &Client, source: Source, schema: SchemaRef) -> Self {
        let reader = Reader::new(client, source, Arc::clone(&schema));
        Self {
            progress: Arc::clone(reader.progress()),
            batches: Batches::Unread(Box::new(reader)),
            schema,
        }
    }

    /// One that has nothing but an error.
    pub(super) fn failed(error: Error, schema: SchemaRef) -> Self {
        Self {
            batches: Batches::Read(stream::iter([Err(error)]).boxed()),
            schema,
            progress: Arc::default(),
        }
    }

    /// Sends the request, and waits until its answer begins: what follows waits on its connection until it is read. Does nothing
    /// once rows were asked for.
    ///
    /// For readers that know of several streams which they will read one after the other: their round trips take place at once.
    pub async fn begin(&mut self) -> Result<()> {
        if let Batches::Unread(reader) = &mut self.batches
            && let Err(error) = reader.begin().await
        {
            self.batches = Batches::Read(stream::empty().boxed());
            return Err(error);
        }
        Ok(())
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
        loop {
            match &mut self.batches {
                Batches::Read(batches) => return batches.poll_next_unpin(cx),
                unread => {
                    let read = std::mem::replace(unread, Batches::Read(stream::empty().boxed()));
                    if let Batches::Unread(reader) = read {
                        *unread = Batches::Read(reader.into_batches().boxed());
                    }
                }
            }
        }
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
