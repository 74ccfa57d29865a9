//! A table on Redivis as a DataFusion table.
//!
//! It knows everything that planning needs, so that planning a query over it sends nothing.

mod cached;
mod pinned;
mod query;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::future::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use futures::try_join;
use redivis::read::variables_schema;
use redivis::resource::{Table, Variable};
use redivis::{Client, TableReference, Version};
use tokio::runtime::Handle;

use self::cached::Kept;
pub use self::query::RedivisQuery;
use crate::connection::Connection;
use crate::options::RedivisOptions;
use crate::scan::{RedivisScanExec, Size, Source};
use crate::write::{Columns, Destination, RedivisSink, Writes, check_insertable, draft};

/// Variables that are asked for side by side.
const DESCRIBED_AT_ONCE: usize = 8;

/// A table on Redivis, pinned to what the service said it is when it was looked up.
#[derive(Debug)]
pub struct RedivisTable {
    table: Table,
    variables: Vec<Variable>,
    source: Arc<Source>,
    /// What it was asked for by.
    reference: TableReference,
    /// Where it is told that the table was written to; `None`: in the session that writes.
    writes: Option<Arc<Writes>>,
}

impl RedivisTable {
    /// The table that a reference means: one request for it and, beside it, one for every 1,000 of its variables.
    ///
    /// Its rows are read with `client`. Where the reference names no version, the table stays with the one that is current
    /// now.
    pub async fn fetch(client: &Client, reference: &TableReference) -> redivis::Result<Self> {
        let connection = Arc::new(Connection::from(client.clone()));
        Self::fetch_through(&connection, None, reference).await
    }

    /// The same through a connection, whose client may be replaced.
    pub(crate) async fn fetch_through(
        connection: &Arc<Connection>,
        writes: Option<&Arc<Writes>>,
        reference: &TableReference,
    ) -> redivis::Result<Self> {
        let client = connection.client();
        // Side by side: whoever is far away waits once.
        let uri = format!("/tables/{}", reference.path_segment());
        let variables = client.variables(&uri).map(Ok);
        let (mut table, variables) = try_join!(client.table(reference), variables)?;
        if let Some(uri) = pinned_uri(&table) {
            table.uri = uri;
        }
        let variables = match variables {
            Ok(variables) if are_of(&variables, reference, &table) => variables,
            // A table that goes by another path, or a version that may have been released in between.
            _ => client.variables(&table.uri).await?,
        };
        let connection = Arc::clone(connection);
        Ok(Self {
            writes: writes.cloned(),
            ..Self::new(connection, reference.clone(), table, variables)
        })
    }

    /// The same table with all that its variables' owner wrote about them: one more request for each.
    ///
    /// The list of variables leaves descriptions and value labels out (redivis-api §3.2); with them, they are in the metadata
    /// of the schema's fields, and so of every result's.
    pub async fn describe(&self) -> redivis::Result<Self> {
        let client = &self.source.connection.client();
        let variables = stream::iter(self.variables.clone())
            .map(|variable| async move { client.variable(&self.table.uri, &variable.name).await })
            .buffered(DESCRIBED_AT_ONCE)
            .try_collect()
            .await?;
        let connection = Arc::clone(&self.source.connection);
        let (reference, table) = (self.reference.clone(), self.table.clone());
        Ok(Self {
            writes: self.writes.clone(),
            ..Self::new(connection, reference, table, variables)
        })
    }

    fn new(
        connection: Arc<Connection>,
        reference: TableReference,
        table: Table,
        variables: Vec<Variable>,
    ) -> Self {
        let schema = variables_schema(&variables);
        let source = Source {
            connection,
            name: name(&table),
            uri: table.uri.clone(),
            size: Size {
                rows: table.num_rows,
                bytes: table.num_bytes,
                immutable: is_pinned(&table),
                released: table.is_released(),
            },
            schema,
            query: None,
            table: Some(table.clone()),
        };
        Self {
            table,
            variables,
            source: Arc::new(source),
            reference,
            writes: None,
        }
    }

    /// The same table, read and decoded on another runtime than the one that executes plans, which then need not drive
    /// sockets and timers. What is read waits there for its reader, a batch ahead of it.
    #[must_use]
    pub fn with_io_runtime(mut self, runtime: Handle) -> Self {
        let connection = Connection::new(self.source.connection.client(), runtime.into());
        Arc::make_mut(&mut self.source).connection = Arc::new(connection);
        self
    }

    /// The reference that it was asked for by, which may leave the version open.
    pub fn named(&self) -> &TableReference {
        &self.reference
    }

    /// What it is called: its reference with the version that the service says, and without ids.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// Where it is read from.
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.source.connection
    }

    /// About how many bytes some of its variables take, all of them for `None`.
    pub(crate) fn bytes_of(&self, variables: Option<&[usize]>) -> Option<usize> {
        self.source.bytes_of(variables)
    }

    /// What the service says of the table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Its variables in order, as listed: with labels; with descriptions and value labels if it was [described](Self::describe).
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Fails, with what to do instead, if no rows can be inserted into it.
    pub(crate) fn check_insertable(&self) -> Result<()> {
        let client = self.source.connection.client();
        check_insertable(&client, &self.source.name, &self.table)
    }

    /// The table as it is now, to be written to: this one may have been registered long ago.
    async fn now(&self) -> Result<Self> {
        let connection = &self.source.connection;
        match Self::fetch_through(connection, self.writes.as_ref(), &self.reference).await {
            Ok(table) => Ok(table),
            Err(error) => Err(draft::missing(&connection.client(), &self.reference, error).await),
        }
    }

    /// Whether its rows can never change, so that what is known of it stays true.
    pub fn is_immutable(&self) -> bool {
        self.source.size.immutable
    }
}

