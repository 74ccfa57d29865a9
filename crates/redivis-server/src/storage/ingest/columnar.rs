//! Files that have types and columns of their own: Parquet, Arrow, Avro and ORC.
//!
//! Their types become Redivis' own or are refused by name; values are cast strictly, row by row, by the table.

use std::{fs::File, io::BufReader, path::Path};

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
    ipc::reader::{FileReader, StreamReader},
};

use super::{IngestError, Stop, Table, avro, orc, parquet};
use crate::storage::{
    Declared, SourceFormat, VariableType, arrow_file, stored::kind_of, variable_name,
};

/// The rows of a file, batch by batch; what fails is the file, unless it is the disk.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, IngestError>>>;

/// Converts a file with columns.
pub(super) fn convert(
    source: &Path,
    format: SourceFormat,
    declared: &Declared,
    target: &Path,
    stop: Stop<'_>,
) -> Result<(), IngestError> {
    let (schema, batches) = match format {
        SourceFormat::Parquet => parquet::open(source)?,
        SourceFormat::Avro => avro::open(source)?,
        SourceFormat::Orc => orc::open(source)?,
        _ => open_arrow(source)?,
    };
    let mut table = Table::create(&columns(&schema, declared)?, target)?;
    for batch in batches {
        if stop() {
            return Err(IngestError::Stopped);
        }
        let batch = batch.map_err(|error| match error {
            IngestError::Rejected(reason) => {
                IngestError::Rejected(format!("after row {}: {reason}", table.rows()))
            }
            error => error,
        })?;
        table.write(&batch)?;
    }
    table.publish(target)
}

/// The variables that a file's columns become.
fn columns<'a>(
    schema: &'a Schema,
    declared: &Declared,
) -> Result<Vec<(&'a str, VariableType)>, IngestError> {
    let fields = schema.fields().iter();
    let column = |name: &'a str, found| {
        let declared = declared.get(&variable_name(name).to_lowercase());
        (name, declared.copied().unwrap_or(found))
    };
    fields
        .map(|field| {
            let found = kind_of(field).map_err(IngestError::Rejected)?;
            Ok(column(field.name(), found))
        })
        .collect()
}

fn open_arrow(source: &Path) -> Result<(SchemaRef, Batches), IngestError> {
    let open = || File::open(source).map_err(IngestError::Io);
    arrow_file::check(&open()?).map_err(IngestError::Rejected)?;
    if let Ok(reader) = FileReader::try_new(BufReader::new(open()?), None) {
        let schema = reader.schema();
        return Ok((
            schema,
            Box::new(reader.map(|batch| batch.map_err(IngestError::rejected))),
        ));
    }
    let reader =
        StreamReader::try_new(BufReader::new(open()?), None).map_err(IngestError::rejected)?;
    let schema = reader.schema();
    Ok((
        schema,
        Box::new(reader.map(|batch| batch.map_err(IngestError::rejected))),
    ))
}
