//! Strict conversion of a column to its variable's type: every value keeps its meaning, or nothing is converted.
//!
//! In: an array and the type it should have, one that variables have. Out: the array in that type, or the first value that does
//! not fit. Uses Arrow alone.
//!
//! Arrow's own cast rounds 1.5 to 1, wraps time zones and ignores lost nanoseconds; that is right for SQL's CAST and wrong
//! for data that somebody else stored, or that is about to be. The rules follow the official clients' (redivis-api §8.2) and
//! are stricter where those lose something silently.

mod number;
mod temporal;
mod text;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, PrimitiveBuilder,
};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::sync::Arc;

/// Why a column cannot be converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CastError {
    /// One value does not fit.
    #[error("the value {value} ({from}) cannot be read as {to} without loss")]
    Value {
        /// Its place in the array, from 0.
        row: usize,
        /// The value for people, shortened.
        value: String,
        /// The array's type.
        from: DataType,
        /// The type it should have.
        to: DataType,
    },
    /// No value of this type could be meant.
    #[error("values of type {from} cannot be read as {to}")]
    Type {
        /// The array's type.
        from: DataType,
        /// The type it should have.
        to: DataType,
    },
    /// Arrow refused.
    #[error("{0}")]
    Arrow(#[from] ArrowError),
}

/// A value that does not fit, by its row.
struct Misfit(usize);

/// Converts `array` to `to`, a type that variables have.
///
/// Accepted: text of the type; numbers of any width where the value is kept; decimals; 0, 1, `true` and `false` as
/// booleans; dates as midnight and midnight as dates; timestamps of any unit where no digit is lost. A time zone is
/// dropped and the UTC time kept, as the official clients do.
pub fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    let plain = plain(array)?;
    if plain.data_type() == to {
        return Ok(plain);
    }
    let unsupported = || CastError::Type {
        from: array.data_type().clone(),
        to: to.clone(),
    };
    if matches!(plain.data_type(), DataType::Null) {
        return Ok(arrow::array::new_null_array(to, plain.len()));
    }
    let converted = match to {
        DataType::Utf8 => return text::to_text(&plain)?.ok_or_else(unsupported),
        DataType::Int64 => number::to_integer(&plain),
        DataType::Float64 => number::to_float(&plain),
        DataType::Boolean => number::to_boolean(&plain),
        DataType::Date32 => temporal::to_date(&plain),
        DataType::Timestamp(TimeUnit::Microsecond, None) => temporal::to_date_time(&plain),
        DataType::Time64(TimeUnit::Microsecond) => temporal::to_time(&plain),
        _ => None,
    };
    match converted {
        None => Err(unsupported()),
        Some(Ok(converted)) => Ok(converted),
        Some(Err(Misfit(row))) => Err(CastError::Value {
            row,
            value: shown(&plain, row),
            from: array.data_type().clone(),
            to: to.clone(),
        }),
    }
}

/// The value for people, shortened.
fn shown(array: &ArrayRef, row: usize) -> String {
    const SHOWN: usize = 60;
    let options = FormatOptions::default();
    let value = ArrayFormatter::try_new(array, &options)
        .map(|formatter| formatter.value(row).to_string())
        .unwrap_or_else(|_| "?".to_owned());
    let value = match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value,
    };
    format!("`{}`", value.escape_debug())
}

/// The same values without dictionary or view, and text with 32-bit offsets; fails where they would not suffice.
fn plain(array: &ArrayRef) -> Result<ArrayRef, CastError> {
    let to = match array.data_type() {
        DataType::Dictionary(_, values) => {
            let values = values.as_ref().clone();
            if is_text(&values) {
                check_size(dictionary_size(array)?)?;
            }
            let array = arrow_cast(array, &values)?;
            return plain(&array);
        }
        DataType::Utf8View => {
            let size = array.as_string_view().lengths().map(|n| n as usize).sum();
            check_size(size)?;
            DataType::Utf8
        }
        DataType::LargeUtf8 => {
            let offsets = array.as_string::<i64>().value_offsets();
            let size = offsets.last().unwrap_or(&0) - offsets.first().unwrap_or(&0);
            check_size(usize::try_from(size).unwrap_or(usize::MAX))?;
            DataType::Utf8
        }
        _ => return Ok(Arc::clone(array)),
    };
    Ok(arrow_cast(array, &to)?)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// Bytes of text once every row has its own copy.
fn dictionary_size(array: &ArrayRef) -> Result<usize, CastError> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        // Nothing but nulls, which Arrow cannot normalize the keys of.
        return Ok(0);
    }
    let values = plain(dictionary.values())?;
    let offsets = values.as_string::<i32>().value_offsets();
    let keys = dictionary.normalized_keys();
    let size = (0..array.len())
        .filter(|&row| array.is_valid(row))
        .map(|row| {
            let value = keys[row];
            (offsets[value + 1] - offsets[value]) as usize
        })
        .sum();
    Ok(size)
}

fn check_size(bytes: usize) -> Result<(), CastError> {
    if i32::try_from(bytes).is_ok() {
        return Ok(());
    }
    Err(CastError::Arrow(ArrowError::OffsetOverflowError(bytes)))
}

type Converted = Option<Result<ArrayRef, Misfit>>;

/// Converts value by value; nulls stay null.
fn each<I, O>(
    array: &ArrayRef,
    convert: impl Fn(I::Native) -> Option<O::Native>,
) -> Result<ArrayRef, Misfit>
where
    I: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let array: &PrimitiveArray<I> = array.as_primitive();
    collect::<O, _>(array.iter(), convert)
}

/// Converts text value by value; nulls stay null.
fn each_text<O: ArrowPrimitiveType>(
    array: &ArrayRef,
    parse: impl Fn(&str) -> Option<O::Native>,
) -> Result<ArrayRef, Misfit> {
    collect::<O, _>(array.as_string::<i32>().iter(), parse)
}

fn collect<O: ArrowPrimitiveType, T>(
    values: impl ExactSizeIterator<Item = Option<T>>,
    convert: impl Fn(T) -> Option<O::Native>,
) -> Result<ArrayRef, Misfit> {
    let mut builder = PrimitiveBuilder::<O>::with_capacity(values.len());
    for (row, value) in values.enumerate() {
        match value {
            None => builder.append_null(),
            Some(value) => builder.append_value(convert(value).ok_or(Misfit(row))?),
        }
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
mod tests;
