//! Finds the parts of a plan that run on Redivis, and puts statements in their places.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::execution::SessionState;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    Expr, Filter, LogicalPlan, LogicalPlanBuilder, Sort, TableScan, cast,
};
use futures::future::{BoxFuture, FutureExt};

use super::block::names;
use super::cost::{self, Cost};
use super::estimate::{Known, with_table};
use super::explained::Explained;
use super::pushed::Pushed;
use super::refusal::{Refusal, Said, refuse};
use super::sql::Kind;
use super::table::PushedTable;
use super::translator::Translator;
use crate::connection::Connection;
use crate::options::{Pushdown, RedivisOptions};
use crate::table::RedivisTable;

/// The plan with all that is worth it run on Redivis. It is one that the optimizer is done with.
pub(crate) async fn push_down(plan: &LogicalPlan, session: &SessionState) -> Result<LogicalPlan> {
    let options = RedivisOptions::of(session.config_options());
    let pushing = Pushing { options };
    let placed = pushing.place(plan, None).await?;
    let placed = placed.unwrap_or_else(|| plan.clone());
    cost::ask_for_join_keys(&placed).await?;
    Ok(placed)
}

struct Pushing {
    options: RedivisOptions,
}

/// A part of a plan that can be said.
struct Statement {
    sql: String,
    connection: Arc<Connection>,
    is_ordered: bool,
    does_work: bool,
}

