//! The result of a query that ran on Redivis: where it is read, and what to do when the service has let go of it.
//!
//! A plan may outlive a result: a view, a prepared statement, a session of days. Then the same text runs again, once for all that
//! read it.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::{Result, exec_err};
use redivis::read::variables_schema;
use redivis::resource::QueryRequest;
use tokio::sync::Mutex;

use crate::connection::Connection;
use crate::error::QueryError;

/// A query's result.
#[derive(Debug, Clone)]
pub(crate) struct QueryResult {
    request: Arc<QueryRequest>,
    /// The resource that read sessions are made on: another one when it has run again. Locked while it does.
    uri: Arc<Mutex<String>>,
    /// Whether it was there before the statement that it is read for.
    pub(crate) is_reused: bool,
}

impl QueryResult {
    pub(crate) fn new(request: QueryRequest, uri: String) -> Self {
        Self {
            request: Arc::new(request),
            uri: Arc::new(Mutex::new(uri)),
            is_reused: false,
        }
    }

    /// The query as `EXPLAIN` shows it.
    pub(crate) fn one_line(&self) -> String {
        let words: Vec<&str> = self.request.query.split_whitespace().collect();
        words.join(" ")
    }

    /// Where it is read.
    pub(crate) async fn uri(&self) -> String {
        self.uri.lock().await.clone()
    }

    /// Where it is read now that it is `gone` from there: the query runs again, unless it has meanwhile.
    pub(crate) async fn again(
        &self,
        connection: &Connection,
        schema: &Schema,
        gone: &str,
    ) -> Result<String> {
        let mut uri = self.uri.lock().await;
        if *uri != gone {
            return Ok(uri.clone());
        }
        tracing::info!("the result {gone} has expired; running the query again");
        let told = |error| QueryError::told(&self.request.query, error);
        let query = connection.run_query(&self.request).await.map_err(told)?;
        let variables = connection.client().variables(&query.uri).await;
        if *variables_schema(&variables.map_err(told)?) != *schema {
            return exec_err!(
                "the result of a query on Redivis has expired, and run again it has other columns: run the statement again"
            );
        }
        *uri = query.uri;
        Ok(uri.clone())
    }
}
