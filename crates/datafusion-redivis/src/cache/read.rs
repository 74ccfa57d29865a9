//! The plan over an entry: DataFusion's own Parquet scan, which says that it is cached and asks first whether it may be read.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::config::{ConfigOptions, TableParquetOptions};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::source::{DataSource, DataSourceExec, OpenArgs};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayFormatType, ExecutionPlan, Partitioning, SortOrderPushdownResult,
};
use futures::stream::{self, TryStreamExt};
use object_store::memory::InMemory;
use redivis::resource::Table;

use super::entry::Entry;
use super::key::TableKey;
use super::reader::EntryFiles;
use super::selective::passes_few;
use crate::connection::Connection;
use crate::error::CacheError;

/// The files are open already, so no store is ever asked for them; DataFusion wants one all the same.
const STORE: &str = "redivis-cache:///";

/// A scan of the variables `wanted` of a table, out of an entry that has them.
pub(crate) fn plan(
    entry: Entry,
    wanted: &SchemaRef,
    limit: Option<usize>,
    key: &TableKey,
    table: &Table,
    connection: &Arc<Connection>,
    state: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    let entry = Arc::new(entry);
    let schema = Arc::clone(&entry.schema);
    let projection = wanted
        .fields()
        .iter()
        .map(|field| schema.index_of(field.name()));
    let projection: Vec<usize> = projection.collect::<Result<_, _>>()?;
    let files = EntryFiles(Arc::clone(&entry));
    let partitioned: Vec<_> = files.files().collect();
    // All but the number of rows stays unknown, so that nothing is answered before it is asked who may read.
    let statistics = Statistics {
        num_rows: Precision::Exact(usize::try_from(entry.rows).unwrap_or(usize::MAX)),
        ..Statistics::new_unknown(&schema)
    };
    let options = TableParquetOptions {
        global: state.config_options().execution.parquet.clone(),
        ..TableParquetOptions::default()
    };
    let source = ParquetSource::new(schema)
        .with_table_parquet_options(options)
        .with_enable_page_index(true)
        .with_parquet_file_reader_factory(Arc::new(files));
    let scan = FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE)?, Arc::new(source))
        .with_file_groups(vec![FileGroup::new(partitioned)])
        .with_statistics(statistics)
        .with_limit(limit)
        .with_projection_indices(Some(projection))?
        .build();
    let cached = Cached {
        entry,
        name: key.name.clone(),
        table: table.clone(),
        connection: Arc::clone(connection),
    };
    Ok(DataSourceExec::from_data_source(CachedSource {
        scan: Arc::new(scan),
        cached: Arc::new(cached),
    }))
}

/// What is read, and as whom.
#[derive(Debug)]
struct Cached {
    entry: Arc<Entry>,
    name: String,
    table: Table,
    connection: Arc<Connection>,
}

impl Cached {
    /// Asks the service whether its rows may be read, once a session.
    async fn may_read(self: Arc<Self>) -> Result<()> {
        let (access, io) = (self.connection.access(), self.connection.io());
        access.may_read(io, &self.table, &self.entry.schema).await
    }

    /// What a failure to read the entry means.
    fn failure(&self, error: DataFusionError) -> DataFusionError {
        if !self.entry.is_damaged() {
            return error;
        }
        CacheError::Damaged {
            table: self.name.clone(),
            entry: self.entry.folder().to_owned(),
        }
        .into()
    }
}

/// A Parquet scan of an entry: the scan itself, but for what it is called and for the question before its first row.
#[derive(Debug, Clone)]
struct CachedSource {
    scan: Arc<dyn DataSource>,
    cached: Arc<Cached>,
}

impl CachedSource {
    /// Whether these filters are applied while rows are decoded: those that let few rows pass, and those that become such while the
    /// query runs, as under a top of the rows.
    fn decodes_selectively(&self, filters: &[Arc<dyn PhysicalExpr>]) -> bool {
        let Some(scan) = self.scan.downcast_ref::<FileScanConfig>() else {
            return false;
        };
        // Once others are applied to batches, it costs more to apply them here too.
        scan.file_source().filter().is_none()
            && (filters
                .iter()
                .all(|filter| filter.is::<DynamicFilterPhysicalExpr>())
                || passes_few(
                    &self.cached.entry,
                    self.scan.eq_properties().schema(),
                    filters,
                ))
    }

