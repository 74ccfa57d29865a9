//! What a table in memory holds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// What a table holds of the session's memory; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    name: String,
    rows: AtomicU64,
    parts: Mutex<Vec<MemoryReservation>>,
}

impl Held {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            rows: AtomicU64::new(0),
            parts: Mutex::default(),
        }
    }

    /// The table's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Nothing yet.
    pub(super) fn reserve(&self, pool: &Arc<dyn MemoryPool>) -> MemoryReservation {
        MemoryConsumer::new(format!("the table {}", self.name)).register(pool)
    }

    /// So many rows have come.
    pub(super) fn add(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// How many rows have come.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn keep(&self, part: MemoryReservation) {
        lock(&self.parts).push(part);
    }
}

/// What a panic elsewhere left is as good as before: numbers.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
