//! Other files, once, to Parquet: written aside, then renamed, so that a half-written one is never seen.
//!
//! Streams batch by batch; what is in memory is one batch and the row group that is being written.

use std::{collections::HashMap, fs::File, io::BufReader, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema},
    ipc::reader::{FileReader, StreamReader},
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use super::{
    VariableType, arrow_file, cast,
    stored::{Stored, kind_of, variable_names},
    text,
};

/// A row group is closed when it has this many bytes, so that memory does not grow with the file.
const ROW_GROUP_BYTES: usize = 64 << 20;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>>>;

/// What a file is, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceFormat {
    Parquet,
    Csv,
    Ndjson,
    Arrow,
}

impl SourceFormat {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" => Some(SourceFormat::Parquet),
            "csv" => Some(SourceFormat::Csv),
            "ndjson" => Some(SourceFormat::Ndjson),
            "arrow" => Some(SourceFormat::Arrow),
            _ => None,
        }
    }
}

/// Converts `source` to a Parquet file at `target`; declared types (by lower-case name) win over found ones.
pub(crate) fn convert(
    source: &Path,
    format: SourceFormat,
    declared: &HashMap<String, VariableType>,
    target: &Path,
) -> Result<(), String> {
    let (found, batches) = read(source, format)?;
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let names = variable_names(&names)?;
    let kinds: Vec<VariableType> = found
        .iter()
        .zip(&names)
        .map(|((_, kind), name)| *declared.get(&name.to_lowercase()).unwrap_or(kind))
        .collect();
    write(&names, &kinds, batches, target)
}

/// The columns of a file with the types they have there, and its rows.
fn read(
    source: &Path,
    format: SourceFormat,
) -> Result<(Vec<(String, VariableType)>, Batches), String> {
    let names = |found: &[text::Found]| -> Vec<String> {
        found.iter().map(|(name, _)| name.clone()).collect()
    };
    match format {
        SourceFormat::Csv => {
            let found = text::inspect_csv(source)?;
            let batches = text::csv_batches(source, &names(&found))?;
            Ok((found, batches))
        }
        SourceFormat::Ndjson => {
            let found = text::inspect_json(source)?;
            let batches = text::json_batches(source, &names(&found))?;
            Ok((found, batches))
        }
        SourceFormat::Arrow => {
            let open = || File::open(source).map_err(|error| error.to_string());
            arrow_file::check(&open()?)?;
            let (schema, batches): (_, Batches) =
                if let Ok(reader) = FileReader::try_new(BufReader::new(open()?), None) {
                    let schema = reader.schema();
                    (
                        schema,
                        Box::new(reader.map(|b| b.map_err(|e| e.to_string()))),
                    )
                } else {
                    let reader = StreamReader::try_new(BufReader::new(open()?), None)
                        .map_err(|error| error.to_string())?;
                    let schema = reader.schema();
                    (
                        schema,
                        Box::new(reader.map(|b| b.map_err(|e| e.to_string()))),
                    )
                };
            let mut found = Vec::new();
            for field in schema.fields() {
                found.push((
                    field.name().clone(),
                    kind_of(field.name(), field.data_type())?,
                ));
            }
            Ok((found, batches))
        }
        SourceFormat::Parquet => {
            let stored = Stored::open(source.to_path_buf()).map_err(|error| error.to_string())?;
            let found = stored
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.kind))
                .collect();
            let all: Vec<usize> = (0..stored.columns.len()).collect();
            let reader = stored
                .read(&all, &(0..stored.rows()), 8192)
                .map_err(|error| error.to_string())?;
            Ok((
                found,
                Box::new(reader.map(|batch| batch.map_err(|error| error.to_string()))),
            ))
        }
    }
}

fn write(
    names: &[String],
    kinds: &[VariableType],
    batches: Batches,
    target: &Path,
) -> Result<(), String> {
    let fields: Vec<Field> = names
        .iter()
        .zip(kinds)
        .map(|(name, kind)| Field::new(name, kind.arrow(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let aside = tempfile::NamedTempFile::new_in(folder).map_err(|error| error.to_string())?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(aside.as_file(), Arc::clone(&schema), Some(properties))
        .map_err(|error| error.to_string())?;
    let mut row = 0;
    for batch in batches {
        let batch = batch?;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(kinds.len());
        for ((column, kind), name) in batch.columns().iter().zip(kinds).zip(names) {
            columns.push(cast::cast(column, *kind).map_err(|reason| {
                let last = row + batch.num_rows();
                format!("variable `{name}`, rows {} to {last}: {reason}", row + 1)
            })?);
        }
        row += batch.num_rows();
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
            .map_err(|error| error.to_string())?;
        writer.write(&batch).map_err(|error| error.to_string())?;
        if writer.in_progress_size() > ROW_GROUP_BYTES {
            writer.flush().map_err(|error| error.to_string())?;
        }
    }
    writer.close().map_err(|error| error.to_string())?;
    aside
        .as_file()
        .sync_all()
        .map_err(|error| error.to_string())?;
    aside.persist(target).map_err(|error| error.to_string())?;
    Ok(())
}
