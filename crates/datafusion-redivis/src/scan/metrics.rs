//! What a partition of a scan measures.
//!
//! Times and bytes carry the names that DataFusion's file scans use, so that `EXPLAIN ANALYZE` reads alike for both. Time is
//! either spent (`elapsed_compute`) or waited for (`time_elapsed_waiting`), which tells a slow line from a slow processor.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};
use futures::stream::{BoxStream, Stream, StreamExt};
use redivis::read::{ArrowStream, ReadProgress};

/// The metrics of one partition.
#[derive(Debug, Clone)]
pub(crate) struct ScanMetrics {
    pub(crate) baseline: BaselineMetrics,
    /// Bytes received.
    bytes_scanned: Count,
    /// From a request to the first of its answer, read session included.
    time_opening: Time,
    /// From the first poll to the last row, waiting for the network included.
    time_scanning: Time,
    /// The part of it in which there was nothing to do but wait for the network.
    time_waiting: Time,
    /// Read streams begun.
    streams: Count,
    /// Requests repeated.
    retries: Count,
}

impl ScanMetrics {
    pub(crate) fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name: &'static str| MetricBuilder::new(set).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(set).subset_time(name, partition);
        Self {
            baseline: BaselineMetrics::new(set, partition),
            bytes_scanned: counter("bytes_scanned"),
            time_opening: time("time_elapsed_opening"),
            time_scanning: time("time_elapsed_scanning_total"),
            time_waiting: time("time_elapsed_waiting"),
            streams: counter("streams"),
            retries: counter("retries"),
        }
    }

    pub(crate) fn opened(&self, took: Duration) {
        self.time_opening.add_duration(took);
    }

    /// The same items, with the time that they take.
    pub(crate) fn timed<T: 'static>(
        self,
        items: impl Stream<Item = T> + Send + 'static,
    ) -> impl Stream<Item = T> {
        Timed {
            items: items.boxed(),
            metrics: self,
            waits_since: None,
        }
    }

    /// A stream from its beginning, with what is counted of it.
    pub(crate) fn stream(&self, stream: ArrowStream) -> (ArrowStream, StreamMetrics) {
        self.streams.add(1);
        let metrics = StreamMetrics {
            progress: stream.progress(),
            bytes: 0,
            retries: 0,
            opening: Duration::ZERO,
        };
        (stream, metrics)
    }

    /// Adds what happened on a stream since the last time.
    pub(crate) fn observe(&self, stream: &mut StreamMetrics) {
        let progress = &stream.progress;
        let bytes = std::mem::replace(&mut stream.bytes, progress.bytes());
        let retries = std::mem::replace(&mut stream.retries, progress.retries());
        let opening = std::mem::replace(&mut stream.opening, progress.opening());
        count(&self.bytes_scanned, stream.bytes - bytes);
        count(&self.retries, stream.retries - retries);
        self.opened(stream.opening - opening);
    }
}

/// A poll does not wait, so it is work; what lies between one that had nothing and the next is waiting.
struct Timed<T> {
    items: BoxStream<'static, T>,
    metrics: ScanMetrics,
    waits_since: Option<Instant>,
}

impl<T> Stream for Timed<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let started = Instant::now();
        if let Some(since) = self.waits_since.take() {
            self.metrics.time_waiting.add_duration(started - since);
            self.metrics.time_scanning.add_duration(started - since);
        }
        let next = self.items.poll_next_unpin(cx);
        let now = Instant::now();
        let work = self.metrics.baseline.elapsed_compute();
        work.add_duration(now - started);
        self.metrics.time_scanning.add_duration(now - started);
        if next.is_pending() {
            self.waits_since = Some(now);
        }
        next
    }
}

/// A stream's progress, and how much of it has been counted.
#[derive(Debug)]
pub(crate) struct StreamMetrics {
    progress: Arc<ReadProgress>,
    bytes: u64,
    retries: u64,
    opening: Duration,
}

impl StreamMetrics {
    /// Bytes of memory that the stream holds now.
    pub(crate) fn held(&self) -> usize {
        self.progress.held()
    }
}

fn count(metric: &Count, grown: u64) {
    metric.add(usize::try_from(grown).unwrap_or(usize::MAX));
}
