//! A query that ran on Redivis, as a DataFusion table: `redivis_query('SELECT …')`.
//!
//! The service tells a result's columns only once the query has run, so it runs when the statement is planned; its result
//! is read in parallel streams like a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use redivis::Client;
use redivis::read::variables_schema;
use redivis::resource::QueryRequest;

use super::pinned;
use crate::connection::Connection;
use crate::scan::{QueryResult, Size, Source};

/// The result of a query that ran on Redivis.
///
/// It does not change. Where the service has let go of it when it is read, the query runs again.
#[derive(Debug)]
pub struct RedivisQuery {
    source: Arc<Source>,
    is_pinned: bool,
}

impl RedivisQuery {
    /// Runs `request` on Redivis, waits for its end, and asks for its variables.
    pub async fn run(client: &Client, request: &QueryRequest) -> redivis::Result<Self> {
        Self::run_through(&Arc::new(Connection::from(client.clone())), request).await
    }

    /// The same in a session, whose client may be replaced.
    pub(crate) async fn run_through(
        connection: &Arc<Connection>,
        request: &QueryRequest,
    ) -> redivis::Result<Self> {
        let query = connection.run_query(request).await?;
        let variables = connection.client().variables(&query.uri).await?;
        let source = Source {
            connection: Arc::clone(connection),
            name: query.uri.trim_start_matches('/').to_owned(),
            schema: variables_schema(&variables),
            size: Size {
                rows: query.output_num_rows,
                bytes: query.output_num_bytes,
                immutable: true,
                released: true,
            },
            query: Some(QueryResult::new(request.clone(), query.uri.clone())),
            uri: query.uri,
            table: None,
        };
        Ok(Self {
            source: Arc::new(source),
            is_pinned: pinned::is_pinned(request),
        })
    }

    /// What it reads from, if its columns are those of `schema`; text and numbers become the types there as strictly as a
    /// table's do.
    pub(crate) fn of_schema(self, schema: SchemaRef) -> Result<Arc<Source>> {
        let fields = |schema: &SchemaRef| -> Vec<String> {
            let fields = schema.fields().iter();
            fields.map(|field| field.name().to_lowercase()).collect()
        };
        let (came, asked) = (fields(&self.source.schema), fields(&schema));
        if came != asked {
            return exec_err!(
                "{} has the columns {} where {} were asked for",
                self.source.name,
                came.join(", "),
                asked.join(", ")
            );
        }
        let mut source = self.source;
        Arc::make_mut(&mut source).schema = schema;
        Ok(source)
    }

    /// The same result for another statement than the one that it ran for.
    pub(crate) fn reused(&self) -> Self {
        let mut source = Source::clone(&self.source);
        if let Some(query) = &mut source.query {
            query.is_reused = true;
        }
        Self {
            source: Arc::new(source),
            ..*self
        }
    }

    /// The name that `EXPLAIN` shows: `queries/` and the query's id.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Whether the query would give the same whenever it runs: all tables that it names are of a released version, which it
    /// names too, and it asks for neither the time nor chance. False also where that can't be told.
    pub fn is_pinned(&self) -> bool {
        self.is_pinned
    }
}

#[async_trait]
impl TableProvider for RedivisQuery {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.source.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.source.scan(state, projection, limit)
    }
}
