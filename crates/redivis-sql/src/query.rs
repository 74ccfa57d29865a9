//! Runs a query whose rows somebody wants, and carries them there: all of them, or a look at them.

use std::sync::Arc;
use std::time::Instant;

use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use crate::failure::Failure;
use crate::footer::{Footer, exact_count};
use crate::headings::Headings;
use crate::labels;
use crate::last::Last;
use crate::output::{Output, ValueLabels, gather};
use crate::peek;
use crate::progress::Progress;
use crate::reads::Reads;
use crate::report::note;
use crate::session::Session;

/// How much of a result is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As much as a person looks at, where one does; everything elsewhere.
    Look,
    /// Everything, for the last result or a file: it does not become the last result itself.
    Whole,
}

/// A query that has been planned.
pub(crate) struct Query<'a> {
    pub(crate) session: &'a Session,
    pub(crate) output: &'a Output,
    pub(crate) frame: DataFrame,
    pub(crate) headings: &'a Headings,
    pub(crate) started: Instant,
}

/// A query that runs.
struct Started {
    rows: SendableRecordBatchStream,
    /// What keeps the rows, where they become the last result.
    last: Option<Last>,
    value_labels: Vec<Option<ValueLabels>>,
}

impl Query<'_> {
    /// Runs it, and says below its rows what they are and what they took. Gives the number of those that came.
    pub(crate) async fn run(self, extent: Extent, progress: Progress) -> Result<u64, Failure> {
        let whole = self.frame.clone().create_physical_plan().await?;
        let rows = self.output.display().rows;
        let looks = self.output.is_shown() && extent == Extent::Look;
        let footer = match rows.filter(|_| looks) {
            Some(rows) => self.look(whole, rows, extent, &progress).await?,
            None => self.all(whole, extent, &progress).await?,
        };
        progress.end();
        if self.output.is_shown() {
            note(footer.text(&self.output.display()));
        }
        Ok(footer.fetched)
    }

    /// Reads what is worth reading for so many rows on the screen.
    async fn look(
        &self,
        whole: Arc<dyn ExecutionPlan>,
        shown: usize,
        extent: Extent,
        progress: &Progress,
    ) -> Result<Footer, Failure> {
        let most = peek::rows(&whole, shown);
        // One more, to know that there are more.
        let frame = self.frame.clone().limit(0, Some(most + 1))?;
        let plan = frame.create_physical_plan().await?;
        let Started {
            rows,
            last,
            value_labels,
        } = self.start(&plan, extent, progress).await?;
        let gathered = gather(rows, most).await;
        progress.end();
        let gathered = match gathered {
            Ok(gathered) => gathered,
            Err(error) => {
                last.into_iter().for_each(Last::forget);
                return Err(error.into());
            }
        };
        let took = self.started.elapsed();
        let fetched = gathered.rows;
        self.session.delivered(fetched);
        let total = match gathered.is_complete {
            true => Some(fetched),
            false => exact_count(&whole),
        };
        last.map_or(Ok(()), Last::settle)?;
        let shown = self.output.show(gathered, value_labels).await?;
        Ok(Footer {
            shown: shown.rows,
            fetched,
            total,
            hidden_columns: shown.hidden_columns,
            took: Some(took),
            reads: Reads::of(&plan),
            queries: self.session.redivis.waited_since(self.started),
        })
    }

    /// Reads everything, and hands it on as it comes.
    async fn all(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        extent: Extent,
        progress: &Progress,
    ) -> Result<Footer, Failure> {
        let Started {
            rows,
            last,
            value_labels,
        } = self.start(&plan, extent, progress).await?;
        let rows = match self.output.is_terminal() {
            true => ending(progress, rows),
            false => rows,
        };
        let output = self.output;
        let delivered = match output.deliver(rows, output.format(), value_labels).await {
            Ok(delivered) => delivered,
            Err(failure) => {
                last.into_iter().for_each(Last::forget);
                return Err(failure);
            }
        };
        self.session.delivered(delivered.rows);
        last.map_or(Ok(()), Last::settle)?;
        let total = match delivered.is_complete {
            true => Some(delivered.rows),
            false => exact_count(&plan),
        };
        Ok(Footer {
            shown: delivered.rows,
            fetched: delivered.rows,
            total,
            hidden_columns: 0,
            took: (!delivered.is_paged).then(|| self.started.elapsed()),
            reads: Reads::of(&plan),
            queries: self.session.redivis.waited_since(self.started),
        })
    }

    async fn start(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        extent: Extent,
        progress: &Progress,
    ) -> Result<Started, Failure> {
        self.session.guard.pass(plan)?;
        progress.follow(plan);
        let rows = execute_stream(Arc::clone(plan), Arc::new(self.frame.task_ctx()))?;
        let rows = self.headings.over(rows);
        let query = self.frame.logical_plan();
        let value_labels =
            labels::of_values(self.session, self.output, query, &rows.schema()).await;
        let last = (self.output.is_prompt() && extent == Extent::Look)
            .then(|| Last::new(self.session, query, &rows.schema(), progress.handle()));
        let rows = match &last {
            Some(last) => last.keep(rows),
            None => rows,
        };
        Ok(Started {
            rows,
            last,
            value_labels,
        })
    }
}

/// The same rows; progress ends with the first of them.
fn ending(progress: &Progress, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let handle = progress.handle();
    let rows = rows.inspect(move |_| handle.end());
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}
