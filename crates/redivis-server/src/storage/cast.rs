//! Strict casts: a value either keeps its meaning or names itself as the reason why not.
//!
//! Arrow's own casts cut fractions off and read many spellings; here a cast is what Redivis would take for the value.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Float64Type, Int64Type},
};

use super::{infer, kind::VariableType};

/// Casts a column to the Arrow type of `kind`; the error names the first value that does not fit.
pub(crate) fn cast(column: &ArrayRef, kind: VariableType) -> Result<ArrayRef, String> {
    let target = kind.arrow();
    let stored = column.data_type();
    if *stored == target {
        return Ok(Arc::clone(column));
    }
    match stored {
        DataType::Dictionary(_, values) => {
            let values = plain(column, values)?;
            cast(&values, kind)
        }
        DataType::LargeUtf8 | DataType::Utf8View if target != DataType::Utf8 => {
            cast(&plain(column, &DataType::Utf8)?, kind)
        }
        DataType::Utf8 => infer::parse_column(column.as_string::<i32>(), kind),
        _ if target == DataType::Utf8 => text(column),
        _ => {
            let values = plain(column, &target)?;
            if stored.is_floating() && kind == VariableType::Integer {
                whole(column, &values)?;
            }
            Ok(values)
        }
    }
}

fn plain(column: &ArrayRef, target: &DataType) -> Result<ArrayRef, String> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, target, &strict).map_err(|error| error.to_string())
}

/// Refuses the numbers that lost a fraction or their magnitude on the way to integers.
fn whole(stored: &ArrayRef, integers: &ArrayRef) -> Result<(), String> {
    let stored = plain(stored, &DataType::Float64)?;
    let stored = stored.as_primitive::<Float64Type>();
    let integers = integers.as_primitive::<Int64Type>();
    for (value, integer) in stored.iter().zip(integers) {
        if let (Some(value), Some(integer)) = (value, integer)
            && (integer as f64) != value
        {
            return Err(format!("{value} is not an integer"));
        }
    }
    Ok(())
}

/// Values as the text that CSV and JSON lines carry for them.
pub(crate) fn text(column: &ArrayRef) -> Result<ArrayRef, String> {
    let options = super::encode::text_options();
    let formatter = arrow::util::display::ArrayFormatter::try_new(column.as_ref(), &options)
        .map_err(|error| error.to_string())?;
    let values: StringArray = (0..column.len())
        .map(|row| {
            column
                .is_valid(row)
                .then(|| formatter.value(row).to_string())
        })
        .collect();
    Ok(Arc::new(values))
}
