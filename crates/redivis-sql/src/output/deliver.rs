//! Carries a stream of rows to the output.

use std::pin::pin;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::capped::Capped;
use super::columns::Columns;
use super::format::Start;
use super::text::TextWriter;
use super::{Format, Output, ResultWriter};
use crate::failure::Failure;

/// Batches between the query and the writer: one is written while the next is computed.
const QUEUE: usize = 2;

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivered {
    pub(crate) rows: u64,
    /// There were more rows, which were not asked for.
    pub(crate) stopped: bool,
}

enum Message<T> {
    Rows(T),
    /// The result is complete. Without it, the writer leaves a half result as it is.
    End,
}

impl Output {
    /// Writes a result, of at most `cap` rows if there is a cap: then the stream is dropped, which stops the work behind it.
    ///
    /// Dropping the future stops the stream and the writer.
    pub(crate) async fn deliver(
        &self,
        stream: SendableRecordBatchStream,
        format: Format,
        cap: Option<usize>,
    ) -> Result<Delivered, Failure> {
        self.admit()?;
        let columns = Columns::new(&stream.schema(), format.needs_unique_names());
        let (sink, width) = (self.sink()?, self.width());
        let rows = Capped::new(stream, cap);
        let passed = rows.passed();
        match format.start(&columns, width) {
            Start::Batches(begin) => {
                let batches = rows.map(move |batch| Ok(columns.apply(&batch?)?));
                self.write(batches, move || begin(sink)).await?;
            }
            Start::Texts(encoder) => {
                let writer = Arc::clone(&encoder);
                let texts = rows.map(move |batch| {
                    let (columns, encoder) = (columns.clone(), Arc::clone(&encoder));
                    let text = move || encoder.encode(&columns.apply(&batch?)?);
                    async { joined(spawn_blocking(text).await) }
                });
                let processors = available_parallelism().map_or(1, usize::from);
                self.write(texts.buffered(processors), move || {
                    Ok(Box::new(TextWriter::new(writer, sink)?) as _)
                })
                .await?;
            }
        }
        Ok(Delivered {
            rows: passed.rows() as u64,
            stopped: passed.stopped(),
        })
    }

    /// Hands rows to a writer on a thread of its own.
    async fn write<T: Send + Sync + 'static>(
        &self,
        rows: impl Stream<Item = Result<T>> + Send,
        begin: impl FnOnce() -> Result<Box<dyn ResultWriter<T>>> + Send + 'static,
    ) -> Result<(), Failure> {
        let (sender, mut receiver) = mpsc::channel::<Message<T>>(QUEUE);
        let writing = spawn_blocking(move || -> Result<()> {
            // What fails before its first row prints nothing, not even a header.
            let Some(mut message) = receiver.blocking_recv() else {
                return Ok(());
            };
            let mut writer = begin()?;
            loop {
                match message {
                    Message::Rows(rows) => writer.write(&rows)?,
                    Message::End => return writer.finish(),
                }
                match receiver.blocking_recv() {
                    Some(next) => message = next,
                    None => return Ok(()),
                }
            }
        });
        {
            let mut rows = pin!(rows);
            while let Some(rows) = rows.next().await {
                if sender.send(Message::Rows(rows?)).await.is_err() {
                    break;
                }
            }
        }
        // It only fails when the writer has failed, which it says below.
        let _ = sender.send(Message::End).await;
        drop(sender);
        match joined(writing.await) {
            Err(_) if self.is_closed() => Err(Failure::OutputClosed),
            outcome => Ok(outcome?),
        }
    }

    /// Writes rows that are at hand, all of them.
    pub(crate) async fn deliver_batch(&self, batch: RecordBatch) -> Result<Delivered, Failure> {
        let stream = datafusion::physical_plan::memory::MemoryStream::try_new(
            vec![batch.clone()],
            Arc::clone(batch.schema_ref()),
            None,
        )?;
        self.deliver(Box::pin(stream), self.format(), None).await
    }
}

/// What a thread came to; an error where it panicked.
fn joined<T>(outcome: Result<Result<T>, JoinError>) -> Result<T> {
    outcome.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}
