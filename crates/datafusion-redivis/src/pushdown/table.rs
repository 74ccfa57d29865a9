//! A part of a plan that runs on Redivis, as a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;

use super::cost::Cost;
use super::exec::RedivisQueryExec;
use crate::connection::Connection;

/// A statement that takes the place of a part of a plan.
#[derive(Debug)]
pub(super) struct PushedTable {
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

#[async_trait]
impl TableProvider for PushedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let session = state
            .as_any()
            .downcast_ref::<SessionState>()
            .ok_or_else(|| internal_datafusion_err!("the session is not one of DataFusion's"))?;
        let query: Arc<dyn ExecutionPlan> = Arc::new(RedivisQueryExec::new(self, session.clone()));
        let Some(projection) = projection else {
            return Ok(query);
        };
        let columns = projection.iter().map(|place| {
            let field = self.schema.field(*place);
            let column = datafusion::physical_expr::expressions::Column::new(field.name(), *place);
            (Arc::new(column) as _, field.name().clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(
            columns.collect::<Vec<_>>(),
            query,
        )?))
    }
}
