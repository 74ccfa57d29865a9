//! One step of a plan that has run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use datafusion_redivis::{RedivisQueryExec, RedivisScanExec};

use crate::amounts;
use crate::output::single_line;
use crate::reads::{self, Reads};

/// What a step is, and what it took.
pub(super) struct Node {
    pub(super) title: String,
    pub(super) details: Vec<String>,
    /// Rows that came out of it.
    pub(super) rows: Option<u64>,
    /// Time of processors.
    computing: Duration,
    /// Time in which it waited for Redivis.
    waiting: Duration,
}

impl Node {
    pub(super) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let metrics = plan.metrics().unwrap_or_default();
        let computing = metrics.elapsed_compute().unwrap_or(0) as u64;
        let mut node = Self {
            title: String::new(),
            details: vec![],
            rows: metrics.output_rows().map(|rows| rows as u64),
            computing: Duration::from_nanos(computing),
            waiting: Duration::ZERO,
        };
        if let Some(scan) = plan.downcast_ref::<RedivisScanExec>() {
            node.tell_scan(scan);
            return node;
        }
        if let Some(query) = plan.downcast_ref::<RedivisQueryExec>() {
            node.tell_query(query, &metrics);
            return node;
        }
        let name = plan.name();
        let arguments = Arguments(plan.as_ref()).to_string();
        let arguments = arguments
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        let arguments: Vec<&str> = arguments.collect();
        let name = name.replace("Exec", "");
        node.title = single_line(&format!("{name}  {}", arguments.join(", ")))
            .trim_end()
            .to_owned();
        let spilled = reads::count(&metrics, "spilled_bytes");
        if spilled > 0 {
            let spilled = amounts::bytes(spilled);
            node.details
                .push(format!("{spilled} on disk, for want of memory"));
        }
        node
    }

    /// The time that it took, waiting included.
    pub(super) fn time(&self) -> Duration {
        self.computing + self.waiting
    }

    fn tell_query(&mut self, query: &RedivisQueryExec, metrics: &MetricsSet) {
        let tables = query.tables().join(", ");
        self.title = single_line(&format!("Redivis query over {tables}")).into_owned();
        let ran = reads::longest(metrics, "query_time");
        self.waiting = ran + reads::longest(metrics, "time_elapsed_waiting");
        let sql = query.sql().lines();
        self.details
            .extend(sql.map(|line| single_line(line).into_owned()));
        self.details.push(format!(
            "ran:   {} · instead of reading about {}",
            amounts::time(ran),
            amounts::bytes(query.instead_of()),
        ));
        self.details.push(format!(
            "came:  {} · {} · {}",
            streams(reads::count(metrics, "streams")),
            amounts::rows(self.rows.unwrap_or(0)),
            amounts::bytes(reads::count(metrics, "bytes_scanned")),
        ));
    }

    fn tell_scan(&mut self, scan: &RedivisScanExec) {
        let reads = Reads::of_scan(scan);
        let metrics = scan.metrics().unwrap_or_default();
        self.waiting = reads.waiting;
        self.title = single_line(&format!("Redivis  {}", scan.source())).into_owned();
        let schema = scan.schema();
        let variables: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let variables = match variables.as_slice() {
            [] => "the rows' number".to_owned(),
            some => some.join(", "),
        };
        let mut asked = vec![streams(scan.streams() as u64)];
        if let Some(limit) = scan.fetch() {
            asked.push(format!("at most {}", amounts::rows(limit as u64)));
        }
        asked.push(variables);
        self.details
            .push(single_line(&format!("asked: {}", asked.join(" · "))).into_owned());
        let retries = match reads.retries {
            0 => "no retries".to_owned(),
            1 => "1 retry".to_owned(),
            many => format!("{many} retries"),
        };
        self.details.push(format!(
            "came:  {} · {} · {} · {retries}",
            streams(reads::count(&metrics, "streams")),
            amounts::rows(reads.rows),
            amounts::bytes(reads.bytes),
        ));
        self.details.push(format!(
            "time:  waiting {} · decoding {}",
            amounts::time(self.waiting),
            amounts::time(self.computing)
        ));
    }
}

fn streams(count: u64) -> String {
    match count {
        1 => "1 stream".to_owned(),
        many => format!("{many} streams"),
    }
}

/// What a step says of itself for trees.
struct Arguments<'a>(&'a dyn ExecutionPlan);

impl fmt::Display for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(DisplayFormatType::TreeRender, f)
    }
}
