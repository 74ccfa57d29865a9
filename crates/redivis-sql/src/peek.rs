//! How much of a result is worth reading for a look at it.
//!
//! A limit is what keeps a look at a large table from reading it. Where it spares Redivis nothing, since everything is read anyway
//! before the first row comes out, or since there is little, the end of the result can be seen too.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion_redivis::RedivisScanExec;

/// Rows of a result that are read where they cost Redivis nothing.
const ROWS: usize = 10_000;
/// What a scan brings at most that is not worth stopping early, in bytes.
const SMALL_SCAN: usize = 4 << 20;

/// How many rows to read of a result of which so many are to be shown.
pub(crate) fn rows(plan: &Arc<dyn ExecutionPlan>, shown: usize) -> usize {
    match is_spared_by_limit(plan) {
        true => shown,
        false => shown.max(ROWS),
    }
}

/// Whether rows that are not asked of the plan need not be read from Redivis.
fn is_spared_by_limit(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(scan) = plan.downcast_ref::<RedivisScanExec>() {
        return !is_small(scan);
    }
    // Its first row comes after all of its input.
    if plan.properties().emission_type == EmissionType::Final {
        return false;
    }
    let mut children = plan.children();
    // What a hash join reads first it reads whole.
    if plan.name() == "HashJoinExec" && children.len() == 2 {
        children.remove(0);
    }
    children.into_iter().any(is_spared_by_limit)
}

fn is_small(scan: &RedivisScanExec) -> bool {
    let Ok(statistics) = scan.statistics_from_inputs(&[], &StatisticsArgs::new()) else {
        return false;
    };
    let (rows, bytes) = (statistics.num_rows, statistics.total_byte_size);
    rows.get_value().is_some_and(|rows| *rows <= ROWS)
        && bytes.get_value().is_some_and(|bytes| *bytes <= SMALL_SCAN)
}
