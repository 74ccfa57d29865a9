//! The last result of the prompt, as the table `_`.
//!
//! What was read of it is kept, as far as it is small, so that it can be looked at again without being asked for again. What was not read
//! to its end, or is too large, is the query itself instead: `_` always is the whole result.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::{Column, Result};
use datafusion::datasource::ViewTable;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::amounts;
use crate::memory::Kept;
use crate::output::unique_names;
use crate::progress::Handle;
use crate::report::narrate;
use crate::session::Session;

/// What it is called.
pub(crate) const NAME: &str = "_";

/// What is kept in memory at most, in bytes.
const MOST_BYTES: usize = 64 << 20;

/// A result that is on its way to become the last one.
pub(crate) struct Last {
    session: Session,
    query: LogicalPlan,
    /// With names that stand for one column each.
    schema: SchemaRef,
    rows: Arc<Mutex<Rows>>,
    progress: Handle,
    is_settled: bool,
}

/// The rows that came.
struct Rows {
    /// `None` once they are too many.
    kept: Option<Kept>,
    batches: Vec<RecordBatch>,
    count: u64,
    is_complete: bool,
}

impl Last {
    /// Of a query whose columns are called as this schema says.
    pub(crate) fn new(
        session: &Session,
        query: &LogicalPlan,
        schema: &SchemaRef,
        progress: Handle,
    ) -> Self {
        let pool = Arc::clone(&session.context.runtime_env().memory_pool);
        Self {
            session: session.clone(),
            query: query.clone(),
            schema: unique_names(schema),
            rows: Arc::new(Mutex::new(Rows {
                kept: Some(Kept::new(NAME, &pool)),
                batches: Vec::new(),
                count: 0,
                is_complete: false,
            })),
            progress,
            is_settled: false,
        }
    }

    /// The same rows, which are kept as they come.
    pub(crate) fn keep(&self, stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = stream.schema();
        let (rows, named) = (Arc::clone(&self.rows), Arc::clone(&self.schema));
        let end = Arc::clone(&self.rows);
        let kept = stream.inspect(move |batch| {
            if let Ok(batch) = batch {
                lock(&rows).add(batch, &named);
            }
        });
        let end = futures::stream::poll_fn(move |_| {
            lock(&end).is_complete = true;
            std::task::Poll::Ready(None)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, kept.chain(end)))
    }

    /// The result has been shown: it is the last one now.
    pub(crate) fn settle(mut self) -> Result<()> {
        self.is_settled = true;
        let mut rows = lock(&self.rows);
        let kept = rows.kept.take().filter(|_| rows.is_complete);
        let Some(kept) = kept else {
            rows.batches.clear();
            drop(rows);
            return self.register_query();
        };
        let batches = std::mem::take(&mut rows.batches);
        kept.register(&self.session, &self.schema, batches)
    }

    /// The statement failed: the last result is the one before.
    pub(crate) fn forget(mut self) {
        self.is_settled = true;
    }

    fn register_query(&self) -> Result<()> {
        let columns = self.query.schema().iter().zip(self.schema.fields());
        let columns = columns.map(|((table, field), named)| {
            Expr::Column(Column::from((table, field))).alias(named.name())
        });
        let query = LogicalPlanBuilder::from(self.query.clone())
            .project(columns.collect::<Vec<_>>())?
            .build()?;
        let view = ViewTable::new(query, None);
        self.session.context.deregister_table(NAME)?;
        self.session.context.register_table(NAME, Arc::new(view))?;
        Ok(())
    }
}

impl Rows {
    fn add(&mut self, batch: &RecordBatch, schema: &SchemaRef) {
        self.count += batch.num_rows() as u64;
        let Some(kept) = &mut self.kept else {
            return;
        };
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        let named = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options);
        match (kept.count(batch), named) {
            (Ok(bytes), Ok(named)) if bytes <= MOST_BYTES => self.batches.push(named),
            _ => {
                self.kept = None;
                self.batches.clear();
            }
        }
    }
}

impl Drop for Last {
    /// It was stopped: what came is what there is.
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let mut rows = lock(&self.rows);
        if let (Some(kept), 1..) = (rows.kept.take(), rows.count) {
            let batches = std::mem::take(&mut rows.batches);
            if kept.register(&self.session, &self.schema, batches).is_ok() {
                self.progress.end();
                narrate(format_args!(
                    "\n{} had come: SELECT … FROM {NAME} has them",
                    amounts::rows(rows.count)
                ));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
