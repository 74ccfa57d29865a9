//! The plan node.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, exec_err, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::{
    ProjectionExec, all_alias_free_columns, new_projections_for_columns,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use super::execution::{Execution, Executions};
use super::metrics::ScanMetrics;
use super::partition::Part;
use super::request::ScanRequest;
use super::source::Source;
use super::statistics;
use super::streams::streams;
use redivis::{TableReference, Version};

use crate::cache::{Fill, Keep, PartitionFill};
use crate::options::{CheckRowCounts, RedivisOptions};

/// Reads rows of a table, or of a query's result, from Redivis.
///
/// - The projection is sent as `selectedVariables`, in Redivis's spelling. A scan of no columns asks for the cheapest
///   variable and yields row counts.
/// - A limit, whether known at planning or set by `with_fetch`, is sent as `maxResults` and kept exactly here as well.
/// - Partition *i* of *n* reads the streams *i*, *i + n*, … of one read session. When the service opens fewer streams than
///   partitions, the others are empty.
/// - What every partition reads is opened when it is executed, and read when it is polled: the scans under a join wait for
///   their first rows together.
/// - Each execution has a session of its own, so a plan can be kept and executed again. What tells executions apart is the
///   `TaskContext`: execute all partitions of one execution with the same one, as DataFusion does.
/// - Batches have about `datafusion.execution.batch_size` rows, and count for the memory that they take.
///
/// Text comes as `Utf8`, whose arrays hold 2 GiB at most. An operator that gathers more of one column in one array, such as
/// the build side of a join or a sort with a limit, fails with Arrow's `OffsetOverflowError`; where the column is cast to
/// `Utf8View` right above the scan, as by `CAST(x AS TEXT)` in a subquery, there is no such limit.
#[derive(Debug)]
pub struct RedivisScanExec {
    source: Arc<Source>,
    /// Indices into the source's schema.
    projection: Vec<usize>,
    fetch: Option<usize>,
    options: RedivisOptions,
    /// What may be kept of it in the cache.
    keep: Option<Arc<Keep>>,
    /// Why no query runs in its place.
    why: Option<String>,
    executions: Executions,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RedivisScanExec {
    /// A scan of some columns of a source, all of them for `None`.
    pub(crate) fn try_new(
        source: Arc<Source>,
        projection: Option<&Vec<usize>>,
        fetch: Option<usize>,
        config: &ConfigOptions,
    ) -> Result<Self> {
        let options = RedivisOptions::of(config);
        let projection = projection
            .cloned()
            .unwrap_or_else(|| (0..source.schema.fields().len()).collect());
        // Connections follow the network, so not `target_partitions`, which follows the cores.
        let partitions = if source.reads_rows().is_some() {
            1
        } else {
            let asked = asked(&source, &projection)?;
            let bytes = statistics::bytes(source.size, &source.schema, &asked, fetch);
            streams(options.max_streams, bytes, fetch)
        };
        Self::with_partitions(source, projection, fetch, options, partitions)
    }

    fn with_partitions(
        source: Arc<Source>,
        projection: Vec<usize>,
        fetch: Option<usize>,
        options: RedivisOptions,
        partitions: usize,
    ) -> Result<Self> {
        let schema = Arc::new(source.schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Ok(Self {
            source,
            projection,
            fetch,
            options,
            keep: None,
            why: None,
            executions: Executions::default(),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The same scan with other parameters, and so with a read session of its own.
    fn altered(&self, projection: Vec<usize>, fetch: Option<usize>) -> Result<Self> {
        let altered = Self::with_partitions(
            Arc::clone(&self.source),
            projection,
            fetch,
            self.options.clone(),
            self.partitions(),
        )?;
        Ok(Self {
            keep: self.keep.clone(),
            why: self.why.clone(),
            ..altered
        })
    }

    /// The same scan, which says why no query runs in its place.
    pub(crate) fn explained(&self, why: &str) -> Result<Self> {
        let altered = self.altered(self.projection.clone(), self.fetch)?;
        Ok(Self {
            why: Some(why.to_owned()),
            ..altered
        })
    }

    /// The same scan, whose rows are kept where all of them are read.
    pub(crate) fn keeping(self, keep: Option<Arc<Keep>>) -> Self {
        Self { keep, ..self }
    }

    /// Where a partition's rows go besides.
    fn fill(
        &self,
        partition: usize,
        execution: &Execution,
        pool: &Arc<dyn MemoryPool>,
    ) -> Option<PartitionFill> {
        let schema = self.schema();
        let keep = self.keep.as_ref()?;
        if self.fetch.is_some() || schema.fields().is_empty() {
            return None;
        }
        let fill = || Fill::new(keep, schema, self.partitions());
        execution.fill.get_or_init(fill).partition(partition, pool)
    }

    /// What is read, as `EXPLAIN` shows it: a reference such as `demo.nycflights13:v1_0.flights`, or `queries/` and an id.
    pub fn source(&self) -> &str {
        &self.source.name
    }

    /// The table's reference as the service writes it, with ids; `None` for the result of a query, and where the service
    /// wrote none.
    pub fn reference(&self) -> Option<TableReference> {
        self.source.table.as_ref()?.reference()
    }

    /// The version that is read, where the table's reference names one.
    pub fn version(&self) -> Option<Version> {
        self.reference()?.version()
    }

    /// The variables that it yields, as places in the table's schema. The limit is [`fetch`](ExecutionPlan::fetch).
    pub fn projection(&self) -> &[usize] {
        &self.projection
    }

    /// How many read streams it asks for. The service may open more, or fewer.
    pub fn streams(&self) -> usize {
        // One for each partition, but a limit that came later may be content with one.
        streams(self.partitions(), None, self.fetch)
    }

    fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    fn request(&self) -> Result<ScanRequest> {
        let client = self.source.connection.client();
        Ok(ScanRequest {
            source: Arc::clone(&self.source),
            client: match self.options.read_timeout {
                Some(timeout) => client.with_read_timeout(timeout),
                None => client,
            },
            asked: asked(&self.source, &self.projection)?,
            fetch: self.fetch,
            streams: self.streams(),
            check_row_counts: self.options.check_row_counts,
        })
    }
}

impl Source {
    /// A scan of some of their variables, all of them for `None`, and of no more than `limit` rows: what every table provider
    /// over them plans.
    pub(crate) fn scan(
        self: &Arc<Self>,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let scan =
            RedivisScanExec::try_new(Arc::clone(self), projection, limit, state.config_options())?;
        Ok(Arc::new(scan))
    }
}

/// What to ask the service for: what is projected, or one cheap variable if that is nothing.
fn asked(source: &Source, projection: &[usize]) -> Result<SchemaRef> {
    if !projection.is_empty() {
        return Ok(Arc::new(source.schema.project(projection)?));
    }
    let Some(cheapest) = cheapest(&source.schema) else {
        return exec_err!(
            "{} has no variables, so its rows cannot be read",
            source.name
        );
    };
    Ok(Arc::new(source.schema.project(&[cheapest])?))
}

/// The variable whose values cost the fewest bytes.
fn cheapest(schema: &Schema) -> Option<usize> {
    let width = |index: &usize| match schema.field(*index).data_type() {
        DataType::Boolean => 0,
        data_type => data_type.primitive_width().unwrap_or(usize::MAX),
    };
    (0..schema.fields().len()).min_by_key(width)
}

impl DisplayAs for RedivisScanExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let columns = columns.join(", ");
        let (table, streams) = (&self.source.name, self.streams());
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "RedivisScanExec: table={table}, projection=[{columns}]")?;
                if let Some(limit) = self.fetch {
                    write!(f, ", limit={limit}")?;
                }
                write!(f, ", streams={streams}")?;
                if let Some(why) = &self.why {
                    write!(f, ", not pushed: {why}")?;
                }
                match &self.source.query {
                    Some(query) if query.is_reused => {
                        write!(f, ", result of an earlier run: {}", query.one_line())
                    }
                    Some(query) => write!(f, ", run to plan this: {}", query.one_line()),
                    None => Ok(()),
                }
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "table={table}")?;
                writeln!(f, "projection={columns}")?;
                if let Some(limit) = self.fetch {
                    writeln!(f, "limit={limit}")?;
                }
                writeln!(f, "streams={streams}")?;
                match &self.source.query {
                    Some(query) => writeln!(f, "query={}", query.one_line()),
                    None => Ok(()),
                }
            }
        }
    }
}

