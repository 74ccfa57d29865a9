//! Who may take how much of the session's memory.
//!
//! Divided as by DataFusion's own fair pool, and with a limit that may change while tables are held.

use std::fmt;
use std::sync::{Arc, Mutex};

use datafusion::common::{Result, human_readable_size, resources_err};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

use super::held::lock;

/// A limit for everything, and equal shares for what can spill. Clones are the same pool.
#[derive(Debug, Clone)]
pub(crate) struct FairPool(Arc<Mutex<State>>);

/// All in bytes but the count.
#[derive(Debug)]
struct State {
    limit: usize,
    /// Consumers that can spill.
    spillers: usize,
    /// What they have.
    spillable: usize,
    /// What all others have.
    unspillable: usize,
}

impl FairPool {
    /// A pool of so many bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            limit,
            spillers: 0,
            spillable: 0,
            unspillable: 0,
        })))
    }

    /// Changes the limit for what is asked for from now on.
    pub(crate) fn set_limit(&self, bytes: usize) {
        lock(&self.0).limit = bytes;
    }
}

impl State {
    /// What a consumer may still take.
    fn free(&self, reservation: &MemoryReservation) -> usize {
        if !reservation.consumer().can_spill() {
            return self.limit.saturating_sub(self.unspillable + self.spillable);
        }
        let share = self.limit.saturating_sub(self.unspillable) / self.spillers.max(1);
        share.saturating_sub(reservation.size())
    }

    fn part(&mut self, reservation: &MemoryReservation) -> &mut usize {
        match reservation.consumer().can_spill() {
            true => &mut self.spillable,
            false => &mut self.unspillable,
        }
    }
}

impl MemoryPool for FairPool {
    fn name(&self) -> &str {
        "fair"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if consumer.can_spill() {
            lock(&self.0).spillers += 1;
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if consumer.can_spill() {
            lock(&self.0).spillers -= 1;
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        *lock(&self.0).part(reservation) += additional;
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        *lock(&self.0).part(reservation) -= shrink;
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = lock(&self.0);
        let free = state.free(reservation);
        if free < additional {
            return resources_err!(
                "{} has {} and needs {} more, where it can have {}; the session's limit is {}, divided fairly",
                reservation.consumer().name(),
                human_readable_size(reservation.size()),
                human_readable_size(additional),
                human_readable_size(free),
                human_readable_size(state.limit)
            );
        }
        *state.part(reservation) += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = lock(&self.0);
        state.spillable + state.unspillable
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(lock(&self.0).limit)
    }
}

impl fmt::Display for FairPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = human_readable_size(lock(&self.0).limit);
        write!(f, "fair(pool_size: {limit})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_spill_has_equal_shares() {
        let fair = FairPool::new(100);
        let pool: Arc<dyn MemoryPool> = Arc::new(fair.clone());
        let spiller = |name| {
            MemoryConsumer::new(name)
                .with_can_spill(true)
                .register(&pool)
        };
        let (a, b) = (spiller("a"), spiller("b"));
        a.try_grow(50).unwrap();
        a.try_grow(1).unwrap_err();
        b.try_grow(40).unwrap();
        let merge = MemoryConsumer::new("merge").register(&pool);
        merge.try_grow(10).unwrap();
        let error = merge.try_grow(1).unwrap_err().to_string();
        assert!(
            error.contains("merge has 10.0 B and needs 1.0 B more"),
            "{error}"
        );
        // Its share is smaller now.
        b.try_grow(6).unwrap_err();
        // What others give back is there for all.
        drop(a);
        merge.try_grow(50).unwrap();
        b.try_grow(1).unwrap_err();
        fair.set_limit(200);
        b.try_grow(100).unwrap();
        assert_eq!(pool.reserved(), 200);
        drop((b, merge));
        assert_eq!(pool.reserved(), 0);
    }
}
