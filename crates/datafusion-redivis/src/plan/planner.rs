//! From a statement on Redivis to what carries it out.
//!
//! A session has one query planner. [`RedivisPlanner`] stands before the one that the session had, and plans only what has a
//! node of Redivis in it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::exec::RedivisStatementExec;
use super::statement::RedivisStatement;
use crate::options::{Pushdown, RedivisOptions};
use crate::pushdown::push_down;

/// Plans the nodes of Redivis.
///
/// For an application with a query planner of its own: give it to
/// [`DefaultPhysicalPlanner::with_extension_planners`] beside the others.
#[derive(Debug, Default)]
pub struct RedivisExtensionPlanner;

#[async_trait]
impl ExtensionPlanner for RedivisExtensionPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(statement) = node.as_any().downcast_ref::<RedivisStatement>() else {
            return Ok(None);
        };
        let state = session
            .as_any()
            .downcast_ref::<SessionState>()
            .ok_or_else(|| internal_datafusion_err!("the session is not one of DataFusion's"))?;
        let input = physical_inputs.first().map(Arc::clone);
        let plan = RedivisStatementExec::new(statement, input, state.clone());
        Ok(Some(Arc::new(plan)))
    }
}

/// A session's query planner, with Redivis before it.
#[derive(Debug)]
pub struct RedivisPlanner {
    others: Arc<dyn QueryPlanner + Send + Sync>,
}

impl RedivisPlanner {
    /// Plans what concerns Redivis, and leaves everything else to `others`.
    pub fn new(others: Arc<dyn QueryPlanner + Send + Sync>) -> Self {
        Self { others }
    }
}

#[async_trait]
impl QueryPlanner for RedivisPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let state = session.as_any().downcast_ref::<SessionState>();
        let options = RedivisOptions::of(session.config_options());
        let pushed = match state {
            Some(state) if options.pushdown != Pushdown::Off => Some(push_down(plan, state).await?),
            _ => None,
        };
        let plan = pushed.as_ref().unwrap_or(plan);
        if !plan.exists(|node| Ok(RedivisStatement::of(node).is_some()))? {
            return self.others.create_physical_plan(plan, session).await;
        }
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(RedivisExtensionPlanner)])
            .create_physical_plan(plan, session)
            .await
    }
}
