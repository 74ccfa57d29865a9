//! A `SessionContext` that speaks Redivis.
//!
//! In: SQL, or parsed statements. Out: plans and `DataFrame`s. [`RedivisBuilder`] puts Redivis behind the names of a session; the
//! [`Redivis`] that it returns runs SQL in it with what DataFusion's own `sql` has no place for. Uses every layer; none uses it.

mod builder;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::catalog::CatalogProviderList;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{
    DdlStatement, LogicalPlan, LogicalPlanBuilder, Statement as LogicalStatement,
};
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::ObjectName;
use futures::stream::{self, StreamExt, TryStreamExt};
use redivis::Client;
use redivis::resource::Table;
use redivis::write::SendProgress;

pub use self::builder::{RedivisBuilder, register};
use crate::cache::{Cache, CachedTable};
use crate::catalog::{Ahead, DefaultParent, MetadataCache, Registration, Registrations};
use crate::options::RedivisOptions;
use crate::plan::{self, RedivisStatement, definition, insert};
use crate::running::RunningQuery;
use crate::sql::functions;
use crate::sql::identifiers::{self, Names};
use crate::sql::statement::{self, Body};
use crate::sql::{references, urls};
use crate::table::RedivisTable;
use crate::write::draft;

/// Names that are looked up side by side.
const LOOKED_UP_AT_ONCE: usize = 16;

/// A session that speaks Redivis; made by [`register`] and [`RedivisBuilder`]. Cheap to clone.
///
/// Where a session speaks to several endpoints, each has one of these; statements may name tables of all of them.
#[derive(Clone)]
pub struct Redivis {
    ctx: SessionContext,
    metadata: Arc<MetadataCache>,
    registrations: Arc<Registrations>,
}

impl std::fmt::Debug for Redivis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redivis")
            .field("client", &self.client())
            .finish_non_exhaustive()
    }
}

impl Redivis {
    fn new(
        ctx: &SessionContext,
        registration: Registration,
        registrations: Arc<Registrations>,
    ) -> Self {
        let session = ctx.state_weak_ref();
        registrations.attach(move || Some(session.upgrade()?.read().clone()));
        Self {
            ctx: ctx.clone(),
            metadata: registration.metadata,
            registrations,
        }
    }

    /// The first endpoint that a session speaks to; `None` where it speaks to none.
    pub fn of(ctx: &SessionContext) -> Option<Self> {
        let registrations = Registrations::of(&ctx.state())?;
        Some(Self::new(ctx, registrations.first.clone(), registrations))
    }

    /// Runs one statement, as `SessionContext::sql` does, and with identifiers without regard to case, `redivis('…')` and
    /// `redivis_query('…')`.
    ///
    /// A query is planned and not yet run, and so is an `INSERT`; DDL (which gives the number of rows of a table that it makes on Redivis), `SET`, `CALL` and `COPY` to a file on Redivis take
    /// effect at once, and a `redivis_query` runs on Redivis to be planned, unless the session has its result.
    pub async fn sql(&self, sql: &str) -> Result<DataFrame> {
        self.sql_with_options(sql, SQLOptions::new()).await
    }

