//! Statistics of a variable, from one pass over its values (redivis-api §3.2).
//!
//! What is measured of a value is documented: a number is itself; a date, a date and time or a time its milliseconds
//! since 1970 or midnight; a text its length. Memory is bounded: distinct values are counted by their digests, exactly
//! up to a number beyond which they are not told; the median comes from a digest of the values.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array},
    compute,
    datatypes::{
        DataType, Date32Type, Float64Type, Int64Type, Time64MicrosecondType,
        TimestampMicrosecondType,
    },
};
use datafusion::{
    functions_aggregate::approx_percentile_cont::ApproxPercentileAccumulator,
    logical_expr::Accumulator, scalar::ScalarValue,
};
use serde_json::{Value, json};

use super::{RowScan, Segment, StorageError, cast, kind::VariableType};

/// Distinct values that are counted at most.
const DISTINCT: usize = 1_000_000;
const DAY_MILLIS: f64 = 24.0 * 60.0 * 60.0 * 1000.0;

/// The statistics of a variable, the only column of these whole files. Blocks, for long with large ones.
pub(crate) fn statistics_of(
    files: Vec<Segment>,
    variable: &str,
    kind: VariableType,
) -> Result<Value, StorageError> {
    // Most tables are one file; what several have together is not kept.
    let single = match files.as_slice() {
        [file] => Some(Arc::clone(&file.stored)),
        _ => None,
    };
    let known = single
        .as_ref()
        .and_then(|file| file.statistics(variable, kind));
    if let Some(known) = known {
        return Ok(known);
    }
    let mut scan = RowScan::new(files, 0);
    let mut statistics = Statistics::new(kind);
    while let Some(batch) = scan.next_batch()? {
        if let Some(column) = batch.columns().first() {
            statistics.add(column);
        }
    }
    let found = statistics.finish();
    if let Some(file) = single {
        file.keep_statistics(variable, kind, found.clone());
    }
    Ok(found)
}

/// Statistics while they are collected.
#[derive(Debug)]
struct Statistics {
    kind: VariableType,
    /// Values that are not null.
    count: u64,
    /// `None` once there are too many to count.
    distinct: Option<HashSet<u64>>,
    hasher: RandomState,
    /// Of whole numbers, which floats do not have all of.
    whole: Option<(i64, i64)>,
    range: Option<(f64, f64)>,
    /// The mean of the measures so far, and the sum of their squared distances from it.
    mean: f64,
    squares: f64,
    measured: u64,
    /// `None` once it failed.
    median: Option<ApproxPercentileAccumulator>,
}

impl Statistics {
    fn new(kind: VariableType) -> Self {
        Statistics {
            kind,
            count: 0,
            distinct: Some(HashSet::new()),
            hasher: RandomState::new(),
            whole: None,
            range: None,
            mean: 0.0,
            squares: 0.0,
            measured: 0,
            median: Some(ApproxPercentileAccumulator::new(0.5, DataType::Float64)),
        }
    }

    /// Adds the values of a column that has the variable's type.
    fn add(&mut self, column: &ArrayRef) {
        self.count += (column.len() - column.null_count()) as u64;
        self.add_distinct(column);
        if self.kind == VariableType::Integer {
            let values = column.as_primitive::<Int64Type>();
            if let Some((low, high)) = compute::min(values).zip(compute::max(values)) {
                let (known_low, known_high) = self.whole.unwrap_or((low, high));
                self.whole = Some((known_low.min(low), known_high.max(high)));
            }
        }
        let Some(measures) = measures(column, self.kind) else {
            return;
        };
        for measure in measures.iter().flatten() {
            let (low, high) = self.range.unwrap_or((measure, measure));
            self.range = Some((low.min(measure), high.max(measure)));
            self.measured += 1;
            // Welford's way, which loses nothing by taking large numbers from each other.
            let distance = measure - self.mean;
            self.mean += distance / self.measured as f64;
            self.squares += distance * (measure - self.mean);
        }
        if let Some(median) = &mut self.median
            && median.update_batch(&[Arc::new(measures)]).is_err()
        {
            self.median = None;
        }
    }

    fn add_distinct(&mut self, column: &ArrayRef) {
        let (Some(distinct), Ok(text)) = (&mut self.distinct, cast::text(column)) else {
            self.distinct = None;
            return;
        };
        let text = text.as_string::<i32>().iter().flatten();
        distinct.extend(text.map(|value| self.hasher.hash_one(value)));
        if distinct.len() > DISTINCT {
            self.distinct = None;
        }
    }

