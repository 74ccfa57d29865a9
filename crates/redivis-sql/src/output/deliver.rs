//! Carries a stream of rows to the output.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::columns::Columns;
use super::format::{Out, Start};
use super::gather::Gathered;
use super::look::ValueLabels;
use super::paged::{Paged, Seen};
use super::sanitize::single_line;
use super::screen::Screen;
use super::text::TextWriter;
use super::{Format, Output, ResultWriter};
use crate::display::Choice;
use crate::failure::Failure;

/// Batches between the query and the writer: one is written while the next is computed.
const QUEUE: usize = 2;

enum Message<T> {
    Rows(T),
    /// The result is complete. Without it, the writer leaves a half result as it is.
    End,
}

impl Output {
    /// Writes a result, and says how many rows it had.
    ///
    /// Dropping the future stops the stream and the writer; so does leaving the pager, and only that.
    pub(crate) async fn deliver(
        &self,
        stream: SendableRecordBatchStream,
        format: Format,
        value_labels: Vec<Option<ValueLabels>>,
    ) -> Result<Delivered, Failure> {
        let target = self.target();
        target.admit()?;
        let columns = Columns::new(&stream.schema(), format.needs_unique_names());
        let mut look = self.look().with_value_labels(value_labels);
        let screen = Screen::of_terminal().filter(|_| target.is_terminal());
        let (mut sink, mut seen) = (target.sink()?, Arc::default());
        match screen.filter(|_| self.may_page()) {
            Some(screen) => {
                let paged = Paged::new(screen, self.display().pager == Choice::On);
                seen = paged.seen();
                sink = Box::new(paged);
            }
            None => look.width = screen.map(|screen| screen.width),
        }
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let rows = stream.inspect(move |batch| {
            let rows = batch.as_ref().map_or(0, RecordBatch::num_rows);
            counted.fetch_add(rows, Ordering::Relaxed);
        });
        let written = match format.start(&columns, look) {
            Start::Batches(begin) => {
                let batches = rows.map(move |batch| Ok(columns.apply(&batch?)?));
                self.write(batches, move || begin(sink)).await
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
                .await
            }
        };
        let seen: &Seen = &seen;
        let is_complete = match written {
            Ok(()) => true,
            Err(_) if seen.left.load(Ordering::Relaxed) => false,
            Err(_) if target.is_closed() && target.is_command() => false,
            Err(_) if target.is_closed() => return Err(Failure::OutputClosed),
            Err(error) => return Err(error.into()),
        };
        Ok(Delivered {
            rows: count.load(Ordering::Relaxed) as u64,
            is_complete,
            is_paged: seen.paged.load(Ordering::Relaxed),
        })
    }

    /// Hands rows to a writer on a thread of its own.
    async fn write<T: Send + Sync + 'static>(
        &self,
        rows: impl Stream<Item = Result<T>> + Send,
        begin: impl FnOnce() -> Result<Box<dyn ResultWriter<T>>> + Send + 'static,
    ) -> Result<()> {
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
        joined(writing.await)
    }

    /// Lines of a text that go on beyond the terminal's width end there.
    pub(crate) fn cut_lines(&self, text: &str) -> String {
        let screen = Screen::of_terminal().filter(|_| self.target().is_terminal());
        match screen {
            Some(screen) => screen.cut_lines(text),
            None => text.to_owned(),
        }
    }

    /// Writes a text for a person.
    pub(crate) async fn deliver_text(&self, text: &str) -> Result<(), Failure> {
        let target = self.target();
        target.admit()?;
        let mut out: Out = match Screen::of_terminal().filter(|_| self.may_page()) {
            Some(screen) => Box::new(Paged::new(screen, self.display().pager == Choice::On)),
            None => target.sink()?,
        };
        let text = text.to_owned();
        let write = move || out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match spawn_blocking(write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) if target.is_closed() => Err(Failure::OutputClosed),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(DataFusionError::ExecutionJoin(Box::new(error)).into()),
        }
    }

    /// Writes lines that somebody wrote: as they are for programs, and so that no terminal obeys them.
    pub(crate) async fn deliver_lines(&self, text: &str) -> Result<(), Failure> {
        if !self.is_terminal() {
            return self.deliver_text(text).await;
        }
        let safe = text
            .lines()
            .flat_map(|line| [single_line(line), "\n".into()]);
        self.deliver_text(&safe.collect::<String>()).await
    }

    /// Writes rows that are at hand, all of them.
    pub(crate) async fn deliver_batch(&self, batch: RecordBatch) -> Result<(), Failure> {
        if self.is_terminal() && self.format().is_display() {
            self.show_all(Gathered::of(batch)).await?;
            return Ok(());
        }
        let stream = datafusion::physical_plan::memory::MemoryStream::try_new(
            vec![batch.clone()],
            Arc::clone(batch.schema_ref()),
            None,
        )?;
        self.deliver(Box::pin(stream), self.format(), vec![])
            .await?;
        Ok(())
    }
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivered {
    pub(crate) rows: u64,
    /// Whether these were all.
    pub(crate) is_complete: bool,
    /// Whether a person took their time to read them.
    pub(crate) is_paged: bool,
}

/// What a thread came to; an error where it panicked.
fn joined<T>(outcome: Result<Result<T>, JoinError>) -> Result<T> {
    outcome.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}
