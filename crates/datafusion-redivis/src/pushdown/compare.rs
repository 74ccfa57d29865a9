//! Comparisons.
//!
//! DataFusion orders floating point numbers with NaN above all others and equal to itself; to BigQuery every comparison with
//! NaN but `<>` is false. Where an operand may be NaN, the comparison says so.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};

use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, Sql};

impl Rows<'_> {
    /// `left operator right`, as DataFusion means it.
    pub(super) fn comparison(&self, operator: Operator, left: &Expr, right: &Expr) -> Said<Sql> {
        let kind = self.kind(left)?;
        if kind != self.kind(right)? {
            return refuse("a comparison of different types");
        }
        let (a, b) = (self.say(left)?, self.say(right)?);
        let symbol = match operator {
            Operator::NotEq => "<>",
            Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                operator_symbol(operator)
            }
            other => return refuse(format!("the operator {other}")),
        };
        let plain = Sql::infix(&a, symbol, &b);
        if kind != Kind::Float {
            return Ok(plain);
        }
        let a = Number::new(a, self.may_be_nan(left));
        let b = Number::new(b, self.may_be_nan(right));
        Ok(match operator {
            Operator::Eq => equal(plain, &a, &b),
            Operator::NotEq => not_equal(plain, &a, &b),
            Operator::Gt => above(plain, &a, &b),
            Operator::Lt => above(plain, &b, &a),
            Operator::GtEq => at_least(plain, &a, &b),
            _ => at_least(plain, &b, &a),
        })
    }

    /// Whether a floating point number may be NaN.
    pub(super) fn may_be_nan(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Literal(ScalarValue::Float64(value), _) => value.is_some_and(f64::is_nan),
            Expr::Cast(cast) => {
                let from = cast.expr.get_type(self.schema());
                !from.is_ok_and(|from| from.is_integer())
            }
            Expr::Alias(alias) => self.may_be_nan(&alias.expr),
            _ => true,
        }
    }
}

fn operator_symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Eq => "=",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        _ => ">=",
    }
}

/// A floating point number.
struct Number {
    sql: Sql,
    may_be_nan: bool,
}

impl Number {
    fn new(sql: Sql, may_be_nan: bool) -> Self {
        Self { sql, may_be_nan }
    }

    fn is_nan(&self) -> String {
        format!("IS_NAN({})", self.sql.text())
    }
}

/// NaN is equal to NaN.
fn equal(plain: Sql, a: &Number, b: &Number) -> Sql {
    match a.may_be_nan && b.may_be_nan {
        true => Sql::compound(format!(
            "{} OR ({} AND {})",
            plain.as_operand(),
            a.is_nan(),
            b.is_nan()
        )),
        false => plain,
    }
}

fn not_equal(plain: Sql, a: &Number, b: &Number) -> Sql {
    match a.may_be_nan && b.may_be_nan {
        true => Sql::compound(format!(
            "{} AND NOT ({} AND {})",
            plain.as_operand(),
            a.is_nan(),
            b.is_nan()
        )),
        false => plain,
    }
}

/// `high > low`, where NaN is above every number.
fn above(plain: Sql, high: &Number, low: &Number) -> Sql {
    match (high.may_be_nan, low.may_be_nan) {
        (false, _) => plain,
        (true, true) => Sql::compound(format!(
            "{} OR ({} AND NOT {})",
            plain.as_operand(),
            high.is_nan(),
            low.is_nan()
        )),
        (true, false) => or_nan(plain, high, low),
    }
}

/// `high >= low`, where NaN is above every number and equal to itself.
fn at_least(plain: Sql, high: &Number, low: &Number) -> Sql {
    match high.may_be_nan {
        true => or_nan(plain, high, low),
        false => plain,
    }
}

/// True where `high` is NaN and `low` is not null.
fn or_nan(plain: Sql, high: &Number, low: &Number) -> Sql {
    Sql::compound(format!(
        "{} OR ({} AND {} IS NOT NULL)",
        plain.as_operand(),
        high.is_nan(),
        low.sql.as_operand()
    ))
}
