//! What a scan reads from: a table or a query's result, as the service describes it.
//!
//! Tables and query results are read alike, so that one plan node serves both.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use redivis::resource::{Table, VariableStatistics};

use super::result::QueryResult;
use super::statistics::{self, Size};
use crate::connection::Connection;

/// Rows on Redivis that a scan can read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Where they are read from.
    pub(crate) connection: Arc<Connection>,
    /// What `EXPLAIN` calls them: a qualified reference, or the query.
    pub(crate) name: String,
    /// The resource that read sessions are made on.
    pub(crate) uri: String,
    /// All their variables, in order.
    pub(crate) schema: SchemaRef,
    /// How many there are.
    pub(crate) size: Size,
    /// The query that they are the result of; `None` for a table.
    pub(crate) query: Option<QueryResult>,
    /// The table that a client without a token reads through `GET …/rows`; `None` for a query's result.
    pub(crate) table: Option<Table>,
}

impl Source {
    /// About how many bytes some of their variables take, all of them for `None`.
    pub(crate) fn bytes_of(&self, variables: Option<&[usize]>) -> Option<usize> {
        let Some(variables) = variables else {
            return statistics::bytes(self.size, &self.schema, &self.schema, None);
        };
        let read = self.schema.project(variables).ok()?;
        statistics::bytes(self.size, &self.schema, &read, None)
    }

    /// What is known of a variable's values, where it was asked for.
    pub(crate) fn known(&self, variable: &str) -> Option<Arc<VariableStatistics>> {
        let table = self.table.as_ref().filter(|_| self.size.immutable)?;
        self.connection.known_statistics(&table.uri, variable)
    }

    /// Whether rows come through `GET …/rows`, as a client without a token may make no read session (redivis-api §5.3).
    pub(crate) fn reads_rows(&self) -> Option<&Table> {
        self.table
            .as_ref()
            .filter(|_| self.connection.client().is_anonymous())
    }
}
