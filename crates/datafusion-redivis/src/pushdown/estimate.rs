//! How many rows a plan has, about.
//!
//! From the counts of tables and what Redivis knows of the variables that predicates name; where nothing is known, from the
//! usual guesses.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, FetchType, LogicalPlan, Operator, SkipType, TableScan,
};
use redivis::resource::VariableStatistics;
use serde_json::Value;

use super::explained::Explained;
use crate::scan::statistics;
use crate::table::RedivisTable;

/// Rows that pass a predicate of which nothing is known.
const SOME: f64 = 0.3;
/// What a text takes.
const TEXT_BYTES: usize = 20;
/// Rows in a group where nothing is known of its key.
const ROWS_A_GROUP: f64 = 10.0;

/// A variable of a table: the path of the table, and its name.
pub(super) type Variable = (String, String);

/// What is known of variables.
#[derive(Debug, Default)]
pub(super) struct Known(pub(super) HashMap<Variable, Arc<VariableStatistics>>);

/// The table that a scan reads, if it is on Redivis.
pub(super) fn with_table<T>(scan: &TableScan, f: impl FnOnce(&RedivisTable) -> T) -> Option<T> {
    let provider = source_as_provider(&scan.source).ok()?;
    let provider = match provider.downcast_ref::<Explained>() {
        Some(explained) => Arc::clone(&explained.table),
        None => provider,
    };
    provider.downcast_ref::<RedivisTable>().map(f)
}

/// The variable of a table that a column of a plan is, if it is one as it is.
pub(super) fn variable(plan: &LogicalPlan, column: &Column) -> Option<Variable> {
    origin(plan, plan.schema().index_of_column(column).ok()?)
}

fn origin(plan: &LogicalPlan, place: usize) -> Option<Variable> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let place = match &scan.projection {
                Some(projection) => *projection.get(place)?,
                None => place,
            };
            with_table(scan, |table| {
                let variable = table.variables().get(place)?;
                let is_stable = table.is_immutable();
                is_stable.then(|| (table.table().uri.clone(), variable.name.clone()))
            })?
        }
        LogicalPlan::SubqueryAlias(alias) => origin(&alias.input, place),
        LogicalPlan::Filter(filter) => origin(&filter.input, place),
        LogicalPlan::Projection(projection) => match projection.expr.get(place)? {
            Expr::Column(column) => variable(&projection.input, column),
            _ => None,
        },
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.get(place)? {
            Expr::Column(column) => variable(&aggregate.input, column),
            _ => None,
        },
        LogicalPlan::Join(join) => match place.checked_sub(join.left.schema().fields().len()) {
            None => origin(&join.left, place),
            Some(place) => origin(&join.right, place),
        },
        _ => None,
    }
}

impl Known {
    /// The rows of a plan.
    pub(super) fn rows(&self, plan: &LogicalPlan) -> f64 {
        match plan {
            LogicalPlan::TableScan(scan) => {
                let rows = with_table(scan, |table| table.table().num_rows).flatten();
                rows.map_or(1e6, |rows| rows as f64)
            }
            LogicalPlan::Filter(filter) => {
                let conjuncts = split_conjunction(&filter.predicate).into_iter();
                let passing = conjuncts.map(|it| self.passing(&filter.input, it));
                self.rows(&filter.input) * passing.product::<f64>()
            }
            LogicalPlan::Aggregate(aggregate) => {
                let rows = self.rows(&aggregate.input);
                let groups = aggregate.group_expr.iter().map(|key| match key {
                    Expr::Column(column) => self.distinct(&aggregate.input, column),
                    _ => None,
                });
                match groups.collect::<Option<Vec<f64>>>() {
                    Some(groups) => rows.min(groups.into_iter().product()),
                    None => rows / ROWS_A_GROUP,
                }
            }
            LogicalPlan::Sort(sort) => {
                let rows = self.rows(&sort.input);
                sort.fetch.map_or(rows, |fetch| rows.min(fetch as f64))
            }
            LogicalPlan::Limit(limit) => {
                let rows = self.rows(&limit.input);
                let rows = match limit.get_skip_type() {
                    Ok(SkipType::Literal(skip)) => (rows - skip as f64).max(0.0),
                    _ => rows,
                };
                match limit.get_fetch_type() {
                    Ok(FetchType::Literal(Some(fetch))) => rows.min(fetch as f64),
                    _ => rows,
                }
            }
            LogicalPlan::Union(union) => union.inputs.iter().map(|input| self.rows(input)).sum(),
            LogicalPlan::Join(join) => {
                let (left, right) = (self.rows(&join.left), self.rows(&join.right));
                let keys = join.on.iter().filter_map(|pair| match pair {
                    (Expr::Column(a), Expr::Column(b)) => {
                        let of_left = self.distinct(&join.left, a).unwrap_or(0.0);
                        let of_right = self.distinct(&join.right, b).unwrap_or(0.0);
                        Some(of_left.max(of_right)).filter(|distinct| *distinct > 0.0)
                    }
                    _ => None,
                });
                let matches = match (join.on.is_empty(), keys.reduce(f64::max)) {
                    (true, _) => left * right,
                    (false, Some(distinct)) => left * right / distinct,
                    (false, None) => left.max(right),
                };
                let matches = match &join.filter {
                    Some(_) => matches * SOME,
                    None => matches,
                };
                match join.join_type {
                    JoinType::Inner => matches,
                    JoinType::Left => matches.max(left),
                    JoinType::Right => matches.max(right),
                    JoinType::Full => matches.max(left + right),
                    JoinType::LeftMark => left,
                    JoinType::RightMark => right,
                    JoinType::LeftSemi | JoinType::LeftAnti => left / 2.0,
                    JoinType::RightSemi | JoinType::RightAnti => right / 2.0,
                }
            }
            other => {
                let inputs = other.inputs();
                inputs.first().map_or(1.0, |input| self.rows(input))
            }
        }
    }

