//! What stands around a statement: `EXPLAIN`, `EXPLAIN ANALYZE`, `PREPARE`.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    Explain, LogicalPlan, PlanType, Prepare, Statement, ToStringifiedPlan,
};

/// The innermost of the plans that explain or prepare another.
pub(super) fn innermost(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Explain(explain) => innermost(&explain.plan),
        LogicalPlan::Analyze(analyze) => innermost(&analyze.input),
        LogicalPlan::Statement(Statement::Prepare(prepare)) => innermost(&prepare.input),
        plan => plan,
    }
}

/// Puts another plan in the place of the innermost one.
pub(super) fn within(
    plan: LogicalPlan,
    replace: &impl Fn(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let inside = |plan: Arc<LogicalPlan>| {
        Ok::<_, DataFusionError>(Arc::new(within(Arc::unwrap_or_clone(plan), replace)?))
    };
    Ok(match plan {
        LogicalPlan::Explain(explain) => {
            let plan = inside(explain.plan)?;
            LogicalPlan::Explain(Explain {
                stringified_plans: vec![plan.to_stringified(PlanType::InitialLogicalPlan)],
                plan,
                ..explain
            })
        }
        LogicalPlan::Analyze(mut analyze) => {
            analyze.input = inside(analyze.input)?;
            LogicalPlan::Analyze(analyze)
        }
        LogicalPlan::Statement(Statement::Prepare(prepare)) => {
            let input = inside(prepare.input)?;
            LogicalPlan::Statement(Statement::Prepare(Prepare { input, ..prepare }))
        }
        plan => replace(plan)?,
    })
}
