//! Joins that pause, so that they can be stopped.
//!
//! A statement is stopped where it waits. DataFusion lets scans pause now and then for that, but a join makes thousands of
//! batches of one that it reads, and what gathers them would not wait for minutes.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// Makes the output of joins pause as scans do.
#[derive(Debug)]
pub(crate) struct Pauses;

impl PhysicalOptimizerRule for Pauses {
    fn name(&self) -> &str {
        "pauses"
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let paused = plan.transform_up(|node| {
            Ok(if multiplies(node.as_ref()) {
                Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>)
            } else {
                Transformed::no(node)
            })
        })?;
        Ok(paused.data)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether it may make many rows of one.
fn multiplies(node: &dyn ExecutionPlan) -> bool {
    node.name().ends_with("JoinExec") || node.name() == "UnnestExec"
}