    fn with(&self, scan: Arc<dyn DataSource>) -> Arc<dyn DataSource> {
        let cached = Arc::clone(&self.cached);
        Arc::new(Self { scan, cached })
    }
}

impl DataSource for CachedSource {
    fn open(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.open_with_args(OpenArgs::new(partition, context))
    }

    fn open_with_args(&self, args: OpenArgs) -> Result<SendableRecordBatchStream> {
        let url = ObjectStoreUrl::parse(STORE)?;
        let runtime = args.context.runtime_env();
        runtime.register_object_store(url.as_ref(), Arc::new(InMemory::new()));
        let schema = Arc::clone(self.scan.eq_properties().schema());
        let (scan, cached) = (Arc::clone(&self.scan), Arc::clone(&self.cached));
        // Asked now, as sessions are opened: the scans under a join wait for the service together.
        let asked = Arc::clone(&cached).may_read();
        let asked = cached.connection.io().start(asked);
        let open = async move {
            match asked.await {
                Some(outcome) => outcome?,
                None => Arc::clone(&cached).may_read().await?,
            }
            let rows = scan.open_with_args(args)?;
            Ok::<_, DataFusionError>(rows.map_err(move |error| cached.failure(error)))
        };
        let rows = stream::once(open).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.cached.name;
        let scan = self
            .scan
            .downcast_ref::<FileScanConfig>()
            .ok_or(fmt::Error)?;
        let source = scan.file_source();
        let columns: Vec<String> = source.projection().map_or_else(Vec::new, |projection| {
            let columns = projection.as_ref().iter();
            columns
                .map(|column| match column.expr.to_string() {
                    // A column is shown with its place.
                    expr if expr
                        .rsplit_once('@')
                        .is_some_and(|(name, _)| name == column.alias) =>
                    {
                        column.alias.clone()
                    }
                    expr => format!("{expr} as {}", column.alias),
                })
                .collect()
        });
        let columns = columns.join(", ");
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "cached, table={table}, projection=[{columns}]")?;
                if let Some(limit) = self.scan.fetch() {
                    write!(f, ", limit={limit}")?;
                }
                source.fmt_extra(format, f)
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "cached")?;
                writeln!(f, "table={table}")?;
                writeln!(f, "projection={columns}")?;
                if let Some(limit) = self.scan.fetch() {
                    writeln!(f, "limit={limit}")?;
                }
                source.fmt_extra(format, f)
            }
        }
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let scan = self.scan.repartitioned(
            target_partitions,
            repartition_file_min_size,
            output_ordering,
        )?;
        Ok(scan.map(|scan| self.with(scan)))
    }

    fn output_partitioning(&self) -> Partitioning {
        self.scan.output_partitioning()
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        self.scan.eq_properties()
    }

    fn scheduling_type(&self) -> SchedulingType {
        self.scan.scheduling_type()
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        self.scan.partition_statistics(partition)
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        Some(self.with(self.scan.with_fetch(limit)?))
    }

    fn fetch(&self) -> Option<usize> {
        self.scan.fetch()
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.scan.metrics()
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let scan = self.scan.try_swapping_with_projection(projection)?;
        Ok(scan.map(|scan| self.with(scan)))
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        let mut config = config.clone();
        config.execution.parquet.pushdown_filters |= self.decodes_selectively(&filters);
        let pushed = self.scan.try_pushdown_filters(filters, &config)?;
        Ok(FilterPushdownPropagation {
            filters: pushed.filters,
            updated_node: pushed.updated_node.map(|scan| self.with(scan)),
        })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn DataSource>>> {
        let pushed = self.scan.try_pushdown_sort(order)?;
        pushed.try_map(|scan| Ok(self.with(scan)))
    }

    fn with_preserve_order(&self, preserve_order: bool) -> Option<Arc<dyn DataSource>> {
        Some(self.with(self.scan.with_preserve_order(preserve_order)?))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.scan.apply_expressions(f)
    }

    fn with_new_state(&self, state: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn DataSource>> {
        Some(self.with(self.scan.with_new_state(state)?))
    }

    fn create_sibling_state(&self, config: &ConfigOptions) -> Option<Arc<dyn Any + Send + Sync>> {
        self.scan.create_sibling_state(config)
    }
}
