//! The rows of one partition: its read streams, one after the other, cut at the limit.
//!
//! The first stream is opened when the plan is executed; everything else happens when the partition is polled. Dropping it
//! drops the request in flight and closes its connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_plan::metrics::RecordOutput;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use redivis::ErrorKind;
use redivis::read::{ArrowStream, ReadSession, ReadStreamInfo};

use super::batches::Batches;
use super::execution::Execution;
use super::memory::ScanMemory;
use super::metrics::{ScanMetrics, StreamMetrics};
use super::request::ScanRequest;
use crate::cache::PartitionFill;
use crate::error::{ScanError, failed};
use crate::io::IoRuntime;
use crate::options::CheckRowCounts;

/// A partition of an execution.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) request: Arc<ScanRequest>,
    pub(crate) execution: Arc<Execution>,
    pub(crate) partition: usize,
    pub(crate) partitions: usize,
    pub(crate) metrics: ScanMetrics,
    pub(crate) pool: Arc<dyn MemoryPool>,
    /// The schema of its batches, and about how many rows they have.
    pub(crate) schema: SchemaRef,
    pub(crate) batch_size: usize,
}

impl Part {
    /// Its batches. What they are read from is opened now, since an execution is about to be read: whoever polls one partition
    /// after another, as joins do, waits for the service only once. Rows are read when they are polled, and go to `fill`
    /// besides.
    pub(crate) fn execute(
        self,
        io: &IoRuntime,
        fill: Option<PartitionFill>,
    ) -> BoxStream<'static, Result<RecordBatch>> {
        let opened = io.start(self.clone().reader(fill).begin());
        let metrics = self.metrics.clone();
        // Without the runtime that it was opened on it is opened where it is polled.
        let reader = async move { opened.await.unwrap_or_else(|| self.reader(None)) };
        let batches = stream::once(reader).flat_map(PartitionReader::into_batches);
        io.stream(metrics.timed(batches).boxed())
    }

    /// A stream from its first row on.
    fn stream(&self, info: &ReadStreamInfo) -> (ArrowStream, StreamMetrics) {
        let asked = Arc::clone(&self.request.asked);
        let stream = self.request.client.read_arrow(info, asked);
        self.metrics.stream(stream)
    }

    fn reader(self, fill: Option<PartitionFill>) -> PartitionReader {
        PartitionReader {
            memory: ScanMemory::new(&self.pool, self.partition),
            batches: Batches::new(Arc::clone(&self.schema), self.batch_size),
            fill,
            part: self,
            rows: 0,
            state: State::default(),
        }
    }
}

/// Reads a partition.
#[derive(Debug)]
struct PartitionReader {
    part: Part,
    memory: ScanMemory,
    batches: Batches,
    /// Where its batches go besides; they are kept if all of them come.
    fill: Option<PartitionFill>,
    /// Rows that came.
    rows: usize,
    state: State,
}

/// How far a partition has come.
#[derive(Debug, Default)]
enum State {
    /// Which streams to read is not known yet.
    #[default]
    Opening,
    /// It failed before it was polled.
    Failed(DataFusionError),
    /// Streams are read, one after the other.
    Reading {
        /// What they belong to; none where rows come without a session.
        session: Option<Arc<ReadSession>>,
        waiting: VecDeque<ReadStreamInfo>,
        current: Option<(ArrowStream, StreamMetrics)>,
    },
    /// No more rows are to come.
    Finished,
}

impl PartitionReader {
    /// Sends what has to be sent before the first row can come, and reads nothing.
    async fn begin(mut self) -> Self {
        if self.wanted() > 0
            && let Err(error) = self.open_first().await
        {
            self.state = State::Failed(error);
        }
        self
    }

    async fn open_first(&mut self) -> Result<()> {
        self.state = self.open().await?;
        let State::Reading {
            waiting, current, ..
        } = &mut self.state
        else {
            return Ok(());
        };
        if current.is_none()
            && let Some(info) = waiting.pop_front()
        {
            *current = Some(self.part.stream(&info));
        }
        if let Some((stream, metrics)) = current {
            let begun = stream.begin().await;
            self.part.metrics.observe(metrics);
            return begun.or_else(|error| self.recover(error));
        }
        Ok(())
    }

