//! The plan node that carries a statement on Redivis out, once it is executed.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::UserDefinedLogicalNodeCore;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{TryStreamExt, stream};

use super::statement::{Action, RedivisStatement};

/// Does what a [`RedivisStatement`] says when its one partition is polled, and gives its result: one row, or none.
pub(super) struct RedivisStatementExec {
    statement: RedivisStatement,
    input: Option<Arc<dyn ExecutionPlan>>,
    /// Formats of files are written as it says.
    state: SessionState,
    properties: Arc<PlanProperties>,
}

impl RedivisStatementExec {
    pub(super) fn new(
        statement: &RedivisStatement,
        input: Option<Arc<dyn ExecutionPlan>>,
        state: SessionState,
    ) -> Self {
        let schema = Arc::clone(statement.schema().inner());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            statement: statement.clone(),
            input,
            state,
            properties: Arc::new(properties),
        }
    }
}

impl fmt::Debug for RedivisStatementExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedivisStatementExec")
            .field("statement", &self.statement)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for RedivisStatementExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "RedivisStatementExec: {}", self.statement.action)
            }
            DisplayFormatType::TreeRender => writeln!(f, "{}", self.statement.action),
        }
    }
}

impl ExecutionPlan for RedivisStatementExec {
    fn name(&self) -> &str {
        "RedivisStatementExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.input.iter().collect()
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
        if children.len() != self.children().len() {
            return internal_err!("a statement on Redivis keeps its input");
        }
        let input = children.pop();
        Ok(Arc::new(Self::new(
            &self.statement,
            input,
            self.state.clone(),
        )))
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
        if partition != 0 {
            return internal_err!("a statement on Redivis has one partition, not {partition}");
        }
        let schema = self.schema();
        let result = run(
            self.statement.clone(),
            self.input.clone(),
            self.state.clone(),
            context,
            Arc::clone(&schema),
        );
        let rows = stream::once(result).try_filter_map(|batch| async { Ok(batch) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// Carries the statement out.
async fn run(
    statement: RedivisStatement,
    input: Option<Arc<dyn ExecutionPlan>>,
    state: SessionState,
    context: Arc<TaskContext>,
    schema: SchemaRef,
) -> Result<Option<RecordBatch>> {
    let metadata = &statement.metadata;
    let result: Option<ArrayRef> = match (&statement.action, input) {
        (Action::Create(create), Some(input)) => {
            create.run(metadata, input, context).await?.map(count)
        }
        (Action::Copy(copy), Some(input)) => Some(count(copy.run(input, &state, context).await?)),
        (Action::Drop(drop), None) => {
            drop.run(metadata).await?;
            None
        }
        (Action::Call(call), None) => {
            let result = call.run(metadata, &context).await?;
            Some(Arc::new(StringArray::from(vec![result])))
        }
        _ => return internal_err!("a statement on Redivis has lost its input"),
    };
    let batch = result.map(|column| RecordBatch::try_new(schema, vec![column]));
    batch.transpose().map_err(DataFusionError::from)
}

fn count(rows: u64) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![rows]))
}
