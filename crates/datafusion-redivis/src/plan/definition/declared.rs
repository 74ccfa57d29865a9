//! `CREATE TABLE … (columns) AS query`, planned without the casts that SQL puts in silently.
//!
//! DataFusion casts the query's columns to the declared types: 1.5 becomes 1 before anything could refuse it. Here the query is
//! planned as what it says, and the declared columns are kept beside it, for its values to be judged by.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    DdlStatement, Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore,
};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;

use crate::plan::insert;

/// A query whose rows are to become a table of these columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Declared {
    pub(super) query: LogicalPlan,
    pub(super) columns: DFSchemaRef,
}

impl PartialOrd for Declared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Declared {
    pub(super) fn of(plan: &LogicalPlan) -> Option<&Self> {
        match plan {
            LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref(),
            _ => None,
        }
    }
}

/// Plans a statement if it defines a table on Redivis by columns and by a query.
pub(crate) async fn plan(
    state: &SessionState,
    statement: &Statement,
) -> Result<Option<LogicalPlan>> {
    let Statement::Statement(statement) = statement else {
        return Ok(None);
    };
    let ast::Statement::CreateTable(create) = statement.as_ref() else {
        return Ok(None);
    };
    let (Some(query), false, true) = (
        &create.query,
        create.columns.is_empty(),
        super::is_marked(&create.name),
    ) else {
        return Ok(None);
    };
    let columns = ast::Statement::CreateTable(ast::CreateTable {
        query: None,
        ..create.clone()
    });
    let columns = Statement::Statement(Box::new(columns));
    let LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(mut plan)) =
        state.statement_to_plan(columns).await?
    else {
        return internal_err!("the definition of a table is planned as something else");
    };
    let columns = Arc::clone(plan.input.schema());
    let names = columns.fields().iter().map(|field| field.name().clone());
    let query = insert::query(state, query).await?;
    let query = insert::named(query, &plan.name, &Some(names.collect()))?;
    plan.input = Arc::new(LogicalPlan::Extension(Extension {
        node: Arc::new(Declared { query, columns }),
    }));
    Ok(Some(LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(
        plan,
    ))))
}

impl UserDefinedLogicalNodeCore for Declared {
    fn name(&self) -> &str {
        "RedivisDeclared"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.query]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.columns
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.columns.fields().iter();
        let columns: Vec<String> = fields
            .map(|field| format!("{} {}", field.name(), field.data_type()))
            .collect();
        write!(f, "RedivisDeclared: {}", columns.join(", "))
    }

    fn with_exprs_and_inputs(
        &self,
        _exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        match (inputs.pop(), inputs.is_empty()) {
            (Some(query), true) => Ok(Self {
                query,
                columns: Arc::clone(&self.columns),
            }),
            _ => internal_err!("declared columns have one query"),
        }
    }
}
