//! Files of text, CSV and JSON lines, as batches of text columns with an idea of their types.
//!
//! Read twice: once to see every value, once to convert. Neither pass keeps more than a batch.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, StringBuilder},
    csv::{ReaderBuilder, reader::Format},
    datatypes::{Field, Schema, SchemaRef},
};
use serde_json::{Map, Value};

use super::{
    VariableType,
    infer::{Candidates, TEXT},
};

const BATCH_ROWS: usize = 8192;

/// A column found in a text file: its name there, and the narrowest type of all its values.
pub(crate) type Found = (String, VariableType);

/// Batches of text columns.
pub(crate) type TextBatches = Box<dyn Iterator<Item = Result<RecordBatch, String>>>;

fn text_schema<'a>(names: impl IntoIterator<Item = &'a str>) -> SchemaRef {
    let fields: Vec<Field> = names
        .into_iter()
        .map(|name| Field::new(name, TEXT, true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// Opens a text file behind its byte order mark, if it has one.
fn open(path: &Path) -> Result<File, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut start = Vec::new();
    file.by_ref()
        .take(3)
        .read_to_end(&mut start)
        .map_err(|error| error.to_string())?;
    let skipped = if start == [0xEF, 0xBB, 0xBF] { 3 } else { 0 };
    file.seek(SeekFrom::Start(skipped))
        .map_err(|error| error.to_string())?;
    Ok(file)
}

/// Looks at every value of a CSV file with a header line.
pub(crate) fn inspect_csv(path: &Path) -> Result<Vec<Found>, String> {
    let header = Format::default()
        .with_header(true)
        .infer_schema(BufReader::new(open(path)?), Some(0))
        .map_err(|error| error.to_string())?
        .0;
    let names: Vec<String> = header.fields().iter().map(|f| f.name().clone()).collect();
    if names.is_empty() {
        return Err("it has no header line".to_owned());
    }
    let mut candidates = vec![Candidates::new(); names.len()];
    for batch in csv_batches(path, &names)? {
        for (candidates, column) in candidates.iter_mut().zip(batch?.columns()) {
            for value in column.as_string::<i32>().iter().flatten() {
                candidates.observe(value, |_| true);
            }
        }
    }
    Ok(names
        .into_iter()
        .zip(candidates)
        .map(|(name, candidates)| (name, candidates.result()))
        .collect())
}

/// The rows of a CSV file; an empty cell is null.
pub(crate) fn csv_batches(path: &Path, names: &[String]) -> Result<TextBatches, String> {
    let reader = ReaderBuilder::new(text_schema(names.iter().map(String::as_str)))
        .with_header(true)
        .with_batch_size(BATCH_ROWS)
        .build(open(path)?)
        .map_err(|error| error.to_string())?;
    Ok(Box::new(
        reader.map(|batch| batch.map_err(|error| error.to_string())),
    ))
}

/// Looks at every value of a file of JSON objects, one a line.
pub(crate) fn inspect_json(path: &Path) -> Result<Vec<Found>, String> {
    let mut columns: Vec<(String, Candidates)> = Vec::new();
    let mut places = HashMap::new();
    for (number, record) in json_records(path)?.enumerate() {
        for (name, value) in record? {
            // Names are the same without regard to case, as everywhere on Redivis.
            let place = *places.entry(name.to_lowercase()).or_insert_with(|| {
                columns.push((name.clone(), Candidates::new()));
                columns.len() - 1
            });
            let candidates = &mut columns[place].1;
            let Some(text) = json_text(&value)
                .map_err(|reason| format!("record {}, `{name}`: {reason}", number + 1))?
            else {
                continue;
            };
            candidates.observe(&text, |kind| json_allows(&value, kind));
        }
    }
    if columns.is_empty() {
        return Err("it has no records, so its variables are unknown".to_owned());
    }
    Ok(columns
        .into_iter()
        .map(|(name, candidates)| (name, candidates.result()))
        .collect())
}

/// The rows of a file of JSON objects; a missing member is null.
pub(crate) fn json_batches(path: &Path, names: &[String]) -> Result<TextBatches, String> {
    let places: HashMap<String, usize> = names
        .iter()
        .enumerate()
        .map(|(place, name)| (name.to_lowercase(), place))
        .collect();
    let schema = text_schema(names.iter().map(String::as_str));
    let width = names.len();
    let mut records = json_records(path)?;
    Ok(Box::new(std::iter::from_fn(move || {
        let mut columns: Vec<StringBuilder> = (0..width).map(|_| StringBuilder::new()).collect();
        let mut rows = 0;
        for record in records.by_ref().take(BATCH_ROWS) {
            let mut cells: Vec<Option<String>> = vec![None; width];
            let cell = record.and_then(|record| {
                for (name, value) in record {
                    let place = places.get(&name.to_lowercase()).copied();
                    let cell = place
                        .and_then(|place| cells.get_mut(place))
                        .ok_or_else(|| format!("`{name}` appeared while the file was read"))?;
                    if cell.is_some() {
                        return Err(format!("a record has `{name}` twice"));
                    }
                    *cell = json_text(&value)?;
                }
                Ok(())
            });
            if let Err(error) = cell {
                return Some(Err(error));
            }
            for (column, cell) in columns.iter_mut().zip(cells) {
                column.append_option(cell);
            }
            rows += 1;
        }
        if rows == 0 {
            return None;
        }
        let columns = columns
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect();
        Some(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|e| e.to_string()))
    })))
}

fn json_records(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Map<String, Value>, String>> + use<>, String> {
    let reader = BufReader::new(open(path)?);
    let records = serde_json::Deserializer::from_reader(reader).into_iter();
    Ok(records.map(|record| record.map_err(|error| error.to_string())))
}

/// The text of a JSON value; `None` for null.
fn json_text(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value.to_string())),
        Value::Number(value) => Ok(Some(value.to_string())),
        Value::String(value) => Ok(Some(value.clone())),
        Value::Array(_) | Value::Object(_) => {
            Err("Redivis has no type for nested values".to_owned())
        }
    }
}

/// Whether JSON's own type of the value leaves room for this one: quoted digits are no number.
fn json_allows(value: &Value, kind: VariableType) -> bool {
    match value {
        Value::Bool(_) => kind == VariableType::Boolean,
        Value::Number(_) => matches!(kind, VariableType::Integer | VariableType::Float),
        _ => matches!(
            kind,
            VariableType::Date | VariableType::DateTime | VariableType::Time
        ),
    }
}
