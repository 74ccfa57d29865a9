//! `EXPLAIN ANALYZE` as a tree that a person can read: what each step took, and what was asked of Redivis.
//!
//! `EXPLAIN ANALYZE VERBOSE`, and the formats for programs, keep what DataFusion says.

mod node;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use self::node::Node;
use crate::amounts;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;

/// Runs a plan for what it takes, and shows that.
pub(crate) async fn run(
    session: &Session,
    output: &Output,
    plan: Arc<LogicalPlan>,
    progress: Progress,
) -> Result<(), Failure> {
    let state = session.context.state();
    let plan = state.create_physical_plan(&plan).await?;
    progress.follow(&plan);
    let started = Instant::now();
    let mut rows = execute_stream(Arc::clone(&plan), state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        batch?;
    }
    let took = started.elapsed();
    progress.end();
    let text = text(&plan, took);
    output.deliver_text(&output.cut_lines(&text)).await
}

fn text(plan: &Arc<dyn ExecutionPlan>, took: Duration) -> String {
    let mut nodes = vec![];
    gather(plan, String::new(), String::new(), &mut nodes);
    let all: Duration = nodes.iter().map(|(_, node)| node.time()).sum();
    let mut text = String::from("    time    %          rows\n");
    for (prefix, node) in &nodes {
        let share = node.time().as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE);
        let rows = node.rows.map(amounts::number).unwrap_or_default();
        let time = amounts::time(node.time());
        let line = format!(
            "{time:>8} {:>4.0} {rows:>13}  {}{}",
            share * 100.0,
            prefix.first,
            node.title
        );
        let _ = writeln!(text, "{}", line.trim_end());
        for detail in &node.details {
            let _ = writeln!(text, "{:28} {}{detail}", "", prefix.rest);
        }
    }
    let _ = writeln!(
        text,
        "{} in all; steps run side by side, so their times may add up to more",
        amounts::time(took)
    );
    text
}

/// What stands in front of a node's lines.
struct Prefix {
    first: String,
    rest: String,
}

/// The nodes from the top, each with the lines that lead to it.
fn gather(
    plan: &Arc<dyn ExecutionPlan>,
    first: String,
    below: String,
    nodes: &mut Vec<(Prefix, Node)>,
) {
    let mut children = plan.children();
    // It does nothing but pause.
    if let ("CooperativeExec", [child]) = (plan.name(), children.as_slice()) {
        return gather(child, first, below, nodes);
    }
    let rest = match children.is_empty() {
        true => format!("{below}  "),
        false => format!("{below}│ "),
    };
    nodes.push((Prefix { first, rest }, Node::of(plan)));
    let last = children.pop();
    for child in children {
        gather(child, format!("{below}├ "), format!("{below}│ "), nodes);
    }
    if let Some(last) = last {
        gather(last, format!("{below}└ "), format!("{below}  "), nodes);
    }
}
