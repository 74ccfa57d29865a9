//! From a reference to its table, asked of the service once a session.
//!
//! Statements of one session see one version of a table: `current` is what it was when the table was first used, until
//! [`MetadataCache::refresh`]. What may change (the unreleased version, a workflow's tables) is asked again after a few seconds,
//! which is long enough to plan one statement on one state of it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result, config_err};
use futures::future::join;
use lru::LruCache;
use redivis::resource::QueryRequest;
use redivis::{
    Client, DatasetReference, ErrorKind, ReferenceError, TableReference, WorkflowReference,
};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::ahead::Ahead;
use super::results::{PlannedQuery, Purpose, Results};
use crate::access::Access;
use crate::cache::Cache;
use crate::connection::Connection;
use crate::error::{QueryError, failed, of_service, refused};
use crate::table::{RedivisQuery, RedivisTable};
use crate::write::{Writes, draft};

/// The dataset or workflow that bare table names are looked up in.
#[derive(Debug, Clone)]
pub enum DefaultParent {
    /// A dataset, in a version or the current one.
    Dataset(DatasetReference),
    /// A workflow.
    Workflow(WorkflowReference),
}

impl DefaultParent {
    fn table(&self, name: &str) -> Result<TableReference, ReferenceError> {
        match self {
            Self::Dataset(dataset) => dataset.table(name),
            Self::Workflow(workflow) => workflow
                .to_string()
                .parse::<DatasetReference>()?
                .table(name),
        }
    }
}

/// What a session knows of the tables on one endpoint, and how it asks for more.
///
/// All names of a session go through one cache, so that its statements agree on what a table is. It holds a number of tables
/// and lets go of those that were not used for longest; what may change is asked for again after a while, and whenever the
/// session has written something.
#[derive(Debug)]
pub struct MetadataCache {
    connection: Arc<Connection>,
    tables: Mutex<LruCache<TableReference, Arc<Entry>>>,
    max_age: Duration,
    results: Arc<Results>,
    default_parent: RwLock<Option<DefaultParent>>,
    writes: Arc<Writes>,
    /// Where tables are looked up that nobody can be asked for.
    offline: Option<Cache>,
    ahead: RwLock<Ahead>,
}

/// A table that is being asked for, or was found.
type Entry = OnceCell<Found>;

/// A table, and when it was found.
#[derive(Debug)]
struct Found {
    table: Arc<RedivisTable>,
    at: Instant,
    /// How often the session had written something by then.
    writes: u64,
}

impl MetadataCache {
    /// How many tables are remembered, unless [`with_capacity`](Self::with_capacity) says otherwise.
    pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(1000).unwrap();
    /// How long a table that may change is taken for unchanged, unless [`with_max_age`](Self::with_max_age) says otherwise:
    /// long enough to plan one statement on one state of it.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(5);

    /// An empty cache of what `client` finds.
    pub fn new(client: Client) -> Self {
        Self {
            connection: Arc::new(Connection::from(client)),
            tables: Mutex::new(LruCache::new(Self::DEFAULT_CAPACITY)),
            max_age: Self::DEFAULT_MAX_AGE,
            results: Arc::default(),
            default_parent: RwLock::default(),
            writes: Arc::default(),
            offline: None,
            ahead: RwLock::default(),
        }
    }

    /// Remembers so many tables.
    #[must_use]
    pub fn with_capacity(mut self, tables: NonZeroUsize) -> Self {
        self.tables = Mutex::new(LruCache::new(tables));
        self
    }

    /// Takes what may change (the unreleased version, a workflow's tables) for unchanged for so long. Released versions never
    /// change.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Reads rows, and decodes them, on another runtime than the one that executes plans.
    #[must_use]
    pub fn with_io_runtime(mut self, runtime: Handle) -> Self {
        self.connection = Arc::new(Connection::new(self.client(), runtime.into()));
        self
    }

    /// Looks tables up in the cache, as whoever used it last: the client sends nothing.
    pub(crate) fn with_cache(mut self, cache: Cache) -> Self {
        let client = self.client();
        if let Some(account) = cache.last_account(client.endpoint()) {
            self.connection
                .replace_access(Access::known(client, account));
        }
        self.offline = Some(cache);
        self
    }

