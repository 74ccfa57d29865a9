//! What a statement would read from Redivis, from what is known of its tables: no rows are read to tell it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion_redivis::{RedivisScanExec, RedivisStatement};

use crate::failure::{Failure, Refusal};
use crate::memory;
use crate::output::Output;
use crate::report::note;
use crate::session::Session;

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
pub(crate) struct Reads(Vec<Read>);

impl Reads {
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut reads = Self::default();
        reads.add(plan);
        reads
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(scan) = plan.downcast_ref::<RedivisScanExec>() {
            let statistics = scan
                .statistics_from_inputs(&[], &StatisticsArgs::new())
                .ok();
            let known = |value: Option<&usize>| value.map(|value| *value as u64);
            let schema = scan.schema();
            let variables: Vec<&str> = schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect();
            self.0.push(Read {
                table: scan.source().to_owned(),
                variables: variables.join(", "),
                rows: known(
                    statistics
                        .as_ref()
                        .and_then(|statistics| statistics.num_rows.get_value()),
                ),
                bytes: known(
                    statistics
                        .as_ref()
                        .and_then(|statistics| statistics.total_byte_size.get_value()),
                ),
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

    pub(crate) fn rows(&self) -> u64 {
        self.0.iter().filter_map(|read| read.rows).sum()
    }

    fn table(&self) -> Result<RecordBatch, Failure> {
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

/// What to say of a statement whose queries run on Redivis to be planned.
pub(crate) fn unknown() -> Refusal {
    Refusal {
        message: "what 'redivis_query' reads is known once it has run on Redivis".to_owned(),
        hint: Some("run it without --dry-run".to_owned()),
        at: None,
    }
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
            memory::create(session, create).await?;
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
    let reads = Reads::of(&frame.create_physical_plan().await?);
    output.deliver_batch(reads.table()?).await?;
    let tables = reads.0.len();
    note(format_args!(
        "would read {} rows, about {} bytes, of {tables} {}",
        reads.rows(),
        reads.bytes(),
        if tables == 1 { "table" } else { "tables" },
    ));
    Ok(())
}
