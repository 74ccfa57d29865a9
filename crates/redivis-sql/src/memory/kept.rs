//! Rows that are kept beside being shown: they count as the session's memory too.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::MemoryPool;

use super::counted::Counter;
use super::held::Held;
use super::table::InMemory;
use crate::session::Session;

/// What is kept for a table that there is not yet.
#[derive(Debug)]
pub(crate) struct Kept {
    name: String,
    held: Arc<Held>,
    counter: Counter,
}

impl Kept {
    pub(crate) fn new(name: &str, pool: &Arc<dyn MemoryPool>) -> Self {
        let held = Arc::new(Held::new(name.to_owned()));
        let counter = Counter::new(held.reserve(pool));
        Self {
            name: name.to_owned(),
            held,
            counter,
        }
    }

    /// Counts one more batch, and gives the bytes of all; an error where there is no memory for it.
    pub(crate) fn count(&mut self, batch: &RecordBatch) -> Result<usize> {
        self.counter.count(batch)?;
        Ok(self.counter.reservation.size())
    }

    /// Makes the table, in the place of one that was called so.
    pub(crate) fn register(
        self,
        session: &Session,
        schema: &SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let table = MemTable::try_new(Arc::clone(schema), vec![batches])?;
        self.held.keep(self.counter.reservation);
        let table = InMemory {
            table: Arc::new(table),
            held: self.held,
        };
        session.context.deregister_table(&self.name)?;
        session
            .context
            .register_table(&self.name, Arc::new(table))?;
        Ok(())
    }
}
