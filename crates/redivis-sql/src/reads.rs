//! What a plan reads from Redivis: what is known of it beforehand, and how far it has come.
//!
//! The scans count while they read, so that one look serves progress, footers and `EXPLAIN ANALYZE`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion_redivis::{RedivisQueryExec, RedivisScanExec};

/// The reads of a plan, all scans together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) scans: usize,
    pub(crate) rows: u64,
    /// Rows that there are to read, where that is known of all scans.
    pub(crate) of_rows: Option<u64>,
    pub(crate) bytes: u64,
    pub(crate) retries: u64,
    /// Time in which there was nothing to do but wait for Redivis.
    pub(crate) waiting: Duration,
}

impl Reads {
    /// Those of a plan so far.
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut all = Self {
            of_rows: Some(0),
            ..Self::default()
        };
        visit(plan, &mut |scan| {
            let one = Self::of_scan(scan);
            all.scans += 1;
            all.rows += one.rows;
            all.of_rows = all
                .of_rows
                .zip(one.of_rows)
                .map(|(all, one)| all.saturating_add(one));
            all.bytes += one.bytes;
            all.retries += one.retries;
            all.waiting += one.waiting;
        });
        all
    }

    /// Those of a scan.
    pub(crate) fn of_scan(scan: &RedivisScanExec) -> Self {
        let metrics = scan.metrics().unwrap_or_default();
        let statistics = scan.statistics_from_inputs(&[], &StatisticsArgs::new());
        let of_rows = statistics.ok().and_then(|statistics| {
            let rows = *statistics.num_rows.get_value()?;
            Some(rows as u64)
        });
        Self {
            scans: 1,
            rows: metrics.output_rows().unwrap_or(0) as u64,
            of_rows,
            bytes: count(&metrics, "bytes_scanned"),
            retries: count(&metrics, "retries"),
            waiting: longest(&metrics, "time_elapsed_waiting"),
        }
    }
}

/// The scans of Redivis in a plan, and those that queries on Redivis came to.
pub(crate) fn visit(plan: &Arc<dyn ExecutionPlan>, look: &mut impl FnMut(&RedivisScanExec)) {
    if let Some(scan) = plan.downcast_ref::<RedivisScanExec>() {
        look(scan);
    }
    if let Some(query) = plan.downcast_ref::<RedivisQueryExec>()
        && let Some(reading) = query.reading()
    {
        visit(&reading, look);
    }
    for child in plan.children() {
        visit(child, look);
    }
}

/// The sum of a counter over all partitions.
pub(crate) fn count(metrics: &MetricsSet, name: &str) -> u64 {
    let sum = metrics.sum_by_name(name);
    sum.map_or(0, |value| value.as_usize() as u64)
}

/// Of times that were measured at once in several partitions, the longest.
pub(crate) fn longest(metrics: &MetricsSet, name: &str) -> Duration {
    let mut times: HashMap<Option<usize>, Duration> = HashMap::new();
    for metric in metrics.iter() {
        if let MetricValue::Time { name: known, time } = metric.value()
            && known == name
        {
            *times.entry(metric.partition()).or_default() +=
                Duration::from_nanos(time.value() as u64);
        }
    }
    times.into_values().max().unwrap_or_default()
}
