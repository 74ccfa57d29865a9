//! The rows of one partition: its read streams, one after the other, cut at the limit.
//!
//! Everything happens when the stream is polled; dropping it drops the request in flight and closes its connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::metrics::RecordOutput;
use futures::{Stream, StreamExt, stream};
use redivis::read::{ArrowStream, Format, ReadSessionRequest, ReadStreamInfo, RowsRequest};
use redivis::{Client, ErrorKind};

use super::memory::ScanMemory;
use super::metrics::{Followed, ScanMetrics};
use super::session::{OpenSession, SharedSession};
use super::source::Source;
use crate::error::ScanError;

/// What all partitions of a scan ask for.
#[derive(Debug)]
pub(crate) struct ScanRequest {
    pub(crate) source: Arc<Source>,
    /// With the session's timeouts.
    pub(crate) client: Client,
    /// The variables asked for, never none.
    pub(crate) asked: SchemaRef,
    /// What is handed on: the same, or no columns at all.
    pub(crate) yields: SchemaRef,
    /// No more rows than this, from one partition and from all of them.
    pub(crate) fetch: Option<usize>,
    /// How many streams to ask for.
    pub(crate) streams: usize,
}

impl ScanRequest {
    fn variables(&self) -> Vec<String> {
        self.asked
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    fn max_results(&self) -> Option<u64> {
        self.fetch.map(|fetch| fetch as u64)
    }

    /// How many rows there must be, where they can never change.
    fn expected(&self) -> Option<u64> {
        let size = self.source.size;
        let rows = size.rows.filter(|_| size.immutable)?;
        Some(self.max_results().map_or(rows, |max| max.min(rows)))
    }

    fn session_request(&self) -> ReadSessionRequest {
        ReadSessionRequest {
            format: Format::Arrow,
            max_results: self.max_results(),
            selected_variables: Some(self.variables()),
            requested_stream_count: Some(u32::try_from(self.streams).unwrap_or(u32::MAX)),
            ..ReadSessionRequest::default()
        }
    }

    fn rows_request(&self) -> RowsRequest {
        RowsRequest {
            max_results: self.max_results(),
            selected_variables: Some(self.variables()),
        }
    }
}

fn failed(error: ScanError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Why there is no next batch.
enum Stop {
    /// The service's or the network's fault.
    Service(redivis::Error),
    /// The memory pool has no room.
    Memory(DataFusionError),
}

impl From<redivis::Error> for Stop {
    fn from(error: redivis::Error) -> Self {
        Stop::Service(error)
    }
}

/// Reads a partition.
#[derive(Debug)]
pub(crate) struct PartitionReader {
    request: Arc<ScanRequest>,
    session: Arc<SharedSession>,
    partition: usize,
    partitions: usize,
    metrics: ScanMetrics,
    memory: ScanMemory,
    /// Whether the streams to read are known: those waiting and the current one.
    begun: bool,
    /// The session that they belong to; none when rows come without one.
    open: Option<Arc<OpenSession>>,
    waiting: VecDeque<ReadStreamInfo>,
    current: Option<(ArrowStream, Followed)>,
    /// Rows that may still be handed on.
    remaining: usize,
    /// Rows that came.
    rows: u64,
    /// Whether anything was handed on, so that no other session can take over.
    claimed: bool,
}

impl PartitionReader {
    pub(crate) fn new(
        request: Arc<ScanRequest>,
        session: Arc<SharedSession>,
        partition: usize,
        partitions: usize,
        metrics: ScanMetrics,
        memory: ScanMemory,
    ) -> Self {
        Self {
            remaining: request.fetch.unwrap_or(usize::MAX),
            request,
            session,
            partition,
            partitions,
            metrics,
            memory,
            begun: false,
            open: None,
            waiting: VecDeque::new(),
            current: None,
            rows: 0,
            claimed: false,
        }
    }

    /// The partition's batches; nothing happens before the first poll.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        stream::try_unfold(self, |mut reader| async move {
            let started = Instant::now();
            let next = reader.next().await;
            reader.metrics.scanned(started.elapsed());
            Ok(next?.map(|batch| (batch, reader)))
        })
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.remaining > 0 {
            let next = match self.advance().await {
                Ok(next) => next,
                Err(Stop::Service(error)) => {
                    self.expired(error)?;
                    continue;
                }
                Err(Stop::Memory(error)) => return Err(error),
            };
            if !self.claim() {
                // Another partition found the session expired: what was read of it belongs to rows that are read again.
                self.start_again();
                continue;
            }
            return match next {
                Some(batch) => Ok(Some(
                    self.hand_on(batch)?.record_output(&self.metrics.baseline),
                )),
                None => self.check_count().map(|()| None),
            };
        }
        Ok(None)
    }

    /// The next batch with rows, opening session and streams as needed; `None` when all streams are at their end.
    async fn advance(&mut self) -> Result<Option<RecordBatch>, Stop> {
        loop {
            if let Some((stream, followed)) = &mut self.current {
                let memory = &self.memory;
                // What has come of a message counts while the rest is awaited.
                let next = poll_fn(|cx| {
                    let next = stream.poll_next_unpin(cx);
                    match memory.hold(followed.held()) {
                        Ok(()) => next.map(Ok),
                        Err(error) => Poll::Ready(Err(Stop::Memory(error))),
                    }
                });
                let next = next.await?.transpose();
                self.metrics.observe(followed);
                match next? {
                    Some(batch) if batch.num_rows() == 0 => {}
                    Some(batch) => {
                        let bytes = get_record_batch_memory_size(&batch);
                        self.memory.hold(bytes).map_err(Stop::Memory)?;
                        return Ok(Some(batch));
                    }
                    None => self.current = None,
                }
            } else if let Some(info) = self.waiting.pop_front() {
                let stream = self
                    .request
                    .client
                    .read_arrow(&info, Arc::clone(&self.request.asked));
                self.follow(stream);
            } else if self.begun {
                return Ok(None);
            } else {
                self.begin().await?;
            }
        }
    }

    /// Finds out which streams to read.
    async fn begin(&mut self) -> redivis::Result<()> {
        let request = &self.request;
        if let Some(table) = request.source.reads_rows() {
            let asked = Arc::clone(&request.asked);
            let stream = request
                .client
                .read_rows(table, &request.rows_request(), asked);
            self.follow(stream);
        } else {
            let started = Instant::now();
            let body = request.session_request();
            let create = request
                .client
                .create_read_session(&request.source.uri, &body);
            let open = self.session.get(create).await?;
            self.metrics.opened(started.elapsed());
            self.waiting = open.streams_of(self.partition, self.partitions).collect();
            self.open = Some(open);
        }
        self.begun = true;
        Ok(())
    }

    fn follow(&mut self, stream: ArrowStream) {
        let followed = self.metrics.follow(stream.progress());
        self.current = Some((stream, followed));
    }

    /// Having read to the end commits to a session no less than handing on rows: with another one there might be more.
    fn claim(&mut self) -> bool {
        self.claimed = self.claimed || self.open.as_ref().is_none_or(|open| open.claim());
        self.claimed
    }

    fn start_again(&mut self) {
        self.begun = false;
        self.open = None;
        self.current = None;
        self.waiting.clear();
    }

    /// Turns to a new session if the error says that this one is gone and nothing of it was used; otherwise the error.
    fn expired(&mut self, error: redivis::Error) -> Result<()> {
        let gone = error.kind() == ErrorKind::NotFound;
        let open = self.open.as_ref().filter(|_| gone);
        if let Some(open) = open
            && !self.claimed
            && open.abandon()
        {
            tracing::info!(age = ?open.age(), "the read session has expired unused; making another");
            self.start_again();
            return Ok(());
        }
        let Some(open) = open.filter(|open| open.is_used()) else {
            return Err(DataFusionError::External(Box::new(error)));
        };
        Err(failed(ScanError::SessionGone {
            table: self.request.source.name.clone(),
            age: open.age(),
            source: error,
        }))
    }

    /// Compares the rows of all partitions with those that there must be, once the last partition is at its end.
    fn check_count(&self) -> Result<()> {
        let (Some(open), Some(expected)) = (&self.open, self.request.expected()) else {
            return Ok(());
        };
        match open.count(self.partition, self.partitions, self.rows) {
            // With a limit the service may send a few more.
            Some(came) if came < expected || (came > expected && self.request.fetch.is_none()) => {
                Err(failed(ScanError::RowCount {
                    table: self.request.source.name.clone(),
                    came,
                    expected,
                }))
            }
            _ => Ok(()),
        }
    }

    /// Cuts the batch at the limit and takes off the columns that were asked for only to count rows.
    fn hand_on(&mut self, batch: RecordBatch) -> Result<RecordBatch> {
        self.rows += batch.num_rows() as u64;
        let rows = batch.num_rows().min(self.remaining);
        self.remaining -= rows;
        if self.remaining == 0 {
            // No more is wanted: let go of the connection now rather than when the consumer gets round to it.
            self.current = None;
            self.waiting.clear();
        }
        if self.request.yields.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let yields = Arc::clone(&self.request.yields);
            return Ok(RecordBatch::try_new_with_options(yields, vec![], &options)?);
        }
        Ok(if rows < batch.num_rows() {
            batch.slice(0, rows)
        } else {
            batch
        })
    }
}
