//! Rows on their way into a table in memory: each batch is counted before it is kept.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, RecordBatch};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, stream};

use super::held::Held;

/// Hands batches on while there is memory for them. What a partition took is the table's once it has come to its end.
#[derive(Debug)]
pub(super) struct CountedExec {
    input: Arc<dyn ExecutionPlan>,
    held: Arc<Held>,
}

impl CountedExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, held: Arc<Held>) -> Self {
        Self { input, held }
    }
}

impl DisplayAs for CountedExec {
    fn fmt_as(
        &self,
        _format: DisplayFormatType,
        f: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        write!(f, "CountedExec: table={}", self.held.name())
    }
}

impl ExecutionPlan for CountedExec {
    fn name(&self) -> &str {
        "CountedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, Arc::clone(&self.held)))),
            _ => internal_err!("rows are counted of one input"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let held = Arc::clone(&self.held);
        let counter = Counter::new(held.reserve(context.memory_pool()));
        let input = self.input.execute(partition, context)?;
        let rows = stream::try_unfold((input, counter), move |(mut input, mut counter)| {
            let held = Arc::clone(&held);
            async move {
                match input.next().await.transpose()? {
                    Some(batch) => {
                        counter.count(&batch)?;
                        held.add(batch.num_rows());
                        Ok(Some((batch, (input, counter))))
                    }
                    None => {
                        held.keep(counter.reservation);
                        Ok(None)
                    }
                }
            }
        });
        let rows = RecordBatchStreamAdapter::new(self.schema(), rows);
        Ok(Box::pin(rows))
    }
}

/// Counts each buffer once: batches may be parts of one.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) reservation: MemoryReservation,
    buffers: HashSet<usize>,
}

impl Counter {
    pub(super) fn new(reservation: MemoryReservation) -> Self {
        Self {
            reservation,
            buffers: HashSet::new(),
        }
    }

    pub(super) fn count(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter();
        let bytes = columns.map(|column| self.add(&column.to_data())).sum();
        self.reservation.try_grow(bytes)
    }

    fn add(&mut self, data: &ArrayData) -> usize {
        let nulls = data.nulls().map(|nulls| nulls.buffer());
        let mut bytes = 0;
        for buffer in data.buffers().iter().chain(nulls) {
            if self.buffers.insert(buffer.data_ptr().as_ptr() as usize) {
                bytes += buffer.capacity();
            }
        }
        let children = data.child_data().iter();
        bytes + children.map(|child| self.add(child)).sum::<usize>()
    }
}
