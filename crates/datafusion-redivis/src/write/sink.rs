//! Rows into a table on Redivis: what `INSERT INTO` plans and does.
//!
//! A statement is all or nothing. The rows are written to a file first and checked on the way; the file is sent; an upload is
//! made of it; and the count is returned when the service has as many rows. Until then the table is as it was.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::datasource::sink::DataSink;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::dml::InsertOp;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use futures::TryStreamExt;
use redivis::resource::{Table, UploadMergeStrategy};
use redivis::write::{Content, SendProgress};

use super::columns::Columns;
use super::name::UploadName;
use super::replacing::Replacing;
use super::spool::Spool;
use super::target::check_insertable;
use super::upload::{Destination, Expected};
use crate::error::failed;

/// Writes the rows of a query to a table as one upload.
#[derive(Debug)]
pub(crate) struct RedivisSink {
    destination: Destination,
    table: Table,
    columns: Columns,
    /// What the query gives.
    source: SchemaRef,
    overwrite: bool,
    /// The upload's name, if the session sets one.
    upload_name: Option<String>,
    metrics: ExecutionPlanMetricsSet,
}

impl RedivisSink {
    /// A sink for rows of the schema `source`. Fails where rows could not be written, before anything is asked or sent.
    pub(crate) fn try_new(
        destination: Destination,
        table: Table,
        columns: Columns,
        source: SchemaRef,
        op: InsertOp,
        upload_name: Option<String>,
    ) -> Result<Self> {
        check_insertable(&destination.client, &destination.table, &table)?;
        if op == InsertOp::Replace {
            return plan_err!(
                "REPLACE INTO needs a key, and tables on Redivis have none; write INSERT OVERWRITE to replace all rows"
            );
        }
        let overwrite = op == InsertOp::Overwrite;
        if overwrite && table.upload_merge_strategy != Some(UploadMergeStrategy::Replace) {
            return plan_err!(
                "{} cannot be overwritten by an upload: its merge strategy is `append`, so the rows of the version before stay. \
                 Write CREATE OR REPLACE TABLE redivis.'{}' AS …, or set its merge strategy to `replace` on Redivis",
                destination.table,
                destination.table
            );
        }
        Ok(Self {
            destination,
            table,
            columns,
            source,
            overwrite,
            upload_name,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Fails for rows that are to be added to those of the version before, and would take their place.
    async fn check_keeps_rows(&self) -> Result<()> {
        let replaces = self.table.upload_merge_strategy == Some(UploadMergeStrategy::Replace);
        if self.overwrite || !replaces || self.table.num_rows.unwrap_or(0) == 0 {
            return Ok(());
        }
        let mut uploads = self.destination.client.uploads(&self.table.uri);
        if uploads.try_next().await.map_err(failed)?.is_some() {
            return Ok(());
        }
        exec_err!(
            "the first upload takes the place of the rows that {} has from the version before, as its merge strategy is \
             `replace`: write INSERT OVERWRITE if that is meant, or set its merge strategy to `append` on Redivis",
            self.destination.table
        )
    }
}

impl DisplayAs for RedivisSink {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns.variables().map(|(name, _)| name).collect();
        let (table, columns) = (&self.destination.table, columns.join(", "));
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "RedivisSink(table={table}, columns=[{columns}]")?;
                if self.overwrite {
                    write!(f, ", overwrite")?;
                }
                if let Some(name) = &self.upload_name {
                    write!(f, ", upload={name}")?;
                }
                write!(f, ")")
            }
            DisplayFormatType::TreeRender => {
                writeln!(f, "table={table}")?;
                writeln!(f, "columns={columns}")?;
                if self.overwrite {
                    writeln!(f, "overwrite")?;
                }
                if let Some(name) = &self.upload_name {
                    writeln!(f, "upload={name}")?;
                }
                Ok(())
            }
        }
    }
}

#[async_trait]
impl DataSink for RedivisSink {
    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn schema(&self) -> &SchemaRef {
        &self.source
    }

    async fn write_all(
        &self,
        rows: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let counter = |name: &'static str| MetricBuilder::new(&self.metrics).counter(name, 0);
        let time = |name: &'static str| MetricBuilder::new(&self.metrics).subset_time(name, 0);
        let (spooling, uploading) = (
            time("time_elapsed_spooling"),
            time("time_elapsed_uploading"),
        );
        let (bytes, restarts) = (counter("bytes_sent"), counter("restarts"));

        if let Some(name) = &self.upload_name {
            self.destination.check_name(name).await?;
        }
        self.check_keeps_rows().await?;
        let timer = spooling.timer();
        let spool =
            Spool::write(rows, self.columns.clone(), &self.destination.table, context).await?;
        drop(timer);
        if spool.rows == 0 {
            if self.overwrite {
                return exec_err!(
                    "the query has no rows, and no upload of Redivis leaves {} without any; DROP TABLE and CREATE TABLE make it \
                     empty",
                    self.destination.table
                );
            }
            return Ok(0);
        }

        let _timer = uploading.timer();
        let name = match &self.upload_name {
            Some(name) => UploadName::given(name),
            None => UploadName::unique("insert"),
        };
        let content = Content::file(spool.path()).await.map_err(failed)?;
        let progress = Arc::new(SendProgress::default());
        let replacing = match self.overwrite {
            true => {
                let strategy = self.table.upload_merge_strategy;
                Some(Replacing::begin(&self.destination, strategy).await?)
            }
            false => None,
        };
        let expected = Expected::rows(spool.rows);
        let uploaded = self
            .destination
            .upload(&name, Some("parquet"), &content, &expected, &progress)
            .await;
        bytes.add(usize::try_from(progress.acknowledged()).unwrap_or(usize::MAX));
        restarts.add(usize::try_from(progress.restarts()).unwrap_or(usize::MAX));
        match (uploaded, replacing) {
            (Ok(new), Some(replacing)) => replacing.finish(new).await?,
            (Err(error), Some(replacing)) => return Err(replacing.cancel(error).await),
            (uploaded, None) => drop(uploaded?),
        }
        Ok(spool.rows)
    }
}
