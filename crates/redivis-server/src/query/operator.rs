//! Comparisons between kinds of values that BigQuery compares; all others are errors and not conversions.

use datafusion::{
    common::{DFSchema, plan_err},
    error::Result,
    logical_expr::{
        Expr, ExprSchemable,
        planner::{ExprPlanner, PlannerResult, RawBinaryExpr},
    },
    sql::sqlparser::ast::BinaryOperator,
};

use super::function::Kind;

/// Refuses comparisons of what cannot be compared.
#[derive(Debug)]
pub(super) struct Comparisons;

impl ExprPlanner for Comparisons {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let compares = matches!(
            expr.op,
            BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
        );
        let kind = |side: &Expr| side.get_type(schema).ok().and_then(|kind| Kind::of(&kind));
        if compares
            && let (Some(left), Some(right)) = (kind(&expr.left), kind(&expr.right))
            && !comparable((left, &expr.left), (right, &expr.right))
        {
            return plan_err!(
                "{} cannot be compared with {} by {}; CAST one of them",
                left.name(),
                right.name(),
                expr.op
            );
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn comparable(left: (Kind, &Expr), right: (Kind, &Expr)) -> bool {
    let number = |kind| matches!(kind, Kind::Int | Kind::Float);
    // A text that is written out may stand for a date or a time.
    let written = |(kind, expr): (Kind, &Expr), other: Kind| {
        kind == Kind::Text
            && matches!(expr, Expr::Literal(..))
            && matches!(
                other,
                Kind::Date | Kind::DateTime | Kind::Timestamp | Kind::Time
            )
    };
    let (one, two) = (left.0, right.0);
    one == two
        || one == Kind::Null
        || two == Kind::Null
        || (number(one) && number(two))
        || matches!(
            (one, two),
            (Kind::Date, Kind::DateTime) | (Kind::DateTime, Kind::Date)
        )
        || written(left, two)
        || written(right, one)
}