    /// The client that is used now.
    pub fn client(&self) -> Client {
        self.connection.client()
    }

    /// Uses another client from now on, as when a token was rotated, for tables and plans that exist already as well.
    ///
    /// Fails if it is for another endpoint, whose tables are others.
    pub fn replace_client(&self, client: Client) -> Result<()> {
        let (old, new) = (self.client(), client.endpoint());
        if old.endpoint() != new {
            return config_err!(
                "the tables are those of {}, and the new client is for {new}; put it behind a schema name of its own",
                old.endpoint()
            );
        }
        self.connection.replace(client);
        self.refresh();
        Ok(())
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The same for a session, whose endpoints have their writes in common.
    pub(crate) fn with_writes(mut self, writes: Arc<Writes>) -> Self {
        self.writes = writes;
        self
    }

    pub(crate) fn writes(&self) -> &Arc<Writes> {
        &self.writes
    }

    /// Sets the dataset or workflow that bare table names are looked up in when no local table has them.
    pub fn set_default_parent(&self, parent: Option<DefaultParent>) {
        *self
            .default_parent
            .write()
            .unwrap_or_else(PoisonError::into_inner) = parent;
    }

    /// The dataset or workflow that bare table names are looked up in.
    pub fn default_parent(&self) -> Option<DefaultParent> {
        self.default_parent
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets all tables, so that the next statement asks for them again, and all results of queries.
    pub fn refresh(&self) {
        locked(&self.tables).clear();
        self.results.forget();
    }

    /// The table that a whole reference means. What is no reference is refused before anything is sent.
    pub async fn table(&self, reference: &str) -> Result<Arc<RedivisTable>> {
        let reference = reference.parse().map_err(refused)?;
        self.get(&reference).await
    }

    /// The same for a table that is to be written to: says what to do where there is none.
    pub(crate) async fn written(&self, reference: &TableReference) -> Result<Arc<RedivisTable>> {
        match self.get(reference).await {
            Ok(table) => Ok(table),
            Err(error) => match of_service(error) {
                Ok(error) => Err(draft::missing(&self.client(), reference, error).await),
                Err(error) => Err(error),
            },
        }
    }

    /// The table that a reference means, described; remembered like that from now on.
    pub async fn describe(&self, reference: &str) -> Result<Arc<RedivisTable>> {
        let reference: TableReference = reference.parse().map_err(refused)?;
        let table = self.get(&reference).await?;
        let describe = async move { table.describe().await };
        let table = Arc::new(self.connection.io().run(describe).await?);
        let entry = OnceCell::new_with(Some(self.found(Arc::clone(&table))));
        locked(&self.tables).put(reference, Arc::new(entry));
        Ok(table)
    }

    /// The table of this name in the default dataset or workflow; `None` without such a default or such a table.
    pub(crate) async fn default_table(&self, name: &str) -> Result<Option<Arc<RedivisTable>>> {
        let Some(Ok(reference)) = self.default_parent().map(|parent| parent.table(name)) else {
            return Ok(None);
        };
        match self.get(&reference).await {
            Ok(table) => Ok(Some(table)),
            Err(error) => match of_service(error) {
                Ok(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Ok(error) => Err(failed(error)),
                Err(error) => Err(error),
            },
        }
    }

    /// Why there is no table of this name in the default dataset or workflow; `None` if there is, or no such default.
    pub(crate) async fn why_no_default_table(&self, name: &str) -> Option<DataFusionError> {
        match self.default_parent()?.table(name) {
            Ok(reference) => self.get(&reference).await.err(),
            Err(error) => Some(refused(error)),
        }
    }

    /// The same for a reference that was read already.
    pub(crate) async fn get(&self, reference: &TableReference) -> Result<Arc<RedivisTable>> {
        let entry = self.entry(reference);
        let fetch = || async {
            // Counted first: what is written meanwhile may not be in the answer.
            let found = self.writes.count();
            let (connection, writes) = (Arc::clone(&self.connection), Arc::clone(&self.writes));
            let asked = reference.clone();
            let table = match self.offline.clone() {
                Some(cache) => RedivisTable::remembered(&connection, cache, reference).await?,
                None => {
                    let fetch = async move {
                        RedivisTable::fetch_through(&connection, Some(&writes), &asked).await
                    };
                    let found = self.connection.io().run(fetch);
                    join(found, self.ask_ahead(reference)).await.0?
                }
            };
            Ok::<_, DataFusionError>(Found {
                writes: found,
                ..self.found(Arc::new(table))
            })
        };
        let found = entry.get_or_try_init(fetch).await?;
        Ok(Arc::clone(&found.table))
    }

    /// Asks this together with each table from now on.
    pub(crate) fn ask_with_tables(&self, ahead: Ahead) {
        *self.ahead.write().unwrap_or_else(PoisonError::into_inner) = ahead;
    }

    async fn ask_ahead(&self, reference: &TableReference) {
        let ahead = self
            .ahead
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        ahead.ask(&self.connection, reference).await;
    }

    /// Whether the table may be taken for unchanged.
    fn is_fresh(&self, found: &Found) -> bool {
        found.table.is_immutable()
            || (found.writes == self.writes.count() && found.at.elapsed() < self.max_age)
    }

    fn found(&self, table: Arc<RedivisTable>) -> Found {
        Found {
            table,
            at: Instant::now(),
            writes: self.writes.count(),
        }
    }

    /// The place of a table, emptied if what it holds may have changed. Whoever comes meanwhile waits for the same answer.
    fn entry(&self, reference: &TableReference) -> Arc<Entry> {
        let mut tables = locked(&self.tables);
        let entry = tables.get_or_insert_mut(reference.clone(), Arc::default);
        if entry.get().is_some_and(|found| !self.is_fresh(found)) {
            *entry = Arc::default();
        }
        Arc::clone(entry)
    }

    /// The table if it has been found already, without asking.
    pub fn cached(&self, reference: &str) -> Result<Option<Arc<RedivisTable>>> {
        let reference: TableReference = reference.parse().map_err(refused)?;
        let tables = locked(&self.tables);
        let found = tables.peek(&reference).and_then(|entry| entry.get());
        Ok(found
            .filter(|found| self.is_fresh(found))
            .map(|found| Arc::clone(&found.table)))
    }

    /// The references under which tables have been found, and that would be found again without asking.
    pub fn known(&self) -> Vec<String> {
        let tables = locked(&self.tables);
        let found = tables
            .iter()
            .filter(|(_, entry)| entry.get().is_some_and(|found| self.is_fresh(found)));
        let mut known: Vec<String> = found.map(|(reference, _)| reference.to_string()).collect();
        known.sort_unstable();
        known
    }

    /// The result of SQL on Redivis, which runs unless the session has it, known under the name returned until that is dropped.
    pub(crate) async fn run(&self, sql: String, purpose: Purpose) -> Result<PlannedQuery> {
        let (default_dataset, default_workflow) = match self.default_parent() {
            Some(DefaultParent::Dataset(dataset)) => (Some(dataset.to_string()), None),
            Some(DefaultParent::Workflow(workflow)) => (None, Some(workflow.to_string())),
            None => (None, None),
        };
        let request = QueryRequest {
            query: sql,
            default_dataset,
            default_workflow,
        };
        if let Some(query) = self.results.instead(&request, purpose) {
            return Ok(self.results.plan(query));
        }
        let (connection, asked) = (Arc::clone(&self.connection), request.clone());
        let run = async move { RedivisQuery::run_through(&connection, &asked).await };
        let query = self.connection.io().run(run).await;
        let query = Arc::new(query.map_err(|error| match of_service(error) {
            Ok(error) => QueryError::told(&request.query, error),
            Err(error) => error,
        })?);
        self.results.remember(request, &query);
        Ok(self.results.plan(query))
    }

    /// The result of a query of a statement that is being planned.
    pub(crate) fn query(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        Some(self.results.planned(name)?)
    }
}

/// No code panics while it holds one of these locks, and the maps are valid at any moment.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
