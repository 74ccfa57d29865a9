//! Runs queries: text in, a Parquet file of the result out.
//!
//! Rows are streamed from the tables' files to the result's; what has to be held, as for sorting, is held in memory up
//! to a limit that all queries share, and then on disk.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, SchemaRef},
};
use datafusion::{
    execution::{
        SessionStateBuilder, SessionStateDefaults,
        context::SessionContext,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::FairSpillPool,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
        session_state::SessionState,
    },
    physical_plan::execute_stream,
    prelude::SessionConfig,
    sql::{parser::Statement as EngineStatement, sqlparser::ast::Statement},
};
use futures::StreamExt;
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use super::{
    dialect::{self, Spelling},
    error::QueryError,
    function::{self, Kind},
    operator::Comparisons,
    pauses::Pauses,
    record::Query,
    table::QueryTable,
    tables::{Tables, registered},
};
use crate::{
    catalog::{Catalog, Table},
    durable,
    storage::{VariableType, schema_of},
};

/// Bytes that all queries together hold in memory at most.
const MEMORY: usize = 512 << 20;

/// A row group is closed when it has this many bytes.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Characters of a variable's name at most (redivis-api §3.2).
const NAME: usize = 60;

/// What a query's result is.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) schema: Vec<(String, VariableType)>,
    pub(super) is_public: bool,
}

/// What all queries share.
#[derive(Debug)]
pub(super) struct Engine {
    runtime: Arc<RuntimeEnv>,
    catalog: Arc<Catalog>,
    results: PathBuf,
}

impl Engine {
    /// Results and what does not fit into memory go below the state folder.
    pub(super) fn new(state: &Path, catalog: Arc<Catalog>) -> std::io::Result<Self> {
        let (results, spill) = (state.join("results"), state.join("spill"));
        durable::create_folder(&results)?;
        // What an earlier run spilled is of no use any more.
        if spill.exists() {
            std::fs::remove_dir_all(&spill)?;
        }
        durable::create_folder(&spill)?;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY)))
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill])),
            )
            .build_arc()
            .map_err(std::io::Error::other)?;
        Ok(Engine {
            runtime,
            catalog,
            results,
        })
    }

    /// Where the result of the query of this id is.
    pub(super) fn result(&self, id: &str) -> PathBuf {
        self.results.join(format!("{id}.parquet"))
    }

    /// The files that results have.
    pub(super) fn results(&self) -> &Path {
        &self.results
    }

    /// Runs a query. Dropping the future ends it, and leaves nothing behind.
    pub(super) async fn run(&self, query: &Query) -> Result<Outcome, QueryError> {
        let prepared = {
            let (catalog, query) = (Arc::clone(&self.catalog), query.clone());
            blocking(move || Prepared::new(&catalog, &query)).await?
        };
        let context = SessionContext::new_with_state(self.session());
        for (place, table) in prepared.tables.into_iter().enumerate() {
            context.register_table(registered(place).as_str(), Arc::new(QueryTable::new(table)))?;
        }
        let state = context.state();
        let plan = state.statement_to_plan(prepared.statement).await?;
        let names = names(
            plan.schema().fields().iter().map(|f| f.name().as_str()),
            &prepared.spelling,
        )?;
        let plan = state.optimize(&plan)?;
        let plan = state
            .query_planner()
            .create_physical_plan(&plan, &state)
            .await?;
        let schema = schema(&names, &plan.schema())?;
        let mut rows = execute_stream(plan, state.task_ctx())?;

        let wire = schema_of(schema.iter().map(|(name, kind)| (name.as_str(), *kind)));
        let folder = self.results.clone();
        let mut writer = blocking(move || Writer::new(&folder, wire)).await?;
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            writer = blocking(move || writer.write(&batch)).await?;
        }
        let target = self.result(&query.id);
        blocking(move || writer.finish(&target)).await?;
        Ok(Outcome {
            schema,
            is_public: prepared.is_public,
        })
    }

    fn session(&self) -> SessionState {
        let mut config = SessionConfig::new().with_target_partitions(
            std::thread::available_parallelism().map_or(2, |cores| cores.get().min(8)),
        );
        let options = config.options_mut();
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.sql_parser.collect_spans = true;
        // Null is less than everything else in BigQuery.
        options.sql_parser.default_null_ordering = "nulls_min".to_owned();
        // Sorts of the parts of a union that are merged are planned wrongly where each part is one constant.
        options.optimizer.repartition_sorts = false;
        // Its optimizer makes columns nullable that were not, which a check of its planner takes for a mistake.
        options.execution.skip_physical_aggregate_schema_check = true;
        let mut planners = SessionStateDefaults::default_expr_planners();
        planners.insert(0, Arc::new(Comparisons));
        SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_expr_planners(planners)
            .with_physical_optimizer_rule(Arc::new(Pauses))
            .with_scalar_functions(function::scalar())
            .with_aggregate_functions(function::aggregate())
            .with_window_functions(function::window())
            .build()
    }
}

