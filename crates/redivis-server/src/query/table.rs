//! A table of the catalog as the query engine scans it: partitions of rows, only the columns asked for.
//!
//! Columns carry lower-case names, because names are without regard to case; `dialect` brings the spelling back.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableType},
    physical_plan::{
        ExecutionPlan,
        stream::RecordBatchReceiverStreamBuilder,
        streaming::{PartitionStream, StreamingTableExec},
    },
};

use crate::{
    catalog::{Table, Version},
    storage::{RowScan, Segment, Selection, VariableType, schema_of, slice, split},
};

/// Rows that a partition should have at least: less is not worth a thread.
const PARTITION_ROWS: u64 = 1 << 16;

/// Batches that a partition reads ahead.
const AHEAD: usize = 2;

/// A table in a query.
#[derive(Debug)]
pub(super) struct QueryTable {
    table: Arc<Table>,
    columns: Vec<(String, VariableType)>,
    schema: SchemaRef,
}

/// The column that tells which upload a row of an unreleased table comes from (redivis-api §2.4).
const UPLOAD_NAME: &str = "_upload_name";

/// The columns that a table has in queries.
pub(super) fn columns_of(table: &Table) -> impl Iterator<Item = (&str, VariableType)> {
    let variables = table.variables.iter();
    let has_upload_name = table.entry.dataset.version == Version::Next
        && variables
            .clone()
            .all(|variable| variable.name.to_lowercase() != UPLOAD_NAME);
    variables
        .map(|variable| (variable.name.as_str(), variable.kind))
        .chain(has_upload_name.then_some((UPLOAD_NAME, VariableType::String)))
}

impl QueryTable {
    pub(super) fn new(table: Arc<Table>) -> Self {
        let columns: Vec<(String, VariableType)> = columns_of(&table)
            .map(|(name, kind)| (name.to_lowercase(), kind))
            .collect();
        let schema = schema_of(columns.iter().map(|(name, kind)| (name.as_str(), *kind)));
        QueryTable {
            table,
            columns,
            schema,
        }
    }
}

#[async_trait]
impl TableProvider for QueryTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<(&str, VariableType)> = match projection {
            None => self.columns.iter().map(borrowed).collect(),
            Some(places) => places
                .iter()
                .map(|&place| borrowed(&self.columns[place]))
                .collect(),
        };
        let schema = schema_of(columns.iter().copied());
        let wanted = match limit {
            Some(_) => 1,
            None => (self.table.rows / PARTITION_ROWS)
                .clamp(1, state.config().target_partitions() as u64),
        };
        let uploads = self.table.uploads.iter();
        let segments: Vec<Segment> = uploads
            .flat_map(|upload| upload.parts.iter().map(move |stored| (upload, stored)))
            .map(|(upload, stored)| Segment {
                stored: Arc::clone(stored),
                selection: Arc::new(
                    Selection::new(stored, &columns).with_constant(UPLOAD_NAME, &upload.name),
                ),
                rows: 0..stored.rows(),
            })
            .collect();
        let partitions = split(self.table.rows, wanted)
            .into_iter()
            .map(|rows| {
                Arc::new(Partition {
                    segments: slice(&segments, rows),
                    schema: Arc::clone(&schema),
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        let scan = StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?;
        Ok(Arc::new(scan))
    }
}

fn borrowed((name, kind): &(String, VariableType)) -> (&str, VariableType) {
    (name.as_str(), *kind)
}

#[derive(Debug)]
struct Partition {
    segments: Vec<Segment>,
    schema: SchemaRef,
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let batches = builder.tx();
        let mut scan = RowScan::new(self.segments.iter().cloned(), 0);
        builder.spawn_blocking(move || {
            while let Some(batch) = scan
                .next_batch()
                .map_err(|error| DataFusionError::External(error.into()))?
            {
                // Nobody listens any more: the query has enough, or was given up.
                if batches.blocking_send(Ok(batch)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}
