//! From a query's columns to a table's variables, without loss.
//!
//! SQL would convert silently: 1.5 to 1, a nanosecond to none, any number to text. What is stored on Redivis stays for years,
//! so a column is taken only if its values can mean the same there, and a value that does not is refused with its row.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, Schema, SchemaRef, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{DataFusionError, Result, plan_datafusion_err, plan_err};
use redivis::cast::{CastError, cast};
use redivis::resource::{Variable, VariableType};

use crate::error::{WriteError, conversion};

/// The first and last day that a date can be: 0001-01-01 and 9999-12-31 (redivis-api §8.1).
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// One variable to write.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: String,
    variable: VariableType,
    /// The query's column that gives its values; none are null.
    place: Option<usize>,
}

/// The variables to write, and where their values come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    schema: SchemaRef,
}

impl Columns {
    /// All variables of a table, from a query's columns of these names, whatever their case and order. Those that the query
    /// lacks are null.
    ///
    /// Fails for columns that the table lacks, and for those whose type its variable cannot hold.
    pub(crate) fn of_table<'v>(
        source: &Schema,
        table: &str,
        variables: impl IntoIterator<Item = (&'v str, &'v VariableType)>,
    ) -> Result<Self> {
        let mut places = places(source)?;
        let columns = variables
            .into_iter()
            .map(|(name, variable)| {
                let place = places.remove(&name.to_lowercase());
                if let Some(place) = place {
                    fits(name, source.field(place).data_type(), variable)?;
                }
                Ok(Column {
                    name: name.to_owned(),
                    variable: variable.clone(),
                    place,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if let Some(place) = places.values().min() {
            return plan_err!(
                "{table} has no variable `{}`; a table gets new variables from its uploads on Redivis, or with CREATE TABLE",
                source.field(*place).name()
            );
        }
        Ok(Self::new(columns))
    }

    /// The variables of a table that is made from a query's columns.
    ///
    /// Fails for types that Redivis has no variables for.
    pub(crate) fn of_query(source: &Schema) -> Result<Self> {
        places(source)?;
        let columns = source
            .fields()
            .iter()
            .enumerate()
            .map(|(place, field)| {
                Ok(Column {
                    name: field.name().clone(),
                    variable: variable_type(field)?,
                    place: Some(place),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            return plan_err!("a table on Redivis has at least one column");
        }
        Ok(Self::new(columns))
    }

    fn new(columns: Vec<Column>) -> Self {
        let fields = columns
            .iter()
            .map(|column| Field::new(&column.name, data_type(&column.variable), true))
            .collect::<Vec<_>>();
        Self {
            columns,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// The schema of what is written: the variables in order, in Redivis's types (redivis-api §8.1).
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The variables in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &VariableType)> {
        self.columns
            .iter()
            .map(|column| (column.name.as_str(), &column.variable))
    }

    /// The first of these that is not among the variables of a file that was read in, or is there as another type.
    pub(super) fn other<'a>(
        &'a self,
        found: &'a [Variable],
    ) -> Option<(&'a str, &'a VariableType, Option<&'a VariableType>)> {
        let other = |(name, variable): (&'a str, &'a VariableType)| {
            let found = found.iter().find(|found| same(&found.name, name));
            let found = found.map(|found| &found.variable_type);
            let fits = found.is_some_and(|found| data_type(found) == data_type(variable));
            (!fits).then_some((name, variable, found))
        };
        self.variables().find_map(other)
    }

    /// The query's rows as they are written. `before` rows came before them.
    pub(crate) fn convert(&self, batch: &RecordBatch, before: u64) -> Result<RecordBatch> {
        let columns = self
            .columns
            .iter()
            .map(|column| match column.place {
                None => Ok(new_null_array(
                    &data_type(&column.variable),
                    batch.num_rows(),
                )),
                Some(place) => stored(batch.column(place), &column.variable)
                    .map_err(|refusal| refusal.of(&column.name, before, &column.variable)),
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

/// Whether a variable has the name of a column: the service writes `_` for what is no letter, digit or `_`.
fn same(variable: &str, column: &str) -> bool {
    let plain = |name: &str| {
        name.to_lowercase()
            .replace(|c: char| !c.is_alphanumeric(), "_")
    };
    plain(variable) == plain(column)
}

/// Where the column of each name is, without regard to case.
fn places(source: &Schema) -> Result<HashMap<String, usize>> {
    let mut places = HashMap::with_capacity(source.fields().len());
    for (place, field) in source.fields().iter().enumerate() {
        if places.insert(field.name().to_lowercase(), place).is_some() {
            return plan_err!(
                "two columns are named `{}` but for upper and lower case, and variables on Redivis have no case; rename one \
                 with AS",
                field.name()
            );
        }
    }
    Ok(places)
}

/// The type of a variable's values as they are written.
fn data_type(variable: &VariableType) -> DataType {
    match variable {
        VariableType::Integer => DataType::Int64,
        VariableType::Float => DataType::Float64,
        VariableType::Boolean => DataType::Boolean,
        VariableType::Date => DataType::Date32,
        VariableType::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        VariableType::Time => DataType::Time64(TimeUnit::Microsecond),
        _ => DataType::Utf8,
    }
}

/// The variable that holds all values of a column, or those of them that it can.
pub(crate) fn variable_type(field: &Field) -> Result<VariableType> {
    use DataType::*;
    Ok(match plain(field.data_type()) {
        Utf8 | LargeUtf8 | Utf8View => VariableType::String,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => VariableType::Integer,
        Float16 | Float32 | Float64 => VariableType::Float,
        Boolean => VariableType::Boolean,
        Date32 | Date64 => VariableType::Date,
        Timestamp(_, None) => VariableType::DateTime,
        Time32(_) | Time64(_) => VariableType::Time,
        other => {
            return plan_err!(
                "Redivis has no variables for column `{}`, which is {other}; write {}",
                field.name(),
                remedy(other)
            );
        }
    })
}

/// Fails if no value of the column's type could be meant by the variable.
pub(crate) fn fits(name: &str, from: &DataType, variable: &VariableType) -> Result<()> {
    let from = plain(from);
    if holds(variable, from) {
        return Ok(());
    }
    plan_err!(
        "variable `{name}` is {variable}, and the query gives it {from}, which is not converted silently; write {}, of a \
         DataFrame in a select before the last one",
        conversion(variable)
    )
}

fn holds(variable: &VariableType, from: &DataType) -> bool {
    use DataType::*;
    if from == &Null {
        return true;
    }
    let text = matches!(from, Utf8 | LargeUtf8 | Utf8View);
    match variable {
        VariableType::Integer => from.is_integer() || from.is_floating() || from.is_decimal(),
        // A decimal's digits mostly are no float's.
        VariableType::Float => from.is_integer() || from.is_floating(),
        VariableType::Boolean => from == &Boolean,
        // Text is how SQL writes dates and times: VALUES ('2020-01-31').
        VariableType::Date | VariableType::DateTime => {
            text || matches!(from, Date32 | Date64 | Timestamp(_, None))
        }
        VariableType::Time => text || matches!(from, Time32(_) | Time64(_)),
        VariableType::String | VariableType::Geography | VariableType::Other(_) => text,
        _ => false,
    }
}

/// What to write instead of a type that no variable has.
fn remedy(from: &DataType) -> &'static str {
    match from {
        DataType::Null => "CAST(NULL AS VARCHAR), or another type",
        DataType::Timestamp(_, Some(_)) => {
            "CAST(… AS TIMESTAMP) for the time in its zone: a dateTime has none"
        }
        _ if from.is_decimal() => "CAST(… AS DOUBLE), or AS BIGINT or VARCHAR to keep all digits",
        _ => "a CAST(…), as to VARCHAR, or leave it out",
    }
}

/// The type of the values themselves.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        other => other,
    }
}

/// A value that cannot be stored, by its place in the array; or another failure.
pub(crate) enum Refusal {
    Value { row: usize, value: String },
    Other(DataFusionError),
}

impl Refusal {
    /// The error for a variable, `before` rows after the first.
    pub(crate) fn of(self, column: &str, before: u64, variable: &VariableType) -> DataFusionError {
        match self {
            Self::Value { row, value } => WriteError::Value {
                column: column.to_owned(),
                row: before + row as u64 + 1,
                value,
                variable: variable.clone(),
            }
            .into(),
            Self::Other(error) => error.context(format!("column `{column}`")),
        }
    }
}

/// The values as a variable's, each with its meaning.
pub(crate) fn stored(array: &ArrayRef, variable: &VariableType) -> Result<ArrayRef, Refusal> {
    let array = cast(array, &data_type(variable)).map_err(|error| match error {
        CastError::Value { row, value, .. } => Refusal::Value { row, value },
        other => Refusal::Other(plan_datafusion_err!("{other}")),
    })?;
    match outside(&array, variable) {
        None => Ok(array),
        Some(row) => Err(Refusal::Value {
            row,
            value: shown(&array, row),
        }),
    }
}

/// The first date or time that Arrow can hold and a variable cannot.
fn outside(array: &ArrayRef, variable: &VariableType) -> Option<usize> {
    let micros = *DAYS.start() as i64 * MICROS_PER_DAY..(*DAYS.end() as i64 + 1) * MICROS_PER_DAY;
    match variable {
        VariableType::Date => array
            .as_primitive::<Date32Type>()
            .iter()
            .position(|day| day.is_some_and(|day| !DAYS.contains(&day))),
        VariableType::DateTime => array
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .position(|time| time.is_some_and(|time| !micros.contains(&time))),
        VariableType::Time => array
            .as_primitive::<Time64MicrosecondType>()
            .iter()
            .position(|time| time.is_some_and(|time| !(0..MICROS_PER_DAY).contains(&time))),
        _ => None,
    }
}

fn shown(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    let value = ArrayFormatter::try_new(array, &options)
        .ok()
        .and_then(|formatter| formatter.value(row).try_to_string().ok());
    match value {
        Some(value) => format!("`{value}`"),
        // Far beyond what a calendar or a clock has.
        None => "(out of range)".to_owned(),
    }
}

#[cfg(test)]
mod tests;