/// A query in the engine's form, and the tables it reads.
struct Prepared {
    statement: EngineStatement,
    tables: Vec<Arc<Table>>,
    spelling: Spelling,
    is_public: bool,
}

impl Prepared {
    fn new(catalog: &Catalog, query: &Query) -> Result<Self, QueryError> {
        let mut tables = Tables::new(catalog, query.access, query.default_dataset.as_deref());
        let rewritten = dialect::rewrite(&query.text, &function::is_known, &mut tables)?;
        Ok(Prepared {
            statement: EngineStatement::Statement(Box::new(Statement::Query(rewritten.query))),
            is_public: tables.are_public(),
            tables: tables.into_found().collect(),
            spelling: rewritten.spelling,
        })
    }
}

/// Runs what blocks or takes long off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    spawn_blocking(work)
        .await
        .map_err(|_| QueryError::new("The server failed while it ran the query"))?
}

/// The result's names, as they were written.
fn names<'a>(
    columns: impl Iterator<Item = &'a str>,
    spelling: &Spelling,
) -> Result<Vec<String>, QueryError> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for column in columns {
        let name = spelling.get(column).map_or(column, String::as_str);
        if !seen.insert(column.to_lowercase()) {
            return Err(QueryError::new(format!(
                "The result has two columns named `{name}`; give one of them another name with AS"
            )));
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || !name.chars().all(word)
            || name.chars().count() > NAME
        {
            return Err(QueryError::new(format!(
                "`{name}` cannot be the name of a column of the result: names are letters, digits and underscores, at most {NAME}, and start with no digit"
            )));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn schema(names: &[String], schema: &SchemaRef) -> Result<Vec<(String, VariableType)>, QueryError> {
    let mut columns = Vec::with_capacity(names.len());
    for (name, field) in names.iter().zip(schema.fields()) {
        let kind = match Kind::of(field.data_type()) {
            // A null that is nothing else is an integer in BigQuery.
            Some(Kind::Null | Kind::Int) => VariableType::Integer,
            Some(Kind::Float) => VariableType::Float,
            Some(Kind::Bool) => VariableType::Boolean,
            Some(Kind::Text) => VariableType::String,
            Some(Kind::Date) => VariableType::Date,
            Some(Kind::DateTime | Kind::Timestamp) => VariableType::DateTime,
            Some(Kind::Time) => VariableType::Time,
            Some(Kind::Bytes) => {
                return Err(QueryError::new(format!(
                    "The column `{name}` is of type BYTES, which no variable has; TO_HEX or TO_BASE64 make a text of it"
                )));
            }
            None => {
                let kind = match field.data_type() {
                    DataType::List(_) => "an array".to_owned(),
                    other => format!("of type {other}"),
                };
                return Err(QueryError::new(format!(
                    "The column `{name}` is {kind}, which no variable is"
                )));
            }
        };
        columns.push((name.clone(), kind));
    }
    Ok(columns)
}

/// Writes a result aside, and publishes it when it is complete.
struct Writer {
    schema: SchemaRef,
    aside: NamedTempFile,
    parquet: ArrowWriter<File>,
}

impl Writer {
    fn new(folder: &Path, schema: SchemaRef) -> Result<Self, QueryError> {
        let aside = durable::aside_in(folder).map_err(unwritten)?;
        let file = aside.as_file().try_clone().map_err(unwritten)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let parquet =
            ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(unwritten)?;
        Ok(Writer {
            schema,
            aside,
            parquet,
        })
    }

    fn write(mut self, batch: &RecordBatch) -> Result<Self, QueryError> {
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(
                |(column, field)| match (column.data_type(), field.data_type()) {
                    // A point in time becomes what a clock in UTC shows.
                    (DataType::Timestamp(unit, Some(_)), wanted) => {
                        let plain = DataType::Timestamp(*unit, None);
                        let column = cast_with_options(column, &DataType::Int64, &strict)?;
                        let column = cast_with_options(&column, &plain, &strict)?;
                        cast_with_options(&column, wanted, &strict)
                    }
                    (same, wanted) if same == wanted => Ok(Arc::clone(column)),
                    (_, wanted) => cast_with_options(column, wanted, &strict),
                },
            )
            .collect::<Result<_, _>>()
            .map_err(|error| QueryError::new(error.to_string()))?;
        let options =
            arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| QueryError::new(error.to_string()))?;
        self.parquet.write(&batch).map_err(unwritten)?;
        if self.parquet.in_progress_size() > ROW_GROUP_BYTES {
            self.parquet.flush().map_err(unwritten)?;
        }
        Ok(self)
    }

    fn finish(self, target: &Path) -> Result<(), QueryError> {
        self.parquet.close().map_err(unwritten)?;
        durable::publish(self.aside, target).map_err(unwritten)
    }
}

fn unwritten(error: impl std::fmt::Display) -> QueryError {
    QueryError::new(format!("The result could not be written: {error}"))
}
