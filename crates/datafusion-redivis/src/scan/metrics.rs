//! What a partition of a scan measures.
//!
//! Times and bytes carry the names that DataFusion's file scans use, so that `EXPLAIN ANALYZE` reads alike for both.

use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};
use redivis::read::{ArrowStream, ReadProgress};

/// The metrics of one partition.
#[derive(Debug)]
pub(crate) struct ScanMetrics {
    pub(crate) baseline: BaselineMetrics,
    /// Bytes received.
    bytes_scanned: Count,
    /// From a request to the first of its answer, read session included.
    time_opening: Time,
    /// From the first request to the last row, waiting for the network included.
    time_scanning: Time,
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
            streams: counter("streams"),
            retries: counter("retries"),
        }
    }

    pub(crate) fn opened(&self, took: Duration) {
        self.time_opening.add_duration(took);
    }

    pub(crate) fn scanned(&self, took: Duration) {
        self.time_scanning.add_duration(took);
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
