//! The Parquet file that is being written: batches in, cast strictly; published whole or not at all.
//!
//! Batches are cut by bytes before they are cast, and row groups closed by bytes, so that long texts take no more
//! memory than short ones.

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Schema, SchemaRef},
};
use parquet::{
    arrow::ArrowWriter, basic::Compression, errors::ParquetError,
    file::properties::WriterProperties,
};
use tempfile::NamedTempFile;

use super::IngestError;
use crate::{
    durable,
    storage::{VariableType, cast, variable_names},
};

/// A row group is closed when it has this many bytes, so that memory does not grow with the file.
const ROW_GROUP_BYTES: usize = 64 << 20;
/// Bytes of values that are cast at once, unless one row alone has more.
const BATCH_BYTES: usize = 16 << 20;
/// Variables that a table may have: what BigQuery, which stores them on the service, can hold.
pub(super) const MAX_VARIABLES: usize = 10_000;

/// A table's file while it is written.
pub(super) struct Table {
    aside: NamedTempFile,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    kinds: Vec<VariableType>,
    rows: u64,
}

impl Table {
    /// A table of these columns, named as the file names them, to be published in the folder of `target`.
    pub(super) fn create(
        columns: &[(&str, VariableType)],
        target: &Path,
    ) -> Result<Self, IngestError> {
        if columns.is_empty() {
            return Err(IngestError::rejected("it has no variables"));
        }
        if columns.len() > MAX_VARIABLES {
            return Err(IngestError::rejected(format!(
                "it has {} variables, a table can have {MAX_VARIABLES}",
                columns.len()
            )));
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let names = variable_names(&names).map_err(IngestError::Rejected)?;
        let kinds: Vec<VariableType> = columns.iter().map(|(_, kind)| *kind).collect();
        let fields = names.iter().zip(&kinds);
        let fields = fields.map(|(name, kind)| kind.field(name));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));

        let folder = target.parent().unwrap_or(Path::new("."));
        if !folder.exists() {
            durable::create_folder(folder)?;
        }
        let aside = durable::aside_in(folder)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let file = aside.as_file().try_clone()?;
        let writer =
            ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(written)?;
        Ok(Table {
            aside,
            writer,
            schema,
            kinds,
            rows: 0,
        })
    }

    /// Rows that were written so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds rows; the error names the first one that does not fit its variable's type.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), IngestError> {
        let bytes: usize = batch.columns().iter().map(text_bytes).sum();
        if bytes > BATCH_BYTES && batch.num_rows() > 1 {
            let half = batch.num_rows() / 2;
            self.write(&batch.slice(0, half))?;
            return self.write(&batch.slice(half, batch.num_rows() - half));
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.kinds.len());
        for (index, (column, kind)) in batch.columns().iter().zip(&self.kinds).enumerate() {
            let column = cast::cast(column, *kind)
                .and_then(|column| cast::in_range(&column, *kind).map(|()| column))
                .map_err(|refused| {
                    let row = refused.row.map(|row| self.rows + row as u64 + 1);
                    let place = row.map_or(String::new(), |row| format!("row {row}, "));
                    let name = self.schema.field(index).name();
                    IngestError::Rejected(format!("{place}variable `{name}`: {refused}"))
                })?;
            columns.push(column);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(IngestError::rejected)?;
        self.writer.write(&batch).map_err(written)?;
        self.rows += batch.num_rows() as u64;
        if self
            .writer
            .in_progress_size()
            .max(self.writer.memory_size())
            > ROW_GROUP_BYTES
        {
            self.writer.flush().map_err(written)?;
        }
        Ok(())
    }

    /// Brings the file to the disk under its name.
    pub(super) fn publish(self, target: &Path) -> Result<(), IngestError> {
        self.writer.close().map_err(written)?;
        durable::publish(self.aside, target)?;
        Ok(())
    }
}

/// What a Parquet writer fails of: the disk.
fn written(error: ParquetError) -> IngestError {
    IngestError::Io(match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => *error,
            Err(source) => std::io::Error::other(source),
        },
        error => std::io::Error::other(error),
    })
}

/// Bytes that a column has as plain text, at most; what is no text counts nothing.
fn text_bytes(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8View => column
            .as_string_view()
            .lengths()
            .map(|length| length as usize)
            .sum(),
        DataType::Utf8 => column.as_string::<i32>().offsets().lengths().sum(),
        DataType::LargeUtf8 => column.as_string::<i64>().offsets().lengths().sum(),
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            let values = dictionary.values();
            let longest = (0..values.len())
                .map(|at| text_bytes(&values.slice(at, 1)))
                .max();
            longest.unwrap_or(0).saturating_mul(column.len())
        }
        _ => 0,
    }
}