    /// The same for what `options` allow: `DDL`, `DML` and statements on Redivis are refused exactly as local ones are, before
    /// anything is sent that could change something there.
    ///
    /// ```
    /// # use datafusion::prelude::SQLOptions;
    /// # async fn example(redivis: datafusion_redivis::Redivis, sql: &str) -> datafusion::common::Result<()> {
    /// let read_only = SQLOptions::new()
    ///     .with_allow_ddl(false)
    ///     .with_allow_dml(false)
    ///     .with_allow_statements(false);
    /// let rows = redivis.sql_with_options(sql, read_only).await?.collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sql_with_options(&self, sql: &str, options: SQLOptions) -> Result<DataFrame> {
        let state = self.ctx.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect)?;
        let plan = self.plan(statement).await?;
        plan::verify(&options, &plan)?;
        self.execute(plan).await
    }

    /// Plans a statement that is parsed already, for shells that split statements themselves.
    ///
    /// What [`sql`](Self::sql) does except for running it: give the plan to [`execute`](Self::execute).
    pub async fn plan(&self, mut statement: Statement) -> Result<LogicalPlan> {
        let state = self.ctx.state();
        let registrations = &self.registrations;
        let options = RedivisOptions::of(state.config_options());
        let ahead = match (options.cache, &statement) {
            (false, _) => Ahead::Nothing,
            (true, Statement::Explain(_)) => Ahead::Account,
            (true, _) => Ahead::Access(Cache::of(&options)?),
        };
        for registration in registrations.all() {
            registration.metadata.ask_with_tables(ahead.clone());
        }
        let normalize = state
            .config()
            .options()
            .sql_parser
            .enable_ident_normalization;
        statement::describe_columns(&mut statement);
        references::quote(&mut statement, |schema| registrations.get(schema).is_some());
        urls::encode(&mut statement)?;
        let remote = |name: &ObjectName| {
            registrations.remote(object_name_to_table_reference(name.clone(), normalize)?)
        };
        if let Body::Sql(body) = statement::body(&mut statement) {
            definition::mark(body, remote)?;
            if let Some(name) = insert::target(body)
                && let Some((registration, reference)) = remote(name)?
            {
                registration.metadata.written(&reference).await?;
            }
        }
        // Results of queries are known by their names until the statement is planned.
        let mut queries = vec![];
        for registration in registrations.all() {
            queries.extend(functions::resolve(&mut statement, &registration).await?);
        }
        let names = names(&state, &statement).await?;
        identifiers::respell(&mut statement, &names)?;
        if let Some((body, around)) = statement::take(&statement)?
            && let Some(plan) = plan::plan(&state, body, around, registrations).await?
        {
            return Ok(plan);
        }
        let references = state.resolve_table_references(&statement)?;
        match state.statement_to_plan(statement).await {
            Ok(plan) => plan::on_redivis(plan, registrations).await,
            Err(error) => Err(self.not_found(&references, &names, error).await),
        }
    }

    /// Executes a plan, as `SessionContext::execute_logical_plan` does, but defines tables and views whatever Redivis has under
    /// their names: from then on the local ones win. Statements on Redivis take effect at once, as DDL does.
    pub async fn execute(&self, plan: LogicalPlan) -> Result<DataFrame> {
        if RedivisStatement::of(&plan).is_some() {
            let frame = self.ctx.execute_logical_plan(plan).await?;
            let result = frame.collect().await?;
            if result.is_empty() {
                let nothing = LogicalPlanBuilder::empty(false).build()?;
                return Ok(DataFrame::new(self.ctx.state(), nothing));
            }
            return self.ctx.read_batches(result);
        }
        if let LogicalPlan::Statement(LogicalStatement::ResetVariable(reset)) = &plan
            && let Some(key) = reset.variable.strip_prefix("redivis.")
        {
            // DataFusion resets only what is its own.
            let state = self.ctx.state_ref();
            let mut state = state.write();
            let mut options = RedivisOptions::of(state.config().options());
            options.reset(key)?;
            state.config_mut().options_mut().extensions.insert(options);
            drop(state);
            return self.ctx.read_empty();
        }
        if !matches!(&plan, LogicalPlan::Ddl(definition) if defines_a_name(definition)) {
            return self.ctx.execute_logical_plan(plan).await;
        }
        let mut state = self.ctx.state();
        let local = Arc::clone(&self.registrations.local);
        state.register_catalog_list(local as Arc<dyn CatalogProviderList>);
        SessionContext::new_with_state(state)
            .execute_logical_plan(plan)
            .await
    }

    /// The service's word on a bare name that is neither local nor in the default dataset or workflow; otherwise the error.
    async fn not_found(
        &self,
        references: &[TableReference],
        names: &Names,
        error: DataFusionError,
    ) -> DataFusionError {
        for reference in references {
            let resolved = names.resolve(reference.clone());
            if matches!(reference, TableReference::Bare { .. })
                && error
                    .strip_backtrace()
                    .contains(&format!("table '{resolved}' not found"))
                && let Some(why) = self.metadata.why_no_default_table(reference.table()).await
            {
                return why;
            }
        }
        error
    }

    /// How long statements waited for the queries that were sent since then and have ended: time that Redivis took and not this
    /// machine.
    pub fn waited_since(&self, start: Instant) -> Duration {
        let registrations = self.registrations.all().into_iter();
        let waited = registrations.map(|it| it.metadata.connection().running().waited_since(start));
        waited.sum()
    }

    /// The table that a reference means, `owner.dataset.table` with all its parts, as statements of this session see it.
    pub async fn table(&self, reference: &str) -> Result<Arc<RedivisTable>> {
        self.metadata.table(reference).await
    }

    /// The same with the descriptions and value labels of its variables, at the cost of a request for each.
    ///
    /// From then on, statements that name the table so carry them in the metadata of their fields.
    pub async fn describe(&self, reference: &str) -> Result<Arc<RedivisTable>> {
        self.metadata.describe(reference).await
    }

    /// The table that files are to be sent to, as it is now. Where there is none, the [`WriteError`](crate::WriteError) says
    /// what to do about it.
    pub async fn table_to_write(&self, reference: &redivis::TableReference) -> Result<Table> {
        draft::table(&self.client(), reference).await
    }

    /// Sets the dataset or workflow that bare table names are looked up in when no local table has them.
    pub fn set_default_parent(&self, parent: Option<DefaultParent>) {
        self.metadata.set_default_parent(parent);
    }

    /// The dataset or workflow that bare table names are looked up in.
    pub fn default_parent(&self) -> Option<DefaultParent> {
        self.metadata.default_parent()
    }

    /// Forgets what the tables are, so that the next statement asks again and sees the versions that are current then.
    pub fn refresh(&self) {
        self.metadata.refresh();
    }

    /// What is kept in the cache of tables, of all endpoints and accounts, by name: `CALL redivis.cache(…)` and
    /// `CALL redivis.forget(…)` change it.
    pub async fn cached(&self) -> Result<Vec<CachedTable>> {
        let cache = Cache::of(&RedivisOptions::of(self.ctx.state().config_options()))?;
        let list = SpawnedTask::spawn_blocking(move || cache.list());
        list.join_unwind()
            .await
            .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))
    }

    /// Waits until what dropped statements had sent is taken back, and says what could not be.
    ///
    /// A statement that is dropped while it writes stops at once. Where it had told the service of an upload already, the
    /// upload is removed again in the background; a program that is about to end waits for that. Queries that were waited for go
    /// on at the service, which has nothing to call to stop them.
    pub async fn settle(&self) -> Vec<String> {
        let mut left = self.metadata.writes().settle().await;
        for registration in self.registrations.all() {
            let queries = registration.metadata.connection().running().take_left();
            left.extend(queries.iter().map(RunningQuery::left));
        }
        left
    }

    /// The queries that run on Redivis for this session's statements now, those of all its endpoints, the oldest first.
    pub fn running(&self) -> Vec<RunningQuery> {
        let registrations = self.registrations.all().into_iter();
        let queries = registrations.flat_map(|it| it.metadata.connection().running().now());
        let mut queries: Vec<RunningQuery> = queries.collect();
        queries.sort_by_key(|query| query.since);
        queries
    }

    /// What statements are sending now, or have sent and Redivis is reading in: for who shows how far they are.
    pub fn sending(&self) -> Vec<Arc<SendProgress>> {
        self.metadata.writes().sending()
    }

    /// The client that tables are read with.
    pub fn client(&self) -> Client {
        self.metadata.client()
    }

    /// What is known of the tables of this endpoint.
    pub fn metadata(&self) -> &Arc<MetadataCache> {
        &self.metadata
    }
}

