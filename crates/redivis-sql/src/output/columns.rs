//! The columns of a result as they are written.
//!
//! DataFusion's string views, dictionaries and runs are ways to hold values, not types of theirs. Written as the plain type of their
//! values, nulls are where they seem to be, and every reader of the file knows the types.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The written form of a result's columns.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    schema: SchemaRef,
}

impl Columns {
    /// Plain types; with `unique_names`, the second `name` becomes `name_1`, for formats in which a name means one column.
    pub(crate) fn new(schema: &Schema, unique_names: bool) -> Self {
        let schema = match unique_names {
            true => self::unique_names(schema),
            false => Arc::new(schema.clone()),
        };
        let fields = schema.fields().iter().map(|field| {
            let plain = plain_type(field.data_type());
            field.as_ref().clone().with_data_type(plain)
        });
        let fields: Vec<Field> = fields.collect();
        Self {
            schema: Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())),
        }
    }

    /// What is written.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// A batch of the result as it is written.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| {
                if column.data_type() == field.data_type() {
                    Ok(Arc::clone(column))
                } else {
                    cast(column, field.data_type())
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
        )
    }
}

/// The same columns, of which no two have one name.
pub(crate) fn unique_names(schema: &Schema) -> SchemaRef {
    let mut taken = HashSet::new();
    let fields = schema.fields().iter().map(|field| {
        let name = (0usize..)
            .map(|n| match n {
                0 => field.name().clone(),
                n => format!("{}_{n}", field.name()),
            })
            .find(|name| {
                let original = name == field.name();
                (original || schema.index_of(name).is_err()) && !taken.contains(name)
            });
        let name = name.unwrap_or_else(|| field.name().clone());
        taken.insert(name.clone());
        field.as_ref().clone().with_name(name)
    });
    let fields: Vec<Field> = fields.collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_used_twice_gets_a_number_that_nothing_else_has() {
        let fields =
            ["a", "a", "a_1", "b", "a"].map(|name| Field::new(name, DataType::Int64, true));
        let columns = Columns::new(&Schema::new(fields.to_vec()), true);
        let names: Vec<&str> = columns
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .collect();
        assert_eq!(names, ["a", "a_2", "a_1", "b", "a_3"]);
    }
}
