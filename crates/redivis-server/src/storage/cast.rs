//! Strict casts: a value either keeps its meaning or names itself as the reason why not.
//!
//! Arrow's own casts cut fractions off and read many spellings; here a cast is what Redivis would take for the value.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray, new_null_array},
    compute::{CastOptions, cast_with_options, kernels::cmp::distinct},
    datatypes::DataType,
    util::display::array_value_to_string,
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
        DataType::Null => Ok(new_null_array(&target, column.len())),
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
            if !widens(stored, kind) {
                unchanged(column, &values)?;
            }
            Ok(values)
        }
    }
}

/// Whether every value of the stored type has a place in the variable's type.
fn widens(stored: &DataType, kind: VariableType) -> bool {
    match kind {
        VariableType::Integer => stored.is_integer(),
        VariableType::Float => stored.is_floating() || *stored == DataType::Int32,
        _ => false,
    }
}

fn plain(column: &ArrayRef, target: &DataType) -> Result<ArrayRef, String> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, target, &strict).map_err(|error| error.to_string())
}

/// Refuses values that are not the same any more when they are cast back.
fn unchanged(stored: &ArrayRef, cast: &ArrayRef) -> Result<(), String> {
    // A zone says how to show a time, not which one it is.
    let plain_type = match stored.data_type() {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, None),
        other => other.clone(),
    };
    let stored = plain(stored, &plain_type)?;
    let back = plain(cast, &plain_type)?;
    let lost = distinct(&stored, &back).map_err(|error| error.to_string())?;
    match lost.values().set_indices().next() {
        None => Ok(()),
        Some(row) => {
            let value = array_value_to_string(&stored, row).unwrap_or_default();
            Err(format!(
                "{value} ({plain_type}) is not a value of type {}",
                cast.data_type()
            ))
        }
    }
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

#[cfg(test)]
mod tests {
    use arrow::{
        array::{
            BooleanArray, Date32Array, Float64Array, Int64Array, Time64MicrosecondArray,
            TimestampMicrosecondArray,
        },
        datatypes::Date32Type,
    };
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;
    use crate::storage::infer::Candidates;

    const DAY: i64 = 24 * 60 * 60 * 1_000_000;

    /// Days from 0001-01-01 to 9999-12-31.
    fn days() -> std::ops::RangeInclusive<i32> {
        let day = |y, m, d| Date32Type::from_naive_date(NaiveDate::from_ymd_opt(y, m, d).unwrap());
        day(1, 1, 1)..=day(9999, 12, 31)
    }

    fn columns() -> impl Strategy<Value = (VariableType, ArrayRef)> {
        fn some<T: std::fmt::Debug + Clone>(
            value: impl Strategy<Value = T>,
        ) -> impl Strategy<Value = Vec<Option<T>>> {
            // At least one value, or nothing would tell the type.
            (value, prop::collection::vec(any::<bool>(), 0..5)).prop_map(|(value, nulls)| {
                let rest = nulls.into_iter().map(|null| (!null).then(|| value.clone()));
                let rest: Vec<Option<T>> = rest.collect();
                [vec![Some(value.clone())], rest].concat()
            })
        }
        let micros = i64::from(*days().start()) * DAY..=i64::from(*days().end()) * DAY + DAY - 1;
        prop_oneof![
            some(any::<i64>()).prop_map(|values| (
                VariableType::Integer,
                Arc::new(Int64Array::from(values)) as ArrayRef
            )),
            some(any::<f64>().prop_filter("finite", |value| value.is_finite())).prop_map(
                |values| (
                    VariableType::Float,
                    Arc::new(Float64Array::from(values)) as ArrayRef
                )
            ),
            some(any::<bool>()).prop_map(|values| (
                VariableType::Boolean,
                Arc::new(BooleanArray::from(values)) as ArrayRef
            )),
            some(days()).prop_map(|values| (
                VariableType::Date,
                Arc::new(Date32Array::from(values)) as ArrayRef
            )),
            some(micros).prop_map(|values| (
                VariableType::DateTime,
                Arc::new(TimestampMicrosecondArray::from(values)) as ArrayRef
            )),
            some(0..DAY).prop_map(|values| (
                VariableType::Time,
                Arc::new(Time64MicrosecondArray::from(values)) as ArrayRef
            )),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_as_text_is_read_back_the_same((kind, column) in columns()) {
            let written = text(&column).unwrap();
            let mut candidates = Candidates::new();
            for value in written.as_string::<i32>().iter().flatten() {
                candidates.observe(value, |_| true);
            }
            prop_assert_eq!(candidates.result(), kind);
            let read = cast(&written, kind).unwrap();
            prop_assert_eq!(&read, &column);
        }
    }

    #[test]
    fn nothing_is_cut_off() {
        let refused: [(ArrayRef, VariableType); 6] = [
            (
                Arc::new(Float64Array::from(vec![1.0, 1.5])),
                VariableType::Integer,
            ),
            (
                Arc::new(arrow::array::UInt64Array::from(vec![u64::MAX])),
                VariableType::Integer,
            ),
            (
                Arc::new(Int64Array::from(vec![(1 << 53) + 1])),
                VariableType::Float,
            ),
            (Arc::new(Int64Array::from(vec![5])), VariableType::Boolean),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![DAY, DAY + 1])),
                VariableType::Date,
            ),
            (
                Arc::new(arrow::array::TimestampNanosecondArray::from(vec![1_001])),
                VariableType::DateTime,
            ),
        ];
        for (values, kind) in refused {
            let error = cast(&values, kind).expect_err(kind.name());
            assert!(!error.is_empty());
        }
    }

    #[test]
    fn what_keeps_its_value_is_cast() {
        let nanos = arrow::array::TimestampNanosecondArray::from(vec![Some(2_000), None])
            .with_timezone("+01:00");
        let cast_nanos = cast(&(Arc::new(nanos) as ArrayRef), VariableType::DateTime).unwrap();
        let expected: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(2), None]));
        assert_eq!(&cast_nanos, &expected);
        let nothing: ArrayRef = Arc::new(arrow::array::NullArray::new(2));
        let cast_nothing = cast(&nothing, VariableType::String).unwrap();
        assert_eq!(cast_nothing.null_count(), 2);
    }
}
