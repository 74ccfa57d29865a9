//! What a partition takes of the session's memory.
//!
//! A read stream is read a message at a time, so a partition holds one: while it is gathered, then as the batch that is handed
//! on in parts. It can't do with less, nor spill. What it once needed it keeps until its end: an operator that spills takes
//! whatever is free, and would not give it back for the next message.

use std::sync::Arc;

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// Messages of one stream differ a little in size; reserving in steps asks the pool once for all of them.
const SMALLEST: usize = 1 << 20;

/// A partition's part of the memory pool; given back when dropped.
#[derive(Debug)]
pub(crate) struct ScanMemory(MemoryReservation);

impl ScanMemory {
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>, partition: usize) -> Self {
        Self(MemoryConsumer::new(format!("RedivisScan[{partition}]")).register(pool))
    }

    /// Makes sure that this many bytes are reserved. Fails with the pool's own words when it has no room.
    pub(crate) fn hold(&self, bytes: usize) -> Result<()> {
        if bytes <= self.0.size() {
            return Ok(());
        }
        let step = bytes.max(SMALLEST);
        let step = step.checked_next_power_of_two().unwrap_or(step);
        self.0
            .try_resize(step)
            .or_else(|_| self.0.try_resize(bytes))
            .map_err(|error| {
                resources_datafusion_err!(
                    "a message of a read stream takes {bytes} bytes of memory, for each of the streams that are read at \
                     once. Read fewer variables, lower redivis.max_streams, or allow the session more memory: {}",
                    error.message()
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn memory_is_taken_in_steps_kept_and_given_back() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(5 << 20));
        let memory = ScanMemory::new(&pool, 0);
        assert_eq!(pool.reserved(), 0);
        memory.hold(10).unwrap();
        assert_eq!(pool.reserved(), SMALLEST);
        memory.hold((2 << 20) + 1).unwrap();
        memory.hold(0).unwrap();
        assert_eq!(pool.reserved(), 4 << 20);
        // A step too far is no reason to refuse what fits.
        memory.hold((4 << 20) + 1).unwrap();
        assert_eq!(pool.reserved(), (4 << 20) + 1);
        let error = memory.hold(6 << 20).unwrap_err().to_string();
        assert!(error.contains("RedivisScan[0]"), "{error}");
        assert!(error.contains("greedy"), "{error}");
        drop(memory);
        assert_eq!(pool.reserved(), 0);
    }
}
