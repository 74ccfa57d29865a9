//! A statement that takes the place of a part of a plan.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;

use super::cost::Cost;
use crate::connection::Connection;

/// What is sent, and what is known of it.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) connection: Arc<Connection>,
    /// The statement, with a name of its own for each column of `schema`.
    pub(super) sql: String,
    /// Its columns, in the types that Redivis has.
    pub(super) schema: SchemaRef,
    /// The tables that it reads.
    pub(super) tables: Vec<String>,
    pub(super) cost: Cost,
    /// Why what is above it is done here.
    pub(super) above: Option<String>,
    /// What gives the same rows without a query, to be turned to where the query fails.
    pub(super) otherwise: Option<LogicalPlan>,
}
