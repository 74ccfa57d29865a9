//! The plan node of a statement that runs on Redivis.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput, Time,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, execute_stream,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use redivis::resource::QueryRequest;

use super::cost::{Cost, bytes};
use super::pushed::Pushed;
use crate::options::{Pushdown, RedivisOptions};
use crate::scan::RedivisScanExec;
use crate::table::RedivisQuery;

/// Runs a statement on Redivis when it is executed, and reads its result.
///
/// It has one partition, into which all streams of the result are read side by side. Where the statement fails before its
/// first row and `redivis.pushdown` is `auto`, a warning is logged, and its tables are read instead.
pub struct RedivisQueryExec {
    query: Arc<Pushed>,
    /// What the tables are read in where the query fails.
    session: Arc<SessionState>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    reading: Reading,
}

/// What reads the result of the latest execution, once there is one.
type Reading = Arc<Mutex<Option<Arc<dyn ExecutionPlan>>>>;

impl RedivisQueryExec {
    pub(super) fn new(query: Arc<Pushed>, session: SessionState) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&query.schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Self::of(query, Arc::new(session), Arc::new(properties))
    }

    fn of(query: Arc<Pushed>, session: Arc<SessionState>, properties: Arc<PlanProperties>) -> Self {
        Self {
            query,
            session,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
            reading: Arc::default(),
        }
    }

    /// The statement that is sent, in BigQuery's dialect.
    pub fn sql(&self) -> &str {
        &self.query.sql
    }

    /// The tables that it reads, as `EXPLAIN` shows references.
    pub fn tables(&self) -> &[String] {
        &self.query.tables
    }

    /// About how many bytes of the tables would be read without it.
    pub fn instead_of(&self) -> u64 {
        self.query.cost.reading as u64
    }

    /// What reads the result, once there is one: a [`RedivisScanExec`], or the plan that reads the tables where the query
    /// failed.
    pub fn reading(&self) -> Option<Arc<dyn ExecutionPlan>> {
        let reading = self.reading.lock();
        reading.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for RedivisQueryExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedivisQueryExec")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// One execution.
struct Execution {
    query: Arc<Pushed>,
    session: Arc<SessionState>,
    context: Arc<TaskContext>,
    reading: Reading,
    query_time: Time,
}

impl Execution {
    /// The rows, after the first of them came, or the end.
    async fn begin(self) -> Result<SendableRecordBatchStream> {
        self.is_read_by(None);
        match self.result().await {
            Ok(rows) => Ok(rows),
            Err(error) => match &self.query.otherwise {
                Some(plan) => {
                    let tables = self.query.tables.join(", ");
                    tracing::warn!(
                        "the query that was to run on Redivis failed, so {tables} is read instead: {error}"
                    );
                    self.otherwise(plan).await
                }
                None => Err(error),
            },
        }
    }

    /// Runs the query, and waits for the first rows of its result.
    async fn result(&self) -> Result<SendableRecordBatchStream> {
        let (connection, sql) = (Arc::clone(&self.query.connection), self.query.sql.clone());
        let timer = self.query_time.timer();
        let run = async move {
            let request = QueryRequest {
                query: sql,
                ..QueryRequest::default()
            };
            let query = RedivisQuery::run_through(&connection, &request).await?;
            Ok(query)
        };
        let query = self.query.connection.io().run(run).await?;
        let source = query.of_schema(Arc::clone(&self.query.schema))?;
        timer.done();
        let config = self.context.session_config().options();
        let scan = RedivisScanExec::try_new(source, None, None, config)?;
        let plan: Arc<dyn ExecutionPlan> = Arc::new(scan);
        self.is_read_by(Some(Arc::clone(&plan)));
        let plan = Arc::new(CoalescePartitionsExec::new(plan));
        let mut rows = execute_stream(plan, Arc::clone(&self.context))?;
        let first = rows.try_next().await?;
        let schema = rows.schema();
        let all = stream::iter(first.map(Ok)).chain(rows);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, all)))
    }

    /// The rows without a query.
    async fn otherwise(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        let mut session = (*self.session).clone();
        let mut options = RedivisOptions::of(session.config_options());
        options.pushdown = Pushdown::Off;
        session
            .config_mut()
            .options_mut()
            .extensions
            .insert(options);
        let plan = session.create_physical_plan(plan).await?;
        self.is_read_by(Some(Arc::clone(&plan)));
        execute_stream(plan, Arc::clone(&self.context))
    }

    fn is_read_by(&self, plan: Option<Arc<dyn ExecutionPlan>>) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }
}

impl DisplayAs for RedivisQueryExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pushed { sql, cost, .. } = &*self.query;
        let tables = self.query.tables.join(", ");
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(
                    f,
                    "RedivisQueryExec: runs on Redivis, reads about {} of {tables} there",
                    bytes(cost.reading)
                )?;
                if let Some(above) = &self.query.above {
                    write!(f, ", done here: {above}")?;
                }
                for line in sql.lines() {
                    write!(f, "\n      | {line}")?;
                }
                Ok(())
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "tables={tables}")?;
                writeln!(
                    f,
                    "query={}",
                    sql.split_whitespace().collect::<Vec<_>>().join(" ")
                )
            }
        }
    }
}

impl ExecutionPlan for RedivisQueryExec {
    fn name(&self) -> &str {
        "RedivisQueryExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("a query on Redivis has no inputs"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::of(
            Arc::clone(&self.query),
            Arc::clone(&self.session),
            Arc::clone(&self.properties),
        )))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a query on Redivis has one partition, not {partition}");
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let execution = Execution {
            query: Arc::clone(&self.query),
            session: Arc::clone(&self.session),
            context,
            reading: Arc::clone(&self.reading),
            query_time: MetricBuilder::new(&self.metrics).subset_time("query_time", partition),
        };
        let rows = stream::once(execution.begin()).try_flatten();
        let rows = rows.map(move |batch: Result<RecordBatch>| batch.record_output(&metrics));
        let rows = cooperative(RecordBatchStreamAdapter::new(self.schema(), rows.boxed()));
        Ok(Box::pin(rows))
    }

    /// The node's own, and those of the scan of its result.
    fn metrics(&self) -> Option<MetricsSet> {
        let mut metrics = self.metrics.clone_inner();
        if let Some(of_scan) = self.reading().and_then(|plan| plan.metrics()) {
            let own = [
                "output_rows",
                "output_bytes",
                "output_batches",
                "elapsed_compute",
            ];
            let others = of_scan.iter().filter(|metric| {
                let name = metric.value().name();
                !own.contains(&name) && !name.ends_with("_timestamp")
            });
            others.for_each(|metric| metrics.push(Arc::clone(metric)));
        }
        Some(metrics)
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        let Cost { rows, answer, .. } = self.query.cost;
        if rows > 0.0 {
            statistics.num_rows = Precision::Inexact(rows as usize);
            statistics.total_byte_size = Precision::Inexact(answer as usize);
        }
        Ok(Arc::new(statistics))
    }
}
