//! Whether a query on Redivis is sooner than reading its tables.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan};
use futures::stream::{self, StreamExt};
use redivis::resource::VariableStatistics;

use super::estimate::{Known, Variable, row_bytes, variable, with_table};
use crate::connection::Connection;
use crate::options::RedivisOptions;
use crate::table::RedivisTable;

/// Bytes a second that a person far from the data reads, about.
const LINE_BYTES: f64 = 25e6;
/// Variables whose statistics are asked for side by side.
const ASKED_AT_ONCE: usize = 8;
/// Below so many rows the order of joins matters less than a request.
const LARGE_ROWS: u64 = 1_000_000;

/// What reading a part of a plan takes, and what its answer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    /// Bytes of the tables' variables that would be read.
    pub(super) reading: f64,
    /// Rows of the answer.
    pub(super) rows: f64,
    /// Bytes of the answer.
    pub(super) answer: f64,
}

/// Why a part that could be pushed is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotWorth {
    cost: Cost,
    job: Duration,
}

impl fmt::Display for NotWorth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost {
            reading, answer, ..
        } = self.cost;
        let job = self.job.as_secs_f64();
        write!(f, "reading about {} is sooner than a query", bytes(reading))?;
        match answer > 0.0 {
            true => write!(f, " ({job:.1} s, and about {} to read)", bytes(answer)),
            false => write!(f, " ({job:.1} s)"),
        }
    }
}

/// Bytes, for people.
pub(super) fn bytes(bytes: f64) -> String {
    match bytes {
        0.0..1e6 => format!("{:.0} kB", bytes / 1e3),
        1e6..1e9 => format!("{:.0} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

impl Cost {
    /// What reading takes, but for what is kept here already; nothing is known of the answer.
    pub(super) async fn of_reading(plan: &LogicalPlan, options: &RedivisOptions) -> Result<Self> {
        let mut reads = vec![];
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let provider = source_as_provider(&scan.source)?;
                reads.push((provider, scan.projection.clone()));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let mut cost = Self::default();
        for (provider, variables) in reads {
            let variables = variables.as_deref();
            if let Some(table) = provider.downcast_ref::<RedivisTable>()
                && !table.is_kept(options, variables).await?
            {
                cost.reading += table.bytes_of(variables).unwrap_or(0) as f64;
            }
        }
        Ok(cost)
    }

    /// With the answer.
    pub(super) fn with_answer(self, plan: &LogicalPlan, known: &Known) -> Self {
        let rows = known.rows(plan);
        Self {
            rows,
            answer: rows * row_bytes(plan),
            ..self
        }
    }

    /// Whether a query that takes `job` before its first row is worth it.
    pub(super) fn is_worth(self, job: Duration) -> std::result::Result<(), NotWorth> {
        let seconds = |bytes: f64| bytes / LINE_BYTES;
        match job.as_secs_f64() + seconds(self.answer) < seconds(self.reading) {
            true => Ok(()),
            false => Err(NotWorth { cost: self, job }),
        }
    }
}

/// What Redivis knows of the variables that a plan's predicates compare: one request for each that was not asked for before.
pub(super) async fn known(plan: &LogicalPlan, connection: &Arc<Connection>) -> Result<Known> {
    let mut wanted = BTreeSet::new();
    plan.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            filter.predicate.apply(|expr| {
                if let Expr::BinaryExpr(_) | Expr::InList(_) = expr {
                    expr.apply_children(|child| {
                        if let Expr::Column(column) = child {
                            wanted.extend(variable(&filter.input, column));
                        }
                        Ok(TreeNodeRecursion::Continue)
                    })?;
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let wanted = wanted.into_iter();
    let wanted = wanted.map(|variable| (variable, Arc::clone(connection)));
    Ok(Known(ask(wanted).await))
}

/// Asks for what Redivis knows of the keys that large tables are joined by, where they are read: the order of joins follows it.
pub(super) async fn ask_for_join_keys(plan: &LogicalPlan) -> Result<()> {
    let mut tables = HashMap::new();
    let mut keys = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => {
                with_table(scan, |table| {
                    if table
                        .table()
                        .num_rows
                        .is_some_and(|rows| rows >= LARGE_ROWS)
                    {
                        let connection = Arc::clone(table.connection());
                        tables.insert(table.table().uri.clone(), connection);
                    }
                });
            }
            LogicalPlan::Join(join) => {
                for (left, right) in &join.on {
                    for (side, key) in [(&join.left, left), (&join.right, right)] {
                        if let Expr::Column(column) = key {
                            keys.extend(variable(side, column));
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let keys = keys.into_iter().filter_map(|variable| {
        let connection = tables.get(&variable.0)?;
        Some((variable, Arc::clone(connection)))
    });
    ask(keys).await;
    Ok(())
}

/// Asks for the statistics of variables, side by side.
async fn ask(
    variables: impl Iterator<Item = (Variable, Arc<Connection>)>,
) -> HashMap<Variable, Arc<VariableStatistics>> {
    let ask = |(variable, connection): (Variable, Arc<Connection>)| async move {
        let known = connection.statistics(&variable.0, &variable.1).await;
        Some((variable, known?))
    };
    stream::iter(variables.map(ask))
        .buffer_unordered(ASKED_AT_ONCE)
        .filter_map(|known| async { known })
        .collect()
        .await
}
