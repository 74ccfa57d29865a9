//! Takes the casts out of an `INSERT` that SQL puts in silently.
//!
//! DataFusion casts every value to its column's type when it plans an `INSERT`: 1.5 becomes 1 before a table could refuse it.
//! So the columns of a query keep their own types, for [`Columns`](crate::write::Columns) to convert without loss; and where
//! the planner casts constants of `VALUES`, to the table's types or to one that fits all rows, each is checked here. The casts
//! that a statement or a DataFrame has itself are left alone.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    Cast, DmlStatement, Expr, LogicalPlan, Projection, Values, WriteOp,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use crate::table::RedivisTable;
use crate::write::{fits, stored, variable_type};

/// The rule; it concerns inserts into tables on Redivis alone.
#[derive(Debug)]
pub(crate) struct NoImplicitCasts;

impl AnalyzerRule for NoImplicitCasts {
    fn name(&self) -> &str {
        "redivis_no_implicit_casts"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_down(|plan| match plan {
            LogicalPlan::Dml(insert) if matches!(insert.op, WriteOp::Insert(_)) => {
                without_casts(insert, config)
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(plan.data)
    }
}

fn without_casts(insert: DmlStatement, config: &ConfigOptions) -> Result<Transformed<LogicalPlan>> {
    let table = source_as_provider(&insert.target)?;
    // Where there are no variables yet, nothing is cast to their types.
    if !table.is::<RedivisTable>() || table.schema().fields().is_empty() {
        return Ok(Transformed::no(LogicalPlan::Dml(insert)));
    }
    let (input, casts) = match insert.input.as_ref() {
        LogicalPlan::Projection(last) if is_of_planner(last, &table.schema()) => {
            let exprs = last.expr.iter().cloned().map(uncast).collect();
            let last = Projection::try_new(exprs, Arc::clone(&last.input))?;
            (LogicalPlan::Projection(last), ConstantCasts::ToVariables)
        }
        other => (other.clone(), ConstantCasts::ToCommonType),
    };
    let input = input.transform_down(|plan| match plan {
        LogicalPlan::Values(values) => constants(values, casts, config).map(Transformed::yes),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(Transformed::yes(LogicalPlan::Dml(DmlStatement::new(
        insert.table_name,
        insert.target,
        insert.op,
        Arc::new(input.data),
    ))))
}

/// Whether a projection may be the one that the SQL planner puts around the query of an `INSERT`: all variables in order, each
/// a column of the query, cast where its type is another, or null; and every column of the query once.
///
/// A DataFrame can be made to look the same by hand. Its casts are then taken for the planner's: what they would lose is
/// refused and not lost. What [`insert`](super::insert) plans does not look so, as its aliases have a table.
fn is_of_planner(projection: &Projection, table: &Schema) -> bool {
    let query = projection.input.schema();
    let mut given = vec![false; query.fields().len()];
    let mut gives = |column: &Column, is_of_type: &dyn Fn(&DataType) -> bool| {
        let place = query.maybe_index_of_column(column);
        place.is_some_and(|place| {
            let first = !std::mem::replace(&mut given[place], true);
            first && is_of_type(query.field(place).data_type())
        })
    };
    let mut is_variable = |(expr, field): (&Expr, &FieldRef)| {
        let Expr::Alias(Alias {
            expr,
            relation: None,
            name,
            ..
        }) = expr
        else {
            return false;
        };
        let variable = field.data_type();
        name == field.name()
            && match expr.as_ref() {
                Expr::Column(column) => gives(column, &|given| given == variable),
                Expr::Cast(Cast { expr, field }) if field.data_type() == variable => {
                    match expr.as_ref() {
                        Expr::Column(column) => gives(column, &|given| given != variable),
                        Expr::Literal(value, _) => value.is_null(),
                        _ => false,
                    }
                }
                _ => false,
            }
    };
    projection.expr.len() == table.fields().len()
        && projection
            .expr
            .iter()
            .zip(table.fields())
            .all(&mut is_variable)
        && given.iter().all(|given| *given)
        && is_query(&projection.input)
}

/// Whether a plan may be that of a query in SQL, in which every table is selected from.
fn is_query(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => false,
        LogicalPlan::Projection(_) | LogicalPlan::Values(_) => true,
        other => other.inputs().first().is_none_or(|input| is_query(input)),
    }
}

/// A column of the projection that the planner made, without the planner's cast.
fn uncast(expr: Expr) -> Expr {
    match expr {
        Expr::Alias(mut alias) => {
            alias.expr = Box::new(match *alias.expr {
                Expr::Cast(Cast { expr, .. }) if matches!(*expr, Expr::Column(_)) => *expr,
                other => other,
            });
            Expr::Alias(alias)
        }
        other => other,
    }
}

/// The casts of constants in `VALUES` that may be the planner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConstantCasts {
    /// All of them, to the types of the table's variables. One that the statement itself has must lose nothing either, as the
    /// two cannot be told apart.
    ToVariables,
    /// Integers among floats, to one type for the column. All others are the statement's own.
    ToCommonType,
}

/// The rows of `VALUES` with every constant in its column's type. Fails for one that would lose something.
pub(super) fn constants(
    values: Values,
    casts: ConstantCasts,
    config: &ConfigOptions,
) -> Result<LogicalPlan> {
    let context = SimplifyContext::builder()
        .with_config_options(Arc::new(config.clone()))
        .with_current_time()
        .build();
    let simplifier = ExprSimplifier::new(context);
    let mut rows = Vec::with_capacity(values.values.len());
    for (before, row) in values.values.into_iter().enumerate() {
        let cells = row.into_iter().zip(values.schema.fields());
        let cells = cells.map(|(cell, field)| {
            check(&cell, field, before as u64, casts, &simplifier)?;
            match &cell {
                Expr::Cast(_) => simplifier.simplify(cell),
                _ => Ok(cell),
            }
        });
        rows.push(cells.collect::<Result<Vec<_>>>()?);
    }
    Ok(LogicalPlan::Values(Values {
        schema: values.schema,
        values: rows,
    }))
}

/// Fails for a constant that one of these casts would change.
fn check(
    cell: &Expr,
    field: &Field,
    before: u64,
    casts: ConstantCasts,
    simplifier: &ExprSimplifier,
) -> Result<()> {
    let Expr::Cast(Cast { expr: inner, .. }) = cell else {
        return Ok(());
    };
    let Expr::Literal(value, _) = simplifier.simplify(inner.as_ref().clone())? else {
        return Ok(());
    };
    // A type that no variable has is refused as such later.
    let Ok(variable) = variable_type(field) else {
        return Ok(());
    };
    let array = value.to_array()?;
    let from = array.data_type();
    let concerned = match casts {
        // Text that is no number fails by itself.
        ConstantCasts::ToVariables => fits(field.name(), from, &variable).is_ok(),
        ConstantCasts::ToCommonType => from.is_integer() && field.data_type().is_floating(),
    };
    if concerned {
        stored(field.name(), before, &array, &variable)?;
    }
    Ok(())
}