    fn of(&self, plan: &LogicalPlan, column: &Column) -> Option<&VariableStatistics> {
        self.0.get(&variable(plan, column)?).map(|known| &**known)
    }

    fn distinct(&self, plan: &LogicalPlan, column: &Column) -> Option<f64> {
        Some(self.of(plan, column)?.num_distinct? as f64)
    }

    /// The part of the rows that passes a predicate.
    fn passing(&self, plan: &LogicalPlan, predicate: &Expr) -> f64 {
        let part = match predicate {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::And => self.passing(plan, left) * self.passing(plan, right),
                Operator::Or => self.passing(plan, left) + self.passing(plan, right),
                _ => match (&**left, &**right) {
                    (Expr::Column(column), Expr::Literal(value, _)) => {
                        self.compared(plan, column, *op, value)
                    }
                    (Expr::Literal(value, _), Expr::Column(column)) => {
                        let op = op.swap().unwrap_or(*op);
                        self.compared(plan, column, op, value)
                    }
                    _ => None,
                }
                .unwrap_or(SOME),
            },
            Expr::Not(inner) => 1.0 - self.passing(plan, inner),
            Expr::InList(InList {
                expr,
                list,
                negated: false,
            }) => match &**expr {
                Expr::Column(column) => match self.distinct(plan, column) {
                    Some(distinct) => list.len() as f64 / distinct.max(1.0),
                    None => SOME,
                },
                _ => SOME,
            },
            _ => SOME,
        };
        part.clamp(0.0, 1.0)
    }

    fn compared(
        &self,
        plan: &LogicalPlan,
        column: &Column,
        op: Operator,
        value: &ScalarValue,
    ) -> Option<f64> {
        let known = self.of(plan, column)?;
        let one = 1.0 / (known.num_distinct? as f64).max(1.0);
        let below = || {
            let data_type = value.data_type();
            let number =
                |known: &Option<Value>| as_number(&statistics::value(known.as_ref()?, &data_type)?);
            let (low, high) = (number(&known.min)?, number(&known.max)?);
            let part = (as_number(value)? - low) / (high - low).max(f64::MIN_POSITIVE);
            Some(part.clamp(0.0, 1.0))
        };
        match op {
            Operator::Eq => Some(one),
            Operator::NotEq => Some(1.0 - one),
            Operator::Lt | Operator::LtEq => below(),
            Operator::Gt | Operator::GtEq => below().map(|below| 1.0 - below),
            _ => None,
        }
    }
}

/// A place on a line, for values that have one.
fn as_number(value: &ScalarValue) -> Option<f64> {
    let number = match value {
        ScalarValue::Date32(days) => return days.map(f64::from),
        ScalarValue::TimestampMicrosecond(..) | ScalarValue::TimestampNanosecond(..) => {
            value.cast_to(&DataType::Int64).ok()?
        }
        other => other.clone(),
    };
    match number.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(number) => number,
        _ => None,
    }
}

/// What the rows of a plan take, each.
pub(super) fn row_bytes(plan: &LogicalPlan) -> f64 {
    let widths = plan.schema().fields().iter();
    let width = |data_type: &DataType| data_type.primitive_width().unwrap_or(TEXT_BYTES);
    widths.map(|field| width(field.data_type())).sum::<usize>() as f64
}
