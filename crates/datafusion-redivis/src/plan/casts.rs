//! Takes the casts out of an `INSERT` that SQL puts in silently.
//!
//! DataFusion casts every value to its column's type when it plans an `INSERT`: 1.5 becomes 1 before a table could refuse it.
//! So the columns of a query are handed on in their own types, for [`Columns`](crate::write::Columns) to judge; and where
//! the planner casts constants of `VALUES`, to the table's types or to one that fits all rows, each is judged here.

use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
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
                judged(insert, config)
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(plan.data)
    }
}

fn judged(insert: DmlStatement, config: &ConfigOptions) -> Result<Transformed<LogicalPlan>> {
    if !source_as_provider(&insert.target)?.is::<RedivisTable>() {
        return Ok(Transformed::no(LogicalPlan::Dml(insert)));
    }
    let input = insert
        .input
        .as_ref()
        .clone()
        .transform_down(|plan| match plan {
            LogicalPlan::Values(values) => {
                constants(values, Judged::All, config).map(Transformed::yes)
            }
            other => Ok(Transformed::no(other)),
        })?;
    let input = match input.data {
        LogicalPlan::Projection(projection) => {
            let exprs = projection.expr.into_iter().map(uncast).collect();
            LogicalPlan::Projection(Projection::try_new(exprs, projection.input)?)
        }
        other => other,
    };
    Ok(Transformed::yes(LogicalPlan::Dml(DmlStatement::new(
        insert.table_name,
        insert.target,
        insert.op,
        Arc::new(input),
    ))))
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

/// Which casts of constants in `VALUES` are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// All of them: they may be the planner's, to the table's types. One that the statement itself has must lose nothing
    /// either, as the two cannot be told apart.
    All,
    /// Integers among floats, which the planner casts to one type. All others are the statement's own.
    Mixed,
}

/// The rows of `VALUES` with every constant in its column's type. Fails for one that would lose something.
pub(crate) fn constants(
    values: Values,
    judged: Judged,
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
            judge(&cell, field, before as u64, judged, &simplifier)?;
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

fn judge(
    cell: &Expr,
    field: &Field,
    before: u64,
    judged: Judged,
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
    let concerned = match judged {
        // Text that is no number fails by itself.
        Judged::All => fits(field.name(), from, &variable).is_ok(),
        Judged::Mixed => from.is_integer() && field.data_type().is_floating(),
    };
    if concerned {
        stored(&array, &variable).map_err(|refusal| refusal.of(field.name(), before, &variable))?;
    }
    Ok(())
}
