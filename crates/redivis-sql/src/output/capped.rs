//! The rows of a result up to a number of them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::{Stream, StreamExt};

/// Yields batches with rows until it has had enough: then the stream is dropped, which stops the work behind it.
pub(super) struct Capped {
    stream: Option<SendableRecordBatchStream>,
    cap: usize,
    count: Arc<Count>,
}

/// What came out of it so far.
#[derive(Debug, Default)]
pub(super) struct Count {
    rows: AtomicUsize,
    stopped: AtomicBool,
}

impl Count {
    pub(super) fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Whether there were more rows.
    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Capped {
    pub(super) fn new(stream: SendableRecordBatchStream, cap: Option<usize>) -> Self {
        Self {
            stream: Some(stream),
            cap: cap.unwrap_or(usize::MAX),
            count: Arc::default(),
        }
    }

    pub(super) fn passed(&self) -> Arc<Count> {
        Arc::clone(&self.count)
    }
}

impl Stream for Capped {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while let Some(stream) = &mut this.stream {
            let batch = match ready!(stream.poll_next_unpin(cx)) {
                Some(Ok(batch)) => batch,
                end => {
                    this.stream = None;
                    return Poll::Ready(end);
                }
            };
            let left = this.cap - this.count.rows();
            let batch = match batch.num_rows() {
                0 => continue,
                rows if rows <= left => batch,
                _ => {
                    this.stream = None;
                    this.count.stopped.store(true, Ordering::Relaxed);
                    batch.slice(0, left)
                }
            };
            this.count
                .rows
                .fetch_add(batch.num_rows(), Ordering::Relaxed);
            return Poll::Ready(Some(Ok(batch)));
        }
        Poll::Ready(None)
    }
}
