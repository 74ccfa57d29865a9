//! `CREATE TABLE`: a table in memory that counts what it holds.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session as Planning, TableProvider};
use datafusion::common::{Constraints, Result, internal_err};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::{MemTable, TableType, provider_as_source};
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{
    CreateMemoryTable, DdlStatement, Expr, LogicalPlan, LogicalPlanBuilder,
};
use datafusion::physical_plan::ExecutionPlan;

use super::counted::CountedExec;
use super::held::Held;
use crate::progress::Followed;
use crate::session::Session;

/// Makes a table in memory of a statement that says so, and tells of how many rows.
pub(crate) async fn create(
    session: &Session,
    mut statement: CreateMemoryTable,
    followed: Followed,
) -> Result<(DataFrame, u64)> {
    let name = statement.name.clone();
    let held = Arc::new(Held::new(name.to_string()));
    let rows = Rows {
        query: Arc::unwrap_or_clone(statement.input),
        held: Arc::clone(&held),
        followed,
    };
    let rows = LogicalPlanBuilder::scan("rows", provider_as_source(Arc::new(rows)), None)?;
    statement.input = Arc::new(rows.build()?);
    let create = LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(statement));
    let frame = session.redivis.execute(create).await?;
    // It may have been there already, and then it is not this one.
    let made = session.context.table_provider(name.clone()).await?;
    let rows = held.rows();
    if made.is::<MemTable>() {
        session.context.deregister_table(name.clone())?;
        let table = InMemory { table: made, held };
        session.context.register_table(name, Arc::new(table))?;
    }
    Ok((frame, rows))
}

/// The rows that a table is made of, counted for it.
struct Rows {
    query: LogicalPlan,
    held: Arc<Held>,
    followed: Followed,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.held.name()).finish()
    }
}

#[async_trait]
impl TableProvider for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.query.schema().inner())
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Planning,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = self.query.schema().fields().len();
        if projection.is_some_and(|projection| !projection.iter().copied().eq(0..all)) {
            return internal_err!("a table is made of all columns of its query");
        }
        let input = state.create_physical_plan(&self.query).await?;
        self.followed.follow(&input);
        Ok(Arc::new(CountedExec::new(input, Arc::clone(&self.held))))
    }
}

/// A table whose rows are counted as the session's memory.
#[derive(Debug)]
pub(super) struct InMemory {
    pub(super) table: Arc<dyn TableProvider>,
    pub(super) held: Arc<Held>,
}

#[async_trait]
impl TableProvider for InMemory {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn constraints(&self) -> Option<&Constraints> {
        self.table.constraints()
    }

    fn table_type(&self) -> TableType {
        self.table.table_type()
    }

    fn get_column_default(&self, column: &str) -> Option<&Expr> {
        self.table.get_column_default(column)
    }

    async fn scan(
        &self,
        state: &dyn Planning,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.table.scan(state, projection, filters, limit).await
    }

    async fn insert_into(
        &self,
        state: &dyn Planning,
        input: Arc<dyn ExecutionPlan>,
        op: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = Arc::new(CountedExec::new(input, Arc::clone(&self.held)));
        self.table.insert_into(state, input, op).await
    }

    async fn delete_from(
        &self,
        state: &dyn Planning,
        filters: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.table.delete_from(state, filters).await
    }

    async fn update(
        &self,
        state: &dyn Planning,
        assignments: Vec<(String, Expr)>,
        filters: Vec<Expr>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.table.update(state, assignments, filters).await
    }
}
