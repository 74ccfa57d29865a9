//! What a table in memory holds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// What a table holds of the session's memory; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    name: String,
    parts: Mutex<Vec<MemoryReservation>>,
}

impl Held {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
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

    pub(super) fn keep(&self, part: MemoryReservation) {
        lock(&self.parts).push(part);
    }
}

/// What a panic elsewhere left is as good as before: numbers.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