    /// The partition's batches.
    fn into_batches(self) -> impl Stream<Item = Result<RecordBatch>> {
        stream::try_unfold(self, |mut reader| async move {
            let Some(batch) = reader.next().await? else {
                if let Some(fill) = reader.fill.take() {
                    fill.finish().await;
                }
                return Ok(None);
            };
            if let Some(fill) = &reader.fill {
                fill.write(&batch).await;
            }
            let batch = batch.record_output(&reader.part.metrics.baseline);
            Ok(Some((batch, reader)))
        })
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.batches.next()? {
                return Ok(Some(batch));
            }
            if self.wanted() == 0 {
                self.state = State::Finished;
            }
            match &mut self.state {
                State::Failed(_) => {
                    if let State::Failed(error) = std::mem::take(&mut self.state) {
                        return Err(error);
                    }
                }
                State::Opening => self.state = self.open().await?,
                State::Reading {
                    current: Some((stream, metrics)),
                    ..
                } => {
                    let held = self.batches.held();
                    let next = poll_fn(|cx| {
                        let next = stream.poll_next_unpin(cx);
                        // Whoever watches sees what comes, and what has to be tried again, as it happens.
                        self.part.metrics.observe(metrics);
                        // What has come of a message counts while the rest is awaited.
                        if let Err(error) = self.memory.hold(held + metrics.held()) {
                            return Poll::Ready(Err(error));
                        }
                        match next {
                            Poll::Pending if self.batches.is_empty() => Poll::Pending,
                            next => Poll::Ready(Ok(next)),
                        }
                    });
                    match next.await? {
                        Poll::Ready(Some(Ok(message))) => self.take(message)?,
                        Poll::Ready(Some(Err(error))) => self.recover(error)?,
                        Poll::Ready(None) => self.next_stream()?,
                        // What came does not wait for more.
                        Poll::Pending => return self.batches.flush(),
                    }
                }
                State::Reading { .. } => self.next_stream()?,
                State::Finished => return self.batches.flush(),
            }
        }
    }

    /// Rows that may still come.
    fn wanted(&self) -> usize {
        let most = self.part.request.fetch.unwrap_or(usize::MAX);
        most.saturating_sub(self.rows)
    }

    /// Finds out which streams to read.
    async fn open(&mut self) -> Result<State> {
        let request = &self.part.request;
        if let Some(table) = request.source.reads_rows() {
            let asked = Arc::clone(&request.asked);
            let stream = request.client.read_rows(table, &request.rows(), asked);
            return Ok(State::Reading {
                session: None,
                waiting: VecDeque::new(),
                current: Some(self.part.metrics.stream(stream)),
            });
        }
        let started = Instant::now();
        let create = || {
            let request = Arc::clone(request);
            async move { request.open().await }
        };
        let session = self.part.execution.session.get(create).await?;
        self.part.metrics.opened(started.elapsed());
        let streams = session.streams.iter().skip(self.part.partition);
        Ok(State::Reading {
            waiting: streams.step_by(self.part.partitions).cloned().collect(),
            session: Some(session),
            current: None,
        })
    }

    /// Goes on with the next stream, or ends after the last one.
    fn next_stream(&mut self) -> Result<()> {
        let State::Reading {
            waiting, current, ..
        } = &mut self.state
        else {
            return Ok(());
        };
        *current = waiting.pop_front().map(|info| self.part.stream(&info));
        // Having no rows is said of this session as much as any row: with another one there might be some.
        if current.is_none() && self.uses_session() {
            let read = std::mem::replace(&mut self.state, State::Finished);
            if let State::Reading { session, .. } = read {
                return self.check_count(session.as_deref());
            }
        }
        Ok(())
    }

    /// Takes the rows of a message, up to the limit.
    fn take(&mut self, message: RecordBatch) -> Result<()> {
        let rows = message.num_rows();
        if rows == 0 || !self.uses_session() {
            return Ok(());
        }
        let wanted = self.wanted();
        self.rows += rows;
        match wanted < rows {
            true => self.batches.push(message.slice(0, wanted)),
            false => self.batches.push(message),
        }
    }

    /// Notes that the session is used. Where another partition found it expired, this one begins again with the next.
    fn uses_session(&mut self) -> bool {
        let State::Reading {
            session: Some(session),
            ..
        } = &self.state
        else {
            return true;
        };
        let is_current = self.part.execution.session.mark_used(session);
        if !is_current {
            self.state = State::Opening;
        }
        is_current
    }

    /// Turns to a new session if the error says that this one is gone and nothing of it was used; otherwise the error.
    fn recover(&mut self, error: redivis::Error) -> Result<()> {
        let State::Reading {
            session: Some(session),
            ..
        } = &self.state
        else {
            return Err(failed(error));
        };
        if error.kind() != ErrorKind::NotFound {
            return Err(failed(error));
        }
        let shared = &self.part.execution.session;
        if shared.replace(session) {
            tracing::info!(age = ?session.created.elapsed(), "the read session has expired unused; making another");
            self.state = State::Opening;
            return Ok(());
        }
        if !shared.is_used(session) {
            return Err(failed(error));
        }
        Err(DataFusionError::External(Box::new(
            ScanError::SessionGone {
                table: self.part.request.source.name.clone(),
                age: session.created.elapsed(),
                source: error,
            },
        )))
    }

    /// Compares the rows of all partitions with those that there must be, once the last partition is at its end.
    fn check_count(&self, session: Option<&ReadSession>) -> Result<()> {
        let rows = self.rows as u64;
        let Some(came) =
            self.part
                .execution
                .complete(self.part.partition, self.part.partitions, rows)
        else {
            return Ok(());
        };
        let Some(expected) = self.part.request.missed_count(session, came) else {
            return Ok(());
        };
        let error = ScanError::RowCount {
            table: self.part.request.source.name.clone(),
            came,
            expected,
        };
        match self.part.request.check_row_counts {
            CheckRowCounts::Error => Err(DataFusionError::External(Box::new(error))),
            CheckRowCounts::Warn => {
                tracing::warn!("{error}");
                if let Some(fill) = self.part.execution.fill.get() {
                    fill.give_up();
                }
                Ok(())
            }
        }
    }
}

impl Drop for PartitionReader {
    fn drop(&mut self) {
        if !matches!(self.state, State::Finished) {
            self.part.execution.leave();
        }
    }
}
