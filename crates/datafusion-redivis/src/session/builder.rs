//! Puts Redivis into a session, one that is there or one that is being built.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::{CatalogProvider, SchemaProvider};
use datafusion::common::{Result, config_datafusion_err, config_err};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionContext;
use redivis::Client;
use tokio::runtime::Handle;

use super::Redivis;
use crate::cache::Cache;
use crate::catalog::{
    DefaultParent, DefaultSchema, LocalList, MetadataCache, OwnerCatalogList, RedivisTableFactory,
    ReferenceSchema, Registration, Registrations, SCHEMA, store::RedivisObjectStoreRegistry,
};
use crate::options::RedivisOptions;
use crate::plan::{NoImplicitCasts, RedivisPlanner};
use crate::sql::functions::{RedivisQueryFunction, RedivisTableFunction, query_function};
use crate::write::Writes;

/// Makes an existing session speak Redivis, with everything as [`RedivisBuilder`] has it by default.
///
/// Sends nothing. Called again with a client for the same endpoint, it puts that client in the place of the one before, for
/// tables and plans that exist already as well; everything else stays as it is.
pub fn register(ctx: &SessionContext, client: Client) -> Result<Redivis> {
    RedivisBuilder::new(client).register(ctx)
}

/// What Redivis is to be in a session.
///
/// The first endpoint of a session is put behind the schema `redivis`, behind bare references in the default schema, behind
/// owners as catalogs, `STORED AS REDIVIS`, the functions and the URLs. Further endpoints have schema names of their own, which
/// their functions, procedures and `STORED AS` are called by as well:
///
/// ```
/// # use datafusion::prelude::SessionContext;
/// # use datafusion_redivis::RedivisBuilder;
/// # fn example(production: redivis::Client, staging: redivis::Client) -> datafusion::common::Result<()> {
/// let ctx = SessionContext::new();
/// let redivis = RedivisBuilder::new(production).register(&ctx)?;
/// RedivisBuilder::new(staging).schema_name("staging").register(&ctx)?;
/// // SELECT … FROM redivis.'o.d.t' EXCEPT SELECT … FROM staging.'o.d.t'
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct RedivisBuilder {
    client: Client,
    schema: String,
    capacity: NonZeroUsize,
    max_age: Duration,
    options: Option<RedivisOptions>,
    default_parent: Option<DefaultParent>,
    io_runtime: Option<Handle>,
}

