//! `INSERT INTO` a table on Redivis, planned.
//!
//! DataFusion plans the query of an `INSERT` with the table's types in mind, and casts to them silently, every `VALUES` within
//! the query included. Here the query is planned as what it says; the table takes its columns by name, in their own types,
//! and converts them value by value. A table that has no variables yet gets the query's. Explained or prepared, it is planned
//! the same way: by putting the query alone into the statement, and what writes its rows around it afterwards.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, TableReference, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DmlStatement, Expr, LogicalPlan, LogicalPlanBuilder, WriteOp};
use datafusion::sql::parser::Statement;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{self, Insert, TableObject};

use super::casts::{ConstantCasts, constants};
use super::within::within;
use crate::table::RedivisTable;

/// Plans an `INSERT` if it is into a table on Redivis. `around` is what may explain or prepare it, with its query alone.
///
/// Clauses that DataFusion's planner refuses are left to it: it tells why.
pub(super) async fn plan(
    state: &SessionState,
    insert: &Insert,
    around: Statement,
) -> Result<Option<LogicalPlan>> {
    if !is_plain(insert) {
        return Ok(None);
    }
    let TableObject::TableName(name) = &insert.table else {
        return Ok(None);
    };
    let normalize = state
        .config()
        .options()
        .sql_parser
        .enable_ident_normalization;
    let name = object_name_to_table_reference(name.clone(), normalize)?;
    let Some(table) = table(state, &name).await? else {
        return Ok(None);
    };
    let Some(remote) = table.downcast_ref::<RedivisTable>() else {
        return Ok(None);
    };
    remote.check_insertable()?;
    let op = match (insert.overwrite, insert.replace_into) {
        (false, false) => InsertOp::Append,
        (true, false) => InsertOp::Overwrite,
        (false, true) => InsertOp::Replace,
        (true, true) => return plan_err!("an INSERT cannot both overwrite and replace"),
    };
    let insertion = Insertion {
        columns: columns(insert, &table, normalize)?,
        name,
        table,
        op,
        state,
    };
    let plan = state.statement_to_plan(around).await?;
    within(plan, &|query| insertion.plan(query)).map(Some)
}

/// What becomes of a query's rows.
struct Insertion<'a> {
    name: TableReference,
    table: Arc<dyn TableProvider>,
    /// The variables that the query's columns are for, in their order; `None` where the query names them.
    columns: Option<Vec<String>>,
    op: InsertOp,
    state: &'a SessionState,
}

impl Insertion<'_> {
    fn plan(&self, query: LogicalPlan) -> Result<LogicalPlan> {
        let query = checked(query, self.state)?;
        Ok(LogicalPlan::Dml(DmlStatement::new(
            self.name.clone(),
            provider_as_source(Arc::clone(&self.table)),
            WriteOp::Insert(self.op),
            Arc::new(named(query, &self.name, &self.columns)?),
        )))
    }
}

/// The table that a statement inserts into, if it does.
pub(crate) fn target(statement: &ast::Statement) -> Option<&ast::ObjectName> {
    match statement {
        ast::Statement::Insert(Insert {
            table: TableObject::TableName(name),
            ..
        }) => Some(name),
        _ => None,
    }
}

/// Whether it has no clause that DataFusion's planner refuses, which then tells why.
fn is_plain(insert: &Insert) -> bool {
    insert.or.is_none()
        && !insert.ignore
        && insert.table_alias.is_none()
        && insert.assignments.is_empty()
        && insert.partitioned.is_none()
        && insert.after_columns.is_empty()
        && insert.on.is_none()
        && insert.returning.is_none()
        && insert.output.is_none()
        && insert.priority.is_none()
        && insert.insert_alias.is_none()
        && insert.settings.is_none()
        && insert.format_clause.is_none()
        && insert.multi_table_insert_type.is_none()
}

async fn table(
    state: &SessionState,
    name: &TableReference,
) -> Result<Option<Arc<dyn TableProvider>>> {
    state
        .schema_for_ref(name.clone())?
        .table(name.table())
        .await
}

/// The variables that the query's columns are for, in their order; `None` where the query names them.
fn columns(
    insert: &Insert,
    table: &Arc<dyn TableProvider>,
    normalize: bool,
) -> Result<Option<Vec<String>>> {
    let schema = table.schema();
    if insert.columns.is_empty() {
        let all = schema.fields().iter().map(|field| field.name().clone());
        return Ok((!schema.fields().is_empty()).then(|| all.collect()));
    }
    let mut columns: Vec<String> = vec![];
    for column in &insert.columns {
        let [ast::ObjectNamePart::Identifier(ident)] = column.0.as_slice() else {
            return plan_err!("`{column}` is not the name of a column");
        };
        let name = match ident.quote_style {
            None if normalize => ident.value.to_lowercase(),
            _ => ident.value.clone(),
        };
        if columns
            .iter()
            .any(|other| other.to_lowercase() == name.to_lowercase())
        {
            return plan_err!("the column `{name}` is named twice");
        }
        columns.push(name);
    }
    Ok(Some(columns))
}

/// The query with its constants in `VALUES` checked.
pub(super) fn checked(query: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    let query = query.transform_down(|plan| match plan {
        LogicalPlan::Values(values) => {
            constants(values, ConstantCasts::ToCommonType, state.config_options())
                .map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(query.data)
}

/// The query with its columns named as the table's. The names are of this table, so that
/// [`NoImplicitCasts`](super::NoImplicitCasts) does not take them for the SQL planner's.
pub(super) fn named(
    query: LogicalPlan,
    table: &TableReference,
    columns: &Option<Vec<String>>,
) -> Result<LogicalPlan> {
    let Some(columns) = columns else {
        return Ok(query);
    };
    let schema = Arc::clone(query.schema());
    if schema.fields().len() != columns.len() {
        return plan_err!(
            "the query has {} columns, and {} of {} are to be filled: {}",
            schema.fields().len(),
            columns.len(),
            table.table(),
            columns.join(", ")
        );
    }
    let exprs = schema.iter().zip(columns).map(|(field, name)| {
        Expr::Column(Column::from(field)).alias_qualified(Some(table.clone()), name)
    });
    LogicalPlanBuilder::from(query)
        .project(exprs.collect::<Vec<_>>())?
        .build()
}
