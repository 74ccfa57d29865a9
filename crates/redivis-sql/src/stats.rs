//! What a statement took, as a JSON object on standard error: for programs that watch what they run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::reads::{self, Reads};
use crate::report::{Place, narrate};

/// What the statement that runs has done so far; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats(Arc<Mutex<Done>>);

#[derive(Debug, Default)]
struct Done {
    statements: u64,
    rows: Option<u64>,
    plans: Vec<Arc<dyn ExecutionPlan>>,
}

impl Stats {
    /// So many rows were printed or written.
    pub(crate) fn rows(&self, rows: u64) {
        self.with(|done| done.rows = Some(rows));
    }

    /// Says what the statement did, and begins anew. `queries` is the time that queries ran on Redivis.
    pub(crate) fn tell(
        &self,
        failure: Option<&Failure>,
        place: &Place<'_>,
        took: Duration,
        queries: Duration,
    ) {
        let (statement, rows, plans) = self.with(|done| {
            done.statements += 1;
            let plans = std::mem::take(&mut done.plans);
            (done.statements, done.rows.take(), plans)
        });
        let reads: Vec<Reads> = plans.iter().map(Reads::of).collect();
        let remote: Duration = reads.iter().map(|reads| reads.waiting).sum();
        let remote = (remote + queries).min(took);
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
        put("statement", json!(statement));
        if let Some(source) = place.source {
            put("file", json!(source));
        }
        put("line", json!(place.line));
        put("status", json!(failure.map_or(0, Failure::status)));
        put("rows", json!(rows));
        put("seconds", seconds(took));
        put("seconds_remote", seconds(remote));
        put("seconds_local", seconds(took - remote));
        put(
            "bytes",
            json!(reads.iter().map(|reads| reads.bytes).sum::<u64>()),
        );
        put(
            "retries",
            json!(reads.iter().map(|reads| reads.retries).sum::<u64>()),
        );
        put(
            "read",
            Value::Array(plans.iter().flat_map(tables).collect()),
        );
        narrate(Value::Object(line));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Done) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Every plan of the session passes here, whatever statement it is for; the last rule of all, so that it is the one that runs.
impl PhysicalOptimizerRule for Stats {
    fn name(&self) -> &str {
        "stats"
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.with(|done| done.plans.push(Arc::clone(&plan)));
        Ok(plan)
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What each scan of Redivis read; one that never ran read nothing.
fn tables(plan: &Arc<dyn ExecutionPlan>) -> Vec<Value> {
    let mut tables = Vec::new();
    reads::visit(plan, &mut |scan| {
        let read = Reads::of_scan(scan);
        if read.rows == 0 && read.bytes == 0 {
            return;
        }
        let schema = scan.schema();
        let variables: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        tables.push(json!({
            "table": scan.source(),
            "variables": variables,
            "rows": read.rows,
            "bytes": read.bytes,
            "retries": read.retries,
        }));
    });
    tables
}

/// To the millisecond: nobody compares less.
fn seconds(duration: Duration) -> Value {
    json!((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}