impl RedivisBuilder {
    /// Everything that `client` may read.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            schema: SCHEMA.to_owned(),
            capacity: MetadataCache::DEFAULT_CAPACITY,
            max_age: MetadataCache::DEFAULT_MAX_AGE,
            options: None,
            default_parent: None,
            io_runtime: None,
        }
    }

    /// The schema whose table names are references. Default: `redivis`.
    pub fn schema_name(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How many tables are remembered. Default: [`MetadataCache::DEFAULT_CAPACITY`].
    pub fn metadata_capacity(mut self, tables: NonZeroUsize) -> Self {
        self.capacity = tables;
        self
    }

    /// How long a table that may change is taken for unchanged. Default: [`MetadataCache::DEFAULT_MAX_AGE`].
    pub fn metadata_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The options under `redivis.`. Default: those that the session has, or else [`RedivisOptions::default`].
    pub fn options(mut self, options: RedivisOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// The dataset or workflow that bare table names are looked up in, as
    /// [`Redivis::set_default_parent`](super::Redivis::set_default_parent) does.
    pub fn default_parent(mut self, parent: DefaultParent) -> Self {
        self.default_parent = Some(parent);
        self
    }

    /// The runtime that rows are read and decoded on, which must drive sockets and timers; those that plan and execute
    /// queries compute. Default: rows are read where the plan is executed.
    pub fn io_runtime(mut self, runtime: Handle) -> Self {
        self.io_runtime = Some(runtime);
        self
    }

    /// Puts it into an existing session.
    ///
    /// Where files are tables too (`SessionContext::enable_url_table`), enable that first, so that a local file wins over a
    /// reference that is spelled like it. Fails if the session has no default catalog and schema, and where the schema's name
    /// is taken by another endpoint or by local tables.
    pub fn register(self, ctx: &SessionContext) -> Result<Redivis> {
        let (registration, registrations) = {
            let state = ctx.state_ref();
            let mut state = state.write();
            let (installed, registration, registrations) = self.install(state.clone())?;
            *state = installed;
            (registration, registrations)
        };
        Ok(Redivis::new(ctx, registration, registrations))
    }

    /// Puts it into a session that is being built. [`Redivis::of`](super::Redivis::of) is the way to it afterwards.
    ///
    /// Fails as [`register`](Self::register) does.
    pub fn build_into(self, session: SessionStateBuilder) -> Result<SessionStateBuilder> {
        let (state, ..) = self.install(session.build())?;
        let session_id = state.session_id().to_owned();
        Ok(SessionStateBuilder::new_from_existing(state).with_session_id(session_id))
    }

    /// The session with the endpoint in it.
    fn install(
        self,
        state: SessionState,
    ) -> Result<(SessionState, Registration, Arc<Registrations>)> {
        let registrations = Registrations::of(&state);
        if let Some(registrations) = &registrations
            && let Some(found) = registrations.get(&self.schema)
        {
            found.metadata.replace_client(self.client)?;
            if self.default_parent.is_some() {
                found.metadata.set_default_parent(self.default_parent);
            }
            let mut state = state;
            if let Some(options) = self.options {
                state.config_mut().options_mut().extensions.insert(options);
            }
            return Ok((state, found, Arc::clone(registrations)));
        }
        let writes = Writes::of(state.config());
        let mut metadata = MetadataCache::new(self.client)
            .with_writes(Arc::clone(&writes))
            .with_capacity(self.capacity)
            .with_max_age(self.max_age);
        if let Some(runtime) = self.io_runtime {
            metadata = metadata.with_io_runtime(runtime);
        }
        let options = self.options.clone();
        let options = options.unwrap_or_else(|| RedivisOptions::of(state.config_options()));
        if metadata.client().is_offline() {
            metadata = metadata.with_cache(Cache::of(&options)?);
        }
        metadata.set_default_parent(self.default_parent);
        let metadata = Arc::new(metadata);
        let registration = Registration {
            schema: self.schema,
            metadata: Arc::clone(&metadata),
        };
        let schema = &registration.schema;
        add_schema(&state, &registration)?;
        let (mut state, registrations) = match registrations {
            Some(registrations) => {
                registrations.add(registration.clone());
                (state, registrations)
            }
            None => first(state, &registration)?,
        };
        state.config_mut().set_extension(writes);
        let extensions = &mut state.config_mut().options_mut().extensions;
        if self.options.is_some() || extensions.get::<RedivisOptions>().is_none() {
            extensions.insert(self.options.unwrap_or_default());
        }
        let factory = RedivisTableFactory::new(Arc::clone(&metadata));
        state
            .table_factories_mut()
            .insert(schema.to_uppercase(), Arc::new(factory));
        state.register_udtf(schema, Arc::new(RedivisTableFunction::new(metadata)));
        state.register_udtf(&query_function(schema), Arc::new(RedivisQueryFunction));
        Ok((state, registration, registrations))
    }
}

/// Puts the schema of references into the default catalog.
fn add_schema(state: &SessionState, registration: &Registration) -> Result<()> {
    let (catalog, _) = default_schema(state)?;
    let Registration { schema, metadata } = registration;
    if catalog.schema(schema).is_some() {
        return config_err!(
            "the session has a schema {schema} already; choose another name with RedivisBuilder::schema_name"
        );
    }
    let references = ReferenceSchema::new(Arc::clone(metadata));
    catalog.register_schema(schema, Arc::new(references))?;
    Ok(())
}

/// Puts the first endpoint behind everything that names no schema.
fn first(
    state: SessionState,
    registration: &Registration,
) -> Result<(SessionState, Arc<Registrations>)> {
    let (catalog, local) = default_schema(&state)?;
    let options = state.config().options().catalog.clone();
    let list = Arc::clone(state.catalog_list());
    let metadata = &registration.metadata;
    let local_list = LocalList {
        list: Arc::clone(&list),
        default_catalog: options.default_catalog,
        default_schema: options.default_schema.clone(),
        local: Arc::clone(&local),
    };
    let registrations = Arc::new(Registrations::new(registration.clone(), local_list));

    // The session holds the registrations, and they are not to hold each other for ever.
    let weak = Arc::downgrade(&registrations);
    let current = move || weak.upgrade()?.session();
    let default = DefaultSchema::new(local, Arc::clone(metadata), current.clone());
    catalog.register_schema(&options.default_schema, Arc::new(default))?;

    let runtime = Arc::clone(state.runtime_env());
    let disk = Arc::clone(&runtime.disk_manager);
    let stores = RedivisObjectStoreRegistry::new(
        Arc::clone(&runtime.object_store_registry),
        Arc::clone(metadata),
        move || {
            // The folder of temporary files may have been set since.
            let disk = match current() {
                Some(session) => Arc::clone(&session.runtime_env().disk_manager),
                None => Arc::clone(&disk),
            };
            disk.create_tmp_file("writing to Redivis")
        },
    );
    let runtime = RuntimeEnvBuilder::from_runtime_env(&runtime)
        .with_object_store_registry(Arc::new(stores))
        .build_arc()?;

    let planner = RedivisPlanner::new(Arc::clone(state.query_planner()));
    let session_id = state.session_id().to_owned();
    let mut state = SessionStateBuilder::new_from_existing(state)
        .with_session_id(session_id)
        .with_runtime_env(runtime)
        .with_query_planner(Arc::new(planner))
        .build();
    // Building on a session takes this back for good, and a configuration may be copied to make another session.
    let catalog = &mut state.config_mut().options_mut().catalog;
    catalog.create_default_catalog_and_schema = options.create_default_catalog_and_schema;
    state.add_analyzer_rule(Arc::new(NoImplicitCasts));
    let owners = OwnerCatalogList::new(list, Arc::clone(metadata));
    state.register_catalog_list(Arc::new(owners));
    state.config_mut().set_extension(Arc::clone(&registrations));
    Ok((state, registrations))
}

fn default_schema(
    state: &SessionState,
) -> Result<(Arc<dyn CatalogProvider>, Arc<dyn SchemaProvider>)> {
    let options = &state.config().options().catalog;
    let catalog = state.catalog_list().catalog(&options.default_catalog);
    let schema = |catalog: &Arc<dyn CatalogProvider>| catalog.schema(&options.default_schema);
    catalog
        .and_then(|catalog| Some((Arc::clone(&catalog), schema(&catalog)?)))
        .ok_or_else(|| {
            config_datafusion_err!(
                "the session has no default catalog and schema to put Redivis behind"
            )
        })
}
