//! Files of few rows as one: rows that were inserted a few at a time stay quick to read.

use std::{path::Path, sync::Arc};

use super::{IngestError, Ingested, Stop, Table, ingested, new_file};
use crate::storage::{RowScan, Segment, Selection, Stored, VariableType};

/// Stores the rows of these files, in their order, as one file of these variables. Blocks.
pub(crate) fn merge(
    files: &[Arc<Stored>],
    variables: &[(String, VariableType)],
    rows_folder: &Path,
    stop: Stop<'_>,
) -> Result<Ingested, IngestError> {
    let target = new_file(rows_folder)?;
    let columns: Vec<_> = variables
        .iter()
        .map(|(name, kind)| (name.as_str(), *kind))
        .collect();
    let segments = files.iter().map(|stored| Segment {
        selection: Arc::new(Selection::new(stored, &columns)),
        rows: 0..stored.rows(),
        stored: Arc::clone(stored),
    });
    let mut table = Table::create(&columns, &target)?;
    let mut rows = RowScan::new(segments, 0);
    while let Some(batch) = rows
        .next_batch()
        .map_err(|error| IngestError::Io(std::io::Error::other(error)))?
    {
        if stop() {
            return Err(IngestError::Stopped);
        }
        table.write(&batch)?;
    }
    table.publish(&target)?;
    let declared = variables
        .iter()
        .map(|(name, kind)| (name.to_lowercase(), *kind));
    ingested(target, &declared.collect(), 0)
}
