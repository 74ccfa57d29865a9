//! Which variable of Redivis a column of a result is, whatever it is called there.
//!
//! Only what is handed on as it was read is one: `sex AS s` is, `sex + 1` is not.

use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::datasource::{ViewTable, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use datafusion_redivis::RedivisTable;
use redivis::TableReference;

/// A variable, and its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) table: TableReference,
    pub(crate) variable: String,
}

/// Where the column of that place comes from.
pub(crate) fn origin(plan: &LogicalPlan, column: usize) -> Option<Origin> {
    match plan {
        LogicalPlan::Projection(projection) => {
            of_expr(projection.expr.get(column)?, &projection.input)
        }
        LogicalPlan::Aggregate(aggregate) => {
            of_expr(aggregate.group_expr.get(column)?, &aggregate.input)
        }
        LogicalPlan::Window(window) => origin(&window.input, column),
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti => origin(&join.right, column),
                _ if column < left => origin(&join.left, column),
                _ => origin(&join.right, column - left),
            }
        }
        LogicalPlan::TableScan(scan) => of_scan(scan, column),
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Repartition(_) => match plan.inputs().as_slice() {
            [input] if same_columns(plan.schema(), input.schema()) => origin(input, column),
            _ => None,
        },
        _ => None,
    }
}

/// `DISTINCT ON` has other columns than its input.
fn same_columns(one: &DFSchema, other: &DFSchema) -> bool {
    one.fields().len() == other.fields().len()
}

fn of_expr(expr: &Expr, input: &LogicalPlan) -> Option<Origin> {
    match expr {
        Expr::Alias(alias) => of_expr(&alias.expr, input),
        Expr::Column(column) => origin(input, place(column, input.schema())?),
        _ => None,
    }
}

fn place(column: &Column, schema: &DFSchema) -> Option<usize> {
    schema.maybe_index_of_column(column)
}

fn of_scan(scan: &TableScan, column: usize) -> Option<Origin> {
    let provider = source_as_provider(&scan.source).ok()?;
    let place = match &scan.projection {
        Some(projection) => *projection.get(column)?,
        None => column,
    };
    if let Some(view) = provider.downcast_ref::<ViewTable>() {
        return origin(view.logical_plan(), place);
    }
    let table = provider.downcast_ref::<RedivisTable>()?;
    let reference = table.table().reference();
    Some(Origin {
        variable: table.variables().get(place)?.name.clone(),
        table: reference.unwrap_or_else(|| table.named().clone()),
    })
}
