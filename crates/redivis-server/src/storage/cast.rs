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
        let halves: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 1.5]));
        assert_eq!(
            cast(&halves, VariableType::Integer).unwrap_err(),
            "1.5 is not an integer"
        );
        let large: ArrayRef = Arc::new(arrow::array::UInt64Array::from(vec![u64::MAX]));
        assert!(cast(&large, VariableType::Integer).is_err());
    }
}
