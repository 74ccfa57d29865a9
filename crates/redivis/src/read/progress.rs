//! What a read has cost so far, for metrics and progress bars while it runs.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Counters of one stream, updated as it is read. Shared, and cheap to look at.
#[derive(Debug, Default)]
pub struct ReadProgress {
    bytes: AtomicU64,
    rows: AtomicU64,
    retries: AtomicU64,
    opening: AtomicU64,
    held: AtomicUsize,
}

impl ReadProgress {
    /// Bytes received, those of broken attempts included.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Rows returned.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Requests after the first one that a failure made necessary.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Time spent waiting for answers to start.
    pub fn opening(&self) -> Duration {
        Duration::from_nanos(self.opening.load(Ordering::Relaxed))
    }

    /// Bytes of memory that the stream holds now: what it received of the message that is still incomplete.
    ///
    /// It reads no further than that message, so this is all of its read-ahead, but for the connection's own buffers.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(super) fn set_held(&self, bytes: usize) {
        self.held.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(super) fn add_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_opening(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.opening.fetch_add(nanos, Ordering::Relaxed);
    }
}
