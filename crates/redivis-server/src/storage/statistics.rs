//! Statistics of a variable, from one pass over its values (redivis-api §3.2).
//!
//! Memory is bounded: distinct values are counted by their digests, up to a number beyond which they are not told.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute,
    datatypes::{Float64Type, Int64Type},
};
use serde_json::{Value, json};

use super::{cast, kind::VariableType};

/// Distinct values that are counted at most.
const DISTINCT: usize = 1_000_000;

/// Statistics while they are collected.
#[derive(Debug)]
pub(crate) struct Statistics {
    kind: VariableType,
    /// Values that are not null.
    count: u64,
    /// `None` once there are too many to count.
    distinct: Option<HashSet<u64>>,
    hasher: RandomState,
    min: Option<Value>,
    max: Option<Value>,
    sum: f64,
}

impl Statistics {
    pub(crate) fn new(kind: VariableType) -> Self {
        Statistics {
            kind,
            count: 0,
            distinct: Some(HashSet::new()),
            hasher: RandomState::new(),
            min: None,
            max: None,
            sum: 0.0,
        }
    }

    /// Adds the values of a column that has the variable's type.
    pub(crate) fn add(&mut self, column: &ArrayRef) {
        self.count += (column.len() - column.null_count()) as u64;
        let range = match self.kind {
            VariableType::Integer => {
                let values = column.as_primitive::<Int64Type>();
                // Summed as floats, which no number of integers overflows.
                self.sum += values
                    .iter()
                    .flatten()
                    .map(|value| value as f64)
                    .sum::<f64>();
                compute::min(values)
                    .zip(compute::max(values))
                    .map(|(min, max)| (json!(min), json!(max)))
            }
            VariableType::Float => {
                let values = column.as_primitive::<Float64Type>();
                self.sum += values.iter().flatten().sum::<f64>();
                compute::min(values)
                    .zip(compute::max(values))
                    .map(|(min, max)| (json!(min), json!(max)))
            }
            _ => None,
        };
        let Ok(text) = cast::text(column) else {
            self.distinct = None;
            return;
        };
        let text = text.as_string::<i32>();
        // Dates and times read the same way as they are ordered.
        let range = match self.kind {
            VariableType::Date | VariableType::DateTime | VariableType::Time => {
                compute::min_string(text)
                    .zip(compute::max_string(text))
                    .map(|(min, max)| (json!(min), json!(max)))
            }
            _ => range,
        };
        if let Some((min, max)) = range {
            let less = |one: &Value, two: &Value| match (one, two) {
                (Value::String(one), Value::String(two)) => one < two,
                (one, two) => match (one.as_i64(), two.as_i64()) {
                    (Some(one), Some(two)) => one < two,
                    _ => one.as_f64() < two.as_f64(),
                },
            };
            if self.min.as_ref().is_none_or(|known| less(&min, known)) {
                self.min = Some(min);
            }
            if self.max.as_ref().is_none_or(|known| less(known, &max)) {
                self.max = Some(max);
            }
        }
        if let Some(distinct) = &mut self.distinct {
            distinct.extend(
                text.iter()
                    .flatten()
                    .map(|value| self.hasher.hash_one(value)),
            );
            if distinct.len() > DISTINCT {
                self.distinct = None;
            }
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let number = matches!(self.kind, VariableType::Integer | VariableType::Float);
        let mean = (number && self.count > 0).then(|| self.sum / self.count as f64);
        json!({
            "kind": "variableStatistics",
            "status": "completed",
            "count": self.count,
            "numDistinct": self.distinct.as_ref().map(HashSet::len),
            "min": self.min,
            "max": self.max,
            "mean": mean,
        })
    }
}
