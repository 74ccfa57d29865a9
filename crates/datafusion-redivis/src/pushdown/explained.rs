//! A table that is read as it is, and says why.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::scan::RedivisScanExec;

/// A table of Redivis whose scan tells why no query runs in its place.
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) table: Arc<dyn TableProvider>,
    why: String,
}

impl Explained {
    pub(super) fn new(table: Arc<dyn TableProvider>, why: String) -> Self {
        Self { table, why }
    }
}

#[async_trait]
impl TableProvider for Explained {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        self.table.table_type()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.table.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.table.scan(state, projection, filters, limit).await?;
        match plan.downcast_ref::<RedivisScanExec>() {
            Some(scan) => Ok(Arc::new(scan.explained(&self.why)?)),
            None => Ok(plan),
        }
    }
}
