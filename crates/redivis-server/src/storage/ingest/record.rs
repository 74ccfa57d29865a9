//! Records that come as JSON objects of a request, into the variables of a stream (redivis-api §6.4).

use std::{collections::HashMap, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, StringBuilder},
    datatypes::{DataType, Field, Schema},
};
use serde_json::{Map, Value};

use super::{IngestError, Table};
use crate::storage::{VariableType, variable_name};

/// One record.
pub(crate) type Record = Map<String, Value>;

/// Writes records; the error names the first value that its variable cannot have.
pub(super) fn write(
    records: &[Record],
    schema: &[(String, VariableType)],
    target: &Path,
) -> Result<(), IngestError> {
    let columns: Vec<_> = schema
        .iter()
        .map(|(name, kind)| (name.as_str(), *kind))
        .collect();
    let mut table = Table::create(&columns, target)?;
    let places: HashMap<String, usize> = schema
        .iter()
        .enumerate()
        .map(|(place, (name, _))| (name.to_lowercase(), place))
        .collect();
    if !records.is_empty() {
        table.write(&batch(records, schema.len(), &places)?)?;
    }
    table.publish(target)
}

/// The records as columns of text, which the table casts.
fn batch(
    records: &[Record],
    width: usize,
    places: &HashMap<String, usize>,
) -> Result<RecordBatch, IngestError> {
    let mut columns: Vec<StringBuilder> = (0..width).map(|_| StringBuilder::new()).collect();
    for (number, record) in records.iter().enumerate() {
        let refused = |name: &str, reason: &str| {
            IngestError::Rejected(format!("row {}, `{name}`: {reason}", number + 1))
        };
        let mut cells: Vec<Option<Option<String>>> = vec![None; width];
        for (name, value) in record {
            let cell = places
                .get(&variable_name(name).to_lowercase())
                .and_then(|place| cells.get_mut(*place));
            let cell = cell.ok_or_else(|| refused(name, "the upload has no such variable"))?;
            if cell.is_some() {
                return Err(refused(name, "the record has this variable twice"));
            }
            *cell = Some(match value {
                Value::Null => None,
                Value::Bool(value) => Some(value.to_string()),
                Value::Number(value) => Some(value.to_string()),
                Value::String(value) => Some(value.clone()),
                Value::Array(_) | Value::Object(_) => {
                    return Err(refused(name, "Redivis has no type for nested values"));
                }
            });
        }
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.append_option(cell.flatten());
        }
    }
    let fields: Vec<Field> = (0..width)
        .map(|_| Field::new("", DataType::Utf8, true))
        .collect();
    let columns: Vec<ArrayRef> = columns
        .iter_mut()
        .map(|column| Arc::new(column.finish()) as ArrayRef)
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(IngestError::rejected)
}
