//! From a column's values to a variable's, without loss.
//!
//! SQL would convert silently: 1.5 to 1, a nanosecond to none, any number to text. What is stored on Redivis stays for years,
//! so a column is taken only if its values can mean the same there, and a value that does not is refused with its row.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{Result, plan_err};
use redivis::cast::{CastError, cast};
use redivis::resource::VariableType;

use crate::error::{WriteError, conversion};

/// The first and last day that a date can be: 0001-01-01 and 9999-12-31 (redivis-api §8.1).
pub(super) const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
pub(super) const MICROS_PER_DAY: i64 = 86_400_000_000;

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

/// The values of a column as a variable's, each with its meaning. `before` rows came before them.
pub(crate) fn stored(
    column: &str,
    before: u64,
    array: &ArrayRef,
    variable: &VariableType,
) -> Result<ArrayRef> {
    let refused = |row: usize, value: String| WriteError::Value {
        column: column.to_owned(),
        row: before + row as u64 + 1,
        value,
        variable: variable.clone(),
    };
    let array = match cast(array, &variable.data_type()) {
        Ok(array) => array,
        Err(CastError::Value { row, value, .. }) => return Err(refused(row, value).into()),
        Err(other) => return plan_err!("column `{column}`: {other}"),
    };
    match outside(&array, variable) {
        None => Ok(array),
        Some(row) => Err(refused(row, shown(&array, row)).into()),
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
