//! A query that Redivis did not run to its end, with its text: the place that the service names is a place in it.

use std::error::Error;
use std::fmt;

use datafusion::common::DataFusionError;

/// A `redivis_query` that failed on Redivis, or could not be sent.
///
/// It travels as [`DataFusionError::External`](datafusion::common::DataFusionError::External).
#[derive(Debug)]
pub struct QueryError {
    sql: String,
    source: redivis::Error,
}

impl QueryError {
    /// A failure of the service's as one of the query of this text.
    pub(crate) fn told(sql: &str, source: redivis::Error) -> DataFusionError {
        let sql = sql.to_owned();
        DataFusionError::External(Box::new(Self { sql, source }))
    }

    /// The query's text. BigQuery's messages end in a place in it, such as `at [2:7]`: line and column.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// What failed.
    pub fn error(&self) -> &redivis::Error {
        &self.source
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Error for QueryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