impl ExecutionPlan for RedivisScanExec {
    fn name(&self) -> &str {
        "RedivisScanExec"
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
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.altered(self.projection.clone(), self.fetch)?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let partitions = self.partitions();
        if partition >= partitions {
            return internal_err!(
                "there is no partition {partition} of {partitions} in {}",
                self.name()
            );
        }
        let execution = self.executions.join(partition, partitions, &context);
        let fill = self.fill(partition, &execution, context.memory_pool());
        let part = Part {
            request: Arc::new(self.request()?),
            execution,
            partition,
            partitions,
            metrics: ScanMetrics::new(&self.metrics, partition),
            pool: Arc::clone(context.memory_pool()),
            schema: self.schema(),
            batch_size: context.session_config().batch_size(),
        };
        let batches = part.execute(self.source.connection.io(), fill);
        let batches = RecordBatchStreamAdapter::new(self.schema(), batches);
        Ok(Box::pin(cooperative(batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let schema = self.schema();
        Ok(Arc::new(match args.partition() {
            // How the service lays rows out over streams is known only when they are read.
            Some(_) => Statistics::new_unknown(&schema),
            None => {
                let is_checked = self.options.check_row_counts == CheckRowCounts::Error;
                let (size, all) = (self.source.size, &self.source.schema);
                let mut known = statistics::of_scan(size, all, &schema, self.fetch, is_checked);
                for (field, column) in schema.fields().iter().zip(&mut known.column_statistics) {
                    if let Some(of_variable) = self.source.known(field.name()) {
                        *column = statistics::of_variable(&of_variable, field.data_type());
                    }
                }
                known
            }
        }))
    }

    // `supports_limit_pushdown` stays false: a leaf that says true loses its limit, for there is nowhere to push it to.

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let altered = self.altered(self.projection.clone(), limit).ok()?;
        Some(Arc::new(altered))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if !all_alias_free_columns(projection.expr()) {
            return Ok(None);
        }
        let projection = new_projections_for_columns(projection.expr(), &self.projection);
        Ok(Some(Arc::new(self.altered(projection, self.fetch)?)))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, TimeUnit};

    use super::*;

    #[test]
    fn the_cheapest_variable_is_the_narrowest() {
        let of = |types: &[DataType]| {
            cheapest(&Schema::new(
                types
                    .iter()
                    .map(|data_type| Field::new("x", data_type.clone(), true))
                    .collect::<Vec<_>>(),
            ))
        };
        use DataType::*;
        assert_eq!(of(&[Utf8, Int64, Date32, Boolean]), Some(3));
        assert_eq!(
            of(&[Utf8, Timestamp(TimeUnit::Microsecond, None), Date32]),
            Some(2)
        );
        assert_eq!(of(&[Utf8, Utf8]), Some(0));
        assert_eq!(of(&[]), None);
    }
}