    fn finish(mut self) -> Value {
        let (min, max) = match (self.whole, self.range) {
            (Some((min, max)), _) => (json!(min), json!(max)),
            (None, Some((min, max))) => (number(min), number(max)),
            (None, None) => (Value::Null, Value::Null),
        };
        let some = |wanted: bool, value: f64| if wanted { json!(value) } else { Value::Null };
        let spread = self.measured > 1 && self.kind != VariableType::String;
        let deviation = (self.squares / (self.measured.max(2) - 1) as f64).sqrt();
        let median = self
            .median
            .as_mut()
            .and_then(|median| median.evaluate().ok());
        let median = match median {
            Some(ScalarValue::Float64(Some(median))) => json!(median),
            _ => Value::Null,
        };
        json!({
            "kind": "variableStatistics",
            "status": "completed",
            "count": self.count,
            "numDistinct": self.distinct.as_ref().map(HashSet::len),
            "min": min,
            "max": max,
            "mean": some(self.measured > 0, self.mean),
            "approxMedian": median,
            "stdDev": some(spread, deviation),
        })
    }
}

/// A number as JSON, without a fraction where it has none.
fn number(value: f64) -> Value {
    let whole = value as i64;
    match whole as f64 == value && whole.unsigned_abs() <= 1 << 53 {
        true => json!(whole),
        false => json!(value),
    }
}

/// What is measured of each value; `None` for types that nothing is measured of.
fn measures(column: &ArrayRef, kind: VariableType) -> Option<Float64Array> {
    let micros = |micros: i64| micros as f64 / 1000.0;
    Some(match kind {
        // What is no number or infinite has no place in JSON.
        VariableType::Float => column
            .as_primitive::<Float64Type>()
            .unary_opt(|value| value.is_finite().then_some(value)),
        VariableType::Integer => column
            .as_primitive::<Int64Type>()
            .unary(|value| value as f64),
        VariableType::Date => column
            .as_primitive::<Date32Type>()
            .unary(|days| f64::from(days) * DAY_MILLIS),
        VariableType::DateTime => column
            .as_primitive::<TimestampMicrosecondType>()
            .unary(micros),
        VariableType::Time => column.as_primitive::<Time64MicrosecondType>().unary(micros),
        VariableType::String => column
            .as_string::<i32>()
            .iter()
            .map(|text| text.map(|text| text.chars().count() as f64))
            .collect(),
        VariableType::Boolean | VariableType::Geography => return None,
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BooleanArray, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };

    use super::*;

    fn statistics(kind: VariableType, column: impl Array + 'static) -> Value {
        let column: ArrayRef = Arc::new(column);
        let mut statistics = Statistics::new(kind);
        // In two batches, as it may come.
        statistics.add(&column.slice(0, 1));
        statistics.add(&column.slice(1, column.len() - 1));
        statistics.finish()
    }

    #[test]
    fn what_is_measured_is_what_is_documented() {
        let numbers = Int64Array::from(vec![Some(i64::MAX), None, Some(-3), Some(-3)]);
        let found = statistics(VariableType::Integer, numbers);
        assert_eq!(
            (&found["min"], &found["max"]),
            (&json!(-3), &json!(i64::MAX))
        );
        assert_eq!(
            (&found["count"], &found["numDistinct"]),
            (&json!(3), &json!(2))
        );

        let floats = Float64Array::from(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        let found = statistics(VariableType::Float, floats);
        assert_eq!(found["mean"], json!(5.0));
        let deviation = found["stdDev"].as_f64().unwrap();
        assert!(
            (deviation - (32.0f64 / 7.0).sqrt()).abs() < 1e-12,
            "{deviation}"
        );
        let median = found["approxMedian"].as_f64().unwrap();
        assert!((4.0..=5.0).contains(&median), "{median}");

        let days = statistics(VariableType::Date, Date32Array::from(vec![1, -1]));
        assert_eq!(
            (&days["min"], &days["max"]),
            (&json!(-86_400_000), &json!(86_400_000))
        );
        let moments = TimestampMicrosecondArray::from(vec![1_500, 2_000]);
        let moments = statistics(VariableType::DateTime, moments);
        assert_eq!((&moments["min"], &moments["max"]), (&json!(1.5), &json!(2)));

        let texts = statistics(VariableType::String, StringArray::from(vec!["ä", "abc"]));
        assert_eq!((&texts["min"], &texts["mean"]), (&json!(1), &json!(2.0)));
        assert_eq!(texts["stdDev"], Value::Null);
        let flags = statistics(VariableType::Boolean, BooleanArray::from(vec![true, false]));
        assert_eq!(
            (&flags["min"], &flags["numDistinct"]),
            (&Value::Null, &json!(2))
        );

        let odd = Float64Array::from(vec![f64::NAN, 1.0, f64::INFINITY, 3.0]);
        let odd = statistics(VariableType::Float, odd);
        assert_eq!((&odd["count"], &odd["mean"]), (&json!(4), &json!(2.0)));

        let nothing = statistics(VariableType::Float, Float64Array::from(vec![None, None]));
        for name in ["min", "max", "mean", "approxMedian", "stdDev"] {
            assert_eq!(nothing[name], Value::Null, "{name}");
        }
    }
}
