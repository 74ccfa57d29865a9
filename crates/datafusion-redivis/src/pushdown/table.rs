//! A part of a plan that runs on Redivis, as a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;

use super::exec::RedivisQueryExec;
use super::pushed::Pushed;

/// The result of a statement, which runs when it is read.
#[derive(Debug)]
pub(super) struct PushedTable(Arc<Pushed>);

impl From<Pushed> for PushedTable {
    fn from(pushed: Pushed) -> Self {
        Self(Arc::new(pushed))
    }
}

#[async_trait]
impl TableProvider for PushedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0.schema)
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
        let query: Arc<dyn ExecutionPlan> =
            Arc::new(RedivisQueryExec::new(Arc::clone(&self.0), session.clone()));
        let Some(projection) = projection else {
            return Ok(query);
        };
        let columns = projection.iter().map(|place| {
            let field = self.0.schema.field(*place);
            let column = datafusion::physical_expr::expressions::Column::new(field.name(), *place);
            (Arc::new(column) as _, field.name().clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(
            columns.collect::<Vec<_>>(),
            query,
        )?))
    }
}
