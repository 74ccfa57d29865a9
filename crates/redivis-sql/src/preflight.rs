//! What a statement would read from Redivis, from what is known of its tables: no rows are read to tell it.

use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, LogicalPlanBuilder};
use datafusion_redivis::RedivisStatement;

use crate::estimate::Estimate;
use crate::failure::{Failure, Refusal};
use crate::memory;
use crate::output::Output;
use crate::progress::Followed;
use crate::report::note;
use crate::session::Session;

/// What to say of a statement whose queries run on Redivis to be planned.
pub(crate) fn unknown() -> Refusal {
    Refusal {
        message: "what 'redivis_query' reads is known once it has run on Redivis".to_owned(),
        hint: Some("run it without --dry-run".to_owned()),
        at: None,
    }
}

/// Passes a statement that writes what it reads, unless that is more than the person may have meant.
pub(crate) async fn pass(session: &Session, plan: &LogicalPlan) -> Result<(), Failure> {
    if !session.guard.is_up() {
        return Ok(());
    }
    for input in plan.inputs() {
        let frame = DataFrame::new(session.context.state(), input.clone());
        session.guard.pass(&frame.create_physical_plan().await?)?;
    }
    Ok(())
}

/// Tells what a statement would read, and leaves the session as if it had run, as far as others may build on it: definitions are
/// made, tables without rows.
pub(crate) async fn instead(
    session: &Session,
    output: &Output,
    plan: LogicalPlan,
) -> Result<(), Failure> {
    let is_remote = RedivisStatement::of(&plan).is_some();
    match plan {
        LogicalPlan::Statement(_) | LogicalPlan::DescribeTable(_) => {
            session.redivis.execute(plan).await?.collect().await?;
        }
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(mut create)) => {
            tell(session, output, create.input.as_ref().clone()).await?;
            let input = Arc::unwrap_or_clone(Arc::clone(&create.input));
            create.input = Arc::new(LogicalPlanBuilder::from(input).limit(0, Some(0))?.build()?);
            memory::create(session, create, Followed::default()).await?;
        }
        LogicalPlan::Ddl(_) if !is_remote => {
            session.redivis.execute(plan).await?.collect().await?;
        }
        plan if is_remote
            || matches!(
                plan,
                LogicalPlan::Copy(_)
                    | LogicalPlan::Dml(_)
                    | LogicalPlan::Explain(_)
                    | LogicalPlan::Analyze(_)
            ) =>
        {
            // What is written, and where, is of no interest: only what is read for it.
            for input in plan.inputs() {
                tell(session, output, input.clone()).await?;
            }
        }
        plan => tell(session, output, plan).await?,
    }
    Ok(())
}

async fn tell(session: &Session, output: &Output, plan: LogicalPlan) -> Result<(), Failure> {
    let frame = DataFrame::new(session.context.state(), plan);
    let estimate = Estimate::of(&frame.create_physical_plan().await?);
    output.deliver_batch(estimate.table()?).await?;
    note(format_args!("would read {}", estimate.total()));
    Ok(())
}
