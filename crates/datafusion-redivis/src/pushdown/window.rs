//! Window functions, and the orders of rows.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{
    Expr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use super::aggregate::Aggregated;
use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, Sql};

impl Rows<'_> {
    /// A window function.
    pub(super) fn window(&self, expr: &Expr) -> Said<Sql> {
        let window = match expr {
            Expr::Alias(alias) => return self.window(&alias.expr),
            Expr::WindowFunction(window) => window,
            other => return refuse(format!("{} is not said on Redivis", other.variant_name())),
        };
        let WindowFunction { fun, params } = &**window;
        let mut clauses = vec![];
        if !params.partition_by.is_empty() {
            let by = params
                .partition_by
                .iter()
                .map(|expr| Ok(self.say(expr)?.text().to_owned()))
                .collect::<Said<Vec<_>>>()?;
            clauses.push(format!("PARTITION BY {}", by.join(", ")));
        }
        if !params.order_by.is_empty() {
            clauses.push(format!(
                "ORDER BY {}",
                self.order(&params.order_by)?.join(", ")
            ));
        }
        match fun {
            WindowFunctionDefinition::AggregateUDF(function) => {
                if params.distinct {
                    return refuse(format!(
                        "{} of different values in a window",
                        function.name()
                    ));
                }
                if !params.order_by.is_empty() {
                    clauses.push(frame(&params.window_frame)?);
                }
                let aggregated = Aggregated {
                    args: &params.args,
                    distinct: false,
                    filter: params.filter.as_deref(),
                    null_treatment: params.null_treatment,
                };
                let over = format!(" OVER ({})", clauses.join(" "));
                self.aggregated(function.name(), &aggregated, &over)
            }
            WindowFunctionDefinition::WindowUDF(function) => {
                if params.null_treatment.is_some() || params.filter.is_some() {
                    return refuse(format!("{} with IGNORE NULLS", function.name()));
                }
                let (call, has_frame) = self.numbering(function.name(), &params.args)?;
                if params.order_by.is_empty() {
                    return refuse(format!("{} without an order", function.name()));
                }
                if has_frame {
                    clauses.push(frame(&params.window_frame)?);
                }
                Ok(Sql::operand(format!("{call} OVER ({})", clauses.join(" "))))
            }
        }
    }

    /// The call of a function that is one of windows alone, and whether it has a frame.
    fn numbering(&self, function: &str, args: &[Expr]) -> Said<(String, bool)> {
        let value = |expr: &Expr| Ok(self.say(expr)?.text().to_owned());
        Ok(match (function, args) {
            ("row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist", []) => {
                (format!("{}()", function.to_uppercase()), false)
            }
            ("first_value" | "last_value", [of]) => {
                (format!("{}({})", function.to_uppercase(), value(of)?), true)
            }
            ("lag" | "lead", [of]) => (
                format!("{}({})", function.to_uppercase(), value(of)?),
                false,
            ),
            ("lag" | "lead", [of, offset @ Expr::Literal(ScalarValue::Int64(Some(0..)), _)]) => {
                let call = format!(
                    "{}({}, {})",
                    function.to_uppercase(),
                    value(of)?,
                    value(offset)?
                );
                (call, false)
            }
            _ => {
                return refuse(format!(
                    "the window function {function} of these arguments has no counterpart that means the same"
                ));
            }
        })
    }

    /// The keys of an order, with the places of nulls and NaN as DataFusion has them.
    pub(super) fn order(&self, keys: &[Sort]) -> Said<Vec<String>> {
        let mut said = Vec::with_capacity(keys.len());
        for Sort {
            expr,
            asc,
            nulls_first,
        } in keys
        {
            let direction = format!(
                "{} NULLS {}",
                if *asc { "ASC" } else { "DESC" },
                if *nulls_first { "FIRST" } else { "LAST" }
            );
            let key = self.say(expr)?;
            if self.kind(expr)? == Kind::Float && self.may_be_nan(expr) {
                // The largest number here, the smallest there.
                said.push(format!("IS_NAN({}) {direction}", key.text()));
            }
            said.push(format!("{} {direction}", key.text()));
        }
        Ok(said)
    }
}

fn frame(frame: &WindowFrame) -> Said<String> {
    let units = match frame.units {
        WindowFrameUnits::Rows => "ROWS",
        WindowFrameUnits::Range => "RANGE",
        WindowFrameUnits::Groups => return refuse("a window of GROUPS"),
    };
    let bound = |bound: &WindowFrameBound| {
        let (rows, side) = match bound {
            WindowFrameBound::CurrentRow => return Ok("CURRENT ROW".to_owned()),
            WindowFrameBound::Preceding(rows) => (rows, "PRECEDING"),
            WindowFrameBound::Following(rows) => (rows, "FOLLOWING"),
        };
        match rows {
            rows if rows.is_null() => Ok(format!("UNBOUNDED {side}")),
            ScalarValue::UInt64(Some(rows)) if frame.units == WindowFrameUnits::Rows => {
                Ok(format!("{rows} {side}"))
            }
            _ => refuse("a window of a range of values"),
        }
    };
    Ok(format!(
        "{units} BETWEEN {} AND {}",
        bound(&frame.start_bound)?,
        bound(&frame.end_bound)?
    ))
}