/// Rows are changed by no statement, as Redivis has no call for it.
fn unchangeable<T>(table: &RedivisTable) -> Result<T> {
    let name = &table.source.name;
    if table.is_immutable() {
        return plan_err!(
            "{name} is released and never changes; a next version of its dataset may have other rows"
        );
    }
    plan_err!(
        "Redivis changes and deletes no single rows; write CREATE OR REPLACE TABLE redivis.'{name}' AS SELECT … with all rows \
         as they should be"
    )
}

/// The reference with the version that the service says, and without ids, as people read it; the bare name where the
/// service writes no reference.
fn name(table: &Table) -> String {
    let Some(reference) = table.reference() else {
        return table.name.clone();
    };
    reference.without_ids().to_string()
}

/// A path that names the version which the table was found in, where the service's own leaves it out: later requests
/// would follow the next release.
fn pinned_uri(table: &Table) -> Option<String> {
    let reference = table.reference()?;
    let version = reference
        .version()
        .filter(|version| matches!(version, Version::Numbered { .. }))?;
    (!names(&table.uri, version)).then(|| format!("/tables/{}", reference.path_segment()))
}

/// Whether the variables that a reference led to are those of the version that it led to for the table, which was asked for at
/// the same time.
fn are_of(variables: &[Variable], reference: &TableReference, table: &Table) -> bool {
    let version = table.reference().and_then(|said| said.version());
    let Some(version @ Version::Numbered { .. }) = version else {
        // Nothing tells versions apart, or what is told of may change from one request to the next.
        return true;
    };
    let named = |uri: &str| names(uri, version);
    reference.version() == Some(version)
        || variables
            .iter()
            .all(|variable| variable.uri.as_deref().is_some_and(named))
}

/// Whether a path names a version: `:v1_1`, and not `:v1_10`.
fn names(uri: &str, version: Version) -> bool {
    [":", "%3A", "%3a"].into_iter().any(|colon| {
        let named = format!("{colon}{version}");
        uri.split(&named)
            .skip(1)
            .any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    })
}

/// Released, and named with the number of its version: `current` is another one after the next release.
///
/// Neither a sample nor a table of which the caller sees no more: its row count may be that of the whole table.
fn is_pinned(table: &Table) -> bool {
    let reference = table.reference();
    let named = |what: &dyn Fn(&TableReference) -> bool| reference.as_ref().is_some_and(what);
    table.is_released()
        && !table.is_sample
        && !table.is_access_limited()
        && !named(&|reference| reference.parent().is_sample())
        && !named(&|reference| reference.version() == Some(Version::Current))
}

#[async_trait]
impl TableProvider for RedivisTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.source.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let keep = match self.kept(state, projection, limit).await? {
            Kept::Here(plan) => return Ok(plan),
            Kept::Not(keep) => keep,
        };
        let (source, config) = (Arc::clone(&self.source), state.config_options());
        let scan = RedivisScanExec::try_new(source, projection, limit, config)?;
        Ok(Arc::new(scan.keeping(keep)))
    }

    /// Plans to send the rows of `input` as one upload to the table as it is now; see [`WriteError`](crate::WriteError) for what
    /// is refused.
    ///
    /// The columns of `input` are matched by name, without regard to case; variables that it lacks are null. Only the version
    /// that is not released can be written to.
    async fn insert_into(
        &self,
        state: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        op: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if input.boundedness().is_unbounded() {
            return plan_err!(
                "a query without end cannot be written to {}: its rows are sent when it ends",
                self.source.name
            );
        }
        self.check_insertable()?;
        let now = self.now().await?;
        let variables = now
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), &variable.variable_type));
        let columns = match now.variables.is_empty() {
            // The first rows give a table its variables.
            true => Columns::of_query(&input.schema())?,
            false => Columns::of_table(&input.schema(), &now.source.name, variables)?,
        };
        let writes = now.writes.unwrap_or_else(|| Writes::of(state.config()));
        let destination = Destination {
            client: now.source.connection.client(),
            table: now.source.name.clone(),
            uri: now.table.uri.clone(),
            writes,
        };
        let sink = RedivisSink::try_new(
            destination,
            now.table,
            columns,
            input.schema(),
            op,
            RedivisOptions::of(state.config_options()).upload_name,
        )?;
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
    }

    async fn delete_from(
        &self,
        _state: &dyn Session,
        _filters: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        unchangeable(self)
    }

    async fn update(
        &self,
        _state: &dyn Session,
        _assignments: Vec<(String, Expr)>,
        _filters: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        unchangeable(self)
    }

    async fn truncate(&self, _state: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        unchangeable(self)
    }
}
