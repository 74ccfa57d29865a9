//! Strict casts: a value either keeps its meaning or names itself as the reason why not.
//!
//! Arrow's own casts cut fractions off and read many spellings; here a cast is what Redivis would take for the value.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray, new_null_array},
    compute::{CastOptions, cast_with_options, kernels::cmp::distinct},
    datatypes::{DataType, Date32Type, Time64MicrosecondType, TimestampMicrosecondType},
    error::ArrowError,
    util::display::{ArrayFormatter, array_value_to_string},
};

use super::{infer, kind::VariableType};

/// A value that is refused: where it stands in its column, if one value is to blame, and why.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) row: Option<usize>,
    pub(crate) reason: String,
}

impl Refused {
    pub(super) fn at(row: usize, reason: String) -> Self {
        Refused {
            row: Some(row),
            reason,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<ArrowError> for Refused {
    fn from(error: ArrowError) -> Self {
        Refused {
            row: None,
            reason: error.to_string(),
        }
    }
}

/// Casts a column to the Arrow type of `kind`; the error names the first value that does not fit.
pub(crate) fn cast(column: &ArrayRef, kind: VariableType) -> Result<ArrayRef, Refused> {
    let target = kind.arrow();
    let stored = column.data_type();
    if *stored == target {
        return Ok(Arc::clone(column));
    }
    match stored {
        DataType::Null => Ok(new_null_array(&target, column.len())),
        DataType::Dictionary(_, values) => cast(&plain(column, values)?, kind),
        DataType::LargeUtf8 | DataType::Utf8View => cast(&plain(column, &DataType::Utf8)?, kind),
        DataType::Utf8 => infer::parse_column(column.as_string::<i32>(), kind),
        _ if target == DataType::Utf8 => Ok(text(column)?),
        _ => {
            let values = plain(column, &target)?;
            if !widens(stored, kind) {
                unchanged(column, &values)?;
            }
            Ok(values)
        }
    }
}

/// Refuses dates that Redivis does not have: it has those of the years 0001 to 9999 (redivis-api §8.1).
pub(crate) fn in_range(column: &ArrayRef, kind: VariableType) -> Result<(), Refused> {
    const DAYS: RangeInclusive<i64> = -719_162..=2_932_896;
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    let outside = match kind {
        VariableType::Date => {
            let days = column.as_primitive::<Date32Type>();
            let valid = |day: i32| DAYS.contains(&i64::from(day));
            days.iter()
                .position(|day| day.is_some_and(|day| !valid(day)))
        }
        VariableType::DateTime => {
            let micros = column.as_primitive::<TimestampMicrosecondType>();
            let valid = |micros: i64| DAYS.contains(&micros.div_euclid(DAY));
            micros.iter().position(|at| at.is_some_and(|at| !valid(at)))
        }
        VariableType::Time => {
            let micros = column.as_primitive::<Time64MicrosecondType>();
            let valid = |micros: i64| (0..DAY).contains(&micros);
            micros.iter().position(|at| at.is_some_and(|at| !valid(at)))
        }
        _ => None,
    };
    match outside {
        None => Ok(()),
        Some(row) => Err(Refused::at(
            row,
            format!(
                "the value is outside of what the type {} holds",
                kind.name()
            ),
        )),
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

/// Arrow's cast, in which the first value that has no place in the target is refused.
fn plain(column: &ArrayRef, target: &DataType) -> Result<ArrayRef, Refused> {
    let values = cast_with_options(column, target, &CastOptions::default())?;
    if values.null_count() == column.logical_null_count() {
        return Ok(values);
    }
    let nulls = column.logical_nulls();
    let was_valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    match (0..values.len()).find(|&row| values.is_null(row) && was_valid(row)) {
        None => Ok(values),
        Some(row) => Err(misfit(column, row, target)),
    }
}

fn misfit(column: &ArrayRef, row: usize, target: &DataType) -> Refused {
    let value = array_value_to_string(column, row).unwrap_or_default();
    let stored = column.data_type();
    Refused::at(
        row,
        format!("{value} ({stored}) is not a value of type {target}"),
    )
}

/// Refuses values that are not the same any more when they are cast back.
fn unchanged(stored: &ArrayRef, cast: &ArrayRef) -> Result<(), Refused> {
    // A zone says how to show a time, not which one it is.
    let plain_type = match stored.data_type() {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, None),
        other => other.clone(),
    };
    let stored = plain(stored, &plain_type)?;
    let back = plain(cast, &plain_type)?;
    let lost = distinct(&stored, &back)?;
    match lost.values().set_indices().next() {
        None => Ok(()),
        Some(row) => Err(misfit(&stored, row, cast.data_type())),
    }
}

/// Values as the text that CSV and JSON lines carry for them.
pub(crate) fn text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = super::encode::text_options();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
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
            assert!(!error.reason.is_empty());
            assert_eq!(error.row, Some(values.len() - 1), "{error}");
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