/// Whether a definition is of a catalog, schema, table or view; functions belong to the session itself.
fn defines_a_name(definition: &DdlStatement) -> bool {
    !matches!(
        definition,
        DdlStatement::CreateFunction(_) | DdlStatement::DropFunction(_)
    )
}

/// Looks up all tables of a statement, for the names of their columns.
async fn names(state: &SessionState, statement: &Statement) -> Result<Names> {
    let options = state.config().options();
    let mut names = Names {
        default_catalog: options.catalog.default_catalog.clone(),
        default_schema: options.catalog.default_schema.clone(),
        normalize: options.sql_parser.enable_ident_normalization,
        tables: HashMap::new(),
    };
    let look_up = |reference: TableReference| {
        let resolved = names.resolve(reference.clone());
        async move {
            let Ok(schema) = state.schema_for_ref(reference) else {
                return Ok(None);
            };
            let table = schema.table(&resolved.table).await?;
            Ok::<_, DataFusionError>(table.map(|table| (resolved, table.schema())))
        }
    };
    // Side by side, and yet the first name that means nothing is the one that is told.
    let references = state.resolve_table_references(statement)?;
    let found = stream::iter(references.into_iter().map(look_up))
        .buffered(LOOKED_UP_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    names.tables.extend(found.into_iter().flatten());
    Ok(names)
}
