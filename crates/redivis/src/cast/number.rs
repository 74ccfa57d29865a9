//! Numbers and booleans.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder};
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};

use super::{Converted, Misfit, collect, each, each_text};

/// 2^63: the first float above every `i64`.
const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;
/// 2^53: up to here every integer is a float.
const EXACT_FLOATS: i64 = 1 << 53;

pub(super) fn to_integer(array: &ArrayRef) -> Converted {
    let integral = |value: f64| {
        let fits = value.fract() == 0.0 && (-INTEGERS_END..INTEGERS_END).contains(&value);
        fits.then_some(value as i64)
    };
    Some(match array.data_type() {
        DataType::Int64 => Ok(Arc::clone(array)),
        DataType::Int8 => each::<Int8Type, Int64Type>(array, |v| Some(v.into())),
        DataType::Int16 => each::<Int16Type, Int64Type>(array, |v| Some(v.into())),
        DataType::Int32 => each::<Int32Type, Int64Type>(array, |v| Some(v.into())),
        DataType::UInt8 => each::<UInt8Type, Int64Type>(array, |v| Some(v.into())),
        DataType::UInt16 => each::<UInt16Type, Int64Type>(array, |v| Some(v.into())),
        DataType::UInt32 => each::<UInt32Type, Int64Type>(array, |v| Some(v.into())),
        DataType::UInt64 => each::<UInt64Type, Int64Type>(array, |v| v.try_into().ok()),
        DataType::Float16 => each::<Float16Type, Int64Type>(array, |v| integral(v.into())),
        DataType::Float32 => each::<Float32Type, Int64Type>(array, |v| integral(v.into())),
        DataType::Float64 => each::<Float64Type, Int64Type>(array, integral),
        DataType::Utf8 => each_text::<Int64Type>(array, |text| text.parse().ok()),
        DataType::Boolean => collect::<Int64Type, _>(array.as_boolean().iter(), |v| Some(v.into())),
        _ => {
            let decimals = decimals(array)?;
            collect::<Int64Type, _>(decimals.into_iter(), |text| {
                let whole = match text.split_once('.') {
                    Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
                    Some(_) => return None,
                    None => &text,
                };
                whole.parse().ok()
            })
        }
    })
}

pub(super) fn to_float(array: &ArrayRef) -> Converted {
    let exact = |value: i64| {
        (-EXACT_FLOATS..=EXACT_FLOATS)
            .contains(&value)
            .then_some(value as f64)
    };
    Some(match array.data_type() {
        DataType::Int8 => each::<Int8Type, Float64Type>(array, |v| Some(v.into())),
        DataType::Int16 => each::<Int16Type, Float64Type>(array, |v| Some(v.into())),
        DataType::Int32 => each::<Int32Type, Float64Type>(array, |v| Some(v.into())),
        DataType::Int64 => each::<Int64Type, Float64Type>(array, exact),
        DataType::UInt8 => each::<UInt8Type, Float64Type>(array, |v| Some(v.into())),
        DataType::UInt16 => each::<UInt16Type, Float64Type>(array, |v| Some(v.into())),
        DataType::UInt32 => each::<UInt32Type, Float64Type>(array, |v| Some(v.into())),
        DataType::UInt64 => {
            each::<UInt64Type, Float64Type>(array, |v| exact(i64::try_from(v).ok()?))
        }
        DataType::Float16 => each::<Float16Type, Float64Type>(array, |v| Some(v.into())),
        DataType::Float32 => each::<Float32Type, Float64Type>(array, |v| Some(v.into())),
        DataType::Utf8 => each_text::<Float64Type>(array, float),
        DataType::Boolean => {
            collect::<Float64Type, _>(array.as_boolean().iter(), |v| Some(f64::from(u8::from(v))))
        }
        // The nearest float is what a decimal means as a float: 0.1 has no other.
        _ => collect::<Float64Type, _>(decimals(array)?.into_iter(), |text| float(&text)),
    })
}

/// The nearest float; too large a number is no infinity.
fn float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let overflowed = value.is_infinite() && text.contains(|c: char| c.is_ascii_digit());
    (!overflowed).then_some(value)
}

pub(super) fn to_boolean(array: &ArrayRef) -> Converted {
    if array.data_type() == &DataType::Utf8 {
        return Some(booleans(
            array.as_string::<i32>().iter(),
            |text| match text {
                "1" => Some(true),
                "0" => Some(false),
                _ if text.eq_ignore_ascii_case("true") => Some(true),
                _ if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            },
        ));
    }
    let numbers = match to_integer(array)? {
        Ok(numbers) => numbers,
        Err(misfit) => return Some(Err(misfit)),
    };
    let numbers = numbers.as_primitive::<Int64Type>();
    Some(booleans(numbers.iter(), |number| match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }))
}

fn booleans<T>(
    values: impl ExactSizeIterator<Item = Option<T>>,
    convert: impl Fn(T) -> Option<bool>,
) -> Result<ArrayRef, Misfit> {
    let mut builder = BooleanBuilder::with_capacity(values.len());
    for (row, value) in values.enumerate() {
        match value {
            None => builder.append_null(),
            Some(value) => builder.append_value(convert(value).ok_or(Misfit(row))?),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Decimals as text, which holds them exactly whatever their width; `None` if the array has none.
fn decimals(array: &ArrayRef) -> Option<Vec<Option<String>>> {
    fn texts<D: DecimalType>(array: &ArrayRef) -> Vec<Option<String>> {
        let array = array.as_primitive::<D>();
        (0..array.len())
            .map(|row| array.is_valid(row).then(|| array.value_as_string(row)))
            .collect()
    }
    match array.data_type() {
        DataType::Decimal32(..) => Some(texts::<Decimal32Type>(array)),
        DataType::Decimal64(..) => Some(texts::<Decimal64Type>(array)),
        DataType::Decimal128(..) => Some(texts::<Decimal128Type>(array)),
        DataType::Decimal256(..) => Some(texts::<Decimal256Type>(array)),
        _ => None,
    }
}
