//! Statements on Redivis as plans: definitions, procedures, `INSERT` and `COPY`.
//!
//! In: parsed statements, and plans of DataFusion. Out: logical plans whose [`RedivisStatement`]s say what they would do, and
//! the planner and execution plan that do it. Uses `catalog` and what is below it.
//!
//! An `INSERT` is DataFusion's own node over a table on Redivis; everything else that changes something there is a
//! [`RedivisStatement`].

mod carried;
mod casts;
mod copy;
pub(crate) mod definition;
mod exec;
pub(crate) mod insert;
mod options;
mod planner;
mod procedure;
mod statement;
mod within;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;

pub(crate) use self::casts::NoImplicitCasts;
use self::copy::Copy;
pub(crate) use self::options::verify;
pub use self::planner::{RedivisExtensionPlanner, RedivisPlanner};
use self::procedure::Call;
use self::statement::Action;
pub use self::statement::{RedivisStatement, StatementKind};
use self::within::{innermost, within};
use crate::catalog::{Registration, Registrations};

/// The plan of a statement on Redivis that DataFusion would plan otherwise, or not at all; `None` for all other statements.
///
/// `around` is the whole statement, which may explain or prepare this one, with the query whose rows it takes alone in its
/// place.
pub(crate) async fn plan(
    state: &SessionState,
    statement: ast::Statement,
    around: Statement,
    registrations: &Registrations,
) -> Result<Option<LogicalPlan>> {
    match statement {
        ast::Statement::Insert(insert) => insert::plan(state, &insert, around).await,
        ast::Statement::CreateTable(create) => {
            definition::plan(state, create, around, registrations).await
        }
        ast::Statement::Call(function) => {
            let call = call(&function, registrations)?;
            let around = state.statement_to_plan(around).await?;
            within(around, &|_| Ok(call.clone())).map(Some)
        }
        _ => Ok(None),
    }
}

/// The plan of a `CALL`.
fn call(function: &ast::Function, registrations: &Registrations) -> Result<LogicalPlan> {
    let schema = function.name.0.first().and_then(|part| part.as_ident());
    let schema = schema.map(|schema| schema.value.to_lowercase());
    let Registration { schema, metadata } = schema
        .and_then(|schema| registrations.get(&schema))
        .unwrap_or_else(|| registrations.first.clone());
    let action = Action::Call(Call::parse(function, &schema)?);
    RedivisStatement::plan(action, metadata, None)
}

/// The plan with a statement on Redivis in the place of DataFusion's own, where it defines a table there or copies to a file
/// there.
pub(crate) async fn on_redivis(
    plan: LogicalPlan,
    registrations: &Registrations,
) -> Result<LogicalPlan> {
    let inner = innermost(&plan);
    let statement = match inner {
        LogicalPlan::Copy(copy) => {
            let metadata = &registrations.first.metadata;
            match Copy::of(copy, metadata).await? {
                Some((copy, query)) => {
                    let action = Action::Copy(copy);
                    let metadata = Arc::clone(metadata);
                    Some(RedivisStatement::plan(action, metadata, Some(query))?)
                }
                None => None,
            }
        }
        inner => definition::statement(inner, registrations)?,
    };
    match statement {
        Some(statement) => within(plan, &|_| Ok(statement.clone())),
        None => Ok(plan),
    }
}
