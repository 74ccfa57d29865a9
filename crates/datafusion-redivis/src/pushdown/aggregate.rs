//! Aggregate functions.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};

use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, Sql};

/// What is aggregated.
pub(super) struct Aggregated<'a> {
    pub(super) args: &'a [Expr],
    pub(super) distinct: bool,
    pub(super) filter: Option<&'a Expr>,
    pub(super) null_treatment: Option<NullTreatment>,
}

impl Rows<'_> {
    /// An aggregate function over groups.
    pub(super) fn aggregate(&self, expr: &Expr) -> Said<Sql> {
        match expr {
            Expr::Alias(alias) => self.aggregate(&alias.expr),
            Expr::AggregateFunction(AggregateFunction { func, params }) => {
                if !params.order_by.is_empty() {
                    return refuse(format!("{} with an order", func.name()));
                }
                let aggregated = Aggregated {
                    args: &params.args,
                    distinct: params.distinct,
                    filter: params.filter.as_deref(),
                    null_treatment: params.null_treatment,
                };
                self.aggregated(func.name(), &aggregated, "")
            }
            other => refuse(format!("{} is not said on Redivis", other.variant_name())),
        }
    }

    /// An aggregate function, over groups or, with `over`, over a window.
    pub(super) fn aggregated(&self, function: &str, of: &Aggregated, over: &str) -> Said<Sql> {
        if of.null_treatment == Some(NullTreatment::IgnoreNulls) {
            return refuse(format!("{function} with IGNORE NULLS"));
        }
        let call =
            |function: &str, argument: &str| Sql::operand(format!("{function}({argument}){over}"));
        let [argument] = of.args else {
            return match (function, of.args, of.filter) {
                ("count", [], None) => Ok(call("COUNT", "*")),
                _ => refuse(format!("{function} of {} arguments", of.args.len())),
            };
        };
        let filter = of.filter.map(|filter| self.say(filter)).transpose()?;
        let filtered = |value: &Sql| match &filter {
            Some(filter) => format!("CASE WHEN {} THEN {} END", filter.text(), value.text()),
            None => value.text().to_owned(),
        };
        if function == "count" {
            if let Expr::Literal(value, _) = argument
                && !value.is_null()
                && !of.distinct
            {
                return Ok(match filter {
                    Some(_) => call("COUNT", &filtered(&Sql::operand("1"))),
                    None => call("COUNT", "*"),
                });
            }
            // Opaque values are there or not, too; but this is said of values alone.
            let value = self.say(argument)?;
            return Ok(match (of.distinct, self.kind(argument)?) {
                (true, Kind::Float) => {
                    return refuse("the number of different floating point numbers");
                }
                (true, _) => call("COUNT", &format!("DISTINCT {}", filtered(&value))),
                (false, _) => call("COUNT", &filtered(&value)),
            });
        }
        let kind = self.kind(argument)?;
        let value = self.say(argument)?;
        let plain = |function: &str| call(function, &filtered(&value));
        Ok(match (function, kind, of.distinct) {
            ("max", _, _) => plain("MAX"),
            // BigQuery's is NaN where any value is.
            ("min", Kind::Float, _) => {
                let mut number = format!("NOT IS_NAN({})", value.text());
                if let Some(filter) = &filter {
                    number = format!("{} AND {number}", filter.as_operand());
                }
                let numbers = format!("CASE WHEN {number} THEN {} END", value.text());
                Sql::call("COALESCE", &[&call("MIN", &numbers), &plain("MAX")])
            }
            ("min", _, _) => plain("MIN"),
            ("sum", Kind::Integer | Kind::Float, false) => plain("SUM"),
            ("sum", Kind::Integer, true) => call("SUM", &format!("DISTINCT {}", filtered(&value))),
            ("avg", Kind::Integer | Kind::Float, false) => plain("AVG"),
            ("stddev", Kind::Float, false) => plain("STDDEV_SAMP"),
            ("stddev_pop", Kind::Float, false) => plain("STDDEV_POP"),
            ("var", Kind::Float, false) => plain("VAR_SAMP"),
            ("var_pop", Kind::Float, false) => plain("VAR_POP"),
            ("bool_and", Kind::Boolean, false) => plain("LOGICAL_AND"),
            ("bool_or", Kind::Boolean, false) => plain("LOGICAL_OR"),
            _ => {
                return refuse(format!(
                    "the aggregate function {function} has no counterpart that means the same"
                ));
            }
        })
    }
}
