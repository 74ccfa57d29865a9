//! A `SessionContext` that speaks Redivis.
//!
//! [`register`] puts Redivis behind the names of an existing session; the [`Redivis`] that it returns runs SQL in it with
//! what DataFusion's own `sql` has no place for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use datafusion::catalog::CatalogProviderList;
use datafusion::common::{
    DataFusionError, Result, TableReference, config_datafusion_err, exec_err,
};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{DdlStatement, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast;
use redivis::resource::Table;
use redivis::{Client, Version};

use crate::catalog::{
    DefaultParent, DefaultSchema, LocalList, Lookup, OwnerList, RedivisTableFactory,
    ReferenceSchema, SCHEMA, Session, store,
};
use crate::error::refused;
use crate::options::RedivisOptions;
use crate::plan::{Copy, Definition, NoImplicitCasts, Procedure, definition, insert};
use crate::sql::functions::{self, QueryFunction, TableFunction};
use crate::sql::identifiers::{self, Names};
use crate::table::RedivisTable;
use crate::write::draft;

/// Makes an existing session speak Redivis: the schema `redivis`, references in the default schema, owners as catalogs,
/// `STORED AS REDIVIS`, the functions and the options.
///
/// Sends nothing. Where files are tables too (`SessionContext::enable_url_table`), enable that first, so that a local file
/// wins over a reference that is spelled like it. Fails if the session has no default catalog and schema.
pub fn register(ctx: &SessionContext, client: Client) -> Result<Redivis> {
    let lookup = Arc::new(Lookup::new(client));
    let state = ctx.state_ref();
    {
        let mut state = state.write();
        state
            .config_mut()
            .options_mut()
            .extensions
            .insert(RedivisOptions::default());
        let factory = Arc::new(RedivisTableFactory(Arc::clone(&lookup)));
        state
            .table_factories_mut()
            .insert("REDIVIS".to_owned(), factory);
    }
    ctx.add_analyzer_rule(Arc::new(NoImplicitCasts));
    ctx.register_udtf(
        functions::TABLE,
        Arc::new(TableFunction(Arc::clone(&lookup))),
    );
    ctx.register_udtf(functions::QUERY, Arc::new(QueryFunction));

    let options = ctx.copied_config().options().catalog.clone();
    let missing = || {
        config_datafusion_err!(
            "the session has no default catalog and schema to put Redivis behind"
        )
    };
    let catalog = ctx.catalog(&options.default_catalog).ok_or_else(missing)?;
    let local = catalog
        .schema(&options.default_schema)
        .ok_or_else(missing)?;
    let session = ctx.state_weak_ref();
    let current = ctx.state_weak_ref();
    let current: Session = Arc::new(move || Some(current.upgrade()?.read().clone()));
    register_stores(ctx, &lookup, &current)?;
    let default_schema = DefaultSchema {
        local: Arc::clone(&local),
        lookup: Arc::clone(&lookup),
        is_function: Box::new(move |name| {
            session
                .upgrade()
                .is_some_and(|session| session.read().table_functions().contains_key(name))
        }),
        session: current,
    };
    catalog.register_schema(&options.default_schema, Arc::new(default_schema))?;
    catalog.register_schema(SCHEMA, Arc::new(ReferenceSchema(Arc::clone(&lookup))))?;

    let list = Arc::clone(ctx.state().catalog_list());
    ctx.register_catalog_list(Arc::new(OwnerList {
        local: Arc::clone(&list),
        lookup: Arc::clone(&lookup),
    }));
    Ok(Redivis {
        ctx: ctx.clone(),
        lookup,
        local: Arc::new(LocalList {
            list,
            default_catalog: options.default_catalog,
            default_schema: options.default_schema,
            local,
        }),
    })
}

/// Puts the files of tables on Redivis before the object stores of the session.
fn register_stores(ctx: &SessionContext, lookup: &Arc<Lookup>, session: &Session) -> Result<()> {
    let session = Arc::clone(session);
    let runtime = ctx.runtime_env();
    let stores = store::StoreRegistry {
        others: Arc::clone(&runtime.object_store_registry),
        client: lookup.client().clone(),
        writes: Arc::clone(lookup.writes()),
        spool: Arc::new(move || match session() {
            Some(session) => {
                let disk = &session.runtime_env().disk_manager;
                disk.create_tmp_file("writing to Redivis")
            }
            None => exec_err!("the session that the file is written for is gone"),
        }),
        stores: Mutex::default(),
    };
    let runtime = RuntimeEnvBuilder::from_runtime_env(&runtime)
        .with_object_store_registry(Arc::new(stores))
        .build_arc()?;
    let state = ctx.state_ref();
    let mut state = state.write();
    let altered = SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id(ctx.session_id())
        .with_runtime_env(runtime)
        .build();
    *state = altered;
    Ok(())
}

/// A session that speaks Redivis; made by [`register`]. Cheap to clone.
#[derive(Clone)]
pub struct Redivis {
    ctx: SessionContext,
    lookup: Arc<Lookup>,
    local: Arc<LocalList>,
}

impl std::fmt::Debug for Redivis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redivis")
            .field("client", self.client())
            .finish_non_exhaustive()
    }
}

