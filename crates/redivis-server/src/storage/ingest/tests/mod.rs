//! Files made in the tests, and what they become.

mod columnar;
mod delimited;
mod json;
mod nonsense;
mod record;
mod tables;

use std::{fs::File, path::Path};

use arrow::{array::RecordBatch, compute::concat_batches, datatypes::DataType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{IngestError, Ingested, UploadOptions, UploadType, ingest};
use crate::storage::{VariableType, cast};

/// The options for files of this type.
fn options(kind: UploadType) -> UploadOptions {
    UploadOptions {
        kind,
        ..UploadOptions::default()
    }
}

/// Ingests these bytes; a file that is refused must leave nothing.
fn ingest_bytes(bytes: &[u8], options: &UploadOptions) -> Result<Rows, IngestError> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::write(&source, bytes).unwrap();
    let rows = folder.path().join("rows");
    let outcome = ingest(&source, options, &rows, &|| false);
    let files = std::fs::read_dir(&rows).map_or(0, Iterator::count);
    assert_eq!(
        files,
        usize::from(outcome.is_ok()),
        "files in the folder of rows"
    );
    outcome.map(|ingested| Rows::read(&ingested))
}

/// Why these bytes are refused.
fn refusal(bytes: &[u8], options: &UploadOptions) -> String {
    match ingest_bytes(bytes, options) {
        Err(IngestError::Rejected(reason)) => reason,
        other => panic!("not rejected: {other:?}"),
    }
}

/// What a file became.
#[derive(Debug)]
struct Rows {
    columns: Vec<(String, VariableType)>,
    batch: RecordBatch,
    bad_records: u64,
}

impl Rows {
    fn read(ingested: &Ingested) -> Self {
        let batch = read_parquet(&ingested.file);
        assert_eq!(batch.num_rows() as u64, ingested.rows);
        let columns = &ingested.columns;
        for (column, field) in columns.iter().zip(batch.schema().fields()) {
            assert_eq!(column.name, *field.name());
            assert_eq!(column.kind.arrow(), *field.data_type());
        }
        Rows {
            columns: columns
                .iter()
                .map(|column| (column.name.clone(), column.kind))
                .collect(),
            batch,
            bad_records: ingested.bad_records,
        }
    }

    /// `name type, name type`.
    fn types(&self) -> String {
        let types = self
            .columns
            .iter()
            .map(|(name, kind)| format!("{name} {}", kind.name()));
        types.collect::<Vec<_>>().join(", ")
    }

    /// The values as text, row by row; nulls as `∅`.
    fn text(&self) -> Vec<Vec<String>> {
        let columns: Vec<_> = self
            .batch
            .columns()
            .iter()
            .map(|c| cast::text(c).unwrap())
            .collect();
        let text = |row: usize| {
            columns.iter().map(move |column| {
                let column = arrow::array::AsArray::as_string::<i32>(column);
                let null = arrow::array::Array::is_null(column, row);
                if null {
                    "∅".to_owned()
                } else {
                    column.value(row).to_owned()
                }
            })
        };
        (0..self.batch.num_rows())
            .map(|row| text(row).collect())
            .collect()
    }
}

fn read_parquet(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = std::sync::Arc::clone(reader.schema());
    assert!(schema.fields().iter().all(|field| field.is_nullable()));
    assert!(
        schema
            .fields()
            .iter()
            .all(|field| *field.data_type() != DataType::Null)
    );
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

#[test]
fn types_that_cannot_be_read_are_named() {
    for kind in [
        "xls", "xlsx", "dta", "sas7bdat", "sav", "geojson", "geojsonl", "shp", "shp.zip", "kml",
    ] {
        let kind = UploadType::of_name(kind).unwrap();
        assert!(!kind.is_supported());
        match ingest_bytes(b"", &options(kind)) {
            Err(IngestError::Unsupported(found)) => assert_eq!(found, kind),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_stream_is_an_empty_table_of_its_schema() {
    let mut stream = options(UploadType::Stream);
    refusal(b"", &stream);
    stream.schema = Some(vec![
        ("a".to_owned(), VariableType::Integer),
        ("where".to_owned(), VariableType::Geography),
    ]);
    let rows = ingest_bytes(b"", &stream).unwrap();
    assert_eq!(rows.types(), "a integer, where geography");
    assert_eq!(rows.batch.num_rows(), 0);
}

#[test]
fn work_that_is_to_stop_stops_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::write(&source, "x\n".repeat(5000)).unwrap();
    let rows = folder.path().join("rows");
    let calls = std::cell::Cell::new(0);
    let stop = || {
        calls.set(calls.get() + 1);
        calls.get() > 6
    };
    let outcome = ingest(&source, &options(UploadType::Delimited), &rows, &stop);
    assert!(matches!(outcome, Err(IngestError::Stopped)), "{outcome:?}");
    assert_eq!(std::fs::read_dir(&rows).unwrap().count(), 0);
}
