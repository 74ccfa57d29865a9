//! How much a plan would read from Redivis, from what is known of its tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::Schema;
use datafusion::common::stats::Precision;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion_redivis::{RedivisQueryExec, RedivisScanExec};

use crate::amounts;
use crate::failure::Failure;

/// A table that would be read.
#[derive(Debug, Clone, Default)]
struct Read {
    table: String,
    variables: String,
    rows: Option<u64>,
    bytes: Option<u64>,
}

/// What all scans of a plan would read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Estimate(Vec<Read>);

impl Estimate {
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut estimate = Self::default();
        estimate.add(plan);
        estimate
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(scan) = plan.downcast_ref::<RedivisScanExec>() {
            self.0.push(Read {
                table: scan.source().to_owned(),
                variables: of_schema(&scan.schema()),
                ..read(plan)
            });
        }
        if let Some(query) = plan.downcast_ref::<RedivisQueryExec>() {
            self.0.push(Read {
                table: format!("a query over {}", query.tables().join(", ")),
                variables: of_schema(&query.schema()),
                ..read(plan)
            });
        }
        for child in plan.children() {
            self.add(child);
        }
    }

    /// About how many bytes, as far as it is known.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().filter_map(|read| read.bytes).sum()
    }

    /// All of it, as people read it.
    pub(crate) fn total(&self) -> String {
        let rows = self.0.iter().filter_map(|read| read.rows).sum();
        let tables = match self.0.len() {
            1 => "1 table".to_owned(),
            many => format!("{many} tables"),
        };
        format!(
            "{}, about {}, of {tables}",
            amounts::rows(rows),
            amounts::bytes(self.bytes())
        )
    }

    /// A row for each table.
    pub(crate) fn table(&self) -> Result<RecordBatch, Failure> {
        let texts = |text: fn(&Read) -> &str| -> ArrayRef {
            Arc::new(
                self.0
                    .iter()
                    .map(|read| Some(text(read)))
                    .collect::<StringArray>(),
            )
        };
        let numbers = |number: fn(&Read) -> Option<u64>| -> ArrayRef {
            Arc::new(self.0.iter().map(number).collect::<UInt64Array>())
        };
        Ok(RecordBatch::try_from_iter_with_nullable([
            ("table", texts(|read| &read.table), true),
            ("variables", texts(|read| &read.variables), true),
            ("rows", numbers(|read| read.rows), true),
            ("bytes", numbers(|read| read.bytes), true),
        ])?)
    }
}

/// The rows and bytes that a node gives, about.
fn read(plan: &Arc<dyn ExecutionPlan>) -> Read {
    let statistics = plan
        .statistics_from_inputs(&[], &StatisticsArgs::new())
        .unwrap_or_default();
    let known = |value: &Precision<usize>| value.get_value().map(|value| *value as u64);
    Read {
        rows: known(&statistics.num_rows),
        bytes: known(&statistics.total_byte_size),
        ..Read::default()
    }
}

fn of_schema(schema: &Schema) -> String {
    let names = schema.fields().iter().map(|field| field.name().as_str());
    names.collect::<Vec<_>>().join(", ")
}