impl Redivis {
    /// Runs one statement, as `SessionContext::sql` does, and with identifiers without regard to case, `redivis('…')` and
    /// `redivis_query('…')`.
    ///
    /// A query is planned and not yet run, and so is an `INSERT`; DDL (which tells the rows of a table that it makes on Redivis), `SET`, `CALL` and `COPY` to a file on Redivis take
    /// effect at once, and a `redivis_query` runs on Redivis.
    pub async fn sql(&self, sql: &str) -> Result<DataFrame> {
        let state = self.ctx.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect)?;
        let plan = self.plan(statement).await?;
        self.execute(plan).await
    }

    /// Plans a statement that is parsed already, for shells that split statements themselves.
    ///
    /// What [`sql`](Self::sql) does except for running it: give the plan to [`execute`](Self::execute).
    pub async fn plan(&self, mut statement: Statement) -> Result<LogicalPlan> {
        let state = self.ctx.state();
        if let Statement::Statement(statement) = &statement
            && let ast::Statement::Call(function) = statement.as_ref()
        {
            return Procedure::plan(function);
        }
        encode_urls(&mut statement)?;
        definition::name(&mut statement, |name| {
            let normalize = state
                .config()
                .options()
                .sql_parser
                .enable_ident_normalization;
            self.remote(object_name_to_table_reference(name.clone(), normalize)?)
        })?;
        if let Some(name) = insert::target(&statement)
            && let Some(reference) = self.remote(object_name_to_table_reference(
                name.clone(),
                state
                    .config()
                    .options()
                    .sql_parser
                    .enable_ident_normalization,
            )?)?
        {
            self.lookup.written(&reference).await?;
        }
        // Results of queries are known by their names until the statement is planned.
        let _queries = functions::resolve(&mut statement, &self.lookup).await?;
        let names = names(&state, &statement).await?;
        identifiers::respell(&mut statement, &names)?;
        if let Some(plan) = insert::plan(&state, &statement).await? {
            return Ok(plan);
        }
        if let Some(plan) = definition::plan(&state, &statement).await? {
            return Ok(plan);
        }
        let references = state.resolve_table_references(&statement)?;
        match state.statement_to_plan(statement).await {
            Ok(plan) => Ok(plan),
            Err(error) => Err(self.not_found(&references, &names, error).await),
        }
    }

    /// Executes a plan, as `SessionContext::execute_logical_plan` does, but defines tables and views whatever Redivis has under
    /// their names: from then on the local ones win.
    pub async fn execute(&self, plan: LogicalPlan) -> Result<DataFrame> {
        let plan = match self.execute_on_redivis(plan).await? {
            Executed::There(frame) => return Ok(frame),
            Executed::NotYet(plan) => plan,
        };
        if !matches!(&plan, LogicalPlan::Ddl(definition) if defines_a_name(definition)) {
            return self.ctx.execute_logical_plan(plan).await;
        }
        let mut state = self.ctx.state();
        state.register_catalog_list(Arc::clone(&self.local) as Arc<dyn CatalogProviderList>);
        SessionContext::new_with_state(state)
            .execute_logical_plan(plan)
            .await
    }

    /// Executes what concerns Redivis itself: its tables' definitions, and procedures.
    async fn execute_on_redivis(&self, plan: LogicalPlan) -> Result<Executed> {
        let definition =
            |name: &TableReference| Definition::of(name, self.client(), self.lookup.writes());
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
                match definition(&create.name)? {
                    Some(table) => {
                        if let Some(rows) = table.create(&self.ctx.state(), create).await? {
                            return self.told(rows);
                        }
                    }
                    None => {
                        let create = DdlStatement::CreateMemoryTable(create);
                        return Ok(Executed::NotYet(LogicalPlan::Ddl(create)));
                    }
                }
            }
            LogicalPlan::Ddl(DdlStatement::DropTable(drop)) => match definition(&drop.name)? {
                Some(table) => table.drop(&drop).await?,
                None => {
                    let drop = DdlStatement::DropTable(drop);
                    return Ok(Executed::NotYet(LogicalPlan::Ddl(drop)));
                }
            },
            LogicalPlan::Extension(extension) => {
                let Some(procedure) = extension.node.as_any().downcast_ref::<Procedure>() else {
                    return Ok(Executed::NotYet(LogicalPlan::Extension(extension)));
                };
                let writes = self.lookup.writes();
                let result = procedure.run(self.client(), writes).await?;
                return self.ctx.read_batch(result).map(Executed::There);
            }
            LogicalPlan::Copy(copy) => {
                let file = Copy::of(&copy, self.client(), self.lookup.writes()).await?;
                let Some(file) = file else {
                    return Ok(Executed::NotYet(LogicalPlan::Copy(copy)));
                };
                let rows = file.run(&self.ctx.state(), copy).await?;
                return self.told(rows);
            }
            other => return Ok(Executed::NotYet(other)),
        }
        let nothing = LogicalPlanBuilder::empty(false).build()?;
        Ok(Executed::There(DataFrame::new(self.ctx.state(), nothing)))
    }

    /// The number of rows that went to Redivis, as an `INSERT` tells it.
    fn told(&self, rows: u64) -> Result<Executed> {
        let rows: ArrayRef = Arc::new(UInt64Array::from(vec![rows]));
        let told = RecordBatch::try_from_iter([("count", rows)])?;
        self.ctx.read_batch(told).map(Executed::There)
    }

    /// The table on Redivis that a definition's name means: those of the schema `redivis`, of catalogs that the session
    /// lacks, and whole references in quotes that say `:next`. All other names are the session's own, references or not.
    fn remote(&self, name: TableReference) -> Result<Option<redivis::TableReference>> {
        let local = &self.local;
        if let TableReference::Bare { table } = &name {
            let reference = table.parse::<redivis::TableReference>().ok();
            let is_next = |it: &redivis::TableReference| it.version() == Some(Version::Next);
            return Ok(reference.filter(|it| is_next(it) && !local.local.table_exist(table)));
        }
        let name = name.resolve(&local.default_catalog, &local.default_schema);
        let reference = if *name.catalog == *local.default_catalog && &*name.schema == SCHEMA {
            name.table.to_string()
        } else if local.list.catalog(&name.catalog).is_none() {
            format!("{}.{}.{}", name.catalog, name.schema, name.table)
        } else {
            return Ok(None);
        };
        reference.parse().map(Some).map_err(refused)
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
                && let Some(why) = self.lookup.why_no_default_table(reference.table()).await
            {
                return why;
            }
        }
        error
    }

    /// The table that a reference means, `owner.dataset.table` with all its parts, as statements of this session see it.
    pub async fn table(&self, reference: &str) -> Result<Arc<RedivisTable>> {
        self.lookup.table(reference).await
    }

    /// The same with the descriptions and value labels of its variables, at the cost of a request for each.
    ///
    /// From then on, statements that name the table so carry them in the metadata of their fields.
    pub async fn describe(&self, reference: &str) -> Result<Arc<RedivisTable>> {
        self.lookup.describe(reference).await
    }

    /// The table that files are to be sent to, as it is now. Where there is none, the [`WriteError`](crate::WriteError) says
    /// what to do about it.
    pub async fn table_to_write(&self, reference: &redivis::TableReference) -> Result<Table> {
        draft::table(self.client(), reference).await
    }

    /// Sets the dataset or workflow that bare table names are looked up in when no local table has them.
    pub fn set_default_parent(&self, parent: Option<DefaultParent>) {
        self.lookup.set_default_parent(parent);
    }

    /// The dataset or workflow that bare table names are looked up in.
    pub fn default_parent(&self) -> Option<DefaultParent> {
        self.lookup.default_parent()
    }

    /// Forgets what the tables are, so that the next statement asks again and sees the versions that are current then.
    pub fn refresh(&self) {
        self.lookup.refresh();
    }

    /// Waits until what dropped statements had sent is taken back, and says what could not be.
    ///
    /// A statement that is dropped while it writes stops at once. Where it had told the service of an upload already, the
    /// upload is removed again in the background; a program that is about to end waits for that.
    pub async fn settle(&self) -> Vec<String> {
        self.lookup.writes().settle().await
    }

    /// The client that tables are read with.
    pub fn client(&self) -> &Client {
        self.lookup.client()
    }
}

/// Puts URLs of files on Redivis as URLs are written: with their references encoded.
fn encode_urls(statement: &mut Statement) -> Result<()> {
    let urls = match statement {
        Statement::CopyTo(copy) => std::slice::from_mut(&mut copy.target),
        Statement::CreateExternalTable(create) => create.locations.as_mut_slice(),
        Statement::Explain(explain) => return encode_urls(&mut explain.statement),
        _ => return Ok(()),
    };
    for url in urls {
        if let Some(encoded) = store::location(url)? {
            *url = encoded;
        }
    }
    Ok(())
}

/// What became of a plan that may concern Redivis itself.
enum Executed {
    There(DataFrame),
    NotYet(LogicalPlan),
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
    for reference in state.resolve_table_references(statement)? {
        let resolved = names.resolve(reference.clone());
        let Ok(schema) = state.schema_for_ref(reference) else {
            continue;
        };
        if let Some(table) = schema.table(&resolved.table).await? {
            names.tables.insert(resolved, table.schema());
        }
    }
    Ok(names)
}