impl Pushing {
    /// The plan with statements in the place of its largest parts that can be said; `None` where it stays as it is.
    ///
    /// `above` is why what is above it was not pushed.
    fn place<'a>(
        &'a self,
        plan: &'a LogicalPlan,
        above: Option<&'a Refusal>,
    ) -> BoxFuture<'a, Result<Option<LogicalPlan>>> {
        async move {
            let here = match self.here(plan, above).await? {
                Ok(pushed) => return Ok(Some(pushed)),
                Err(why) => why,
            };
            let why = above.or(here.as_ref());
            match plan {
                LogicalPlan::TableScan(scan) => Ok(why.and_then(|why| explained(scan, why))),
                LogicalPlan::Filter(filter) => match self.split(filter, why).await? {
                    Some(split) => Ok(Some(split)),
                    None => self.within(plan, why).await,
                },
                _ => self.within(plan, why).await,
            }
        }
        .boxed()
    }

    /// The plan as one statement; else why not, if there is anything to say about it.
    async fn here(
        &self,
        plan: &LogicalPlan,
        above: Option<&Refusal>,
    ) -> Result<std::result::Result<LogicalPlan, Option<Refusal>>> {
        let statement = match say(plan) {
            Ok(statement) if !statement.does_work => return Ok(Err(None)),
            Ok(statement) => statement,
            Err(why) => return Ok(Err(is_of_queries(plan).then_some(why))),
        };
        if !statement.is_ordered {
            let pushed = self.pushed(plan, statement, above).await?;
            return Ok(pushed.map_err(Some));
        }
        // Streams keep no order: the few rows that are left are sorted again.
        let Some(sort) = order(plan) else {
            return Ok(Err(None));
        };
        let pushed = self.pushed(plan, statement, above).await?;
        Ok(pushed.map_err(Some).map(|pushed| {
            LogicalPlan::Sort(Sort {
                expr: sort.expr.clone(),
                input: Arc::new(pushed),
                fetch: None,
            })
        }))
    }

    /// The plan with statements below it.
    async fn within(
        &self,
        plan: &LogicalPlan,
        why: Option<&Refusal>,
    ) -> Result<Option<LogicalPlan>> {
        let mut inputs = vec![];
        let mut is_changed = false;
        for input in plan.inputs() {
            let placed = self.place(input, why).await?;
            is_changed |= placed.is_some();
            inputs.push(placed.unwrap_or_else(|| input.clone()));
        }
        let mut exprs = plan.expressions();
        for expr in &mut exprs {
            is_changed |= self.in_subqueries(expr).await?;
        }
        is_changed
            .then(|| plan.with_new_exprs(exprs, inputs))
            .transpose()
    }

    /// Puts statements into the subqueries of an expression.
    async fn in_subqueries(&self, expr: &mut Expr) -> Result<bool> {
        let mut subqueries = vec![];
        expr.apply(|part| {
            if let Expr::ScalarSubquery(subquery) = part {
                subqueries.push(subquery.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let mut is_changed = false;
        for subquery in &mut subqueries {
            if let Some(placed) = self.place(&subquery.subquery, None).await? {
                subquery.subquery = Arc::new(placed);
                is_changed = true;
            }
        }
        if is_changed {
            let mut placed = subqueries.into_iter();
            let replaced = std::mem::take(expr).transform(|part| match part {
                Expr::ScalarSubquery(subquery) => {
                    let placed = placed.next().unwrap_or(subquery);
                    Ok(Transformed::yes(Expr::ScalarSubquery(placed)))
                }
                other => Ok(Transformed::no(other)),
            })?;
            *expr = replaced.data;
        }
        Ok(is_changed)
    }

    /// A filter of which a part can be said: that one runs on Redivis, and what is left stays.
    async fn split(&self, filter: &Filter, why: Option<&Refusal>) -> Result<Option<LogicalPlan>> {
        let mut said = vec![];
        let mut stays = vec![];
        for conjunct in split_conjunction(&filter.predicate) {
            let alone = Filter::try_new(conjunct.clone(), Arc::clone(&filter.input))?;
            match say(&LogicalPlan::Filter(alone)) {
                Ok(_) => said.push(conjunct.clone()),
                Err(_) => stays.push(conjunct.clone()),
            }
        }
        let (Some(said), Some(stays)) = (conjunction(said), conjunction(stays)) else {
            return Ok(None);
        };
        let part = LogicalPlan::Filter(Filter::try_new(said, Arc::clone(&filter.input))?);
        let Some(placed) = self.place(&part, why).await? else {
            return Ok(None);
        };
        let rest = Filter::try_new(stays, Arc::new(placed))?;
        Ok(Some(LogicalPlan::Filter(rest)))
    }

    /// The plan as a statement on Redivis, if that is worth it.
    async fn pushed(
        &self,
        plan: &LogicalPlan,
        statement: Statement,
        above: Option<&Refusal>,
    ) -> Result<Said<LogicalPlan>> {
        let cost = Cost::of_reading(plan, &self.options).await?;
        let Statement {
            sql, connection, ..
        } = statement;
        let is_auto = self.options.pushdown == Pushdown::Auto;
        let cost = if is_auto {
            let job = connection.query_cost(self.options.query_cost);
            if let Err(why) = cost.is_worth(job) {
                return Ok(refuse(why.to_string()));
            }
            let known = cost::known(plan, &connection).await?;
            let cost = cost.with_answer(plan, &known);
            if let Err(why) = cost.is_worth(job) {
                return Ok(refuse(why.to_string()));
            }
            cost
        } else {
            cost.with_answer(plan, &Known::default())
        };
        let pushed = Pushed {
            connection,
            sql,
            schema: wire_schema(plan),
            tables: tables(plan)?,
            cost,
            above: above.map(ToString::to_string),
            otherwise: match is_auto {
                true => Some(otherwise(plan)?),
                false => None,
            },
        };
        Ok(Ok(scan(pushed, plan)?))
    }
}

/// A plan in words, if it has any.
fn say(plan: &LogicalPlan) -> Said<Statement> {
    if plan.schema().fields().is_empty() {
        return refuse("it has no columns");
    }
    let translator = Translator::default();
    let block = translator.block(plan)?;
    let (is_ordered, does_work) = (block.is_ordered, block.does_work);
    let sql = Translator::checked(block.statement(plan.schema())?)?;
    for field in plan.schema().fields() {
        Kind::of(field.data_type())?;
    }
    match translator.connection() {
        Some(connection) => Ok(Statement {
            sql,
            connection: Arc::clone(connection),
            is_ordered,
            does_work,
        }),
        None => refuse("it reads no table of Redivis"),
    }
}

/// The sort that gives a plan its order, over the same columns.
fn order(plan: &LogicalPlan) -> Option<&Sort> {
    match plan {
        LogicalPlan::Sort(sort) if sort.fetch.is_some() => Some(sort),
        LogicalPlan::Limit(limit) => match &*limit.input {
            LogicalPlan::Sort(sort) => Some(sort),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a plan is a part of a query, and no statement around one.
fn is_of_queries(plan: &LogicalPlan) -> bool {
    !matches!(
        plan,
        LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Statement(_)
            | LogicalPlan::Extension(_)
    )
}

/// The table of a scan, which says why it is read.
fn explained(scan: &TableScan, why: &Refusal) -> Option<LogicalPlan> {
    let table = source_as_provider(&scan.source).ok()?;
    table.downcast_ref::<RedivisTable>()?;
    let source = provider_as_source(Arc::new(Explained::new(table, why.to_string())));
    Some(LogicalPlan::TableScan(TableScan {
        source,
        ..scan.clone()
    }))
}

/// The columns of a plan as Redivis sends them, each with a name of its own.
fn wire_schema(plan: &LogicalPlan) -> SchemaRef {
    let fields = plan.schema().fields().iter().zip(names(plan.schema()));
    let fields = fields.map(|(field, name)| {
        let wire = Field::new(name, wire_type(field.data_type()), field.is_nullable());
        wire.with_metadata(field.metadata().clone())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The type that values are sent in; every type of a plan that can be said has one.
fn wire_type(data_type: &DataType) -> DataType {
    Kind::of(data_type).map_or_else(|_| data_type.clone(), Kind::data_type)
}

/// The plan's rows with the columns of the statement's.
fn otherwise(plan: &LogicalPlan) -> Result<LogicalPlan> {
    let fields = plan.schema().iter().zip(names(plan.schema()));
    let columns = fields.map(|((qualifier, field), name)| {
        let column = Expr::from((qualifier, field));
        converted(column, field.data_type(), &wire_type(field.data_type())).alias(name)
    });
    LogicalPlanBuilder::from(plan.clone())
        .project(columns)?
        .build()
}

/// The statement's rows with the columns of the plan's.
fn scan(pushed: Pushed, plan: &LogicalPlan) -> Result<LogicalPlan> {
    let name = TableReference::bare("query");
    let fields = plan.schema().iter().zip(names(plan.schema()));
    let columns = fields.map(|((qualifier, field), sent)| {
        let column = Expr::Column(Column::new(Some(name.clone()), sent));
        converted(column, &wire_type(field.data_type()), field.data_type())
            .alias_qualified(qualifier.cloned(), field.name())
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::scan(
        name.clone(),
        provider_as_source(Arc::new(PushedTable::from(pushed))),
        None,
    )?
    .project(columns)?
    .build()
}

fn converted(column: Expr, from: &DataType, to: &DataType) -> Expr {
    match from == to {
        true => column,
        false => cast(column, to.clone()),
    }
}

/// The tables that a plan reads.
fn tables(plan: &LogicalPlan) -> Result<Vec<String>> {
    let mut tables: Vec<String> = vec![];
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Some(name) = with_table(scan, |table| table.name().to_owned())
            && !tables.contains(&name)
        {
            tables.push(name);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(tables)
}
