//! Carries a stream of rows to the output.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::columns::Columns;
use super::{Format, Output};
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

enum Message {
    Batch(RecordBatch),
    /// The result is complete. Without it, the writer leaves a half result as it is.
    End,
}

impl Output {
    /// Writes a result, of at most `cap` rows if there is a cap: then the stream is dropped, which stops the work behind it.
    ///
    /// Dropping the future stops the stream and the writer.
    pub(crate) async fn deliver(
        &self,
        mut stream: SendableRecordBatchStream,
        format: Format,
        cap: Option<usize>,
    ) -> Result<Delivered, Failure> {
        self.admit()?;
        let columns = Columns::new(&stream.schema(), format.needs_unique_names());
        let (sender, mut receiver) = mpsc::channel::<Message>(QUEUE);
        let (sink, width) = (self.sink()?, self.width());
        let writing = spawn_blocking(move || -> Result<()> {
            // What fails before its first row prints nothing, not even a header.
            let Some(mut message) = receiver.blocking_recv() else {
                return Ok(());
            };
            let mut writer = format.writer(&columns, sink, width)?;
            loop {
                match message {
                    Message::Batch(batch) => writer.write(&columns.apply(&batch)?)?,
                    Message::End => return writer.finish(),
                }
                match receiver.blocking_recv() {
                    Some(next) => message = next,
                    None => return Ok(()),
                }
            }
        });

        let cap = cap.unwrap_or(usize::MAX);
        let mut rows = 0;
        let mut stopped = false;
        while let Some(batch) = stream.next().await {
            let mut batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            if batch.num_rows() > cap - rows {
                batch = batch.slice(0, cap - rows);
                stopped = true;
            }
            rows += batch.num_rows();
            if sender.send(Message::Batch(batch)).await.is_err() || stopped {
                break;
            }
        }
        drop(stream);
        // It only fails when the writer has failed, which it says below.
        let _ = sender.send(Message::End).await;
        drop(sender);
        match writing.await {
            Ok(Ok(())) => Ok(Delivered {
                rows: rows as u64,
                stopped,
            }),
            Ok(Err(_)) if self.is_closed() => Err(Failure::OutputClosed),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error)).into()),
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
